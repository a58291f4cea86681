#include "policy/schema_apply.h"

#include "base/banned.h"

/*
 * How a node looks at keys that its schema does not know (3.2).
 *
 * DROP: they go. KEEP: they stay, under x-kubernetes-preserve-unknown-fields; what the schema knows
 * below is pruned strictly again. ALL: they stay and nothing below is pruned either: apiVersion,
 * kind and metadata of an embedded resource.
 */
enum unknown { DROP, KEEP, ALL };

struct walk {
    const struct schema_tree *tree;
    bool nulls; /* drop nulls (3.3); a CRD's own defaults are only pruned */
    schema_pruned *pruned;
    void *context;
    bool kept_null;
    struct err *err;
};

/* --- copying ---------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(misc-no-recursion): `depth` is bounded by SCHEMA_MAX_DEPTH. */
static json_t *copy_below(json_t *value, unsigned depth, bool *has_null)
{
    json_t *out;
    const char *key;
    size_t len;
    size_t index;
    json_t *child;
    bool ok = true;

    if (!json_is_object(value) && !json_is_array(value)) {
        if (has_null != NULL && json_is_null(value))
            *has_null = true;
        return json_incref(value);
    }
    if (depth > SCHEMA_MAX_DEPTH)
        return NULL;
    out = json_is_object(value) ? json_object() : json_array();
    if (out == NULL)
        out_of_memory();
    if (json_is_object(value)) {
        json_object_keylen_foreach(value, key, len, child)
        {
            json_t *copy = copy_below(child, depth + 1, has_null);

            ok = ok && copy != NULL && json_object_setn_new_nocheck(out, key, len, copy) == 0;
        }
    } else {
        json_array_foreach(value, index, child)
        {
            json_t *copy = copy_below(child, depth + 1, has_null);

            ok = ok && copy != NULL && json_array_append_new(out, copy) == 0;
        }
    }
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *schema_copy(json_t *value, bool *has_null)
{
    return copy_below(value, 0, has_null);
}

/* --- embedded resources ----------------------------------------------------------------------- */

static bool is_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0;
}

/* Labels or annotations that decoding and encoding leave as they are: not empty, all strings. */
static bool is_tags(json_t *value)
{
    const char *key;
    json_t *tag;

    if (!json_is_object(value) || json_object_size(value) == 0)
        return false;
    json_object_foreach(value, key, tag)
    {
        if (!json_is_string(tag))
            return false;
    }
    return true;
}

/* Whether decoding this as ObjectMeta and encoding it again surely changes nothing. */
static bool is_plain_metadata(json_t *value)
{
    const char *key;
    size_t len;
    json_t *child;

    if (!json_is_object(value))
        return false;
    json_object_keylen_foreach(value, key, len, child)
    {
        const struct bytes name = bytes_of(key, len);
        const bool text = bytes_equal(name, BYTES("name")) || bytes_equal(name, BYTES("namespace"));
        const bool tags =
            bytes_equal(name, BYTES("labels")) || bytes_equal(name, BYTES("annotations"));

        if (!(text && is_text(child)) && !(tags && is_tags(child)))
            return false;
    }
    return true;
}

/*
 * The API server coerces apiVersion, kind and metadata of an embedded resource. No mesh has one, so
 * we only take what it would leave alone, and refuse the rest: the object is then held (N35).
 */
static bool check_embedded(struct walk *w, struct bytes key, json_t *value,
                           const struct schema_path *path)
{
    if (bytes_equal(key, BYTES("metadata"))) {
        if (is_plain_metadata(value))
            return true;
        return schema_path_refuse(path, w->err,
                                  "metadata of an embedded resource may only have name, namespace, "
                                  "labels and annotations here, none of them empty");
    }
    if (json_is_string(value))
        return true;
    return schema_path_refuse(path, w->err, "must be a string");
}

/* --- pruning and null-drop -------------------------------------------------------------------- */

static void report(const struct walk *w, const struct schema_path *path)
{
    struct buf text = {0};

    if (w->pruned == NULL)
        return;
    schema_path_text(path, &text);
    w->pruned(w->context, buf_cstr(&text));
    buf_release(&text);
}

/* What a schema says of one key of a map. */
struct outlook {
    const struct schema_node *child; /* NULL: nothing is known below */
    bool known;                      /* the key is not to be pruned for want of a schema */
    bool meta;                       /* apiVersion, kind or metadata of an embedded resource */
};

static struct outlook look(const struct schema_tree *tree, const struct schema_node *node,
                           struct bytes key)
{
    struct outlook out = {0};

    if (node == NULL)
        return out;
    const struct schema_property *property = schema_tree_property(tree, node, key);

    out.meta = node->embedded && schema_is_meta_key(key);
    out.child = schema_tree_node(tree, property != NULL ? property->node : node->additional);
    out.known = out.child != NULL || node->additional_any;
    return out;
}

static bool clean(struct walk *w, json_t *value, const struct schema_node *node,
                  enum unknown unknown, const struct schema_path *path, unsigned depth);

/* One entry of a map whose key stays if its value does. *gone: it does not. */
/* NOLINTNEXTLINE(misc-no-recursion): clean bounds it by SCHEMA_MAX_DEPTH. */
static bool clean_entry(struct walk *w, json_t *value, const struct outlook *o,
                        enum unknown unknown, const struct schema_path *path, unsigned depth,
                        bool *gone)
{
    const bool all = o->meta || unknown == ALL;

    if (json_is_null(value) && o->child != NULL) {
        *gone = w->nulls && !o->child->nullable && o->child->fallback == NULL;
        w->kept_null |= !*gone;
        if (*gone)
            return true;
    }
    if ((o->known || all) && !clean(w, value, o->child, all ? ALL : DROP, path, depth))
        return false;
    return !o->meta || check_embedded(w, path->key, value, path);
}

/* NOLINTNEXTLINE(misc-no-recursion): clean bounds it by SCHEMA_MAX_DEPTH. */
static bool clean_map(struct walk *w, json_t *map, const struct schema_node *node,
                      enum unknown unknown, const struct schema_path *path, unsigned depth)
{
    void *next;
    const char *key;
    size_t len;
    json_t *value;

    json_object_keylen_foreach_safe(map, next, key, len, value)
    {
        const struct schema_path at = {.up = path, .key = bytes_of(key, len)};
        bool gone = false;

        if (depth == 0 && schema_is_meta_key(at.key))
            continue;
        const struct outlook o = look(w->tree, node, at.key);

        if (!o.known && !o.meta && unknown == DROP) {
            report(w, &at);
            gone = true;
        } else if (!clean_entry(w, value, &o, unknown, &at, depth + 1, &gone)) {
            return false;
        }
        if (gone)
            (void)json_object_deln(map, key, len);
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): `depth` is bounded by SCHEMA_MAX_DEPTH. */
static bool clean(struct walk *w, json_t *value, const struct schema_node *node,
                  enum unknown unknown, const struct schema_path *path, unsigned depth)
{
    size_t index;
    json_t *item;

    if (!json_is_object(value) && !json_is_array(value))
        return true;
    if (node == NULL && unknown != DROP)
        return true;
    if (depth > SCHEMA_MAX_DEPTH)
        return schema_path_refuse(path, w->err, "nested deeper than %d levels", SCHEMA_MAX_DEPTH);
    if (node != NULL && node->preserve && unknown == DROP)
        unknown = KEEP;
    if (json_is_object(value))
        return clean_map(w, value, node, unknown, path, depth);

    const struct schema_node *items = node == NULL ? NULL : schema_tree_node(w->tree, node->items);

    json_array_foreach(value, index, item)
    {
        const struct schema_path at = {.up = path, .index = index, .is_item = true};

        if (!clean(w, item, items, unknown, &at, depth + 1))
            return false;
    }
    return true;
}

/* --- defaults --------------------------------------------------------------------------------- */

static json_t *default_of(const struct schema_node *node)
{
    json_t *copy = schema_copy(node->fallback, NULL);

    /* Its depth was bounded when it was compiled. */
    if (copy == NULL)
        out_of_memory();
    return copy;
}

static bool wants_default(const json_t *value, const struct schema_node *node)
{
    return node->fallback != NULL && (value == NULL || (json_is_null(value) && !node->nullable));
}

static void fill_properties(const struct schema_tree *tree, json_t *map,
                            const struct schema_node *node)
{
    for (uint32_t i = 0; i < node->property_count; i++) {
        const struct schema_property *property = &tree->properties[node->properties + i];
        const struct schema_node *child = &tree->nodes[property->node];
        const struct bytes name = schema_tree_name(tree, property);
        const char *key = (const char *)name.ptr;

        if (child->fallback == NULL || !wants_default(json_object_getn(map, key, name.len), child))
            continue;
        if (json_object_setn_new_nocheck(map, key, name.len, default_of(child)) != 0)
            out_of_memory();
    }
}

static void fill(const struct schema_tree *tree, json_t *value, const struct schema_node *node,
                 bool is_root);

/* NOLINTNEXTLINE(misc-no-recursion): each step goes down the schema, of SCHEMA_MAX_DEPTH. */
static void fill_map(const struct schema_tree *tree, json_t *map, const struct schema_node *node,
                     bool is_root)
{
    const struct schema_node *additional = schema_tree_node(tree, node->additional);
    const char *key;
    size_t len;
    json_t *value;

    if (node->fills)
        fill_properties(tree, map, node);
    if (!node->deep)
        return;
    json_object_keylen_foreach(map, key, len, value)
    {
        const struct bytes name = bytes_of(key, len);

        if (is_root && schema_is_meta_key(name))
            continue;
        const struct schema_property *property = schema_tree_property(tree, node, name);

        if (property != NULL) {
            fill(tree, value, &tree->nodes[property->node], false);
            continue;
        }
        if (additional == NULL)
            continue;
        if (wants_default(value, additional)) {
            value = default_of(additional);
            if (json_object_iter_set_new(map, json_object_key_to_iter(key), value) != 0)
                out_of_memory();
        }
        fill(tree, value, additional, false);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): each step goes down the schema, of SCHEMA_MAX_DEPTH. */
static void fill(const struct schema_tree *tree, json_t *value, const struct schema_node *node,
                 bool is_root)
{
    const struct schema_node *items = schema_tree_node(tree, node->items);

    if (!node->fills && !node->deep)
        return;
    if (json_is_object(value)) {
        fill_map(tree, value, node, is_root);
        return;
    }
    if (!json_is_array(value) || items == NULL)
        return;
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (wants_default(json_array_get(value, i), items) &&
            json_array_set_new(value, i, default_of(items)) != 0)
            out_of_memory();
        fill(tree, json_array_get(value, i), items, false);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): goes down the schema, of SCHEMA_MAX_DEPTH. */
static bool prune_defaults(struct walk *w, uint32_t index, enum unknown unknown,
                           const struct schema_path *path)
{
    const struct schema_tree *tree = w->tree;
    const struct schema_node *node = &tree->nodes[index];
    const enum unknown inside = unknown == DROP && node->preserve ? KEEP : unknown;
    const struct schema_path additional_at = {.up = path, .key = BYTES("additionalProperties")};
    const struct schema_path items_at = {.up = path, .key = BYTES("items")};
    const struct schema_path properties_at = {.up = path, .key = BYTES("properties")};

    /* Depth 1: a default is never the resource itself. */
    if (node->fallback != NULL && !clean(w, node->fallback, node, unknown, path, 1))
        return false;
    for (uint32_t i = 0; i < node->property_count; i++) {
        const struct schema_property *property = &tree->properties[node->properties + i];
        const struct schema_node *child = &tree->nodes[property->node];
        const struct schema_path at = {.up = &properties_at,
                                       .key = schema_tree_name(tree, property)};
        const bool meta = node->embedded && schema_is_meta_key(at.key);

        if (meta && (child->fills || child->deep))
            return schema_path_refuse(&at, w->err,
                                      "defaults in an embedded resource's metadata are not "
                                      "supported");
        if (meta && child->fallback != NULL && !check_embedded(w, at.key, child->fallback, &at))
            return false;
        if (!prune_defaults(w, property->node, meta || unknown == ALL ? ALL : DROP, &at))
            return false;
    }
    if (node->additional != 0 &&
        !prune_defaults(w, node->additional, unknown == ALL ? ALL : DROP, &additional_at))
        return false;
    return node->items == 0 || prune_defaults(w, node->items, inside, &items_at);
}

bool schema_prune_defaults(struct schema_tree *tree, uint32_t root, const struct schema_path *path,
                           struct err *err)
{
    struct walk w = {.tree = tree, .err = err};

    return prune_defaults(&w, root, DROP, path);
}

/* --- the whole -------------------------------------------------------------------------------- */

bool schema_apply_version(const struct schema *s, size_t version, json_t *object,
                          schema_pruned *pruned, void *context, bool *nulls, struct err *err)
{
    const struct schema_node *root = &s->tree.nodes[s->versions[version].root];
    struct walk w = {
        .tree = &s->tree, .nulls = true, .pruned = pruned, .context = context, .err = err};

    if (!json_is_object(object))
        return err_set(err, "not an object");
    if (!clean(&w, object, root, DROP, NULL, 0))
        return false;
    fill(&s->tree, object, root, true);
    if (nulls != NULL)
        *nulls = w.kept_null || s->tree.null_in_default;
    return true;
}
