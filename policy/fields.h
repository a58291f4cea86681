/*
 * fields.h -- strict reading of a document (policy, config): each field knows its path, so that an
 * error can say where. Unknown keys are refused.
 *
 *     struct field_cursor cursor;
 *     struct field member;
 *     bool ok = field_map(&root, &cursor, err);
 *     while (ok && field_next(&cursor, &member))
 *         ok = field_is(&member, "cluster") ? field_text(&member, &config->cluster, err)
 *                                           : field_unknown(&member, err);
 */
#ifndef POLICY_FIELDS_H
#define POLICY_FIELDS_H

#include <jansson.h>

#include "base/err.h"

struct field {
    const json_t *value; /* borrowed */
    const char *key;     /* of the map it is in; "" for the root and for items */
    char path[200];      /* spec.http[0].weight */
};

struct field_cursor {
    const struct field *parent;
    void *iter;
};

struct field field_root(const json_t *document);
struct field field_item(const struct field *list, size_t index); /* index < size */

/* Starts over the members of a map; fails if the field is none. */
MUST_USE bool field_map(const struct field *field, struct field_cursor *cursor, struct err *err);
bool field_next(struct field_cursor *cursor, struct field *out);

bool field_is(const struct field *field, const char *key);

/* Values. Text is copied: the caller frees. Fail on another type; text also when it is empty. */
MUST_USE bool field_text(const struct field *field, char **out, struct err *err);
MUST_USE bool field_bool(const struct field *field, bool *out, struct err *err);
MUST_USE bool field_constant(const struct field *field, const char *want, struct err *err);

/* One of `names`: its index. */
MUST_USE bool field_choice(const struct field *field, const char *const *names, unsigned count,
                           unsigned *out, struct err *err);

/* A duration: "500ms", "30s", "5m", "2h"; whole milliseconds, from `least` to `most`. */
MUST_USE bool field_duration(const struct field *field, unsigned least, unsigned most,
                             unsigned *millis, struct err *err);

/* Errors at this field; both return false. */
bool field_refuse(const struct field *field, struct err *err, const char *problem);
bool field_unknown(const struct field *field, struct err *err);

#endif
