#include "policy/kind.h"

#include "base/banned.h"

const struct kind_version *kind_version(const struct kind *kind, struct bytes name)
{
    for (size_t i = 0; i < kind->version_count; i++) {
        if (bytes_equal(kind->versions[i].name, name))
            return &kind->versions[i];
    }
    return NULL;
}
