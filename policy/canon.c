#include "policy/canon.h"

#include <stdlib.h>

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
    c->step_count = 0;
    c->nulls = (struct bytes){0};
}

/* --- small writers ---------------------------------------------------------------------------- */

static void put_u32(uint8_t *p, size_t value)
{
    const uint32_t big = __builtin_bswap32((uint32_t)value);

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

static bool write_string(struct canon *c, struct jread *r)
{
    const size_t at = c->out.len;

    canon_head(&c->out, CANON_STRING, 0);
    if (!jread_string_append(r, &c->out))
        return false;
    canon_patch_count(&c->out, at, c->out.len - at - CANON_HEAD);
    return true;
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
    bits = __builtin_bswap64(bits);
    buf_byte(&c->out, number.is_integer ? CANON_INTEGER : CANON_DOUBLE);
    buf_append(&c->out, bytes_of(&bits, sizeof(bits)));
    return true;
}

/* --- maps ------------------------------------------------------------------------------------- */

static struct bytes key_at(const struct canon *c, size_t at)
{
    const uint8_t *p = c->out.ptr + at;

    return bytes_of(p + CANON_HEAD, canon_read_u32(bytes_of(p + 1, 4)));
}

void canon_map_begin(struct canon *c, struct canon_map *map)
{
    *map = (struct canon_map){.at = c->out.len, .first_entry = c->entry_count, .in_order = true};
    canon_head(&c->out, CANON_MAP, 0);
}

static void push_entry(struct canon *c, size_t at)
{
    if (c->entry_count == c->entry_cap) {
        c->entry_cap = c->entry_cap == 0 ? 64 : 2 * c->entry_cap;
        c->entries = xrealloc(c->entries, c->entry_cap * sizeof(c->entries[0]));
    }
    c->entries[c->entry_count++] = (struct canon_entry){.at = at};
}

bool canon_map_key(struct canon *c, struct canon_map *map, struct jread *r, struct bytes *key)
{
    const size_t at = c->out.len;

    if (!write_string(c, r) || !jread_colon(r))
        return false;
    *key = key_at(c, at);
    if (c->entry_count > map->first_entry) {
        const struct bytes before = key_at(c, c->entries[c->entry_count - 1].at);
        const int order = bytes_compare(before, *key);

        if (order == 0)
            return jread_fail(r, "duplicate key");
        if (order > 0)
            map->in_order = false;
    }
    push_entry(c, at);
    return true;
}

void canon_map_drop(struct canon *c, struct canon_map *map)
{
    struct canon_entry *last = &c->entries[c->entry_count - 1];

    /* The key stays until the map ends: a second one like it is a duplicate. */
    c->out.len = last->at + CANON_HEAD + key_at(c, last->at).len;
    last->dropped = true;
    map->has_dropped = true;
}

void canon_map_forget(struct canon *c)
{
    c->out.len = c->entries[--c->entry_count].at;
}

static bool at_droppable_null(struct canon *c, struct jread *r, size_t key)
{
    struct nulls_step path[JREAD_MAX_DEPTH + 1];

    if (c->nulls.len == 0 || jread_peek(r) != JREAD_NIL)
        return false;
    for (size_t i = 0; i < c->step_count; i++) {
        path[i] = (struct nulls_step){.is_item = c->steps[i].is_item};
        if (!path[i].is_item)
            path[i].key = key_at(c, c->steps[i].key_at);
    }
    path[c->step_count] = (struct nulls_step){.key = key_at(c, key)};
    return nulls_droppable(c->nulls, path, c->step_count + 1);
}

static bool step_into(struct canon *c, struct jread *r, bool is_item, size_t key);

/* NOLINTNEXTLINE(misc-no-recursion): bounded by JREAD_MAX_DEPTH */
bool canon_map_value(struct canon *c, struct canon_map *map, struct jread *r)
{
    const size_t key = c->entries[c->entry_count - 1].at;

    if (at_droppable_null(c, r, key)) {
        if (!jread_literal(r, JREAD_NIL))
            return false;
        canon_map_drop(c, map);
        return true;
    }
    return step_into(c, r, false, key);
}

static int compare_entries(const void *a, const void *b, void *context)
{
    const struct canon *c = context;
    const struct canon_entry *one = a;
    const struct canon_entry *other = b;

    return bytes_compare(key_at(c, one->at), key_at(c, other->at));
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
        const struct bytes key = key_at(c, entry.at);
        size_t k = i;

        for (; k > 0 && bytes_compare(key_at(c, entries[k - 1].at), key) > 0; k--)
            entries[k] = entries[k - 1];
        entries[k] = entry;
    }
}

/* Sorts the map's entries and leaves out the dropped ones. */
static bool put_in_order(struct canon *c, const struct canon_map *map, struct jread *r)
{
    struct canon_entry *entries = c->entries + map->first_entry;
    const size_t count = c->entry_count - map->first_entry;
    const size_t start = map->at + CANON_HEAD;

    for (size_t i = 0; i < count; i++)
        entries[i].len = (i + 1 < count ? entries[i + 1].at : c->out.len) - entries[i].at;
    if (!map->in_order)
        sort_entries(c, entries, count);
    c->scratch.len = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && bytes_equal(key_at(c, entries[i - 1].at), key_at(c, entries[i].at)))
            return jread_fail(r, "duplicate key");
        if (!entries[i].dropped)
            buf_append(&c->scratch, bytes_of(c->out.ptr + entries[i].at, entries[i].len));
    }
    c->out.len = start;
    buf_append(&c->out, buf_bytes(&c->scratch));
    return true;
}

size_t canon_map_count(const struct canon *c, const struct canon_map *map)
{
    size_t count = c->entry_count - map->first_entry;

    if (!map->has_dropped)
        return count;
    for (size_t i = map->first_entry; i < c->entry_count; i++)
        count -= c->entries[i].dropped;
    return count;
}

bool canon_map_end(struct canon *c, struct canon_map *map, struct jread *r)
{
    const size_t count = canon_map_count(c, map);

    if (r->problem != NULL)
        return false;
    if ((!map->in_order || map->has_dropped) && !put_in_order(c, map, r))
        return false;
    c->entry_count = map->first_entry;
    canon_patch_count(&c->out, map->at, count);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by JREAD_MAX_DEPTH */
static bool write_map(struct canon *c, struct jread *r)
{
    struct canon_map map;
    struct bytes key;

    if (!jread_enter(r, JREAD_MAP))
        return false;
    canon_map_begin(c, &map);
    for (bool first = true; jread_next(r, JREAD_MAP, &first);) {
        if (!canon_map_key(c, &map, r, &key) || !canon_map_value(c, &map, r))
            return false;
    }
    return canon_map_end(c, &map, r);
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by JREAD_MAX_DEPTH */
static bool write_list(struct canon *c, struct jread *r)
{
    const size_t at = c->out.len;
    size_t count = 0;

    if (!jread_enter(r, JREAD_LIST))
        return false;
    canon_head(&c->out, CANON_LIST, 0);
    for (bool first = true; jread_next(r, JREAD_LIST, &first); count++) {
        if (!step_into(c, r, true, 0))
            return false;
    }
    canon_patch_count(&c->out, at, count);
    return r->problem == NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by JREAD_MAX_DEPTH */
bool canon_value(struct canon *c, struct jread *r)
{
    const enum jread_type type = jread_peek(r);

    switch (type) {
    case JREAD_MAP:
        return write_map(c, r);
    case JREAD_LIST:
        return write_list(c, r);
    case JREAD_TEXT:
        return write_string(c, r);
    case JREAD_DIGITS:
        return write_number(c, r);
    case JREAD_YES:
    case JREAD_NO:
    case JREAD_NIL:
        buf_byte(&c->out, type == JREAD_YES  ? CANON_TRUE
                          : type == JREAD_NO ? CANON_FALSE
                                             : CANON_NULL);
        return jread_literal(r, type);
    case JREAD_NOTHING:
        break;
    }
    return jread_fail(r, "expected a value");
}

/* NOLINTNEXTLINE(misc-no-recursion): one step down, bounded by JREAD_MAX_DEPTH */
static bool step_into(struct canon *c, struct jread *r, bool is_item, size_t key)
{
    if (c->step_count == JREAD_MAX_DEPTH)
        return jread_fail(r, "nested too deeply");
    c->steps[c->step_count].is_item = is_item;
    c->steps[c->step_count].key_at = key;
    c->step_count++;
    const bool ok = canon_value(c, r);

    c->step_count--;
    return ok;
}

bool canon_skip(struct canon *c, struct jread *r)
{
    const size_t len = c->out.len;
    const struct bytes nulls = c->nulls;

    c->nulls = (struct bytes){0};
    const bool ok = canon_value(c, r);

    c->nulls = nulls;
    c->out.len = len;
    return ok;
}

/* --- reading it back -------------------------------------------------------------------------- */

uint32_t canon_read_u32(struct bytes at)
{
    uint32_t big;

    memcpy(&big, at.ptr, sizeof(big));
    return __builtin_bswap32(big);
}

static void advance(struct bytes *cursor, size_t by)
{
    cursor->ptr += by;
    cursor->len -= by;
}

struct bytes canon_read_string(struct bytes *cursor)
{
    const size_t len = canon_read_u32(bytes_of(cursor->ptr + 1, 4));
    const struct bytes s = bytes_of(cursor->ptr + CANON_HEAD, len);

    advance(cursor, CANON_HEAD + len);
    return s;
}

struct bytes canon_take_value(struct bytes *cursor)
{
    const uint8_t *start = cursor->ptr;

    /* Values still to pass: a map's entry is two, so nothing here recurses. */
    for (size_t left = 1; left > 0; left--) {
        switch (cursor->ptr[0]) {
        case CANON_STRING:
            (void)canon_read_string(cursor);
            break;
        case CANON_LIST:
            left += canon_read_u32(bytes_of(cursor->ptr + 1, 4));
            advance(cursor, CANON_HEAD);
            break;
        case CANON_MAP:
            left += 2 * (size_t)canon_read_u32(bytes_of(cursor->ptr + 1, 4));
            advance(cursor, CANON_HEAD);
            break;
        case CANON_INTEGER:
        case CANON_DOUBLE:
            advance(cursor, 1 + sizeof(uint64_t));
            break;
        default:
            advance(cursor, 1);
        }
    }
    return bytes_of(start, (size_t)(cursor->ptr - start));
}
