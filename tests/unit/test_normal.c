#include "policy/diff.h"
#include "policy/normal.h"
#include "tests/unit/test.h"

static void read_object(struct normal *n, const char *json, bool drop_status)
{
    const struct normal_rules rules = {.drop_status = drop_status};
    struct err err;

    if (!normal_read_text(n, bytes_str(json), &rules, &err))
        fail_msg("%s: %s", json, err.message);
}

static void test_digest_is_that_of_an_independent_encoder(void **state)
{
    /* Computed with Python's hashlib and struct from the rule N25. */
    static const struct {
        const char *version;
        const char *want;
    } rows[] = {
        {"", "d702530a26ab0b0fc107a35c053d4cf232ac43dd93d38997b6930644ea4f6921"},
        {"v1", "325a2ff8406a90407e41297c736e6e80aad73436cdd965ce4f0f6d8da3670c01"},
    };
    const struct identity id = {BYTES("g.io"), BYTES("Kind"), BYTES("ns"), BYTES("n")};
    struct normal n = {0};
    struct sha256 *hash = sha256_new();

    (void)state;
    read_object(&n,
                "{\"apiVersion\":\"g.io/v1\",\"kind\":\"Kind\",\"metadata\":{\"name\":\"n\","
                "\"namespace\":\"ns\",\"uid\":\"u\",\"labels\":{\"istio.io/rev\":\"a\"}},"
                "\"spec\":{\"b\":[1,2.5,true,null,\"\xc3\xa9\"],\"a\":{}},\"status\":{\"x\":1}}",
                true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct digest digest;
        char hex[DIGEST_HEX_SIZE];

        normal_digest(&n, &id, bytes_str(rows[i].version), hash, &digest);
        assert_string_equal(digest_hex(&digest, hex), rows[i].want);
    }
    sha256_free(hash);
    normal_release(&n);
}

#define OBJECT(metadata, rest)                                                                     \
    "{\"apiVersion\":\"g.io/v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"n\"" metadata "}" rest "}"

static void test_what_is_and_what_is_not_configuration(void **state)
{
    static const struct {
        const char *name;
        const char *a;
        const char *b;
        bool equal;
    } rows[] = {
        {"what the server sets (N18)", OBJECT("", ""),
         OBJECT(",\"uid\":\"u\",\"resourceVersion\":\"1\",\"generation\":1,"
                "\"creationTimestamp\":null,\"selfLink\":\"x\",\"generateName\":\"n-\","
                "\"managedFields\":[{\"manager\":\"m\"}],\"finalizers\":[\"f\"],"
                "\"deletionTimestamp\":\"t\",\"deletionGracePeriodSeconds\":0",
                ""),
         true},
        {"unknown metadata is kept (N18)", OBJECT("", ""), OBJECT(",\"zone\":\"a\"", ""), false},
        {"owner references are kept (N18)", OBJECT("", ""), OBJECT(",\"ownerReferences\":[{}]", ""),
         false},
        {"empty labels vanish (N21)", OBJECT("", ""),
         OBJECT(",\"labels\":{},\"annotations\":{}", ""), true},
        {"null labels vanish", OBJECT("", ""), OBJECT(",\"labels\":null", ""), true},
        {"bookkeeping annotations (N19)", OBJECT("", ""),
         OBJECT(",\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\","
                "\"meta.helm.sh/release-name\":\"r\"}",
                ""),
         true},
        {"bookkeeping beside others", OBJECT(",\"annotations\":{\"b\":\"1\"}", ""),
         OBJECT(",\"annotations\":{\"argocd.argoproj.io/tracking-id\":\"t\",\"b\":\"1\"}", ""),
         true},
        {"the same key as a label counts", OBJECT("", ""),
         OBJECT(",\"labels\":{\"meta.helm.sh/release-name\":\"r\"}", ""), false},
        {"other annotations count", OBJECT("", ""),
         OBJECT(",\"annotations\":{\"istio.io/dry-run\":\"true\"}", ""), false},
        {"break-glass is not in the digest (N36)", OBJECT("", ""),
         OBJECT(",\"annotations\":{\"meshwrit.dev/break-glass\":\"x\"}", ""), true},
        {"status of a version with the subresource (N17)", OBJECT("", ""),
         OBJECT("", ",\"status\":{\"a\":1}"), true},
        {"status elsewhere", OBJECT("", ",\"spec\":{}"), OBJECT("", ",\"spec\":{\"status\":1}"),
         false},
        {"key order does not matter (N22)", OBJECT("", ",\"spec\":{\"a\":1,\"b\":2}"),
         OBJECT("", ",\"spec\":{\"b\":2,\"a\":1}"), true},
        {"list order does (N22)", OBJECT("", ",\"spec\":[1,2]"), OBJECT("", ",\"spec\":[2,1]"),
         false},
        {"empty map and absent differ (N21)", OBJECT("", ""), OBJECT("", ",\"spec\":{}"), false},
        {"text and number differ (N23)", OBJECT("", ",\"spec\":\"80\""), OBJECT("", ",\"spec\":80"),
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct normal a = {0};
        struct normal b = {0};

        read_object(&a, rows[i].a, true);
        read_object(&b, rows[i].b, true);
        if (normal_equal(&a, &b) != rows[i].equal)
            fail_msg("%s: %s", rows[i].name, rows[i].equal ? "differ" : "are equal");
        normal_release(&a);
        normal_release(&b);
    }
}

static void test_facts_outside_the_digest(void **state)
{
    struct normal n = {0};

    (void)state;
    read_object(&n,
                OBJECT(",\"namespace\":\"n\\u0073\",\"deletionTimestamp\":\"t\",\"finalizers\":[],"
                       "\"annotations\":{\"meshwrit.dev/break-glass\":\"why\"}",
                       ""),
                true);
    check_bytes("name", n.name, BYTES("n"));
    check_bytes("namespace", n.namespace, BYTES("ns"));
    check_bytes("kind", n.kind, BYTES("K"));
    check_bytes("break-glass", n.break_glass, BYTES("why"));
    assert_true(n.deleting);
    assert_false(n.has_finalizers);
    read_object(&n, OBJECT(",\"finalizers\":[\"f\"]", ""), true);
    assert_true(n.has_finalizers);
    assert_false(n.deleting);
    assert_false(n.has_break_glass);
    normal_release(&n);
}

static void test_duplicates_are_refused_wherever_they_are(void **state)
{
    static const char *const rows[] = {
        "{\"kind\":\"a\",\"kind\":\"a\",\"metadata\":{}}",
        "{\"metadata\":{},\"spec\":1,\"metadata\":{}}",
        "{\"metadata\":{},\"status\":{},\"a\":1,\"status\":{}}",
        "{\"metadata\":{\"uid\":\"a\",\"name\":\"n\",\"uid\":\"b\"}}",
        "{\"metadata\":{\"name\":\"n\",\"name\":\"n\"}}",
        "{\"metadata\":{\"labels\":{},\"labels\":{}}}",
        ("{\"metadata\":{\"annotations\":{\"meshwrit.dev/break-glass\":\"1\",\"a\":\"\","
         "\"meshwrit.dev/break-glass\":\"2\"}}}"),
        "{\"metadata\":{\"managedFields\":[{\"a\":1,\"a\":2}]}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct normal_rules rules = {.drop_status = true};
        struct normal n = {0};
        struct err err;

        if (normal_read_text(&n, bytes_str(rows[i]), &rules, &err))
            fail_msg("%s: was taken", rows[i]);
        assert_non_null(strstr(err.message, "duplicate key"));
        normal_release(&n);
    }
}

static void test_the_garbage_collector_may_remove_owners(void **state)
{
    struct normal now = {0};
    struct normal before = {0};

    (void)state;
    read_object(&before,
                OBJECT(",\"labels\":{\"a\":\"b\"},\"ownerReferences\":[{\"uid\":\"1\"}]", ""),
                true);
    read_object(&now, OBJECT(",\"labels\":{\"a\":\"b\"}", ""), true);
    assert_true(normal_equal_but_removed_owners(&now, &before));
    assert_false(normal_equal_but_removed_owners(&before, &now));
    read_object(&now, OBJECT("", ""), true);
    assert_false(normal_equal_but_removed_owners(&now, &before));
    normal_release(&now);
    normal_release(&before);
}

static void test_diff_names_the_first_difference(void **state)
{
    static const struct {
        const char *name;
        const char *git;
        const char *live;
        const char *path;
        const char *left;
        const char *right;
    } rows[] = {
        {"a number deep down",
         OBJECT("", ",\"spec\":{\"http\":[{\"route\":[{\"weight\":90},{\"weight\":10}]}]}"),
         OBJECT("", ",\"spec\":{\"http\":[{\"route\":[{\"weight\":90},{\"weight\":50}]}]}"),
         "spec.http[0].route[1].weight", "10", "50"},
        {"an added field", OBJECT("", ",\"spec\":{\"a\":1}"),
         OBJECT("", ",\"spec\":{\"a\":1,\"b\":{\"c\":\"d\"}}"), "spec.b", "", "{\"c\":\"d\"}"},
        {"a missing field", OBJECT("", ",\"spec\":{\"a\":1,\"b\":[true,null]}"),
         OBJECT("", ",\"spec\":{\"a\":1}"), "spec.b", "[true,null]", ""},
        {"a longer list", OBJECT("", ",\"spec\":[1]"), OBJECT("", ",\"spec\":[1,2.5]"), "spec[1]",
         "", "2.5"},
        {"another type", OBJECT("", ",\"spec\":{\"a\":\"1\"}"), OBJECT("", ",\"spec\":{\"a\":1}"),
         "spec.a", "\"1\"", "1"},
        {"the only label is missing", OBJECT(",\"labels\":{\"a\":\"x\"}", ""), OBJECT("", ""),
         "metadata.labels.a", "\"x\"", ""},
        {"a label with dots", OBJECT(",\"labels\":{\"a.b/c\":\"x\"}", ""),
         OBJECT(",\"labels\":{\"a.b/c\":\"y\"}", ""), "metadata.labels[\"a.b/c\"]", "\"x\"",
         "\"y\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct normal git = {0};
        struct normal live = {0};
        struct diff diff;
        struct buf text = {0};

        read_object(&git, rows[i].git, true);
        read_object(&live, rows[i].live, true);
        if (!diff_first(&git, &live, &diff))
            fail_msg("%s: no difference found", rows[i].name);
        check_bytes(rows[i].name, buf_bytes(&diff.path), bytes_str(rows[i].path));
        if (diff.left.len > 0)
            diff_render(diff.left, 100, &text);
        check_bytes(rows[i].name, buf_bytes(&text), bytes_str(rows[i].left));
        text.len = 0;
        if (diff.right.len > 0)
            diff_render(diff.right, 100, &text);
        check_bytes(rows[i].name, buf_bytes(&text), bytes_str(rows[i].right));
        assert_false(diff_first(&git, &git, &(struct diff){0}));
        diff_release(&diff);
        buf_release(&text);
        normal_release(&git);
        normal_release(&live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_is_that_of_an_independent_encoder),
        cmocka_unit_test(test_what_is_and_what_is_not_configuration),
        cmocka_unit_test(test_facts_outside_the_digest),
        cmocka_unit_test(test_duplicates_are_refused_wherever_they_are),
        cmocka_unit_test(test_the_garbage_collector_may_remove_owners),
        cmocka_unit_test(test_diff_names_the_first_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
