#include "policy/canon_read.h"

#include <endian.h>

#include "base/banned.h"

uint32_t canon_read_u32(struct bytes at)
{
    uint32_t big;

    memcpy(&big, at.ptr, sizeof(big));
    return be32toh(big);
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

uint32_t canon_take_count(struct bytes *cursor)
{
    const uint32_t count = canon_read_u32(bytes_of(cursor->ptr + 1, 4));

    advance(cursor, CANON_HEAD);
    return count;
}

struct canon_entries canon_entries_of(struct bytes map)
{
    struct canon_entries e = {.rest = map};

    if (map.len >= CANON_HEAD && map.ptr[0] == CANON_MAP)
        e.left = canon_take_count(&e.rest);
    return e;
}

bool canon_next_entry(struct canon_entries *e, struct bytes *key, struct bytes *value)
{
    if (e->left == 0)
        return false;
    e->left--;
    *key = canon_read_string(&e->rest);
    *value = canon_take_value(&e->rest);
    return true;
}
