/*
 * echo_server.c -- the listeners with a trivial application behind them, for the protocol tests.
 *
 *     echo_server CERTIFICATE KEY [NAME=VALUE]…
 *
 * Two loops with TLS (loops=1: one) and one without. Prints "PORT PLAINPORT" once it listens. POST
 * gets a fixed 200 after its body was read, POST /park the same up to 100 ms later, POST /long
 * 12,000 bytes, GET /counters all counters, anything else 405. SIGTERM drains, and the program ends
 * with it.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "webhook/http.h"
#include "webhook/tls.h"

#include "base/banned.h"

enum { LOOPS = 2, TICK_NANOS = 50 * 1000 * 1000, LONG_BYTES = 12000 };

/* A loop's requests that wait for the next tick. */
struct app {
    struct http_loop *loop;
    h2o_linklist_t parked;
};

struct parked {
    h2o_linklist_t link;
    h2o_req_t *req;
};

static struct app apps[LOOPS + 1]; /* the first has no TLS */
static size_t app_count;
static char long_body[LONG_BYTES];

static struct {
    uint32_t serve_ms;
    uint32_t end_ms;
    uint32_t http2;
    uint32_t loops;
    struct http_limits limits;
} settings = {.serve_ms = 50, .end_ms = 500, .http2 = 1, .loops = LOOPS};

static void fail(const char *what)
{
    (void)fprintf(stderr, "echo_server: %s\n", what);
    exit(2);
}

/* ---- the application ---- */

static void answer(h2o_req_t *req, struct bytes body)
{
    const struct http_answer a = {.status = 200, .content_type = "application/json", .body = body};

    http_reply(req, &a);
}

static void answer_usual(h2o_req_t *req)
{
    answer(req, BYTES("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                      "\"response\":{\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\",\"allowed\":"
                      "true,\"auditAnnotations\":{\"digest\":\"9f86d081884c7d659a2feaa0c55ad015a3bf"
                      "4f1b2b0b822cd15d6c15b0f00a08\",\"reason\":\"in-git\",\"commit\":"
                      "\"3f2c1ab0d6e5f4c3b2a190887766554433221100\",\"root\":"
                      "\"5e884898da280471\"}}}"));
}

static void on_parked_gone(void *slot)
{
    struct parked *const parked = slot;

    if (h2o_linklist_is_linked(&parked->link))
        h2o_linklist_unlink(&parked->link);
}

static void park(struct app *app, h2o_req_t *req)
{
    struct parked *const parked = h2o_mem_alloc_shared(&req->pool, sizeof(*parked), on_parked_gone);

    *parked = (struct parked){.req = req};
    h2o_linklist_insert(&app->parked, &parked->link);
}

static void on_tick(struct http_loop *loop, void *arg)
{
    struct app *const app = arg;

    (void)loop;
    while (!h2o_linklist_is_empty(&app->parked)) {
        struct parked *const parked = CONTAINER_OF(struct parked, link, app->parked.next);

        h2o_linklist_unlink(&parked->link);
        answer_usual(parked->req);
    }
}

static void answer_counters(h2o_req_t *req)
{
    struct buf out CLEANUP(buf_release) = {0};

    for (int i = 0; i < HTTP_COUNTS; i++) {
        const struct http_count_info info = http_count_info((enum http_count)i);
        uint64_t sum = 0;

        for (size_t k = 0; k < app_count; k++)
            sum += http_loop_count(apps[k].loop, (enum http_count)i);
        buf_printf(&out, "%s{%s} %llu\n", info.metric, info.value == NULL ? "" : info.value,
                   (unsigned long long)sum);
    }
    answer(req, buf_bytes(&out));
}

/* Every byte of the body is read, as the server must. */
static unsigned char sum_of(h2o_iovec_t body)
{
    unsigned char sum = 0;

    for (size_t i = 0; i < body.len; i++)
        sum ^= (unsigned char)body.base[i];
    return sum;
}

static _Thread_local volatile unsigned char body_sum;

static void on_request(void *arg, struct http_loop *loop, h2o_req_t *req)
{
    const struct bytes method = bytes_of(req->method.base, req->method.len);
    const struct bytes path = bytes_of(req->path_normalized.base, req->path_normalized.len);

    (void)loop;
    body_sum = sum_of(req->entity);
    if (bytes_equal(method, BYTES("GET")) && bytes_equal(path, BYTES("/counters")))
        answer_counters(req);
    else if (!bytes_equal(method, BYTES("POST")))
        http_reply_text(req, 405, "POST only", false);
    else if (bytes_equal(path, BYTES("/park")))
        park(arg, req);
    else if (bytes_equal(path, BYTES("/long")))
        answer(req, bytes_of(long_body, sizeof(long_body)));
    else
        answer_usual(req);
}

/* ---- start and end ---- */

static bool set_one(const char *name, size_t len, uint32_t value)
{
    struct http_limits *const l = &settings.limits;
    size_t max_body = l->max_body;
    const struct {
        const char *name;
        uint32_t *value;
    } numbers[] = {
        {"serve_ms", &settings.serve_ms},
        {"end_ms", &settings.end_ms},
        {"http2", &settings.http2},
        {"loops", &settings.loops},
        {"connections", &l->connections},
        {"connections_per_peer", &l->connections_per_peer},
        {"fd_reserve", &l->fd_reserve},
        {"handshake_ms", &l->handshake_ms},
        {"first_request_ms", &l->first_request_ms},
        {"request_ms", &l->request_ms},
        {"write_ms", &l->write_ms},
        {"idle_ms", &l->idle_ms},
        {"age_ms", &l->age_ms},
        {"requests_per_connection", &l->requests_per_connection},
        {"pings", &l->guard.pings},
    };

    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strlen(numbers[i].name) == len && memcmp(name, numbers[i].name, len) == 0) {
            *numbers[i].value = value;
            return true;
        }
    if (len == 8 && memcmp(name, "max_body", len) == 0)
        max_body = l->max_body = value;
    else if (len == 12 && memcmp(name, "max_inflight", len) == 0)
        l->max_inflight = value;
    else
        return false;
    return max_body > 0;
}

static void read_settings(char **args)
{
    http_limits_default(&settings.limits);
    settings.limits.max_inflight = 16 << 20;
    for (; *args != NULL; args++) {
        const char *const equals = strchr(*args, '=');

        if (equals == NULL ||
            !set_one(*args, (size_t)(equals - *args), (uint32_t)strtoul(equals + 1, NULL, 10)))
            fail(*args);
    }
}

static int listen_somewhere(unsigned *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        fail("cannot listen");
    *port = ntohs(at.sin_port);
    return fd;
}

static void *run_loop(void *arg)
{
    struct app *const app = arg;
    struct err err;

    if (!http_loop_run(app->loop, &err))
        fail(err.message);
    return NULL;
}

static void start(struct app *app, struct http_gate *gate, int fd, SSL_CTX *tls)
{
    const struct http_options options = {
        .listen_fd = fd, .tls = tls, .gate = gate, .on_request = on_request, .app = app};
    struct err err;

    h2o_linklist_init_anchor(&app->parked);
    if (!http_loop_new(&options, &app->loop, &err))
        fail(err.message);
}

/* Ticks until SIGTERM. */
static void wait_for_end(const sigset_t *signals)
{
    const struct timespec tick = {.tv_nsec = TICK_NANOS};

    while (sigtimedwait(signals, NULL, &tick) != SIGTERM)
        for (size_t i = 0; i < app_count; i++)
            http_loop_post(apps[i].loop, on_tick, &apps[i]);
}

static SSL_CTX *load_tls(const char *certificate, const char *key, const char *client_ca)
{
    static const char *const names[] = {"kube-apiserver"};
    const struct tls_options options = {.certificate = certificate,
                                        .key = key,
                                        .client_ca = client_ca,
                                        .client_names = names,
                                        .client_name_count = COUNT(names),
                                        .http2 = settings.http2 != 0};
    struct err err;
    SSL_CTX *tls = NULL;

    if (!tls_context_new(&options, (int64_t)time(NULL), &tls, &err))
        fail(err.message);
    return tls;
}

int main(int argc, char **argv)
{
    pthread_t threads[COUNT(apps)];
    sigset_t signals;
    struct http_gate *gate;
    SSL_CTX *tls;
    unsigned port = 0;
    unsigned plain_port = 0;

    if (argc < 3)
        fail("usage: echo_server CERTIFICATE KEY [NAME=VALUE]...");
    memset(long_body, 'x', sizeof(long_body));
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    read_settings(argv + 3);
    app_count = 1 + (settings.loops == 1 ? 1 : LOOPS);
    gate = http_gate_new(&settings.limits);
    tls = load_tls(argv[1], argv[2], getenv("ECHO_CLIENT_CA"));

    const int fd = listen_somewhere(&port);
    const int plain_fd = listen_somewhere(&plain_port);

    for (size_t i = 0; i < app_count; i++)
        start(&apps[i], gate, i == 0 ? plain_fd : fd, i == 0 ? NULL : tls);
    (void)close(fd);
    (void)close(plain_fd);
    SSL_CTX_free(tls);
    for (size_t i = 0; i < app_count; i++)
        if (pthread_create(&threads[i], NULL, run_loop, &apps[i]) != 0)
            fail("cannot start a thread");
    (void)printf("%u %u\n", port, plain_port);
    (void)fflush(stdout);

    wait_for_end(&signals);
    for (size_t i = 0; i < app_count; i++)
        http_loop_drain(apps[i].loop, settings.serve_ms, settings.end_ms);
    for (size_t i = 0; i < app_count; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < app_count; i++)
        http_loop_free(apps[i].loop);
    http_gate_free(gate);
    return 0;
}
