/*
 * view.h -- the objects of a review as far as they count: as a whole, or through the fields that
 * the policy names for them (projection.h).
 *
 * Borrows from the review and the policy; owns its forms: view_release.
 */
#ifndef POLICY_VIEW_H
#define POLICY_VIEW_H

#include "policy/policy.h"
#include "policy/review.h"
#include "policy/set.h"

struct view {
    const struct normal *object; /* NULL: absent */
    const struct normal *old;
    const struct normal *subject; /* whom the decision is about: object; for a DELETE oldObject */
    struct projection projection; /* count 0: whole */
    struct buf object_form;
    struct buf old_form;
    struct buf git_form; /* of Git's document; empty if there is none or it cannot be read */
    struct buf form;     /* of the subject, without what passes without Git */
};

/* The whole objects. */
struct view view_of(const struct review *rv);

/*
 * Looks through the fields that count of this object, if the policy has them. `entry` is the number
 * of Git's entry, or SET_NOWHERE.
 */
void view_project(struct view *v, const struct set *set, const struct policy *policy,
                  const struct identity *id, size_t entry);
void view_release(struct view *v);

/* Nothing of the subject counts: only a projection can say so (row 4). */
bool view_is_empty(const struct view *v);

/* The digest of the subject; `version` as in normal_digest. False: there is no subject. */
bool view_digest(const struct view *v, const struct identity *id, struct bytes version,
                 struct sha256 *hash, struct digest *out);

/* Both objects are there and nothing that counts differs (N30). */
bool view_is_unchanged(const struct view *v);

#endif
