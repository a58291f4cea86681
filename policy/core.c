#include "policy/core.h"

#include "base/banned.h"

static const struct {
    const char *kind;
    const char *plural;
    bool namespaced;
    bool status; /* has the status subresource */
    bool whole;
} table[] = {
    {"ConfigMap", "configmaps", true, false, true},
    {"Namespace", "namespaces", false, true, false},
    {"Secret", "secrets", true, false, false},
    {"Service", "services", true, true, false},
};

bool core_kind(struct bytes group, struct bytes kind, struct kind *out)
{
    for (size_t i = 0; group.len == 0 && i < COUNT(table); i++) {
        if (!bytes_equal(kind, bytes_str(table[i].kind)))
            continue;
        *out = (struct kind){
            .kind = bytes_str(table[i].kind),
            .plural = bytes_str(table[i].plural),
            .has_schema = true,
            .namespaced = table[i].namespaced,
            .versions = {{BYTES("v1"), true, true, table[i].status}},
            .version_count = 1,
        };
        return true;
    }
    return false;
}

bool core_kind_is_whole(struct bytes kind)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        if (bytes_equal(kind, bytes_str(table[i].kind)))
            return table[i].whole;
    }
    return false;
}

const char *core_kinds_text(void)
{
    return "ConfigMap, Namespace, Secret, Service";
}
