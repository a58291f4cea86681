#include "source/manifest.h"

#include <stdlib.h>

#include "policy/core.h"
#include "policy/schema_path.h"
#include "source/core_form.h"
#include "source/metadata.h"
#include "source/yaml_mark.h"

#include "base/banned.h"

void manifest_release(struct manifest *m)
{
    buf_release(&m->names);
    buf_release(&m->document);
    buf_release(&m->message);
    buf_release(&m->fields);
    *m = (struct manifest){0};
}

struct bytes manifest_field(const struct manifest *m, size_t index)
{
    struct bytes rest = buf_bytes(&m->fields);

    for (;; index--) {
        const uint8_t *feed = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);
        const size_t len = feed == NULL ? rest.len : (size_t)(feed - rest.ptr);

        if (index == 0)
            return bytes_of(rest.ptr, len);
        if (feed == NULL)
            return (struct bytes){0};
        rest = bytes_of(feed + 1, rest.len - len - 1);
    }
}

static struct bytes text_of(const json_t *map, const char *key)
{
    const json_t *value = json_object_get(map, key);

    if (!json_is_string(value))
        return (struct bytes){0};
    return bytes_of(json_string_value(value), json_string_length(value));
}

static struct bytes api_group(const json_t *document)
{
    struct bytes group;
    struct bytes version;

    normal_split_api_version(text_of(document, "apiVersion"), &group, &version);
    return group;
}

/* By the rule that m->rule says already. */
static bool hold(struct manifest *m, const char *message)
{
    m->outcome = MANIFEST_HELD;
    buf_append_str(&m->message, message);
    return false;
}

/* --- identity --------------------------------------------------------------------------------- */

static void set_identity(struct manifest *m, struct bytes group, struct bytes kind,
                         struct bytes namespace, struct bytes name)
{
    const size_t lengths[] = {group.len, kind.len, namespace.len, name.len};

    buf_append(&m->names, group);
    buf_append(&m->names, kind);
    buf_append(&m->names, namespace);
    buf_append(&m->names, name);
    m->id.group = bytes_of(m->names.ptr, lengths[0]);
    m->id.kind = bytes_of(m->id.group.ptr + lengths[0], lengths[1]);
    m->id.namespace = bytes_of(m->id.kind.ptr + lengths[1], lengths[2]);
    m->id.name = bytes_of(m->id.namespace.ptr + lengths[2], lengths[3]);
}

/* N10. False: *m is not governed, or err is set. */
static bool identify(const json_t *document, const char *default_namespace,
                     const struct kind *known, struct manifest *m, struct err *err)
{
    const json_t *metadata = json_object_get(document, "metadata");
    const struct bytes kind = text_of(document, "kind");
    const struct bytes name = text_of(metadata, "name");
    struct bytes namespace = text_of(metadata, "namespace");
    struct bytes group;
    struct bytes version;

    normal_split_api_version(text_of(document, "apiVersion"), &group, &version);
    m->rule = 10;
    if (name.len == 0)
        return err_set(err, "%.*s of governed group %.*s has no metadata.name%s", BYTES_FMT(kind),
                       BYTES_FMT(group),
                       text_of(metadata, "generateName").len == 0
                           ? "; give it one"
                           : "; generateName cannot be compared with Git, give it a name") ||
               err_at(err, "metadata");
    if (known != NULL && !known->namespaced)
    namespace = (struct bytes){0};
    else if (namespace.len == 0) namespace = bytes_str(default_namespace);
    set_identity(m, group, kind, namespace, name);
    if (known != NULL && known->namespaced && namespace.len == 0)
        (void)hold(
            m, "metadata.namespace is missing and the source has no default namespace; write it");
    if (m->outcome == MANIFEST_HELD)
        buf_append_str(&m->fields, "metadata");
    return true;
}

/* --- metadata (N16) --------------------------------------------------------------------------- */

static bool is_metadata_key(const char *key)
{
    static const char *const known[] = {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcmp(key, known[i]) == 0)
            return true;
    }
    return false;
}

/* metadata.MAP or metadata.MAP["KEY"]. */
static void set_field(struct manifest *m, const char *map, const char *key)
{
    const struct schema_path metadata = {.key = BYTES("metadata")};
    const struct schema_path first = {.up = &metadata, .key = bytes_str(map)};
    const struct schema_path second = {.up = &first, .key = bytes_str(key)};

    schema_path_text(key == NULL ? &first : &second, &m->fields);
}

static bool check_tags(const json_t *tags, const char *what, struct manifest *m)
{
    const char *key;
    json_t *value;

    if (tags == NULL || json_is_null(tags))
        return true;
    if (!json_is_object(tags)) {
        buf_printf(&m->message, "metadata.%s is not a map", what);
        set_field(m, what, NULL);
        return hold(m, "");
    }
    json_object_foreach((json_t *)(uintptr_t)tags, key, value)
    {
        if (!json_is_string(value)) {
            buf_printf(&m->message, "metadata.%s[\"%s\"] is not text; put it in quotes", what, key);
            set_field(m, what, key);
            return hold(m, "");
        }
    }
    return true;
}

static bool check_metadata(const json_t *document, struct manifest *m)
{
    json_t *metadata = json_object_get(document, "metadata");
    const json_t *annotations = json_object_get(metadata, "annotations");
    const char *unknown = metadata_unknown_owner_field(metadata);
    const char *key;
    json_t *value;

    m->rule = 16;
    json_object_foreach(metadata, key, value)
    {
        if (!is_metadata_key(key)) {
            buf_printf(&m->message, "metadata.%s is not a field of metadata; take it out", key);
            set_field(m, key, NULL);
            return hold(m, "");
        }
    }
    if (unknown != NULL) {
        buf_printf(&m->message, "%s is not a field of an owner reference", unknown);
        return hold(m, "");
    }
    if (!check_tags(annotations, "annotations", m) ||
        !check_tags(json_object_get(metadata, "labels"), "labels", m))
        return false;
    if (json_object_get(annotations, BREAK_GLASS_ANNOTATION) == NULL)
        return true;
    m->rule = 36;
    set_field(m, "annotations", BREAK_GLASS_ANNOTATION);
    return hold(m, "annotation " BREAK_GLASS_ANNOTATION " does not belong in Git; take it out");
}

/* --- forms ------------------------------------------------------------------------------------ */

/* What pruning removed. */
static void note_pruned(void *context, const char *path)
{
    struct manifest *m = context;

    /* No path has a line feed: its keys are quoted where they are not plain. */
    if (m->fields.len > MANIFEST_MAX_FIELDS_BYTES)
        return;
    if (m->fields.len > 0)
        buf_byte(&m->fields, '\n');
    buf_append_str(&m->fields, path);
}

static bool digest_form(const struct manifest_rules *rules, const struct kind *kind,
                        const struct schema_form *form, struct manifest *m, struct digest *out)
{
    const struct normal_rules normal_form = normal_rules(kind, form->version);
    CLEANUP(freep) char *text = json_dumps(form->object, JSON_COMPACT);
    struct err err;

    if (text == NULL || !normal_read_text(rules->normal, bytes_str(text), &normal_form, &err)) {
        buf_printf(&m->message, "has no normal form: %s", text == NULL ? "too large" : err.message);
        return hold(m, "");
    }
    normal_digest(rules->normal, &m->id, kind->conversion ? form->version : (struct bytes){0},
                  rules->hash, out);
    return true;
}

static void add_digest(struct manifest *m, const struct digest *digest)
{
    for (size_t i = 0; i < m->digest_count; i++) {
        if (digest_equal(&m->digests[i], digest))
            return;
    }
    m->digests[m->digest_count++] = *digest;
}

static bool digest_forms(const struct manifest_rules *rules, const struct kind *kind,
                         const struct schema_forms *forms, struct manifest *m)
{
    struct digest digest;

    for (size_t i = 0; i < forms->count; i++) {
        if (!digest_form(rules, kind, &forms->forms[i], m, &digest))
            return false;
        add_digest(m, &digest);
    }
    return digest_form(rules, kind, &forms->storage, m, &m->primary);
}

/* What the set keeps for explanations and roll-back: T_v without what a server sets. */
static void write_document(const json_t *object, bool drop_status, struct manifest *m)
{
    static const char *const server_set[] = {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generateName",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    };
    json_t *copy = json_copy((json_t *)(uintptr_t)object);
    json_t *metadata = json_copy(json_object_get(object, "metadata"));

    if (copy == NULL || metadata == NULL)
        out_of_memory();
    for (size_t i = 0; i < COUNT(server_set); i++)
        (void)json_object_del(metadata, server_set[i]);
    if (m->id.namespace.len > 0)
        (void)json_object_set_new(
            metadata, "namespace",
            json_stringn((const char *)m->id.namespace.ptr, m->id.namespace.len));
    else
        (void)json_object_del(metadata, "namespace");
    (void)json_object_set_new(copy, "metadata", metadata);
    if (drop_status)
        (void)json_object_del(copy, "status");
    policy_text(copy, &m->document);
    json_decref(copy);
}

static void forms_release(struct schema_forms *forms)
{
    schema_forms_release(forms);
}

static bool approve(const struct manifest_rules *rules, const json_t *document,
                    const struct schema *schema, struct manifest *m)
{
    const struct kind *kind = schema_kind(schema);
    struct schema_forms forms CLEANUP(forms_release) = {0};
    json_auto_t *coerced = metadata_coerce(document);
    struct bytes group;
    struct bytes version;
    struct err err = {0};

    normal_split_api_version(text_of(document, "apiVersion"), &group, &version);
    const struct kind_version *written = kind_version(kind, version);

    m->rule = 12;
    if (written == NULL || !written->served) {
        buf_append_str(&m->fields, "apiVersion");
        buf_printf(&m->message,
                   "version %.*s is not served by its CustomResourceDefinition; write one that is",
                   BYTES_FMT(version));
        return hold(m, "");
    }
    m->rule = 14;
    if (!schema_forms(schema, version, coerced, &forms, note_pruned, m, &err)) {
        if (err.path[0] != '\0')
            buf_printf(&m->message, "%s: ", err.path);
        buf_append_str(&m->fields, err.path);
        return hold(m, err.message);
    }
    if (m->fields.len > 0) { /* N13: as fieldValidation=Strict would */
        m->rule = 13;
        buf_append(&m->message, manifest_field(m, 0));
        return hold(m, MANIFEST_PRUNED);
    }
    m->rule = 4;
    if (!digest_forms(rules, kind, &forms, m))
        return false;
    write_document(forms.forms[0].object, written->status_subresource, m);
    m->outcome = MANIFEST_APPROVED;
    return true;
}

/* --- core kinds ------------------------------------------------------------------------------- */

static bool approve_projected(const struct manifest_rules *rules, const json_t *document,
                              const struct projection *p, struct manifest *m)
{
    const struct normal_rules plain = {0};
    struct buf form CLEANUP(buf_release) = {0};
    json_t *object = core_form_projected(document, p);
    CLEANUP(freep) char *text = json_dumps(object, JSON_COMPACT);
    struct err err = {0};
    const bool ok = text != NULL && normal_read_text(rules->normal, bytes_str(text), &plain, &err);

    if (ok) {
        projection_write(p, buf_bytes(&rules->normal->meta.out), &form);
        projection_digest(buf_bytes(&form), &m->id, rules->hash, &m->primary);
        add_digest(m, &m->primary);
        write_document(object, false, m);
        m->outcome = projection_is_empty(buf_bytes(&form)) ? MANIFEST_EMPTY : MANIFEST_APPROVED;
    }
    json_decref(object);
    return ok || hold(m, text == NULL ? "is too large" : err.message);
}

static bool approve_configmap(const struct manifest_rules *rules, const json_t *document,
                              const struct kind *kind, struct manifest *m)
{
    const struct schema_form form = {BYTES("v1"), core_form_configmap(document, &m->message)};

    if (form.object == NULL)
        return hold(m, "");
    const bool ok = digest_form(rules, kind, &form, m, &m->primary);

    if (ok) {
        add_digest(m, &m->primary);
        write_document(form.object, false, m);
        m->outcome = MANIFEST_APPROVED;
    }
    json_decref(form.object);
    return ok;
}

/* A governed object of a core kind, which has no schema. */
static void judge_core(const struct manifest_rules *rules, const struct manifest_input *input,
                       const struct kind *kind, struct manifest *m)
{
    json_auto_t *object = core_form_is_sound(input->object)
                              ? delivery_apply(input->delivery, input->object)
                              : json_incref((json_t *)(uintptr_t)input->object);
    struct projection projection;
    struct bytes group;
    struct bytes version;

    policy_projection(rules->policy, &m->id, &projection);
    if (projection.count > 0 && !core_form_counts(object, &projection)) {
        /* Git says nothing of it (row 4), and what else is wrong with it is no business of ours. */
        m->outcome = m->outcome == MANIFEST_HELD ? MANIFEST_NOT_GOVERNED : MANIFEST_EMPTY;
        return;
    }
    if (m->outcome != MANIFEST_HELD && input->refused != NULL) {
        m->rule = 5;
        (void)hold(m, input->refused);
    }
    if (m->outcome == MANIFEST_HELD || !check_metadata(object, m))
        return;
    m->rule = 24;
    normal_split_api_version(text_of(object, "apiVersion"), &group, &version);
    if (kind_version(kind, version) == NULL) {
        buf_printf(&m->message, "version %.*s is none of the core group", BYTES_FMT(version));
        (void)hold(m, "");
    } else if (projection.count > 0) {
        (void)approve_projected(rules, object, &projection, m);
    } else {
        (void)approve_configmap(rules, object, kind, m);
    }
}

/*
 * What only looks like a core object (a chart's Chart.yaml has apiVersion v1 and no kind), or has
 * no name and so can be none that a rule names, nor one with a field that counts.
 */
static bool is_no_core_object(const struct manifest_rules *rules, const json_t *document)
{
    const struct identity nameless = {.kind = text_of(document, "kind")};
    struct projection projection;
    enum mode mode;

    if (nameless.kind.len == 0 || text_of(document, "apiVersion").len == 0)
        return true;
    if (text_of(json_object_get(document, "metadata"), "name").len > 0)
        return false;
    policy_projection(rules->policy, &nameless, &projection);
    return !policy_governs(rules->policy, &nameless, &mode) ||
           (projection.count > 0 && !core_form_counts(document, &projection));
}

/* --- refused documents (N35) ------------------------------------------------------------------ */

/* What stands where the map or this member of it should, if it is a mark. */
static const char *mark_at(const json_t *map, const char *key)
{
    const char *mark = yaml_mark_text(map);

    return mark != NULL ? mark : yaml_mark_text(json_object_get(map, key));
}

/* Why the document's group and kind cannot be read, and so not whether it is governed. */
static const char *kind_mark(const json_t *document)
{
    const char *mark = mark_at(document, "apiVersion");

    return mark != NULL ? mark : mark_at(document, "kind");
}

static const char *name_mark(const json_t *document)
{
    const json_t *metadata = json_object_get(document, "metadata");
    const char *mark = mark_at(metadata, "name");

    return mark != NULL ? mark : mark_at(metadata, "namespace");
}

static void set_unreadable(const char *mark, struct manifest *out)
{
    *out = (struct manifest){.outcome = MANIFEST_UNREADABLE};
    buf_append_str(&out->message, mark);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* The document is of a governed kind. */
static bool read_governed(const struct manifest_rules *rules, const struct manifest_input *input,
                          const struct schema *schema, struct manifest *m, struct err *err)
{
    const struct bytes group = api_group(input->object);
    struct kind core;
    const bool is_core = core_kind(group, text_of(input->object, "kind"), &core);
    const struct kind *known = is_core ? &core : schema == NULL ? NULL : schema_kind(schema);
    enum mode mode;

    if (!identify(input->object, input->default_namespace, known, m, err))
        return false;
    if (!policy_governs(rules->policy, &m->id, &mode)) {
        manifest_release(m);
        return true;
    }
    if (is_core) {
        judge_core(rules, input, &core, m);
        if (m->outcome == MANIFEST_NOT_GOVERNED)
            manifest_release(m);
        return true;
    }
    if (m->outcome != MANIFEST_HELD && input->refused != NULL) {
        m->rule = 5;
        (void)hold(m, input->refused);
    }
    if (m->outcome != MANIFEST_HELD && schema == NULL) {
        m->rule = 14;
        buf_append_str(&m->fields, "kind");
        (void)hold(m, "no CustomResourceDefinition of this kind is known; add it to the schemas");
    }
    if (m->outcome != MANIFEST_HELD && check_metadata(input->object, m)) {
        json_auto_t *delivered = delivery_apply(input->delivery, input->object);

        (void)approve(rules, delivered, schema, m);
    }
    return true;
}

bool manifest_read(const struct manifest_rules *rules, const struct manifest_input *input,
                   struct manifest *out, struct err *err)
{
    struct manifest m CLEANUP(manifest_release) = {.outcome = MANIFEST_NOT_GOVERNED};
    const struct bytes kind = text_of(input->object, "kind");
    const struct bytes group = api_group(input->object);
    const char *mark = kind_mark(input->object);

    *out = (struct manifest){.outcome = MANIFEST_NOT_GOVERNED};
    if (mark != NULL) {
        set_unreadable(mark, out);
        return true;
    }
    mark = name_mark(input->object);
    if (group.len == 0 && mark == NULL && is_no_core_object(rules, input->object))
        return true;
    if (kind.len == 0 && policy_governs_group(rules->policy, group))
        return err_set(err, "a document of governed group %.*s has no kind", BYTES_FMT(group));
    if (!policy_governs_kind(rules->policy, group, kind))
        return true;
    if (mark != NULL) {
        set_unreadable(mark, out);
        return true;
    }
    if (!read_governed(rules, input, crds_find(rules->crds, group, kind), &m, err))
        return false;
    *out = m;
    m = (struct manifest){0};
    return true;
}
