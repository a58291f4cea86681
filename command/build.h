/*
 * build.h -- meshwrit build: a commit, schemas and a policy become a writ.set.
 */
#ifndef COMMAND_BUILD_H
#define COMMAND_BUILD_H

int build_main(int argc, char **argv);

#endif
