/*
 * crd.h -- CustomResourceDefinitions and objects for tests, as JSON in C strings: ' stands for ".
 */
#ifndef TESTS_UNIT_CRD_H
#define TESTS_UNIT_CRD_H

#include <stdlib.h>

#include <jansson.h>

#include "policy/schema.h"
#include "tests/unit/test.h"

static inline json_t *json_of(const char *text)
{
    char *copy = xstrdup(text);
    json_error_t error;

    for (char *p = copy; *p != '\0'; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *value = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (value == NULL)
        fail_msg("%s: %s at byte %d", text, error.text, error.position);
    free(copy);
    return value;
}

static inline void check_json(const char *row, const json_t *got, const char *want)
{
    json_t *expected = json_of(want);
    char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    if (!json_equal(got, expected))
        fail_msg("%s: got %s, want %s", row, text, want);
    free(text);
    json_decref(expected);
}

#define VERSION(name, flags, schema)                                                               \
    "{'name': '" name "', " flags ", 'schema': {'openAPIV3Schema': " schema "}}"
#define STORED      "'served': true, 'storage': true"
#define SERVED      "'served': true, 'storage': false"
#define WITH_STATUS ", 'subresources': {'status': {}}"
#define CRD_WITH(versions, more)                                                                   \
    "{'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition', 'spec': {"      \
    "'group': 'mesh.example', 'scope': 'Namespaced', 'names': {'kind': 'Thing', 'plural': "        \
    "'things'}, 'versions': [" versions "]" more "}}"
#define CRD(versions) CRD_WITH(versions, "")

static inline struct schema *compile(const char *crd)
{
    json_t *document = json_of(crd);
    struct schema *s = NULL;
    struct err err = {0};

    if (!schema_compile(document, &s, &err))
        fail_msg("%s: %s (%s)", crd, err.message, err.path);
    json_decref(document);
    return s;
}

static inline struct schema *compile_properties(const char *schema)
{
    char *crd =
        xasprintf(CRD("{'name': 'v1', " STORED ", 'schema': {'openAPIV3Schema': %s}}"), schema);
    struct schema *s = compile(crd);

    free(crd);
    return s;
}

/* A schema_pruned: collects the paths in a struct buf, one space between them. */
static inline void note(void *context, const char *path)
{
    struct buf *out = context;

    buf_append_str(out, out->len > 0 ? " " : "");
    buf_append_str(out, path);
}

#endif
