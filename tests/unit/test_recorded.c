/*
 * What a real API server asked when it was written to in every way (tests/data/recorded, recorded
 * by tests/cluster/recorded_test.go): each review is decided with a set of what Git holds, and the
 * facts that the rules build on are looked at in its bytes.
 */
#include <dirent.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/file.h"
#include "policy/decide.h"
#include "tests/unit/test.h"
#include "tests/unit/writ.h"

#define FOLDER TEST_DATA "/recorded/"
#define ROUTE  "Route.mesh.example.com/recorded/"

/* clang-format off */
static const struct recorded {
    const char *name;
    enum reason reason;
    bool allowed;
    const char *id;
} recorded[] = {
    {"create", REASON_IN_GIT, true, ROUTE "recorded"},
    {"create-dry-run", REASON_IN_GIT, true, ROUTE "recorded"},
    {"create-apply-client", REASON_IN_GIT, true, ROUTE "recorded"},
    {"create-apply-server", REASON_IN_GIT, true, ROUTE "recorded"},
    {"create-without-subresource", REASON_DIFFERS_FROM_GIT, false, ROUTE "recorded"},
    {"create-generate-name", REASON_NOT_IN_GIT, false, ROUTE "generated-00000"},
    {"null-apply-client", REASON_DIFFERS_FROM_GIT, false, ROUTE "recorded-null"},
    {"null-apply-server", REASON_IN_GIT, true, ROUTE "recorded-null"},

    {"update-replace", REASON_IN_GIT, true, ROUTE "recorded"},
    {"update-json-patch", REASON_IN_GIT, true, ROUTE "recorded"},
    {"update-merge-patch", REASON_DIFFERS_FROM_GIT, false, ROUTE "recorded"},
    {"update-apply-client", REASON_DIFFERS_FROM_GIT, false, ROUTE "recorded"},
    {"update-apply-server", REASON_DIFFERS_FROM_GIT, false, ROUTE "recorded"},
    {"status-subresource", REASON_STATUS_ONLY, true, ROUTE "recorded"},
    {"status-without-subresource", REASON_DIFFERS_FROM_GIT, false, ROUTE "recorded"},
    {"finalizer-add", REASON_IN_GIT, true, ROUTE "recorded"},
    {"finalizer-remove", REASON_STILL_IN_GIT, false, ROUTE "recorded"},

    {"delete", REASON_STILL_IN_GIT, false, ROUTE "recorded"},
    {"delete-with-finalizer", REASON_STILL_IN_GIT, false, ROUTE "recorded"},
    {"delete-collection", REASON_ABSENT_FROM_GIT, true, ROUTE "generated-00000"},
    {"delete-collection-2", REASON_ABSENT_FROM_GIT, true, ROUTE "recorded-second"},

    {"namespace-create", REASON_NOT_GOVERNED, true, "Namespace/recorded"},
    {"namespace-update", REASON_NOT_GOVERNED, true, "Namespace/recorded"},
    {"namespace-status", REASON_NOT_GOVERNED, true, "Namespace/recorded"},
    {"namespace-delete", REASON_STILL_IN_GIT, false, "Namespace/recorded"}, /* it holds three */
    {"namespace-finalize", REASON_NOT_GOVERNED, true, "Namespace/recorded"},
    {"service-status", REASON_NOT_GOVERNED, true, "Service/recorded/recorded"},
    {"configmap-create", REASON_NOT_GOVERNED, true, "ConfigMap/recorded/recorded"},
    {"crd-update", REASON_NOT_GOVERNED, true,
     "CustomResourceDefinition.apiextensions.k8s.io/routes.mesh.example.com"},
};

/* `want` is JSON, NULL: absent, "*": there, whatever it is. */
static const struct fact {
    const char *name;
    const char *path; /* below request */
    const char *want;
} facts[] = {
    /* CREATE: final name, defaults filled in, no status where the version has the subresource. */
    {"create", "operation", "\"CREATE\""},
    {"create", "name", "\"recorded\""},
    {"create", "oldObject", "null"},
    {"create", "dryRun", "false"},
    {"create", "subResource", NULL},
    {"create", "object.spec.port", "8080"},
    {"create", "object.spec.to.1.weight", "1"},
    {"create", "object.spec.timeout", "null"}, /* nullable: kept */
    {"create", "object.spec.filter.html", "\"<a & b>\""},
    {"create", "object.metadata.generation", "1"},
    {"create", "object.metadata.uid", "*"},
    {"create", "object.metadata.creationTimestamp", "*"},
    {"create", "object.metadata.managedFields", "*"},
    {"create", "object.metadata.resourceVersion", NULL},
    {"create", "object.status", NULL}, /* the client sent one */
    {"create-without-subresource", "object.apiVersion", "\"mesh.example.com/v1alpha1\""},
    {"create-without-subresource", "object.status", "{\"accepted\":true}"},
    {"create", "options.kind", "\"CreateOptions\""},
    {"create-dry-run", "dryRun", "true"},
    {"create-dry-run", "object.metadata.uid", "*"},
    {"create-dry-run", "options.dryRun", "[\"All\"]"},
    {"create-generate-name", "name", "\"generated-00000\""}, /* already made up */
    {"create-generate-name", "object.metadata.name", "\"generated-00000\""},
    {"create-generate-name", "object.metadata.generateName", "\"generated-\""},
    {"create-apply-server", "operation", "\"CREATE\""},
    {"create-apply-server", "oldObject", "null"},
    {"create-apply-server", "options.kind", "\"CreateOptions\""},

    /* kubectl's client-side apply takes out nulls before it sends anything; server-side apply keeps
     * them where the schema lets them be. */
    {"create-apply-client", "object.spec.timeout", NULL},
    {"create-apply-client", "options.fieldManager", "\"kubectl-client-side-apply\""},
    {"create-apply-server", "object.spec.timeout", "null"},
    {"null-apply-client", "object.spec.filter", "{}"},
    {"null-apply-server", "object.spec.filter", "{\"retries\":null}"},

    /* UPDATE: every patch arrives as the whole object. */
    {"update-merge-patch", "operation", "\"UPDATE\""},
    {"update-merge-patch", "options.kind", "\"UpdateOptions\""},
    {"update-merge-patch", "object.spec.host", "\"reviews.example.com\""},
    {"update-merge-patch", "object.spec.mirror", "\"v3\""},
    {"update-merge-patch", "oldObject.spec.mirror", NULL},
    {"update-merge-patch", "object.status.accepted", "true"}, /* the patch said false */
    {"update-merge-patch", "object.metadata.resourceVersion", "*"},
    {"update-json-patch", "operation", "\"UPDATE\""},
    {"update-json-patch", "object.spec.mirror", NULL},
    {"update-json-patch", "oldObject.spec.mirror", "\"v3\""},
    {"update-replace", "object.spec.mirror", NULL},
    {"update-replace", "object.spec.port", "8080"},
    {"update-apply-client", "oldObject.spec.mirror", NULL},
    {"update-apply-client", "object.spec.mirror", "\"v3\""},
    {"update-apply-server", "oldObject.spec.mirror", NULL},
    {"update-apply-server", "object.spec.mirror", "\"v3\""},

    /* Status: through the subresource nothing else is changed; in a version without it, a write to
     * the object itself changes it. */
    {"status-subresource", "subResource", "\"status\""},
    {"status-subresource", "object.status.accepted", "true"},
    {"status-subresource", "object.spec.host", "\"reviews.example.com\""}, /* the patch said x */
    {"status-subresource", "object.metadata.labels", "{\"team\":\"storefront\"}"},
    {"status-subresource", "oldObject.status", NULL},
    {"status-without-subresource", "subResource", NULL},
    {"status-without-subresource", "kind.version", "\"v1alpha1\""},
    {"status-without-subresource", "requestKind.version", "\"v1alpha1\""},
    {"status-without-subresource", "object.apiVersion", "\"mesh.example.com/v1alpha1\""},
    {"status-without-subresource", "oldObject.apiVersion", "\"mesh.example.com/v1alpha1\""},
    {"status-without-subresource", "oldObject.metadata.generation", "5"},
    {"status-without-subresource", "object.metadata.generation", "6"},
    {"status-without-subresource", "oldObject.status.accepted", "true"},
    {"status-without-subresource", "object.status.accepted", "false"},

    /* DELETE: the object that is there; of a collection, one review for each, without a name. */
    {"delete", "object", "null"},
    {"delete", "name", "\"recorded\""},
    {"delete", "oldObject.metadata.name", "\"recorded\""},
    {"delete", "options.kind", "\"DeleteOptions\""},
    {"delete-collection", "name", NULL},
    {"delete-collection", "namespace", "\"recorded\""},
    {"delete-collection", "oldObject.metadata.name", "\"generated-00000\""},
    {"delete-collection-2", "name", NULL},
    {"delete-collection-2", "oldObject.metadata.name", "\"recorded-second\""},

    /* With finalizers it is there until the last one goes, by an UPDATE: no other review comes. */
    {"delete-with-finalizer", "oldObject.metadata.deletionTimestamp", NULL},
    {"delete-with-finalizer", "oldObject.metadata.finalizers", "[\"example.com/a\"]"},
    {"delete-with-finalizer", "oldObject.metadata.generation", "6"},
    {"finalizer-remove", "operation", "\"UPDATE\""},
    {"finalizer-remove", "oldObject.metadata.generation", "7"},
    {"finalizer-remove", "oldObject.metadata.deletionTimestamp", "*"},
    {"finalizer-remove", "object.metadata.deletionTimestamp", "*"},
    {"finalizer-remove", "object.metadata.deletionGracePeriodSeconds", "0"},
    {"finalizer-remove", "object.metadata.finalizers", NULL},
    {"finalizer-remove", "oldObject.metadata.finalizers", "[\"example.com/a\"]"},

    /* A Namespace lies in itself (N11), and its labels change through every subresource (N31). */
    {"namespace-create", "name", "\"recorded\""},
    {"namespace-create", "namespace", "\"recorded\""},
    {"namespace-create", "object.metadata.namespace", NULL},
    {"namespace-create", "object.status", "{\"phase\":\"Active\"}"},
    {"namespace-create", "object.spec.finalizers", "[\"kubernetes\"]"},
    {"namespace-create", "object.metadata.labels.kubernetes\\.io/metadata\\.name", "\"recorded\""},
    {"namespace-update", "namespace", "\"recorded\""},
    {"namespace-delete", "namespace", "\"recorded\""},
    {"namespace-delete", "oldObject.metadata.namespace", NULL},
    {"namespace-status", "subResource", "\"status\""},
    {"namespace-status", "oldObject.metadata.labels.through", NULL},
    {"namespace-status", "object.metadata.annotations", "{\"through\":\"status\"}"},
    {"namespace-status", "object.spec.finalizers", "[\"kubernetes\"]"},
    {"namespace-status", "object.metadata.labels.through", "\"status\""},
    {"namespace-finalize", "subResource", "\"finalize\""},
    {"namespace-finalize", "namespace", "\"recorded\""},
    {"namespace-finalize", "object.metadata.labels.through", "\"finalize\""},
    {"namespace-finalize", "oldObject.metadata.labels.through", "\"status\""},
    {"namespace-finalize", "object.metadata.annotations", "{\"through\":\"finalize\"}"},
    {"namespace-finalize", "object.spec", "{}"},
    {"service-status", "subResource", "\"status\""},
    {"service-status", "oldObject.metadata.labels", NULL},
    {"service-status", "object.metadata.labels.through", "\"status\""},
    {"service-status", "object.metadata.annotations", "{\"through\":\"status\"}"},
    {"service-status", "object.spec.externalName", NULL}, /* the patch said x */

    /* Typed objects arrive as their types are written: */
    {"configmap-create", "object.data", "{\"a\":\"b\"}"},
    {"configmap-create", "object.metadata.generation", NULL},
    {"crd-update", "namespace", NULL},
    {"crd-update", "name", "\"routes.mesh.example.com\""},
    {"crd-update", "object.spec.conversion", "{\"strategy\":\"None\"}"},
};
/* clang-format on */

static struct buf read_text(const char *name)
{
    CLEANUP(freep) char *path = xasprintf(FOLDER "%s", name);
    struct buf content = {0};
    struct err err;

    if (!file_read(path, 1 << 20, &content, &err))
        fail_msg("%s", err.message);
    return content;
}

static struct buf read_review(const char *name)
{
    CLEANUP(freep) char *file = xasprintf("reviews/%s.json", name);

    return read_text(file);
}

static void make_set(struct writ *w)
{
    struct buf policy = read_text("policy.yaml");
    struct buf git = read_text("git.yaml");
    struct err err;

    if (!writ_make(w, buf_bytes(&policy), buf_bytes(&git), FOLDER "crds", &err))
        fail_msg("%s", err.message);
    assert_int_equal(set_count(w->set), 3);
    assert_int_equal(set_held_count(w->set), 1);
    buf_release(&policy);
    buf_release(&git);
}

static void test_each_review_is_decided(void **state)
{
    struct review *rv = review_new();
    struct sha256 *hash = sha256_new();
    struct writ w = {0};

    (void)state;
    make_set(&w);
    for (size_t i = 0; i < COUNT(recorded); i++) {
        const struct recorded *row = &recorded[i];
        struct buf body = read_review(row->name);
        struct buf id = {0};
        struct decision d;
        struct err err;

        if (!review_read(rv, buf_bytes(&body), w.set, &err))
            fail_msg("%s: %s", row->name, err.message);
        decide(w.set, w.policy, rv, hash, &d);
        if (d.reason != row->reason || d.allowed != row->allowed)
            fail_msg("%s: %s %s: %s", row->name, d.allowed ? "allowed" : "denied",
                     reason_text(d.reason), d.message);
        identity_text(&d.id, &id);
        check_bytes(row->name, buf_bytes(&id), bytes_str(row->id));
        buf_release(&id);
        buf_release(&body);
    }
    writ_release(&w);
    sha256_free(hash);
    review_free(rv);
}

static bool is_listed(const char *file)
{
    for (size_t i = 0; i < COUNT(recorded); i++) {
        if (strncmp(file, recorded[i].name, strlen(recorded[i].name)) == 0 &&
            strcmp(file + strlen(recorded[i].name), ".json") == 0)
            return true;
    }
    return false;
}

static void test_every_file_is_decided(void **state)
{
    DIR *folder = opendir(FOLDER "reviews");
    size_t count = 0;

    (void)state;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (!is_listed(entry->d_name))
            fail_msg("%s: has no row", entry->d_name);
        count++;
    }
    assert_int_equal(count, COUNT(recorded));
    (void)closedir(folder);
}

/* --- the facts ---------------------------------------------------------------------------------
 */

/* The next step of a path: up to a dot that has no backslash before it. */
static const char *take_step(const char *path, char *step, size_t size)
{
    size_t len = 0;

    for (; *path != '\0' && *path != '.'; path++) {
        if (*path == '\\')
            path++;
        assert_true(len + 1 < size);
        step[len++] = *path;
    }
    step[len] = '\0';
    return *path == '.' ? path + 1 : path;
}

/* NULL: it is not there. */
static const json_t *find(const json_t *node, const char *path)
{
    char step[64];

    while (node != NULL && *path != '\0') {
        path = take_step(path, step, sizeof(step));
        node = json_is_array(node) ? json_array_get(node, strtoul(step, NULL, 10))
                                   : json_object_get(node, step);
    }
    return node;
}

static json_t *read_json(const char *name)
{
    struct buf body = read_review(name);
    json_error_t error;
    json_t *root = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL)
        fail_msg("%s: %s", name, error.text);
    buf_release(&body);
    return root;
}

static void check_fact(const struct fact *fact, const json_t *found)
{
    char *text =
        found == NULL ? NULL : json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

    if (fact->want == NULL
            ? text != NULL
            : text == NULL || (strcmp(fact->want, "*") != 0 && strcmp(fact->want, text) != 0))
        fail_msg("%s: request.%s is %s, want %s", fact->name, fact->path,
                 text == NULL ? "absent" : text, fact->want == NULL ? "none" : fact->want);
    free(text);
}

static void test_facts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(facts); i++) {
        json_t *root = read_json(facts[i].name);

        check_fact(&facts[i], find(json_object_get(root, "request"), facts[i].path));
        json_decref(root);
    }
}

/* The uid stands first, and what says how an object is to be read stands before it (N15). */
static void test_order_of_keys(void **state)
{
    static const char *const order[] = {
        "uid",
        "kind",
        "resource",
        "subResource",
        "requestKind",
        "requestResource",
        "requestSubResource",
        "name",
        "namespace",
        "operation",
        "userInfo",
        "object",
        "oldObject",
        "dryRun",
        "options",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(recorded); i++) {
        json_t *root = read_json(recorded[i].name);
        const char *key;
        json_t *value;
        size_t at = 0;

        json_object_foreach(json_object_get(root, "request"), key, value)
        {
            while (at < COUNT(order) && strcmp(order[at], key) != 0)
                at++;
            if (at == COUNT(order))
                fail_msg("%s: request.%s stands elsewhere", recorded[i].name, key);
        }
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_review_is_decided),
        cmocka_unit_test(test_every_file_is_decided),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_order_of_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
