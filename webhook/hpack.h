/*
 * hpack.h -- counts the header fields of an HPACK block (RFC 7541) as its bytes come in.
 *
 * Strictly the shape that libh2o reads: what it would read differently (an integer of more than
 * four further bytes, an empty name, a string past the block's end) is refused, so that count and
 * library never disagree. Nothing is decoded and nothing is kept.
 */
#ifndef WEBHOOK_HPACK_H
#define WEBHOOK_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct hpack {
    uint8_t state;
    uint8_t shift;   /* of the next byte of the integer that is being read */
    bool value_next; /* a string follows the one that is being read */
    uint32_t number;
    uint32_t count; /* representations so far; table size updates count too */
};

/* A new block. */
void hpack_init(struct hpack *h);

/* The next bytes of the block; false if they cannot be HPACK. */
MUST_USE bool hpack_feed(struct hpack *h, const uint8_t *bytes, size_t len);

/* Whether the block may end here. */
bool hpack_complete(const struct hpack *h);

#endif
