/*
 * identity.h -- which object: group, kind, namespace, name; never the version (N10).
 *
 * Borrowed bytes. Cluster-scoped objects have the empty namespace; core objects the empty group.
 */
#ifndef POLICY_IDENTITY_H
#define POLICY_IDENTITY_H

#include "base/buf.h"

struct identity {
    struct bytes group;
    struct bytes kind;
    struct bytes namespace;
    struct bytes name;
};

/* Order by group, kind, namespace, name, each bytewise. */
int identity_compare(const struct identity *a, const struct identity *b);

/* Appends KIND.GROUP/NAMESPACE/NAME, without what is empty:
 * VirtualService.networking.istio.io/prod/reviews */
void identity_text(const struct identity *id, struct buf *out);

#endif
