#include "policy/schema.h"
#include "tests/unit/crd.h"
#include "tests/unit/test.h"

/* --- prune, null-drop, default ---------------------------------------------------------------- */

struct apply_row {
    const char *name;
    const char *schema;
    const char *in;
    const char *want;
    const char *pruned;
};

/* clang-format off */
static const struct apply_row apply_rows[] = {
    /* 3.2 */
    {"unknown keys go, with their path",
     "{'type':'object','properties':{'a':{'type':'object','properties':{'b':{'type':'array','items':"
     "{'type':'object','properties':{'c':{}}}}}}}}",
     "{'x':1,'a':{'y':1,'b':[{'c':1},{'c':2,'z':1}]}}", "{'a':{'b':[{'c':1},{'c':2}]}}",
     "x a.y a.b[1].z"},
    {"a key that is no word is quoted in its path", "{'type':'object'}", "{'a.b/c':1}", "{}",
     "[\"a.b/c\"]"},
    {"root: apiVersion, kind and metadata are not touched",
     "{'type':'object','properties':{'metadata':{'type':'object'},'kind':{'type':'string','default':'X'}}}",
     "{'apiVersion':null,'metadata':{'labels':{'a':null},'zz':{'b':1}}}",
     "{'apiVersion':null,'metadata':{'labels':{'a':null},'zz':{'b':1}}}", ""},
    {"below the root they are like any key",
     "{'type':'object','properties':{'a':{'type':'object'}}}",
     "{'a':{'kind':'x','metadata':{}}}", "{'a':{}}", "a.kind a.metadata"},
    {"types are not checked, a map where a text belongs is emptied",
     "{'type':'object','properties':{'a':{'type':'string'},'b':{'type':'object'}}}",
     "{'a':{'x':1},'b':'text'}", "{'a':{},'b':'text'}", "a.x"},
    {"additionalProperties: true and {} keep the key and empty what is below",
     "{'type':'object','properties':{'a':{'type':'object','additionalProperties':true},"
     "'b':{'type':'object','additionalProperties':{}}}}",
     "{'a':{'k':{'x':1},'l':[{'x':1}],'m':2},'b':{'k':{'x':1}}}",
     "{'a':{'k':{},'l':[{}],'m':2},'b':{'k':{}}}", "a.k.x a.l[0].x b.k.x"},
    {"additionalProperties with a schema",
     "{'type':'object','properties':{'a':{'additionalProperties':{'properties':{'b':{}}}}}}",
     "{'a':{'k':{'b':1,'x':1}}}", "{'a':{'k':{'b':1}}}", "a.k.x"},
    {"preserve-unknown keeps all it does not know, prunes below what it knows",
     "{'type':'object','properties':{'a':{'x-kubernetes-preserve-unknown-fields':true,"
     "'properties':{'b':{'properties':{'c':{}}}}}}}",
     "{'a':{'u':{'v':{'w':null}},'b':{'c':1,'x':1}}}",
     "{'a':{'u':{'v':{'w':null}},'b':{'c':1}}}", "a.b.x"},
    {"preserve-unknown on a list reaches its items",
     "{'type':'object','properties':{'l':{'type':'array','x-kubernetes-preserve-unknown-fields':true,"
     "'items':{'type':'object','properties':{'a':{'type':'object'}}}}}}",
     "{'l':[{'u':1,'a':{'x':1}}]}", "{'l':[{'u':1,'a':{}}]}", "l[0].a.x"},
    {"no items: lists of maps are emptied, lists in lists too",
     "{'type':'object','properties':{'l':{'type':'array'}}}",
     "{'l':[1,{'x':1},[{'x':1}],null]}", "{'l':[1,{},[{}],null]}", "l[1].x l[2][0].x"},
    /* 3.3 */
    {"a null is dropped where it is known, not nullable and has no default",
     "{'type':'object','properties':{'a':{},'n':{'nullable':true},'m':{'additionalProperties':{}},"
     "'t':{'additionalProperties':true},'p':{'x-kubernetes-preserve-unknown-fields':true},"
     "'l':{'items':{}}}}",
     "{'a':null,'n':null,'m':{'k':null},'t':{'k':null},'p':{'k':null},'l':[null]}",
     "{'n':null,'m':{},'t':{'k':null},'p':{'k':null},'l':[null]}", ""},
    /* 3.4 */
    {"defaults: missing and null, but not where null is allowed",
     "{'type':'object','properties':{'a':{'default':1},'b':{'default':2},'c':{'default':3,'nullable':true},"
     "'d':{'default':4,'nullable':true},'e':{'default':5}}}",
     "{'b':null,'c':null,'e':0}", "{'a':1,'b':2,'c':null,'d':4,'e':0}", ""},
    {"no default below a parent that is missing",
     "{'type':'object','properties':{'spec':{'properties':{'a':{'default':1}}}}}", "{}", "{}", ""},
    {"an inserted default is filled itself",
     "{'type':'object','properties':{'rules':{'type':'array','default':[{}],'items':{'properties':"
     "{'matches':{'type':'array','default':[{'path':{}}],'items':{'properties':{'path':{'properties':"
     "{'value':{'default':'/'}}}}}}}}}}}",
     "{}", "{'rules':[{'matches':[{'path':{'value':'/'}}]}]}", ""},
    {"an empty list is not missing",
     "{'type':'object','properties':{'l':{'type':'array','default':[1]}}}", "{'l':[]}", "{'l':[]}", ""},
    {"defaults of items and additionalProperties replace nulls only",
     "{'type':'object','properties':{'l':{'items':{'default':1}},'n':{'items':{'default':1,'nullable':true}},"
     "'m':{'additionalProperties':{'default':2}}}}",
     "{'l':[null,3],'n':[null],'m':{'a':null,'b':3}}", "{'l':[1,3],'n':[null],'m':{'a':2,'b':3}}", ""},
    {"defaults are pruned when the CRD is compiled",
     "{'type':'object','properties':{'a':{'type':'object','default':{'b':1,'x':{'y':2}},"
     "'properties':{'b':{}}}}}",
     "{}", "{'a':{'b':1}}", ""},
    {"an items default below a list that preserves unknown fields is not",
     "{'type':'object','properties':{'l':{'x-kubernetes-preserve-unknown-fields':true,"
     "'items':{'default':{'x':1}}}}}",
     "{'l':[null]}", "{'l':[{'x':1}]}", ""},
    {"status gets its default like anything else",
     "{'type':'object','properties':{'status':{'default':{'a':1},'properties':{'a':{}}}}}", "{}",
     "{'status':{'a':1}}", ""},
    {"int-or-string and what we do not know change nothing",
     "{'type':'object','properties':{'a':{'x-kubernetes-int-or-string':true,'anyOf':[{'type':'integer'},"
     "{'type':'string'}],'x-kubernetes-validations':[{'rule':'true'}]}}}",
     "{'a':'80'}", "{'a':'80'}", ""},
    {"embedded resource: its metadata is kept as it is",
     "{'type':'object','properties':{'t':{'type':'object','x-kubernetes-embedded-resource':true,"
     "'properties':{'spec':{'type':'object'},'kind':{'type':'string','default':'Pod'}}}}}",
     "{'t':{'apiVersion':'v1','metadata':{'name':'a','labels':{'b':''}},'spec':{'x':1},'y':1}}",
     "{'t':{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a','labels':{'b':''}},'spec':{}}}",
     "t.spec.x t.y"},
    {"an empty key is a key",
     "{'type':'object','properties':{'':{'properties':{'':{'default':1}}}}}", "{'':{}}", "{'':{'':1}}", ""},
    {"null means absent for the keywords, too",
     "{'type':'object','nullable':null,'additionalProperties':null,'items':null,'properties':"
     "{'a':{'default':null,'properties':null}}}",
     "{'a':null}", "{}", ""},
};
/* clang-format on */

static void check_apply(const struct apply_row *row)
{
    struct schema *s = compile_properties(row->schema);
    json_t *object = json_of(row->in);
    struct buf pruned = {0};
    struct err err = {0};

    if (!schema_apply(s, BYTES("v1"), object, note, &pruned, &err))
        fail_msg("%s: %s (%s)", row->name, err.message, err.path);
    check_json(row->name, object, row->want);
    check_bytes(row->name, buf_bytes(&pruned), bytes_str(row->pruned));
    buf_release(&pruned);
    json_decref(object);
    schema_free(s);
}

static void test_schema_apply_does_what_the_api_server_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(apply_rows); i++)
        check_apply(&apply_rows[i]);
}

static void test_schema_apply_refuses_embedded_metadata_that_would_be_rewritten(void **state)
{
    static const char *const objects[] = {
        "{'t':{'metadata':{'labels':{}}}}",
        "{'t':{'metadata':{'labels':{'a':1}}}}",
        "{'t':{'metadata':{'labels':{'a':null}}}}",
        "{'t':{'metadata':{'name':''}}}",
        "{'t':{'metadata':{'uid':'x'}}}",
        "{'t':{'metadata':null}}",
        "{'t':{'metadata':[]}}",
        "{'t':{'kind':1}}",
        "{'t':{'apiVersion':null}}",
    };
    struct schema *s = compile_properties(
        "{'type':'object','properties':{'t':{'type':'object','x-kubernetes-embedded-resource':true,"
        "'x-kubernetes-preserve-unknown-fields':true}}}");

    (void)state;
    for (size_t i = 0; i < COUNT(objects); i++) {
        json_t *object = json_of(objects[i]);
        struct err err = {0};

        if (schema_apply(s, BYTES("v1"), object, NULL, NULL, &err))
            fail_msg("%s: accepted", objects[i]);
        assert_int_equal(strncmp(err.path, "t.", 2), 0);
        json_decref(object);
    }
    schema_free(s);
}

static void test_schema_apply_refuses_what_it_does_not_know(void **state)
{
    struct schema *s = compile_properties("{'type':'object','properties':{'l':{}}}");
    json_t *object = json_of("{}");
    json_t *list = json_array();
    struct err err = {0};

    (void)state;
    assert_false(schema_apply(s, BYTES("v2"), object, NULL, NULL, &err));
    assert_false(schema_apply(s, BYTES("v1"), list, NULL, NULL, &err));
    for (int i = 0; i < SCHEMA_MAX_DEPTH + 2; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, list);
        list = outer;
    }
    json_object_set_new(object, "l", list);
    assert_false(schema_apply(s, BYTES("v1"), object, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "deeper"));
    json_decref(object);
    schema_free(s);
}

/* --- compiling -------------------------------------------------------------------------------- */

static void test_schema_compile_refuses(void **state)
{
#define OBJECT       "{'type':'object'}"
#define ROOT(schema) CRD(VERSION("v1", STORED, schema))
#define IN_ROOT      "spec.versions[0].schema.openAPIV3Schema"
    static const struct {
        const char *crd;
        const char *path;
    } rows[] = {
        {"[]", "kind"},
        {"{'kind':'Thing'}", "kind"},
        {"{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1beta1'}",
         "apiVersion"},
        {"{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1'}", "spec"},
        {"{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1','spec':{}}",
         "spec.group"},
        {"{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1','spec':"
         "{'group':'g'}}",
         "spec.names"},
        {"{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1','spec':"
         "{'group':'g','names':{'kind':''}}}",
         "spec.names.kind"},
        {"{'kind':'CustomResourceDefinition','apiVersion':'apiextensions.k8s.io/v1','spec':"
         "{'group':'g\\u0000h'}}",
         "spec.group"},
        {CRD(""), "spec.versions"},
        {CRD("1"), "spec.versions[0]"},
        {CRD("{}"), "spec.versions[0].name"},
        {CRD("{'name':'v1','served':1}"), "spec.versions[0].served"},
        {CRD("{'name':'v1','served':true,'storage':true}"), "spec.versions[0].schema"},
        {CRD("{'name':'v1','schema':{}}"), IN_ROOT},
        {CRD(VERSION("v1", SERVED, OBJECT)), "spec.versions"},
        {CRD(VERSION("v1", STORED, OBJECT) "," VERSION("v2", STORED, OBJECT)), "spec.versions"},
        {CRD(VERSION("v1", STORED, OBJECT) "," VERSION("v1", SERVED, OBJECT)),
         "spec.versions[1].name"},
        {CRD_WITH(VERSION("v1", STORED, OBJECT), ",'preserveUnknownFields':true"),
         "spec.preserveUnknownFields"},
        {CRD_WITH(VERSION("v1", STORED, OBJECT), ",'scope':'Both'"), "spec.scope"},
        {CRD_WITH(VERSION("v1", STORED, OBJECT), ",'conversion':{}"), "spec.conversion.strategy"},
        {ROOT("[]"), IN_ROOT},
        {ROOT("{'properties':[]}"), IN_ROOT ".properties"},
        {ROOT("{'properties':{'a':true}}"), IN_ROOT ".properties.a"},
        {ROOT("{'properties':{'a':{'items':[{}]}}}"), IN_ROOT ".properties.a.items"},
        {ROOT("{'properties':{'a':{'nullable':'true'}}}"), IN_ROOT ".properties.a.nullable"},
        {ROOT("{'properties':{'a.b':{'additionalProperties':false}}}"),
         IN_ROOT ".properties[\"a.b\"].additionalProperties"},
        {ROOT("{'x-kubernetes-preserve-unknown-fields':false}"),
         IN_ROOT ".x-kubernetes-preserve-unknown-fields"},
        {ROOT("{'properties':{'a':{'$ref':'#/x'}}}"), IN_ROOT ".properties.a[\"$ref\"]"},
        {ROOT("{'properties':{'a':{'patternProperties':{'x':{}}}}}"),
         IN_ROOT ".properties.a.patternProperties"},
        {ROOT("{'properties':{'a':{'x-kubernetes-embedded-resource':true,'properties':{'metadata':"
              "{'properties':{'name':{'default':'x'}}}}}}}"),
         IN_ROOT ".properties.a.properties.metadata"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *crd = json_of(rows[i].crd);
        struct schema *s = NULL;
        struct err err = {0};

        if (schema_compile(crd, &s, &err))
            fail_msg("%s: compiled", rows[i].crd);
        assert_null(s);
        assert_true(err.message[0] != '\0');
        check_bytes(rows[i].crd, bytes_str(err.path), bytes_str(rows[i].path));
        json_decref(crd);
    }
}

static bool compiles(json_t *root)
{
    json_t *crd = json_of(ROOT(OBJECT));
    json_t *versions = json_object_get(json_object_get(crd, "spec"), "versions");
    struct schema *s = NULL;
    struct err err = {0};

    json_object_set_new(json_object_get(json_array_get(versions, 0), "schema"), "openAPIV3Schema",
                        root);
    const bool ok = schema_compile(crd, &s, &err);

    schema_free(s);
    json_decref(crd);
    return ok;
}

static json_t *nested(int levels, const char *key)
{
    json_t *schema = json_object();

    for (int i = 0; i < levels; i++)
        schema = json_pack("{s:o}", key, schema);
    return schema;
}

static json_t *wide(int count)
{
    json_t *properties = json_object();

    for (int i = 0; i < count; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "p%d", i);
        json_object_set_new(properties, name, json_object());
    }
    return json_pack("{s:o}", "properties", properties);
}

static void test_schema_compile_keeps_its_limits(void **state)
{
    (void)state;
    assert_true(compiles(nested(SCHEMA_MAX_DEPTH, "items")));
    assert_false(compiles(nested(SCHEMA_MAX_DEPTH + 1, "items")));
    assert_false(compiles(nested(SCHEMA_MAX_DEPTH + 1, "additionalProperties")));
    assert_false(compiles(nested(1500, "items")));
    assert_true(compiles(wide(SCHEMA_MAX_NODES - 1)));
    assert_false(compiles(wide(SCHEMA_MAX_NODES + 1)));
    /* A default that is too deep to be copied. */
    json_t *deep = json_array();

    for (int i = 0; i < SCHEMA_MAX_DEPTH + 1; i++)
        deep = json_pack("[o]", deep);
    assert_false(compiles(json_pack("{s:{s:{s:o}}}", "properties", "a", "default", deep)));
}

static void test_schema_kind_says_what_the_crd_says(void **state)
{
    struct schema *s = compile(CRD_WITH(VERSION("v1", STORED WITH_STATUS, OBJECT) "," VERSION(
                                            "v1alpha1", "'served': false", OBJECT),
                                        ",'conversion':{'strategy':'Webhook'}"));
    const struct kind *kind = schema_kind(s);

    (void)state;
    check_bytes("group", kind->group, BYTES("mesh.example"));
    check_bytes("kind", kind->kind, BYTES("Thing"));
    check_bytes("plural", kind->plural, BYTES("things"));
    assert_true(kind->has_schema && kind->namespaced && kind->conversion);
    assert_int_equal(kind->version_count, 2);
    check_bytes("v1", kind->versions[0].name, BYTES("v1"));
    assert_true(kind->versions[0].served && kind->versions[0].storage);
    assert_true(kind->versions[0].status_subresource);
    assert_false(kind->versions[1].served || kind->versions[1].storage);
    assert_false(kind->versions[1].status_subresource);
    assert_int_equal(kind->nulls.len, 0);
    schema_free(s);
}

static void test_schema_digest_is_of_what_counts(void **state)
{
#define BASE "{'type':'object','properties':{'a':{'default':1},'b':{}}}"
    static const struct {
        const char *crd;
        bool same;
    } rows[] = {
        {ROOT("{'properties':{'b':{},'a':{'description':'x','default':1,'type':'integer'}}}"),
         true},
        {CRD_WITH(VERSION("v1", STORED, BASE), ",'conversion':{'strategy':'None'}"), true},
        {ROOT("{'properties':{'a':{'default':2},'b':{}}}"), false},
        {ROOT("{'properties':{'a':{'default':'1'},'b':{}}}"), false},
        {ROOT("{'properties':{'a':{'default':1}}}"), false},
        {ROOT("{'properties':{'a':{'default':1},'b':{'nullable':true}}}"), false},
        {ROOT("{'properties':{'a':{'default':1},'b':{'items':{}}}}"), false},
        {ROOT("{'properties':{'a':{'default':1},'b':{'additionalProperties':{}}}}"), false},
        {ROOT("{'properties':{'a':{'default':1},'b':{'additionalProperties':true}}}"), false},
        {CRD(VERSION("v2", STORED, BASE)), false},
        {CRD(VERSION("v1", STORED WITH_STATUS, BASE)), false},
        {CRD_WITH(VERSION("v1", STORED, BASE), ",'conversion':{'strategy':'Webhook'}"), false},
    };
    struct schema *base = compile(ROOT(BASE));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct schema *s = compile(rows[i].crd);

        if (digest_equal(schema_digest(s), schema_digest(base)) != rows[i].same)
            fail_msg("%s: the digest is %s", rows[i].crd, rows[i].same ? "another" : "the same");
        schema_free(s);
    }
    schema_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_apply_does_what_the_api_server_does),
        cmocka_unit_test(test_schema_apply_refuses_embedded_metadata_that_would_be_rewritten),
        cmocka_unit_test(test_schema_apply_refuses_what_it_does_not_know),
        cmocka_unit_test(test_schema_compile_refuses),
        cmocka_unit_test(test_schema_compile_keeps_its_limits),
        cmocka_unit_test(test_schema_kind_says_what_the_crd_says),
        cmocka_unit_test(test_schema_digest_is_of_what_counts),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
