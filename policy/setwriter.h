/*
 * setwriter.h -- writ.set, made (format 1, docs/writ-set.md).
 *
 * The bytes are a function of what is added, not of the order of adding, the clock or the machine.
 * Copies everything it is given. Kinds first, then entries.
 */
#ifndef POLICY_SETWRITER_H
#define POLICY_SETWRITER_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "policy/identity.h"
#include "policy/kind.h"

struct setwriter;

RETURNS_NONNULL struct setwriter *setwriter_new(void);
void setwriter_free(struct setwriter *w); /* NULL is fine */
void setwriter_freep(struct setwriter **w);

void setwriter_rules(struct setwriter *w, const struct digest *rule_set_id);
void setwriter_policy(struct setwriter *w, struct bytes json);
void setwriter_provenance(struct setwriter *w, struct bytes json);

/* A kind that has entries or that requests may ask about. The same one again is fine. */
void setwriter_kind(struct setwriter *w, const struct kind *kind);

struct setwriter_place {
    struct bytes source;
    struct bytes commit;
    struct bytes path;
    uint32_t line;
};

/*
 * An approved object: its accepted digests (at least one; primary may be among them or not; it is
 * stored as the root's leaf and is also accepted only if it is in `digests`), its document as
 * compact JSON.
 */
void setwriter_approve(struct setwriter *w, const struct identity *id,
                       const struct setwriter_place *place, const struct digest *primary,
                       const struct digest *digests, size_t digest_count, struct bytes document);

/* A held one (N35). A message beyond SET_MAX_MESSAGE is cut. */
void setwriter_hold(struct setwriter *w, const struct identity *id,
                    const struct setwriter_place *place, struct bytes message);

/*
 * The file's bytes, appended to `out`. Fails if one identity or
 * digest was added twice, a kind in two ways, an entry's kind not at all, an approved entry without
 * a digest, or if a limit of the format is exceeded; the error names what and where.
 */
MUST_USE bool setwriter_finish(struct setwriter *w, struct buf *out, struct err *err);

#endif
