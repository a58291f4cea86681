#include "command/review.h"

#include <stdio.h>

#include "base/file.h"
#include "command/command.h"
#include "policy/answer.h"
#include "policy/review.h"
#include "webhook/snapshot.h"

#include "base/banned.h"

enum { MAX_REVIEW_BYTES = 16 << 20 };

struct reviewing {
    const struct snapshot *snapshot;
    struct review *review;
    struct sha256 *hash;
    struct decision decision;
};

/* One line of answer on standard output; *allowed says which. False: the file cannot be read. */
static bool review_file(struct reviewing *r, const char *path, bool *allowed, struct err *err)
{
    const struct snapshot *s = r->snapshot;
    const struct answer_context context = {s->root, bytes_str(s->commits)};
    struct buf body CLEANUP(buf_release) = {0};
    struct buf answer CLEANUP(buf_release) = {0};
    struct err problem;

    if (!file_read(path, MAX_REVIEW_BYTES, &body, err))
        return false;
    if (review_read(r->review, buf_bytes(&body), s->set, &problem))
        decide(s->set, s->policy, r->review, r->hash, &r->decision);
    else
        decide_unreadable(s->set, s->policy, r->review, REASON_MALFORMED, problem.message,
                          &r->decision);
    answer_write(&context, r->review->uid, &r->decision, &answer);
    (void)puts(buf_cstr(&answer));
    *allowed = r->decision.allowed;
    return true;
}

int review_main(int argc, char **argv)
{
    struct snapshot *snapshot = NULL;
    struct err err = {0};
    int result = FOUND_NOTHING;

    if (argc < 3)
        return command_usage("review", "SET REVIEW.json...");
    if (!snapshot_open(argv[1], &snapshot, &err))
        return command_fail("review", &err);
    struct reviewing r = {.snapshot = snapshot, .review = review_new(), .hash = sha256_new()};

    for (int i = 2; i < argc && result != COULD_NOT; i++) {
        bool allowed = false;

        if (!review_file(&r, argv[i], &allowed, &err))
            result = command_fail("review", &err);
        else if (!allowed)
            result = FOUND_SOMETHING;
    }
    review_free(r.review);
    sha256_free(r.hash);
    snapshot_unref(snapshot);
    return result;
}
