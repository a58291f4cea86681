#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "webhook/conn.h"
#include "webhook/guard.h"
#include "webhook/hpack.h"
#include "webhook/streams.h"

enum {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    GREASE = 0x2a,
    END_STREAM = 1,
    ACK = 1,
    END_HEADERS = 4,
    PADDED = 8,
    WITH_PRIORITY = 0x20,
    NOW = 1000000,
};

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define REQUEST                                                                                    \
    "\x83\x86\x84\x41\x01"                                                                         \
    "a" /* POST https / and an authority */

static void put(struct buf *out, unsigned type, unsigned flags, uint32_t stream,
                const void *payload, size_t len)
{
    const uint8_t header[] = {
        (uint8_t)(len >> 16),    (uint8_t)(len >> 8),    (uint8_t)len,
        (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
        (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream,
    };

    buf_append(out, bytes_of(header, sizeof(header)));
    buf_append(out, bytes_of(payload, len));
}

#define PUT(out, type, flags, stream, literal)                                                     \
    put((out), (type), (flags), (stream), (literal), sizeof(literal) - 1)

static void put_zeros(struct buf *out, unsigned type, unsigned flags, uint32_t stream, size_t len)
{
    uint8_t *zeros = xcalloc(len + 1, 1);

    put(out, type, flags, stream, zeros, len);
    free(zeros);
}

static void put_start(struct buf *out)
{
    buf_append_str(out, PREFACE);
    PUT(out, SETTINGS, 0, 0, "");
}

static void put_post(struct buf *out, uint32_t stream)
{
    PUT(out, HEADERS, END_HEADERS, stream, REQUEST);
    PUT(out, DATA, END_STREAM, stream, "{}");
}

/*
 * Feeds `in` in pieces of at most `piece` bytes as a library that consumes at once would see it;
 * what passed goes to `out`. False as soon as the guard says no.
 */
static bool feed(struct guard *g, struct bytes in, size_t piece, int64_t now, struct buf *out)
{
    struct buf held CLEANUP(buf_release) = {0};

    for (size_t at = 0; at < in.len; at += piece) {
        const size_t n = in.len - at < piece ? in.len - at : piece;
        struct guard_result result;

        buf_append(&held, bytes_of(in.ptr + at, n));
        if (!guard_filter(g, held.ptr, held.len, now, &result))
            return false;
        assert_true(result.held < GUARD_FRAME_HEADER && result.held <= result.kept);
        buf_append(out, bytes_of(held.ptr, result.kept - result.held));
        memmove(held.ptr, held.ptr + result.kept - result.held, result.held);
        held.len = result.held;
    }
    return true;
}

/* ---- what decent clients send ---- */

static void test_guard_passes_what_a_client_needs(void **state)
{
    struct buf in CLEANUP(buf_release) = {0};
    struct buf want CLEANUP(buf_release) = {0};

    (void)state;
    buf_append_str(&in, PREFACE);
    PUT(&in, SETTINGS, 0, 0, "\0\2\0\0\0\0\0\4\0\x40\0\0");
    PUT(&in, WINDOW_UPDATE, 0, 0, "\0\1\0\0");
    buf_append(&want, buf_bytes(&in));
    PUT(&in, SETTINGS, ACK, 0, "");
    PUT(&in, GREASE, 0xff, 7, "whatever");
    PUT(&in, PRIORITY, 0, 3, "\0\0\0\0\xff");
    PUT(&in, PING, ACK, 0, "12345678");

    PUT(&in, HEADERS, END_HEADERS | WITH_PRIORITY, 1, "\x80\0\0\3\xc8" REQUEST);
    PUT(&want, HEADERS, END_HEADERS | WITH_PRIORITY, 1, "\0\0\0\0\x0f" REQUEST);
    PUT(&in, DATA, PADDED, 1, "\3body\0\0\0");
    PUT(&want, DATA, PADDED, 1, "\3body\0\0\0");
    PUT(&in, WINDOW_UPDATE, 0, 1, "\0\0\1\0");
    PUT(&in, DATA, END_STREAM, 1, "");
    PUT(&want, DATA, END_STREAM, 1, "");

    PUT(&in, HEADERS, PADDED, 3, "\2" REQUEST "\0\0");
    PUT(&in, CONTINUATION, 0, 3, "\x40\4na");
    PUT(&in, CONTINUATION, END_HEADERS, 3, "me\1v");
    PUT(&in, PING, 0, 0, "12345678");
    PUT(&in, DATA, 0, 3, "x");
    PUT(&in, HEADERS, END_STREAM | END_HEADERS, 3, "\x40\1t\1v");
    PUT(&in, RST_STREAM, 0, 3, "\0\0\0\x08");
    PUT(&want, HEADERS, PADDED, 3, "\2" REQUEST "\0\0");
    PUT(&want, CONTINUATION, 0, 3, "\x40\4na");
    PUT(&want, CONTINUATION, END_HEADERS, 3, "me\1v");
    PUT(&want, PING, 0, 0, "12345678");
    PUT(&want, DATA, 0, 3, "x");
    PUT(&want, HEADERS, END_STREAM | END_HEADERS, 3, "\x40\1t\1v");
    PUT(&want, RST_STREAM, 0, 3, "\0\0\0\x08");
    PUT(&in, GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0bye");

    for (size_t piece = 1; piece <= in.len; piece++) {
        struct buf out CLEANUP(buf_release) = {0};
        struct guard g;

        guard_init(&g, &guard_limits_default);
        if (!feed(&g, buf_bytes(&in), piece, NOW, &out))
            fail_msg("pieces of %zu: refused as %s", piece, guard_reason_name(g.reason));
        check_bytes("what passed", buf_bytes(&out), buf_bytes(&want));
        assert_true(guard_quiet(&g));
    }
}

static void test_guard_lets_a_busy_client_live(void **state)
{
    struct guard g;
    int64_t now = NOW;

    (void)state;
    guard_init(&g, &guard_limits_default);
    for (uint32_t i = 0; i < 100000; i++) {
        struct buf in CLEANUP(buf_release) = {0};
        struct buf out CLEANUP(buf_release) = {0};
        const uint32_t stream = 2 * i + 1;

        if (i == 0)
            put_start(&in);
        put_post(&in, stream);
        PUT(&in, WINDOW_UPDATE, 0, 0, "\0\0\1\0");
        PUT(&in, WINDOW_UPDATE, 0, stream, "\0\0\1\0");
        if (i % 3 == 0) /* cancelled: a third of them */
            PUT(&in, RST_STREAM, 0, stream, "\0\0\0\x08");
        if (!feed(&g, buf_bytes(&in), in.len, now, &out))
            fail_msg("request %u refused as %s", i, guard_reason_name(g.reason));
        guard_request_over(&g, 2);
        now += i % 10 == 0;
    }
    assert_int_equal(g.streams.inflight, 0);
}

/* ---- what nobody decent sends ---- */

struct refusal {
    const char *name;
    void (*make)(struct buf *out);
    enum guard_reason want;
};

static void make_http1(struct buf *out)
{
    buf_append_str(out, "POST /validate HTTP/1.1\r\n\r\n");
}

static void make_no_settings(struct buf *out)
{
    buf_append_str(out, PREFACE);
    PUT(out, PING, 0, 0, "12345678");
}

static void make_settings_ack_first(struct buf *out)
{
    buf_append_str(out, PREFACE);
    PUT(out, SETTINGS, ACK, 0, "");
}

static void make_long_frame(struct buf *out)
{
    put_start(out);
    put_zeros(out, GREASE, 0, 0, GUARD_FRAME_MAX + 1);
}

static void make_field_bomb(struct buf *out)
{
    uint8_t fields[4096];

    memset(fields, 0x82, sizeof(fields));
    put_start(out);
    put(out, HEADERS, END_HEADERS | END_STREAM, 1, fields, sizeof(fields));
}

static void make_size_update_bomb(struct buf *out)
{
    uint8_t updates[200];

    memset(updates, 0x20, sizeof(updates));
    put_start(out);
    put(out, HEADERS, END_HEADERS | END_STREAM, 1, updates, sizeof(updates));
}

static void make_large_block(struct buf *out)
{
    uint8_t part[] = "\x40\x7f\xe1\x7e"; /* a name of 16,336 bytes */

    put_start(out);
    put(out, HEADERS, END_STREAM, 1, part, sizeof(part) - 1);
    put_zeros(out, CONTINUATION, 0, 1, GUARD_FRAME_MAX - 3);
}

static void make_cut_block(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS | END_STREAM, 1, "\x40\4na");
}

static void make_continuation_flood(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_STREAM, 1, REQUEST);
    for (int i = 0; i < 20; i++)
        PUT(out, CONTINUATION, 0, 1, "");
}

static void make_stray_continuation(struct buf *out)
{
    put_start(out);
    PUT(out, CONTINUATION, END_HEADERS, 1, REQUEST);
}

static void make_interrupted_block(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_STREAM, 1, REQUEST);
    PUT(out, GREASE, 0, 0, "");
}

static void make_other_streams_continuation(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_STREAM, 1, REQUEST);
    PUT(out, CONTINUATION, END_HEADERS, 3, "");
}

static void make_rapid_reset(struct buf *out)
{
    put_start(out);
    for (uint32_t i = 0; i < 300; i++) {
        PUT(out, HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, REQUEST);
        PUT(out, RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08");
    }
}

/* No pseudo fields: the library answers each with a reset, and nobody hears of it. */
static void make_server_resets(struct buf *out)
{
    put_start(out);
    for (uint32_t i = 0; i < 300; i++)
        PUT(out, HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, "\x40\1a\1b");
}

static void make_too_many_open(struct buf *out)
{
    put_start(out);
    for (uint32_t i = 0; i < STREAMS_OPEN_MAX + 1; i++)
        PUT(out, HEADERS, END_HEADERS, 2 * i + 1, REQUEST);
}

static void make_even_stream(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS | END_STREAM, 2, REQUEST);
}

static void make_stream_again(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS | END_STREAM, 3, REQUEST);
    PUT(out, HEADERS, END_HEADERS | END_STREAM, 1, REQUEST);
}

static void make_stream_zero(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS | END_STREAM, 0, REQUEST);
}

static void make_endless_trailers(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS, 1, REQUEST);
    PUT(out, HEADERS, END_HEADERS, 1, "\x40\1a\1b");
}

static void make_data_after_end(struct buf *out)
{
    put_start(out);
    put_post(out, 1);
    PUT(out, DATA, 0, 1, "more");
}

static void make_data_on_idle(struct buf *out)
{
    put_start(out);
    PUT(out, DATA, 0, 1, "x");
}

static void make_bad_data_padding(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS, 1, REQUEST);
    PUT(out, DATA, PADDED, 1, "\3ab");
}

static void make_bad_header_padding(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, PADDED | END_HEADERS, 1, "\7" REQUEST);
}

static void make_short_priority(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, WITH_PRIORITY | END_HEADERS, 1, "\0\0\0\0");
}

static void make_own_dependency(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, WITH_PRIORITY | END_HEADERS, 1, "\0\0\0\1\x10" REQUEST);
}

static void make_own_priority(struct buf *out)
{
    put_start(out);
    PUT(out, PRIORITY, 0, 5, "\x80\0\0\5\x10");
}

static void make_push(struct buf *out)
{
    put_start(out);
    PUT(out, PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2");
}

static void make_reset_on_idle(struct buf *out)
{
    put_start(out);
    PUT(out, RST_STREAM, 0, 1, "\0\0\0\x08");
}

static void make_no_increment(struct buf *out)
{
    put_start(out);
    put_post(out, 1);
    PUT(out, WINDOW_UPDATE, 0, 1, "\0\0\0\0");
}

static void make_overflow(struct buf *out)
{
    put_start(out);
    put_post(out, 1);
    PUT(out, WINDOW_UPDATE, 0, 1, "\x7f\xff\xff\xff");
}

static void make_update_on_idle(struct buf *out)
{
    put_start(out);
    PUT(out, WINDOW_UPDATE, 0, 1, "\0\0\0\1");
}

static void make_small_window(struct buf *out)
{
    buf_append_str(out, PREFACE);
    PUT(out, SETTINGS, 0, 0, "\0\3\0\0\0\1\0\4\0\0\0\0");
}

static void make_odd_settings(struct buf *out)
{
    put_start(out);
    PUT(out, SETTINGS, 0, 0, "\0\4\0");
}

static void make_long_settings(struct buf *out)
{
    put_start(out);
    put_zeros(out, SETTINGS, 0, 0, GUARD_SETTINGS_MAX_BYTES + 6);
}

static void make_pings(struct buf *out)
{
    put_start(out);
    for (int i = 0; i < 100; i++)
        PUT(out, PING, 0, 0, "12345678");
}

static void make_settings(struct buf *out)
{
    put_start(out);
    for (int i = 0; i < 100; i++)
        PUT(out, SETTINGS, 0, 0, "");
}

static void make_acks(struct buf *out)
{
    put_start(out);
    for (int i = 0; i < 100; i++)
        PUT(out, SETTINGS, ACK, 0, "");
}

static void make_priorities(struct buf *out)
{
    put_start(out);
    for (int i = 0; i < 1000; i++)
        PUT(out, PRIORITY, 0, 7, "\0\0\0\0\xff");
}

static void make_updates(struct buf *out)
{
    put_start(out);
    for (int i = 0; i < 1000; i++)
        PUT(out, WINDOW_UPDATE, 0, 0, "\0\0\0\1");
}

static void make_empties(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS, 1, REQUEST);
    for (int i = 0; i < 200; i++)
        PUT(out, DATA, i % 2 == 0 ? PADDED : 0, 1, "\0");
    for (int i = 0; i < 200; i++)
        PUT(out, DATA, 0, 1, "");
}

static void make_unknowns(struct buf *out)
{
    put_start(out);
    for (int i = 0; i < 100; i++)
        PUT(out, GREASE, 0, 0, "");
}

static void make_bodies(struct buf *out)
{
    put_start(out);
    for (uint32_t s = 1; s < 21; s += 2)
        PUT(out, HEADERS, END_HEADERS, s, REQUEST);
    for (int i = 0; i < 500; i++)
        for (uint32_t s = 1; s < 21; s += 2)
            put_zeros(out, DATA, 0, s, GUARD_FRAME_MAX);
}

static void make_endless_body(struct buf *out)
{
    put_start(out);
    PUT(out, HEADERS, END_HEADERS, 1, REQUEST);
    for (int i = 0; i < 4000; i++)
        put_zeros(out, DATA, 0, 1, GUARD_FRAME_MAX);
}

/* clang-format off */
static const struct refusal refusals[] = {
    {"no HTTP/2 preface", make_http1, GUARD_PREFACE},
    {"no SETTINGS behind the preface", make_no_settings, GUARD_PREFACE},
    {"an acknowledgement behind the preface", make_settings_ack_first, GUARD_PREFACE},
    {"a frame of 16,385 bytes", make_long_frame, GUARD_FRAME},
    {"one-byte indexed fields", make_field_bomb, GUARD_FIELDS},
    {"table size updates", make_size_update_bomb, GUARD_FIELDS},
    {"a block of more than 16 KiB", make_large_block, GUARD_FIELDS},
    {"a block that ends within a field", make_cut_block, GUARD_FIELDS},
    {"empty CONTINUATION frames", make_continuation_flood, GUARD_CONTINUATION},
    {"CONTINUATION without HEADERS", make_stray_continuation, GUARD_SEQUENCE},
    {"another frame within a block", make_interrupted_block, GUARD_SEQUENCE},
    {"another stream's CONTINUATION", make_other_streams_continuation, GUARD_SEQUENCE},
    {"rapid reset", make_rapid_reset, GUARD_RESET},
    {"requests that the library resets", make_server_resets, GUARD_RESET},
    {"more open requests than announced", make_too_many_open, GUARD_STREAMS},
    {"a request on an even stream", make_even_stream, GUARD_SEQUENCE},
    {"a request on a lower stream", make_stream_again, GUARD_SEQUENCE},
    {"a request on stream 0", make_stream_zero, GUARD_SEQUENCE},
    {"trailers that do not end", make_endless_trailers, GUARD_SEQUENCE},
    {"DATA behind the end", make_data_after_end, GUARD_SEQUENCE},
    {"DATA on an idle stream", make_data_on_idle, GUARD_SEQUENCE},
    {"DATA with more padding than bytes", make_bad_data_padding, GUARD_FRAME},
    {"HEADERS with more padding than bytes", make_bad_header_padding, GUARD_FRAME},
    {"HEADERS too short for its priority", make_short_priority, GUARD_FRAME},
    {"a request that depends on itself", make_own_dependency, GUARD_SEQUENCE},
    {"a stream that depends on itself", make_own_priority, GUARD_SEQUENCE},
    {"PUSH_PROMISE", make_push, GUARD_SEQUENCE},
    {"RST_STREAM on an idle stream", make_reset_on_idle, GUARD_SEQUENCE},
    {"WINDOW_UPDATE by nothing", make_no_increment, GUARD_WINDOW},
    {"WINDOW_UPDATE beyond 2^31-1", make_overflow, GUARD_WINDOW},
    {"WINDOW_UPDATE on an idle stream", make_update_on_idle, GUARD_SEQUENCE},
    {"no window for answers", make_small_window, GUARD_WINDOW},
    {"SETTINGS of three bytes", make_odd_settings, GUARD_FRAME},
    {"SETTINGS of 33 entries", make_long_settings, GUARD_FRAME},
    {"pings", make_pings, GUARD_PING},
    {"settings", make_settings, GUARD_SETTINGS},
    {"acknowledgements", make_acks, GUARD_SETTINGS},
    {"priorities", make_priorities, GUARD_PRIORITY},
    {"window updates", make_updates, GUARD_UPDATE},
    {"empty DATA", make_empties, GUARD_EMPTY},
    {"unknown frames", make_unknowns, GUARD_UNKNOWN},
    {"many large bodies", make_bodies, GUARD_BODY},
    {"DATA long after the body was refused", make_endless_body, GUARD_BODY},
};
/* clang-format on */

static void check_refused(const struct refusal *row, struct bytes in, size_t piece)
{
    struct buf out CLEANUP(buf_release) = {0};
    struct guard g;

    guard_init(&g, &guard_limits_default);
    if (feed(&g, in, piece, NOW, &out))
        fail_msg("%s: passed, in pieces of %zu", row->name, piece);
    if (g.reason != row->want)
        fail_msg("%s: refused as %s in pieces of %zu, want %s", row->name,
                 guard_reason_name(g.reason), piece, guard_reason_name(row->want));
}

static void test_guard_refuses_abuse(void **state)
{
    static const size_t pieces[] = {SIZE_MAX / 2, 16384, 1000, 7, 1};

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct buf in CLEANUP(buf_release) = {0};

        refusals[i].make(&in);
        for (size_t k = 0; k < COUNT(pieces); k++)
            if (in.len / pieces[k] < 100000)
                check_refused(&refusals[i], buf_bytes(&in), pieces[k]);
    }
}

static void test_guard_forgives_with_time(void **state)
{
    struct guard g;
    struct buf in CLEANUP(buf_release) = {0};
    struct buf out CLEANUP(buf_release) = {0};

    (void)state;
    guard_init(&g, &guard_limits_default);
    put_start(&in);
    assert_true(feed(&g, buf_bytes(&in), in.len, NOW, &out));
    for (int i = 0; i < 1000; i++) {
        struct buf ping CLEANUP(buf_release) = {0};

        PUT(&ping, PING, 0, 0, "12345678");
        assert_true(feed(&g, buf_bytes(&ping), ping.len, NOW + i * (int64_t)1000, &out));
    }
}

static void test_guard_tells_since_when_a_request_comes(void **state)
{
    struct guard g;
    struct buf in CLEANUP(buf_release) = {0};
    struct buf more CLEANUP(buf_release) = {0};
    struct buf rest CLEANUP(buf_release) = {0};
    struct buf out CLEANUP(buf_release) = {0};

    (void)state;
    guard_init(&g, &guard_limits_default);
    put_start(&in);
    PUT(&in, HEADERS, END_HEADERS, 1, REQUEST);
    assert_true(feed(&g, buf_bytes(&in), in.len, NOW, &out));
    PUT(&more, HEADERS, 0, 3, REQUEST);
    assert_true(feed(&g, buf_bytes(&more), more.len, NOW + 5, &out));
    assert_int_equal(guard_oldest(&g, NOW + 9), NOW);
    assert_false(guard_quiet(&g));
    PUT(&rest, CONTINUATION, END_HEADERS, 3, "");
    PUT(&rest, DATA, END_STREAM, 1, "x");
    assert_true(feed(&g, buf_bytes(&rest), rest.len, NOW + 6, &out));
    assert_int_equal(guard_oldest(&g, NOW + 9), NOW + 5);
}

/* A body beyond the library's limit is not the whole connection's fault. */
static void test_guard_outlives_a_refused_body(void **state)
{
    struct guard_limits limits = guard_limits_default;
    struct guard g;
    struct buf in CLEANUP(buf_release) = {0};
    struct buf out CLEANUP(buf_release) = {0};

    (void)state;
    limits.body_bytes = 1000;
    guard_init(&g, &limits);
    put_start(&in);
    PUT(&in, HEADERS, END_HEADERS, 1, REQUEST);
    put_zeros(&in, DATA, 0, 1, 900);
    put_zeros(&in, DATA, 0, 1, 900);
    put_zeros(&in, DATA, 0, 1, 900);
    put_post(&in, 3);
    assert_true(feed(&g, buf_bytes(&in), in.len, NOW, &out));
    check_bytes("all of it", buf_bytes(&out), buf_bytes(&in));
    assert_int_equal(g.streams.inflight, 2);
    assert_int_equal(guard_oldest(&g, NOW + 99), NOW + 99);
    assert_true(guard_quiet(&g));
}

/* ---- header fields ---- */

static void test_hpack_counts_as_the_library_does(void **state)
{
    static const struct {
        const char *name;
        struct bytes in;
        uint32_t count; /* UINT32_MAX: not HPACK */
        bool complete;
    } rows[] = {
        {"nothing", {(const uint8_t *)"", 0}, 0, true},
        {"indexed", {(const uint8_t *)"\x82\x86", 2}, 2, true},
        {"indexed by a long integer", {(const uint8_t *)"\xff\x80\x01", 3}, 1, true},
        {"index 0", {(const uint8_t *)"\x80", 1}, UINT32_MAX, false},
        {"new name, indexed", {(const uint8_t *)"\x40\1a\1b", 5}, 1, true},
        {"new name, not indexed", {(const uint8_t *)"\x00\1a\1b", 5}, 1, true},
        {"new name, never indexed", {(const uint8_t *)"\x10\1a\1b", 5}, 1, true},
        {"known name", {(const uint8_t *)"\x41\1b\x0f\1\1b", 7}, 2, true},
        {"an empty value", {(const uint8_t *)"\x41\0\x82", 3}, 2, true},
        {"an empty name", {(const uint8_t *)"\x40\0\1b", 4}, UINT32_MAX, false},
        {"a Huffman string", {(const uint8_t *)"\x41\x82\xff\xff", 4}, 1, true},
        {"a size update", {(const uint8_t *)"\x3f\xe1\x1f\x82", 4}, 2, true},
        {"five further bytes", {(const uint8_t *)"\xff\x80\x80\x80\x80\x01", 6}, UINT32_MAX, false},
        {"four further bytes", {(const uint8_t *)"\xff\x80\x80\x80\x01", 5}, 1, true},
        {"cut in a value", {(const uint8_t *)"\x41\3ab", 4}, 1, false},
        {"cut before a value", {(const uint8_t *)"\x41", 1}, 1, false},
        {"cut before an empty value's end", {(const uint8_t *)"\x40\1a", 3}, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t piece = 1; piece <= rows[i].in.len + 1; piece++) {
            struct hpack f;
            bool good = true;

            hpack_init(&f);
            for (size_t at = 0; good && at < rows[i].in.len; at += piece)
                good = hpack_feed(&f, rows[i].in.ptr + at,
                                  rows[i].in.len - at < piece ? rows[i].in.len - at : piece);
            if (good != (rows[i].count != UINT32_MAX))
                fail_msg("%s: %s", rows[i].name, good ? "passed" : "refused");
            if (good && (f.count != rows[i].count || hpack_complete(&f) != rows[i].complete))
                fail_msg("%s: %u fields, %s", rows[i].name, f.count,
                         hpack_complete(&f) ? "complete" : "not complete");
        }
}

/* ---- chance ---- */

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

static void put_random(struct buf *out, uint64_t *seed)
{
    static const uint8_t flags[] = {0, 1, 4, 5, 5, 5, 9, 0x0d, 0x25, 0x2d};
    uint8_t payload[64];
    const unsigned type = next_random(seed) % 12;
    size_t len = next_random(seed) % sizeof(payload);

    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(next_random(seed) % 5 == 0 ? next_random(seed) : 0x82);
    len = type == RST_STREAM || type == WINDOW_UPDATE ? 4 : len;
    len = type == PING ? 8 : len;
    len = type == PRIORITY ? 5 : len;
    len = type == SETTINGS ? 0 : len;
    put(out, type, flags[next_random(seed) % sizeof(flags)],
        type == SETTINGS || type == PING ? 0 : next_random(seed) % 12, payload, len);
}

/* How the bytes are cut makes no difference, to what passes nor to what is refused. */
static void test_guard_does_not_depend_on_pieces(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct buf in CLEANUP(buf_release) = {0};
        struct buf whole CLEANUP(buf_release) = {0};
        struct buf cut CLEANUP(buf_release) = {0};
        struct guard a;
        struct guard b;

        put_start(&in);
        for (int i = 0; i < 12; i++)
            put_random(&in, &seed);
        guard_init(&a, &guard_limits_default);
        guard_init(&b, &guard_limits_default);

        const bool good = feed(&a, buf_bytes(&in), in.len, NOW, &whole);

        assert_int_equal(feed(&b, buf_bytes(&in), 1 + next_random(&seed) % 20, NOW, &cut), good);
        assert_int_equal(a.reason, b.reason);
        if (good)
            check_bytes("what passed", buf_bytes(&cut), buf_bytes(&whole));
    }
}

static void test_guard_is_linked_before_the_library(void **state)
{
    struct err err;

    (void)state;
    if (!conn_hook_works(&err))
        fail_msg("%s", err.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_passes_what_a_client_needs),
        cmocka_unit_test(test_guard_lets_a_busy_client_live),
        cmocka_unit_test(test_guard_refuses_abuse),
        cmocka_unit_test(test_guard_forgives_with_time),
        cmocka_unit_test(test_guard_tells_since_when_a_request_comes),
        cmocka_unit_test(test_guard_outlives_a_refused_body),
        cmocka_unit_test(test_hpack_counts_as_the_library_does),
        cmocka_unit_test(test_guard_does_not_depend_on_pieces),
        cmocka_unit_test(test_guard_is_linked_before_the_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
