#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

bool err_set(struct err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    err->path[0] = '\0';
    return false;
}

bool err_errno(struct err *err, const char *format, ...)
{
    const int number = errno;
    char what[sizeof(err->message)];
    char why[128];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return err_set(err, "%s: %s", what, strerror_r(number, why, sizeof(why)));
}

bool err_prefix(struct err *err, const char *format, ...)
{
    char prefix[sizeof(err->message)];
    char rest[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    memcpy(rest, err->message, sizeof(rest));
    (void)snprintf(err->message, sizeof(err->message), "%s%s", prefix, rest);
    return false;
}

bool err_at(struct err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(err->path, sizeof(err->path), format, args);
    va_end(args);
    return false;
}
