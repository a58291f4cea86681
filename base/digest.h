/*
 * digest.h -- SHA-256.
 *
 * One digest type for the whole project; hex is lower case. struct sha256 is for hashing in
 * pieces; it is reusable and not shared between threads.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/bytes.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 2 * DIGEST_SIZE + 1 };

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

static inline int digest_compare(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_SIZE);
}

static inline bool digest_equal(const struct digest *a, const struct digest *b)
{
    return digest_compare(a, b) == 0;
}

static inline struct bytes digest_bytes(const struct digest *d)
{
    return bytes_of(d->bytes, DIGEST_SIZE);
}

/* SHA-256 of `data`. */
void digest_of(struct bytes data, struct digest *out);

/* Writes 64 lower-case hex digits and a NUL; returns `out`. */
const char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE]);

/* False if `hex` is not 64 hex digits. */
MUST_USE bool digest_from_hex(struct bytes hex, struct digest *out);

struct sha256;

RETURNS_NONNULL struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *h); /* NULL is fine */

/* Start afresh, feed, end. A state that was ended may be begun again. */
void sha256_begin(struct sha256 *h);
void sha256_update(struct sha256 *h, struct bytes data);
void sha256_end(struct sha256 *h, struct digest *out);

#endif
