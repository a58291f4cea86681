#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

NORETURN void out_of_memory(void)
{
    static const char line[] = "{\"level\":\"error\",\"message\":\"out of memory\"}\n";

    /* Nothing that allocates may be called here. */
    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(EXIT_OUT_OF_MEMORY);
    _exit(EXIT_OUT_OF_MEMORY);
}

void *xmalloc(size_t size)
{
    void *ptr = malloc(size == 0 ? 1 : size);

    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *xcalloc(size_t count, size_t size)
{
    void *ptr = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

    if (ptr == NULL)
        out_of_memory();
    return ptr;
}

void *xrealloc(void *ptr, size_t size)
{
    void *grown = realloc(ptr, size == 0 ? 1 : size);

    if (grown == NULL)
        out_of_memory();
    return grown;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
    char *copy = xmalloc(len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    const int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory();
    return text;
}

void freep(void *pointer_to_pointer)
{
    void **slot = pointer_to_pointer;

    free(*slot);
    *slot = NULL;
}
