#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/mem.h"
#include "command/build.h"
#include "command/certs.h"
#include "command/check.h"
#include "command/command.h"
#include "command/explain.h"
#include "command/review.h"
#include "command/serve.h"
#include "command/set.h"

#include "base/banned.h"

static int version_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)puts("meshwrit " MESHWRIT_VERSION);
    return FOUND_NOTHING;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"serve", serve_main, "answer admission reviews over TLS"},
    {"build", build_main, "make a writ.set from a Git repository"},
    {"check", check_main, "lint a Git repository, prove that a set can be built"},
    {"set", set_main, "show, list, verify or compare sets"},
    {"explain", explain_main, "say why an object is, or is not, what Git has"},
    {"review", review_main, "decide AdmissionReviews offline"},
    {"certs", certs_main, "make, renew or show certificates"},
    {"version", version_main, "print the version"},
};

static void print_help(FILE *out)
{
    (void)fputs("usage: meshwrit COMMAND [OPTION]...\n\n", out);
    for (size_t i = 0; i < COUNT(commands); i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fputs("\nExit codes: 0 nothing found, 1 something was found, 2 it could not be done.\n",
                out);
}

int main(int argc, char **argv)
{
    /* A document that lost a member for want of memory must not look like one: the process ends. */
    json_set_alloc_funcs(xmalloc, free);
    if (argc < 2) {
        print_help(stderr);
        return COULD_NOT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return FOUND_NOTHING;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version_main(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "meshwrit: unknown command \"%s\"; meshwrit --help lists them\n",
                  argv[1]);
    return COULD_NOT;
}
