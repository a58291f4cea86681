#include "policy/schema_tree.h"

#include <stdlib.h>

#include "policy/schema_apply.h"

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
    /* There is a pointer then, also for a name that is empty. */
    buf_byte(&tree->names, 0);
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
    if (node->property_count == 0)
        return NULL;
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
        const bool empty = value == NULL ||
                           (json_is_object(value) && json_object_size(value) == 0) ||
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

static bool read_default(struct build *b, const json_t *schema, const struct schema_path *path,
                         struct schema_node *out)
{
    json_t *value = member(schema, "default");
    const struct schema_path at = below(path, "default");

    if (value == NULL)
        return true;
    out->fallback = schema_copy(value, &b->tree->null_in_default);
    if (out->fallback == NULL)
        return schema_path_refuse(&at, b->err, "nested deeper than %d levels", SCHEMA_MAX_DEPTH);
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct bytes *left = a;
    const struct bytes *right = b;

    return bytes_compare(*left, *right);
}

/*
 * Adds the names of `properties`, sorted, as the node's properties without nodes of their own yet.
 * The names as the caller's tree has them are returned, the caller frees: ours move while deeper
 * ones are added.
 */
static struct bytes *add_names(struct schema_tree *t, json_t *properties, bool is_root,
                               struct schema_node *node)
{
    struct bytes *names = xcalloc(json_object_size(properties) + 1, sizeof(*names));
    const char *key;
    size_t len;
    json_t *value;
    uint32_t found = 0;

    json_object_keylen_foreach(properties, key, len, value)
    {
        const struct bytes name = bytes_of(key, len);

        if (!is_root || !schema_is_meta_key(name))
            names[found++] = name;
    }
    qsort(names, found, sizeof(*names), by_name);
    node->properties = new_properties(t, found);
    node->property_count = found;
    for (uint32_t i = 0; i < found; i++) {
        t->properties[node->properties + i] = (struct schema_property){
            .name = t->names.len,
            .name_len = (uint32_t)names[i].len,
        };
        buf_append(&t->names, names[i]);
    }
    return names;
}

static bool build_node(struct build *b, const json_t *schema, const struct schema_path *path,
                       unsigned depth, uint32_t *out);

/* NOLINTNEXTLINE(misc-no-recursion): build_node bounds it by SCHEMA_MAX_DEPTH. */
static bool build_properties(struct build *b, const json_t *schema, const struct schema_path *path,
                             unsigned depth, struct schema_node *node)
{
    struct schema_tree *t = b->tree;
    json_t *properties = member(schema, "properties");
    const struct schema_path at = below(path, "properties");

    if (properties == NULL)
        return true;
    if (!json_is_object(properties))
        return schema_path_refuse(&at, b->err, "must be a map");
    if (json_object_size(properties) > SCHEMA_MAX_NODES - t->property_count)
        return schema_path_refuse(&at, b->err, "more than %d schema nodes", SCHEMA_MAX_NODES);
    CLEANUP(freep) struct bytes *names = add_names(t, properties, depth == 0, node);

    for (uint32_t i = 0; i < node->property_count; i++) {
        const json_t *child =
            json_object_getn(properties, (const char *)names[i].ptr, names[i].len);
        const struct schema_path child_at = {.up = &at, .key = names[i]};
        uint32_t index = 0;

        if (!build_node(b, child, &child_at, depth + 1, &index))
            return false;
        t->properties[node->properties + i].node = index;
        node->fills |= t->nodes[index].fallback != NULL;
        node->deep |= t->nodes[index].fills || t->nodes[index].deep;
    }
    return true;
}

static void lead_below(const struct schema_tree *t, struct schema_node *node, uint32_t child)
{
    const struct schema_node *below_it = &t->nodes[child];

    node->deep |= below_it->fallback != NULL || below_it->fills || below_it->deep;
}

/* NOLINTNEXTLINE(misc-no-recursion): build_node bounds it by SCHEMA_MAX_DEPTH. */
static bool build_additional(struct build *b, const json_t *schema, const struct schema_path *path,
                             unsigned depth, struct schema_node *node)
{
    const json_t *additional = member(schema, "additionalProperties");
    const struct schema_path at = below(path, "additionalProperties");

    if (additional == NULL)
        return true;
    if (json_is_true(additional)) {
        node->additional_any = true;
        return true;
    }
    if (json_is_false(additional))
        return schema_path_refuse(&at, b->err, "must not be false in a structural schema");
    if (!build_node(b, additional, &at, depth + 1, &node->additional))
        return false;
    lead_below(b->tree, node, node->additional);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): build_node bounds it by SCHEMA_MAX_DEPTH. */
static bool build_items(struct build *b, const json_t *schema, const struct schema_path *path,
                        unsigned depth, struct schema_node *node)
{
    const json_t *items = member(schema, "items");
    const struct schema_path at = below(path, "items");

    if (items == NULL)
        return true;
    if (json_is_array(items))
        return schema_path_refuse(&at, b->err, "must be one schema, not a list");
    if (!build_node(b, items, &at, depth + 1, &node->items))
        return false;
    lead_below(b->tree, node, node->items);
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): `depth` is bounded by SCHEMA_MAX_DEPTH. */
static bool build_node(struct build *b, const json_t *schema, const struct schema_path *path,
                       unsigned depth, uint32_t *out)
{
    struct schema_node node = {0};

    if (!json_is_object(schema))
        return schema_path_refuse(path, b->err, "must be a schema (a map)");
    if (depth > SCHEMA_MAX_DEPTH)
        return schema_path_refuse(path, b->err, "nested deeper than %d levels", SCHEMA_MAX_DEPTH);
    if (b->tree->node_count > SCHEMA_MAX_NODES)
        return schema_path_refuse(path, b->err, "more than %d schema nodes", SCHEMA_MAX_NODES);

    const uint32_t index = new_node(b->tree);
    const bool ok = check_structural(schema, path, b->err) && read_flags(b, schema, path, &node) &&
                    read_default(b, schema, path, &node) &&
                    build_properties(b, schema, path, depth, &node) &&
                    build_additional(b, schema, path, depth, &node) &&
                    build_items(b, schema, path, depth, &node);

    /* Also on failure: the tree then owns the default. */
    b->tree->nodes[index] = node;
    *out = index;
    return ok;
}

bool schema_tree_add(struct schema_tree *tree, const json_t *schema, const struct schema_path *path,
                     uint32_t *root, struct err *err)
{
    struct build b = {.tree = tree, .err = err};

    return build_node(&b, schema, path, 0, root) && schema_prune_defaults(tree, *root, path, err);
}

/* --- equality --------------------------------------------------------------------------------- */

static void put_u32(struct buf *out, uint32_t number)
{
    for (unsigned shift = 0; shift < 32; shift += 8)
        buf_byte(out, (uint8_t)(number >> shift));
}

static void put_bytes(struct buf *out, struct bytes b)
{
    put_u32(out, (uint32_t)b.len);
    buf_append(out, b);
}

static void put_default(struct buf *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (text == NULL)
        out_of_memory();
    put_bytes(out, bytes_str(text));
    free(text);
}

/* NOLINTNEXTLINE(misc-no-recursion): the tree was built with SCHEMA_MAX_DEPTH. */
void schema_tree_encode(const struct schema_tree *tree, uint32_t index, struct buf *out)
{
    const struct schema_node *node = schema_tree_node(tree, index);

    if (node == NULL) {
        buf_byte(out, 0);
        return;
    }
    buf_byte(out, (uint8_t)(1 | (node->nullable ? 2 : 0) | (node->preserve ? 4 : 0) |
                            (node->embedded ? 8 : 0) | (node->additional_any ? 16 : 0) |
                            (node->fallback != NULL ? 32 : 0)));
    if (node->fallback != NULL)
        put_default(out, node->fallback);
    put_u32(out, node->property_count);
    for (uint32_t i = 0; i < node->property_count; i++) {
        const struct schema_property *property = &tree->properties[node->properties + i];

        put_bytes(out, schema_tree_name(tree, property));
        schema_tree_encode(tree, property->node, out);
    }
    schema_tree_encode(tree, node->additional, out);
    schema_tree_encode(tree, node->items, out);
}
