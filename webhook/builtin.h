/*
 * builtin.h -- the policies that are compiled in: policy/default.yaml, which is in force when no
 * other is named, and policy/core.yaml. A policy of one's own can include either.
 */
#ifndef WEBHOOK_BUILTIN_H
#define WEBHOOK_BUILTIN_H

#include <jansson.h>

#include "base/err.h"

/* *out is the caller's reference. */
MUST_USE bool builtin_policy(json_t **out, struct err *err);

/*
 * Adds to each `- include: NAME` of a policy's `govern` the rules of the built-in policy of that
 * name (policy/policy.h). err->path names the field. What else is wrong with the document is left
 * to policy_load.
 */
MUST_USE bool builtin_include(json_t *document, struct err *err);

#endif
