/*
 * names.h -- lists of names and patterns, as a policy document has them.
 *
 * A list owns its strings. The zero value is the empty list, which stands for "any" where a rule
 * may leave the list out.
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include "base/bytes.h"
#include "policy/fields.h"

enum { NAMES_MAX = 10000 }; /* names, patterns and values in all lists of one policy together */

struct names {
    struct bytes *items;
    size_t count;
};

/*
 * Reads a list of texts that is not empty. `*total` counts over all lists of a document, up to
 * NAMES_MAX. What was read before an error is in `out`: release it in either case.
 */
MUST_USE bool names_read(const struct field *field, struct names *out, size_t *total,
                         struct err *err);
void names_release(struct names *names);

/* Whether one of the patterns matches. */
bool names_match(const struct names *names, struct bytes text);

/* The same, or the list is empty: a rule without it takes all. */
bool names_cover(const struct names *names, struct bytes text);

/* Whether some text is covered by both. */
bool names_meet(const struct names *a, const struct names *b);

#endif
