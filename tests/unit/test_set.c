#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/merkle.h"
#include "policy/set_format.h"
#include "policy/set_verify.h"
#include "tests/unit/set_sample.h"

#include "base/banned.h"

enum { MANY = 400 };

/* Round trip. */

static void check_entry(const struct set *set, size_t i)
{
    struct sample_entry want;
    struct set_entry got;
    size_t index;
    char row[32];

    (void)snprintf(row, sizeof(row), "entry %zu", i);
    sample_entry(i, &want);
    if (!set_find(set, &want.id, &index))
        fail_msg("%s: is not found", row);
    set_entry(set, index, &got);
    assert_int_equal(identity_compare(&got.id, &want.id), 0);
    check_bytes(row, got.source, want.place.source);
    check_bytes(row, got.commit, want.place.commit);
    check_bytes(row, got.path, want.place.path);
    assert_int_equal(got.line, want.place.line);
    assert_int_equal(got.held, want.held);
    check_bytes(row, got.message,
                want.held ? BYTES("spec.http[0].weight: is no integer") : BYTES(""));
    if (!want.held)
        assert_true(digest_equal(&got.primary, &want.primary));
}

static void check_content(const struct set *set, size_t i)
{
    struct sample_entry want;
    struct bytes document;
    struct digest checksum;
    struct err err;
    size_t index;
    size_t owner;

    sample_entry(i, &want);
    assert_true(set_find(set, &want.id, &index));
    for (size_t j = 0; j < COUNT(want.digests); j++)
        assert_int_equal(set_has(set, &want.digests[j], &owner) && owner == index,
                         !want.held && j < want.digest_count);
    if (want.held) {
        assert_false(set_document(set, index, &document, &err));
        assert_false(set_document_digest(set, index, &checksum));
        return;
    }
    if (!set_document(set, index, &document, &err))
        fail_msg("entry %zu: %s", i, err.message);
    check_bytes(want.name, document, bytes_str(want.document));
    /* A primary digest alone approves nothing. */
    if (!digest_equal(&want.primary, &want.digests[0]))
        assert_false(set_has(set, &want.primary, &owner));
}

static void no_problem(void *context, const char *what)
{
    (void)context;
    fail_msg("%s", what);
}

static void test_set_gives_back_what_was_added(void **state)
{
    static const size_t counts[] = {0, 1, 2, 3, 6, 7, 8, 100, MANY};

    (void)state;
    for (size_t row = 0; row < COUNT(counts); row++) {
        CLEANUP(sample_free) struct bytes file = sample_file(counts[row]);
        CLEANUP(set_closep) struct set *set = sample_open(file);
        struct digest rules;

        sample_digest("rules", 0, 0, &rules);
        assert_true(digest_equal(set_rules(set), &rules));
        assert_int_equal(set_count(set), counts[row]);
        assert_int_equal(set_held_count(set), counts[row] / 7);
        check_bytes("policy", set_policy(set), BYTES("{\"govern\":[]}"));
        check_bytes("provenance", set_provenance(set),
                    BYTES("{\"sources\":[{\"name\":\"mesh\",\"commit\":\"3f2c1ab\"}]}"));
        check_bytes("file", set_file(set), file);
        for (size_t i = 0; i < counts[row]; i++) {
            check_entry(set, i);
            check_content(set, i);
        }
        assert_int_equal(set_verify(set, no_problem, NULL), 0);
    }
}

static void test_set_is_in_order(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(MANY);
    CLEANUP(set_closep) struct set *set = sample_open(file);
    struct set_entry before;
    struct digest last = {{0}};

    (void)state;
    set_entry(set, 0, &before);
    for (size_t i = 1; i < set_count(set); i++) {
        struct set_entry entry;

        set_entry(set, i, &entry);
        assert_true(identity_compare(&before.id, &entry.id) < 0);
        before = entry;
    }
    for (size_t i = 0; i < set_digest_count(set); i++) {
        struct digest digest;
        size_t owner;
        size_t index;

        set_digest(set, i, &digest, &owner);
        assert_true(digest_compare(&last, &digest) < 0);
        assert_true(set_has(set, &digest, &index));
        assert_int_equal(index, owner);
        last = digest;
    }
}

static void test_set_out_of_range_is_nothing(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(8);
    CLEANUP(set_closep) struct set *set = sample_open(file);
    static const size_t indexes[] = {8, 9, UINT32_MAX, SIZE_MAX};
    struct set_entry entry;
    struct digest digest;
    struct bytes document;
    struct kind kind;
    struct err err;
    size_t owner;

    (void)state;
    for (size_t i = 0; i < COUNT(indexes); i++) {
        set_entry(set, indexes[i], &entry);
        assert_true(entry.held);
        assert_int_equal(entry.id.name.len, 0);
        assert_false(set_document(set, indexes[i], &document, &err));
        set_kind_at(set, indexes[i], &kind);
        assert_int_equal(kind.kind.len, 0);
    }
    set_digest(set, set_digest_count(set), &digest, &owner);
    assert_true(owner == SET_NOWHERE);
}

static int compare_digests(const void *a, const void *b)
{
    return digest_compare(a, b);
}

static void test_set_root_is_over_the_primaries(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(MANY);
    CLEANUP(set_closep) struct set *set = sample_open(file);
    CLEANUP(sample_free) struct bytes empty_file = sample_file(0);
    CLEANUP(set_closep) struct set *empty = sample_open(empty_file);
    CLEANUP(merkle_freep) struct merkle *tree = merkle_new();
    struct digest primaries[MANY];
    struct digest root;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        struct sample_entry e;

        sample_entry(i, &e);
        if (!e.held)
            primaries[count++] = e.primary;
    }
    qsort(primaries, count, sizeof(*primaries), compare_digests);
    for (size_t i = 0; i < count; i++)
        merkle_add(tree, digest_bytes(&primaries[i]));
    merkle_root(tree, &root);
    assert_true(digest_equal(set_root(set), &root));
    digest_of(BYTES(""), &root);
    assert_true(digest_equal(set_root(empty), &root));
}

/* Lookups. */

/* xorshift: the same numbers in every run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void test_set_has_only_members(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(MANY);
    CLEANUP(set_closep) struct set *set = sample_open(file);
    uint64_t seed = 42;
    size_t index;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        struct digest digest;

        for (size_t j = 0; j < DIGEST_SIZE; j++)
            digest.bytes[j] = (uint8_t)next_random(&seed);
        assert_false(set_has(set, &digest, &index));
    }
    /* Neighbours: one bit away at either end. */
    for (size_t i = 0; i < set_digest_count(set); i++) {
        struct digest digest;

        set_digest(set, i, &digest, &index);
        digest.bytes[DIGEST_SIZE - 1] ^= 1;
        assert_false(set_has(set, &digest, &index));
        digest.bytes[DIGEST_SIZE - 1] ^= 1;
        digest.bytes[0] ^= 0x80;
        assert_false(set_has(set, &digest, &index));
    }
}

static void test_set_finds_only_identities(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(MANY);
    CLEANUP(set_closep) struct set *set = sample_open(file);
    const struct {
        const char *name;
        struct identity id;
        bool found;
    } rows[] = {
        {"there", {BYTES(""), BYTES("ConfigMap"), BYTES("team-1"), BYTES("object-1")}, true},
        {"other group",
         {BYTES("x"), BYTES("ConfigMap"), BYTES("team-1"), BYTES("object-1")},
         false},
        {"other kind", {BYTES(""), BYTES("Config"), BYTES("team-1"), BYTES("object-1")}, false},
        {"other namespace",
         {BYTES(""), BYTES("ConfigMap"), BYTES("team"), BYTES("object-1")},
         false},
        {"no namespace", {BYTES(""), BYTES("ConfigMap"), BYTES(""), BYTES("object-1")}, false},
        {"a prefix", {BYTES(""), BYTES("ConfigMap"), BYTES("team-1"), BYTES("object-")}, false},
        {"longer", {BYTES(""), BYTES("ConfigMap"), BYTES("team-1"), BYTES("object-1\0")}, false},
        {"before all", {BYTES(""), BYTES(""), BYTES(""), BYTES("")}, false},
        {"behind all", {BYTES("z"), BYTES("z"), BYTES("z"), BYTES("z")}, false},
        {"last of its kind",
         {BYTES("networking.istio.io"), BYTES("VirtualService"), BYTES("z"), BYTES("")},
         false},
        {"cluster-scoped",
         {BYTES("gateway.networking.k8s.io"), BYTES("GatewayClass"), BYTES(""), BYTES("object-2")},
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t index;

        if (set_find(set, &rows[i].id, &index) != rows[i].found)
            fail_msg("%s: %s", rows[i].name, rows[i].found ? "not found" : "found");
    }
}

static void test_set_counts(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(300);
    CLEANUP(set_closep) struct set *set = sample_open(file);

    (void)state;
    /* 300 entries: 100 of each kind; two kinds of three are spread over five namespaces. */
    assert_int_equal(set_count_of_kind(set, BYTES(""), BYTES("ConfigMap")), 100);
    assert_int_equal(set_count_of_kind(set, BYTES("networking.istio.io"), BYTES("VirtualService")),
                     100);
    assert_int_equal(set_count_of_kind(set, BYTES(""), BYTES("Service")), 0);
    assert_int_equal(set_count_in_namespace(set, BYTES("team-0")), 40);
    assert_int_equal(set_count_in_namespace(set, BYTES("team-4")), 40);
    assert_int_equal(set_count_in_namespace(set, BYTES("")), 100);
    assert_int_equal(set_count_in_namespace(set, BYTES("nobody")), 0);
    assert_int_equal(set_count_in_namespace(set, BYTES("team-")), 0);
    for (size_t kind = 0; kind < set_kind_count(set); kind++) {
        size_t first;
        const size_t count = set_range(set, kind, BYTES("team-0"), &first);

        for (size_t i = 0; i < set_count(set); i++) {
            struct set_entry entry;
            struct kind known;

            set_entry(set, i, &entry);
            set_kind_at(set, kind, &known);
            assert_int_equal(bytes_equal(entry.id.group, known.group) &&
                                 bytes_equal(entry.id.kind, known.kind) &&
                                 bytes_equal(entry.id.namespace, BYTES("team-0")),
                             i >= first && i < first + count);
        }
    }
}

static void test_set_knows_its_kinds(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(3);
    CLEANUP(set_closep) struct set *set = sample_open(file);
    struct kind kind;
    struct kind other;

    (void)state;
    assert_int_equal(set_kind_count(set), COUNT(sample_kinds));
    for (size_t i = 0; i < COUNT(sample_kinds); i++) {
        const struct kind *want = &sample_kinds[i];

        assert_true(set_kind(set, want->group, want->kind, &kind));
        check_bytes("plural", kind.plural, want->plural);
        check_bytes("nulls", kind.nulls, want->nulls);
        assert_int_equal(kind.has_schema, want->has_schema);
        assert_int_equal(kind.namespaced, want->namespaced);
        assert_int_equal(kind.conversion, want->conversion);
        assert_int_equal(kind.version_count, want->version_count);
        for (size_t j = 0; j < kind.version_count; j++) {
            check_bytes("version", kind.versions[j].name, want->versions[j].name);
            assert_int_equal(kind.versions[j].served, want->versions[j].served);
            assert_int_equal(kind.versions[j].storage, want->versions[j].storage);
            assert_int_equal(kind.versions[j].status_subresource,
                             want->versions[j].status_subresource);
        }
    }
    assert_false(set_kind(set, BYTES(""), BYTES("VirtualService"), &kind));
    set_kind_at(set, 0, &kind);
    set_kind_at(set, 2, &other);
    check_bytes("first kind", kind.kind, BYTES("ConfigMap"));
    check_bytes("last kind", other.kind, BYTES("VirtualService"));
}

/* The same content gives the same bytes. */

static void shuffle(size_t *order, size_t count, uint64_t *seed)
{
    for (size_t i = count - 1; i > 0; i--) {
        const size_t j = (size_t)(next_random(seed) % (i + 1));
        const size_t other = order[i];

        order[i] = order[j];
        order[j] = other;
    }
}

static void test_set_bytes_do_not_depend_on_the_order(void **state)
{
    CLEANUP(sample_free) struct bytes want = sample_file(MANY);
    size_t order[MANY];
    uint64_t seed = 7;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        order[i] = i;
    for (size_t round = 0; round < 20; round++) {
        CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
        CLEANUP(buf_release) struct buf out = {0};
        struct err err;

        shuffle(order, MANY, &seed);
        sample_frame(w);
        sample_frame(w); /* every kind twice */
        for (size_t i = 0; i < MANY; i++)
            sample_add(w, order[i]);
        assert_true(setwriter_finish(w, &out, &err));
        assert_true(bytes_equal(buf_bytes(&out), want));
        /* Once more, behind what is there already. */
        assert_true(setwriter_finish(w, &out, &err));
        assert_int_equal(out.len, 2 * want.len);
        assert_memory_equal(out.ptr + want.len, want.ptr, want.len);
    }
}

/* Files. */

static void write_file(const char *path, struct bytes content)
{
    struct err err;

    if (!file_replace(path, content, 0600, &err))
        fail_msg("%s", err.message);
}

static void test_set_opens_files(void **state)
{
    CLEANUP(sample_free) struct bytes file = sample_file(20);
    char folder[] = "test_set.XXXXXX";
    CLEANUP(freep) uint8_t *other_format = xmalloc(file.len);
    struct set *set = NULL;
    struct err err;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    memcpy(other_format, file.ptr, file.len);
    other_format[8] = 2;
    write_file("good", file);
    write_file("empty", BYTES(""));
    write_file("text", BYTES("apiVersion: v1\nkind: List\n"));
    write_file("other", bytes_of(other_format, file.len));
    write_file("cut", bytes_of(file.ptr, file.len - 1));
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(symlink("good", "link"), 0);

    const struct {
        const char *path;
        const char *want; /* part of the message; empty: it opens */
    } rows[] = {
        {"good", ""},
        {"link", ""},
        {"missing", "missing: cannot open: No such file"},
        {".", ".: is not a file"},
        {"fifo", "fifo: is not a file"},
        {"empty", "empty: is not a writ.set"},
        {"text", "text: is not a writ.set"},
        {"other", "other: is a writ.set of format 2, this program reads format 1"},
        {"cut", "cut: is cut off"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const bool opened = set_open(rows[i].path, &set, &err);

        if (opened != (rows[i].want[0] == '\0'))
            fail_msg("%s: %s", rows[i].path, opened ? "opened" : err.message);
        if (opened) {
            assert_int_equal(set_count(set), 20);
            set_close(set);
        } else if (strstr(err.message, rows[i].want) == NULL) {
            fail_msg("%s: got \"%s\"", rows[i].path, err.message);
        }
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        (void)unlink(rows[i].path);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_gives_back_what_was_added),
        cmocka_unit_test(test_set_is_in_order),
        cmocka_unit_test(test_set_out_of_range_is_nothing),
        cmocka_unit_test(test_set_root_is_over_the_primaries),
        cmocka_unit_test(test_set_has_only_members),
        cmocka_unit_test(test_set_finds_only_identities),
        cmocka_unit_test(test_set_counts),
        cmocka_unit_test(test_set_knows_its_kinds),
        cmocka_unit_test(test_set_bytes_do_not_depend_on_the_order),
        cmocka_unit_test(test_set_opens_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
