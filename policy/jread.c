#include "policy/jread.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/unicode.h"

#include "base/banned.h"

void jread_start(struct jread *r, struct bytes text)
{
    *r = (struct jread){
        .at = text.ptr,
        .start = text.ptr,
        .end = text.len == 0 ? text.ptr : text.ptr + text.len,
    };
}

bool jread_fail(struct jread *r, const char *problem)
{
    if (r->problem == NULL) {
        r->problem = problem;
        r->failed = r->at;
        r->at = r->end;
    }
    return false;
}

const uint8_t *jread_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* By a value's first byte. */
const uint8_t jread_types[256] = {
    ['{'] = JREAD_MAP,    ['['] = JREAD_LIST,   ['"'] = JREAD_TEXT,   ['t'] = JREAD_YES,
    ['f'] = JREAD_NO,     ['n'] = JREAD_NIL,    ['-'] = JREAD_DIGITS, ['0'] = JREAD_DIGITS,
    ['1'] = JREAD_DIGITS, ['2'] = JREAD_DIGITS, ['3'] = JREAD_DIGITS, ['4'] = JREAD_DIGITS,
    ['5'] = JREAD_DIGITS, ['6'] = JREAD_DIGITS, ['7'] = JREAD_DIGITS, ['8'] = JREAD_DIGITS,
    ['9'] = JREAD_DIGITS,
};

bool jread_leave(struct jread *r, enum jread_type type)
{
    if (r->at == r->end)
        return jread_fail(r, "ends too early");
    if (*r->at != (type == JREAD_MAP ? '}' : ']'))
        return jread_fail(r, "expected a comma");
    r->at++;
    r->depth--;
    return false;
}

/* --- strings ---------------------------------------------------------------------------------- */

static bool hex4(struct jread *r, uint32_t *out)
{
    uint32_t value = 0;

    if (r->end - r->at < 4)
        return jread_fail(r, "ends inside an escape");
    for (int i = 0; i < 4; i++) {
        const uint8_t c = *r->at++;
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10U;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10U;
        else
            return jread_fail(r, "\\u without four hex digits");
        value = value * 16 + digit;
    }
    *out = value;
    return true;
}

static bool unicode_escape(struct jread *r, struct buf *out)
{
    uint32_t code;
    uint8_t text[4];

    if (!hex4(r, &code))
        return false;
    if (code >= 0xdc00 && code <= 0xdfff)
        return jread_fail(r, "lone surrogate");
    if (code >= 0xd800 && code <= 0xdbff) {
        uint32_t low;

        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return jread_fail(r, "lone surrogate");
        r->at += 2;
        if (!hex4(r, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return jread_fail(r, "lone surrogate");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    buf_append(out, bytes_of(text, unicode_encode(code, text)));
    return true;
}

static bool escape(struct jread *r, struct buf *out)
{
    static const char plain[] = "\"\\/bfnrt";
    static const uint8_t meaning[] = "\"\\/\b\f\n\r\t";

    if (r->at == r->end)
        return jread_fail(r, "ends inside an escape");
    const uint8_t c = *r->at++;

    if (c == 'u')
        return unicode_escape(r, out);
    const char *found = c == '\0' ? NULL : strchr(plain, c);

    if (found == NULL)
        return jread_fail(r, "unknown escape");
    buf_byte(out, meaning[found - plain]);
    return true;
}

/* The byte that ended a plain run: false on a problem. */
static bool not_plain(struct jread *r, struct buf *out)
{
    if (r->at == r->end)
        return jread_fail(r, "ends inside a string");
    if (*r->at == '\\') {
        r->at++;
        return escape(r, out);
    }
    if (*r->at < 0x20)
        return jread_fail(r, "control character in a string");
    const size_t length = unicode_length(r->at, (size_t)(r->end - r->at));

    if (length == 0)
        return jread_fail(r, "not UTF-8");
    buf_append(out, bytes_of(r->at, length));
    r->at += length;
    return true;
}

bool jread_string_rest(struct jread *r, struct buf *out)
{
    while (r->at == r->end || *r->at != '"') {
        if (!not_plain(r, out))
            return false;
        const uint8_t *const run = r->at;

        r->at = plain_copy(run, r->end, out->ptr + out->len);
        out->len += (size_t)(r->at - run);
    }
    r->at++;
    return jread_count_value(r);
}

bool jread_string(struct jread *r, struct buf *decoded, struct bytes *out)
{
    const size_t mark = decoded->len;

    if (jread_byte(r) != '"')
        return jread_fail(r, "expected a string");
    const uint8_t *const run = r->at + 1;
    const uint8_t *const end = plain_run(run, r->end);

    if (end < r->end && *end == '"') {
        *out = bytes_of(run, (size_t)(end - run));
        r->at = end + 1;
        return jread_count_value(r);
    }
    /* All that is ever decoded from one input is no longer than it: after this it does not move. */
    if (decoded->cap < (size_t)(r->end - r->start) + PLAIN_BLOCK)
        buf_reserve(decoded, (size_t)(r->end - r->start) + PLAIN_BLOCK);
    if (!jread_string_append(r, decoded))
        return false;
    *out = bytes_of(decoded->ptr + mark, decoded->len - mark);
    return true;
}

bool jread_key(struct jread *r, struct buf *decoded, struct bytes *out)
{
    return jread_string(r, decoded, out) && jread_colon(r);
}

/* --- numbers and literals --------------------------------------------------------------------- */

static bool is_digit(const struct jread *r, const uint8_t *p)
{
    return p < r->end && *p >= '0' && *p <= '9';
}

static const uint8_t *skip_digits(const struct jread *r, const uint8_t *p)
{
    while (is_digit(r, p))
        p++;
    return p;
}

/* The end of the number by JSON's grammar, or NULL. *integer: it has no fraction and no exponent.
 */
static const uint8_t *number_end(const struct jread *r, bool *integer)
{
    const uint8_t *p = r->at;

    *integer = true;
    if (*p == '-')
        p++;
    if (!is_digit(r, p))
        return NULL;
    p = *p == '0' ? p + 1 : skip_digits(r, p);
    if (p < r->end && *p == '.') {
        *integer = false;
        if (!is_digit(r, ++p))
            return NULL;
        p = skip_digits(r, p);
    }
    if (p < r->end && (*p == 'e' || *p == 'E')) {
        *integer = false;
        p++;
        if (p < r->end && (*p == '+' || *p == '-'))
            p++;
        if (!is_digit(r, p))
            return NULL;
        p = skip_digits(r, p);
    }
    return p;
}

/* The value of an integer literal; false if it is not in int64. */
static bool parse_integer(const uint8_t *p, const uint8_t *end, int64_t *out)
{
    const bool negative = *p == '-';
    int64_t value = 0;

    for (p += negative; p < end; p++) {
        const int64_t digit = *p - '0';

        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow(INT64_C(0), value, &value))
        return false;
    *out = value;
    return true;
}

/* strtod rounds correctly; the locale is C whatever a library may have set. */
static double parse_real(const uint8_t *p)
{
    static locale_t c_locale; /* made once, by whoever comes first; never freed */
    locale_t mine = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);

    if (mine == (locale_t)0) {
        locale_t none = (locale_t)0;

        mine = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (mine == (locale_t)0)
            out_of_memory();
        if (!__atomic_compare_exchange_n(&c_locale, &none, mine, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            freelocale(mine);
            mine = none;
        }
    }
    return strtod_l((const char *)p, NULL, mine);
}

bool jread_number(struct jread *r, struct jread_number *out)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    bool integer;

    if (jread_peek(r) != JREAD_DIGITS)
        return jread_fail(r, "expected a number");
    const uint8_t *end = number_end(r, &integer);

    /* A number is never the last thing in a document; strtod needs something to stop at. */
    if (end == NULL || end == r->end)
        return jread_fail(r, "not a number");
    *out = (struct jread_number){0};
    if (integer && parse_integer(r->at, end, &out->integer)) {
        out->is_integer = true;
    } else {
        out->real = parse_real(r->at);
        if (!isfinite(out->real))
            return jread_fail(r, "number out of range");
        if (out->real > -exact && out->real < exact && trunc(out->real) == out->real) {
            out->is_integer = true;
            out->integer = (int64_t)out->real; /* -0 becomes 0 */
        }
    }
    r->at = end;
    return jread_count_value(r);
}

bool jread_literal(struct jread *r, enum jread_type type)
{
    const struct bytes text = type == JREAD_YES  ? BYTES("true")
                              : type == JREAD_NO ? BYTES("false")
                                                 : BYTES("null");

    if (jread_peek(r) != type)
        return jread_fail(r, "expected true, false or null");
    if ((size_t)(r->end - r->at) < text.len || memcmp(r->at, text.ptr, text.len) != 0)
        return jread_fail(r, "not a JSON value");
    r->at += text.len;
    return jread_count_value(r);
}

bool jread_end(struct jread *r)
{
    if (r->problem != NULL)
        return false;
    r->at = jread_space(r->at, r->end);
    return r->at == r->end || jread_fail(r, "more than one document");
}
