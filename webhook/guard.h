/*
 * guard.h -- stands in front of the HTTP/2 library and sees every decrypted byte first.
 *
 * libh2o 2.2.5 has no defence against header bombs, Rapid Reset, MadeYouReset or floods of small
 * frames, and aborts on some sequences (docs in guard.c). The guard parses frames and header
 * blocks itself, counts what they cost against what a decent client needs, takes out what the
 * library does not need (PRIORITY, unknown types, acknowledgements, window updates of streams),
 * and says no before the library allocates. It knows nothing of sockets or of libh2o: another
 * library could stand behind it. One thread; no allocation; no clock, `now` is an argument.
 */
#ifndef WEBHOOK_GUARD_H
#define WEBHOOK_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "webhook/hpack.h"
#include "webhook/streams.h"

enum {
    GUARD_FRAME_HEADER = 9,
    GUARD_FRAME_MAX = 16384, /* the frame size that every HTTP/2 peer has to accept */
    GUARD_SETTINGS_MAX_BYTES = 32 * 6,
    /*
     * The window that a client must leave each stream. With answers of half of it at most (http.h),
     * no stream's window ever reaches zero, and libh2o never waits for a window update of a stream.
     */
    GUARD_STREAM_WINDOW_MIN = 32768,
    GUARD_WINDOW_MILLIS = 10000, /* the period that the per-period limits below are counted in */
};

/* Why a connection is not worth keeping. */
enum guard_reason {
    GUARD_NOTHING = 0,
    GUARD_PREFACE,      /* no HTTP/2 preface, or no SETTINGS behind it */
    GUARD_FRAME,        /* a frame longer than it may be, or not of its type's shape */
    GUARD_SEQUENCE,     /* a frame where none of its type may stand */
    GUARD_FIELDS,       /* more header fields or bytes than allowed, or not HPACK */
    GUARD_CONTINUATION, /* more CONTINUATION frames than allowed */
    GUARD_RESET,        /* most streams are reset by the client, or end without an answer */
    GUARD_STREAMS,      /* more open requests than announced */
    GUARD_BODY,         /* more request bodies at once than this connection or process may hold */
    GUARD_WINDOW,       /* a stream window too small to answer into */
    GUARD_PING,
    GUARD_SETTINGS,
    GUARD_PRIORITY,
    GUARD_UPDATE, /* WINDOW_UPDATE */
    GUARD_EMPTY,  /* DATA without data */
    GUARD_UNKNOWN,
    GUARD_REASONS
};

/* A label for metrics: "preface", "frame", … */
const char *guard_reason_name(enum guard_reason reason);

struct guard_limits {
    uint32_t fields;        /* header fields in one block */
    uint32_t block_bytes;   /* compressed bytes of one block, at most GUARD_FRAME_MAX */
    uint32_t continuations; /* CONTINUATION frames of one block */
    uint32_t resets;        /* resets that are free; beyond them, half of the streams */
    uint32_t pings;         /* this and what follows: in one period */
    uint32_t settings;      /* SETTINGS, GOAWAY and acknowledgements */
    uint32_t priorities;
    uint32_t updates; /* WINDOW_UPDATE, and 8 more for each request */
    uint32_t empties;
    uint32_t unknowns;
    uint32_t strays;     /* DATA behind the end of body_bytes: what was under way when we refused */
    uint64_t body_bytes; /* one request's body: beyond it the library resets the stream */
    uint64_t inflight_bytes; /* all requests of one connection together */
};

extern const struct guard_limits guard_limits_default;

struct guard {
    const struct guard_limits *limits; /* borrowed */
    enum guard_reason reason;          /* why guard_filter said no */
    uint8_t state;
    uint8_t preface; /* bytes of the preface seen */
    bool settled;    /* the first SETTINGS was seen */

    /* the frame that is being read */
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    uint32_t length;
    uint32_t position; /* payload bytes seen */
    uint32_t padding;
    bool drop;        /* the library does not see it */
    uint8_t entry[6]; /* the setting, increment or dependency that is being read */
    uint32_t window;  /* what the client gives a new stream */

    /* the header block that is being read */
    bool in_block;
    bool block_ends_stream;
    uint32_t block_bytes;
    uint32_t block_frames;
    struct hpack block;
    int64_t block_since;

    struct streams streams;

    int64_t period; /* when the current one began, milliseconds */
    uint32_t period_opened;
    uint32_t pings;
    uint32_t settings;
    uint32_t priorities;
    uint32_t updates;
    uint32_t empties;
    uint32_t unknowns;
    uint32_t strays;
};

/* What guard_filter made of its input. */
struct guard_result {
    size_t kept; /* bytes that go on to the library, at the front of the input */
    size_t held; /* of these, the last so many are part of a frame header and come again */
};

/* A connection's beginning: the preface is next. `limits` must outlive it. */
void guard_init(struct guard *g, const struct guard_limits *limits);

/*
 * Looks at `len` new bytes, takes out what the library need not see, and moves the rest together.
 * The next call's input begins with the `held` bytes of this one. False: close the connection, and
 * give the library none of it; g->reason says why.
 */
MUST_USE bool guard_filter(struct guard *g, uint8_t *bytes, size_t len, int64_t now,
                           struct guard_result *out);

/* A request of `body` bytes is over: answered and sent, or its stream is gone. */
void guard_request_over(struct guard *g, uint64_t body);

/* When the oldest request that is not yet complete began; `none` if there is none. */
int64_t guard_oldest(const struct guard *g, int64_t none);

/* Whether no request is open and no header block half read. */
bool guard_quiet(const struct guard *g);

#endif
