#include "policy/setwriter_emit.h"

#include <assert.h>

#include "policy/setwriter_strings.h"

#include "base/banned.h"

/*
 * Strings are used in one fixed order, first by collect_strings and then by those who write the
 * records: kinds (group, kind, plural), their versions, then entries (namespace, name, source,
 * commit, path, message). `next` is the number of the next use.
 */
struct emit {
    const struct setwriter *w;
    struct buf *out;
    size_t start; /* of the file in `out` */
    struct set_header header;
    struct setwriter_strings strings;
    size_t next;
};

static void put32(struct buf *out, uint32_t value)
{
    for (unsigned shift = 0; shift < 32; shift += 8)
        buf_byte(out, (uint8_t)(value >> shift));
}

static void put64(struct buf *out, uint64_t value)
{
    put32(out, (uint32_t)value);
    put32(out, (uint32_t)(value >> 32));
}

static void put_string(struct emit *e)
{
    put32(e->out, e->strings.references[e->next++]);
}

static void collect_strings(const struct setwriter *w, struct setwriter_strings *strings)
{
    for (size_t i = 0; i < w->kind_count; i++) {
        setwriter_strings_use(strings, w->kinds[i].group);
        setwriter_strings_use(strings, w->kinds[i].kind);
        setwriter_strings_use(strings, w->kinds[i].plural);
    }
    for (size_t i = 0; i < w->kind_count; i++) {
        for (size_t j = 0; j < w->kinds[i].version_count; j++)
            setwriter_strings_use(strings, w->kinds[i].versions[j].name);
    }
    for (size_t i = 0; i < w->entry_count; i++) {
        const struct setwriter_entry *entry = w->sorted[i];

        setwriter_strings_use(strings, entry->id.namespace);
        setwriter_strings_use(strings, entry->id.name);
        setwriter_strings_use(strings, entry->place.source);
        setwriter_strings_use(strings, entry->place.commit);
        setwriter_strings_use(strings, entry->place.path);
        if (entry->held)
            setwriter_strings_use(strings, entry->message);
    }
}

/* Lengths before bytes: all limits are checked before anything is written. */

static bool check_limit(const char *what, uint64_t found, uint64_t limit, struct err *err)
{
    if (found > limit)
        return err_set(err, "%s: %llu bytes, a set holds at most %llu", what,
                       (unsigned long long)found, (unsigned long long)limit);
    return true;
}

static bool measure(struct emit *e, struct err *err)
{
    const struct setwriter *w = e->w;
    uint64_t versions = 0;
    uint64_t nulls = 0;
    uint64_t documents = 0;

    for (size_t i = 0; i < w->kind_count; i++) {
        versions += w->kinds[i].version_count;
        nulls += w->kinds[i].nulls.len;
    }
    for (size_t i = 0; i < w->entry_count; i++)
        documents += w->sorted[i]->document.len;

    const uint64_t lengths[SET_SECTIONS] = {
        [SET_FANOUT] = SET_FANOUT_COUNT * 4,
        [SET_DIGESTS] = w->digest_total * DIGEST_SIZE,
        [SET_OWNERS] = w->digest_total * 4,
        [SET_PRIMARIES] = w->primary_count * DIGEST_SIZE,
        [SET_ENTRIES] = w->entry_count * SET_ENTRY_SIZE,
        [SET_OFFSETS] = (w->entry_count + 1) * 8,
        [SET_CHECKSUMS] = w->entry_count * DIGEST_SIZE,
        [SET_KINDS] = w->kind_count * SET_KIND_SIZE,
        [SET_VERSIONS] = versions * SET_VERSION_SIZE,
        [SET_NULLS] = nulls,
        [SET_STRINGS] = e->strings.section.len,
        [SET_POLICY] = w->policy.len,
        [SET_PROVENANCE] = w->provenance.len,
        [SET_DOCUMENTS] = documents,
    };

    for (size_t i = 0; i < SET_SECTIONS; i++)
        e->header.sections[i].length = lengths[i];
    return check_limit("the null paths of all kinds", nulls, SET_MAX_NULLS_BYTES, err) &&
           check_limit("the policy", w->policy.len, SET_MAX_POLICY_BYTES, err) &&
           check_limit("the provenance", w->provenance.len, SET_MAX_PROVENANCE_BYTES, err) &&
           check_limit("all documents", documents, SET_MAX_DOCUMENTS_BYTES, err);
}

/* The sections, in the order of the file. */

static void emit_fanout(struct emit *e)
{
    const struct setwriter *w = e->w;
    uint32_t below = 0;

    for (unsigned i = 0; i < SET_FANOUT_COUNT; i++) {
        while (below < w->digest_total && w->digests[below].digest.bytes[0] < i)
            below++;
        put32(e->out, below);
    }
}

static void emit_digests(struct emit *e)
{
    for (size_t i = 0; i < e->w->digest_total; i++)
        buf_append(e->out, digest_bytes(&e->w->digests[i].digest));
}

static void emit_owners(struct emit *e)
{
    for (size_t i = 0; i < e->w->digest_total; i++)
        put32(e->out, e->w->digests[i].owner);
}

static void emit_primaries(struct emit *e)
{
    for (size_t i = 0; i < e->w->primary_count; i++)
        buf_append(e->out, digest_bytes(&e->w->primaries[i]));
}

/* The kinds' strings are used before those of the entries, which lie before them. */
static size_t kind_uses(const struct setwriter *w)
{
    size_t uses = 3 * w->kind_count;

    for (size_t i = 0; i < w->kind_count; i++)
        uses += w->kinds[i].version_count;
    return uses;
}

static void emit_entries(struct emit *e)
{
    e->next = kind_uses(e->w);
    for (size_t i = 0; i < e->w->entry_count; i++) {
        const struct setwriter_entry *entry = e->w->sorted[i];

        put32(e->out, entry->kind_index);
        put_string(e); /* namespace */
        put_string(e); /* name */
        put_string(e); /* source */
        put_string(e); /* commit */
        put_string(e); /* path */
        put32(e->out, entry->place.line | (entry->held ? SET_LINE_HELD : 0));
        if (entry->held)
            put_string(e); /* message */
        else
            put32(e->out, entry->primary_index);
    }
    assert(e->next == e->strings.count);
    e->next = 0;
}

static void emit_offsets(struct emit *e)
{
    uint64_t at = 0;

    for (size_t i = 0; i < e->w->entry_count; i++) {
        put64(e->out, at);
        at += e->w->sorted[i]->document.len;
    }
    put64(e->out, at);
}

static void emit_checksums(struct emit *e)
{
    static const struct digest none;

    for (size_t i = 0; i < e->w->entry_count; i++) {
        const struct setwriter_entry *entry = e->w->sorted[i];
        struct digest digest = none;

        if (!entry->held)
            digest_of(entry->document, &digest);
        buf_append(e->out, digest_bytes(&digest));
    }
}

static void emit_kinds(struct emit *e)
{
    uint32_t first_version = 0;
    uint32_t nulls_offset = 0;

    for (size_t i = 0; i < e->w->kind_count; i++) {
        const struct kind *kind = &e->w->kinds[i];

        put_string(e); /* group */
        put_string(e); /* kind */
        put_string(e); /* plural */
        put32(e->out, (kind->has_schema ? SET_KIND_HAS_SCHEMA : 0U) |
                          (kind->namespaced ? SET_KIND_NAMESPACED : 0U) |
                          (kind->conversion ? SET_KIND_CONVERSION : 0U));
        put32(e->out, nulls_offset);
        put32(e->out, (uint32_t)kind->nulls.len);
        put32(e->out, first_version);
        put32(e->out, (uint32_t)kind->version_count);
        first_version += (uint32_t)kind->version_count;
        nulls_offset += (uint32_t)kind->nulls.len;
    }
}

static void emit_versions(struct emit *e)
{
    for (size_t i = 0; i < e->w->kind_count; i++) {
        const struct kind *kind = &e->w->kinds[i];

        for (size_t j = 0; j < kind->version_count; j++) {
            const struct kind_version *version = &kind->versions[j];

            put_string(e);
            put32(e->out, (version->served ? SET_VERSION_SERVED : 0U) |
                              (version->storage ? SET_VERSION_STORAGE : 0U) |
                              (version->status_subresource ? SET_VERSION_STATUS : 0U));
        }
    }
}

static void emit_nulls(struct emit *e)
{
    for (size_t i = 0; i < e->w->kind_count; i++)
        buf_append(e->out, e->w->kinds[i].nulls);
}

static void emit_strings(struct emit *e)
{
    buf_append(e->out, buf_bytes(&e->strings.section));
}

static void emit_policy(struct emit *e)
{
    buf_append(e->out, e->w->policy);
}

static void emit_provenance(struct emit *e)
{
    buf_append(e->out, e->w->provenance);
}

static void emit_documents(struct emit *e)
{
    for (size_t i = 0; i < e->w->entry_count; i++)
        buf_append(e->out, e->w->sorted[i]->document);
}

typedef void emitter(struct emit *e);

static emitter *const emitters[SET_SECTIONS] = {
    [SET_FANOUT] = emit_fanout,         [SET_DIGESTS] = emit_digests,
    [SET_OWNERS] = emit_owners,         [SET_PRIMARIES] = emit_primaries,
    [SET_ENTRIES] = emit_entries,       [SET_OFFSETS] = emit_offsets,
    [SET_CHECKSUMS] = emit_checksums,   [SET_KINDS] = emit_kinds,
    [SET_VERSIONS] = emit_versions,     [SET_NULLS] = emit_nulls,
    [SET_STRINGS] = emit_strings,       [SET_POLICY] = emit_policy,
    [SET_PROVENANCE] = emit_provenance, [SET_DOCUMENTS] = emit_documents,
};

static void emit_file(struct emit *e)
{
    static const uint8_t zeroes[SET_HEADER_SIZE];
    uint8_t header[SET_HEADER_SIZE];

    buf_reserve(e->out, (size_t)e->header.file_size);
    buf_append(e->out, bytes_of(zeroes, SET_HEADER_SIZE));
    for (size_t i = 0; i < SET_SECTIONS; i++) {
        const size_t at = e->out->len - e->start;

        buf_append(e->out, bytes_of(zeroes, (size_t)e->header.sections[i].offset - at));
        emitters[i](e);
        assert(e->out->len - e->start ==
               e->header.sections[i].offset + e->header.sections[i].length);
    }

    /* The header is written twice: the checksum is over it, with zeroes in the checksum's place. */
    uint8_t *file = e->out->ptr + e->start;

    set_format_write(&e->header, header);
    memcpy(file, header, SET_HEADER_SIZE);
    set_format_checksum(bytes_of(file, e->out->len - e->start),
                        e->header.sections[SET_DOCUMENTS].offset, &e->header.checksum);
    set_format_write(&e->header, header);
    memcpy(file, header, SET_HEADER_SIZE);
}

bool setwriter_emit(const struct setwriter *w, struct buf *out, struct err *err)
{
    struct emit e = {
        .w = w,
        .out = out,
        .start = out->len,
        .header.entries = (uint32_t)w->entry_count,
        .header.held = (uint32_t)w->held_count,
        .header.digests = (uint32_t)w->digest_total,
        .header.kinds = (uint32_t)w->kind_count,
        .header.rules = w->rules,
        .header.root = w->root,
    };
    bool ok;

    collect_strings(w, &e.strings);
    ok = setwriter_strings_lay(&e.strings, err) && measure(&e, err);
    if (ok) {
        set_format_place(&e.header);
        emit_file(&e);
    }
    setwriter_strings_release(&e.strings);
    return ok;
}
