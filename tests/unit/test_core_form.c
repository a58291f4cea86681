/*
 * Core kinds on the Git side: what a document of them becomes (N24, N25), and what is held.
 */
#include "source/core_form.h"
#include "source/manifest.h"
#include "tests/unit/test.h"

static json_t *load(const char *json)
{
    json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, NULL);

    if (document == NULL)
        fail_msg("%s: not JSON", json);
    return document;
}

static void test_configmaps_are_decoded_as_the_api_server_does(void **state)
{
    static const struct {
        const char *in; /* of the root */
        const char *out;
        const char *problem; /* NULL: taken */
    } rows[] = {
        {"{\"data\":{\"a\":\"1\"}}", "{\"data\":{\"a\":\"1\"}}", NULL},
        {"{\"data\":{}}", "{}", NULL},
        {"{\"data\":null,\"binaryData\":{},\"immutable\":null}", "{}", NULL},
        {"{\"immutable\":false}", "{\"immutable\":false}", NULL},
        {"{\"immutable\":true}", "{\"immutable\":true}", NULL},
        {"{\"immutable\":\"true\"}", NULL, "immutable is not true or false"},
        {"{\"data\":{\"a.b\":1}}", NULL, "data[\"a.b\"] is not text; put it in quotes"},
        {"{\"data\":{\"a\":null}}", NULL, "data[\"a\"] is not text; put it in quotes"},
        {"{\"data\":[]}", NULL, "data is not a map"},
        {"{\"data\":\"a\"}", NULL, "data is not a map"},
        {"{\"dat\":{}}", NULL, "dat is not a field of a ConfigMap; the API server would drop it"},
        {"{\"Data\":{}}", NULL, "Data is not a field of a ConfigMap"},
        {"{\"binaryData\":{\"a\":\"YWJj\"}}", "{\"binaryData\":{\"a\":\"YWJj\"}}", NULL},
        {"{\"binaryData\":{\"a\":\"\"}}", "{\"binaryData\":{\"a\":\"\"}}", NULL},
        {"{\"binaryData\":{\"a\":\"YW\\nJj\\r\\n\"}}", "{\"binaryData\":{\"a\":\"YWJj\"}}", NULL},
        /* Bits behind the last byte: read as zero, written as zero. */
        {"{\"binaryData\":{\"a\":\"ZB==\"}}", "{\"binaryData\":{\"a\":\"ZA==\"}}", NULL},
        {"{\"binaryData\":{\"a\":\"YWJ=\"}}", "{\"binaryData\":{\"a\":\"YWI=\"}}", NULL},
        {"{\"binaryData\":{\"a\":\"+/8=\"}}", "{\"binaryData\":{\"a\":\"+/8=\"}}", NULL},
        {"{\"binaryData\":{\"a\":\"ZA=\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":\"ZA\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":\"Z===\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":\"====\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":\"ZA==ZA==\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":\"-_8=\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":\"Z A=\"}}", NULL, "binaryData[\"a\"] is not base64"},
        {"{\"binaryData\":{\"a\":null}}", NULL, "binaryData[\"a\"] is not text"},
        {"{\"binaryData\":{\"a\":[1,2]}}", NULL, "binaryData[\"a\"] is not text"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *in = load(rows[i].in);
        struct buf problem CLEANUP(buf_release) = {0};
        json_t *form = core_form_configmap(in, &problem);

        if ((form == NULL) != (rows[i].problem != NULL))
            fail_msg("%s: %s", rows[i].in, buf_cstr(&problem));
        if (form == NULL) {
            if (strstr(buf_cstr(&problem), rows[i].problem) != buf_cstr(&problem))
                fail_msg("%s: %s", rows[i].in, buf_cstr(&problem));
        } else {
            json_t *want = load(rows[i].out);

            if (!json_equal(form, want))
                fail_msg("%s: is not %s", rows[i].in, rows[i].out);
            json_decref(want);
        }
        json_decref(form);
        json_decref(in);
    }
}

static const char policy_json[] =
    "{\"apiVersion\":\"meshwrit.dev/v1alpha1\",\"kind\":\"Policy\",\"govern\":["
    "{\"groups\":[\"\"],\"kinds\":[\"Namespace\",\"Service\",\"Secret\"],\"mode\":\"warn\","
    "\"fields\":[{\"path\":\"metadata.labels[\\\"istio*\\\"]\"}]},"
    "{\"groups\":[\"\"],\"kinds\":[\"ConfigMap\"],\"mode\":\"warn\",\"names\":[\"istio\"],"
    "\"namespaces\":{\"only\":[\"istio-system\"]}}]}";

struct bench {
    struct policy *policy;
    struct crds *crds;
    struct normal normal;
    struct manifest_rules rules;
};

static void bench_start(struct bench *b)
{
    struct err err;

    *b = (struct bench){.crds = crds_new()};
    if (!policy_load_text(bytes_str(policy_json), &b->policy, &err))
        fail_msg("%s: %s", err.path, err.message);
    b->rules = (struct manifest_rules){b->policy, b->crds, sha256_new(), &b->normal};
}

static void bench_end(struct bench *b)
{
    policy_free(b->policy);
    crds_free(b->crds);
    sha256_free(b->rules.hash);
    normal_release(&b->normal);
}

#define DOC(kind, metadata, rest)                                                                  \
    "{\"apiVersion\":\"v1\",\"kind\":\"" kind "\",\"metadata\":{" metadata "}" rest "}"

static void test_documents_of_core_kinds(void **state)
{
    static const struct {
        const char *name;
        const char *json;
        enum manifest_outcome outcome;
        const char *says; /* the document of an approved one, the message of a held one */
    } rows[] = {
        {"a Namespace has no namespace",
         DOC("Namespace",
             "\"name\":\"a\",\"namespace\":\"x\",\"labels\":{\"istio-injection\":\"e\"}",
             ",\"spec\":{}"),
         MANIFEST_APPROVED,
         "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"annotations\":{},"
         "\"labels\":{\"istio-injection\":\"e\"},\"name\":\"a\"}}"},
        {"a Secret leaves its data behind",
         DOC("Secret",
             "\"name\":\"a\",\"namespace\":\"n\",\"labels\":{\"istio/multiCluster\":\"true\","
             "\"team\":\"t\"},\"annotations\":{\"note\":\"hush\"}",
             ",\"data\":{\"kubeconfig\":\"aHVzaA==\"}"),
         MANIFEST_APPROVED,
         "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"annotations\":{},"
         "\"labels\":{\"istio/multiCluster\":\"true\"},\"name\":\"a\",\"namespace\":\"n\"}}"},
        {"nothing counts", DOC("Service", "\"name\":\"a\",\"namespace\":\"n\"", ""), MANIFEST_EMPTY,
         NULL},
        {"nothing counts, and the rest is wrong",
         DOC("Service", "\"name\":\"a\",\"namespace\":\"n\",\"labels\":{\"a\":1},\"x\":1", ""),
         MANIFEST_EMPTY, NULL},
        {"nothing counts, and no namespace", DOC("Service", "\"name\":\"a\"", ""),
         MANIFEST_NOT_GOVERNED, NULL},
        {"nothing counts, and no name", DOC("Service", "\"generateName\":\"a\"", ""),
         MANIFEST_NOT_GOVERNED, NULL},
        {"a ConfigMap without name is none that a rule names",
         DOC("ConfigMap", "\"labels\":{\"istio\":\"x\"}", ""), MANIFEST_NOT_GOVERNED, NULL},
        {"a label that is no text", DOC("Namespace", "\"name\":\"a\",\"labels\":{\"istio\":1}", ""),
         MANIFEST_HELD, "metadata.labels[\"istio\"] is not text; put it in quotes"},
        {"counts, and no namespace",
         DOC("Service", "\"name\":\"a\",\"labels\":{\"istio\":\"1\"}", ""), MANIFEST_HELD,
         "metadata.namespace is missing and the source has no default namespace; write it"},
        {"a chart's Chart.yaml", "{\"apiVersion\":\"v1\",\"name\":\"a\"}", MANIFEST_NOT_GOVERNED,
         NULL},
        {"a values.yaml", "{\"kind\":\"Service\",\"metadata\":{\"labels\":{\"istio\":\"1\"}}}",
         MANIFEST_NOT_GOVERNED, NULL},
        {"another version of the core group",
         "{\"apiVersion\":\"v2\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\","
         "\"labels\":{\"istio\":\"1\"}}}",
         MANIFEST_HELD, "version v2 is none of the core group"},
        {"a ConfigMap",
         DOC("ConfigMap", "\"name\":\"istio\",\"namespace\":\"istio-system\"",
             ",\"data\":{\"mesh\":\"a: b\"},\"binaryData\":{}"),
         MANIFEST_APPROVED,
         "{\"apiVersion\":\"v1\",\"data\":{\"mesh\":\"a: b\"},\"kind\":\"ConfigMap\","
         "\"metadata\":{\"name\":\"istio\",\"namespace\":\"istio-system\"}}"},
        {"a ConfigMap elsewhere", DOC("ConfigMap", "\"name\":\"istio\",\"namespace\":\"x\"", ""),
         MANIFEST_NOT_GOVERNED, NULL},
        {"a ConfigMap that the API server refuses",
         DOC("ConfigMap", "\"name\":\"istio\",\"namespace\":\"istio-system\"",
             ",\"data\":{\"mesh\":{}}"),
         MANIFEST_HELD, "data[\"mesh\"] is not text; put it in quotes"},
        {"a core kind that is not governed", DOC("Pod", "\"name\":\"a\",\"namespace\":\"n\"", ""),
         MANIFEST_NOT_GOVERNED, NULL},
    };
    struct bench b;

    (void)state;
    bench_start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *document = load(rows[i].json);
        struct manifest m;
        struct err err = {0};

        if (!manifest_read(&b.rules, &(struct manifest_input){.object = document}, &m, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        struct buf *says = m.outcome == MANIFEST_HELD ? &m.message : &m.document;

        if (m.outcome != rows[i].outcome ||
            (rows[i].says != NULL && strcmp(buf_cstr(says), rows[i].says) != 0))
            fail_msg("%s: outcome %d: %s", rows[i].name, m.outcome, buf_cstr(says));
        manifest_release(&m);
        json_decref(document);
    }
    bench_end(&b);
}

/* What is left of a document that the YAML subset refuses (source/yaml_mark.h). */
static void test_refused_documents_of_core_kinds(void **state)
{
#define MARK "{\"<<\":\"3:4: why\"}"
    static const struct {
        const char *name;
        const char *json;
        enum manifest_outcome outcome;
    } rows[] = {
        {"elsewhere, and nothing counts",
         DOC("Service", "\"name\":\"a\",\"namespace\":\"n\"", ",\"spec\":" MARK), MANIFEST_EMPTY},
        {"elsewhere, and something counts",
         DOC("Service", "\"name\":\"a\",\"namespace\":\"n\",\"labels\":{\"istio\":\"1\"}",
             ",\"spec\":" MARK),
         MANIFEST_HELD},
        {"what counts",
         DOC("Service", "\"name\":\"a\",\"namespace\":\"n\",\"labels\":{\"istio\":" MARK "}", ""),
         MANIFEST_HELD},
        {"all labels: nobody knows which",
         DOC("Service", "\"name\":\"a\",\"namespace\":\"n\",\"labels\":" MARK, ""), MANIFEST_HELD},
        {"a label that does not count",
         DOC("Service", "\"name\":\"a\",\"namespace\":\"n\",\"labels\":{\"x\":" MARK "}", ""),
         MANIFEST_EMPTY},
        {"the name", DOC("Service", "\"name\":" MARK, ""), MANIFEST_UNREADABLE},
        {"the name, of a kind that is governed by name", DOC("ConfigMap", "\"name\":" MARK, ""),
         MANIFEST_UNREADABLE},
        {"the name, of a kind that is not governed", DOC("Pod", "\"name\":" MARK, ""),
         MANIFEST_NOT_GOVERNED},
        {"a ConfigMap's data",
         DOC("ConfigMap", "\"name\":\"istio\",\"namespace\":\"istio-system\"",
             ",\"data\":{\"a\":" MARK "}"),
         MANIFEST_HELD},
    };
    struct bench b;

    (void)state;
    bench_start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *document = load(rows[i].json);
        const struct manifest_input input = {.object = document, .refused = "a.yaml:3:4: why"};
        struct manifest m;
        struct err err = {0};

        if (!manifest_read(&b.rules, &input, &m, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        if (m.outcome != rows[i].outcome)
            fail_msg("%s: outcome %d: %s", rows[i].name, m.outcome, buf_cstr(&m.message));
        manifest_release(&m);
        json_decref(document);
    }
    bench_end(&b);
}

static void test_what_counts_needs_a_name(void **state)
{
    json_t *document =
        load(DOC("Secret", "\"generateName\":\"a\",\"labels\":{\"istio/multiCluster\":\"x\"}", ""));
    struct manifest m;
    struct err err = {0};
    struct bench b;

    (void)state;
    bench_start(&b);
    assert_false(manifest_read(&b.rules, &(struct manifest_input){.object = document}, &m, &err));
    assert_non_null(strstr(err.message, "has no metadata.name; generateName"));
    json_decref(document);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configmaps_are_decoded_as_the_api_server_does),
        cmocka_unit_test(test_documents_of_core_kinds),
        cmocka_unit_test(test_refused_documents_of_core_kinds),
        cmocka_unit_test(test_what_counts_needs_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
