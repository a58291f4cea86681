/*
 * inputs.h -- what a set is made from, as options: the same for build, check and explain. Either
 * --config, whose sources are fetched, or --repo and what belongs to it.
 *
 * Owned by the command; the strings are those of argv.
 */
#ifndef COMMAND_INPUTS_H
#define COMMAND_INPUTS_H

#include <getopt.h>

#include "command/checkouts.h"

enum { INPUTS_MAX_REPEATED = 256 };

struct inputs {
    const char *config_file;
    const char *repo;
    const char *source_name;
    const char *namespace;
    const char *delivery;
    const char *policy_file; /* NULL: the config's, or the built-in policy */
    const char *revs[INPUTS_MAX_REPEATED];
    size_t rev_count;
    const char *paths[INPUTS_MAX_REPEATED];
    size_t path_count;
    const char *crds_folders[INPUTS_MAX_REPEATED];
    size_t crds_folder_count;

    /* After inputs_open. */
    struct config *config;
    struct checkouts checkouts;
    struct generation_inputs opened;
};

/* For usage lines. */
#define INPUTS_USAGE                                                                               \
    "(--config FILE [--rev NAME=COMMIT]... | --repo DIR [--source NAME] [--rev REV] "              \
    "[--path PATH]... [--namespace NAMESPACE] [--crds DIR]... [--delivery YAML]) [--policy FILE]"

/* Rows of a table for getopt_long, which inputs_take understands. */
/* clang-format off */
#define INPUTS_OPTIONS                                                                             \
    {"config", required_argument, NULL, 'C'},                                                      \
    {"repo", required_argument, NULL, 'r'},                                                        \
    {"source", required_argument, NULL, 's'},                                                      \
    {"rev", required_argument, NULL, 'v'},                                                         \
    {"path", required_argument, NULL, 'P'},                                                        \
    {"namespace", required_argument, NULL, 'n'},                                                   \
    {"crds", required_argument, NULL, 'c'},                                                        \
    {"delivery", required_argument, NULL, 'd'},                                                    \
    {"policy", required_argument, NULL, 'p'}
/* clang-format on */

/* One option of INPUTS_OPTIONS. False: it is none, or was given too often. */
bool inputs_take(struct inputs *in, int option, const char *value);

/* Whether they are one of the two forms, and nothing of the other. */
bool inputs_are_whole(const struct inputs *in);

/* Whether there is nothing but schemas and a namespace, which go with a set. */
bool inputs_go_with_set(const struct inputs *in);

/* Fetches or finds the sources, reads policy and schemas. */
MUST_USE bool inputs_open(struct inputs *in, struct err *err);

/* Reads the schemas alone, of the groups that `policy` governs. */
MUST_USE bool inputs_open_schemas(struct inputs *in, const struct policy *policy, struct err *err);

/* Builds the set from them, appended to `out` (source/build.h). */
MUST_USE bool inputs_build(const struct inputs *in, build_note *note, void *context, bool lint,
                           struct buf *out, struct build_summary *summary, struct err *err);

void inputs_release(struct inputs *in); /* also when opening failed */

#endif
