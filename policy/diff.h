/*
 * diff.h -- where two normal forms differ, in words: a walk over both canonical forms at once.
 */
#ifndef POLICY_DIFF_H
#define POLICY_DIFF_H

#include "policy/normal.h"
#include "policy/schema_path.h"

struct diff {
    struct buf path;   /* spec.http[0].route[1].weight, metadata.labels["a.b/c"] */
    struct bytes left; /* canonical value; empty: absent on this side */
    struct bytes right;
};

/*
 * Called for each difference, the spec before the metadata; an empty value is absent. Everything is
 * borrowed: the values from the forms, the path for the call. True: it is enough.
 */
typedef bool diff_visit(void *context, const struct schema_path *path, struct bytes left,
                        struct bytes right);

/* Whether `visit` said that it is enough. */
bool diff_each(const struct normal *left, const struct normal *right, diff_visit *visit,
               void *context);

/* False if they are equal. On true, values are borrowed from the forms; diff_release the rest. */
bool diff_first(const struct normal *left, const struct normal *right, struct diff *out);
void diff_release(struct diff *d);

/* A canonical value as JSON, for people: cut with "..." after `limit` bytes. */
void diff_render(struct bytes value, size_t limit, struct buf *out);

#endif
