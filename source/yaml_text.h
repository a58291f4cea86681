/*
 * yaml_text.h -- what is checked on the bytes of a YAML or JSON file before a parser sees them:
 * size, encoding, characters (N2), and where the documents are separated (N3).
 *
 * What passes has only LF and CRLF as line ends, so lines are the same to every tool.
 */
#ifndef SOURCE_YAML_TEXT_H
#define SOURCE_YAML_TEXT_H

#include "source/yaml.h"

struct yaml_text {
    struct bytes bytes; /* borrowed, without the byte order mark */

    /* Offsets of the lines that are `---`. */
    size_t separators[YAML_MAX_DOCUMENTS];
    size_t separator_count;
};

/* Size, encoding, characters; takes the byte order mark off. `*out` is a slice of `text`. */
MUST_USE bool yaml_text_check(struct bytes text, struct bytes *out, struct err *err);

/*
 * The same, and the separator lines. Also on failure *out is set: to what stands before the last
 * separator line before the damage.
 */
MUST_USE bool yaml_text_split(struct bytes text, struct yaml_text *out, struct err *err);

/* Sets the message, with "LINE:COLUMN: " of the byte at `offset` in front. Returns false. */
bool yaml_text_fail(struct bytes text, size_t offset, struct err *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

/*
 * What is wrong with a string value or key, however it is written, or NULL: characters that some
 * tools change or refuse.
 */
const char *yaml_text_problem(struct bytes value);

enum { YAML_QUOTE_SIZE = 256 };

/* `s` in double quotes for a message: escaped, and cut if it is long. Returns `out`. */
const char *yaml_text_quote(struct bytes s, char out[YAML_QUOTE_SIZE]);

#endif
