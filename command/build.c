#include "command/build.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "command/checkouts.h"
#include "command/command.h"
#include "policy/set.h"
#include "webhook/generation.h"

#include "base/banned.h"

enum { MAX_REPEATED = 256 };

static const char usage[] =
    "(--config FILE [--rev NAME=COMMIT]... | --repo DIR [--source NAME] [--rev REV] [--path "
    "PATH]... "
    "[--namespace NAMESPACE] [--crds DIR]... [--delivery YAML]) [--policy FILE] -o FILE";

struct options {
    const char *config;
    const char *repo;
    const char *source;
    const char *namespace;
    const char *delivery;
    const char *policy;
    const char *output;
    const char *revs[MAX_REPEATED];
    size_t rev_count;
    const char *paths[MAX_REPEATED];
    size_t path_count;
    const char *crds[MAX_REPEATED];
    size_t crd_count;
};

static bool add(const char **list, size_t *count, const char *value)
{
    if (*count == MAX_REPEATED)
        return false;
    list[(*count)++] = value;
    return true;
}

static bool take_option(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'r':
        o->repo = value;
        return true;
    case 's':
        o->source = value;
        return true;
    case 'C':
        o->config = value;
        return true;
    case 'd':
        o->delivery = value;
        return true;
    case 'v':
        return add(o->revs, &o->rev_count, value);
    case 'n':
        o->namespace = value;
        return true;
    case 'p':
        o->policy = value;
        return true;
    case 'o':
        o->output = value;
        return true;
    case 'P':
        return add(o->paths, &o->path_count, value);
    case 'c':
        return add(o->crds, &o->crd_count, value);
    default:
        return false;
    }
}

/* Either form, and nothing of the other. */
static bool check_options(const struct options *o)
{
    if (o->output == NULL)
        return false;
    if (o->config == NULL)
        return o->repo != NULL && o->rev_count <= 1;
    return o->repo == NULL && o->source == NULL && o->namespace == NULL && o->delivery == NULL &&
           o->path_count == 0 && o->crd_count == 0;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'C'},
                                          {"repo", required_argument, NULL, 'r'},
                                          {"source", required_argument, NULL, 's'},
                                          {"rev", required_argument, NULL, 'v'},
                                          {"path", required_argument, NULL, 'P'},
                                          {"namespace", required_argument, NULL, 'n'},
                                          {"crds", required_argument, NULL, 'c'},
                                          {"delivery", required_argument, NULL, 'd'},
                                          {"policy", required_argument, NULL, 'p'},
                                          {"output", required_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){0};
    while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (!take_option(o, option, optarg))
            return false;
    }
    return optind == argc && check_options(o);
}

/* path:line: held: message, as compilers do. */
static void note(void *context, enum build_note_kind kind, const char *source, const char *path,
                 unsigned line, const char *message)
{
    (void)context;
    (void)source;
    if (line > 0)
        (void)fprintf(stderr, "%s:%u: %s: %s\n", path, line,
                      kind == BUILD_HELD ? "held" : "warning", message);
    else
        (void)fprintf(stderr, "%s: warning: %s\n", path, message);
}

static bool build(const struct options *o, const struct config *config,
                  const struct checkout *checkouts, struct build_summary *summary, struct err *err)
{
    struct buf set CLEANUP(buf_release) = {0};
    const struct generation generation = {
        .config = config,
        .checkouts = checkouts,
        .policy_file = o->policy,
        .note = note,
    };

    return generation_build(&generation, &set, summary, err) &&
           file_replace(o->output, buf_bytes(&set), 0644, err);
}

/* --- --config --------------------------------------------------------------------------------- */

static bool run_config(const struct options *o, struct build_summary *summary, struct err *err)
{
    struct checkouts checkouts = {0};
    struct config *config = NULL;
    const bool ok = config_read(o->config, &config, err) &&
                    checkouts_fetch(config, o->revs, o->rev_count, &checkouts, err) &&
                    build(o, config, checkouts.items, summary, err);

    checkouts_remove(&checkouts);
    config_free(config);
    return ok;
}

/* --- --repo ----------------------------------------------------------------------------------- */

static char *copy_of(const char *text)
{
    return text == NULL ? NULL : xstrdup(text);
}

/* The config that the options stand for: a source, and folders of schemas. Free with config_free.
 */
static struct config *config_of(const struct options *o)
{
    struct config *c = xcalloc(1, sizeof(*c));
    struct config_source *s = xcalloc(1, sizeof(*s));

    c->sources = s;
    c->source_count = 1;
    s->name = xstrdup(o->source == NULL ? "mesh" : o->source);
    s->namespace = copy_of(o->namespace);
    s->paths = xcalloc(o->path_count + 1, sizeof(char *));
    for (; s->path_count < o->path_count; s->path_count++)
        s->paths[s->path_count] = xstrdup(o->paths[s->path_count]);
    c->schemas = xcalloc(o->crd_count + 1, sizeof(c->schemas[0]));
    for (; c->schema_count < o->crd_count; c->schema_count++)
        c->schemas[c->schema_count].directory = xstrdup(o->crds[c->schema_count]);
    return c;
}

static bool resolve(const struct options *o, struct checkout *checkout, struct err *err)
{
    struct repo *repo;

    checkout->folder = o->repo;
    if (!repo_open(o->repo, &repo, err))
        return false;
    const bool ok =
        repo_resolve(repo, o->rev_count == 0 ? "HEAD" : o->revs[0], checkout->commit, err);

    repo_close(repo);
    return ok;
}

static bool run_repo(const struct options *o, struct build_summary *summary, struct err *err)
{
    struct config *config = config_of(o);
    struct checkout checkout;
    const bool ok =
        (o->delivery == NULL || config_read_delivery("--delivery", bytes_str(o->delivery),
                                                     &config->sources[0].delivery, err)) &&
        resolve(o, &checkout, err) && build(o, config, &checkout, summary, err);

    config_free(config);
    return ok;
}

/* --- the command ------------------------------------------------------------------------------ */

static bool run(const struct options *o, struct build_summary *summary, struct err *err)
{
    return repo_library_start(err) &&
           (o->config != NULL ? run_config(o, summary, err) : run_repo(o, summary, err));
}

int build_main(int argc, char **argv)
{
    struct options o;
    struct build_summary summary = {0};
    struct err err = {0};

    if (!read_options(argc, argv, &o))
        return command_usage("build", usage);
    if (!run(&o, &summary, &err))
        return command_fail("build", &err);
    (void)fprintf(stderr, "%s: %zu approved, %zu held, %zu warnings\n", o.output, summary.approved,
                  summary.held, summary.warnings);
    return summary.held > 0 ? FOUND_SOMETHING : FOUND_NOTHING;
}
