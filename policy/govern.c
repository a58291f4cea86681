#include "policy/govern.h"

#include <stdlib.h>

#include "base/mem.h"
#include "policy/core.h"
#include "policy/forbidden.h"

#include "base/banned.h"

static const char *const mode_names[] = {
    [MODE_ENFORCE] = "enforce", [MODE_WARN] = "warn", [MODE_AUDIT] = "audit"};

const char *mode_text(enum mode mode)
{
    return mode_names[mode];
}

void govern_release(struct govern_rule *rule)
{
    free(rule->place);
    names_release(&rule->groups);
    names_release(&rule->kinds);
    names_release(&rule->names);
    names_release(&rule->namespaces);
    projection_fields_release(&rule->fields);
    *rule = (struct govern_rule){0};
}

bool govern_covers(const struct govern_rule *rule, const struct identity *id)
{
    return names_cover(&rule->names, id->name) && names_cover(&rule->namespaces, id->namespace);
}

/* --- one rule by itself ----------------------------------------------------------------------- */

/* Kinds of the core group have no CRD: what is known of them is in policy/core.c. */
static bool check_core(const struct field *field, const struct govern_rule *rule, struct bytes kind,
                       struct err *err)
{
    struct kind core;

    if (!core_kind((struct bytes){0}, kind, &core)) {
        (void)err_set(err, "%.*s is none of the core kinds that can be governed: %s",
                      BYTES_FMT(kind), core_kinds_text());
        return err_at(err, "%s.kinds", field->path);
    }
    if (!core_kind_is_whole(kind) && rule->fields.count == 0) {
        (void)err_set(err, "of a %.*s only labels and annotations count: name them in fields",
                      BYTES_FMT(kind));
        return err_at(err, "%s", field->path);
    }
    if (!core.namespaced && rule->namespaces.count > 0) {
        (void)err_set(err, "a %.*s is in no namespace: use names", BYTES_FMT(kind));
        return err_at(err, "%s.namespaces", field->path);
    }
    return true;
}

static bool check_kind(const struct field *field, const struct govern_rule *rule,
                       struct bytes group, struct bytes kind, struct err *err)
{
    const char *why = forbidden_kind(group, kind);

    if (why != NULL) {
        (void)err_set(err, "%.*s of group \"%.*s\" cannot be governed: %s", BYTES_FMT(kind),
                      BYTES_FMT(group), why);
        return err_at(err, "%s.kinds", field->path);
    }
    if (group.len == 0)
        return check_core(field, rule, kind, err);
    if (rule->fields.count > 0) {
        (void)err_set(err, "fields are for core kinds; a %.*s of group \"%.*s\" counts as a whole",
                      BYTES_FMT(kind), BYTES_FMT(group));
        return err_at(err, "%s.fields", field->path);
    }
    return true;
}

static bool check_kinds(const struct field *field, const struct govern_rule *rule, struct err *err)
{
    for (size_t k = 0; k < rule->kinds.count; k++) {
        if (bytes_contains(rule->kinds.items[k], BYTES("*")) && rule->kinds.items[k].len > 1)
            return field_refuse(field, err, "kinds are whole names, or \"*\" alone");
    }
    for (size_t g = 0; g < rule->groups.count; g++) {
        for (size_t k = 0; k < rule->kinds.count; k++) {
            if (!check_kind(field, rule, rule->groups.items[g], rule->kinds.items[k], err))
                return false;
        }
    }
    return true;
}

static bool read_namespaces(const struct field *field, struct names *out, size_t *total,
                            struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "only"))
            ok = names_read(&member, out, total, err);
        else
            ok = field_unknown(&member, err);
    }
    return ok;
}

static bool read_member(const struct field *member, struct govern_rule *out, size_t *total,
                        bool *has_mode, struct err *err)
{
    unsigned mode = 0;

    if (field_is(member, "groups"))
        return names_read(member, &out->groups, total, err);
    if (field_is(member, "kinds"))
        return names_read(member, &out->kinds, total, err);
    if (field_is(member, "names"))
        return names_read(member, &out->names, total, err);
    if (field_is(member, "namespaces"))
        return read_namespaces(member, &out->namespaces, total, err);
    if (field_is(member, "fields"))
        return projection_fields_read(member, &out->fields, total, err);
    if (!field_is(member, "mode"))
        return field_unknown(member, err);
    if (!field_choice(member, mode_names, COUNT(mode_names), &mode, err))
        return false;
    *has_mode = true;
    out->mode = (enum mode)mode;
    return true;
}

bool govern_read(const struct field *field, struct govern_rule *out, struct govern_totals *totals,
                 struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool has_mode = false;

    out->place = xstrdup(field->path);
    if (!field_map(field, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        if (!read_member(&member, out, &totals->names, &has_mode, err))
            return false;
    }
    if (out->groups.count == 0 || out->kinds.count == 0 || !has_mode)
        return field_refuse(field, err, "a rule needs groups, kinds and mode");
    totals->pairs += out->groups.count * out->kinds.count;
    if (totals->pairs > GOVERN_MAX_PAIRS)
        return field_refuse(field, err, "more than 20000 pairs of group and kind in one policy");
    return check_kinds(field, out, err);
}

/* --- the rules with each other ---------------------------------------------------------------- */

static bool rules_meet(const struct govern_rule *a, const struct govern_rule *b)
{
    return names_meet(&a->groups, &b->groups) && names_meet(&a->kinds, &b->kinds) &&
           names_meet(&a->names, &b->names) && names_meet(&a->namespaces, &b->namespaces);
}

bool govern_check(const struct govern_rule *rules, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct govern_rule *a = &rules[i];
        size_t with_fields = a->fields.count > 0;

        for (size_t k = 0; k < i; k++) {
            const struct govern_rule *b = &rules[k];

            if (!rules_meet(a, b))
                continue;
            if (a->mode != b->mode) {
                (void)err_set(err,
                              "rules %s (%s) and %s (%s) can meet in one object; give them one "
                              "mode or narrow them",
                              b->place, mode_names[b->mode], a->place, mode_names[a->mode]);
                return err_at(err, "%s.mode", a->place);
            }
            with_fields += a->fields.count > 0 && b->fields.count > 0;
        }
        if (with_fields <= PROJECTION_MAX_RULES)
            continue;
        (void)err_set(err, "more than %d rules with fields can meet in one object; join some",
                      PROJECTION_MAX_RULES);
        return err_at(err, "%s.fields", a->place);
    }
    return true;
}
