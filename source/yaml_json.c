/* `.json` files: the strict reader's values as a jansson tree, with the refusals of YAML files. */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "policy/jread.h"
#include "source/yaml.h"
#include "source/yaml_text.h"

#include "base/banned.h"

struct json_source {
    struct jread reader;
    struct bytes text;
    struct buf scratch; /* decoded strings, one at a time */
};

static json_t *made(json_t *node)
{
    if (node == NULL)
        out_of_memory();
    return node;
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool read_text(struct json_source *s, struct bytes *out)
{
    s->scratch.len = 0;
    if (!jread_string_append(&s->reader, &s->scratch))
        return false;
    *out = bytes_of(buf_cstr(&s->scratch), s->scratch.len);
    const char *problem = yaml_text_problem(*out);

    return problem == NULL || jread_fail(&s->reader, problem);
}

/* N8: no number whose digits a tool would change. */
static json_t *read_number(struct json_source *s)
{
    const double two_to_63 = 9223372036854775808.0;
    const uint8_t *start = s->reader.at;
    struct jread_number number;
    bool integer = true;

    if (!jread_number(&s->reader, &number))
        return NULL;
    if (number.is_integer)
        return made(json_integer(number.integer));
    for (const uint8_t *p = start; p < s->reader.at; p++)
        if (*p == '.' || *p == 'e' || *p == 'E')
            integer = false;
    if (integer) {
        (void)jread_fail(&s->reader, "an integer that does not fit 64 bits, and tools change its "
                                     "digits; write it as a string if text is allowed there");
        return NULL;
    }
    if (trunc(number.real) == number.real && fabs(number.real) < two_to_63) {
        (void)jread_fail(&s->reader, "a whole number too large to be exact as a float; write all "
                                     "its digits");
        return NULL;
    }
    return made(json_real(number.real));
}

static json_t *read_literal(struct json_source *s, enum jread_type type)
{
    if (!jread_literal(&s->reader, type))
        return NULL;
    return type == JREAD_NIL ? json_null() : json_boolean(type == JREAD_YES);
}

/* --- maps and lists --------------------------------------------------------------------------- */

static json_t *read_value(struct json_source *s);

/* NOLINTNEXTLINE(misc-no-recursion): through read_value, JREAD_MAX_DEPTH */
static json_t *read_list(struct json_source *s)
{
    json_auto_t *list = made(json_array());

    if (!jread_enter(&s->reader, JREAD_LIST))
        return NULL;
    for (bool first = true; jread_next(&s->reader, JREAD_LIST, &first);) {
        json_t *item = read_value(s);

        if (item == NULL)
            return NULL;
        if (json_array_append_new(list, item) != 0)
            out_of_memory();
    }
    return s->reader.problem != NULL ? NULL : STEAL(list);
}

static char *read_key(struct json_source *s, const json_t *map)
{
    struct bytes text;

    (void)jread_peek(&s->reader);
    const uint8_t *start = s->reader.at;

    if (!read_text(s, &text))
        return NULL;
    if (json_object_get(map, (const char *)text.ptr) != NULL) {
        s->reader.at = start;
        (void)jread_fail(&s->reader, "this key is in this object already; keep one of them");
        return NULL;
    }
    if (bytes_equal(text, BYTES("<<"))) {
        (void)jread_fail(&s->reader, "some tools take the key \"<<\" for a merge key; use another");
        return NULL;
    }
    if (!jread_colon(&s->reader))
        return NULL;
    return xstrndup((const char *)text.ptr, text.len);
}

/* NOLINTNEXTLINE(misc-no-recursion): through read_value, JREAD_MAX_DEPTH */
static json_t *read_map(struct json_source *s)
{
    json_auto_t *map = made(json_object());

    if (!jread_enter(&s->reader, JREAD_MAP))
        return NULL;
    for (bool first = true; jread_next(&s->reader, JREAD_MAP, &first);) {
        CLEANUP(freep) char *key = read_key(s, map);
        json_t *value = key == NULL ? NULL : read_value(s);

        if (value == NULL)
            return NULL;
        if (json_object_set_new_nocheck(map, key, value) != 0)
            out_of_memory();
    }
    return s->reader.problem != NULL ? NULL : STEAL(map);
}

/* NULL: the reader has a problem. */
/* NOLINTNEXTLINE(misc-no-recursion): at most JREAD_MAX_DEPTH deep, which jread_enter holds */
static json_t *read_value(struct json_source *s)
{
    const enum jread_type type = jread_peek(&s->reader);
    struct bytes text;

    switch (type) {
    case JREAD_MAP:
        return read_map(s);
    case JREAD_LIST:
        return read_list(s);
    case JREAD_TEXT:
        return read_text(s, &text) ? made(json_stringn_nocheck((const char *)text.ptr, text.len))
                                   : NULL;
    case JREAD_DIGITS:
        return read_number(s);
    case JREAD_YES:
    case JREAD_NO:
    case JREAD_NIL:
        return read_literal(s, type);
    case JREAD_NOTHING:
        break;
    }
    (void)jread_fail(&s->reader, "not a JSON value");
    return NULL;
}

/* --- the file --------------------------------------------------------------------------------- */

/* The line of `at`, counted on from an earlier place. */
struct place {
    const uint8_t *at;
    unsigned line;
};

static unsigned line_at(struct place *p, const uint8_t *at)
{
    for (; p->at < at; p->at++)
        if (*p->at == '\n')
            p->line++;
    return p->line;
}

static bool read_document(struct json_source *s, struct place *place, struct yaml_documents *list)
{
    const enum jread_type type = jread_peek(&s->reader);
    const unsigned line = line_at(place, s->reader.at);

    if (list->count == YAML_MAX_DOCUMENTS)
        return jread_fail(&s->reader, "too many documents; split the file");
    if (type != JREAD_MAP && type != JREAD_LIST)
        return jread_fail(&s->reader, "a document has to be an object or an array");
    s->reader.values = 0; /* the limit is for each document */
    json_t *root = read_value(s);

    if (root == NULL)
        return false;
    list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = (struct yaml_document){.root = root, .line = line};
    return true;
}

static bool read_stream(struct json_source *s, struct yaml_documents *list)
{
    struct place place = {s->reader.at, 1};

    for (;;) {
        (void)jread_peek(&s->reader);
        if (s->reader.at == s->reader.end)
            return true;
        if (!read_document(s, &place, list))
            return false;
    }
}

bool yaml_read_json(struct bytes text, struct yaml_documents *out, struct err *err)
{
    CLEANUP(yaml_release) struct yaml_documents list = {0};
    struct json_source s = {0};

    if (!yaml_text_check(text, &s.text, err))
        return false;
    jread_start(&s.reader, s.text);
    const bool ok = read_stream(&s, &list);

    buf_release(&s.scratch);
    if (!ok)
        return yaml_text_fail(s.text, jread_offset(&s.reader), err, "%s", s.reader.problem);
    *out = list;
    list = (struct yaml_documents){0};
    return true;
}
