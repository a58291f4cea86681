/*
 * core.h -- the kinds of the core group that a policy may govern (N24, N31), in place of the CRD
 * that they do not have.
 */
#ifndef POLICY_CORE_H
#define POLICY_CORE_H

#include "policy/kind.h"

/*
 * The core kind of that name; the bytes of *out live as long as the program. False for another
 * group, and for a core kind that is not known here.
 */
bool core_kind(struct bytes group, struct bytes kind, struct kind *out);

/*
 * Whether the kind may be governed as a whole. Of the others only the fields that a rule names
 * count: they are full of what the cluster writes by itself or, a Secret, of what is nobody's
 * business.
 */
bool core_kind_is_whole(struct bytes kind);

/* The names of all, for messages: "ConfigMap, Namespace, Secret, Service". */
const char *core_kinds_text(void);

#endif
