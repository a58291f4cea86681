/*
 * other_text.h -- a JSON value as a text that looks as different as it may: keys from last to
 * first, white space wherever it can stand, ASCII only.
 */
#ifndef TESTS_FUZZ_OTHER_TEXT_H
#define TESTS_FUZZ_OTHER_TEXT_H

#include <jansson.h>

#include "tests/fuzz/fuzz.h"

static inline int other_text_compare(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The keys of an object, in order; the caller frees. */
static inline struct bytes *other_text_keys(const json_t *object)
{
    struct bytes *keys = xcalloc(json_object_size(object), sizeof(keys[0]));
    const char *key;
    json_t *value;
    size_t i = 0;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        keys[i++] = bytes_str(key);
    }
    if (i > 0)
        qsort(keys, i, sizeof(keys[0]), other_text_compare);
    return keys;
}

static inline void other_text_leaf(struct buf *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

    require(text != NULL);
    buf_append_str(out, text);
    free(text);
}

static inline void other_text_key(struct buf *out, struct bytes key)
{
    json_t *text = json_stringn((const char *)key.ptr, key.len);

    other_text_leaf(out, text);
    json_decref(text);
}

/* NOLINTNEXTLINE(misc-no-recursion): what was accepted, JREAD_MAX_DEPTH */
static inline void other_text(struct buf *out, const json_t *value)
{
    const bool is_map = json_is_object(value);
    const size_t count = is_map ? json_object_size(value) : json_array_size(value);
    struct bytes *keys;

    if (!is_map && !json_is_array(value)) {
        other_text_leaf(out, value);
        return;
    }
    keys = is_map ? other_text_keys(value) : NULL;
    buf_append_str(out, is_map ? "{\n" : "[ ");
    for (size_t i = 0; i < count; i++) {
        buf_append_str(out, i == 0 ? "" : "\r,\t");
        if (is_map) {
            const struct bytes key = keys[count - 1 - i];

            other_text_key(out, key);
            buf_append_str(out, " : ");
            other_text(out, json_object_get(value, (const char *)key.ptr));
        } else {
            other_text(out, json_array_get(value, i));
        }
    }
    buf_append_str(out, is_map ? "\t}" : "\n]");
    free(keys);
}

#endif
