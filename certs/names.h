/*
 * names.h -- the names a server certificate is for: DNS names and IP addresses as text, and as
 * OpenSSL's subjectAltName.
 */
#ifndef CERTS_NAMES_H
#define CERTS_NAMES_H

#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/err.h"

enum { NAMES_MAX_DNS_BYTES = 253, NAMES_MAX_LABEL_BYTES = 63 };

/* Free with names_releasep(). */
void names_releasep(GENERAL_NAMES **names);

/*
 * Checks each (a DNS name of letters, digits and hyphens, perhaps with a first label "*"; or an
 * IP address) and makes the list; one that comes twice is in it once.
 */
MUST_USE bool names_make(const char *const *texts, size_t count, GENERAL_NAMES **out,
                         struct err *err);

/* "DNS:a.example, IP:127.0.0.1"; what is neither is named by its type. Appended to `out`. */
void names_print(const GENERAL_NAMES *names, struct buf *out);

#endif
