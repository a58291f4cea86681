/*
 * nulls.h -- where in an object a null means the same as absent (N15).
 *
 * An encoded, position-independent tree over the schema's `properties`: the paths that some served
 * version has as a property, if in no version that counts (the served ones and the storage version)
 * a null there may mean something: there is a default, the key is one of additionalProperties, or
 * it is kept unknown under preserve-unknown-fields. A version that prunes the path does not matter.
 * Little-endian: node = u32 items, u32 additional, u32 count, count * { u32 name offset,
 * u32 name length, u32 child, u32 droppable }; offsets from the start of the tree, 0 = none (the
 * root node is at 0, and no child is the root); properties sorted bytewise. Every access is checked
 * against the length, and a tree that does not fit says "keep": the null stays, the digest differs,
 * the write is refused.
 */
#ifndef POLICY_NULLS_H
#define POLICY_NULLS_H

#include "base/bytes.h"

/* One step down from the root of the object. */
struct nulls_step {
    bool is_item;     /* an element of a list; `key` is unused */
    struct bytes key; /* a key of a map */
};

/* Whether a null at this path (the last step is a key of a map) is dropped. */
bool nulls_droppable(struct bytes tree, const struct nulls_step *path, size_t depth);

#endif
