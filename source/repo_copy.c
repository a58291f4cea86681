#include <stdlib.h>

#include <git2/sys/repository.h>

#include "source/repo.h"
#include "source/repo_impl.h"

#include "base/banned.h"

/*
 * Why not libgit2's own file transport: it copies every ref of the repository, whatever the
 * refspec says, and again each time one of the others has moved.
 */

struct copy {
    const struct repo_fetch_limits *limits;
    git_indexer *indexer;
    git_indexer_progress progress; /* the indexer keeps its own count in here */
    size_t bytes;
    bool too_large;
};

static int on_pack_bytes(void *data, size_t size, void *context)
{
    struct copy *copy = context;

    copy->bytes += size;
    if (copy->bytes > copy->limits->copy_bytes) {
        copy->too_large = true;
        return GIT_EUSER;
    }
    return git_indexer_append(copy->indexer, data, size, &copy->progress);
}

/* Writes the builder's objects into the clone: the pack appears there whole or not at all. */
static bool write_pack(struct repo *clone, git_packbuilder *builder,
                       const struct repo_fetch_limits *limits, struct err *err)
{
    CLEANUP(freep)
    char *folder = xasprintf("%sobjects/pack", git_repository_path(clone->git));
    CLEANUP(repo_indexerp) git_indexer *indexer = NULL;
    struct copy copy = {.limits = limits};

    if (git_packbuilder_object_count(builder) > limits->pack_objects)
        return err_set(err, "the fetch is more than %zu objects", limits->pack_objects);
    if (git_indexer_new(&indexer, folder, 0, clone->odb, NULL) < 0)
        return repo_err(err, "cannot write into %s", folder);
    copy.indexer = indexer;
    git_packbuilder_set_threads(builder, 1);

    const int code = git_packbuilder_foreach(builder, on_pack_bytes, &copy);

    if (copy.too_large)
        return err_set(err, "the fetch is more than %zu bytes", limits->copy_bytes);
    if (code < 0 || git_indexer_commit(indexer, &copy.progress) < 0)
        return repo_err(err, "cannot copy the objects");
    if (git_odb_refresh(clone->odb) < 0)
        return repo_err(err, "cannot read the copied objects");
    return true;
}

/* The tag objects between the ref and its commit. */
static bool insert_tags(struct repo *from, git_packbuilder *builder, const git_oid *tip,
                        struct err *err)
{
    git_oid at = *tip;

    for (int i = 0; i < REPO_MAX_TAG_CHAIN; i++) {
        git_tag *tag;

        if (git_tag_lookup(&tag, from->git, &at) < 0)
            return true; /* the commit; repo_peel saw that it is one */
        at = *git_tag_target_id(tag);
        const int code = git_packbuilder_insert(builder, git_tag_id(tag), NULL);

        git_tag_free(tag);
        if (code < 0)
            return repo_err(err, "cannot copy the tag");
    }
    return true;
}

/* The commits that the clone has already, as far as the repository still knows them. */
static bool hide_known(struct repo *clone, const char *local, struct repo *from, git_revwalk *walk,
                       struct err *err)
{
    git_oid have;
    struct err ignored;

    if (git_reference_name_to_id(&have, clone->git, local) < 0 ||
        !repo_peel(clone, &have, &have, &ignored) || !git_odb_exists(from->odb, &have))
        return true;
    if (git_revwalk_hide(walk, &have) < 0)
        return repo_err(err, "cannot follow the history");
    return true;
}

/*
 * libgit2 looks for deltas between all objects of a pack, which is four times the work of copying
 * them (seen with 30,000 objects). It skips what is above this setting (the name is a slip of
 * theirs, the right one is not read). It is written into the clone, whose settings the source has
 * from then on, too: merges are quick as well, and nothing is changed in the source.
 */
static bool skip_deltas(struct repo *clone, struct repo *from, struct err *err)
{
    static const char key[] = "pack.deltaCacheSize";
    git_config *config;
    int64_t value = 0;

    if (git_repository_config(&config, clone->git) < 0)
        return repo_err(err, "cannot read the configuration of the copy");

    const bool is_set = git_config_get_int64(&value, config, key) == 0 && value == 1;
    const bool done = (is_set || git_config_set_int64(config, key, 1) == 0) &&
                      git_repository_set_config(from->git, config) == 0;

    git_config_free(config);
    return done || repo_err(err, "cannot configure the copy");
}

static bool copy_history(struct repo *clone, const char *local, struct repo *from,
                         const git_oid *tip, const struct repo_fetch_limits *limits,
                         struct err *err)
{
    CLEANUP(repo_packbuilderp) git_packbuilder *builder = NULL;
    CLEANUP(repo_walkerp) git_revwalk *walk = NULL;
    git_oid commit;

    if (!repo_peel(from, tip, &commit, err) || !skip_deltas(clone, from, err))
        return false;
    if (git_packbuilder_new(&builder, from->git) < 0 || git_revwalk_new(&walk, from->git) < 0 ||
        git_revwalk_push(walk, &commit) < 0)
        return repo_err(err, "cannot follow the history");
    if (!hide_known(clone, local, from, walk, err))
        return false;
    if (git_packbuilder_insert_walk(builder, walk) < 0)
        return repo_err(err, "cannot follow the history%s",
                        git_repository_is_shallow(from->git) == 1
                            ? " (the repository is shallow; it must hold its whole history)"
                            : "");
    if (!insert_tags(from, builder, tip, err))
        return false;
    return git_packbuilder_object_count(builder) == 0 || write_pack(clone, builder, limits, err);
}

bool repo_copy(struct repo *clone, const char *local, const char *path, const char *ref,
               const struct repo_fetch_limits *limits, git_oid *tip, struct err *err)
{
    CLEANUP(repo_closep) struct repo *from = NULL;

    if (!repo_open(path, &from, err))
        return false;
    if (git_reference_name_to_id(tip, from->git, ref) < 0)
        return err_set(err, "%s: has no ref \"%s\"", path, ref);
    if (repo_has_tip(clone, local, tip))
        return true;
    if (!copy_history(clone, local, from, tip, limits, err))
        return err_prefix(err, "%s: ref \"%s\": ", path, ref);
    return true;
}
