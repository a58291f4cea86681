/*
 * The built-in policies, and policies that include them.
 */
#include "policy/policy.h"
#include "tests/unit/test.h"
#include "webhook/builtin.h"
#include "webhook/config.h"

#define HEAD "apiVersion: meshwrit.dev/v1alpha1\nkind: Policy\n"

static struct policy *read_policy(const char *text)
{
    json_t *document = NULL;
    struct policy *p = NULL;
    struct err err = {0};

    if (!config_read_policy("p.yaml", text, strlen(text), &document, &err) ||
        !policy_load(document, &p, &err))
        fail_msg("%s", err.message);
    json_decref(document);
    return p;
}

static bool governs(const struct policy *p, struct bytes group, struct bytes kind,
                    struct bytes namespace, struct bytes name, enum mode *mode)
{
    return policy_governs(p, &(struct identity){group, kind, namespace, name}, mode);
}

static void test_the_default_has_no_core_kind(void **state)
{
    json_t *document = NULL;
    struct policy *p = NULL;
    struct err err = {0};

    (void)state;
    if (!builtin_policy(&document, &err) || !policy_load(document, &p, &err))
        fail_msg("%s", err.message);
    assert_false(policy_governs_group(p, BYTES("")));
    assert_true(policy_governs_kind(p, BYTES("networking.istio.io"), BYTES("VirtualService")));
    policy_free(p);
    json_decref(document);
}

static void test_both_can_be_included(void **state)
{
    struct policy *p = read_policy(HEAD "govern:\n- include: default\n- include: core\n"
                                        "- groups: [x.io]\n  kinds: [X]\n  mode: audit\n");
    enum mode mode = MODE_AUDIT;

    (void)state;
    assert_true(
        governs(p, BYTES("networking.istio.io"), BYTES("Sidecar"), BYTES("a"), BYTES("b"), &mode));
    assert_int_equal(mode, MODE_ENFORCE);
    assert_true(governs(p, BYTES(""), BYTES("Namespace"), BYTES(""), BYTES("b"), &mode));
    assert_int_equal(mode, MODE_WARN);
    assert_true(governs(p, BYTES(""), BYTES("ConfigMap"), BYTES("istio-system"),
                        BYTES("istio-1-28-0"), &mode));
    assert_true(governs(p, BYTES("x.io"), BYTES("X"), BYTES("a"), BYTES("b"), &mode));
    /* What istiod writes at run time. */
    assert_false(governs(p, BYTES(""), BYTES("ConfigMap"), BYTES("istio-system"),
                         BYTES("istio-ca-root-cert"), &mode));
    assert_false(governs(p, BYTES(""), BYTES("ConfigMap"), BYTES("istio-system"),
                         BYTES("istio-leader"), &mode));
    policy_free(p);
}

static void test_includes_refuse_with_the_line(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {HEAD "govern:\n- include: cor\n",
         "p.yaml:4: govern[0].include: expected default or core, not \"cor\""},
        {HEAD "govern:\n- include: 1\n", "p.yaml:4: govern[0].include: expected default or core"},
        {HEAD "govern:\n- include: core\n- include: core\n",
         "p.yaml:5: govern[1].include: is included twice"},
        {HEAD "govern:\n- include: core\n  mode: enforce\n",
         "p.yaml:5: govern[0].mode: include stands alone in its item"},
        {HEAD "govern:\n- include: core\n  govern: []\n",
         "p.yaml:5: govern[0].govern: include stands alone in its item"},
        {HEAD "govern:\n- groups: [\"\"]\n  kinds: [Namespace]\n  mode: enforce\n  fields:\n"
              "  - path: metadata.labels.a\n- include: core\n",
         "p.yaml:9: govern[1].govern[0].mode: rules govern[0] (enforce) and govern[1].govern[0] "
         "(warn) can meet in one object"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *document = NULL;
        struct err err = {0};

        if (config_read_policy("p.yaml", rows[i].text, strlen(rows[i].text), &document, &err))
            fail_msg("%s: was taken", rows[i].text);
        if (strstr(err.message, rows[i].message) != err.message)
            fail_msg("%s: %s", rows[i].text, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_default_has_no_core_kind),
        cmocka_unit_test(test_both_can_be_included),
        cmocka_unit_test(test_includes_refuse_with_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
