/*
 * canon_tree.h -- canonical bytes (canon.h) as a document tree, for people.
 *
 * Only for bytes that policy/canon.c wrote: nothing is checked again.
 */
#ifndef POLICY_CANON_TREE_H
#define POLICY_CANON_TREE_H

#include <jansson.h>

#include "policy/normal.h"

/* The numbers of an 'I' and of a 'D'. */
int64_t canon_tree_integer(struct bytes value);
double canon_tree_double(struct bytes value);

/* One value; the caller's reference. */
json_t *canon_tree(struct bytes value);

/*
 * A normal form as one object: the root without apiVersion and kind, `metadata` as far as it is
 * kept (not if nothing is).
 */
json_t *canon_tree_normal(const struct normal *n);

#endif
