#include "policy/schema.h"

#include <assert.h>
#include <stdlib.h>

#include "policy/schema_apply.h"
#include "policy/schema_nulls.h"
#include "policy/schema_tree.h"

#include "base/banned.h"

/* --- reading the CRD -------------------------------------------------------------------------- */

/* A map that an error can name: spec.names. */
struct part {
    const json_t *value;
    struct schema_path path;
};

static bool refuse_in(const struct part *in, const char *key, struct err *err, const char *problem)
{
    const struct schema_path at = {.up = &in->path, .key = bytes_str(key)};

    (void)schema_path_refuse(&at, err, "%s", problem);
    return false;
}

/* NULL if it is not there or null, which is the same to the API server. */
static json_t *get(const struct part *in, const char *key)
{
    json_t *value = json_object_get(in->value, key);

    return json_is_null(value) ? NULL : value;
}

static bool get_map(const struct part *in, const char *key, struct part *out, struct err *err)
{
    const json_t *value = get(in, key);

    if (!json_is_object(value))
        return refuse_in(in, key, err, value == NULL ? "is missing" : "must be a map");
    *out = (struct part){value, {.up = &in->path, .key = bytes_str(key)}};
    return true;
}

/* A copy, which the schema keeps. */
static bool get_text(struct schema *s, const struct part *in, const char *key, struct bytes *out,
                     struct err *err)
{
    const json_t *value = get(in, key);
    const char *text = json_string_value(value);

    if (text == NULL || text[0] == '\0' || strlen(text) != json_string_length(value))
        return refuse_in(in, key, err, "must be a text that is not empty");
    assert(s->text_count < COUNT(s->texts));
    s->texts[s->text_count] = xstrdup(text);
    *out = bytes_str(s->texts[s->text_count++]);
    return true;
}

static bool get_bool(const struct part *in, const char *key, bool *out, struct err *err)
{
    const json_t *value = get(in, key);

    if (value != NULL && !json_is_boolean(value))
        return refuse_in(in, key, err, "must be true or false");
    *out = json_is_true(value);
    return true;
}

static bool is_value(const json_t *value, const char *want)
{
    return json_is_string(value) &&
           bytes_equal(bytes_of(json_string_value(value), json_string_length(value)),
                       bytes_str(want));
}

static bool check_type(const json_t *crd, struct err *err)
{
    if (!is_value(json_object_get(crd, "kind"), "CustomResourceDefinition"))
        return err_set(err, "not a CustomResourceDefinition") || err_at(err, "kind");
    if (!is_value(json_object_get(crd, "apiVersion"), "apiextensions.k8s.io/v1"))
        return err_set(err, "must be apiextensions.k8s.io/v1") || err_at(err, "apiVersion");
    return true;
}

static bool read_names(struct schema *s, const struct part *spec, struct err *err)
{
    struct part names;

    return get_text(s, spec, "group", &s->kind.group, err) && get_map(spec, "names", &names, err) &&
           get_text(s, &names, "kind", &s->kind.kind, err) &&
           get_text(s, &names, "plural", &s->kind.plural, err);
}

static bool read_scope(const struct part *spec, struct kind *kind, struct err *err)
{
    const json_t *scope = get(spec, "scope");
    const json_t *preserve = get(spec, "preserveUnknownFields");
    const json_t *conversion = get(spec, "conversion");

    kind->namespaced = is_value(scope, "Namespaced");
    if (!kind->namespaced && !is_value(scope, "Cluster"))
        return refuse_in(spec, "scope", err, "must be Namespaced or Cluster");
    if (preserve != NULL && !json_is_false(preserve))
        return refuse_in(spec, "preserveUnknownFields", err,
                         "must be false: what is not in the schema cannot be known otherwise");
    if (conversion != NULL) {
        const struct part part = {conversion, {.up = &spec->path, .key = BYTES("conversion")}};

        const json_t *strategy = get(&part, "strategy");

        if (strategy == NULL || !json_is_string(strategy))
            return refuse_in(&part, "strategy", err, "must be None or Webhook");
        kind->conversion = !is_value(strategy, "None");
    }
    return true;
}

static bool read_version(struct schema *s, const struct part *in, struct err *err)
{
    const size_t index = s->kind.version_count;
    struct kind_version v = {0};
    struct part schema;
    struct part root;
    struct part sub = {0};

    if (!get_text(s, in, "name", &v.name, err))
        return false;
    if (kind_version(&s->kind, v.name) != NULL)
        return refuse_in(in, "name", err, "this version is already in the list");
    if (!get_bool(in, "served", &v.served, err) || !get_bool(in, "storage", &v.storage, err))
        return false;
    if (get(in, "subresources") != NULL) {
        if (!get_map(in, "subresources", &sub, err))
            return false;
        v.status_subresource = get(&sub, "status") != NULL;
    }
    if (!get_map(in, "schema", &schema, err) || !get_map(&schema, "openAPIV3Schema", &root, err))
        return false;
    s->kind.versions[s->kind.version_count++] = v;
    return schema_tree_add(&s->tree, root.value, &root.path, &s->versions[index].root, err);
}

static bool read_versions(struct schema *s, const struct part *spec, struct err *err)
{
    const struct schema_path at = {.up = &spec->path, .key = BYTES("versions")};
    const json_t *list = get(spec, "versions");
    size_t stored = 0;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return schema_path_refuse(&at, err, "must be a list of versions");
    if (json_array_size(list) > KIND_MAX_VERSIONS)
        return schema_path_refuse(&at, err, "more than %d versions", KIND_MAX_VERSIONS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct part version = {json_array_get(list, i),
                                     {.up = &at, .index = i, .is_item = true}};

        if (!json_is_object(version.value))
            return schema_path_refuse(&version.path, err, "must be a map");
        if (!read_version(s, &version, err))
            return false;
        if (s->kind.versions[i].storage) {
            s->storage = i;
            stored++;
        }
    }
    return stored == 1 || schema_path_refuse(&at, err, "exactly one must have storage: true");
}

/* --- what the versions have in common --------------------------------------------------------- */

/* Versions of equal schema and subresource make the same forms: one of them is enough (N12). */
static void compare_versions(struct schema *s)
{
    struct buf text = {0};

    for (size_t i = 0; i < s->kind.version_count; i++) {
        struct schema_version *v = &s->versions[i];

        text.len = 0;
        buf_byte(&text, s->kind.versions[i].status_subresource);
        schema_tree_encode(&s->tree, v->root, &text);
        digest_of(buf_bytes(&text), &v->digest);
        v->same_as = i;
        for (size_t k = 0; k < i && v->same_as == i; k++) {
            if (digest_equal(&s->versions[k].digest, &v->digest))
                v->same_as = k;
        }
    }
    buf_release(&text);
}

static void put_text(struct buf *out, struct bytes text)
{
    buf_append(out, text);
    buf_byte(out, 0);
}

static void make_digest(struct schema *s)
{
    struct buf text = {0};

    put_text(&text, BYTES("meshwrit-schema/1"));
    put_text(&text, s->kind.group);
    put_text(&text, s->kind.kind);
    put_text(&text, s->kind.plural);
    buf_byte(&text, s->kind.namespaced);
    buf_byte(&text, s->kind.conversion);
    for (size_t i = 0; i < s->kind.version_count; i++) {
        const struct kind_version *v = &s->kind.versions[i];

        put_text(&text, v->name);
        buf_byte(&text, v->served);
        buf_byte(&text, v->storage);
        buf_append(&text, digest_bytes(&s->versions[i].digest));
    }
    digest_of(buf_bytes(&text), &s->digest);
    buf_release(&text);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void schema_freep(struct schema **slot)
{
    schema_free(*slot);
}

bool schema_compile(const json_t *crd, struct schema **out, struct err *err)
{
    CLEANUP(schema_freep) struct schema *s = xcalloc(1, sizeof(*s));
    const json_t *value = json_object_get(crd, "spec");
    const struct part spec = {value, {.key = BYTES("spec")}};

    schema_tree_init(&s->tree);
    if (!check_type(crd, err))
        return false;
    if (!json_is_object(value))
        return schema_path_refuse(&spec.path, err, "must be a map");
    if (!read_names(s, &spec, err) || !read_scope(&spec, &s->kind, err) ||
        !read_versions(s, &spec, err) || !schema_nulls_encode(s, &s->nulls, err))
        return false;
    compare_versions(s);
    make_digest(s);
    s->kind.has_schema = true;
    s->kind.nulls = buf_bytes(&s->nulls);
    *out = STEAL(s);
    return true;
}

void schema_free(struct schema *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->text_count; i++)
        free(s->texts[i]);
    schema_tree_release(&s->tree);
    buf_release(&s->nulls);
    free(s);
}

const struct kind *schema_kind(const struct schema *s)
{
    return &s->kind;
}

const struct digest *schema_digest(const struct schema *s)
{
    return &s->digest;
}

bool schema_apply(const struct schema *s, struct bytes version, json_t *object,
                  schema_pruned *pruned, void *context, struct err *err)
{
    const struct kind_version *v = kind_version(&s->kind, version);

    if (v == NULL)
        return err_set(err, "version %.*s is not in the CustomResourceDefinition of %.*s",
                       BYTES_FMT(version), BYTES_FMT(s->kind.kind));
    return schema_apply_version(s, (size_t)(v - s->kind.versions), object, pruned, context, NULL,
                                err);
}
