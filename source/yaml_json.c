/* `.json` files: the strict reader's values as a jansson tree, with the refusals of YAML files. */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "policy/jread.h"
#include "source/yaml.h"
#include "source/yaml_mark.h"
#include "source/yaml_text.h"

#include "base/banned.h"

/* A place in the text, moved on from one to the next. */
struct place {
    const uint8_t *at;
    unsigned line;
    unsigned column;
};

struct json_source {
    struct jread reader;
    struct bytes text;
    struct buf scratch;       /* decoded strings, one at a time */
    struct yaml_marks *marks; /* NULL: the first refusal fails */
    struct place place;       /* of the last document or mark */
};

/* --- refusals --------------------------------------------------------------------------------- */

static void move_to(struct place *p, const uint8_t *at)
{
    for (; p->at < at; p->at++) {
        if (*p->at == '\n') {
            p->line++;
            p->column = 1;
        } else if ((*p->at & 0xc0) != 0x80) {
            p->column++;
        }
    }
}

/* A mark for what begins at `at` and has been read (N35); or the failure and NULL. */
static json_t *refuse(struct json_source *s, const uint8_t *at, const char *why)
{
    struct err err;

    if (s->marks == NULL) {
        s->reader.at = at;
        (void)jread_fail(&s->reader, why);
        return NULL;
    }
    move_to(&s->place, at);
    (void)err_set(&err, "%u:%u: %s", s->place.line, s->place.column, why);
    return yaml_marks_make(s->marks, &err);
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool read_text(struct json_source *s, struct bytes *out)
{
    s->scratch.len = 0;
    if (!jread_string_append(&s->reader, &s->scratch))
        return false;
    *out = bytes_of(buf_cstr(&s->scratch), s->scratch.len);
    return true;
}

static json_t *read_string(struct json_source *s)
{
    const uint8_t *start = s->reader.at;
    struct bytes text;

    if (!read_text(s, &text))
        return NULL;
    const char *problem = yaml_text_problem(text);

    return problem != NULL ? refuse(s, start, problem)
                           : yaml_made(json_stringn_nocheck((const char *)text.ptr, text.len));
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
        return yaml_made(json_integer(number.integer));
    for (const uint8_t *p = start; p < s->reader.at; p++)
        if (*p == '.' || *p == 'e' || *p == 'E')
            integer = false;
    if (integer)
        return refuse(s, start,
                      "an integer that does not fit 64 bits, and tools change its "
                      "digits; write it as a string if text is allowed there");
    if (trunc(number.real) == number.real && fabs(number.real) < two_to_63)
        return refuse(s, start,
                      "a whole number too large to be exact as a float; write all "
                      "its digits");
    return yaml_made(json_real(number.real));
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
    json_auto_t *list = yaml_made(json_array());

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

/* A key and what may be wrong with it. */
struct member {
    char *key;
    json_t *mark; /* stands for the value; NULL: nothing is wrong */
    bool doubt;   /* it stands for the whole map: not all tools read this key */
};

static bool read_key(struct json_source *s, const json_t *map, struct member *out)
{
    struct bytes text;

    (void)jread_peek(&s->reader);
    const uint8_t *start = s->reader.at;

    if (!read_text(s, &text))
        return false;
    const char *problem = yaml_text_problem(text);

    if (problem == NULL && bytes_equal(text, BYTES("<<")))
        problem = "some tools take the key \"<<\" for a merge key; use another";
    out->doubt = problem != NULL;
    if (problem == NULL && json_object_get(map, (const char *)text.ptr) != NULL)
        problem = "this key is in this object already; keep one of them";
    if (problem != NULL && (out->mark = refuse(s, start, problem)) == NULL)
        return false;
    out->key = xstrndup((const char *)text.ptr, text.len);
    return jread_colon(&s->reader);
}

/* NOLINTNEXTLINE(misc-no-recursion): through read_value, JREAD_MAX_DEPTH */
static bool read_member(struct json_source *s, json_t *map, json_t **doubt)
{
    struct member member = {0};
    json_t *value = read_key(s, map, &member) ? read_value(s) : NULL;
    const bool ok = value != NULL;

    if (ok && member.mark != NULL) {
        json_decref(value);
        value = STEAL(member.mark);
    }
    if (ok && member.doubt && *doubt == NULL)
        *doubt = json_incref(value);
    if (ok && json_object_set_new_nocheck(map, member.key, value) != 0)
        out_of_memory();
    json_decref(member.mark);
    free(member.key);
    return ok;
}

/* NOLINTNEXTLINE(misc-no-recursion): through read_value, JREAD_MAX_DEPTH */
static json_t *read_map(struct json_source *s)
{
    json_auto_t *map = yaml_made(json_object());
    json_auto_t *doubt = NULL;

    if (!jread_enter(&s->reader, JREAD_MAP))
        return NULL;
    for (bool first = true; jread_next(&s->reader, JREAD_MAP, &first);)
        if (!read_member(s, map, &doubt))
            return NULL;
    if (s->reader.problem != NULL)
        return NULL;
    return doubt != NULL ? STEAL(doubt) : STEAL(map);
}

/* NULL: the reader has a problem. */
/* NOLINTNEXTLINE(misc-no-recursion): at most JREAD_MAX_DEPTH deep, which jread_enter holds */
static json_t *read_value(struct json_source *s)
{
    const enum jread_type type = jread_peek(&s->reader);

    switch (type) {
    case JREAD_MAP:
        return read_map(s);
    case JREAD_LIST:
        return read_list(s);
    case JREAD_TEXT:
        return read_string(s);
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

/* `end`: of the document before; and of this one, on success. */
static bool read_document(struct json_source *s, size_t *end, struct yaml_documents *list)
{
    const enum jread_type type = jread_peek(&s->reader);
    const size_t marks = s->marks == NULL ? 0 : s->marks->count;

    move_to(&s->place, s->reader.at);
    const unsigned line = s->place.line;

    if (list->count == YAML_MAX_DOCUMENTS)
        return jread_fail(&s->reader, "too many documents; split the file");
    if (type != JREAD_MAP && type != JREAD_LIST)
        return jread_fail(&s->reader, "a document has to be an object or an array");
    s->reader.values = 0; /* the limit is for each document */
    json_t *root = read_value(s);

    if (root == NULL)
        return false;
    const size_t start = *end;

    *end = jread_offset(&s->reader);
    list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = (struct yaml_document){
        .root = root,
        .line = line,
        .refused = s->marks != NULL && s->marks->count > marks,
        .text = bytes_of(s->text.ptr + start, *end - start),
    };
    return true;
}

static bool read_stream(struct json_source *s, size_t *end, struct yaml_documents *list)
{
    for (;;) {
        (void)jread_peek(&s->reader);
        if (s->reader.at == s->reader.end)
            return true;
        if (!read_document(s, end, list))
            return false;
    }
}

/* Also on failure *out and *rest are set: what stands before the damage, and what does not. */
static bool read_file(struct bytes text, struct yaml_marks *marks, struct yaml_documents *out,
                      struct bytes *rest, struct err *err)
{
    struct json_source s = {.marks = marks};
    size_t end = 0;

    *rest = text;
    if (!yaml_text_check(text, &s.text, err))
        return false;
    jread_start(&s.reader, s.text);
    s.place = (struct place){s.reader.at, 1, 1};
    const bool ok = read_stream(&s, &end, out);

    buf_release(&s.scratch);
    *rest = bytes_of(s.text.ptr + end, s.text.len - end);
    return ok || yaml_text_fail(s.text, jread_offset(&s.reader), err, "%s", s.reader.problem);
}

bool yaml_read_json(struct bytes text, struct yaml_documents *out, struct err *err)
{
    CLEANUP(yaml_release) struct yaml_documents list = {0};
    struct bytes rest;

    if (!read_file(text, NULL, &list, &rest, err))
        return false;
    *out = list;
    list = (struct yaml_documents){0};
    return true;
}

bool yaml_read_json_marked(struct bytes text, struct yaml_documents *out, struct bytes *rest,
                           struct err *err)
{
    struct yaml_documents list = {0};
    struct yaml_marks marks = {0};
    const bool ok = read_file(text, &marks, &list, rest, err);

    yaml_marks_release(&marks);
    *out = list;
    return ok;
}
