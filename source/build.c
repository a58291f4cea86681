#include "source/build.h"

#include <stdlib.h>

#include "policy/rules.h"
#include "policy/setwriter.h"
#include "source/manifest.h"
#include "source/yaml.h"
#include "source/yaml_mark.h"

#include "base/banned.h"

enum { BUILD_MAX_ENTRIES = 4 << 20 };

struct entry {
    struct manifest manifest;
    size_t source;
    char *path; /* shared by the entries of a file; owned by build.paths */
    unsigned line;
    bool twice; /* in Git with different content */
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
    size_t source; /* that is being walked */
    struct build_summary summary;
};

static void note(struct build *b, enum build_note_kind kind, size_t source, const char *path,
                 unsigned line, const char *message)
{
    if (kind == BUILD_WARNING)
        b->summary.warnings++;
    if (b->input->note != NULL)
        b->input->note(b->input->context, kind, b->input->sources[source].name, path, line,
                       message);
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

/* What is being read. */
struct visit {
    struct build *build;
    const char *path;
    const struct delivery_rule *delivery;
    const struct yaml_document *document;
};

/*
 * Something has no readable identity. It stops nothing if its bytes cannot be about what is
 * governed (N7); else nobody knows what it would approve or hold. `why`: "LINE:COLUMN: …".
 */
static bool pass_over(struct build *b, const char *path, struct bytes text, const char *why,
                      struct err *err)
{
    const char *message = strchr(why, ' ');
    const unsigned long line = strtoul(why, NULL, 10);

    if (policy_is_named_in(b->policy, text))
        return err_set(err,
                       "%s:%s (a governed group is named here, and this is in the way of "
                       "reading which object it is)",
                       path, why);
    note(b, BUILD_WARNING, b->source, path, (unsigned)line, message == NULL ? why : message + 1);
    return true;
}

static bool add_entry(struct build *b, const char *path, unsigned line, struct manifest *m,
                      struct err *err)
{
    if (b->entry_count == BUILD_MAX_ENTRIES) {
        manifest_release(m);
        return err_set(err, "more than %d governed objects", BUILD_MAX_ENTRIES);
    }
    if (b->entry_count == b->entry_cap) {
        b->entry_cap = b->entry_cap == 0 ? 1024 : 2 * b->entry_cap;
        b->entries = xrealloc(b->entries, b->entry_cap * sizeof(b->entries[0]));
    }
    b->entries[b->entry_count++] = (struct entry){
        .manifest = *m, .source = b->source, .path = keep_path(b, path), .line = line};
    return true;
}

static bool add_object(struct visit *v, const json_t *object, struct err *err)
{
    struct build *b = v->build;
    const char *mark = v->document->refused ? yaml_mark_first(object) : NULL;
    struct buf refused CLEANUP(buf_release) = {0};
    struct manifest m;

    if (mark != NULL)
        buf_printf(&refused, "%s:%s", v->path, mark);
    const struct manifest_input input = {
        .object = object,
        .refused = mark == NULL ? NULL : buf_cstr(&refused),
        .default_namespace = b->input->sources[b->source].namespace,
        .delivery = v->delivery,
    };

    if (!manifest_read(&b->rules, &input, &m, err))
        return err_prefix(err, "%s:%u: ", v->path, v->document->line);
    if (m.outcome == MANIFEST_NOT_GOVERNED)
        return true;
    if (m.outcome != MANIFEST_UNREADABLE)
        return add_entry(b, v->path, v->document->line, &m, err);
    const bool ok = pass_over(b, v->path, v->document->text, buf_cstr(&m.message), err);

    manifest_release(&m);
    return ok;
}

/* `kind: …List` with an array `items` is its items (N7). Depth is bounded by the loader. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool add_document(struct visit *v, const json_t *object, struct err *err)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const json_t *items = json_object_get(object, "items");
    const bool is_list = kind != NULL && bytes_ends_with(bytes_str(kind), BYTES("List"));
    const char *mark = is_list ? yaml_mark_text(items) : NULL;
    size_t i;
    json_t *item;

    if (!json_is_object(object))
        return true;
    if (mark != NULL)
        return pass_over(v->build, v->path, v->document->text, mark, err);
    if (!is_list || !json_is_array(items))
        return add_object(v, object, err);
    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        if (!add_document(v, item, err))
            return false;
    }
    return true;
}

static bool add_documents(struct build *b, const char *path, const struct yaml_documents *documents,
                          struct err *err)
{
    struct visit v = {.build = b,
                      .path = path,
                      .delivery = delivery_for(b->input->sources[b->source].delivery, path)};

    for (size_t i = 0; i < documents->count; i++) {
        v.document = &documents->items[i];
        if (!add_document(&v, v.document->root, err))
            return false;
    }
    return true;
}

static bool visit_file(void *context, const struct repo_file *file, struct err *err)
{
    struct build *b = context;
    struct yaml_documents documents = {0};
    struct bytes rest;
    struct err why;

    if (file->problem != NULL) {
        note(b, BUILD_WARNING, b->source, file->path, 0, file->problem);
        return true;
    }
    /* Core kinds name no group: a policy that governs one has every file read. */
    if (!policy_is_named_in(b->policy, file->content) &&
        !policy_governs_group(b->policy, (struct bytes){0}))
        return true;
    const bool whole = bytes_ends_with(bytes_str(file->path), BYTES(".json"))
                           ? yaml_read_json_marked(file->content, &documents, &rest, &why)
                           : yaml_read_marked(file->content, &documents, &rest, &why);
    const bool ok = add_documents(b, file->path, &documents, err) &&
                    (whole || pass_over(b, file->path, rest, why.message, err));

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

/* Two documents of one identity: the same content is one entry, another holds it (N7). */
static void merge_twin(struct build *b, struct entry *first, const struct entry *twin)
{
    const bool first_held = first->manifest.outcome == MANIFEST_HELD;
    const bool twin_held = twin->manifest.outcome == MANIFEST_HELD;
    const struct manifest *held = first_held ? &first->manifest : &twin->manifest;
    struct buf message = {0};

    if (first->twice || same_content(first, twin) || (first_held && twin_held))
        return;
    buf_printf(&message, "is in Git twice with different content: %s:%u and %s %s:%u", first->path,
               first->line, b->input->sources[twin->source].name, twin->path, twin->line);
    if (first_held || twin_held) {
        buf_append_str(&message, "; one cannot be used: ");
        buf_append(&message, buf_bytes(&held->message));
    }
    buf_release(&first->manifest.message);
    first->manifest.message = message;
    first->manifest.outcome = MANIFEST_HELD;
    first->twice = true;
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
    struct buf text CLEANUP(buf_release) = {0};

    identity_text(&m->id, &text);
    buf_append_str(&text, ": ");
    buf_append(&text, buf_bytes(&m->message));
    note(b, BUILD_HELD, e->source, e->path, e->line, buf_cstr(&text));
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
            sources, json_pack("{s:o,s:o,s:o,s:o*,s:O*}", "name", json_string(s->name), "commit",
                               json_string(s->commit), "paths", paths, "namespace",
                               s->namespace == NULL ? NULL : json_string(s->namespace), "delivery",
                               s->delivery == NULL ? NULL : delivery_document(s->delivery)));
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
    if (!walk_sources(&b, err) || !write_set(&b, out, err))
        return false;
    *summary = b.summary;
    return true;
}
