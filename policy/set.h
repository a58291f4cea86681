/*
 * set.h -- writ.set, mapped and read (format 1, docs/writ-set.md).
 *
 * Immutable after set_open; any number of threads may read one. Lookups do not allocate. Everything
 * handed out is borrowed from the mapping. Header and index are verified when it is opened, each
 * document when it is used. Bytes from the file are never trusted: every offset is checked.
 */
#ifndef POLICY_SET_H
#define POLICY_SET_H

#include "base/digest.h"
#include "base/err.h"
#include "policy/identity.h"
#include "policy/kind.h"

struct set;

/*
 * Maps and verifies; on success *out is the caller's, free with set_close(). A set that is mapped
 * must not be written to or cut: replace it by a rename (base/file.h). Whether set_rules() is what
 * this program would have is for the caller to say.
 */
MUST_USE bool set_open(const char *path, struct set **out, struct err *err);
/* The same over bytes that stay the caller's and outlive the set (tests, fuzzing). */
MUST_USE bool set_open_bytes(struct bytes file, struct set **out, struct err *err);
void set_close(struct set *s); /* NULL is fine */
void set_closep(struct set **s);

/* Only maps: for set_open_bytes, and for who wants to tell unreadable from damaged. */
MUST_USE bool set_map(const char *path, struct bytes *out, struct err *err);
void set_unmap(struct bytes file);

size_t set_count(const struct set *s);               /* entries, held ones too */
size_t set_held_count(const struct set *s);          /* of these, held */
const struct digest *set_root(const struct set *s);  /* RFC 6962 over the primary digests */
const struct digest *set_rules(const struct set *s); /* rule-set id (N26) */
struct bytes set_file(const struct set *s);   /* the whole mapping: its SHA-256 is the set id */
struct bytes set_policy(const struct set *s); /* the policy, JSON */

/* Provenance as JSON: {"sources":[{"name","commit","paths","namespace"}…],"schemas":[…]} */
struct bytes set_provenance(const struct set *s);

struct set_entry {
    struct identity id;
    struct bytes source; /* name of the source */
    struct bytes commit; /* hex object id */
    struct bytes path;   /* in the repository */
    uint32_t line;       /* 1-based: first line of the document */
    bool held;           /* N35: no digest; `message` says why */
    struct bytes message;
    struct digest primary; /* the storage version's form; zero if held */
};

/*
 * Approved: the digest is in the set. *index is the entry it belongs to. (Not where the file names
 * no approved entry for it: that approves nothing.)
 */
bool set_has(const struct set *s, const struct digest *digest, size_t *index);

/* The entry of this identity, approved or held. */
bool set_find(const struct set *s, const struct identity *id, size_t *index);

/*
 * Entries are in identity order. For an index that is not below set_count() the entry is empty and
 * held; what a damaged record points to in vain is empty.
 */
void set_entry(const struct set *s, size_t index, struct set_entry *out);

/* The approved document (compact JSON, as Git's version has it). Fails if its checksum differs. */
MUST_USE bool set_document(const struct set *s, size_t index, struct bytes *json, struct err *err);

/* The SHA-256 that its document must have. False for a held entry or no entry. */
bool set_document_digest(const struct set *s, size_t index, struct digest *out);

/*
 * Digests in ascending order with the entry of each: i < set_digest_count(). *index is SET_NOWHERE
 * if the file names no entry.
 */
#define SET_NOWHERE SIZE_MAX
size_t set_digest_count(const struct set *s);
void set_digest(const struct set *s, size_t i, struct digest *digest, size_t *index);

/* Kinds in (group, kind) order; set_kind finds one. The views are copied, their bytes borrowed. */
size_t set_kind_count(const struct set *s);
void set_kind_at(const struct set *s, size_t i, struct kind *out); /* i < set_kind_count() */
bool set_kind(const struct set *s, struct bytes group, struct bytes kind, struct kind *out);

/*
 * Entries (held ones too) of the kind with this number in a namespace: how many, and *first, the
 * index of the first. Two binary searches.
 */
size_t set_range(const struct set *s, size_t kind, struct bytes namespace, size_t *first);

/* The same of all kinds together, and of one kind in all namespaces. */
size_t set_count_in_namespace(const struct set *s, struct bytes namespace);
size_t set_count_of_kind(const struct set *s, struct bytes group, struct bytes kind);

#endif
