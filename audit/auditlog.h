/*
 * auditlog.h -- the folder of segments that decisions are appended to, one JSON object a line.
 *
 * A process opens one log, which begins a segment audit-<replica>-<role>-<first sequence>.jsonl;
 * its threads append batches. What is acknowledged has been written to the file.
 */
#ifndef AUDIT_AUDITLOG_H
#define AUDIT_AUDITLOG_H

#include "base/buf.h"
#include "base/err.h"

struct auditlog;

/* Makes the folder if needed, and a new segment in it. Free with auditlog_close(). */
MUST_USE bool auditlog_open(const char *folder, const char *replica, const char *role,
                            struct auditlog **out, struct err *err);
void auditlog_close(struct auditlog *log); /* NULL is fine */

/*
 * Appends the lines of `records` (as record_write makes them), each with the next sequence number.
 * Any thread. False if they could not be written whole: nothing of them may be acknowledged.
 */
MUST_USE bool auditlog_write(struct auditlog *log, struct bytes records, struct err *err);

/* Whether the last write went well. Any thread. */
bool auditlog_is_healthy(const struct auditlog *log);

#endif
