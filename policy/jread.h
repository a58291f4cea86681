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

enum {
    JREAD_MAX_DEPTH = 64 + 2, /* an object's own 64 (N4), inside review and request */
    JREAD_MAX_VALUES = 200000,
};

struct jread {
    const uint8_t *at;
    const uint8_t *start;
    const uint8_t *end;
    unsigned depth;
    unsigned values;
    const char *problem; /* NULL: none so far */
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

/* The type of the next value, judged by its first byte; skips white space. */
enum jread_type jread_peek(struct jread *r);

/*
 * Maps and lists. jread_enter takes '{' or '['; jread_next is true while there is another entry (it
 * takes the comma) and false at the end (it takes the closing bracket) or on a problem.
 *
 *     if (jread_enter(r, JREAD_MAP))
 *         for (bool first = true; jread_next(r, JREAD_MAP, &first);)
 *             if (jread_key(r, &key) && …)
 */
MUST_USE bool jread_enter(struct jread *r, enum jread_type type);
MUST_USE bool jread_next(struct jread *r, enum jread_type type, bool *first);

/* A string, decoded, appended to `out`. */
MUST_USE bool jread_string_append(struct jread *r, struct buf *out);

/*
 * A string: `*out` is a slice of the input if it has no escapes, else of `decoded`, to which it is
 * appended. One `decoded` for each input, empty at the start: then it does not move between calls.
 */
MUST_USE bool jread_string(struct jread *r, struct buf *decoded, struct bytes *out);

/* A map's key and the colon behind it. */
MUST_USE bool jread_key(struct jread *r, struct buf *decoded, struct bytes *out);

/* The colon behind a key that was read by jread_string_append. */
MUST_USE bool jread_colon(struct jread *r);

MUST_USE bool jread_number(struct jread *r, struct jread_number *out);

/* true, false or null, as jread_peek said. */
MUST_USE bool jread_literal(struct jread *r, enum jread_type type);

/* Nothing but white space is left. */
MUST_USE bool jread_end(struct jread *r);

/* Records the problem (the first one stays); returns false. */
bool jread_fail(struct jread *r, const char *problem);

/* Bytes before the reader's place: where in the text a problem is. */
static inline size_t jread_offset(const struct jread *r)
{
    return (size_t)(r->at - r->start);
}

#endif
