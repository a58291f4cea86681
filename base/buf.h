/*
 * buf.h -- a byte buffer that grows, owned by whoever declares it.
 *
 * Appending never fails (base/mem.h). The bytes move when it grows: keep offsets, not pointers.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/mem.h"

struct buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
};

/* The zero value is an empty buffer; no allocation. */
static inline void buf_init(struct buf *b)
{
    *b = (struct buf){0};
}

void buf_release(struct buf *b);

/* Room for `more` bytes beyond the length; the buffer may move. */
void buf_grow(struct buf *b, size_t more);

static inline void buf_reserve(struct buf *b, size_t more)
{
    if (UNLIKELY(b->cap - b->len < more))
        buf_grow(b, more);
}

static inline void buf_byte(struct buf *b, uint8_t byte)
{
    buf_reserve(b, 1);
    b->ptr[b->len++] = byte;
}

static inline void buf_append(struct buf *b, struct bytes add)
{
    if (add.len == 0)
        return;
    buf_reserve(b, add.len);
    memcpy(b->ptr + b->len, add.ptr, add.len);
    b->len += add.len;
}

static inline void buf_append_str(struct buf *b, const char *s)
{
    buf_append(b, bytes_str(s));
}

static inline struct bytes buf_bytes(const struct buf *b)
{
    return bytes_of(b->ptr, b->len);
}

/* A printf at the end. */
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * The content as a C string: a NUL stands behind it, uncounted. Valid until the next append;
 * an embedded NUL ends it early.
 */
const char *buf_cstr(struct buf *b);

#endif
