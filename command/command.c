#include "command/command.h"

#include <stdio.h>

#include "base/banned.h"

int command_fail(const char *command, const struct err *err)
{
    (void)fprintf(stderr, "meshwrit %s: %s\n", command, err->message);
    return COULD_NOT;
}

int command_usage(const char *command, const char *usage)
{
    (void)fprintf(stderr, "usage: meshwrit %s %s\n", command, usage);
    return COULD_NOT;
}
