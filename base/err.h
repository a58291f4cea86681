/*
 * err.h -- why something failed: one line for a person.
 *
 * The last parameter of a function that can fail. `message` says what was wrong and what to do;
 * `path` is the field it is about (spec.http[0].weight), empty if none. The caller who knows
 * more (the file, the line) puts it in front with err_prefix. Only processes and commands print.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/attr.h"

struct err {
    char message[768];
    char path[256];
};

/* Sets the message (cut to fit) and empties the path. Returns false, so that `return err_set(…)`.
 */
bool err_set(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* As err_set, and the text of errno (as it is now) behind it: ": No such file or directory". */
bool err_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts text in front of the message. Returns false. */
bool err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sets the field path that the message is about. Returns false. */
bool err_at(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
