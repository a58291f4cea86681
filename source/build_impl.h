/*
 * build_impl.h -- a build in the making, inside source/build*.c only.
 */
#ifndef SOURCE_BUILD_IMPL_H
#define SOURCE_BUILD_IMPL_H

#include "source/build.h"
#include "source/manifest.h"

enum { RULE_DOCUMENT = 7 }; /* N7: one readable document for an object */

struct entry {
    struct manifest manifest;
    size_t source;
    char *path; /* shared by the entries of a file; owned by build.paths */
    unsigned line;
    bool twice; /* in Git with different content (N7) */
};

struct build {
    const struct build_input *input;
    struct policy *policy;
    struct manifest_rules rules;
    struct entry *entries;
    size_t entry_count;
    size_t entry_cap;
    char **paths;
    size_t path_count;
    size_t path_cap;
    size_t source; /* that is being walked */
    struct build_summary summary;
};

/* Tells of it and counts it. */
void build_tell(struct build *b, const struct build_finding *finding);
void build_tell_object(struct build *b, const struct build_finding *finding,
                       const struct identity *id);

/* From the files of all sources to the entries (build_read.c). */
MUST_USE bool build_read(struct build *b, struct err *err);

#endif
