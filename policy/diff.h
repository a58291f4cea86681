/*
 * diff.h -- where two normal forms differ first, in words: a walk over both canonical forms at
 * once.
 */
#ifndef POLICY_DIFF_H
#define POLICY_DIFF_H

#include "policy/normal.h"

struct diff {
    struct buf path;   /* spec.http[0].route[1].weight, metadata.labels["a.b/c"] */
    struct bytes left; /* canonical value; empty: absent on this side */
    struct bytes right;
};

/* False if they are equal. On true, values are borrowed from the forms; diff_release the rest. */
bool diff_first(const struct normal *left, const struct normal *right, struct diff *out);
void diff_release(struct diff *d);

/* A canonical value as JSON, for people: cut with "..." after `limit` bytes. */
void diff_render(struct bytes value, size_t limit, struct buf *out);

#endif
