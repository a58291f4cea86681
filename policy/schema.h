/*
 * schema.h -- the structural schemas of a CustomResourceDefinition and what the API server does
 * with them when it decodes an object: prune, drop nulls, default (N12 to N14).
 *
 * Git side only; the request side never prunes or defaults. Objects are jansson trees and are
 * changed in place. Not shared between threads.
 */
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H

#include <jansson.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "policy/kind.h"

enum {
    SCHEMA_MAX_DEPTH = 100,
    SCHEMA_MAX_NODES = 200000, /* schema nodes in one CRD, all versions together */
};

struct schema; /* one CRD, compiled: all its versions */

/*
 * Compiles a v1 CustomResourceDefinition (json_t object with apiVersion apiextensions.k8s.io/v1).
 * Fails (err->path names the field) on what is not one, not structural, or over a limit.
 * On success *out is the caller's, free with schema_free(). Nothing of `crd` is kept.
 */
MUST_USE bool schema_compile(const json_t *crd, struct schema **out, struct err *err);
void schema_free(struct schema *s); /* NULL is fine */

/* What the set records of it; the bytes are borrowed from the schema. `nulls` is encoded (nulls.h).
 */
const struct kind *schema_kind(const struct schema *s);

/*
 * SHA-256 over the compiled form: group, names, scope, conversion, and for each version its flags
 * and what pruning and defaulting look at. Descriptions, validations and what the API server fills
 * into a CRD do not count: a copy from the cluster has the digest of the file it came from.
 */
const struct digest *schema_digest(const struct schema *s);

/* Called with the path of each field that pruning removed: "spec.foo[2].bar". */
typedef void schema_pruned(void *context, const char *path);

/*
 * What the API server makes of `object` when a client sends it in `version`: prune, null-drop,
 * default, in this order, in place; apiVersion, kind and metadata at the root are not touched (N16
 * is the caller's). False if the version is unknown, if the object is nested deeper than
 * SCHEMA_MAX_DEPTH where the schema looks, or if the metadata of an x-kubernetes-embedded-resource
 * has anything that the API server may rewrite; the object is then half changed.
 */
MUST_USE bool schema_apply(const struct schema *s, struct bytes version, json_t *object,
                           schema_pruned *pruned, void *context, struct err *err);

/*
 * The accept set of N12 for an object that was written in `version`.
 * `written` is what the Git file says (not changed). On success:
 *   - forms[0] is T_v, further forms are the other T_w with the round trip proven and a schema of
 *     their own: a served version whose schema makes the same form as another's has none. `version`
 *     of each is set (borrowed from the schema), apiVersion in each is that version's. N15 is done
 *     on them, and what N17 takes from a form of their version;
 *   - `storage` is M (the form in the storage version): its digest is the primary one. With a
 *     conversion other than None only T_v is there, and `storage` is T_v in its own version: what
 *     the conversion makes of it cannot be known;
 *   - the trees may share values with each other, which are therefore not to be changed;
 *   - the caller frees with schema_forms_release().
 * `pruned` is called for what pruning removed while making T_v (the document is then refused, N13).
 * Fails as schema_apply does, and for a version that is not served.
 */
struct schema_form {
    struct bytes version;
    json_t *object;
};

struct schema_forms {
    struct schema_form forms[KIND_MAX_VERSIONS];
    size_t count;
    struct schema_form storage;
};

MUST_USE bool schema_forms(const struct schema *s, struct bytes version, const json_t *written,
                           struct schema_forms *out, schema_pruned *pruned, void *context,
                           struct err *err);
void schema_forms_release(struct schema_forms *forms);

#endif
