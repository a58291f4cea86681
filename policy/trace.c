#include "policy/trace.h"

#include <stdlib.h>

#include "policy/canon_tree.h"
#include "policy/schema_path.h"

#include "base/banned.h"

void trace_release(struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->steps[i].path);
        json_decref(t->steps[i].before);
        json_decref(t->steps[i].after);
    }
    free(t->steps);
    *t = (struct trace){0};
}

const char *trace_action_text(enum trace_action action)
{
    static const char *const texts[] = {
        [TRACE_REMOVED] = "removed",
        [TRACE_ADDED] = "added",
        [TRACE_CHANGED] = "changed",
    };

    return texts[action];
}

static void add(struct trace *t, unsigned rule, const struct schema_path *path, json_t *before,
                json_t *after)
{
    struct buf text CLEANUP(buf_release) = {0};

    if (t->count == TRACE_MAX_STEPS) {
        t->left_out++;
        return;
    }
    if (t->count == t->cap) {
        t->cap = t->cap == 0 ? 32 : 2 * t->cap;
        t->steps = xrealloc(t->steps, t->cap * sizeof(t->steps[0]));
    }
    schema_path_text(path, &text);
    t->steps[t->count++] = (struct trace_step){
        .rule = rule,
        .action = before == NULL  ? TRACE_ADDED
                  : after == NULL ? TRACE_REMOVED
                                  : TRACE_CHANGED,
        .path = xstrdup(buf_cstr(&text)),
        .before = json_incref(before),
        .after = json_incref(after),
    };
}

/* --- comparing two trees ---------------------------------------------------------------------- */

struct comparison;

/* Takes one difference down; NULL is absent. */
typedef void take_difference(const struct comparison *c, const struct schema_path *path,
                             json_t *before, json_t *after);

struct comparison {
    struct trace *trace;
    take_difference *take;
    const void *context;
};

static void compare(const struct comparison *c, const struct schema_path *path, json_t *before,
                    json_t *after);

/* NOLINTNEXTLINE(misc-no-recursion): both trees are no deeper than SCHEMA_MAX_DEPTH */
static void compare_maps(const struct comparison *c, const struct schema_path *up, json_t *before,
                         json_t *after)
{
    const char *key;
    size_t len;
    json_t *value;

    json_object_keylen_foreach(before, key, len, value)
    {
        const struct schema_path at = {.up = up, .key = bytes_of(key, len)};
        json_t *other = json_object_getn(after, key, len);

        if (other == NULL)
            c->take(c, &at, value, NULL);
        else
            compare(c, &at, value, other);
    }
    json_object_keylen_foreach(after, key, len, value)
    {
        const struct schema_path at = {.up = up, .key = bytes_of(key, len)};

        if (json_object_getn(before, key, len) == NULL)
            c->take(c, &at, NULL, value);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): both trees are no deeper than SCHEMA_MAX_DEPTH */
static void compare(const struct comparison *c, const struct schema_path *path, json_t *before,
                    json_t *after)
{
    if (json_is_object(before) && json_is_object(after)) {
        compare_maps(c, path, before, after);
        return;
    }
    /* No rule adds an item to a list or takes one out. */
    if (json_is_array(before) && json_is_array(after) &&
        json_array_size(before) == json_array_size(after)) {
        for (size_t i = 0; i < json_array_size(before); i++) {
            const struct schema_path at = {.up = path, .index = i, .is_item = true};

            compare(c, &at, json_array_get(before, i), json_array_get(after, i));
        }
        return;
    }
    if (!json_equal(before, after))
        c->take(c, path, before, after);
}

/* --- the Git side (N10, N13, N14) ------------------------------------------------------------- */

static void take_pass(const struct comparison *c, const struct schema_path *path, json_t *before,
                      json_t *after)
{
    const unsigned *rule = c->context;

    add(c->trace, *rule, path, before, after);
}

void trace_pass(struct trace *t, unsigned rule, const json_t *before, const json_t *after)
{
    const struct comparison c = {t, take_pass, &rule};

    compare_maps(&c, NULL, (json_t *)(uintptr_t)before, (json_t *)(uintptr_t)after);
}

void trace_identity(struct trace *t, const struct identity *id, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");

    if (!json_is_object(metadata))
        return;
    json_t *before = json_deep_copy(object);
    const int failed =
        id->namespace.len == 0
            ? 0
            : json_object_set_new(metadata, "namespace",
                                  json_stringn((const char *)id->namespace.ptr, id->namespace.len));

    if (before == NULL || failed != 0)
        out_of_memory();
    if (id->namespace.len == 0)
        (void)json_object_del(metadata, "namespace");
    trace_pass(t, 10, before, object);
    json_decref(before);
}

static void note_pruned(void *context, const char *path)
{
    json_t *pruned = context;

    if (json_object_set_new_nocheck(pruned, path, json_true()) != 0)
        out_of_memory();
}

static void take_schema(const struct comparison *c, const struct schema_path *path, json_t *before,
                        json_t *after)
{
    const json_t *pruned = c->context;
    struct buf text CLEANUP(buf_release) = {0};
    unsigned rule = 14;

    schema_path_text(path, &text);
    if (after == NULL && json_object_get(pruned, buf_cstr(&text)) != NULL)
        rule = 13;
    add(c->trace, rule, path, before, after);
}

bool trace_schema(struct trace *t, const struct schema *s, struct bytes version, json_t *object,
                  struct err *err)
{
    json_t *before = json_deep_copy(object);
    json_t *pruned = json_object();

    if (before == NULL || pruned == NULL)
        out_of_memory();
    const bool ok = schema_apply(s, version, object, note_pruned, pruned, err);

    if (ok) {
        const struct comparison c = {t, take_schema, pruned};

        compare_maps(&c, NULL, before, object);
    }
    json_decref(before);
    json_decref(pruned);
    return ok;
}

/* --- both sides (N8, N15, N17 to N21, N36) ---------------------------------------------------- */

static bool is_tags(const struct schema_path *path)
{
    return bytes_equal(path->key, BYTES("annotations")) || bytes_equal(path->key, BYTES("labels"));
}

/* The rule for one entry of labels or annotations that is gone. */
static unsigned tag_rule(const struct schema_path *map, const struct schema_path *entry)
{
    if (bytes_equal(map->key, BYTES("labels")))
        return 20;
    return bytes_equal(entry->key, BYTES(BREAK_GLASS_ANNOTATION)) ? 36 : 19;
}

/* Below metadata. */
static unsigned metadata_rule(const struct schema_path *path)
{
    if (path->up->up != NULL && path->up->up->up == NULL && is_tags(path->up))
        return tag_rule(path->up, path);
    return path->up->up == NULL && is_tags(path) ? 21 : 18;
}

static const struct schema_path *root_of(const struct schema_path *path)
{
    while (path->up != NULL)
        path = path->up;
    return path;
}

static unsigned normal_rule(const struct schema_path *path, bool is_gone,
                            const struct normal_rules *rules)
{
    const struct schema_path *root = root_of(path);

    if (!is_gone)
        return 8; /* 1.0 is 1: only a number has two spellings */
    if (path != root && bytes_equal(root->key, BYTES("metadata")))
        return metadata_rule(path);
    if (path == root && rules->drop_status && bytes_equal(root->key, BYTES("status")))
        return 17;
    return 15;
}

static void take_normal(const struct comparison *c, const struct schema_path *path, json_t *before,
                        json_t *after)
{
    const unsigned rule = normal_rule(path, after == NULL, c->context);
    const char *key;
    size_t len;
    json_t *value;

    /* A map of tags goes because each of its entries does. */
    if (rule == 21) {
        json_object_keylen_foreach(before, key, len, value)
        {
            const struct schema_path at = {.up = path, .key = bytes_of(key, len)};

            add(c->trace, tag_rule(path, &at), &at, value, NULL);
        }
    }
    add(c->trace, rule, path, before, after);
}

/* apiVersion, kind, name and namespace are in the identity, so they are not lost (N10). */
static void restore_identity(json_t *form, const json_t *object)
{
    static const char *const names[] = {"name", "namespace"};
    static const char *const roots[] = {"apiVersion", "kind"};
    json_t *from = json_object_get(object, "metadata");
    json_t *metadata = json_object_get(form, "metadata");

    if (metadata == NULL && json_is_object(from)) {
        metadata = json_object();
        if (metadata == NULL || json_object_set_new(form, "metadata", metadata) != 0)
            out_of_memory();
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        json_t *name = json_object_get(from, names[i]);
        json_t *root = json_object_get(object, roots[i]);

        if ((name != NULL && json_object_set(metadata, names[i], name) != 0) ||
            (root != NULL && json_object_set(form, roots[i], root) != 0))
            out_of_memory();
    }
}

void trace_normal(struct trace *t, const json_t *object, const struct normal *n,
                  const struct normal_rules *rules)
{
    const struct comparison c = {t, take_normal, rules};
    json_t *form = canon_tree_normal(n);

    restore_identity(form, object);
    compare_maps(&c, NULL, (json_t *)(uintptr_t)object, form);
    json_decref(form);
}
