/*
 * forbidden.h -- kinds that no policy may govern (N32): a cluster needs to write them before it can
 * start the pod that would answer, or writes them all the time.
 */
#ifndef POLICY_FORBIDDEN_H
#define POLICY_FORBIDDEN_H

#include "base/bytes.h"

/* Why this kind cannot be governed; NULL if it can. "*" asks for a whole group. */
const char *forbidden_kind(struct bytes group, struct bytes kind);

#endif
