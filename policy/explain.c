#include "policy/explain.h"

#include "policy/diff.h"

#include "base/banned.h"

enum { VALUE_LIMIT = 120, SHORT_COMMIT = 7 };

void explain_copy(struct bytes text, char *out, size_t out_size)
{
    size_t len = text.len < out_size - 1 ? text.len : out_size - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f ? (char)text.ptr[i] : '?';
    out[len] = '\0';
}

/* (mesh 3f2c1ab clusters/prod/reviews.yaml:14) */
void explain_place(const struct set_entry *entry, struct buf *out)
{
    const size_t commit = entry->commit.len < SHORT_COMMIT ? entry->commit.len : SHORT_COMMIT;

    buf_printf(out, "(%.*s %.*s %.*s:%u)", BYTES_FMT(entry->source), (int)commit,
               (const char *)entry->commit.ptr, BYTES_FMT(entry->path), entry->line);
}

void explain_values(struct bytes git, struct bytes here, struct buf *out)
{
    if (here.len == 0) {
        buf_append_str(out, "missing, Git has ");
        diff_render(git, VALUE_LIMIT, out);
        return;
    }
    diff_render(here, VALUE_LIMIT, out);
    buf_append_str(out, ", Git has ");
    if (git.len == 0)
        buf_append_str(out, "no such field");
    else
        diff_render(git, VALUE_LIMIT, out);
}

bool explain_approved(const struct set *set, size_t index, const struct kind *kind,
                      struct bytes version, struct normal *out, struct err *err)
{
    struct normal_rules rules = normal_rules(kind, version);
    struct bytes json;
    struct bytes group;
    struct bytes written;

    if (!set_document(set, index, &json, err) || !normal_read_text(out, json, &rules, err))
        return false;
    normal_split_api_version(out->api_version, &group, &written);
    if (bytes_equal(written, version))
        return true;
    rules = normal_rules(kind, written);
    return normal_read_text(out, json, &rules, err);
}

static void append_difference(struct bytes path, struct bytes git, struct bytes asked,
                              struct buf *out)
{
    buf_append_str(out, " at ");
    buf_append(out, path);
    buf_append_str(out, ": ");
    explain_values(git, asked, out);
}

static void append_projected(const struct view *view, struct buf *out)
{
    struct projection_diff diff;

    if (projection_diff(buf_bytes(&view->git_form), buf_bytes(&view->form), &diff))
        append_difference(diff.path, diff.left, diff.right, out);
}

static void explain_difference(const struct set *set, const struct review *rv,
                               const struct view *view, const struct decision *d, struct buf *out)
{
    struct normal approved CLEANUP(normal_release) = {0};
    struct diff diff CLEANUP(diff_release) = {0};
    struct err err;

    buf_append_str(out, "differs from Git");
    if (!rv->object.present) /* its workspace is empty, or another request's */
        buf_append_str(out, ": the request has no object");
    else if (view->projection.count > 0)
        append_projected(view, out); /* and nothing else of it: a Secret's data are nobody's */
    else if (explain_approved(set, d->index, rv->kind_known ? &rv->rules_kind : NULL, rv->version,
                              &approved, &err) &&
             diff_first(&approved, &rv->object.normal, &diff))
        append_difference(buf_bytes(&diff.path), diff.left, diff.right, out);
    buf_byte(out, ' ');
    explain_place(&d->entry, out);
}

static void explain_absence(const struct view *view, const struct decision *d, struct buf *out)
{
    identity_text(&d->id, out);
    if (d->reason == REASON_ABSENT_FROM_GIT) {
        buf_append_str(out, " is not in Git; deleteUnknown of the policy forbids to delete it");
    } else if (view->projection.count > 0) {
        buf_append_str(out, " differs from Git");
        append_projected(view, out);
        buf_append_str(out, "; commit it to a governed path first");
    } else {
        buf_append_str(out, " is not in Git; commit it to a governed path first");
    }
}

static void explain_still_in_git(const struct decision *d, struct buf *out)
{
    identity_text(&d->id, out);
    if (d->holds == 0) {
        buf_append_str(out, " is still in Git; remove it there first");
        buf_byte(out, ' ');
        explain_place(&d->entry, out);
        return;
    }
    buf_append_str(out, d->id.group.len == 0 ? " holds " : " defines a kind of which Git has ");
    buf_printf(out, "%zu object%s", d->holds, d->holds == 1 ? "" : "s");
    buf_append_str(out, d->id.group.len == 0 ? " of Git" : "");
    buf_append_str(out, d->holds == 1 ? "; remove it there first" : "; remove them there first");
}

static void explain_status(const struct review *rv, struct buf *out)
{
    struct diff diff CLEANUP(diff_release) = {0};

    buf_append_str(out, "a write to /status may change the status only");
    if (rv->object.present && rv->old_object.present &&
        diff_first(&rv->old_object.normal, &rv->object.normal, &diff)) {
        buf_append_str(out, "; this one changes ");
        buf_append(out, buf_bytes(&diff.path));
    }
}

static void explain_denial(const struct set *set, const struct review *rv, const struct view *view,
                           const struct decision *d, struct buf *out)
{
    switch (d->reason) {
    case REASON_IDENTITY_MISMATCH:
        buf_append_str(out, "request and object do not name the same group, version, kind, "
                            "namespace and name");
        return;
    case REASON_BREAK_GLASS_REFUSED:
        buf_append_str(out, "annotation " BREAK_GLASS_ANNOTATION
                            " refused: the policy has no breakGlass");
        return;
    case REASON_STATUS_SMUGGLES:
        explain_status(rv, out);
        return;
    case REASON_STATUS_WRITER:
        buf_printf(out, "%.*s is not in statusWriters of %.*s", BYTES_FMT(rv->user),
                   BYTES_FMT(d->id.kind));
        return;
    case REASON_SUBRESOURCE:
        buf_printf(out, "subresource %.*s of a governed kind cannot be written",
                   BYTES_FMT(rv->subresource));
        return;
    case REASON_DIFFERS_FROM_GIT:
        explain_difference(set, rv, view, d, out);
        return;
    case REASON_HELD:
        identity_text(&d->id, out);
        buf_append_str(out, " is held, its document in Git cannot be used: ");
        buf_append(out, d->entry.message);
        buf_byte(out, ' ');
        explain_place(&d->entry, out);
        return;
    case REASON_STILL_IN_GIT:
        explain_still_in_git(d, out);
        return;
    case REASON_ABSENT_FROM_GIT:
    case REASON_NOT_IN_GIT:
        explain_absence(view, d, out);
        return;
    default:
        buf_append_str(out, "refused");
    }
}

static void explain_warning(const struct view *view, const struct decision *d, struct buf *out)
{
    if (d->verdict == VERDICT_DENY) {
        buf_printf(out, "meshwrit would deny: %s", d->message);
        return;
    }
    if (d->reason == REASON_NOT_GOVERNED) {
        buf_append_str(out, "meshwrit: the schema of a governed kind was written: ");
        identity_text(&d->id, out);
    } else if (d->reason == REASON_ABSENT_FROM_GIT) {
        buf_append_str(out, "meshwrit: deleted what Git does not have: ");
        identity_text(&d->id, out);
    } else if (d->reason == REASON_UNCHANGED) {
        buf_append_str(out, "meshwrit: this object is drift, Git has ");
        buf_append_str(out, d->has_entry                 ? "other content: "
                            : view->projection.count > 0 ? "no such fields: "
                                                         : "no such object: ");
        identity_text(&d->id, out);
    }
}

void explain(const struct set *set, const struct review *rv, const struct view *view,
             struct decision *out)
{
    struct buf text CLEANUP(buf_release) = {0};

    if (out->verdict == VERDICT_DENY) {
        explain_denial(set, rv, view, out, &text);
        explain_copy(buf_bytes(&text), out->message, sizeof(out->message));
    }
    if (!out->warns)
        return;
    text.len = 0;
    explain_warning(view, out, &text);
    explain_copy(buf_bytes(&text), out->warning, sizeof(out->warning));
}
