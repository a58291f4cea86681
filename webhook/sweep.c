#include "webhook/sweep.h"

#include "webhook/conn.h"
#include "webhook/listener.h"

#include "base/banned.h"

enum {
    FAREWELL_MILLIS = 1000, /* for a GOAWAY to arrive */
    PREFACE_MILLIS = 2000,  /* in a drain: for the client's preface */
    UNANSWERED_EXTRA = 1 << 20,
};

/* Whether it has been trying to write, without progress, for too long. */
static bool writes_in_vain(struct conn *conn, int64_t now)
{
    if (!h2o_socket_is_writing(conn->sock)) {
        conn->writing = 0;
    } else if (conn->writing == 0 || conn->writing_at != conn->sock->bytes_written) {
        conn->writing = now;
        conn->writing_at = conn->sock->bytes_written;
    }
    return conn->writing != 0 && now - conn->writing >= conn->loop->limits->write_ms;
}

/* Whether an answer was given that its stream's or the connection's window keeps back. */
static bool has_stuck_answer(struct conn *conn, int64_t now)
{
    const struct exchange *oldest = CONTAINER_OF(struct exchange, link, conn->replied.next);

    return !h2o_linklist_is_empty(&conn->replied) &&
           now - oldest->replied >= conn->loop->limits->write_ms;
}

/* When the oldest request that is still coming began; `now` if there is none. */
static int64_t oldest_request(struct conn *conn, int64_t now)
{
    if (conn->guard != NULL)
        return guard_oldest(conn->guard, now);
    /* The rest of a pipelined request came with the one before it. */
    if (conn->begun == 0 && conn_has_no_request(conn) && conn->sock->input->size > 0)
        conn->begun = now;
    return conn->begun != 0 ? conn->begun : now;
}

/* More than any request needs: what trickles, or is thrown away. */
static bool has_read_too_much(const struct conn *conn)
{
    const struct http_limits *const limits = conn->loop->limits;
    const uint64_t bodies = conn->guard != NULL ? limits->max_inflight : limits->max_body;

    return conn->unanswered_bytes > 2 * bodies + UNANSWERED_EXTRA;
}

/* Go dials ahead and keeps what it did not need for its idle time: no reason to end it, unless
 * connections are short. */
static bool is_useless(struct conn *conn, int64_t now)
{
    return conn->requests == 0 && now - conn->ready >= conn->loop->limits->first_request_ms &&
           gate_crowded(conn->loop->gate, &conn->slot);
}

static bool is_idle(struct conn *conn)
{
    if (conn->guard != NULL && !guard_quiet(conn->guard))
        return false;
    return conn->begun == 0 && conn_has_no_request(conn);
}

static void sweep_one(struct conn *conn, int64_t now)
{
    const struct http_limits *const limits = conn->loop->limits;

    if (conn->state == CONN_HANDSHAKE) {
        if (now - conn->opened >= limits->handshake_ms)
            conn_cut(conn, HTTP_HANDSHAKE_TIMEOUT);
    } else if (!conn_is_ours(conn)) {
        conn_cut(conn, HTTP_GUARD_LOST);
    } else if (conn_has_backlog(conn)) {
        conn_cut(conn, HTTP_GUARD_BACKLOG);
    } else if (writes_in_vain(conn, now) || has_stuck_answer(conn, now)) {
        conn_cut(conn, HTTP_SWEPT_UNREAD);
    } else if (now - oldest_request(conn, now) >= limits->request_ms) {
        conn_cut(conn, HTTP_SWEPT_SLOW_REQUEST);
    } else if (has_read_too_much(conn)) {
        conn_cut(conn, HTTP_SWEPT_BYTES);
    } else if (is_useless(conn, now)) {
        conn_close(conn, HTTP_SWEPT_FIRST_REQUEST);
    } else if (is_idle(conn) && now - conn->active >= limits->idle_ms) {
        conn_close(conn, HTTP_SWEPT_IDLE);
    }
}

static void each_conn(struct http_loop *loop, void (*visit)(struct conn *conn, int64_t now),
                      int64_t now)
{
    for (h2o_linklist_t *node = loop->conns.next, *next; node != &loop->conns; node = next) {
        next = node->next;
        visit(CONTAINER_OF(struct conn, link, node), now);
    }
}

/* ---- drain (R12) ---- */

/*
 * libh2o's graceful shutdown is a GOAWAY for all streams, and after a second one for the last
 * stream, behind which it drops request bodies that are still coming (and spins on a CONTINUATION,
 * reliability.md F9). Only the first is taken: the second one's timer is stopped.
 */
static void say_goaway(struct http_loop *loop)
{
    h2o_context_request_shutdown(&loop->context);
    h2o_timeout_unlink(&loop->context.http2._graceful_shutdown_timeout);
    loop->context.http2._graceful_shutdown_timeout.cb = NULL;
}

static bool awaits_preface(const struct conn *conn)
{
    return conn->state == CONN_HTTP2 && !conn->guard->settled;
}

/* GOAWAY may not be the first frame: who takes long over the preface is not waited for. */
static void drain_silent(struct conn *conn, int64_t now)
{
    if (awaits_preface(conn) && now - conn->ready >= PREFACE_MILLIS)
        conn_cut(conn, HTTP_SWEPT_DRAINED);
}

static void drain_http2(struct conn *conn, int64_t now)
{
    if (conn->state == CONN_HTTP2 && conn->farewell != 0 && is_idle(conn) &&
        now - conn->farewell >= FAREWELL_MILLIS)
        conn_close(conn, HTTP_SWEPT_DRAINED);
}

static void mark_farewell(struct conn *conn, int64_t now)
{
    if (conn->farewell == 0 && conn->state == CONN_HTTP2)
        conn->farewell = now;
}

static void say_farewell(struct http_loop *loop, int64_t now)
{
    bool someone_new = false;

    for (h2o_linklist_t *node = loop->conns.next; node != &loop->conns; node = node->next) {
        const struct conn *const conn = CONTAINER_OF(struct conn, link, node);

        if (awaits_preface(conn))
            return; /* next time */
        someone_new = someone_new || (conn->state == CONN_HTTP2 && conn->farewell == 0);
    }
    if (!someone_new)
        return;
    say_goaway(loop);
    each_conn(loop, mark_farewell, now);
}

static void drain(struct http_loop *loop, int64_t now)
{
    each_conn(loop, drain_silent, now);
    say_farewell(loop, now);
    each_conn(loop, drain_http2, now);
    if (now < loop->drain_serve_until)
        return;
    listener_pause(loop);
    if (h2o_linklist_is_empty(&loop->conns) || now >= loop->drain_end)
        loop->stop = true;
}

void sweep_run(struct http_loop *loop, int64_t now)
{
    each_conn(loop, sweep_one, now);
    if (loop->draining)
        drain(loop, now);
    else
        listener_resume(loop);
}

static void end_one(struct conn *conn, int64_t now)
{
    (void)now;
    conn_cut(conn, HTTP_SWEPT_DRAINED);
}

void sweep_all(struct http_loop *loop)
{
    each_conn(loop, end_one, 0);
}
