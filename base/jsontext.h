/*
 * jsontext.h -- JSON text, written straight into a buffer.
 *
 * For what is written often (answers, audit lines, logs). Strings come out as valid JSON whatever
 * goes in: bytes that are not UTF-8 become U+FFFD.
 */
#ifndef BASE_JSONTEXT_H
#define BASE_JSONTEXT_H

#include "base/buf.h"

/* A JSON string with its quotes. Control characters are escaped. */
void jsontext_string(struct buf *out, struct bytes s);

/* A number. */
void jsontext_int(struct buf *out, int64_t value);

/* `,"key":`, without the comma right behind a '{' or '['. `key` is written as it is. */
static inline void jsontext_key(struct buf *out, const char *key)
{
    const struct bytes name = bytes_str(key); /* of a literal: known when this is compiled */

    buf_reserve(out, name.len + 4);
    uint8_t *p = out->ptr + out->len;

    if (out->len > 0 && p[-1] != '{' && p[-1] != '[')
        *p++ = ',';
    *p++ = '"';
    memcpy(p, name.ptr, name.len);
    p += name.len;
    *p++ = '"';
    *p++ = ':';
    out->len = (size_t)(p - out->ptr);
}

/* `,"key":"value"` */
static inline void jsontext_member(struct buf *out, const char *key, struct bytes value)
{
    jsontext_key(out, key);
    jsontext_string(out, value);
}

/* The same for a text that needs no escaping: a fixed word, hex digits. */
static inline void jsontext_member_plain(struct buf *out, const char *key, struct bytes value)
{
    jsontext_key(out, key);
    buf_byte(out, '"');
    buf_append(out, value);
    buf_byte(out, '"');
}

/* `,"key":123` */
static inline void jsontext_member_int(struct buf *out, const char *key, int64_t value)
{
    jsontext_key(out, key);
    jsontext_int(out, value);
}

/* `,"key":true` */
static inline void jsontext_member_bool(struct buf *out, const char *key, bool value)
{
    jsontext_key(out, key);
    buf_append(out, value ? BYTES("true") : BYTES("false"));
}

#endif
