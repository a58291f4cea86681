/*
 * fuzz.h -- what the fuzz targets share: the claim that ends the program, the door that libFuzzer
 * and driver.c come in by, and files that hold an input.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define require(claim) fuzz_require((claim), #claim, __FILE__, __LINE__)

static inline void fuzz_require(bool holds, const char *claim, const char *file, int line)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
    abort();
}

/* The text up to the first line end, which is taken away with it; all of it if there is none. */
static inline struct bytes fuzz_take_line(struct bytes *text)
{
    const uint8_t *end = text->len == 0 ? NULL : memchr(text->ptr, '\n', text->len);
    const size_t len = end == NULL ? text->len : (size_t)(end - text->ptr);
    const struct bytes line = bytes_of(text->ptr, len);
    const size_t used = end == NULL ? len : len + 1;

    *text = bytes_of(used == 0 ? text->ptr : text->ptr + used, text->len - used);
    return line;
}

/* How deep maps and lists are nested in each other. */
/* NOLINTNEXTLINE(misc-no-recursion): the readers bound it, jansson at 2048 */
static inline unsigned fuzz_depth(const json_t *node)
{
    unsigned deepest = 0;
    const char *key;
    json_t *value;
    size_t i;

    if (!json_is_array(node) && !json_is_object(node))
        return 0;
    json_array_foreach(node, i, value)
    {
        const unsigned depth = fuzz_depth(value);

        deepest = depth > deepest ? depth : deepest;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        const unsigned depth = fuzz_depth(value);

        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

#endif
