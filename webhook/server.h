/*
 * server.h -- the server process: event loops that answer reviews, one a core, and one for health.
 *
 * Holds the TLS key and the mapped set; reaches nothing outside, reads neither YAML nor Git.
 */
#ifndef WEBHOOK_SERVER_H
#define WEBHOOK_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/auditlog.h"
#include "webhook/admit.h"
#include "webhook/channel.h"
#include "webhook/config.h"

enum {
    SERVER_MAX_LOOPS = 64,
    SERVER_DRAIN_SERVE_MS = 10 * 1000, /* endpoints take that long to be forgotten (R12) */
    SERVER_DRAIN_END_MS = 20 * 1000,
    SERVER_MAPPED_BYTES = 1 << 20, /* an allocation from here on is mapped by itself … */
    SERVER_SPARE_BYTES = 4 << 20,  /* … and of smaller ones this much is kept when it is free */
};

struct server_loop {
    struct http_loop *http;
    struct admit *admit;
    pthread_t thread;
};

struct server {
    const struct config *config;
    struct auditlog *audit;
    char replica[256];
    struct server_loop loops[SERVER_MAX_LOOPS];
    size_t loop_count;
    struct http_loop *health;
    pthread_t health_thread;

    atomic_bool draining;
    atomic_size_t entries; /* of the mapped set … */
    atomic_size_t held;
    atomic_bool mapped; /* … if there is one */

    pthread_mutex_t lock;                 /* over what follows */
    char status[CHANNEL_MAX_MESSAGE + 1]; /* JSON of the source process; "": none yet */
    char set_problem[768];                /* why the newest file was not mapped; "": it was */
    char root[65];
};

struct server_sockets {
    int listen;
    int health; /* -1: none */
};

/* Runs until the channel closes or a drain has ended; returns the process's exit code. */
int server_run(const struct config *config, const struct server_sockets *sockets, int channel);

#endif
