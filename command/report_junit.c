/*
 * JUnit XML as CI systems read it: one suite; a case for the set, and one for each finding. What
 * counts is a failure, so that the numbers say what the exit code says; a warning that does not
 * count is a case that passed and has output.
 */
#include <stdio.h>

#include "command/report.h"
#include "command/set_output.h"

#include "base/banned.h"

/* For attributes and for content. `text` is clean: XML 1.0 has no control characters. */
static void append_escaped(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            buf_append_str(out, "&amp;");
            break;
        case '<':
            buf_append_str(out, "&lt;");
            break;
        case '>': /* "]]>" may not stand in content */
            buf_append_str(out, "&gt;");
            break;
        case '"':
            buf_append_str(out, "&quot;");
            break;
        case '\'':
            buf_append_str(out, "&apos;");
            break;
        case 0xef: /* U+FFFE and U+FFFF are no characters of XML */
            if (i + 2 < text.len && text.ptr[i + 1] == 0xbf && text.ptr[i + 2] >= 0xbe) {
                buf_append_str(out, "\xef\xbf\xbd");
                i += 2;
                break;
            }
            buf_byte(out, text.ptr[i]);
            break;
        default:
            buf_byte(out, text.ptr[i]);
        }
    }
}

static void append_clean(struct buf *out, const char *text)
{
    struct buf clean CLEANUP(buf_release) = {0};

    set_output_clean(&clean, bytes_str(text));
    append_escaped(out, buf_bytes(&clean));
}

/* PATH:LINE:COLUMN: error: OBJECT: MESSAGE */
static void append_line(struct buf *out, const struct report_finding *f)
{
    struct buf line CLEANUP(buf_release) = {0};

    report_place(f, &line);
    buf_printf(&line, ": %s: ", report_level(f->level));
    report_text(f, &line);
    append_escaped(out, buf_bytes(&line));
}

static void append_finding(struct buf *out, const struct report *r, const struct report_finding *f)
{
    char rule[REPORT_RULE_SIZE];

    buf_append_str(out, "    <testcase classname=\"");
    if (!report_has_one_source(r)) {
        append_clean(out, f->source);
        buf_byte(out, '/');
    }
    append_clean(out, f->path);
    buf_append_str(out, "\" name=\"");
    buf_printf(out, "%s%s", report_rule(f->rule, rule), f->rule > 0 ? " " : "");
    append_clean(out, f->object == NULL ? f->path : f->object);
    if (f->line > 0)
        buf_printf(out, " at %u:%u\" file=\"", f->line, f->column);
    else
        buf_append_str(out, "\" file=\"");
    append_clean(out, f->path);
    if (f->line > 0)
        buf_printf(out, "\" line=\"%u", f->line);
    buf_append_str(out, "\" time=\"0\">\n");
    if (report_counts(r, f->level)) {
        buf_printf(out, "      <failure type=\"%s\" message=\"", report_rule(f->rule, rule));
        append_clean(out, f->message);
        buf_append_str(out, "\">");
        append_line(out, f);
        buf_append_str(out, "</failure>\n");
    } else {
        buf_append_str(out, "      <system-out>");
        append_line(out, f);
        buf_append_str(out, "</system-out>\n");
    }
    buf_append_str(out, "    </testcase>\n");
}

/* So that a repository without findings is a suite that passed, and not one without tests. */
static void append_set(struct buf *out, const struct report *r)
{
    const char *element = r->failures > 0 ? "failure" : "system-out";
    struct buf summary CLEANUP(buf_release) = {0};

    report_summary(r, &summary);
    buf_append_str(out, "    <testcase classname=\"meshwrit\" name=\"a set can be built\" "
                        "time=\"0\">\n");
    buf_printf(out, "      <%s>", element);
    append_clean(out, buf_cstr(&summary));
    buf_printf(out, "</%s>\n    </testcase>\n", element);
}

/* tests="3" failures="1" errors="0" skipped="0" time="0" */
static void append_counts(struct buf *out, const struct report *r)
{
    size_t failures = r->failures > 0;

    for (size_t i = 0; i < r->count; i++)
        failures += report_counts(r, r->findings[i].level);
    buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" time=\"0\">\n",
               r->count + 1, failures);
}

void report_junit(const struct report *r, struct buf *out)
{
    buf_append_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    buf_printf(out, "<testsuites name=\"meshwrit %s", r->command);
    append_counts(out, r);
    buf_append_str(out, "  <testsuite name=\"");
    for (size_t i = 0; i < r->source_count; i++) {
        buf_append_str(out, i > 0 ? ", " : "");
        append_clean(out, r->sources[i].name);
    }
    append_counts(out, r);
    append_set(out, r);
    for (size_t i = 0; i < r->count; i++)
        append_finding(out, r, &r->findings[i]);
    buf_append_str(out, "  </testsuite>\n</testsuites>\n");
}
