#include "command/explanation.h"

#include <stdio.h>

#include "command/explain_object.h"
#include "command/explanation_impl.h"
#include "command/set_output.h"
#include "policy/canon_tree.h"
#include "policy/rules.h"

#include "base/banned.h"

static void making_start(struct making *m, const struct explanation_context *context,
                         const json_t *object)
{
    *m = (struct making){
        .context = context, .object = object, .hash = sha256_new(), .json = json_object()};
    if (object != NULL)
        explain_identity(object, &m->id, &m->version);
    m->kind_known = set_kind(context->set, m->id.group, m->id.kind, &m->kind);
}

static void making_release(struct making *m)
{
    normal_release(&m->normal);
    trace_release(&m->trace);
    manifest_release(&m->manifest);
    sha256_free(m->hash);
    json_decref(m->json);
}

/* --- facts about the object ------------------------------------------------------------------- */

static void add_text(struct making *m, const char *key, struct bytes text)
{
    set_output_add(m->json, key, set_output_string(text));
}

static void add_identity(struct making *m)
{
    struct buf text CLEANUP(buf_release) = {0};
    json_t *parts = json_object();
    enum mode mode;

    identity_text(&m->id, &text);
    add_text(m, "identity", buf_bytes(&text));
    set_output_identity_json(parts, &m->id);
    set_output_add(m->json, "object", parts);
    if (m->version.len > 0)
        add_text(m, "version", m->version);
    if (policy_governs(m->context->policy, &m->id, &mode))
        add_text(m, "mode", bytes_str(mode_text(mode)));
}

static void add_facts(struct making *m)
{
    if (m->normal.deleting)
        explanation_note(m, "it is being deleted: metadata.deletionTimestamp is set (N30)");
    if (m->normal.has_break_glass)
        explanation_note(m, "it carries " BREAK_GLASS_ANNOTATION
                            ", which is no part of the digest (N36)");
    if (m->kind_known && !m->kind.has_schema)
        explanation_note(m,
                         "the set has no schema of this kind: no null and no status is left out");
}

static void add_trace(struct making *m)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < m->trace.count; i++) {
        const struct trace_step *step = &m->trace.steps[i];
        json_t *object = json_object();
        char rule[16];

        (void)snprintf(rule, sizeof(rule), "N%u", step->rule);
        set_output_add(object, "rule", json_string(rule));
        set_output_add(object, "about", json_string(rules_title(step->rule)));
        set_output_add(object, "action", json_string(trace_action_text(step->action)));
        set_output_add(object, "path", set_output_string(bytes_str(step->path)));
        if (step->before != NULL)
            set_output_add(object, "before", json_incref(step->before));
        if (step->after != NULL)
            set_output_add(object, "after", json_incref(step->after));
        if (json_array_append_new(steps, object) != 0)
            out_of_memory();
    }
    set_output_add(m->json, "trace", steps);
}

/* --- the normal form -------------------------------------------------------------------------- */

static void finish(struct making *m, const char *side, const char *assumed, struct explanation *out)
{
    add_text(m, "verdict", bytes_str(reason_text(m->reason)));
    add_text(m, "side", bytes_str(side));
    add_text(m, "assumed", bytes_str(assumed));
    add_trace(m);
    *out = (struct explanation){.json = json_incref(m->json), .reason = m->reason};
}

static void add_form(struct making *m, const struct digest *digest)
{
    set_output_add(m->json, "digest", set_output_digest(digest));
    set_output_add(m->json, "normalForm", canon_tree_normal(&m->normal));
}

/* Not past any schema: what N8, N15, N17 to N21 and N36 leave of `object`. */
static bool reduce(struct making *m, const json_t *object, struct digest *digest, struct err *err)
{
    const struct normal_rules rules = normal_rules(explanation_kind(m), m->version);
    CLEANUP(freep) char *text = json_dumps(object, JSON_COMPACT);

    if (text == NULL)
        return err_set(err, "the object is too large");
    if (!normal_read_text(&m->normal, bytes_str(text), &rules, err))
        return err_prefix(err, "has no normal form: ");
    normal_digest(&m->normal, &m->id,
                  m->kind_known && m->kind.conversion ? m->version : (struct bytes){0}, m->hash,
                  digest);
    trace_normal(&m->trace, object, &m->normal, &rules);
    return true;
}

static bool explain_reduced(struct making *m, const json_t *object, struct err *err)
{
    struct digest digest;

    add_identity(m);
    if (!reduce(m, object, &digest, err))
        return false;
    add_form(m, &digest);
    add_facts(m);
    return explanation_judge(m, &digest, err);
}

bool explanation_of_live(const struct explanation_context *context, const json_t *object,
                         const char *assumed, struct explanation *out, struct err *err)
{
    struct making m CLEANUP(making_release);

    making_start(&m, context, object);
    if (!explain_reduced(&m, object, err))
        return false;
    if (m.reason == REASON_DIFFERS_FROM_GIT || m.reason == REASON_NOT_IN_GIT)
        explanation_last_writer(&m);
    finish(&m, "live", assumed, out);
    return true;
}

/* --- a document of Git ------------------------------------------------------------------------ */

static bool read_manifest(struct making *m, struct err *err)
{
    struct normal workspace CLEANUP(normal_release) = {0};
    const struct manifest_rules rules = {
        .policy = m->context->policy,
        .crds = m->context->crds,
        .hash = m->hash,
        .normal = &workspace,
    };

    const struct manifest_input input = {
        .object = m->object,
        .default_namespace = m->context->namespace,
        .delivery = m->context->delivery,
    };

    return manifest_read(&rules, &input, &m->manifest, err);
}

/* What the delivery tool adds (N20), where labels and annotations are sound; takes the reference.
 */
static json_t *deliver(struct making *m, json_t *object)
{
    const unsigned rule = m->manifest.rule;

    if (m->manifest.outcome == MANIFEST_HELD && (rule == 10 || rule == 16 || rule == 36))
        return object;
    json_auto_t *delivered = delivery_apply(m->context->delivery, object);

    trace_pass(&m->trace, 20, object, delivered);
    json_decref(object);
    json_t *copy = json_deep_copy(delivered);

    if (copy == NULL)
        out_of_memory();
    return copy;
}

/* The trace of what manifest_read did to it, as far as that came. */
static bool trace_document(struct making *m, const struct schema *schema, struct err *err)
{
    const struct normal_rules rules = normal_rules(schema_kind(schema), m->version);
    const bool approved = m->manifest.outcome == MANIFEST_APPROVED;
    json_t *object = json_deep_copy(m->object);

    if (object == NULL)
        out_of_memory();
    trace_identity(&m->trace, &m->id, object);
    object = deliver(m, object);
    struct err unused; /* what the schema refuses is why the document is held */
    const bool ok = !trace_schema(&m->trace, schema, m->version, object, &unused) || !approved ||
                    normal_read_text(&m->normal, buf_bytes(&m->manifest.document), &rules, err);

    if (ok && approved)
        trace_normal(&m->trace, object, &m->normal, &rules);
    json_decref(object);
    return ok;
}

static void add_problem(struct making *m)
{
    struct buf text CLEANUP(buf_release) = {0};

    buf_append(&text, buf_bytes(&m->manifest.message));
    buf_printf(&text, " [N%u]", m->manifest.rule);
    add_text(m, "problem", buf_bytes(&text));
}

/* The digests under which it may be written, if there is more than one (N12). */
static void add_accepted(struct making *m)
{
    json_t *accepted = json_array();

    for (size_t i = 0; i < m->manifest.digest_count; i++) {
        if (json_array_append_new(accepted, set_output_digest(&m->manifest.digests[i])) != 0)
            out_of_memory();
    }
    set_output_add(m->json, "accepted", accepted);
}

static bool explain_manifest(struct making *m, struct err *err)
{
    const struct schema *schema = crds_find(m->context->crds, m->id.group, m->id.kind);
    const struct digest *digest = NULL;

    m->id = m->manifest.id;
    add_identity(m);
    if (schema != NULL && !trace_document(m, schema, err))
        return false;
    if (m->manifest.outcome == MANIFEST_APPROVED) {
        digest = &m->manifest.digests[0];
        add_form(m, digest);
        add_accepted(m);
    }
    if (!explanation_judge(m, digest, err))
        return false;
    if (m->manifest.outcome == MANIFEST_HELD) {
        add_problem(m);
        m->reason = REASON_HELD;
    }
    return true;
}

/* Whether the schema at hand is the one that the set was made with. */
static void compare_schema(struct making *m)
{
    const struct schema *schema = crds_find(m->context->crds, m->id.group, m->id.kind);
    const struct bytes text = set_provenance(m->context->set);
    json_t *provenance = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    char hex[DIGEST_HEX_SIZE];
    bool same = schema == NULL;
    size_t i;
    json_t *known;

    json_array_foreach(json_object_get(provenance, "schemas"), i, known)
    {
        same = same || bytes_equal(explain_text_of(known, "digest"),
                                   bytes_str(digest_hex(schema_digest(schema), hex)));
    }
    json_decref(provenance);
    if (!same)
        explanation_note(
            m, "the set was made with another schema of this kind (N13 and N14 may differ)");
}

/* An object of Git that is not past its schema. */
static bool explain_unfilled(struct making *m, struct err *err)
{
    json_t *object = json_deep_copy(m->object);

    if (object == NULL)
        out_of_memory();
    if (m->kind_known && !m->kind.namespaced)
        m->id.namespace = (struct bytes){0};
    else if (m->id.namespace.len == 0)
        m->id.namespace = bytes_str(m->context->namespace);
    trace_identity(&m->trace, &m->id, object);
    const bool ok = explain_reduced(m, object, err);

    json_decref(object);
    return ok;
}

bool explanation_of_document(const struct explanation_context *context, const json_t *object,
                             const char *assumed, struct explanation *out, struct err *err)
{
    struct making m CLEANUP(making_release);

    making_start(&m, context, object);
    if (context->crds != NULL && !read_manifest(&m, err))
        return false;
    if (m.manifest.outcome == MANIFEST_NOT_GOVERNED) {
        if (!explain_unfilled(&m, err))
            return false;
        if (context->crds == NULL && m.reason != REASON_NOT_GOVERNED)
            explanation_note(
                &m, "without --crds nothing is pruned or defaulted here: what the API server "
                    "fills in is missing (N13, N14)");
    } else {
        if (!explain_manifest(&m, err))
            return false;
        compare_schema(&m);
    }
    finish(&m, "git", assumed, out);
    return true;
}

/* --- an entry without its document ------------------------------------------------------------ */

static bool entry_document(struct making *m, size_t index, struct digest *digest, struct err *err)
{
    struct bytes text;
    struct identity as_written;

    if (!set_document(m->context->set, index, &text, err))
        return false;
    json_t *document = json_loadb((const char *)text.ptr, text.len, 0, NULL);

    if (document == NULL)
        return err_set(err, "the approved document is not JSON");
    explain_identity(document, &as_written, &m->version);
    const bool ok = reduce(m, document, digest, err);

    /* The version is of this document. */
    if (ok)
        add_text(m, "version", m->version);
    m->version = (struct bytes){0};
    json_decref(document);
    return ok;
}

bool explanation_of_entry(const struct explanation_context *context, const struct identity *id,
                          struct explanation *out, struct err *err)
{
    struct making m CLEANUP(making_release);
    struct digest digest;
    struct set_entry entry = {.held = true};
    size_t index;

    making_start(&m, context, NULL);
    m.id = *id;
    m.kind_known = set_kind(context->set, id->group, id->kind, &m.kind);
    add_identity(&m);
    const bool found = set_find(context->set, id, &index);

    if (found)
        set_entry(context->set, index, &entry);
    if (!entry.held) {
        if (!entry_document(&m, index, &digest, err))
            return false;
        add_form(&m, &digest);
    }
    if (!explanation_judge(&m, entry.held ? NULL : &digest, err))
        return false;
    if (!entry.held)
        explanation_note(
            &m, "this is the document as the set has it, past prune and default; with --repo "
                "instead of a set you see what these did (N13, N14)");
    finish(&m, "git", "what the set has under this identity", out);
    return true;
}
