#include "command/explain_output.h"

#include <stdlib.h>

#include "command/explain_object.h"
#include "command/set_output.h"

#include "base/banned.h"

enum { VALUE_LIMIT = 120 };

static void append_text(struct buf *out, const json_t *map, const char *key)
{
    set_output_clean(out, explain_text_of(map, key));
}

/* "  digest     4a5b…" if it is there. */
static void append_row(struct buf *out, const char *label, const json_t *map, const char *key)
{
    if (json_object_get(map, key) == NULL)
        return;
    buf_printf(out, "  %-12s", label);
    append_text(out, map, key);
    buf_byte(out, '\n');
}

/* (mesh 3f2c1ab clusters/prod/reviews.yaml:14) */
static void append_entry(struct buf *out, const json_t *e)
{
    const json_t *entry = json_object_get(e, "entry");
    const struct bytes commit = explain_text_of(entry, "commit");

    if (entry == NULL)
        return;
    buf_printf(out, "  %-12s", "Git's entry");
    append_text(out, entry, "source");
    buf_byte(out, ' ');
    set_output_clean(out,
                     bytes_of(commit.ptr, commit.len < SHORT_COMMIT ? commit.len : SHORT_COMMIT));
    buf_byte(out, ' ');
    append_text(out, entry, "path");
    buf_printf(out, ":%lld\n", (long long)json_integer_value(json_object_get(entry, "line")));
    if (!json_equal(json_object_get(e, "digest"), json_object_get(entry, "digest")))
        append_row(out, "its digest", entry, "digest");
    append_row(out, "held", entry, "message");
}

static void append_writer(struct buf *out, const json_t *writer)
{
    if (writer == NULL)
        return;
    append_text(out, writer, "manager");
    buf_append_str(out, " (");
    append_text(out, writer, "operation");
    buf_append_str(out, ") at ");
    append_text(out, writer, "time");
}

static void append_differences(struct buf *out, const json_t *differences, const json_t *left_out)
{
    size_t i;
    json_t *difference;

    if (json_array_size(differences) == 0)
        return;
    buf_append_str(out, "\ndiffers from Git at\n");
    json_array_foreach((json_t *)(uintptr_t)differences, i, difference)
    {
        buf_append_str(out, "  ");
        append_text(out, difference, "text");
        if (json_object_get(difference, "writer") != NULL) {
            buf_append_str(out, "\n    written by ");
            append_writer(out, json_object_get(difference, "writer"));
        }
        buf_byte(out, '\n');
    }
    if (json_integer_value(left_out) > 0)
        buf_printf(out, "  and %lld more\n", (long long)json_integer_value(left_out));
}

static void append_value(struct buf *out, const json_t *value)
{
    CLEANUP(freep) char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    const struct bytes whole = bytes_str(text);

    set_output_clean(out, bytes_of(whole.ptr, whole.len < VALUE_LIMIT ? whole.len : VALUE_LIMIT));
    if (whole.len > VALUE_LIMIT)
        buf_append_str(out, "...");
}

/* added    spec.x: "y" */
static void append_step(struct buf *out, const json_t *step)
{
    const json_t *before = json_object_get(step, "before");
    const json_t *after = json_object_get(step, "after");

    buf_printf(out, "    %-9s", json_string_value(json_object_get(step, "action")));
    append_text(out, step, "path");
    buf_append_str(out, ": ");
    if (before != NULL)
        append_value(out, before);
    if (before != NULL && after != NULL)
        buf_append_str(out, " -> ");
    if (after != NULL)
        append_value(out, after);
    buf_byte(out, '\n');
}

/* A heading for each rule, as long as it is the same. */
static void append_steps(struct buf *out, const json_t *e)
{
    const json_t *steps = json_object_get(e, "trace");
    struct bytes last = {0};
    size_t i;
    json_t *step;

    if (json_array_size(steps) == 0 && json_object_get(e, "normalForm") == NULL)
        return;
    buf_append_str(out, "\nwhat the rules did\n");
    if (json_array_size(steps) == 0)
        buf_append_str(out, "  nothing\n");
    json_array_foreach((json_t *)(uintptr_t)steps, i, step)
    {
        const struct bytes rule = explain_text_of(step, "rule");

        if (!bytes_equal(rule, last)) {
            buf_printf(out, "  %.*s: ", BYTES_FMT(rule));
            append_text(out, step, "about");
            buf_byte(out, '\n');
        }
        last = rule;
        append_step(out, step);
    }
}

static void append_notes(struct buf *out, const json_t *notes)
{
    size_t i;
    json_t *note;

    json_array_foreach((json_t *)(uintptr_t)notes, i, note)
    {
        buf_printf(out, "  %-12s", "note");
        set_output_clean(out, bytes_of(json_string_value(note), json_string_length(note)));
        buf_byte(out, '\n');
    }
}

/* JSON escapes C0, but not C1. */
static void append_form(struct buf *out, const json_t *form)
{
    CLEANUP(freep)
    char *text = form == NULL ? NULL : json_dumps(form, JSON_INDENT(2) | JSON_SORT_KEYS);

    if (text == NULL)
        return;
    buf_append_str(out, "\nnormal form\n");
    for (const char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");

        set_output_clean(out, bytes_of(line, len));
        buf_byte(out, '\n');
        line += len + (line[len] == '\n');
    }
}

void explain_output_text(const json_t *e, struct buf *out)
{
    append_text(out, e, "identity");
    buf_append_str(out, ": ");
    append_text(out, e, "verdict");
    buf_byte(out, '\n');
    append_row(out, "why", e, "problem");
    append_row(out, "taken as", e, "assumed");
    append_row(out, "mode", e, "mode");
    append_row(out, "digest", e, "digest");
    append_entry(out, e);
    if (json_object_get(e, "lastWriter") != NULL) {
        buf_printf(out, "  %-12s", "last writer");
        append_writer(out, json_object_get(e, "lastWriter"));
        buf_byte(out, '\n');
    }
    append_notes(out, json_object_get(e, "notes"));
    append_differences(out, json_object_get(e, "differences"), json_object_get(e, "leftOut"));
    append_steps(out, e);
    append_form(out, json_object_get(e, "normalForm"));
}
