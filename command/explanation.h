/*
 * explanation.h -- the answer of `meshwrit explain`, put together: an object against a set.
 *
 * One explanation is one JSON object (docs/explain.md); both output formats come from it.
 */
#ifndef COMMAND_EXPLANATION_H
#define COMMAND_EXPLANATION_H

#include <jansson.h>

#include "policy/decide.h"
#include "policy/trace.h"
#include "source/manifest.h"

enum { EXPLANATION_MAX_DIFFERENCES = 20 };

/* What an object is held against; borrowed. */
struct explanation_context {
    const struct set *set;
    const struct policy *policy;
    const struct crds *crds;              /* NULL: no schemas, nothing is pruned or defaulted */
    const char *namespace;                /* of objects of Git that name none; NULL: none */
    const struct delivery_rule *delivery; /* what is added to documents (N20); NULL: nothing */
};

struct explanation {
    json_t *json;       /* the caller frees */
    enum reason reason; /* in-git, differs-from-git, held, not-in-git, not-governed */
};

/* An object as a cluster has it. `assumed` says why it is taken as one. */
MUST_USE bool explanation_of_live(const struct explanation_context *context, const json_t *object,
                                  const char *assumed, struct explanation *out, struct err *err);

/*
 * A document as Git has it. Fails if it is governed and its identity cannot be read. Without
 * schemas it is taken as if the API server had filled it in already, and that is said.
 */
MUST_USE bool explanation_of_document(const struct explanation_context *context,
                                      const json_t *object, const char *assumed,
                                      struct explanation *out, struct err *err);

/* An entry of the set, or an identity that it does not have, when there is no document. */
MUST_USE bool explanation_of_entry(const struct explanation_context *context,
                                   const struct identity *id, struct explanation *out,
                                   struct err *err);

#endif
