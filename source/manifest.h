/*
 * manifest.h -- one document of Git: is it governed, what is its identity, which digests does it
 * approve. The Git side of the normal form (N10 to N18, N35).
 */
#ifndef SOURCE_MANIFEST_H
#define SOURCE_MANIFEST_H

#include "policy/normal.h"
#include "policy/policy.h"
#include "source/crds.h"

/* What is the same for all documents of a build; owned by the builder, reused for each document. */
struct manifest_rules {
    const struct policy *policy;
    const struct crds *crds;
    struct sha256 *hash;
    struct normal *normal; /* workspace */
};

enum manifest_outcome {
    MANIFEST_NOT_GOVERNED, /* nothing else is set */
    MANIFEST_EMPTY, /* only fields of it would count, and it has none of them: as if absent (N25) */
    MANIFEST_APPROVED,
    MANIFEST_HELD, /* governed, its identity is known, but it cannot be used: `message` */
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
};

/*
 * Judges one document. `default_namespace` is for namespaced kinds that name none; NULL: none.
 * Fails only for a governed document whose identity cannot be read. On success the caller frees
 * with manifest_release().
 */
MUST_USE bool manifest_read(const struct manifest_rules *rules, const json_t *document,
                            const char *default_namespace, struct manifest *out, struct err *err);
void manifest_release(struct manifest *m);

#endif
