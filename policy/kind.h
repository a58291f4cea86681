/*
 * kind.h -- what a set knows about one kind of object: scope, versions, where a null means absent.
 *
 * Made from a CRD when the set is built, read from the set when a request comes. Borrowed bytes.
 */
#ifndef POLICY_KIND_H
#define POLICY_KIND_H

#include "base/bytes.h"

enum { KIND_MAX_VERSIONS = 16 };

struct kind_version {
    struct bytes name; /* "v1beta1" */
    bool served;
    bool storage;
    bool status_subresource; /* N17: status is dropped from the normal form of this version */
};

struct kind {
    struct bytes group;
    struct bytes kind;
    struct bytes plural; /* "virtualservices" */
    bool has_schema; /* false: governed, but no CRD is known; every object of it is held (N14) */
    bool namespaced;
    bool conversion;    /* strategy other than None: the version joins the digest (N12) */
    struct bytes nulls; /* the encoded tree of policy/nulls.h; empty: no null is dropped (N15) */
    struct kind_version versions[KIND_MAX_VERSIONS];
    size_t version_count;
};

/* The version of that name, or NULL. */
const struct kind_version *kind_version(const struct kind *kind, struct bytes name);

#endif
