/*
 * unicode.h -- UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing above
 * U+10FFFF.
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Bytes of the character that starts at `p` (1 to 4), or 0 if it is not valid or `left` is too few.
 */
size_t unicode_length(const uint8_t *p, size_t left);

/* Writes the code point as UTF-8; returns the bytes written (1 to 4). Not for surrogates. */
size_t unicode_encode(uint32_t code_point, uint8_t out[4]);

#endif
