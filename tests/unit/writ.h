/*
 * writ.h -- for tests and fuzzing: a set of a few documents, made by the Git side itself
 * (source/manifest.h) and opened, without a repository around it.
 *
 *     struct writ w = {0};
 *     bool ok = writ_begin(&w, policy, "folder/of/crds", &err) &&
 *               writ_add(&w, document, 1, &outcome, &err) && … && writ_end(&w, &err);
 *     … decide(w.set, w.policy, …) …
 *     writ_release(&w);
 */
#ifndef TESTS_UNIT_WRIT_H
#define TESTS_UNIT_WRIT_H

#include "policy/rules.h"
#include "policy/set.h"
#include "policy/setwriter.h"
#include "source/manifest.h"
#include "source/yaml.h"

#define WRIT_COMMIT "3f2c1ab0000000000000000000000000000000aa"

struct writ {
    struct policy *policy;
    struct crds *crds;
    struct set *set; /* after writ_end */

    /* Internal. */
    struct setwriter *writer;
    struct normal normal;
    struct sha256 *hash;
    struct buf file;
};

static inline void writ_release(struct writ *w)
{
    set_close(w->set);
    setwriter_free(w->writer);
    crds_free(w->crds);
    policy_free(w->policy);
    normal_release(&w->normal);
    sha256_free(w->hash);
    buf_release(&w->file);
    *w = (struct writ){0};
}

MUST_USE static inline bool writ_begin(struct writ *w, const json_t *policy, const char *crds,
                                       struct err *err)
{
    struct buf text CLEANUP(buf_release) = {0};
    struct digest rules;

    w->writer = setwriter_new();
    w->hash = sha256_new();
    w->crds = crds_new();
    if (!policy_load(policy, &w->policy, err) || !crds_add_folder(w->crds, crds, w->policy, err))
        return false;
    rules_id(&rules);
    setwriter_rules(w->writer, &rules);
    policy_text(policy, &text);
    setwriter_policy(w->writer, buf_bytes(&text));
    setwriter_provenance(w->writer, BYTES("{\"sources\":[]}"));
    for (size_t i = 0; i < crds_count(w->crds); i++) {
        const struct kind *kind = schema_kind(crds_at(w->crds, i));

        if (policy_governs_kind(w->policy, kind->group, kind->kind))
            setwriter_kind(w->writer, kind);
    }
    return true;
}

/* Adds a document that was found at `line`; *out says what became of it, the caller frees. */
MUST_USE static inline bool writ_add(struct writ *w, const json_t *document, uint32_t line,
                                     struct manifest *out, struct err *err)
{
    const struct manifest_rules rules = {w->policy, w->crds, w->hash, &w->normal};
    const struct setwriter_place place = {BYTES("mesh"), BYTES(WRIT_COMMIT), BYTES("git.yaml"),
                                          line};

    if (!manifest_read(&rules, &(struct manifest_input){.object = document}, out, err))
        return false;
    if (out->outcome == MANIFEST_APPROVED)
        setwriter_approve(w->writer, &out->id, &place, &out->primary, out->digests,
                          out->digest_count, buf_bytes(&out->document));
    else if (out->outcome == MANIFEST_HELD)
        setwriter_hold(w->writer, &out->id, &place, buf_bytes(&out->message));
    return true;
}

MUST_USE static inline bool writ_end(struct writ *w, struct err *err)
{
    return setwriter_finish(w->writer, &w->file, err) &&
           set_open_bytes(buf_bytes(&w->file), &w->set, err);
}

/* All of it from two YAML texts; the policy is the only document of its own. */
MUST_USE static inline bool writ_make(struct writ *w, struct bytes policy, struct bytes documents,
                                      const char *crds, struct err *err)
{
    struct yaml_documents one = {0};
    struct yaml_documents all = {0};
    bool ok = yaml_read(policy, &one, err) && yaml_read(documents, &all, err);

    ok = ok && (one.count == 1 || err_set(err, "not one policy")) &&
         writ_begin(w, one.items[0].root, crds, err);
    for (size_t i = 0; ok && i < all.count; i++) {
        struct manifest m = {0};

        ok = writ_add(w, all.items[i].root, all.items[i].line, &m, err);
        manifest_release(&m);
    }
    yaml_release(&one);
    yaml_release(&all);
    return ok && writ_end(w, err);
}

#endif
