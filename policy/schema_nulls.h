/*
 * schema_nulls.h -- makes the tree of policy/nulls.h from a compiled CRD, inside policy/schema*.c
 * only.
 *
 * A null is the same as absent at a path that some served version has as a property, if no version
 * that counts (the served ones and the storage version) can read the two differently there: by a
 * default, as a key of additionalProperties, or under preserve-unknown-fields.
 */
#ifndef POLICY_SCHEMA_NULLS_H
#define POLICY_SCHEMA_NULLS_H

#include "policy/schema_tree.h"

/* Appends the encoded tree to `out`; nothing if there is no such path. */
MUST_USE bool schema_nulls_encode(const struct schema *s, struct buf *out, struct err *err);

#endif
