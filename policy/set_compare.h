/*
 * set_compare.h -- what two sets say differently.
 *
 * By identity and by content: where a document stands (commit, path, line) may change without
 * changing what is approved, so it does not count.
 */
#ifndef POLICY_SET_COMPARE_H
#define POLICY_SET_COMPARE_H

#include "policy/set.h"

struct set_change {
    const struct set_entry *before; /* NULL: added */
    const struct set_entry *after;  /* NULL: removed */
    /* What differs, if it was there before and after: */
    bool held;     /* held now and not before, the reverse, or with another message */
    bool digest;   /* the primary digest, or which ones are accepted */
    bool document; /* the approved document */
};

typedef void set_changed(void *context, const struct set_change *change);

/* Calls `changed` in identity order; returns how many changes there are. */
size_t set_compare(const struct set *before, const struct set *after, set_changed *changed,
                   void *context);

/* Whether both say the same of the same kind. */
bool set_kind_equal(const struct kind *a, const struct kind *b);

/* Whether both know the same kinds, with the same versions and null paths. */
bool set_compare_kinds(const struct set *a, const struct set *b);

#endif
