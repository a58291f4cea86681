/*
 * check.h -- `meshwrit check`: lints a repository and proves that a set can be built from it.
 */
#ifndef COMMAND_CHECK_H
#define COMMAND_CHECK_H

int check_main(int argc, char **argv);

#endif
