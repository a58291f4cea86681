/*
 * decide.h -- the decision table of design.md section 5, in its order. Pure: the answer is a
 * function of set, policy and review.
 */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "policy/policy.h"
#include "policy/review.h"
#include "policy/set.h"

enum { DECISION_MESSAGE_SIZE = 1025, DECISION_WARNING_SIZE = 121 };

/* The zero value refuses: a decision that nobody filled in says no. */
enum verdict { VERDICT_DENY = 0, VERDICT_ALLOW };

enum reason {
    REASON_UNSET = 0, /* also a denial */
    REASON_NO_SET,
    REASON_MALFORMED,
    REASON_TOO_LARGE,
    REASON_IDENTITY_MISMATCH,
    REASON_NOT_GOVERNED,
    REASON_BREAK_GLASS_REFUSED,
    REASON_STATUS_SMUGGLES,
    REASON_STATUS_WRITER,
    REASON_STATUS_ONLY,
    REASON_SUBRESOURCE,
    REASON_ABSENT_FROM_GIT,
    REASON_IN_GIT,
    REASON_UNCHANGED,
    REASON_HELD,
    REASON_STILL_IN_GIT,
    REASON_DIFFERS_FROM_GIT,
    REASON_NOT_IN_GIT,
    REASON_COUNT,
};

struct decision {
    enum verdict verdict; /* what the table says, and what is recorded */
    enum reason reason;
    enum mode mode; /* of the rule that governs the object */
    bool allowed;   /* what is answered: verdict, softened by mode and dry run */
    bool warns;     /* with a warning */
    struct identity id;
    struct digest digest; /* of object (DELETE: of oldObject) */
    bool has_digest;
    struct set_entry entry; /* Git's entry of this identity */
    bool has_entry;
    size_t index; /* of the entry in the set */
    size_t holds; /* a CRD or Namespace that is deleted: objects of Git that would go with it */
    char message[DECISION_MESSAGE_SIZE]; /* "" for an allow; one line of printable ASCII */
    char warning[DECISION_WARNING_SIZE]; /* "" for none */
};

/* The fixed code: "in-git". */
const char *reason_text(enum reason reason);

/* Decides rows 3 to 18 for a review that was read with this set. `hash` is the caller's workspace.
 */
void decide(const struct set *set, const struct policy *policy, const struct review *rv,
            struct sha256 *hash, struct decision *out);

/*
 * Row 2, for what could not be read whole: REASON_MALFORMED or REASON_TOO_LARGE with its message.
 * The mode is that of the resource, as far as it was read.
 */
void decide_unreadable(const struct set *set, const struct policy *policy, const struct review *rv,
                       enum reason reason, const char *message, struct decision *out);

#endif
