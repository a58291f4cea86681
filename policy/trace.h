/*
 * trace.h -- which rule of the normal form took, added or changed what in an object, and where.
 *
 * The passes are not written twice: a document is compared with what a pass made of it, and the
 * place says the rule. For people (explain); nothing is decided by it. Owns its paths and values.
 */
#ifndef POLICY_TRACE_H
#define POLICY_TRACE_H

#include <jansson.h>

#include "policy/normal.h"
#include "policy/schema.h"

enum { TRACE_MAX_STEPS = 10000 };

enum trace_action { TRACE_REMOVED, TRACE_ADDED, TRACE_CHANGED };

struct trace_step {
    unsigned rule;
    enum trace_action action;
    char *path;
    json_t *before; /* NULL: was added */
    json_t *after;  /* NULL: was removed */
};

struct trace {
    struct trace_step *steps; /* in the order of the passes */
    size_t count;
    size_t cap;
    size_t left_out; /* beyond TRACE_MAX_STEPS */
};

void trace_release(struct trace *t);
const char *trace_action_text(enum trace_action action);

/* What a pass of one rule made of `before`. */
void trace_pass(struct trace *t, unsigned rule, const json_t *before, const json_t *after);

/* What the identity gives to or takes from metadata.namespace of `object`, in place (N10). */
void trace_identity(struct trace *t, const struct identity *id, json_t *object);

/*
 * What the schema of its version does to `object`, in place: prune, null-drop, default (N13, N14).
 * Fails as schema_apply does.
 */
MUST_USE bool trace_schema(struct trace *t, const struct schema *s, struct bytes version,
                           json_t *object, struct err *err);

/* What was gone when `object` had become the normal form `n` by `rules` (N8, N15, N17 to N21, N36).
 */
void trace_normal(struct trace *t, const json_t *object, const struct normal *n,
                  const struct normal_rules *rules);

#endif
