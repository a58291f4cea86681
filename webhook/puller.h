/*
 * puller.h -- the source process (design.md section 4): looks at each repository when its interval
 * is over, builds a new set when a commit has changed, publishes it by an atomic rename, and says
 * so.
 *
 * Holds no TLS key and no client connection. Each look runs in a child of its own, with a time
 * limit: libgit2 has none.
 */
#ifndef WEBHOOK_PULLER_H
#define WEBHOOK_PULLER_H

#include "webhook/config.h"

enum { PULLER_FETCH_SECONDS = 60 };

/*
 * Runs until the channel closes. Sends "published", and "status {json}" whenever the state of a
 * source or of the set has changed. Returns the process's exit code.
 */
int puller_run(const struct config *config, int channel);

/* The file that is published: STATEDIR/writ.set. The caller frees. */
char *puller_set_path(const struct config *config);

#endif
