/*
 * serve.h -- meshwrit serve: the server and its processes.
 */
#ifndef COMMAND_SERVE_H
#define COMMAND_SERVE_H

int serve_main(int argc, char **argv);

#endif
