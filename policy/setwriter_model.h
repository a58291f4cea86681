/*
 * setwriter_model.h -- what the writer of a set has collected, and what it works out before the
 * bytes can be laid down. Internal to policy/setwriter*.c.
 */
#ifndef POLICY_SETWRITER_MODEL_H
#define POLICY_SETWRITER_MODEL_H

#include "policy/set_format.h"
#include "policy/setwriter.h"

struct setwriter_entry {
    struct identity id;
    struct setwriter_place place;
    bool held;
    struct bytes message;   /* held */
    struct bytes document;  /* approved, as the rest */
    struct digest primary;  /* … */
    struct digest *digests; /* in the arena; ascending once they are sorted */
    size_t digest_count;    /* … */
    uint32_t kind_index;    /* filled in by setwriter_order */
    uint32_t primary_index; /* … */
};

/* An accepted digest and the place of its entry in identity order. */
struct setwriter_digest {
    struct digest digest;
    uint32_t owner;
};

struct setwriter_chunk; /* memory that is freed all at once */

struct setwriter {
    struct digest rules;
    struct bytes policy;
    struct bytes provenance;

    struct kind *kinds;
    size_t kind_count;
    size_t kind_capacity;

    struct setwriter_entry *entries; /* in the order of adding */
    size_t entry_count;
    size_t entry_capacity;

    struct setwriter_chunk *chunks;

    /* Worked out by setwriter_order. */
    struct setwriter_entry **sorted; /* entries in identity order */
    struct setwriter_digest *digests;
    size_t digest_total;
    struct digest *primaries; /* those that are not accepted themselves */
    size_t primary_count;
    size_t held_count;
    struct digest root;
};

#endif
