#include <stdlib.h>

#include "policy/nulls.h"
#include "policy/schema.h"
#include "policy/schema_apply.h"
#include "policy/schema_tree.h"

#include "base/banned.h"

/* --- N15 on a document tree ------------------------------------------------------------------- */

struct null_walk {
    struct bytes tree;
    struct nulls_step path[SCHEMA_MAX_DEPTH + 2];
};

/*
 * What is deeper than SCHEMA_MAX_DEPTH is left as it is: no schema knows it.
 */
/* NOLINTNEXTLINE(misc-no-recursion): `depth` is bounded by SCHEMA_MAX_DEPTH. */
static void drop_nulls(struct null_walk *w, json_t *value, size_t depth)
{
    void *next;
    const char *key;
    size_t len;
    size_t index;
    json_t *child;

    if (depth > SCHEMA_MAX_DEPTH)
        return;
    if (json_is_array(value)) {
        w->path[depth] = (struct nulls_step){.is_item = true};
        json_array_foreach(value, index, child)
        {
            drop_nulls(w, child, depth + 1);
        }
        return;
    }
    if (!json_is_object(value))
        return;
    json_object_keylen_foreach_safe(value, next, key, len, child)
    {
        w->path[depth] = (struct nulls_step){.key = bytes_of(key, len)};
        if (json_is_null(child) && nulls_droppable(w->tree, w->path, depth + 1))
            (void)json_object_deln(value, key, len);
        else
            drop_nulls(w, child, depth + 1);
    }
}

/* --- one form --------------------------------------------------------------------------------- */

struct pruned {
    schema_pruned *call;
    void *context;
};

static const struct pruned nobody;

static void set_version(const struct schema *s, size_t version, json_t *object)
{
    const struct bytes name = s->kind.versions[version].name;
    char *text = xasprintf("%.*s/%.*s", BYTES_FMT(s->kind.group), BYTES_FMT(name));

    if (json_object_set_new(object, "apiVersion", json_string(text)) != 0)
        out_of_memory();
    free(text);
}

/* N13 to N15 for one version, in place. */
static bool make(const struct schema *s, size_t version, json_t *object,
                 const struct pruned *pruned, struct err *err)
{
    bool nulls;

    if (!schema_apply_version(s, version, object, pruned->call, pruned->context, &nulls, err))
        return false;
    if (nulls && s->nulls.len > 0) {
        struct null_walk w = {.tree = buf_bytes(&s->nulls)};

        drop_nulls(&w, object, 0);
    }
    return true;
}

/* What a write in this version leaves of status (N17). */
static void strip_status(const struct schema *s, size_t version, json_t *object)
{
    if (s->kind.versions[version].status_subresource)
        (void)json_object_del(object, "status");
}

/* What `object`, stored, is read as in `version`; fresh. */
static json_t *convert(const struct schema *s, size_t version, json_t *object, struct err *err)
{
    json_t *out = schema_copy(object, NULL);

    if (out == NULL) {
        (void)err_set(err, "nested deeper than %d levels", SCHEMA_MAX_DEPTH);
        return NULL;
    }
    set_version(s, version, out);
    if (!make(s, version, out, &nobody, err)) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* --- the set ---------------------------------------------------------------------------------- */

static void add_form(const struct schema *s, size_t version, json_t *object,
                     struct schema_forms *out)
{
    out->forms[out->count++] = (struct schema_form){s->kind.versions[version].name, object};
}

static void set_storage(const struct schema *s, size_t version, json_t *object,
                        struct schema_forms *out)
{
    out->storage = (struct schema_form){s->kind.versions[version].name, object};
}

/* Whether T_v is all there is: the same form in every version that counts. */
static bool is_uniform(const struct schema *s, size_t version)
{
    for (size_t i = 0; i < s->kind.version_count; i++) {
        const struct kind_version *v = &s->kind.versions[i];

        if ((v->served || v->storage) && s->versions[i].same_as != s->versions[version].same_as)
            return false;
    }
    return true;
}

/* T_v with the storage version's apiVersion; the values are shared. */
static json_t *relabel(const struct schema *s, json_t *object, size_t from)
{
    if (from == s->storage)
        return json_incref(object);
    json_t *out = json_copy(object);

    if (out == NULL)
        out_of_memory();
    set_version(s, s->storage, out);
    return out;
}

/* Whether an earlier served version, or the one that was written, makes the same form. */
static bool is_covered(const struct schema *s, size_t candidate, size_t written)
{
    const size_t class = s->versions[candidate].same_as;

    if (s->versions[written].same_as == class)
        return true;
    for (size_t i = 0; i < candidate; i++) {
        if (s->kind.versions[i].served && s->versions[i].same_as == class)
            return true;
    }
    return false;
}

/*
 * Adds T_w if what is stored from it means what is stored from T_v: a digest says no version, so
 * each accepted tree must have one meaning, whatever version it is submitted in (N12).
 */
static bool try_version(const struct schema *s, size_t version, struct schema_forms *out,
                        struct err *err)
{
    json_t *form = convert(s, version, out->forms[0].object, err);

    if (form == NULL)
        return false;
    strip_status(s, version, form);
    json_t *stored = convert(s, s->storage, form, err);

    if (stored != NULL && json_equal(stored, out->storage.object))
        add_form(s, version, form, out);
    else
        json_decref(form);
    json_decref(stored);
    return stored != NULL;
}

static bool make_others(const struct schema *s, size_t written, struct schema_forms *out,
                        struct err *err)
{
    json_t *meaning = convert(s, s->storage, out->forms[0].object, err);

    if (meaning == NULL)
        return false;
    set_storage(s, s->storage, meaning, out);
    for (size_t i = 0; i < s->kind.version_count; i++) {
        if (!s->kind.versions[i].served || is_covered(s, i, written))
            continue;
        if (!try_version(s, i, out, err))
            return false;
    }
    return true;
}

bool schema_forms(const struct schema *s, struct bytes version, const json_t *written,
                  struct schema_forms *out, schema_pruned *pruned, void *context, struct err *err)
{
    const struct kind_version *v = kind_version(&s->kind, version);
    const struct pruned listener = {pruned, context};
    struct schema_forms forms = {0};

    if (v == NULL || !v->served)
        return err_set(err, "version %.*s of %.*s is %s", BYTES_FMT(version),
                       BYTES_FMT(s->kind.kind),
                       v == NULL ? "not in its CustomResourceDefinition" : "not served") ||
               err_at(err, "apiVersion");
    const size_t index = (size_t)(v - s->kind.versions);
    json_t *object = json_deep_copy(written);

    if (object == NULL)
        return err_set(err, "not an object");
    add_form(s, index, object, &forms);
    bool ok = make(s, index, object, &listener, err);

    if (ok)
        strip_status(s, index, object);
    if (ok && s->kind.conversion)
        set_storage(s, index, json_incref(object), &forms);
    else if (ok && is_uniform(s, index))
        set_storage(s, s->storage, relabel(s, object, index), &forms);
    else if (ok)
        ok = make_others(s, index, &forms, err);
    if (!ok) {
        schema_forms_release(&forms);
        return false;
    }
    *out = forms;
    return true;
}

void schema_forms_release(struct schema_forms *forms)
{
    for (size_t i = 0; i < forms->count; i++)
        json_decref(forms->forms[i].object);
    json_decref(forms->storage.object);
    *forms = (struct schema_forms){0};
}
