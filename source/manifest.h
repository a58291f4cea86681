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

enum manifest_outcome {
    MANIFEST_NOT_GOVERNED, /* nothing else is set */
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
    struct buf document; /* compact JSON of what Git approves */
    struct buf message;
};

/* One document, or one item of a list. */
struct manifest_input {
    const json_t *object;          /* a map; may hold marks (yaml_mark.h) if it was refused */
    const char *refused;           /* why, for people; NULL: it was not */
    const char *default_namespace; /* for namespaced kinds that name none; NULL: none */
    const struct delivery_rule *delivery; /* what is added to it (N20); NULL: nothing */
};

/*
 * Judges one document. Fails only for a governed document that has no identity. On success the
 * caller frees with manifest_release().
 */
MUST_USE bool manifest_read(const struct manifest_rules *rules, const struct manifest_input *input,
                            struct manifest *out, struct err *err);
void manifest_release(struct manifest *m);

#endif
