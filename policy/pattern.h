/*
 * pattern.h -- names with `*`: any run of bytes, also none. Linear in practice, bounded by the
 * product of the lengths at worst.
 */
#ifndef POLICY_PATTERN_H
#define POLICY_PATTERN_H

#include "base/bytes.h"

bool pattern_match(struct bytes pattern, struct bytes text);

/* Whether some text matches both patterns. */
bool pattern_meet(struct bytes a, struct bytes b);

#endif
