#include "source/yaml_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/jsontext.h"
#include "base/unicode.h"

#include "base/banned.h"

enum { YAML_QUOTE_CHARACTERS = 40 }; /* with all of them escaped, below YAML_QUOTE_SIZE */

/* --- messages --------------------------------------------------------------------------------- */

bool yaml_text_fail(struct bytes text, size_t offset, struct err *err, const char *format, ...)
{
    size_t line = 1;
    size_t column = 1;
    char message[sizeof(err->message)];
    va_list args;

    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if ((text.ptr[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return err_set(err, "%zu:%zu: %s", line, column, message);
}

const char *yaml_text_quote(struct bytes s, char out[YAML_QUOTE_SIZE])
{
    struct buf quoted = {0};
    size_t kept = 0;

    for (size_t n = 0; n < YAML_QUOTE_CHARACTERS && kept < s.len; n++) {
        const size_t length = unicode_length(s.ptr + kept, s.len - kept);

        kept += length == 0 ? 1 : length;
    }
    jsontext_string(&quoted, bytes_of(s.ptr, kept));
    (void)snprintf(out, YAML_QUOTE_SIZE, "%s%s", buf_cstr(&quoted), kept < s.len ? "..." : "");
    buf_release(&quoted);
    return out;
}

/* --- characters ------------------------------------------------------------------------------- */

static uint32_t decode(const uint8_t *p, size_t length)
{
    static const uint8_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = p[0] & first[length];

    for (size_t i = 1; i < length; i++)
        code = (code << 6) | (p[i] & 0x3f);
    return code;
}

/*
 * What the delivery tools' readers refuse, and what they do not all read alike: YAML 1.1 breaks a
 * line at NEL, LS and PS, JSON and YAML 1.2 do not.
 */
static const char *problem_of(uint32_t code)
{
    if (code == 0x85 || code == 0x2028 || code == 0x2029)
        return "the line separators U+0085, U+2028 and U+2029 are line ends to some tools and "
               "text to others; use a line feed";
    if (code == 0xfeff)
        return "a byte order mark may only stand at the start; take it out";
    if (code == 0)
        return "NUL is not allowed";
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xfffe || code == 0xffff)
        return "control characters are not allowed; write it as an escape in double quotes "
               "(\"\\x1b\")";
    return NULL;
}

/* *good: how many bytes stand before the first bad one. */
static bool check_characters(struct bytes text, size_t *good, struct err *err)
{
    for (size_t i = 0; i < text.len;) {
        const uint8_t c = text.ptr[i];

        *good = i;
        if ((c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t') {
            i++;
            continue;
        }
        if (c == '\r') {
            /* Two of our tools turn "\r\r\n" into one line end, the others into two. */
            if (i + 1 == text.len || text.ptr[i + 1] != '\n')
                return yaml_text_fail(text, i, err,
                                      "a carriage return without a line feed; end lines with a "
                                      "line feed");
            i++;
            continue;
        }
        const size_t length = unicode_length(text.ptr + i, text.len - i);

        if (length == 0)
            return yaml_text_fail(text, i, err, "this is not UTF-8; save the file as UTF-8");
        const char *problem = problem_of(decode(text.ptr + i, length));

        if (problem != NULL)
            return yaml_text_fail(text, i, err, "%s", problem);
        i += length;
    }
    *good = text.len;
    return true;
}

const char *yaml_text_problem(struct bytes value)
{
    if (memchr(value.ptr, '\0', value.len) != NULL)
        return "NUL is not allowed in text";
    if (bytes_contains(value, BYTES("\xc2\x85")) || bytes_contains(value, BYTES("\xe2\x80\xa8")) ||
        bytes_contains(value, BYTES("\xe2\x80\xa9")))
        return problem_of(0x85);
    return NULL;
}

/* *out is what is good: all of it, or what stands before the damage. */
static bool check(struct bytes text, struct bytes *out, struct err *err)
{
    size_t good = 0;

    *out = bytes_of(text.ptr, 0);
    if (text.len > YAML_MAX_BYTES)
        return err_set(err, "1:1: the file is longer than %d bytes; split it", YAML_MAX_BYTES);
    if (bytes_starts_with(text, BYTES("\xff\xfe")) || bytes_starts_with(text, BYTES("\xfe\xff")))
        return err_set(err, "1:1: the file is UTF-16; save it as UTF-8");
    if (bytes_starts_with(text, BYTES("\xef\xbb\xbf")))
        text = bytes_of(text.ptr + 3, text.len - 3);
    const bool ok = check_characters(text, &good, err);

    *out = bytes_of(text.ptr, good);
    return ok;
}

bool yaml_text_check(struct bytes text, struct bytes *out, struct err *err)
{
    struct bytes good;

    if (!check(text, &good, err))
        return false;
    *out = good;
    return true;
}

/* --- separators ------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* What may follow `---` on its line: blanks, and behind a blank a comment. */
static bool is_blank_or_comment(struct bytes rest)
{
    size_t i = 0;

    if (rest.len > 0 && rest.ptr[rest.len - 1] == '\r')
        rest.len--;
    while (i < rest.len && is_blank(rest.ptr[i]))
        i++;
    return i == rest.len || (i > 0 && rest.ptr[i] == '#');
}

/*
 * Tools split the text at every line that begins with `---` before they parse it. So such a line
 * has to be a plain separator, wherever it is; that the parser sees the same ones is checked later.
 */
static bool add_separator(struct yaml_text *t, size_t start, size_t end, struct err *err)
{
    const struct bytes line = bytes_of(t->bytes.ptr + start, end - start);

    if (!bytes_starts_with(line, BYTES("---")))
        return true;
    if (!is_blank_or_comment(bytes_of(line.ptr + 3, line.len - 3)))
        return yaml_text_fail(t->bytes, start, err,
                              "a line that begins with \"---\" may hold nothing else but a "
                              "comment; put the content on the next line, or indent it");
    if (t->separator_count == COUNT(t->separators))
        return yaml_text_fail(t->bytes, start, err, "more than %d documents; split the file",
                              YAML_MAX_DOCUMENTS);
    t->separators[t->separator_count++] = start;
    return true;
}

static bool add_separators(struct yaml_text *t, bool whole, struct err *err)
{
    for (size_t start = 0; start < t->bytes.len;) {
        const uint8_t *line = t->bytes.ptr + start;
        const uint8_t *feed = memchr(line, '\n', t->bytes.len - start);
        const size_t length = feed == NULL ? t->bytes.len - start : (size_t)(feed - line);

        if (feed == NULL && !whole)
            return true; /* the damage is in this line */
        if (!add_separator(t, start, start + length, err))
            return false;
        start += length + 1;
    }
    return true;
}

bool yaml_text_split(struct bytes text, struct yaml_text *out, struct err *err)
{
    out->separator_count = 0;
    const bool whole = check(text, &out->bytes, err);

    if (add_separators(out, whole, err) && whole)
        return true;
    out->bytes.len = out->separator_count == 0 ? 0 : out->separators[--out->separator_count];
    return false;
}
