/*
 * yaml.h -- YAML documents as jansson trees, by rules N2 to N9: a strict subset in which every
 * delivery tool reads the same. libyaml gives the events; what they mean is decided here.
 */
#ifndef SOURCE_YAML_H
#define SOURCE_YAML_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    YAML_MAX_BYTES = 4 << 20,
    YAML_MAX_DEPTH = 100,
    YAML_MAX_NODES = 200000, /* of one document, aliases counted as often as they are used */
    YAML_MAX_DOCUMENTS = 1000,
};

struct yaml_document {
    json_t *root;      /* never NULL; null and comment-only documents are left out */
    unsigned line;     /* 1-based line of the document's first content line */
    bool refused;      /* something in it is marked, yaml_read_marked() only */
    struct bytes text; /* its bytes, with the comments around it; a slice of the file's */
};

struct yaml_documents {
    struct yaml_document *items;
    size_t count;
};

/*
 * All documents of a file. Fails on the first refusal: the message begins with "LINE:COLUMN: ", and
 * err->path is the field if it is about one. Lines end with LF or CRLF, columns count characters.
 * The trees share nothing, aliases are copied; free them with yaml_release().
 */
MUST_USE bool yaml_read(struct bytes text, struct yaml_documents *out, struct err *err);
void yaml_release(struct yaml_documents *documents);

/*
 * The same for `.json` files: one object or array, or a stream of them, through the strict JSON
 * reader (policy/jread.h). A text that both functions accept they read alike.
 */
MUST_USE bool yaml_read_json(struct bytes text, struct yaml_documents *out, struct err *err);

/*
 * The same without failing on the first refusal (N35): what is refused is a mark (yaml_mark.h) in
 * its document, and the others are read as if it were not there. False: from some place on the text
 * cannot be read at all; `err` says where and why, and *rest are the bytes from the end of the last
 * document of *out to the end of the file.
 */
MUST_USE bool yaml_read_marked(struct bytes text, struct yaml_documents *out, struct bytes *rest,
                               struct err *err);
MUST_USE bool yaml_read_json_marked(struct bytes text, struct yaml_documents *out,
                                    struct bytes *rest, struct err *err);

/*
 * Where a field stands: the line of "spec.http[0].weight" (keys with a dot as ["a.b"]) in the n-th
 * document of `text`, or of the nearest ancestor that is there; 0 if the text cannot be read.
 * For error messages: reads the text again.
 */
unsigned yaml_line_of(struct bytes text, size_t document, const char *path);

#endif
