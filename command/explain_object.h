/*
 * explain_object.h -- the object that `meshwrit explain` is asked about: found, read, and its side
 * assumed.
 */
#ifndef COMMAND_EXPLAIN_OBJECT_H
#define COMMAND_EXPLAIN_OBJECT_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/err.h"
#include "policy/identity.h"

/* KIND.GROUP/NAMESPACE/NAME (or KIND/NAME …); the parts are borrowed from the text. */
MUST_USE bool explain_parse_identity(const char *text, struct identity *out);

/* Whether the word is meant as a file: "-", one that is there, or by its ending. */
bool explain_is_file(const char *word);

/*
 * The one object of a YAML or JSON file ("-": standard input), also as the only item of a List.
 * *out is the caller's reference.
 */
MUST_USE bool explain_read_object(const char *file, json_t **out, struct err *err);

/* The object of this identity in the document that begins at `line` of a text from Git, or NULL. */
json_t *explain_find_object(const char *path, struct bytes text, unsigned line,
                            const struct identity *id);

/* What shows that the object comes from a cluster ("metadata.uid"), or NULL: nothing does. */
const char *explain_live_field(const json_t *object);

/* A text of a map, borrowed; no bytes if it is none. */
struct bytes explain_text_of(const json_t *map, const char *key);

/* Group, kind, namespace and name as the object has them, borrowed; and the version. */
void explain_identity(const json_t *object, struct identity *out, struct bytes *version);

#endif
