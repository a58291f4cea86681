#include "policy/setwriter_order.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "policy/merkle.h"
#include "policy/set_compare.h"

#include "base/banned.h"

/* Errors name identities and places. */

enum { NAME_SIZE = 192 };

static const char *name_of(const struct identity *id, char out[NAME_SIZE])
{
    struct buf text = {0};

    identity_text(id, &text);
    (void)snprintf(out, NAME_SIZE, "%.*s", BYTES_FMT(buf_bytes(&text)));
    buf_release(&text);
    return out;
}

static bool twice(const char *what, const struct setwriter_entry *a,
                  const struct setwriter_entry *b, struct err *err)
{
    char name[NAME_SIZE];
    char other[NAME_SIZE];

    return err_set(err, "%s: %s (%.*s:%u) and %s (%.*s:%u)", what, name_of(&a->id, name),
                   BYTES_FMT(a->place.path), a->place.line, name_of(&b->id, other),
                   BYTES_FMT(b->place.path), b->place.line);
}

static bool over_limit(const char *what, unsigned long long found, unsigned long long limit,
                       struct err *err)
{
    return err_set(err, "a set holds at most %llu %s, here are %llu", limit, what, found);
}

/* Kinds. */

static int compare_kinds(const void *left, const void *right)
{
    const struct kind *a = left;
    const struct kind *b = right;
    const int order = bytes_compare(a->group, b->group);

    return order != 0 ? order : bytes_compare(a->kind, b->kind);
}

static bool order_kinds(struct setwriter *w, struct err *err)
{
    size_t kept = 0;

    if (w->kind_count > 0)
        qsort(w->kinds, w->kind_count, sizeof(*w->kinds), compare_kinds);
    for (size_t i = 0; i < w->kind_count; i++) {
        if (kept > 0 && compare_kinds(&w->kinds[kept - 1], &w->kinds[i]) == 0) {
            if (!set_kind_equal(&w->kinds[kept - 1], &w->kinds[i]))
                return err_set(err, "kind %.*s of group \"%.*s\" was added in two ways",
                               BYTES_FMT(w->kinds[i].kind), BYTES_FMT(w->kinds[i].group));
            continue;
        }
        w->kinds[kept++] = w->kinds[i];
    }
    w->kind_count = kept;
    if (kept > SET_MAX_KINDS)
        return over_limit("kinds", kept, SET_MAX_KINDS, err);
    return true;
}

/* Entries. */

static bool check_entry(const struct setwriter_entry *entry, struct err *err)
{
    const struct {
        const char *what;
        size_t len;
    } rows[] = {
        {"namespace", entry->id.namespace.len}, {"name", entry->id.name.len},
        {"source", entry->place.source.len},    {"commit", entry->place.commit.len},
        {"path", entry->place.path.len},
    };
    char name[NAME_SIZE];

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].len > SET_MAX_STRING)
            return err_set(err, "%s: the %s has %zu bytes, a set holds at most %d",
                           name_of(&entry->id, name), rows[i].what, rows[i].len, SET_MAX_STRING);
    }
    if ((entry->place.line & SET_LINE_HELD) != 0)
        return err_set(err, "%s: line %u is beyond what a set holds", name_of(&entry->id, name),
                       entry->place.line);
    if (entry->held)
        return true;
    if (entry->digest_count == 0)
        return err_set(err, "%s: an approved entry without a digest", name_of(&entry->id, name));
    if (entry->document.len > SET_MAX_DOCUMENT_BYTES)
        return err_set(err, "%s (%.*s:%u): the document has %zu bytes, a set holds at most %d",
                       name_of(&entry->id, name), BYTES_FMT(entry->place.path), entry->place.line,
                       entry->document.len, SET_MAX_DOCUMENT_BYTES);
    return true;
}

static bool find_kind(const struct setwriter *w, struct setwriter_entry *entry, struct err *err)
{
    const struct kind key = {.group = entry->id.group, .kind = entry->id.kind};
    const struct kind *kind = w->kind_count == 0 ? NULL
                                                 : bsearch(&key, w->kinds, w->kind_count,
                                                           sizeof(*w->kinds), compare_kinds);
    char name[NAME_SIZE];

    if (kind == NULL)
        return err_set(err, "%s: its kind was not added to the set", name_of(&entry->id, name));
    entry->kind_index = (uint32_t)(kind - w->kinds);
    return true;
}

static int compare_entries(const void *left, const void *right)
{
    const struct setwriter_entry *a = *(struct setwriter_entry *const *)left;
    const struct setwriter_entry *b = *(struct setwriter_entry *const *)right;
    int order = (a->kind_index > b->kind_index) - (a->kind_index < b->kind_index);

    if (order == 0)
        order = bytes_compare(a->id.namespace, b->id.namespace);
    if (order == 0)
        order = bytes_compare(a->id.name, b->id.name);
    return order;
}

static bool order_entries(struct setwriter *w, struct err *err)
{
    if (w->entry_count > SET_MAX_ENTRIES)
        return over_limit("entries", w->entry_count, SET_MAX_ENTRIES, err);
    free(w->sorted);
    w->sorted = xcalloc(w->entry_count + 1, sizeof(struct setwriter_entry *));
    w->held_count = 0;
    for (size_t i = 0; i < w->entry_count; i++) {
        w->sorted[i] = &w->entries[i];
        if (!check_entry(w->sorted[i], err) || !find_kind(w, w->sorted[i], err))
            return false;
        if (w->sorted[i]->held)
            w->held_count++;
    }
    qsort(w->sorted, w->entry_count, sizeof(struct setwriter_entry *), compare_entries);
    for (size_t i = 1; i < w->entry_count; i++) {
        if (compare_entries(&w->sorted[i - 1], &w->sorted[i]) == 0)
            return twice("one identity is there twice", w->sorted[i - 1], w->sorted[i], err);
    }
    return true;
}

/* Digests. */

static int compare_digests(const void *left, const void *right)
{
    const struct setwriter_digest *a = left;
    const struct setwriter_digest *b = right;
    const int order = digest_compare(&a->digest, &b->digest);

    return order != 0 ? order : (a->owner > b->owner) - (a->owner < b->owner);
}

static bool order_digests(struct setwriter *w, struct err *err)
{
    size_t all = 0;
    size_t kept = 0;

    for (size_t i = 0; i < w->entry_count; i++)
        all += w->sorted[i]->digest_count;
    if (all > SET_MAX_DIGESTS)
        return over_limit("digests", all, SET_MAX_DIGESTS, err);
    free(w->digests);
    w->digests = xcalloc(all + 1, sizeof(*w->digests));
    w->digest_total = 0;
    for (size_t i = 0; i < w->entry_count; i++) {
        for (size_t j = 0; j < w->sorted[i]->digest_count; j++)
            w->digests[w->digest_total++] =
                (struct setwriter_digest){w->sorted[i]->digests[j], (uint32_t)i};
    }
    qsort(w->digests, all, sizeof(*w->digests), compare_digests);
    for (size_t i = 0; i < all; i++) {
        const struct setwriter_digest *last = kept > 0 ? &w->digests[kept - 1] : NULL;

        if (last == NULL || !digest_equal(&last->digest, &w->digests[i].digest))
            w->digests[kept++] = w->digests[i];
        else if (last->owner != w->digests[i].owner)
            return twice("one digest is approved for two identities", w->sorted[last->owner],
                         w->sorted[w->digests[i].owner], err);
    }
    w->digest_total = kept;
    return true;
}

static int compare_plain(const void *left, const void *right)
{
    return digest_compare(left, right);
}

static int compare_with_accepted(const void *key, const void *element)
{
    return digest_compare(key, &((const struct setwriter_digest *)element)->digest);
}

static const struct setwriter_digest *find_accepted(const struct setwriter *w,
                                                    const struct digest *digest)
{
    if (w->digest_total == 0)
        return NULL;
    return bsearch(digest, w->digests, w->digest_total, sizeof(*w->digests), compare_with_accepted);
}

/* Where a primary digest is not accepted itself (its version is not served), it is kept apart. */
static void order_primaries(struct setwriter *w)
{
    free(w->primaries);
    w->primaries = xcalloc(w->entry_count + 1, sizeof(*w->primaries));
    w->primary_count = 0;
    for (size_t i = 0; i < w->entry_count; i++) {
        struct setwriter_entry *entry = w->sorted[i];

        if (!entry->held && find_accepted(w, &entry->primary) == NULL)
            w->primaries[w->primary_count++] = entry->primary;
    }
    qsort(w->primaries, w->primary_count, sizeof(*w->primaries), compare_plain);
}

static bool index_primary(const struct setwriter *w, uint32_t owner, struct err *err)
{
    struct setwriter_entry *entry = w->sorted[owner];
    const struct setwriter_digest *accepted = find_accepted(w, &entry->primary);

    if (accepted != NULL) {
        if (accepted->owner != owner)
            return twice("one digest is of two identities", w->sorted[accepted->owner], entry, err);
        entry->primary_index = (uint32_t)(accepted - w->digests);
        return true;
    }

    const struct digest *apart = bsearch(&entry->primary, w->primaries, w->primary_count,
                                         sizeof(*w->primaries), compare_plain);

    entry->primary_index = (uint32_t)(w->digest_total + (size_t)(apart - w->primaries));
    return true;
}

static bool index_primaries(const struct setwriter *w, struct err *err)
{
    for (size_t i = 1; i < w->primary_count; i++) {
        char hex[DIGEST_HEX_SIZE];

        if (digest_equal(&w->primaries[i - 1], &w->primaries[i]))
            return err_set(err, "two identities have the primary digest %s",
                           digest_hex(&w->primaries[i], hex));
    }
    for (size_t i = 0; i < w->entry_count; i++) {
        if (!w->sorted[i]->held && !index_primary(w, (uint32_t)i, err))
            return false;
    }
    return true;
}

static void compute_root(struct setwriter *w)
{
    const size_t leaves = w->entry_count - w->held_count;
    struct digest *primaries = xcalloc(leaves + 1, sizeof(*primaries));
    CLEANUP(merkle_freep) struct merkle *tree = merkle_new();
    size_t count = 0;

    for (size_t i = 0; i < w->entry_count; i++) {
        if (!w->sorted[i]->held)
            primaries[count++] = w->sorted[i]->primary;
    }
    qsort(primaries, count, sizeof(*primaries), compare_plain);
    for (size_t i = 0; i < count; i++)
        merkle_add(tree, digest_bytes(&primaries[i]));
    merkle_root(tree, &w->root);
    free(primaries);
}

bool setwriter_order(struct setwriter *w, struct err *err)
{
    if (!order_kinds(w, err) || !order_entries(w, err) || !order_digests(w, err))
        return false;
    order_primaries(w);
    if (!index_primaries(w, err))
        return false;
    compute_root(w);
    return true;
}
