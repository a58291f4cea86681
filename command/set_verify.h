/*
 * set_verify.h -- meshwrit set verify: whether a set is what it says.
 */
#ifndef COMMAND_SET_VERIFY_H
#define COMMAND_SET_VERIFY_H

extern const char set_verify_usage[];

int set_verify_main(int argc, char **argv);

#endif
