#include "command/set.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "command/command.h"
#include "command/set_diff.h"
#include "command/set_list.h"
#include "command/set_show.h"
#include "command/set_verify.h"

#include "base/banned.h"

static const char usage[] = "show|list|verify|diff SET [SET]";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"show", set_show_main},
    {"list", set_list_main},
    {"verify", set_verify_main},
    {"diff", set_diff_main},
};

static int help(void)
{
    (void)printf("usage: meshwrit set show %s\n", set_show_usage);
    (void)printf("       meshwrit set list %s\n", set_list_usage);
    (void)printf("       meshwrit set verify %s\n", set_verify_usage);
    (void)printf("       meshwrit set diff %s\n", set_diff_usage);
    return FOUND_NOTHING;
}

int set_main(int argc, char **argv)
{
    if (argc < 2)
        return command_usage("set", usage);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help();
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return command_usage("set", usage);
}
