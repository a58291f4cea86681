/*
 * rules.h -- which rules made a set (N26).
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "base/digest.h"

/*
 * The id of the rules in this binary: changes with any rule that alters the normal form or the
 * encoding. A set with another id is not used.
 */
void rules_id(struct digest *out);

/* The last rule of the normal form. */
enum { RULES_LAST = 36 };

/* What a rule is about, in a few words for people; "" for a number that nothing is said of. */
const char *rules_title(unsigned number);

#endif
