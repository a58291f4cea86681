/*
 * schema_tree.h -- the compiled structural schemas of one CRD, inside policy/schema*.c only.
 *
 * All versions share one pool of nodes, properties and names; a node is an index, 0 is none. Of an
 * OpenAPI schema only what pruning and defaulting look at is kept. At a version's root the
 * properties apiVersion, kind and metadata are left out: no schema touches them (3.2).
 */
#ifndef POLICY_SCHEMA_TREE_H
#define POLICY_SCHEMA_TREE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/digest.h"
#include "policy/schema.h"
#include "policy/schema_path.h"

struct schema_property {
    size_t name; /* offset in the names */
    uint32_t name_len;
    uint32_t node;
};

struct schema_node {
    json_t *fallback;    /* the default, ours; NULL: none */
    uint32_t properties; /* the first of property_count, sorted bytewise by name */
    uint32_t property_count;
    uint32_t items;
    uint32_t additional;
    bool additional_any; /* additionalProperties: true */
    bool nullable;
    bool preserve; /* x-kubernetes-preserve-unknown-fields */
    bool embedded; /* x-kubernetes-embedded-resource */
    bool fills;    /* one of its own properties has a default */
    bool deep;     /* a default may apply below it */
};

struct schema_tree {
    struct schema_node *nodes;
    size_t node_count;
    size_t node_cap;
    struct schema_property *properties;
    size_t property_count;
    size_t property_cap;
    struct buf names;
    bool null_in_default; /* some default holds a null */
};

struct schema_version {
    uint32_t root;
    size_t same_as; /* the first version that makes the same forms: equal schema and subresource */
    struct digest digest;
};

struct schema {
    struct kind kind;                   /* its bytes are in texts and nulls */
    char *texts[3 + KIND_MAX_VERSIONS]; /* group, kind, plural, versions */
    size_t text_count;
    struct schema_tree tree;
    struct schema_version versions[KIND_MAX_VERSIONS]; /* as kind.versions */
    size_t storage;                                    /* index of the storage version */
    struct buf nulls;
    struct digest digest;
};

void schema_tree_init(struct schema_tree *tree); /* with node 0, which stands for none */
void schema_tree_release(struct schema_tree *tree);

/* Compiles one openAPIV3Schema; `path` is where it is, for errors. */
MUST_USE bool schema_tree_add(struct schema_tree *tree, const json_t *schema,
                              const struct schema_path *path, uint32_t *root, struct err *err);

/* Appends bytes that are equal exactly if the schemas are. */
void schema_tree_encode(const struct schema_tree *tree, uint32_t node, struct buf *out);

/* The property of that name, or NULL. */
const struct schema_property *schema_tree_property(const struct schema_tree *tree,
                                                   const struct schema_node *node,
                                                   struct bytes key);

static inline struct bytes schema_tree_name(const struct schema_tree *tree,
                                            const struct schema_property *property)
{
    return bytes_of(tree->names.ptr + property->name, property->name_len);
}

/* NULL for index 0. */
static inline const struct schema_node *schema_tree_node(const struct schema_tree *tree,
                                                         uint32_t index)
{
    return index == 0 ? NULL : &tree->nodes[index];
}

/* apiVersion, kind, metadata: what the API server treats by itself in a resource. */
bool schema_is_meta_key(struct bytes key);

#endif
