#include "policy/set_format.h"

#include "base/banned.h"

enum {
    AT_FORMAT = 8,
    AT_HEADER_SIZE = 12,
    AT_ENTRIES = 24,
    AT_HELD = 28,
    AT_DIGESTS = 32,
    AT_KINDS = 36,
    AT_RULES = 40,
    AT_ROOT = 72,
    AT_SECTION_COUNT = 136,
    AT_SECTIONS = 144,
    SPAN_SIZE = 16,
};

static const char *const section_names[SET_SECTIONS] = {
    "fan-out", "digests",  "owners", "primaries", "entries", "offsets",    "checksums",
    "kinds",   "versions", "nulls",  "strings",   "policy",  "provenance", "documents",
};

bool set_format_is_ours(struct bytes file, struct err *err)
{
    if (file.len < AT_HEADER_SIZE || !bytes_starts_with(file, BYTES(SET_MAGIC)))
        return err_set(err, "is not a writ.set: it does not begin with \"" SET_MAGIC "\"");

    const uint32_t format = set_le32(file.ptr + AT_FORMAT);

    if (format != SET_FORMAT)
        return err_set(err,
                       "is a writ.set of format %u, this program reads format %d: build it again",
                       format, SET_FORMAT);
    return true;
}

static void read_digest(const uint8_t *from, struct digest *out)
{
    memcpy(out->bytes, from, DIGEST_SIZE);
}

static void read_fields(const uint8_t *p, struct set_header *h)
{
    h->file_size = set_le64(p + SET_AT_FILE_SIZE);
    h->entries = set_le32(p + AT_ENTRIES);
    h->held = set_le32(p + AT_HELD);
    h->digests = set_le32(p + AT_DIGESTS);
    h->kinds = set_le32(p + AT_KINDS);
    read_digest(p + AT_RULES, &h->rules);
    read_digest(p + AT_ROOT, &h->root);
    read_digest(p + SET_AT_CHECKSUM, &h->checksum);
    for (size_t i = 0; i < SET_SECTIONS; i++) {
        const uint8_t *span = p + AT_SECTIONS + i * SPAN_SIZE;

        h->sections[i].offset = set_le64(span);
        h->sections[i].length = set_le64(span + 8);
    }
}

static bool check_counts(const struct set_header *h, struct err *err)
{
    if (h->entries > SET_MAX_ENTRIES || h->digests > SET_MAX_DIGESTS || h->kinds > SET_MAX_KINDS ||
        h->held > h->entries)
        return err_set(err,
                       "is damaged: its header counts %u entries (%u held), %u digests, %u kinds",
                       h->entries, h->held, h->digests, h->kinds);
    return true;
}

static bool check_lengths(const struct set_header *h, struct err *err)
{
    /* What the counts ask for, where they say; else at most. */
    const struct {
        uint64_t least;
        uint64_t most;
    } rows[SET_SECTIONS] = {
        [SET_FANOUT] = {SET_FANOUT_COUNT * 4, SET_FANOUT_COUNT * 4},
        [SET_DIGESTS] = {(uint64_t)h->digests * DIGEST_SIZE, (uint64_t)h->digests * DIGEST_SIZE},
        [SET_OWNERS] = {(uint64_t)h->digests * 4, (uint64_t)h->digests * 4},
        [SET_PRIMARIES] = {0, (uint64_t)h->entries * DIGEST_SIZE},
        [SET_ENTRIES] = {(uint64_t)h->entries * SET_ENTRY_SIZE,
                         (uint64_t)h->entries * SET_ENTRY_SIZE},
        [SET_OFFSETS] = {((uint64_t)h->entries + 1) * 8, ((uint64_t)h->entries + 1) * 8},
        [SET_CHECKSUMS] = {(uint64_t)h->entries * DIGEST_SIZE, (uint64_t)h->entries * DIGEST_SIZE},
        [SET_KINDS] = {(uint64_t)h->kinds * SET_KIND_SIZE, (uint64_t)h->kinds * SET_KIND_SIZE},
        [SET_VERSIONS] = {0, UINT32_MAX},
        [SET_NULLS] = {0, SET_MAX_NULLS_BYTES},
        [SET_STRINGS] = {2, SET_MAX_STRINGS_BYTES},
        [SET_POLICY] = {0, SET_MAX_POLICY_BYTES},
        [SET_PROVENANCE] = {0, SET_MAX_PROVENANCE_BYTES},
        [SET_DOCUMENTS] = {0, SET_MAX_DOCUMENTS_BYTES},
    };

    for (size_t i = 0; i < SET_SECTIONS; i++) {
        const uint64_t length = h->sections[i].length;

        if (length < rows[i].least || length > rows[i].most)
            return err_set(err, "is damaged: section %s has %llu bytes", section_names[i],
                           (unsigned long long)length);
    }
    return true;
}

/* No freedom in where a section lies: none overlaps another or ends beyond the file. */
static bool check_places(const struct set_header *h, struct err *err)
{
    struct set_header want = *h;

    set_format_place(&want);
    for (size_t i = 0; i < SET_SECTIONS; i++) {
        if (h->sections[i].offset != want.sections[i].offset)
            return err_set(err, "is damaged: section %s begins at %llu instead of %llu",
                           section_names[i], (unsigned long long)h->sections[i].offset,
                           (unsigned long long)want.sections[i].offset);
    }
    if (h->file_size != want.file_size)
        return err_set(err, "is damaged: its sections end at %llu, its header says %llu",
                       (unsigned long long)want.file_size, (unsigned long long)h->file_size);
    return true;
}

bool set_format_read(struct bytes file, struct set_header *out, struct err *err)
{
    struct set_header h;

    if (!set_format_is_ours(file, err))
        return false;
    if (file.len < SET_HEADER_SIZE)
        return err_set(err, "is cut off: %zu bytes are less than a header", file.len);
    if (set_le32(file.ptr + AT_HEADER_SIZE) != SET_HEADER_SIZE ||
        set_le32(file.ptr + AT_SECTION_COUNT) != SET_SECTIONS)
        return err_set(err, "is damaged: its header has another size or number of sections");
    read_fields(file.ptr, &h);
    if (h.file_size != file.len)
        return err_set(err, "is %s: it has %zu bytes, its header says %llu",
                       file.len < h.file_size ? "cut off" : "too long", file.len,
                       (unsigned long long)h.file_size);
    /* The lengths are bounded before anything is added up. */
    if (!check_counts(&h, err) || !check_lengths(&h, err) || !check_places(&h, err))
        return false;
    *out = h;
    return true;
}

void set_format_place(struct set_header *h)
{
    uint64_t at = SET_HEADER_SIZE;

    for (size_t i = 0; i < SET_SECTIONS; i++) {
        at = (at + SET_ALIGNMENT - 1) / SET_ALIGNMENT * SET_ALIGNMENT;
        h->sections[i].offset = at;
        at += h->sections[i].length;
    }
    h->file_size = at;
}

static void put32(uint8_t *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

static void put64(uint8_t *p, uint64_t value)
{
    put32(p, (uint32_t)value);
    put32(p + 4, (uint32_t)(value >> 32));
}

void set_format_write(const struct set_header *h, uint8_t out[SET_HEADER_SIZE])
{
    memset(out, 0, SET_HEADER_SIZE);
    memcpy(out, SET_MAGIC, sizeof(SET_MAGIC) - 1);
    put32(out + AT_FORMAT, SET_FORMAT);
    put32(out + AT_HEADER_SIZE, SET_HEADER_SIZE);
    put64(out + SET_AT_FILE_SIZE, h->file_size);
    put32(out + AT_ENTRIES, h->entries);
    put32(out + AT_HELD, h->held);
    put32(out + AT_DIGESTS, h->digests);
    put32(out + AT_KINDS, h->kinds);
    memcpy(out + AT_RULES, h->rules.bytes, DIGEST_SIZE);
    memcpy(out + AT_ROOT, h->root.bytes, DIGEST_SIZE);
    memcpy(out + SET_AT_CHECKSUM, h->checksum.bytes, DIGEST_SIZE);
    put32(out + AT_SECTION_COUNT, SET_SECTIONS);
    for (size_t i = 0; i < SET_SECTIONS; i++) {
        uint8_t *span = out + AT_SECTIONS + i * SPAN_SIZE;

        put64(span, h->sections[i].offset);
        put64(span + 8, h->sections[i].length);
    }
}

void set_format_checksum(struct bytes file, uint64_t covered, struct digest *out)
{
    static const uint8_t zeroes[DIGEST_SIZE];
    const size_t behind = SET_AT_CHECKSUM + DIGEST_SIZE;
    struct sha256 *hash = sha256_new();

    sha256_begin(hash);
    sha256_update(hash, bytes_of(file.ptr, SET_AT_CHECKSUM));
    sha256_update(hash, bytes_of(zeroes, DIGEST_SIZE));
    sha256_update(hash, bytes_of(file.ptr + behind, (size_t)covered - behind));
    sha256_end(hash, out);
    sha256_free(hash);
}
