/*
 * yaml_mark.h -- what stands in a tree for what was refused, so that the rest of a document can be
 * read on (N35).
 *
 * A mark is {"<<": "LINE:COLUMN: PATH: why"}: no accepted document has that key. It stands for a
 * value that is not known. Where it is not even known which keys a map has, it stands for the whole
 * map. So what is read of an object's identity in a marked tree is what every tool reads that reads
 * the document at all: its keys are text, and no word that a tool converts (`on`, `1`; kept as they
 * are written, with a mark as the value) becomes one of them.
 */
#ifndef SOURCE_YAML_MARK_H
#define SOURCE_YAML_MARK_H

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"

enum { YAML_MAX_MARKS = 1000 }; /* of a file; what is refused behind them shares one */

/* The marks of one file. */
struct yaml_marks {
    size_t count;
    json_t *last; /* what all share that are too many */
};

/* A new reference to a mark with the reason that `err` says, with its path. */
RETURNS_NONNULL json_t *yaml_marks_make(struct yaml_marks *marks, const struct err *err);

/* The same for a whole document, never shared. */
RETURNS_NONNULL json_t *yaml_marks_make_root(struct yaml_marks *marks, const struct err *err);
void yaml_marks_release(struct yaml_marks *marks);

/* The reason of a mark; NULL if `node` is none. */
const char *yaml_mark_text(const json_t *node);

/* The first reason in a tree, NULL if nothing in it was refused. */
const char *yaml_mark_first(const json_t *tree);

/* Calls `visit` with each reason in a tree. */
typedef void yaml_mark_visit(void *context, const char *why);
void yaml_mark_each(const json_t *tree, yaml_mark_visit *visit, void *context);

/* For jansson's constructors: a node, or no memory. */
static inline json_t *yaml_made(json_t *node)
{
    if (node == NULL)
        out_of_memory();
    return node;
}

#endif
