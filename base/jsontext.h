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

/* `,"key":"value"`, without the comma right behind a '{' or '['. `key` is written as it is. */
void jsontext_member(struct buf *out, const char *key, struct bytes value);

/* A number. */
void jsontext_int(struct buf *out, int64_t value);

/* `,"key":123` */
void jsontext_member_int(struct buf *out, const char *key, int64_t value);

/* `,"key":true` */
void jsontext_member_bool(struct buf *out, const char *key, bool value);

/* `,"key":` */
void jsontext_key(struct buf *out, const char *key);

#endif
