/*
 * listener.h -- accepts connections and takes them through the TLS handshake.
 *
 * Private to http.c and sweep.c. Own thread.
 */
#ifndef WEBHOOK_LISTENER_H
#define WEBHOOK_LISTENER_H

#include "webhook/loop.h"

/* Starts accepting on loop->listen_fd, which becomes the listener's. */
MUST_USE bool listener_open(struct http_loop *loop, struct err *err);

/* Stops and starts accepting; what waits, waits in the kernel. */
void listener_pause(struct http_loop *loop);
void listener_resume(struct http_loop *loop);

/* Also when listener_open failed. */
void listener_close(struct http_loop *loop);

#endif
