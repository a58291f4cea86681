/*
 * fuzz_guard.c -- what a client sends over HTTP/2, in whatever pieces it comes. The first byte of
 * an input says how it is cut, the others are the stream. What must hold:
 *
 *   - verdict, reason, what the library sees and what the guard remembers are the same for every
 * cut;
 *   - what is kept lies in the input, what is held in what is kept, and less than a frame header;
 *   - what the library was given, a guard in front of another library lets through unchanged.
 */
#include "tests/fuzz/fuzz.h"
#include "webhook/guard.h"

#include "base/banned.h"

enum { NOW = 1000000, AS_IT_CAME = 0, CUTS = 3 };

struct passed {
    struct guard guard;
    struct buf out;
    bool ok;
};

/* The length of the next piece: all, one byte, or what a seed says. */
static size_t next_piece(uint8_t cut, uint32_t *seed, size_t left)
{
    *seed = *seed * 1664525U + 1013904223U;
    const size_t piece = cut == AS_IT_CAME ? left : cut == 1 ? 1 : 1 + (*seed >> 16) % (1U + cut);

    return piece < left ? piece : left;
}

/* As conn.c does it: what is held comes again in front of the next piece. */
static void pass(struct bytes in, uint8_t cut, struct passed *p)
{
    uint8_t *window = NULL;
    size_t held = 0;
    uint32_t seed = cut;

    *p = (struct passed){.ok = true};
    guard_init(&p->guard, &guard_limits_default);
    while (in.len > 0) {
        const size_t n = next_piece(cut, &seed, in.len);
        struct guard_result result = {0};
        /* An allocation of exactly this size: a byte beyond it is seen by the sanitizer. */
        uint8_t *bytes = xmalloc(held + n);

        if (held > 0)
            memcpy(bytes, window, held);
        memcpy(bytes + held, in.ptr, n);
        free(window);
        window = bytes;
        in = bytes_of(in.ptr + n, in.len - n);
        p->ok = guard_filter(&p->guard, bytes, held + n, NOW, &result);
        if (!p->ok)
            break;
        require(result.kept <= held + n && result.held <= result.kept);
        require(result.held < GUARD_FRAME_HEADER);
        buf_append(&p->out, bytes_of(bytes, result.kept - result.held));
        memmove(bytes, bytes + result.kept - result.held, result.held);
        held = result.held;
    }
    require(p->ok ? p->guard.reason == GUARD_NOTHING : p->guard.reason != GUARD_NOTHING);
    require(guard_reason_name(p->guard.reason)[0] != '\0');
    if (p->ok && held > 0)
        buf_append(&p->out, bytes_of(window, held)); /* the beginning of a header, so far */
    free(window);
}

static void check_same_memory(const struct guard *a, const struct guard *b)
{
    const struct streams *s = &a->streams;
    const struct streams *t = &b->streams;

    require(a->state == b->state && a->settled == b->settled && a->preface == b->preface);
    require(a->in_block == b->in_block && a->window == b->window);
    require(a->pings == b->pings && a->settings == b->settings && a->priorities == b->priorities);
    require(a->updates == b->updates && a->empties == b->empties && a->unknowns == b->unknowns);
    require(a->strays == b->strays && a->period_opened == b->period_opened);
    require(s->last == t->last && s->open_count == t->open_count && s->inflight == t->inflight);
    require(s->opened == t->opened && s->resets == t->resets && s->unanswered == t->unanswered);
    for (uint32_t i = 0; i < s->open_count; i++)
        require(s->open[i].id == t->open[i].id && s->open[i].bytes == t->open[i].bytes &&
                s->open[i].refused == t->open[i].refused);
    require(guard_quiet(a) == guard_quiet(b));
    require(guard_oldest(a, -1) == guard_oldest(b, -1));
}

static void check_again(const struct passed *first)
{
    struct passed second;

    pass(buf_bytes(&first->out), AS_IT_CAME, &second);
    require(second.ok);
    require(bytes_equal(buf_bytes(&second.out), buf_bytes(&first->out)));
    buf_release(&second.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    const uint8_t cuts[CUTS] = {AS_IT_CAME, 1, data[0]};
    struct passed all[CUTS];

    for (size_t i = 0; i < CUTS; i++) {
        pass(bytes_of(data + 1, len - 1), cuts[i], &all[i]);
        require(all[i].ok == all[0].ok && all[i].guard.reason == all[0].guard.reason);
        if (all[0].ok) {
            require(bytes_equal(buf_bytes(&all[i].out), buf_bytes(&all[0].out)));
            check_same_memory(&all[i].guard, &all[0].guard);
        }
    }
    if (all[0].ok)
        check_again(&all[0]);
    for (size_t i = 0; i < CUTS; i++)
        buf_release(&all[i].out);
    return 0;
}
