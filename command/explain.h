/*
 * explain.h -- `meshwrit explain`: why an object is, or is not, what Git has.
 */
#ifndef COMMAND_EXPLAIN_H
#define COMMAND_EXPLAIN_H

int explain_main(int argc, char **argv);

#endif
