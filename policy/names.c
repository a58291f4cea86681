#include "policy/names.h"

#include <stdlib.h>

#include "base/mem.h"
#include "policy/pattern.h"

#include "base/banned.h"

void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free((void *)(uintptr_t)names->items[i].ptr);
    free(names->items);
    *names = (struct names){0};
}

bool names_match(const struct names *names, struct bytes text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (pattern_match(names->items[i], text))
            return true;
    }
    return false;
}

bool names_cover(const struct names *names, struct bytes text)
{
    return names->count == 0 || names_match(names, text);
}

bool names_meet(const struct names *a, const struct names *b)
{
    if (a->count == 0 || b->count == 0)
        return true;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (pattern_meet(a->items[i], b->items[k]))
                return true;
        }
    }
    return false;
}

bool names_read(const struct field *field, struct names *out, size_t *total, struct err *err)
{
    if (!json_is_array(field->value) || json_array_size(field->value) == 0)
        return field_refuse(field, err, "expected a list of names that is not empty");
    const size_t count = json_array_size(field->value);

    *total += count;
    if (*total > NAMES_MAX)
        return field_refuse(field, err, "more than 10000 names in one policy");
    names_release(out);
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
