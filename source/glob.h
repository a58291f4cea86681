/*
 * glob.h -- one pattern for paths in a repository: a file, a folder or a glob.
 *
 * Elements are matched one by one while a tree is walked, so that a folder no pattern can reach is
 * never read. `*` and `?` stay within an element, `[a-z]` and `[!a-z]` are one character (UTF-8),
 * `**` is an element of its own and stands for none or more of them, a backslash takes the next
 * character as it is. A leading dot is nothing special; case counts. Immutable once made.
 */
#ifndef SOURCE_GLOB_H
#define SOURCE_GLOB_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    GLOB_MAX_ELEMENTS = 63, /* one bit each in glob_state, and one for the end */
    GLOB_MAX_BYTES = 4096,
};

struct glob;

/* The elements that may come next, one bit each; 0: nothing below can match. */
typedef uint64_t glob_state;

/*
 * "." is the whole tree; a leading "./" and a trailing "/" mean nothing else than a folder. Fails
 * on what cannot match: an absolute path, "..", an empty element, a "[" without "]". Free with
 * glob_free().
 */
MUST_USE bool glob_new(const char *pattern, struct glob **out, struct err *err);
void glob_free(struct glob *glob); /* NULL is fine */

/* At the root, and one element further down. */
glob_state glob_start(const struct glob *glob);
glob_state glob_step(const struct glob *glob, glob_state state, struct bytes name);

/* Whether the path walked so far is what the pattern names. */
bool glob_accepts(const struct glob *glob, glob_state state);

/* Whether the pattern ends in "/" and so cannot name a file. */
bool glob_wants_folder(const struct glob *glob);

/* The pattern as it was given. Borrowed from `glob`. */
const char *glob_text(const struct glob *glob);

#endif
