/*
 * setwriter_order.h -- puts what the writer collected into the order of the file, and refuses what
 * no set may hold: see setwriter_finish(). Internal to policy/setwriter*.c.
 */
#ifndef POLICY_SETWRITER_ORDER_H
#define POLICY_SETWRITER_ORDER_H

#include "policy/setwriter_model.h"

/* Fills in what struct setwriter says is worked out here. May be called again after more came. */
MUST_USE bool setwriter_order(struct setwriter *w, struct err *err);

#endif
