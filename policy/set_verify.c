#include "policy/set_verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "policy/merkle.h"
#include "policy/set_format.h"

#include "base/banned.h"

struct verify {
    const struct set *set;
    struct set_header header;
    set_problem *report;
    void *context;
    size_t problems;
    uint8_t *owned; /* for each entry: whether a digest is its own */
};

static void problem(struct verify *v, const char *format, ...) PRINTF_LIKE(2, 3);

static void problem(struct verify *v, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    v->problems++;
    v->report(v->context, line);
}

/* A problem of one entry; its identity and place go in front. */
static void entry_problem(struct verify *v, size_t index, const char *what)
{
    struct buf text = {0};
    struct set_entry entry;

    set_entry(v->set, index, &entry);
    identity_text(&entry.id, &text);
    problem(v, "entry %zu, %.*s (%.*s:%u): %s", index, BYTES_FMT(buf_bytes(&text)),
            BYTES_FMT(entry.path), entry.line, what);
    buf_release(&text);
}

static const uint8_t *section(const struct verify *v, enum set_section which)
{
    return set_file(v->set).ptr + v->header.sections[which].offset;
}

static bool string_is_there(const struct verify *v, uint32_t reference)
{
    const uint64_t length = v->header.sections[SET_STRINGS].length;

    return reference + 2ULL <= length &&
           reference + 2ULL + set_le16(section(v, SET_STRINGS) + reference) <= length;
}

static void verify_kind(struct verify *v, size_t i)
{
    const uint8_t *p = section(v, SET_KINDS) + i * SET_KIND_SIZE;
    const uint64_t nulls = v->header.sections[SET_NULLS].length;
    struct kind kind;
    struct kind before;

    set_kind_at(v->set, i, &kind);
    if (!string_is_there(v, set_le32(p + SET_KIND_GROUP)) ||
        !string_is_there(v, set_le32(p + SET_KIND_KIND)) ||
        !string_is_there(v, set_le32(p + SET_KIND_PLURAL)) || kind.kind.len == 0)
        problem(v, "kind %zu: its name lies outside of the strings", i);
    if ((uint64_t)set_le32(p + SET_KIND_NULLS_OFFSET) + set_le32(p + SET_KIND_NULLS_LENGTH) > nulls)
        problem(v, "kind %zu, %.*s: its null paths lie outside of their section", i,
                BYTES_FMT(kind.kind));
    if (kind.version_count != set_le32(p + SET_KIND_VERSION_COUNT))
        problem(v, "kind %zu, %.*s: its versions lie outside of their section", i,
                BYTES_FMT(kind.kind));
    for (size_t j = 0; j < kind.version_count; j++) {
        if (kind.versions[j].name.len == 0)
            problem(v, "kind %zu, %.*s: version %zu has no name", i, BYTES_FMT(kind.kind), j);
    }
    if (i == 0)
        return;
    set_kind_at(v->set, i - 1, &before);

    const int order = bytes_compare(before.group, kind.group);

    if (order > 0 || (order == 0 && bytes_compare(before.kind, kind.kind) >= 0))
        problem(v, "kind %zu, %.*s: is not behind the one before it", i, BYTES_FMT(kind.kind));
}

static void verify_references(struct verify *v, size_t i, const struct set_entry *entry)
{
    static const unsigned fields[] = {SET_ENTRY_NAMESPACE, SET_ENTRY_NAME, SET_ENTRY_SOURCE,
                                      SET_ENTRY_COMMIT, SET_ENTRY_PATH};
    const uint8_t *p = section(v, SET_ENTRIES) + i * SET_ENTRY_SIZE;
    const uint32_t what = set_le32(p + SET_ENTRY_WHAT);

    for (size_t j = 0; j < COUNT(fields); j++) {
        if (!string_is_there(v, set_le32(p + fields[j])))
            entry_problem(v, i, "a string lies outside of its section");
    }
    if (set_le32(p + SET_ENTRY_KIND) >= v->header.kinds)
        entry_problem(v, i, "its kind is not in the set");
    if (entry->held && !string_is_there(v, what))
        entry_problem(v, i, "its message lies outside of the strings");
    if (!entry->held &&
        what >= v->header.digests + v->header.sections[SET_PRIMARIES].length / DIGEST_SIZE)
        entry_problem(v, i, "its primary digest is not in the set");
}

static void verify_document(struct verify *v, size_t i, const struct set_entry *entry)
{
    const uint8_t *offset = section(v, SET_OFFSETS) + i * 8;
    struct bytes document;
    struct err err;

    if (entry->held) {
        if (set_le64(offset) != set_le64(offset + 8))
            entry_problem(v, i, "is held and has a document");
        return;
    }
    if (!set_document(v->set, i, &document, &err))
        entry_problem(v, i, err.message);
    if (v->owned[i] == 0)
        entry_problem(v, i, "no digest in the set is its own");
}

static void verify_entries(struct verify *v)
{
    const size_t count = set_count(v->set);
    struct set_entry before = {0};
    size_t held = 0;

    for (size_t i = 0; i < count; i++) {
        struct set_entry entry;

        set_entry(v->set, i, &entry);
        if (i > 0 && identity_compare(&before.id, &entry.id) >= 0)
            entry_problem(v, i, "is not behind the one before it");
        verify_references(v, i, &entry);
        verify_document(v, i, &entry);
        held += entry.held ? 1 : 0;
        before = entry;
    }
    if (held != set_held_count(v->set))
        problem(v, "header: counts %zu held entries, there are %zu", set_held_count(v->set), held);
    if (set_le64(section(v, SET_OFFSETS)) != 0 ||
        set_le64(section(v, SET_OFFSETS) + count * 8) != v->header.sections[SET_DOCUMENTS].length)
        problem(v, "offsets: the documents do not fill their section");
}

static void verify_fanout(struct verify *v)
{
    size_t below = 0;

    for (unsigned i = 0; i < SET_FANOUT_COUNT; i++) {
        while (below < v->header.digests && section(v, SET_DIGESTS)[below * DIGEST_SIZE] < i)
            below++;
        if (set_le32(section(v, SET_FANOUT) + (size_t)i * 4) != below)
            problem(v, "fan-out %u: is %u, there are %zu digests below", i,
                    set_le32(section(v, SET_FANOUT) + (size_t)i * 4), below);
    }
}

/* Ascending order, and where `owners` says so that each belongs to an approved entry. */
static void verify_digests(struct verify *v)
{
    struct digest before = {{0}};

    for (size_t i = 0; i < set_digest_count(v->set); i++) {
        char hex[DIGEST_HEX_SIZE];
        struct digest digest;
        struct set_entry entry;
        size_t owner;

        set_digest(v->set, i, &digest, &owner);
        if (i > 0 && digest_compare(&before, &digest) >= 0)
            problem(v, "digest %zu, %s: is not behind the one before it", i,
                    digest_hex(&digest, hex));
        before = digest;
        set_entry(v->set, owner, &entry);
        if (owner == SET_NOWHERE || entry.held)
            problem(v, "digest %zu, %s: belongs to no approved entry", i, digest_hex(&digest, hex));
        else
            v->owned[owner] = 1;
    }
}

static int compare_digests(const void *left, const void *right)
{
    return digest_compare(left, right);
}

static void verify_root(struct verify *v)
{
    const size_t count = set_count(v->set);
    struct digest *primaries = xcalloc(count + 1, sizeof(*primaries));
    CLEANUP(merkle_freep) struct merkle *tree = merkle_new();
    char hex[DIGEST_HEX_SIZE];
    struct digest root;
    size_t leaves = 0;

    for (size_t i = 0; i < count; i++) {
        struct set_entry entry;

        set_entry(v->set, i, &entry);
        if (!entry.held)
            primaries[leaves++] = entry.primary;
    }
    qsort(primaries, leaves, sizeof(*primaries), compare_digests);
    for (size_t i = 0; i < leaves; i++)
        merkle_add(tree, digest_bytes(&primaries[i]));
    free(primaries);
    merkle_root(tree, &root);
    if (!digest_equal(&root, set_root(v->set)))
        problem(v, "root: differs from the tree hash of the primary digests, %s",
                digest_hex(&root, hex));
}

size_t set_verify(const struct set *s, set_problem *report, void *context)
{
    struct verify v = {.set = s, .report = report, .context = context};
    struct err err;

    /* It was read when the set was opened. */
    if (!set_format_read(set_file(s), &v.header, &err)) {
        problem(&v, "header: %s", err.message);
        return v.problems;
    }
    v.owned = xcalloc(set_count(s) + 1, 1);
    for (size_t i = 0; i < set_kind_count(s); i++)
        verify_kind(&v, i);
    verify_digests(&v);
    verify_fanout(&v);
    verify_entries(&v);
    verify_root(&v);
    free(v.owned);
    return v.problems;
}
