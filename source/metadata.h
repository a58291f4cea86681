/*
 * metadata.h -- what the API server makes of a document's metadata when it decodes it as ObjectMeta
 * and writes it again (N16): of what Git may say, only that remains which a request can show.
 */
#ifndef SOURCE_METADATA_H
#define SOURCE_METADATA_H

#include <jansson.h>

#include "base/attr.h"

/* A field of some owner reference that the API server does not know, borrowed; NULL: none. */
const char *metadata_unknown_owner_field(const json_t *metadata);

/*
 * A copy of the document without the members of metadata, and of owner references, that are null,
 * and without ownerReferences if there are none. (Empty labels and annotations: N21.) What is not
 * metadata is shared. The caller decrefs.
 */
RETURNS_NONNULL json_t *metadata_coerce(const json_t *document);

#endif
