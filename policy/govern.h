/*
 * govern.h -- one rule of `govern`: which objects, how strictly, and which of their fields.
 *
 * Made and asked by policy/policy.c. A rule owns its strings.
 */
#ifndef POLICY_GOVERN_H
#define POLICY_GOVERN_H

#include "policy/identity.h"
#include "policy/projection.h"

/* Enforce is the zero value: what nobody set is enforced. */
enum mode { MODE_ENFORCE, MODE_WARN, MODE_AUDIT };

/* Of a policy, all lists together. */
struct govern_totals {
    size_t names; /* as in names_read */
    size_t pairs; /* of group and kind: names alone do not bound these */
};

enum { GOVERN_MAX_PAIRS = 20000 };

const char *mode_text(enum mode mode);

struct govern_rule {
    char *place; /* in the document: govern[2], govern[0].govern[7] */
    struct names groups;
    struct names kinds; /* "*" alone: every kind of the group */
    struct names names;
    struct names namespaces; /* namespaces.only; empty: all */
    struct projection_fields fields;
    enum mode mode;
};

/*
 * Reads a rule and checks it by itself: kinds that cannot be governed, core kinds without fields.
 * Adds to `totals`, which are bounded. Release it in either case.
 */
MUST_USE bool govern_read(const struct field *field, struct govern_rule *out,
                          struct govern_totals *totals, struct err *err);
void govern_release(struct govern_rule *rule);

/*
 * Checks the rules with each other: no two of different mode, and no more than PROJECTION_MAX_RULES
 * with fields, may meet in one object.
 */
MUST_USE bool govern_check(const struct govern_rule *rules, size_t count, struct err *err);

/* Whether the rule takes an object of this name and namespace, given that the kind is its own. */
bool govern_covers(const struct govern_rule *rule, const struct identity *id);

#endif
