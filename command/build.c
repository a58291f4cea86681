#include "command/build.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "command/command.h"
#include "policy/set.h"
#include "source/build.h"
#include "webhook/builtin.h"
#include "webhook/config.h"

#include "base/banned.h"

enum { MAX_REPEATED = 256 };

static const char usage[] = "--repo DIR [--source NAME] [--rev REV] [--path PATH]... "
                            "[--namespace NAMESPACE] [--crds DIR]... [--policy FILE] -o FILE";

struct options {
    const char *repo;
    const char *source;
    const char *rev;
    const char *namespace;
    const char *policy;
    const char *output;
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
    case 'v':
        o->rev = value;
        return true;
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

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"repo", required_argument, NULL, 'r'},
                                          {"source", required_argument, NULL, 's'},
                                          {"rev", required_argument, NULL, 'v'},
                                          {"path", required_argument, NULL, 'P'},
                                          {"namespace", required_argument, NULL, 'n'},
                                          {"crds", required_argument, NULL, 'c'},
                                          {"policy", required_argument, NULL, 'p'},
                                          {"output", required_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){.source = "mesh", .rev = "HEAD"};
    while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (!take_option(o, option, optarg))
            return false;
    }
    return optind == argc && o->repo != NULL && o->output != NULL;
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

static bool read_policy(const struct options *o, json_t **out, struct err *err)
{
    struct buf text CLEANUP(buf_release) = {0};

    if (o->policy == NULL)
        return builtin_policy(out, err);
    return file_read(o->policy, CONFIG_MAX_BYTES, &text, err) &&
           config_read_policy(o->policy, text.ptr, text.len, out, err);
}

static bool read_schemas(const struct options *o, const json_t *document, struct crds *crds,
                         struct err *err)
{
    struct policy *policy = NULL;
    bool ok = policy_load(document, &policy, err);

    for (size_t i = 0; ok && i < o->crd_count; i++)
        ok = crds_add_folder(crds, o->crds[i], policy, err);
    policy_free(policy);
    return ok;
}

static bool build(const struct options *o, struct repo *repo, const json_t *policy,
                  const struct crds *crds, struct build_summary *summary, struct err *err)
{
    struct buf set CLEANUP(buf_release) = {0};
    struct build_source source = {
        .name = o->source,
        .repo = repo,
        .paths = o->paths,
        .path_count = o->path_count,
        .namespace = o->namespace,
    };
    const struct build_input input = {
        .sources = &source, .source_count = 1, .crds = crds, .policy = policy, .note = note};

    return repo_resolve(repo, o->rev, source.commit, err) &&
           build_set(&input, &set, summary, err) &&
           file_replace(o->output, buf_bytes(&set), 0644, err);
}

static bool run(const struct options *o, struct build_summary *summary, struct err *err)
{
    struct crds *crds = crds_new();
    struct repo *repo = NULL;
    json_t *policy = NULL;
    const bool ok = repo_library_start(err) && read_policy(o, &policy, err) &&
                    read_schemas(o, policy, crds, err) && repo_open(o->repo, &repo, err) &&
                    build(o, repo, policy, crds, summary, err);

    repo_close(repo);
    json_decref(policy);
    crds_free(crds);
    return ok;
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
