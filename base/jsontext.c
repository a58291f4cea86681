#include "base/jsontext.h"

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

void jsontext_string(struct buf *out, struct bytes s)
{
    buf_reserve(out, s.len + 2);
    buf_byte(out, '"');
    for (size_t i = 0; i < s.len;) {
        const uint8_t *run = s.ptr + i;
        const size_t plain = (size_t)(unicode_plain_run(run, s.ptr + s.len) - run);

        buf_append(out, bytes_of(run, plain));
        i += plain;
        if (i == s.len)
            break;
        if (s.ptr[i] < 0x80) {
            escape(out, s.ptr[i++]);
            continue;
        }
        const size_t length = unicode_length(s.ptr + i, s.len - i);

        if (length == 0) {
            buf_append(out, BYTES("\xef\xbf\xbd"));
            i++;
            continue;
        }
        buf_append(out, bytes_of(s.ptr + i, length));
        i += length;
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

void jsontext_key(struct buf *out, const char *key)
{
    if (out->len > 0 && out->ptr[out->len - 1] != '{' && out->ptr[out->len - 1] != '[')
        buf_byte(out, ',');
    buf_byte(out, '"');
    buf_append_str(out, key);
    buf_append(out, BYTES("\":"));
}

void jsontext_member(struct buf *out, const char *key, struct bytes value)
{
    jsontext_key(out, key);
    jsontext_string(out, value);
}

void jsontext_member_int(struct buf *out, const char *key, int64_t value)
{
    jsontext_key(out, key);
    jsontext_int(out, value);
}

void jsontext_member_bool(struct buf *out, const char *key, bool value)
{
    jsontext_key(out, key);
    buf_append_str(out, value ? "true" : "false");
}
