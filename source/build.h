/*
 * build.h -- from commits, schemas and a policy to the bytes of a writ.set. A pure function of
 * these (design.md section 1): no clock, no locale, no folder names.
 */
#ifndef SOURCE_BUILD_H
#define SOURCE_BUILD_H

#include "source/crds.h"
#include "source/delivery.h"

struct build_source {
    const char *name;
    struct repo *repo;
    char commit[REPO_COMMIT_HEX_SIZE];
    const char *const *paths; /* none: the whole tree */
    size_t path_count;
    const char *namespace; /* default for namespaced manifests that name none; NULL: none */
    const struct delivery *delivery; /* what is added to all of it (N20); NULL: nothing */
};

enum build_note_kind { BUILD_WARNING, BUILD_HELD };

/* Told of every warning and every held document; `line` 0: the whole file. */
typedef void build_note(void *context, enum build_note_kind kind, const char *source,
                        const char *path, unsigned line, const char *message);

struct build_input {
    const struct build_source *sources;
    size_t source_count;
    const struct crds *crds;
    const json_t *policy; /* the document */
    build_note *note;
    void *context;
};

struct build_summary {
    size_t approved;
    size_t held;
    size_t warnings;
};

/* Appends the set to `out`. False: the generation fails; err names source, file and line. */
MUST_USE bool build_set(const struct build_input *input, struct buf *out,
                        struct build_summary *summary, struct err *err);

#endif
