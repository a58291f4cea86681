#include "policy/policy.h"

#include <assert.h>
#include <stdlib.h>

#include "policy/govern.h"

#include "base/banned.h"

struct status_rule {
    struct names groups; /* empty: any governed group */
    struct names kinds;
    struct names users;
};

/* A group and kind (or "*") that a rule names. */
struct target {
    struct bytes group;
    struct bytes kind;
    size_t rule;
};

struct policy {
    struct govern_rule *rules;
    size_t rule_count;
    size_t rule_cap;
    struct status_rule *status_rules;
    size_t status_rule_count;
    enum lenience delete_unknown;
    bool enforce_dry_run;
    struct target *targets; /* sorted by group and kind; borrowed from the rules */
    size_t target_count;
    struct govern_totals totals;
};

static const char *const lenience_names[] = {
    [LENIENCE_DENY] = "deny", [LENIENCE_WARN] = "warn", [LENIENCE_ALLOW] = "allow"};
static const char *const dry_run_names[] = {"warn", "enforce"};

/* --- reading ---------------------------------------------------------------------------------- */

static bool read_status_rule(struct policy *p, const struct field *field, struct status_rule *rule,
                             struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "groups"))
            ok = names_read(&member, &rule->groups, &p->totals.names, err);
        else if (field_is(&member, "kinds"))
            ok = names_read(&member, &rule->kinds, &p->totals.names, err);
        else if (field_is(&member, "users"))
            ok = names_read(&member, &rule->users, &p->totals.names, err);
        else
            ok = field_unknown(&member, err);
    }
    if (!ok)
        return false;
    if (rule->kinds.count == 0 || rule->users.count == 0)
        return field_refuse(field, err, "an entry needs kinds and users");
    return true;
}

static bool list_size(const struct field *field, size_t *count, struct err *err)
{
    if (!json_is_array(field->value))
        return field_refuse(field, err, "expected a list");
    *count = json_array_size(field->value);
    if (*count > POLICY_MAX_RULES)
        return field_refuse(field, err, "more than 1000 rules");
    return true;
}

static bool read_rule(struct policy *p, const struct field *field, struct err *err)
{
    if (p->rule_count == POLICY_MAX_RULES)
        return field_refuse(field, err, "more than 1000 rules");
    if (p->rule_count == p->rule_cap) {
        p->rule_cap = p->rule_cap == 0 ? 32 : 2 * p->rule_cap;
        p->rules = xrealloc(p->rules, p->rule_cap * sizeof(p->rules[0]));
    }
    p->rules[p->rule_count] = (struct govern_rule){0};
    return govern_read(field, &p->rules[p->rule_count++], &p->totals, err);
}

static bool read_rules(struct policy *p, const struct field *field, struct err *err)
{
    size_t count;

    if (!list_size(field, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct field item = field_item(field, i);

        if (!read_rule(p, &item, err))
            return false;
    }
    return true;
}

/* {include: NAME, govern: […]}: the rules are put there by whoever read the file (policy.h). */
static bool read_include(struct policy *p, const struct field *field, struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool has_rules = false;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "include")) {
            CLEANUP(freep) char *name = NULL;

            ok = field_text(&member, &name, err);
        } else if (field_is(&member, "govern")) {
            has_rules = true;
            ok = read_rules(p, &member, err);
        } else {
            ok = field_unknown(&member, err);
        }
    }
    return ok && (has_rules || field_refuse(field, err, "the rules of this include are missing"));
}

static bool read_govern(struct policy *p, const struct field *field, struct err *err)
{
    size_t count;

    if (!list_size(field, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct field item = field_item(field, i);
        const bool included = json_object_get(item.value, "include") != NULL;

        if (!(included ? read_include(p, &item, err) : read_rule(p, &item, err)))
            return false;
    }
    return true;
}

static bool read_status_writers(struct policy *p, const struct field *field, struct err *err)
{
    size_t count;

    if (!list_size(field, &count, err))
        return false;
    p->status_rules = xcalloc(count, sizeof(p->status_rules[0]));
    for (p->status_rule_count = 0; p->status_rule_count < count;) {
        const struct field item = field_item(field, p->status_rule_count);

        if (!read_status_rule(p, &item, &p->status_rules[p->status_rule_count++], err))
            return false;
    }
    return true;
}

static bool read_member(struct policy *p, const struct field *member, struct err *err)
{
    unsigned choice = 0;

    if (field_is(member, "apiVersion"))
        return field_constant(member, "meshwrit.dev/v1alpha1", err);
    if (field_is(member, "kind"))
        return field_constant(member, "Policy", err);
    if (field_is(member, "govern"))
        return read_govern(p, member, err);
    if (field_is(member, "statusWriters"))
        return read_status_writers(p, member, err);
    if (field_is(member, "deleteUnknown")) {
        const bool ok = field_choice(member, lenience_names, COUNT(lenience_names), &choice, err);

        p->delete_unknown = (enum lenience)choice;
        return ok;
    }
    if (field_is(member, "dryRun")) {
        const bool ok = field_choice(member, dry_run_names, COUNT(dry_run_names), &choice, err);

        p->enforce_dry_run = choice == 1;
        return ok;
    }
    return field_unknown(member, err);
}

static int compare_targets(const void *a, const void *b)
{
    const struct target *one = a;
    const struct target *other = b;
    int order = bytes_compare(one->group, other->group);

    if (order == 0)
        order = bytes_compare(one->kind, other->kind);
    if (order == 0)
        order = (one->rule > other->rule) - (one->rule < other->rule);
    return order;
}

static void list_targets(struct policy *p)
{
    p->targets = xcalloc(p->totals.pairs, sizeof(p->targets[0]));
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct govern_rule *rule = &p->rules[i];

        for (size_t g = 0; g < rule->groups.count; g++) {
            for (size_t k = 0; k < rule->kinds.count; k++)
                p->targets[p->target_count++] =
                    (struct target){rule->groups.items[g], rule->kinds.items[k], i};
        }
    }
    qsort(p->targets, p->target_count, sizeof(p->targets[0]), compare_targets);
}

static void policy_freep(struct policy **p)
{
    policy_free(*p);
}

bool policy_load(const json_t *document, struct policy **out, struct err *err)
{
    CLEANUP(policy_freep) struct policy *p = xcalloc(1, sizeof(*p));
    const struct field root = field_root(document);
    struct field_cursor cursor;
    struct field member;

    p->delete_unknown = LENIENCE_WARN;
    p->enforce_dry_run = true;
    if (!field_map(&root, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        if (!read_member(p, &member, err))
            return false;
    }
    if (json_object_get(document, "apiVersion") == NULL ||
        json_object_get(document, "kind") == NULL)
        return err_set(err, "apiVersion: meshwrit.dev/v1alpha1 and kind: Policy are missing");
    if (p->rule_count == 0)
        return err_set(err, "a policy without govern rules governs nothing");
    if (!govern_check(p->rules, p->rule_count, err))
        return false;
    list_targets(p);
    *out = STEAL(p);
    return true;
}

bool policy_load_text(struct bytes json, struct policy **out, struct err *err)
{
    json_error_t problem;
    json_t *document =
        json_loadb((const char *)json.ptr, json.len, JSON_REJECT_DUPLICATES, &problem);

    if (document == NULL)
        return err_set(err, "policy is not JSON: %s", problem.text);
    const bool ok = policy_load(document, out, err);

    json_decref(document);
    return ok;
}

void policy_free(struct policy *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->rule_count; i++)
        govern_release(&p->rules[i]);
    for (size_t i = 0; i < p->status_rule_count; i++) {
        names_release(&p->status_rules[i].groups);
        names_release(&p->status_rules[i].kinds);
        names_release(&p->status_rules[i].users);
    }
    free(p->rules);
    free(p->status_rules);
    free(p->targets);
    free(p);
}

void policy_text(const json_t *document, struct buf *out)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (text == NULL)
        out_of_memory();
    buf_append_str(out, text);
    free(text);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The first target that is not below (group, kind). */
static size_t lower_bound(const struct policy *p, struct bytes group, struct bytes kind)
{
    const struct target key = {group, kind, 0};
    size_t low = 0;
    size_t high = p->target_count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (compare_targets(&p->targets[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_target(const struct policy *p, size_t i, struct bytes group, struct bytes kind)
{
    return i < p->target_count && bytes_equal(p->targets[i].group, group) &&
           bytes_equal(p->targets[i].kind, kind);
}

bool policy_governs_kind(const struct policy *p, struct bytes group, struct bytes kind)
{
    return is_target(p, lower_bound(p, group, kind), group, kind) ||
           is_target(p, lower_bound(p, group, BYTES("*")), group, BYTES("*"));
}

bool policy_governs_group(const struct policy *p, struct bytes group)
{
    const size_t i = lower_bound(p, group, (struct bytes){0});

    return i < p->target_count && bytes_equal(p->targets[i].group, group);
}

/* A target of the core group: these come first. */
static bool core_target(const struct policy *p, size_t i)
{
    return i < p->target_count && p->targets[i].group.len == 0;
}

static bool names_group(const struct policy *p, struct bytes text)
{
    struct bytes last = {0};

    for (size_t i = 0; i < p->target_count; i++) {
        const struct bytes group = p->targets[i].group;

        if (group.len == 0 || bytes_equal(group, last))
            continue;
        if (bytes_contains(text, group))
            return true;
        last = group;
    }
    return false;
}

bool policy_may_be_in(const struct policy *p, struct bytes text)
{
    for (size_t i = 0; core_target(p, i); i++) {
        if (bytes_contains(text, p->targets[i].kind))
            return true;
    }
    return names_group(p, text);
}

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

/* Whether a word of the text, as long as one can be, is one of the names. */
static bool has_word(struct bytes text, const struct names *names)
{
    for (size_t i = 0; i < text.len; i++) {
        const size_t start = i;

        while (i < text.len && is_word(text.ptr[i]))
            i++;
        if (i > start && names_match(names, bytes_of(text.ptr + start, i - start)))
            return true;
    }
    return false;
}

bool policy_is_named_in(const struct policy *p, struct bytes text)
{
    for (size_t i = 0; core_target(p, i); i++) {
        if (bytes_contains(text, p->targets[i].kind) &&
            has_word(text, &p->rules[p->targets[i].rule].names))
            return true;
    }
    return names_group(p, text);
}

static bool governs_as(const struct policy *p, const struct identity *id, struct bytes kind,
                       enum mode *mode)
{
    for (size_t i = lower_bound(p, id->group, kind); is_target(p, i, id->group, kind); i++) {
        const struct govern_rule *rule = &p->rules[p->targets[i].rule];

        if (govern_covers(rule, id)) {
            *mode = rule->mode;
            return true;
        }
    }
    return false;
}

bool policy_governs(const struct policy *p, const struct identity *id, enum mode *mode)
{
    return governs_as(p, id, id->kind, mode) || governs_as(p, id, BYTES("*"), mode);
}

void policy_projection(const struct policy *p, const struct identity *id, struct projection *out)
{
    *out = (struct projection){0};
    if (id->group.len > 0)
        return; /* fields are for core kinds (policy/govern.c) */
    for (size_t i = lower_bound(p, id->group, id->kind); is_target(p, i, id->group, id->kind);
         i++) {
        const struct govern_rule *rule = &p->rules[p->targets[i].rule];

        if (!govern_covers(rule, id))
            continue;
        if (rule->fields.count == 0) {
            out->count = 0;
            return;
        }
        assert(out->count < PROJECTION_MAX_RULES); /* govern_check */
        out->rules[out->count++] = &rule->fields;
    }
}

static bool status_rule_of(const struct status_rule *rule, struct bytes group, struct bytes kind)
{
    return names_cover(&rule->groups, group) && names_match(&rule->kinds, kind);
}

bool policy_has_status_writers(const struct policy *p, struct bytes group, struct bytes kind)
{
    for (size_t i = 0; i < p->status_rule_count; i++) {
        if (status_rule_of(&p->status_rules[i], group, kind))
            return true;
    }
    return false;
}

bool policy_is_status_writer(const struct policy *p, struct bytes group, struct bytes kind,
                             struct bytes user)
{
    for (size_t i = 0; i < p->status_rule_count; i++) {
        if (status_rule_of(&p->status_rules[i], group, kind) &&
            names_match(&p->status_rules[i].users, user))
            return true;
    }
    return false;
}

enum lenience policy_delete_unknown(const struct policy *p)
{
    return p->delete_unknown;
}

bool policy_enforces_dry_run(const struct policy *p)
{
    return p->enforce_dry_run;
}

void policy_each_kind(const struct policy *p, policy_kind *visit, void *context)
{
    for (size_t i = 0; i < p->target_count; i++) {
        const struct target *t = &p->targets[i];

        if (bytes_contains(t->kind, BYTES("*")) ||
            (i > 0 && is_target(p, i - 1, t->group, t->kind)))
            continue;
        visit(context, t->group, t->kind);
    }
}
