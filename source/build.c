#include "source/build.h"

#include <stdlib.h>

#include "policy/core.h"
#include "policy/rules.h"
#include "policy/setwriter.h"
#include "source/build_impl.h"

#include "base/banned.h"

void build_tell(struct build *b, const struct build_finding *finding)
{
    if (finding->kind == BUILD_WARNING)
        b->summary.warnings++;
    if (finding->kind == BUILD_FAILURE)
        b->summary.failures++;
    if (b->input->note != NULL)
        b->input->note(b->input->context, finding);
}

void build_tell_object(struct build *b, const struct build_finding *finding,
                       const struct identity *id)
{
    struct buf object CLEANUP(buf_release) = {0};
    struct build_finding copy = *finding;

    identity_text(id, &object);
    copy.object = buf_cstr(&object);
    build_tell(b, &copy);
}

/* --- entries ---------------------------------------------------------------------------------- */

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
    const enum manifest_outcome outcome = a->manifest.outcome;

    if (outcome != b->manifest.outcome)
        return false;
    return outcome != MANIFEST_APPROVED ||
           (digest_equal(&a->manifest.primary, &b->manifest.primary) &&
            digest_equal(&a->manifest.digests[0], &b->manifest.digests[0]));
}

static void note_same(struct build *b, const struct entry *first, const struct entry *twin)
{
    struct buf text CLEANUP(buf_release) = {0};

    buf_printf(&text, "is in Git twice, with the same content; keep one: the first is %s %s:%u",
               b->input->sources[first->source].name, first->path, first->line);
    build_tell_object(b,
                      &(struct build_finding){.kind = BUILD_WARNING,
                                              .rule = RULE_DOCUMENT,
                                              .source = b->input->sources[twin->source].name,
                                              .path = twin->path,
                                              .line = twin->line,
                                              .column = 1,
                                              .message = buf_cstr(&text)},
                      &twin->manifest.id);
}

/* Two documents of one identity: the same content is one entry, another holds it (N7). */
static void merge_twin(struct build *b, struct entry *first, const struct entry *twin)
{
    const bool first_held = first->manifest.outcome == MANIFEST_HELD;
    const bool twin_held = twin->manifest.outcome == MANIFEST_HELD;
    const struct manifest *held = first_held ? &first->manifest : &twin->manifest;
    struct buf message = {0};

    if (b->input->lint && same_content(first, twin))
        note_same(b, first, twin);
    if (first->twice || same_content(first, twin))
        return;
    buf_printf(&message, "is in Git twice with different content: %s:%u and %s %s:%u", first->path,
               first->line, b->input->sources[twin->source].name, twin->path, twin->line);
    if (first_held || twin_held) {
        buf_append_str(&message, "; one cannot be used: ");
        buf_append(&message, buf_bytes(&held->message));
    } else {
        buf_append_str(&message, "; keep one");
    }
    buf_release(&first->manifest.message);
    first->manifest.message = message;
    first->manifest.outcome = MANIFEST_HELD;
    first->manifest.rule = RULE_DOCUMENT;
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

    if (m->outcome == MANIFEST_EMPTY)
        return; /* an entry would say no more than its absence (N25) */
    if (m->outcome == MANIFEST_APPROVED) {
        b->summary.approved++;
        setwriter_approve(w, &m->id, &place, &m->primary, m->digests, m->digest_count,
                          buf_bytes(&m->document));
        return;
    }
    b->summary.held++;
    setwriter_hold(w, &m->id, &place, buf_bytes(&m->message));
    if (b->input->lint && !e->twice)
        return; /* said when it was read */
    build_tell_object(b,
                      &(struct build_finding){.kind = BUILD_HELD,
                                              .rule = m->rule,
                                              .source = s->name,
                                              .path = e->path,
                                              .line = e->line,
                                              .column = 1,
                                              .message = buf_cstr(&m->message)},
                      &m->id);
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
    struct kind unknown = {.group = group, .kind = kind, .namespaced = true};

    if (core_kind(group, kind, &unknown) || crds_find(in->crds, group, kind) == NULL)
        setwriter_kind(in->writer, &unknown);
}

/* Every governed kind is in the set: by its schema, as a core kind, or by its name alone. */
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
    const size_t before = out->len;

    if (!build_read(&b, err) || !write_set(&b, out, err))
        return false;
    if (b.summary.failures > 0)
        out->len = before;
    *summary = b.summary;
    return true;
}
