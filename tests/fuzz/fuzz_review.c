/*
 * fuzz_review.c -- the bytes as an AdmissionReview, read and decided with a set that was made of
 * tests/data/recorded. What must hold:
 *
 *   - the same answer twice, in a workspace that is new and in one that served every input before;
 *   - an allow has a reason that allows, and what that reason claims is so when it is looked at by
 *     other means: in-git is an object whose digest, as jansson reads the body, the set holds for
 *     this identity;
 *   - the normal forms are the same for other white space, escapes and order of keys;
 *   - the answer is JSON, and echoes the uid; a refusal says why in printable ASCII.
 */
#include <jansson.h>

#include "base/file.h"
#include "policy/answer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/other_text.h"
#include "tests/unit/writ.h"

#include "base/banned.h"

static struct writ writ;
static struct sha256 *hash;
static struct review *worn; /* as in a server: it has served every input before */

static struct buf data_file(const char *name)
{
    char *path = xasprintf(TEST_DATA "/recorded/%s", name);
    struct buf content = {0};
    struct err err;

    require(file_read(path, POLICY_MAX_BYTES, &content, &err));
    free(path);
    return content;
}

static void start(void)
{
    struct buf policy = data_file("policy.yaml");
    struct buf git = data_file("git.yaml");
    struct err err;

    require(
        writ_make(&writ, buf_bytes(&policy), buf_bytes(&git), TEST_DATA "/recorded/crds", &err));
    require(set_count(writ.set) == 3 && set_held_count(writ.set) == 1);
    hash = sha256_new();
    worn = review_new();
    buf_release(&policy);
    buf_release(&git);
}

/* --- what the reason claims --------------------------------------------------------------------
 */

static struct bytes text_at(const json_t *map, const char *key)
{
    const json_t *value = json_object_get(map, key);

    return bytes_of(json_string_value(value), json_string_length(value));
}

/* The digest of request.object, as jansson reads it, is one that the set has for this identity. */
static void check_in_git(const json_t *request, const struct decision *d)
{
    const struct bytes version = text_at(json_object_get(request, "kind"), "version");
    const json_t *object = json_object_get(request, "object");
    char *text = json_dumps(object, JSON_COMPACT);
    struct normal normal = {0};
    struct digest digest;
    struct set_entry entry;
    struct err err = {0};
    struct kind kind;
    size_t index = 0;

    require(set_kind(writ.set, d->id.group, d->id.kind, &kind));
    struct normal_rules rules = normal_rules(&kind, version);

    /* A core subresource aside, /status never comes here (row 8). */
    require(text_at(request, "subResource").len == 0);
    require(text != NULL && normal_read_text(&normal, bytes_str(text), &rules, &err));
    normal_digest(&normal, &d->id, (struct bytes){0}, hash, &digest);
    require(set_has(writ.set, &digest, &index));
    set_entry(writ.set, index, &entry);
    require(identity_compare(&entry.id, &d->id) == 0 && !entry.held);
    require(bytes_equal(text_at(json_object_get(object, "metadata"), "name"), entry.id.name));
    require(bytes_equal(text_at(request, "operation"), BYTES("CREATE")) ||
            bytes_equal(text_at(request, "operation"), BYTES("UPDATE")));
    normal_release(&normal);
    free(text);
}

static void check_allow(const json_t *request, const struct review *rv, const struct decision *d)
{
    enum mode mode;
    size_t index;

    switch (d->reason) {
    case REASON_NOT_GOVERNED:
        require(!policy_governs(writ.policy, &d->id, &mode) ||
                !bytes_equal(rv->resource_group, rv->group));
        require(!bytes_equal(rv->resource, BYTES("routes")) ||
                !bytes_equal(rv->resource_group, BYTES("mesh.example.com")));
        break;
    case REASON_IN_GIT:
        check_in_git(request, d);
        break;
    case REASON_UNCHANGED:
        require(rv->operation == OPERATION_UPDATE);
        require(rv->object.present && rv->old_object.present);
        break;
    case REASON_STATUS_ONLY:
        require(bytes_equal(rv->subresource, BYTES("status")));
        require(normal_equal(&rv->object.normal, &rv->old_object.normal));
        break;
    case REASON_ABSENT_FROM_GIT:
        require(rv->operation == OPERATION_DELETE || rv->object.normal.deleting);
        require(!set_find(writ.set, &d->id, &index));
        break;
    default:
        require(d->verdict != VERDICT_ALLOW); /* no row that allows */
    }
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void check_text(const char *text)
{
    for (; *text != '\0'; text++)
        require(*text >= 0x20 && *text < 0x7f);
}

static void check_answer(const struct review *rv, const struct decision *d)
{
    struct buf answer = {0};
    const struct answer_context context = {.root = NULL};

    answer_write(&context, rv->uid, d, &answer);
    require(answer.len <= ANSWER_MAX_BYTES);
    json_t *root = json_loadb((const char *)answer.ptr, answer.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    const json_t *response = json_object_get(root, "response");

    require(response != NULL && bytes_equal(text_at(response, "uid"), rv->uid));
    require(json_is_boolean(json_object_get(response, "allowed")));
    require(json_is_true(json_object_get(response, "allowed")) == d->allowed);
    json_decref(root);
    buf_release(&answer);
}

static bool reads_as(const struct normal *want, struct bytes text, const struct normal_rules *rules)
{
    struct normal normal = {0};
    struct err err = {0};

    require(normal_read_text(&normal, text, rules, &err));
    require(normal.deleting == want->deleting);
    require(normal.has_finalizers == want->has_finalizers);
    require(normal.has_break_glass == want->has_break_glass);
    require(bytes_equal(normal.name, want->name));
    const bool same = normal_equal(&normal, want);

    normal_release(&normal);
    return same;
}

/* White space, escapes and the order of keys are no part of a normal form (N22). */
static void check_other_text(const struct review *rv, const struct review_object *object)
{
    json_t *value =
        json_loadb((const char *)object->raw.ptr, object->raw.len, JSON_ALLOW_NUL, NULL);
    const struct normal_rules rules =
        normal_rules(rv->kind_known ? &rv->rules_kind : NULL, rv->version);
    struct normal_rules status_rules = rules;
    struct buf text = {0};

    status_rules.drop_status = true;
    if (value != NULL) {
        other_text(&text, value);
        /* A subresource that is named behind the object comes too late; the API server names it
         * before (tests/unit/test_recorded.c). */
        require(reads_as(&object->normal, buf_bytes(&text), &rules) ||
                (bytes_equal(rv->subresource, BYTES("status")) &&
                 reads_as(&object->normal, buf_bytes(&text), &status_rules)));
    }
    buf_release(&text);
    json_decref(value);
}

static void check_decision(const json_t *request, const struct review *rv, const struct decision *d)
{
    if (rv->object.present)
        check_other_text(rv, &rv->object);
    if (rv->old_object.present)
        check_other_text(rv, &rv->old_object);
    require(d->reason > REASON_UNSET && d->reason < REASON_COUNT);
    if (d->verdict == VERDICT_ALLOW)
        check_allow(request, rv, d);
    else
        require(d->message[0] != '\0');
    require(d->allowed == (d->verdict == VERDICT_ALLOW)); /* mode enforce, dryRun enforce */
    check_text(d->message);
    check_text(d->warning);
    check_answer(rv, d);
}

static void check_same(const struct decision *a, const struct decision *b)
{
    require(a->verdict == b->verdict && a->reason == b->reason && a->mode == b->mode);
    require(a->allowed == b->allowed && a->warns == b->warns && a->holds == b->holds);
    require(identity_compare(&a->id, &b->id) == 0);
    require(a->has_digest == b->has_digest && digest_equal(&a->digest, &b->digest));
    require(a->has_entry == b->has_entry && a->index == b->index);
    require(strcmp(a->message, b->message) == 0 && strcmp(a->warning, b->warning) == 0);
}

static void check_unreadable(const struct review *rv, const struct err *err)
{
    struct decision d;

    require(err->message[0] != '\0');
    if (rv->uid.len == 0)
        return;
    decide_unreadable(writ.set, writ.policy, rv, REASON_MALFORMED, err->message, &d);
    require(d.verdict == VERDICT_DENY && !d.allowed);
    check_text(d.message);
    check_answer(rv, &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct bytes body = bytes_of(data, len);
    struct decision first;
    struct decision second;
    struct err err = {0};

    if (worn == NULL)
        start();
    struct review *fresh = review_new();
    const bool ok = review_read(worn, body, writ.set, &err);

    require(review_read(fresh, body, writ.set, &err) == ok);
    require(bytes_equal(fresh->uid, worn->uid) && fresh->uid.len <= REVIEW_MAX_UID);
    if (ok) {
        json_t *root = json_loadb((const char *)data, len, JSON_ALLOW_NUL, NULL);

        decide(writ.set, writ.policy, worn, hash, &first);
        decide(writ.set, writ.policy, fresh, hash, &second);
        check_same(&first, &second);
        /* Numbers beyond int64 and keys with a NUL are not for jansson. */
        if (root != NULL)
            check_decision(json_object_get(root, "request"), worn, &first);
        json_decref(root);
    } else {
        check_unreadable(worn, &err);
    }
    review_free(fresh);
    return 0;
}
