/*
 * tls.h -- the TLS contexts that the listeners use (R19, R20).
 *
 * TLS 1.2 and 1.3, ECDHE and AEAD only, no compression, renegotiation, tickets or session cache.
 * A context is immutable once made; a reload makes a new one (http_loop_set_tls).
 */
#ifndef WEBHOOK_TLS_H
#define WEBHOOK_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/attr.h"
#include "base/err.h"

enum { TLS_PEM_MAX_BYTES = 1 << 20 };

struct tls_options {
    const char *certificate; /* file: the certificate and its chain, PEM */
    const char *key;         /* file: its key, PEM, without a passphrase */
    const char *client_ca;   /* file, or NULL: clients must show a certificate that it signed */
    /* With client_ca: a subject CN or DNS SAN must be one of these; none given: any. Borrowed. */
    const char *const *client_names;
    size_t client_name_count;
    bool http2; /* offer h2 beside http/1.1 */
};

/*
 * On success *out is the caller's, free with SSL_CTX_free(). Fails if a file cannot be read, the
 * key is not the certificate's, or the certificate has ended (`now`, seconds since 1970).
 */
MUST_USE bool tls_context_new(const struct tls_options *options, int64_t now, SSL_CTX **out,
                              struct err *err);

/* Seconds since 1970 when the context's own certificate ends. */
int64_t tls_context_end(const SSL_CTX *ctx);

#endif
