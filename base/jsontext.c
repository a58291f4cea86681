#include "base/jsontext.h"

#include "base/plain.h"
#include "base/unicode.h"

#include "base/banned.h"

static void escape(struct buf *out, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";

    switch (c) {
    case '"':
        buf_append(out, BYTES("\\\""));
        return;
    case '\\':
        buf_append(out, BYTES("\\\\"));
        return;
    case '\n':
        buf_append(out, BYTES("\\n"));
        return;
    case '\r':
        buf_append(out, BYTES("\\r"));
        return;
    case '\t':
        buf_append(out, BYTES("\\t"));
        return;
    default:
        buf_append(out, BYTES("\\u00"));
        buf_byte(out, (uint8_t)digits[c >> 4]);
        buf_byte(out, (uint8_t)digits[c & 15]);
    }
}

/* One byte or character that is not plain; returns how many bytes of `s` it was. */
static size_t put_other(struct buf *out, struct bytes s)
{
    const size_t length = unicode_length(s.ptr, s.len);

    if (s.ptr[0] < 0x80)
        escape(out, s.ptr[0]);
    else if (length == 0)
        buf_append(out, BYTES("\xef\xbf\xbd"));
    else
        buf_append(out, bytes_of(s.ptr, length));
    return length == 0 ? 1 : length;
}

void jsontext_string(struct buf *out, struct bytes s)
{
    const uint8_t *p = s.ptr;
    const uint8_t *const end = s.len == 0 ? p : p + s.len;

    buf_byte(out, '"');
    for (;;) {
        buf_reserve(out, (size_t)(end - p) + PLAIN_BLOCK);
        const uint8_t *const run = p;

        p = plain_copy(run, end, out->ptr + out->len);
        out->len += (size_t)(p - run);
        if (p == end)
            break;
        p += put_other(out, bytes_of(p, (size_t)(end - p)));
    }
    buf_byte(out, '"');
}

void jsontext_int(struct buf *out, int64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        digits[--at] = (uint8_t)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        buf_byte(out, '-');
    buf_append(out, bytes_of(digits + at, sizeof(digits) - at));
}
