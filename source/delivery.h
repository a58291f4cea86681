/*
 * delivery.h -- what a delivery tool adds to the labels and annotations of everything it delivers
 * (N20, docs/normal-form.md): added on the Git side, so that what is live has the digest of what is
 * in Git. The request side ignores none of it.
 *
 * Immutable once read; owns what it holds.
 */
#ifndef SOURCE_DELIVERY_H
#define SOURCE_DELIVERY_H

#include "policy/fields.h"

enum { DELIVERY_MAX_RULES = 256, DELIVERY_MAX_TAGS = 64 };

struct delivery;
struct delivery_rule;

/* The value of a source's `delivery`; strict. On success *out is the caller's. */
MUST_USE bool delivery_read(const struct field *field, struct delivery **out, struct err *err);
void delivery_free(struct delivery *d); /* NULL is fine */

/* The rule for a file: the first whose path covers it; NULL: nothing is added. */
const struct delivery_rule *delivery_for(const struct delivery *d, const char *path);

/*
 * The object as the tool delivers it: a new reference, to `object` itself if nothing is added. Its
 * labels and annotations are maps of text, or null, or absent. NULL as a rule adds nothing.
 */
RETURNS_NONNULL json_t *delivery_apply(const struct delivery_rule *rule, const json_t *object);

/* The value that it was read from, for the set's provenance. Borrowed. */
const json_t *delivery_document(const struct delivery *d);

#endif
