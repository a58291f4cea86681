/*
 * explain_output.h -- an explanation, which is one JSON object (docs/explain.md), as text.
 */
#ifndef COMMAND_EXPLAIN_OUTPUT_H
#define COMMAND_EXPLAIN_OUTPUT_H

#include <jansson.h>

#include "base/buf.h"

void explain_output_text(const json_t *explanation, struct buf *out);

#endif
