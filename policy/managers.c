#include "policy/managers.h"

#include "base/banned.h"

enum { MANAGERS_MAX_DEPTH = 128 };

static json_t *managed_fields(const json_t *object)
{
    return json_object_get(json_object_get(object, "metadata"), "managedFields");
}

static const char *text_of(const json_t *map, const char *key)
{
    const char *text = json_string_value(json_object_get(map, key));

    return text == NULL ? "" : text;
}

static struct manager manager_of(const json_t *entry)
{
    return (struct manager){
        .name = text_of(entry, "manager"),
        .operation = text_of(entry, "operation"),
        .time = text_of(entry, "time"),
        .subresource = text_of(entry, "subresource"),
    };
}

/* Times of one format and zone: the later is the greater text. */
static bool is_later(const json_t *entry, const struct manager *than)
{
    return than->name == NULL || strcmp(text_of(entry, "time"), than->time) > 0;
}

bool managers_last(const json_t *object, struct manager *out)
{
    struct manager last = {0};
    size_t i;
    json_t *entry;

    json_array_foreach(managed_fields(object), i, entry)
    {
        if (text_of(entry, "subresource")[0] == '\0' && is_later(entry, &last))
            last = manager_of(entry);
    }
    if (last.name == NULL)
        return false;
    *out = last;
    return true;
}

/* --- one field -------------------------------------------------------------------------------- */

/* k:{"name":"http"}: the keys of an item of a list that is a map (x-kubernetes-list-type). */
static bool has_keys(const json_t *item, const char *text)
{
    json_t *keys = json_loads(text, 0, NULL);
    bool same = json_is_object(item) && json_object_size(keys) > 0;
    const char *key;
    json_t *value;

    json_object_foreach(keys, key, value)
    {
        same = same && json_equal(json_object_get(item, key), value) != 0;
    }
    json_decref(keys);
    return same;
}

/* v:"http": an item of a list that is a set. */
static bool is_value(const json_t *item, const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    const bool same = value != NULL && json_equal(value, item) != 0;

    json_decref(value);
    return same;
}

static const json_t *find_item(json_t *fields, const json_t *item)
{
    const char *key;
    json_t *below;

    if (item == NULL)
        return NULL;
    json_object_foreach(fields, key, below)
    {
        if ((key[0] == 'k' && key[1] == ':' && has_keys(item, key + 2)) ||
            (key[0] == 'v' && key[1] == ':' && is_value(item, key + 2)))
            return below;
    }
    return NULL;
}

static const json_t *find_key(const json_t *fields, struct bytes key)
{
    struct buf name CLEANUP(buf_release) = {0};

    buf_append_str(&name, "f:");
    buf_append(&name, key);
    return json_object_getn(fields, (const char *)name.ptr, name.len);
}

/* Whether the fields of one entry have the path, or end in something that is owned as a whole. */
static bool owns(const json_t *fields, const json_t *value, const struct schema_path *const *path,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct schema_path *step = path[i];

        if (!json_is_object(fields))
            return false;
        if (i > 0 && json_object_size(fields) == 0)
            return true;
        value = step->is_item ? json_array_get(value, step->index)
                              : json_object_getn(value, (const char *)step->key.ptr, step->key.len);
        fields = step->is_item ? find_item((json_t *)(uintptr_t)fields, value)
                               : find_key(fields, step->key);
        if (fields == NULL)
            return false;
    }
    return json_is_object(fields);
}

bool managers_of_field(const json_t *object, const struct schema_path *path, struct manager *out)
{
    const struct schema_path *steps[MANAGERS_MAX_DEPTH];
    struct manager owner = {0};
    size_t count = 0;
    size_t i;
    json_t *entry;

    for (const struct schema_path *p = path; p != NULL; p = p->up)
        count++;
    if (count > MANAGERS_MAX_DEPTH)
        return false;
    i = count;
    for (const struct schema_path *p = path; p != NULL; p = p->up)
        steps[--i] = p;
    json_array_foreach(managed_fields(object), i, entry)
    {
        if (is_later(entry, &owner) &&
            owns(json_object_get(entry, "fieldsV1"), object, steps, count))
            owner = manager_of(entry);
    }
    if (owner.name == NULL)
        return false;
    *out = owner;
    return true;
}
