#include "policy/rules.h"

#include "base/banned.h"

void rules_id(struct digest *out)
{
    digest_of(BYTES("meshnorm/1 revision 2: N1-N25, N27 of docs/normal-form.md"), out);
}

const char *rules_title(unsigned number)
{
    static const char *const titles[RULES_LAST + 1] = {
        [1] = "files as Git holds them: no links, submodules or pointers",
        [2] = "text is UTF-8",
        [3] = "documents are separated so that all tools agree",
        [4] = "limits of depth and size",
        [5] = "the subset of YAML that all tools read alike",
        [7] = "one readable document for each object",
        [8] = "numbers that no tool changes",
        [10] = "identity: group, kind, namespace and name, not the version",
        [12] = "a version that its schema serves",
        [13] = "no field that its schema does not know",
        [14] = "nulls and defaults, as the API server decides by the schema",
        [15] = "a null that means the same as absent",
        [16] = "metadata as the API server reads it",
        [17] = "the status is not configuration",
        [18] = "metadata that the API server or a controller sets",
        [19] = "an annotation that is a tool's bookkeeping",
        [20] = "labels and annotations of a delivery tool",
        [21] = "labels or annotations without an entry",
        [24] = "the data of a ConfigMap",
        [36] = "the break-glass annotation is never configuration",
    };

    return number > RULES_LAST || titles[number] == NULL ? "" : titles[number];
}
