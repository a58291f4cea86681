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

/* The parts of it, for whoever explains an object without a review. */

/* (mesh 3f2c1ab clusters/prod/reviews.yaml:14) */
void explain_place(const struct set_entry *entry, struct buf *out);

/* 50, Git has 10: two canonical values, an empty one is absent. */
void explain_values(struct bytes git, struct bytes here, struct buf *out);

/*
 * The normal form of the approved document of an entry, by the rules of the version that Git wrote
 * it in; `version` is the one to try first. `kind` NULL: nothing known.
 */
MUST_USE bool explain_approved(const struct set *set, size_t index, const struct kind *kind,
                               struct bytes version, struct normal *out, struct err *err);

/* Copies text, cut to fit, with everything that is not printable ASCII replaced by '?'. */
void explain_copy(struct bytes text, char *out, size_t out_size);

#endif
