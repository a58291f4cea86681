#include <stdlib.h>

#include "base/buf.h"
#include "policy/pattern.h"
#include "policy/policy.h"
#include "tests/unit/test.h"

static struct policy *load(const char *json)
{
    struct policy *p = NULL;
    struct err err;

    if (!policy_load_text(bytes_str(json), &p, &err))
        fail_msg("%s: %s %s", json, err.path, err.message);
    return p;
}

#define POLICY(rest)      "{\"apiVersion\":\"meshwrit.dev/v1alpha1\",\"kind\":\"Policy\"," rest "}"
#define RULE(kinds, mode) "{\"groups\":[\"g.io\"],\"kinds\":[" kinds "],\"mode\":\"" mode "\"}"

#define FIELDS            ",\"fields\":[{\"path\":\"metadata.labels.a\"}]"
#define CORE(kinds, more) "{\"groups\":[\"\"],\"kinds\":[" kinds "],\"mode\":\"warn\"" more "}"

static void test_policy_refuses_with_the_place(void **state)
{
    static const struct {
        const char *json;
        const char *path;
        const char *message;
    } rows[] = {
        {"[]", "", "expected a map"},
        {"{}", "", "apiVersion: meshwrit.dev/v1alpha1 and kind: Policy are missing"},
        {POLICY("\"govern\":[]"), "", "governs nothing"},
        {POLICY("\"gover\":[]"), "gover", "unknown key \"gover\""},
        {POLICY("\"kind\":\"Config\""), "", "duplicate"},
        {POLICY("\"deleteUnknown\":\"no\""), "deleteUnknown", "expected deny or warn or allow"},
        {POLICY("\"writers\":[]"), "writers", "unknown key"},
        {POLICY("\"govern\":[{}]"), "govern[0]", "needs groups, kinds and mode"},
        {POLICY("\"govern\":[{\"groups\":\"g\"}]"), "govern[0].groups", "expected a list"},
        {POLICY("\"govern\":[{\"groups\":[1]}]"), "govern[0].groups[0]", "expected a string"},
        {POLICY("\"govern\":[" RULE("\"A\"", "strict") "]"), "govern[0].mode", "not \"strict\""},
        {POLICY("\"govern\":[" RULE("\"A*\"", "warn") "]"), "govern[0]", "whole names"},
        {POLICY("\"govern\":[" RULE("\"A\"", "warn") "," RULE("\"A\"", "audit") "]"),
         "govern[1].mode", "govern[0] (warn) and govern[1] (audit) can meet"},
        {POLICY("\"govern\":[" RULE("\"A\"", "warn") "," RULE("\"*\"", "audit") "]"),
         "govern[1].mode", "can meet in one object"},
        {POLICY("\"govern\":[{\"groups\":[\"\"],\"kinds\":[\"Pod\"],\"mode\":\"audit\"}]"),
         "govern[0].kinds", "Pod of group \"\" cannot be governed"},
        {POLICY("\"govern\":[{\"groups\":[\"kuma.io\"],\"kinds\":[\"MeshInsight\"],"
                "\"mode\":\"audit\"}]"),
         "govern[0].kinds", "written at run time"},
        {POLICY("\"govern\":[{\"groups\":[\"cilium.io\"],\"kinds\":[\"*\"],\"mode\":\"audit\"}]"),
         "govern[0].kinds", "name the kinds"},
        {POLICY("\"govern\":[{\"groups\":[\"*\"],\"kinds\":[\"A\"],\"mode\":\"audit\"}]"),
         "govern[0].kinds", "groups are whole names"},
        {POLICY("\"govern\":[" CORE("\"Service\"", "") "]"), "govern[0]",
         "of a Service only labels and annotations count: name them in fields"},
        {POLICY("\"govern\":[" CORE("\"ReplicationController\"", "") "]"), "govern[0].kinds",
         "none of the core kinds that can be governed: ConfigMap, Namespace, Secret, Service"},
        {POLICY("\"govern\":[" CORE("\"Endpoints\"", FIELDS) "]"), "govern[0].kinds",
         "written at run time"},
        {POLICY("\"govern\":[" CORE("\"*\"", FIELDS) "]"), "govern[0].kinds", "name the kinds"},
        {POLICY(
             "\"govern\":[" CORE("\"Namespace\"", FIELDS ",\"namespaces\":{\"only\":[\"a\"]}") "]"),
         "govern[0].namespaces", "a Namespace is in no namespace: use names"},
        {POLICY("\"govern\":[{\"groups\":[\"g.io\"],\"kinds\":[\"A\"],\"mode\":\"warn\"" FIELDS
                "}]"),
         "govern[0].fields", "fields are for core kinds; a A of group \"g.io\" counts as a whole"},
        {POLICY("\"govern\":[" CORE("\"Secret\"", ",\"fields\":[{\"path\":\"data.a\"}]") "]"),
         "govern[0].fields[0].path", "expected metadata.labels.KEY"},
        /* Two patterns that meet although neither matches the other. */
        {POLICY("\"govern\":[" CORE(
             "\"ConfigMap\"", ",\"names\":[\"istio-*\"]") ","
                                                          "{\"groups\":[\"\"],\"kinds\":["
                                                          "\"ConfigMap\"],\"names\":[\"*-1\"],"
                                                          "\"mode\":\"audit\"}]"),
         "govern[1].mode", "can meet in one object"},
        {POLICY("\"govern\":[{\"include\":\"core\"}]"), "govern[0]",
         "the rules of this include are missing"},
        {POLICY("\"govern\":[{\"include\":\"core\",\"govern\":[" RULE("\"A\"", "warn") "]}," RULE(
             "\"A\"", "audit") "]"),
         "govern[1].mode", "rules govern[0].govern[0] (warn) and govern[1] (audit) can meet"},
        {POLICY("\"govern\":[{\"include\":\"a\",\"govern\":[{\"include\":\"b\"}]}]"),
         "govern[0].govern[0].include", "unknown key \"include\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct policy *p = NULL;
        struct err err = {0};

        if (policy_load_text(bytes_str(rows[i].json), &p, &err))
            fail_msg("%s: was taken", rows[i].json);
        if (strstr(err.message, rows[i].message) == NULL)
            fail_msg("%s: message is %s", rows[i].json, err.message);
        if (strcmp(err.path, rows[i].path) != 0)
            fail_msg("%s: path is %s", rows[i].json, err.path);
    }
}

#define ID(g, k, ns, n)                                                                            \
    {                                                                                              \
        {(const uint8_t *)(g), sizeof(g) - 1}, {(const uint8_t *)(k), sizeof(k) - 1},              \
            {(const uint8_t *)(ns), sizeof(ns) - 1},                                               \
        {                                                                                          \
            (const uint8_t *)(n), sizeof(n) - 1                                                    \
        }                                                                                          \
    }

static void test_policy_governs_by_kind_name_and_namespace(void **state)
{
    struct policy *p = load(POLICY("\"govern\":[" RULE(
        "\"A\",\"B\"",
        "enforce") ","
                   "{\"groups\":[\"x.io\"],\"kinds\":[\"*\"],\"mode\":\"audit\"},"
                   "{\"groups\":[\"\"],\"kinds\":[\"ConfigMap\"],\"names\":[\"istio*\"],"
                   "\"namespaces\":{\"only\":[\"istio-system\"]},\"mode\":\"warn\"}]"));
    static const struct {
        struct identity id;
        bool governed;
        enum mode mode;
    } rows[] = {
        {ID("g.io", "A", "ns", "n"), true, MODE_ENFORCE},
        {ID("g.io", "C", "ns", "n"), false, MODE_ENFORCE},
        {ID("", "A", "ns", "n"), false, MODE_ENFORCE},
        {ID("x.io", "Anything", "", "n"), true, MODE_AUDIT},
        {ID("", "ConfigMap", "istio-system", "istio-ca"), true, MODE_WARN},
        {ID("", "ConfigMap", "default", "istio-ca"), false, MODE_WARN},
        {ID("", "ConfigMap", "istio-system", "other"), false, MODE_WARN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum mode mode = MODE_ENFORCE;

        assert_int_equal(policy_governs(p, &rows[i].id, &mode), rows[i].governed);
        if (rows[i].governed)
            assert_int_equal(mode, rows[i].mode);
    }
    assert_true(policy_governs_group(p, BYTES("x.io")));
    assert_false(policy_governs_group(p, BYTES("y.io")));
    assert_true(policy_is_named_in(p, BYTES("apiVersion: g.io/v1")));
    assert_false(policy_is_named_in(p, BYTES("kind: ConfigMap")));
    policy_free(p);
}

static void test_fields_of_all_rules_count_together(void **state)
{
    struct policy *p =
        load(POLICY("\"govern\":[" CORE("\"Namespace\",\"ConfigMap\"", FIELDS) "," CORE(
            "\"Namespace\"", FIELDS
            ",\"names\":[\"prod*\"]") "," CORE("\"ConfigMap\"", ",\"names\":[\"istio\"]") "]"));
    static const struct {
        struct identity id;
        size_t count;
    } rows[] = {
        {ID("", "Namespace", "", "dev"), 1},
        {ID("", "Namespace", "", "prod-1"), 2},
        {ID("", "ConfigMap", "ns", "a"), 1},
        {ID("", "ConfigMap", "ns", "istio"), 0}, /* one rule takes it whole */
        {ID("", "Service", "ns", "a"), 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct projection projection;

        policy_projection(p, &rows[i].id, &projection);
        assert_int_equal(projection.count, rows[i].count);
    }
    policy_free(p);
}

static void test_too_many_rules_with_fields_may_not_meet(void **state)
{
    for (int count = PROJECTION_MAX_RULES; count <= PROJECTION_MAX_RULES + 1; count++) {
        struct buf json CLEANUP(buf_release) = {0};
        struct policy *p = NULL;
        struct err err = {0};

        (void)state;
        buf_append_str(&json, "{\"apiVersion\":\"meshwrit.dev/v1alpha1\",\"kind\":\"Policy\","
                              "\"govern\":[");
        for (int i = 0; i < count; i++)
            buf_printf(&json, "%s" CORE("\"Service\"", FIELDS), i == 0 ? "" : ",");
        buf_append_str(&json, "]}");
        const bool ok = policy_load_text(buf_bytes(&json), &p, &err);

        assert_int_equal(ok, count == PROJECTION_MAX_RULES);
        if (!ok)
            assert_string_equal(err.path, "govern[16].fields");
        policy_free(p);
    }
}

/* N7: what a file that cannot be read must not contain, and what one must contain to be read. */
static void test_policy_knows_what_a_file_may_hold(void **state)
{
    static const struct {
        const char *text;
        bool named;
        bool may;
    } rows[] = {
        {"apiVersion: g.io/v1", true, true},
        {"kind: ConfigMap, name: istio", true, true},
        {"kind: ConfigMap, name: \"istio-1-28\"", true, true},
        {"kind: ConfigMap, name: istio-system", false, true},
        {"kind: ConfigMap, name: networking.istio.io", false, true},
        {"kind: Namespace, name: istio", false, true},
        {"kind: Deployment, name: istio", false, false},
        {"", false, false},
    };
    struct policy *p =
        load(POLICY("\"govern\":[" RULE("\"A\"", "warn") "," CORE("\"Namespace\"", FIELDS) "," CORE(
            "\"ConfigMap\"", ",\"names\":[\"istio\",\"istio-1-*\"]") "]"));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (policy_is_named_in(p, bytes_str(rows[i].text)) != rows[i].named ||
            policy_may_be_in(p, bytes_str(rows[i].text)) != rows[i].may)
            fail_msg("%s", rows[i].text);
    }
    policy_free(p);
}

static void test_policy_knows_status_writers(void **state)
{
    struct policy *p = load(POLICY("\"govern\":[" RULE(
        "\"A\"", "enforce") "],"
                            "\"statusWriters\":[{\"kinds\":[\"A\"],"
                            "\"users\":[\"system:serviceaccount:istio-system:istiod*\"]}]"));

    (void)state;
    assert_true(policy_has_status_writers(p, BYTES("g.io"), BYTES("A")));
    assert_false(policy_has_status_writers(p, BYTES("g.io"), BYTES("B")));
    assert_true(policy_is_status_writer(p, BYTES("g.io"), BYTES("A"),
                                        BYTES("system:serviceaccount:istio-system:istiod-1")));
    assert_false(policy_is_status_writer(p, BYTES("g.io"), BYTES("A"), BYTES("admin")));
    policy_free(p);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool match;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*", "abc", true},
        {"a*", "ba", false},
        {"*c", "abc", true},
        {"a*c", "ac", true},
        {"a*c", "abcd", false},
        {"a*b*c", "aXbYc", true},
        {"**", "a", true},
        {"a?c", "abc", false},
        {"*ab*ab", "ababab", true},
        {"aab", "aaab", false},
        {"*aab", "aaab", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (pattern_match(bytes_str(rows[i].pattern), bytes_str(rows[i].text)) != rows[i].match)
            fail_msg("%s against %s", rows[i].pattern, rows[i].text);
    }
}

static void put_names(struct buf *out, const char *key, size_t count)
{
    buf_printf(out, "\"%s\":[\"a0.io\"", key);
    for (size_t i = 1; i < count; i++)
        buf_printf(out, ",\"a%zu.io\"", i);
    buf_append_str(out, "],");
}

/* Every pair of group and kind takes room: names alone do not bound that. */
static void test_policy_bounds_pairs(void **state)
{
    static const struct {
        size_t groups;
        size_t kinds;
        bool ok;
    } rows[] = {{1, 9000, true}, {100, 200, true}, {100, 201, false}, {5000, 5000, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf json = {0};
        struct policy *p = NULL;
        struct err err = {0};

        buf_append_str(&json, "{\"apiVersion\":\"meshwrit.dev/v1alpha1\",\"kind\":\"Policy\","
                              "\"govern\":[{");
        put_names(&json, "groups", rows[i].groups);
        put_names(&json, "kinds", rows[i].kinds);
        buf_append_str(&json, "\"mode\":\"audit\"}]}");
        if (policy_load_text(buf_bytes(&json), &p, &err) != rows[i].ok)
            fail_msg("%zu groups, %zu kinds: %s", rows[i].groups, rows[i].kinds, err.message);
        if (!rows[i].ok)
            assert_string_equal(err.path, "govern[0]");
        policy_free(p);
        buf_release(&json);
    }
}

static void test_patterns_that_meet(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool meet;
    } rows[] = {
        {"a", "a", true},      {"a", "b", false},      {"", "*", true},       {"", "a", false},
        {"a*", "ab", true},    {"a*", "b", false},     {"a*", "*b", true},    {"a*c", "ab*", true},
        {"a*c", "b*", false},  {"a*c", "*d", false},   {"a*", "ab*", true},   {"*", "*", true},
        {"a*b", "a*cb", true}, {"ab*ba", "a*a", true}, {"ab*", "ac*", false}, {"*ab", "*cb", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (pattern_meet(bytes_str(rows[i].a), bytes_str(rows[i].b)) != rows[i].meet ||
            pattern_meet(bytes_str(rows[i].b), bytes_str(rows[i].a)) != rows[i].meet)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_refuses_with_the_place),
        cmocka_unit_test(test_policy_governs_by_kind_name_and_namespace),
        cmocka_unit_test(test_fields_of_all_rules_count_together),
        cmocka_unit_test(test_too_many_rules_with_fields_may_not_meet),
        cmocka_unit_test(test_policy_knows_what_a_file_may_hold),
        cmocka_unit_test(test_policy_knows_status_writers),
        cmocka_unit_test(test_policy_bounds_pairs),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_patterns_that_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
