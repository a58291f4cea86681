/*
 * tlsfiles.h -- the server's certificate and private key, from two PEM files into an SSL_CTX.
 */
#ifndef CERTS_TLSFILES_H
#define CERTS_TLSFILES_H

#include <openssl/ssl.h>

#include "base/err.h"

/*
 * Loads the chain (the server's certificate first, then those that lead to its authority) and the
 * key into a fresh `ctx`, which is of no use when this fails. Fails, naming the file, on what
 * cannot be read, is not PEM, is encrypted or past its end, and on a key that is not the
 * certificate's: while the two files are being replaced that is so for a moment, so who holds an
 * older pair keeps it and tries again.
 */
MUST_USE bool tlsfiles_load(SSL_CTX *ctx, const char *certificate, const char *key,
                            struct err *err);

#endif
