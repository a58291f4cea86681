/*
 * decision.c -- the decision alone, without a network: read a review, decide, write answer and
 * audit line.
 *
 *     decision SET REVIEW.json COUNT
 *
 * Prints the processor's time for one, in nanoseconds. Under callgrind, the difference between two
 * counts is what one costs in instructions (bench/decide).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "audit/record.h"
#include "base/file.h"
#include "policy/answer.h"
#include "policy/decide.h"

#include "base/banned.h"

enum { REVIEW_MAX = 16 << 20 };

struct work {
    struct set *set;
    struct policy *policy;
    struct review *review;
    struct sha256 *hash;
    struct decision decision;
    struct buf answer;
    struct buf record;
};

static int64_t cpu_nanos(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static bool decide_once(struct work *w, struct bytes body, struct err *err)
{
    const struct answer_context answer = {.root = "root", .commits = BYTES("commit")};
    const struct record_context record = {
        .replica = "bench", .cluster = "bench", .root = "root", .commits = BYTES("c")};

    if (!review_read(w->review, body, w->set, err))
        return false;
    decide(w->set, w->policy, w->review, w->hash, &w->decision);
    w->answer.len = w->record.len = 0;
    answer_write(&answer, w->review->uid, &w->decision, &w->answer);
    record_write(&record, w->review, &w->decision, 0, 0, &w->record);
    return true;
}

static bool run(struct work *w, const char *set, const char *file, long count, struct err *err)
{
    struct buf body CLEANUP(buf_release) = {0};

    if (!file_read(file, REVIEW_MAX, &body, err) || !set_open(set, &w->set, err) ||
        !policy_load_text(set_policy(w->set), &w->policy, err))
        return false;
    const int64_t began = cpu_nanos();

    for (long i = 0; i < count; i++)
        if (!decide_once(w, buf_bytes(&body), err))
            return false;
    (void)printf("%s: %zu bytes, %s, %.0f ns\n", file, body.len, reason_text(w->decision.reason),
                 count == 0 ? 0.0 : (double)(cpu_nanos() - began) / (double)count);
    return true;
}

int main(int argc, char **argv)
{
    struct work w = {0};
    struct err err;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: decision SET REVIEW.json COUNT\n");
        return 2;
    }
    w.review = review_new();
    w.hash = sha256_new();
    const bool good = run(&w, argv[1], argv[2], strtol(argv[3], NULL, 10), &err);

    if (!good)
        (void)fprintf(stderr, "decision: %s\n", err.message);
    buf_release(&w.answer);
    buf_release(&w.record);
    sha256_free(w.hash);
    review_free(w.review);
    policy_free(w.policy);
    set_close(w.set);
    return good ? 0 : 2;
}
