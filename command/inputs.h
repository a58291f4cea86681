/*
 * inputs.h -- what a set is made from, as options: the same for build, check and explain.
 *
 * Owned by the command; the strings are those of argv.
 */
#ifndef COMMAND_INPUTS_H
#define COMMAND_INPUTS_H

#include <getopt.h>

#include "source/build.h"

enum { INPUTS_MAX_REPEATED = 256 };

struct inputs {
    const char *repo_path;
    const char *source_name;
    const char *rev;
    const char *namespace;
    const char *policy_file; /* NULL: the built-in policy */
    const char *paths[INPUTS_MAX_REPEATED];
    size_t path_count;
    const char *crds_folders[INPUTS_MAX_REPEATED];
    size_t crds_folder_count;

    /* Open after inputs_open. */
    struct repo *repo;
    json_t *policy;
    struct crds *crds;
    struct build_source source;
};

/* For usage lines. */
#define INPUTS_USAGE                                                                               \
    "--repo DIR [--source NAME] [--rev REV] [--path PATH]... [--namespace NAMESPACE] "             \
    "[--crds DIR]... [--policy FILE]"

/* Rows of a table for getopt_long, which inputs_take understands. */
/* clang-format off */
#define INPUTS_OPTIONS                                                                             \
    {"repo", required_argument, NULL, 'r'},                                                        \
    {"source", required_argument, NULL, 's'},                                                      \
    {"rev", required_argument, NULL, 'v'},                                                         \
    {"path", required_argument, NULL, 'P'},                                                        \
    {"namespace", required_argument, NULL, 'n'},                                                   \
    {"crds", required_argument, NULL, 'c'},                                                        \
    {"policy", required_argument, NULL, 'p'}
/* clang-format on */

void inputs_init(struct inputs *in); /* with the defaults */

/* One option of INPUTS_OPTIONS. False: it is none, or was given too often. */
bool inputs_take(struct inputs *in, int option, const char *value);

/* Reads policy and schemas, opens the repository and finds the commit. */
MUST_USE bool inputs_open(struct inputs *in, struct err *err);

/* Reads the schemas alone, of the groups that `policy` governs. */
MUST_USE bool inputs_open_schemas(struct inputs *in, const struct policy *policy, struct err *err);

/* Builds the set from them, appended to `out` (source/build.h). */
MUST_USE bool inputs_build(const struct inputs *in, build_note *note, void *context, bool lint,
                           struct buf *out, struct build_summary *summary, struct err *err);

void inputs_release(struct inputs *in); /* also when opening failed */

#endif
