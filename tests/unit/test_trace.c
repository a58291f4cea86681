#include "policy/canon_tree.h"
#include "policy/diff.h"
#include "policy/managers.h"
#include "policy/rules.h"
#include "policy/trace.h"
#include "tests/unit/crd.h"
#include "tests/unit/test.h"

/* --- the trace -------------------------------------------------------------------------------- */

#define THING(metadata, rest)                                                                      \
    "{'apiVersion':'mesh.example/v1','kind':'Thing','metadata':{'name':'n'" metadata "}," rest "}"

/* "N13 removed spec.x; N14 added spec.f" */
static void describe(const struct trace *t, struct buf *out)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct trace_step *step = &t->steps[i];

        buf_printf(out, "%sN%u %s %s", i > 0 ? "; " : "", step->rule,
                   trace_action_text(step->action), step->path);
        assert_true(rules_title(step->rule)[0] != '\0');
        assert_true((step->before == NULL) == (step->action == TRACE_ADDED));
        assert_true((step->after == NULL) == (step->action == TRACE_REMOVED));
    }
}

static void read_tree(struct normal *n, const json_t *object, const struct normal_rules *rules)
{
    char *text = json_dumps(object, JSON_COMPACT);
    struct err err;

    if (!normal_read_text(n, bytes_str(text), rules, &err))
        fail_msg("%s: %s", text, err.message);
    free(text);
}

/* As explain does it for a document of Git; the object becomes what the schema makes of it. */
static void trace_git(struct trace *t, const struct schema *s, json_t *object)
{
    const struct normal_rules rules = normal_rules(schema_kind(s), BYTES("v1"));
    const struct identity id = {BYTES("mesh.example"), BYTES("Thing"), BYTES("ns"), BYTES("n")};
    struct normal n = {0};
    struct err err;

    trace_identity(t, &id, object);
    if (!trace_schema(t, s, BYTES("v1"), object, &err))
        fail_msg("%s", err.message);
    read_tree(&n, object, &rules);
    trace_normal(t, object, &n, &rules);
    normal_release(&n);
}

#define FULL  "'spec':{'f':1,'s':'y','d':3}" /* nothing to fill in */
#define IN_NS ",'namespace':'ns'"

static void test_trace_names_the_rule_of_each_change(void **state)
{
    static const struct {
        const char *name;
        const char *object;
        const char *want;
    } rows[] = {
        {"nothing", THING(IN_NS, FULL), ""},
        {"the source's namespace", THING("", FULL), "N10 added metadata.namespace"},
        {"another namespace", THING(",'namespace':'other'", FULL),
         "N10 changed metadata.namespace"},
        {"pruned",
         THING(IN_NS, "'spec':{'f':1,'s':'y','d':3,'x':{'y':1},'l':[{'w':1,'no':2}]},"
                      "'z':1"),
         "N13 removed spec.x; N13 removed spec.l[0].no; N13 removed z"},
        {"a pruned null", THING(IN_NS, "'spec':{'f':1,'s':'y','d':3,'x':null}"),
         "N13 removed spec.x"},
        {"a null that is no value", THING(IN_NS, "'spec':{'f':1,'s':'y','d':3,'a':null}"),
         "N14 removed spec.a"},
        {"a null for a default", THING(IN_NS, "'spec':{'f':null,'s':'y','d':3}"),
         "N14 changed spec.f"},
        {"defaults", THING(IN_NS, "'spec':{'m':{},'l':[{},{'w':2}]}"),
         "N14 added spec.m.deep; N14 added spec.l[0].w; N14 added spec.d; N14 added spec.f; "
         "N14 added spec.s"},
        {"a null like absent", THING(IN_NS, "'spec':{'f':1,'s':'y','d':3,'n':null}"),
         "N15 removed spec.n"},
        {"a null that means something", THING(IN_NS, "'spec':{'f':1,'s':'y','d':null}"), ""},
        {"a key with a dot", THING(IN_NS, "'spec':{'f':1,'s':'y','d':3,'b/c':null}"),
         "N14 removed spec[\"b/c\"]"},
        {"status", THING(IN_NS, FULL ",'status':{'x':1}"),
         "N13 removed status.x; N17 removed status"},
        {"what a server sets",
         THING(IN_NS ",'uid':'u','generation':3,'creationTimestamp':null,'finalizers':['f']", FULL),
         "N18 removed metadata.uid; N18 removed metadata.generation; "
         "N18 removed metadata.creationTimestamp; N18 removed metadata.finalizers"},
        {"bookkeeping",
         THING(IN_NS ",'annotations':{'meta.helm.sh/release-name':'r','a':'b'}", FULL),
         "N19 removed metadata.annotations[\"meta.helm.sh/release-name\"]"},
        {"bookkeeping only", THING(IN_NS ",'annotations':{'meta.helm.sh/release-name':'r'}", FULL),
         "N19 removed metadata.annotations[\"meta.helm.sh/release-name\"]; "
         "N21 removed metadata.annotations"},
        {"break-glass",
         THING(IN_NS ",'annotations':{'meshwrit.dev/break-glass':'r','a':'b'}", FULL),
         "N36 removed metadata.annotations[\"meshwrit.dev/break-glass\"]"},
        {"empty labels", THING(IN_NS ",'labels':{}", FULL), "N21 removed metadata.labels"},
        {"no labels", THING(IN_NS ",'labels':null", FULL), "N21 removed metadata.labels"},
        {"kept labels", THING(IN_NS ",'labels':{'a':'b'}", FULL), ""},
        {"numbers", THING(IN_NS, "'spec':{'f':1.0,'s':'y','d':3,'l':[{'w':-0.0}]}"),
         "N8 changed spec.f; N8 changed spec.l[0].w"},
    };
    struct schema *s = compile(CRD("{'name': 'v1', " STORED WITH_STATUS
                                   ", 'schema': {'openAPIV3Schema': {'properties':{'spec':{"
                                   "'properties':{'a':{},'n':{'nullable':true},'f':{'default':7},"
                                   "'s':{'default':'x'},'m':{'properties':{'deep':{'default':{'k':"
                                   "1}}}},'l':{'items':{'properties':{'w':{'default':1},'x':{}}}},"
                                   "'d':{'nullable':true,'default':2},'b/c':{}}},'status':{}}}}}"));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *object = json_of(rows[i].object);
        struct trace t = {0};
        struct buf got = {0};

        trace_git(&t, s, object);
        describe(&t, &got);
        if (strcmp(buf_cstr(&got), rows[i].want) != 0)
            fail_msg("%s: got %s, want %s", rows[i].name, buf_cstr(&got), rows[i].want);
        buf_release(&got);
        trace_release(&t);
        json_decref(object);
    }
    schema_free(s);
}

static void test_trace_of_a_live_object_neither_prunes_nor_defaults(void **state)
{
    const struct normal_rules rules = {.drop_status = false};
    json_t *object =
        json_of(THING(IN_NS ",'uid':'u'", "'spec':{'unknown':1,'n':null},'status':{'a':1}"));
    struct normal n = {0};
    struct trace t = {0};
    struct buf got = {0};

    (void)state;
    read_tree(&n, object, &rules);
    trace_normal(&t, object, &n, &rules);
    describe(&t, &got);
    assert_string_equal(buf_cstr(&got), "N18 removed metadata.uid");
    buf_release(&got);
    trace_release(&t);
    normal_release(&n);
    json_decref(object);
}

static void test_trace_is_bounded(void **state)
{
    const struct normal_rules rules = {0};
    json_t *object = json_of(THING("", "'spec':{}"));
    json_t *list = json_array();
    struct normal n = {0};
    struct trace t = {0};

    (void)state;
    for (size_t i = 0; i < TRACE_MAX_STEPS + 5; i++)
        assert_int_equal(json_array_append_new(list, json_real(1.0)), 0);
    assert_int_equal(json_object_set_new(json_object_get(object, "spec"), "l", list), 0);
    read_tree(&n, object, &rules);
    trace_normal(&t, object, &n, &rules);
    assert_int_equal(t.count, TRACE_MAX_STEPS);
    assert_int_equal(t.left_out, 5);
    trace_release(&t);
    normal_release(&n);
    json_decref(object);
}

/* --- the tree --------------------------------------------------------------------------------- */

static void test_canon_tree_is_what_was_read(void **state)
{
    static const struct {
        const char *object;
        const char *want;
    } rows[] = {
        {THING(",'labels':{'b':'1','a':'2'},'uid':'u'", "'spec':{'z':[1,2.5,-3,true,false,null,"
                                                        "'\xc3\xa9'],'a':{}}"),
         "{'metadata':{'labels':{'a':'2','b':'1'}},'spec':{'a':{},'z':[1,2.5,-3,true,false,null,"
         "'\xc3\xa9']}}"},
        {THING("", "'x':-9223372036854775808"), "{'x':-9223372036854775808}"},
        {THING("", "'x':1e300,'y':''"), "{'x':1e300,'y':''}"},
    };
    const struct normal_rules rules = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *object = json_of(rows[i].object);
        struct normal n = {0};

        read_tree(&n, object, &rules);
        json_t *tree = canon_tree_normal(&n);

        check_json(rows[i].object, tree, rows[i].want);
        json_decref(tree);
        normal_release(&n);
        json_decref(object);
    }
}

/* --- differences ------------------------------------------------------------------------------ */

struct seen {
    struct buf text;
    unsigned left; /* how many more are wanted */
};

static bool see(void *context, const struct schema_path *path, struct bytes left,
                struct bytes right)
{
    struct seen *seen = context;

    buf_append_str(&seen->text, seen->text.len > 0 ? "; " : "");
    schema_path_text(path, &seen->text);
    buf_printf(&seen->text, " %s", left.len == 0 ? "+" : right.len == 0 ? "-" : "!");
    return --seen->left == 0;
}

static void test_diff_each_visits_all_until_it_is_enough(void **state)
{
    static const char all[] = "spec.a !; spec.b[1].x !; spec.b[2] -; spec.c -; spec.d +; "
                              "metadata.labels[\"k/l\"] -; metadata.labels.m +";
    static const struct {
        unsigned wanted;
        bool stopped;
        const char *want;
    } rows[] = {
        {100, false, all},
        {1, true, "spec.a !"},
        {3, true, "spec.a !; spec.b[1].x !; spec.b[2] -"},
        {7, true, all},
    };
    const struct normal_rules rules = {0};
    json_t *left = json_of(
        THING(",'labels':{'k/l':'1'}", "'spec':{'a':1,'b':[1,{'x':1},3],'c':{},'same':[{}]}"));
    json_t *right = json_of(
        THING(",'labels':{'m':'1'}", "'spec':{'a':'1','b':[1,{'x':2}],'d':null,'same':[{}]}"));
    struct normal a = {0};
    struct normal b = {0};

    (void)state;
    read_tree(&a, left, &rules);
    read_tree(&b, right, &rules);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct seen seen = {.left = rows[i].wanted};

        assert_int_equal(diff_each(&a, &b, see, &seen), rows[i].stopped);
        assert_string_equal(buf_cstr(&seen.text), rows[i].want);
        buf_release(&seen.text);
    }
    assert_false(diff_each(&a, &a, see, NULL));
    normal_release(&a);
    normal_release(&b);
    json_decref(left);
    json_decref(right);
}

/* --- who wrote it ----------------------------------------------------------------------------- */

#define ENTRY(manager, time, more, fields)                                                         \
    "{'manager':'" manager "','operation':'Update','time':'" time "'" more ",'fieldsV1':" fields "}"

static const char managed[] = "{'metadata':{'managedFields':[" ENTRY(
    "flux", "2026-01-01T00:00:00Z", "",
    "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}},'f:spec':{'.':{},'f:http':{},"
    "'f:w':{},'f:listeners':{'k:{\\\"name\\\":\\\"b\\\",\\\"port\\\":80}':{'.':{},"
    "'f:p':{}}},'f:set':{'v:\\\"two\\\"':{}}}}") "," ENTRY("edit", "2026-01-03T00:00:00Z", "",
                                                           "{'f:spec':{'f:w':{}}}") "," ENTRY("old",
                                                                                              "2026"
                                                                                              "-01-"
                                                                                              "02T0"
                                                                                              "0:"
                                                                                              "00:"
                                                                                              "00Z",
                                                                                              "",
                                                                                              "{'f:"
                                                                                              "spec"
                                                                                              "':{'"
                                                                                              "f:w'"
                                                                                              ":{}}"
                                                                                              "}") "," ENTRY("istiod",
                                                                                                             "2026-02-01T00:00:00Z",
                                                                                                             ",'subresource':'status'",
                                                                                                             "{'f:status':{}}") "]},'spec':{'http':[{'route':1}],'w':1,'listeners':[{'name':'a','port':80,'p':1},"
                                                                                                                                "{'name':'b','port':80,'p':1}],'set':['one','two']}}";

static void test_managers_know_who_wrote_a_field(void **state)
{
    const struct {
        const char *name;
        struct schema_path path[4]; /* from the root; ends with an empty key that is no item */
        const char *want;           /* NULL: nobody */
    } rows[] = {
        {"a field of its own", {{.key = BYTES("spec")}, {.key = BYTES("w")}}, "edit"},
        {"inside of a whole",
         {{.key = BYTES("spec")}, {.key = BYTES("http")}, {.is_item = true, .index = 0}},
         "flux"},
        {"a label",
         {{.key = BYTES("metadata")}, {.key = BYTES("labels")}, {.key = BYTES("a")}},
         "flux"},
        {"another label",
         {{.key = BYTES("metadata")}, {.key = BYTES("labels")}, {.key = BYTES("b")}},
         NULL},
        {"an item by its keys",
         {{.key = BYTES("spec")},
          {.key = BYTES("listeners")},
          {.is_item = true, .index = 1},
          {.key = BYTES("p")}},
         "flux"},
        {"an item of nobody",
         {{.key = BYTES("spec")},
          {.key = BYTES("listeners")},
          {.is_item = true, .index = 0},
          {.key = BYTES("p")}},
         NULL},
        {"an item by its value",
         {{.key = BYTES("spec")}, {.key = BYTES("set")}, {.is_item = true, .index = 1}},
         "flux"},
        {"an item that is not there",
         {{.key = BYTES("spec")}, {.key = BYTES("set")}, {.is_item = true, .index = 9}},
         NULL},
        {"status", {{.key = BYTES("status")}, {.key = BYTES("x")}}, "istiod"},
        {"a field of nobody", {{.key = BYTES("spec")}, {.key = BYTES("none")}}, NULL},
        {"a root of nobody", {{.key = BYTES("data")}}, NULL},
    };
    json_t *object = json_of(managed);
    struct manager m;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct schema_path path[4];
        size_t count = 0;

        for (; count < 4 && (rows[i].path[count].is_item || rows[i].path[count].key.len > 0);
             count++) {
            path[count] = rows[i].path[count];
            path[count].up = count == 0 ? NULL : &path[count - 1];
        }
        const bool found = managers_of_field(object, &path[count - 1], &m);

        if (found != (rows[i].want != NULL) || (found && strcmp(m.name, rows[i].want) != 0))
            fail_msg("%s: got %s", rows[i].name, found ? m.name : "nobody");
    }
    assert_true(managers_last(object, &m));
    assert_string_equal(m.name, "edit");
    assert_string_equal(m.operation, "Update");
    assert_string_equal(m.time, "2026-01-03T00:00:00Z");
    json_decref(object);
}

static void test_managers_bear_anything(void **state)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        "{'metadata':null}",
        "{'metadata':{'managedFields':{}}}",
        "{'metadata':{'managedFields':[]}}",
        "{'metadata':{'managedFields':[{'subresource':'status'}]}}",
        "{'spec':{'a':1},'metadata':{'managedFields':[{'subresource':'x','fieldsV1':{'f:spec':[]}}]"
        "}}",
        ("{'spec':[1],'metadata':{'managedFields':[{'subresource':'x','fieldsV1':{'f:spec':{"
         "'k:{':{},'v:':{},'f:b':3}}}]}}"),
    };
    const struct schema_path up = {.key = BYTES("spec")};
    const struct schema_path path = {.up = &up, .key = BYTES("a")};
    const struct schema_path item = {.up = &up, .is_item = true};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *object = json_of(rows[i]);
        struct manager m;

        if (managers_last(object, &m) || managers_of_field(object, &path, &m) ||
            managers_of_field(object, &item, &m))
            fail_msg("%s: somebody wrote it", rows[i]);
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_names_the_rule_of_each_change),
        cmocka_unit_test(test_trace_of_a_live_object_neither_prunes_nor_defaults),
        cmocka_unit_test(test_trace_is_bounded),
        cmocka_unit_test(test_canon_tree_is_what_was_read),
        cmocka_unit_test(test_diff_each_visits_all_until_it_is_enough),
        cmocka_unit_test(test_managers_know_who_wrote_a_field),
        cmocka_unit_test(test_managers_bear_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
