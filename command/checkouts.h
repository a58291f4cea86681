/*
 * checkouts.h -- the sources of a config, fetched once into a temporary folder: what `build` works
 * on that has no state directory of its own.
 */
#ifndef COMMAND_CHECKOUTS_H
#define COMMAND_CHECKOUTS_H

#include "webhook/generation.h"

struct checkouts {
    struct checkout *items; /* one for each source of the config, in its order */
    char **folders;
    size_t count;
    char *folder; /* all of it; NULL: none was made */
};

/*
 * Fetches every source. `revs`: "NAME=COMMIT", for sources that are to be at another commit than
 * the newest of their ref; it has to be in the history of that. Also after a failure the caller
 * calls checkouts_remove(). Takes as long as the hosts take.
 */
MUST_USE bool checkouts_fetch(const struct config *config, const char *const *revs,
                              size_t rev_count, struct checkouts *out, struct err *err);
void checkouts_remove(struct checkouts *c);

#endif
