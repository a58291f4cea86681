/*
 * projection.h -- an object seen through the fields that a policy names (N25, N31): which of its
 * labels and annotations count, what they are worth, and the digest of that.
 *
 * Works on the canonical bytes of metadata (struct normal's `meta`), on both sides. A form is
 * canonical too: M{path text: value}, such as {"metadata.labels.istio-injection": "enabled"}, in
 * the order of the path texts and so whatever the order in the policy. A field of which only the
 * existence counts has the value `true`. What is absent from Git has the empty form.
 */
#ifndef POLICY_PROJECTION_H
#define POLICY_PROJECTION_H

#include "base/digest.h"
#include "policy/canon.h"
#include "policy/identity.h"
#include "policy/names.h"

enum { PROJECTION_MAX_RULES = 16 }; /* with fields, that may meet in one object */

enum projection_map { PROJECTION_ANNOTATIONS, PROJECTION_LABELS, PROJECTION_MAPS };

struct projection_field {
    enum projection_map map;
    struct bytes key;   /* a pattern; owned */
    bool exists;        /* the value does not count */
    struct names allow; /* values that pass where Git does not have the field */
};

/* The fields of one rule. The zero value has none. */
struct projection_fields {
    struct projection_field *items;
    size_t count;
};

/*
 * Reads the list `fields` of a rule: {path, allow | exists} each. `*total` counts as in names_read.
 * What was read before an error is in `out`: release it in either case.
 */
MUST_USE bool projection_fields_read(const struct field *field, struct projection_fields *out,
                                     size_t *total, struct err *err);
void projection_fields_release(struct projection_fields *fields);

/* The fields that count of one object: those of all rules that govern it, borrowed from them. */
struct projection {
    const struct projection_fields *rules[PROJECTION_MAX_RULES];
    size_t count; /* 0: the object counts as a whole */
};

/* How a key counts: not at all, by its existence, or by its value if some field says so. */
enum projection_use { PROJECTION_IGNORED, PROJECTION_EXISTENCE, PROJECTION_VALUE };
enum projection_use projection_use(const struct projection *p, enum projection_map map,
                                   struct bytes key);

/* Appends the form of an object with this metadata. */
void projection_write(const struct projection *p, struct bytes meta, struct buf *out);

/*
 * The same without what passes without Git: fields with an allowed value that Git's form does not
 * have. Where Git has the field, Git's value is the only one.
 */
void projection_write_judged(const struct projection *p, struct bytes meta, struct bytes git_form,
                             struct buf *out);

bool projection_is_empty(struct bytes form);

/* SHA-256("meshproj/1\0" || S group || S kind || S namespace || S name || form). */
void projection_digest(struct bytes form, const struct identity *id, struct sha256 *hash,
                       struct digest *out);

/* Where two forms differ first; a side that lacks the path has no bytes. False: they are equal. */
struct projection_diff {
    struct bytes path;
    struct bytes left; /* canonical values */
    struct bytes right;
};
bool projection_diff(struct bytes left, struct bytes right, struct projection_diff *out);

#endif
