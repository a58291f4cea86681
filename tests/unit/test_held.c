/* Refused documents (N35, N7): what of a commit is held, what is in force, what fails it. */
#include <stdio.h>

#include "policy/set.h"
#include "source/build.h"
#include "source/yaml.h"
#include "source/yaml_mark.h"
#include "tests/unit/crd.h"
#include "tests/unit/repository.h"

static const char crd[] =
    CRD("{'name': 'v1', " STORED ", 'schema': {'openAPIV3Schema': {'type': 'object', 'properties': "
        "{'spec': {'type': 'object', 'x-kubernetes-preserve-unknown-fields': true}}}}}");
static const char policy_text_of_test[] =
    "{'apiVersion': 'meshwrit.dev/v1alpha1', 'kind': 'Policy', 'govern': [{'groups': "
    "['mesh.example'], 'kinds': ['Thing'], 'mode': 'enforce'}]}";

#define HEAD        "apiVersion: mesh.example/v1\nkind: Thing\n"
#define THING(name) HEAD "metadata: {name: " name "}\n"

static void write_file(const char *name, struct bytes text)
{
    CLEANUP(freep) char *path = xasprintf("%s/repo/%s", test_folder, name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static void note_warning(void *context, const struct build_finding *f)
{
    if (f->kind == BUILD_WARNING)
        buf_printf(context, "warning %s:%u: %s\n", f->path, f->line, f->message);
}

static void list_entries(struct bytes file, struct buf *out)
{
    struct set *set CLEANUP(set_closep) = NULL;
    struct err err = {0};

    if (!set_open_bytes(file, &set, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < set_count(set); i++) {
        struct set_entry entry;

        set_entry(set, i, &entry);
        buf_printf(out, "%s %.*s/%.*s %u%s%.*s\n", entry.held ? "held" : "approved",
                   BYTES_FMT(entry.id.namespace), BYTES_FMT(entry.id.name), entry.line,
                   entry.held ? " " : "", BYTES_FMT(entry.message));
    }
}

/* What a build of the repository's HEAD says: warnings and entries, or "error " and why. */
static void build_text(struct buf *out)
{
    CLEANUP(freep) char *folder = in_folder("crds");
    struct repo *repo = open_repo("repo");
    struct crds *crds = crds_new();
    json_t *document = json_of(policy_text_of_test);
    struct build_source source = {.name = "mesh", .repo = repo, .namespace = "prod"};
    struct build_input input = {.sources = &source,
                                .source_count = 1,
                                .crds = crds,
                                .policy = document,
                                .note = note_warning,
                                .context = out};
    struct build_summary summary;
    struct buf set = {0};
    struct policy *policy = NULL;
    struct err err = {0};

    memcpy(source.commit, resolve(repo, "HEAD"), sizeof(source.commit));
    if (!policy_load(document, &policy, &err) || !crds_add_folder(crds, folder, policy, &err))
        fail_msg("%s", err.message);
    if (build_set(&input, &set, &summary, &err))
        list_entries(buf_bytes(&set), out);
    else
        buf_printf(out, "error %s\n", err.message);
    buf_release(&set);
    policy_free(policy);
    json_decref(document);
    crds_free(crds);
    repo_close(repo);
}

/* Each line of `want` is the beginning of a line, and there is no other. */
static bool check_lines(const char *row, const char *got, const char *want)
{
    const char *all = got;

    while (*want != '\0' && *got != '\0') {
        const size_t length = strcspn(want, "\n");

        if (strncmp(got, want, length) != 0)
            break;
        got += strcspn(got, "\n") + 1; /* each line of ours has an end */
        want += length + (want[length] == '\n');
    }
    if (*want == '\0' && *got == '\0')
        return true;
    print_error("%s: got\n%swant, from here on\n%s\n", row, all, want);
    return false;
}

static bool check_build(const char *row, const char *name, struct bytes text, const char *want)
{
    struct buf got = {0};

    sh("rm -rf repo; git init -q repo");
    write_file(name, text);
    sh("git -C repo add -A; git -C repo commit -qm x");
    build_text(&got);
    const bool ok = check_lines(row, buf_cstr(&got), want);

    buf_release(&got);
    return ok;
}

struct row {
    const char *name;
    const char *text;
    const char *want;
};

static void check_rows(const char *file, const struct row *rows, size_t count)
{
    size_t failures = 0;

    for (size_t i = 0; i < count; i++)
        failures += !check_build(rows[i].name, file, bytes_str(rows[i].text), rows[i].want);
    assert_int_equal(failures, 0);
}

static void test_held_is_refused_with_an_identity(void **state)
{
    static const struct row rows[] = {
        {"a plain yes", THING("a") "spec: {x: yes}\n---\n" THING("b"),
         "held prod/a 1 a.yaml:4:11: spec.x: plain \"yes\" is a boolean\napproved prod/b 6\n"},
        {"the document before it", THING("a") "---\n" THING("b") "spec: {x: yes}\n",
         "approved prod/a 1\nheld prod/b 5 a.yaml:8:11: spec.x: plain"},
        {"the first refusal is told", THING("a") "spec: {x: {}, w: [on], z: off}\n",
         "held prod/a 1 a.yaml:4:19: spec.w[0]: plain \"on\""},
        {"a date", THING("a") "spec: {x: 2026-01-02}\n", "held prod/a 1 a.yaml:4:11: spec.x:"},
        {"too long an integer", THING("a") "spec: {x: 18446744073709551616}\n",
         "held prod/a 1 a.yaml:4:11: spec.x:"},
        {"infinity", THING("a") "spec: {x: .inf}\n", "held prod/a 1 a.yaml:4:11: spec.x:"},
        {"an integer key", THING("a") "spec: {1: x}\n",
         "held prod/a 1 a.yaml:4:8: spec: a key has to be text"},
        {"a date as a key", THING("a") "spec: {2026-01-02: x}\n",
         "held prod/a 1 a.yaml:4:8: spec: plain \"2026-01-02\""},
        {"a null key", THING("a") "spec: {~: x}\n", "held prod/a 1 a.yaml:4:8: spec: a key"},
        {"a merge key", "base: &b {x: 1}\n" THING("a") "spec: {<<: *b}\n",
         "held prod/a 1 a.yaml:5:8: spec: merge keys"},
        {"a merge key in the labels", HEAD "metadata: {name: a, labels: {<<: {name: b}}}\n",
         "held prod/a 1 a.yaml:3:30: metadata.labels: merge keys"},
        {"a key twice", THING("a") "spec: {x: 1, x: 2}\n",
         "held prod/a 1 a.yaml:4:14: spec: the key \"x\" is in this map already"},
        {"spec twice", THING("a") "spec: {x: 1}\nspec: {x: 1}\n",
         "held prod/a 1 a.yaml:5:1: the key \"spec\" is in this map already"},
        {"labels twice", HEAD "metadata: {name: a, labels: {}, labels: {}}\n",
         "held prod/a 1 a.yaml:3:33: metadata: the key \"labels\""},
        {"`on` beside the identity", THING("a") "on: {kind: X}\n",
         "held prod/a 1 a.yaml:4:1: plain"},
        {"an integer key in metadata", HEAD "metadata: {1: {name: b}, name: a}\n",
         "held prod/a 1 a.yaml:3:12: metadata: a key has to be text"},
        {"a map as a key", THING("a") "spec: {{a: b}: c}\n",
         "held prod/a 1 a.yaml:4:8: spec: this"},
        {"a list as a key", THING("a") "spec: {? [a, &k b] : *k, d: *k}\n",
         "held prod/a 1 a.yaml:4:10: spec: a map or list cannot be a key"},
        {"an alias as a key", HEAD "metadata: {name: &n a}\nspec: {*n : x}\n",
         "held prod/a 1 a.yaml:4:8: spec: an alias cannot be a key"},
        {"no such anchor", THING("a") "spec: *x\n", "held prod/a 1 a.yaml:4:7: spec: there is no"},
        {"an anchor in itself", THING("a") "spec: &x {w: *x}\n",
         "held prod/a 1 a.yaml:4:14: spec.w: the anchor \"x\" contains itself"},
        {"an anchor twice", THING("a") "spec: {x: &x 1, w: &x 2, z: *x}\n",
         "held prod/a 1 a.yaml:4:20: spec.w: the anchor \"x\" is there already"},
        {"a tag", THING("a") "spec: !x {w: 1}\n", "held prod/a 1 a.yaml:4:7: spec: the tag"},
        {"a tag on a scalar", THING("a") "spec: {w: !!binary aGk=}\n",
         "held prod/a 1 a.yaml:4:11: spec.w: the tag"},
        {"an escape", THING("a") "spec:\n  x: \"\xc3\xa4\n    b\\/c\"\n",
         "held prod/a 1 a.yaml:6:6: spec.x: \"\\/\" is an error"},
        {"a folded block", THING("a") "spec:\n  x: >\n    a\n     b\n",
         "held prod/a 1 a.yaml:5:6: spec.x: tools read a folded block"},
        {"nothing in brackets", THING("a") "spec: {x: }\n",
         "held prod/a 1 a.yaml:4:11: spec.x: an"},
        {"aliases of what is refused", "x: &x yes\n" THING("a") "spec: {w: *x}\n",
         "held prod/a 1 a.yaml:1:4: x: plain"},
        {"an alias in the identity", "x: &x a\n" HEAD "metadata: {name: *x}\nspec: {w: yes}\n",
         "held prod/a 1 a.yaml:5:11: spec.w: plain"},
        {"a namespace of its own", HEAD "metadata: {name: a, namespace: b}\nspec: {w: yes}\n",
         "held b/a 1 a.yaml:4:11: spec.w: plain"},
        {"items of a list",
         "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: mesh.example/v1, kind: Thing, "
         "metadata: "
         "{name: a}}\n- {apiVersion: mesh.example/v1, kind: Thing, metadata: {name: b}, spec: {x: "
         "yes}}\n- {apiVersion: v1, kind: Pod, metadata: {name: no}}\n",
         "approved prod/a 1\nheld prod/b 1 a.yaml:5:77: items[1].spec.x: plain \"yes\""},
        {"beside the items of a list",
         "apiVersion: v1\nkind: List\nmetadata: {x: yes}\nitems:\n- {apiVersion: mesh.example/v1, "
         "kind: Thing, metadata: {name: a}}\n",
         "approved prod/a 1\n"},
    };

    (void)state;
    check_rows("a.yaml", rows, COUNT(rows));
}

static void test_held_identity_stays_held(void **state)
{
    static const struct row rows[] = {
        {"the good one behind it",
         THING("a") "spec: {x: yes}\n---\n" THING("a") "spec: {x: true}\n",
         "held prod/a 1 is in Git twice with different content: a.yaml:1 and mesh a.yaml:6; one "
         "cannot be used: a.yaml:4:11: spec.x: plain"},
        {"the good one before it",
         THING("a") "spec: {x: true}\n---\n" THING("a") "spec: {x: yes}\n",
         "held prod/a 1 is in Git twice with different content: a.yaml:1 and mesh a.yaml:6; one "
         "cannot be used: a.yaml:9:11: spec.x: plain"},
        {"both are refused", THING("a") "spec: {x: no}\n---\n" THING("a") "spec: {x: yes}\n",
         "held prod/a 1 a.yaml:4:11: spec.x: plain \"no\""},
        {"three", THING("a") "---\n" THING("a") "spec: {x: yes}\n---\n" THING("a") "spec: {}\n",
         "held prod/a 1 is in Git twice with different content: a.yaml:1 and mesh a.yaml:5; one "
         "cannot be used: a.yaml:8:11"},
    };

    (void)state;
    check_rows("a.yaml", rows, COUNT(rows));
}

static void test_held_fails_without_an_identity(void **state)
{
    static const struct row rows[] = {
        {"kind twice", HEAD "kind: Thing\nmetadata: {name: a}\n",
         "error source mesh: a.yaml:3:1: the key \"kind\" is in this map already"},
        {"apiVersion twice", HEAD "apiVersion: v1\nmetadata: {name: a}\n",
         "error source mesh: a.yaml:3:1: the key \"apiVersion\""},
        {"metadata twice", THING("a") "metadata: {name: a}\n",
         "error source mesh: a.yaml:4:1: the key \"metadata\""},
        {"name twice", HEAD "metadata: {name: a, name: a}\n",
         "error source mesh: a.yaml:3:21: metadata: the key \"name\""},
        {"namespace twice", HEAD "metadata: {name: a, namespace: a, namespace: b}\n",
         "error source mesh: a.yaml:3:35: metadata: the key \"namespace\""},
        {"a merge key at the root", THING("a") "<<: {kind: Other}\n",
         "error source mesh: a.yaml:4:1: merge keys"},
        {"a merge key in quotes", THING("a") "\"<<\": {kind: Other}\n",
         "error source mesh: a.yaml:4:1: some tools take the key \"<<\""},
        {"a merge key in metadata", HEAD "metadata: {name: a, <<: {namespace: b}}\n",
         "error source mesh: a.yaml:3:21: metadata: merge keys"},
        {"an alias as a key at the root", "x: &k kind\n" THING("a") "*k : Other\n",
         "error source mesh: a.yaml:5:1: an alias cannot be a key"},
        {"a map as a key at the root", THING("a") "? {a: b}\n: c\n",
         "error source mesh: a.yaml:4:3: a map or list"},
        {"a tagged key at the root", THING("a") "!!binary a2luZA==: Other\n",
         "error source mesh: a.yaml:4:1: the tag"},
        {"a tagged key in metadata", HEAD "metadata: {name: a, !x name: b}\n",
         "error source mesh: a.yaml:3:21: metadata: the tag"},
        {"a tag on metadata", HEAD "metadata: !x {name: a}\n",
         "error source mesh: a.yaml:3:11: metadata: the tag"},
        {"a tag on the name", HEAD "metadata: {name: !!binary YQ==}\n",
         "error source mesh: a.yaml:3:18: metadata.name: the tag"},
        {"a tag on the root", "--- \n!x\n" THING("a"), "error source mesh: a.yaml:2:1: the tag"},
        {"an anchor twice", "x: &n b\n" HEAD "metadata: {name: &n a}\n",
         "error source mesh: a.yaml:4:18: metadata.name: the anchor"},
        {"an alias of an anchor that is there twice",
         "x: &n b\nw: &n c\n" HEAD "metadata: {name: *n}\n",
         "error source mesh: a.yaml:2:4: w: the anchor"},
        {"a template's name", HEAD "metadata:\n  name: {{ .Values.name }}\n",
         "error source mesh: a.yaml:4:10: metadata.name: this looks like a template"},
        {"a name that is `yes`", HEAD "metadata: {name: yes}\n",
         "error source mesh: a.yaml:3:18: metadata.name: plain \"yes\""},
        {"a kind that is a date", "apiVersion: mesh.example/v1\nkind: 2026-01-02\nmetadata: {}\n",
         "error source mesh: a.yaml:2:7: kind: plain"},
        {"no name", HEAD "spec: {x: yes}\n",
         "error source mesh: a.yaml:1: Thing of governed group mesh.example has no metadata.name"},
        {"a question mark in brackets", THING("a") "spec: {x: b?c}\n",
         "error source mesh: a.yaml:4:11: spec.x: tools read a \"?\""},
        {"a question mark and an anchor twice", "x: &n a\n" THING("a") "spec: {x: &n b?c}\n",
         "error source mesh: a.yaml:5:11: spec.x:"},
        {"items twice",
         "apiVersion: v1\nkind: List\nitems: []\nitems: ["
         "{apiVersion: "
         "mesh.example/v1, kind: Thing, metadata: {name: a}}]\n",
         "error source mesh: a.yaml:4:1: the key \"items\""},
        {"List or not",
         "apiVersion: v1\nkind: List\nkind: Pod\nitems: [{apiVersion: "
         "mesh.example/v1, kind: Thing, metadata: {name: a}}]\n",
         "error source mesh: a.yaml:3:1: the key \"kind\""},
        {"an item without an identity",
         "apiVersion: v1\nkind: List\nitems: [{<<: {}, apiVersion: "
         "mesh.example/v1, kind: Thing, metadata: {name: a}}]\n",
         "error source mesh: a.yaml:3:10: items[0]: merge keys"},
        {"a syntax error", THING("a") "---\n" THING("b") "spec: a: b\n---\n" THING("c"),
         "error source mesh: a.yaml:8:8: mapping values are not allowed"},
        {"an error before what is governed", "a: b: c\n---\n" THING("b"),
         "error source mesh: a.yaml:1:5: mapping values"},
        {"not UTF-8", THING("a") "---\nx: \xff\n---\n" THING("b"),
         "error source mesh: a.yaml:5:4: this is not UTF-8"},
        {"text behind ...", THING("a") "...\n" THING("b"),
         "error source mesh: a.yaml:5:1: did not find expected <document start>"},
        {"another YAML", "%YAML 1.2\n---\n" THING("a"), "error source mesh: a.yaml:"},
        {"text behind ---", THING("a") "---\nx: 1\n--- {}\n" HEAD,
         "error source mesh: a.yaml:6:1: a line that begins with"},
    };

    (void)state;
    check_rows("a.yaml", rows, COUNT(rows));
}

static void test_held_leaves_other_documents_alone(void **state)
{
    static const struct row rows[] = {
        {"a workflow", "# mesh.example\non: push\njobs: {x: yes}\n---\n" THING("a"),
         "approved prod/a 5\n"},
        {"another kind",
         "apiVersion: rbac/v1\nkind: Role\nmetadata: {name: {{ .Values.name }}}\n"
         "rules: [{apiGroups: [mesh.example], x: yes}]\n---\n" THING("a"),
         "approved prod/a 6\n"},
        {"no identity, but nothing governed is named",
         THING("a") "---\nkind: X\nkind: Y\n---\n" THING("b"),
         "warning a.yaml:6: the key \"kind\" is in this map already\napproved prod/a 1\n"
         "approved prod/b 8\n"},
        {"a syntax error behind all that is governed", THING("a") "---\na: b: c\n---\nd: e\n",
         "warning a.yaml:5: mapping values are not allowed\napproved prod/a 1\n"},
        {"bytes that are no text behind all that is governed",
         THING("a") "---\n" THING("b") "---\na: \xff\n---\nd: e\n",
         "warning a.yaml:9: this is not UTF-8\napproved prod/a 1\napproved prod/b 5\n"},
        {"a Helm template behind all that is governed",
         THING("a") "---\n{{- if .Values.x }}\na: {{ .Values.y }}\n{{- end }}\n",
         "warning a.yaml:5: \napproved prod/a 1\n"},
    };

    (void)state;
    check_rows("a.yaml", rows, COUNT(rows));
}

static void test_held_json(void **state)
{
#define JSON_THING(name, more)                                                                     \
    "{\"apiVersion\": \"mesh.example/v1\", \"kind\": \"Thing\", \"metadata\": {\"name\": \"" name  \
    "\"}" more "}\n"
    static const struct row rows[] = {
        {"a key twice", JSON_THING("a", ", \"spec\": {\"x\": 1, \"x\": 1}") JSON_THING("b", ""),
         "held prod/a 1 a.json:1:96: this key is in this object already\napproved prod/b 2\n"},
        {"a number", JSON_THING("a", ",\n\"spec\": {\"x\": 18446744073709551616}"),
         "held prod/a 1 a.json:2:15: an integer that does not fit 64 bits"},
        {"NUL", JSON_THING("a", ",\n\"spec\": [\"\\u0000\"]"), "held prod/a 1 a.json:2:10: NUL"},
        {"a merge key", JSON_THING("a", ",\n\"spec\": {\"<<\": {}}"),
         "held prod/a 1 a.json:2:10: some tools"},
        {"kind twice", JSON_THING("a", ",\n\"kind\": \"Thing\""),
         "error source mesh: a.json:2:1: this key"},
        {"a merge key at the root", JSON_THING("a", ",\n\"<<\": {}"),
         "error source mesh: a.json:2:1: some tools"},
        {"NUL in a key at the root", JSON_THING("a", ",\n\"kind\\u0000\": {}"),
         "error source mesh: a.json:2:1: NUL"},
        {"a syntax error", JSON_THING("a", "") JSON_THING("b", ",\n\"x\": 1,"),
         "error source mesh: a.json:3:8: comma"},
        {"a syntax error behind all that is governed", JSON_THING("a", "") "{\"x\": }\n",
         "warning a.json:2: not a JSON value\napproved prod/a 1\n"},
    };

    (void)state;
    check_rows("a.json", rows, COUNT(rows));
}

/* Limits: too deep and too many nodes spoil a document, not its neighbours. */
static void test_held_limits(void **state)
{
    struct buf text = {0};

    (void)state;
    buf_append_str(&text, THING("a") "---\n# nothing of ours\nx: ");
    for (unsigned i = 0; i < 2 * YAML_MAX_DEPTH; i++)
        buf_byte(&text, '[');
    for (unsigned i = 0; i < 2 * YAML_MAX_DEPTH; i++)
        buf_byte(&text, ']');
    buf_append_str(&text, "\n---\n" THING("b"));
    assert_true(
        check_build("too deep", "a.yaml", buf_bytes(&text),
                    "warning a.yaml:6: x[0][0][0]\napproved prod/a 1\napproved prod/b 8\n"));
    text.len = 0;
    buf_append_str(&text, THING("a") "spec:\n  x:\n");
    for (unsigned i = 0; i < 3 * YAML_MAX_MARKS; i++)
        buf_append_str(&text, "  - yes\n");
    buf_append_str(&text, "---\n" THING("b") "spec: {x: yes}\n---\n" THING("c"));
    assert_true(check_build(
        "many refusals", "a.yaml", buf_bytes(&text),
        "held prod/a 1 a.yaml:6:5: spec.x[0]: plain\n"
        "held prod/b 3007 a.yaml:1006:5: spec.x[1000]: plain \"yes\" is a boolean to some "
        "tools and text to others; write true, or \"yes\" in quotes (the other refusals\napproved "
        "prod/c 3012\n"));
    text.len = 0;
    buf_append_str(&text, THING("a") "spec: [");
    for (unsigned i = 0; i < YAML_MAX_NODES + 10; i++)
        buf_append_str(&text, "yes,");
    buf_append_str(&text, "]\n---\n" THING("b"));
    assert_true(check_build("too many nodes", "a.yaml", buf_bytes(&text),
                            "error source mesh: a.yaml:4:799964: the document has "
                            "more than 200000 nodes"));
    buf_release(&text);
}

static int make(void **state)
{
    if (test_folder_make(state) != 0)
        return -1;
    sh("mkdir crds");
    json_t *document = json_of(crd);
    CLEANUP(freep) char *path = in_folder("crds/thing.json");
    const int status = json_dump_file(document, path, 0);

    json_decref(document);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_is_refused_with_an_identity),
        cmocka_unit_test(test_held_identity_stays_held),
        cmocka_unit_test(test_held_fails_without_an_identity),
        cmocka_unit_test(test_held_leaves_other_documents_alone),
        cmocka_unit_test(test_held_json),
        cmocka_unit_test(test_held_limits),
    };

    return cmocka_run_group_tests(tests, make, test_folder_remove);
}
