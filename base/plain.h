/*
 * plain.h -- plain bytes: what a JSON string holds as it is and that is ASCII, so neither quote,
 * backslash, control character nor 0x80 and above. A block at a time: this is where a reader of
 * JSON spends its time.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

/*
 * Copies eight bytes from `p` to `copy`; returns how many at the start are plain: the high bit of
 * each byte of `marks` is set where the input byte is not. (Above the first such byte there may be
 * false marks; only the lowest is used.)
 */
ALWAYS_INLINE unsigned plain_word(const uint8_t *p, uint8_t *copy)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    memcpy(copy, &v, sizeof(v));
    v = le64toh(v);
    const uint64_t quote = v ^ (ones * '"');
    const uint64_t backslash = v ^ (ones * '\\');
    const uint64_t marks = (v | (v - ones * ' ') | (quote - ones) | (backslash - ones)) & high;

    return marks == 0 ? sizeof(v) : (unsigned)__builtin_ctzll(marks) / 8;
}

/* Copies the PLAIN_BLOCK bytes at `p` to `copy`; returns how many at the start are plain. */
#ifdef __SSE2__

#include <emmintrin.h>

enum { PLAIN_BLOCK = 16 };

ALWAYS_INLINE unsigned plain_block(const uint8_t *p, uint8_t *copy)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    const __m128i other =
        _mm_cmplt_epi8(v, _mm_set1_epi8(' ')); /* signed: also what is not ASCII */
    const int marks = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other));

    _mm_storeu_si128((__m128i *)(void *)copy, v);
    return (unsigned)__builtin_ctz((unsigned)marks | 1U << PLAIN_BLOCK);
}

#else

enum { PLAIN_BLOCK = 8 };

ALWAYS_INLINE unsigned plain_block(const uint8_t *p, uint8_t *copy)
{
    return plain_word(p, copy);
}

#endif

ALWAYS_INLINE bool plain_is(uint8_t c)
{
    return c != '"' && c != '\\' && c >= ' ' && c < 0x80;
}

/*
 * The first byte at or after `p` that is not plain, or `end`; copies what is before it to `out`,
 * which has room for PLAIN_BLOCK bytes more than that. What stands behind the copy is nothing.
 */
ALWAYS_INLINE const uint8_t *plain_copy(const uint8_t *p, const uint8_t *end, uint8_t *out)
{
    unsigned plain = PLAIN_BLOCK;

    for (; plain == PLAIN_BLOCK && end - p >= PLAIN_BLOCK; p += plain, out += plain)
        plain = plain_block(p, out);
    if (plain < PLAIN_BLOCK)
        return p;
    if ((size_t)(end - p) >= sizeof(uint64_t)) {
        plain = plain_word(p, out);
        p += plain;
        out += plain;
        if (plain < sizeof(uint64_t))
            return p;
    }
    while (p < end && plain_is(*p))
        *out++ = *p++;
    return p;
}

/* The same without a copy. */
ALWAYS_INLINE const uint8_t *plain_run(const uint8_t *p, const uint8_t *end)
{
    uint8_t ignored[PLAIN_BLOCK];
    unsigned plain = PLAIN_BLOCK;

    for (; plain == PLAIN_BLOCK && end - p >= PLAIN_BLOCK; p += plain)
        plain = plain_block(p, ignored);
    if (plain < PLAIN_BLOCK)
        return p;
    while (p < end && plain_is(*p))
        p++;
    return p;
}

#endif
