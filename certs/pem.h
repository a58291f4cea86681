/*
 * pem.h -- OpenSSL's objects from and to PEM files, with errors that name the file and the cause.
 */
#ifndef CERTS_PEM_H
#define CERTS_PEM_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    PEM_MAX_CERTIFICATE_BYTES = 1 << 20,
    PEM_MAX_KEY_BYTES = 64 << 10,
    PEM_MAX_CERTIFICATES = 100, /* of one file */
};

/* For CLEANUP. */
void pem_biop(BIO **bio);
void pem_keyp(EVP_PKEY **key);
void pem_certificatep(X509 **certificate);
void pem_chainp(STACK_OF(X509) * *chain);

/* The message and OpenSSL's reason behind it; empties OpenSSL's queue. Returns false. */
bool pem_err(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * The certificates of a file, at least one, in order. Text around them is skipped; any other PEM
 * block is refused, so that no key is taken for a certificate. Free with pem_chainp().
 */
MUST_USE bool pem_read_certificates(const char *path, STACK_OF(X509) * *out, struct err *err);

/* The private key of a file, not encrypted. What was read is wiped. Free with EVP_PKEY_free(). */
MUST_USE bool pem_read_key(const char *path, EVP_PKEY **out, struct err *err);

/* Replaces the file, mode 0600. */
MUST_USE bool pem_write_certificate(const char *path, X509 *certificate, struct err *err);
MUST_USE bool pem_write_key(const char *path, const EVP_PKEY *key, struct err *err);

/* Microseconds since 1970; false if OpenSSL cannot read the time. */
MUST_USE bool pem_time(const ASN1_TIME *time, int64_t *micros);

#endif
