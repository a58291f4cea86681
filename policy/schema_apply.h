/*
 * schema_apply.h -- pruning, null-drop and defaulting, inside policy/schema*.c only.
 */
#ifndef POLICY_SCHEMA_APPLY_H
#define POLICY_SCHEMA_APPLY_H

#include "policy/schema_tree.h"

/*
 * A deep copy that shares the scalars, which nobody changes. NULL if it is deeper than
 * SCHEMA_MAX_DEPTH. *has_null (may be NULL) becomes true if there is a null in it.
 */
MUST_USE json_t *schema_copy(json_t *value, bool *has_null);

/*
 * What schema_apply does, by the version's index. *nulls (may be NULL): whether a null may be left
 * at a path that the schema knows.
 */
MUST_USE bool schema_apply_version(const struct schema *s, size_t version, json_t *object,
                                   schema_pruned *pruned, void *context, bool *nulls,
                                   struct err *err);

/*
 * Prunes the defaults below `root` as the API server does when it takes a CRD, so that a default
 * cannot bring in what a client may not send.
 */
MUST_USE bool schema_prune_defaults(struct schema_tree *tree, uint32_t root,
                                    const struct schema_path *path, struct err *err);

#endif
