#include "policy/contents.h"

#include "base/banned.h"

bool contents_crd_kind(const struct set *set, const struct policy *policy, struct bytes name,
                       struct kind *kind)
{
    for (size_t i = 0; i < set_kind_count(set); i++) {
        set_kind_at(set, i, kind);
        if (name.len == kind->plural.len + 1 + kind->group.len &&
            bytes_starts_with(name, kind->plural) && name.ptr[kind->plural.len] == '.' &&
            bytes_ends_with(name, kind->group) &&
            policy_governs_kind(policy, kind->group, kind->kind))
            return true;
    }
    return false;
}

struct contents contents_of_crd(const struct set *set, const struct policy *policy,
                                const struct kind *kind)
{
    const struct identity any = {.group = kind->group, .kind = kind->kind};
    struct contents c = {.count = set_count_of_kind(set, kind->group, kind->kind)};

    if (!policy_governs(policy, &any, &c.mode))
        c.mode = MODE_ENFORCE;
    return c;
}

/* The smaller number is the stricter mode. */
static void add_mode(const struct set *set, const struct policy *policy, size_t entry,
                     struct contents *c)
{
    struct set_entry e;
    enum mode mode;

    set_entry(set, entry, &e);
    if (policy_governs(policy, &e.id, &mode) && mode < c->mode)
        c->mode = mode;
}

struct contents contents_of_namespace(const struct set *set, const struct policy *policy,
                                      struct bytes namespace)
{
    struct contents c = {.count = set_count_in_namespace(set, namespace), .mode = MODE_AUDIT};

    for (size_t kind = 0; kind < set_kind_count(set) && c.mode != MODE_ENFORCE; kind++) {
        size_t first;
        const size_t count = set_range(set, kind, namespace, &first);

        for (size_t i = 0; i < count && c.mode != MODE_ENFORCE; i++)
            add_mode(set, policy, first + i, &c);
    }
    return c;
}
