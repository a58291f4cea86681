/*
 * mem.h -- allocation that does not fail.
 *
 * A role that runs out of memory ends with exit code 70 (design.md section 4): it never goes on,
 * so it never allows. Sizes that a client chooses are bounded before they come here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

enum { EXIT_OUT_OF_MEMORY = 70 };

RETURNS_NONNULL void *xmalloc(size_t size);
RETURNS_NONNULL void *xcalloc(size_t count, size_t size);
RETURNS_NONNULL void *xrealloc(void *ptr, size_t size);
RETURNS_NONNULL char *xstrdup(const char *s);
RETURNS_NONNULL char *xstrndup(const char *s, size_t len);

/* printf into fresh memory; the caller frees. */
RETURNS_NONNULL char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);

/* For CLEANUP: frees what the local points to. */
void freep(void *pointer_to_pointer);

/* Says so on standard error and ends the process with EXIT_OUT_OF_MEMORY. */
NORETURN void out_of_memory(void);

#endif
