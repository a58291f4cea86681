#include "source/yaml_scalar.h"

#include <math.h>

#include "base/buf.h"
#include "policy/jread.h"
#include "source/yaml_text.h"

#include "base/banned.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* --- words ------------------------------------------------------------------------------------ */

enum word { WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_LIKE_TRUE, WORD_LIKE_FALSE, WORD_NO_NUMBER };

static const struct {
    const char *text;
    enum word word;
} words[] = {
    {"", WORD_NULL},           {"~", WORD_NULL},          {"null", WORD_NULL},
    {"Null", WORD_NULL},       {"NULL", WORD_NULL},       {"true", WORD_TRUE},
    {"True", WORD_TRUE},       {"TRUE", WORD_TRUE},       {"false", WORD_FALSE},
    {"False", WORD_FALSE},     {"FALSE", WORD_FALSE},     {"y", WORD_LIKE_TRUE},
    {"Y", WORD_LIKE_TRUE},     {"yes", WORD_LIKE_TRUE},   {"Yes", WORD_LIKE_TRUE},
    {"YES", WORD_LIKE_TRUE},   {"on", WORD_LIKE_TRUE},    {"On", WORD_LIKE_TRUE},
    {"ON", WORD_LIKE_TRUE},    {"n", WORD_LIKE_FALSE},    {"N", WORD_LIKE_FALSE},
    {"no", WORD_LIKE_FALSE},   {"No", WORD_LIKE_FALSE},   {"NO", WORD_LIKE_FALSE},
    {"off", WORD_LIKE_FALSE},  {"Off", WORD_LIKE_FALSE},  {"OFF", WORD_LIKE_FALSE},
    {".inf", WORD_NO_NUMBER},  {".Inf", WORD_NO_NUMBER},  {".INF", WORD_NO_NUMBER},
    {"+.inf", WORD_NO_NUMBER}, {"+.Inf", WORD_NO_NUMBER}, {"+.INF", WORD_NO_NUMBER},
    {"-.inf", WORD_NO_NUMBER}, {"-.Inf", WORD_NO_NUMBER}, {"-.INF", WORD_NO_NUMBER},
    {".nan", WORD_NO_NUMBER},  {".NaN", WORD_NO_NUMBER},  {".NAN", WORD_NO_NUMBER},
};

enum { WORD_MAX_LENGTH = 5 };

static bool refuse(struct bytes plain, struct err *err, const char *why)
{
    char quoted[YAML_QUOTE_SIZE];

    return err_set(err, "plain %s %s", yaml_text_quote(plain, quoted), why);
}

static bool resolve_word(struct bytes plain, enum word word, struct yaml_scalar *out,
                         struct err *err)
{
    char quoted[YAML_QUOTE_SIZE];

    switch (word) {
    case WORD_NULL:
        out->type = YAML_SCALAR_NULL;
        return true;
    case WORD_TRUE:
    case WORD_FALSE:
        out->type = YAML_SCALAR_BOOL;
        out->truth = word == WORD_TRUE;
        return true;
    case WORD_LIKE_TRUE:
    case WORD_LIKE_FALSE:
        (void)yaml_text_quote(plain, quoted);
        return err_set(err,
                       "plain %s is a boolean to some tools and text to others; write %s, or %s "
                       "in quotes",
                       quoted, word == WORD_LIKE_TRUE ? "true" : "false", quoted);
    case WORD_NO_NUMBER:
        break;
    }
    return refuse(plain, err,
                  "is a number that JSON cannot hold; if text is meant, put it in "
                  "quotes");
}

/* --- dates ------------------------------------------------------------------------------------ */

/* Takes at least `least` and at most `most` digits. */
static bool take_digits(struct bytes *s, size_t least, size_t most)
{
    size_t n = 0;

    while (n < most && n < s->len && is_digit(s->ptr[n]))
        n++;
    *s = bytes_of(s->ptr + n, s->len - n);
    return n >= least;
}

static bool take_one_of(struct bytes *s, const char *set)
{
    if (s->len == 0 || s->ptr[0] == '\0' || strchr(set, s->ptr[0]) == NULL)
        return false;
    *s = bytes_of(s->ptr + 1, s->len - 1);
    return true;
}

static void take_blanks(struct bytes *s)
{
    while (take_one_of(s, " \t")) {
    }
}

static bool is_zone(struct bytes s)
{
    if (take_one_of(&s, "Zz"))
        return s.len == 0;
    if (!take_one_of(&s, "+-") || !take_digits(&s, 1, 2))
        return false;
    (void)take_one_of(&s, ":");
    return take_digits(&s, 0, 2) && s.len == 0;
}

/*
 * The shape of a date, or of a date and time: what the Go readers take for a timestamp, and the
 * forms of YAML 1.1 beside it. Whether the day exists is not looked at.
 */
static bool is_timestamp(struct bytes s)
{
    if (!take_digits(&s, 4, 4) || !take_one_of(&s, "-") || !take_digits(&s, 1, 2) ||
        !take_one_of(&s, "-") || !take_digits(&s, 1, 2))
        return false;
    if (s.len == 0)
        return true;
    if (!take_one_of(&s, "Tt ") && !take_one_of(&s, "\t"))
        return false;
    take_blanks(&s);
    if (!take_digits(&s, 1, 2) || !take_one_of(&s, ":") || !take_digits(&s, 1, 2) ||
        !take_one_of(&s, ":") || !take_digits(&s, 1, 2))
        return false;
    if (take_one_of(&s, ".,"))
        (void)take_digits(&s, 0, SIZE_MAX);
    take_blanks(&s);
    return s.len == 0 || is_zone(s);
}

/* --- integers --------------------------------------------------------------------------------- */

enum integer { INTEGER_NONE, INTEGER_FITS, INTEGER_UNSIGNED, INTEGER_TOO_LONG };

static unsigned digit_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10U : 99;
}

/* Takes the prefix (0x, 0o, 0b, or 0 for octal) off; returns the base. */
static unsigned take_base(struct bytes *s, bool *prefixed)
{
    *prefixed = false;
    if (s->len == 0 || s->ptr[0] != '0')
        return 10;
    if (s->len >= 3) {
        const uint8_t c = s->ptr[1] | 0x20;
        const unsigned base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;

        if (base != 0) {
            *prefixed = true;
            *s = bytes_of(s->ptr + 2, s->len - 2);
            return base;
        }
    }
    *s = bytes_of(s->ptr + 1, s->len - 1);
    return 8;
}

/* The magnitude; false if there is another character. *overflow: it is not in 64 bits. */
static bool magnitude_of(struct bytes s, unsigned base, uint64_t *out, bool *overflow)
{
    uint64_t value = 0;

    *overflow = false;
    for (size_t i = 0; i < s.len; i++) {
        const unsigned digit = digit_value(s.ptr[i]);

        if (digit >= base)
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            *overflow = true;
    }
    *out = value;
    return true;
}

/*
 * Go's base-0 integers, underscores already gone. INTEGER_UNSIGNED: Go holds it as uint64;
 * INTEGER_TOO_LONG: decimal or octal digits that Go would read as a float. A hexadecimal, binary or
 * 0o literal beyond 64 bits is text to Go.
 */
static enum integer integer_of(struct bytes s, int64_t *out)
{
    const bool negative = s.len > 0 && s.ptr[0] == '-';
    const bool sign = negative || (s.len > 0 && s.ptr[0] == '+');
    uint64_t magnitude;
    bool prefixed;
    bool overflow;

    if (sign)
        s = bytes_of(s.ptr + 1, s.len - 1);
    if (s.len == 0)
        return INTEGER_NONE;
    const unsigned base = take_base(&s, &prefixed);

    if (!magnitude_of(s, base, &magnitude, &overflow))
        return INTEGER_NONE;
    if (!overflow && magnitude <= (uint64_t)INT64_MAX + (negative ? 1U : 0U)) {
        *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return INTEGER_FITS;
    }
    if (!overflow && !sign)
        return INTEGER_UNSIGNED;
    return prefixed ? INTEGER_NONE : INTEGER_TOO_LONG;
}

/* --- floats ----------------------------------------------------------------------------------- */

struct literal {
    bool negative;
    struct bytes whole;    /* digits before the point, maybe none */
    struct bytes fraction; /* digits behind it, maybe none */
    struct bytes exponent; /* sign and digits, maybe none */
    bool is_integer;       /* neither point nor exponent */
};

static struct bytes digits_of(struct bytes *s)
{
    const uint8_t *start = s->ptr;

    (void)take_digits(s, 0, SIZE_MAX);
    return bytes_of(start, (size_t)(s->ptr - start));
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool split_float(struct bytes s, struct literal *out)
{
    *out = (struct literal){.negative = s.len > 0 && s.ptr[0] == '-', .is_integer = true};
    (void)take_one_of(&s, "+-");
    out->whole = digits_of(&s);
    if (take_one_of(&s, ".")) {
        out->is_integer = false;
        out->fraction = digits_of(&s);
    }
    if (out->whole.len == 0 && out->fraction.len == 0)
        return false;
    if (take_one_of(&s, "eE")) {
        const uint8_t *start = s.ptr;

        out->is_integer = false;
        (void)take_one_of(&s, "+-");
        if (!take_digits(&s, 1, SIZE_MAX))
            return false;
        out->exponent = bytes_of(start, (size_t)(s.ptr - start));
    }
    return s.len == 0;
}

/*
 * The value by the number model that requests go through (N8): the literal is put into JSON's
 * grammar, with an exponent so that it is a float there too. False: out of range.
 */
static bool float_value(const struct literal *l, struct jread_number *out)
{
    struct buf text = {0};
    struct jread reader;
    struct bytes whole = l->whole;

    while (whole.len > 0 && whole.ptr[0] == '0')
        whole = bytes_of(whole.ptr + 1, whole.len - 1);
    buf_append_str(&text, l->negative ? "-" : "");
    buf_append(&text, whole.len == 0 ? BYTES("0") : whole);
    buf_byte(&text, '.');
    buf_append(&text, l->fraction.len == 0 ? BYTES("0") : l->fraction);
    buf_byte(&text, 'e');
    buf_append(&text, l->exponent.len == 0 ? BYTES("0") : l->exponent);
    buf_byte(&text, '\n');
    jread_start(&reader, buf_bytes(&text));
    const bool ok = jread_number(&reader, out);

    buf_release(&text);
    return ok;
}

static bool refuse_lossy(struct bytes plain, struct err *err)
{
    return refuse(plain, err,
                  "is an integer that does not fit 64 bits, and tools change its "
                  "digits; put it in quotes if text is allowed there");
}

static bool resolve_float(struct bytes plain, const struct literal *l, struct yaml_scalar *out,
                          struct err *err)
{
    const double two_to_63 = 9223372036854775808.0;
    struct jread_number number;

    if (!float_value(l, &number)) {
        /* Out of range: text to Go, but only if it does not look like an integer. */
        if (l->is_integer)
            return refuse_lossy(plain, err);
        return true;
    }
    if (!number.is_integer && trunc(number.real) == number.real) {
        if (l->is_integer)
            return refuse_lossy(plain, err);
        if (fabs(number.real) < two_to_63)
            return refuse(plain, err,
                          "is a whole number too large to be exact as a float; write "
                          "all its digits");
    }
    out->type = YAML_SCALAR_FLOAT;
    out->is_integer = number.is_integer;
    out->integer = number.integer;
    out->real = number.real;
    return true;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Each underscore stands between two digits. */
static bool underscores_are_between_digits(struct bytes s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '_' &&
            (i == 0 || i + 1 == s.len || !is_digit(s.ptr[i - 1]) || !is_digit(s.ptr[i + 1])))
            return false;
    return true;
}

/* "0b+1", "0o-7": some versions of the Go readers take a sign behind the prefix. */
static bool has_sign_behind_prefix(struct bytes s)
{
    (void)take_one_of(&s, "+-");
    return s.len > 2 && s.ptr[0] == '0' && strchr("bBoOxX", s.ptr[1]) != NULL &&
           (s.ptr[2] == '+' || s.ptr[2] == '-');
}

/* `clean` is the word without its underscores. */
static bool resolve_clean(struct bytes plain, struct bytes clean, struct yaml_scalar *out,
                          struct err *err)
{
    struct literal literal;

    if (plain.ptr[0] != '.') {
        switch (integer_of(clean, &out->integer)) {
        case INTEGER_FITS:
            out->type = YAML_SCALAR_INT;
            out->is_integer = true;
            return true;
        case INTEGER_UNSIGNED:
        case INTEGER_TOO_LONG:
            return refuse_lossy(plain, err);
        case INTEGER_NONE:
            break;
        }
        if (has_sign_behind_prefix(clean))
            return refuse(plain, err,
                          "is a number to some tools and text to others; put it in "
                          "quotes");
    }
    if (split_float(clean, &literal))
        return resolve_float(plain, &literal, out, err);
    return true;
}

/* A word that begins like a number. It stays text unless it is one. */
static bool resolve_number(struct bytes plain, struct yaml_scalar *out, struct err *err)
{
    struct buf clean = {0};

    if (is_timestamp(plain))
        return refuse(plain, err, "is a date to some tools and text to others; put it in quotes");
    if (plain.ptr[0] == '.' && !underscores_are_between_digits(plain))
        return true;
    for (size_t i = 0; i < plain.len; i++)
        if (plain.ptr[i] != '_')
            buf_byte(&clean, plain.ptr[i]);
    const bool ok = resolve_clean(plain, buf_bytes(&clean), out, err);

    buf_release(&clean);
    return ok;
}

bool yaml_scalar_resolve(struct bytes plain, struct yaml_scalar *out, struct err *err)
{
    struct yaml_scalar found = {.type = YAML_SCALAR_TEXT};
    bool ok = true;

    if (plain.len <= WORD_MAX_LENGTH)
        for (size_t i = 0; i < COUNT(words); i++)
            if (bytes_equal(plain, bytes_str(words[i].text))) {
                ok = resolve_word(plain, words[i].word, &found, err);
                if (ok)
                    *out = found;
                return ok;
            }
    if (bytes_equal(plain, BYTES("<<")))
        return err_set(err, "merge keys (\"<<\") read differently in different tools; write the "
                            "merged fields out, or put \"<<\" in quotes if text is meant");
    if (is_digit(plain.ptr[0]) || strchr("+-.", plain.ptr[0]) != NULL)
        ok = resolve_number(plain, &found, err);
    if (ok)
        *out = found;
    return ok;
}
