/*
 * h2o.h -- the one place that includes libh2o: the build with its own event loop, not libuv's.
 */
#ifndef WEBHOOK_H2O_H
#define WEBHOOK_H2O_H

#pragma GCC system_header

#ifndef H2O_USE_LIBUV
#define H2O_USE_LIBUV 0
#endif

#include <h2o.h>               /* IWYU pragma: export */
#include <h2o/cache_digests.h> /* IWYU pragma: export */
#include <h2o/http1.h>         /* IWYU pragma: export */
#include <h2o/http2.h>         /* IWYU pragma: export */

/* The struct that `pointer`'s target is the member of. */
#define CONTAINER_OF(type, member, pointer)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
