/*
 * record.h -- a decision as one line of the audit log (design.md section 7).
 */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include "policy/decide.h"

/* What is the same for all records of a process or a set. Borrowed. */
struct record_context {
    const char *replica;
    const char *cluster;
    const char *root;     /* of the set that decided, in hex; NULL: none was mapped */
    struct bytes commits; /* of the set, where the object itself has no entry */
};

/*
 * Appends the record and a line end, without the first member (`{"seq":N,`): auditlog_write gives
 * it its place. `now` in microseconds since 1970.
 */
void record_write(const struct record_context *context, const struct review *rv,
                  const struct decision *d, int64_t now, int64_t latency_micros, struct buf *out);

#endif
