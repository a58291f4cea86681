/*
 * gate.h -- what all loops of a process share: how many connections, how much request memory.
 *
 * Any thread. Private to the listeners; others see http_gate_new and http_gate_free in http.h.
 */
#ifndef WEBHOOK_GATE_H
#define WEBHOOK_GATE_H

#include <sys/socket.h>

#include "webhook/http.h"

enum { GATE_UNIT_BYTES = 16 << 10 }; /* request memory is counted in these */

/* One counted connection. */
struct gate_slot {
    uint32_t peer; /* which peer, in the gate's table */
};

const struct http_limits *gate_limits(const struct http_gate *gate);

/* Counts a connection in. False: too many, *refused says of whom. */
MUST_USE bool gate_enter(struct http_gate *gate, const struct sockaddr_storage *from,
                         struct gate_slot *slot, enum http_count *refused);

void gate_leave(struct http_gate *gate, const struct gate_slot *slot);

/* Whether more than half of the connections, of all or of this peer, are in use. */
bool gate_crowded(struct http_gate *gate, const struct gate_slot *slot);

/* So many units of request memory more; false if that is too much, they are counted all the same.
 */
MUST_USE bool gate_hold(struct http_gate *gate, size_t units);
void gate_release(struct http_gate *gate, size_t units);

#endif
