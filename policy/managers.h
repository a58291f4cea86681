/*
 * managers.h -- who wrote a field of a live object, as metadata.managedFields has it.
 *
 * For people: the API server keeps these notes for server-side apply, and whoever writes can give
 * itself any name.
 */
#ifndef POLICY_MANAGERS_H
#define POLICY_MANAGERS_H

#include <jansson.h>

#include "policy/schema_path.h"

/* Borrowed from the object; "" where it is not said. */
struct manager {
    const char *name;        /* kubectl-edit */
    const char *operation;   /* Apply, Update */
    const char *time;        /* 2026-11-25T02:58:11Z */
    const char *subresource; /* status */
};

/* Who owns the field at this path, or a list or map that can only be owned as a whole. */
bool managers_of_field(const json_t *object, const struct schema_path *path, struct manager *out);

/* Who wrote last, but to a subresource. False: there are no managedFields. */
bool managers_last(const json_t *object, struct manager *out);

#endif
