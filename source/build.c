#include "source/build.h"

#include <stdlib.h>

#include "policy/rules.h"
#include "policy/setwriter.h"
#include "source/manifest.h"
#include "source/yaml.h"
#include "source/yaml_place.h"

#include "base/banned.h"

enum {
    BUILD_MAX_ENTRIES = 4 << 20,
    RULE_DOCUMENT = 7,       /* N7: one readable document for an object */
    BUILD_MAX_LOCATED = 100, /* fields of a file whose place is looked for: each reads it again */
};

struct entry {
    struct manifest manifest;
    size_t source;
    char *path; /* shared by the entries of a file; owned by build.paths */
    unsigned line;
};

struct build {
    const struct build_input *input;
    struct policy *policy;
    struct manifest_rules rules;
    struct entry *entries;
    size_t entry_count;
    size_t entry_cap;
    char **paths;
    size_t path_count;
    size_t path_cap;
    size_t source; /* that is being walked, and where in it: */
    struct {
        const struct repo_file *file;
        const struct yaml_document *document;
        size_t index;     /* of the document in the file */
        struct buf items; /* path of an object in a List: items[3] */
        unsigned located;
    } at;
    struct build_summary summary;
};

static void note(struct build *b, const struct build_finding *finding)
{
    if (finding->kind == BUILD_WARNING)
        b->summary.warnings++;
    if (b->input->note != NULL)
        b->input->note(b->input->context, finding);
}

/* Of the file that is being read. */
static void warn(struct build *b, unsigned rule, struct yaml_place place, const char *message)
{
    note(b, &(struct build_finding){.kind = BUILD_WARNING,
                                    .rule = rule,
                                    .source = b->input->sources[b->source].name,
                                    .path = b->at.file->path,
                                    .line = place.line,
                                    .column = place.column,
                                    .message = message});
}

/* What fails the generation: a lint takes it down and goes on. */
static bool fail(struct build *b, unsigned rule, struct yaml_place place, struct err *err)
{
    if (!b->input->lint)
        return false;
    b->summary.failures++;
    note(b, &(struct build_finding){.kind = BUILD_FAILURE,
                                    .rule = rule,
                                    .source = b->input->sources[b->source].name,
                                    .path = b->at.file->path,
                                    .line = place.line,
                                    .column = place.column,
                                    .message = err->message});
    return true;
}

/* The place of a field of the object that is being read; of the document if it has none. */
static struct yaml_place locate(struct build *b, struct bytes field)
{
    struct yaml_place place = {0};

    if (b->at.located++ < BUILD_MAX_LOCATED) {
        struct buf path CLEANUP(buf_release) = {0};

        buf_append(&path, buf_bytes(&b->at.items));
        if (path.len > 0 && field.len > 0 && field.ptr[0] != '[')
            buf_byte(&path, '.');
        buf_append(&path, field);
        place = yaml_place_of(b->at.file->content, b->at.index, buf_cstr(&path));
    }
    return place.line > 0 ? place : (struct yaml_place){b->at.document->line, 1};
}

static void note_held(struct build *b, const struct manifest *m, size_t source, const char *path,
                      struct yaml_place place, struct bytes message)
{
    struct buf object CLEANUP(buf_release) = {0};
    struct buf text CLEANUP(buf_release) = {0};

    identity_text(&m->id, &object);
    buf_append(&text, message);
    note(b, &(struct build_finding){.kind = BUILD_HELD,
                                    .rule = m->rule,
                                    .source = b->input->sources[source].name,
                                    .path = path,
                                    .line = place.line,
                                    .column = place.column,
                                    .object = buf_cstr(&object),
                                    .message = buf_cstr(&text)});
}

/* A lint says it while the text is there: of unknown fields each (N13), else what there is. */
static void lint_held(struct build *b, const struct manifest *m)
{
    struct bytes field = manifest_field(m, 0);
    size_t i = 0;

    do {
        struct buf message CLEANUP(buf_release) = {0};

        if (i == 0) {
            buf_append(&message, buf_bytes(&m->message));
        } else {
            buf_append(&message, field);
            buf_append_str(&message, MANIFEST_PRUNED);
        }
        note_held(b, m, b->source, b->at.file->path, locate(b, field), buf_bytes(&message));
        field = manifest_field(m, ++i);
    } while (field.len > 0);
}

/* --- from files to entries -------------------------------------------------------------------- */

static char *keep_path(struct build *b, const char *path)
{
    if (b->path_count > 0 && strcmp(b->paths[b->path_count - 1], path) == 0)
        return b->paths[b->path_count - 1];
    if (b->path_count == b->path_cap) {
        b->path_cap = b->path_cap == 0 ? 256 : 2 * b->path_cap;
        b->paths = xrealloc(b->paths, b->path_cap * sizeof(char *));
    }
    b->paths[b->path_count] = xstrdup(path);
    return b->paths[b->path_count++];
}

static bool add_object(struct build *b, const json_t *object, struct err *err)
{
    const char *path = b->at.file->path;
    const unsigned line = b->at.document->line;
    struct manifest m;

    if (!manifest_read(&b->rules, object, b->input->sources[b->source].namespace, &m, err)) {
        if (b->input->lint)
            return fail(b, RULE_DOCUMENT, locate(b, bytes_str(err->path)), err);
        return err_prefix(err, "%s:%u: ", path, line);
    }
    if (m.outcome == MANIFEST_NOT_GOVERNED)
        return true;
    if (b->entry_count == BUILD_MAX_ENTRIES) {
        manifest_release(&m);
        return err_set(err, "more than %d governed objects", BUILD_MAX_ENTRIES);
    }
    if (m.outcome == MANIFEST_HELD && b->input->lint)
        lint_held(b, &m);
    if (b->entry_count == b->entry_cap) {
        b->entry_cap = b->entry_cap == 0 ? 1024 : 2 * b->entry_cap;
        b->entries = xrealloc(b->entries, b->entry_cap * sizeof(b->entries[0]));
    }
    b->entries[b->entry_count++] = (struct entry){
        .manifest = m, .source = b->source, .path = keep_path(b, path), .line = line};
    return true;
}

/* `kind: …List` with an array `items` is its items (N7). Depth is bounded by the loader. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool add_document(struct build *b, const json_t *document, struct err *err)
{
    const char *kind = json_string_value(json_object_get(document, "kind"));
    const json_t *items = json_object_get(document, "items");
    const size_t outer = b->at.items.len;
    bool ok = true;
    size_t i;
    json_t *item;

    if (!json_is_object(document))
        return true;
    if (kind == NULL || !bytes_ends_with(bytes_str(kind), BYTES("List")) || !json_is_array(items))
        return add_object(b, document, err);
    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        buf_printf(&b->at.items, "%sitems[%zu]", outer > 0 ? "." : "", i);
        ok = add_document(b, item, err);
        b->at.items.len = outer;
        if (!ok)
            break;
    }
    return ok;
}

static bool add_documents(struct build *b, const struct yaml_documents *documents, struct err *err)
{
    for (b->at.index = 0; b->at.index < documents->count; b->at.index++) {
        b->at.document = &documents->items[b->at.index];
        if (!add_document(b, b->at.document->root, err))
            return false;
    }
    return true;
}

/* A file that cannot be read (N7): it fails the generation if it names what is governed. */
static bool refuse_file(struct build *b, bool named, struct err *err)
{
    if (named && !b->input->lint)
        return err_prefix(err, "%s:", b->at.file->path);
    const struct yaml_place place = yaml_take_place(err);

    if (named)
        return fail(b, yaml_rule_of(err->message), place, err);
    warn(b, yaml_rule_of(err->message), place, err->message);
    return true;
}

static void warn_skipped(struct build *b, const char *problem)
{
    struct buf text CLEANUP(buf_release) = {0};

    buf_printf(&text, "%s; it is skipped, put a regular file there", problem);
    warn(b, 1, (struct yaml_place){0}, buf_cstr(&text));
}

static bool visit_file(void *context, const struct repo_file *file, struct err *err)
{
    struct build *b = context;
    struct yaml_documents documents = {0};
    const bool json = bytes_ends_with(bytes_str(file->path), BYTES(".json"));

    b->at.file = file;
    b->at.located = 0;
    if (file->problem != NULL) {
        warn_skipped(b, file->problem);
        return true;
    }
    /* Core kinds name no group: a policy that governs one has every file read. */
    const bool named = policy_is_named_in(b->policy, file->content);

    if (!named && !b->input->lint && !policy_governs_group(b->policy, (struct bytes){0}))
        return true;
    if (!(json ? yaml_read_json(file->content, &documents, err)
               : yaml_read(file->content, &documents, err)))
        return refuse_file(b, named, err);
    const bool ok = add_documents(b, &documents, err);

    yaml_release(&documents);
    return ok;
}

static bool walk_sources(struct build *b, struct err *err)
{
    for (b->source = 0; b->source < b->input->source_count; b->source++) {
        const struct build_source *s = &b->input->sources[b->source];

        if (!repo_walk(s->repo, s->commit, s->paths, s->path_count, visit_file, b, err))
            return err_prefix(err, "source %s: ", s->name);
    }
    return true;
}

/* --- from entries to the set ------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
    const struct entry *one = a;
    const struct entry *other = b;
    int order = identity_compare(&one->manifest.id, &other->manifest.id);

    if (order == 0)
        order = (one->source > other->source) - (one->source < other->source);
    if (order == 0)
        order = strcmp(one->path, other->path);
    if (order == 0)
        order = (one->line > other->line) - (one->line < other->line);
    return order;
}

static bool same_content(const struct entry *a, const struct entry *b)
{
    return a->manifest.outcome == MANIFEST_APPROVED && b->manifest.outcome == MANIFEST_APPROVED &&
           digest_equal(&a->manifest.primary, &b->manifest.primary) &&
           digest_equal(&a->manifest.digests[0], &b->manifest.digests[0]);
}

static void note_same(struct build *b, const struct entry *first, const struct entry *twin)
{
    struct buf object CLEANUP(buf_release) = {0};
    struct buf text CLEANUP(buf_release) = {0};

    identity_text(&twin->manifest.id, &object);
    buf_printf(&text, "is in Git twice, with the same content; keep one: the first is %s %s:%u",
               b->input->sources[first->source].name, first->path, first->line);
    note(b, &(struct build_finding){.kind = BUILD_WARNING,
                                    .rule = RULE_DOCUMENT,
                                    .source = b->input->sources[twin->source].name,
                                    .path = twin->path,
                                    .line = twin->line,
                                    .column = 1,
                                    .object = buf_cstr(&object),
                                    .message = buf_cstr(&text)});
}

/* Two documents of one identity: the same content is one entry, another holds it (N7). */
static void merge_twin(struct build *b, struct entry *first, const struct entry *twin)
{
    const char *source = b->input->sources[twin->source].name;

    if (same_content(first, twin)) {
        if (b->input->lint)
            note_same(b, first, twin);
        return;
    }
    if (first->manifest.outcome == MANIFEST_HELD && twin->manifest.outcome == MANIFEST_HELD)
        return;
    first->manifest.message.len = 0;
    buf_printf(&first->manifest.message,
               "is in Git twice with different content: %s:%u and %s %s:%u; keep one", first->path,
               first->line, source, twin->path, twin->line);
    first->manifest.outcome = MANIFEST_HELD;
    first->manifest.rule = RULE_DOCUMENT;
}

static void write_entry(struct build *b, struct setwriter *w, struct entry *e)
{
    const struct build_source *s = &b->input->sources[e->source];
    struct manifest *m = &e->manifest;
    const struct setwriter_place place = {
        .source = bytes_str(s->name),
        .commit = bytes_str(s->commit),
        .path = bytes_str(e->path),
        .line = e->line,
    };

    if (m->outcome == MANIFEST_APPROVED) {
        b->summary.approved++;
        setwriter_approve(w, &m->id, &place, &m->primary, m->digests, m->digest_count,
                          buf_bytes(&m->document));
        return;
    }
    b->summary.held++;
    setwriter_hold(w, &m->id, &place, buf_bytes(&m->message));
    if (!b->input->lint || m->rule == RULE_DOCUMENT)
        note_held(b, m, e->source, e->path, (struct yaml_place){e->line, 1},
                  buf_bytes(&m->message));
}

static void write_entries(struct build *b, struct setwriter *w)
{
    if (b->entry_count > 0)
        qsort(b->entries, b->entry_count, sizeof(b->entries[0]), compare_entries);
    for (size_t i = 0; i < b->entry_count;) {
        struct entry *first = &b->entries[i];

        for (i++; i < b->entry_count &&
                  identity_compare(&first->manifest.id, &b->entries[i].manifest.id) == 0;
             i++)
            merge_twin(b, first, &b->entries[i]);
        write_entry(b, w, first);
    }
}

struct kinds_in {
    const struct crds *crds;
    struct setwriter *writer;
};

static void write_kind(void *context, struct bytes group, struct bytes kind)
{
    const struct kinds_in *in = context;

    if (crds_find(in->crds, group, kind) == NULL)
        setwriter_kind(in->writer,
                       &(struct kind){.group = group, .kind = kind, .namespaced = true});
}

/* Every governed kind is in the set: by its schema, or by its name alone. */
static void write_kinds(struct build *b, struct setwriter *w)
{
    struct kinds_in in = {b->input->crds, w};

    for (size_t i = 0; i < crds_count(b->input->crds); i++) {
        const struct kind *known = schema_kind(crds_at(b->input->crds, i));

        if (policy_governs_kind(b->policy, known->group, known->kind))
            setwriter_kind(w, known);
    }
    policy_each_kind(b->policy, write_kind, &in);
}

/* Where the set comes from, for people and for a second build (docs/writ-set.md). */
static void write_provenance(const struct build *b, struct setwriter *w)
{
    struct buf out CLEANUP(buf_release) = {0};
    json_t *sources = json_array();
    json_t *schemas = json_array();

    for (size_t i = 0; i < b->input->source_count; i++) {
        const struct build_source *s = &b->input->sources[i];
        json_t *paths = json_array();

        for (size_t k = 0; k < s->path_count; k++)
            (void)json_array_append_new(paths, json_string(s->paths[k]));
        (void)json_array_append_new(
            sources, json_pack("{s:o,s:o,s:o,s:o*}", "name", json_string(s->name), "commit",
                               json_string(s->commit), "paths", paths, "namespace",
                               s->namespace == NULL ? NULL : json_string(s->namespace)));
    }
    for (size_t i = 0; i < crds_count(b->input->crds); i++) {
        const struct schema *schema = crds_at(b->input->crds, i);
        const struct kind *kind = schema_kind(schema);
        char hex[DIGEST_HEX_SIZE];

        (void)json_array_append_new(schemas, json_pack("{s:s%,s:s%,s:s}", "group", kind->group.ptr,
                                                       kind->group.len, "kind", kind->kind.ptr,
                                                       kind->kind.len, "digest",
                                                       digest_hex(schema_digest(schema), hex)));
    }
    json_t *all = json_pack("{s:o,s:o}", "sources", sources, "schemas", schemas);

    if (all == NULL)
        out_of_memory();
    policy_text(all, &out);
    setwriter_provenance(w, buf_bytes(&out));
    json_decref(all);
}

static bool write_set(struct build *b, struct buf *out, struct err *err)
{
    struct setwriter *w = setwriter_new();
    struct buf policy CLEANUP(buf_release) = {0};
    struct digest rules;

    rules_id(&rules);
    setwriter_rules(w, &rules);
    policy_text(b->input->policy, &policy);
    setwriter_policy(w, buf_bytes(&policy));
    write_provenance(b, w);
    write_kinds(b, w);
    write_entries(b, w);
    const bool ok = setwriter_finish(w, out, err);

    setwriter_free(w);
    return ok;
}

static void build_release(struct build *b)
{
    for (size_t i = 0; i < b->entry_count; i++)
        manifest_release(&b->entries[i].manifest);
    for (size_t i = 0; i < b->path_count; i++)
        free(b->paths[i]);
    free(b->entries);
    buf_release(&b->at.items);
    free(b->paths);
    policy_free(b->policy);
    sha256_free(b->rules.hash);
}

bool build_set(const struct build_input *input, struct buf *out, struct build_summary *summary,
               struct err *err)
{
    struct normal normal CLEANUP(normal_release) = {0};
    struct build b CLEANUP(build_release) = {.input = input};

    if (!policy_load(input->policy, &b.policy, err))
        return err_prefix(err, "policy: ");
    b.rules = (struct manifest_rules){
        .policy = b.policy, .crds = input->crds, .hash = sha256_new(), .normal = &normal};
    const size_t before = out->len;

    if (!walk_sources(&b, err) || !write_set(&b, out, err))
        return false;
    if (b.summary.failures > 0)
        out->len = before;
    *summary = b.summary;
    return true;
}
