/* What the writer refuses, and what two sets say differently. */
#include <stdlib.h>
#include <string.h>

#include "policy/set_compare.h"
#include "policy/set_format.h"
#include "tests/unit/set_sample.h"

#include "base/banned.h"

static const struct setwriter_place place = {{(const uint8_t *)"mesh", 4},
                                             {(const uint8_t *)"c0ffee", 6},
                                             {(const uint8_t *)"a.yaml", 6},
                                             3};

static struct identity config_map(const char *name)
{
    return (struct identity){BYTES(""), BYTES("ConfigMap"), BYTES("team"), bytes_str(name)};
}

static void approve(struct setwriter *w, const char *name, const char *digest, const char *document)
{
    const struct identity id = config_map(name);
    struct digest d;

    digest_of(bytes_str(digest), &d);
    setwriter_approve(w, &id, &place, &d, &d, 1, bytes_str(document));
}

static void hold(struct setwriter *w, const char *name, struct bytes message)
{
    const struct identity id = config_map(name);

    setwriter_hold(w, &id, &place, message);
}

/* Each does one thing that no set may hold. */

static void add_twice(struct setwriter *w)
{
    approve(w, "one", "1", "{}");
    approve(w, "one", "2", "{}");
}

static void add_approved_and_held(struct setwriter *w)
{
    approve(w, "one", "1", "{}");
    hold(w, "one", BYTES("no"));
}

static void add_one_digest_for_two(struct setwriter *w)
{
    approve(w, "one", "1", "{}");
    approve(w, "two", "1", "{}");
}

static void add_one_primary_for_two(struct setwriter *w)
{
    const struct identity one = config_map("one");
    const struct identity two = config_map("two");
    struct digest primary;
    struct digest d;

    digest_of(BYTES("primary"), &primary);
    digest_of(BYTES("1"), &d);
    setwriter_approve(w, &one, &place, &primary, &d, 1, BYTES("{}"));
    digest_of(BYTES("2"), &d);
    setwriter_approve(w, &two, &place, &primary, &d, 1, BYTES("{}"));
}

static void add_primary_of_another(struct setwriter *w)
{
    const struct identity two = config_map("two");
    struct digest primary;
    struct digest d;

    approve(w, "one", "1", "{}");
    digest_of(BYTES("1"), &primary);
    digest_of(BYTES("2"), &d);
    setwriter_approve(w, &two, &place, &primary, &d, 1, BYTES("{}"));
}

static void add_no_digest(struct setwriter *w)
{
    const struct identity one = config_map("one");
    struct digest d = {{0}};

    setwriter_approve(w, &one, &place, &d, &d, 0, BYTES("{}"));
}

static void add_unknown_kind(struct setwriter *w)
{
    const struct identity id = {BYTES("x.io"), BYTES("Thing"), BYTES("ns"), BYTES("n")};

    setwriter_hold(w, &id, &place, BYTES("no"));
}

static void add_kind_in_two_ways(struct setwriter *w)
{
    struct kind kind = sample_kinds[1];

    kind.versions[0].status_subresource = true;
    setwriter_kind(w, &kind);
}

static void add_long_name(struct setwriter *w)
{
    CLEANUP(freep) char *name = xcalloc(1, SET_MAX_STRING + 2);

    memset(name, 'x', SET_MAX_STRING + 1);
    hold(w, name, BYTES("no"));
}

static void add_large_document(struct setwriter *w)
{
    CLEANUP(freep) char *document = xcalloc(1, SET_MAX_DOCUMENT_BYTES + 2);

    memset(document, ' ', SET_MAX_DOCUMENT_BYTES + 1);
    approve(w, "one", "1", document);
}

static void add_far_line(struct setwriter *w)
{
    const struct identity id = config_map("one");
    struct setwriter_place far = place;

    far.line = 0x80000000U;
    setwriter_hold(w, &id, &far, BYTES("no"));
}

static void add_many_kinds(struct setwriter *w)
{
    for (unsigned i = 0; i <= SET_MAX_KINDS; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "Kind%u", i);
        setwriter_kind(w, &(struct kind){.kind = bytes_str(name)});
    }
}

static void add_large_policy(struct setwriter *w)
{
    CLEANUP(freep) char *text = xcalloc(1, SET_MAX_POLICY_BYTES + 1);

    setwriter_policy(w, bytes_of(text, SET_MAX_POLICY_BYTES + 1));
}

static void add_large_provenance(struct setwriter *w)
{
    CLEANUP(freep) char *text = xcalloc(1, SET_MAX_PROVENANCE_BYTES + 1);

    setwriter_provenance(w, bytes_of(text, SET_MAX_PROVENANCE_BYTES + 1));
}

static void add_large_nulls(struct setwriter *w)
{
    CLEANUP(freep) char *tree = xcalloc(1, SET_MAX_NULLS_BYTES + 1);

    setwriter_kind(
        w, &(struct kind){.kind = BYTES("Big"), .nulls = bytes_of(tree, SET_MAX_NULLS_BYTES + 1)});
}

static void add_long_plural(struct setwriter *w)
{
    CLEANUP(freep) char *text = xcalloc(1, SET_MAX_STRING + 2);

    memset(text, 'p', SET_MAX_STRING + 1);
    setwriter_kind(w, &(struct kind){.kind = BYTES("Long"), .plural = bytes_str(text)});
}

static void test_setwriter_refuses(void **state)
{
    static const struct {
        const char *name;
        void (*add)(struct setwriter *w);
        const char *want;
    } rows[] = {
        {"twice", add_twice, "one identity is there twice: ConfigMap/team/one (a.yaml:3) and"},
        {"approved and held", add_approved_and_held, "one identity is there twice"},
        {"a digest for two", add_one_digest_for_two,
         "one digest is approved for two identities: "
         "ConfigMap/team/one (a.yaml:3) and "
         "ConfigMap/team/two (a.yaml:3)"},
        {"a primary for two", add_one_primary_for_two, "two identities have the primary digest"},
        {"another's primary", add_primary_of_another, "one digest is of two identities"},
        {"no digest", add_no_digest, "ConfigMap/team/one: an approved entry without a digest"},
        {"unknown kind", add_unknown_kind, "Thing.x.io/ns/n: its kind was not added"},
        {"kind in two ways", add_kind_in_two_ways, "kind ConfigMap of group \"\" was added in two"},
        {"long name", add_long_name, "the name has 65536 bytes, a set holds at most 65535"},
        {"large document", add_large_document, "ConfigMap/team/one (a.yaml:3): the document has"},
        {"far line", add_far_line, "line 2147483648 is beyond"},
        {"many kinds", add_many_kinds, "at most 4096 kinds"},
        {"large policy", add_large_policy, "the policy: 4194305 bytes"},
        {"large provenance", add_large_provenance, "the provenance: 16777217 bytes"},
        {"large nulls", add_large_nulls, "the null paths of all kinds: 67108883 bytes"},
        {"long plural", add_long_plural, "a string of 65536 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
        CLEANUP(buf_release) struct buf out = {0};
        struct err err;

        sample_frame(w);
        rows[i].add(w);
        buf_append_str(&out, "before");
        if (setwriter_finish(w, &out, &err))
            fail_msg("%s: was written", rows[i].name);
        if (strstr(err.message, rows[i].want) == NULL)
            fail_msg("%s: got \"%s\"", rows[i].name, err.message);
        check_bytes(rows[i].name, buf_bytes(&out), BYTES("before"));
    }
}

static void test_setwriter_takes_what_is_at_the_limit(void **state)
{
    CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
    CLEANUP(buf_release) struct buf out = {0};
    CLEANUP(set_closep) struct set *set = NULL;
    CLEANUP(freep) char *name = xcalloc(1, SET_MAX_STRING + 1);
    CLEANUP(freep) char *document = xcalloc(1, SET_MAX_DOCUMENT_BYTES + 1);
    struct bytes json;
    struct err err;
    size_t index;

    (void)state;
    memset(name, 'x', SET_MAX_STRING);
    memset(document, ' ', SET_MAX_DOCUMENT_BYTES);
    sample_frame(w);
    approve(w, name, "1", document);
    assert_true(setwriter_finish(w, &out, &err));
    set = sample_open(buf_bytes(&out));

    const struct identity id = config_map(name);

    assert_true(set_find(set, &id, &index));
    assert_true(set_document(set, index, &json, &err));
    assert_int_equal(json.len, SET_MAX_DOCUMENT_BYTES);
}

static void test_setwriter_cuts_messages_between_characters(void **state)
{
    CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
    CLEANUP(buf_release) struct buf out = {0};
    CLEANUP(buf_release) struct buf message = {0};
    CLEANUP(set_closep) struct set *set = NULL;
    struct set_entry entry;
    struct err err;

    (void)state;
    buf_byte(&message, 'a');
    while (message.len <= SET_MAX_MESSAGE)
        buf_append_str(&message, "\xe2\x82\xac"); /* three bytes each: 4096 is no end of one */
    sample_frame(w);
    hold(w, "one", buf_bytes(&message));
    assert_true(setwriter_finish(w, &out, &err));
    set = sample_open(buf_bytes(&out));
    set_entry(set, 0, &entry);
    assert_int_equal(entry.message.len, SET_MAX_MESSAGE);
    check_bytes("message", entry.message, bytes_of(message.ptr, entry.message.len));
}

static void test_setwriter_keeps_equal_strings_once(void **state)
{
    CLEANUP(sample_free) struct bytes few = sample_file(0);
    CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
    CLEANUP(buf_release) struct buf out = {0};
    struct set_header before;
    struct set_header after;
    struct err err;

    (void)state;
    sample_frame(w);
    for (unsigned i = 0; i < 100; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "n%02u", i);
        hold(w, name, BYTES("the same message"));
    }
    assert_true(setwriter_finish(w, &out, &err));
    assert_true(set_format_read(few, &before, &err));
    assert_true(set_format_read(buf_bytes(&out), &after, &err));
    /* A length each, "team", "mesh", "c0ffee", "a.yaml", the message, and 100 names of 3 bytes. */
    assert_int_equal(after.sections[SET_STRINGS].length - before.sections[SET_STRINGS].length,
                     5 * 2 + 4 + 4 + 6 + 6 + 16 + 100 * (2 + 3));
}

/* Two sets. */

static void tell(void *context, const struct set_change *change)
{
    struct buf *out = context;
    const struct set_entry *entry = change->before != NULL ? change->before : change->after;

    buf_append_str(out, change->before == NULL ? "+" : change->after == NULL ? "-" : "~");
    buf_append(out, entry->id.name);
    if (change->held)
        buf_append_str(out, " held");
    if (change->digest)
        buf_append_str(out, " digest");
    if (change->document)
        buf_append_str(out, " document");
    buf_append_str(out, "; ");
}

static void build_before(struct setwriter *w)
{
    approve(w, "a-removed", "1", "{}");
    approve(w, "b-same", "2", "{}");
    approve(w, "c-digest", "3", "{}");
    approve(w, "d-document", "4", "{}");
    approve(w, "e-becomes-held", "5", "{}");
    hold(w, "f-becomes-approved", BYTES("no"));
    hold(w, "g-message", BYTES("no"));
    hold(w, "h-held", BYTES("no"));
    approve(w, "i-more", "9", "{}");
}

static void build_after(struct setwriter *w)
{
    const struct identity id = config_map("i-more");
    struct digest two[2];

    approve(w, "b-same", "2", "{}");
    approve(w, "c-digest", "3x", "{}");
    approve(w, "d-document", "4", "{ }");
    hold(w, "e-becomes-held", BYTES("no"));
    approve(w, "f-becomes-approved", "6", "{}");
    hold(w, "g-message", BYTES("no!"));
    hold(w, "h-held", BYTES("no"));
    digest_of(BYTES("9"), &two[0]);
    digest_of(BYTES("10"), &two[1]);
    setwriter_approve(w, &id, &place, &two[0], two, 2, BYTES("{}"));
    approve(w, "j-added", "11", "{}");
}

static struct set *build(void (*fill)(struct setwriter *w), struct buf *out)
{
    CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
    struct err err;

    sample_frame(w);
    fill(w);
    if (!setwriter_finish(w, out, &err))
        fail_msg("%s", err.message);
    return sample_open(buf_bytes(out));
}

static void test_set_compare_tells_what_differs(void **state)
{
    CLEANUP(buf_release) struct buf before_file = {0};
    CLEANUP(buf_release) struct buf after_file = {0};
    CLEANUP(buf_release) struct buf text = {0};
    CLEANUP(set_closep) struct set *before = build(build_before, &before_file);
    CLEANUP(set_closep) struct set *after = build(build_after, &after_file);

    (void)state;
    assert_int_equal(set_compare(before, after, tell, &text), 8);
    check_bytes("there", buf_bytes(&text),
                BYTES("-a-removed; ~c-digest digest; ~d-document document; "
                      "~e-becomes-held held digest document; "
                      "~f-becomes-approved held digest document; ~g-message held; "
                      "~i-more digest; +j-added; "));
    text.len = 0;
    assert_int_equal(set_compare(before, before, tell, &text), 0);
    check_bytes("same", buf_bytes(&text), BYTES(""));
    assert_true(set_compare_kinds(before, after));
}

static void add_kind(struct setwriter *w)
{
    struct kind kind = sample_kinds[0];

    kind.kind = BYTES("Sidecar");
    setwriter_kind(w, &kind);
}

static void add_other_nulls(struct setwriter *w)
{
    struct kind kind = sample_kinds[0];

    kind.kind = BYTES("Sidecar");
    kind.nulls = BYTES("other");
    setwriter_kind(w, &kind);
}

static void test_set_compare_kinds(void **state)
{
    CLEANUP(buf_release) struct buf plain_file = {0};
    CLEANUP(buf_release) struct buf more_file = {0};
    CLEANUP(buf_release) struct buf other_file = {0};
    CLEANUP(set_closep) struct set *plain = build(build_before, &plain_file);
    CLEANUP(set_closep) struct set *more = build(add_kind, &more_file);
    CLEANUP(set_closep) struct set *other = build(add_other_nulls, &other_file);

    (void)state;
    assert_true(set_compare_kinds(more, more));
    assert_false(set_compare_kinds(plain, more));
    assert_false(set_compare_kinds(more, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setwriter_refuses),
        cmocka_unit_test(test_setwriter_takes_what_is_at_the_limit),
        cmocka_unit_test(test_setwriter_cuts_messages_between_characters),
        cmocka_unit_test(test_setwriter_keeps_equal_strings_once),
        cmocka_unit_test(test_set_compare_tells_what_differs),
        cmocka_unit_test(test_set_compare_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
