/*
 * yaml_events.h -- libyaml's events over a text that was checked (yaml_text.h), one at a time.
 */
#ifndef SOURCE_YAML_EVENTS_H
#define SOURCE_YAML_EVENTS_H

#include <yaml.h>

#include "base/bytes.h"
#include "base/err.h"

struct yaml_events {
    struct bytes text;
    yaml_parser_t parser;
    yaml_event_t event; /* the last one; belongs to this struct */

    /* A character and the byte it begins at: marks count characters. */
    size_t character;
    size_t offset;
};

/* `text` is UTF-8 without a byte order mark, and stays where it is until the stop. */
void yaml_events_start(struct yaml_events *e, struct bytes text);
void yaml_events_stop(struct yaml_events *e);

/* Reads the next event; the message of a failure has its place in front. */
MUST_USE bool yaml_events_next(struct yaml_events *e, struct err *err);

/* Reads past the node whose first event is the current one; stands on its last event then. */
MUST_USE bool yaml_events_skip(struct yaml_events *e, struct err *err);

/* The byte that `mark` stands for. Marks of one text are asked for in rising order, mostly. */
size_t yaml_events_offset(struct yaml_events *e, const yaml_mark_t *mark);

/* Sets the message, with the place of the current event in front. Returns false. */
bool yaml_events_fail(const struct yaml_events *e, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The value of the current scalar event. */
static inline struct bytes yaml_events_value(const struct yaml_events *e)
{
    return bytes_of(e->event.data.scalar.value, e->event.data.scalar.length);
}

static inline unsigned yaml_events_line(const struct yaml_events *e)
{
    return (unsigned)e->event.start_mark.line + 1;
}

#endif
