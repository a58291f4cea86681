#include "source/delivery.h"

#include <stdlib.h>

#include "base/buf.h"
#include "policy/normal.h"
#include "source/glob.h"

#include "base/banned.h"

enum { LABEL_MAX_BYTES = 63, LABEL_PREFIX_MAX_BYTES = 253 };

#define FLUX_LABEL_NAME      "kustomize.toolkit.fluxcd.io/name"
#define FLUX_LABEL_NAMESPACE "kustomize.toolkit.fluxcd.io/namespace"
#define HELM_LABEL           "app.kubernetes.io/managed-by"
#define HELM_RELEASE         "meta.helm.sh/release-name"
#define HELM_NAMESPACE       "meta.helm.sh/release-namespace"
#define HELM_HOOK            "helm.sh/hook"
#define ARGOCD_LABEL         "app.kubernetes.io/instance"

/* One of `labels` and `annotations`. */
struct tags {
    json_t *set;     /* by a tool: it has the last word */
    json_t *missing; /* literal: added where the document says nothing */
};

struct delivery_rule {
    struct glob *path; /* NULL: every file */
    struct tags labels;
    struct tags annotations;
    bool spares_hooks; /* Helm runs its hooks by itself, as they are */
};

struct delivery {
    json_t *document;
    struct delivery_rule *rules;
    size_t count;
};

static void out_of_memory_if(bool failed)
{
    if (failed)
        out_of_memory();
}

void delivery_free(struct delivery *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->count; i++) {
        struct delivery_rule *rule = &d->rules[i];

        glob_free(rule->path);
        json_decref(rule->labels.set);
        json_decref(rule->labels.missing);
        json_decref(rule->annotations.set);
        json_decref(rule->annotations.missing);
    }
    json_decref(d->document);
    free(d->rules);
    free(d);
}

const json_t *delivery_document(const struct delivery *d)
{
    return d->document;
}

/* --- labels ----------------------------------------------------------------------------------- */

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The API server's rule for a label's value, and for the name in a key. */
static bool is_name(struct bytes s, size_t most)
{
    if (s.len == 0 || s.len > most || !is_alphanumeric(s.ptr[0]) ||
        !is_alphanumeric(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alphanumeric(s.ptr[i]) && memchr("-_.", s.ptr[i], 3) == NULL)
            return false;
    return true;
}

static bool is_key(const char *key)
{
    const char *slash = strchr(key, '/');

    if (slash != NULL && !is_name(bytes_of(key, (size_t)(slash - key)), LABEL_PREFIX_MAX_BYTES))
        return false;
    return is_name(bytes_str(slash == NULL ? key : slash + 1), LABEL_MAX_BYTES);
}

static bool read_label_value(const struct field *field, char **out, struct err *err)
{
    return field_text(field, out, err) &&
           (is_name(bytes_str(*out), LABEL_MAX_BYTES) ||
            field_refuse(field, err,
                         "expected the value of a label: at most 63 letters, digits, \"-\", \"_\" "
                         "and \".\", a letter or digit at both ends"));
}

/* Keeps `value` under the key; takes it. */
static void put(json_t **tags, const char *key, char *value)
{
    if (*tags == NULL)
        *tags = json_object();
    out_of_memory_if(json_object_set_new(*tags, key, json_string(value)) != 0);
    free(value);
}

/* --- members ---------------------------------------------------------------------------------- */

/* Members that are all required text, each the value of a label or (`any`) any text. */
struct text_member {
    const char *key;
    bool any;
    char *value; /* NULL: not there */
};

static void release_members(struct text_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(members[i].value);
}

static struct text_member *member_named(struct text_member *members, size_t count,
                                        const struct field *member)
{
    for (size_t i = 0; i < count; i++)
        if (field_is(member, members[i].key))
            return &members[i];
    return NULL;
}

static bool read_members(const struct field *field, struct text_member *members, size_t count,
                         struct err *err)
{
    struct field_cursor cursor;
    struct field member;

    if (!field_map(field, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        struct text_member *m = member_named(members, count, &member);

        if (m == NULL)
            return field_unknown(&member, err);
        if (!(m->any ? field_text(&member, &m->value, err)
                     : read_label_value(&member, &m->value, err)))
            return false;
    }
    return true;
}

/* --- the tools -------------------------------------------------------------------------------- */

static bool read_flux(const struct field *field, struct delivery_rule *rule, struct err *err)
{
    struct text_member m[] = {{.key = "name"}, {.key = "namespace"}};
    bool ok = read_members(field, m, COUNT(m), err);

    if (ok && (m[0].value == NULL || m[1].value == NULL))
        ok = field_refuse(field, err, "flux needs name and namespace, of the Kustomization");
    if (ok) {
        put(&rule->labels.set, FLUX_LABEL_NAME, STEAL(m[0].value));
        put(&rule->labels.set, FLUX_LABEL_NAMESPACE, STEAL(m[1].value));
    }
    release_members(m, COUNT(m));
    return ok;
}

static bool read_helm(const struct field *field, struct delivery_rule *rule, struct err *err)
{
    struct text_member m[] = {{.key = "release"}, {.key = "namespace"}};
    bool ok = read_members(field, m, COUNT(m), err);

    if (ok && (m[0].value == NULL || m[1].value == NULL))
        ok = field_refuse(field, err, "helm needs release and namespace");
    if (ok) {
        put(&rule->labels.set, HELM_LABEL, xstrdup("Helm"));
        put(&rule->annotations.set, HELM_RELEASE, STEAL(m[0].value));
        put(&rule->annotations.set, HELM_NAMESPACE, STEAL(m[1].value));
        rule->spares_hooks = true;
    }
    release_members(m, COUNT(m));
    return ok;
}

/* With both methods Argo CD cuts the label to what is allowed. */
static void cut_to_label(char *value)
{
    size_t length = strnlen(value, LABEL_MAX_BYTES);

    while (length > 0 && !is_alphanumeric((uint8_t)value[length - 1]))
        length--;
    value[length] = '\0';
}

enum { TRACKING, APPLICATION, LABEL };

static bool check_argocd(const struct field *field, struct text_member *m, struct err *err)
{
    const char *tracking = m[TRACKING].value;

    if (tracking == NULL)
        return field_refuse(field, err,
                            "argocd needs tracking: annotation, label or annotation+label");
    if (strcmp(tracking, "annotation") == 0)
        return (m[APPLICATION].value == NULL && m[LABEL].value == NULL) ||
               field_refuse(field, err,
                            "tracking by annotation adds no label: take application "
                            "and label out");
    if (strcmp(tracking, "label") != 0 && strcmp(tracking, "annotation+label") != 0)
        return field_refuse(field, err, "tracking: expected annotation, label or annotation+label");
    if (m[APPLICATION].value == NULL)
        return field_refuse(field, err, "tracking by label needs application");
    if (strcmp(tracking, "annotation+label") == 0)
        cut_to_label(m[APPLICATION].value);
    if (!is_name(bytes_str(m[APPLICATION].value), LABEL_MAX_BYTES))
        return field_refuse(field, err, "application: cannot be the value of a label");
    return m[LABEL].value == NULL || is_key(m[LABEL].value) ||
           field_refuse(field, err, "label: expected the key of a label");
}

static bool read_argocd(const struct field *field, struct delivery_rule *rule, struct err *err)
{
    struct text_member m[] = {[TRACKING] = {.key = "tracking", .any = true},
                              [APPLICATION] = {.key = "application", .any = true},
                              [LABEL] = {.key = "label", .any = true}};
    const bool ok = read_members(field, m, COUNT(m), err) && check_argocd(field, m, err);

    if (ok && m[APPLICATION].value != NULL)
        put(&rule->labels.set, m[LABEL].value == NULL ? ARGOCD_LABEL : m[LABEL].value,
            STEAL(m[APPLICATION].value));
    release_members(m, COUNT(m));
    return ok;
}

/* --- literal labels and annotations ----------------------------------------------------------- */

static bool read_tags(const struct field *field, bool labels, json_t **out, struct err *err)
{
    struct field_cursor cursor;
    struct field member;

    if (!field_map(field, &cursor, err))
        return false;
    if (json_object_size(field->value) > DELIVERY_MAX_TAGS)
        return field_refuse(field, err, "too many");
    while (field_next(&cursor, &member)) {
        char *value = NULL;

        if (!is_key(member.key))
            return field_refuse(&member, err, "not the key of a label or annotation");
        if (field_is(&member, BREAK_GLASS_ANNOTATION))
            return field_refuse(&member, err, "this annotation does not belong in Git (N36)");
        if (!(labels ? read_label_value(&member, &value, err) : field_text(&member, &value, err))) {
            free(value);
            return false;
        }
        put(out, member.key, value);
    }
    return true;
}

/* --- rules ------------------------------------------------------------------------------------ */

static bool read_path(const struct field *field, struct delivery_rule *rule, struct err *err)
{
    CLEANUP(freep) char *text = NULL;
    struct err why;

    if (!field_text(field, &text, err))
        return false;
    return glob_new(text, &rule->path, &why) || field_refuse(field, err, why.message);
}

static bool read_rule(const struct field *field, struct delivery_rule *rule, struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    unsigned tools = 0;

    if (!field_map(field, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        bool ok = true;

        if (field_is(&member, "path"))
            ok = read_path(&member, rule, err);
        else if (field_is(&member, "labels"))
            ok = read_tags(&member, true, &rule->labels.missing, err);
        else if (field_is(&member, "annotations"))
            ok = read_tags(&member, false, &rule->annotations.missing, err);
        else if (field_is(&member, "flux"))
            ok = ++tools > 0 && read_flux(&member, rule, err);
        else if (field_is(&member, "helm"))
            ok = ++tools > 0 && read_helm(&member, rule, err);
        else if (field_is(&member, "argocd"))
            ok = ++tools > 0 && read_argocd(&member, rule, err);
        else
            ok = field_unknown(&member, err);
        if (!ok)
            return false;
    }
    return tools <= 1 ||
           field_refuse(field, err, "expected one of flux, helm and argocd, found more");
}

static bool read_rules(const struct field *field, struct delivery *d, struct err *err)
{
    const size_t count = json_array_size(field->value);

    if (!json_is_array(field->value)) {
        d->rules = xcalloc(1, sizeof(d->rules[0]));
        d->count = 1;
        return read_rule(field, &d->rules[0], err) &&
               (json_object_size(field->value) > 0 ||
                field_refuse(field, err, "expected flux, helm, argocd, labels or annotations"));
    }
    if (count == 0 || count > DELIVERY_MAX_RULES)
        return field_refuse(field, err, "expected a map, or a list of 1 to 256 maps");
    d->rules = xcalloc(count, sizeof(d->rules[0]));
    while (d->count < count) {
        const struct field item = field_item(field, d->count);

        if (d->count > 0 && d->rules[d->count - 1].path == NULL)
            return field_refuse(&item, err,
                                "never used: the one before it has no path and is for "
                                "every file");
        if (!read_rule(&item, &d->rules[d->count++], err))
            return false;
    }
    return true;
}

bool delivery_read(const struct field *field, struct delivery **out, struct err *err)
{
    struct delivery *d = xcalloc(1, sizeof(*d));

    d->document = json_deep_copy(field->value);
    out_of_memory_if(d->document == NULL);
    if (!read_rules(field, d, err)) {
        delivery_free(d);
        return false;
    }
    *out = d;
    return true;
}

/* --- use -------------------------------------------------------------------------------------- */

/* As of `paths` of a source: what names a folder covers all below it. */
static bool covers(const struct glob *glob, const char *path)
{
    glob_state state = glob_start(glob);

    while (state != 0) {
        const char *slash = strchr(path, '/');

        if (glob_accepts(glob, state))
            return true;
        state = glob_step(glob, state,
                          slash == NULL ? bytes_str(path) : bytes_of(path, (size_t)(slash - path)));
        if (slash == NULL)
            return glob_accepts(glob, state) && !glob_wants_folder(glob);
        path = slash + 1;
    }
    return false;
}

const struct delivery_rule *delivery_for(const struct delivery *d, const char *path)
{
    for (size_t i = 0; d != NULL && i < d->count; i++)
        if (d->rules[i].path == NULL || covers(d->rules[i].path, path))
            return &d->rules[i];
    return NULL;
}

static void apply_tags(const struct tags *tags, json_t *metadata, const char *key)
{
    const json_t *own = json_object_get(metadata, key);
    json_t *all = json_is_object(own) ? json_copy((json_t *)(uintptr_t)own) : json_object();

    if (tags->set == NULL && tags->missing == NULL) {
        json_decref(all);
        return;
    }
    out_of_memory_if(
        all == NULL ||
        (tags->missing != NULL && json_object_update_missing(all, tags->missing) != 0) ||
        (tags->set != NULL && json_object_update(all, tags->set) != 0) ||
        json_object_set_new(metadata, key, all) != 0);
}

json_t *delivery_apply(const struct delivery_rule *rule, const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const json_t *annotations = json_object_get(metadata, "annotations");

    if (rule == NULL || (rule->spares_hooks && json_object_get(annotations, HELM_HOOK) != NULL))
        return json_incref((json_t *)(uintptr_t)object);
    json_t *delivered = json_copy((json_t *)(uintptr_t)object);
    json_t *changed = json_copy((json_t *)(uintptr_t)metadata);

    out_of_memory_if(delivered == NULL || changed == NULL ||
                     json_object_set_new(delivered, "metadata", changed) != 0);
    apply_tags(&rule->labels, changed, "labels");
    apply_tags(&rule->annotations, changed, "annotations");
    return delivered;
}
