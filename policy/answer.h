/*
 * answer.h -- the AdmissionReview that goes back (admission.k8s.io/v1).
 */
#ifndef POLICY_ANSWER_H
#define POLICY_ANSWER_H

#include "policy/decide.h"

enum { ANSWER_MAX_BYTES = 16 * 1024 };

struct answer_context {
    const char *root; /* hex; NULL: no set */
    struct bytes commits;
};

/* Appends the answer: one line of JSON without a line end. `uid` is echoed. */
void answer_write(const struct answer_context *context, struct bytes uid, const struct decision *d,
                  struct buf *out);

#endif
