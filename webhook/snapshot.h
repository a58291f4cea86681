/*
 * snapshot.h -- a mapped set with its policy: what one decision uses from beginning to end.
 *
 * Immutable and reference-counted. Each event loop holds one reference and takes a new one from its
 * own message queue, so that a decision needs no lock.
 */
#ifndef WEBHOOK_SNAPSHOT_H
#define WEBHOOK_SNAPSHOT_H

#include "policy/policy.h"
#include "policy/set.h"

struct snapshot {
    struct set *set;
    struct policy *policy;
    char root[DIGEST_HEX_SIZE];
    char commits[256]; /* of the sources: the commit of the only one, else name=commit,… */
};

/* With one reference, the caller's. Fails on a set of other rules than this binary's (N26). */
MUST_USE bool snapshot_open(const char *path, struct snapshot **out, struct err *err);

struct snapshot *snapshot_ref(struct snapshot *s); /* any thread */
void snapshot_unref(struct snapshot *s);           /* any thread; NULL is fine */

#endif
