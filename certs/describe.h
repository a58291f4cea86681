/*
 * describe.h -- what a certificate says, as text for a person.
 */
#ifndef CERTS_DESCRIBE_H
#define CERTS_DESCRIBE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends subject, issuer, names, validity and SHA-256 fingerprint of each certificate of a PEM
 * file. *expired becomes true if one is past its end at `now` (microseconds since 1970), and stays
 * as it is otherwise.
 */
MUST_USE bool describe_certificates(const char *path, int64_t now, struct buf *out, bool *expired,
                                    struct err *err);

#endif
