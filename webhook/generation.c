#include "webhook/generation.h"

#include <stdlib.h>

#include "base/file.h"
#include "webhook/builtin.h"

#include "base/banned.h"

void generation_close(struct generation_inputs *in)
{
    for (size_t i = 0; i < in->source_count; i++)
        repo_close(in->sources[i].repo);
    free(in->sources);
    crds_free(in->crds);
    json_decref(in->policy);
    *in = (struct generation_inputs){0};
}

/* The source of that name; the config was checked to have it. */
static const struct build_source *source_named(const struct generation_inputs *in, const char *name)
{
    const struct build_source *s = in->sources;

    while (strcmp(s->name, name) != 0)
        s++;
    return s;
}

static bool open_sources(const struct generation *g, struct generation_inputs *in, struct err *err)
{
    const size_t count = g->config->source_count;

    in->sources = xcalloc(count, sizeof(in->sources[0]));
    for (in->source_count = 0; in->source_count < count; in->source_count++) {
        const struct config_source *s = &g->config->sources[in->source_count];
        const struct checkout *checkout = &g->checkouts[in->source_count];
        struct build_source *source = &in->sources[in->source_count];

        *source = (struct build_source){
            .name = s->name,
            .paths = (const char *const *)s->paths,
            .path_count = s->path_count,
            .namespace = s->namespace,
            .delivery = s->delivery,
        };
        memcpy(source->commit, checkout->commit, REPO_COMMIT_HEX_SIZE);
        if (!repo_open(checkout->folder, &source->repo, err))
            return false;
    }
    return true;
}

static bool read_policy(const struct generation *g, struct generation_inputs *in, struct err *err)
{
    const struct config *c = g->config;
    const char *name = g->policy_file != NULL ? g->policy_file : c->policy.file;
    struct buf text CLEANUP(buf_release) = {0};

    if (name == NULL && c->policy.source == NULL)
        return builtin_policy(&in->policy, err);
    if (name == NULL) {
        const struct build_source *s = source_named(in, c->policy.source);

        name = c->policy.path;
        if (!repo_read_file(s->repo, s->commit, name, &text, err))
            return err_prefix(err, "policy: ");
    } else if (!file_read(name, CONFIG_MAX_BYTES, &text, err)) {
        return err_prefix(err, "policy: ");
    }
    return config_read_policy(name, text.ptr, text.len, &in->policy, err);
}

static bool read_schemas(const struct config *c, struct generation_inputs *in, struct err *err)
{
    struct policy *policy = NULL;
    bool ok = policy_load(in->policy, &policy, err);

    in->crds = crds_new();
    for (size_t i = 0; ok && i < c->schema_count; i++) {
        const struct config_schema *s = &c->schemas[i];

        if (s->directory != NULL) {
            ok = crds_add_folder(in->crds, s->directory, policy, err);
            continue;
        }
        const struct build_source *source = source_named(in, s->source);

        ok = crds_add_repo(in->crds, source->repo, source->commit, s->path, policy, err);
    }
    policy_free(policy);
    return ok;
}

bool generation_open(const struct generation *g, struct generation_inputs *out, struct err *err)
{
    struct generation_inputs in = {0};

    if (!open_sources(g, &in, err) || !read_policy(g, &in, err) ||
        !read_schemas(g->config, &in, err)) {
        generation_close(&in);
        return false;
    }
    *out = in;
    return true;
}

bool generation_build(const struct generation *g, struct buf *out, struct build_summary *summary,
                      struct err *err)
{
    struct generation_inputs in CLEANUP(generation_close) = {0};

    if (!generation_open(g, &in, err))
        return false;
    const struct build_input input = {
        .sources = in.sources,
        .source_count = in.source_count,
        .crds = in.crds,
        .policy = in.policy,
        .note = g->note,
        .context = g->context,
    };

    return build_set(&input, out, summary, err);
}
