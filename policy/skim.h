/*
 * skim.h -- past a value that nobody asks for (managedFields, most of the envelope), checked as
 * strictly as one that is kept, without writing it down.
 *
 * Duplicate keys are the difficulty: skim_value sees that there is none where the keys of each map
 * stand in order, as Go's encoder writes them, and says nothing about anything else.
 */
#ifndef POLICY_SKIM_H
#define POLICY_SKIM_H

#include "policy/jread.h"

/*
 * True: the reader is behind a valid value. False: the value is not valid, or this cannot tell;
 * the reader is where it was, for canon_value to find out and to say what is wrong.
 */
MUST_USE bool skim_value(struct jread *r);

#endif
