#include "source/yaml_frames.h"

#include <stdlib.h>

#include "base/buf.h"
#include "source/yaml_mark.h"

#include "base/banned.h"

void yaml_frames_start(struct yaml_frames *f)
{
    *f = (struct yaml_frames){.names = yaml_made(json_object())};
}

void yaml_frames_release(struct yaml_frames *f)
{
    while (f->depth > 0) {
        struct yaml_frame *frame = &f->stack[--f->depth];

        json_decref(frame->node);
        json_decref(frame->instead);
        json_decref(frame->doubt);
        free(frame->key);
        free(frame->anchor);
    }
    for (size_t i = 0; i < f->anchor_count; i++)
        json_decref(f->anchors[i].node);
    free(f->anchors);
    json_decref(f->names);
    json_decref(f->root);
}

struct yaml_frame *yaml_frames_top(struct yaml_frames *f)
{
    return f->depth == 0 ? NULL : &f->stack[f->depth - 1];
}

bool yaml_frames_is_in_flow(struct yaml_frames *f)
{
    const struct yaml_frame *top = yaml_frames_top(f);

    return top != NULL && top->flow;
}

bool yaml_frames_expects_key(struct yaml_frames *f)
{
    const struct yaml_frame *top = yaml_frames_top(f);

    return top != NULL && top->key == NULL && json_is_object(top->node);
}

/* --- opening, closing, attaching -------------------------------------------------------------- */

void yaml_frames_push(struct yaml_frames *f, json_t *node, bool flow, const char *anchor,
                      json_t *doubt)
{
    f->stack[f->depth++] = (struct yaml_frame){
        .node = node,
        .doubt = doubt,
        .flow = flow,
        .anchor = anchor == NULL ? NULL : xstrdup(anchor),
        .size = {.nodes = 1, .height = 1},
    };
}

void yaml_frames_close(struct yaml_frames *f)
{
    struct yaml_frame closed = f->stack[--f->depth];

    if (closed.doubt != NULL) {
        json_decref(closed.node);
        closed.node = closed.doubt;
    }
    yaml_frames_anchor(f, closed.anchor, closed.node, closed.size);
    free(closed.anchor);
    yaml_frames_attach(f, closed.node, closed.size);
}

void yaml_frames_expect(struct yaml_frame *map, const char *key, json_t *mark)
{
    map->key = xstrdup(key);
    map->instead = mark;
}

static void add_to_list(json_t *list, json_t *node)
{
    if (json_array_append_new(list, node) != 0)
        out_of_memory();
}

static void add_to_map(struct yaml_frame *map, json_t *node)
{
    if (map->key == NULL) { /* a map or list as a key: the map is in doubt already */
        yaml_frames_expect(map, "?", json_incref(map->doubt));
        json_decref(node);
        return;
    }
    if (map->instead != NULL) {
        json_decref(node);
        node = STEAL(map->instead);
    }
    if (json_object_set_new_nocheck(map->node, map->key, node) != 0)
        out_of_memory();
    free(STEAL(map->key));
}

void yaml_frames_attach(struct yaml_frames *f, json_t *node, struct yaml_size size)
{
    struct yaml_frame *top = yaml_frames_top(f);

    if (top == NULL) {
        f->root = node;
        return;
    }
    top->size.nodes += size.nodes;
    top->size.bytes += size.bytes;
    top->size.has_empty |= size.has_empty;
    top->size.has_kept |= size.has_kept;
    if (size.height >= top->size.height)
        top->size.height = size.height + 1;
    if (json_is_array(top->node))
        add_to_list(top->node, node);
    else
        add_to_map(top, node);
}

/* --- anchors ---------------------------------------------------------------------------------- */

void yaml_frames_anchor(struct yaml_frames *f, const char *name, json_t *node,
                        struct yaml_size size)
{
    if (name == NULL)
        return;
    if (f->anchor_count == f->anchor_room) {
        f->anchor_room = f->anchor_room == 0 ? 16 : 2 * f->anchor_room;
        f->anchors = xrealloc(f->anchors, f->anchor_room * sizeof(*f->anchors));
    }
    if (json_object_set_new(f->names, name, json_integer((json_int_t)f->anchor_count)) != 0)
        out_of_memory();
    f->anchors[f->anchor_count++] = (struct yaml_anchor){json_incref(node), size};
}

/* --- paths ------------------------------------------------------------------------------------ */

enum { SHOWN_KEY_BYTES = 256 }; /* a path is no longer; a key may be, under many refusals */

static struct bytes shown(const char *key)
{
    return bytes_of(key, strnlen(key, SHOWN_KEY_BYTES));
}

static bool is_plain_key(struct bytes key)
{
    for (size_t i = 0; i < key.len; i++)
        if (strchr(".[]\"", key.ptr[i]) != NULL)
            return false;
    return key.len > 0;
}

static void add_key(struct buf *path, struct bytes key)
{
    if (is_plain_key(key)) {
        buf_append_str(path, path->len == 0 ? "" : ".");
        buf_append(path, key);
    } else {
        buf_printf(path, "[\"%.*s\"]", BYTES_FMT(key));
    }
}

void yaml_frames_path(const struct yaml_frames *f, struct err *err)
{
    struct buf path = {0};

    for (unsigned i = 0; i < f->depth && path.len < sizeof(err->path); i++) {
        const struct yaml_frame *frame = &f->stack[i];

        if (json_is_array(frame->node))
            buf_printf(&path, "[%zu]", json_array_size(frame->node));
        else if (frame->key != NULL)
            add_key(&path, shown(frame->key));
    }
    (void)err_at(err, "%s", buf_cstr(&path));
    buf_release(&path);
}
