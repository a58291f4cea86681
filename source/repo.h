/*
 * repo.h -- a Git repository, read through libgit2: blobs from the object database, no checkout,
 * no filters, nothing in it is executed (N1, R27).
 */
#ifndef SOURCE_REPO_H
#define SOURCE_REPO_H

#include "base/buf.h"
#include "base/err.h"

enum {
    REPO_MAX_BLOB_BYTES = 4 << 20,
    REPO_MAX_FILES = 200000,
    REPO_MAX_TREE_DEPTH = 64,
    REPO_COMMIT_HEX_SIZE = 41,
};

struct repo;

/* Library start and end: once a process that uses this module, before and after everything else. */
MUST_USE bool repo_library_start(struct err *err);
void repo_library_end(void);

/* An ordinary or bare repository on disk, whoever owns it. Free with repo_close(). */
MUST_USE bool repo_open(const char *path, struct repo **out, struct err *err);
void repo_close(struct repo *repo); /* NULL is fine */

/* The commit that `rev` names (branch, tag, "HEAD", hex id), peeled, as 40 hex digits. */
MUST_USE bool repo_resolve(struct repo *repo, const char *rev, char commit[REPO_COMMIT_HEX_SIZE],
                           struct err *err);

/*
 * Calls `visit` for every regular *.yaml, *.yml or *.json file of the commit under one of `paths`
 * (files, directories or globs relative to the root, source/glob.h; a glob that names a directory
 * means all below it; none: the whole tree), in path order, each once. `content` is borrowed for
 * the call; it is empty with `problem` set (a borrowed C string) for what cannot be read as a file:
 * symbolic link, submodule, LFS pointer, over REPO_MAX_BLOB_BYTES. A path of `paths` that matches
 * nothing is an error that names it. `visit` returns false to stop (it sets err).
 */
struct repo_file {
    const char *path;
    struct bytes content;
    const char *problem;
};

typedef bool repo_visit(void *context, const struct repo_file *file, struct err *err);

MUST_USE bool repo_walk(struct repo *repo, const char *commit, const char *const *paths,
                        size_t path_count, repo_visit *visit, void *context, struct err *err);

/* The content of one file of a commit, appended to `out`; fails if it is not there. */
MUST_USE bool repo_read_file(struct repo *repo, const char *commit, const char *path,
                             struct buf *out, struct err *err);

/*
 * Brings `ref` (in full: refs/heads/main) of `url`, with its history, into the bare repository at
 * `folder` (made if missing) and says which commit it is now; a tag is followed to its commit.
 *
 * Transports: file:/// and https:// without credentials; no proxy, no redirect to another host or
 * away from TLS. At most 256 MiB (1 GiB from a file URL) and a million objects. There is no time
 * limit: run it in a process that is killed when its time is over, and that ignores SIGPIPE. What a
 * killed one left is cleared by the next; one runs at a time in a folder. Old packs are merged now
 * and then: who reads the folder meanwhile may fail to find an object and has to open it again.
 */
MUST_USE bool repo_fetch(const char *folder, const char *url, const char *ref,
                         char commit[REPO_COMMIT_HEX_SIZE], struct err *err);

/*
 * Whether `commit` is `ancestor` or has it in its history. An ancestor that the repository does
 * not know is none; in a shallow repository that cannot be told, and is an error.
 */
MUST_USE bool repo_descends(struct repo *repo, const char *commit, const char *ancestor, bool *yes,
                            struct err *err);

#endif
