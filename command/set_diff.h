/*
 * set_diff.h -- meshwrit set diff: what a new set says differently from an old one.
 */
#ifndef COMMAND_SET_DIFF_H
#define COMMAND_SET_DIFF_H

extern const char set_diff_usage[];

int set_diff_main(int argc, char **argv);

#endif
