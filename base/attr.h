/*
 * attr.h -- the compiler attributes and small macros that every module uses.
 *
 * gcc and clang only. CLEANUP runs a function when a local leaves its scope; STEAL hands the
 * local's value on, so that the clean-up sees NULL.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_USE          __attribute__((warn_unused_result))
#define CLEANUP(f)        __attribute__((cleanup(f)))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ALWAYS_INLINE     static inline __attribute__((always_inline))
#define NORETURN          __attribute__((noreturn))
#define UNUSED            __attribute__((unused))
#define RETURNS_NONNULL   __attribute__((returns_nonnull))
#define LIKELY(x)         __builtin_expect(!!(x), 1)
#define UNLIKELY(x)       __builtin_expect(!!(x), 0)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The value of the pointer variable `p`, which becomes NULL. */
#define STEAL(p)                                                                                   \
    __extension__({                                                                                \
        __typeof__(p) stolen_ = (p);                                                               \
        (p) = NULL;                                                                                \
        stolen_;                                                                                   \
    })

#endif
