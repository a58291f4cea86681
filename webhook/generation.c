#include "webhook/generation.h"

#include <stdlib.h>

#include "base/file.h"
#include "webhook/builtin.h"

#include "base/banned.h"

struct building {
    const struct generation *g;
    struct repo **repos; /* one a source */
    size_t repo_count;
    struct crds *crds;
    json_t *policy;
};

static void building_release(struct building *b)
{
    for (size_t i = 0; i < b->repo_count; i++)
        repo_close(b->repos[i]);
    free(b->repos);
    crds_free(b->crds);
    json_decref(b->policy);
}

/* The number of the source; the config was checked to have it. */
static size_t source_named(const struct config *config, const char *name)
{
    size_t i = 0;

    while (strcmp(config->sources[i].name, name) != 0)
        i++;
    return i;
}

static bool open_repos(struct building *b, struct err *err)
{
    const size_t count = b->g->config->source_count;

    b->repos = xcalloc(count, sizeof(struct repo *));
    for (b->repo_count = 0; b->repo_count < count; b->repo_count++) {
        if (!repo_open(b->g->checkouts[b->repo_count].folder, &b->repos[b->repo_count], err))
            return false;
    }
    return true;
}

static bool read_policy(struct building *b, struct err *err)
{
    const struct config *c = b->g->config;
    const char *name = b->g->policy_file != NULL ? b->g->policy_file : c->policy.file;
    struct buf text CLEANUP(buf_release) = {0};

    if (name == NULL && c->policy.source == NULL)
        return builtin_policy(&b->policy, err);
    if (name == NULL) {
        const size_t i = source_named(c, c->policy.source);

        name = c->policy.path;
        if (!repo_read_file(b->repos[i], b->g->checkouts[i].commit, name, &text, err))
            return err_prefix(err, "policy: ");
    } else if (!file_read(name, CONFIG_MAX_BYTES, &text, err)) {
        return err_prefix(err, "policy: ");
    }
    return config_read_policy(name, text.ptr, text.len, &b->policy, err);
}

static bool read_schemas(struct building *b, struct err *err)
{
    const struct config *c = b->g->config;
    struct policy *policy = NULL;
    bool ok = policy_load(b->policy, &policy, err);

    b->crds = crds_new();
    for (size_t i = 0; ok && i < c->schema_count; i++) {
        const struct config_schema *s = &c->schemas[i];

        if (s->directory != NULL) {
            ok = crds_add_folder(b->crds, s->directory, policy, err);
            continue;
        }
        const size_t k = source_named(c, s->source);

        ok = crds_add_repo(b->crds, b->repos[k], b->g->checkouts[k].commit, s->path, policy, err);
    }
    policy_free(policy);
    return ok;
}

bool generation_build(const struct generation *g, struct buf *out, struct build_summary *summary,
                      struct err *err)
{
    struct building b CLEANUP(building_release) = {.g = g};
    const size_t count = g->config->source_count;
    CLEANUP(freep) struct build_source *sources = xcalloc(count, sizeof(sources[0]));

    if (!open_repos(&b, err) || !read_policy(&b, err) || !read_schemas(&b, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct config_source *s = &g->config->sources[i];

        sources[i] = (struct build_source){
            .name = s->name,
            .repo = b.repos[i],
            .paths = (const char *const *)s->paths,
            .path_count = s->path_count,
            .namespace = s->namespace,
            .delivery = s->delivery,
        };
        memcpy(sources[i].commit, g->checkouts[i].commit, REPO_COMMIT_HEX_SIZE);
    }
    const struct build_input input = {
        .sources = sources,
        .source_count = count,
        .crds = b.crds,
        .policy = b.policy,
        .note = g->note,
        .context = g->context,
    };

    return build_set(&input, out, summary, err);
}
