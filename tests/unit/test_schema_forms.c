#include "policy/nulls.h"
#include "policy/schema.h"
#include "tests/unit/crd.h"
#include "tests/unit/test.h"

/* --- N15: where a null means absent ----------------------------------------------------------- */

/* "spec.l.#.a": '#' is an item. */
static bool droppable(const struct schema *s, const char *text)
{
    struct nulls_step steps[16];
    size_t count = 0;

    while (*text != '\0') {
        const size_t len = strcspn(text, ".");

        steps[count++] = (struct nulls_step){.is_item = text[0] == '#', .key = bytes_of(text, len)};
        text += len + (text[len] == '.');
    }
    return nulls_droppable(schema_kind(s)->nulls, steps, count);
}

static void test_schema_nulls_are_the_paths_of_n15(void **state)
{
#define NULLS_V1                                                                                   \
    "{'properties':{'metadata':{},'plain':{},'nullable':{'nullable':true},'fixed':{'default':1},"  \
    "'list':{'items':{'properties':{'a':{}}}},'map':{'additionalProperties':{'properties':"        \
    "{'a':{},'b':{'default':1}}}},'open':{'x-kubernetes-preserve-unknown-fields':true,"            \
    "'properties':{'own':{}}},'later':{},'other':{'properties':{'x':{}}},"                         \
    "'both':{'properties':{'x':{},'y':{}}},'mixed':{'properties':{'k':{"                           \
    "'x-kubernetes-preserve-unknown-fields':true}}}}}"
#define NULLS_V2                                                                                   \
    "{'properties':{'later':{'default':1},'only':{'properties':{'v2':{}}},"                        \
    "'other':{'x-kubernetes-preserve-unknown-fields':true},'both':{'properties':{'y':{}},"         \
    "'additionalProperties':{}},'mixed':{'additionalProperties':{'properties':{'b':{}}}}}}"
    static const struct {
        const char *path;
        bool want;
    } rows[] = {
        {"plain", true},     {"nullable", true}, {"fixed", false},      {"unknown", false},
        {"metadata", false}, {"list", true},     {"list.#.a", true},    {"list.#.b", false},
        {"list.a", false},   {"map", true},      {"map.k", false},      {"map.k.a", true},
        {"map.k.b", false},  {"open.own", true}, {"open.other", false}, {"open.x.y", false},
        {"later", false},    {"only.v2", true},  {"other", true},       {"other.x", false},
        {"both.x", false},   {"both.y", true},   {"both.z", false},     {"mixed.k.b", false},
        {"mixed.z.b", true},
    };
    struct schema *s =
        compile(CRD(VERSION("v1", STORED, NULLS_V1) "," VERSION("v2", SERVED, NULLS_V2)));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (droppable(s, rows[i].path) != rows[i].want)
            fail_msg("%s: want %s", rows[i].path, rows[i].want ? "drop" : "keep");
    }
    schema_free(s);
}

static void test_schema_nulls_leave_out_versions_that_are_not_served(void **state)
{
    struct schema *s = compile(CRD(
        VERSION("v1", "'storage': true", "{'properties':{'a':{'default':1},'s':{}}}") "," VERSION(
            "v2", SERVED, "{'properties':{'a':{},'b':{}}}") "," VERSION("v3", "'served': false",
                                                                        "{'properties':{'b':{'"
                                                                        "default':1},'c':{}}}")));

    (void)state;
    assert_true(droppable(s, "b"));
    assert_false(droppable(s, "c"));
    assert_false(droppable(s, "s")); /* only the stored version has it: nobody can send it */
    assert_false(droppable(s, "a")); /* the stored version tells null and absent apart */
    schema_free(s);
}

/* --- N12: the accept set ---------------------------------------------------------------------- */

struct forms_row {
    const char *name;
    const char *crd;
    const char *version;
    const char *written;
    const char *forms; /* "v1 v2": their versions */
    const char *want;  /* the list of the forms, then M */
};

/* The story of Linkerd's Server: the later version has a default that the earlier cannot say. */
#define SERVER_OLD "{'properties':{'spec':{'properties':{'port':{}}}}}"
#define SERVER_NEW "{'properties':{'spec':{'properties':{'port':{},'access':{'default':'deny'}}}}}"
#define SERVER     CRD(VERSION("v1", SERVED, SERVER_OLD) "," VERSION("v3", STORED, SERVER_NEW))
#define SAME       "{'properties':{'spec':{'properties':{'a':{'nullable':true}}}}}"
#define STATUS     "{'properties':{'status':{'properties':{'a':{}},'default':{'a':1}}}}"
#define BARE       "{'properties':{'status':{'properties':{'a':{}}}}}"

/* clang-format off */
static const struct forms_row forms_rows[] = {
    {"equal schemas make one form",
     CRD(VERSION("v1", SERVED, SAME) "," VERSION("v2", STORED, SAME)), "v1",
     "{'apiVersion':'mesh.example/v1','spec':{}}", "v1",
     "[{'apiVersion':'mesh.example/v1','spec':{}},{'apiVersion':'mesh.example/v2','spec':{}}]"},
    {"a nullable null is absent",
     CRD(VERSION("v1", SERVED, SAME) "," VERSION("v2", STORED, SAME)), "v2",
     "{'apiVersion':'mesh.example/v2','spec':{'a':null}}", "v2",
     "[{'apiVersion':'mesh.example/v2','spec':{}},{'apiVersion':'mesh.example/v2','spec':{}}]"},
    {"the old version may say what the new one's default says", SERVER, "v3",
     "{'apiVersion':'mesh.example/v3','spec':{'port':1}}", "v3 v1",
     "[{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'deny'}},"
     "{'apiVersion':'mesh.example/v1','spec':{'port':1}},"
     "{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'deny'}}]"},
    {"but not when it would be read as another thing", SERVER, "v3",
     "{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'audit'}}", "v3",
     "[{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'audit'}},"
     "{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'audit'}}]"},
    {"written in the old version", SERVER, "v1",
     "{'apiVersion':'mesh.example/v1','spec':{'port':1}}", "v1 v3",
     "[{'apiVersion':'mesh.example/v1','spec':{'port':1}},"
     "{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'deny'}},"
     "{'apiVersion':'mesh.example/v3','spec':{'port':1,'access':'deny'}}]"},
    {"a version that is not served is in no set, yet it is what is stored",
     CRD(VERSION("v1", SERVED, SERVER_OLD) "," VERSION("v3", "'storage': true", SERVER_NEW)), "v1",
     "{'apiVersion':'mesh.example/v1','spec':{}}", "v1",
     "[{'apiVersion':'mesh.example/v1','spec':{}},"
     "{'apiVersion':'mesh.example/v3','spec':{'access':'deny'}}]"},
    {"with a conversion only what is written",
     CRD_WITH(VERSION("v1", SERVED, SERVER_OLD) "," VERSION("v3", STORED, SERVER_NEW),
              ",'conversion':{'strategy':'Webhook'}"), "v1",
     "{'apiVersion':'mesh.example/v1','spec':{}}", "v1",
     "[{'apiVersion':'mesh.example/v1','spec':{}},{'apiVersion':'mesh.example/v1','spec':{}}]"},
    {"status goes from a form whose version has the subresource (N17), the stored one has its default",
     CRD(VERSION("v1", SERVED WITH_STATUS, BARE) "," VERSION("v2", STORED WITH_STATUS, STATUS)), "v1",
     "{'apiVersion':'mesh.example/v1','status':{'a':7}}", "v1 v2",
     "[{'apiVersion':'mesh.example/v1'},{'apiVersion':'mesh.example/v2'},"
     "{'apiVersion':'mesh.example/v2','status':{'a':1}}]"},
    {"a version without the subresource could store a status: not the same thing",
     CRD(VERSION("v1", STORED, BARE) "," VERSION("v2", SERVED WITH_STATUS, BARE)), "v1",
     "{'apiVersion':'mesh.example/v1','status':{'a':7}}", "v1",
     "[{'apiVersion':'mesh.example/v1','status':{'a':7}},"
     "{'apiVersion':'mesh.example/v1','status':{'a':7}}]"},
    {"equal versions make one more form, not two",
     CRD(VERSION("v1", SERVED, SERVER_OLD) "," VERSION("v2", SERVED, SERVER_OLD) ","
         VERSION("v3", STORED, SERVER_NEW)), "v3",
     "{'apiVersion':'mesh.example/v3','spec':{}}", "v3 v1",
     "[{'apiVersion':'mesh.example/v3','spec':{'access':'deny'}},"
     "{'apiVersion':'mesh.example/v1','spec':{}},"
     "{'apiVersion':'mesh.example/v3','spec':{'access':'deny'}}]"},
};
/* clang-format on */

static void check_forms(const struct forms_row *row)
{
    struct schema *s = compile(row->crd);
    json_t *written = json_of(row->written);
    struct schema_forms forms;
    struct err err = {0};
    json_t *all = json_array();
    struct buf versions = {0};

    if (!schema_forms(s, bytes_str(row->version), written, &forms, NULL, NULL, &err))
        fail_msg("%s: %s (%s)", row->name, err.message, err.path);
    for (size_t i = 0; i < forms.count; i++) {
        json_array_append(all, forms.forms[i].object);
        buf_append_str(&versions, i > 0 ? " " : "");
        buf_append(&versions, forms.forms[i].version);
    }
    json_array_append(all, forms.storage.object);
    check_bytes(row->name, buf_bytes(&versions), bytes_str(row->forms));
    check_json(row->name, all, row->want);
    check_json(row->name, written, row->written);
    json_decref(all);
    json_decref(written);
    buf_release(&versions);
    schema_forms_release(&forms);
    schema_free(s);
}

static void test_schema_forms_are_the_accept_set_of_n12(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms_rows); i++)
        check_forms(&forms_rows[i]);
}

static void test_schema_forms_tell_what_was_pruned_from_the_written_one_only(void **state)
{
    struct schema *s = compile(SERVER);
    json_t *written = json_of("{'spec':{'port':1,'access':'deny','x':1}}");
    struct schema_forms forms;
    struct buf pruned = {0};
    struct err err = {0};

    (void)state;
    assert_true(schema_forms(s, BYTES("v3"), written, &forms, note, &pruned, &err));
    check_bytes("pruned", buf_bytes(&pruned), BYTES("spec.x"));
    assert_int_equal(forms.count, 2);
    schema_forms_release(&forms);
    buf_release(&pruned);
    json_decref(written);
    schema_free(s);
}

static void test_schema_forms_refuse_a_version_that_is_not_served(void **state)
{
    struct schema *s =
        compile(CRD(VERSION("v1", STORED, SAME) "," VERSION("v1alpha1", "'served': false", SAME)));
    json_t *written = json_of("{}");
    struct schema_forms forms;
    struct err err = {0};

    (void)state;
    assert_false(schema_forms(s, BYTES("v1alpha1"), written, &forms, NULL, NULL, &err));
    check_bytes("path", bytes_str(err.path), BYTES("apiVersion"));
    assert_false(schema_forms(s, BYTES("v9"), written, &forms, NULL, NULL, &err));
    json_decref(written);
    schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_nulls_are_the_paths_of_n15),
        cmocka_unit_test(test_schema_nulls_leave_out_versions_that_are_not_served),
        cmocka_unit_test(test_schema_forms_are_the_accept_set_of_n12),
        cmocka_unit_test(test_schema_forms_tell_what_was_pruned_from_the_written_one_only),
        cmocka_unit_test(test_schema_forms_refuse_a_version_that_is_not_served),
    };

    return cmocka_run_group_tests_name("schema_forms", tests, NULL, NULL);
}
