/*
 * err.h -- why something failed: one line for a person.
 *
 * The last parameter of a function that can fail. `message` says what was wrong and what to do;
 * `path` is the field it is about (spec.http[0].weight), empty if none; `rule` the number of the
 * rule that was broken, 0 if none was named. The caller who knows more (the file, the line) puts it
 * in front with err_prefix. Only processes and commands print.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/attr.h"

struct err {
    char message[768];
    char path[256];
    unsigned rule;
};

/*
 * Sets the message (cut to fit), empties the path and forgets the rule. Returns false, so that
 * `return err_set(…)`.
 */
bool err_set(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* As err_set, and the text of errno (as it is now) behind it: ": No such file or directory". */
bool err_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts text in front of the message. Returns false. */
bool err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sets the field path that the message is about. Returns false. */
bool err_at(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Names the rule, unless one is named already. Returns false. */
bool err_rule(struct err *err, unsigned rule);

#endif
