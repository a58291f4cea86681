/*
 * explanation_impl.h -- an explanation in the making, inside command/explanation*.c only.
 */
#ifndef COMMAND_EXPLANATION_IMPL_H
#define COMMAND_EXPLANATION_IMPL_H

#include "command/explanation.h"

struct making {
    const struct explanation_context *context;
    const json_t *object; /* with managedFields, maybe; NULL: there is none */
    struct identity id;
    struct bytes version;
    struct kind kind; /* as the set knows it */
    bool kind_known;
    struct normal normal;
    struct trace trace;
    struct manifest manifest; /* of a document */
    struct sha256 *hash;
    enum reason reason;
    json_t *json;
};

/* The kind as the set knows it, or NULL. */
const struct kind *explanation_kind(const struct making *m);

/* Adds a sentence to the notes. */
void explanation_note(struct making *m, const char *text);

/*
 * Holds it against the set: m->reason, and in m->json the entry and the differences. `digest` NULL:
 * there is no normal form.
 */
MUST_USE bool explanation_judge(struct making *m, const struct digest *digest, struct err *err);

/* Who wrote a live object last. */
void explanation_last_writer(struct making *m);

#endif
