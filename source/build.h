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

enum build_note_kind {
    BUILD_WARNING,
    BUILD_HELD,    /* the document is held (N35) */
    BUILD_FAILURE, /* it fails the whole generation; only a lint hears of it, see below */
};

/* What there is to say of a file or a document. */
struct build_finding {
    enum build_note_kind kind;
    unsigned rule; /* of the normal form */
    const char *source;
    const char *path;
    unsigned line;       /* 0: the whole file */
    unsigned column;     /* 0: not known */
    const char *object;  /* identity; NULL: not known */
    const char *message; /* without the place and the object */
};

/* Told of each; everything is borrowed for the call. */
typedef void build_note(void *context, const struct build_finding *finding);

struct build_input {
    const struct build_source *sources;
    size_t source_count;
    const struct crds *crds;
    const json_t *policy; /* the document */
    build_note *note;
    void *context;
    /*
     * Reads every file, governed or not; says where in a document the field is, of every document
     * that is held, and every field of it that the schema does not know; and goes on behind what
     * fails the generation.
     */
    bool lint;
};

struct build_summary {
    size_t approved;
    size_t held;
    size_t warnings;
    size_t failures; /* of a lint: without them there would be a set */
};

/*
 * Appends the set to `out`. False: the generation fails; err names source, file and line. A lint
 * with failures is true, and appends nothing.
 */
MUST_USE bool build_set(const struct build_input *input, struct buf *out,
                        struct build_summary *summary, struct err *err);

#endif
