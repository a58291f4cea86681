/*
 * The decision table, row by row: small reviews against a set made in memory.
 */
#include <stdlib.h>

#include "policy/answer.h"
#include "policy/decide.h"
#include "policy/setwriter.h"
#include "tests/unit/test.h"

#define GIT_SPEC "{\"mode\":\"STRICT\"}"

struct bench {
    struct buf file;
    struct set *set;
    struct policy *policy;
    struct review *review;
    struct sha256 *hash;
};

static const char enforce[] = "enforce";

static void approve(struct setwriter *w, const struct kind *kind, const char *name)
{
    const struct normal_rules rules = normal_rules(kind, BYTES("v1"));
    const struct setwriter_place place = {BYTES("mesh"), BYTES("3f2c1ab9d0"), BYTES("prod/a.yaml"),
                                          14};
    const struct identity id = {kind->group, kind->kind, BYTES("ns"), bytes_str(name)};
    struct normal n = {0};
    struct sha256 *hash = sha256_new();
    struct digest digest;
    struct err err;
    struct buf json = {0};

    buf_printf(&json,
               "{\"apiVersion\":\"g.io/v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"%s\","
               "\"namespace\":\"ns\"},\"spec\":" GIT_SPEC "}",
               name);
    assert_true(normal_read_text(&n, buf_bytes(&json), &rules, &err));
    normal_digest(&n, &id, (struct bytes){0}, hash, &digest);
    setwriter_approve(w, &id, &place, &digest, &digest, 1, buf_bytes(&json));
    sha256_free(hash);
    normal_release(&n);
    buf_release(&json);
}

static void bench_start(struct bench *b, const char *mode, const char *more)
{
    const struct kind kind = {
        .group = BYTES("g.io"),
        .kind = BYTES("A"),
        .plural = BYTES("as"),
        .has_schema = true,
        .namespaced = true,
        .versions = {{BYTES("v1"), true, true, true}},
        .version_count = 1,
    };
    const struct setwriter_place place = {BYTES("mesh"), BYTES("3f2c1ab9d0"), BYTES("prod/b.yaml"),
                                          7};
    struct setwriter *w = setwriter_new();
    struct buf policy = {0};
    struct err err;

    buf_printf(&policy,
               "{\"apiVersion\":\"meshwrit.dev/v1alpha1\",\"kind\":\"Policy\",\"govern\":[{"
               "\"groups\":[\"g.io\"],\"kinds\":[\"A\",\"B\"],\"mode\":\"%s\"}]%s}",
               mode, more);
    *b = (struct bench){.review = review_new(), .hash = sha256_new()};
    setwriter_policy(w, buf_bytes(&policy));
    setwriter_provenance(w, BYTES("{\"sources\":[]}"));
    setwriter_kind(w, &kind);
    setwriter_kind(w, &(struct kind){.group = kind.group,
                                     .kind = BYTES("B"),
                                     .plural = BYTES("bs"),
                                     .has_schema = true,
                                     .versions = {{BYTES("v1"), true, true, true}},
                                     .version_count = 1});
    approve(w, &kind, "git");
    setwriter_hold(w, &(struct identity){kind.group, kind.kind, BYTES("ns"), BYTES("held")}, &place,
                   BYTES("spec.x is not a field of its schema"));
    if (!setwriter_finish(w, &b->file, &err) ||
        !set_open_bytes(buf_bytes(&b->file), &b->set, &err) ||
        !policy_load_text(buf_bytes(&policy), &b->policy, &err))
        fail_msg("%s", err.message);
    setwriter_free(w);
    buf_release(&policy);
}

static void bench_end(struct bench *b)
{
    set_close(b->set);
    policy_free(b->policy);
    review_free(b->review);
    sha256_free(b->hash);
    buf_release(&b->file);
}

static void object(struct buf *out, const char *name, const char *metadata, const char *rest)
{
    buf_printf(out,
               "{\"apiVersion\":\"g.io/v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"%s\","
               "\"namespace\":\"ns\"%s}%s}",
               name, metadata, rest);
}

struct ask {
    const char *operation;
    const char *subresource;
    const char *name;
    const char *metadata, *rest;         /* of object; rest NULL: absent */
    const char *old_metadata, *old_rest; /* of oldObject; likewise */
    const char *more;                    /* of the request: ,"dryRun":true */
};

static void write_review(struct buf *out, const struct ask *ask)
{
    buf_printf(out,
               "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
               "\"uid\":\"u-1\",\"kind\":{\"group\":\"g.io\",\"version\":\"v1\",\"kind\":\"A\"},"
               "\"resource\":{\"group\":\"g.io\",\"version\":\"v1\",\"resource\":\"as\"},"
               "\"subResource\":\"%s\",\"name\":\"%s\",\"namespace\":\"ns\",\"operation\":\"%s\","
               "\"userInfo\":{\"username\":\"eve\",\"groups\":[\"g1\"]},\"object\":",
               ask->subresource == NULL ? "" : ask->subresource, ask->name, ask->operation);
    if (ask->rest == NULL)
        buf_append_str(out, "null");
    else
        object(out, ask->name, ask->metadata, ask->rest);
    buf_append_str(out, ",\"oldObject\":");
    if (ask->old_rest == NULL)
        buf_append_str(out, "null");
    else
        object(out, ask->name, ask->old_metadata, ask->old_rest);
    buf_printf(out, "%s}}", ask->more == NULL ? "" : ask->more);
}

static void decide_text(struct bench *b, struct bytes json, struct decision *d)
{
    struct err err;

    if (!review_read(b->review, json, b->set, &err))
        fail_msg("%.*s: %s", BYTES_FMT(json), err.message);
    decide(b->set, b->policy, b->review, b->hash, d);
}

static void decide_ask(struct bench *b, const struct ask *ask, struct decision *d)
{
    struct buf json = {0};

    write_review(&json, ask);
    decide_text(b, buf_bytes(&json), d);
    /* What the decision borrows from the body is not looked at after this. */
    d->id = (struct identity){0};
    buf_release(&json);
}

#define SPEC   ",\"spec\":" GIT_SPEC
#define OTHER  ",\"spec\":{\"mode\":\"DISABLE\"}"
#define STATUS ",\"status\":{\"a\":1}"
#define GLASS  ",\"annotations\":{\"meshwrit.dev/break-glass\":\"x\"}"
#define DYING  ",\"deletionTimestamp\":\"t\""

static void test_each_row_of_the_table(void **state)
{
    static const struct {
        const char *name;
        struct ask ask;
        bool allowed;
        enum reason reason;
    } rows[] = {
        {"in git", {"CREATE", NULL, "git", "", SPEC, "", NULL, NULL}, true, REASON_IN_GIT},
        {"in git, with status",
         {"CREATE", NULL, "git", "", SPEC STATUS, "", NULL, NULL},
         true,
         REASON_IN_GIT},
        {"another spec",
         {"CREATE", NULL, "git", "", OTHER, "", NULL, NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"a label more",
         {"CREATE", NULL, "git", ",\"labels\":{\"a\":\"b\"}", SPEC, "", NULL, NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"approved elsewhere",
         {"CREATE", NULL, "other", "", SPEC, "", NULL, NULL},
         false,
         REASON_NOT_IN_GIT},
        {"update back to git",
         {"UPDATE", NULL, "git", "", SPEC, "", OTHER, NULL},
         true,
         REASON_IN_GIT},
        {"update away from git",
         {"UPDATE", NULL, "git", "", OTHER, "", SPEC, NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"old object never allows (R4)",
         {"UPDATE", NULL, "git", ",\"labels\":{\"a\":\"b\"}", SPEC, "", SPEC, NULL},
         false,
         REASON_DIFFERS_FROM_GIT},
        {"unchanged drift",
         {"UPDATE", NULL, "git", ",\"finalizers\":[\"f\"]", OTHER, "", OTHER, NULL},
         true,
         REASON_UNCHANGED},
        {"unchanged, not in git",
         {"UPDATE", NULL, "x", "", OTHER, "", OTHER, NULL},
         true,
         REASON_UNCHANGED},
        {"never for create",
         {"CREATE", NULL, "x", "", OTHER, "", OTHER, NULL},
         false,
         REASON_NOT_IN_GIT},
        {"owners collected while dying",
         {"UPDATE", NULL, "x", DYING, OTHER, ",\"ownerReferences\":[{}]", OTHER, NULL},
         true,
         REASON_UNCHANGED},
        {"owners removed from a living one",
         {"UPDATE", NULL, "x", "", OTHER, ",\"ownerReferences\":[{}]", OTHER, NULL},
         false,
         REASON_NOT_IN_GIT},
        {"delete what git has",
         {"DELETE", NULL, "git", "", NULL, "", SPEC, NULL},
         false,
         REASON_STILL_IN_GIT},
        {"delete what git has in another form",
         {"DELETE", NULL, "git", "", NULL, "", OTHER, NULL},
         false,
         REASON_STILL_IN_GIT},
        {"delete what git has not",
         {"DELETE", NULL, "x", "", NULL, "", OTHER, NULL},
         true,
         REASON_ABSENT_FROM_GIT},
        {"the last finalizer goes (N30)",
         {"UPDATE", NULL, "git", DYING, SPEC, DYING ",\"finalizers\":[\"f\"]", SPEC, NULL},
         false,
         REASON_STILL_IN_GIT},
        {"one finalizer of two goes",
         {"UPDATE", NULL, "git", DYING ",\"finalizers\":[\"f\"]", SPEC,
          DYING ",\"finalizers\":[\"f\",\"g\"]", SPEC, NULL},
         true,
         REASON_IN_GIT},
        {"held: create", {"CREATE", NULL, "held", "", SPEC, "", NULL, NULL}, false, REASON_HELD},
        {"held: delete", {"DELETE", NULL, "held", "", NULL, "", SPEC, NULL}, false, REASON_HELD},
        {"held: unchanged",
         {"UPDATE", NULL, "held", "", SPEC, "", SPEC, NULL},
         true,
         REASON_UNCHANGED},
        {"status only",
         {"UPDATE", "status", "git", "", SPEC STATUS, "", SPEC, NULL},
         true,
         REASON_STATUS_ONLY},
        {"status smuggles",
         {"UPDATE", "status", "git", "", OTHER STATUS, "", SPEC, NULL},
         false,
         REASON_STATUS_SMUGGLES},
        {"status smuggles what git has",
         {"UPDATE", "status", "git", "", SPEC, "", OTHER, NULL},
         false,
         REASON_STATUS_SMUGGLES},
        {"another subresource",
         {"UPDATE", "scale", "git", "", SPEC, "", SPEC, NULL},
         false,
         REASON_SUBRESOURCE},
        {"break-glass on create",
         {"CREATE", NULL, "git", GLASS, SPEC, "", NULL, NULL},
         false,
         REASON_BREAK_GLASS_REFUSED},
        {"break-glass added",
         {"UPDATE", NULL, "git", GLASS, SPEC, "", SPEC, NULL},
         false,
         REASON_BREAK_GLASS_REFUSED},
        {"break-glass left in place",
         {"UPDATE", NULL, "git", GLASS, SPEC, GLASS, OTHER, NULL},
         true,
         REASON_IN_GIT},
        {"break-glass removed with return to git",
         {"UPDATE", NULL, "git", "", SPEC, GLASS, OTHER, NULL},
         true,
         REASON_IN_GIT},
        {"break-glass removed from drift",
         {"UPDATE", NULL, "git", "", OTHER, GLASS, OTHER, NULL},
         false,
         REASON_BREAK_GLASS_REFUSED},
    };
    struct bench b;

    (void)state;
    bench_start(&b, enforce, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decision d;

        decide_ask(&b, &rows[i].ask, &d);
        if (d.reason != rows[i].reason || d.allowed != rows[i].allowed)
            fail_msg("%s: %s %s: %s", rows[i].name, d.allowed ? "allowed" : "denied",
                     reason_text(d.reason), d.message);
    }
    bench_end(&b);
}

static void test_identity_must_agree(void **state)
{
    static const struct {
        const char *name;
        const char *from;
        const char *to;
    } rows[] = {
        {"name", "\"name\":\"git\",\"namespace\"", "\"name\":\"tig\",\"namespace\""},
        {"namespace", "\"namespace\":\"ns\",\"operation\"", "\"namespace\":\"sn\",\"operation\""},
        {"kind", "\"version\":\"v1\",\"kind\":\"A\"}", "\"version\":\"v1\",\"kind\":\"B\"}"},
        {"version", "\"version\":\"v1\",\"kind\"", "\"version\":\"v2\",\"kind\""},
        {"group", "{\"group\":\"g.io\",\"version\":\"v1\",\"kind\"",
         "{\"group\":\"h.io\",\"version\":\"v1\",\"kind\""},
    };
    const struct ask ask = {"CREATE", NULL, "git", "", SPEC, "", NULL, NULL};
    struct bench b;

    (void)state;
    bench_start(&b, enforce, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf json = {0};
        struct buf changed = {0};
        struct decision d;

        write_review(&json, &ask);
        const char *text = buf_cstr(&json);
        const char *at = strstr(text, rows[i].from);

        assert_non_null(at);
        buf_append(&changed, bytes_of(text, (size_t)(at - text)));
        buf_append_str(&changed, rows[i].to);
        buf_append_str(&changed, at + strlen(rows[i].from));
        decide_text(&b, buf_bytes(&changed), &d);
        if (d.reason != REASON_IDENTITY_MISMATCH || d.allowed)
            fail_msg("%s: %s", rows[i].name, reason_text(d.reason));
        buf_release(&json);
        buf_release(&changed);
    }
    bench_end(&b);
}

static void test_modes_and_dry_run_soften(void **state)
{
    static const struct {
        const char *name;
        const char *mode;
        const char *more;
        const char *request;
        bool allowed;
        bool warned;
    } rows[] = {
        {"enforce", "enforce", "", NULL, false, false},
        {"warn", "warn", "", NULL, true, true},
        {"audit", "audit", "", NULL, true, false},
        {"dry run is the same", "enforce", "", ",\"dryRun\":true", false, false},
        {"dry run with dryRun: warn", "enforce", ",\"dryRun\":\"warn\"", ",\"dryRun\":true", true,
         true},
        {"no dry run with dryRun: warn", "enforce", ",\"dryRun\":\"warn\"", NULL, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ask ask = {"CREATE", NULL, "git", "", OTHER, "", NULL, rows[i].request};
        struct bench b;
        struct decision d;

        bench_start(&b, rows[i].mode, rows[i].more);
        decide_ask(&b, &ask, &d);
        if (d.allowed != rows[i].allowed || (d.warning[0] != '\0') != rows[i].warned ||
            d.verdict != VERDICT_DENY || d.reason != REASON_DIFFERS_FROM_GIT)
            fail_msg("%s: allowed %d, warning \"%s\"", rows[i].name, d.allowed, d.warning);
        ask.metadata = GLASS; /* in every mode (N36) */
        decide_ask(&b, &ask, &d);
        assert_false(d.allowed);
        bench_end(&b);
    }
}

static void test_delete_unknown_follows_the_policy(void **state)
{
    static const struct {
        const char *more;
        bool allowed;
        bool warned;
    } rows[] = {
        {"", true, true},
        {",\"deleteUnknown\":\"allow\"", true, false},
        {",\"deleteUnknown\":\"deny\"", false, false},
    };
    const struct ask ask = {"DELETE", NULL, "x", "", NULL, "", OTHER, NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;
        struct decision d;

        bench_start(&b, enforce, rows[i].more);
        decide_ask(&b, &ask, &d);
        if (d.allowed != rows[i].allowed || (d.warning[0] != '\0') != rows[i].warned)
            fail_msg("%s: allowed %d, warning \"%s\"", rows[i].more, d.allowed, d.warning);
        bench_end(&b);
    }
}

static void test_denials_say_what_where_and_what_to_do(void **state)
{
    static const struct {
        struct ask ask;
        const char *message;
    } rows[] = {
        {{"UPDATE", NULL, "git", "", NULL, "", SPEC, NULL},
         "differs from Git: the request has no object (mesh 3f2c1ab prod/a.yaml:14)"},
        {{"CREATE", NULL, "git", "", OTHER, "", NULL, NULL},
         "differs from Git at spec.mode: \"DISABLE\", Git has \"STRICT\" "
         "(mesh 3f2c1ab prod/a.yaml:14)"},
        {{"CREATE", NULL, "git", "", ",\"spec\":{\"mode\":\"STRICT\",\"x\":\"\\u001b[31m\\u00e9\"}",
          "", NULL, NULL},
         "differs from Git at spec.x: \"\\u001b[31m??\", Git has no such field "
         "(mesh 3f2c1ab prod/a.yaml:14)"},
        {{"CREATE", NULL, "x", "", OTHER, "", NULL, NULL},
         "A.g.io/ns/x is not in Git; commit it to a governed path first"},
        {{"DELETE", NULL, "git", "", NULL, "", SPEC, NULL},
         "A.g.io/ns/git is still in Git; remove it there first (mesh 3f2c1ab prod/a.yaml:14)"},
        {{"CREATE", NULL, "held", "", SPEC, "", NULL, NULL},
         "A.g.io/ns/held is held, its document in Git cannot be used: "
         "spec.x is not a field of its schema (mesh 3f2c1ab prod/b.yaml:7)"},
        /* … nor what the workspace holds of another request. */
        {{"UPDATE", NULL, "git", "", NULL, "", SPEC, NULL},
         "differs from Git: the request has no object (mesh 3f2c1ab prod/a.yaml:14)"},
    };
    struct bench b;

    (void)state;
    bench_start(&b, enforce, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decision d;

        decide_ask(&b, &rows[i].ask, &d);
        assert_string_equal(d.message, rows[i].message);
    }
    bench_end(&b);
}

static void test_a_crd_is_judged_by_the_objects_of_its_kind(void **state)
{
    static const struct {
        const char *name;
        const char *operation;
        const char *crd;
        bool allowed;
        enum reason reason;
    } rows[] = {
        {"of objects in git", "DELETE", "as.g.io", false, REASON_STILL_IN_GIT},
        {"of a governed kind without objects", "DELETE", "bs.g.io", true, REASON_ABSENT_FROM_GIT},
        {"of another group", "DELETE", "as.h.io", true, REASON_NOT_GOVERNED},
        {"a name that only looks alike", "DELETE", "asxg.io", true, REASON_NOT_GOVERNED},
        {"written", "UPDATE", "as.g.io", true, REASON_NOT_GOVERNED},
    };
    struct bench b;

    (void)state;
    bench_start(&b, enforce, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf json = {0};
        struct decision d;

        buf_printf(
            &json,
            "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
            "\"uid\":\"u\",\"kind\":{\"group\":\"apiextensions.k8s.io\",\"version\":\"v1\","
            "\"kind\":\"CustomResourceDefinition\"},\"resource\":{\"group\":"
            "\"apiextensions.k8s.io\",\"version\":\"v1\",\"resource\":"
            "\"customresourcedefinitions\"},\"name\":\"%s\",\"operation\":\"%s\","
            "\"oldObject\":{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":"
            "\"CustomResourceDefinition\",\"metadata\":{\"name\":\"%s\"}}}}",
            rows[i].crd, rows[i].operation, rows[i].crd);
        decide_text(&b, buf_bytes(&json), &d);
        if (d.reason != rows[i].reason || d.allowed != rows[i].allowed)
            fail_msg("%s: %s %s", rows[i].name, d.allowed ? "allowed" : "denied",
                     reason_text(d.reason));
        buf_release(&json);
    }
    bench_end(&b);
}

/* Whatever comes first in the request, the answer is the same. */
static void test_order_of_the_request_does_not_matter(void **state)
{
    static const char late_kind[] =
        "{\"request\":{\"object\":{\"spec\":" GIT_SPEC ",\"status\":{\"a\":1},\"metadata\":"
        "{\"namespace\":\"ns\",\"name\":\"git\"},\"kind\":\"A\",\"apiVersion\":\"g.io/v1\"},"
        "\"operation\":\"CREATE\",\"namespace\":\"ns\",\"name\":\"git\",\"resource\":{\"resource\":"
        "\"as\",\"version\":\"v1\",\"group\":\"g.io\"},\"kind\":{\"kind\":\"A\",\"version\":\"v1\","
        "\"group\":\"g.io\"},\"uid\":\"u-1\"},\"apiVersion\":\"admission.k8s.io/v1\","
        "\"kind\":\"AdmissionReview\"}";
    struct bench b;
    struct decision d;

    (void)state;
    bench_start(&b, enforce, "");
    decide_text(&b, bytes_str(late_kind), &d);
    assert_int_equal(d.reason, REASON_IN_GIT);
    bench_end(&b);
}

static void test_malformed_reviews_keep_what_was_read(void **state)
{
    static const struct {
        const char *name;
        const char *json;
        bool has_uid;
    } rows[] = {
        {"garbage", "x", false},
        {"empty", "", false},
        {"a list", "[]", false},
        {"no request", "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}",
         false},
        {"another version",
         "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1beta1\","
         "\"request\":{\"uid\":\"u\"}}",
         false},
        {"uid is a number", "{\"request\":{\"uid\":1}}", false},
        {"uid is too long",
         "{\"request\":{\"uid\":\""
         "0123456789012345678901234567890123456789012345678901234567890123"
         "0123456789012345678901234567890123456789012345678901234567890123x\"}}",
         false},
        {"uid with a control character", "{\"request\":{\"uid\":\"a\\u0007\"}}", false},
        {"cut off behind the uid", "{\"request\":{\"uid\":\"u\",\"object\":{\"a\":", true},
        {"no kind",
         "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","
         "\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\"}}",
         true},
        {"two documents", "{\"request\":{\"uid\":\"u\"}}{}", true},
        {"duplicate uid", "{\"request\":{\"uid\":\"u\",\"uid\":\"u\"}}", true},
        {"unknown operation", "{\"request\":{\"uid\":\"u\",\"operation\":\"PATCH\"}}", true},
    };
    struct bench b;

    (void)state;
    bench_start(&b, enforce, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decision d;
        struct err err;

        if (review_read(b.review, bytes_str(rows[i].json), b.set, &err))
            fail_msg("%s: was taken", rows[i].name);
        if ((b.review->uid.len > 0) != rows[i].has_uid)
            fail_msg("%s: uid is \"%.*s\"", rows[i].name, BYTES_FMT(b.review->uid));
        decide_unreadable(b.set, b.policy, b.review, REASON_MALFORMED, err.message, &d);
        assert_false(d.allowed);
    }
    bench_end(&b);
}

static void test_the_answer_echoes_the_uid(void **state)
{
    const struct ask ask = {"CREATE", NULL, "git", "", OTHER, "", NULL, NULL};
    const struct answer_context context = {"abc", BYTES("c0ffee")};
    struct bench b;
    struct decision d;
    struct buf out = {0};
    json_t *answer;

    (void)state;
    bench_start(&b, enforce, "");
    decide_ask(&b, &ask, &d);
    answer_write(&context, BYTES("u-1"), &d, &out);
    answer = json_loads(buf_cstr(&out), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    const json_t *response = json_object_get(answer, "response");

    assert_string_equal(json_string_value(json_object_get(response, "uid")), "u-1");
    assert_true(json_is_false(json_object_get(response, "allowed")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(response, "auditAnnotations"), "reason")),
        "differs-from-git");
    json_decref(answer);
    buf_release(&out);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_of_the_table),
        cmocka_unit_test(test_identity_must_agree),
        cmocka_unit_test(test_modes_and_dry_run_soften),
        cmocka_unit_test(test_delete_unknown_follows_the_policy),
        cmocka_unit_test(test_denials_say_what_where_and_what_to_do),
        cmocka_unit_test(test_a_crd_is_judged_by_the_objects_of_its_kind),
        cmocka_unit_test(test_order_of_the_request_does_not_matter),
        cmocka_unit_test(test_malformed_reviews_keep_what_was_read),
        cmocka_unit_test(test_the_answer_echoes_the_uid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
