/*
 * bare.c -- bare libh2o, the yardstick: the same library, TLS and HTTP/2 settings as the server's,
 * without guard, handshake step or sweep, one loop, one static answer to each POST.
 *
 *     bare CERTIFICATE KEY PORT
 *
 * PORT may be 0. Prints the port once it listens. The ratio of CPU time per request between this
 * and `meshwrit serve`, taken in one run, is what the server's own work costs.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "webhook/h2o.h"
#include "webhook/tls.h"

#include "base/banned.h"

/* The shape and about the length of an AdmissionReview that allows. */
static const char answer[] =
    "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"response\":{\"uid\":"
    "\"705ab4f5-6393-11e8-b7cc-42010a800002\",\"allowed\":true,\"auditAnnotations\":{\"digest\":"
    "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"reason\":\"in-git\","
    "\"commit\":\"3f2c1ab0d6e5f4c3b2a190887766554433221100\",\"root\":\"5e884898da280471\"}}}";

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accept_ctx;

/* Every byte of the body is read, as the server must. */
static volatile unsigned char body_sum;

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    static h2o_generator_t generator = {NULL, NULL};
    h2o_iovec_t body = h2o_iovec_init(answer, sizeof(answer) - 1);
    unsigned char sum = 0;

    (void)self;
    for (size_t i = 0; i < req->entity.len; i++)
        sum ^= (unsigned char)req->entity.base[i];
    body_sum = sum;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_start_response(req, &generator);
    h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    h2o_socket_t *sock;

    (void)err;
    sock = h2o_evloop_socket_accept(listener);
    if (sock != NULL)
        h2o_accept(&accept_ctx, sock);
}

static void configure(void)
{
    h2o_hostconf_t *host;
    h2o_handler_t *handler;

    h2o_config_init(&config);
    config.server_name = h2o_iovec_init(NULL, 0);
    config.max_request_entity_size = 8 << 20;
    config.http1.req_timeout = 120 * 1000;
    config.http1.upgrade_to_http2 = 0;
    config.http2.idle_timeout = 120 * 1000;
    host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    handler = h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof(*handler));
    handler->on_req = on_request;
}

static int listen_on(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    socklen_t len = sizeof(at);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        perror("bare: cannot listen");
        exit(2);
    }
    (void)printf("%u\n", (unsigned)ntohs(at.sin_port));
    (void)fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct tls_options tls = {.http2 = true};
    struct err err;
    h2o_socket_t *listener;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bare CERTIFICATE KEY PORT\n");
        return 2;
    }
    tls.certificate = argv[1];
    tls.key = argv[2];
    if (!tls_context_new(&tls, (int64_t)time(NULL), &accept_ctx.ssl_ctx, &err)) {
        (void)fprintf(stderr, "bare: %s\n", err.message);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    configure();
    h2o_context_init(&context, h2o_evloop_create(), &config);
    accept_ctx.ctx = &context;
    accept_ctx.hosts = config.hosts;
    listener =
        h2o_evloop_socket_create(context.loop, listen_on(argv[3]), H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, on_accept);
    for (;;)
        (void)h2o_evloop_run(context.loop, INT32_MAX);
}
