/*
 * loop.h -- the inside of an http_loop, shared by the files that make it up: http.c (life and
 * answers), listener.c (accept and handshake), conn.c (a connection's bytes), sweep.c (time).
 *
 * Everything here belongs to the loop's own thread, except counts (relaxed atomics, one writer).
 */
#ifndef WEBHOOK_LOOP_H
#define WEBHOOK_LOOP_H

#include <time.h>

#include "webhook/gate.h"
#include "webhook/http.h"
#include "webhook/posts.h"

enum { LOOP_SWEEP_MILLIS = 1000 };

struct http_loop {
    h2o_loop_t *h2o;
    h2o_context_t context;
    h2o_globalconf_t config;
    h2o_accept_ctx_t accept;
    struct posts posts;

    struct http_gate *gate;
    const struct http_limits *limits; /* the gate's */
    http_on_request *on_request;
    http_on_gone *on_gone;
    void *app;
    SSL_CTX *tls;

    int listen_fd;
    h2o_socket_t *listener;
    bool listening;
    int spare_fd; /* given up for a moment when descriptors run out */

    h2o_linklist_t conns; /* struct conn */
    int64_t now;          /* milliseconds, a second old at most */
    int64_t next_sweep;
    bool stop;

    bool draining;
    int64_t drain_serve_until;
    int64_t drain_end;

    uint64_t counts[HTTP_COUNTS];
};

/* Milliseconds that only go forward, as coarse as the kernel's tick. */
static inline int64_t loop_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void loop_count(struct http_loop *loop, enum http_count count)
{
    __atomic_store_n(&loop->counts[count], loop->counts[count] + 1, __ATOMIC_RELAXED);
}

#endif
