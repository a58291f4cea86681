/*
 * The decision table for core kinds: Git's documents go through the Git side, reviews through the
 * request side, and both are seen through the fields of the policy.
 */
#include "policy/core.h"
#include "policy/decide.h"
#include "policy/setwriter.h"
#include "source/manifest.h"
#include "tests/unit/test.h"

static const char rules[] =
    "{\"groups\":[\"g.io\"],\"kinds\":[\"A\"],\"mode\":\"enforce\"},"
    "{\"groups\":[\"g.io\"],\"kinds\":[\"W\"],\"mode\":\"warn\"},"
    "{\"groups\":[\"\"],\"kinds\":[\"Namespace\",\"Service\"],\"mode\":\"enforce\",\"fields\":["
    "{\"path\":\"metadata.labels.i\",\"allow\":[\"on\"]},"
    "{\"path\":\"metadata.labels[\\\"m.io/*\\\"]\"}]},"
    "{\"groups\":[\"\"],\"kinds\":[\"Secret\"],\"mode\":\"enforce\",\"fields\":["
    "{\"path\":\"metadata.labels[\\\"m/c\\\"]\",\"exists\":true}]},"
    "{\"groups\":[\"\"],\"kinds\":[\"ConfigMap\"],\"names\":[\"mesh\"],\"mode\":\"enforce\"}";

/* What Git holds. */
static const char *const documents[] = {
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"git\","
    "\"labels\":{\"i\":\"on\",\"team\":\"t\"}}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"off\","
    "\"labels\":{\"i\":\"off\"}}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"plain\"}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"git\",\"namespace\":"
    "\"ns\","
    "\"labels\":{\"m.io/a\":\"1\"}},\"spec\":{\"ports\":[]}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"held\",\"namespace\":"
    "\"ns\","
    "\"labels\":{\"m.io/a\":1}}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"git\",\"namespace\":"
    "\"ns\","
    "\"labels\":{\"m/c\":\"x\"}},\"stringData\":{\"a\":\"hush\"}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"mesh\","
    "\"namespace\":\"ns\"},\"data\":{\"a\":\"1\"},\"binaryData\":{\"b\":\"ZB==\"}}",
};

struct bench {
    struct buf file;
    struct set *set;
    struct policy *policy;
    struct review *review;
    struct sha256 *hash;
};

static struct setwriter_place place(void)
{
    return (struct setwriter_place){BYTES("mesh"), BYTES("3f2c1ab9d0"), BYTES("a.yaml"), 14};
}

static void add_document(struct setwriter *w, const struct manifest_rules *git, const char *json)
{
    json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    const struct setwriter_place here = place();
    struct manifest m;
    struct err err;

    if (!manifest_read(git, &(struct manifest_input){.object = document}, &m, &err))
        fail_msg("%s: %s", json, err.message);
    if (m.outcome == MANIFEST_APPROVED)
        setwriter_approve(w, &m.id, &here, &m.primary, m.digests, m.digest_count,
                          buf_bytes(&m.document));
    else if (m.outcome == MANIFEST_HELD)
        setwriter_hold(w, &m.id, &here, buf_bytes(&m.message));
    manifest_release(&m);
    json_decref(document);
}

static void hold(struct setwriter *w, const char *kind, const char *namespace, const char *name)
{
    const struct identity id = {BYTES("g.io"), bytes_str(kind), bytes_str(namespace),
                                bytes_str(name)};
    const struct setwriter_place here = place();

    setwriter_kind(w, &(struct kind){.group = id.group, .kind = id.kind, .namespaced = true});
    setwriter_hold(w, &id, &here, BYTES("no schema"));
}

static void bench_start(struct bench *b)
{
    struct buf policy CLEANUP(buf_release) = {0};
    struct normal normal CLEANUP(normal_release) = {0};
    struct crds *crds = crds_new();
    struct setwriter *w = setwriter_new();
    struct err err = {0};

    buf_printf(&policy,
               "{\"apiVersion\":\"meshwrit.dev/v1alpha1\",\"kind\":\"Policy\",\"govern\":[%s]}",
               rules);
    *b = (struct bench){.review = review_new(), .hash = sha256_new()};
    if (!policy_load_text(buf_bytes(&policy), &b->policy, &err))
        fail_msg("%s: %s", err.path, err.message);
    const struct manifest_rules git = {b->policy, crds, b->hash, &normal};

    setwriter_policy(w, buf_bytes(&policy));
    setwriter_provenance(w, BYTES("{\"sources\":[]}"));
    for (size_t i = 0; i < COUNT(documents); i++)
        add_document(w, &git, documents[i]);
    static const char *const kinds[] = {"ConfigMap", "Namespace", "Secret", "Service"};

    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct kind kind;

        assert_true(core_kind(BYTES(""), bytes_str(kinds[i]), &kind));
        setwriter_kind(w, &kind);
    }
    hold(w, "A", "full", "a");
    hold(w, "A", "full", "b");
    hold(w, "W", "full", "a");
    hold(w, "W", "warned", "a");
    hold(w, "A", "git", "a");
    if (!setwriter_finish(w, &b->file, &err) || !set_open_bytes(buf_bytes(&b->file), &b->set, &err))
        fail_msg("%s", err.message);
    setwriter_free(w);
    crds_free(crds);
}

static void bench_end(struct bench *b)
{
    set_close(b->set);
    policy_free(b->policy);
    review_free(b->review);
    sha256_free(b->hash);
    buf_release(&b->file);
}

struct ask {
    const char *operation;
    const char *kind; /* "Service", or with a subresource: "Service/status" */
    const char *name;
    const char *metadata; /* of object, without name and namespace; NULL: no object */
    const char *old_metadata;
    const char *rest; /* of both roots */
};

static void write_object(struct buf *out, const struct ask *ask, struct bytes kind,
                         const char *metadata)
{
    const bool cluster = bytes_equal(kind, BYTES("Namespace"));

    if (metadata == NULL) {
        buf_append_str(out, "null");
        return;
    }
    buf_printf(out,
               "{\"apiVersion\":\"v1\",\"kind\":\"%.*s\",\"metadata\":{\"name\":\"%s\"%s%s}%s}",
               BYTES_FMT(kind), ask->name, cluster ? "" : ",\"namespace\":\"ns\"", metadata,
               ask->rest == NULL ? "" : ask->rest);
}

static void decide_ask(struct bench *b, const struct ask *ask, struct decision *d)
{
    const size_t len = strcspn(ask->kind, "/");
    const struct bytes kind = bytes_of(ask->kind, len);
    struct buf json CLEANUP(buf_release) = {0};
    struct kind known;
    struct err err;

    assert_true(core_kind(BYTES(""), kind, &known));
    buf_printf(&json,
               "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
               "\"uid\":\"u-1\",\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"%.*s\"},"
               "\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"%.*s\"},"
               "\"subResource\":\"%s\",\"name\":\"%s\",\"namespace\":\"%s\",\"operation\":\"%s\","
               "\"userInfo\":{\"username\":\"eve\"},\"object\":",
               BYTES_FMT(kind), BYTES_FMT(known.plural),
               ask->kind[len] == '/' ? ask->kind + len + 1 : "", ask->name,
               known.namespaced ? "ns" : ask->name, ask->operation);
    write_object(&json, ask, kind, ask->metadata);
    buf_append_str(&json, ",\"oldObject\":");
    write_object(&json, ask, kind, ask->old_metadata);
    buf_append_str(&json, "}}");
    if (!review_read(b->review, buf_bytes(&json), b->set, &err))
        fail_msg("%s: %s", buf_cstr(&json), err.message);
    decide(b->set, b->policy, b->review, b->hash, d);
    d->id = (struct identity){0}; /* borrowed from the body */
}

#define L(labels)   ",\"labels\":{" labels "}"
#define ON          "\"i\":\"on\""
#define OFF         "\"i\":\"off\""
#define MA          "\"m.io/a\":\"1\""
#define DYING       ",\"deletionTimestamp\":\"t\""
#define GLASS       ",\"annotations\":{\"meshwrit.dev/break-glass\":\"x\"}"
#define CONFIG      ",\"data\":{\"a\":\"1\"},\"binaryData\":{\"b\":\"ZA==\"}"
#define SECRET_DATA ",\"data\":{\"a\":\"aHVzaA==\"}"

static void test_each_row_of_the_table(void **state)
{
    static const struct {
        const char *name;
        struct ask ask;
        bool allowed;
        enum reason reason;
    } rows[] = {
        {"as in Git", {"CREATE", "Namespace", "git", L(ON), NULL, NULL}, true, REASON_IN_GIT},
        {"with other labels",
         {"UPDATE", "Namespace", "git", L(ON ",\"x\":\"y\""), L(ON), NULL},
         true,
         REASON_IN_GIT},
        {"another value",
         {"UPDATE", "Namespace", "git", L(OFF), L(ON), NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"an allowed value is taken away",
         {"UPDATE", "Namespace", "git", L("\"x\":\"y\""), L(ON), NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"a field more",
         {"UPDATE", "Namespace", "git", L(ON "," MA), L(ON), NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"an allowed value where Git has another",
         {"UPDATE", "Namespace", "off", L(ON), L(OFF), NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"an allowed value where Git has none",
         {"UPDATE", "Namespace", "plain", L(ON), "", NULL},
         true,
         REASON_NOT_GOVERNED},
        {"an allowed value, not in Git",
         {"CREATE", "Namespace", "new", L(ON), NULL, NULL},
         true,
         REASON_NOT_GOVERNED},
        {"an allowed value beside what Git has",
         {"UPDATE", "Service", "git", L(ON "," MA), L(MA), NULL},
         true,
         REASON_IN_GIT},
        {"another value, not in Git",
         {"CREATE", "Namespace", "new", L(OFF), NULL, NULL},
         false,
         REASON_NOT_IN_GIT},
        {"nothing that counts",
         {"CREATE", "Namespace", "new", L("\"x\":\"y\""), NULL, NULL},
         true,
         REASON_NOT_GOVERNED},
        {"drift is cleaned",
         {"UPDATE", "Namespace", "new", "", L(OFF), NULL},
         true,
         REASON_NOT_GOVERNED},
        {"unchanged drift",
         {"UPDATE", "Namespace", "new", L(OFF ",\"x\":\"y\""), L(OFF), NULL},
         true,
         REASON_UNCHANGED},
        {"unchanged drift of what Git has",
         {"UPDATE", "Namespace", "git", L(OFF), L(OFF), ",\"spec\":{}"},
         true,
         REASON_UNCHANGED},
        {"a status write",
         {"UPDATE", "Namespace/status", "new", L(OFF), L(OFF), NULL},
         true,
         REASON_UNCHANGED},
        {"a status write of what Git has",
         {"UPDATE", "Service/status", "git", L(MA), L(MA), ",\"status\":{\"loadBalancer\":{}}"},
         true,
         REASON_IN_GIT},
        {"a label through /status",
         {"UPDATE", "Namespace/status", "new", L(OFF), "", NULL},
         false,
         REASON_NOT_IN_GIT},
        {"a label through services/status",
         {"UPDATE", "Service/status", "git", "", L(MA), NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"finalize",
         {"UPDATE", "Namespace/finalize", "git", DYING L(ON), DYING L(ON), NULL},
         true,
         REASON_IN_GIT},
        {"finalize of drift",
         {"UPDATE", "Namespace/finalize", "full", DYING L(OFF), DYING L(OFF), NULL},
         true,
         REASON_UNCHANGED},
        {"a label through /finalize",
         {"UPDATE", "Namespace/finalize", "new", DYING L(OFF), DYING, NULL},
         false,
         REASON_NOT_IN_GIT},
        {"delete what Git has",
         {"DELETE", "Service", "git", NULL, L(MA), NULL},
         false,
         REASON_STILL_IN_GIT},
        {"delete what Git has, live without the field",
         {"DELETE", "Service", "git", NULL, "", NULL},
         false,
         REASON_STILL_IN_GIT},
        {"delete what Git has not",
         {"DELETE", "Service", "x", NULL, L(MA), NULL},
         true,
         REASON_ABSENT_FROM_GIT},
        {"delete what is not governed",
         {"DELETE", "Service", "x", NULL, "", NULL},
         true,
         REASON_NOT_GOVERNED},
        {"delete what passes without Git",
         {"DELETE", "Service", "x", NULL, L(ON), NULL},
         true,
         REASON_NOT_GOVERNED},
        {"held", {"UPDATE", "Service", "held", L(MA), "", NULL}, false, REASON_HELD},
        {"held: nothing passes",
         {"UPDATE", "Service", "held", "", L(MA), NULL},
         false,
         REASON_HELD},
        {"held: unchanged", {"UPDATE", "Service", "held", "", "", NULL}, true, REASON_UNCHANGED},
        {"the existence of a label, with another value and other data",
         {"UPDATE", "Secret", "git", L("\"m/c\":\"y\""), L("\"m/c\":\"x\""), SECRET_DATA},
         true,
         REASON_IN_GIT},
        {"existence taken away",
         {"UPDATE", "Secret", "git", "", L("\"m/c\":\"x\""), SECRET_DATA},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"existence, not in Git",
         {"CREATE", "Secret", "x", L("\"m/c\":\"x\""), NULL, SECRET_DATA},
         false,
         REASON_NOT_IN_GIT},
        {"any other Secret",
         {"CREATE", "Secret", "x", "", NULL, SECRET_DATA},
         true,
         REASON_NOT_GOVERNED},
        {"a ConfigMap as in Git",
         {"CREATE", "ConfigMap", "mesh", "", NULL, CONFIG},
         true,
         REASON_IN_GIT},
        {"a ConfigMap with other data",
         {"CREATE", "ConfigMap", "mesh", "", NULL, ",\"data\":{\"a\":\"2\"}"},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"a ConfigMap with a label more",
         {"CREATE", "ConfigMap", "mesh", L(ON), NULL, CONFIG},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"a ConfigMap of another name",
         {"CREATE", "ConfigMap", "x", "", NULL, CONFIG},
         true,
         REASON_NOT_GOVERNED},
        {"break-glass on what counts",
         {"UPDATE", "Service", "git", GLASS L(MA), L(MA), NULL},
         false,
         REASON_BREAK_GLASS_REFUSED},
        {"no object", {"CREATE", "Service", "x", NULL, NULL, NULL}, false, REASON_NOT_IN_GIT},
        {"delete a Namespace that holds objects",
         {"DELETE", "Namespace", "full", NULL, "", NULL},
         false,
         REASON_STILL_IN_GIT},
        {"delete a Namespace that holds what is only warned of",
         {"DELETE", "Namespace", "warned", NULL, "", NULL},
         true,
         REASON_STILL_IN_GIT},
        {"delete an empty one that Git has",
         {"DELETE", "Namespace", "off", NULL, L(OFF), NULL},
         false,
         REASON_STILL_IN_GIT},
        {"delete an empty one that Git has not",
         {"DELETE", "Namespace", "new", NULL, L(OFF), NULL},
         true,
         REASON_ABSENT_FROM_GIT},
        {"delete an empty one without fields",
         {"DELETE", "Namespace", "new", NULL, "", NULL},
         true,
         REASON_NOT_GOVERNED},
        {"its last finalizer goes (N30)",
         {"UPDATE", "Namespace", "full", DYING, DYING ",\"finalizers\":[\"f\"]", NULL},
         false,
         REASON_STILL_IN_GIT},
    };
    struct bench b;

    (void)state;
    bench_start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decision d;

        decide_ask(&b, &rows[i].ask, &d);
        if (d.reason != rows[i].reason || d.allowed != rows[i].allowed)
            fail_msg("%s: %s %s: %s", rows[i].name, d.allowed ? "allowed" : "denied",
                     reason_text(d.reason), d.message);
    }
    bench_end(&b);
}

static void test_denials_name_field_and_values(void **state)
{
    static const struct {
        struct ask ask;
        const char *message;
    } rows[] = {
        {{"UPDATE", "Namespace", "git", L(OFF), L(ON), NULL},
         "differs from Git at metadata.labels.i: \"off\", Git has \"on\" "
         "(mesh 3f2c1ab a.yaml:14)"},
        {{"UPDATE", "Service", "git", "", L(MA), NULL},
         "differs from Git at metadata.labels[\"m.io/a\"]: missing, Git has \"1\" "
         "(mesh 3f2c1ab a.yaml:14)"},
        {{"CREATE", "Namespace", "new", L(OFF), NULL, NULL},
         "Namespace/new differs from Git at metadata.labels.i: \"off\", Git has no such field; "
         "commit it to a governed path first"},
        /* Not a word of the data. */
        {{"CREATE", "Secret", "x", L("\"m/c\":\"x\""), NULL, SECRET_DATA},
         "Secret/ns/x differs from Git at metadata.labels[\"m/c\"]: true, Git has no such field; "
         "commit it to a governed path first"},
        {{"UPDATE", "Secret", "git", "", L("\"m/c\":\"x\""), SECRET_DATA},
         "differs from Git at metadata.labels[\"m/c\"]: missing, Git has true "
         "(mesh 3f2c1ab a.yaml:14)"},
        {{"CREATE", "ConfigMap", "mesh", "", NULL, ",\"data\":{\"a\":\"2\"}"},
         "differs from Git at binaryData: missing, Git has {\"b\":\"ZA==\"} "
         "(mesh 3f2c1ab a.yaml:14)"},
        {{"DELETE", "Namespace", "full", NULL, "", NULL},
         "Namespace/full holds 3 objects of Git; remove them there first"},
        {{"DELETE", "Namespace", "git", NULL, L(ON), NULL},
         "Namespace/git holds 1 object of Git; remove it there first"},
    };
    struct bench b;

    (void)state;
    bench_start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decision d;

        decide_ask(&b, &rows[i].ask, &d);
        assert_string_equal(d.message, rows[i].message);
    }
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_of_the_table),
        cmocka_unit_test(test_denials_name_field_and_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
