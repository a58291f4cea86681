#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

enum { BUF_FIRST_CAPACITY = 256 };

void buf_release(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){0};
}

void buf_grow(struct buf *b, size_t more)
{
    if (more > SIZE_MAX / 2 - b->len)
        out_of_memory();

    const size_t need = b->len + more;
    size_t cap = b->cap == 0 ? BUF_FIRST_CAPACITY : b->cap;

    while (cap < need)
        cap *= 2;
    b->ptr = xrealloc(b->ptr, cap);
    b->cap = cap;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    const int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len > 0) {
        buf_reserve(b, (size_t)len + 1);
        (void)vsnprintf((char *)b->ptr + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

const char *buf_cstr(struct buf *b)
{
    buf_reserve(b, 1);
    b->ptr[b->len] = '\0';
    return (const char *)b->ptr;
}
