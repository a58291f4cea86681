/*
 * yaml_style.h -- what is refused for how a scalar is written: spellings that the delivery tools
 * read differently, or that kustomize, which writes a document out again, does not keep (N5).
 */
#ifndef SOURCE_YAML_STYLE_H
#define SOURCE_YAML_STYLE_H

#include "source/yaml_events.h"

/* The current scalar event. `in_flow`: inside brackets. */
MUST_USE bool yaml_style_check(struct yaml_events *e, bool in_flow, struct err *err);

/*
 * Whether tools may not even agree where the current scalar event, which was refused, ends: then
 * nothing of the document can be known.
 */
bool yaml_style_tears(struct yaml_events *e, bool in_flow);

/*
 * Two properties that count where an alias brings the scalar to another place: a value that is not
 * written at all must not come inside brackets, kept line ends not before a comment.
 */
bool yaml_style_is_empty(const yaml_event_t *event);
bool yaml_style_keeps_line_ends(const yaml_event_t *event);

/* The refusals, at the current event. Both return false. */
bool yaml_style_refuse_empty(const struct yaml_events *e, struct err *err);
bool yaml_style_refuse_kept(const struct yaml_events *e, struct err *err);

/*
 * For a node with an anchor or a tag: whether all tools read it alike. kustomize, which writes a
 * document out again, puts a comment between these and the value behind some other value, or into
 * a block.
 */
MUST_USE bool yaml_style_check_properties(struct yaml_events *e, struct err *err);

#endif
