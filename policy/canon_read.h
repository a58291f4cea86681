/*
 * canon_read.h -- canonical bytes (N25), read back.
 *
 *     N null   T true   F false   I int64   D double   S u32 length, bytes
 *     L u32 count, values      M u32 count, (S key, value)* in key order
 *
 * Numbers and lengths are big-endian. For what canon.h wrote, which is not checked again: a cursor
 * is the bytes from here on, and moves over what is read. Values are slices of what was given.
 */
#ifndef POLICY_CANON_READ_H
#define POLICY_CANON_READ_H

#include "base/bytes.h"

enum {
    CANON_NULL = 'N',
    CANON_TRUE = 'T',
    CANON_FALSE = 'F',
    CANON_INTEGER = 'I',
    CANON_DOUBLE = 'D',
    CANON_STRING = 'S',
    CANON_LIST = 'L',
    CANON_MAP = 'M',
    CANON_HEAD = 5, /* the type byte and a u32 */
};

uint32_t canon_read_u32(struct bytes at);
struct bytes canon_read_string(struct bytes *cursor); /* at an 'S' */
struct bytes canon_take_value(struct bytes *cursor);  /* the bytes of one value */

/* Of a list or a map: takes its head and returns how many items or entries follow. */
uint32_t canon_take_count(struct bytes *cursor);

/* The entries of a map, in key order. */
struct canon_entries {
    struct bytes rest;
    uint32_t left;
};

/* `map` may be empty or something else: then there are none. */
struct canon_entries canon_entries_of(struct bytes map);

/* False when there is none left. */
bool canon_next_entry(struct canon_entries *e, struct bytes *key, struct bytes *value);

#endif
