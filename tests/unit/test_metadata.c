#include "source/metadata.h"
#include "tests/unit/crd.h"
#include "tests/unit/test.h"

/* What is left of metadata when the API server has decoded it (N16). */
static void test_metadata_coerce_leaves_what_a_request_shows(void **state)
{
    static const struct {
        const char *name;
        const char *in;
        const char *want;
    } rows[] = {
        {"nothing to do", "{'name':'a','labels':{'x':'y'}}", "{'name':'a','labels':{'x':'y'}}"},
        {"namespace: with nothing behind it", "{'name':'a','namespace':null}", "{'name':'a'}"},
        {"a null of any field", "{'name':'a','creationTimestamp':null,'labels':null}",
         "{'name':'a'}"},
        {"no owners", "{'name':'a','ownerReferences':[]}", "{'name':'a'}"},
        {"owners: null", "{'name':'a','ownerReferences':null}", "{'name':'a'}"},
        {"an owner stays", "{'ownerReferences':[{'name':'b','uid':'c'}]}",
         "{'ownerReferences':[{'name':'b','uid':'c'}]}"},
        {"a null in an owner", "{'ownerReferences':[{'name':'b','controller':null}]}",
         "{'ownerReferences':[{'name':'b'}]}"},
        {"an owner that is none", "{'ownerReferences':[1]}", "{'ownerReferences':[1]}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *metadata = json_of(rows[i].in);
        json_t *before = json_deep_copy(metadata);
        json_t *document = json_pack("{s:o,s:{s:n}}", "metadata", metadata, "spec", "kept");
        json_t *coerced = metadata_coerce(document);

        check_json(rows[i].name, json_object_get(coerced, "metadata"), rows[i].want);
        check_json(rows[i].name, json_object_get(coerced, "spec"), "{'kept':null}");
        assert_true(json_equal(metadata, before));
        json_decref(coerced);
        json_decref(document);
        json_decref(before);
    }
}

static void test_metadata_finds_a_field_that_owners_do_not_have(void **state)
{
    static const struct {
        const char *in;
        const char *want; /* NULL: none */
    } rows[] = {
        {"{}", NULL},
        {"{'ownerReferences':null}", NULL},
        {"{'ownerReferences':[{'apiVersion':'v1','kind':'A','name':'b','uid':'c','controller':true,"
         "'blockOwnerDeletion':true}]}",
         NULL},
        {"{'ownerReferences':[{'name':'b'},{'namespace':'c'}]}", "namespace"},
        {"{'ownerReferences':[{'Name':'b'}]}", "Name"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *metadata = json_of(rows[i].in);
        const char *got = metadata_unknown_owner_field(metadata);

        if ((got == NULL) != (rows[i].want == NULL) ||
            (got != NULL && strcmp(got, rows[i].want) != 0))
            fail_msg("%s: got %s", rows[i].in, got == NULL ? "none" : got);
        json_decref(metadata);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata_coerce_leaves_what_a_request_shows),
        cmocka_unit_test(test_metadata_finds_a_field_that_owners_do_not_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
