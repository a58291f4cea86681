/*
 * yaml_frames.h -- a document's tree while it is built: the maps and lists that are open, the
 * anchors that were seen, and the marks (yaml_mark.h) that stand for what was refused.
 */
#ifndef SOURCE_YAML_FRAMES_H
#define SOURCE_YAML_FRAMES_H

#include <jansson.h>

#include "base/err.h"
#include "source/yaml.h"

/* How much a node holds, with all that is below it. */
struct yaml_size {
    size_t nodes; /* keys count too */
    size_t bytes; /* of text and keys */
    unsigned height;
    bool has_empty; /* a value that is not written at all */
    bool has_kept;  /* a block whose line ends are kept */
};

/* A map or list that is open. */
struct yaml_frame {
    json_t *node;
    char *key; /* the key whose value comes next; NULL: a key comes next, or it is a list */
    json_t
        *instead;  /* the mark that stands for the value that comes next; NULL: the value itself */
    json_t *doubt; /* the mark that stands for all of it; NULL: its keys are known */
    bool flow;
    char *anchor; /* NULL: none */
    struct yaml_size size;
};

struct yaml_anchor {
    json_t *node; /* a reference of ours */
    struct yaml_size size;
};

struct yaml_frames {
    struct yaml_frame stack[YAML_MAX_DEPTH];
    unsigned depth;
    json_t *root;  /* NULL until the document's node is complete */
    json_t *names; /* anchor: index into `anchors`; or null while its node is open */
    struct yaml_anchor *anchors;
    size_t anchor_count;
    size_t anchor_room;
};

void yaml_frames_start(struct yaml_frames *f);
void yaml_frames_release(struct yaml_frames *f);

/* The innermost map or list that is open, or NULL. */
struct yaml_frame *yaml_frames_top(struct yaml_frames *f);
bool yaml_frames_is_in_flow(struct yaml_frames *f);
bool yaml_frames_expects_key(struct yaml_frames *f);

/* Opens an empty map or list; there is room for it. Takes `node` and `doubt`, a mark or NULL. */
void yaml_frames_push(struct yaml_frames *f, json_t *node, bool flow, const char *anchor,
                      json_t *doubt);
void yaml_frames_close(struct yaml_frames *f);

/* The key of the open map. `mark`: the value that comes is dropped, and this stands for it; taken.
 */
void yaml_frames_expect(struct yaml_frame *map, const char *key, json_t *mark);

/* Puts a complete value where it belongs; takes the reference. */
void yaml_frames_attach(struct yaml_frames *f, json_t *node, struct yaml_size size);

/* From here on the anchor is this node. NULL as a name: nothing. */
void yaml_frames_anchor(struct yaml_frames *f, const char *name, json_t *node,
                        struct yaml_size size);

/* Sets the path of the current place: spec.http[0], or metadata.labels["a.b"]. */
void yaml_frames_path(const struct yaml_frames *f, struct err *err);

#endif
