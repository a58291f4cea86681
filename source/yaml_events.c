#include "source/yaml_events.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#include "base/banned.h"

void yaml_events_start(struct yaml_events *e, struct bytes text)
{
    *e = (struct yaml_events){.text = text};
    if (yaml_parser_initialize(&e->parser) == 0)
        out_of_memory();
    yaml_parser_set_encoding(&e->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&e->parser, text.len == 0 ? (const uint8_t *)"" : text.ptr,
                                 text.len);
}

void yaml_events_stop(struct yaml_events *e)
{
    yaml_event_delete(&e->event);
    yaml_parser_delete(&e->parser);
}

/* --- what libyaml says ------------------------------------------------------------------------ */

/* Whether the line of the byte at `offset` holds a template's braces. */
static bool is_template_line(struct bytes text, size_t offset)
{
    size_t start = offset < text.len ? offset : text.len;
    size_t end = start;

    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    while (end < text.len && text.ptr[end] != '\n')
        end++;
    return bytes_contains(bytes_of(text.ptr + start, end - start), BYTES("{{"));
}

static const char *advice_for(const char *problem, uint8_t at)
{
    static const struct {
        const char *problem;
        const char *advice;
    } rows[] = {
        {"mapping values are not allowed",
         "; text that holds \": \" needs quotes, or the indentation is wrong"},
        {"did not find expected key", "; is it indented like the keys before it?"},
        {"did not find expected '-'", "; is it indented like the items before it?"},
        {"could not find expected ':'", "; is there a \":\" missing, or a quote open?"},
        {"found unexpected end of stream", "; is there a quote or bracket open?"},
        {"found a tab character", "; indent with spaces, not tabs"},
        {"found undefined tag handle", "; tags are not read here"},
    };

    if (bytes_contains(bytes_str(problem), BYTES("cannot start any token")))
        return at == '\t' ? "; indent with spaces, not tabs"
                          : "; text that begins with this character needs quotes";
    for (size_t i = 0; i < COUNT(rows); i++)
        if (bytes_contains(bytes_str(problem), bytes_str(rows[i].problem)))
            return rows[i].advice;
    return "";
}

static bool fail_parser(struct yaml_events *e, struct err *err)
{
    const char *problem = e->parser.problem == NULL ? "not valid YAML" : e->parser.problem;
    const yaml_mark_t *mark = &e->parser.problem_mark;

    if (e->parser.error == YAML_MEMORY_ERROR)
        out_of_memory();
    const size_t offset = yaml_events_offset(e, mark);
    const uint8_t at = offset < e->text.len ? e->text.ptr[offset] : '\0';

    return err_set(err, "%zu:%zu: %s%s", mark->line + 1, mark->column + 1, problem,
                   is_template_line(e->text, offset)
                       ? "; this looks like a template: only what it renders to can be read"
                       : advice_for(problem, at));
}

/* --- reading ---------------------------------------------------------------------------------- */

bool yaml_events_next(struct yaml_events *e, struct err *err)
{
    yaml_event_delete(&e->event);
    if (yaml_parser_parse(&e->parser, &e->event) == 0)
        return fail_parser(e, err);
    return true;
}

bool yaml_events_skip(struct yaml_events *e, struct err *err)
{
    size_t open = 0;

    for (;;) {
        switch (e->event.type) {
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            open++;
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            open--;
            break;
        default:
            break;
        }
        if (open == 0)
            return true;
        if (!yaml_events_next(e, err))
            return false;
    }
}

size_t yaml_events_offset(struct yaml_events *e, const yaml_mark_t *mark)
{
    if (mark->index < e->character) {
        e->character = 0;
        e->offset = 0;
    }
    while (e->character < mark->index && e->offset < e->text.len) {
        e->offset++;
        while (e->offset < e->text.len && (e->text.ptr[e->offset] & 0xc0) == 0x80)
            e->offset++;
        e->character++;
    }
    return e->offset;
}

bool yaml_events_fail(const struct yaml_events *e, struct err *err, const char *format, ...)
{
    const yaml_mark_t *mark = &e->event.start_mark;
    char message[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return err_set(err, "%zu:%zu: %s", mark->line + 1, mark->column + 1, message);
}
