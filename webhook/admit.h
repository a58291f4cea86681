/*
 * admit.h -- the way of a request: body, review, normal form, digest, hash set, decision, audit,
 * answer.
 *
 * One struct admit an event loop. Decisions of one turn of the loop are written to the audit log
 * together, and answered when they are in it.
 */
#ifndef WEBHOOK_ADMIT_H
#define WEBHOOK_ADMIT_H

#include <stdatomic.h>

#include "audit/auditlog.h"
#include "policy/decide.h"
#include "webhook/http.h"
#include "webhook/snapshot.h"

enum {
    ADMIT_MAX_BODY = 7 << 20, /* custom resources: object and oldObject of 3 MiB each */
    ADMIT_MAX_CONFIGMAP_BODY =
        16 << 20, /* 12 MB were seen for 1 MB of `<`, which Go writes as six */
    /*
     * What is larger still arrives, to be denied in words: over HTTP/2 the library could only
     * refuse the stream, and where failurePolicy is Ignore that would let the write through. The
     * API server sends at most two objects of 1.5 MiB, each byte written as six.
     */
    ADMIT_MAX_DISCARDED = 24 << 20,
    ADMIT_PEEK_BYTES = 64 * 1024, /* of a larger body: uid and kind come first */
};

struct admit_options {
    const char *cluster;    /* borrowed */
    const char *replica;    /* borrowed */
    struct auditlog *audit; /* borrowed */
    bool allow_when_unready;
};

struct admit;

RETURNS_NONNULL struct admit *admit_new(const struct admit_options *options);
void admit_free(struct admit *a); /* on the loop's thread, after the loop; NULL is fine */

/* http_on_request for the main listener: POST /validate. `app` is the struct admit. */
void admit_on_request(void *app, struct http_loop *loop, h2o_req_t *req);

/* http_on_gone of the same listener. */
void admit_on_gone(void *app, const h2o_req_t *req);

/* From now on decides with `s`, whose reference is taken over. On the loop's thread. */
void admit_use(struct admit *a, struct snapshot *s);

/* Counters for metrics; any thread. */
uint64_t admit_count(const struct admit *a, enum reason reason, bool allowed);

#endif
