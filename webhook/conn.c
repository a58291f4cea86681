#include "webhook/conn.h"

#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/mem.h"

#include "base/banned.h"

static void on_read(h2o_socket_t *sock, const char *err);
static void on_disposed(void *data);

/* ---- the hook ---- */

typedef void read_start_fn(h2o_socket_t *sock, h2o_socket_cb cb);

static read_start_fn *real_read_start;
static _Thread_local uint64_t hook_calls;

static void find_real_read_start(void)
{
    void *const symbol = dlsym(RTLD_NEXT, "h2o_socket_read_start");
    read_start_fn *found = NULL;

    if (symbol == NULL)
        abort(); /* no libh2o: nothing could have been read */
    memcpy(&found, &symbol, sizeof(found));
    __atomic_store_n(&real_read_start, found, __ATOMIC_RELAXED);
}

/*
 * Stands before libh2o's function of that name, for libh2o too (reliability.md E, design.md 10):
 * after 512 KiB of unread answers libh2o stops reading, and later starts again with its own
 * callback, which would leave the guard out.
 */
void h2o_socket_read_start(h2o_socket_t *sock, h2o_socket_cb cb)
{
    hook_calls++;
    if (sock->on_close.cb == on_disposed) {
        struct conn *const conn = sock->on_close.data;

        if (conn->state != CONN_HANDSHAKE) {
            conn->inner = cb;
            cb = on_read;
        }
    }
    if (__atomic_load_n(&real_read_start, __ATOMIC_RELAXED) == NULL)
        find_real_read_start();
    __atomic_load_n(&real_read_start, __ATOMIC_RELAXED)(sock, cb);
}

/*
 * Stands before libh2o's: it decodes each cache-digest field into up to 64 times its size, on every
 * request and for nobody (the decoded sets are for server push).
 */
void h2o_cache_digests_load_header(h2o_cache_digests_t **digests, const char *value, size_t len)
{
    (void)digests;
    (void)value;
    (void)len;
}

uint64_t conn_hook_calls(void)
{
    return hook_calls;
}

static bool is_exported(const char *name, const void *ours, size_t size)
{
    void *const symbol = dlsym(RTLD_DEFAULT, name);

    return memcmp(&symbol, ours, size) == 0;
}

bool conn_hook_works(struct err *err)
{
    read_start_fn *const start = h2o_socket_read_start;
    void (*const digests)(h2o_cache_digests_t **, const char *, size_t) =
        h2o_cache_digests_load_header;

    if (is_exported("h2o_socket_read_start", &start, sizeof(start)) &&
        is_exported("h2o_cache_digests_load_header", &digests, sizeof(digests)))
        return true;
    return err_set(err, "the HTTP/2 guard is not in force: the program was linked without "
                        "exporting h2o_socket_read_start; build it as CMakeLists.txt does");
}

/* ---- life ---- */

struct conn *conn_new(struct http_loop *loop, h2o_socket_t *sock, const struct gate_slot *slot)
{
    struct conn *conn = xcalloc(1, sizeof(*conn));

    conn->loop = loop;
    conn->sock = sock;
    conn->slot = *slot;
    conn->opened = loop->now = loop_clock();
    h2o_linklist_init_anchor(&conn->running);
    h2o_linklist_init_anchor(&conn->replied);
    h2o_linklist_insert(&loop->conns, &conn->link);
    sock->on_close.cb = on_disposed;
    sock->on_close.data = conn;
    return conn;
}

/* The socket is gone. */
static void on_disposed(void *data)
{
    struct conn *conn = data;

    if (conn->gone != NULL)
        *conn->gone = true;
    h2o_linklist_unlink(&conn->link);
    gate_release(conn->loop->gate, conn->held_units);
    gate_leave(conn->loop->gate, &conn->slot);
    loop_count(conn->loop, HTTP_CLOSED);
    SSL_CTX_free(conn->handshake_tls);
    free(conn->guard);
    free(conn);
}

bool conn_is_ours(const struct conn *conn)
{
    return conn->state == CONN_HANDSHAKE || conn->sock->_cb.read == on_read ||
           conn->sock->_cb.read == NULL;
}

/* Gives libh2o an end of the connection to deal with, if it is reading. */
static void deliver_end(struct conn *conn)
{
    if (conn->sock->_cb.read == on_read)
        conn->inner(conn->sock, h2o_socket_error_closed);
}

void conn_cut(struct conn *conn, enum http_count reason)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    const int fd = h2o_socket_get_fd(conn->sock);

    if (conn->cut)
        return;
    conn->cut = true;
    loop_count(conn->loop, reason);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    /* What libh2o is writing fails now; so does what it would still write. */
    (void)shutdown(fd, SHUT_RDWR);
    if (conn->state == CONN_HANDSHAKE)
        h2o_socket_close(conn->sock);
    else
        deliver_end(conn);
}

void conn_close(struct conn *conn, enum http_count reason)
{
    if (conn->sock->_cb.read != on_read) {
        conn_cut(conn, reason);
        return;
    }
    if (conn->cut)
        return;
    conn->cut = true;
    loop_count(conn->loop, reason);
    deliver_end(conn);
}

/* ---- bytes ---- */

/* Counts the connection's request memory; in steps, so that small requests cost nothing. */
static bool hold(struct conn *conn, uint64_t bytes)
{
    const size_t units = (size_t)(bytes / GATE_UNIT_BYTES);
    const size_t before = conn->held_units;

    if (LIKELY(units == before))
        return true;
    conn->held_units = units;
    if (units > before)
        return gate_hold(conn->loop->gate, units - before);
    gate_release(conn->loop->gate, before - units);
    return true;
}

/* What came is HTTP/1.1: libh2o bounds its header, the sweep its time. */
static bool pass_http1(struct conn *conn, enum http_count *reason)
{
    const size_t size = conn->sock->input->size;

    conn->unanswered_bytes += conn->sock->bytes_read;
    if (conn->begun == 0 && size > 0)
        conn->begun = conn->loop->now;
    if (hold(conn, size))
        return true;
    *reason = HTTP_BODY_REFUSED;
    return false;
}

static bool pass_http2(struct conn *conn, enum http_count *reason)
{
    h2o_buffer_t *const input = conn->sock->input;
    struct guard *const guard = conn->guard;
    struct guard_result result;

    if (input->size <= conn->looked_at)
        return true;
    conn->unanswered_bytes += input->size - conn->looked_at;
    if (!guard_filter(guard, (uint8_t *)input->bytes + conn->looked_at,
                      input->size - conn->looked_at, conn->loop->now, &result)) {
        *reason = HTTP_GUARD_FIRST + guard->reason;
        return false;
    }
    input->size = conn->looked_at + result.kept;
    conn->pending = result.held;
    if (hold(conn, guard->streams.inflight))
        return true;
    *reason = HTTP_GUARD_FIRST + GUARD_BODY;
    return false;
}

static bool pass(struct conn *conn, enum http_count *reason)
{
    return conn->guard != NULL ? pass_http2(conn, reason) : pass_http1(conn, reason);
}

static bool is_writable(const struct conn *conn)
{
    struct pollfd p = {.fd = h2o_socket_get_fd(conn->sock), .events = POLLOUT};

    return poll(&p, 1, 0) > 0;
}

bool conn_has_backlog(const struct conn *conn)
{
    return conn->guard != NULL && conn->sock->_cb.read == NULL &&
           h2o_socket_is_writing(conn->sock) && !is_writable(conn);
}

/* libh2o has taken what it could of an HTTP/2 connection's input; is that all it should? */
static void check_after(struct conn *conn)
{
    const size_t left = conn->sock->input->size;

    conn->looked_at = left > conn->pending ? left - conn->pending : 0;
    if (conn->cut)
        return;
    if (left >= GUARD_FRAME_MAX + GUARD_FRAME_HEADER)
        conn_cut(conn, HTTP_GUARD_STUCK);
    else if (!conn_is_ours(conn))
        conn_cut(conn, HTTP_GUARD_LOST);
    else if (conn_has_backlog(conn))
        conn_cut(conn, HTTP_GUARD_BACKLOG);
}

static void on_read(h2o_socket_t *sock, const char *err)
{
    struct conn *const conn = sock->on_close.data;
    enum http_count reason;
    bool gone = false;

    conn->loop->now = loop_clock();
    if (conn->cut)
        err = h2o_socket_error_closed;
    if (err == NULL && !pass(conn, &reason)) {
        conn_cut(conn, reason);
        return;
    }
    conn->gone = &gone;
    conn->inner(sock, err);
    if (gone)
        return;
    conn->gone = NULL;
    if (conn->guard != NULL)
        check_after(conn);
}

static void accept_http2(struct conn *conn, struct timeval at)
{
    enum http_count reason;
    bool gone = false;

    conn->guard = xmalloc(sizeof(*conn->guard));
    guard_init(conn->guard, &conn->loop->limits->guard);
    /* What came with the handshake's end, libh2o takes without asking our callback. */
    if (!pass(conn, &reason)) {
        conn->state = CONN_HANDSHAKE; /* libh2o does not have it */
        conn_cut(conn, reason);
        return;
    }
    /* cppcheck-suppress autoVariables ; taken back before this returns, or the connection is gone
     */
    conn->gone = &gone;
    h2o_http2_accept(&conn->loop->accept, conn->sock, at);
    if (gone)
        return;
    conn->gone = NULL;
    check_after(conn);
}

void conn_begin(struct conn *conn, enum conn_state state)
{
    struct timeval at = {0};

    (void)gettimeofday(&at, NULL);
    conn->state = state;
    conn->ready = conn->active = conn->loop->now = loop_clock();
    if (state == CONN_HTTP2)
        accept_http2(conn, at);
    else
        h2o_http1_accept(&conn->loop->accept, conn->sock, at);
}

/* ---- requests ---- */

struct conn *conn_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

/* HTTP/1.1 connections that were used enough close after this answer, so that clients spread. */
static bool is_used_up(const struct conn *conn, int64_t now)
{
    return conn->requests >= conn->loop->limits->requests_per_connection ||
           now - conn->ready >= conn->loop->limits->age_ms;
}

void conn_request(struct conn *conn, h2o_req_t *req)
{
    struct exchange *const exchange = h2o_mem_alloc_pool(&req->pool, sizeof(*exchange));

    *exchange = (struct exchange){.req = req, .body = req->entity.len};
    h2o_linklist_insert(&conn->running, &exchange->link);
    conn->requests++;
    if (conn->guard != NULL) {
        loop_count(conn->loop, HTTP_REQUESTS_HTTP2);
        return;
    }
    loop_count(conn->loop, HTTP_REQUESTS_HTTP1);
    conn->begun = 0;
    if (is_used_up(conn, conn->loop->now))
        req->http1_is_persistent = 0;
}

static struct exchange *exchange_at(h2o_linklist_t *node)
{
    return CONTAINER_OF(struct exchange, link, node);
}

void conn_replied(h2o_req_t *req)
{
    struct conn *const conn = conn_of(req);
    h2o_linklist_t *node = conn->running.prev;

    /* Most are answered at once, or the newest first. */
    while (exchange_at(node)->req != req)
        node = node->prev;
    h2o_linklist_unlink(node);
    h2o_linklist_insert(&conn->replied, node);
    exchange_at(node)->replied = conn->loop->now;
}

/* The request's place in one of the lists, or NULL. */
static h2o_linklist_t *find_exchange(h2o_linklist_t *list, const h2o_req_t *req)
{
    for (h2o_linklist_t *node = list->next; node != list; node = node->next)
        if (exchange_at(node)->req == req)
            return node;
    return NULL;
}

static void forget(struct conn *conn, h2o_linklist_t *node)
{
    uint64_t inflight = 0;

    h2o_linklist_unlink(node);
    if (conn->guard != NULL) {
        guard_request_over(conn->guard, exchange_at(node)->body);
        inflight = conn->guard->streams.inflight;
    }
    (void)hold(conn, inflight);
}

void conn_over(h2o_req_t *req)
{
    struct conn *const conn = conn_of(req);
    h2o_linklist_t *node = find_exchange(&conn->replied, req);

    if (node != NULL) {
        forget(conn, node);
        conn->active = conn->loop->now;
        conn->unanswered_bytes = 0;
        return;
    }
    node = find_exchange(&conn->running, req);
    if (node == NULL)
        return;
    forget(conn, node);
    if (conn->loop->on_gone != NULL)
        conn->loop->on_gone(conn->loop->app, req);
}
