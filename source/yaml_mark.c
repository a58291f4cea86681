#include "source/yaml_mark.h"

#include <string.h>

#include "base/buf.h"

#include "base/banned.h"

#define MARK_KEY "<<"

static json_t *make(const char *text)
{
    json_t *mark = json_object();

    if (mark == NULL || json_object_set_new_nocheck(mark, MARK_KEY, json_string_nocheck(text)) != 0)
        out_of_memory();
    return mark;
}

/* "LINE:COLUMN: PATH: why", and `more`. */
static json_t *make_from(const struct err *err, const char *more)
{
    struct buf text = {0};
    const char *why = strstr(err->message, ": ");

    if (why == NULL || err->path[0] == '\0') {
        buf_append_str(&text, err->message);
    } else {
        buf_append(&text, bytes_of(err->message, (size_t)(why - err->message) + 2));
        buf_append_str(&text, err->path);
        buf_append_str(&text, why);
    }
    buf_append_str(&text, more);
    json_t *mark = make(buf_cstr(&text));

    buf_release(&text);
    return mark;
}

json_t *yaml_marks_make(struct yaml_marks *marks, const struct err *err)
{
    if (++marks->count <= YAML_MAX_MARKS)
        return make_from(err, "");
    if (marks->last == NULL)
        marks->last = make_from(err, " (the other refusals of this file are not told)");
    return json_incref(marks->last);
}

json_t *yaml_marks_make_root(struct yaml_marks *marks, const struct err *err)
{
    marks->count++;
    return make_from(err, "");
}

void yaml_marks_release(struct yaml_marks *marks)
{
    json_decref(marks->last);
    *marks = (struct yaml_marks){0};
}

const char *yaml_mark_text(const json_t *node)
{
    return json_string_value(json_object_get(node, MARK_KEY));
}

/* NOLINTNEXTLINE(misc-no-recursion): at most YAML_MAX_DEPTH, which the readers hold */
const char *yaml_mark_first(const json_t *tree)
{
    const char *found = yaml_mark_text(tree);
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(tree)) {
        json_array_foreach(tree, i, value)
        {
            if ((found = yaml_mark_first(value)) != NULL)
                break;
        }
        return found;
    }
    if (found == NULL) {
        json_object_foreach((json_t *)(uintptr_t)tree, key, value)
        {
            if ((found = yaml_mark_first(value)) != NULL)
                break;
        }
    }
    return found;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most YAML_MAX_DEPTH, which the readers hold */
void yaml_mark_each(const json_t *tree, yaml_mark_visit *visit, void *context)
{
    const char *why = yaml_mark_text(tree);
    const char *key;
    json_t *value;
    size_t i;

    if (why != NULL) {
        visit(context, why);
        return;
    }
    json_array_foreach((json_t *)(uintptr_t)tree, i, value)
    {
        yaml_mark_each(value, visit, context);
    }
    json_object_foreach((json_t *)(uintptr_t)tree, key, value)
    {
        yaml_mark_each(value, visit, context);
    }
}
