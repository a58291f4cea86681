#include "policy/set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "policy/set_format.h"

#include "base/banned.h"

struct set {
    struct bytes file;
    bool mapped; /* by us */
    struct set_header header;
};

/* Opening. */

bool set_map(const char *path, struct bytes *out, struct err *err)
{
    /* O_NONBLOCK: a FIFO of that name must not hold us up. */
    CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0)
        return err_errno(err, "%s: cannot open", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, "%s: is not a file", path);
    if ((uintmax_t)status.st_size > SIZE_MAX / 2)
        return err_set(err, "%s: is too large to be mapped", path);
    if (status.st_size == 0) {
        *out = bytes_of(NULL, 0);
        return true;
    }

    const size_t len = (size_t)status.st_size;
    void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

    if (map == MAP_FAILED)
        return err_errno(err, "%s: cannot map", path);
    *out = bytes_of(map, len);
    return true;
}

void set_unmap(struct bytes file)
{
    if (file.len > 0)
        (void)munmap((void *)(uintptr_t)file.ptr, file.len);
}

bool set_open_bytes(struct bytes file, struct set **out, struct err *err)
{
    struct set_header header;
    struct digest found;

    if (!set_format_read(file, &header, err))
        return false;
    set_format_checksum(file, header.sections[SET_DOCUMENTS].offset, &found);
    if (!digest_equal(&found, &header.checksum))
        return err_set(err, "is damaged: the checksum of header and index differs");
    *out = xcalloc(1, sizeof(**out));
    (*out)->file = file;
    (*out)->header = header;
    return true;
}

bool set_open(const char *path, struct set **out, struct err *err)
{
    struct bytes file;

    if (!set_map(path, &file, err))
        return false;
    if (!set_open_bytes(file, out, err)) {
        set_unmap(file);
        return err_prefix(err, "%s: ", path);
    }
    (*out)->mapped = true;
    return true;
}

void set_close(struct set *s)
{
    if (s == NULL)
        return;
    if (s->mapped)
        set_unmap(s->file);
    free(s);
}

void set_closep(struct set **s)
{
    set_close(*s);
}

/* The parts. set_format_read has proven that each section lies within the file. */

static struct bytes section(const struct set *s, enum set_section which)
{
    const struct set_span *span = &s->header.sections[which];

    return bytes_of(s->file.ptr + span->offset, (size_t)span->length);
}

/* Record `index` of a section; the caller knows that it is below the count in the header. */
static const uint8_t *record(const struct set *s, enum set_section which, size_t index, size_t size)
{
    return s->file.ptr + s->header.sections[which].offset + index * size;
}

static struct bytes string_at(const struct set *s, uint32_t reference)
{
    const struct bytes strings = section(s, SET_STRINGS);

    if (reference > strings.len - 2)
        return bytes_of(NULL, 0);

    const size_t len = set_le16(strings.ptr + reference);

    if (len > strings.len - 2 - reference)
        return bytes_of(NULL, 0);
    return bytes_of(strings.ptr + reference + 2, len);
}

size_t set_count(const struct set *s)
{
    return s->header.entries;
}

size_t set_held_count(const struct set *s)
{
    return s->header.held;
}

const struct digest *set_root(const struct set *s)
{
    return &s->header.root;
}

const struct digest *set_rules(const struct set *s)
{
    return &s->header.rules;
}

struct bytes set_file(const struct set *s)
{
    return s->file;
}

struct bytes set_policy(const struct set *s)
{
    return section(s, SET_POLICY);
}

struct bytes set_provenance(const struct set *s)
{
    return section(s, SET_PROVENANCE);
}

/* Kinds. */

size_t set_kind_count(const struct set *s)
{
    return s->header.kinds;
}

/* Versions that do not lie in their section are none: every version is then unknown (N17). */
static void read_versions(const struct set *s, const uint8_t *p, struct kind *out)
{
    const size_t all = section(s, SET_VERSIONS).len / SET_VERSION_SIZE;
    const size_t first = set_le32(p + SET_KIND_FIRST_VERSION);
    const size_t count = set_le32(p + SET_KIND_VERSION_COUNT);

    if (count > KIND_MAX_VERSIONS || first > all || count > all - first)
        return;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *version = record(s, SET_VERSIONS, first + i, SET_VERSION_SIZE);
        const uint32_t flags = set_le32(version + SET_VERSION_FLAGS);

        out->versions[i] = (struct kind_version){
            .name = string_at(s, set_le32(version + SET_VERSION_NAME)),
            .served = (flags & SET_VERSION_SERVED) != 0,
            .storage = (flags & SET_VERSION_STORAGE) != 0,
            .status_subresource = (flags & SET_VERSION_STATUS) != 0,
        };
    }
    out->version_count = count;
}

void set_kind_at(const struct set *s, size_t i, struct kind *out)
{
    *out = (struct kind){0};
    if (i >= s->header.kinds)
        return;

    const uint8_t *p = record(s, SET_KINDS, i, SET_KIND_SIZE);
    const struct bytes nulls = section(s, SET_NULLS);
    const size_t offset = set_le32(p + SET_KIND_NULLS_OFFSET);
    const size_t length = set_le32(p + SET_KIND_NULLS_LENGTH);
    const uint32_t flags = set_le32(p + SET_KIND_FLAGS);

    out->group = string_at(s, set_le32(p + SET_KIND_GROUP));
    out->kind = string_at(s, set_le32(p + SET_KIND_KIND));
    out->plural = string_at(s, set_le32(p + SET_KIND_PLURAL));
    out->has_schema = (flags & SET_KIND_HAS_SCHEMA) != 0;
    out->namespaced = (flags & SET_KIND_NAMESPACED) != 0;
    out->conversion = (flags & SET_KIND_CONVERSION) != 0;
    if (offset <= nulls.len && length <= nulls.len - offset)
        out->nulls = bytes_of(nulls.ptr + offset, length);
    read_versions(s, p, out);
}

static bool find_kind(const struct set *s, struct bytes group, struct bytes kind, uint32_t *index)
{
    uint32_t low = 0;
    uint32_t high = s->header.kinds;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const uint8_t *p = record(s, SET_KINDS, middle, SET_KIND_SIZE);
        int order = bytes_compare(group, string_at(s, set_le32(p + SET_KIND_GROUP)));

        if (order == 0)
            order = bytes_compare(kind, string_at(s, set_le32(p + SET_KIND_KIND)));
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool set_kind(const struct set *s, struct bytes group, struct bytes kind, struct kind *out)
{
    uint32_t index;

    if (!find_kind(s, group, kind, &index))
        return false;
    set_kind_at(s, index, out);
    return true;
}

/* Entries. */

static const uint8_t *entry_at(const struct set *s, size_t index)
{
    return record(s, SET_ENTRIES, index, SET_ENTRY_SIZE);
}

static bool entry_is_held(const uint8_t *entry)
{
    return (set_le32(entry + SET_ENTRY_LINE) & SET_LINE_HELD) != 0;
}

/* The first entry that is not below (kind, namespace, name); without a name: behind the namespace.
 */
static size_t lower_bound(const struct set *s, uint32_t kind, struct bytes namespace,
                          const struct bytes *name)
{
    size_t low = 0;
    size_t high = s->header.entries;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const uint8_t *p = entry_at(s, middle);
        const uint32_t its_kind = set_le32(p + SET_ENTRY_KIND);
        int order = (its_kind > kind) - (its_kind < kind);

        if (order == 0)
            order = bytes_compare(string_at(s, set_le32(p + SET_ENTRY_NAMESPACE)), namespace);
        if (order == 0)
            order = name == NULL ? -1
                                 : bytes_compare(string_at(s, set_le32(p + SET_ENTRY_NAME)), *name);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool set_find(const struct set *s, const struct identity *id, size_t *index)
{
    uint32_t kind;

    if (!find_kind(s, id->group, id->kind, &kind))
        return false;

    const size_t at = lower_bound(s, kind, id->namespace, &id->name);

    if (at == s->header.entries)
        return false;

    const uint8_t *p = entry_at(s, at);

    if (set_le32(p + SET_ENTRY_KIND) != kind ||
        !bytes_equal(string_at(s, set_le32(p + SET_ENTRY_NAMESPACE)), id->namespace) ||
        !bytes_equal(string_at(s, set_le32(p + SET_ENTRY_NAME)), id->name))
        return false;
    *index = at;
    return true;
}

/* Below the count of the accepted digests it is one of them, then one of the others. */
static void read_primary(const struct set *s, uint32_t which, struct digest *out)
{
    const struct bytes others = section(s, SET_PRIMARIES);

    if (which < s->header.digests) {
        memcpy(out->bytes, record(s, SET_DIGESTS, which, DIGEST_SIZE), DIGEST_SIZE);
        return;
    }
    which -= s->header.digests;
    if (which < others.len / DIGEST_SIZE)
        memcpy(out->bytes, others.ptr + (size_t)which * DIGEST_SIZE, DIGEST_SIZE);
}

void set_entry(const struct set *s, size_t index, struct set_entry *out)
{
    *out = (struct set_entry){.held = true};
    if (index >= s->header.entries)
        return;

    const uint8_t *p = entry_at(s, index);
    const uint32_t kind = set_le32(p + SET_ENTRY_KIND);

    if (kind < s->header.kinds) {
        const uint8_t *k = record(s, SET_KINDS, kind, SET_KIND_SIZE);

        out->id.group = string_at(s, set_le32(k + SET_KIND_GROUP));
        out->id.kind = string_at(s, set_le32(k + SET_KIND_KIND));
    }
    out->id.namespace = string_at(s, set_le32(p + SET_ENTRY_NAMESPACE));
    out->id.name = string_at(s, set_le32(p + SET_ENTRY_NAME));
    out->source = string_at(s, set_le32(p + SET_ENTRY_SOURCE));
    out->commit = string_at(s, set_le32(p + SET_ENTRY_COMMIT));
    out->path = string_at(s, set_le32(p + SET_ENTRY_PATH));
    out->line = set_le32(p + SET_ENTRY_LINE) & ~SET_LINE_HELD;
    out->held = entry_is_held(p);
    if (out->held)
        out->message = string_at(s, set_le32(p + SET_ENTRY_WHAT));
    else
        read_primary(s, set_le32(p + SET_ENTRY_WHAT), &out->primary);
}

static const struct bytes no_name = {0};

size_t set_count_of_kind(const struct set *s, struct bytes group, struct bytes kind)
{
    uint32_t index;

    if (!find_kind(s, group, kind, &index))
        return 0;

    const size_t first = lower_bound(s, index, no_name, &no_name);
    const size_t behind = lower_bound(s, index + 1, no_name, &no_name);

    return behind > first ? behind - first : 0;
}

size_t set_range(const struct set *s, size_t kind, struct bytes namespace, size_t *first)
{
    *first = lower_bound(s, (uint32_t)kind, namespace, &no_name);

    const size_t behind = lower_bound(s, (uint32_t)kind, namespace, NULL);

    return behind > *first ? behind - *first : 0;
}

size_t set_count_in_namespace(const struct set *s, struct bytes namespace)
{
    size_t count = 0;
    size_t first;

    for (size_t kind = 0; kind < s->header.kinds; kind++)
        count += set_range(s, kind, namespace, &first);
    /* In a damaged set, which is not in order, ranges may overlap. */
    return count < s->header.entries ? count : s->header.entries;
}

/* Digests. */

size_t set_digest_count(const struct set *s)
{
    return s->header.digests;
}

static size_t owner_of(const struct set *s, size_t i)
{
    const size_t owner = set_le32(record(s, SET_OWNERS, i, 4));

    return owner < s->header.entries ? owner : SET_NOWHERE;
}

void set_digest(const struct set *s, size_t i, struct digest *digest, size_t *index)
{
    *digest = (struct digest){{0}};
    *index = SET_NOWHERE;
    if (i >= s->header.digests)
        return;
    memcpy(digest->bytes, record(s, SET_DIGESTS, i, DIGEST_SIZE), DIGEST_SIZE);
    *index = owner_of(s, i);
}

static bool find_digest(const struct set *s, const struct digest *digest, size_t *at)
{
    const uint8_t *fanout = record(s, SET_FANOUT, digest->bytes[0], 4);
    size_t low = set_le32(fanout);
    size_t high = set_le32(fanout + 4);

    if (high > s->header.digests)
        return false;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order =
            memcmp(digest->bytes, record(s, SET_DIGESTS, middle, DIGEST_SIZE), DIGEST_SIZE);

        if (order == 0) {
            *at = middle;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool set_has(const struct set *s, const struct digest *digest, size_t *index)
{
    size_t at;

    if (!find_digest(s, digest, &at))
        return false;

    const size_t owner = owner_of(s, at);

    if (owner == SET_NOWHERE || entry_is_held(entry_at(s, owner)))
        return false;
    *index = owner;
    return true;
}

/* Documents. */

bool set_document_digest(const struct set *s, size_t index, struct digest *out)
{
    if (index >= s->header.entries || entry_is_held(entry_at(s, index)))
        return false;
    memcpy(out->bytes, record(s, SET_CHECKSUMS, index, DIGEST_SIZE), DIGEST_SIZE);
    return true;
}

static bool document_bytes(const struct set *s, size_t index, struct bytes *out)
{
    const struct bytes documents = section(s, SET_DOCUMENTS);
    const uint8_t *offset = record(s, SET_OFFSETS, index, 8);
    const uint64_t begin = set_le64(offset);
    const uint64_t end = set_le64(offset + 8);

    if (end > documents.len || begin > end || end - begin > SET_MAX_DOCUMENT_BYTES)
        return false;
    *out = bytes_of(documents.ptr + begin, (size_t)(end - begin));
    return true;
}

bool set_document(const struct set *s, size_t index, struct bytes *json, struct err *err)
{
    struct bytes document;
    struct digest want;
    struct digest found;

    if (!set_document_digest(s, index, &want))
        return err_set(err, "there is no approved document");
    if (!document_bytes(s, index, &document))
        return err_set(err, "the set is damaged: the document lies outside of it");
    digest_of(document, &found);
    if (!digest_equal(&want, &found))
        return err_set(err, "the set is damaged: the document's checksum differs");
    *json = document;
    return true;
}
