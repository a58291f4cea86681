/*
 * log.h -- one JSON line on standard error for each thing worth saying.
 *
 *     log_warn("keeping the old certificate", "file", path, "error", err.message, NULL);
 *
 * After the message come pairs of C strings, key and value, and a NULL. Thread safe: a line is one
 * write(2). Not for decisions: those go to the audit log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

/* The role that each line of this process names ("server", "source", …); a literal. */
void log_role(const char *role);

void log_info(const char *message, ...) __attribute__((sentinel));
void log_warn(const char *message, ...) __attribute__((sentinel));
void log_error(const char *message, ...) __attribute__((sentinel));

#endif
