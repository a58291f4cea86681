/*
 * jread.h -- a strict JSON reader over bytes that stay where they are.
 *
 * Pull style: the caller asks for what it expects next. Strict means: UTF-8, no lone surrogates, no
 * control characters, one document, bounded depth and number of values (N2, N4, N27). Duplicate
 * keys are for whoever reads a map to refuse: they see every key (policy/canon.h does it for whole
 * values). Never allocates, except that decoded strings go to the caller's buffer.
 *
 * After a failure `problem` says what was wrong (a static text) and every later call fails too.
 */
#ifndef POLICY_JREAD_H
#define POLICY_JREAD_H

#include "base/buf.h"
#include "base/plain.h"

enum {
    JREAD_MAX_DEPTH = 64 + 2, /* an object's own 64 (N4), inside review and request */
    JREAD_MAX_VALUES = 200000,
};

struct jread {
    const uint8_t *at; /* after a problem: `end`, so that there is nothing more to read */
    const uint8_t *start;
    const uint8_t *end;
    unsigned depth;
    unsigned values;
    const char *problem;   /* NULL: none so far */
    const uint8_t *failed; /* where it was */
};

enum jread_type {
    JREAD_NOTHING, /* end of input or not a value */
    JREAD_MAP,
    JREAD_LIST,
    JREAD_TEXT,
    JREAD_DIGITS, /* a number */
    JREAD_YES,    /* true */
    JREAD_NO,     /* false */
    JREAD_NIL,    /* null */
};

struct jread_number {
    bool is_integer; /* N8: in int64, or an integral double below 2^53 */
    int64_t integer;
    double real;
};

void jread_start(struct jread *r, struct bytes text);

/* Records the problem (the first one stays) and its place; returns false. */
bool jread_fail(struct jread *r, const char *problem);

/* Bytes before the reader's place: where in the text a problem is. */
static inline size_t jread_offset(const struct jread *r)
{
    return (size_t)((r->problem == NULL ? r->at : r->failed) - r->start);
}

/* The first byte at or after `at` that is not white space, or `end`. */
const uint8_t *jread_space(const uint8_t *at, const uint8_t *end);

/* The next byte that is not white space, not taken; 0 at the end. */
static inline uint8_t jread_byte(struct jread *r)
{
    if (UNLIKELY(r->at == r->end))
        return 0;
    if (UNLIKELY(*r->at <= ' '))
        r->at = jread_space(r->at, r->end);
    return UNLIKELY(r->at == r->end) ? 0 : *r->at;
}

/* The type of the value that begins with this byte. */
extern const uint8_t jread_types[256];

/* The type of the next value, judged by its first byte; skips white space. */
static inline enum jread_type jread_peek(struct jread *r)
{
    return (enum jread_type)jread_types[jread_byte(r)];
}

static inline bool jread_count_value(struct jread *r)
{
    if (UNLIKELY(++r->values > JREAD_MAX_VALUES))
        return jread_fail(r, "too many values");
    return true;
}

/*
 * Maps and lists. jread_enter takes '{' or '['; jread_next is true while there is another entry (it
 * takes the comma) and false at the end (it takes the closing bracket) or on a problem.
 *
 *     if (jread_enter(r, JREAD_MAP))
 *         for (bool first = true; jread_next(r, JREAD_MAP, &first);)
 *             if (jread_key(r, &key) && …)
 */
MUST_USE static inline bool jread_enter(struct jread *r, enum jread_type type)
{
    if (UNLIKELY(jread_peek(r) != type))
        return jread_fail(r, type == JREAD_MAP ? "expected an object" : "expected an array");
    if (UNLIKELY(r->depth >= JREAD_MAX_DEPTH))
        return jread_fail(r, "nested too deeply");
    r->depth++;
    r->at++;
    return jread_count_value(r);
}

/* jread_next where there is no further entry. */
MUST_USE bool jread_leave(struct jread *r, enum jread_type type);

MUST_USE static inline bool jread_next(struct jread *r, enum jread_type type, bool *first)
{
    const uint8_t close = type == JREAD_MAP ? '}' : ']';
    const uint8_t byte = jread_byte(r);

    if (*first && byte != close && byte != 0) {
        *first = false;
        return true;
    }
    if (byte != ',')
        return jread_leave(r, type);
    r->at++;
    if (UNLIKELY(jread_byte(r) == close))
        return jread_fail(r, "comma before a closing bracket");
    return true;
}

/* jread_string_append from the first byte that is not plain. */
MUST_USE bool jread_string_rest(struct jread *r, struct buf *out);

/* A string, decoded, appended to `out`, behind which there is room for PLAIN_BLOCK bytes more. */
MUST_USE static inline bool jread_string_append(struct jread *r, struct buf *out)
{
    if (UNLIKELY(jread_byte(r) != '"'))
        return jread_fail(r, "expected a string");
    const uint8_t *const run = r->at + 1;

    /* All that is left of the text at once: what is decoded is never longer. */
    buf_reserve(out, (size_t)(r->end - run) + PLAIN_BLOCK);
    r->at = plain_copy(run, r->end, out->ptr + out->len);
    out->len += (size_t)(r->at - run);
    if (UNLIKELY(r->at == r->end || *r->at != '"'))
        return jread_string_rest(r, out);
    r->at++;
    return jread_count_value(r);
}

/*
 * A string: `*out` is a slice of the input if it has no escapes, else of `decoded`, to which it is
 * appended. One `decoded` for each input, empty at the start: then it does not move between calls.
 */
MUST_USE bool jread_string(struct jread *r, struct buf *decoded, struct bytes *out);

/* A map's key and the colon behind it. */
MUST_USE bool jread_key(struct jread *r, struct buf *decoded, struct bytes *out);

/* The colon behind a key that was read by jread_string_append. */
MUST_USE static inline bool jread_colon(struct jread *r)
{
    if (UNLIKELY(jread_byte(r) != ':'))
        return jread_fail(r, "expected a colon");
    r->at++;
    return true;
}

MUST_USE bool jread_number(struct jread *r, struct jread_number *out);

/* true, false or null, as jread_peek said. */
MUST_USE bool jread_literal(struct jread *r, enum jread_type type);

/* Nothing but white space is left. */
MUST_USE bool jread_end(struct jread *r);

#endif
