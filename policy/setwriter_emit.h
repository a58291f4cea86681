/*
 * setwriter_emit.h -- lays down the bytes of a set, once everything is in order. Internal to
 * policy/setwriter*.c.
 */
#ifndef POLICY_SETWRITER_EMIT_H
#define POLICY_SETWRITER_EMIT_H

#include "policy/setwriter_model.h"

/* Appends the file to `out`, which is as before on failure: a section is over its limit. */
MUST_USE bool setwriter_emit(const struct setwriter *w, struct buf *out, struct err *err);

#endif
