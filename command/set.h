/*
 * set.h -- meshwrit set show|list|verify|diff: what is in a writ.set, for people and programs.
 */
#ifndef COMMAND_SET_H
#define COMMAND_SET_H

/* argv[0] is "set". */
int set_main(int argc, char **argv);

#endif
