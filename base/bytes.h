/*
 * bytes.h -- a borrowed run of bytes: pointer and length, never a C string, never owned.
 *
 * A zero-length value may have a NULL pointer. Order is memcmp order, the shorter first.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct bytes {
    const uint8_t *ptr; /* borrowed; this type never frees */
    size_t len;
};

/* The bytes of a string literal, without its NUL. */
#define BYTES(literal) ((struct bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})

/* For printf's "%.*s". */
#define BYTES_FMT(b) (int)(b).len, (const char *)(b).ptr

static inline struct bytes bytes_of(const void *ptr, size_t len)
{
    return (struct bytes){ptr, len};
}

/* The bytes of a C string, without its NUL; NULL gives no bytes. */
static inline struct bytes bytes_str(const char *s)
{
    return bytes_of(s, s == NULL ? 0 : strlen(s));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Below, at or above zero, as memcmp; a prefix comes before what it is a prefix of. */
int bytes_compare(struct bytes a, struct bytes b);

/*
 * The first eight bytes, short ones filled up with zeros, as a number: where two of these differ,
 * they are in the order of the bytes. Eight bytes from `a.ptr` on must be readable.
 */
static inline uint64_t bytes_prefix(struct bytes a)
{
    uint64_t prefix;

    memcpy(&prefix, a.ptr, sizeof(prefix));
    prefix = be64toh(prefix);
    if (a.len >= sizeof(prefix))
        return prefix;
    return a.len == 0 ? 0 : prefix & UINT64_MAX << (64 - 8 * a.len);
}

bool bytes_starts_with(struct bytes a, struct bytes prefix);
bool bytes_ends_with(struct bytes a, struct bytes suffix);

/* Whether `needle` occurs in `haystack`. */
bool bytes_contains(struct bytes haystack, struct bytes needle);

/* Copies into `out` as a C string; false on an embedded NUL or if there is no room. */
MUST_USE bool bytes_to_cstr(struct bytes in, char *out, size_t out_size);

#endif
