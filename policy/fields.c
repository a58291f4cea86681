#include "policy/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#include "base/banned.h"

struct field field_root(const json_t *document)
{
    return (struct field){.value = document, .key = ""};
}

struct field field_item(const struct field *list, size_t index)
{
    struct field item = {.value = json_array_get(list->value, index), .key = ""};

    (void)snprintf(item.path, sizeof(item.path), "%s[%zu]", list->path, index);
    return item;
}

bool field_map(const struct field *field, struct field_cursor *cursor, struct err *err)
{
    if (!json_is_object(field->value))
        return field_refuse(field, err, "expected a map");
    /* jansson's iterator functions take no const; nothing here changes the object. */
    cursor->parent = field;
    cursor->iter = json_object_iter((json_t *)(uintptr_t)field->value);
    return true;
}

bool field_next(struct field_cursor *cursor, struct field *out)
{
    json_t *map = (json_t *)(uintptr_t)cursor->parent->value;

    if (cursor->iter == NULL)
        return false;
    *out = (struct field){
        .value = json_object_iter_value(cursor->iter),
        .key = json_object_iter_key(cursor->iter),
    };
    const char *parent = cursor->parent->path;

    /* A key with a dot is one step, source/yaml.h. */
    if (out->key[0] == '\0' || strpbrk(out->key, ".[]\"") != NULL)
        (void)snprintf(out->path, sizeof(out->path), "%s[\"%s\"]", parent, out->key);
    else
        (void)snprintf(out->path, sizeof(out->path), "%s%s%s", parent, parent[0] == '\0' ? "" : ".",
                       out->key);
    cursor->iter = json_object_iter_next(map, cursor->iter);
    return true;
}

bool field_is(const struct field *field, const char *key)
{
    return strcmp(field->key, key) == 0;
}

bool field_refuse(const struct field *field, struct err *err, const char *problem)
{
    (void)err_set(err, "%s", problem);
    return err_at(err, "%s", field->path);
}

bool field_unknown(const struct field *field, struct err *err)
{
    (void)err_set(err, "unknown key \"%s\"", field->key);
    return err_at(err, "%s", field->path);
}

bool field_text(const struct field *field, char **out, struct err *err)
{
    if (!json_is_string(field->value))
        return field_refuse(field, err, "expected text");
    const char *text = json_string_value(field->value);

    if (text[0] == '\0' || strlen(text) != json_string_length(field->value))
        return field_refuse(field, err, "expected text that is not empty");
    free(*out);
    *out = xstrdup(text);
    return true;
}

bool field_bool(const struct field *field, bool *out, struct err *err)
{
    if (!json_is_boolean(field->value))
        return field_refuse(field, err, "expected true or false");
    *out = json_is_true(field->value);
    return true;
}

bool field_constant(const struct field *field, const char *want, struct err *err)
{
    unsigned index;

    return field_choice(field, &want, 1, &index, err);
}

bool field_choice(const struct field *field, const char *const *names, unsigned count,
                  unsigned *out, struct err *err)
{
    struct buf problem CLEANUP(buf_release) = {0};
    const char *text = json_string_value(field->value);

    for (unsigned i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    buf_append_str(&problem, "expected ");
    for (unsigned i = 0; i < count; i++)
        buf_printf(&problem, "%s%s", i == 0 ? "" : " or ", names[i]);
    if (text != NULL)
        buf_printf(&problem, ", not \"%s\"", text);
    return field_refuse(field, err, buf_cstr(&problem));
}

static unsigned unit_millis(const char *unit)
{
    static const struct {
        const char *unit;
        unsigned millis;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};

    for (size_t i = 0; i < COUNT(units); i++) {
        if (strcmp(unit, units[i].unit) == 0)
            return units[i].millis;
    }
    return 0;
}

bool field_duration(const struct field *field, unsigned least, unsigned most, unsigned *millis,
                    struct err *err)
{
    const char *text = json_string_value(field->value);
    char *unit = NULL;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return field_refuse(field, err, "expected a duration such as 500ms, 30s, 5m or 2h");
    const unsigned long long number = strtoull(text, &unit, 10);
    const unsigned scale = unit_millis(unit);

    if (scale == 0 || number > most / scale || number * scale < least) {
        (void)err_set(err, "expected a duration from %ums to %ums, such as 500ms, 30s, 5m or 2h",
                      least, most);
        return err_at(err, "%s", field->path);
    }
    *millis = (unsigned)(number * scale);
    return true;
}
