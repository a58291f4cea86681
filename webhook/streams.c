#include "webhook/streams.h"

#include "base/banned.h"

enum { HALVE_AT = 1024 /* streams */ };

/* From where the last search ended: bodies come in the order of their requests, or in pieces. */
struct stream *streams_find(struct streams *s, uint32_t id)
{
    for (uint32_t i = s->found_at; i < s->open_count; i++)
        if (s->open[i].id == id) {
            s->found_at = i;
            return &s->open[i];
        }
    for (uint32_t i = s->found_at < s->open_count ? s->found_at : s->open_count; i-- > 0;)
        if (s->open[i].id == id) {
            s->found_at = i;
            return &s->open[i];
        }
    return NULL;
}

/* Streams that ended without an answer, whoever reset them. */
static uint32_t lost(const struct streams *s)
{
    return s->unanswered > STREAMS_ANNOUNCED ? s->unanswered - STREAMS_ANNOUNCED : 0;
}

void streams_begin(struct streams *s, uint32_t id)
{
    s->last = id;
    s->unanswered++;
    if (++s->opened < HALVE_AT)
        return;
    s->opened /= 2;
    s->resets /= 2;
    s->unanswered -= lost(s) / 2;
}

static void remove_open(struct streams *s, struct stream *stream)
{
    *stream = s->open[--s->open_count];
}

/* Room for one more; a refused stream whose client fell silent gives way. */
static bool make_room(struct streams *s)
{
    if (s->open_count < STREAMS_OPEN_MAX)
        return true;
    for (uint32_t i = 0; i < s->open_count; i++)
        if (s->open[i].refused) {
            remove_open(s, &s->open[i]);
            return true;
        }
    return false;
}

bool streams_await(struct streams *s, uint32_t id, int64_t now)
{
    if (!make_room(s))
        return false;
    s->open[s->open_count++] = (struct stream){.id = id, .since = now};
    return true;
}

static void forget_bytes(struct streams *s, uint64_t bytes)
{
    s->inflight -= bytes < s->inflight ? bytes : s->inflight;
}

void streams_bytes(struct streams *s, struct stream *stream, uint32_t bytes, uint64_t body_max)
{
    if (stream->refused)
        return;
    stream->bytes += bytes;
    s->inflight += bytes;
    if (stream->bytes > body_max) {
        stream->refused = true;
        forget_bytes(s, stream->bytes);
    }
}

void streams_complete(struct streams *s, uint32_t id)
{
    struct stream *const stream = streams_find(s, id);

    if (stream != NULL)
        remove_open(s, stream);
}

void streams_reset(struct streams *s, uint32_t id)
{
    struct stream *const stream = streams_find(s, id);

    s->resets++;
    if (stream == NULL)
        return;
    if (!stream->refused)
        forget_bytes(s, stream->bytes);
    remove_open(s, stream);
}

void streams_over(struct streams *s, uint64_t body)
{
    if (s->unanswered > 0)
        s->unanswered--;
    forget_bytes(s, body);
    /* What the library dropped without telling us would add up over the years. */
    if (s->unanswered == 0 && s->open_count == 0)
        s->inflight = 0;
}

bool streams_bearable(const struct streams *s, uint32_t free)
{
    const uint32_t ended = s->resets > lost(s) ? s->resets : lost(s);

    return ended <= free || ended <= s->opened / 2;
}

int64_t streams_oldest(const struct streams *s, int64_t none)
{
    int64_t oldest = none;

    for (uint32_t i = 0; i < s->open_count; i++)
        if (!s->open[i].refused && s->open[i].since < oldest)
            oldest = s->open[i].since;
    return oldest;
}

bool streams_quiet(const struct streams *s)
{
    for (uint32_t i = 0; i < s->open_count; i++)
        if (!s->open[i].refused)
            return false;
    return true;
}
