#include "command/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "command/set_output.h"

#include "base/banned.h"

/* --- collecting ------------------------------------------------------------------------------- */

bool report_format_of(const char *name, enum report_format *out)
{
    static const char *const names[] = {
        [REPORT_TEXT] = "text",
        [REPORT_JSON] = "json",
        [REPORT_SARIF] = "sarif",
        [REPORT_JUNIT] = "junit",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *out = (enum report_format)i;
        return true;
    }
    return false;
}

void report_add(struct report *r, const struct report_finding *finding)
{
    if (finding->level == REPORT_ERROR)
        r->errors++;
    else
        r->warnings++;
    if (r->count == REPORT_MAX_FINDINGS)
        return;
    if (r->count == r->cap) {
        r->cap = r->cap == 0 ? 64 : 2 * r->cap;
        r->findings = xrealloc(r->findings, r->cap * sizeof(r->findings[0]));
    }
    struct report_finding *copy = &r->findings[r->count++];

    *copy = *finding;
    copy->path = xstrdup(finding->path);
    copy->object = finding->object == NULL ? NULL : xstrdup(finding->object);
    copy->message = xstrdup(finding->message);
}

void report_release(struct report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->findings[i].path);
        free(r->findings[i].object);
        free(r->findings[i].message);
    }
    free(r->findings);
    *r = (struct report){0};
}

bool report_counts(const struct report *r, enum report_level level)
{
    return level == REPORT_ERROR || r->strict;
}

bool report_found(const struct report *r)
{
    return r->errors > 0 || (r->strict && r->warnings > 0);
}

static int compare(const void *a, const void *b)
{
    const struct report_finding *one = a;
    const struct report_finding *other = b;
    int order = strcmp(one->source, other->source);

    if (order == 0)
        order = strcmp(one->path, other->path);
    if (order == 0)
        order = (one->line > other->line) - (one->line < other->line);
    if (order == 0)
        order = (one->column > other->column) - (one->column < other->column);
    if (order == 0)
        order = (one->rule > other->rule) - (one->rule < other->rule);
    if (order == 0)
        order = strcmp(one->object == NULL ? "" : one->object,
                       other->object == NULL ? "" : other->object);
    return order != 0 ? order : strcmp(one->message, other->message);
}

/* --- pieces ----------------------------------------------------------------------------------- */

void report_place(const struct report_finding *f, struct buf *out)
{
    set_output_clean(out, bytes_str(f->path));
    if (f->line > 0)
        buf_printf(out, ":%u", f->line);
    if (f->line > 0 && f->column > 0)
        buf_printf(out, ":%u", f->column);
}

void report_text(const struct report_finding *f, struct buf *out)
{
    if (f->object != NULL) {
        set_output_clean(out, bytes_str(f->object));
        buf_append_str(out, ": ");
    }
    set_output_clean(out, bytes_str(f->message));
}

const char *report_rule(unsigned rule, char out[REPORT_RULE_SIZE])
{
    out[0] = '\0';
    if (rule > 0)
        (void)snprintf(out, REPORT_RULE_SIZE, "N%u", rule);
    return out;
}

const char *report_level(enum report_level level)
{
    return level == REPORT_ERROR ? "error" : "warning";
}

void report_summary(const struct report *r, struct buf *out)
{
    if (r->failures > 0)
        buf_printf(out, "no set can be built: %zu %s the whole generation", r->failures,
                   r->failures == 1 ? "document fails" : "documents fail");
    else
        buf_printf(out, "a set can be built: %zu approved, %zu held", r->approved, r->held);
    for (size_t i = 0; i < r->source_count; i++)
        buf_printf(out, "%s%s %.*s", i == 0 ? " (" : ", ", r->sources[i].name, SHORT_COMMIT,
                   r->sources[i].commit);
    buf_byte(out, ')');
}

json_t *report_sources(const struct report *r)
{
    json_t *sources = json_array();

    for (size_t i = 0; i < r->source_count; i++) {
        json_t *source = json_object();

        set_output_add(source, "name", set_output_string(bytes_str(r->sources[i].name)));
        set_output_add(source, "commit", set_output_string(bytes_str(r->sources[i].commit)));
        if (json_array_append_new(sources, source) != 0)
            out_of_memory();
    }
    return sources;
}

bool report_has_one_source(const struct report *r)
{
    return r->source_count <= 1;
}

static size_t left_out(const struct report *r)
{
    return r->errors + r->warnings - r->count;
}

/* --- text and JSON ---------------------------------------------------------------------------- */

/* PATH:LINE:COLUMN: error: OBJECT: MESSAGE [N13], as compilers do. */
static void write_text(const struct report *r, struct buf *out)
{
    char rule[REPORT_RULE_SIZE];

    for (size_t i = 0; i < r->count; i++) {
        const struct report_finding *f = &r->findings[i];

        report_place(f, out);
        buf_printf(out, ": %s: ", report_level(f->level));
        report_text(f, out);
        if (f->rule > 0)
            buf_printf(out, " [%s]", report_rule(f->rule, rule));
        if (!report_has_one_source(r))
            buf_printf(out, " in %s", f->source);
        buf_byte(out, '\n');
    }
    if (left_out(r) > 0)
        buf_printf(out, "and %zu more\n", left_out(r));
    buf_printf(out, "%zu %s, %zu %s; ", r->errors, r->errors == 1 ? "error" : "errors", r->warnings,
               r->warnings == 1 ? "warning" : "warnings");
    report_summary(r, out);
    buf_byte(out, '\n');
}

static json_t *finding_json(const struct report_finding *f)
{
    json_t *object = json_object();
    char rule[REPORT_RULE_SIZE];

    set_output_add(object, "level", json_string(report_level(f->level)));
    if (f->rule > 0)
        set_output_add(object, "rule", json_string(report_rule(f->rule, rule)));
    set_output_add(object, "source", set_output_string(bytes_str(f->source)));
    set_output_add(object, "path", set_output_string(bytes_str(f->path)));
    if (f->line > 0)
        set_output_add(object, "line", json_integer(f->line));
    if (f->line > 0 && f->column > 0)
        set_output_add(object, "column", json_integer(f->column));
    if (f->object != NULL)
        set_output_add(object, "object", set_output_string(bytes_str(f->object)));
    set_output_add(object, "message", set_output_string(bytes_str(f->message)));
    return object;
}

static void write_json(const struct report *r, struct buf *out)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < r->count; i++) {
        if (json_array_append_new(findings, finding_json(&r->findings[i])) != 0)
            out_of_memory();
    }
    json_t *all = json_object();

    set_output_add(all, "sources", report_sources(r));
    set_output_add(all, "buildable", json_boolean(r->failures == 0));
    set_output_add(all, "approved", json_integer((json_int_t)r->approved));
    set_output_add(all, "held", json_integer((json_int_t)r->held));
    set_output_add(all, "errors", json_integer((json_int_t)r->errors));
    set_output_add(all, "warnings", json_integer((json_int_t)r->warnings));
    set_output_add(all, "leftOut", json_integer((json_int_t)left_out(r)));
    set_output_add(all, "findings", findings);
    set_output_dump(all, 0, out);
}

void report_write(struct report *r, enum report_format format, struct buf *out)
{
    static void (*const writers[])(const struct report *, struct buf *) = {
        [REPORT_TEXT] = write_text,
        [REPORT_JSON] = write_json,
        [REPORT_SARIF] = report_sarif,
        [REPORT_JUNIT] = report_junit,
    };

    if (r->count > 0)
        qsort(r->findings, r->count, sizeof(r->findings[0]), compare);
    writers[format](r, out);
}
