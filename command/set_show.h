/*
 * set_show.h -- meshwrit set show: what a set is, on one page.
 */
#ifndef COMMAND_SET_SHOW_H
#define COMMAND_SET_SHOW_H

extern const char set_show_usage[];

int set_show_main(int argc, char **argv);

#endif
