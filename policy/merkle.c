#include "policy/merkle.h"

#include <stdlib.h>

#include "base/mem.h"

#include "base/banned.h"

enum { MERKLE_LEVELS = 64 }; /* one for each bit of the count */

struct merkle {
    struct sha256 *hash;
    uint64_t count;
    /* levels[i] is the root of a full tree of 2^i leaves where bit i of `count` is set. */
    struct digest levels[MERKLE_LEVELS];
};

struct merkle *merkle_new(void)
{
    struct merkle *m = xcalloc(1, sizeof(*m));

    m->hash = sha256_new();
    return m;
}

void merkle_free(struct merkle *m)
{
    if (m == NULL)
        return;
    sha256_free(m->hash);
    free(m);
}

void merkle_freep(struct merkle **m)
{
    merkle_free(*m);
}

static void hash_node(struct merkle *m, const struct digest *left, struct digest *right)
{
    sha256_begin(m->hash);
    sha256_update(m->hash, BYTES("\x01"));
    sha256_update(m->hash, digest_bytes(left));
    sha256_update(m->hash, digest_bytes(right));
    sha256_end(m->hash, right);
}

void merkle_add(struct merkle *m, struct bytes data)
{
    static const uint8_t leaf = 0;
    struct digest node;
    unsigned level = 0;

    sha256_begin(m->hash);
    sha256_update(m->hash, bytes_of(&leaf, sizeof(leaf)));
    sha256_update(m->hash, data);
    sha256_end(m->hash, &node);
    /* As in adding one to a binary number: every set bit below the first zero carries. */
    for (; (m->count >> level & 1) != 0; level++)
        hash_node(m, &m->levels[level], &node);
    m->levels[level] = node;
    m->count++;
}

uint64_t merkle_count(const struct merkle *m)
{
    return m->count;
}

void merkle_root(struct merkle *m, struct digest *out)
{
    struct digest node;
    bool any = false;

    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        if ((m->count >> level & 1) == 0)
            continue;
        /* The smaller tree is always on the right. */
        if (any)
            hash_node(m, &m->levels[level], &node);
        else
            node = m->levels[level];
        any = true;
    }
    if (!any)
        digest_of(bytes_of(NULL, 0), &node);
    *out = node;
}
