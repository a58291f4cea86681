#include "policy/canon.h"

#include <endian.h>
#include <stdlib.h>

#include "policy/skim.h"

#include "base/banned.h"

enum { CANON_KEEP_BYTES = 1 << 20, CANON_KEEP_ENTRIES = 1 << 14, SMALL_MAP = 24 };

void canon_release(struct canon *c)
{
    buf_release(&c->out);
    buf_release(&c->scratch);
    free(c->entries);
    *c = (struct canon){0};
}

void canon_clear(struct canon *c)
{
    if (c->out.cap > CANON_KEEP_BYTES || c->scratch.cap > CANON_KEEP_BYTES ||
        c->entry_cap > CANON_KEEP_ENTRIES)
        canon_release(c);
    c->out.len = 0;
    c->entry_count = 0;
    c->open_count = 0;
    c->nulls = (struct bytes){0};
}

/* --- small writers ---------------------------------------------------------------------------- */

static void put_u32(uint8_t *p, size_t value)
{
    const uint32_t big = htobe32((uint32_t)value);

    memcpy(p, &big, sizeof(big));
}

void canon_head(struct buf *out, uint8_t type, size_t count)
{
    buf_reserve(out, CANON_HEAD);
    out->ptr[out->len] = type;
    put_u32(out->ptr + out->len + 1, count);
    out->len += CANON_HEAD;
}

void canon_patch_count(struct buf *out, size_t at, size_t count)
{
    put_u32(out->ptr + at + 1, count);
}

void canon_string(struct buf *out, struct bytes s)
{
    canon_head(out, CANON_STRING, s.len);
    buf_append(out, s);
}

/* --- the place ---------------------------------------------------------------------------------
 *
 * Where reader and writer stand, as a local of the function that uses it: bytes that are written
 * through a pointer could be anything's, so what is kept in the structs is loaded again after each.
 */

struct place {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t *out;
};

/* In front of each token: room for whatever it is, and for a block beyond it (plain.h). */
enum { TOKEN_MOST = CANON_HEAD + sizeof(uint64_t) + PLAIN_BLOCK };

ALWAYS_INLINE struct place place_of(struct canon *c, const struct jread *r)
{
    buf_reserve(&c->out, (size_t)(r->end - r->at) + TOKEN_MOST);
    return (struct place){r->at, r->end, c->out.ptr + c->out.len};
}

ALWAYS_INLINE void place_keep(const struct place *p, struct canon *c, struct jread *r)
{
    r->at = p->at;
    c->out.len = (size_t)(p->out - c->out.ptr);
}

ALWAYS_INLINE void place_room(struct place *p, struct canon *c)
{
    const size_t len = (size_t)(p->out - c->out.ptr);

    if (LIKELY(c->out.cap - len >= (size_t)(p->end - p->at) + TOKEN_MOST))
        return;
    c->out.len = len;
    buf_grow(&c->out, (size_t)(p->end - p->at) + TOKEN_MOST);
    p->out = c->out.ptr + len;
}

/* The next byte that is not white space; 0 at the end. */
ALWAYS_INLINE uint8_t place_byte(struct place *p)
{
    if (LIKELY(p->at<p->end && * p->at> ' '))
        return *p->at;
    p->at = jread_space(p->at, p->end);
    return p->at == p->end ? 0 : *p->at;
}

ALWAYS_INLINE bool place_fail(const struct place *p, struct canon *c, struct jread *r,
                              const char *problem)
{
    place_keep(p, c, r);
    return jread_fail(r, problem);
}

/* --- scalars ---------------------------------------------------------------------------------- */

/* From the first byte that is not plain. */
static bool rest_of_string(struct canon *c, struct jread *r, size_t at)
{
    if (!jread_string_rest(r, &c->out))
        return false;
    canon_patch_count(&c->out, at, c->out.len - at - CANON_HEAD);
    return true;
}

/* A string that begins here. */
ALWAYS_INLINE bool put_string(struct place *p, struct canon *c, struct jread *r)
{
    place_room(p, c);
    uint8_t *const head = p->out;
    const uint8_t *const run = p->at + 1;

    p->at = plain_copy(run, p->end, head + CANON_HEAD);
    p->out = head + CANON_HEAD + (p->at - run);
    head[0] = CANON_STRING;
    put_u32(head + 1, (size_t)(p->at - run));
    if (LIKELY(p->at < p->end && *p->at == '"')) {
        p->at++;
        return jread_count_value(r);
    }
    place_keep(p, c, r);
    const bool good = rest_of_string(c, r, (size_t)(head - c->out.ptr));

    *p = place_of(c, r);
    return good;
}

static bool write_number(struct canon *c, struct jread *r)
{
    struct jread_number number;
    uint64_t bits;

    if (!jread_number(r, &number))
        return false;
    if (number.is_integer)
        bits = (uint64_t)number.integer;
    else
        memcpy(&bits, &number.real, sizeof(bits));
    bits = htobe64(bits);
    buf_byte(&c->out, number.is_integer ? CANON_INTEGER : CANON_DOUBLE);
    buf_append(&c->out, bytes_of(&bits, sizeof(bits)));
    return true;
}

static bool is_droppable(const struct canon *c);

static bool write_literal(struct canon *c, struct jread *r, enum jread_type type)
{
    buf_byte(&c->out, type == JREAD_YES ? CANON_TRUE : type == JREAD_NO ? CANON_FALSE : CANON_NULL);
    if (!jread_literal(r, type))
        return false;
    if (type == JREAD_NIL && is_droppable(c))
        canon_map_drop(c);
    return true;
}

static bool write_other(struct canon *c, struct jread *r, enum jread_type type)
{
    if (type == JREAD_DIGITS)
        return write_number(c, r);
    if (type == JREAD_NOTHING)
        return jread_fail(r, "expected a value");
    return write_literal(c, r, type);
}

/* --- maps ------------------------------------------------------------------------------------- */

static struct canon_frame *top(struct canon *c)
{
    return &c->open[c->open_count - 1];
}

static struct bytes key_at(const struct canon *c, size_t at)
{
    const uint8_t *p = c->out.ptr + at;

    return bytes_of(p + CANON_HEAD, canon_read_u32(bytes_of(p + 1, 4)));
}

static inline int compare_keys(const struct canon *c, const struct canon_entry *a,
                               const struct canon_entry *b)
{
    if (LIKELY(a->prefix != b->prefix))
        return a->prefix < b->prefix ? -1 : 1;
    return bytes_compare(key_at(c, a->at), key_at(c, b->at));
}

static void more_entries(struct canon *c)
{
    c->entry_cap = c->entry_cap == 0 ? 64 : 2 * c->entry_cap;
    c->entries = xrealloc(c->entries, c->entry_cap * sizeof(c->entries[0]));
}

/* A key that begins here, and its colon. */
ALWAYS_INLINE bool put_key(struct place *p, struct canon *c, struct jread *r)
{
    if (UNLIKELY(place_byte(p) != '"'))
        return place_fail(p, c, r, "expected a string");
    const size_t at = (size_t)(p->out - c->out.ptr);

    if (UNLIKELY(!put_string(p, c, r)))
        return false;
    if (UNLIKELY(place_byte(p) != ':'))
        return place_fail(p, c, r, "expected a colon");
    p->at++;
    if (UNLIKELY(c->entry_count == c->entry_cap))
        more_entries(c);
    struct canon_entry *const entry = &c->entries[c->entry_count];
    const uint8_t *const key = c->out.ptr + at + CANON_HEAD;

    entry->at = at;
    entry->prefix = bytes_prefix(bytes_of(key, (size_t)(p->out - key)));
    entry->dropped = false;
    if (c->entry_count++ == top(c)->first_entry)
        return true;
    const int order = compare_keys(c, entry - 1, entry);

    if (UNLIKELY(order == 0))
        return place_fail(p, c, r, "duplicate key");
    if (order > 0)
        top(c)->in_order = false;
    return true;
}

void canon_map_drop(struct canon *c)
{
    struct canon_entry *const last = &c->entries[c->entry_count - 1];

    /* The key stays until the map ends: a second one like it is a duplicate. */
    c->out.len = last->at + CANON_HEAD + key_at(c, last->at).len;
    last->dropped = true;
    top(c)->has_dropped = true;
}

void canon_map_forget(struct canon *c)
{
    c->out.len = c->entries[--c->entry_count].at;
}

/* Whether a null that was written as the value of the newest key is dropped (N15). */
static bool is_droppable(const struct canon *c)
{
    struct nulls_step path[JREAD_MAX_DEPTH];

    if (c->nulls.len == 0 || c->open_count == 0 || c->open[c->open_count - 1].is_list)
        return false;
    for (size_t i = 0; i < c->open_count; i++) {
        const size_t end = i + 1 < c->open_count ? c->open[i + 1].first_entry : c->entry_count;

        path[i] = (struct nulls_step){.is_item = c->open[i].is_list};
        if (!path[i].is_item)
            path[i].key = key_at(c, c->entries[end - 1].at);
    }
    return nulls_droppable(c->nulls, path, c->open_count);
}

static int compare_entries(const void *a, const void *b, void *context)
{
    return compare_keys(context, a, b);
}

/* Maps are small: most are sorted by hand faster than qsort_r is called. */
static void sort_entries(struct canon *c, struct canon_entry *entries, size_t count)
{
    if (count > SMALL_MAP) {
        qsort_r(entries, count, sizeof(entries[0]), compare_entries, c);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct canon_entry entry = entries[i];
        size_t k = i;

        for (; k > 0 && compare_keys(c, &entries[k - 1], &entry) > 0; k--)
            entries[k] = entries[k - 1];
        entries[k] = entry;
    }
}

/* Sorts the map's entries and leaves out the dropped ones. */
static bool put_in_order(struct canon *c, const struct canon_frame *map, struct jread *r)
{
    struct canon_entry *const entries = c->entries + map->first_entry;
    const size_t count = c->entry_count - map->first_entry;

    for (size_t i = 0; i < count; i++)
        entries[i].len = (i + 1 < count ? entries[i + 1].at : c->out.len) - entries[i].at;
    if (!map->in_order)
        sort_entries(c, entries, count);
    c->scratch.len = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_keys(c, &entries[i - 1], &entries[i]) == 0)
            return jread_fail(r, "duplicate key");
        if (!entries[i].dropped)
            buf_append(&c->scratch, bytes_of(c->out.ptr + entries[i].at, entries[i].len));
    }
    c->out.len = map->at + CANON_HEAD;
    buf_append(&c->out, buf_bytes(&c->scratch));
    return true;
}

size_t canon_map_count(const struct canon *c)
{
    const struct canon_frame *const map = &c->open[c->open_count - 1];
    size_t count = c->entry_count - map->first_entry;

    if (!map->has_dropped)
        return count;
    for (size_t i = map->first_entry; i < c->entry_count; i++)
        count -= c->entries[i].dropped;
    return count;
}

bool canon_map_end(struct canon *c, struct jread *r)
{
    const struct canon_frame *const map = top(c);
    const size_t count = canon_map_count(c);

    if (r->problem != NULL)
        return false;
    if ((!map->in_order || map->has_dropped) && !put_in_order(c, map, r))
        return false;
    c->entry_count = map->first_entry;
    c->open_count--;
    canon_patch_count(&c->out, map->at, count);
    return true;
}

/* --- maps and lists --------------------------------------------------------------------------- */

/* The frame is there: every open bracket was counted (JREAD_MAX_DEPTH). */
ALWAYS_INLINE void push_frame(struct place *p, struct canon *c, bool is_list)
{
    c->open[c->open_count++] = (struct canon_frame){
        .at = (size_t)(p->out - c->out.ptr),
        .first_entry = c->entry_count,
        .is_list = is_list,
        .in_order = true,
    };
    p->out[0] = is_list ? CANON_LIST : CANON_MAP;
    put_u32(p->out + 1, 0);
    p->out += CANON_HEAD;
}

ALWAYS_INLINE bool open_bracket(struct place *p, struct canon *c, struct jread *r, bool is_list)
{
    if (UNLIKELY(r->depth >= JREAD_MAX_DEPTH))
        return place_fail(p, c, r, "nested too deeply");
    r->depth++;
    p->at++;
    place_room(p, c);
    push_frame(p, c, is_list);
    return jread_count_value(r);
}

ALWAYS_INLINE bool close_bracket(struct place *p, struct canon *c, struct jread *r)
{
    const struct canon_frame *const frame = top(c);

    r->depth--;
    p->at++;
    if (frame->is_list) {
        put_u32(c->out.ptr + frame->at + 1, frame->items);
        c->open_count--;
        return true;
    }
    if (LIKELY(frame->in_order && !frame->has_dropped)) {
        put_u32(c->out.ptr + frame->at + 1, c->entry_count - frame->first_entry);
        c->entry_count = frame->first_entry;
        c->open_count--;
        return true;
    }
    place_keep(p, c, r);
    const bool good = canon_map_end(c, r);

    *p = place_of(c, r);
    return good;
}

/* A scalar, or the bracket that opens a map or a list. */
ALWAYS_INLINE bool put_value(struct place *p, struct canon *c, struct jread *r)
{
    const enum jread_type type = (enum jread_type)jread_types[place_byte(p)];

    if (type == JREAD_TEXT)
        return put_string(p, c, r);
    if (type == JREAD_MAP || type == JREAD_LIST)
        return open_bracket(p, c, r, type == JREAD_LIST);
    place_keep(p, c, r);
    const bool good = write_other(c, r, type);

    *p = place_of(c, r);
    return good;
}

ALWAYS_INLINE bool at_end(struct place *p, struct canon *c)
{
    return place_byte(p) == (top(c)->is_list ? ']' : '}');
}

/* To the next entry of the innermost map or list; `first`: it was opened just now. */
ALWAYS_INLINE bool put_entry(struct place *p, struct canon *c, struct jread *r, bool first)
{
    struct canon_frame *const frame = top(c);

    if (!first) {
        if (UNLIKELY(place_byte(p) != ','))
            return place_fail(p, c, r, p->at == p->end ? "ends too early" : "expected a comma");
        p->at++;
        if (UNLIKELY(at_end(p, c)))
            return place_fail(p, c, r, "comma before a closing bracket");
    }
    if (!frame->is_list)
        return put_key(p, c, r);
    frame->items++;
    return true;
}

bool canon_value(struct canon *c, struct jread *r)
{
    const size_t floor = c->open_count;
    struct place p = place_of(c, r);

    for (;;) {
        const size_t before = c->open_count;

        if (!put_value(&p, c, r))
            return false;
        bool first = c->open_count > before;

        for (; c->open_count > floor && at_end(&p, c); first = false) {
            if (!close_bracket(&p, c, r))
                return false;
        }
        if (c->open_count == floor)
            break;
        if (!put_entry(&p, c, r, first))
            return false;
    }
    place_keep(&p, c, r);
    return true;
}

void canon_map_begin(struct canon *c)
{
    struct place p;

    buf_reserve(&c->out, CANON_HEAD);
    p = (struct place){.out = c->out.ptr + c->out.len};
    push_frame(&p, c, false);
    c->out.len += CANON_HEAD;
}

bool canon_map_key(struct canon *c, struct jread *r, struct bytes *key)
{
    struct place p = place_of(c, r);

    if (!put_key(&p, c, r))
        return false;
    place_keep(&p, c, r);
    *key = key_at(c, c->entries[c->entry_count - 1].at);
    return true;
}

bool canon_skip(struct canon *c, struct jread *r)
{
    const size_t len = c->out.len;
    const struct bytes nulls = c->nulls;

    if (skim_value(r))
        return true;
    c->nulls = (struct bytes){0};
    const bool ok = canon_value(c, r);

    c->nulls = nulls;
    c->out.len = len;
    return ok;
}
