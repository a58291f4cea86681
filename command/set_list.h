/*
 * set_list.h -- meshwrit set list: a line for each entry of a set.
 */
#ifndef COMMAND_SET_LIST_H
#define COMMAND_SET_LIST_H

extern const char set_list_usage[];

int set_list_main(int argc, char **argv);

#endif
