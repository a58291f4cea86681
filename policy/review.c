#include "policy/review.h"

#include <stdlib.h>

#include "base/banned.h"

struct review *review_new(void)
{
    return xcalloc(1, sizeof(struct review));
}

void review_free(struct review *rv)
{
    if (rv == NULL)
        return;
    normal_release(&rv->object.normal);
    normal_release(&rv->old_object.normal);
    canon_release(&rv->skip);
    buf_release(&rv->text);
    free(rv);
}

const char *operation_text(enum operation operation)
{
    static const char *const names[] = {
        [OPERATION_NONE] = "",           [OPERATION_CREATE] = "CREATE",
        [OPERATION_UPDATE] = "UPDATE",   [OPERATION_DELETE] = "DELETE",
        [OPERATION_CONNECT] = "CONNECT",
    };

    return names[operation];
}

static void review_clear(struct review *rv)
{
    rv->uid = rv->group = rv->version = rv->kind = (struct bytes){0};
    rv->resource_group = rv->resource_version = rv->resource = (struct bytes){0};
    rv->subresource = rv->name = rv->namespace = (struct bytes){0};
    rv->operation = OPERATION_NONE;
    rv->dry_run = rv->kind_known = false;
    rv->user = rv->user_uid = rv->field_manager = (struct bytes){0};
    rv->group_count = 0;
    rv->object.present = rv->old_object.present = false;
    rv->object.raw = rv->old_object.raw = (struct bytes){0};
    rv->text.len = 0;
    canon_clear(&rv->skip);
}

/* --- maps with known keys --------------------------------------------------------------------- */

/*
 * A map of the envelope: known keys go to `read`, which returns false when it does not know the
 * key; unknown ones are checked and skipped. Duplicates are refused by comparing: these maps are
 * small.
 */
enum { REVIEW_MAX_KEYS = 64 };

struct reading {
    struct review *rv;
    struct jread *r;
    const struct set *set;
    bool deferred;
};

typedef bool read_member(struct reading *in, struct bytes key);

struct seen {
    struct bytes keys[REVIEW_MAX_KEYS];
    size_t count;
    uint64_t marks; /* a bit a key, by its length and ends: keys of another bit are others */
};

static uint64_t mark_of(struct bytes key)
{
    if (key.len == 0)
        return 1;
    return UINT64_C(1) << ((key.len * 5 + key.ptr[0] + 3U * key.ptr[key.len - 1]) % 64);
}

static bool is_new(struct seen *seen, struct jread *r, struct bytes key)
{
    const uint64_t mark = mark_of(key);

    if (seen->count == REVIEW_MAX_KEYS)
        return jread_fail(r, "too many keys");
    for (size_t i = 0; i < seen->count && (seen->marks & mark) != 0; i++) {
        if (bytes_equal(seen->keys[i], key))
            return jread_fail(r, "duplicate key");
    }
    seen->marks |= mark;
    seen->keys[seen->count++] = key;
    return true;
}

/* Its nesting is fixed by the functions below. */
static bool read_map(struct reading *in, read_member *read)
{
    struct jread *r = in->r;
    struct seen seen;

    seen.count = 0;
    seen.marks = 0;
    if (!jread_enter(r, JREAD_MAP))
        return false;
    for (bool first = true; jread_next(r, JREAD_MAP, &first);) {
        struct bytes key;

        if (!jread_key(r, &in->rv->text, &key) || !is_new(&seen, r, key))
            return false;
        if (!read(in, key) && (r->problem != NULL || !canon_skip(&in->rv->skip, r)))
            return false;
    }
    return r->problem == NULL;
}

/* A string, or null for none. */
static bool read_text(struct reading *in, struct bytes *out)
{
    if (jread_peek(in->r) == JREAD_NIL)
        return jread_literal(in->r, JREAD_NIL);
    return jread_string(in->r, &in->rv->text, out);
}

static bool read_kind_member(struct reading *in, struct bytes key)
{
    struct review *rv = in->rv;

    if (bytes_equal(key, BYTES("group")))
        return read_text(in, &rv->group);
    if (bytes_equal(key, BYTES("version")))
        return read_text(in, &rv->version);
    return bytes_equal(key, BYTES("kind")) && read_text(in, &rv->kind);
}

static bool read_resource_member(struct reading *in, struct bytes key)
{
    struct review *rv = in->rv;

    if (bytes_equal(key, BYTES("group")))
        return read_text(in, &rv->resource_group);
    if (bytes_equal(key, BYTES("version")))
        return read_text(in, &rv->resource_version);
    return bytes_equal(key, BYTES("resource")) && read_text(in, &rv->resource);
}

static bool read_groups(struct reading *in)
{
    struct review *rv = in->rv;

    if (jread_peek(in->r) == JREAD_NIL)
        return jread_literal(in->r, JREAD_NIL);
    if (!jread_enter(in->r, JREAD_LIST))
        return false;
    for (bool first = true; jread_next(in->r, JREAD_LIST, &first);) {
        if (rv->group_count == REVIEW_MAX_GROUPS)
            return jread_fail(in->r, "too many groups");
        if (!jread_string(in->r, &rv->text, &rv->groups[rv->group_count]))
            return false;
        rv->group_count++;
    }
    return in->r->problem == NULL;
}

static bool read_user_member(struct reading *in, struct bytes key)
{
    struct review *rv = in->rv;

    if (bytes_equal(key, BYTES("username")))
        return read_text(in, &rv->user);
    if (bytes_equal(key, BYTES("uid")))
        return read_text(in, &rv->user_uid);
    return bytes_equal(key, BYTES("groups")) && read_groups(in);
}

/* For small maps whose keys are not in order, which canon_skip would have to sort. */
static bool read_no_member(struct reading *in, struct bytes key)
{
    (void)in;
    (void)key;
    return false;
}

static bool read_options_member(struct reading *in, struct bytes key)
{
    return bytes_equal(key, BYTES("fieldManager")) && read_text(in, &in->rv->field_manager);
}

/* --- the request ------------------------------------------------------------------------------ */

static bool valid_uid(struct bytes uid)
{
    for (size_t i = 0; i < uid.len; i++) {
        if (uid.ptr[i] <= 0x20 || uid.ptr[i] >= 0x7f)
            return false;
    }
    return uid.len > 0 && uid.len <= REVIEW_MAX_UID;
}

static bool read_uid(struct reading *in)
{
    struct bytes uid;

    if (!jread_string(in->r, &in->rv->text, &uid))
        return false;
    if (!valid_uid(uid))
        return jread_fail(in->r, "request.uid is not 1 to 128 printable characters");
    in->rv->uid = uid;
    return true;
}

static bool read_operation(struct reading *in)
{
    struct bytes text;

    if (!jread_string(in->r, &in->rv->text, &text))
        return false;
    for (int i = OPERATION_CREATE; i <= OPERATION_CONNECT; i++) {
        if (bytes_equal(text, bytes_str(operation_text((enum operation)i)))) {
            in->rv->operation = (enum operation)i;
            return true;
        }
    }
    return jread_fail(in->r, "request.operation is none of CREATE, UPDATE, DELETE, CONNECT");
}

static bool read_dry_run(struct reading *in)
{
    const enum jread_type type = jread_peek(in->r);

    in->rv->dry_run = type == JREAD_YES;
    if (type != JREAD_YES && type != JREAD_NO && type != JREAD_NIL)
        return jread_fail(in->r, "request.dryRun is not true or false");
    return jread_literal(in->r, type);
}

static struct normal_rules rules_of(const struct reading *in)
{
    const struct review *rv = in->rv;
    struct normal_rules rules = normal_rules(rv->kind_known ? &rv->rules_kind : NULL, rv->version);

    /* Where there is a /status to write to, the version has the subresource (N17). */
    if (bytes_equal(rv->subresource, BYTES("status")))
        rules.drop_status = true;
    return rules;
}

/*
 * An object whose kind is known is normalised while it is read. One that comes before the kind is
 * only checked; review_read reads it a second time (N15).
 */
static bool read_object(struct reading *in, struct review_object *object)
{
    struct review *rv = in->rv;
    struct jread *r = in->r;

    if (jread_peek(r) == JREAD_NIL)
        return jread_literal(r, JREAD_NIL);
    const uint8_t *start = r->at;

    object->present = true;
    if (rv->kind.len == 0) {
        in->deferred = true;
        if (!canon_skip(&rv->skip, r))
            return false;
    } else {
        const struct normal_rules rules = rules_of(in);

        if (!normal_read(&object->normal, r, &rules))
            return false;
    }
    object->raw = bytes_of(start, (size_t)(r->at - start));
    return true;
}

static bool read_request_kind(struct reading *in)
{
    struct review *rv = in->rv;

    if (!read_map(in, read_kind_member))
        return false;
    rv->kind_known = in->set != NULL && set_kind(in->set, rv->group, rv->kind, &rv->rules_kind);
    return true;
}

static bool read_request_member(struct reading *in, struct bytes key)
{
    struct review *rv = in->rv;

    if (bytes_equal(key, BYTES("object")))
        return read_object(in, &rv->object);
    if (bytes_equal(key, BYTES("oldObject")))
        return read_object(in, &rv->old_object);
    if (bytes_equal(key, BYTES("kind")))
        return read_request_kind(in);
    if (bytes_equal(key, BYTES("resource")))
        return read_map(in, read_resource_member);
    if (bytes_equal(key, BYTES("userInfo")))
        return read_map(in, read_user_member);
    if (bytes_equal(key, BYTES("requestKind")) || bytes_equal(key, BYTES("requestResource")))
        return jread_peek(in->r) == JREAD_MAP && read_map(in, read_no_member);
    if (bytes_equal(key, BYTES("options")))
        return jread_peek(in->r) == JREAD_MAP && read_map(in, read_options_member);
    if (bytes_equal(key, BYTES("uid")))
        return read_uid(in);
    if (bytes_equal(key, BYTES("operation")))
        return read_operation(in);
    if (bytes_equal(key, BYTES("dryRun")))
        return read_dry_run(in);
    if (bytes_equal(key, BYTES("subResource")))
        return read_text(in, &rv->subresource);
    if (bytes_equal(key, BYTES("name")))
        return read_text(in, &rv->name);
    return bytes_equal(key, BYTES("namespace")) && read_text(in, &rv->namespace);
}

static bool read_constant(struct reading *in, struct bytes want, const char *problem)
{
    struct bytes text = {0};

    if (!jread_string(in->r, &in->rv->text, &text))
        return false;
    return bytes_equal(text, want) || jread_fail(in->r, problem);
}

struct envelope {
    struct reading in; /* first: read_member casts back */
    bool has_kind;
    bool has_version;
    bool has_request;
};

static bool read_review_member(struct reading *in, struct bytes key)
{
    struct envelope *envelope = (struct envelope *)in;

    if (bytes_equal(key, BYTES("kind"))) {
        envelope->has_kind = true;
        return read_constant(in, BYTES("AdmissionReview"), "kind is not AdmissionReview");
    }
    if (bytes_equal(key, BYTES("apiVersion"))) {
        envelope->has_version = true;
        return read_constant(in, BYTES("admission.k8s.io/v1"),
                             "apiVersion is not admission.k8s.io/v1");
    }
    if (bytes_equal(key, BYTES("request"))) {
        envelope->has_request = true;
        return read_map(in, read_request_member);
    }
    return false;
}

static bool read_deferred(struct reading *in, struct review_object *object)
{
    const struct normal_rules rules = rules_of(in);
    struct jread again;

    if (!object->present)
        return true;
    jread_start(&again, object->raw);
    return normal_read(&object->normal, &again, &rules) || jread_fail(in->r, again.problem);
}

static bool read_all(struct envelope *envelope)
{
    struct reading *in = &envelope->in;
    struct review *rv = in->rv;

    if (!read_map(in, read_review_member) || !jread_end(in->r))
        return false;
    if (!envelope->has_kind || !envelope->has_version || !envelope->has_request)
        return jread_fail(in->r, "kind, apiVersion or request is missing");
    if (rv->uid.len == 0)
        return jread_fail(in->r, "request.uid is missing");
    if (rv->kind.len == 0 || rv->version.len == 0 || rv->resource.len == 0)
        return jread_fail(in->r, "request.kind or request.resource is missing");
    if (rv->operation == OPERATION_NONE)
        return jread_fail(in->r, "request.operation is missing");
    if (!in->deferred)
        return true;
    return read_deferred(in, &rv->object) && read_deferred(in, &rv->old_object);
}

bool review_read(struct review *rv, struct bytes body, const struct set *set, struct err *err)
{
    struct jread r;
    struct envelope envelope = {.in = {.rv = rv, .r = &r, .set = set}};

    review_clear(rv);
    jread_start(&r, body);
    if (read_all(&envelope))
        return true;
    return err_set(err, "not a valid AdmissionReview: %s at byte %zu",
                   r.problem == NULL ? "unreadable" : r.problem, jread_offset(&r));
}
