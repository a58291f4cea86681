#include "policy/normal.h"

#include "base/banned.h"

#define KEY(s)                                                                                     \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }

/* N19: pure bookkeeping of delivery tools, exact keys. */
static const struct bytes bookkeeping[] = {
    KEY("argocd.argoproj.io/installation-id"),
    KEY("argocd.argoproj.io/tracking-id"),
    KEY("config.k8s.io/owning-inventory"),
    KEY("config.kubernetes.io/origin"),
    KEY("fluxcd.io/sync-checksum"),
    KEY("kapp.k14s.io/identity"),
    KEY("kapp.k14s.io/nonce"),
    KEY("kapp.k14s.io/original"),
    KEY("kapp.k14s.io/original-diff"),
    KEY("kapp.k14s.io/original-diff-full"),
    KEY("kubectl.kubernetes.io/last-applied-configuration"),
    KEY("kustomize.toolkit.fluxcd.io/checksum"),
    KEY("meta.helm.sh/release-name"),
    KEY("meta.helm.sh/release-namespace"),
    KEY("objectset.rio.cattle.io/applied"),
    KEY("objectset.rio.cattle.io/id"),
    KEY("objectset.rio.cattle.io/owner-gvk"),
    KEY("objectset.rio.cattle.io/owner-name"),
    KEY("objectset.rio.cattle.io/owner-namespace"),
};

/* N18: what the API server sets or what is not configuration. */
static const struct bytes dropped_metadata[] = {
    KEY("managedFields"),
    KEY("creationTimestamp"),
    KEY("generation"),
    KEY("resourceVersion"),
    KEY("uid"),
    KEY("finalizers"),
    KEY("generateName"),
    KEY("deletionTimestamp"),
    KEY("deletionGracePeriodSeconds"),
    KEY("selfLink"),
};

/* Few enough that their lengths tell most apart. */
static bool listed(const struct bytes *keys, size_t count, struct bytes key)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(keys[i], key))
            return true;
    }
    return false;
}

struct normal_rules normal_rules(const struct kind *kind, struct bytes version)
{
    struct normal_rules rules = {0};

    if (kind == NULL || !kind->has_schema)
        return rules;
    const struct kind_version *v = kind_version(kind, version);

    rules.nulls = kind->nulls;
    rules.drop_status = v != NULL && v->status_subresource;
    return rules;
}

void normal_release(struct normal *n)
{
    canon_release(&n->meta);
    canon_release(&n->rest);
    buf_release(&n->text);
    *n = (struct normal){0};
}

static void normal_clear(struct normal *n)
{
    canon_clear(&n->meta);
    canon_clear(&n->rest);
    n->text.len = 0;
    n->api_version = n->kind = n->name = n->namespace = (struct bytes){0};
    n->break_glass = (struct bytes){0};
    n->has_break_glass = n->deleting = n->has_finalizers = false;
}

/* --- metadata --------------------------------------------------------------------------------- */

/* Labels or annotations: a map that loses its ignored keys, and vanishes when it is empty (N21). */
static bool read_tags(struct normal *n, struct jread *r, bool annotations)
{
    struct canon *c = &n->meta;
    struct bytes key;

    if (jread_peek(r) == JREAD_NIL) {
        canon_map_drop(c);
        return jread_literal(r, JREAD_NIL);
    }
    if (!jread_enter(r, JREAD_MAP))
        return false;
    canon_map_begin(c);
    for (bool first = true; jread_next(r, JREAD_MAP, &first);) {
        if (!canon_map_key(c, r, &key))
            return false;
        if (annotations && bytes_equal(key, BYTES(BREAK_GLASS_ANNOTATION))) {
            n->has_break_glass = true;
            if (!jread_string(r, &n->text, &n->break_glass))
                return false;
            canon_map_drop(c);
            continue;
        }
        const bool ignored = annotations && listed(bookkeeping, COUNT(bookkeeping), key);

        if (!canon_value(c, r))
            return false;
        if (ignored)
            canon_map_drop(c);
    }
    const bool empty = canon_map_count(c) == 0;

    if (!canon_map_end(c, r))
        return false;
    if (empty)
        canon_map_drop(c);
    return true;
}

/* One of N18's keys: read as strictly as the rest, remembered where the decision asks for it. */
static bool read_dropped(struct normal *n, struct jread *r, struct bytes key)
{
    const size_t at = n->meta.out.len;

    if (!bytes_equal(key, BYTES("finalizers"))) {
        if (bytes_equal(key, BYTES("deletionTimestamp")))
            n->deleting = jread_peek(r) != JREAD_NIL;
        return canon_skip(&n->meta, r);
    }
    if (!canon_value(&n->meta, r))
        return false;
    const uint8_t *const p = n->meta.out.ptr + at;

    n->has_finalizers = p[0] == CANON_LIST && canon_read_u32(bytes_of(p + 1, 4)) > 0;
    return true;
}

static bool read_metadata_entry(struct normal *n, struct jread *r, struct bytes key)
{
    struct canon *c = &n->meta;

    if (bytes_equal(key, BYTES("annotations")))
        return read_tags(n, r, true);
    if (bytes_equal(key, BYTES("labels")))
        return read_tags(n, r, false);

    const bool is_name = bytes_equal(key, BYTES("name"));

    if (is_name || bytes_equal(key, BYTES("namespace"))) {
        if (!jread_string(r, &n->text, is_name ? &n->name : &n->namespace))
            return false;
        canon_map_drop(c);
        return true;
    }
    if (listed(dropped_metadata, COUNT(dropped_metadata), key)) {
        if (!read_dropped(n, r, key))
            return false;
        canon_map_drop(c);
        return true;
    }
    return canon_value(c, r);
}

static bool read_metadata(struct normal *n, struct jread *r)
{
    struct bytes key;

    if (!jread_enter(r, JREAD_MAP))
        return false;
    canon_map_begin(&n->meta);
    for (bool first = true; jread_next(r, JREAD_MAP, &first);) {
        if (!canon_map_key(&n->meta, r, &key) || !read_metadata_entry(n, r, key))
            return false;
    }
    return canon_map_end(&n->meta, r);
}

/* --- the root --------------------------------------------------------------------------------- */

enum root_key { ROOT_API_VERSION, ROOT_KIND, ROOT_METADATA, ROOT_STATUS, ROOT_OTHER };

static enum root_key root_key(struct bytes key, const struct normal_rules *rules)
{
    if (bytes_equal(key, BYTES("apiVersion")))
        return ROOT_API_VERSION;
    if (bytes_equal(key, BYTES("kind")))
        return ROOT_KIND;
    if (bytes_equal(key, BYTES("metadata")))
        return ROOT_METADATA;
    if (rules->drop_status && bytes_equal(key, BYTES("status")))
        return ROOT_STATUS;
    return ROOT_OTHER;
}

static bool read_root_entry(struct normal *n, struct jread *r, enum root_key key)
{
    switch (key) {
    case ROOT_API_VERSION:
        return jread_string(r, &n->text, &n->api_version);
    case ROOT_KIND:
        return jread_string(r, &n->text, &n->kind);
    case ROOT_METADATA:
        return read_metadata(n, r);
    case ROOT_STATUS:
        return canon_skip(&n->rest, r);
    case ROOT_OTHER:
        break;
    }
    return canon_value(&n->rest, r);
}

bool normal_read(struct normal *n, struct jread *r, const struct normal_rules *rules)
{
    struct bytes key;
    unsigned seen = 0;

    normal_clear(n);
    n->rest.nulls = rules->nulls;
    if (!jread_enter(r, JREAD_MAP))
        return false;
    canon_map_begin(&n->rest);
    for (bool first = true; jread_next(r, JREAD_MAP, &first);) {
        if (!canon_map_key(&n->rest, r, &key))
            return false;
        const enum root_key which = root_key(key, rules);

        if (which != ROOT_OTHER) {
            if ((seen & 1U << which) != 0)
                return jread_fail(r, "duplicate key");
            seen |= 1U << which;
            canon_map_forget(&n->rest);
        }
        if (!read_root_entry(n, r, which))
            return false;
    }
    if (!canon_map_end(&n->rest, r))
        return false;
    if ((seen & 1U << ROOT_METADATA) == 0)
        canon_head(&n->meta.out, CANON_MAP, 0); /* no name: whoever asks for one will refuse it */
    return true;
}

bool normal_read_text(struct normal *n, struct bytes json, const struct normal_rules *rules,
                      struct err *err)
{
    struct jread r;

    jread_start(&r, json);
    if (!normal_read(n, &r, rules) || !jread_end(&r))
        return err_set(err, "%s at byte %zu", r.problem, jread_offset(&r));
    return true;
}

bool normal_equal(const struct normal *a, const struct normal *b)
{
    return bytes_equal(buf_bytes(&a->meta.out), buf_bytes(&b->meta.out)) &&
           bytes_equal(buf_bytes(&a->rest.out), buf_bytes(&b->rest.out));
}

/* The canonical map without its ownerReferences, appended to `out`. */
static bool without_owners(struct bytes map, struct buf *out)
{
    struct canon_entries e = canon_entries_of(map);
    struct bytes key;
    struct bytes value;
    bool found = false;

    while (canon_next_entry(&e, &key, &value)) {
        if (bytes_equal(key, BYTES("ownerReferences"))) {
            found = true;
            continue;
        }
        canon_string(out, key);
        buf_append(out, value);
    }
    return found;
}

bool normal_equal_but_removed_owners(const struct normal *now, const struct normal *before)
{
    struct buf a CLEANUP(buf_release) = {0};
    struct buf b CLEANUP(buf_release) = {0};

    if (without_owners(buf_bytes(&now->meta.out), &a))
        return false;
    (void)without_owners(buf_bytes(&before->meta.out), &b);
    return bytes_equal(buf_bytes(&a), buf_bytes(&b)) &&
           bytes_equal(buf_bytes(&now->rest.out), buf_bytes(&before->rest.out));
}

void normal_split_api_version(struct bytes api_version, struct bytes *group, struct bytes *version)
{
    const uint8_t *slash =
        api_version.len == 0 ? NULL : memchr(api_version.ptr, '/', api_version.len);

    if (slash == NULL) {
        *group = (struct bytes){0};
        *version = api_version;
        return;
    }
    const size_t at = (size_t)(slash - api_version.ptr);

    *group = bytes_of(api_version.ptr, at);
    *version = bytes_of(slash + 1, api_version.len - at - 1);
}

/* --- the digest ------------------------------------------------------------------------------- */

enum { HEAD_USUAL = 1024 }; /* prefix and identity; longer names go to the heap */

void normal_digest(const struct normal *n, const struct identity *id, struct bytes version,
                   struct sha256 *hash, struct digest *out)
{
    const struct bytes names[] = {version, id->group, id->kind, id->namespace, id->name};
    uint8_t usual[HEAD_USUAL];
    struct buf head = {.ptr = usual, .cap = sizeof(usual)};
    struct buf heap CLEANUP(buf_release) = {0};
    size_t need = 64;

    for (size_t i = 0; i < COUNT(names); i++)
        need += CANON_HEAD + names[i].len;
    if (need > sizeof(usual)) {
        buf_reserve(&heap, need);
        head = heap;
    }
    buf_append(&head, version.len == 0 ? BYTES("meshnorm/1\0") : BYTES("meshnorm/1v\0"));
    for (size_t i = version.len == 0; i < COUNT(names); i++)
        canon_string(&head, names[i]);
    canon_head(&head, CANON_MAP, 2);
    canon_string(&head, BYTES("m"));
    sha256_begin(hash);
    sha256_update(hash, buf_bytes(&head));
    sha256_update(hash, buf_bytes(&n->meta.out));
    sha256_update(hash, BYTES("S\0\0\0\1o"));
    sha256_update(hash, buf_bytes(&n->rest.out));
    sha256_end(hash, out);
}
