/*
 * canon.h -- the canonical bytes of a JSON value (N25, canon_read.h), written while it is read.
 *
 * Keys that come in order cost nothing; a map whose keys do not
 * is put in order when it ends. Duplicate keys are refused. The writer is a stack: what was written
 * last can be taken back. One writer a thread; it keeps its memory for the next value.
 */
#ifndef POLICY_CANON_H
#define POLICY_CANON_H

#include "policy/canon_read.h"
#include "policy/jread.h"
#include "policy/nulls.h"

struct canon_entry {
    uint64_t prefix; /* the key's first eight bytes: most comparisons are one of these */
    size_t at;       /* offset of the key */
    size_t len;      /* key and value; set when the map needs to be put in order */
    bool dropped;
};

/* A map or a list that is being written. */
struct canon_frame {
    size_t at;          /* offset of its head */
    size_t first_entry; /* of canon.entries */
    size_t items;       /* of a list, so far */
    bool is_list;
    bool in_order;
    bool has_dropped;
};

struct canon {
    struct buf out;
    struct bytes nulls; /* where a null is dropped (N15); empty: nowhere */

    /* Internal: what is open, and the entries of the maps among it. */
    struct canon_frame open[JREAD_MAX_DEPTH];
    size_t open_count;
    struct canon_entry *entries;
    size_t entry_count;
    size_t entry_cap;
    struct buf scratch;
};

void canon_release(struct canon *c);

/* Empty again; memory is kept, unless it has grown beyond what one ordinary request needs. */
void canon_clear(struct canon *c);

/*
 * Reads the next value and appends its canonical bytes. As the value of the newest key of a map
 * that is written by hand, a droppable null (N15) drops that entry.
 */
MUST_USE bool canon_value(struct canon *c, struct jread *r);

/* Reads the next value, checks it as strictly, and writes nothing. */
MUST_USE bool canon_skip(struct canon *c, struct jread *r);

/*
 * A map by hand, behind jread_enter: begin; for each jread_next a key, and then a value, or
 * something else that reads it and canon_map_drop; end. These are about the innermost open map.
 */
void canon_map_begin(struct canon *c);

/* Reads a key and its colon; *key is valid until more is written. */
MUST_USE bool canon_map_key(struct canon *c, struct jread *r, struct bytes *key);

/* Leaves the entry that was written last out of the map; its key still counts as seen. */
void canon_map_drop(struct canon *c);

/* The same, but the key is forgotten: only for keys whose duplicates the caller refuses itself. */
void canon_map_forget(struct canon *c);

/* Entries that are in the map so far. */
size_t canon_map_count(const struct canon *c);

MUST_USE bool canon_map_end(struct canon *c, struct jread *r);

/* Appends a string. */
void canon_string(struct buf *out, struct bytes s);

/* The count of a map or list whose head (type and zero) stands at `at`. */
void canon_patch_count(struct buf *out, size_t at, size_t count);

/* Appends a head: type and count. */
void canon_head(struct buf *out, uint8_t type, size_t count);

#endif
