/*
 * fuzz_passes.c -- the Git side: a CustomResourceDefinition and an object of it, as two lines of
 * JSON. What must hold, whatever the schema says:
 *
 *   - the passes are stable: what they have made of an object they do not change a second time,
 *     which is why the API server may run them on every read (N14). But for a null inside a
 * default: the first pass puts it in, and the second takes it out where it is not nullable; the API
 *     server does so too, and takes such defaults only where a schema has no type;
 *   - the object as the API server shows it and the form that Git's side makes of it have one
 *     normal form (N15, N17);
 *   - what the set keeps of an approved document is approved, under the same digests;
 *   - and written to the cluster it is let in, as what Git holds.
 */
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "policy/decide.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/writ.h"

#include "base/banned.h"

enum { OBJECT_MAX_DEPTH = 64 }; /* N4: an object's own */

/* NOLINTNEXTLINE(misc-no-recursion): as fuzz_depth */
static bool has_null(const json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;

    json_array_foreach(node, i, value)
    {
        if (has_null(value))
            return true;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        if (has_null(value))
            return true;
    }
    return json_is_null(node);
}

static void ignore_pruned(void *context, const char *path)
{
    (void)context;
    require(path[0] != '\0');
}

/* --- the passes alone --------------------------------------------------------------------------
 */

static bool read_form(struct normal *n, const json_t *object, const struct normal_rules *rules)
{
    char *text = json_dumps(object, JSON_COMPACT);
    struct err err = {0};
    const bool ok = text != NULL && normal_read_text(n, bytes_str(text), rules, &err);

    free(text);
    return ok;
}

static void check_same_form(const struct schema *s, struct bytes version, const json_t *shown,
                            const json_t *made)
{
    const struct normal_rules rules = normal_rules(schema_kind(s), version);
    struct normal a = {0};
    struct normal b = {0};

    if (read_form(&a, shown, &rules)) {
        require(read_form(&b, made, &rules));
        require(normal_equal(&a, &b));
    }
    normal_release(&a);
    normal_release(&b);
}

/* What is made of T_v is T_v. */
static void check_forms_stable(const struct schema *s, const struct schema_form *written)
{
    struct schema_forms again = {0};
    struct err err = {0};
    size_t pruned = 0;

    require(
        schema_forms(s, written->version, written->object, &again, ignore_pruned, &pruned, &err));
    require(json_equal(again.forms[0].object, written->object));
    schema_forms_release(&again);
}

static void run_version(const struct schema *s, const struct kind_version *v, const json_t *object,
                        bool stable)
{
    json_t *once = json_deep_copy(object);
    struct schema_forms forms = {0};
    struct err err = {0};

    if (schema_apply(s, v->name, once, ignore_pruned, NULL, &err)) {
        json_t *twice = json_deep_copy(once);

        require(schema_apply(s, v->name, twice, ignore_pruned, NULL, &err));
        require(!stable || json_equal(once, twice));
        if (schema_forms(s, v->name, object, &forms, ignore_pruned, NULL, &err)) {
            check_same_form(s, v->name, once, forms.forms[0].object);
            if (stable)
                check_forms_stable(s, &forms.forms[0]);
            schema_forms_release(&forms);
        }
        json_decref(twice);
    }
    json_decref(once);
}

/* --- the way from Git to a decision ------------------------------------------------------------
 */

/* --- a folder that holds the CustomResourceDefinition of this input ----------------------------
 */

static char folder[] = "/tmp/meshwrit-fuzz-XXXXXX";
static char *crd_file;

static void remove_folder(void)
{
    (void)unlink(crd_file);
    (void)rmdir(folder);
    free(crd_file);
}

static const char *crd_folder(struct bytes crd)
{
    if (crd_file == NULL) {
        require(mkdtemp(folder) != NULL);
        crd_file = xasprintf("%s/crd.json", folder);
        require(atexit(remove_folder) == 0);
    }
    FILE *file = fopen(crd_file, "we");

    require(file != NULL);
    require(fwrite(crd.ptr, 1, crd.len, file) == crd.len);
    require(fclose(file) == 0);
    return folder;
}

/* --- the way from Git to a decision ------------------------------------------------------------
 */

static json_t *policy_of(const struct kind *kind)
{
    return json_pack("{s:s,s:s,s:[{s:[s%],s:[s%],s:s}]}", "apiVersion", "meshwrit.dev/v1alpha1",
                     "kind", "Policy", "govern", "groups", kind->group.ptr, kind->group.len,
                     "kinds", kind->kind.ptr, kind->kind.len, "mode", "enforce");
}

static json_t *text_of(struct bytes text)
{
    return json_stringn((const char *)text.ptr, text.len);
}

/* The review of a CREATE, of the object as Git has it. */
static char *review_of(const struct kind *kind, struct bytes version, const struct identity *id,
                       const json_t *object)
{
    json_t *review =
        json_pack("{s:s,s:s,s:{s:s,s:{s:o,s:o,s:o},s:{s:o,s:o,s:o},s:o,s:o,s:s,s:O}}", "kind",
                  "AdmissionReview", "apiVersion", "admission.k8s.io/v1", "request", "uid", "u",
                  "kind", "group", text_of(id->group), "version", text_of(version), "kind",
                  text_of(id->kind), "resource", "group", text_of(id->group), "version",
                  text_of(version), "resource", text_of(kind->plural), "name", text_of(id->name),
                  "namespace", text_of(id->namespace), "operation", "CREATE", "object", object);
    char *text = review == NULL ? NULL : json_dumps(review, JSON_COMPACT);

    json_decref(review);
    return text;
}

static void check_let_in(const struct writ *w, const struct kind *kind, struct bytes version,
                         const struct manifest *m, const json_t *object)
{
    char *body = review_of(kind, version, &m->id, object);
    struct review *rv = review_new();
    struct sha256 *hash = sha256_new();
    struct decision decision;
    struct err err = {0};

    if (body != NULL) {
        require(review_read(rv, bytes_str(body), w->set, &err));
        decide(w->set, w->policy, rv, hash, &decision);
        require(decision.reason == REASON_IN_GIT && decision.allowed && !decision.warns);
        require(identity_compare(&decision.id, &m->id) == 0);
    }
    sha256_free(hash);
    review_free(rv);
    free(body);
}

static void check_kept(const struct writ *w, const struct manifest *m, const json_t *document)
{
    struct normal normal = {0};
    struct sha256 *hash = sha256_new();
    const struct manifest_rules rules = {w->policy, w->crds, hash, &normal};
    struct manifest again = {0};
    struct err err = {0};

    require(manifest_read(&rules, &(struct manifest_input){.object = document}, &again, &err));
    require(again.outcome == MANIFEST_APPROVED);
    require(identity_compare(&again.id, &m->id) == 0);
    require(digest_equal(&again.digests[0], &m->digests[0]));
    require(bytes_equal(buf_bytes(&again.document), buf_bytes(&m->document)));
    manifest_release(&again);
    sha256_free(hash);
    normal_release(&normal);
}

static void run_approved(struct writ *w, const struct kind *kind, const struct manifest *m,
                         bool stable)
{
    json_t *document =
        json_loadb((const char *)m->document.ptr, m->document.len, JSON_ALLOW_NUL, NULL);
    struct bytes group;
    struct bytes version;
    struct err err = {0};

    require(writ_end(w, &err));
    require(document != NULL);
    normal_split_api_version(bytes_str(json_string_value(json_object_get(document, "apiVersion"))),
                             &group, &version);
    if (stable)
        check_kept(w, m, document);
    if (fuzz_depth(document) <= OBJECT_MAX_DEPTH)
        check_let_in(w, kind, version, m, document);
    json_decref(document);
}

static void run_document(struct bytes crd, const struct kind *kind, const json_t *object,
                         bool stable)
{
    json_t *policy = policy_of(kind);
    struct writ w = {0};
    struct manifest m = {0};
    struct err err = {0};

    if (policy != NULL && json_is_object(object) && writ_begin(&w, policy, crd_folder(crd), &err) &&
        writ_add(&w, object, 1, &m, &err)) {
        if (m.outcome == MANIFEST_APPROVED)
            run_approved(&w, kind, &m, stable);
        require(m.outcome != MANIFEST_HELD || m.message.len > 0);
    }
    manifest_release(&m);
    writ_release(&w);
    json_decref(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes text = bytes_of(data, len);
    const struct bytes first = fuzz_take_line(&text);
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_t *crd = json_loadb((const char *)first.ptr, first.len, flags, NULL);
    json_t *object = json_loadb((const char *)text.ptr, text.len, flags, NULL);
    struct schema *s = NULL;
    struct err err = {0};

    if (crd != NULL && object != NULL && schema_compile(crd, &s, &err)) {
        const struct kind *kind = schema_kind(s);
        const bool stable = !has_null(crd);

        for (size_t i = 0; i < kind->version_count; i++)
            run_version(s, &kind->versions[i], object, stable);
        run_document(first, kind, object, stable);
    }
    schema_free(s);
    json_decref(crd);
    json_decref(object);
    return 0;
}
