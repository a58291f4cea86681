/* What delivery tools add (N20): read strictly, and added exactly as the tool does. */
#include <string.h>

#include "source/delivery.h"
#include "tests/unit/crd.h"
#include "tests/unit/repository.h"
#include "webhook/config.h"

static void test_delivery_refuses(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *want;
    } rows[] = {
        {"text", "flux\n", "expected a map"},
        {"nothing", "{}\n", "expected flux, helm, argocd, labels or annotations"},
        {"an empty list", "[]\n", "expected a map, or a list of 1 to 256 maps"},
        {"unknown", "fluxx: {}\n", "d:1: fluxx: unknown key"},
        {"flux without namespace", "flux: {name: a}\n", "d:1: flux: flux needs name and namespace"},
        {"flux with more", "flux:\n  name: a\n  path: x\n", "d:3: flux.path: unknown key"},
        {"a number", "flux:\n  name: 1\n", "d:2: flux.name: expected text"},
        {"no label value", "flux:\n  name: a/b\n", "d:2: flux.name: expected the value of a label"},
        {"helm without release", "helm: {namespace: a}\n", "d:1: helm: helm needs release"},
        {"argocd without tracking", "argocd: {application: a}\n", "argocd needs tracking"},
        {"argocd: another tracking", "argocd: {tracking: both}\n",
         "d:1: argocd: tracking: expected annotation, label or annotation+label"},
        {"argocd: label without application", "argocd: {tracking: label}\n",
         "tracking by label needs application"},
        {"argocd: annotation with application", "argocd: {tracking: annotation, application: a}\n",
         "tracking by annotation adds no label"},
        {"argocd: application too long for a label",
         "argocd: {tracking: label, application: "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
         "application: cannot be the value of a label"},
        {"argocd: nothing left of the application",
         "argocd: {tracking: annotation+label, application: '--'}\n",
         "application: cannot be the value of a label"},
        {"argocd: label", "argocd: {tracking: label, application: a, label: /x}\n",
         "label: expected the key of a label"},
        {"two tools", "flux: {name: a, namespace: b}\nhelm: {release: a, namespace: b}\n",
         "expected one of flux, helm and argocd"},
        {"a label that is no text", "labels:\n  a: 1\n", "d:2: labels.a: expected text"},
        {"a label that is none", "labels:\n  a: b c\n", "d:2: labels.a: expected the value"},
        {"no key of a label", "labels:\n  a/b/c: x\n", "d:2: labels.a/b/c: not the key"},
        {"an annotation that is no text", "annotations:\n  a.b/c: true\n",
         "d:2: annotations[\"a.b/c\"]: expected text"},
        {"break-glass", "annotations:\n  meshwrit.dev/break-glass: x\n",
         "this annotation does not belong in Git"},
        {"a path", "- path: /a\n", "d:1: [0].path: "},
        {"behind one for every file", "- labels: {a: b}\n- path: x\n",
         "d:2: [1]: never used: the one before it has no path"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct delivery *d = NULL;
        struct err err = {0};

        if (config_read_delivery("d", bytes_str(rows[i].text), &d, &err))
            fail_msg("%s: accepted", rows[i].name);
        check_message(rows[i].name, &err, rows[i].want);
        assert_null(d);
    }
}

#define META(metadata) "{'kind': 'K', 'metadata': {'name': 'x'" metadata "}}"
#define FLUX           "flux: {name: mesh, namespace: flux-system}\n"
#define FLUX_LABELS                                                                                \
    "'kustomize.toolkit.fluxcd.io/name': 'mesh', 'kustomize.toolkit.fluxcd.io/namespace': "        \
    "'flux-system'"
#define HELM_TAGS(labels, annotations)                                                             \
    ", 'labels': {" labels "'app.kubernetes.io/managed-by': 'Helm'}, 'annotations': "              \
    "{" annotations "'meta.helm.sh/release-name': 'r', 'meta.helm.sh/release-namespace': 'ns'}"
#define SIXTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_delivery_adds(void **state)
{
    static const struct {
        const char *name;
        const char *delivery;
        const char *path;
        const char *object;
        const char *want;
    } rows[] = {
        {"flux", FLUX, "a.yaml", META(""), META(", 'labels': {" FLUX_LABELS "}")},
        {"flux keeps other labels", FLUX, "a.yaml", META(", 'labels': {'a': 'b'}"),
         META(", 'labels': {'a': 'b', " FLUX_LABELS "}")},
        {"flux has the last word", FLUX, "a.yaml",
         META(", 'labels': {'kustomize.toolkit.fluxcd.io/name': 'other'}"),
         META(", 'labels': {" FLUX_LABELS "}")},
        {"labels: null", FLUX, "a.yaml", META(", 'labels': null"),
         META(", 'labels': {" FLUX_LABELS "}")},
        {"helm", "helm: {release: r, namespace: ns}\n", "a.yaml", META(""),
         META(HELM_TAGS("", ""))},
        {"helm has the last word", "helm: {release: r, namespace: ns}\n", "a.yaml",
         META(", 'labels': {'a': 'b', 'app.kubernetes.io/managed-by': 'me'}"),
         META(HELM_TAGS("'a': 'b', ", ""))},
        {"helm's hooks", "helm: {release: r, namespace: ns}\n", "a.yaml",
         META(", 'annotations': {'helm.sh/hook': 'post-install'}"),
         META(", 'annotations': {'helm.sh/hook': 'post-install'}")},
        {"argocd by annotation", "argocd: {tracking: annotation}\n", "a.yaml", META(""), META("")},
        {"argocd by label", "argocd: {tracking: label, application: shop}\n", "a.yaml",
         META(", 'labels': {'app.kubernetes.io/instance': 'other'}"),
         META(", 'labels': {'app.kubernetes.io/instance': 'shop'}")},
        {"argocd by both", "argocd: {tracking: annotation+label, application: shop}\n", "a.yaml",
         META(""), META(", 'labels': {'app.kubernetes.io/instance': 'shop'}")},
        {"argocd cuts", "argocd: {tracking: annotation+label, application: " SIXTY "b-_cd}\n",
         "a.yaml", META(""), META(", 'labels': {'app.kubernetes.io/instance': '" SIXTY "b'}")},
        {"argocd with a key of its own",
         "argocd: {tracking: label, application: shop, label: argocd.example/app}\n", "a.yaml",
         META(""), META(", 'labels': {'argocd.example/app': 'shop'}")},
        {"literal", "labels: {a: b}\nannotations: {c.d/e: 'f g'}\n", "a.yaml", META(""),
         META(", 'labels': {'a': 'b'}, 'annotations': {'c.d/e': 'f g'}")},
        {"literal leaves what is there", "labels: {a: b, c: d}\n", "a.yaml",
         META(", 'labels': {'a': 'x'}"), META(", 'labels': {'a': 'x', 'c': 'd'}")},
        {"a tool and literals", FLUX "labels: {a: b}\n", "a.yaml", META(""),
         META(", 'labels': {'a': 'b', " FLUX_LABELS "}")},
        {"a tool before its own label as a literal",
         FLUX "labels: {kustomize.toolkit.fluxcd.io/name: other}\n", "a.yaml", META(""),
         META(", 'labels': {" FLUX_LABELS "}")},
        {"another path", "- path: prod\n  labels: {a: b}\n", "test/a.yaml", META(""), META("")},
        {"below a path", "- path: prod\n  labels: {a: b}\n", "prod/x/a.yaml", META(""),
         META(", 'labels': {'a': 'b'}")},
        {"a path is no prefix of a name", "- path: prod\n  labels: {a: b}\n", "prod2/a.yaml",
         META(""), META("")},
        {"a file", "- path: prod/a.yaml\n  labels: {a: b}\n", "prod/a.yaml", META(""),
         META(", 'labels': {'a': 'b'}")},
        {"a folder is no file", "- path: a.yaml/\n  labels: {a: b}\n", "a.yaml", META(""),
         META("")},
        {"a glob", "- path: '*/shop'\n  labels: {a: b}\n", "prod/shop/a.yaml", META(""),
         META(", 'labels': {'a': 'b'}")},
        {"the first that covers it",
         "- path: prod/x\n  labels: {a: x}\n- path: prod\n  labels: {a: "
         "prod}\n- labels: {a: all}\n",
         "prod/x/a.yaml", META(""), META(", 'labels': {'a': 'x'}")},
        {"the second",
         "- path: prod/x\n  labels: {a: x}\n- path: prod\n  labels: {a: prod}\n"
         "- labels: {a: all}\n",
         "prod/a.yaml", META(""), META(", 'labels': {'a': 'prod'}")},
        {"the last",
         "- path: prod/x\n  labels: {a: x}\n- path: prod\n  labels: {a: prod}\n"
         "- labels: {a: all}\n",
         "a.yaml", META(""), META(", 'labels': {'a': 'all'}")},
        {"an exception", "- path: prod/x\n- labels: {a: b}\n", "prod/x/a.yaml", META(""), META("")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *object = json_of(rows[i].object);
        struct delivery *d = NULL;
        struct err err = {0};

        if (!config_read_delivery("d", bytes_str(rows[i].delivery), &d, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        json_t *delivered = delivery_apply(delivery_for(d, rows[i].path), object);

        check_json(rows[i].name, delivered, rows[i].want);
        check_json(rows[i].name, object, rows[i].object);
        json_decref(delivered);
        json_decref(object);
        delivery_free(d);
    }
    json_t *object = json_of(META(""));
    json_t *same = delivery_apply(delivery_for(NULL, "a"), object);

    assert_ptr_equal(same, object);
    json_decref(same);
    json_decref(object);
}

#define CONFIG(delivery)                                                                           \
    "printf 'apiVersion: meshwrit.dev/v1alpha1\\nkind: Config\\ncluster: c\\nlisten: "             \
    "127.0.0.1:0\\nstateDir: s\\ntls: {certificate: c, key: k}\\naudit: {directory: a}\\n"         \
    "sources:\\n- name: mesh\\n  url: file:///x\\n  ref: refs/heads/main\\n  delivery: " delivery  \
    "' >c.yaml"

static void test_delivery_in_a_config(void **state)
{
    CLEANUP(freep) char *file = in_folder("c.yaml");
    CLEANUP(freep) char *want = NULL;
    struct config *config = NULL;
    struct err err = {0};

    (void)state;
    sh(CONFIG("{flux: {name: mesh}}\\n"));
    assert_false(config_read(file, &config, &err));
    want = xasprintf("%s:12: sources[0].delivery.flux: flux needs name and namespace", file);
    check_message("flux", &err, want);
    sh(CONFIG("\\n  - labels: {a: 1}\\n"));
    assert_false(config_read(file, &config, &err));
    check_message("labels", &err, ":13: sources[0].delivery[0].labels.a: expected text");
    sh(CONFIG("{flux: {name: mesh, namespace: flux-system}}\\n"));
    if (!config_read(file, &config, &err))
        fail_msg("%s", err.message);
    check_json("document", delivery_document(config->sources[0].delivery),
               "{'flux': {'name': 'mesh', 'namespace': 'flux-system'}}");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivery_refuses),
        cmocka_unit_test(test_delivery_adds),
        cmocka_unit_test(test_delivery_in_a_config),
    };

    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
