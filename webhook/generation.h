/*
 * generation.h -- from a config and a commit of each of its sources to the bytes of a set: policy
 * and schemas as the config says, then source/build.h. For the source process and for CI alike.
 */
#ifndef WEBHOOK_GENERATION_H
#define WEBHOOK_GENERATION_H

#include "source/build.h"
#include "webhook/config.h"

/* Where a source is, and which commit of it. */
struct checkout {
    const char *folder; /* a repository, source/repo.h */
    char commit[REPO_COMMIT_HEX_SIZE];
};

struct generation {
    const struct config *config;
    const struct checkout *checkouts; /* one for each source of the config, in its order */
    const char *policy_file;          /* instead of the config's policy; NULL: that one */
    build_note *note;
    void *context;
};

/* What a set is made from: repositories at their commits, policy, schemas. */
struct generation_inputs {
    struct build_source *sources;
    size_t source_count;
    struct crds *crds;
    json_t *policy;
};

/* Opens them all. On success the caller closes; after a failure there is nothing to close. */
MUST_USE bool generation_open(const struct generation *g, struct generation_inputs *out,
                              struct err *err);
void generation_close(struct generation_inputs *in); /* zeroes are fine */

/* Appends the set to `out`. False: the generation fails, and err says why and where. */
MUST_USE bool generation_build(const struct generation *g, struct buf *out,
                               struct build_summary *summary, struct err *err);

#endif
