/*
 * supervisor.h -- `meshwrit serve`: binds the sockets, starts the roles, starts again the one that
 * dies, passes messages on. Holds no key, no token, no connection.
 */
#ifndef WEBHOOK_SUPERVISOR_H
#define WEBHOOK_SUPERVISOR_H

#include "webhook/config.h"

/* Runs until SIGTERM (drains) or SIGINT (at once); returns the exit code. */
int supervisor_run(const struct config *config);

#endif
