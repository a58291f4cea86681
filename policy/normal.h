/*
 * normal.h -- the normal form of an object: what remains when all that is not configuration is gone
 * (N15, N17 to N22), and its digest (N25). There is one, for both sides: requests come here as they
 * are, Git's documents after prune, null-drop and default.
 *
 * struct normal is a workspace that keeps its memory; not shared between threads.
 */
#ifndef POLICY_NORMAL_H
#define POLICY_NORMAL_H

#include "base/digest.h"
#include "base/err.h"
#include "policy/canon.h"
#include "policy/identity.h"
#include "policy/kind.h"

/* The annotation that asks for break-glass (N36): never part of the digest. */
#define BREAK_GLASS_ANNOTATION "meshwrit.dev/break-glass"

struct normal_rules {
    struct bytes nulls; /* N15: of the kind; empty if it is not known */
    bool drop_status;   /* N17: the object's version has the status subresource */
};

struct normal {
    struct canon
        meta; /* M of the kept metadata, but name and namespace: these are in the identity */
    struct canon rest; /* M of the root without apiVersion, kind, metadata */

    /* Facts that are outside the digest but not outside the decision. */
    struct buf text; /* decoded strings; the next four point into it or into the input */
    struct bytes api_version;
    struct bytes kind;
    struct bytes name;
    struct bytes namespace;
    struct bytes break_glass; /* the annotation's value */
    bool has_break_glass;
    bool deleting;       /* metadata.deletionTimestamp is set */
    bool has_finalizers; /* metadata.finalizers has an element */
};

/* What the policy of a kind and a version asks of the normal form. `kind` NULL: nothing known. */
struct normal_rules normal_rules(const struct kind *kind, struct bytes version);

void normal_release(struct normal *n);

/* Reads one object. `n` is cleared first. False: see r->problem. */
MUST_USE bool normal_read(struct normal *n, struct jread *r, const struct normal_rules *rules);

/* The same for a whole text; err says what is wrong and at which byte. */
MUST_USE bool normal_read_text(struct normal *n, struct bytes json,
                               const struct normal_rules *rules, struct err *err);

bool normal_equal(const struct normal *a, const struct normal *b);

/* `now` has no ownerReferences and is `before` otherwise (N30: what the garbage collector does). */
bool normal_equal_but_removed_owners(const struct normal *now, const struct normal *before);

/*
 * The digest of identity and normal form. `version` is empty but for kinds with a conversion (N12),
 * whose version is part of the configuration.
 */
void normal_digest(const struct normal *n, const struct identity *id, struct bytes version,
                   struct sha256 *hash, struct digest *out);

/* Splits "group/version" (or "v1": the core group). */
void normal_split_api_version(struct bytes api_version, struct bytes *group, struct bytes *version);

#endif
