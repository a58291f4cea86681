#include "policy/diff.h"

#include "base/jsontext.h"
#include "policy/canon_tree.h"

#include "base/banned.h"

void diff_release(struct diff *d)
{
    buf_release(&d->path);
    *d = (struct diff){0};
}

/* --- the walk --------------------------------------------------------------------------------- */

struct walk {
    diff_visit *visit;
    void *context;
};

static bool diff_value(const struct walk *w, const struct schema_path *path, struct bytes left,
                       struct bytes right);

/* Labels and annotations without a key are absent (N21): it is the key that is missing, not the
 * map. */
static const struct bytes no_tags = {(const uint8_t *)"M\0\0\0\0", CANON_HEAD};

static bool is_tags(const struct schema_path *path)
{
    return path->up != NULL && path->up->up == NULL &&
           bytes_equal(path->up->key, BYTES("metadata")) &&
           (bytes_equal(path->key, BYTES("annotations")) ||
            bytes_equal(path->key, BYTES("labels")));
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static bool diff_list(const struct walk *w, const struct schema_path *up, struct bytes left,
                      struct bytes right)
{
    const uint32_t left_count = canon_take_count(&left);
    const uint32_t right_count = canon_take_count(&right);

    for (uint32_t i = 0; i < left_count || i < right_count; i++) {
        const struct bytes a = i < left_count ? canon_take_value(&left) : (struct bytes){0};
        const struct bytes b = i < right_count ? canon_take_value(&right) : (struct bytes){0};
        const struct schema_path at = {.up = up, .index = i, .is_item = true};

        if (diff_value(w, &at, a, b))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static bool diff_map(const struct walk *w, const struct schema_path *up, struct bytes left,
                     struct bytes right)
{
    uint32_t left_count = canon_take_count(&left);
    uint32_t right_count = canon_take_count(&right);

    while (left_count > 0 || right_count > 0) {
        struct bytes left_next = left;
        struct bytes right_next = right;
        const struct bytes a = left_count > 0 ? canon_read_string(&left_next) : (struct bytes){0};
        const struct bytes b = right_count > 0 ? canon_read_string(&right_next) : (struct bytes){0};
        const int order = left_count == 0 ? 1 : right_count == 0 ? -1 : bytes_compare(a, b);
        const struct schema_path at = {.up = up, .key = order <= 0 ? a : b};
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
        if (diff_value(w, &at, x, y))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by JREAD_MAX_DEPTH */
static bool diff_value(const struct walk *w, const struct schema_path *path, struct bytes left,
                       struct bytes right)
{
    if (bytes_equal(left, right))
        return false;
    if (is_tags(path)) {
        left = left.len == 0 ? no_tags : left;
        right = right.len == 0 ? no_tags : right;
    }
    if (left.len == 0 || right.len == 0 || left.ptr[0] != right.ptr[0])
        return w->visit(w->context, path, left, right);
    if (left.ptr[0] == CANON_MAP)
        return diff_map(w, path, left, right);
    if (left.ptr[0] == CANON_LIST)
        return diff_list(w, path, left, right);
    return w->visit(w->context, path, left, right);
}

bool diff_each(const struct normal *left, const struct normal *right, diff_visit *visit,
               void *context)
{
    const struct walk w = {visit, context};
    const struct schema_path metadata = {.key = BYTES("metadata")};

    /* The spec is what people changed most often; metadata comes second. */
    return diff_map(&w, NULL, buf_bytes(&left->rest.out), buf_bytes(&right->rest.out)) ||
           diff_map(&w, &metadata, buf_bytes(&left->meta.out), buf_bytes(&right->meta.out));
}

static bool keep(void *context, const struct schema_path *path, struct bytes left,
                 struct bytes right)
{
    struct diff *d = context;

    schema_path_text(path, &d->path);
    d->left = left;
    d->right = right;
    return true;
}

bool diff_first(const struct normal *left, const struct normal *right, struct diff *out)
{
    *out = (struct diff){0};
    return diff_each(left, right, keep, out);
}

/* --- values for people ------------------------------------------------------------------------ */

static void render_number(struct bytes value, struct buf *out)
{
    if (value.ptr[0] == CANON_INTEGER)
        buf_printf(out, "%lld", (long long)canon_tree_integer(value));
    else
        buf_printf(out, "%.17g", canon_tree_double(value));
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
        const uint32_t count = canon_take_count(cursor);

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
