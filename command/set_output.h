/*
 * set_output.h -- what the sub-commands of `meshwrit set` share: options, files, and how the bytes
 * of a set are shown.
 *
 * Names, paths and messages in a set are whatever Git held: a terminal gets no control characters
 * from them, and JSON no bytes that are not UTF-8.
 */
#ifndef COMMAND_SET_OUTPUT_H
#define COMMAND_SET_OUTPUT_H

#include <jansson.h>

#include "base/buf.h"
#include "command/command.h"
#include "policy/set.h"

enum { SET_OUTPUT_FILES = 2, SHORT_DIGEST = 12, SHORT_COMMIT = 7 };

struct set_options {
    bool json;
    bool held;
    const char *files[SET_OUTPUT_FILES];
};

/* What a sub-command takes besides its files. */
enum set_takes { SET_TAKES_NOTHING = 0, SET_TAKES_OUTPUT = 1, SET_TAKES_HELD = 2 };

/* False: wrong use; the caller says so by command_usage(). */
MUST_USE bool set_options_read(int argc, char **argv, unsigned takes, int files,
                               struct set_options *out);

/* Appends the text, each control character or byte that is not UTF-8 as U+FFFD. */
void set_output_clean(struct buf *out, struct bytes text);

/* A JSON string of it; bytes that are not UTF-8 become U+FFFD. */
json_t *set_output_string(struct bytes text);
json_t *set_output_digest(const struct digest *digest);

/* KIND.GROUP/NAMESPACE/NAME and SOURCE COMMIT PATH:LINE, clean. */
void set_output_identity(struct buf *out, const struct identity *id);
void set_output_place(struct buf *out, const struct set_entry *entry);

/* Adds group, kind, namespace and name; source, commit, path and line. */
void set_output_identity_json(json_t *object, const struct identity *id);
void set_output_place_json(json_t *object, const struct set_entry *entry);

/* Adds a member; `value` becomes the object's. */
void set_output_add(json_t *object, const char *key, json_t *value);

/*
 * Appends it as JSON text that people can read, with jansson's JSON_SORT_KEYS or 0; frees `value`.
 */
void set_output_dump(json_t *value, size_t flags, struct buf *out);

/* Writes to standard output; returns `code`, or COULD_NOT with a message where it cannot. */
int set_output_text(const char *command, struct bytes text, int code);
int set_output_json(const char *command, json_t *value, int code); /* frees `value` */

#endif
