/*
 * repo_impl.h -- what the parts of repo.h share. Nobody else includes it, except tests that need
 * smaller limits.
 */
#ifndef SOURCE_REPO_IMPL_H
#define SOURCE_REPO_IMPL_H

#include <git2.h>

#include "source/repo.h"

enum {
    REPO_MAX_ENTRIES = 1000000,      /* tree entries looked at in one walk (tree bombs) */
    REPO_MAX_TREE_BYTES = 32 << 20,  /* one folder's tree object */
    REPO_MAX_COMMIT_BYTES = 1 << 20, /* a commit or tag object */
    REPO_MAX_LINK_BYTES = 4096,      /* target of a symbolic link */
    REPO_MAX_PATH_BYTES = 4096,
    REPO_MAX_SELECTORS = 256,        /* `path_count` of repo_walk */
    REPO_MAX_TAG_CHAIN = 16,         /* tags that name tags */
    REPO_MAX_REF_BYTES = 250,        /* of our local ref, a file name */
    REPO_MAX_PACK_BYTES = 256 << 20, /* one fetch (R28) */
    REPO_MAX_COPY_BYTES = 1 << 30,
    REPO_MAX_PACK_OBJECTS = 1000000,
    REPO_MAX_SMALL_PACKS = 64, /* of a clone, before they are put into one */
    REPO_MERGE_BYTES = 32 << 20,
};

struct repo {
    git_repository *git;
    git_odb *odb;
};

/* For CLEANUP. */
void repo_closep(struct repo **repo);
void repo_treep(git_tree **tree);
void repo_entryp(git_tree_entry **entry);
void repo_objectp(git_odb_object **object);
void repo_packbuilderp(git_packbuilder **builder);
void repo_indexerp(git_indexer **indexer);
void repo_walkerp(git_revwalk **walk);
void repo_refp(git_reference **ref);

/*
 * The message, and libgit2's own text behind it with control characters replaced: part of it may
 * come from a server. Returns false.
 */
bool repo_err(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Whether the object is there, of this type and at most `limit` bytes: before it is loaded. */
MUST_USE bool repo_object_fits(struct repo *repo, const git_oid *id, git_object_t type,
                               size_t limit, struct err *err);

/* The commit that `id` is or, as a chain of tags, names. */
MUST_USE bool repo_peel(struct repo *repo, const git_oid *id, git_oid *commit, struct err *err);

/* Looks up a commit's tree, named in hex. */
MUST_USE bool repo_tree_of(struct repo *repo, const char *commit, git_tree **out, struct err *err);

/* Loads a tree within its limit. */
MUST_USE bool repo_tree_load(struct repo *repo, const git_oid *id, git_tree **out, struct err *err);

struct repo_fetch_limits {
    size_t pack_bytes; /* over the network */
    size_t copy_bytes; /* from a file URL, where objects are not stored as differences */
    size_t pack_objects;
};

/* repo_fetch() with limits of its own. */
MUST_USE bool repo_fetch_within(const char *folder, const char *url, const char *ref,
                                const struct repo_fetch_limits *limits,
                                char commit[REPO_COMMIT_HEX_SIZE], struct err *err);

/* Whether our ref is at `tip` already, and the object is there. */
bool repo_has_tip(struct repo *clone, const char *local, const git_oid *tip);

/*
 * Copies what `ref` of the repository at `path` names, with its history, into `clone` as one pack;
 * what the ref `local` of the clone already has is left out. *tip is what the ref names there.
 */
MUST_USE bool repo_copy(struct repo *clone, const char *local, const char *path, const char *ref,
                        const struct repo_fetch_limits *limits, git_oid *tip, struct err *err);

/*
 * What a fetch that was killed leaves in its folder: lock files, unfinished packs. The caller
 * holds the folder's guard, so that nobody else is writing.
 */
MUST_USE bool repo_tidy_remains(const char *folder, struct err *err);

/*
 * Puts a clone's small packs into one when there are more than REPO_MAX_SMALL_PACKS: every fetch
 * adds one, and each costs a file descriptor. At most REPO_MERGE_BYTES at once, so that it ends
 * within any fetch's time. Says nothing when it fails: the next fetch tries again.
 */
void repo_tidy_packs(struct repo *clone);

#endif
