/*
 * fuzz_schema.c -- a CustomResourceDefinition and an object, as two lines of JSON; and, for what is
 * not JSON, the bytes as the tree of nulls that a set file could hold.
 */
#include <stdlib.h>

#include <jansson.h>

#include "policy/nulls.h"
#include "policy/schema.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void count_pruned(void *context, const char *path)
{
    size_t *count = context;

    if (path[0] == '\0')
        abort();
    (*count)++;
}

static void ask_nulls(struct bytes tree)
{
    const struct nulls_step path[] = {
        {.key = BYTES("spec")}, {.key = BYTES("a")}, {.is_item = true},
        {.key = BYTES("b")},    {.key = BYTES("")},
    };

    for (size_t depth = 0; depth <= COUNT(path); depth++)
        (void)nulls_droppable(tree, path, depth);
}

/* What a schema has pruned and filled has nothing more to prune: its own defaults are pruned. */
static void check_stable(const struct schema *s, const struct schema_form *form)
{
    json_t *again = json_deep_copy(form->object);
    struct err err = {0};
    size_t pruned = 0;

    if (schema_apply(s, form->version, again, count_pruned, &pruned, &err) && pruned > 0)
        abort();
    json_decref(again);
}

static void run_object(const struct schema *s, const json_t *object)
{
    const struct kind *kind = schema_kind(s);

    for (size_t i = 0; i < kind->version_count; i++) {
        struct schema_forms forms;
        struct err err = {0};
        size_t pruned = 0;

        if (!schema_forms(s, kind->versions[i].name, object, &forms, count_pruned, &pruned, &err))
            continue;
        if (forms.count == 0 || forms.storage.object == NULL)
            abort();
        for (size_t k = 0; k < forms.count; k++)
            check_stable(s, &forms.forms[k]);
        schema_forms_release(&forms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    const char *newline = len == 0 ? NULL : memchr(text, '\n', len);
    const size_t first = newline == NULL ? len : (size_t)(newline - text);
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *crd = json_loadb(text, first, flags, NULL);
    json_t *object = newline == NULL ? NULL : json_loadb(newline + 1, len - first - 1, flags, NULL);
    struct schema *s = NULL;
    struct err err = {0};

    ask_nulls(bytes_of(data, len));
    if (crd != NULL && schema_compile(crd, &s, &err)) {
        ask_nulls(schema_kind(s)->nulls);
        if (object != NULL)
            run_object(s, object);
    }
    schema_free(s);
    json_decref(crd);
    json_decref(object);
    return 0;
}
