#include "policy/view.h"

#include "base/banned.h"

struct view view_of(const struct review *rv)
{
    struct view v = {
        .object = rv->object.present ? &rv->object.normal : NULL,
        .old = rv->old_object.present ? &rv->old_object.normal : NULL,
    };

    v.subject = rv->operation == OPERATION_DELETE ? v.old : v.object;
    return v;
}

void view_release(struct view *v)
{
    buf_release(&v->object_form);
    buf_release(&v->old_form);
    buf_release(&v->git_form);
    buf_release(&v->form);
}

/* Git's document holds the fields that counted when the set was made: by the same policy. */
static void write_git_form(struct view *v, const struct set *set, size_t entry)
{
    struct normal approved CLEANUP(normal_release) = {0};
    const struct normal_rules plain = {0};
    struct bytes json;
    struct err err;

    if (set_document(set, entry, &json, &err) && normal_read_text(&approved, json, &plain, &err))
        projection_write(&v->projection, buf_bytes(&approved.meta.out), &v->git_form);
}

void view_project(struct view *v, const struct set *set, const struct policy *policy,
                  const struct identity *id, size_t entry)
{
    policy_projection(policy, id, &v->projection);
    if (v->projection.count == 0)
        return;
    if (v->object != NULL)
        projection_write(&v->projection, buf_bytes(&v->object->meta.out), &v->object_form);
    if (v->old != NULL)
        projection_write(&v->projection, buf_bytes(&v->old->meta.out), &v->old_form);
    if (entry != SET_NOWHERE)
        write_git_form(v, set, entry);
    if (v->subject == NULL)
        return;
    /* Of a held document nobody knows which fields it has: nothing passes without it. */
    if (entry != SET_NOWHERE && v->git_form.len == 0)
        projection_write(&v->projection, buf_bytes(&v->subject->meta.out), &v->form);
    else
        projection_write_judged(&v->projection, buf_bytes(&v->subject->meta.out),
                                buf_bytes(&v->git_form), &v->form);
}

bool view_is_empty(const struct view *v)
{
    return v->projection.count > 0 && v->subject != NULL &&
           projection_is_empty(buf_bytes(&v->form));
}

bool view_digest(const struct view *v, const struct identity *id, struct bytes version,
                 struct sha256 *hash, struct digest *out)
{
    if (v->subject == NULL)
        return false;
    if (v->projection.count > 0)
        projection_digest(buf_bytes(&v->form), id, hash, out);
    else
        normal_digest(v->subject, id, version, hash, out);
    return true;
}

bool view_is_unchanged(const struct view *v)
{
    if (v->object == NULL || v->old == NULL)
        return false;
    if (v->projection.count > 0)
        return bytes_equal(buf_bytes(&v->object_form), buf_bytes(&v->old_form));
    return normal_equal(v->object, v->old) ||
           (v->object->deleting && normal_equal_but_removed_owners(v->object, v->old));
}
