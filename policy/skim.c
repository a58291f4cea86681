#include "policy/skim.h"

#include "base/banned.h"

/* A map or a list that is open. */
struct level {
    bool is_list;
    bool has_key;
    uint64_t prefix;  /* of the last key … */
    struct bytes key; /* … which is as it is written */
};

/*
 * The byte behind the string that begins at `p`, or NULL if it is not one in which each character
 * has only one way to be written: no other escapes than \" and \\, nothing that is not ASCII. Of
 * two such strings the texts differ exactly if what they stand for does.
 */
ALWAYS_INLINE const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (p = plain_run(p, end); p < end && *p == '\\'; p = plain_run(p + 2, end)) {
        if (end - p < 2 || (p[1] != '"' && p[1] != '\\'))
            return NULL;
    }
    return p < end && *p == '"' ? p + 1 : NULL;
}

/* A key at `p` that comes behind the one before it, and its colon; NULL: not so. */
ALWAYS_INLINE const uint8_t *next_key(struct level *level, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *const behind = p < end && *p == '"' ? string_end(p + 1, end) : NULL;

    if (behind == NULL || behind == end || *behind != ':' ||
        (size_t)(end - p) < 1 + sizeof(level->prefix))
        return NULL;
    const struct bytes key = bytes_of(p + 1, (size_t)(behind - p) - 2);
    const uint64_t prefix = bytes_prefix(key);

    if (level->has_key && (prefix < level->prefix ||
                           (prefix == level->prefix && bytes_compare(level->key, key) >= 0)))
        return NULL;
    level->has_key = true;
    level->prefix = prefix;
    level->key = key;
    return behind + 1;
}

/* What is no string, map or list. */
static bool skim_other(struct jread *r)
{
    struct jread_number number;
    const enum jread_type type = (enum jread_type)jread_types[*r->at];

    if (type == JREAD_DIGITS)
        return jread_number(r, &number);
    return (type == JREAD_YES || type == JREAD_NO || type == JREAD_NIL) && jread_literal(r, type);
}

/* One scalar, or the bracket that opens a map or a list; the place behind it, or NULL. */
ALWAYS_INLINE const uint8_t *skim_one(struct jread *r, const uint8_t *p, struct level **top)
{
    const uint8_t *const end = r->end;

    if (p == end)
        return NULL;
    if (*p == '"')
        return jread_count_value(r) ? string_end(p + 1, end) : NULL;
    if (*p == '{' || *p == '[') {
        if (r->depth == JREAD_MAX_DEPTH || !jread_count_value(r))
            return NULL;
        r->depth++;
        (++*top)->is_list = *p == '[';
        (*top)->has_key = false;
        return p + 1;
    }
    r->at = p;
    return skim_other(r) ? r->at : NULL;
}

/* The value at r->at, of a text without white space; the place behind it, or NULL. */
static const uint8_t *skim(struct jread *r)
{
    struct level levels[JREAD_MAX_DEPTH + 1];
    struct level *top = levels;
    const uint8_t *const end = r->end;
    const uint8_t *p = r->at;

    for (;;) {
        const struct level *const before = top;

        p = skim_one(r, p, &top);
        if (p == NULL)
            return NULL;
        bool first = top > before;

        for (; top > levels && p < end && *p == (top->is_list ? ']' : '}'); p++, first = false) {
            r->depth--;
            top--;
        }
        if (top == levels)
            return p;
        if (!first && (p == end || *p++ != ','))
            return NULL;
        if (!top->is_list)
            p = next_key(top, p, end);
        if (p == NULL)
            return NULL;
    }
}

bool skim_value(struct jread *r)
{
    const struct jread mark = *r;
    const uint8_t *const behind = skim(r);

    if (behind == NULL) {
        *r = mark;
        return false;
    }
    r->at = behind;
    return true;
}
