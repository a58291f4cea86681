#include "source/yaml_style.h"

#include "source/yaml_text.h"

#include "base/banned.h"

/*
 * At the byte at `offset` of the current event. From the event's own place on: there may be as many
 * refusals in a file as there are scalars.
 */
static bool refuse_escape(struct yaml_events *e, size_t start, size_t offset, struct err *err)
{
    size_t line = e->event.start_mark.line + 1;
    size_t column = e->event.start_mark.column + 1;

    for (size_t i = start; i < offset; i++) {
        if (e->text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if ((e->text.ptr[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return err_set(err, "%zu:%zu: \"\\/\" is an error to some tools; write \"/\"", line, column);
}

/* libyaml reads "\/", two of the tools' readers do not. */
static bool check_escapes(struct yaml_events *e, struct err *err)
{
    const size_t start = yaml_events_offset(e, &e->event.start_mark);
    const size_t end = yaml_events_offset(e, &e->event.end_mark);

    for (size_t i = start; i + 1 < end; i++) {
        if (e->text.ptr[i] != '\\')
            continue;
        if (e->text.ptr[++i] == '/')
            return refuse_escape(e, start, i - 1, err);
    }
    return true;
}

/*
 * kubectl puts a line end behind the last line of a file, others do not: then a block scalar that
 * ends there, and does not strip its line ends ("-"), has two readings.
 */
static bool check_block_end(struct yaml_events *e, struct err *err)
{
    const size_t start = yaml_events_offset(e, &e->event.start_mark);
    const size_t end = yaml_events_offset(e, &e->event.end_mark);

    if (memchr(e->text.ptr + end, '\n', e->text.len - end) != NULL ||
        e->text.ptr[e->text.len - 1] == '\n')
        return true;
    /* Behind a tag or an anchor the header could be anywhere: then a line end is asked for. */
    if ((e->text.ptr[start] == '|' || e->text.ptr[start] == '>') &&
        memchr(e->text.ptr + start, '-', end - start < 3 ? end - start : 3) != NULL)
        return true;
    return yaml_events_fail(e, err,
                            "tools read a block that ends without a line end differently; "
                            "end the file with a line feed");
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool yaml_style_check_properties(struct yaml_events *e, struct err *err)
{
    const struct bytes text = e->text;
    size_t i = yaml_events_offset(e, &e->event.start_mark);

    while (i < text.len && (text.ptr[i] == '&' || text.ptr[i] == '!')) {
        while (i < text.len && !is_space(text.ptr[i]))
            i++;
        while (i < text.len && is_space(text.ptr[i]))
            i++;
    }
    if (i == text.len || text.ptr[i] != '#')
        return true;
    return yaml_events_fail(
        e, err,
        "a comment between an anchor or a tag and its value is moved into other "
        "values by some tools; move the comment");
}

bool yaml_style_is_empty(const yaml_event_t *event)
{
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.length == 0;
}

bool yaml_style_keeps_line_ends(const yaml_event_t *event)
{
    const struct bytes value = bytes_of(event->data.scalar.value, event->data.scalar.length);

    return event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE &&
           (bytes_ends_with(value, BYTES("\n\n")) || bytes_equal(value, BYTES("\n")));
}

/* Whether the next thing behind the current scalar is a comment, or "..." and perhaps one then. */
static bool comment_follows(struct yaml_events *e)
{
    size_t i = yaml_events_offset(e, &e->event.end_mark);

    while (i < e->text.len && strchr(" \t\r\n", e->text.ptr[i]) != NULL)
        i++;
    return i < e->text.len && (e->text.ptr[i] == '#' || e->text.ptr[i] == '.');
}

bool yaml_style_refuse_kept(const struct yaml_events *e, struct err *err)
{
    return yaml_events_fail(e, err,
                            "tools read a block whose line ends are kept differently if a comment "
                            "follows or it is an alias; move the comment, or write \"|\" without "
                            "\"+\"");
}

static bool is_break_or_blank(uint8_t c)
{
    return c == '\n' || c == ' ' || c == '\t';
}

/*
 * kustomize writes a document out again before it is read for good, and in doing so changes folded
 * blocks with lines that begin with a blank or with line ends kept, and kept line ends before a
 * comment.
 */
static bool check_block_survives(struct yaml_events *e, struct bytes value, bool folded,
                                 struct err *err)
{
    bool ok = value.len == 0 || !is_break_or_blank(value.ptr[0]);

    for (size_t i = 1; ok && i < value.len; i++)
        ok = value.ptr[i - 1] != '\n' || (value.ptr[i] != ' ' && value.ptr[i] != '\t');
    if (folded && (!ok || bytes_ends_with(value, BYTES("\n\n"))))
        return yaml_events_fail(e, err,
                                "tools read a folded block differently if its lines begin with "
                                "blanks or line ends are kept; write it with \"|\", or in quotes");
    if (yaml_style_keeps_line_ends(&e->event) && comment_follows(e))
        return yaml_style_refuse_kept(e, err);
    return true;
}

bool yaml_style_refuse_empty(const struct yaml_events *e, struct err *err)
{
    return yaml_events_fail(e, err,
                            "an empty value inside brackets is null to some tools "
                            "and text to others; write null, or \"\"");
}

static bool has_question_mark(const struct yaml_events *e)
{
    const struct bytes value = yaml_events_value(e);

    return e->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           memchr(value.ptr, '?', value.len) != NULL;
}

/* "{?k :[]}": a key to libyaml, and what kustomize makes of it cannot always be read. */
static bool follows_question_mark(struct yaml_events *e)
{
    size_t i = yaml_events_offset(e, &e->event.start_mark);

    while (i > 0 && is_space(e->text.ptr[i - 1]))
        i--;
    return i > 0 && e->text.ptr[i - 1] == '?';
}

/* Some readers take a "?" inside brackets for the start of a key, wherever it is. */
bool yaml_style_tears(struct yaml_events *e, bool in_flow)
{
    return in_flow && (has_question_mark(e) || follows_question_mark(e));
}

static bool check_plain(struct yaml_events *e, bool in_flow, struct err *err)
{
    const struct bytes value = yaml_events_value(e);

    if (!in_flow)
        return true;
    if (value.len == 0)
        return yaml_style_refuse_empty(e, err);
    if (has_question_mark(e))
        return yaml_events_fail(e, err,
                                "tools read a \"?\" inside brackets differently; "
                                "put the text in quotes");
    return true;
}

bool yaml_style_check(struct yaml_events *e, bool in_flow, struct err *err)
{
    const struct bytes value = yaml_events_value(e);
    const yaml_scalar_style_t style = e->event.data.scalar.style;
    const char *problem = yaml_text_problem(value);

    if (problem != NULL)
        return yaml_events_fail(e, err, "%s", problem);
    if (in_flow && follows_question_mark(e))
        return yaml_events_fail(e, err,
                                "tools read a \"?\" inside brackets differently; take it out");
    switch (style) {
    case YAML_PLAIN_SCALAR_STYLE:
        return check_plain(e, in_flow, err);
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return check_escapes(e, err);
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        return check_block_end(e, err) &&
               check_block_survives(e, value, style == YAML_FOLDED_SCALAR_STYLE, err);
    default:
        return true;
    }
}
