#include "policy/schema_nulls.h"

#include <stdlib.h>

#include "policy/nulls.h"

#include "base/banned.h"

/* Where one version is while all of them go down together. */
struct place {
    const struct schema_node *node; /* NULL: the version knows nothing here */
    bool open;                      /* what it does not know stays; else it is pruned */
};

struct places {
    struct place of[KIND_MAX_VERSIONS];
};

struct entry {
    struct bytes name;
    uint32_t child; /* node index plus one, 0: none */
    bool droppable;
};

/* A node of the union; the same as the encoded one. Children come before their parents. */
struct union_node {
    uint32_t items;      /* node index plus one, 0: none */
    uint32_t additional; /* the same */
    size_t first;
    size_t count;
};

struct encoder {
    const struct schema_tree *tree;
    bool served[KIND_MAX_VERSIONS];
    size_t versions;
    struct union_node *nodes;
    size_t node_count;
    size_t node_cap;
    struct entry *entries;
    size_t entry_count;
    size_t entry_cap;
    struct err *err;
};

/* --- one version ------------------------------------------------------------------------------ */

static struct place place_at(const struct schema_node *node, bool open)
{
    return (struct place){.node = node, .open = node == NULL ? open : open || node->preserve};
}

/* How a version comes to a key. */
enum route { GONE = 0, OPEN, ADDITIONAL, PROPERTY };

static enum route go_to_key(const struct schema_tree *tree, struct place at, struct bytes key,
                            struct place *out)
{
    const struct schema_node *node = at.node;

    *out = (struct place){.open = at.open};
    if (node == NULL)
        return at.open ? OPEN : GONE;
    const struct schema_property *property = schema_tree_property(tree, node, key);
    const bool meta = node->embedded && schema_is_meta_key(key);

    if (property != NULL) {
        *out = place_at(&tree->nodes[property->node], meta);
        return PROPERTY;
    }
    if (meta) {
        out->open = true;
        return OPEN;
    }
    if (node->additional != 0) {
        *out = place_at(&tree->nodes[node->additional], false);
        return ADDITIONAL;
    }
    if (node->additional_any) {
        out->open = false;
        return ADDITIONAL;
    }
    return at.open ? OPEN : GONE;
}

/* A key that no version has as a property. */
static struct place go_to_other_key(const struct schema_tree *tree, struct place at)
{
    struct place out = {.open = at.open};

    if (at.node == NULL)
        return out;
    if (at.node->additional != 0)
        return place_at(&tree->nodes[at.node->additional], false);
    out.open = at.open && !at.node->additional_any;
    return out;
}

static struct place go_to_item(const struct schema_tree *tree, struct place at)
{
    if (at.node == NULL)
        return at;
    return place_at(schema_tree_node(tree, at.node->items), at.open);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Goes to a key; whether a null there means absent to every version. */
static bool step_to_key(const struct encoder *e, const struct places *at, struct bytes key,
                        struct places *out)
{
    bool droppable = false;
    bool differs = false;

    for (size_t i = 0; i < e->versions; i++) {
        const enum route route = go_to_key(e->tree, at->of[i], key, &out->of[i]);

        if (route == PROPERTY) {
            droppable |= e->served[i];
            differs |= out->of[i].node->fallback != NULL;
        } else if (route != GONE) {
            differs = true;
        }
    }
    return droppable && !differs;
}

static bool has_below(const struct encoder *e, const struct places *at)
{
    for (size_t i = 0; i < e->versions; i++) {
        const struct schema_node *node = at->of[i].node;

        if (node != NULL && (node->property_count > 0 || node->items != 0 || node->additional != 0))
            return true;
    }
    return false;
}

static int by_bytes(const void *a, const void *b)
{
    const struct bytes *left = a;
    const struct bytes *right = b;

    return bytes_compare(*left, *right);
}

/* The names of all properties here, sorted, each once; the caller frees. */
static struct bytes *names_of(const struct encoder *e, const struct places *at, size_t *count)
{
    size_t total = 0;
    size_t unique = 0;

    for (size_t i = 0; i < e->versions; i++)
        total += at->of[i].node == NULL ? 0 : at->of[i].node->property_count;
    struct bytes *names = xcalloc(total + 1, sizeof(*names));

    total = 0;
    for (size_t i = 0; i < e->versions; i++) {
        const struct schema_node *node = at->of[i].node;

        for (uint32_t k = 0; node != NULL && k < node->property_count; k++)
            names[total++] = schema_tree_name(e->tree, &e->tree->properties[node->properties + k]);
    }
    qsort(names, total, sizeof(*names), by_bytes);
    for (size_t i = 0; i < total; i++) {
        if (unique == 0 || !bytes_equal(names[unique - 1], names[i]))
            names[unique++] = names[i];
    }
    *count = unique;
    return names;
}

static void add_entries(struct encoder *e, const struct entry *entries, size_t count,
                        struct union_node *node)
{
    if (e->entry_cap - e->entry_count < count) {
        e->entry_cap = (e->entry_count + count) * 2;
        e->entries = xrealloc(e->entries, e->entry_cap * sizeof(*e->entries));
    }
    node->first = e->entry_count;
    node->count = count;
    if (count > 0)
        memcpy(e->entries + e->entry_count, entries, count * sizeof(*entries));
    e->entry_count += count;
}

static uint32_t add_node(struct encoder *e, const struct union_node *node)
{
    if (e->node_count == e->node_cap) {
        e->node_cap = e->node_cap == 0 ? 64 : e->node_cap * 2;
        e->nodes = xrealloc(e->nodes, e->node_cap * sizeof(*e->nodes));
    }
    e->nodes[e->node_count++] = *node;
    return (uint32_t)e->node_count;
}

static bool unite(struct encoder *e, const struct places *at, uint32_t *out);

/* NOLINTNEXTLINE(misc-no-recursion): as unite. */
static bool unite_properties(struct encoder *e, const struct places *at, struct union_node *node)
{
    size_t count;
    size_t kept = 0;
    CLEANUP(freep) struct bytes *names = names_of(e, at, &count);
    CLEANUP(freep) struct entry *entries = xcalloc(count + 1, sizeof(*entries));

    for (size_t i = 0; i < count; i++) {
        struct places below;
        struct entry entry = {.name = names[i]};

        entry.droppable = step_to_key(e, at, names[i], &below);
        if (!unite(e, &below, &entry.child))
            return false;
        /* A name that is not there would be looked for below `additional`. */
        if (entry.droppable || entry.child != 0 || node->additional != 0)
            entries[kept++] = entry;
    }
    add_entries(e, entries, kept, node);
    return true;
}

/*
 * The union of what the versions have here and below: *out is its number plus one, 0 if there is
 * nothing to drop.
 */
/* NOLINTNEXTLINE(misc-no-recursion): goes down at least one schema, of SCHEMA_MAX_DEPTH. */
static bool unite(struct encoder *e, const struct places *at, uint32_t *out)
{
    struct union_node node = {0};
    struct places below = {0};

    *out = 0;
    if (!has_below(e, at))
        return true;
    if (e->node_count + e->entry_count > SCHEMA_MAX_NODES)
        return err_set(e->err, "more than %d paths in all versions together", SCHEMA_MAX_NODES);
    for (size_t i = 0; i < e->versions; i++)
        below.of[i] = go_to_other_key(e->tree, at->of[i]);
    if (!unite(e, &below, &node.additional) || !unite_properties(e, at, &node))
        return false;
    for (size_t i = 0; i < e->versions; i++)
        below.of[i] = go_to_item(e->tree, at->of[i]);
    if (!unite(e, &below, &node.items))
        return false;
    if (node.count > 0 || node.additional != 0 || node.items != 0)
        *out = add_node(e, &node);
    return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

enum { NODE_SIZE = 12, ENTRY_SIZE = 16 };

static void put_u32(struct buf *out, size_t number)
{
    for (unsigned shift = 0; shift < 32; shift += 8)
        buf_byte(out, (uint8_t)(number >> shift));
}

/* Parents stand before their children, so that the root is at 0; the names are at the end. */
static void write_tree(const struct encoder *e, struct buf *out)
{
    CLEANUP(freep) size_t *offsets = xcalloc(e->node_count + 1, sizeof(*offsets));
    size_t at = 0;

    for (size_t i = e->node_count; i > 0; i--) {
        offsets[i] = at; /* by index plus one; [0] stays 0: none */
        at += NODE_SIZE + ENTRY_SIZE * e->nodes[i - 1].count;
    }
    size_t name_at = at;

    buf_reserve(out, at);
    for (size_t i = e->node_count; i > 0; i--) {
        const struct union_node *node = &e->nodes[i - 1];

        put_u32(out, offsets[node->items]);
        put_u32(out, offsets[node->additional]);
        put_u32(out, node->count);
        for (size_t k = 0; k < node->count; k++) {
            const struct entry *entry = &e->entries[node->first + k];

            put_u32(out, name_at);
            put_u32(out, entry->name.len);
            put_u32(out, offsets[entry->child]);
            put_u32(out, entry->droppable);
            name_at += entry->name.len;
        }
    }
    for (size_t i = e->node_count; i > 0; i--) {
        for (size_t k = 0; k < e->nodes[i - 1].count; k++)
            buf_append(out, e->entries[e->nodes[i - 1].first + k].name);
    }
}

static bool fits(const struct encoder *e)
{
    size_t names = 0;

    for (size_t i = 0; i < e->entry_count; i++)
        names += e->entries[i].name.len;
    return names <= UINT32_MAX - (NODE_SIZE + ENTRY_SIZE) * (e->node_count + e->entry_count);
}

bool schema_nulls_encode(const struct schema *s, struct buf *out, struct err *err)
{
    struct encoder e = {.tree = &s->tree, .err = err};
    struct places at = {0};
    uint32_t root = 0;

    for (size_t i = 0; i < s->kind.version_count; i++) {
        const struct kind_version *v = &s->kind.versions[i];

        if (!v->served && !v->storage)
            continue;
        e.served[e.versions] = v->served;
        at.of[e.versions++] = place_at(&s->tree.nodes[s->versions[i].root], false);
    }
    bool ok = unite(&e, &at, &root);

    if (ok && !fits(&e))
        ok = err_set(err, "the names of the properties are too long");
    if (ok && root != 0)
        write_tree(&e, out);
    free(e.nodes);
    free(e.entries);
    return ok;
}
