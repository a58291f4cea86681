#include "policy/policy.h"

#include <stdlib.h>

#include "policy/fields.h"
#include "policy/forbidden.h"
#include "policy/pattern.h"

#include "base/banned.h"

struct names {
    struct bytes *items; /* each owned */
    size_t count;
};

struct govern_rule {
    struct names groups;
    struct names kinds; /* "*" alone: every kind of the group */
    struct names names;
    struct names namespaces; /* namespaces.only; empty: all */
    enum mode mode;
};

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
    struct status_rule *status_rules;
    size_t status_rule_count;
    enum lenience delete_unknown;
    bool enforce_dry_run;
    struct target *targets; /* sorted by group and kind; borrowed from the rules */
    size_t target_count;    /* while it is read: how many there will be */
    size_t name_count;
};

static const char *const mode_names[] = {
    [MODE_ENFORCE] = "enforce", [MODE_WARN] = "warn", [MODE_AUDIT] = "audit"};
static const char *const lenience_names[] = {
    [LENIENCE_DENY] = "deny", [LENIENCE_WARN] = "warn", [LENIENCE_ALLOW] = "allow"};
static const char *const dry_run_names[] = {"warn", "enforce"};

const char *mode_text(enum mode mode)
{
    return mode_names[mode];
}

/* --- lists of names --------------------------------------------------------------------------- */

static void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free((void *)(uintptr_t)names->items[i].ptr);
    free(names->items);
    *names = (struct names){0};
}

static bool names_match(const struct names *names, struct bytes text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (pattern_match(names->items[i], text))
            return true;
    }
    return false;
}

/* Whether some text could match both: equal, or one a pattern that matches the other. */
static bool names_meet(const struct names *a, const struct names *b)
{
    if (a->count == 0 || b->count == 0)
        return true;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (pattern_match(a->items[i], b->items[k]) || pattern_match(b->items[k], a->items[i]))
                return true;
        }
    }
    return false;
}

static bool read_names(struct policy *p, const struct field *field, struct names *out,
                       struct err *err)
{
    if (!json_is_array(field->value) || json_array_size(field->value) == 0)
        return field_refuse(field, err, "expected a list of names that is not empty");
    const size_t count = json_array_size(field->value);

    p->name_count += count;
    if (p->name_count > POLICY_MAX_NAMES)
        return field_refuse(field, err, "more than 10000 names in one policy");
    out->items = xcalloc(count, sizeof(out->items[0]));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(field->value, i);

        if (!json_is_string(item)) {
            (void)field_refuse(field, err, "expected a string");
            return err_at(err, "%s[%zu]", field->path, i);
        }
        const size_t len = json_string_length(item);

        out->items[out->count++] = bytes_of(xstrndup(json_string_value(item), len), len);
    }
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool has_star(struct bytes name)
{
    return bytes_contains(name, BYTES("*"));
}

static bool check_governable(const struct field *field, const struct govern_rule *rule,
                             struct err *err)
{
    for (size_t k = 0; k < rule->kinds.count; k++) {
        if (has_star(rule->kinds.items[k]) && rule->kinds.items[k].len > 1)
            return field_refuse(field, err, "kinds are whole names, or \"*\" alone");
    }
    for (size_t g = 0; g < rule->groups.count; g++) {
        for (size_t k = 0; k < rule->kinds.count; k++) {
            const struct bytes group = rule->groups.items[g];
            const struct bytes kind = rule->kinds.items[k];
            const char *why = forbidden_kind(group, kind);

            if (why == NULL)
                continue;
            (void)err_set(err, "%.*s of group \"%.*s\" cannot be governed: %s", BYTES_FMT(kind),
                          BYTES_FMT(group), why);
            return err_at(err, "%s.kinds", field->path);
        }
    }
    return true;
}

static bool read_namespaces(struct policy *p, const struct field *field, struct names *out,
                            struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "only"))
            ok = read_names(p, &member, out, err);
        else
            ok = field_unknown(&member, err);
    }
    return ok;
}

static bool read_govern_rule(struct policy *p, const struct field *field, struct govern_rule *rule,
                             struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool has_mode = false;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "groups")) {
            ok = read_names(p, &member, &rule->groups, err);
        } else if (field_is(&member, "kinds")) {
            ok = read_names(p, &member, &rule->kinds, err);
        } else if (field_is(&member, "names")) {
            ok = read_names(p, &member, &rule->names, err);
        } else if (field_is(&member, "namespaces")) {
            ok = read_namespaces(p, &member, &rule->namespaces, err);
        } else if (field_is(&member, "mode")) {
            unsigned mode = 0;

            has_mode = true;
            ok = field_choice(&member, mode_names, COUNT(mode_names), &mode, err);
            rule->mode = (enum mode)mode;
        } else {
            ok = field_unknown(&member, err);
        }
    }
    if (!ok)
        return false;
    if (rule->groups.count == 0 || rule->kinds.count == 0 || !has_mode)
        return field_refuse(field, err, "a rule needs groups, kinds and mode");
    p->target_count += rule->groups.count * rule->kinds.count;
    if (p->target_count > POLICY_MAX_TARGETS)
        return field_refuse(field, err, "more than 20000 pairs of group and kind in one policy");
    return check_governable(field, rule, err);
}

static bool read_status_rule(struct policy *p, const struct field *field, struct status_rule *rule,
                             struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "groups"))
            ok = read_names(p, &member, &rule->groups, err);
        else if (field_is(&member, "kinds"))
            ok = read_names(p, &member, &rule->kinds, err);
        else if (field_is(&member, "users"))
            ok = read_names(p, &member, &rule->users, err);
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

static bool read_govern(struct policy *p, const struct field *field, struct err *err)
{
    size_t count;

    if (!list_size(field, &count, err))
        return false;
    p->rules = xcalloc(count, sizeof(p->rules[0]));
    for (p->rule_count = 0; p->rule_count < count;) {
        const struct field item = field_item(field, p->rule_count);

        if (!read_govern_rule(p, &item, &p->rules[p->rule_count++], err))
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

static bool check_overlap(const struct policy *p, struct err *err)
{
    for (size_t i = 0; i < p->rule_count; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct govern_rule *a = &p->rules[i];
            const struct govern_rule *b = &p->rules[k];

            if (a->mode == b->mode || !names_meet(&a->groups, &b->groups) ||
                !names_meet(&a->kinds, &b->kinds) || !names_meet(&a->names, &b->names) ||
                !names_meet(&a->namespaces, &b->namespaces))
                continue;
            (void)err_set(err,
                          "rules govern[%zu] (%s) and govern[%zu] (%s) can meet in one object; "
                          "give them one mode or narrow them",
                          k, mode_names[b->mode], i, mode_names[a->mode]);
            return err_at(err, "govern[%zu].mode", i);
        }
    }
    return true;
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
    p->targets = xcalloc(p->target_count, sizeof(p->targets[0]));
    p->target_count = 0;
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
    if (!check_overlap(p, err))
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
    for (size_t i = 0; i < p->rule_count; i++) {
        names_release(&p->rules[i].groups);
        names_release(&p->rules[i].kinds);
        names_release(&p->rules[i].names);
        names_release(&p->rules[i].namespaces);
    }
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

bool policy_is_named_in(const struct policy *p, struct bytes text)
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

static bool covers(const struct names *names, struct bytes text)
{
    return names->count == 0 || names_match(names, text);
}

static bool governs_as(const struct policy *p, const struct identity *id, struct bytes kind,
                       enum mode *mode)
{
    for (size_t i = lower_bound(p, id->group, kind); is_target(p, i, id->group, kind); i++) {
        const struct govern_rule *rule = &p->rules[p->targets[i].rule];

        if (covers(&rule->names, id->name) && covers(&rule->namespaces, id->namespace)) {
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

static bool status_rule_of(const struct status_rule *rule, struct bytes group, struct bytes kind)
{
    return covers(&rule->groups, group) && names_match(&rule->kinds, kind);
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

        if (has_star(t->kind) || (i > 0 && is_target(p, i - 1, t->group, t->kind)))
            continue;
        visit(context, t->group, t->kind);
    }
}
