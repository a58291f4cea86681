/*
 * merkle.h -- the tree hash of RFC 6962, section 2.1 (Certificate Transparency), leaf by leaf.
 *
 * Leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right), no leaf = SHA-256(""). The
 * state is one digest for each level, so that a tree of any size grows in a kilobyte or two. Not
 * shared between threads.
 */
#ifndef POLICY_MERKLE_H
#define POLICY_MERKLE_H

#include "base/digest.h"

struct merkle;

RETURNS_NONNULL struct merkle *merkle_new(void);
void merkle_free(struct merkle *m); /* NULL is fine */
void merkle_freep(struct merkle **m);

/* The next leaf. */
void merkle_add(struct merkle *m, struct bytes data);

uint64_t merkle_count(const struct merkle *m);

/* The root over the leaves so far; more may be added afterwards. */
void merkle_root(struct merkle *m, struct digest *out);

#endif
