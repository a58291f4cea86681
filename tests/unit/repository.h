/*
 * repository.h -- for tests: real repositories, made by the `git` command in a temporary folder.
 */
#ifndef TESTS_UNIT_REPOSITORY_H
#define TESTS_UNIT_REPOSITORY_H

#include <stdlib.h>
#include <unistd.h>

#include "source/repo.h"
#include "tests/unit/test.h"

/*
 * libgit2 1.5 loses a PCRE2 match for each setting it looks at in a repository of format version 1
 * (mended in 1.6).
 */
const char *__lsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier) */
const char *__lsan_default_suppressions(void)  /* NOLINT(bugprone-reserved-identifier) */
{
    return "leak:libpcre2";
}

/* Where everything happens. */
static char test_folder[] = "/tmp/meshwrit-test-XXXXXX";

/* Runs a script in the folder; it must succeed. */
static inline void sh(const char *script)
{
    CLEANUP(freep) char *command = xasprintf("set -e; cd %s; %s", test_folder, script);
    const int status = system(command); /* NOLINT(bugprone-command-processor, cert-env33-c) */

    if (status != 0)
        fail_msg("status %d of: %s", status, script);
}

static inline char *in_folder(const char *name)
{
    return xasprintf("%s/%s", test_folder, name);
}

static inline struct repo *open_repo(const char *name)
{
    CLEANUP(freep) char *path = in_folder(name);
    struct repo *repo;
    struct err err = {0};

    if (!repo_open(path, &repo, &err))
        fail_msg("%s", err.message);
    return repo;
}

/* The commit that `rev` names; valid until the next call. */
static inline const char *resolve(struct repo *repo, const char *rev)
{
    static char commit[REPO_COMMIT_HEX_SIZE];
    struct err err = {0};

    if (!repo_resolve(repo, rev, commit, &err))
        fail_msg("%s", err.message);
    return commit;
}

/* The message is one line that says `want`. */
static inline void check_message(const char *row, const struct err *err, const char *want)
{
    if (strstr(err->message, want) == NULL)
        fail_msg("%s: message \"%s\" does not say \"%s\"", row, err->message, want);
    if (strchr(err->message, '\n') != NULL)
        fail_msg("%s: message \"%s\" is more than a line", row, err->message);
}

/* Group set-up and tear-down. */
static inline int test_folder_make(void **state)
{
    static const char *const variables[][2] = {
        {"GIT_CONFIG_GLOBAL", "/dev/null"},
        {"GIT_CONFIG_NOSYSTEM", "1"},
        {"GIT_AUTHOR_NAME", "a"},
        {"GIT_AUTHOR_EMAIL", "a@example.com"},
        {"GIT_COMMITTER_NAME", "a"},
        {"GIT_COMMITTER_EMAIL", "a@example.com"},
        {"GIT_AUTHOR_DATE", "1700000000 +0"},
        {"GIT_COMMITTER_DATE", "1700000000 +0"},
    };
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(variables); i++) {
        if (setenv(variables[i][0], variables[i][1], 1) != 0)
            return -1;
    }
    return mkdtemp(test_folder) != NULL && repo_library_start(&err) ? 0 : -1;
}

static inline int test_folder_remove(void **state)
{
    CLEANUP(freep) char *command = xasprintf("rm -rf %s", test_folder);

    (void)state;
    repo_library_end();
    return system(command); /* NOLINT(bugprone-command-processor, cert-env33-c) */
}

#endif
