/*
 * sweep.h -- once a second: ends connections that take too long, and does a drain's next step.
 *
 * libh2o's own timers run by the time of day, know nothing of slow readers, and close idle HTTP/1.1
 * connections by the same timer as slow requests: they are set out of reach, and this is what there
 * is. Own thread.
 */
#ifndef WEBHOOK_SWEEP_H
#define WEBHOOK_SWEEP_H

#include "webhook/loop.h"

void sweep_run(struct http_loop *loop, int64_t now);

/* Ends all connections at once. */
void sweep_all(struct http_loop *loop);

#endif
