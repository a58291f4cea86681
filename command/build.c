#include "command/build.h"

#include <stdio.h>

#include "base/file.h"
#include "command/command.h"
#include "command/inputs.h"

#include "base/banned.h"

static const char usage[] = INPUTS_USAGE " -o FILE";

static bool read_options(int argc, char **argv, struct inputs *in, const char **output)
{
    static const struct option longs[] = {
        INPUTS_OPTIONS, {"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (option == 'o')
            *output = optarg;
        else if (!inputs_take(in, option, optarg))
            return false;
    }
    return optind == argc && inputs_are_whole(in) && *output != NULL;
}

/* path:line: held: message, as compilers do. */
static void note(void *context, const struct build_finding *f)
{
    (void)context;
    if (f->line > 0)
        (void)fprintf(stderr, "%s:%u: ", f->path, f->line);
    else
        (void)fprintf(stderr, "%s: ", f->path);
    (void)fprintf(stderr, "%s: %s%s%s\n", f->kind == BUILD_HELD ? "held" : "warning",
                  f->object == NULL ? "" : f->object, f->object == NULL ? "" : ": ", f->message);
}

static bool build(struct inputs *in, const char *output, struct build_summary *summary,
                  struct err *err)
{
    struct buf set CLEANUP(buf_release) = {0};

    return inputs_open(in, err) && inputs_build(in, note, NULL, false, &set, summary, err) &&
           file_replace(output, buf_bytes(&set), 0644, err);
}

int build_main(int argc, char **argv)
{
    struct inputs in CLEANUP(inputs_release) = {0};
    struct build_summary summary = {0};
    const char *output = NULL;
    struct err err = {0};

    if (!read_options(argc, argv, &in, &output))
        return command_usage("build", usage);
    if (!build(&in, output, &summary, &err))
        return command_fail("build", &err);
    (void)fprintf(stderr, "%s: %zu approved, %zu held, %zu warnings\n", output, summary.approved,
                  summary.held, summary.warnings);
    return summary.held > 0 ? FOUND_SOMETHING : FOUND_NOTHING;
}
