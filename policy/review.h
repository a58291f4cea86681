/*
 * review.h -- one AdmissionReview (admission.k8s.io/v1), read in one pass: the fields of the
 * request, and the normal forms of object and oldObject, written while they are read.
 *
 * struct review is a workspace, one a thread: it keeps its memory from request to request. What it
 * points to is borrowed from the body and from itself, valid until the next review_read.
 */
#ifndef POLICY_REVIEW_H
#define POLICY_REVIEW_H

#include "policy/normal.h"
#include "policy/set.h"

enum { REVIEW_MAX_UID = 128, REVIEW_MAX_GROUPS = 1024 };

enum operation {
    OPERATION_NONE,
    OPERATION_CREATE,
    OPERATION_UPDATE,
    OPERATION_DELETE,
    OPERATION_CONNECT,
};

struct review_object {
    bool present; /* not absent and not null */
    struct bytes raw;
    struct normal normal;
};

struct review {
    struct bytes uid; /* set as soon as it was read, also when what follows is malformed */
    struct bytes group, version, kind; /* request.kind */
    struct bytes resource_group, resource_version, resource;
    struct bytes subresource;
    struct bytes name, namespace;
    enum operation operation;
    bool dry_run;
    struct bytes user, user_uid;
    struct bytes groups[REVIEW_MAX_GROUPS];
    size_t group_count;
    struct bytes field_manager;
    struct review_object object;
    struct review_object old_object;

    struct kind rules_kind; /* what the set knows of request.kind … */
    bool kind_known;        /* … if it does */

    /* Internal. */
    struct buf text;
    struct canon skip;
};

RETURNS_NONNULL struct review *review_new(void);
void review_free(struct review *rv); /* NULL is fine */

/*
 * Reads `body`. `set` says what is known of the kind, `policy` which keys are ignored. False if it
 * is not one valid v1 AdmissionReview; err says why, and rv->uid is set if it could be read.
 */
MUST_USE bool review_read(struct review *rv, struct bytes body, const struct set *set,
                          struct err *err);

const char *operation_text(enum operation operation);

#endif
