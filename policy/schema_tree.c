#include "policy/schema_tree.h"

#include <stdlib.h>

#include "base/banned.h"

/* What JSON schema has and a structural schema may not; the API server refuses such a CRD. */
static const char *const not_structural[] = {
    "$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties",
};

struct build {
    struct schema_tree *tree;
    struct err *err;
};

bool schema_is_meta_key(struct bytes key)
{
    return bytes_equal(key, BYTES("apiVersion")) || bytes_equal(key, BYTES("kind")) ||
           bytes_equal(key, BYTES("metadata"));
}

/* --- the pools -------------------------------------------------------------------------------- */

static uint32_t new_node(struct schema_tree *t)
{
    if (t->node_count == t->node_cap) {
        t->node_cap = t->node_cap == 0 ? 256 : t->node_cap * 2;
        t->nodes = xrealloc(t->nodes, t->node_cap * sizeof(*t->nodes));
    }
    t->nodes[t->node_count] = (struct schema_node){0};
    return (uint32_t)t->node_count++;
}

static uint32_t new_properties(struct schema_tree *t, size_t count)
{
    const size_t first = t->property_count;

    if (t->property_cap - t->property_count < count) {
        t->property_cap = (t->property_count + count) * 2;
        t->properties = xrealloc(t->properties, t->property_cap * sizeof(*t->properties));
    }
    t->property_count += count;
    return (uint32_t)first;
}

void schema_tree_init(struct schema_tree *tree)
{
    *tree = (struct schema_tree){0};
    (void)new_node(tree);
}

void schema_tree_release(struct schema_tree *tree)
{
    for (size_t i = 0; i < tree->node_count; i++)
        json_decref(tree->nodes[i].fallback);
    free(tree->nodes);
    free(tree->properties);
    buf_release(&tree->names);
    *tree = (struct schema_tree){0};
}

const struct schema_property *schema_tree_property(const struct schema_tree *tree,
                                                   const struct schema_node *node, struct bytes key)
{
    const struct schema_property *first = tree->properties + node->properties;
    size_t low = 0;
    size_t high = node->property_count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = bytes_compare(schema_tree_name(tree, &first[middle]), key);

        if (order == 0)
            return &first[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- compiling -------------------------------------------------------------------------------- */

static struct schema_path below(const struct schema_path *up, const char *key)
{
    return (struct schema_path){.up = up, .key = bytes_str(key)};
}

/* A member that is there and not null: Go reads null as absent. */
static json_t *member(const json_t *schema, const char *key)
{
    json_t *value = json_object_get(schema, key);

    return json_is_null(value) ? NULL : value;
}

static bool read_flag(const json_t *schema, const char *key, const struct schema_path *path,
                      bool *out, struct err *err)
{
    const json_t *value = member(schema, key);
    const struct schema_path at = below(path, key);

    if (value != NULL && !json_is_boolean(value))
        return schema_path_refuse(&at, err, "must be true or false");
    *out = json_is_true(value);
    return true;
}

static bool check_structural(const json_t *schema, const struct schema_path *path, struct err *err)
{
    for (size_t i = 0; i < COUNT(not_structural); i++) {
        const json_t *value = member(schema, not_structural[i]);
        const struct schema_path at = below(path, not_structural[i]);
        const bool empty =
            value == NULL || (json_is_object(value) && json_object_size(value) == 0) ||
            (json_is_string(value) && json_string_length(value) == 0);

        if (!empty)
            return schema_path_refuse(&at, err, "is not allowed in a structural schema");
    }
    return true;
}

static bool read_flags(struct build *b, const json_t *schema, const struct schema_path *path,
                       struct schema_node *out)
{
    static const char preserve[] = "x-kubernetes-preserve-unknown-fields";
    const struct schema_path at = below(path, preserve);

    if (!read_flag(schema, "nullable", path, &out->nullable, b->err) ||
        !read_flag(schema, preserve, path, &out->preserve, b->err) ||
        !read_flag(schema, "x-kubernetes-embedded-resource", path, &out->embedded, b->err))
        return false;
    if (!out->preserve && member(schema, preserve) != NULL)
        return schema_path_refuse(&at, b->err, "must be true or absent");
    return true;
}

static bool holds_null(json_t *value)
{
    struct buf text = {0};
    bool found;
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (dump == NULL)
        out_of_memory();
    /* A string that says "null" counts too: it costs a walk, and is never wrong. */
    found = bytes_contains(bytes_str(dump), BYTES("null"));
    free(dump);
    buf_release(&text);
    return found;
}

static bool read_default(struct build *b, const json_t *schema, const struct schema_path *path,
                         struct schema_node *out)
{
    const json_t *value = member(schema, "default");
    const struct schema_path at = below(path, "default");

    if (value == NULL)
        return true;
    out->fallback = json_deep_copy(value);
    if (out->fallback == NULL)
        return schema_path_refuse(&at, b->err, "cannot be copied");
    if (holds_null(out->fallback))
        b->tree->null_in_default = true;
    return true;
}
