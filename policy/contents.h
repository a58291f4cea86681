/*
 * contents.h -- what goes when an object goes: the objects of a CustomResourceDefinition's kind,
 * those in a Namespace (rows 9 and 16).
 */
#ifndef POLICY_CONTENTS_H
#define POLICY_CONTENTS_H

#include "policy/policy.h"
#include "policy/set.h"

struct contents {
    size_t count;   /* of Git's objects, held ones too */
    enum mode mode; /* the strictest of the rules that govern them; audit if there is none */
};

/* The governed kind that a CRD of this name (PLURAL.GROUP) defines. False: none. */
bool contents_crd_kind(const struct set *set, const struct policy *policy, struct bytes name,
                       struct kind *kind);

/* Git's objects of a kind. The mode is that of the kind's rule; enforce if its rules name objects.
 */
struct contents contents_of_crd(const struct set *set, const struct policy *policy,
                                const struct kind *kind);

/*
 * Git's objects in a namespace. Two binary searches for each kind of the set, and one look into the
 * policy for each object found, up to the first that is enforced.
 */
struct contents contents_of_namespace(const struct set *set, const struct policy *policy,
                                      struct bytes namespace);

#endif
