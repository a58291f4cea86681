#include "webhook/admit.h"

#include <stdlib.h>

#include "audit/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/answer.h"

#include "base/banned.h"

/* An answer that waits for its record to be in the log; in the request's own pool. */
struct pending {
    h2o_linklist_t link;
    h2o_req_t *req;
    struct bytes answer;
};

struct admit {
    struct admit_options options;
    struct snapshot *snapshot; /* NULL: none yet */
    struct review *review;     /* workspaces: one request at a time */
    struct sha256 *hash;
    struct decision decision;
    struct buf answer;

    struct buf records; /* of the answers that are pending */
    h2o_linklist_t pending;
    h2o_timeout_entry_t flush_timer;

    atomic_uint_fast64_t counts[REASON_COUNT][2];
};

struct admit *admit_new(const struct admit_options *options)
{
    struct admit *a = xcalloc(1, sizeof(*a));

    a->options = *options;
    h2o_linklist_init_anchor(&a->pending);
    a->review = review_new();
    a->hash = sha256_new();
    return a;
}

void admit_free(struct admit *a)
{
    if (a == NULL)
        return;
    snapshot_unref(a->snapshot);
    review_free(a->review);
    sha256_free(a->hash);
    buf_release(&a->answer);
    buf_release(&a->records);
    free(a);
}

void admit_use(struct admit *a, struct snapshot *s)
{
    snapshot_unref(a->snapshot);
    a->snapshot = s;
}

uint64_t admit_count(const struct admit *a, enum reason reason, bool allowed)
{
    return atomic_load_explicit(&a->counts[reason][allowed], memory_order_relaxed);
}

/* --- answers that wait for the log ------------------------------------------------------------ */

void admit_on_gone(void *app, const h2o_req_t *req)
{
    struct admit *a = app;

    for (h2o_linklist_t *node = a->pending.next; node != &a->pending; node = node->next) {
        const struct pending *p = CONTAINER_OF(struct pending, link, node);

        if (p->req == req) {
            h2o_linklist_unlink(node);
            return;
        }
    }
}

static void flush(h2o_timeout_entry_t *entry)
{
    struct admit *a = CONTAINER_OF(struct admit, flush_timer, entry);
    struct err err;
    const bool written = auditlog_write(a->options.audit, buf_bytes(&a->records), &err);

    if (!written)
        log_error("the audit log cannot be written: refusing", "error", err.message, NULL);
    a->records.len = 0;
    while (!h2o_linklist_is_empty(&a->pending)) {
        const struct pending *p = CONTAINER_OF(struct pending, link, a->pending.next);
        const struct http_answer answer = {
            .status = 200,
            .content_type = "application/json",
            .body = p->answer,
        };

        h2o_linklist_unlink(a->pending.next); /* first: the answer may free the request */
        if (written)
            http_reply(p->req, &answer);
        else
            http_reply_text(p->req, 503, "the audit log cannot be written\n", true);
    }
}

static void answer_later(struct admit *a, h2o_req_t *req)
{
    struct pending *p = h2o_mem_alloc_pool(&req->pool, sizeof(*p) + a->answer.len);
    uint8_t *const answer = (uint8_t *)(p + 1);

    memcpy(answer, a->answer.ptr, a->answer.len);
    *p = (struct pending){.req = req, .answer = bytes_of(answer, a->answer.len)};
    h2o_linklist_insert(a->pending.next, &p->link); /* the newest first: conn_replied finds it */
    if (!h2o_timeout_is_linked(&a->flush_timer)) {
        a->flush_timer.cb = flush;
        h2o_timeout_link(req->conn->ctx->loop, &req->conn->ctx->zero_timeout, &a->flush_timer);
    }
}

/* --- one request ------------------------------------------------------------------------------ */

static void count(struct admit *a, enum reason reason, bool allowed)
{
    /* One writer a loop: a plain load and store is enough, and cheaper than a locked add. */
    atomic_uint_fast64_t *slot = &a->counts[reason][allowed];

    atomic_store_explicit(slot, atomic_load_explicit(slot, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void finish(struct admit *a, h2o_req_t *req, int64_t started)
{
    const struct snapshot *s = a->snapshot;
    const struct answer_context context = {
        .root = s == NULL ? NULL : s->root,
        .commits = bytes_str(s == NULL ? NULL : s->commits),
    };
    const struct record_context record = {
        .replica = a->options.replica,
        .cluster = a->options.cluster,
        .root = context.root,
        .commits = context.commits,
    };

    count(a, a->decision.reason, a->decision.allowed);
    a->answer.len = 0;
    answer_write(&context, a->review->uid, &a->decision, &a->answer);
    record_write(&record, a->review, &a->decision, clock_now_micros(),
                 clock_monotonic_micros() - started, &a->records);
    answer_later(a, req);
}

/* Row 1: nothing to decide with. */
static void answer_unready(struct admit *a, h2o_req_t *req, struct bytes body, int64_t started)
{
    struct err err;

    a->decision = (struct decision){.reason = REASON_NO_SET};
    if (!a->options.allow_when_unready || !review_read(a->review, body, NULL, &err)) {
        count(a, REASON_NO_SET, false);
        http_reply_text(req, 503, "no valid set is mapped yet\n", true);
        return;
    }
    a->decision.verdict = VERDICT_ALLOW;
    a->decision.allowed = true;
    a->decision.id =
        (struct identity){a->review->group, a->review->kind, a->review->namespace, a->review->name};
    finish(a, req, started);
}

/* Row 2: with a uid it is a denial, which no failurePolicy turns into an allow. */
static void answer_unreadable(struct admit *a, h2o_req_t *req, enum reason reason,
                              const char *message, int64_t started)
{
    if (a->review->uid.len == 0) {
        count(a, reason, false);
        http_reply_text(req, reason == REASON_TOO_LARGE ? 413 : 400, message, false);
        return;
    }
    decide_unreadable(a->snapshot->set, a->snapshot->policy, a->review, reason, message,
                      &a->decision);
    finish(a, req, started);
}

/* NULL: within the limit. */
static const char *too_large(const struct policy *policy, size_t len)
{
    if (len <= ADMIT_MAX_BODY)
        return NULL;
    if (!policy_governs_kind(policy, BYTES(""), BYTES("ConfigMap")))
        return "the review is larger than 7 MiB";
    return len <= ADMIT_MAX_CONFIGMAP_BODY ? NULL : "the review is larger than 16 MiB";
}

static void admit(struct admit *a, h2o_req_t *req)
{
    const int64_t started = clock_monotonic_micros();
    const struct snapshot *s = a->snapshot;
    struct bytes body = bytes_of(req->entity.base, req->entity.len);
    struct err err;

    if (s == NULL) {
        answer_unready(a, req, body, started);
        return;
    }
    const char *excess = too_large(s->policy, body.len);

    if (excess != NULL) {
        body.len = ADMIT_PEEK_BYTES;
        (void)!review_read(a->review, body, s->set, &err);
        answer_unreadable(a, req, REASON_TOO_LARGE, excess, started);
        return;
    }
    if (!review_read(a->review, body, s->set, &err)) {
        answer_unreadable(a, req, REASON_MALFORMED, err.message, started);
        return;
    }
    decide(s->set, s->policy, a->review, a->hash, &a->decision);
    finish(a, req, started);
}

/* --- what is a request for us ----------------------------------------------------------------- */

static bool is_json(const h2o_req_t *req)
{
    const ssize_t index = h2o_find_header(&req->headers, H2O_TOKEN_CONTENT_TYPE, -1);

    if (index < 0)
        return false;
    const h2o_iovec_t value = req->headers.entries[index].value;
    const struct bytes type = bytes_of(value.base, value.len);
    const struct bytes want = BYTES("application/json");

    return bytes_starts_with(type, want) &&
           (type.len == want.len || type.ptr[want.len] == ';' || type.ptr[want.len] == ' ');
}

void admit_on_request(void *app, struct http_loop *loop, h2o_req_t *req)
{
    static const struct http_header allow = {"allow", "POST"};
    struct admit *a = app;

    (void)loop;
    if (!bytes_equal(bytes_of(req->path_normalized.base, req->path_normalized.len),
                     BYTES("/validate"))) {
        http_reply_text(req, 404, "only /validate is here\n", false);
        return;
    }
    if (!bytes_equal(bytes_of(req->method.base, req->method.len), BYTES("POST"))) {
        http_reply(req, &(struct http_answer){.status = 405, .headers = &allow, .header_count = 1});
        return;
    }
    if (!is_json(req)) {
        http_reply_text(req, 415, "Content-Type is not application/json\n", false);
        return;
    }
    admit(a, req);
}
