#include "command/check.h"

#include "command/command.h"
#include "command/inputs.h"
#include "command/report.h"
#include "command/set_output.h"
#include "policy/set_verify.h"

#include "base/banned.h"

static const char usage[] = INPUTS_USAGE " [--strict] [-o text|json|sarif|junit]";

struct options {
    struct inputs inputs;
    enum report_format format;
    bool strict;
};

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {INPUTS_OPTIONS,
                                          {"output", required_argument, NULL, 'o'},
                                          {"strict", no_argument, NULL, 'S'},
                                          {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (option == 'S')
            o->strict = true;
        else if (option == 'o' ? !report_format_of(optarg, &o->format)
                               : !inputs_take(&o->inputs, option, optarg))
            return false;
    }
    return optind == argc && inputs_are_whole(&o->inputs);
}

static void take(void *context, const struct build_finding *f)
{
    struct report *report = context;
    /* report_add copies; it only lacks the const. */
    const struct report_finding finding = {
        .level = f->kind == BUILD_WARNING ? REPORT_WARNING : REPORT_ERROR,
        .rule = f->rule,
        .source = f->source,
        .path = (char *)(uintptr_t)f->path,
        .line = f->line,
        .column = f->column,
        .object = (char *)(uintptr_t)f->object,
        .message = (char *)(uintptr_t)f->message,
    };

    report_add(report, &finding);
}

static void keep_first(void *context, const char *what)
{
    struct buf *first = context;

    if (first->len == 0)
        buf_append_str(first, what);
}

/* That a server would take what was built. */
static bool prove(struct bytes file, struct err *err)
{
    struct buf problem CLEANUP(buf_release) = {0};
    CLEANUP(set_closep) struct set *set = NULL;

    if (!set_open_bytes(file, &set, err))
        return err_prefix(err, "the set that was built: ");
    if (set_verify(set, keep_first, &problem) > 0)
        return err_set(err, "the set that was built: %s", buf_cstr(&problem));
    return true;
}

static bool check(struct inputs *in, struct report *report, struct err *err)
{
    struct buf set CLEANUP(buf_release) = {0};
    struct build_summary summary;

    if (!inputs_open(in, err) || !inputs_build(in, take, report, true, &set, &summary, err))
        return false;
    report->sources = in->opened.sources;
    report->source_count = in->opened.source_count;
    report->approved = summary.approved;
    report->held = summary.held;
    report->failures = summary.failures;
    return summary.failures > 0 || prove(buf_bytes(&set), err);
}

static int run(struct options *o)
{
    struct report report CLEANUP(report_release) = {
        .command = "check", .version = MESHWRIT_VERSION, .strict = o->strict};
    struct buf out CLEANUP(buf_release) = {0};
    struct err err;

    if (!check(&o->inputs, &report, &err))
        return command_fail("check", &err);
    report_write(&report, o->format, &out);
    return set_output_text("check", buf_bytes(&out),
                           report_found(&report) ? FOUND_SOMETHING : FOUND_NOTHING);
}

int check_main(int argc, char **argv)
{
    struct options o = {0};

    const int code = read_options(argc, argv, &o) ? run(&o) : command_usage("check", usage);

    inputs_release(&o.inputs);
    return code;
}
