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

#endif
