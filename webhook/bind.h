/*
 * bind.h -- listening sockets from "host:port".
 */
#ifndef WEBHOOK_BIND_H
#define WEBHOOK_BIND_H

#include "base/err.h"

/*
 * `address` is HOST:PORT, [IPV6]:PORT or :PORT (every address). Listening, non-blocking,
 * close-on-exec. `what` is the key that errors name.
 */
MUST_USE bool bind_listen(const char *address, const char *what, int *out, struct err *err);

#endif
