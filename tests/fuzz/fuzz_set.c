/*
 * fuzz_set.c -- the bytes as a writ.set: once as they are, and once with the size and the checksum
 * made right, so that what lies behind them is reached. Whatever opens is read to the last byte.
 */
#include <stdlib.h>

#include "policy/set.h"
#include "policy/set_compare.h"
#include "policy/set_format.h"
#include "policy/set_verify.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ignore_problem(void *context, const char *what)
{
    (void)context;
    if (what[0] == '\0')
        abort();
}

static void no_change(void *context, const struct set_change *change)
{
    (void)context;
    (void)change;
    abort();
}

/* Reads every byte: whatever lies outside of the file, the sanitizer sees. */
static void touch(struct bytes bytes)
{
    struct digest digest;

    digest_of(bytes, &digest);
}

static void walk_entries(const struct set *set)
{
    for (size_t i = 0; i < set_count(set); i++) {
        struct set_entry entry;
        struct bytes document;
        struct err err;
        size_t index;

        set_entry(set, i, &entry);
        touch(entry.id.group);
        touch(entry.id.kind);
        touch(entry.id.name);
        touch(entry.source);
        touch(entry.commit);
        touch(entry.path);
        touch(entry.message);
        if (set_find(set, &entry.id, &index) && index >= set_count(set))
            abort();
        if (set_count_in_namespace(set, entry.id.namespace) > set_count(set))
            abort();
        if (set_document(set, i, &document, &err))
            touch(document);
    }
}

static void walk_kinds(const struct set *set)
{
    for (size_t i = 0; i < set_kind_count(set); i++) {
        struct kind kind;

        set_kind_at(set, i, &kind);
        touch(kind.plural);
        touch(kind.nulls);
        for (size_t j = 0; j < kind.version_count; j++)
            touch(kind.versions[j].name);
        if (set_count_of_kind(set, kind.group, kind.kind) > set_count(set))
            abort();
    }
}

/* What is approved belongs to an entry that is there and not held. */
static void walk_digests(const struct set *set)
{
    for (size_t i = 0; i < set_digest_count(set); i++) {
        struct set_entry entry;
        struct digest digest;
        size_t owner;
        size_t index;

        set_digest(set, i, &digest, &owner);
        if (!set_has(set, &digest, &index))
            continue;
        set_entry(set, index, &entry);
        if (index >= set_count(set) || entry.held)
            abort();
    }
}

static void open_and_walk(struct bytes file)
{
    struct set *set;
    struct err err;

    if (!set_open_bytes(file, &set, &err))
        return;
    walk_entries(set);
    walk_kinds(set);
    walk_digests(set);
    touch(set_policy(set));
    touch(set_provenance(set));
    (void)set_verify(set, ignore_problem, NULL);
    (void)set_compare(set, set, no_change, NULL);
    if (!set_compare_kinds(set, set))
        abort();
    set_close(set);
}

static void make_right(uint8_t *file, size_t len)
{
    struct set_header header;
    struct digest checksum;
    struct err err;

    for (unsigned i = 0; i < 8; i++)
        file[SET_AT_FILE_SIZE + i] = (uint8_t)((uint64_t)len >> 8 * i);
    if (!set_format_read(bytes_of(file, len), &header, &err))
        return;
    set_format_checksum(bytes_of(file, len), header.sections[SET_DOCUMENTS].offset, &checksum);
    memcpy(file + SET_AT_CHECKSUM, checksum.bytes, DIGEST_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    open_and_walk(bytes_of(data, len));
    if (len < SET_HEADER_SIZE)
        return 0;

    uint8_t *copy = xmalloc(len);

    memcpy(copy, data, len);
    make_right(copy, len);
    open_and_walk(bytes_of(copy, len));
    free(copy);
    return 0;
}
