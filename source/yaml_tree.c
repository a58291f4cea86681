#include "source/yaml_tree.h"

#include <stdlib.h>

#include "base/buf.h"
#include "source/yaml.h"
#include "source/yaml_scalar.h"
#include "source/yaml_style.h"
#include "source/yaml_text.h"

#include "base/banned.h"

#define YAML_TAG_PREFIX "tag:yaml.org,2002:"

/*
 * A key on one line has 1024 characters at most, and kustomize, which writes it out again, may need
 * ten for one. No key of Kubernetes' own is longer than 317 bytes.
 */
enum { YAML_MAX_KEY_BYTES = 320 };

/* How much a node holds, with all that is below it. */
struct size {
    size_t nodes; /* keys count too */
    size_t bytes; /* of text and keys */
    unsigned height;
    bool has_empty; /* a value that is not written at all */
    bool has_kept;  /* a block whose line ends are kept */
};

/* A map or list that is open. */
struct frame {
    json_t *node;
    char *key; /* the key whose value comes next; NULL: a key comes next, or it is a list */
    bool flow;
    char *anchor; /* NULL: none */
    struct size size;
};

struct anchor {
    json_t *node; /* a reference of ours */
    struct size size;
};

struct builder {
    struct yaml_events *events;
    struct yaml_tree_budget *budget;
    struct frame stack[YAML_MAX_DEPTH];
    unsigned depth;
    size_t nodes; /* of the document so far */
    json_t *root;
    json_t *names; /* anchor: index into `anchors`; or null while its node is open */
    struct anchor *anchors;
    size_t anchor_count;
    size_t anchor_room;
};

static json_t *made(json_t *node)
{
    if (node == NULL)
        out_of_memory();
    return node;
}

static struct frame *top(struct builder *b)
{
    return b->depth == 0 ? NULL : &b->stack[b->depth - 1];
}

/* --- refusals --------------------------------------------------------------------------------- */

static bool is_plain_key(const char *key)
{
    return key[0] != '\0' && strpbrk(key, ".[]\"") == NULL;
}

/* The path of the current place: spec.http[0], or metadata.labels["a.b"]. */
static bool set_path(struct builder *b, struct err *err)
{
    struct buf path = {0};

    for (unsigned i = 0; i < b->depth; i++) {
        const struct frame *f = &b->stack[i];

        if (json_is_array(f->node)) {
            buf_printf(&path, "[%zu]", json_array_size(f->node));
        } else if (f->key != NULL && is_plain_key(f->key)) {
            buf_append_str(&path, path.len == 0 ? "" : ".");
            buf_append_str(&path, f->key);
        } else if (f->key != NULL) {
            buf_printf(&path, "[\"%s\"]", f->key);
        }
    }
    (void)err_at(err, "%s", buf_cstr(&path));
    buf_release(&path);
    return false;
}

static const char *quote_cstr(const void *s, char out[YAML_QUOTE_SIZE])
{
    return yaml_text_quote(bytes_str(s), out);
}

/* --- anchors ---------------------------------------------------------------------------------- */

static bool open_anchor(struct builder *b, const yaml_char_t *name, struct err *err)
{
    char quoted[YAML_QUOTE_SIZE];

    if (name == NULL)
        return true;
    if (json_object_get(b->names, (const char *)name) != NULL)
        return yaml_events_fail(b->events, err,
                                "the anchor %s is there already; give this one another name",
                                quote_cstr(name, quoted));
    if (json_object_set_new(b->names, (const char *)name, json_null()) != 0)
        out_of_memory();
    return true;
}

static void close_anchor(struct builder *b, const char *name, json_t *node, struct size size)
{
    if (name == NULL)
        return;
    if (b->anchor_count == b->anchor_room) {
        b->anchor_room = b->anchor_room == 0 ? 16 : 2 * b->anchor_room;
        b->anchors = xrealloc(b->anchors, b->anchor_room * sizeof(*b->anchors));
    }
    if (json_object_set_new(b->names, name, json_integer((json_int_t)b->anchor_count)) != 0)
        out_of_memory();
    b->anchors[b->anchor_count++] = (struct anchor){json_incref(node), size};
}

/* --- attaching -------------------------------------------------------------------------------- */

static bool count_nodes(struct builder *b, size_t more, struct err *err)
{
    if (more > YAML_MAX_NODES - b->nodes)
        return yaml_events_fail(b->events, err,
                                "the document has more than %d nodes, aliases counted as often "
                                "as they are used; split it",
                                YAML_MAX_NODES);
    b->nodes += more;
    return true;
}

/* Puts a complete value where it belongs; takes the reference. */
static void attach(struct builder *b, json_t *node, struct size size)
{
    struct frame *f = top(b);

    if (f == NULL) {
        b->root = node;
        return;
    }
    f->size.nodes += size.nodes;
    f->size.bytes += size.bytes;
    f->size.has_empty |= size.has_empty;
    f->size.has_kept |= size.has_kept;
    if (size.height >= f->size.height)
        f->size.height = size.height + 1;
    if (json_is_array(f->node)) {
        if (json_array_append_new(f->node, node) != 0)
            out_of_memory();
        return;
    }
    if (json_object_set_new_nocheck(f->node, f->key, node) != 0)
        out_of_memory();
    free(STEAL(f->key));
}

static bool is_in_flow(struct builder *b)
{
    const struct frame *f = top(b);

    return f != NULL && f->flow;
}

static bool expects_key(struct builder *b)
{
    const struct frame *f = top(b);

    return f != NULL && f->key == NULL && json_is_object(f->node);
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool has_tag(const yaml_char_t *tag, const char *name)
{
    const struct bytes given = bytes_str((const char *)tag);
    const struct bytes prefix = BYTES(YAML_TAG_PREFIX);

    return bytes_starts_with(given, prefix) &&
           bytes_equal(bytes_of(given.ptr + prefix.len, given.len - prefix.len), bytes_str(name));
}

/* Allowed is only the tag that says what the node is without it (N5). */
static bool check_tag(struct builder *b, const yaml_char_t *tag, const char *untagged,
                      struct err *err)
{
    char quoted[YAML_QUOTE_SIZE];

    if (tag == NULL || has_tag(tag, untagged))
        return true;
    return yaml_events_fail(b->events, err,
                            "the tag %s is not read alike by all tools (the value without it is "
                            "!!%s); take it out, and write the value as what it should be",
                            quote_cstr(tag, quoted), untagged);
}

/* --- scalars ---------------------------------------------------------------------------------- */

/* What the scalar means, its tag checked against it. */
static bool resolve(struct builder *b, struct yaml_scalar *out, struct err *err)
{
    static const char *const names[] = {
        [YAML_SCALAR_TEXT] = "str", [YAML_SCALAR_NULL] = "null",   [YAML_SCALAR_BOOL] = "bool",
        [YAML_SCALAR_INT] = "int",  [YAML_SCALAR_FLOAT] = "float",
    };
    const yaml_event_t *event = &b->events->event;

    *out = (struct yaml_scalar){.type = YAML_SCALAR_TEXT};
    if (!yaml_style_check(b->events, is_in_flow(b), err))
        return false;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        !yaml_scalar_resolve(yaml_events_value(b->events), out, err))
        return err_prefix(err, "%zu:%zu: ", event->start_mark.line + 1,
                          event->start_mark.column + 1);
    if (out->type == YAML_SCALAR_FLOAT && event->data.scalar.tag != NULL)
        return yaml_events_fail(b->events, err,
                                "tags of numbers with a point or an exponent are "
                                "not read alike by all tools; take it out");
    return check_tag(b, event->data.scalar.tag, names[out->type], err);
}

static json_t *scalar_node(const struct yaml_scalar *s, struct bytes text)
{
    switch (s->type) {
    case YAML_SCALAR_TEXT:
        return made(json_stringn_nocheck((const char *)text.ptr, text.len));
    case YAML_SCALAR_NULL:
        return json_null();
    case YAML_SCALAR_BOOL:
        return json_boolean(s->truth);
    case YAML_SCALAR_INT:
    case YAML_SCALAR_FLOAT:
        break;
    }
    return made(s->is_integer ? json_integer(s->integer) : json_real(s->real));
}

static bool take_key(struct builder *b, const struct yaml_scalar *s, struct bytes text,
                     struct err *err)
{
    struct frame *f = top(b);
    char quoted[YAML_QUOTE_SIZE];

    if (s->type != YAML_SCALAR_TEXT)
        return yaml_events_fail(b->events, err, "a key has to be text; write %s in quotes",
                                yaml_text_quote(text, quoted));
    if (text.len > YAML_MAX_KEY_BYTES)
        return yaml_events_fail(b->events, err,
                                "a key of more than %d bytes is an error to some tools",
                                YAML_MAX_KEY_BYTES);
    if (bytes_equal(text, BYTES("<<")))
        return yaml_events_fail(b->events, err,
                                "some tools take the key \"<<\" for a merge key, "
                                "even in quotes; use another key");
    if (json_object_get(f->node, (const char *)text.ptr) != NULL)
        return yaml_events_fail(b->events, err,
                                "the key %s is in this map already; keep one of them",
                                yaml_text_quote(text, quoted));
    f->key = xstrndup((const char *)text.ptr, text.len);
    f->size.nodes++;
    f->size.bytes += text.len;
    return true;
}

static bool take_scalar(struct builder *b, struct err *err)
{
    const yaml_event_t *event = &b->events->event;
    const char *anchor = (const char *)event->data.scalar.anchor;
    const struct bytes text = yaml_events_value(b->events);
    const struct size size = {
        .nodes = 1,
        .bytes = text.len,
        .has_empty = yaml_style_is_empty(event),
        .has_kept = yaml_style_keeps_line_ends(event),
    };
    struct yaml_scalar scalar;

    const bool has_properties = event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;

    if (has_properties && !yaml_style_check_properties(b->events, err))
        return false;
    if (!open_anchor(b, event->data.scalar.anchor, err) || !resolve(b, &scalar, err) ||
        !count_nodes(b, 1, err))
        return false;
    const bool is_key = expects_key(b);

    if (is_key && !take_key(b, &scalar, text, err))
        return false;
    json_t *node = scalar_node(&scalar, text);

    close_anchor(b, anchor, node, size);
    if (is_key)
        json_decref(node);
    else
        attach(b, node, size);
    return true;
}

/* --- aliases ---------------------------------------------------------------------------------- */

static bool spend(struct builder *b, struct size size, struct err *err)
{
    struct yaml_tree_budget *budget = b->budget;

    if (b->depth + size.height > YAML_MAX_DEPTH)
        return yaml_events_fail(b->events, err, "nested deeper than %d", YAML_MAX_DEPTH);
    if (!count_nodes(b, size.nodes, err))
        return false;
    if (size.nodes > YAML_MAX_ALIAS_NODES - budget->alias_nodes ||
        size.bytes > YAML_MAX_ALIAS_BYTES - budget->alias_bytes)
        return yaml_events_fail(b->events, err,
                                "the aliases of this file add more than %d nodes or %d bytes; "
                                "split it",
                                YAML_MAX_ALIAS_NODES, YAML_MAX_ALIAS_BYTES);
    budget->alias_nodes += size.nodes;
    budget->alias_bytes += size.bytes;
    return true;
}

static bool take_alias(struct builder *b, struct err *err)
{
    const char *name = (const char *)b->events->event.data.alias.anchor;
    const json_t *index = json_object_get(b->names, name);
    char quoted[YAML_QUOTE_SIZE];

    if (expects_key(b))
        return yaml_events_fail(b->events, err, "an alias cannot be a key; write the key out");
    if (index == NULL)
        return yaml_events_fail(b->events, err, "there is no anchor %s before this alias",
                                quote_cstr(name, quoted));
    if (!json_is_integer(index))
        return yaml_events_fail(b->events, err, "the anchor %s contains itself",
                                quote_cstr(name, quoted));
    const struct anchor *a = &b->anchors[json_integer_value(index)];

    if (a->size.has_empty && is_in_flow(b))
        return yaml_style_refuse_empty(b->events, err);
    if (a->size.has_kept)
        return yaml_style_refuse_kept(b->events, err);
    /* All of it is counted before any of it is copied. */
    if (!spend(b, a->size, err))
        return false;
    attach(b, made(json_deep_copy(a->node)), a->size);
    return true;
}

/* --- maps and lists --------------------------------------------------------------------------- */

/* Two braces in the place of a key are a template that was not rendered. */
static bool refuse_complex_key(struct builder *b, struct err *err)
{
    struct yaml_events *e = b->events;
    const size_t offset = yaml_events_offset(e, &e->event.start_mark);
    const bool is_template = offset > 0 && offset < e->text.len && e->text.ptr[offset] == '{' &&
                             e->text.ptr[offset - 1] == '{';

    return yaml_events_fail(e, err, "%s",
                            is_template ? "this looks like a template: only what it renders to "
                                          "can be read"
                                        : "a map or list cannot be a key; keys are text");
}

static bool open_frame(struct builder *b, json_t *node, bool flow, const yaml_char_t *anchor,
                       const yaml_char_t *tag, struct err *err)
{
    json_auto_t *owned = made(node);

    if (expects_key(b))
        return refuse_complex_key(b, err);
    if (b->depth == YAML_MAX_DEPTH)
        return yaml_events_fail(b->events, err, "nested deeper than %d", YAML_MAX_DEPTH);
    if ((anchor != NULL || tag != NULL) && !yaml_style_check_properties(b->events, err))
        return false;
    if (!count_nodes(b, 1, err) || !open_anchor(b, anchor, err) ||
        !check_tag(b, tag, json_is_object(node) ? "map" : "seq", err))
        return false;
    b->stack[b->depth++] = (struct frame){
        .node = STEAL(owned),
        .flow = flow,
        .anchor = anchor == NULL ? NULL : xstrdup((const char *)anchor),
        .size = {.nodes = 1, .height = 1},
    };
    return true;
}

static void close_frame(struct builder *b)
{
    struct frame f = b->stack[--b->depth];

    close_anchor(b, f.anchor, f.node, f.size);
    free(f.anchor);
    attach(b, f.node, f.size);
}

/* --- the document ----------------------------------------------------------------------------- */

static bool take_event(struct builder *b, struct err *err)
{
    const yaml_event_t *event = &b->events->event;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(b, err);
    case YAML_ALIAS_EVENT:
        return take_alias(b, err);
    case YAML_MAPPING_START_EVENT:
        return open_frame(b, json_object(),
                          event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
                          event->data.mapping_start.anchor, event->data.mapping_start.tag, err);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(b, json_array(),
                          event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
                          event->data.sequence_start.anchor, event->data.sequence_start.tag, err);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_frame(b);
        return true;
    default:
        return yaml_events_fail(b->events, err, "not valid YAML");
    }
}

static void builder_release(struct builder *b)
{
    while (b->depth > 0) {
        struct frame *f = &b->stack[--b->depth];

        json_decref(f->node);
        free(f->key);
        free(f->anchor);
    }
    for (size_t i = 0; i < b->anchor_count; i++)
        json_decref(b->anchors[i].node);
    free(b->anchors);
    json_decref(b->names);
    json_decref(b->root);
}

static bool build(struct builder *b, unsigned *line, struct err *err)
{
    if (!yaml_events_next(b->events, err))
        return false;
    *line = yaml_events_line(b->events);
    for (;;) {
        if (!take_event(b, err))
            return set_path(b, err);
        if (b->root != NULL)
            return true;
        if (!yaml_events_next(b->events, err))
            return false;
    }
}

bool yaml_tree_read(struct yaml_events *e, struct yaml_tree_budget *budget, json_t **root,
                    unsigned *line, struct err *err)
{
    CLEANUP(builder_release)
    struct builder b = {.events = e, .budget = budget, .names = made(json_object())};
    unsigned first;

    if (!build(&b, &first, err) || !yaml_events_next(e, err))
        return false;
    *root = STEAL(b.root);
    *line = first;
    return true;
}
