/*
 * setwriter_strings.h -- the strings section of a set: each string once, where it is first used.
 *
 * Equal ones are found by sorting, not by hashing: who may write to Git cannot make it slow.
 * Internal to policy/setwriter*.c.
 */
#ifndef POLICY_SETWRITER_STRINGS_H
#define POLICY_SETWRITER_STRINGS_H

#include "base/buf.h"
#include "base/err.h"

struct setwriter_strings {
    struct bytes *uses; /* borrowed bytes, in the order of use */
    size_t count;
    size_t capacity;
    uint32_t *references; /* of each use, once laid out */
    struct buf section;   /* … */
};

void setwriter_strings_release(struct setwriter_strings *t);

/* The next use; its number is the count before. */
void setwriter_strings_use(struct setwriter_strings *t, struct bytes string);

/* Makes the section and the references. Fails where a string or the section is too long. */
MUST_USE bool setwriter_strings_lay(struct setwriter_strings *t, struct err *err);

#endif
