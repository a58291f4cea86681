#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/repo.h"
#include "source/repo_impl.h"

#include "base/banned.h"

enum { TIDY_MAX_DEPTH = 8 };

static void dirp(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

static bool ends_with(const char *name, const char *suffix)
{
    return bytes_ends_with(bytes_str(name), bytes_str(suffix));
}

/*
 * libgit2 writes FILE.lock, and files with "_git2_" in their name (packs, objects, probes of what
 * the file system can do), and renames them when they are whole. Our refs, "refs%2F...", may have
 * that in their name, too; none ends in ".lock", Git sees to that.
 */
static bool is_unfinished(const char *name)
{
    return ends_with(name, ".lock") || (strstr(name, "_git2_") != NULL &&
                                        !bytes_starts_with(bytes_str(name), BYTES("refs%2F")));
}

/* NOLINTNEXTLINE(misc-no-recursion): at most TIDY_MAX_DEPTH */
static bool remove_unfinished(int parent, const char *name, unsigned depth, struct err *err)
{
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP(dirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (dir == NULL) {
        const bool absent = errno == ENOENT;

        if (fd >= 0)
            (void)close(fd);
        return absent || err_errno(err, "cannot read folder %s", name);
    }
    while ((entry = readdir(dir)) != NULL) {
        const bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        struct stat status;

        if (dots || fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            if (depth < TIDY_MAX_DEPTH && !remove_unfinished(fd, entry->d_name, depth + 1, err))
                return false;
        } else if (is_unfinished(entry->d_name) && unlinkat(fd, entry->d_name, 0) != 0) {
            return err_errno(err, "cannot remove %s", entry->d_name);
        }
    }
    return true;
}

bool repo_tidy_remains(const char *folder, struct err *err)
{
    if (!remove_unfinished(AT_FDCWD, folder, 0, err))
        return err_prefix(err, "%s: what an earlier fetch left is in the way: ", folder);
    return true;
}

struct pack {
    char *name; /* path without ".idx" or ".pack" */
    size_t size;
};

struct packs {
    struct pack *items;
    size_t count;
};

static void packs_release(struct packs *packs)
{
    for (size_t i = 0; i < packs->count; i++)
        free(packs->items[i].name);
    free(packs->items);
}

static int pack_compare(const void *a, const void *b)
{
    const struct pack *left = a;
    const struct pack *right = b;

    return (left->size > right->size) - (left->size < right->size);
}

/* The packs of a clone, the smallest first. */
static bool packs_list(const char *folder, struct packs *packs)
{
    CLEANUP(dirp) DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (dir == NULL)
        return false;
    while ((entry = readdir(dir)) != NULL) {
        const size_t len = strlen(entry->d_name);
        struct stat status;

        if (!ends_with(entry->d_name, ".idx"))
            continue;

        char *name = xasprintf("%s/%.*s", folder, (int)(len - strlen(".idx")), entry->d_name);
        CLEANUP(freep) char *pack = xasprintf("%s.pack", name);

        if (stat(pack, &status) != 0) {
            free(name);
            continue;
        }
        packs->items = xrealloc(packs->items, (packs->count + 1) * sizeof(struct pack));
        packs->items[packs->count++] = (struct pack){name, (size_t)status.st_size};
    }
    if (packs->count > 0)
        qsort(packs->items, packs->count, sizeof(struct pack), pack_compare);
    return true;
}

/* How many of the smallest fit into one merge. */
static size_t packs_to_merge(const struct packs *packs)
{
    size_t bytes = 0;

    for (size_t i = 0; i < packs->count; i++) {
        bytes += packs->items[i].size;
        if (bytes > REPO_MERGE_BYTES)
            return i;
    }
    return packs->count;
}

static int insert_object(const git_oid *id, void *context)
{
    git_packbuilder *builder = context;

    return git_packbuilder_insert(builder, id, NULL);
}

/* Every object of one pack, through an object database that has nothing else. */
static bool insert_pack(git_packbuilder *builder, const char *name)
{
    CLEANUP(freep) char *index = xasprintf("%s.idx", name);
    git_odb_backend *backend;
    git_odb *odb;

    if (git_odb_new(&odb) < 0)
        return false;
    if (git_odb_backend_one_pack(&backend, index) < 0) {
        git_odb_free(odb);
        return false;
    }

    const bool done = git_odb_add_backend(odb, backend, 1) == 0 &&
                      git_odb_foreach(odb, insert_object, builder) == 0;

    git_odb_free(odb);
    return done;
}

/* The index first: a pack is found by it. */
static void remove_pack(const char *name)
{
    static const char *const suffixes[] = {".idx", ".pack"};

    for (size_t i = 0; i < COUNT(suffixes); i++) {
        CLEANUP(freep) char *path = xasprintf("%s%s", name, suffixes[i]);

        (void)unlink(path);
    }
}

static void merge(struct repo *clone, const char *folder, const struct packs *packs, size_t count)
{
    CLEANUP(repo_packbuilderp) git_packbuilder *builder = NULL;

    if (git_packbuilder_new(&builder, clone->git) < 0)
        return;
    git_packbuilder_set_threads(builder, 1);
    for (size_t i = 0; i < count; i++) {
        if (!insert_pack(builder, packs->items[i].name))
            return;
    }
    if (git_packbuilder_write(builder, folder, 0, NULL, NULL) < 0)
        return;

    const char *made = git_packbuilder_name(builder);

    for (size_t i = 0; i < count; i++) {
        /* Packs are named by what is in them: the new one may have an old one's name. */
        if (!ends_with(packs->items[i].name, made))
            remove_pack(packs->items[i].name);
    }
    (void)git_odb_refresh(clone->odb);
}

void repo_tidy_packs(struct repo *clone)
{
    CLEANUP(freep)
    char *folder = xasprintf("%sobjects/pack", git_repository_path(clone->git));
    CLEANUP(packs_release) struct packs packs = {0};

    if (!packs_list(folder, &packs) || packs.count <= REPO_MAX_SMALL_PACKS)
        return;

    const size_t count = packs_to_merge(&packs);

    if (count >= 2)
        merge(clone, folder, &packs, count);
}
