#include "policy/decide.h"

#include "policy/contents.h"
#include "policy/explain.h"
#include "policy/view.h"

#include "base/banned.h"

const char *reason_text(enum reason reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_UNSET] = "unset",
        [REASON_NO_SET] = "no-set",
        [REASON_MALFORMED] = "malformed",
        [REASON_TOO_LARGE] = "too-large",
        [REASON_IDENTITY_MISMATCH] = "identity-mismatch",
        [REASON_NOT_GOVERNED] = "not-governed",
        [REASON_BREAK_GLASS_REFUSED] = "break-glass-refused",
        [REASON_STATUS_SMUGGLES] = "status-smuggles",
        [REASON_STATUS_WRITER] = "status-writer",
        [REASON_STATUS_ONLY] = "status-only",
        [REASON_SUBRESOURCE] = "subresource",
        [REASON_ABSENT_FROM_GIT] = "absent-from-git",
        [REASON_IN_GIT] = "in-git",
        [REASON_UNCHANGED] = "unchanged",
        [REASON_HELD] = "held",
        [REASON_STILL_IN_GIT] = "still-in-git",
        [REASON_DIFFERS_FROM_GIT] = "differs-from-git",
        [REASON_NOT_IN_GIT] = "not-in-git",
    };

    return reason < REASON_COUNT ? names[reason] : "unset";
}

struct asked {
    const struct set *set;
    const struct policy *policy;
    const struct review *rv;
    struct view view;
    bool is_delete; /* DELETE, or an UPDATE that finishes one (N30) */
};

/* --- row 3: who is it ------------------------------------------------------------------------- */

static bool agrees(struct bytes requested, struct bytes said)
{
    return requested.len == 0 || bytes_equal(requested, said);
}

/* The namespace of a Namespace is its own name in the request and absent in the object (N11). */
static bool is_namespace(const struct review *rv)
{
    return rv->group.len == 0 && bytes_equal(rv->kind, BYTES("Namespace"));
}

static bool object_is_requested(const struct review *rv, const struct normal *n)
{
    struct bytes group;
    struct bytes version;

    normal_split_api_version(n->api_version, &group, &version);
    if (!bytes_equal(group, rv->group) || !bytes_equal(version, rv->version) ||
        !bytes_equal(n->kind, rv->kind))
        return false;
    if (n->name.len == 0) /* a Scale, an Eviction: only subresources may leave the name out */
        return rv->subresource.len > 0;
    if (!agrees(rv->name, n->name))
        return false;
    if (is_namespace(rv))
        return n->namespace.len == 0 && agrees(rv->namespace, n->name);
    return agrees(rv->namespace, n->namespace);
}

/* Fills out->id; false: request and object disagree about it. */
static bool identify(const struct asked *asked, struct decision *out)
{
    const struct review *rv = asked->rv;
    const struct normal *n = asked->view.subject;

    out->id = (struct identity){rv->group, rv->kind, rv->namespace, rv->name};
    if (is_namespace(rv))
        out->id.namespace = (struct bytes){0};
    if (asked->view.object != NULL && !object_is_requested(rv, asked->view.object))
        return false;
    if (asked->view.old != NULL && !object_is_requested(rv, asked->view.old))
        return false;
    if (asked->view.object != NULL && asked->view.old != NULL &&
        (!bytes_equal(asked->view.object->name, asked->view.old->name) ||
         !bytes_equal(asked->view.object->namespace, asked->view.old->namespace)))
        return false;
    if (n != NULL && n->name.len > 0) {
        out->id.name = n->name;
        out->id.namespace = n->namespace;
    }
    return out->id.name.len > 0;
}

/* --- row 4: is it governed -------------------------------------------------------------------- */

/*
 * By request.resource: the kind that has this plural name, in the set; and by the request's kind,
 * so that a kind whose plural is not known is governed too.
 */
static bool governed(const struct asked *asked, const struct identity *id, enum mode *mode)
{
    const struct review *rv = asked->rv;
    struct identity by_resource = *id;
    struct kind kind;

    if (bytes_equal(rv->resource_group, rv->group) && policy_governs(asked->policy, id, mode))
        return true;
    if (!policy_governs_group(asked->policy, rv->resource_group))
        return false;
    for (size_t i = 0; i < set_kind_count(asked->set); i++) {
        set_kind_at(asked->set, i, &kind);
        if (!bytes_equal(kind.group, rv->resource_group) || !bytes_equal(kind.plural, rv->resource))
            continue;
        by_resource.group = kind.group;
        by_resource.kind = kind.kind;
        if (policy_governs(asked->policy, &by_resource, mode))
            return true;
    }
    return false;
}

/* --- row 5: break-glass (N36) ----------------------------------------------------------------- */

static bool asks_for_break_glass(const struct asked *asked)
{
    const struct normal *now = asked->view.object;
    const struct normal *before = asked->view.old;

    if (now == NULL || !now->has_break_glass)
        return false;
    return before == NULL || !before->has_break_glass ||
           !bytes_equal(now->break_glass, before->break_glass);
}

static bool drops_break_glass(const struct asked *asked)
{
    return asked->view.object != NULL && asked->view.old != NULL &&
           asked->view.old->has_break_glass && !asked->view.object->has_break_glass;
}

/* --- rows 8 to 18 ----------------------------------------------------------------------------- */

static void settle(struct decision *out, enum verdict verdict, enum reason reason)
{
    out->verdict = verdict;
    out->reason = reason;
}

/* Row 8: false if it is none of its business. */
static bool decide_subresource(const struct asked *asked, struct decision *out)
{
    const struct review *rv = asked->rv;

    if (rv->subresource.len == 0 || rv->resource_group.len == 0)
        return false; /* subresources of core kinds are decided by content (N31) */
    if (!bytes_equal(rv->subresource, BYTES("status"))) {
        settle(out, VERDICT_DENY, REASON_SUBRESOURCE);
    } else if (asked->view.object == NULL || asked->view.old == NULL ||
               !normal_equal(asked->view.object, asked->view.old)) {
        settle(out, VERDICT_DENY, REASON_STATUS_SMUGGLES);
    } else if (policy_has_status_writers(asked->policy, out->id.group, out->id.kind) &&
               !policy_is_status_writer(asked->policy, out->id.group, out->id.kind, rv->user)) {
        settle(out, VERDICT_DENY, REASON_STATUS_WRITER);
    } else {
        settle(out, VERDICT_ALLOW, REASON_STATUS_ONLY);
    }
    return true;
}

static void decide_delete(const struct asked *asked, struct decision *out)
{
    if (out->has_entry) {
        settle(out, VERDICT_DENY, out->entry.held ? REASON_HELD : REASON_STILL_IN_GIT);
        return;
    }
    const enum lenience lenience = policy_delete_unknown(asked->policy);

    settle(out, lenience == LENIENCE_DENY ? VERDICT_DENY : VERDICT_ALLOW, REASON_ABSENT_FROM_GIT);
    out->warns = lenience == LENIENCE_WARN;
}

/*
 * CustomResourceDefinitions of governed kinds: deleting one deletes its objects without one review,
 * so it is judged by what Git has of its kind. False: it is none.
 */
static bool decide_crd(const struct asked *asked, struct decision *out)
{
    const struct review *rv = asked->rv;
    struct kind kind;

    if (!bytes_equal(rv->resource_group, BYTES("apiextensions.k8s.io")) ||
        !bytes_equal(rv->resource, BYTES("customresourcedefinitions")) || rv->subresource.len > 0 ||
        !contents_crd_kind(asked->set, asked->policy, out->id.name, &kind))
        return false;
    const struct contents contents = contents_of_crd(asked->set, asked->policy, &kind);

    out->mode = contents.mode;
    if (rv->operation != OPERATION_DELETE) {
        settle(out, VERDICT_ALLOW, REASON_NOT_GOVERNED);
        out->warns = true;
        return true;
    }
    out->holds = contents.count;
    if (out->holds > 0)
        settle(out, VERDICT_DENY, REASON_STILL_IN_GIT);
    else
        decide_delete(asked, out);
    return true;
}

/*
 * A Namespace that holds objects of Git, whether its own fields are governed or not. The mode is
 * the strictest of what would go, itself included if Git has it: a rule that only warns of a
 * Namespace's labels must not open the way to what is enforced in it. False: it is none, or holds
 * nothing.
 */
static bool decide_namespace(const struct asked *asked, struct decision *out)
{
    if (!asked->is_delete || !is_namespace(asked->rv))
        return false;
    const struct contents contents = contents_of_namespace(asked->set, asked->policy, out->id.name);

    if (contents.count == 0)
        return false;
    out->holds = contents.count;
    if (!out->has_entry || contents.mode < out->mode)
        out->mode = contents.mode;
    settle(out, VERDICT_DENY, REASON_STILL_IN_GIT);
    return true;
}

static void decide_write(const struct asked *asked, struct decision *out)
{
    size_t index;

    if (out->has_digest && asked->view.object != NULL &&
        set_has(asked->set, &out->digest, &index)) {
        settle(out, VERDICT_ALLOW, REASON_IN_GIT);
        return;
    }
    if (drops_break_glass(asked)) {
        settle(out, VERDICT_DENY, REASON_BREAK_GLASS_REFUSED);
        return;
    }
    if (asked->rv->operation == OPERATION_UPDATE && view_is_unchanged(&asked->view)) {
        settle(out, VERDICT_ALLOW, REASON_UNCHANGED);
        out->warns = true; /* it is not what Git has */
        return;
    }
    if (!out->has_entry)
        settle(out, VERDICT_DENY, REASON_NOT_IN_GIT);
    else
        settle(out, VERDICT_DENY, out->entry.held ? REASON_HELD : REASON_DIFFERS_FROM_GIT);
}

/* An UPDATE that empties the finalizers of an object under deletion removes it (N30). */
static bool finishes_deletion(const struct asked *asked)
{
    return asked->rv->operation == OPERATION_UPDATE && asked->view.object != NULL &&
           asked->view.old != NULL && asked->view.object->deleting &&
           asked->view.old->has_finalizers && !asked->view.object->has_finalizers;
}

/* Git's entry, what counts of the objects, and the digest of that. */
static void look_up(struct asked *asked, struct sha256 *hash, struct decision *out)
{
    const struct review *rv = asked->rv;
    const bool versioned = rv->kind_known && rv->rules_kind.conversion;

    out->has_entry = set_find(asked->set, &out->id, &out->index);
    if (out->has_entry)
        set_entry(asked->set, out->index, &out->entry);
    view_project(&asked->view, asked->set, asked->policy, &out->id,
                 out->has_entry ? out->index : SET_NOWHERE);
    out->has_digest = view_digest(&asked->view, &out->id,
                                  versioned ? rv->version : (struct bytes){0}, hash, &out->digest);
}

static void decide_rows(struct asked *asked, struct sha256 *hash, struct decision *out)
{
    if (!identify(asked, out)) {
        settle(out, VERDICT_DENY, REASON_IDENTITY_MISMATCH);
        return;
    }
    if (decide_crd(asked, out))
        return;
    const bool is_governed = governed(asked, &out->id, &out->mode);

    if (is_governed)
        look_up(asked, hash, out);
    if (decide_namespace(asked, out))
        return;
    if (!is_governed || (view_is_empty(&asked->view) && !out->has_entry))
        settle(out, VERDICT_ALLOW, REASON_NOT_GOVERNED);
    else if (asks_for_break_glass(asked))
        settle(out, VERDICT_DENY, REASON_BREAK_GLASS_REFUSED);
    else if (decide_subresource(asked, out))
        return;
    else if (asked->is_delete)
        decide_delete(asked, out);
    else
        decide_write(asked, out);
}

/* What is answered: mode and dry run soften a denial, but never rows 3 and 5. */
static bool softened(const struct policy *policy, const struct review *rv, const struct decision *d)
{
    if (d->reason == REASON_IDENTITY_MISMATCH || d->reason == REASON_BREAK_GLASS_REFUSED)
        return false;
    return d->mode != MODE_ENFORCE || (rv->dry_run && !policy_enforces_dry_run(policy));
}

void decide(const struct set *set, const struct policy *policy, const struct review *rv,
            struct sha256 *hash, struct decision *out)
{
    struct asked asked = {
        .set = set,
        .policy = policy,
        .rv = rv,
        .view = view_of(rv),
    };

    /* The texts are most of it, and all that is read of them is what stands before a NUL. */
    memset(out, 0, offsetof(struct decision, message));
    out->message[0] = out->warning[0] = '\0';
    asked.is_delete = rv->operation == OPERATION_DELETE || finishes_deletion(&asked);
    decide_rows(&asked, hash, out);
    out->allowed = out->verdict == VERDICT_ALLOW || softened(policy, rv, out);
    if (out->verdict == VERDICT_DENY)
        out->warns = out->allowed;
    if (out->mode == MODE_AUDIT)
        out->warns = false;
    explain(set, rv, &asked.view, out);
    view_release(&asked.view);
}

void decide_unreadable(const struct set *set, const struct policy *policy, const struct review *rv,
                       enum reason reason, const char *message, struct decision *out)
{
    const struct asked asked = {.set = set, .policy = policy, .rv = rv};

    *out = (struct decision){.reason = reason};
    out->id = (struct identity){rv->group, rv->kind, rv->namespace, rv->name};
    if (!governed(&asked, &out->id, &out->mode))
        out->mode = MODE_ENFORCE;
    out->allowed = softened(policy, rv, out);
    explain_copy(bytes_str(message), out->message, sizeof(out->message));
}
