/*
 * fail_allocation.c -- to be preloaded: the n-th malloc (from 0, FAIL_ALLOCATION in the
 * environment) that the program itself or libjansson asks for finds no memory. Other libraries are
 * left alone.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RANGES_MAX = 32 };

static struct {
    uintptr_t begin;
    uintptr_t end;
} ranges[RANGES_MAX]; /* of the code whose calls count */
static size_t range_count;
static long fails_at = -1;
static atomic_long calls;
static void *(*real_malloc)(size_t size);

static int add_ranges(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    if (info->dlpi_name[0] != '\0' && strstr(info->dlpi_name, "libjansson") == NULL)
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum && range_count < RANGES_MAX; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
            continue;
        ranges[range_count].begin = info->dlpi_addr + part->p_vaddr;
        ranges[range_count].end = ranges[range_count].begin + part->p_memsz;
        range_count++;
    }
    return 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *n = getenv("FAIL_ALLOCATION");

    (void)dl_iterate_phdr(add_ranges, NULL);
    fails_at = n == NULL ? -1 : strtol(n, NULL, 10);
}

static bool counts(uintptr_t caller)
{
    for (size_t i = 0; i < range_count; i++)
        if (caller >= ranges[i].begin && caller < ranges[i].end)
            return true;
    return false;
}

void *malloc(size_t size)
{
    if (real_malloc == NULL) {
        void *const symbol = dlsym(RTLD_NEXT, "malloc");

        memcpy(&real_malloc, &symbol, sizeof(symbol));
    }
    if (counts((uintptr_t)__builtin_return_address(0)) && atomic_fetch_add(&calls, 1) == fails_at)
        return NULL;
    return real_malloc(size);
}
