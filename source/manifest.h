/*
 * manifest.h -- one document of Git: is it governed, what is its identity, which digests does it
 * approve. The Git side of the normal form (N10 to N18, N35).
 */
#ifndef SOURCE_MANIFEST_H
#define SOURCE_MANIFEST_H

#include "policy/normal.h"
#include "policy/policy.h"
#include "source/crds.h"
#include "source/delivery.h"

/* What is the same for all documents of a build; owned by the builder, reused for each document. */
struct manifest_rules {
    const struct policy *policy;
    const struct crds *crds;
    struct sha256 *hash;
    struct normal *normal; /* workspace */
};

enum { MANIFEST_MAX_FIELDS_BYTES = 4096 }; /* of the fields that are told; one holds the document */

/* Behind the name of a field: why pruning it holds the document. */
#define MANIFEST_PRUNED                                                                            \
    " is not a field of its schema; the API server would drop it; correct its name or take it out"

enum manifest_outcome {
    MANIFEST_NOT_GOVERNED, /* nothing else is set */
    MANIFEST_EMPTY, /* only fields of it would count, and it has none of them: as if absent (N25) */
    MANIFEST_APPROVED,
    MANIFEST_HELD,       /* governed, its identity is known, but it cannot be used: `message` */
    MANIFEST_UNREADABLE, /* what was refused may be its identity: `message`, "LINE:COLUMN: why" */
};

struct manifest {
    enum manifest_outcome outcome;
    struct buf names; /* what `id` points to */
    struct identity id;
    struct digest primary;
    struct digest digests[KIND_MAX_VERSIONS];
    size_t digest_count;
    bool is_empty;       /* a projection without a field: the set needs no entry for it */
    struct buf document; /* compact JSON of what Git approves */
    struct buf message;
    struct buf fields; /* that are wrong, a line each, the message's first; empty: no single one */
    unsigned rule;     /* of the normal form, that a held document broke */
};

/* One document, or one item of a list. */
struct manifest_input {
    const json_t *object;          /* a map; may hold marks (yaml_mark.h) if it was refused */
    const char *refused;           /* why, for people; NULL: it was not */
    const char *default_namespace; /* for namespaced kinds that name none; NULL: none */
    const struct delivery_rule *delivery; /* what is added to it (N20); NULL: nothing */
};

/*
 * Judges one document. Fails only for a governed document that has no identity (N7); err->path is
 * the field. On success the caller frees with manifest_release().
 */
MUST_USE bool manifest_read(const struct manifest_rules *rules, const struct manifest_input *input,
                            struct manifest *out, struct err *err);
void manifest_release(struct manifest *m);

/* The n-th of the fields, from 0; empty: there are no more. */
struct bytes manifest_field(const struct manifest *m, size_t index);

#endif
