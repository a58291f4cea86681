#include "source/metadata.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#include "base/banned.h"

static bool is_owner_field(const char *key)
{
    static const char *const known[] = {
        "apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid",
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcmp(key, known[i]) == 0)
            return true;
    }
    return false;
}

const char *metadata_unknown_owner_field(const json_t *metadata)
{
    json_t *owner;
    const char *key;
    json_t *value;
    size_t i;

    json_array_foreach(json_object_get(metadata, "ownerReferences"), i, owner)
    {
        json_object_foreach(owner, key, value)
        {
            if (!is_owner_field(key))
                return key;
        }
    }
    return NULL;
}

static void drop_nulls(json_t *map)
{
    void *next;
    const char *key;
    json_t *value;

    json_object_foreach_safe(map, next, key, value)
    {
        if (json_is_null(value))
            (void)json_object_del(map, key);
    }
}

json_t *metadata_coerce(const json_t *document)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)document);
    json_t *metadata = json_deep_copy(json_object_get(document, "metadata"));
    const json_t *owners = json_object_get(metadata, "ownerReferences");
    json_t *owner;
    size_t i;

    if (copy == NULL || metadata == NULL)
        out_of_memory();
    drop_nulls(metadata);
    json_array_foreach(owners, i, owner)
    {
        drop_nulls(owner);
    }
    if (json_is_array(owners) && json_array_size(owners) == 0)
        (void)json_object_del(metadata, "ownerReferences");
    if (json_object_set_new(copy, "metadata", metadata) != 0)
        out_of_memory();
    return copy;
}
