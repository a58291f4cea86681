#include "source/repo.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/repo_impl.h"

#include "base/banned.h"

/* The certificate authorities of the system, as Debian's ca-certificates keeps them. */
static const char ca_file[] = "/etc/ssl/certs/ca-certificates.crt";

void repo_closep(struct repo **repo)
{
    repo_close(*repo);
}

void repo_treep(git_tree **tree)
{
    git_tree_free(*tree);
}

void repo_entryp(git_tree_entry **entry)
{
    git_tree_entry_free(*entry);
}

void repo_objectp(git_odb_object **object)
{
    git_odb_object_free(*object);
}

void repo_packbuilderp(git_packbuilder **builder)
{
    git_packbuilder_free(*builder);
}

void repo_indexerp(git_indexer **indexer)
{
    git_indexer_free(*indexer);
}

void repo_walkerp(git_revwalk **walk)
{
    git_revwalk_free(*walk);
}

void repo_refp(git_reference **ref)
{
    git_reference_free(*ref);
}

static void objectp(git_object **object)
{
    git_object_free(*object);
}

bool repo_err(struct err *err, const char *format, ...)
{
    const git_error *last = git_error_last();
    char what[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    err_set(err, "%s: %s", what, last == NULL ? "no reason given" : last->message);

    size_t end = 0;

    for (size_t i = 0; err->message[i] != '\0'; i++) {
        if (iscntrl((unsigned char)err->message[i]))
            err->message[i] = ' ';
        if (err->message[i] != ' ')
            end = i + 1;
    }
    err->message[end] = '\0';
    return false;
}

/* Nobody's configuration but the repository's own: what is built must not depend on who builds. */
static bool forget_user_config(void)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                                 GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};

    for (size_t i = 0; i < COUNT(levels); i++) {
        if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
            return false;
    }
    return git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "") >= 0;
}

static bool set_options(void)
{
    /* Extensions that change nothing for who only reads objects: sparse checkouts set the first. */
    const char *harmless[] = {"worktreeconfig", "preciousobjects"};

    /* Owner: nothing of the repository is executed, so whose it is does not matter. */
    return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0) >= 0 &&
           git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1) >= 0 &&
           git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) >= 0 &&
           git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)REPO_MAX_PACK_OBJECTS) >= 0 &&
           git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, (size_t)REPO_MAX_PACK_BYTES) >= 0 &&
           git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)64 << 20) >= 0 &&
           git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, harmless, COUNT(harmless)) >= 0 &&
           git_libgit2_opts(GIT_OPT_SET_USER_AGENT, "meshwrit") >= 0;
}

bool repo_library_start(struct err *err)
{
    if (git_libgit2_init() < 0)
        return repo_err(err, "cannot start libgit2");
    if (!forget_user_config() || !set_options()) {
        repo_err(err, "cannot set up libgit2");
        (void)git_libgit2_shutdown();
        return false;
    }
    if (access(ca_file, R_OK) == 0 &&
        git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca_file, NULL) < 0) {
        repo_err(err, "cannot load the certificate authorities of %s", ca_file);
        (void)git_libgit2_shutdown();
        return false;
    }
    return true;
}

void repo_library_end(void)
{
    (void)git_libgit2_shutdown();
}

/* libgit2 names the extension ("unsupported extension name extensions.x"); we say what it means. */
static bool open_failed(const char *path, int code, struct err *err)
{
    const git_error *last = git_error_last();
    const char *text = last == NULL ? "" : last->message;
    const char *extension = strstr(text, "extensions.");

    if (code == GIT_ENOTFOUND)
        return err_set(err, "%s: is not a Git repository (give its top folder)", path);
    if (extension == NULL)
        return repo_err(err, "%s: cannot open the Git repository", path);
    if (strstr(extension, "objectformat") != NULL)
        return err_set(err,
                       "%s: the repository uses SHA-256 object names, which libgit2 %s "
                       "cannot read; only SHA-1 repositories are supported",
                       path, LIBGIT2_VERSION);
    return err_set(err, "%s: the repository uses the extension %s, which libgit2 %s cannot read",
                   path, extension + strlen("extensions."), LIBGIT2_VERSION);
}

bool repo_open(const char *path, struct repo **out, struct err *err)
{
    CLEANUP(repo_closep) struct repo *repo = xcalloc(1, sizeof(*repo));
    struct stat status;

    if (stat(path, &status) != 0)
        return err_errno(err, "%s: cannot open the Git repository", path);

    const int code = git_repository_open_ext(&repo->git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

    if (code < 0)
        return open_failed(path, code, err);
    if (git_repository_odb(&repo->odb, repo->git) < 0)
        return repo_err(err, "%s: cannot open the object database", path);
    *out = STEAL(repo);
    return true;
}

void repo_close(struct repo *repo)
{
    if (repo == NULL)
        return;
    git_odb_free(repo->odb);
    git_repository_free(repo->git);
    free(repo);
}

bool repo_object_fits(struct repo *repo, const git_oid *id, git_object_t type, size_t limit,
                      struct err *err)
{
    char hex[GIT_OID_HEXSZ + 1];
    size_t size;
    git_object_t got;

    git_oid_tostr(hex, sizeof(hex), id);
    if (git_odb_read_header(&size, &got, repo->odb, id) < 0)
        return repo_err(err, "cannot read object %.12s", hex);
    if (got != type)
        return err_set(err, "object %.12s is a %s where a %s is expected", hex,
                       git_object_type2string(got), git_object_type2string(type));
    if (size > limit)
        return err_set(err, "object %.12s (a %s) is %zu bytes, more than %zu", hex,
                       git_object_type2string(type), size, limit);
    return true;
}

/* What the tag names. */
static bool tag_target(struct repo *repo, const git_oid *id, git_oid *out, struct err *err)
{
    git_tag *tag;

    if (!repo_object_fits(repo, id, GIT_OBJECT_TAG, REPO_MAX_COMMIT_BYTES, err))
        return false;
    if (git_tag_lookup(&tag, repo->git, id) < 0)
        return repo_err(err, "cannot read the tag");
    *out = *git_tag_target_id(tag);
    git_tag_free(tag);
    return true;
}

bool repo_peel(struct repo *repo, const git_oid *id, git_oid *commit, struct err *err)
{
    git_oid at = *id;

    for (int i = 0; i < REPO_MAX_TAG_CHAIN; i++) {
        git_object_t type;
        size_t size;

        if (git_odb_read_header(&size, &type, repo->odb, &at) < 0)
            return repo_err(err, "cannot read the object");
        if (type == GIT_OBJECT_COMMIT) {
            *commit = at;
            return true;
        }
        if (type != GIT_OBJECT_TAG)
            return err_set(err, "names a %s, not a commit", git_object_type2string(type));
        if (!tag_target(repo, &at, &at, err))
            return false;
    }
    return err_set(err, "is a chain of more than %d tags", REPO_MAX_TAG_CHAIN);
}

static bool resolve_failed(struct repo *repo, const char *rev, int code, struct err *err)
{
    const bool unborn = code == GIT_ENOTFOUND && strcmp(rev, "HEAD") == 0 &&
                        git_repository_head_unborn(repo->git) == 1;

    if (unborn || code == GIT_EUNBORNBRANCH)
        return err_set(err, "\"%s\" names a branch that has no commit yet", rev);
    if (code == GIT_ENOTFOUND)
        return err_set(err,
                       "\"%s\" names nothing in the repository (a branch, a tag, HEAD or the "
                       "hex id of a commit is expected)",
                       rev);
    if (code == GIT_EAMBIGUOUS)
        return err_set(err, "\"%s\" names more than one object; give more digits", rev);
    return repo_err(err, "\"%s\" names no commit", rev);
}

bool repo_resolve(struct repo *repo, const char *rev, char commit[REPO_COMMIT_HEX_SIZE],
                  struct err *err)
{
    CLEANUP(objectp) git_object *object = NULL;
    git_oid id;
    const int code = git_revparse_single(&object, repo->git, rev);

    if (code < 0)
        return resolve_failed(repo, rev, code, err);
    if (!repo_peel(repo, git_object_id(object), &id, err))
        return err_prefix(err, "\"%s\" ", rev);
    git_oid_tostr(commit, REPO_COMMIT_HEX_SIZE, &id);
    return true;
}

bool repo_tree_load(struct repo *repo, const git_oid *id, git_tree **out, struct err *err)
{
    if (!repo_object_fits(repo, id, GIT_OBJECT_TREE, REPO_MAX_TREE_BYTES, err))
        return false;
    if (git_tree_lookup(out, repo->git, id) < 0)
        return repo_err(err, "cannot read the tree");
    return true;
}

static bool commit_id(const char *text, git_oid *out, struct err *err)
{
    if (strlen(text) != GIT_OID_HEXSZ || git_oid_fromstr(out, text) < 0)
        return err_set(err, "\"%.64s\" is not the full id of a commit", text);
    return true;
}

bool repo_tree_of(struct repo *repo, const char *commit, git_tree **out, struct err *err)
{
    git_commit *object;
    git_oid id;

    if (!commit_id(commit, &id, err))
        return false;
    if (!repo_object_fits(repo, &id, GIT_OBJECT_COMMIT, REPO_MAX_COMMIT_BYTES, err))
        return err_prefix(err, "commit %.12s: ", commit);
    if (git_commit_lookup(&object, repo->git, &id) < 0)
        return repo_err(err, "commit %.12s: cannot read it", commit);
    id = *git_commit_tree_id(object);
    git_commit_free(object);
    if (!repo_tree_load(repo, &id, out, err))
        return err_prefix(err, "commit %.12s: ", commit);
    return true;
}

bool repo_read_file(struct repo *repo, const char *commit, const char *path, struct buf *out,
                    struct err *err)
{
    CLEANUP(repo_treep) git_tree *tree = NULL;
    CLEANUP(repo_entryp) git_tree_entry *entry = NULL;
    CLEANUP(repo_objectp) git_odb_object *blob = NULL;

    if (!repo_tree_of(repo, commit, &tree, err))
        return false;
    if (git_tree_entry_bypath(&entry, tree, path) < 0)
        return err_set(err, "%s: is not in commit %.12s", path, commit);
    if (!S_ISREG((mode_t)git_tree_entry_filemode_raw(entry)))
        return err_set(err, "%s: is not a regular file in commit %.12s", path, commit);
    if (!repo_object_fits(repo, git_tree_entry_id(entry), GIT_OBJECT_BLOB, REPO_MAX_BLOB_BYTES,
                          err))
        return err_prefix(err, "%s: ", path);
    if (git_odb_read(&blob, repo->odb, git_tree_entry_id(entry)) < 0)
        return repo_err(err, "%s: cannot read it", path);
    buf_append(out, bytes_of(git_odb_object_data(blob), git_odb_object_size(blob)));
    return true;
}

bool repo_descends(struct repo *repo, const char *commit, const char *ancestor, bool *yes,
                   struct err *err)
{
    git_oid id;
    git_oid from;

    if (!commit_id(commit, &id, err) || !commit_id(ancestor, &from, err))
        return false;
    if (!repo_object_fits(repo, &id, GIT_OBJECT_COMMIT, REPO_MAX_COMMIT_BYTES, err))
        return err_prefix(err, "commit %.12s: ", commit);
    if (git_oid_equal(&id, &from)) {
        *yes = true;
        return true;
    }

    /* A history that is all here cannot lead to a commit that is not. */
    const bool shallow = git_repository_is_shallow(repo->git) == 1;
    const int code = !git_odb_exists(repo->odb, &from) && !shallow
                         ? 0
                         : git_graph_descendant_of(repo->git, &id, &from);

    if (code < 0 && shallow)
        return err_set(err,
                       "the repository is shallow: whether %.12s descends from %.12s cannot "
                       "be told; clone it with its history",
                       commit, ancestor);
    if (code < 0)
        return repo_err(err, "cannot follow the history of %.12s", commit);
    *yes = code == 1;
    return true;
}
