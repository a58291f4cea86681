#include "certs/tlsfiles.h"

#include <openssl/err.h>

#include "base/clock.h"
#include "certs/pem.h"

#include "base/banned.h"

/* The server's own and, for a clear word instead of failed handshakes, those it sends along. */
static bool check_ends(STACK_OF(X509) * chain, const char *path, struct err *err)
{
    const int64_t now = clock_now_micros();

    for (int i = 0; i < sk_X509_num(chain); i++) {
        int64_t end;
        char text[CLOCK_TEXT_SIZE];

        if (!pem_time(X509_get0_notAfter(sk_X509_value(chain, i)), &end))
            return pem_err(err, "%s: certificate %d has no readable end", path, i + 1);
        if (end < now)
            return err_set(err,
                           "%s: certificate %d expired on %.10s; \"meshwrit certs renew\" "
                           "makes a new one",
                           path, i + 1, clock_text(end, text));
    }
    return true;
}

static bool use_chain(SSL_CTX *ctx, STACK_OF(X509) * chain, const char *path, struct err *err)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *certificate = sk_X509_value(chain, i);
        const int done = i == 0 ? SSL_CTX_use_certificate(ctx, certificate)
                                : (int)SSL_CTX_add1_chain_cert(ctx, certificate);

        if (done != 1)
            return pem_err(err, "%s: certificate %d cannot be used", path, i + 1);
    }
    return true;
}

bool tlsfiles_load(SSL_CTX *ctx, const char *certificate, const char *key, struct err *err)
{
    CLEANUP(pem_chainp) STACK_OF(X509) *chain = NULL;
    CLEANUP(pem_keyp) EVP_PKEY *private_key = NULL;

    if (!pem_read_certificates(certificate, &chain, err) || !pem_read_key(key, &private_key, err) ||
        !check_ends(chain, certificate, err))
        return false;
    if (X509_check_private_key(sk_X509_value(chain, 0), private_key) != 1) {
        ERR_clear_error();
        return err_set(err, "%s: is not the key of the certificate in %s", key, certificate);
    }
    if (!use_chain(ctx, chain, certificate, err))
        return false;
    if (SSL_CTX_use_PrivateKey(ctx, private_key) != 1)
        return pem_err(err, "%s: the key cannot be used", key);
    return true;
}
