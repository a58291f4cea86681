#include "policy/setwriter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/unicode.h"
#include "policy/setwriter_emit.h"
#include "policy/setwriter_model.h"
#include "policy/setwriter_order.h"

#include "base/banned.h"

enum { CHUNK_BYTES = 1 << 20 };

struct setwriter_chunk {
    struct setwriter_chunk *next;
    size_t used;
    size_t size;
    uint8_t data[];
};

struct setwriter *setwriter_new(void)
{
    return xcalloc(1, sizeof(struct setwriter));
}

void setwriter_free(struct setwriter *w)
{
    if (w == NULL)
        return;
    while (w->chunks != NULL) {
        struct setwriter_chunk *chunk = w->chunks;

        w->chunks = chunk->next;
        free(chunk);
    }
    free(w->kinds);
    free(w->entries);
    free(w->sorted);
    free(w->digests);
    free(w->primaries);
    free(w);
}

void setwriter_freep(struct setwriter **w)
{
    setwriter_free(*w);
}

/* Memory that lives as long as the writer. */
static uint8_t *take(struct setwriter *w, size_t len)
{
    struct setwriter_chunk *chunk = w->chunks;

    if (chunk == NULL || chunk->size - chunk->used < len) {
        const size_t size = len > CHUNK_BYTES ? len : CHUNK_BYTES;

        chunk = xmalloc(sizeof(*chunk) + size);
        chunk->used = 0;
        chunk->size = size;
        chunk->next = w->chunks;
        w->chunks = chunk;
    }

    uint8_t *room = chunk->data + chunk->used;

    chunk->used += len;
    return room;
}

static struct bytes copy(struct setwriter *w, struct bytes from)
{
    if (from.len == 0)
        return bytes_of(NULL, 0);

    uint8_t *room = take(w, from.len);

    memcpy(room, from.ptr, from.len);
    return bytes_of(room, from.len);
}

/* Most neighbours are of one source, commit and file: then no copy is made. */
static struct bytes copy_unless(struct setwriter *w, struct bytes from, struct bytes known)
{
    return bytes_equal(from, known) ? known : copy(w, from);
}

void setwriter_rules(struct setwriter *w, const struct digest *rule_set_id)
{
    w->rules = *rule_set_id;
}

void setwriter_policy(struct setwriter *w, struct bytes json)
{
    w->policy = copy(w, json);
}

void setwriter_provenance(struct setwriter *w, struct bytes json)
{
    w->provenance = copy(w, json);
}

static void *one_more(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 64 : 2 * *capacity;
    return xrealloc(array, *capacity * size);
}

void setwriter_kind(struct setwriter *w, const struct kind *kind)
{
    assert(kind->version_count <= KIND_MAX_VERSIONS);
    w->kinds = one_more(w->kinds, w->kind_count, &w->kind_capacity, sizeof(*w->kinds));

    struct kind *own = &w->kinds[w->kind_count++];

    *own = *kind;
    own->group = copy(w, kind->group);
    own->kind = copy(w, kind->kind);
    own->plural = copy(w, kind->plural);
    own->nulls = copy(w, kind->nulls);
    for (size_t i = 0; i < kind->version_count; i++)
        own->versions[i].name = copy(w, kind->versions[i].name);
}

static struct setwriter_entry *add_entry(struct setwriter *w, const struct identity *id,
                                         const struct setwriter_place *place)
{
    static const struct setwriter_entry nobody;

    w->entries = one_more(w->entries, w->entry_count, &w->entry_capacity, sizeof(*w->entries));

    struct setwriter_entry *entry = &w->entries[w->entry_count];
    const struct setwriter_entry *before = w->entry_count > 0 ? entry - 1 : &nobody;

    w->entry_count++;
    *entry = (struct setwriter_entry){
        .id.group = copy_unless(w, id->group, before->id.group),
        .id.kind = copy_unless(w, id->kind, before->id.kind),
        .id.namespace = copy_unless(w, id->namespace, before->id.namespace),
        .id.name = copy(w, id->name),
        .place.source = copy_unless(w, place->source, before->place.source),
        .place.commit = copy_unless(w, place->commit, before->place.commit),
        .place.path = copy_unless(w, place->path, before->place.path),
        .place.line = place->line,
    };
    return entry;
}

/* An array of struct digest has the alignment of bytes: it may lie anywhere. */
_Static_assert(_Alignof(struct digest) == 1, "digests are copied to where strings lie");

void setwriter_approve(struct setwriter *w, const struct identity *id,
                       const struct setwriter_place *place, const struct digest *primary,
                       const struct digest *digests, size_t digest_count, struct bytes document)
{
    struct setwriter_entry *entry = add_entry(w, id, place);

    entry->primary = *primary;
    entry->digest_count = digest_count;
    entry->document = copy(w, document);
    if (digest_count == 0)
        return;
    entry->digests = (struct digest *)take(w, digest_count * sizeof(*digests));
    memcpy(entry->digests, digests, digest_count * sizeof(*digests));
}

/* The message as far as there is room, with no half character at its end. */
static struct bytes cut_message(struct bytes message)
{
    size_t len = 0;

    if (message.len <= SET_MAX_MESSAGE)
        return message;
    while (len < SET_MAX_MESSAGE) {
        const size_t character = unicode_length(message.ptr + len, message.len - len);
        const size_t step = character == 0 ? 1 : character;

        if (step > SET_MAX_MESSAGE - len)
            break;
        len += step;
    }
    return bytes_of(message.ptr, len);
}

void setwriter_hold(struct setwriter *w, const struct identity *id,
                    const struct setwriter_place *place, struct bytes message)
{
    struct setwriter_entry *entry = add_entry(w, id, place);

    entry->held = true;
    entry->message = copy(w, cut_message(message));
}

bool setwriter_finish(struct setwriter *w, struct buf *out, struct err *err)
{
    return setwriter_order(w, err) && setwriter_emit(w, out, err);
}
