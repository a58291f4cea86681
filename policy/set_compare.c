#include "policy/set_compare.h"

#include <stdlib.h>

#include "base/mem.h"

#include "base/banned.h"

/* The accepted digests by entry: those of entry i are of[first[i]] to of[first[i + 1]]. */
struct accepted {
    const struct set *set;
    size_t *first;
    size_t *of; /* places in set_digest(), ascending for each entry */
};

static void accepted_release(struct accepted *a)
{
    free(a->first);
    free(a->of);
}

/* Counting sort: one pass to count, one to place. */
static void accepted_init(struct accepted *a, const struct set *set)
{
    const size_t digests = set_digest_count(set);
    const size_t entries = set_count(set);
    size_t *next = xcalloc(entries + 1, sizeof(*next));
    struct digest digest;
    size_t owner;

    a->set = set;
    a->first = xcalloc(entries + 2, sizeof(*a->first));
    a->of = xcalloc(digests + 1, sizeof(*a->of));
    for (size_t i = 0; i < digests; i++) {
        set_digest(set, i, &digest, &owner);
        if (owner != SET_NOWHERE)
            a->first[owner + 1]++;
    }
    for (size_t i = 0; i < entries; i++) {
        a->first[i + 1] += a->first[i];
        next[i] = a->first[i];
    }
    for (size_t i = 0; i < digests; i++) {
        set_digest(set, i, &digest, &owner);
        if (owner != SET_NOWHERE)
            a->of[next[owner]++] = i;
    }
    free(next);
}

static bool accepted_equal(const struct accepted *a, size_t i, const struct accepted *b, size_t j)
{
    const size_t count = a->first[i + 1] - a->first[i];

    if (count != b->first[j + 1] - b->first[j])
        return false;
    for (size_t k = 0; k < count; k++) {
        struct digest left;
        struct digest right;
        size_t owner;

        set_digest(a->set, a->of[a->first[i] + k], &left, &owner);
        set_digest(b->set, b->of[b->first[j] + k], &right, &owner);
        if (!digest_equal(&left, &right))
            return false;
    }
    return true;
}

static bool documents_equal(const struct set *a, size_t i, const struct set *b, size_t j)
{
    struct digest left = {{0}};
    struct digest right = {{0}};

    return set_document_digest(a, i, &left) == set_document_digest(b, j, &right) &&
           digest_equal(&left, &right);
}

struct comparison {
    struct accepted before;
    struct accepted after;
    set_changed *changed;
    void *context;
    size_t changes;
};

static void tell(struct comparison *c, const struct set_change *change)
{
    c->changes++;
    c->changed(c->context, change);
}

static void compare_entry(struct comparison *c, size_t i, const struct set_entry *before, size_t j,
                          const struct set_entry *after)
{
    struct set_change change = {.before = before, .after = after};

    change.held = before->held != after->held || !bytes_equal(before->message, after->message);
    if (!before->held || !after->held) {
        change.digest = !digest_equal(&before->primary, &after->primary) ||
                        !accepted_equal(&c->before, i, &c->after, j);
        change.document = !documents_equal(c->before.set, i, c->after.set, j);
    }
    if (change.held || change.digest || change.document)
        tell(c, &change);
}

size_t set_compare(const struct set *before, const struct set *after, set_changed *changed,
                   void *context)
{
    struct comparison c = {.changed = changed, .context = context};
    size_t i = 0;
    size_t j = 0;

    accepted_init(&c.before, before);
    accepted_init(&c.after, after);
    while (i < set_count(before) || j < set_count(after)) {
        struct set_entry left;
        struct set_entry right;
        int order = i == set_count(before) ? 1 : j == set_count(after) ? -1 : 0;

        set_entry(before, i, &left);
        set_entry(after, j, &right);
        if (order == 0)
            order = identity_compare(&left.id, &right.id);
        if (order < 0) {
            tell(&c, &(struct set_change){.before = &left});
            i++;
        } else if (order > 0) {
            tell(&c, &(struct set_change){.after = &right});
            j++;
        } else {
            compare_entry(&c, i++, &left, j++, &right);
        }
    }
    accepted_release(&c.before);
    accepted_release(&c.after);
    return c.changes;
}

static bool versions_equal(const struct kind_version *a, const struct kind_version *b)
{
    return bytes_equal(a->name, b->name) && a->served == b->served && a->storage == b->storage &&
           a->status_subresource == b->status_subresource;
}

bool set_kind_equal(const struct kind *a, const struct kind *b)
{
    if (!bytes_equal(a->group, b->group) || !bytes_equal(a->kind, b->kind) ||
        !bytes_equal(a->plural, b->plural) || a->has_schema != b->has_schema ||
        a->namespaced != b->namespaced || a->conversion != b->conversion ||
        !bytes_equal(a->nulls, b->nulls) || a->version_count != b->version_count)
        return false;
    for (size_t i = 0; i < a->version_count; i++) {
        if (!versions_equal(&a->versions[i], &b->versions[i]))
            return false;
    }
    return true;
}

bool set_compare_kinds(const struct set *a, const struct set *b)
{
    if (set_kind_count(a) != set_kind_count(b))
        return false;
    for (size_t i = 0; i < set_kind_count(a); i++) {
        struct kind left;
        struct kind right;

        set_kind_at(a, i, &left);
        set_kind_at(b, i, &right);
        if (!set_kind_equal(&left, &right))
            return false;
    }
    return true;
}
