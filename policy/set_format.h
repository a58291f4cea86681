/*
 * set_format.h -- where things are in a writ.set of format 1 (docs/writ-set.md has the tables).
 *
 * For the reader, the writer and whoever verifies. All numbers are little-endian and read byte by
 * byte: neither the file nor its mapping needs an alignment.
 */
#ifndef POLICY_SET_FORMAT_H
#define POLICY_SET_FORMAT_H

#include "base/digest.h"
#include "base/err.h"

#define SET_MAGIC "writ.set"

enum {
    SET_FORMAT = 1,
    SET_HEADER_SIZE = 384,
    SET_AT_FILE_SIZE = 16,
    SET_AT_CHECKSUM = 104,
    SET_ALIGNMENT = 64, /* of each section: no digest crosses a cache line */

    /* The limits of the format; the writer refuses what is beyond them, the reader too. */
    SET_MAX_ENTRIES = 16 << 20,
    SET_MAX_DIGESTS = 64 << 20,
    SET_MAX_KINDS = 4096,
    SET_MAX_STRING = UINT16_MAX,
    SET_MAX_MESSAGE = 4096, /* a longer one is cut, not refused */
    SET_MAX_NULLS_BYTES = 64 << 20,
    SET_MAX_POLICY_BYTES = 4 << 20,
    SET_MAX_PROVENANCE_BYTES = 16 << 20,
    SET_MAX_DOCUMENT_BYTES = 8 << 20,
};
#define SET_MAX_STRINGS_BYTES   ((uint64_t)UINT32_MAX)
#define SET_MAX_DOCUMENTS_BYTES ((uint64_t)1 << 40)

/* In the order of the file. */
enum set_section {
    SET_FANOUT,     /* u32 [257]: how many digests have a first byte below i */
    SET_DIGESTS,    /* digest []: accepted ones, ascending */
    SET_OWNERS,     /* u32 []: the entry of each */
    SET_PRIMARIES,  /* digest []: primary ones that are not accepted themselves, ascending */
    SET_ENTRIES,    /* struct entry [], in identity order */
    SET_OFFSETS,    /* u64 [entries + 1]: where each document begins, and where the last ends */
    SET_CHECKSUMS,  /* digest []: of each entry's document */
    SET_KINDS,      /* struct kind [], in (group, kind) order */
    SET_VERSIONS,   /* struct version [] */
    SET_NULLS,      /* bytes: the trees of policy/nulls.h */
    SET_STRINGS,    /* u16 length and the bytes, each; the first is the empty one */
    SET_POLICY,     /* JSON */
    SET_PROVENANCE, /* JSON */
    SET_DOCUMENTS,  /* JSON, one behind the other; the only one outside the checksum */
    SET_SECTIONS,
};

enum { SET_FANOUT_COUNT = 257 };

/* Bytes of one record, and where its fields are. */
enum {
    SET_ENTRY_SIZE = 32,
    SET_ENTRY_KIND = 0,
    SET_ENTRY_NAMESPACE = 4,
    SET_ENTRY_NAME = 8,
    SET_ENTRY_SOURCE = 12,
    SET_ENTRY_COMMIT = 16,
    SET_ENTRY_PATH = 20,
    SET_ENTRY_LINE = 24, /* bits 0 to 30; bit 31: held */
    SET_ENTRY_WHAT = 28, /* held: the message; else the primary digest */

    SET_KIND_SIZE = 32,
    SET_KIND_GROUP = 0,
    SET_KIND_KIND = 4,
    SET_KIND_PLURAL = 8,
    SET_KIND_FLAGS = 12,
    SET_KIND_NULLS_OFFSET = 16,
    SET_KIND_NULLS_LENGTH = 20,
    SET_KIND_FIRST_VERSION = 24,
    SET_KIND_VERSION_COUNT = 28,

    SET_VERSION_SIZE = 8,
    SET_VERSION_NAME = 0,
    SET_VERSION_FLAGS = 4,
};

#define SET_LINE_HELD 0x80000000U

enum { SET_KIND_HAS_SCHEMA = 1, SET_KIND_NAMESPACED = 2, SET_KIND_CONVERSION = 4 };
enum { SET_VERSION_SERVED = 1, SET_VERSION_STORAGE = 2, SET_VERSION_STATUS = 4 };

struct set_span {
    uint64_t offset;
    uint64_t length;
};

struct set_header {
    uint64_t file_size;
    uint32_t entries;
    uint32_t held;
    uint32_t digests;
    uint32_t kinds;
    struct digest rules;
    struct digest root;
    struct digest checksum;
    struct set_span sections[SET_SECTIONS];
};

static inline uint32_t set_le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t set_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t set_le64(const uint8_t *p)
{
    return (uint64_t)set_le32(p) | (uint64_t)set_le32(p + 4) << 32;
}

/* Whether the file begins as one of this format: what is not cannot be verified, only refused. */
bool set_format_is_ours(struct bytes file, struct err *err);

/*
 * Reads the header: every section lies where it must, within the file, and has the length that the
 * counts ask for. The checksum is only read.
 */
MUST_USE bool set_format_read(struct bytes file, struct set_header *out, struct err *err);

/* Places the sections by their lengths and sets the size of the file. */
void set_format_place(struct set_header *h);

void set_format_write(const struct set_header *h, uint8_t out[SET_HEADER_SIZE]);

/* The checksum of header (its own field as zeroes) and index: the first `covered` bytes. */
void set_format_checksum(struct bytes file, uint64_t covered, struct digest *out);

#endif
