/*
 * yaml_place.h -- where something is in a YAML or JSON file, and by which rule it is refused there:
 * for findings, from the messages of source/yaml.h.
 */
#ifndef SOURCE_YAML_PLACE_H
#define SOURCE_YAML_PLACE_H

#include "base/bytes.h"
#include "base/err.h"

struct yaml_place { /* both from 1; zeroes: not known */
    unsigned line;
    unsigned column;
};

/* As yaml_line_of, with the column. */
struct yaml_place yaml_place_of(struct bytes text, size_t document, const char *path);

/* Takes the "LINE:COLUMN: " of a refusal off its message; zeroes if there is none. */
struct yaml_place yaml_take_place(struct err *err);

/*
 * The number of the rule that a refusal of the loader is about: N2 characters, N3 separators, N4
 * limits, N8 numbers, else N5. By its words, which are all that is left of a refusal when somebody
 * wants to know.
 */
unsigned yaml_rule_of(const char *message);

#endif
