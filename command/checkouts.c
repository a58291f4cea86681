#include "command/checkouts.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

enum { OPEN_WHILE_REMOVING = 16 };

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

void checkouts_remove(struct checkouts *c)
{
    if (c->folder != NULL)
        (void)nftw(c->folder, remove_one, OPEN_WHILE_REMOVING, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < c->count; i++)
        free(c->folders[i]);
    free(c->folders);
    free(c->items);
    free(c->folder);
    *c = (struct checkouts){0};
}

/* --- NAME=COMMIT ------------------------------------------------------------------------------ */

/* What is behind the "=" if the rev is for this source, or NULL. */
static const char *commit_for(const char *rev, const char *source)
{
    const size_t length = strlen(source);

    return strncmp(rev, source, length) == 0 && rev[length] == '=' ? rev + length + 1 : NULL;
}

static const char *find_rev(const char *const *revs, size_t count, const char *source)
{
    const char *found = NULL;

    for (size_t i = 0; found == NULL && i < count; i++)
        found = commit_for(revs[i], source);
    return found;
}

/* Each is for a source, and there is no second for it. */
static bool check_revs(const struct config *config, const char *const *revs, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        while (k < config->source_count && commit_for(revs[i], config->sources[k].name) == NULL)
            k++;
        if (k == config->source_count)
            return err_set(err, "--rev %s: expected NAME=COMMIT with the name of a source",
                           revs[i]);
        if (find_rev(revs, i, config->sources[k].name) != NULL)
            return err_set(err, "--rev %s: there is one for this source already", revs[i]);
    }
    return true;
}

/* --- fetching --------------------------------------------------------------------------------- */

static bool resolve(const char *folder, const char *rev, char commit[REPO_COMMIT_HEX_SIZE],
                    struct err *err)
{
    struct repo *repo;

    if (!repo_open(folder, &repo, err))
        return false;
    const bool ok = repo_resolve(repo, rev, commit, err);

    repo_close(repo);
    return ok;
}

static bool fetch(struct checkouts *c, const struct config_source *source, const char *rev,
                  struct err *err)
{
    struct checkout *item = &c->items[c->count];
    char *folder = xasprintf("%s/%s.git", c->folder, source->name);

    c->folders[c->count++] = folder;
    item->folder = folder;
    if (!repo_fetch(folder, source->url, source->ref, item->commit, err) ||
        (rev != NULL && !resolve(folder, rev, item->commit, err)))
        return err_prefix(err, "source %s: ", source->name);
    return true;
}

bool checkouts_fetch(const struct config *config, const char *const *revs, size_t rev_count,
                     struct checkouts *out, struct err *err)
{
    const char *place = getenv("TMPDIR");

    *out = (struct checkouts){0};
    if (!check_revs(config, revs, rev_count, err))
        return false;
    CLEANUP(freep)
    char *folder = xasprintf("%s/meshwrit-build-XXXXXX", place == NULL ? "/tmp" : place);

    if (mkdtemp(folder) == NULL)
        return err_errno(err, "cannot make a folder %s", folder);
    out->folder = STEAL(folder);
    out->items = xcalloc(config->source_count, sizeof(out->items[0]));
    out->folders = xcalloc(config->source_count, sizeof(char *));
    (void)signal(SIGPIPE, SIG_IGN); /* a host that hangs up is an error, not the end */
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->sources[i];

        if (!fetch(out, source, find_rev(revs, rev_count, source->name), err))
            return false;
    }
    return true;
}
