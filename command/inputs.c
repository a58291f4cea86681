#include "command/inputs.h"

#include "base/file.h"
#include "webhook/builtin.h"
#include "webhook/config.h"

#include "base/banned.h"

void inputs_init(struct inputs *in)
{
    *in = (struct inputs){.source_name = "mesh", .rev = "HEAD"};
}

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
    case 'r':
        in->repo_path = value;
        return true;
    case 's':
        in->source_name = value;
        return true;
    case 'v':
        in->rev = value;
        return true;
    case 'n':
        in->namespace = value;
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

static bool read_policy(struct inputs *in, struct err *err)
{
    struct buf text CLEANUP(buf_release) = {0};

    if (in->policy_file == NULL)
        return builtin_policy(&in->policy, err);
    return file_read(in->policy_file, CONFIG_MAX_BYTES, &text, err) &&
           config_read_policy(in->policy_file, text.ptr, text.len, &in->policy, err);
}

bool inputs_open_schemas(struct inputs *in, const struct policy *policy, struct err *err)
{
    in->crds = crds_new();
    for (size_t i = 0; i < in->crds_folder_count; i++) {
        if (!crds_add_folder(in->crds, in->crds_folders[i], policy, err))
            return false;
    }
    return true;
}

static bool read_schemas(struct inputs *in, struct err *err)
{
    struct policy *policy = NULL;
    const bool ok = policy_load(in->policy, &policy, err) && inputs_open_schemas(in, policy, err);

    policy_free(policy);
    return ok;
}

bool inputs_open(struct inputs *in, struct err *err)
{
    if (!repo_library_start(err) || !read_policy(in, err) || !read_schemas(in, err) ||
        !repo_open(in->repo_path, &in->repo, err))
        return false;
    in->source = (struct build_source){
        .name = in->source_name,
        .repo = in->repo,
        .paths = in->paths,
        .path_count = in->path_count,
        .namespace = in->namespace,
    };
    return repo_resolve(in->repo, in->rev, in->source.commit, err);
}

bool inputs_build(const struct inputs *in, build_note *note, void *context, bool lint,
                  struct buf *out, struct build_summary *summary, struct err *err)
{
    const struct build_input input = {
        .sources = &in->source,
        .source_count = 1,
        .crds = in->crds,
        .policy = in->policy,
        .note = note,
        .context = context,
        .lint = lint,
    };

    return build_set(&input, out, summary, err);
}

void inputs_release(struct inputs *in)
{
    repo_close(in->repo);
    json_decref(in->policy);
    crds_free(in->crds);
    inputs_init(in);
}
