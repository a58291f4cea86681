/* Where a field stands: the events are read again, past everything that is not on its path. */
#include <stdlib.h>

#include "base/buf.h"
#include "source/yaml.h"
#include "source/yaml_events.h"
#include "source/yaml_place.h"
#include "source/yaml_scalar.h"
#include "source/yaml_text.h"

#include "base/banned.h"

/* --- paths ------------------------------------------------------------------------------------ */

/* One step of a path: a key, or the index of a list. */
struct step {
    struct buf key;
    bool is_index;
    size_t index;
};

/* ["a.b"], from behind the `["`; a backslash keeps the next character as it is. */
static const char *take_quoted(const char *path, struct step *out)
{
    while (*path != '\0' && *path != '"') {
        if (*path == '\\' && path[1] != '\0')
            path++;
        buf_byte(&out->key, (uint8_t)*path++);
    }
    if (*path == '"')
        path++;
    return *path == ']' ? path + 1 : path;
}

static const char *take_index(const char *path, struct step *out)
{
    out->is_index = true;
    for (; *path >= '0' && *path <= '9'; path++)
        if (out->index <= YAML_MAX_NODES)
            out->index = 10 * out->index + (size_t)(*path - '0');
    return *path == ']' ? path + 1 : path;
}

/* The next step of the path, and what is left of it; NULL at its end. */
static const char *take_step(const char *path, struct step *out)
{
    out->key.len = 0;
    out->is_index = false;
    out->index = 0;
    if (*path == '\0')
        return NULL;
    if (path[0] == '[' && path[1] == '"')
        return take_quoted(path + 2, out);
    if (path[0] == '[')
        return take_index(path + 1, out);
    if (*path == '.')
        path++;
    const size_t length = strcspn(path, ".[");

    buf_append(&out->key, bytes_of(path, length));
    return path + length;
}

/* --- events ----------------------------------------------------------------------------------- */

static const struct yaml_place nowhere;

static struct yaml_place place_of(const struct yaml_events *e)
{
    return (struct yaml_place){yaml_events_line(e), (unsigned)e->event.start_mark.column + 1};
}

static bool is_end(const struct yaml_events *e)
{
    return e->event.type == YAML_MAPPING_END_EVENT || e->event.type == YAML_SEQUENCE_END_EVENT;
}

/* Skips the current node and reads the first event behind it. */
static bool next_sibling(struct yaml_events *e)
{
    struct err unused;

    return yaml_events_skip(e, &unused) && yaml_events_next(e, &unused);
}

/* From a map's start to the value of `key`; *place becomes the key's. False: it is not there. */
static bool enter_map(struct yaml_events *e, struct bytes key, struct yaml_place *place)
{
    struct err unused;

    if (!yaml_events_next(e, &unused))
        return false;
    while (!is_end(e)) {
        const bool found =
            e->event.type == YAML_SCALAR_EVENT && bytes_equal(yaml_events_value(e), key);
        const struct yaml_place key_place = place_of(e);

        if (!next_sibling(e))
            return false;
        if (found) {
            *place = key_place;
            return true;
        }
        if (!next_sibling(e))
            return false;
    }
    return false;
}

static bool enter_list(struct yaml_events *e, size_t index, struct yaml_place *place)
{
    struct err unused;

    if (!yaml_events_next(e, &unused))
        return false;
    for (; !is_end(e); index--) {
        if (index == 0) {
            *place = place_of(e);
            return true;
        }
        if (!next_sibling(e))
            return false;
    }
    return false;
}

/* From the root's first event down the path, as far as it goes. */
static struct yaml_place follow(struct yaml_events *e, const char *path)
{
    struct yaml_place place = place_of(e);
    struct step step = {0};

    while ((path = take_step(path, &step)) != NULL) {
        const bool deeper = step.is_index ? e->event.type == YAML_SEQUENCE_START_EVENT &&
                                                enter_list(e, step.index, &place)
                                          : e->event.type == YAML_MAPPING_START_EVENT &&
                                                enter_map(e, buf_bytes(&step.key), &place);

        if (!deeper)
            break;
    }
    buf_release(&step.key);
    return place;
}

/* Whether the current node is a document that yaml_read leaves out. */
static bool is_null(const struct yaml_events *e)
{
    struct yaml_scalar scalar;
    struct err unused;

    return e->event.type == YAML_SCALAR_EVENT &&
           e->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           yaml_scalar_resolve(yaml_events_value(e), &scalar, &unused) &&
           scalar.type == YAML_SCALAR_NULL;
}

static struct yaml_place find(struct yaml_events *e, size_t document, const char *path)
{
    struct err unused;

    for (;;) {
        if (!yaml_events_next(e, &unused) || e->event.type == YAML_STREAM_END_EVENT)
            return nowhere;
        if (e->event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (!yaml_events_next(e, &unused))
            return nowhere;
        if (!is_null(e) && document-- == 0)
            return follow(e, path);
        if (!yaml_events_skip(e, &unused))
            return nowhere;
    }
}

struct yaml_place yaml_place_of(struct bytes text, size_t document, const char *path)
{
    struct yaml_events events;
    struct err unused;

    if (!yaml_text_check(text, &text, &unused))
        return nowhere;
    yaml_events_start(&events, text);
    const struct yaml_place place = find(&events, document, path);

    yaml_events_stop(&events);
    return place;
}

unsigned yaml_line_of(struct bytes text, size_t document, const char *path)
{
    return yaml_place_of(text, document, path).line;
}
