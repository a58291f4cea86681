#include "command/explain.h"

#include <stdio.h>

#include "command/command.h"
#include "command/explain_object.h"
#include "command/explain_output.h"
#include "command/explanation.h"
#include "command/inputs.h"
#include "command/set_output.h"
#include "webhook/snapshot.h"

#include "base/banned.h"

enum { PATH_SIZE = 4096 };

static const char usage[] = "(SET [--crds DIR]... [--namespace NAMESPACE] | " INPUTS_USAGE ") "
                            "[--as git|live] [-o text|json] "
                            "(OBJECT.yaml | - | KIND.GROUP/NAMESPACE/NAME)";

enum side { SIDE_ASSUMED, SIDE_GIT, SIDE_LIVE };

struct explaining {
    struct inputs inputs;
    const char *set_path; /* NULL: from inputs */
    const char *subject;  /* the object or identity */
    enum side side;
    bool json;

    struct snapshot *snapshot; /* of set_path */
    struct buf built;          /* or the set that was made from inputs, … */
    struct set *set;
    struct policy *policy;
    struct explanation_context context;
};

/* --- options ---------------------------------------------------------------------------------- */

static bool take_output(struct explaining *e, const char *value)
{
    e->json = strcmp(value, "json") == 0;
    return e->json || strcmp(value, "text") == 0;
}

static bool take_side(struct explaining *e, const char *value)
{
    e->side = strcmp(value, "git") == 0    ? SIDE_GIT
              : strcmp(value, "live") == 0 ? SIDE_LIVE
                                           : SIDE_ASSUMED;
    return e->side != SIDE_ASSUMED;
}

static bool take_option(struct explaining *e, int option, const char *value)
{
    switch (option) {
    case 'o':
        return take_output(e, value);
    case 'A':
        return take_side(e, value);
    default:
        return inputs_take(&e->inputs, option, value);
    }
}

static bool read_options(int argc, char **argv, struct explaining *e)
{
    static const struct option longs[] = {INPUTS_OPTIONS,
                                          {"output", required_argument, NULL, 'o'},
                                          {"as", required_argument, NULL, 'A'},
                                          {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (!take_option(e, option, optarg))
            return false;
    }
    const bool from_set = inputs_go_with_set(&e->inputs);

    if (argc - optind != (from_set ? 2 : 1) || (!from_set && !inputs_are_whole(&e->inputs)))
        return false;
    e->set_path = from_set ? argv[optind] : NULL;
    e->subject = argv[argc - 1];
    return true;
}

/* --- the set ---------------------------------------------------------------------------------- */

static bool open_set(struct explaining *e, struct err *err)
{
    if (!snapshot_open(e->set_path, &e->snapshot, err))
        return false;
    if (e->inputs.crds_folder_count > 0 &&
        !inputs_open_schemas(&e->inputs, e->snapshot->policy, err))
        return false;
    e->context.set = e->snapshot->set;
    e->context.policy = e->snapshot->policy;
    return true;
}

static bool open_inputs(struct explaining *e, struct err *err)
{
    struct build_summary summary;

    if (!inputs_open(&e->inputs, err) || !policy_load(e->inputs.opened.policy, &e->policy, err) ||
        !inputs_build(&e->inputs, NULL, NULL, false, &e->built, &summary, err) ||
        !set_open_bytes(buf_bytes(&e->built), &e->set, err))
        return false;
    e->context.set = e->set;
    e->context.policy = e->policy;
    return true;
}

static void explaining_release(struct explaining *e)
{
    set_close(e->set);
    policy_free(e->policy);
    buf_release(&e->built);
    snapshot_unref(e->snapshot);
    inputs_release(&e->inputs);
}

/* --- what is asked ---------------------------------------------------------------------------- */

/* The source of that name, if the set was made from inputs. */
static const struct build_source *find_source(const struct explaining *e, struct bytes name)
{
    for (size_t i = 0; i < e->inputs.opened.source_count; i++) {
        const struct build_source *s = &e->inputs.opened.sources[i];

        if (bytes_equal(bytes_str(s->name), name))
            return s;
    }
    return NULL;
}

/*
 * What the source says of documents: of the one that has the object already, else of the only one.
 * *entry is the object's if there is one.
 */
static const struct build_source *use_source(struct explaining *e, const struct identity *id,
                                             struct set_entry *entry)
{
    const struct build_source *source =
        e->inputs.opened.source_count == 1 ? e->inputs.opened.sources : NULL;
    char path[PATH_SIZE];
    size_t index;

    *entry = (struct set_entry){0};
    if (set_find(e->context.set, id, &index)) {
        set_entry(e->context.set, index, entry);
        source = find_source(e, entry->source);
    }
    if (source == NULL)
        return NULL;
    e->context.namespace = source->namespace;
    e->context.delivery = delivery_for(
        source->delivery, bytes_to_cstr(entry->path, path, sizeof(path)) ? path : e->subject);
    return source;
}

/* For a document that names none. */
static const char *only_namespace(const struct explaining *e)
{
    return e->inputs.opened.source_count == 1 ? e->inputs.opened.sources[0].namespace
                                              : e->inputs.namespace;
}

static bool explain_file(struct explaining *e, struct explanation *out, struct err *err)
{
    json_auto_t *object = NULL;
    struct buf assumed CLEANUP(buf_release) = {0};

    if (!explain_read_object(e->subject, &object, err))
        return false;
    const char *live = explain_live_field(object);
    const bool is_live = e->side == SIDE_LIVE || (e->side == SIDE_ASSUMED && live != NULL);

    struct identity id;
    struct set_entry entry;
    struct bytes version;

    explain_identity(object, &id, &version);
    if (id.namespace.len == 0)
        id.namespace = bytes_str(only_namespace(e));
    (void)use_source(e, &id, &entry);
    buf_append_str(&assumed, is_live ? "a live object" : "a document of Git");
    if (e->side != SIDE_ASSUMED)
        buf_append_str(&assumed, ", as --as says");
    else if (is_live)
        buf_printf(&assumed, ", because it has %s; --as git is the other way", live);
    else
        buf_append_str(&assumed, ", because nothing in it is from a server; --as live is the "
                                 "other way");
    return is_live ? explanation_of_live(&e->context, object, buf_cstr(&assumed), out, err)
                   : explanation_of_document(&e->context, object, buf_cstr(&assumed), out, err);
}

/* The document behind an entry, read from the repository again; NULL if it is not to be found. */
static json_t *find_document(struct explaining *e, const struct identity *id, struct err *err)
{
    struct buf text CLEANUP(buf_release) = {0};
    struct set_entry entry;
    const struct build_source *source = use_source(e, id, &entry);
    char path[PATH_SIZE];

    if (source == NULL || entry.path.len == 0 || !bytes_to_cstr(entry.path, path, sizeof(path)) ||
        !repo_read_file(source->repo, source->commit, path, &text, err))
        return NULL;
    return explain_find_object(path, buf_bytes(&text), entry.line, id);
}

static bool explain_identity_of(struct explaining *e, struct explanation *out, struct err *err)
{
    struct identity id;

    if (!explain_parse_identity(e->subject, &id))
        return err_set(err,
                       "%s: there is no such file, and it is not KIND.GROUP/NAMESPACE/NAME "
                       "(VirtualService.networking.istio.io/prod/reviews)",
                       e->subject);
    json_auto_t *document = find_document(e, &id, err);

    return document == NULL
               ? explanation_of_entry(&e->context, &id, out, err)
               : explanation_of_document(&e->context, document, "the document in Git", out, err);
}

static bool explain_subject(struct explaining *e, struct explanation *out, struct err *err)
{
    if (!(e->set_path != NULL ? open_set(e, err) : open_inputs(e, err)))
        return false;
    e->context.crds = e->inputs.opened.crds;
    e->context.namespace = e->inputs.namespace;
    return explain_is_file(e->subject) ? explain_file(e, out, err)
                                       : explain_identity_of(e, out, err);
}

static int write_out(const struct explaining *e, const struct explanation *answer)
{
    const bool fine = answer->reason == REASON_IN_GIT || answer->reason == REASON_NOT_GOVERNED;
    const int code = fine ? FOUND_NOTHING : FOUND_SOMETHING;
    struct buf text CLEANUP(buf_release) = {0};

    if (e->json)
        set_output_dump(json_incref(answer->json), JSON_SORT_KEYS, &text);
    else
        explain_output_text(answer->json, &text);
    return set_output_text("explain", buf_bytes(&text), code);
}

int explain_main(int argc, char **argv)
{
    struct explaining e CLEANUP(explaining_release) = {0};
    struct explanation answer;
    struct err err = {0};

    if (!read_options(argc, argv, &e))
        return command_usage("explain", usage);
    if (!explain_subject(&e, &answer, &err))
        return command_fail("explain", &err);
    const int code = write_out(&e, &answer);

    json_decref(answer.json);
    return code;
}
