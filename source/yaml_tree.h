/*
 * yaml_tree.h -- one document's events as a jansson tree: keys, anchors, tags, scalars, limits
 * (N4, N5, N6).
 */
#ifndef SOURCE_YAML_TREE_H
#define SOURCE_YAML_TREE_H

#include <jansson.h>

#include "source/yaml_events.h"
#include "source/yaml_mark.h"

enum {
    /*
     * What the aliases of one file may add in all, so that a file of many small documents does not
     * multiply the limits of one.
     */
    YAML_MAX_ALIAS_NODES = 200000,
    YAML_MAX_ALIAS_BYTES = 4 << 20,
};

struct yaml_tree_budget {
    size_t alias_nodes;
    size_t alias_bytes;
};

/*
 * Reads the document whose start event is the current one, up to its end event. `budget` is zero
 * before a file's first document. *root is the caller's; *line is where its content begins.
 *
 * With `marks` what is refused is marked, and only what libyaml cannot read fails. NULL: the first
 * refusal fails.
 */
MUST_USE bool yaml_tree_read(struct yaml_events *e, struct yaml_tree_budget *budget,
                             struct yaml_marks *marks, json_t **root, unsigned *line,
                             struct err *err);

#endif
