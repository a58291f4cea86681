/*
 * set_verify.h -- everything about a set that opening it leaves to trust.
 *
 * set_open has verified the checksum of header and index. A program that writes wrong sets writes
 * right checksums over them: here the order, the references, every document and the root are
 * worked out again.
 */
#ifndef POLICY_SET_VERIFY_H
#define POLICY_SET_VERIFY_H

#include "policy/set.h"

/* One problem: a line that says what and where. May hold bytes of the file as they are. */
typedef void set_problem(void *context, const char *what);

/* Reports each problem; returns how many there are. 0: the set is sound. */
size_t set_verify(const struct set *s, set_problem *report, void *context);

#endif
