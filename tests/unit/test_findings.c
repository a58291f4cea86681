/* Where and by which rule something is refused: what `meshwrit check` shows. */
#include "source/build.h"
#include "source/yaml.h"
#include "source/yaml_place.h"
#include "tests/unit/crd.h"
#include "tests/unit/repository.h"

/* --- places and rules of YAML refusals -------------------------------------------------------- */

static void test_refusals_have_a_rule_and_a_place(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        bool json;
        unsigned rule;
        struct yaml_place place;
    } rows[] = {
        {"not UTF-8", "a: \xff\n", false, 2, {1, 4}},
        {"UTF-16", "\xff\xfe", false, 2, {1, 1}},
        {"separator", "--- a: 1\n", false, 3, {1, 1}},
        {"separator in quotes", "a: \"x\n---\n  y\"\n", false, 5, {2, 1}},
        {"directive", "%YAML 1.2\n---\na: 1\n", false, 3, {1, 1}},
        {"boolean", "a:\n  b: yes\n", false, 5, {2, 6}},
        {"twice", "a: 1\n\xc3\xa9: 1\na: 2\n", false, 5, {3, 1}},
        {"a key like a message", "UTF-8: 1\nUTF-8: 2\n", false, 5, {2, 1}},
        {"tab", "a:\n\tb: 1\n", false, 5, {2, 1}},
        {"integer", "a: 99999999999999999999\n", false, 8, {1, 4}},
        {"whole float", "a: 1e17\n", false, 8, {1, 4}},
        {"JSON, not UTF-8", "{\"a\": \"\xff\"}", true, 2, {1, 8}},
        {"JSON, twice", "{\"a\": 1,\n \"a\": 2}", true, 5, {2, 2}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bytes text = bytes_str(rows[i].text);
        struct yaml_documents documents = {0};
        struct err err = {0};

        if (rows[i].json ? yaml_read_json(text, &documents, &err)
                         : yaml_read(text, &documents, &err))
            fail_msg("%s: was read", rows[i].name);
        const struct yaml_place place = yaml_take_place(&err);

        const unsigned rule = yaml_rule_of(err.message);

        if (rule != rows[i].rule || place.line != rows[i].place.line ||
            place.column != rows[i].place.column)
            fail_msg("%s: got N%u at %u:%u (%s)", rows[i].name, rule, place.line, place.column,
                     err.message);
        /* A place is there once. */
        assert_int_equal(yaml_take_place(&err).line, 0);
    }
}

static void test_limits_are_rule_4(void **state)
{
    struct buf deep = {0};
    struct buf wide = {0};
    struct yaml_documents documents;
    struct err err = {0};

    (void)state;
    for (unsigned i = 0; i <= YAML_MAX_DEPTH; i++)
        buf_byte(&deep, '[');
    assert_false(yaml_read(buf_bytes(&deep), &documents, &err));
    assert_int_equal(yaml_rule_of(err.message), 4);
    for (unsigned i = 0; i <= YAML_MAX_NODES; i++)
        buf_append_str(&wide, "- 1\n");
    assert_false(yaml_read(buf_bytes(&wide), &documents, &err));
    assert_int_equal(yaml_rule_of(err.message), 4);
    while (wide.len <= YAML_MAX_BYTES)
        buf_append_str(&wide, "# 34567890123456789012345678901234567890\n");
    assert_false(yaml_read(buf_bytes(&wide), &documents, &err));
    assert_int_equal(yaml_rule_of(err.message), 4);
    buf_release(&deep);
    buf_release(&wide);
}

static void test_only_a_place_is_taken_off_a_message(void **state)
{
    static const char *const rows[] = {
        "",       "1",      "1:",     "1:2",    "1:2:",  "1:2:x",
        "0:1: a", "1:0: a", "x:1: a", "1:x: a", ":1: a", "99999999999:1: a",
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)err_set(&err, "%s", rows[i]);
        if (yaml_take_place(&err).line != 0 || strcmp(err.message, rows[i]) != 0)
            fail_msg("\"%s\": taken for a place, left \"%s\"", rows[i], err.message);
    }
    (void)err_set(&err, "12:34: a: 5:6: b");
    const struct yaml_place place = yaml_take_place(&err);

    assert_int_equal(place.line, 12);
    assert_int_equal(place.column, 34);
    assert_string_equal(err.message, "a: 5:6: b");
}

static void test_fields_have_a_column(void **state)
{
    static const char text[] = "a: {b: 1, \xc3\xa9\xc3\xa9: [x, y]}\n"
                               "c:\n"
                               "  - d: 1\n"
                               "    e: 2\n";
    static const struct {
        const char *path;
        struct yaml_place want;
    } rows[] = {
        {"", {1, 1}},     {"a.b", {1, 5}},    {"a[\"\xc3\xa9\xc3\xa9\"][1]", {1, 19}},
        {"c[0]", {3, 5}}, {"c[0].e", {4, 5}}, {"c[0].none", {3, 5}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct yaml_place got = yaml_place_of(bytes_str(text), 0, rows[i].path);

        if (got.line != rows[i].want.line || got.column != rows[i].want.column)
            fail_msg("%s: got %u:%u", rows[i].path, got.line, got.column);
    }
}

/* --- a repository ----------------------------------------------------------------------------- */

#define HEAD "apiVersion: mesh.example/v1\\nkind: Thing\\nmetadata: "

static void take(void *context, const struct build_finding *f)
{
    static const char *const kinds[] = {
        [BUILD_WARNING] = "warning", [BUILD_HELD] = "held", [BUILD_FAILURE] = "failure"};
    struct buf *out = context;

    buf_printf(out, "%s N%u %s:%u:%u %s\n", kinds[f->kind], f->rule, f->path, f->line, f->column,
               f->object == NULL ? "-" : f->object);
    assert_true(f->message[0] != '\0');
    assert_string_equal(f->source, "mesh");
}

/* The findings of a repository with one file, made by printf from `content`; *ok: a set was built.
 */
static void find(const char *content, bool lint, struct buf *out, struct build_summary *summary,
                 bool *ok, size_t *size)
{
    char *script = xasprintf("rm -rf r; git init -q r; cd r; printf '%s' >a.yaml; git add .; "
                             "git commit -qm a",
                             content);
    json_t *policy = json_of("{'apiVersion':'meshwrit.dev/v1alpha1','kind':'Policy','govern':[{"
                             "'groups':['mesh.example'],'kinds':['Thing'],'mode':'enforce'}]}");
    struct policy *compiled = NULL;
    struct crds *crds = crds_new();
    char *folder = in_folder("crds");
    struct buf set = {0};
    struct err err = {0};

    sh(script);
    struct build_source source = {.name = "mesh", .repo = open_repo("r")};
    const struct build_input input = {
        .sources = &source,
        .source_count = 1,
        .crds = crds,
        .policy = policy,
        .note = take,
        .context = out,
        .lint = lint,
    };

    assert_true(policy_load(policy, &compiled, &err));
    if (!crds_add_folder(crds, folder, compiled, &err))
        fail_msg("%s", err.message);
    (void)snprintf(source.commit, sizeof(source.commit), "%s", resolve(source.repo, "HEAD"));
    *ok = build_set(&input, &set, summary, &err);
    *size = set.len;
    buf_release(&set);
    free(folder);
    crds_free(crds);
    policy_free(compiled);
    json_decref(policy);
    repo_close(source.repo);
    free(script);
}

static void make_crds(void)
{
    char *crd = xasprintf(
        CRD(VERSION("v1", STORED, "{'properties':{'spec':{'properties':{'a':{},'l':{}}}}}")));

    for (char *p = crd; *p != '\0'; p++)
        *p = *p == '\'' ? '"' : *p;
    char *script = xasprintf("mkdir -p crds; echo '%s' >crds/a.json", crd);

    sh(script);
    free(script);
    free(crd);
}

static void test_a_lint_finds_all_of_it(void **state)
{
    static const struct {
        const char *name;
        const char *content;
        const char *want;
        size_t failures;
    } rows[] = {
        {"nothing", HEAD "{name: a, namespace: ns}\\n", "", 0},
        {"every unknown field",
         HEAD "{name: a, namespace: ns}\\nspec:\\n  a: 1\\n  x: 1\\n  w: 1\\nz: 1\\n",
         "held N13 a.yaml:6:3 Thing.mesh.example/ns/a\n"
         "held N13 a.yaml:7:3 Thing.mesh.example/ns/a\n"
         "held N13 a.yaml:8:1 Thing.mesh.example/ns/a\n",
         0},
        {"no namespace", HEAD "{name: a}\\n", "held N10 a.yaml:3:1 Thing.mesh.example/a\n", 0},
        {"a label", HEAD "{name: a, namespace: ns, labels: {x: w, z: 1}}\\n",
         "held N16 a.yaml:3:51 Thing.mesh.example/ns/a\n", 0},
        {"unknown metadata", HEAD "{name: a, namespace: ns, foo: 1}\\n",
         "held N16 a.yaml:3:36 Thing.mesh.example/ns/a\n", 0},
        {"break-glass",
         HEAD "{name: a, namespace: ns, annotations: {meshwrit.dev/break-glass: x}}\\n",
         "held N36 a.yaml:3:50 Thing.mesh.example/ns/a\n", 0},
        {"a version",
         "kind: Thing\\napiVersion: mesh.example/v2\\nmetadata: {name: a, namespace: ns}\\n",
         "held N12 a.yaml:2:1 Thing.mesh.example/ns/a\n", 0},
        {"in a List",
         "kind: List\\napiVersion: v1\\nitems:\\n- kind: ThingList\\n  items:\\n"
         "  - apiVersion: mesh.example/v1\\n    kind: Thing\\n    metadata: {name: a, namespace: "
         "ns}"
         "\\n    spec:\\n      x: 1\\n",
         "held N13 a.yaml:10:7 Thing.mesh.example/ns/a\n", 0},
        {"the same twice",
         HEAD "{name: a, namespace: ns}\\n---\\n" HEAD "{name: a, namespace: ns, labels: {}}\\n",
         "warning N7 a.yaml:5:1 Thing.mesh.example/ns/a\n", 0},
        {"another twice",
         HEAD "{name: a, namespace: ns}\\n---\\n" HEAD "{name: a, namespace: ns}\\nspec: {a: 1}\\n",
         "held N7 a.yaml:1:1 Thing.mesh.example/ns/a\n", 0},
        {"held and twice",
         HEAD "{name: a, namespace: ns}\\n---\\n" HEAD "{name: a, namespace: ns}\\nspec: {x: 1}\\n",
         "held N13 a.yaml:8:8 Thing.mesh.example/ns/a\n"
         "held N7 a.yaml:1:1 Thing.mesh.example/ns/a\n",
         0},
        {"goes on behind what has no name",
         HEAD "{generateName: a-}\\n---\\n" HEAD "{name: a}\\n---\\napiVersion: mesh.example/v1\\n",
         "failure N7 a.yaml:3:1 -\n"
         "held N10 a.yaml:7:1 Thing.mesh.example/a\n"
         "failure N7 a.yaml:9:1 -\n",
         2},
        {"YAML of a governed group", "# mesh.example\\na: b: c\\n", "failure N5 a.yaml:2:5 -\n", 1},
        {"YAML of a governed object",
         HEAD "{name: a, namespace: ns}\\nspec: {a: yes, l: [on, 1e17]}\\n---\\n" HEAD
              "{name: b, namespace: ns}\\n",
         "held N5 a.yaml:4:11 Thing.mesh.example/ns/a\n"
         "held N5 a.yaml:4:20 Thing.mesh.example/ns/a\n"
         "held N8 a.yaml:4:24 Thing.mesh.example/ns/a\n",
         0},
        {"YAML in the way of a name", HEAD "{name: yes}\\n", "failure N5 a.yaml:3:18 -\n", 1},
        {"YAML of a list", "# c\\n- yes\\n- 1\\n- on\\n",
         "warning N5 a.yaml:2:3 -\nwarning N5 a.yaml:4:3 -\n", 0},
        {"YAML of something else", "a: 1\\nb: yes\\n", "warning N5 a.yaml:2:4 -\n", 0},
    };

    (void)state;
    make_crds();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got = {0};
        struct build_summary summary = {0};
        size_t size;
        bool ok;

        find(rows[i].content, true, &got, &summary, &ok, &size);
        if (!ok || strcmp(buf_cstr(&got), rows[i].want) != 0)
            fail_msg("%s: got %s%s", rows[i].name, ok ? "" : "no answer, ", buf_cstr(&got));
        assert_int_equal(summary.failures, rows[i].failures);
        /* What cannot be built is not half built. */
        assert_int_equal(size == 0, rows[i].failures > 0);
        buf_release(&got);
    }
}

/* A build stops where a lint goes on, and reads nothing that it need not. */
static void test_a_build_finds_less(void **state)
{
    static const struct {
        const char *name;
        const char *content;
        const char *want;
        bool ok;
    } rows[] = {
        {"unknown fields", HEAD "{name: a, namespace: ns}\\nspec:\\n  x: 1\\n  w: 1\\n",
         "held N13 a.yaml:1:1 Thing.mesh.example/ns/a\n", true},
        {"no name", HEAD "{generateName: a-}\\n", "", false},
        {"YAML of a governed group", "# mesh.example\\na: b: c\\n", "", false},
        {"YAML of something else", "a: yes\\n", "", true},
        {"the same twice",
         HEAD "{name: a, namespace: ns}\\n---\\n" HEAD "{name: a, namespace: ns}\\n", "", true},
    };

    (void)state;
    make_crds();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got = {0};
        struct build_summary summary = {0};
        size_t size;
        bool ok;

        find(rows[i].content, false, &got, &summary, &ok, &size);
        if (ok != rows[i].ok || strcmp(buf_cstr(&got), rows[i].want) != 0)
            fail_msg("%s: got %s%s", rows[i].name, ok ? "" : "no set, ", buf_cstr(&got));
        buf_release(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_have_a_rule_and_a_place),
        cmocka_unit_test(test_limits_are_rule_4),
        cmocka_unit_test(test_only_a_place_is_taken_off_a_message),
        cmocka_unit_test(test_fields_have_a_column),
        cmocka_unit_test(test_a_lint_finds_all_of_it),
        cmocka_unit_test(test_a_build_finds_less),
    };

    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
