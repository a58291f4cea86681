#include "base/unicode.h"

#include "base/banned.h"

static bool continues(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

static size_t three_bytes(const uint8_t *p, size_t left)
{
    if (left < 3 || !continues(p[1]) || !continues(p[2]))
        return 0;
    const bool overlong = p[0] == 0xe0 && p[1] < 0xa0;
    const bool surrogate = p[0] == 0xed && p[1] >= 0xa0;

    return overlong || surrogate ? 0 : 3;
}

static size_t four_bytes(const uint8_t *p, size_t left)
{
    if (left < 4 || !continues(p[1]) || !continues(p[2]) || !continues(p[3]))
        return 0;
    const bool overlong = p[0] == 0xf0 && p[1] < 0x90;
    const bool beyond = p[0] == 0xf4 && p[1] >= 0x90;

    return overlong || beyond ? 0 : 4;
}

size_t unicode_length(const uint8_t *p, size_t left)
{
    if (left == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && continues(p[1]) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef)
        return three_bytes(p, left);
    if (p[0] >= 0xf0 && p[0] <= 0xf4)
        return four_bytes(p, left);
    return 0;
}

size_t unicode_encode(uint32_t code_point, uint8_t out[4])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (uint8_t)(0xc0 | (code_point >> 6));
        out[1] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | (code_point >> 12));
        out[1] = (uint8_t)(0x80 | ((code_point >> 6) & 0x3f));
        out[2] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | (code_point >> 18));
    out[1] = (uint8_t)(0x80 | ((code_point >> 12) & 0x3f));
    out[2] = (uint8_t)(0x80 | ((code_point >> 6) & 0x3f));
    out[3] = (uint8_t)(0x80 | (code_point & 0x3f));
    return 4;
}
