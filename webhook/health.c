#include "webhook/health.h"

#include "webhook/metrics.h"

#include "base/banned.h"

enum { HEALTH_CONNECTIONS = 64, HEALTH_MAX_BODY = 64 * 1024 };

static void problem_line(struct buf *out, const char *what, const char *problem)
{
    if (problem == NULL || problem[0] == '\0')
        return;
    buf_printf(out, "%s: %s\n", what, problem);
}

/* What the source process says: never a reason not to be ready, always worth reading. */
static void write_sources(struct buf *out, const char *status)
{
    json_t *document = json_loads(status, 0, NULL);
    const json_t *sources = json_object_get(document, "sources");
    size_t i;
    json_t *source;

    problem_line(out, "the newest commits are not in force",
                 json_string_value(json_object_get(document, "problem")));
    json_array_foreach((json_t *)(uintptr_t)sources, i, source)
    {
        struct buf name CLEANUP(buf_release) = {0};

        buf_printf(&name, "source %s", json_string_value(json_object_get(source, "name")));
        problem_line(out, buf_cstr(&name), json_string_value(json_object_get(source, "problem")));
    }
    json_decref(document);
}

static bool write_readiness(struct server *s, struct buf *out)
{
    const bool mapped = atomic_load(&s->mapped);
    const bool audit = auditlog_is_healthy(s->audit);
    const bool draining = atomic_load(&s->draining);

    if (!mapped)
        buf_append_str(out, "no valid set is mapped\n");
    if (!audit)
        buf_append_str(out, "the audit log cannot be written\n");
    if (draining)
        buf_append_str(out, "draining\n");
    const bool ready = mapped && audit && !draining;

    if (ready)
        buf_append_str(out, "ready\n");
    (void)pthread_mutex_lock(&s->lock);
    problem_line(out, "set", s->set_problem);
    write_sources(out, s->status);
    (void)pthread_mutex_unlock(&s->lock);
    return ready;
}

static void reply(h2o_req_t *req, int status, const char *type, const struct buf *body)
{
    const h2o_iovec_t copy = h2o_strdup(&req->pool, (const char *)body->ptr, body->len);
    const struct http_answer answer = {
        .status = status, .content_type = type, .body = bytes_of(copy.base, copy.len)};

    http_reply(req, &answer);
}

static void on_request(void *app, struct http_loop *loop, h2o_req_t *req)
{
    static const struct http_header allow = {"allow", "GET"};
    static const char text_type[] = "text/plain; charset=utf-8";
    struct server *s = app;
    struct buf body CLEANUP(buf_release) = {0};
    const struct bytes path = bytes_of(req->path_normalized.base, req->path_normalized.len);
    const struct bytes method = bytes_of(req->method.base, req->method.len);

    (void)loop;
    if (!bytes_equal(method, BYTES("GET")) && !bytes_equal(method, BYTES("HEAD"))) {
        http_reply(req, &(struct http_answer){.status = 405, .headers = &allow, .header_count = 1});
    } else if (bytes_equal(path, BYTES("/healthz"))) {
        http_reply_text(req, 200, "alive\n", false);
    } else if (bytes_equal(path, BYTES("/readyz"))) {
        const bool ready = write_readiness(s, &body);

        reply(req, ready ? 200 : 503, text_type, &body);
    } else if (bytes_equal(path, BYTES("/metrics"))) {
        metrics_write(s, &body);
        reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
    } else {
        http_reply_text(req, 404, "try /healthz, /readyz or /metrics\n", false);
    }
}

bool health_new(struct server *s, int listen_fd, struct http_loop **out, struct err *err)
{
    struct http_limits limits;

    http_limits_default(&limits);
    limits.connections = HEALTH_CONNECTIONS;
    limits.connections_per_peer = HEALTH_CONNECTIONS;
    limits.max_body = HEALTH_MAX_BODY;
    const struct http_options options = {
        .listen_fd = listen_fd,
        .gate = http_gate_new(&limits),
        .on_request = on_request,
        .app = s,
    };

    return http_loop_new(&options, out, err);
}
