/*
 * fuzz.h -- what the fuzz targets share: the claim that ends the program, the door that libFuzzer
 * and driver.c come in by, and files that hold an input.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

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

#endif
