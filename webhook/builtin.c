#include "webhook/builtin.h"

#include <stddef.h>

#include "policy/fields.h"
#include "source/yaml.h"

#include "base/banned.h"

/* Made from policy/default.yaml and policy/core.yaml by cmake/embed.cmake. */
extern const unsigned char policy_default[];
extern const size_t policy_default_size;
extern const unsigned char policy_core[];
extern const size_t policy_core_size;

enum builtin { BUILTIN_DEFAULT, BUILTIN_CORE, BUILTIN_COUNT };

static const char *const names[] = {[BUILTIN_DEFAULT] = "default", [BUILTIN_CORE] = "core"};

static bool read_builtin(enum builtin which, json_t **out, struct err *err)
{
    const struct bytes texts[] = {
        [BUILTIN_DEFAULT] = {policy_default, policy_default_size},
        [BUILTIN_CORE] = {policy_core, policy_core_size},
    };
    struct yaml_documents documents;

    if (!yaml_read(texts[which], &documents, err))
        return err_prefix(err, "policy/%s.yaml (built in):", names[which]);
    *out = json_incref(documents.items[0].root);
    yaml_release(&documents);
    return true;
}

bool builtin_policy(json_t **out, struct err *err)
{
    return read_builtin(BUILTIN_DEFAULT, out, err);
}

/* One item of govern; `seen` has a bit for each policy that was included. */
static bool include(const struct field *item, unsigned *seen, struct err *err)
{
    json_t *rule = (json_t *)(uintptr_t)item->value;
    struct field_cursor cursor;
    struct field member;
    json_t *builtin = NULL;
    unsigned which = 0;

    if (!field_map(item, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        if (!field_is(&member, "include"))
            return field_refuse(&member, err, "include stands alone in its item");
        if (!field_choice(&member, names, BUILTIN_COUNT, &which, err))
            return false;
        if ((*seen & 1U << which) != 0)
            return field_refuse(&member, err, "is included twice");
    }
    *seen |= 1U << which;
    if (!read_builtin((enum builtin)which, &builtin, err))
        return false;
    (void)json_object_set(rule, "govern", json_object_get(builtin, "govern"));
    json_decref(builtin);
    return true;
}

bool builtin_include(json_t *document, struct err *err)
{
    const struct field govern = {
        .value = json_object_get(document, "govern"), .key = "govern", .path = "govern"};
    unsigned seen = 0;

    for (size_t i = 0; i < json_array_size(govern.value); i++) {
        const struct field item = field_item(&govern, i);

        if (json_object_get(item.value, "include") != NULL && !include(&item, &seen, err))
            return false;
    }
    return true;
}
