#include "webhook/server.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "webhook/health.h"
#include "webhook/puller.h"
#include "webhook/tls.h"

#include "base/banned.h"

enum { LOOP_STACK_BYTES = 2 << 20 };

/* --- taking up a set -------------------------------------------------------------------------- */

struct hand_over {
    struct admit *admit;
    struct snapshot *snapshot;
};

static void use_snapshot(struct http_loop *loop, void *arg)
{
    struct hand_over *h = arg;

    (void)loop;
    admit_use(h->admit, h->snapshot);
    free(h);
}

static void tell_loops(struct server *s, struct snapshot *snapshot)
{
    for (size_t i = 0; i < s->loop_count; i++) {
        struct hand_over *h = xmalloc(sizeof(*h));

        *h = (struct hand_over){s->loops[i].admit, snapshot_ref(snapshot)};
        http_loop_post(s->loops[i].http, use_snapshot, h);
    }
}

static void take_up_set(struct server *s, const char *path)
{
    struct snapshot *snapshot = NULL;
    struct err err = {0};
    const bool ok = snapshot_open(path, &snapshot, &err);

    (void)pthread_mutex_lock(&s->lock);
    (void)snprintf(s->set_problem, sizeof(s->set_problem), "%s", ok ? "" : err.message);
    if (ok) {
        memcpy(s->root, snapshot->root, sizeof(s->root));
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (!ok) {
        log_error("the set cannot be used; the one before stays in force", "error", err.message,
                  NULL);
        return;
    }
    atomic_store(&s->entries, set_count(snapshot->set));
    atomic_store(&s->held, set_held_count(snapshot->set));
    tell_loops(s, snapshot);
    atomic_store(&s->mapped, true);
    log_info("a set is in force", "root", snapshot->root, "commits", snapshot->commits, NULL);
    snapshot_unref(snapshot);
}

/* --- starting --------------------------------------------------------------------------------- */

static void *run_loop(void *arg)
{
    struct http_loop *loop = arg;
    struct err err;

    if (!http_loop_run(loop, &err)) {
        log_error("an event loop failed", "error", err.message, NULL);
        _exit(1); /* the supervisor starts another server */
    }
    return NULL;
}

static bool start_thread(pthread_t *thread, struct http_loop *loop, struct err *err)
{
    pthread_attr_t attributes;
    int failed;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, LOOP_STACK_BYTES);
    failed = pthread_create(thread, &attributes, run_loop, loop);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0 || err_set(err, "cannot start a thread");
}

static bool add_loop(struct server *s, int listen, SSL_CTX *tls, struct http_gate *gate,
                     struct err *err)
{
    const struct admit_options options = {
        .cluster = s->config->cluster,
        .replica = s->replica,
        .audit = s->audit,
        .allow_when_unready = s->config->allow_when_unready,
    };
    struct server_loop *l = &s->loops[s->loop_count];

    l->admit = admit_new(&options);
    const struct http_options http = {
        .listen_fd = listen,
        .tls = tls,
        .gate = gate,
        .on_request = admit_on_request,
        .on_gone = admit_on_gone,
        .app = l->admit,
    };

    if (!http_loop_new(&http, &l->http, err))
        return false;
    s->loop_count++;
    return true;
}

static bool open_tls(const struct config *c, SSL_CTX **out, struct err *err)
{
    const struct tls_options options = {
        .certificate = c->tls.certificate,
        .key = c->tls.key,
        .http2 = c->tls.http2,
    };

    return tls_context_new(&options, time(NULL), out, err);
}

static size_t core_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores < 1 ? 1 : cores > SERVER_MAX_LOOPS ? SERVER_MAX_LOOPS : (size_t)cores;
}

/* What it allocates lives as long as the process. */
static bool start(struct server *s, const struct server_sockets *sockets, struct err *err)
{
    struct http_limits limits;
    SSL_CTX *tls = NULL;

    (void)pthread_mutex_init(&s->lock, NULL);
    if (gethostname(s->replica, sizeof(s->replica) - 1) != 0)
        (void)snprintf(s->replica, sizeof(s->replica), "unknown");
    http_limits_default(&limits);
    limits.max_body = ADMIT_MAX_DISCARDED;
    if (!auditlog_open(s->config->audit_directory, s->replica, "server", &s->audit, err) ||
        !open_tls(s->config, &tls, err))
        return false;
    struct http_gate *gate = http_gate_new(&limits);

    for (size_t cores = core_count(); s->loop_count < cores;) {
        if (!add_loop(s, sockets->listen, tls, gate, err))
            return false;
    }
    SSL_CTX_free(tls);
    if (sockets->health >= 0 && !health_new(s, sockets->health, &s->health, err))
        return false;
    return true;
}

static bool run(struct server *s, struct err *err)
{
    for (size_t i = 0; i < s->loop_count; i++) {
        if (!start_thread(&s->loops[i].thread, s->loops[i].http, err))
            return false;
    }
    return s->health == NULL || start_thread(&s->health_thread, s->health, err);
}

/* --- the control thread ----------------------------------------------------------------------- */

static void drain(struct server *s)
{
    if (atomic_exchange(&s->draining, true))
        return;
    log_info("draining", NULL);
    for (size_t i = 0; i < s->loop_count; i++)
        http_loop_drain(s->loops[i].http, SERVER_DRAIN_SERVE_MS, SERVER_DRAIN_END_MS);
}

static void obey(struct server *s, const char *set_path, const char *word, const char *text)
{
    if (strcmp(word, "published") == 0) {
        take_up_set(s, set_path);
    } else if (strcmp(word, "status") == 0) {
        (void)pthread_mutex_lock(&s->lock);
        (void)snprintf(s->status, sizeof(s->status), "%s", text);
        (void)pthread_mutex_unlock(&s->lock);
    } else if (strcmp(word, "drain") == 0) {
        drain(s);
    }
}

static void follow_channel(struct server *s, const char *set_path, int channel)
{
    static char buffer[CHANNEL_MAX_MESSAGE + 1];
    const char *word;
    const char *text;

    for (;;) {
        struct pollfd ready = {.fd = channel, .events = POLLIN};

        (void)poll(&ready, 1, -1);
        switch (channel_receive(channel, buffer, &word, &text)) {
        case CHANNEL_MESSAGE:
            obey(s, set_path, word, text);
            break;
        case CHANNEL_NOTHING:
            break;
        case CHANNEL_CLOSED: /* the supervisor is gone: nobody would start us again */
            drain(s);
            return;
        }
        if (atomic_load(&s->draining))
            return;
    }
}

/*
 * A turn of the loop takes and gives back some hundred KiB. By default the library returns that to
 * the kernel each time and has it mapped again, page by page. Larger pieces still go back at once.
 */
static void keep_small_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, SERVER_MAPPED_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, SERVER_SPARE_BYTES);
    (void)mallopt(M_TOP_PAD, SERVER_MAPPED_BYTES);
}

int server_run(const struct config *config, const struct server_sockets *sockets, int channel)
{
    static struct server s;
    CLEANUP(freep) char *set_path = puller_set_path(config);
    struct err err = {0};

    keep_small_memory();
    (void)signal(SIGPIPE, SIG_IGN);
    s.config = config;
    if (!start(&s, sockets, &err)) {
        (void)fprintf(stderr, "meshwrit: %s\n", err.message);
        return 2;
    }
    if (access(set_path, F_OK) == 0)
        take_up_set(&s, set_path); /* the last good one: Git may be down */
    if (!run(&s, &err)) {
        log_error("cannot start", "error", err.message, NULL);
        return 1;
    }
    (void)channel_send(channel, "serving", (struct bytes){0});
    follow_channel(&s, set_path, channel);
    for (size_t i = 0; i < s.loop_count; i++)
        (void)pthread_join(s.loops[i].thread, NULL);
    /* Health answers until the very end, and needs no goodbye. */
    return 0;
}
