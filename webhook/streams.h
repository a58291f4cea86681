/*
 * streams.h -- the requests of one HTTP/2 connection, as the frame guard counts them.
 *
 * Which bodies are still coming, how many bytes of them the library holds, and how many requests
 * end in a reset instead of an answer, whoever resets them. No allocation; one thread.
 */
#ifndef WEBHOOK_STREAMS_H
#define WEBHOOK_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
    STREAMS_ANNOUNCED = 100, /* libh2o's MAX_CONCURRENT_STREAMS */
    /* Requests whose body is still coming; a client may be a little ahead of our SETTINGS. */
    STREAMS_OPEN_MAX = STREAMS_ANNOUNCED + 28,
};

/* A request whose body is still coming. */
struct stream {
    uint32_t id;
    bool refused; /* too long: the library has reset it, the client may not know yet */
    uint64_t bytes;
    int64_t since; /* milliseconds */
};

struct streams {
    uint32_t last; /* the highest id seen */
    uint32_t open_count;
    uint32_t found_at; /* where in `open` the last search ended */
    struct stream open[STREAMS_OPEN_MAX];
    uint64_t inflight; /* body bytes of requests that are not over */
    /* All three are halved now and then, so that a long good past buys no bad burst. */
    uint32_t opened;
    uint32_t resets;     /* by the client */
    uint32_t unanswered; /* alive, or gone without an answer */
};

/* The open stream of that id, or NULL; until the next call that changes the streams. */
struct stream *streams_find(struct streams *s, uint32_t id);

/* A request begins: id is above all before. */
void streams_begin(struct streams *s, uint32_t id);

/* Its body will follow. False if there is no room. */
MUST_USE bool streams_await(struct streams *s, uint32_t id, int64_t now);

/* Bytes of a body came; beyond `body_max` the stream becomes refused and no longer counts. */
void streams_bytes(struct streams *s, struct stream *stream, uint32_t bytes, uint64_t body_max);

/* The body is complete. */
void streams_complete(struct streams *s, uint32_t id);

/* The client reset it. */
void streams_reset(struct streams *s, uint32_t id);

/* A request with `body` bytes is over: answered and sent, or its stream is gone. */
void streams_over(struct streams *s, uint64_t body);

/* Whether at most `free`, or else half, of the streams end in resets. */
bool streams_bearable(const struct streams *s, uint32_t free);

/* When the oldest body that is not complete began; `none` if there is none. */
int64_t streams_oldest(const struct streams *s, int64_t none);

/* Whether no body is still coming. */
bool streams_quiet(const struct streams *s);

#endif
