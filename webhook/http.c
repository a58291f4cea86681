#include "webhook/http.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "webhook/conn.h"
#include "webhook/listener.h"
#include "webhook/loop.h"
#include "webhook/sweep.h"

#include "base/banned.h"

enum { LAST_TURNS = 100 /* of a loop that is being freed, for its sockets to go */ };

/* libh2o's own timers: never (sweep.h). It subtracts this from the time of day: not before 1970. */
static const uint64_t NEVER_MILLIS = UINT64_C(5) * 365 * 24 * 3600 * 1000;

void http_limits_default(struct http_limits *out)
{
    *out = (struct http_limits){
        .connections = 1024,
        .connections_per_peer = 256,
        .fd_reserve = 64,
        .max_body = HTTP_BODY_DEFAULT,
        .max_inflight = 64 << 20,
        .handshake_ms = 5000,
        .first_request_ms = 15000,
        .request_ms = 10000,
        .write_ms = 10000,
        .idle_ms = 115000,
        .age_ms = 3600 * 1000,
        .requests_per_connection = 10000,
        .guard = guard_limits_default,
    };
}

/* ---- libh2o's configuration ---- */

struct handler {
    h2o_handler_t super; /* must be first */
    struct http_loop *loop;
};

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct http_loop *const loop = ((struct handler *)(void *)handler)->loop;

    conn_request(conn_of(req), req);
    loop->on_request(loop->app, loop, req);
    return 0;
}

/* libh2o logs a request when it is over, whatever became of it. */
static void on_over(h2o_logger_t *logger, h2o_req_t *req)
{
    (void)logger;
    conn_over(req);
}

static void configure(struct http_loop *loop)
{
    h2o_globalconf_t *const config = &loop->config;
    h2o_hostconf_t *host;
    h2o_pathconf_t *path;
    struct handler *handler;

    h2o_config_init(config);
    config->server_name = h2o_iovec_init(NULL, 0);
    config->max_request_entity_size = loop->limits->max_body;
    config->handshake_timeout = NEVER_MILLIS;
    config->http1.req_timeout = NEVER_MILLIS;
    config->http1.upgrade_to_http2 = 0; /* R18: by ALPN and behind the guard only */
    config->http2.idle_timeout = NEVER_MILLIS;
    /*
     * All that may be open run at once. With fewer, libh2o starts waiting requests while it tears
     * their connection down, and fails an assertion; the application bounds what waits.
     */
    config->http2.max_concurrent_requests_per_connection = 2 * STREAMS_ANNOUNCED;
    host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    path = h2o_config_register_path(host, "/", 0);
    h2o_create_logger(path, sizeof(h2o_logger_t))->log_access = on_over;
    handler = (struct handler *)(void *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = on_request;
    handler->loop = loop;
}

/* ---- messages from other threads ---- */

void http_loop_post(struct http_loop *loop, void (*fn)(struct http_loop *loop, void *arg),
                    void *arg)
{
    posts_add(&loop->posts, fn, arg);
}

static void do_stop(struct http_loop *loop, void *arg)
{
    (void)arg;
    loop->stop = true;
}

void http_loop_stop(struct http_loop *loop)
{
    http_loop_post(loop, do_stop, NULL);
}

struct drain_times {
    int64_t serve_until;
    int64_t end;
};

static void do_drain(struct http_loop *loop, void *arg)
{
    struct drain_times *times = arg;

    loop->draining = true;
    loop->drain_serve_until = times->serve_until;
    loop->drain_end = times->end;
    loop->context.shutdown_requested = 1; /* HTTP/1.1: Connection: close from here on */
    loop->next_sweep = 0;
    free(times);
}

void http_loop_drain(struct http_loop *loop, uint32_t serve_ms, uint32_t end_ms)
{
    struct drain_times *times = xmalloc(sizeof(*times));
    const int64_t now = loop_clock();

    times->serve_until = now + (serve_ms < end_ms ? serve_ms : end_ms);
    times->end = now + end_ms;
    http_loop_post(loop, do_drain, times);
}

/* ---- life ---- */

bool http_loop_new(const struct http_options *options, struct http_loop **out, struct err *err)
{
    struct http_loop *loop;

    if (!conn_hook_works(err))
        return false;
    (void)signal(SIGPIPE, SIG_IGN);

    loop = xcalloc(1, sizeof(*loop));
    loop->gate = options->gate;
    loop->limits = gate_limits(options->gate);
    loop->on_request = options->on_request;
    loop->on_gone = options->on_gone;
    loop->app = options->app;
    loop->spare_fd = -1;
    loop->listen_fd = fcntl(options->listen_fd, F_DUPFD_CLOEXEC, 0);
    h2o_linklist_init_anchor(&loop->conns);
    http_loop_set_tls(loop, options->tls);
    if (loop->listen_fd < 0)
        (void)err_errno(err, "cannot listen");
    if (loop->listen_fd < 0 || !posts_init(&loop->posts, loop, err)) {
        http_loop_free(loop);
        return false;
    }
    *out = loop;
    return true;
}

void http_loop_free(struct http_loop *loop)
{
    if (loop == NULL)
        return;
    posts_release(&loop->posts);
    if (loop->listen_fd >= 0)
        (void)close(loop->listen_fd);
    SSL_CTX_free(loop->tls);
    free(loop);
}

void http_loop_set_tls(struct http_loop *loop, SSL_CTX *tls)
{
    if (tls != NULL)
        (void)SSL_CTX_up_ref(tls);
    SSL_CTX_free(loop->tls);
    loop->tls = tls;
}

static bool begin(struct http_loop *loop, struct err *err)
{
    const uint64_t calls = conn_hook_calls();

    configure(loop);
    loop->h2o = h2o_evloop_create();
    h2o_context_init(&loop->context, loop->h2o, &loop->config);
    loop->accept.ctx = &loop->context;
    loop->accept.hosts = loop->config.hosts;
    /* A context has a queue, and libh2o has begun to read from it: did it do so by way of us? */
    if (conn_hook_calls() == calls)
        return err_set(err, "the HTTP/2 guard is not in force: libh2o does not call our "
                            "h2o_socket_read_start; link it dynamically, without -Bsymbolic");
    posts_listen(&loop->posts, loop->h2o);
    return listener_open(loop, err);
}

static bool serve(struct http_loop *loop, struct err *err)
{
    while (!loop->stop) {
        loop->now = loop_clock();
        loop_count(loop, HTTP_TURNS);
        if (loop->now >= loop->next_sweep) {
            sweep_run(loop, loop->now);
            loop->next_sweep = loop->now + LOOP_SWEEP_MILLIS;
        } else if (h2o_evloop_run(loop->h2o, (int32_t)(loop->next_sweep - loop->now)) != 0 &&
                   errno != EINTR) {
            return err_errno(err, "the event loop failed");
        }
    }
    return true;
}

static void end(struct http_loop *loop)
{
    listener_close(loop);
    posts_ignore(&loop->posts);
    sweep_all(loop);
    for (int i = 0; i < LAST_TURNS && !h2o_linklist_is_empty(&loop->conns); i++)
        (void)h2o_evloop_run(loop->h2o, 0);
    h2o_context_dispose(&loop->context);
    (void)h2o_evloop_run(loop->h2o, 0);
    h2o_evloop_destroy(loop->h2o);
    h2o_config_dispose(&loop->config);
}

bool http_loop_run(struct http_loop *loop, struct err *err)
{
    const bool good = begin(loop, err) && serve(loop, err);

    end(loop);
    return good;
}

/* ---- answers ---- */

static const char *reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < COUNT(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

static void add_header(h2o_req_t *req, const char *name, const char *value)
{
    const h2o_iovec_t copy = h2o_strdup(&req->pool, value, SIZE_MAX);

    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1, NULL, copy.base,
                          copy.len);
}

void http_reply(h2o_req_t *req, const struct http_answer *answer)
{
    static const struct http_answer too_long = {.status = 500};
    static h2o_generator_t generator = {NULL, NULL};
    h2o_iovec_t body;

    if (req->version >= 0x200 && answer->body.len > HTTP2_ANSWER_MAX)
        answer = &too_long;
    conn_replied(req);
    body = h2o_iovec_init(answer->body.ptr, answer->body.len);
    req->res.status = answer->status;
    req->res.reason = reason_phrase(answer->status);
    req->res.content_length = body.len;
    if (answer->content_type != NULL)
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                       answer->content_type, strlen(answer->content_type));
    for (size_t i = 0; i < answer->header_count; i++)
        add_header(req, answer->headers[i].name, answer->headers[i].value);
    if (answer->close)
        req->http1_is_persistent = 0;
    h2o_start_response(req, &generator);
    h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
}

void http_reply_text(h2o_req_t *req, int status, const char *text, bool retry)
{
    static const struct http_header retry_after = {"retry-after", "1"};
    const h2o_iovec_t copy = h2o_strdup(&req->pool, text, SIZE_MAX);
    const struct http_answer answer = {
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .headers = &retry_after,
        .header_count = retry ? 1 : 0,
        .body = bytes_of(copy.base, copy.len),
        .close = retry,
    };

    http_reply(req, &answer);
}

/* ---- counters ---- */

#define CONNECTIONS "meshwrit_connections_"

/* clang-format off */
static const struct http_count_info count_infos[HTTP_GUARD_FIRST] = {
    [HTTP_TURNS] = {"meshwrit_loop_turns_total", NULL, NULL},
    [HTTP_ACCEPTED] = {CONNECTIONS "accepted_total", NULL, NULL},
    [HTTP_CLOSED] = {CONNECTIONS "closed_total", NULL, NULL},
    [HTTP_REFUSED_TOTAL] = {CONNECTIONS "refused_total", "reason", "total"},
    [HTTP_REFUSED_PEER] = {CONNECTIONS "refused_total", "reason", "peer"},
    [HTTP_REFUSED_FD] = {CONNECTIONS "refused_total", "reason", "descriptors"},
    [HTTP_HANDSHAKE_FAILED] = {"meshwrit_tls_handshakes_failed_total", "reason", "error"},
    [HTTP_HANDSHAKE_TIMEOUT] = {"meshwrit_tls_handshakes_failed_total", "reason", "timeout"},
    [HTTP_REQUESTS_HTTP1] = {"meshwrit_http_requests_total", "protocol", "http/1.1"},
    [HTTP_REQUESTS_HTTP2] = {"meshwrit_http_requests_total", "protocol", "h2"},
    [HTTP_SWEPT_FIRST_REQUEST] = {CONNECTIONS "swept_total", "reason", "no_request"},
    [HTTP_SWEPT_SLOW_REQUEST] = {CONNECTIONS "swept_total", "reason", "slow_request"},
    [HTTP_SWEPT_UNREAD] = {CONNECTIONS "swept_total", "reason", "unread"},
    [HTTP_SWEPT_IDLE] = {CONNECTIONS "swept_total", "reason", "idle"},
    [HTTP_SWEPT_BYTES] = {CONNECTIONS "swept_total", "reason", "bytes"},
    [HTTP_SWEPT_DRAINED] = {CONNECTIONS "swept_total", "reason", "drained"},
    [HTTP_GUARD_BACKLOG] = {CONNECTIONS "guarded_total", "reason", "backlog"},
    [HTTP_GUARD_STUCK] = {CONNECTIONS "guarded_total", "reason", "stuck"},
    [HTTP_GUARD_LOST] = {CONNECTIONS "guarded_total", "reason", "lost"},
    [HTTP_BODY_REFUSED] = {CONNECTIONS "guarded_total", "reason", "body_http1"},
};
/* clang-format on */

struct http_count_info http_count_info(enum http_count count)
{
    if (count < HTTP_GUARD_FIRST)
        return count_infos[count];
    return (struct http_count_info){
        CONNECTIONS "guarded_total", "reason",
        guard_reason_name((enum guard_reason)(count - HTTP_GUARD_FIRST))};
}

uint64_t http_loop_count(const struct http_loop *loop, enum http_count count)
{
    return __atomic_load_n(&loop->counts[count], __ATOMIC_RELAXED);
}
