#include "webhook/snapshot.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/rules.h"

#include "base/banned.h"

struct counted {
    struct snapshot snapshot; /* must be first */
    atomic_uint references;
};

static void destroy(struct snapshot *s)
{
    policy_free(s->policy);
    set_close(s->set);
    free((struct counted *)s);
}

static void name_commits(struct snapshot *s)
{
    const struct bytes text = set_provenance(s->set);
    json_t *provenance = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    const json_t *sources = json_object_get(provenance, "sources");
    size_t used = 0;
    size_t i;
    json_t *source;

    json_array_foreach((json_t *)(uintptr_t)sources, i, source)
    {
        const char *name = json_string_value(json_object_get(source, "name"));
        const char *commit = json_string_value(json_object_get(source, "commit"));
        const bool only = json_array_size(sources) == 1;

        if (name == NULL || commit == NULL || used >= sizeof(s->commits))
            continue;
        const int n = snprintf(s->commits + used, sizeof(s->commits) - used, "%s%s%s%s",
                               i > 0 ? "," : "", only ? "" : name, only ? "" : "=", commit);

        used += n < 0 ? 0 : (size_t)n;
    }
    json_decref(provenance);
}

bool snapshot_open(const char *path, struct snapshot **out, struct err *err)
{
    struct counted *c = xcalloc(1, sizeof(*c));
    struct snapshot *s = &c->snapshot;
    struct digest ours;

    atomic_init(&c->references, 1);
    rules_id(&ours);
    if (!set_open(path, &s->set, err)) {
        destroy(s);
        return false;
    }
    if (!digest_equal(set_rules(s->set), &ours)) {
        destroy(s);
        return err_set(err, "%s: was made by other rules; build it again with this version", path);
    }
    if (!policy_load_text(set_policy(s->set), &s->policy, err)) {
        destroy(s);
        return err_prefix(err, "%s: ", path);
    }
    (void)digest_hex(set_root(s->set), s->root);
    name_commits(s);
    *out = s;
    return true;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&((struct counted *)s)->references, 1, memory_order_relaxed);
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (s == NULL)
        return;
    if (atomic_fetch_sub_explicit(&((struct counted *)s)->references, 1, memory_order_acq_rel) == 1)
        destroy(s);
}
