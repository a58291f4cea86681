/*
 * yaml_check.h -- checks that the tests of the YAML reader share.
 */
#ifndef TESTS_UNIT_YAML_CHECK_H
#define TESTS_UNIT_YAML_CHECK_H

#include <string.h>

#include "source/yaml.h"
#include "tests/unit/test.h"

typedef bool reader(struct bytes text, struct yaml_documents *out, struct err *err);

static inline void check_documents(const char *name, reader *read, struct bytes text,
                                   const char *want)
{
    struct yaml_documents documents = {0};
    struct err err = {0};
    json_error_t why;
    json_t *expected = json_loads(want, 0, &why);
    json_t *got = json_array();

    if (expected == NULL)
        fail_msg("%s: the row's own JSON: %s", name, why.text);
    if (!read(text, &documents, &err))
        fail_msg("%s: refused: %s", name, err.message);
    for (size_t i = 0; i < documents.count; i++)
        (void)json_array_append(got, documents.items[i].root);
    if (!json_equal(got, expected)) {
        char *shown = json_dumps(got, 0);

        fail_msg("%s: got %s, want %s", name, shown, want);
    }
    json_decref(got);
    json_decref(expected);
    yaml_release(&documents);
}

static inline void check_refused(const char *name, reader *read, struct bytes text,
                                 const char *want)
{
    struct yaml_documents documents = {0};
    struct err err = {0};

    if (read(text, &documents, &err))
        fail_msg("%s: accepted, want \"%s\"", name, want);
    if (strstr(err.message, want) == NULL)
        fail_msg("%s: message \"%s\", want \"%s\"", name, err.message, want);
    assert_null(documents.items);
    assert_int_equal(documents.count, 0);
}

#endif
