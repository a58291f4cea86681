/*
 * http.h -- the HTTPS front: event loops that hand complete requests to a callback.
 *
 * One http_loop a thread, each with its own libh2o context; all loops of a process share one
 * http_gate, which counts connections and memory. HTTP/1.1 and, behind the frame guard, HTTP/2 over
 * TLS; HTTP/1.1 alone without TLS. A thread that runs a loop needs a stack of 1 MiB or more.
 * Functions say which thread may call them; "own thread" is the one in http_loop_run, or the one
 * that will call it.
 */
#ifndef WEBHOOK_HTTP_H
#define WEBHOOK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "webhook/guard.h"
#include "webhook/h2o.h"

enum {
    HTTP2_ANSWER_MAX = GUARD_STREAM_WINDOW_MIN / 2, /* bytes of an HTTP/2 answer's body */
    HTTP_BODY_DEFAULT = 8 << 20, /* above the application's own limit, which answers */
};

struct http_limits {
    uint32_t connections;          /* of all loops that share the gate */
    uint32_t connections_per_peer; /* one IPv4 address, one IPv6 /64; an API server opens dozens */
    uint32_t fd_reserve;           /* descriptors that connections leave to the rest */
    /*
     * Beyond max_body libh2o answers itself: 413 over HTTP/1.1, REFUSED_STREAM ("try again") over
     * HTTP/2. So the application's limit lies below, and it answers in words.
     */
    size_t max_body;
    size_t max_inflight; /* request bytes held by all connections; memory is about twice */
    uint32_t handshake_ms;
    uint32_t first_request_ms; /* … while more than half of the connections are in use */
    uint32_t request_ms;       /* from a request's first byte to its last */
    uint32_t write_ms;         /* an answer that its client does not read */
    uint32_t idle_ms;          /* above the 90 s that Go keeps an idle connection */
    uint32_t age_ms;           /* an HTTP/1.1 connection older than this is closed politely */
    uint32_t requests_per_connection; /* likewise */
    struct guard_limits guard;        /* body_bytes and inflight_bytes are set from the above */
};

/* The defaults that production runs with. */
void http_limits_default(struct http_limits *out);

/* ---- what the loops of a process share ---- */

struct http_gate;

/* `limits` is copied. Lowers `connections` to what RLIMIT_NOFILE leaves. Any thread. */
struct http_gate *http_gate_new(const struct http_limits *limits);

/* After the last loop; NULL is fine. */
void http_gate_free(struct http_gate *gate);

/* ---- a loop ---- */

struct http_loop;

/*
 * A complete request, on the loop's own thread. Answer with http_reply, now or later on the same
 * thread; a request that is not answered yet may vanish: http_on_gone tells.
 * req->entity is the body, req->path_normalized the path, req->method the method. Paths, methods
 * and content types are the application's to check.
 */
typedef void http_on_request(void *app, struct http_loop *loop, h2o_req_t *req);

/* The client of a request that was not answered went: forget it. Own thread; never from within
 * http_reply for the same request. */
typedef void http_on_gone(void *app, const h2o_req_t *req);

struct http_options {
    int listen_fd;          /* bound and listening; the loop works on a duplicate */
    SSL_CTX *tls;           /* from tls_context_new (tls.h); NULL: plain HTTP/1.1 */
    struct http_gate *gate; /* borrowed: must outlive the loop */
    http_on_request *on_request;
    http_on_gone *on_gone; /* NULL: every request is answered at once */
    void *app;             /* for both */
};

/*
 * On success *out is the caller's, free with http_loop_free(). Any thread: libh2o comes in only
 * with http_loop_run, since its buffers belong to threads. Takes its own reference of the TLS
 * context. Fails if the program was linked so that the frame guard would not be called.
 */
MUST_USE bool http_loop_new(const struct http_options *options, struct http_loop **out,
                            struct err *err);

/* After http_loop_run, or without it; runs what was posted since. NULL is fine. */
void http_loop_free(struct http_loop *loop);

/*
 * Once. Serves until http_loop_stop, or the end of a drain, and closes what is open then. False: it
 * could not begin, or the event loop itself failed; nothing is open then either.
 */
MUST_USE bool http_loop_run(struct http_loop *loop, struct err *err);

/* Any thread: http_loop_run returns soon. */
void http_loop_stop(struct http_loop *loop);

/*
 * Any thread: runs `fn` on the loop's own thread, in the order of the posts; once, at the latest in
 * http_loop_free. Does not wait.
 */
void http_loop_post(struct http_loop *loop, void (*fn)(struct http_loop *loop, void *arg),
                    void *arg);

/*
 * Any thread; R12. For `serve_ms` everything goes on, but HTTP/1.1 answers close their connection
 * and HTTP/2 clients get a GOAWAY and are closed when they are idle. Then no connection is accepted
 * any more, and the loop stops when the last one is gone, or `end_ms` after the call.
 */
void http_loop_drain(struct http_loop *loop, uint32_t serve_ms, uint32_t end_ms);

/* Own thread: new connections use `tls` (a reference of its own is taken), open ones keep theirs.
 */
void http_loop_set_tls(struct http_loop *loop, SSL_CTX *tls);

/* ---- answers ---- */

struct http_header {
    const char *name; /* lower case, a literal */
    const char *value;
};

struct http_answer {
    int status;
    const char *content_type; /* a literal, or NULL: none */
    const struct http_header *headers;
    size_t header_count;
    struct bytes body; /* borrowed until the request is over: in its pool, or a constant */
    bool close;        /* HTTP/1.1: Connection: close, so that a retry dials anew */
};

/*
 * Own thread, once a request. An HTTP/2 answer longer than HTTP2_ANSWER_MAX becomes a 500: our own
 * answers are bounded (R9), and long pages belong on listeners without HTTP/2.
 */
void http_reply(h2o_req_t *req, const struct http_answer *answer);

/* The status, a copy of `text` as text/plain, and with `retry` Retry-After: 1 and close (R6, R15,
 * R32). */
void http_reply_text(h2o_req_t *req, int status, const char *text, bool retry);

/* ---- counters ---- */

enum http_count {
    HTTP_TURNS, /* of the event loop, at least one a second: a watchdog's pulse */
    HTTP_ACCEPTED,
    HTTP_CLOSED, /* open = accepted - closed */
    HTTP_REFUSED_TOTAL,
    HTTP_REFUSED_PEER,
    HTTP_REFUSED_FD,
    HTTP_HANDSHAKE_FAILED,
    HTTP_HANDSHAKE_TIMEOUT,
    HTTP_REQUESTS_HTTP1,
    HTTP_REQUESTS_HTTP2,
    HTTP_SWEPT_FIRST_REQUEST,
    HTTP_SWEPT_SLOW_REQUEST,
    HTTP_SWEPT_UNREAD,
    HTTP_SWEPT_IDLE,
    HTTP_SWEPT_BYTES,
    HTTP_SWEPT_DRAINED,
    HTTP_GUARD_BACKLOG, /* 512 KiB of answers unread */
    HTTP_GUARD_STUCK,   /* the library no longer takes its input */
    HTTP_GUARD_LOST,    /* the library's callback stood where the guard's belongs: never expected */
    HTTP_BODY_REFUSED,  /* HTTP/1.1: max_inflight */
    HTTP_GUARD_FIRST,   /* one for each guard_reason from here on */
    HTTP_COUNTS = HTTP_GUARD_FIRST + GUARD_REASONS
};

/* How a counter is exported; `label` and `value` are NULL for a metric without a label. */
struct http_count_info {
    const char *metric;
    const char *label;
    const char *value;
};

struct http_count_info http_count_info(enum http_count count);

/* Any thread; never decreases. */
uint64_t http_loop_count(const struct http_loop *loop, enum http_count count);

#endif
