/*
 * explain.h -- what a person sees: the cause and the way out, in one line of printable ASCII.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/decide.h"
#include "policy/view.h"

/* Fills out->message and out->warning for a decision that is otherwise complete. */
void explain(const struct set *set, const struct review *rv, const struct view *view,
             struct decision *out);

/* Copies text, cut to fit, with everything that is not printable ASCII replaced by '?'. */
void explain_copy(struct bytes text, char *out, size_t out_size);

#endif
