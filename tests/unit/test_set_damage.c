/* Sets that are damaged, and sets that lie under a right checksum. */
#include <stdlib.h>
#include <string.h>

#include "policy/set_compare.h"
#include "policy/set_format.h"
#include "policy/set_verify.h"
#include "tests/unit/set_sample.h"

#include "base/banned.h"

static struct bytes copy_of(struct bytes from, size_t len)
{
    uint8_t *to = xmalloc(len + 1);

    memcpy(to, from.ptr, len);
    return bytes_of(xrealloc(to, len > 0 ? len : 1), len);
}

static uint8_t *writable(struct bytes file)
{
    return (uint8_t *)(uintptr_t)file.ptr;
}

static struct set_header header_of(struct bytes file)
{
    struct set_header header;
    struct err err;

    if (!set_format_read(file, &header, &err))
        fail_msg("%s", err.message);
    return header;
}

/* Makes the checksum right again. */
static void seal(struct bytes file, uint64_t covered)
{
    struct digest checksum;

    set_format_checksum(file, covered, &checksum);
    memcpy(writable(file) + SET_AT_CHECKSUM, checksum.bytes, DIGEST_SIZE);
}

static void ignore_problem(void *context, const char *what)
{
    (void)context;
    assert_non_null(what);
}

static void ignore_change(void *context, const struct set_change *change)
{
    (void)context;
    assert_true(change->before != NULL || change->after != NULL);
}

/* Touches every byte that the set hands out: whatever is out of bounds, ASan sees. */
static void touch(struct bytes bytes)
{
    struct digest digest;

    digest_of(bytes, &digest);
}

static void walk(const struct set *set)
{
    for (size_t i = 0; i < set_count(set); i++) {
        struct set_entry entry;
        struct bytes document;
        struct err err;
        size_t index;

        set_entry(set, i, &entry);
        touch(entry.id.group);
        touch(entry.id.kind);
        touch(entry.id.namespace);
        touch(entry.id.name);
        touch(entry.source);
        touch(entry.commit);
        touch(entry.path);
        touch(entry.message);
        (void)set_find(set, &entry.id, &index);
        (void)set_count_in_namespace(set, entry.id.namespace);
        if (set_document(set, i, &document, &err))
            touch(document);
    }
    for (size_t i = 0; i < set_kind_count(set); i++) {
        struct kind kind;

        set_kind_at(set, i, &kind);
        touch(kind.nulls);
        touch(kind.plural);
        for (size_t j = 0; j < kind.version_count; j++)
            touch(kind.versions[j].name);
        (void)set_count_of_kind(set, kind.group, kind.kind);
    }
    for (size_t i = 0; i < set_digest_count(set); i++) {
        struct digest digest;
        struct set_entry entry;
        size_t owner;
        size_t index;

        set_digest(set, i, &digest, &owner);
        if (!set_has(set, &digest, &index))
            continue;
        set_entry(set, index, &entry);
        assert_false(entry.held);
    }
    touch(set_policy(set));
    touch(set_provenance(set));
    (void)set_verify(set, ignore_problem, NULL);
    assert_int_equal(set_compare(set, set, ignore_change, NULL), 0);
}

static void check_flip(struct bytes file, size_t at, uint8_t mask, uint64_t documents)
{
    struct set *set = NULL;
    struct err err;
    struct bytes document;
    size_t refused = 0;

    writable(file)[at] ^= mask;
    const bool opened = set_open_bytes(file, &set, &err);

    if (opened != (at >= documents))
        fail_msg("byte %zu ^ %02x: %s", at, mask, opened ? "opened" : err.message);
    if (opened) {
        for (size_t i = 0; i < set_count(set); i++) {
            struct set_entry entry;

            set_entry(set, i, &entry);
            if (!entry.held && !set_document(set, i, &document, &err))
                refused++;
        }
        if (refused != 1)
            fail_msg("byte %zu ^ %02x: %zu documents refused", at, mask, refused);
        assert_int_equal(set_verify(set, ignore_problem, NULL), 1);
        set_close(set);
    }
    writable(file)[at] ^= mask;
}

static void test_set_refuses_every_flipped_byte(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(8);
    const uint64_t documents = header_of(file).sections[SET_DOCUMENTS].offset;

    (void)state;
    assert_in_range(documents, SET_HEADER_SIZE, file.len - 1);
    for (size_t at = 0; at < file.len; at++) {
        check_flip(file, at, 0xff, documents);
        check_flip(file, at, 0x01, documents);
        check_flip(file, at, 0x80, documents);
    }
}

static void test_set_refuses_every_other_length(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(8);
    struct set *set = NULL;
    struct err err;

    (void)state;
    for (size_t len = 0; len < file.len; len++) {
        CLEANUP(sample_free) struct bytes part = copy_of(file, len);

        if (set_open_bytes(part, &set, &err))
            fail_msg("%zu bytes of %zu: opened", len, file.len);
    }

    struct buf longer = {0};

    buf_append(&longer, file);
    buf_byte(&longer, 0);
    assert_false(set_open_bytes(buf_bytes(&longer), &set, &err));
    check_bytes("message", bytes_of(err.message, 11), BYTES("is too long"));
    buf_release(&longer);
}

/* Every byte of header and index, made wrong under a right checksum: refused, or harmless. */
static void test_set_that_lies_does_no_harm(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    CLEANUP(sample_free) struct bytes file = sample_file(8);
    const uint64_t documents = header_of(file).sections[SET_DOCUMENTS].offset;
    size_t opened = 0;

    (void)state;
    for (size_t at = 0; at < documents; at++) {
        for (size_t i = 0; i < COUNT(values); i++) {
            CLEANUP(sample_free) struct bytes lie = copy_of(file, file.len);
            CLEANUP(set_closep) struct set *set = NULL;
            struct err err;

            writable(lie)[at] = values[i];
            seal(lie, documents);
            if (!set_open_bytes(lie, &set, &err))
                continue;
            walk(set);
            opened++;
        }
    }
    /* Most of it can only be seen by looking closer. */
    assert_in_range(opened, documents, documents * COUNT(values));
}

/* What set_verify finds. */

struct finding {
    const char *want;
    bool found;
};

static void look_for(void *context, const char *what)
{
    struct finding *finding = context;

    if (strstr(what, finding->want) != NULL)
        finding->found = true;
}

struct lie {
    const char *name;
    size_t section;
    size_t at;
    uint8_t value;
    const char *want;
};

static void check_lie(struct bytes file, const struct lie *row, uint64_t at)
{
    CLEANUP(sample_free) struct bytes lie = copy_of(file, file.len);
    CLEANUP(set_closep) struct set *set = NULL;
    struct finding finding = {.want = row->want};
    const uint64_t covered = header_of(file).sections[SET_DOCUMENTS].offset;
    struct err err;

    if (lie.ptr[at] == row->value)
        fail_msg("%s: the value is no other", row->name);
    writable(lie)[at] = row->value;
    seal(lie, covered);
    if (!set_open_bytes(lie, &set, &err))
        fail_msg("%s: %s", row->name, err.message);
    (void)set_verify(set, look_for, &finding);
    if (!finding.found)
        fail_msg("%s: no problem says \"%s\"", row->name, row->want);
}

static void test_set_verify_finds_lies(void **state)
{
    /* Of eight entries: 0 to 2 are ConfigMaps, 3 and 4 GatewayClasses, 5 to 7 VirtualServices; 6 is
     * the one that is held. */
    static const struct lie rows[] = {
        {"a digest out of order", SET_DIGESTS, 0, 0xff, "digest 1, "},
        {"no such owner", SET_OWNERS, 3, 0xff, "belongs to no approved entry"},
        {"a held owner", SET_OWNERS, 0, 6, "belongs to no approved entry"},
        {"fan-out", SET_FANOUT, 128 * 4, 0xee, "fan-out 128: is"},
        {"entry of another kind", SET_ENTRIES, SET_ENTRY_KIND, 2, "is not behind the one before"},
        {"entry of no kind", SET_ENTRIES, SET_ENTRY_KIND, 9, "its kind is not in the set"},
        {"a string outside", SET_ENTRIES, SET_ENTRY_PATH + 3, 0xff,
         "a string lies outside of its section"},
        {"a primary outside", SET_ENTRIES, SET_ENTRY_WHAT + 2, 1,
         "its primary digest is not in the set"},
        {"a message outside", SET_ENTRIES, 6 * SET_ENTRY_SIZE + SET_ENTRY_WHAT + 3, 1,
         "its message lies outside of the strings"},
        {"held without saying so", SET_ENTRIES, SET_ENTRY_LINE + 3, 0x80, "counts 1 held entries"},
        {"held with a document", SET_ENTRIES, SET_ENTRY_LINE + 3, 0x80,
         "is held and has a document"},
        {"another primary", SET_ENTRIES, SET_ENTRY_WHAT, 1, "root: differs"},
        {"a document elsewhere", SET_OFFSETS, 8, 1, "the document's checksum differs"},
        {"a document outside", SET_OFFSETS, 15, 1, "the document lies outside of it"},
        {"documents end early", SET_OFFSETS, 8 * 8, 1, "the documents do not fill their section"},
        {"a document's checksum", SET_CHECKSUMS, 5, 0x11, "the document's checksum differs"},
        {"a kind without a name", SET_KINDS, SET_KIND_KIND + 3, 1, "its name lies outside"},
        {"kinds out of order", SET_KINDS, 2 * SET_KIND_SIZE + SET_KIND_GROUP, 0,
         "kind 2, VirtualService: is not behind"},
        {"versions outside", SET_KINDS, SET_KIND_FIRST_VERSION + 1, 1, "versions lie outside"},
        {"nulls outside", SET_KINDS, SET_KIND_NULLS_OFFSET + 1, 1, "null paths lie outside"},
    };
    CLEANUP(sample_free) struct bytes file = sample_file(8);
    const struct set_header header = header_of(file);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_lie(file, &rows[i], header.sections[rows[i].section].offset + rows[i].at);
    check_lie(file, &(struct lie){"root", SET_FANOUT, 0, 0, "root: differs"}, 72);
    check_lie(file, &(struct lie){"held count", SET_FANOUT, 0, 3, "counts 3 held entries"}, 28);
}

/* A digest whose owner is held, or nobody, approves nothing. */
static void test_set_has_trusts_no_owner(void **state)
{
    static const uint8_t owners[] = {6, 8, 255};
    CLEANUP(sample_free) struct bytes file = sample_file(8);
    const struct set_header header = header_of(file);
    struct digest first;

    (void)state;
    memcpy(first.bytes, file.ptr + header.sections[SET_DIGESTS].offset, DIGEST_SIZE);
    for (size_t i = 0; i < COUNT(owners); i++) {
        CLEANUP(sample_free) struct bytes lie = copy_of(file, file.len);
        CLEANUP(set_closep) struct set *set = NULL;
        size_t index;

        writable(lie)[header.sections[SET_OWNERS].offset] = owners[i];
        seal(lie, header.sections[SET_DOCUMENTS].offset);
        set = sample_open(lie);
        assert_false(set_has(set, &first, &index));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_refuses_every_flipped_byte),
        cmocka_unit_test(test_set_refuses_every_other_length),
        cmocka_unit_test(test_set_that_lies_does_no_harm),
        cmocka_unit_test(test_set_verify_finds_lies),
        cmocka_unit_test(test_set_has_trusts_no_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
