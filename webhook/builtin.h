/*
 * builtin.h -- the policy that is in force when no other is named: policy/default.yaml, compiled
 * in.
 */
#ifndef WEBHOOK_BUILTIN_H
#define WEBHOOK_BUILTIN_H

#include <jansson.h>

#include "base/err.h"

/* *out is the caller's reference. */
MUST_USE bool builtin_policy(json_t **out, struct err *err);

#endif
