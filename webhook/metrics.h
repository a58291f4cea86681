/*
 * metrics.h -- what a server counts, as Prometheus reads it. Label values are bounded.
 */
#ifndef WEBHOOK_METRICS_H
#define WEBHOOK_METRICS_H

#include "webhook/server.h"

/* Any thread. */
void metrics_write(struct server *s, struct buf *out);

#endif
