/*
 * issue.h -- a certificate authority of our own and the server certificate it signs: ECDSA P-256,
 * SHA-256, in one folder as ca.crt, ca.key, tls.crt, tls.key, each mode 0600.
 *
 * `now` (microseconds since 1970) is an argument. Private keys are wiped from memory.
 */
#ifndef CERTS_ISSUE_H
#define CERTS_ISSUE_H

#include "base/buf.h"
#include "base/err.h"

enum {
    ISSUE_CA_DAYS = 3650,
    ISSUE_DEFAULT_DAYS = 365,
    ISSUE_MAX_DAYS = 3650,
    ISSUE_MAX_NAMES = 100,
    ISSUE_BACKDATE_SECONDS = 300, /* clocks that are a little behind ours take it, too */
};

/* What the server certificate says: DNS names and IP addresses, the first one is its CN. */
struct issue_request {
    const char *const *names;
    size_t name_count;
    int days;
};

/*
 * Makes the folder, a new authority and a server certificate. Fails if one of the four files is
 * there, unless `force`.
 */
MUST_USE bool issue_init(const char *folder, const struct issue_request *request, bool force,
                         int64_t now, struct err *err);

/*
 * A new key and server certificate from the folder's authority; never valid for longer than that.
 * Without names: those of the tls.crt that is there. The key is replaced first, the certificate
 * last: who watches tls.crt finds the key that fits when it changes. Between the two (two renames
 * and an fsync) the pair does not fit; tlsfiles_load() refuses it then, and its caller keeps what
 * it has and tries again. A crash in between is mended by renewing once more.
 */
MUST_USE bool issue_renew(const char *folder, const struct issue_request *request, int64_t now,
                          struct err *err);

/*
 * What a webhook configuration wants as caBundle: the file, which must hold certificates and
 * nothing else, in base64 on one line, appended to `out`.
 */
MUST_USE bool issue_ca_bundle(const char *path, struct buf *out, struct err *err);

#endif
