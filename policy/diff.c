#include "policy/diff.h"

#include <stdio.h>

#include "base/jsontext.h"

#include "base/banned.h"

void diff_release(struct diff *d)
{
    buf_release(&d->path);
    *d = (struct diff){0};
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool is_plain(struct bytes key)
{
    for (size_t i = 0; i < key.len; i++) {
        const uint8_t c = key.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return key.len > 0;
}

static void push_key(struct buf *path, struct bytes key)
{
    if (is_plain(key)) {
        if (path->len > 0)
            buf_byte(path, '.');
        buf_append(path, key);
        return;
    }
    buf_byte(path, '[');
    jsontext_string(path, key);
    buf_byte(path, ']');
}

/* --- the walk --------------------------------------------------------------------------------- */

static bool found(struct diff *d, struct bytes left, struct bytes right)
{
    d->left = left;
    d->right = right;
    return true;
}

static uint32_t take_count(struct bytes *value)
{
    const uint32_t count = canon_read_u32(bytes_of(value->ptr + 1, 4));

    *value = bytes_of(value->ptr + CANON_HEAD, value->len - CANON_HEAD);
    return count;
}

static bool diff_value(struct diff *d, struct bytes left, struct bytes right);

/* Labels and annotations without a key are absent (N21): it is the key that is missing, not the
 * map. */
static const struct bytes no_tags = {(const uint8_t *)"M\0\0\0\0", CANON_HEAD};

static bool is_tags(struct bytes path)
{
    return bytes_equal(path, BYTES("metadata.annotations")) ||
           bytes_equal(path, BYTES("metadata.labels"));
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static bool diff_list(struct diff *d, struct bytes left, struct bytes right)
{
    const uint32_t left_count = take_count(&left);
    const uint32_t right_count = take_count(&right);
    const size_t len = d->path.len;

    for (uint32_t i = 0; i < left_count || i < right_count; i++) {
        const struct bytes a = i < left_count ? canon_take_value(&left) : (struct bytes){0};
        const struct bytes b = i < right_count ? canon_take_value(&right) : (struct bytes){0};

        buf_printf(&d->path, "[%u]", i);
        if (diff_value(d, a, b))
            return true;
        d->path.len = len;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static bool diff_map(struct diff *d, struct bytes left, struct bytes right)
{
    uint32_t left_count = take_count(&left);
    uint32_t right_count = take_count(&right);
    const size_t len = d->path.len;

    while (left_count > 0 || right_count > 0) {
        struct bytes left_next = left;
        struct bytes right_next = right;
        const struct bytes a = left_count > 0 ? canon_read_string(&left_next) : (struct bytes){0};
        const struct bytes b = right_count > 0 ? canon_read_string(&right_next) : (struct bytes){0};
        const int order = left_count == 0 ? 1 : right_count == 0 ? -1 : bytes_compare(a, b);
        struct bytes x = {0};
        struct bytes y = {0};

        if (order <= 0) {
            x = canon_take_value(&left_next);
            left = left_next;
            left_count--;
        }
        if (order >= 0) {
            y = canon_take_value(&right_next);
            right = right_next;
            right_count--;
        }
        push_key(&d->path, order <= 0 ? a : b);
        if (diff_value(d, x, y))
            return true;
        d->path.len = len;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static bool diff_value(struct diff *d, struct bytes left, struct bytes right)
{
    if (bytes_equal(left, right))
        return false;
    if (is_tags(buf_bytes(&d->path))) {
        left = left.len == 0 ? no_tags : left;
        right = right.len == 0 ? no_tags : right;
    }
    if (left.len == 0 || right.len == 0 || left.ptr[0] != right.ptr[0])
        return found(d, left, right);
    if (left.ptr[0] == CANON_MAP)
        return diff_map(d, left, right);
    if (left.ptr[0] == CANON_LIST)
        return diff_list(d, left, right);
    return found(d, left, right);
}

bool diff_first(const struct normal *left, const struct normal *right, struct diff *out)
{
    *out = (struct diff){0};
    /* The spec is what people changed most often; metadata comes second. */
    if (diff_map(out, buf_bytes(&left->rest.out), buf_bytes(&right->rest.out)))
        return true;
    buf_append(&out->path, BYTES("metadata"));
    if (diff_map(out, buf_bytes(&left->meta.out), buf_bytes(&right->meta.out)))
        return true;
    diff_release(out);
    return false;
}

/* --- values for people ------------------------------------------------------------------------ */

static void render_number(struct bytes value, struct buf *out)
{
    uint64_t bits;

    memcpy(&bits, value.ptr + 1, sizeof(bits));
    bits = __builtin_bswap64(bits);
    if (value.ptr[0] == CANON_INTEGER) {
        buf_printf(out, "%lld", (long long)bits);
        return;
    }
    double real;

    memcpy(&real, &bits, sizeof(real));
    buf_printf(out, "%.17g", real);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static void render(struct bytes *cursor, size_t limit, struct buf *out)
{
    const uint8_t type = cursor->ptr[0];

    if (out->len > limit) { /* enough: only move on */
        (void)canon_take_value(cursor);
        return;
    }
    if (type == CANON_MAP || type == CANON_LIST) {
        const uint32_t count = take_count(cursor);

        buf_byte(out, type == CANON_MAP ? '{' : '[');
        for (uint32_t i = 0; i < count; i++) {
            if (i > 0)
                buf_byte(out, ',');
            if (type == CANON_MAP) {
                jsontext_string(out, canon_read_string(cursor));
                buf_byte(out, ':');
            }
            render(cursor, limit, out);
        }
        buf_byte(out, type == CANON_MAP ? '}' : ']');
        return;
    }
    const struct bytes value = canon_take_value(cursor);

    switch (type) {
    case CANON_STRING:
        jsontext_string(out, bytes_of(value.ptr + CANON_HEAD, value.len - CANON_HEAD));
        return;
    case CANON_INTEGER:
    case CANON_DOUBLE:
        render_number(value, out);
        return;
    default:
        buf_append_str(out, type == CANON_TRUE ? "true" : type == CANON_FALSE ? "false" : "null");
    }
}

void diff_render(struct bytes value, size_t limit, struct buf *out)
{
    struct buf text CLEANUP(buf_release) = {0};

    render(&value, limit, &text);
    if (text.len > limit) {
        text.len = limit;
        buf_append(&text, BYTES("..."));
    }
    buf_append(out, buf_bytes(&text));
}
