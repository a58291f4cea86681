/*
 * driver.c -- our side of the oracles: answers questions of the Go tests, many in one process.
 *
 *     oracle_driver [POLICY.json CRD-FOLDER...]
 *
 * A request on standard input is a letter, a count (one byte) and as many fields; an answer on
 * standard output is '+' or '-', a count (u32) and as many fields; a field is a u32 length and its
 * bytes, all big-endian. Letters:
 *
 *     A group kind version object   schema_apply: canonical bytes, paths of what was pruned
 *     M document namespace          manifest_read: primary digest, accepted digests
 *     R review                      review_read: digest, whether object and oldObject are equal
 *     Y text                        yaml_read: canonical bytes of each document
 *     S text                        yaml_read_json (a stream): the same
 *     J text                        policy/jread, policy/canon: canonical bytes
 *     F                             no answer: what was answered so far is written out
 *
 * '-' carries one field: why not. Not part of the product.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/canon.h"
#include "policy/normal.h"
#include "policy/policy.h"
#include "policy/review.h"
#include "policy/setwriter.h"
#include "source/crds.h"
#include "source/manifest.h"
#include "source/yaml.h"

#include "base/banned.h"

enum { MAX_FIELDS = 4, MAX_FIELD_BYTES = 64 << 20 };

struct driver {
    struct policy *policy;
    struct crds *crds;
    struct buf file; /* the set's bytes */
    struct set *set;
    struct sha256 *hash;
    struct normal normal;
    struct review *review;
    struct canon canon;

    struct buf fields[MAX_FIELDS];
    size_t field_count;
    struct buf answer;
    uint32_t answer_count;
};

static NORETURN void die(const char *what)
{
    (void)fprintf(stderr, "oracle_driver: %s\n", what);
    exit(2);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void put_u32(struct buf *out, size_t value)
{
    for (unsigned shift = 32; shift > 0; shift -= 8)
        buf_byte(out, (uint8_t)(value >> (shift - 8)));
}

static void add_field(struct driver *d, struct bytes field)
{
    put_u32(&d->answer, field.len);
    buf_append(&d->answer, field);
    d->answer_count++;
}

/* Writes the answer; with `problem` it is that and nothing else. */
static void send_answer(struct driver *d, const char *problem)
{
    struct buf head = {0};

    if (problem != NULL) {
        d->answer.len = 0;
        d->answer_count = 0;
        add_field(d, bytes_str(problem));
    }
    buf_byte(&head, problem == NULL ? '+' : '-');
    put_u32(&head, d->answer_count);
    if (fwrite(head.ptr, 1, head.len, stdout) != head.len ||
        fwrite(d->answer.ptr, 1, d->answer.len, stdout) != d->answer.len)
        die("cannot write");
    buf_release(&head);
}

static void send_err(struct driver *d, const struct err *err)
{
    char *text = xasprintf("%s%s%s", err->path, err->path[0] == '\0' ? "" : ": ", err->message);

    send_answer(d, text);
    free(text);
}

/* The canonical bytes of a JSON text, as a field. False: see r->problem. */
static bool add_canonical(struct driver *d, struct bytes json, struct jread *r)
{
    canon_clear(&d->canon);
    jread_start(r, json);
    if (!canon_value(&d->canon, r) || !jread_end(r))
        return false;
    add_field(d, buf_bytes(&d->canon.out));
    return true;
}

/* The same of a tree, wrapped into a list: a document may be a bare number. */
static bool add_tree(struct driver *d, json_t *tree, struct jread *r)
{
    json_t *wrapped = json_pack("[O]", tree);
    char *text = json_dumps(wrapped, JSON_COMPACT);

    json_decref(wrapped);
    if (text == NULL)
        die("a tree cannot be printed");
    const bool ok = add_canonical(d, bytes_str(text), r);

    free(text);
    return ok;
}

/* --- questions -------------------------------------------------------------------------------- */

static struct bytes field(const struct driver *d, size_t i)
{
    return i < d->field_count ? buf_bytes(&d->fields[i]) : (struct bytes){0};
}

static json_t *load(struct bytes text)
{
    return json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL, NULL);
}

static void note_pruned(void *context, const char *path)
{
    struct buf *paths = context;

    buf_append_str(paths, path);
    buf_byte(paths, '\n');
}

static void ask_schema(struct driver *d)
{
    const struct schema *schema = crds_find(d->crds, field(d, 0), field(d, 1));
    json_auto_t *object = load(field(d, 3));
    struct buf pruned CLEANUP(buf_release) = {0};
    struct jread r;
    struct err err = {0};

    if (schema == NULL || object == NULL) {
        send_answer(d, schema == NULL ? "no such schema" : "not an object");
        return;
    }
    if (!schema_apply(schema, field(d, 2), object, note_pruned, &pruned, &err)) {
        send_err(d, &err);
        return;
    }
    if (!add_tree(d, object, &r)) {
        send_answer(d, r.problem);
        return;
    }
    add_field(d, buf_bytes(&pruned));
    send_answer(d, NULL);
}

static void send_manifest(struct driver *d, struct manifest *m)
{
    if (m->outcome != MANIFEST_APPROVED) {
        send_answer(d,
                    m->outcome == MANIFEST_NOT_GOVERNED ? "not governed" : buf_cstr(&m->message));
        return;
    }
    add_field(d, digest_bytes(&m->primary));
    for (size_t i = 0; i < m->digest_count; i++)
        add_field(d, digest_bytes(&m->digests[i]));
    send_answer(d, NULL);
}

static void ask_manifest(struct driver *d)
{
    const struct manifest_rules rules = {
        .policy = d->policy, .crds = d->crds, .hash = d->hash, .normal = &d->normal};
    struct yaml_documents documents CLEANUP(yaml_release) = {0};
    struct manifest m CLEANUP(manifest_release) = {.outcome = MANIFEST_NOT_GOVERNED};
    struct err err = {0};

    if (!yaml_read_json(field(d, 0), &documents, &err)) {
        send_err(d, &err);
        return;
    }
    if (documents.count != 1) {
        send_answer(d, "not one document");
        return;
    }
    const struct manifest_input input = {
        .object = documents.items[0].root,
        .default_namespace = buf_cstr(&d->fields[1]),
    };

    if (manifest_read(&rules, &input, &m, &err))
        send_manifest(d, &m);
    else
        send_err(d, &err);
}

/* As decide() does it: the version joins the digest of a kind with a conversion (N12). */
static void ask_review(struct driver *d)
{
    struct review *rv = d->review;
    struct digest digest;
    struct err err = {0};

    if (!review_read(rv, field(d, 0), d->set, &err) || !rv->object.present) {
        send_answer(d, err.message[0] == '\0' ? "no object" : err.message);
        return;
    }
    const struct identity id = {rv->group, rv->kind, rv->namespace, rv->name};
    const bool versioned = rv->kind_known && rv->rules_kind.conversion;

    normal_digest(&rv->object.normal, &id, versioned ? rv->version : (struct bytes){0}, d->hash,
                  &digest);
    add_field(d, digest_bytes(&digest));
    if (rv->old_object.present)
        add_field(d, normal_equal(&rv->object.normal, &rv->old_object.normal) ? BYTES("=")
                                                                              : BYTES("!"));
    send_answer(d, NULL);
}

static void ask_documents(struct driver *d, bool json)
{
    struct yaml_documents documents CLEANUP(yaml_release) = {0};
    struct err err = {0};
    struct jread r;

    if (!(json ? yaml_read_json(field(d, 0), &documents, &err)
               : yaml_read(field(d, 0), &documents, &err))) {
        send_err(d, &err);
        return;
    }
    for (size_t i = 0; i < documents.count; i++) {
        if (!add_tree(d, documents.items[i].root, &r)) {
            send_answer(d, r.problem);
            return;
        }
    }
    send_answer(d, NULL);
}

static void ask_json(struct driver *d)
{
    struct jread r;

    if (add_canonical(d, field(d, 0), &r))
        send_answer(d, NULL);
    else
        send_answer(d, r.problem);
}

static void answer(struct driver *d, int letter)
{
    d->answer.len = 0;
    d->answer_count = 0;
    switch (letter) {
    case 'A':
        ask_schema(d);
        break;
    case 'M':
        ask_manifest(d);
        break;
    case 'R':
        ask_review(d);
        break;
    case 'Y':
    case 'S':
        ask_documents(d, letter == 'S');
        break;
    case 'J':
        ask_json(d);
        break;
    case 'F':
        (void)fflush(stdout);
        break;
    default:
        die("unknown letter");
    }
}

/* --- the loop --------------------------------------------------------------------------------- */

/* False at the end of the input, if it may be there. */
static bool read_exactly(void *out, size_t size)
{
    return size == 0 || fread(out, 1, size, stdin) == size;
}

static void read_field(struct buf *out)
{
    uint8_t head[4];

    if (!read_exactly(head, sizeof(head)))
        die("the input ends inside a request");
    const size_t size =
        (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | (size_t)head[3];

    if (size > MAX_FIELD_BYTES)
        die("a field is too long");
    out->len = 0;
    buf_reserve(out, size + 1);
    if (!read_exactly(out->ptr, size))
        die("the input ends inside a field");
    out->len = size;
}

static void serve(struct driver *d)
{
    for (int letter = getchar(); letter != EOF; letter = getchar()) {
        const int count = getchar();

        if (count < 0 || count > MAX_FIELDS)
            die("too many fields");
        d->field_count = (size_t)count;
        for (size_t i = 0; i < d->field_count; i++)
            read_field(&d->fields[i]);
        answer(d, letter);
    }
}

/* --- set up ----------------------------------------------------------------------------------- */

static void load_policy(struct driver *d, const char *path)
{
    struct buf text CLEANUP(buf_release) = {0};
    struct err err = {0};

    if (!file_read(path, POLICY_MAX_BYTES, &text, &err) ||
        !policy_load_text(buf_bytes(&text), &d->policy, &err))
        die(err.message);
}

/* A set without entries: what a request is told of each kind. */
static void make_set(struct driver *d)
{
    CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
    struct digest none = {{0}};
    struct err err = {0};

    setwriter_rules(w, &none);
    setwriter_policy(w, BYTES("{}"));
    setwriter_provenance(w, BYTES("{}"));
    for (size_t i = 0; i < crds_count(d->crds); i++)
        setwriter_kind(w, schema_kind(crds_at(d->crds, i)));
    if (!setwriter_finish(w, &d->file, &err) || !set_open_bytes(buf_bytes(&d->file), &d->set, &err))
        die(err.message);
}

static void set_up(struct driver *d, char **folders)
{
    struct err err = {0};

    d->crds = crds_new();
    d->hash = sha256_new();
    d->review = review_new();
    if (*folders == NULL)
        return;
    load_policy(d, *folders++);
    for (; *folders != NULL; folders++) {
        if (!crds_add_folder(d->crds, *folders, d->policy, &err))
            die(err.message);
    }
    make_set(d);
}

static void driver_release(struct driver *d)
{
    set_close(d->set);
    buf_release(&d->file);
    crds_free(d->crds);
    policy_free(d->policy);
    sha256_free(d->hash);
    normal_release(&d->normal);
    review_free(d->review);
    canon_release(&d->canon);
    buf_release(&d->answer);
    for (size_t i = 0; i < MAX_FIELDS; i++)
        buf_release(&d->fields[i]);
}

int main(int argc, char **argv)
{
    static struct driver d;

    (void)argc;
    set_up(&d, argv + 1);
    serve(&d);
    driver_release(&d);
    return fflush(stdout) == 0 ? 0 : 2;
}
