#include "policy/nulls.h"

#include "base/banned.h"

enum { NODE_SIZE = 12, ENTRY_SIZE = 16 };

struct entry {
    struct bytes name;
    uint32_t child;
    bool droppable;
};

struct node {
    uint32_t items;
    uint32_t additional;
    size_t entries; /* offset of the first; all of them are inside the tree */
    uint32_t count;
};

static uint32_t read_u32(struct bytes tree, size_t at)
{
    const uint8_t *p = tree.ptr + at;

    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool read_node(struct bytes tree, size_t at, struct node *out)
{
    if (at > tree.len || tree.len - at < NODE_SIZE)
        return false;
    out->items = read_u32(tree, at);
    out->additional = read_u32(tree, at + 4);
    out->count = read_u32(tree, at + 8);
    out->entries = at + NODE_SIZE;
    return out->count <= (tree.len - out->entries) / ENTRY_SIZE;
}

static bool read_entry(struct bytes tree, const struct node *node, uint32_t index,
                       struct entry *out)
{
    const size_t at = node->entries + (size_t)index * ENTRY_SIZE;
    const uint32_t name = read_u32(tree, at);
    const uint32_t len = read_u32(tree, at + 4);

    if (name > tree.len || tree.len - name < len)
        return false;
    out->name = bytes_of(tree.ptr + name, len);
    out->child = read_u32(tree, at + 8);
    out->droppable = read_u32(tree, at + 12) == 1;
    return true;
}

static bool find(struct bytes tree, const struct node *node, struct bytes key, struct entry *out)
{
    uint32_t low = 0;
    uint32_t high = node->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (!read_entry(tree, node, middle, out))
            return false;
        const int order = bytes_compare(out->name, key);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool nulls_droppable(struct bytes tree, const struct nulls_step *path, size_t depth)
{
    struct node node;
    struct entry entry;

    if (depth == 0 || path[depth - 1].is_item || !read_node(tree, 0, &node))
        return false;
    for (size_t i = 0; i + 1 < depth; i++) {
        uint32_t next = node.items;

        if (!path[i].is_item)
            next = find(tree, &node, path[i].key, &entry) ? entry.child : node.additional;
        if (next == 0 || !read_node(tree, next, &node))
            return false;
    }
    return find(tree, &node, path[depth - 1].key, &entry) && entry.droppable;
}
