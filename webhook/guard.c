/*
 * What libh2o 2.2.5 does with what, and why it does not get to see it (reliability.md E):
 *
 * - header blocks have no limit on fields: one byte each makes 32 bytes of memory (F7);
 * - streams may be opened and reset without end (Rapid Reset), or made to be reset by the server:
 *   empty window updates, DATA on a closed stream, incomplete headers (MadeYouReset);
 * - each unknown frame writes a line to standard error (F8);
 * - a window update for a stream whose window is used up, while the answer's last byte waits in
 *   the socket, fails an assertion and ends the process. So no stream's window is ever used up
 *   (GUARD_STREAM_WINDOW_MIN), and window updates of streams, then useless, are taken out;
 * - priorities build a tree that answers of our size have no use for: taken out, and neutral in
 *   HEADERS;
 * - request bodies have no limit together: 100 streams of max_request_entity_size each (F11).
 */
#include "webhook/guard.h"

#include <string.h>

#include "base/banned.h"

enum frame_type {
    DATA = 0,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    UNKNOWN, /* this type and all above */
    FRAME_TYPES
};

enum { END_STREAM = 0x1, ACK = 0x1, END_HEADERS = 0x4, PADDED = 0x8, HAS_PRIORITY = 0x20 };

enum { IN_PREFACE = 0, AT_HEADER, IN_PAYLOAD };

enum {
    PRIORITY_BYTES = 5,
    SETTING_BYTES = 6,
    SETTING_INITIAL_WINDOW_SIZE = 4,
    DEFAULT_WINDOW = 65535,
    WINDOW_MAX = 0x7fffffff,
    NEUTRAL_WEIGHT = 15, /* 16, written less one */
    UPDATES_PER_REQUEST = 8,
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* clang-format off */
const struct guard_limits guard_limits_default = {
    .fields = 100,
    .block_bytes = GUARD_FRAME_MAX,
    .continuations = 8,
    .resets = 100,
    .pings = 60,
    .settings = 30,
    .priorities = 200,
    .updates = 200,
    .empties = 100,
    .unknowns = 50,
    .strays = 2 * GUARD_FRAME_MAX / 16, /* two windows' worth of full frames */
    .body_bytes = 8 << 20,
    .inflight_bytes = 64 << 20,
};

static const char *const reason_names[GUARD_REASONS] = {
    [GUARD_NOTHING] = "nothing",
    [GUARD_PREFACE] = "preface",
    [GUARD_FRAME] = "frame",
    [GUARD_SEQUENCE] = "sequence",
    [GUARD_FIELDS] = "fields",
    [GUARD_CONTINUATION] = "continuation",
    [GUARD_RESET] = "reset",
    [GUARD_STREAMS] = "streams",
    [GUARD_BODY] = "body",
    [GUARD_WINDOW] = "window",
    [GUARD_PING] = "ping",
    [GUARD_SETTINGS] = "settings",
    [GUARD_PRIORITY] = "priority",
    [GUARD_UPDATE] = "update",
    [GUARD_EMPTY] = "empty",
    [GUARD_UNKNOWN] = "unknown",
};
/* clang-format on */

const char *guard_reason_name(enum guard_reason reason)
{
    return (size_t)reason < COUNT(reason_names) ? reason_names[reason] : "nothing";
}

void guard_init(struct guard *g, const struct guard_limits *limits)
{
    *g = (struct guard){.limits = limits, .state = IN_PREFACE, .window = DEFAULT_WINDOW};
}

static bool refuse(struct guard *g, enum guard_reason reason)
{
    g->reason = reason;
    return false;
}

/* One more of what may come `limit` times in a period. */
static bool spend(struct guard *g, uint32_t *spent, uint32_t limit, enum guard_reason reason)
{
    return ++*spent <= limit || refuse(g, reason);
}

static void begin_period(struct guard *g, int64_t now)
{
    g->period = now;
    g->period_opened = 0;
    g->pings = 0;
    g->settings = 0;
    g->priorities = 0;
    g->updates = 0;
    g->empties = 0;
    g->unknowns = 0;
    g->strays = 0;
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- streams ---- */

void guard_request_over(struct guard *g, uint64_t body)
{
    streams_over(&g->streams, body);
}

bool guard_quiet(const struct guard *g)
{
    return !g->in_block && streams_quiet(&g->streams);
}

int64_t guard_oldest(const struct guard *g, int64_t none)
{
    return streams_oldest(&g->streams, g->in_block ? g->block_since : none);
}

/* ---- DATA ---- */

static bool data_bytes_known(struct guard *g, struct stream *stream, uint32_t bytes)
{
    if (bytes == 0 && (g->flags & END_STREAM) == 0 &&
        !spend(g, &g->empties, g->limits->empties, GUARD_EMPTY))
        return false;
    if (stream->refused)
        return spend(g, &g->strays, g->limits->strays, GUARD_BODY);
    streams_bytes(&g->streams, stream, bytes, g->limits->body_bytes);
    return g->streams.inflight <= g->limits->inflight_bytes || refuse(g, GUARD_BODY);
}

static bool begin_data(struct guard *g, int64_t now)
{
    struct stream *const stream = streams_find(&g->streams, g->stream);

    (void)now;
    if (stream == NULL)
        return refuse(g, GUARD_SEQUENCE);
    if (g->flags & PADDED)
        return g->length > 0 || refuse(g, GUARD_FRAME);
    return data_bytes_known(g, stream, g->length);
}

static bool data_payload(struct guard *g, uint8_t *bytes, uint32_t len)
{
    struct stream *stream;

    (void)len;
    if ((g->flags & PADDED) == 0 || g->position != 0)
        return true;
    if (bytes[0] > g->length - 1)
        return refuse(g, GUARD_FRAME);
    stream = streams_find(&g->streams, g->stream);
    return stream == NULL || data_bytes_known(g, stream, g->length - 1 - bytes[0]);
}

static bool end_data(struct guard *g)
{
    if (g->flags & END_STREAM)
        streams_complete(&g->streams, g->stream);
    return true;
}

/* ---- HEADERS and CONTINUATION ---- */

static uint32_t headers_prefix(const struct guard *g)
{
    return ((g->flags & PADDED) ? 1U : 0U) + ((g->flags & HAS_PRIORITY) ? PRIORITY_BYTES : 0U);
}

static bool begin_request(struct guard *g, int64_t now)
{
    if ((g->stream & 1) == 0)
        return refuse(g, GUARD_SEQUENCE);
    g->period_opened++;
    streams_begin(&g->streams, g->stream);
    if (!streams_bearable(&g->streams, g->limits->resets))
        return refuse(g, GUARD_RESET);
    if ((g->flags & END_STREAM) == 0 && !streams_await(&g->streams, g->stream, now))
        return refuse(g, GUARD_STREAMS);
    return true;
}

static bool begin_trailers(struct guard *g)
{
    if ((g->flags & END_STREAM) == 0 || streams_find(&g->streams, g->stream) == NULL)
        return refuse(g, GUARD_SEQUENCE);
    return true;
}

static bool begin_headers(struct guard *g, int64_t now)
{
    if (g->length < headers_prefix(g))
        return refuse(g, GUARD_FRAME);
    if (g->stream > g->streams.last ? !begin_request(g, now) : !begin_trailers(g))
        return false;
    g->in_block = true;
    g->block_ends_stream = (g->flags & END_STREAM) != 0;
    g->block_bytes = 0;
    g->block_frames = 0;
    g->block_since = now;
    hpack_init(&g->block);
    return true;
}

static bool block_came(struct guard *g, const uint8_t *bytes, uint32_t len)
{
    g->block_bytes += len;
    if (g->block_bytes > g->limits->block_bytes || !hpack_feed(&g->block, bytes, len) ||
        g->block.count > g->limits->fields)
        return refuse(g, GUARD_FIELDS);
    return true;
}

/* One byte of what stands in HEADERS before the block; priorities become neutral. */
static bool headers_prefix_byte(struct guard *g, uint8_t *byte)
{
    const uint32_t padded = (g->flags & PADDED) ? 1 : 0;

    if (g->position < padded) {
        g->padding = *byte;
        return g->padding <= g->length - headers_prefix(g) || refuse(g, GUARD_FRAME);
    }

    const uint32_t at = g->position - padded;

    g->entry[at] = *byte;
    *byte = at + 1 == PRIORITY_BYTES ? NEUTRAL_WEIGHT : 0;
    if (at + 1 == PRIORITY_BYTES && (big_endian(g->entry) & WINDOW_MAX) == g->stream)
        return refuse(g, GUARD_SEQUENCE); /* depends on itself */
    return true;
}

static bool headers_payload(struct guard *g, uint8_t *bytes, uint32_t len)
{
    const uint32_t prefix = headers_prefix(g);
    const uint32_t begin = g->position;

    for (; len > 0 && g->position < prefix; bytes++, len--, g->position++)
        if (!headers_prefix_byte(g, bytes))
            return false;

    const uint32_t end = g->length - g->padding;
    const uint32_t here = g->position < end ? end - g->position : 0;
    const bool good = block_came(g, bytes, len < here ? len : here);

    g->position = begin;
    return good;
}

static bool end_block(struct guard *g)
{
    if ((g->flags & END_HEADERS) == 0)
        return true;
    if (!hpack_complete(&g->block))
        return refuse(g, GUARD_FIELDS);
    g->in_block = false;
    if (g->block_ends_stream)
        streams_complete(&g->streams, g->stream);
    return true;
}

static bool begin_continuation(struct guard *g, int64_t now)
{
    (void)now;
    if (!g->in_block)
        return refuse(g, GUARD_SEQUENCE);
    return spend(g, &g->block_frames, g->limits->continuations, GUARD_CONTINUATION);
}

static bool continuation_payload(struct guard *g, uint8_t *bytes, uint32_t len)
{
    return block_came(g, bytes, len);
}

/* ---- the small frames ---- */

/* Keeps what comes of the payload's first bytes in g->entry. */
static void keep_entry(struct guard *g, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len && g->position + i < sizeof(g->entry); i++)
        g->entry[g->position + i] = bytes[i];
}

static bool entry_payload(struct guard *g, uint8_t *bytes, uint32_t len)
{
    keep_entry(g, bytes, len);
    return true;
}

static bool begin_priority(struct guard *g, int64_t now)
{
    (void)now;
    g->drop = true;
    if (g->length != PRIORITY_BYTES)
        return refuse(g, GUARD_FRAME);
    return spend(g, &g->priorities, g->limits->priorities, GUARD_PRIORITY);
}

static bool end_priority(struct guard *g)
{
    return (big_endian(g->entry) & WINDOW_MAX) != g->stream || refuse(g, GUARD_SEQUENCE);
}

static bool begin_reset(struct guard *g, int64_t now)
{
    (void)now;
    if (g->length != sizeof(uint32_t))
        return refuse(g, GUARD_FRAME);
    if (g->stream > g->streams.last)
        return refuse(g, GUARD_SEQUENCE);
    streams_reset(&g->streams, g->stream);
    return streams_bearable(&g->streams, g->limits->resets) || refuse(g, GUARD_RESET);
}

static bool begin_settings(struct guard *g, int64_t now)
{
    (void)now;
    g->drop = (g->flags & ACK) != 0;
    if (g->drop ? g->length != 0
                : g->length % SETTING_BYTES != 0 || g->length > GUARD_SETTINGS_MAX_BYTES)
        return refuse(g, GUARD_FRAME);
    g->settled = true;
    return spend(g, &g->settings, g->limits->settings, GUARD_SETTINGS);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the others of the table write */
static bool settings_payload(struct guard *g, uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        const uint32_t at = (g->position + i) % SETTING_BYTES;

        g->entry[at] = bytes[i];
        if (at + 1 != SETTING_BYTES || g->entry[0] != 0 ||
            g->entry[1] != SETTING_INITIAL_WINDOW_SIZE)
            continue;
        g->window = big_endian(g->entry + 2);
        if (g->window < GUARD_STREAM_WINDOW_MIN || g->window > WINDOW_MAX)
            return refuse(g, GUARD_WINDOW);
    }
    return true;
}

static bool begin_push(struct guard *g, int64_t now)
{
    (void)now;
    return refuse(g, GUARD_SEQUENCE); /* clients do not push */
}

static bool begin_ping(struct guard *g, int64_t now)
{
    enum { PING_BYTES = 8 };

    (void)now;
    g->drop = (g->flags & ACK) != 0;
    if (g->length != PING_BYTES)
        return refuse(g, GUARD_FRAME);
    return spend(g, &g->pings, g->limits->pings, GUARD_PING);
}

static bool begin_goaway(struct guard *g, int64_t now)
{
    enum { GOAWAY_BYTES = 8 };

    (void)now;
    g->drop = true;
    if (g->length < GOAWAY_BYTES)
        return refuse(g, GUARD_FRAME);
    return spend(g, &g->settings, g->limits->settings, GUARD_SETTINGS);
}

static bool begin_update(struct guard *g, int64_t now)
{
    const uint64_t limit = g->limits->updates + (uint64_t)g->period_opened * UPDATES_PER_REQUEST;

    (void)now;
    g->drop = g->stream != 0;
    if (g->length != sizeof(uint32_t))
        return refuse(g, GUARD_FRAME);
    if (g->stream > g->streams.last)
        return refuse(g, GUARD_SEQUENCE);
    return spend(g, &g->updates, limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX, GUARD_UPDATE);
}

static bool end_update(struct guard *g)
{
    const uint32_t increment = big_endian(g->entry) & WINDOW_MAX;

    if (increment == 0 || (g->stream != 0 && increment > WINDOW_MAX - g->window))
        return refuse(g, GUARD_WINDOW);
    return true;
}

static bool begin_unknown(struct guard *g, int64_t now)
{
    (void)now;
    g->drop = true;
    return spend(g, &g->unknowns, g->limits->unknowns, GUARD_UNKNOWN);
}

/* ---- frames ---- */

enum stream_rule { ANY_STREAM, NO_STREAM, A_STREAM };

/* clang-format off */
static const struct {
    enum stream_rule stream;
    bool (*begin)(struct guard *g, int64_t now);               /* the header is known */
    bool (*payload)(struct guard *g, uint8_t *bytes, uint32_t len); /* at g->position; may be NULL */
    bool (*end)(struct guard *g);                              /* the payload is complete; may be NULL */
} frames[FRAME_TYPES] = {
    [DATA] = {A_STREAM, begin_data, data_payload, end_data},
    [HEADERS] = {A_STREAM, begin_headers, headers_payload, end_block},
    [PRIORITY] = {A_STREAM, begin_priority, entry_payload, end_priority},
    [RST_STREAM] = {A_STREAM, begin_reset, NULL, NULL},
    [SETTINGS] = {NO_STREAM, begin_settings, settings_payload, NULL},
    [PUSH_PROMISE] = {A_STREAM, begin_push, NULL, NULL},
    [PING] = {NO_STREAM, begin_ping, NULL, NULL},
    [GOAWAY] = {NO_STREAM, begin_goaway, NULL, NULL},
    [WINDOW_UPDATE] = {ANY_STREAM, begin_update, entry_payload, end_update},
    [CONTINUATION] = {A_STREAM, begin_continuation, continuation_payload, end_block},
    [UNKNOWN] = {ANY_STREAM, begin_unknown, NULL, NULL},
};
/* clang-format on */

static bool begin_frame(struct guard *g, const uint8_t *header, int64_t now)
{
    const uint32_t block_stream = g->stream;

    g->length = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
    g->type = header[3] < UNKNOWN ? header[3] : UNKNOWN;
    g->flags = header[4];
    g->stream = big_endian(header + 5) & WINDOW_MAX;
    g->position = 0;
    g->padding = 0;
    g->drop = false;
    if (g->length > GUARD_FRAME_MAX)
        return refuse(g, GUARD_FRAME);
    if (!g->settled && (g->type != SETTINGS || (g->flags & ACK)))
        return refuse(g, GUARD_PREFACE);
    if (g->in_block && (g->type != CONTINUATION || g->stream != block_stream))
        return refuse(g, GUARD_SEQUENCE);
    if ((frames[g->type].stream == A_STREAM && g->stream == 0) ||
        (frames[g->type].stream == NO_STREAM && g->stream != 0))
        return refuse(g, GUARD_SEQUENCE);
    return frames[g->type].begin(g, now);
}

static bool end_frame(struct guard *g)
{
    g->state = AT_HEADER;
    return frames[g->type].end == NULL || frames[g->type].end(g);
}

/* The next payload bytes, `len` of them at most; *used is how many. */
static bool take_payload(struct guard *g, uint8_t *bytes, size_t len, size_t *used)
{
    const uint32_t left = g->length - g->position;
    const uint32_t n = len < left ? (uint32_t)len : left;

    if (frames[g->type].payload != NULL && !frames[g->type].payload(g, bytes, n))
        return false;
    g->position += n;
    *used = n;
    return g->position < g->length || end_frame(g);
}

static bool take_header(struct guard *g, const uint8_t *bytes, int64_t now)
{
    if (!begin_frame(g, bytes, now))
        return false;
    g->state = IN_PAYLOAD;
    return g->length > 0 || end_frame(g);
}

static bool take_preface(struct guard *g, const uint8_t *bytes, size_t len, size_t *used)
{
    const size_t left = sizeof(preface) - 1 - g->preface;
    const size_t n = len < left ? len : left;

    if (memcmp(bytes, preface + g->preface, n) != 0)
        return refuse(g, GUARD_PREFACE);
    g->preface = (uint8_t)(g->preface + n);
    if (n == left)
        g->state = AT_HEADER;
    *used = n;
    return true;
}

bool guard_filter(struct guard *g, uint8_t *bytes, size_t len, int64_t now,
                  struct guard_result *out)
{
    size_t from = 0;
    size_t to = 0;

    if (now - g->period >= GUARD_WINDOW_MILLIS || now < g->period)
        begin_period(g, now);
    while (from < len) {
        size_t used = 0;
        bool keep = true;

        if (g->state == AT_HEADER) {
            if (len - from < GUARD_FRAME_HEADER)
                break;
            used = GUARD_FRAME_HEADER;
            if (!take_header(g, bytes + from, now))
                return false;
            keep = !g->drop;
        } else if (g->state == IN_PAYLOAD) {
            keep = !g->drop;
            if (!take_payload(g, bytes + from, len - from, &used))
                return false;
        } else if (!take_preface(g, bytes + from, len - from, &used)) {
            return false;
        }
        if (keep && to != from)
            memmove(bytes + to, bytes + from, used);
        to += keep ? used : 0;
        from += used;
    }
    if (to != from)
        memmove(bytes + to, bytes + from, len - from);
    out->held = len - from;
    out->kept = to + out->held;
    return true;
}
