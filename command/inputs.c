#include "command/inputs.h"

#include <stdlib.h>

#include "base/banned.h"

static bool add(const char **list, size_t *count, const char *value)
{
    if (*count == INPUTS_MAX_REPEATED)
        return false;
    list[(*count)++] = value;
    return true;
}

bool inputs_take(struct inputs *in, int option, const char *value)
{
    switch (option) {
    case 'C':
        in->config_file = value;
        return true;
    case 'r':
        in->repo = value;
        return true;
    case 's':
        in->source_name = value;
        return true;
    case 'v':
        return add(in->revs, &in->rev_count, value);
    case 'n':
        in->namespace = value;
        return true;
    case 'd':
        in->delivery = value;
        return true;
    case 'p':
        in->policy_file = value;
        return true;
    case 'P':
        return add(in->paths, &in->path_count, value);
    case 'c':
        return add(in->crds_folders, &in->crds_folder_count, value);
    default:
        return false;
    }
}

bool inputs_are_whole(const struct inputs *in)
{
    if (in->config_file == NULL)
        return in->repo != NULL && in->rev_count <= 1;
    return in->repo == NULL && in->source_name == NULL && in->namespace == NULL &&
           in->delivery == NULL && in->path_count == 0 && in->crds_folder_count == 0;
}

bool inputs_go_with_set(const struct inputs *in)
{
    return in->config_file == NULL && in->repo == NULL && in->source_name == NULL &&
           in->delivery == NULL && in->policy_file == NULL && in->rev_count == 0 &&
           in->path_count == 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static char *copy_of(const char *text)
{
    return text == NULL ? NULL : xstrdup(text);
}

/* The config that the options stand for: a source, and folders of schemas. Free with config_free.
 */
static struct config *config_of(const struct inputs *in)
{
    struct config *c = xcalloc(1, sizeof(*c));
    struct config_source *s = xcalloc(1, sizeof(*s));

    c->sources = s;
    c->source_count = 1;
    s->name = xstrdup(in->source_name == NULL ? "mesh" : in->source_name);
    s->namespace = copy_of(in->namespace);
    s->paths = xcalloc(in->path_count + 1, sizeof(char *));
    for (; s->path_count < in->path_count; s->path_count++)
        s->paths[s->path_count] = xstrdup(in->paths[s->path_count]);
    c->schemas = xcalloc(in->crds_folder_count + 1, sizeof(c->schemas[0]));
    for (; c->schema_count < in->crds_folder_count; c->schema_count++)
        c->schemas[c->schema_count].directory = xstrdup(in->crds_folders[c->schema_count]);
    return c;
}

static bool resolve(const struct inputs *in, struct checkout *checkout, struct err *err)
{
    struct repo *repo;

    checkout->folder = in->repo;
    if (!repo_open(in->repo, &repo, err))
        return false;
    const bool ok =
        repo_resolve(repo, in->rev_count == 0 ? "HEAD" : in->revs[0], checkout->commit, err);

    repo_close(repo);
    return ok;
}

static bool open_checkouts(struct inputs *in, const struct checkout *checkouts, struct err *err)
{
    const struct generation generation = {
        .config = in->config, .checkouts = checkouts, .policy_file = in->policy_file};

    return generation_open(&generation, &in->opened, err);
}

static bool open_config(struct inputs *in, struct err *err)
{
    return config_read(in->config_file, &in->config, err) &&
           checkouts_fetch(in->config, in->revs, in->rev_count, &in->checkouts, err) &&
           open_checkouts(in, in->checkouts.items, err);
}

static bool open_repo(struct inputs *in, struct err *err)
{
    struct checkout checkout;

    in->config = config_of(in);
    return (in->delivery == NULL || config_read_delivery("--delivery", bytes_str(in->delivery),
                                                         &in->config->sources[0].delivery, err)) &&
           resolve(in, &checkout, err) && open_checkouts(in, &checkout, err);
}

bool inputs_open(struct inputs *in, struct err *err)
{
    return repo_library_start(err) &&
           (in->config_file != NULL ? open_config(in, err) : open_repo(in, err));
}

bool inputs_open_schemas(struct inputs *in, const struct policy *policy, struct err *err)
{
    in->opened.crds = crds_new();
    for (size_t i = 0; i < in->crds_folder_count; i++) {
        if (!crds_add_folder(in->opened.crds, in->crds_folders[i], policy, err))
            return false;
    }
    return true;
}

bool inputs_build(const struct inputs *in, build_note *note, void *context, bool lint,
                  struct buf *out, struct build_summary *summary, struct err *err)
{
    const struct build_input input = {
        .sources = in->opened.sources,
        .source_count = in->opened.source_count,
        .crds = in->opened.crds,
        .policy = in->opened.policy,
        .note = note,
        .context = context,
        .lint = lint,
    };

    return build_set(&input, out, summary, err);
}

void inputs_release(struct inputs *in)
{
    generation_close(&in->opened);
    checkouts_remove(&in->checkouts);
    config_free(in->config);
    *in = (struct inputs){0};
}
