#include "source/yaml_tree.h"

#include <stdlib.h>

#include "base/buf.h"
#include "source/yaml_frames.h"
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

/*
 * How far a refusal reaches: what tools may read differently because of it. The zero value, which
 * a refusal has that says nothing else, is all of the document.
 */
enum reach {
    REACH_DOCUMENT,
    REACH_MAP,   /* which keys the map has */
    REACH_VALUE, /* this node; of a key: the member, whose key is no other's in any reading */
};

struct builder {
    struct yaml_events *events;
    struct yaml_tree_budget *budget;
    struct yaml_marks *marks; /* NULL: the first refusal fails */
    struct yaml_frames tree;
    size_t nodes;     /* of the document so far */
    enum reach reach; /* of the last refusal */
};

/* --- refusals --------------------------------------------------------------------------------- */

/* For the refusal that was just set. Returns false. */
static bool reaches(struct builder *b, enum reach reach)
{
    b->reach = reach;
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
    if (json_object_get(b->tree.names, (const char *)name) != NULL)
        return yaml_events_fail(b->events, err,
                                "the anchor %s is there already; give this one another name",
                                quote_cstr(name, quoted));
    if (json_object_set_new(b->tree.names, (const char *)name, json_null()) != 0)
        out_of_memory();
    return true;
}

/* --- attaching -------------------------------------------------------------------------------- */

static bool count_nodes(struct builder *b, size_t more, struct err *err)
{
    if (more > YAML_MAX_NODES - b->nodes)
        return yaml_events_fail(b->events, err,
                                "the document has more than %d nodes, aliases counted as often "
                                "as they are used; split it",
                                YAML_MAX_NODES) ||
               reaches(b, REACH_DOCUMENT);
    b->nodes += more;
    return true;
}

/* A comment in there may end up anywhere, so nothing of the document is known then. */
static bool check_properties(struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag,
                             struct err *err)
{
    if ((anchor == NULL && tag == NULL) || yaml_style_check_properties(b->events, err))
        return true;
    return reaches(b, REACH_DOCUMENT);
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

/*
 * Whether the current scalar, a plain key that no tool or not every tool reads as text, can at
 * least be no key that is text: `on`, `1`, `null`. A merge key can be any.
 */
static bool is_foreign_key(struct builder *b)
{
    const yaml_event_t *event = &b->events->event;

    return event->data.scalar.tag == NULL && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           !bytes_equal(yaml_events_value(b->events), BYTES("<<"));
}

/* What the scalar means, its tag checked against it. */
static bool resolve(struct builder *b, struct yaml_scalar *out, struct err *err)
{
    static const char *const names[] = {
        [YAML_SCALAR_TEXT] = "str", [YAML_SCALAR_NULL] = "null",   [YAML_SCALAR_BOOL] = "bool",
        [YAML_SCALAR_INT] = "int",  [YAML_SCALAR_FLOAT] = "float",
    };
    const yaml_event_t *event = &b->events->event;

    *out = (struct yaml_scalar){.type = YAML_SCALAR_TEXT};
    if (!yaml_style_check(b->events, yaml_frames_is_in_flow(&b->tree), err))
        return false;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        !yaml_scalar_resolve(yaml_events_value(b->events), out, err))
        return err_prefix(err, "%zu:%zu: ", event->start_mark.line + 1,
                          event->start_mark.column + 1) ||
               reaches(b, is_foreign_key(b) ? REACH_VALUE : b->reach);
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
        return yaml_made(json_stringn_nocheck((const char *)text.ptr, text.len));
    case YAML_SCALAR_NULL:
        return json_null();
    case YAML_SCALAR_BOOL:
        return json_boolean(s->truth);
    case YAML_SCALAR_INT:
    case YAML_SCALAR_FLOAT:
        break;
    }
    return yaml_made(s->is_integer ? json_integer(s->integer) : json_real(s->real));
}

static bool take_key(struct builder *b, const struct yaml_scalar *s, struct bytes text,
                     struct err *err)
{
    struct yaml_frame *f = yaml_frames_top(&b->tree);
    char quoted[YAML_QUOTE_SIZE];

    if (s->type != YAML_SCALAR_TEXT)
        return yaml_events_fail(b->events, err, "a key has to be text; write %s in quotes",
                                yaml_text_quote(text, quoted)) ||
               reaches(b, is_foreign_key(b) ? REACH_VALUE : REACH_MAP);
    if (bytes_equal(text, BYTES("<<")))
        return yaml_events_fail(b->events, err,
                                "some tools take the key \"<<\" for a merge key, "
                                "even in quotes; use another key") ||
               reaches(b, REACH_MAP);
    if (text.len > YAML_MAX_KEY_BYTES)
        return yaml_events_fail(b->events, err,
                                "a key of more than %d bytes is an error to some tools",
                                YAML_MAX_KEY_BYTES) ||
               reaches(b, REACH_VALUE);
    if (json_object_get(f->node, (const char *)text.ptr) != NULL)
        return yaml_events_fail(b->events, err,
                                "the key %s is in this map already; keep one of them",
                                yaml_text_quote(text, quoted)) ||
               reaches(b, REACH_VALUE);
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
    const struct yaml_size size = {
        .nodes = 1,
        .bytes = text.len,
        .has_empty = yaml_style_is_empty(event),
        .has_kept = yaml_style_keeps_line_ends(event),
    };
    const bool is_key = yaml_frames_expects_key(&b->tree);
    struct yaml_scalar scalar;

    b->reach = is_key ? REACH_MAP : REACH_VALUE;
    if (!check_properties(b, event->data.scalar.anchor, event->data.scalar.tag, err) ||
        !open_anchor(b, event->data.scalar.anchor, err) || !resolve(b, &scalar, err) ||
        !count_nodes(b, 1, err))
        return false;
    if (is_key && !take_key(b, &scalar, text, err))
        return false;
    json_t *node = scalar_node(&scalar, text);

    yaml_frames_anchor(&b->tree, anchor, node, size);
    if (is_key)
        json_decref(node);
    else
        yaml_frames_attach(&b->tree, node, size);
    return true;
}

/* --- aliases ---------------------------------------------------------------------------------- */

static bool spend(struct builder *b, struct yaml_size size, struct err *err)
{
    struct yaml_tree_budget *budget = b->budget;

    if (b->tree.depth + size.height > YAML_MAX_DEPTH)
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
    const json_t *index = json_object_get(b->tree.names, name);
    char quoted[YAML_QUOTE_SIZE];

    b->reach = yaml_frames_expects_key(&b->tree) ? REACH_MAP : REACH_VALUE;
    if (yaml_frames_expects_key(&b->tree))
        return yaml_events_fail(b->events, err, "an alias cannot be a key; write the key out");
    if (index == NULL)
        return yaml_events_fail(b->events, err, "there is no anchor %s before this alias",
                                quote_cstr(name, quoted));
    if (!json_is_integer(index))
        return yaml_events_fail(b->events, err, "the anchor %s contains itself",
                                quote_cstr(name, quoted));
    const struct yaml_anchor *a = &b->tree.anchors[json_integer_value(index)];

    if (a->size.has_empty && yaml_frames_is_in_flow(&b->tree))
        return yaml_style_refuse_empty(b->events, err);
    if (a->size.has_kept)
        return yaml_style_refuse_kept(b->events, err);
    /* All of it is counted before any of it is copied. */
    if (!spend(b, a->size, err))
        return false;
    yaml_frames_attach(&b->tree, yaml_made(json_deep_copy(a->node)), a->size);
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

/* What the start event of a map or list says. */
struct opening {
    bool is_map;
    bool flow;
    const yaml_char_t *anchor;
    const yaml_char_t *tag;
};

static struct opening opening_of(const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_START_EVENT)
        return (struct opening){true, event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
                                event->data.mapping_start.anchor, event->data.mapping_start.tag};
    return (struct opening){false, event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
                            event->data.sequence_start.anchor, event->data.sequence_start.tag};
}

static void push(struct builder *b, const struct opening *o, json_t *doubt)
{
    yaml_frames_push(&b->tree, yaml_made(o->is_map ? json_object() : json_array()), o->flow,
                     (const char *)o->anchor, doubt);
}

static bool open_frame(struct builder *b, struct err *err)
{
    const struct opening o = opening_of(&b->events->event);

    if (b->tree.depth == YAML_MAX_DEPTH)
        return yaml_events_fail(b->events, err, "nested deeper than %d", YAML_MAX_DEPTH) ||
               reaches(b, REACH_DOCUMENT);
    if (!count_nodes(b, 1, err))
        return false;
    if (yaml_frames_expects_key(&b->tree))
        return refuse_complex_key(b, err) || reaches(b, REACH_MAP);
    b->reach = REACH_VALUE;
    if (!check_properties(b, o.anchor, o.tag, err) || !open_anchor(b, o.anchor, err) ||
        !check_tag(b, o.tag, o.is_map ? "map" : "seq", err))
        return false;
    push(b, &o, NULL);
    return true;
}

/* --- going on behind a refusal (N35) ---------------------------------------------------------- */

/* What aliases of the anchor bring is not known, also not if it was there before. */
static void spoil_anchor(struct builder *b, const yaml_char_t *name, json_t *mark)
{
    yaml_frames_anchor(&b->tree, (const char *)name, mark, (struct yaml_size){.nodes = 1});
}

/* The refused scalar or alias is a key. */
static void mark_key(struct builder *b, json_t *mark)
{
    struct yaml_frame *f = yaml_frames_top(&b->tree);
    const yaml_event_t *event = &b->events->event;
    const bool is_alias = event->type == YAML_ALIAS_EVENT;

    if (b->reach == REACH_MAP && f->doubt == NULL)
        f->doubt = json_incref(mark);
    yaml_frames_expect(f, is_alias ? "*" : (const char *)event->data.scalar.value,
                       json_incref(mark));
}

/* The refused event opens a map or list: it is read, for its anchors, and none of it kept. */
static void mark_frame(struct builder *b, json_t *mark)
{
    const struct opening o = opening_of(&b->events->event);
    struct yaml_frame *f = yaml_frames_top(&b->tree);

    if (yaml_frames_expects_key(&b->tree) && f->doubt == NULL)
        f->doubt = json_incref(mark);
    if (o.anchor != NULL)
        spoil_anchor(b, o.anchor, mark);
    push(b, &o, json_incref(mark));
}

/* Whether nothing of the document can be known because of the current event, which was refused. */
static bool spoils_document(struct builder *b, struct err *err)
{
    return b->reach == REACH_DOCUMENT || !count_nodes(b, 1, err) ||
           (b->events->event.type == YAML_SCALAR_EVENT &&
            yaml_style_tears(b->events, yaml_frames_is_in_flow(&b->tree)));
}

/* Puts a mark in the place of what the current event, which was refused, would have been. */
static bool mark_refused(struct builder *b, struct err *err)
{
    const yaml_event_t *event = &b->events->event;

    yaml_frames_path(&b->tree, err);
    if (b->marks == NULL)
        return false;
    if (spoils_document(b, err)) {
        b->tree.root = yaml_marks_make_root(b->marks, err);
        return true;
    }
    json_auto_t *mark = yaml_marks_make(b->marks, err);

    if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT) {
        mark_frame(b, mark);
        return true;
    }
    if (event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor != NULL)
        spoil_anchor(b, event->data.scalar.anchor, mark);
    if (yaml_frames_expects_key(&b->tree))
        mark_key(b, mark);
    else
        yaml_frames_attach(&b->tree, STEAL(mark), (struct yaml_size){.nodes = 1});
    return true;
}

/* --- the document ----------------------------------------------------------------------------- */

static bool take_event(struct builder *b, struct err *err)
{
    b->reach = REACH_DOCUMENT;
    switch (b->events->event.type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(b, err);
    case YAML_ALIAS_EVENT:
        return take_alias(b, err);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(b, err);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        yaml_frames_close(&b->tree);
        return true;
    default:
        return yaml_events_fail(b->events, err, "not valid YAML");
    }
}

static void builder_release(struct builder *b)
{
    yaml_frames_release(&b->tree);
}

static bool build(struct builder *b, unsigned *line, struct err *err)
{
    if (!yaml_events_next(b->events, err))
        return false;
    *line = yaml_events_line(b->events);
    for (;;) {
        if (!take_event(b, err)) {
            if (!mark_refused(b, err))
                return false;
        }
        if (b->tree.root != NULL)
            return true;
        if (!yaml_events_next(b->events, err))
            return false;
    }
}

/* To the end of the document: its root may be a mark that was made before all of it was read. */
static bool finish(struct yaml_events *e, struct err *err)
{
    do {
        if (!yaml_events_next(e, err))
            return false;
    } while (e->event.type != YAML_DOCUMENT_END_EVENT);
    return true;
}

bool yaml_tree_read(struct yaml_events *e, struct yaml_tree_budget *budget,
                    struct yaml_marks *marks, json_t **root, unsigned *line, struct err *err)
{
    CLEANUP(builder_release)
    struct builder b = {.events = e, .budget = budget, .marks = marks};
    unsigned first;

    yaml_frames_start(&b.tree);
    if (!build(&b, &first, err) || !finish(e, err))
        return false;
    *root = STEAL(b.tree.root);
    *line = first;
    return true;
}
