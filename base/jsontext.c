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

static bool needs_escape(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

void jsontext_string(struct buf *out, struct bytes s)
{
    buf_reserve(out, s.len + 2);
    buf_byte(out, '"');
    for (size_t i = 0; i < s.len;) {
        const size_t start = i;

        while (i < s.len && s.ptr[i] < 0x80 && !needs_escape(s.ptr[i]))
            i++;
        buf_append(out, bytes_of(s.ptr + start, i - start));
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
    buf_printf(out, "%lld", (long long)value);
}

void jsontext_member_bool(struct buf *out, const char *key, bool value)
{
    jsontext_key(out, key);
    buf_append_str(out, value ? "true" : "false");
}
