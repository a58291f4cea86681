#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "source/glob.h"
#include "source/repo.h"
#include "source/repo_impl.h"

#include "base/banned.h"

/* R28: the content of one walk, all files together. */
static const size_t max_total_bytes = (size_t)1 << 30;

static const struct bytes lfs_start = {(const uint8_t *)"version https://git-lfs", 23};

struct walk {
    struct repo *repo;
    git_tree *root;
    struct glob **globs;
    bool *matched; /* for each glob, whether it named something yet */
    size_t glob_count;
    repo_visit *visit;
    void *context;
    struct buf path;
    size_t files;
    size_t entries;
    size_t total;
};

/* One folder on the way down. */
struct level {
    glob_state *states; /* one for each glob; NULL if there are none */
    bool selected;      /* it lies in a folder that was asked for */
    unsigned depth;
};

static bool has_manifest_name(struct bytes path)
{
    return bytes_ends_with(path, BYTES(".yaml")) || bytes_ends_with(path, BYTES(".yml")) ||
           bytes_ends_with(path, BYTES(".json"));
}

/*
 * Names that no checkout can make, so that no delivery can have read them: an object under one
 * must not count as approved (R27).
 */
static bool name_is_sound(struct bytes name)
{
    static const char git_folder[] = ".git";

    if (name.len == 0 || bytes_equal(name, BYTES(".")) || bytes_equal(name, BYTES("..")) ||
        bytes_contains(name, BYTES("/")))
        return false;
    return name.len != strlen(git_folder) ||
           strncasecmp((const char *)name.ptr, git_folder, name.len) != 0;
}

static struct bytes entry_name(const git_tree_entry *entry)
{
    return bytes_str(git_tree_entry_name(entry));
}

static mode_t entry_format(const git_tree_entry *entry)
{
    return (mode_t)git_tree_entry_filemode_raw(entry) & S_IFMT;
}

/* Git's order of the entries of a tree: a folder is compared with a slash behind its name. */
static int entry_compare(const git_tree_entry *a, const git_tree_entry *b)
{
    const struct bytes left = entry_name(a);
    const struct bytes right = entry_name(b);
    const size_t common = left.len < right.len ? left.len : right.len;
    const int order = memcmp(left.ptr, right.ptr, common);

    if (order != 0)
        return order;

    const int next_left = left.len > common            ? left.ptr[common]
                          : entry_format(a) == S_IFDIR ? '/'
                                                       : 0;
    const int next_right = right.len > common           ? right.ptr[common]
                           : entry_format(b) == S_IFDIR ? '/'
                                                        : 0;

    return next_left - next_right;
}

/*
 * Sorted as Git sorts, each name once. What is between a file "a" and a folder "a" begins with
 * "a", so the search back ends soon.
 */
static bool entry_is_in_order(const git_tree *tree, size_t index)
{
    const git_tree_entry *entry = git_tree_entry_byindex(tree, index);
    const struct bytes name = entry_name(entry);

    if (index > 0 && entry_compare(git_tree_entry_byindex(tree, index - 1), entry) >= 0)
        return false;
    for (size_t i = index; i > 0; i--) {
        const struct bytes before = entry_name(git_tree_entry_byindex(tree, i - 1));

        if (!bytes_starts_with(before, name))
            return true;
        if (before.len == name.len)
            return false;
    }
    return true;
}

static bool report(struct walk *walk, struct bytes content, const char *problem, struct err *err)
{
    if (++walk->files > REPO_MAX_FILES)
        return err_set(err, "more than %d files in the selected paths", REPO_MAX_FILES);

    const struct repo_file file = {buf_cstr(&walk->path), content, problem};

    return walk->visit(walk->context, &file, err);
}

static bool visit_blob(struct walk *walk, const git_oid *id, struct err *err)
{
    CLEANUP(repo_objectp) git_odb_object *blob = NULL;
    size_t size;
    git_object_t type;
    char problem[64];

    if (git_odb_read_header(&size, &type, walk->repo->odb, id) < 0)
        return repo_err(err, "%s: cannot read it", buf_cstr(&walk->path));
    if (type != GIT_OBJECT_BLOB)
        return err_set(err, "%s: is a %s in the repository, not a file", buf_cstr(&walk->path),
                       git_object_type2string(type));
    if (size > REPO_MAX_BLOB_BYTES) {
        (void)snprintf(problem, sizeof(problem), "is %zu bytes, more than %d", size,
                       REPO_MAX_BLOB_BYTES);
        return report(walk, BYTES(""), problem, err);
    }
    walk->total += size;
    if (walk->total > max_total_bytes)
        return err_set(err, "%s: more than %zu bytes in the selected paths up to here",
                       buf_cstr(&walk->path), max_total_bytes);
    if (git_odb_read(&blob, walk->repo->odb, id) < 0)
        return repo_err(err, "%s: cannot read it", buf_cstr(&walk->path));

    const struct bytes content = bytes_of(git_odb_object_data(blob), git_odb_object_size(blob));

    if (bytes_starts_with(content, lfs_start))
        return report(walk, BYTES(""), "is a Git LFS pointer, not the file itself", err);
    return report(walk, content, NULL, err);
}

/* "clusters/prod" and "../base" give "clusters/base"; false if it leaves the repository. */
static bool join_link(struct bytes link_path, struct bytes target, struct buf *out)
{
    const uint8_t *const end = target.ptr + target.len;

    if (target.len == 0 || target.ptr[0] == '/')
        return false;
    buf_append(out, link_path);
    while (out->len > 0 && out->ptr[out->len - 1] != '/')
        out->len--;
    for (const uint8_t *from = target.ptr; from < end;) {
        const uint8_t *to = memchr(from, '/', (size_t)(end - from));
        const struct bytes name = bytes_of(from, (size_t)((to == NULL ? end : to) - from));

        from = to == NULL ? end : to + 1;
        if (name.len == 0 || bytes_equal(name, BYTES(".")))
            continue;
        if (!bytes_equal(name, BYTES(".."))) {
            buf_append(out, name);
            buf_byte(out, '/');
            continue;
        }
        if (out->len == 0)
            return false;
        do
            out->len--;
        while (out->len > 0 && out->ptr[out->len - 1] != '/');
    }
    if (out->len > 0)
        out->len--; /* the last slash */
    return true;
}

/*
 * Whether the link, by its text alone, leads to a regular file of this commit. Anything else (a
 * folder, another link, out of the repository, nowhere) may be a folder of manifests to a tool
 * that follows links.
 */
static bool link_leads_to_file(struct walk *walk, const git_oid *id)
{
    CLEANUP(repo_objectp) git_odb_object *blob = NULL;
    CLEANUP(repo_entryp) git_tree_entry *entry = NULL;
    CLEANUP(buf_release) struct buf target = {0};
    struct err ignored;

    if (!repo_object_fits(walk->repo, id, GIT_OBJECT_BLOB, REPO_MAX_LINK_BYTES, &ignored) ||
        git_odb_read(&blob, walk->repo->odb, id) < 0)
        return false;

    const struct bytes text = bytes_of(git_odb_object_data(blob), git_odb_object_size(blob));

    return join_link(buf_bytes(&walk->path), text, &target) && target.len > 0 &&
           git_tree_entry_bypath(&entry, walk->root, buf_cstr(&target)) == 0 &&
           entry_format(entry) == S_IFREG;
}

/*
 * What is selected and not a folder. `named` is set if this is something a path can be said to
 * have found.
 */
static bool visit_leaf(struct walk *walk, const git_tree_entry *entry, bool *named, struct err *err)
{
    const git_oid *id = git_tree_entry_id(entry);
    const bool manifest = has_manifest_name(buf_bytes(&walk->path));

    *named = true;
    switch (entry_format(entry)) {
    case S_IFREG:
        *named = manifest;
        return !manifest || visit_blob(walk, id, err);
    case S_IFLNK:
        *named = manifest || !link_leads_to_file(walk, id);
        return !*named || report(walk, BYTES(""), "is a symbolic link", err);
    case GIT_FILEMODE_COMMIT:
        return report(walk, BYTES(""), "is a submodule", err);
    default:
        return err_set(err, "%s: has the unknown file mode %o", buf_cstr(&walk->path),
                       (unsigned)git_tree_entry_filemode_raw(entry));
    }
}

static bool walk_tree(struct walk *walk, const git_tree *tree, const struct level *level,
                      struct err *err);

/* Whether the glob names the entry itself. "a/" may be a folder, a submodule, a link, no file. */
static bool glob_names(const struct glob *glob, glob_state state, const git_tree_entry *entry)
{
    return glob_accepts(glob, state) &&
           !(glob_wants_folder(glob) && entry_format(entry) == S_IFREG);
}

/* Steps every glob by the entry's name. Returns whether one of them names the entry. */
static bool step_globs(const struct walk *walk, const struct level *level,
                       const git_tree_entry *entry, glob_state *states, bool *reachable)
{
    bool accepted = false;

    for (size_t i = 0; i < walk->glob_count; i++) {
        states[i] = glob_step(walk->globs[i], level->states[i], entry_name(entry));
        *reachable = *reachable || states[i] != 0;
        accepted = accepted || glob_names(walk->globs[i], states[i], entry);
    }
    return accepted;
}

static void note_matches(struct walk *walk, const glob_state *states, const git_tree_entry *entry)
{
    for (size_t i = 0; i < walk->glob_count; i++) {
        if (glob_names(walk->globs[i], states[i], entry))
            walk->matched[i] = true;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): at most REPO_MAX_TREE_DEPTH, walk_tree checks */
static bool visit_entry(struct walk *walk, const git_tree_entry *entry, const struct level *level,
                        struct err *err)
{
    CLEANUP(freep) glob_state *states = xcalloc(walk->glob_count + 1, sizeof(*states));
    bool reachable = false;
    const bool accepted = step_globs(walk, level, entry, states, &reachable);
    const bool selected = level->selected || accepted;

    if (!selected && !reachable)
        return true;
    if (entry_format(entry) != S_IFDIR) {
        bool named = false;

        if (selected && !visit_leaf(walk, entry, &named, err))
            return false;
        if (named && accepted)
            note_matches(walk, states, entry);
        return true;
    }

    CLEANUP(repo_treep) git_tree *tree = NULL;
    const struct level below = {states, selected, level->depth + 1};

    if (!repo_tree_load(walk->repo, git_tree_entry_id(entry), &tree, err))
        return err_prefix(err, "%s: ", buf_cstr(&walk->path));
    note_matches(walk, states, entry);
    return walk_tree(walk, tree, &below, err);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most REPO_MAX_TREE_DEPTH */
static bool walk_tree(struct walk *walk, const git_tree *tree, const struct level *level,
                      struct err *err)
{
    const size_t folder_len = walk->path.len;
    const size_t count = git_tree_entrycount(tree);

    if (level->depth > REPO_MAX_TREE_DEPTH)
        return err_set(err, "%s: is deeper than %d folders", buf_cstr(&walk->path),
                       REPO_MAX_TREE_DEPTH);
    for (size_t i = 0; i < count; i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        const struct bytes name = entry_name(entry);

        if (folder_len > 0)
            buf_byte(&walk->path, '/');
        buf_append(&walk->path, name);
        if (!name_is_sound(name) || !entry_is_in_order(tree, i))
            return err_set(err,
                           "%s: the tree is malformed here (its name, its order or a "
                           "duplicate): no checkout would have it",
                           buf_cstr(&walk->path));
        if (walk->path.len > REPO_MAX_PATH_BYTES)
            return err_set(err, "%.200s…: the path is longer than %d bytes", buf_cstr(&walk->path),
                           REPO_MAX_PATH_BYTES);
        if (++walk->entries > REPO_MAX_ENTRIES)
            return err_set(err, "more than %d entries in the folders to look through",
                           REPO_MAX_ENTRIES);
        if (!visit_entry(walk, entry, level, err))
            return false;
        walk->path.len = folder_len;
    }
    return true;
}

static bool make_globs(struct walk *walk, const char *const *paths, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!glob_new(paths[i], &walk->globs[i], err))
            return false;
        walk->glob_count = i + 1;
    }
    return true;
}

static bool run(struct walk *walk, const char *commit, struct err *err)
{
    CLEANUP(freep) glob_state *states = xcalloc(walk->glob_count + 1, sizeof(*states));
    struct level level = {states, walk->glob_count == 0, 0};

    if (!repo_tree_of(walk->repo, commit, &walk->root, err))
        return false;
    for (size_t i = 0; i < walk->glob_count; i++) {
        states[i] = glob_start(walk->globs[i]);
        walk->matched[i] = glob_accepts(walk->globs[i], states[i]);
        level.selected = level.selected || walk->matched[i];
    }
    if (!walk_tree(walk, walk->root, &level, err))
        return false;
    for (size_t i = 0; i < walk->glob_count; i++) {
        if (!walk->matched[i])
            return err_set(err,
                           "path \"%.200s\" matches no folder and no .yaml, .yml or .json "
                           "file in commit %.12s",
                           glob_text(walk->globs[i]), commit);
    }
    return true;
}

bool repo_walk(struct repo *repo, const char *commit, const char *const *paths, size_t path_count,
               repo_visit *visit, void *context, struct err *err)
{
    struct walk walk = {.repo = repo, .visit = visit, .context = context};

    if (path_count > REPO_MAX_SELECTORS)
        return err_set(err, "%zu paths are more than %d", path_count, REPO_MAX_SELECTORS);
    walk.globs = xcalloc(path_count + 1, sizeof(struct glob *));
    walk.matched = xcalloc(path_count + 1, sizeof(bool));

    const bool done = make_globs(&walk, paths, path_count, err) && run(&walk, commit, err);

    for (size_t i = 0; i < walk.glob_count; i++)
        glob_free(walk.globs[i]);
    free(walk.globs);
    free(walk.matched);
    buf_release(&walk.path);
    git_tree_free(walk.root);
    return done;
}
