#include "policy/canon_tree.h"

#include <endian.h>

#include "base/mem.h"

#include "base/banned.h"

static uint64_t bits_of(struct bytes value)
{
    uint64_t bits;

    memcpy(&bits, value.ptr + 1, sizeof(bits));
    return be64toh(bits);
}

int64_t canon_tree_integer(struct bytes value)
{
    return (int64_t)bits_of(value);
}

double canon_tree_double(struct bytes value)
{
    const uint64_t bits = bits_of(value);
    double real;

    memcpy(&real, &bits, sizeof(real));
    return real;
}

static json_t *made(json_t *value)
{
    if (value == NULL)
        out_of_memory();
    return value;
}

static json_t *scalar(struct bytes value)
{
    switch (value.ptr[0]) {
    case CANON_STRING:
        return made(
            json_stringn_nocheck((const char *)value.ptr + CANON_HEAD, value.len - CANON_HEAD));
    case CANON_INTEGER:
        return made(json_integer(canon_tree_integer(value)));
    case CANON_DOUBLE:
        return made(json_real(canon_tree_double(value)));
    case CANON_NULL:
        return json_null();
    default:
        return json_boolean(value.ptr[0] == CANON_TRUE);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static json_t *take(struct bytes *cursor)
{
    const uint8_t type = cursor->ptr[0];

    if (type != CANON_MAP && type != CANON_LIST)
        return scalar(canon_take_value(cursor));
    json_t *out = made(type == CANON_MAP ? json_object() : json_array());

    for (uint32_t count = canon_take_count(cursor); count > 0; count--) {
        struct bytes key = {0};

        if (type == CANON_MAP)
            key = canon_read_string(cursor);
        json_t *value = take(cursor);
        const int failed =
            type == CANON_MAP
                ? json_object_setn_new_nocheck(out, (const char *)key.ptr, key.len, value)
                : json_array_append_new(out, value);

        if (failed != 0)
            out_of_memory();
    }
    return out;
}

json_t *canon_tree(struct bytes value)
{
    return take(&value);
}

json_t *canon_tree_normal(const struct normal *n)
{
    json_t *out = canon_tree(buf_bytes(&n->rest.out));
    json_t *metadata = canon_tree(buf_bytes(&n->meta.out));

    if (json_object_size(metadata) == 0)
        json_decref(metadata);
    else if (json_object_set_new_nocheck(out, "metadata", metadata) != 0)
        out_of_memory();
    return out;
}
