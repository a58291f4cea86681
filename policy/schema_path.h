/*
 * schema_path.h -- where a walk over a document is: a chain of frames on the walk's own stack, made
 * into text (spec.http[0].match["a/b"]) only when somebody has to be told.
 */
#ifndef POLICY_SCHEMA_PATH_H
#define POLICY_SCHEMA_PATH_H

#include "base/buf.h"
#include "base/err.h"

struct schema_path {
    const struct schema_path *up; /* NULL: this is a key of the root */
    struct bytes key;             /* unused for an item */
    size_t index;
    bool is_item;
};

/* Appends the text. Of a chain longer than any walk of ours makes, the outermost part is cut. */
void schema_path_text(const struct schema_path *path, struct buf *out);

/* An error at this path (NULL: at the root); returns false. */
bool schema_path_refuse(const struct schema_path *path, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
