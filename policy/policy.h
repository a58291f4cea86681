/*
 * policy.h -- what is governed, and how strictly: compiled from the policy document (design.md
 * section 8), which the set carries as JSON.
 *
 * Immutable after loading; any number of threads may read one. Owns its strings.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "policy/govern.h"
#include "policy/identity.h"

enum {
    POLICY_MAX_BYTES = 1 << 20,
    POLICY_MAX_RULES = 1000, /* included ones too */
};

/* What to do where design.md says `allow | warn | deny`; deny is the zero value. */
enum lenience { LENIENCE_DENY, LENIENCE_WARN, LENIENCE_ALLOW };

struct policy;

/*
 * Compiles a policy document. Strict: an unknown key, a wrong type, a kind that cannot be governed
 * or rules of different mode that can meet in one object are errors; err->path names the field.
 * Nothing of `document` is kept.
 *
 * `govern` may have an item {include: NAME, govern: [rules]}. In a file it is `- include: NAME`
 * alone; who reads the file adds the rules of the built-in policy of that name, so that a set says
 * all that it was made by.
 */
MUST_USE bool policy_load(const json_t *document, struct policy **out, struct err *err);

/* The same from the JSON text that a set carries. */
MUST_USE bool policy_load_text(struct bytes json, struct policy **out, struct err *err);
void policy_free(struct policy *p); /* NULL is fine */

/* The document as the set carries it: compact JSON with sorted keys. */
void policy_text(const json_t *document, struct buf *out);

/* Whether some object of this kind can be governed. */
bool policy_governs_kind(const struct policy *p, struct bytes group, struct bytes kind);

/* Whether a kind of this group is governed. */
bool policy_governs_group(const struct policy *p, struct bytes group);

/*
 * Whether the text contains the name of a governed group other than the core group, or a core kind
 * and the name of an object that a rule governs by name (N7): a file that cannot be read must not
 * contain any.
 */
bool policy_is_named_in(const struct policy *p, struct bytes text);

/* Whether a file with this text could hold a governed object at all: the others need no reading. */
bool policy_may_be_in(const struct policy *p, struct bytes text);

/* Whether this object is, and in which mode. */
bool policy_governs(const struct policy *p, const struct identity *id, enum mode *mode);

/*
 * Which fields of this object count: those of all rules that govern it; count 0 if one of them (or
 * none) takes the object as a whole. Borrowed from the policy.
 */
void policy_projection(const struct policy *p, const struct identity *id, struct projection *out);

/* Whether the kind has `statusWriters`, and whether `user` is one of them. */
bool policy_has_status_writers(const struct policy *p, struct bytes group, struct bytes kind);
bool policy_is_status_writer(const struct policy *p, struct bytes group, struct bytes kind,
                             struct bytes user);

enum lenience policy_delete_unknown(const struct policy *p);
bool policy_enforces_dry_run(const struct policy *p); /* false: dry runs are only warned */

/* Calls `visit` for each governed (group, kind) that is named, in order; "*" names none. */
typedef void policy_kind(void *context, struct bytes group, struct bytes kind);
void policy_each_kind(const struct policy *p, policy_kind *visit, void *context);

#endif
