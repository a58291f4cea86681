/*
 * command.h -- the sub-commands of meshwrit. Each gets argv from its own name on and returns the
 * exit code: 0 nothing found, 1 something was found, 2 it could not be done.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "base/err.h"

enum { FOUND_NOTHING = 0, FOUND_SOMETHING = 1, COULD_NOT = 2 };

/* "meshwrit COMMAND: message" on standard error; returns COULD_NOT. */
int command_fail(const char *command, const struct err *err);

/* The same for wrong use, with the line that shows the right one. */
int command_usage(const char *command, const char *usage);

#endif
