/*
 * health.h -- GET /healthz, /readyz and /metrics, plain HTTP: no names of people, no secrets.
 */
#ifndef WEBHOOK_HEALTH_H
#define WEBHOOK_HEALTH_H

#include "webhook/server.h"

/* A loop on `listen_fd` that reports on `s`; borrowed, and read from the loop's own thread. */
MUST_USE bool health_new(struct server *s, int listen_fd, struct http_loop **out, struct err *err);

#endif
