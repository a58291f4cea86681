/*
 * core_form.h -- what the API server makes of a document of a core kind, in place of prune and
 * default: the typed decode of a ConfigMap (N24), and the part of any object that a projection is
 * about (N25).
 */
#ifndef SOURCE_CORE_FORM_H
#define SOURCE_CORE_FORM_H

#include <jansson.h>

#include "base/buf.h"
#include "policy/projection.h"

/*
 * The ConfigMap as the API server stores it: data are texts, binaryData is canonical base64, empty
 * maps and nulls are gone. The caller's reference. NULL: it would not take it or would not take it
 * whole; `problem` gets the field and what is wrong with it.
 */
json_t *core_form_configmap(const json_t *document, struct buf *problem);

/*
 * apiVersion, kind and of the metadata name, labels and annotations, those that count. Everything
 * else of the object, a Secret's data first of all, is left behind. The caller's reference.
 */
json_t *core_form_projected(const json_t *document, const struct projection *p);

/* Whether labels and annotations are absent, null or maps of text. */
bool core_form_is_sound(const json_t *document);

/*
 * Whether anything would count, or may: of labels that were refused (yaml_mark.h) nobody knows
 * which there are.
 */
bool core_form_counts(const json_t *document, const struct projection *p);

#endif
