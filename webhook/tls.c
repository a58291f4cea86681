#include "webhook/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/mem.h"

#include "base/banned.h"

/* ECDHE and AEAD only; TLS 1.3 has nothing else. */
#define TLS12_CIPHERS                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

/* What a context keeps beside OpenSSL's own: the names of R19, freed with it. */
struct client_names {
    size_t count;
    char *names[];
};

static int names_index;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static void ssl_ctx_freep(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
}

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

static void x509_freep(X509 **cert)
{
    X509_free(*cert);
}

static void key_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void buf_cleansep(struct buf *b)
{
    OPENSSL_cleanse(b->ptr, b->cap);
    buf_release(b);
}

/* OpenSSL's reason, behind ours; its queue is empty afterwards. */
static bool openssl_failed(struct err *err, const char *what, const char *path)
{
    const unsigned long code = ERR_peek_last_error();
    const char *const reason = code == 0 ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    return err_set(err, "%s %s: %s", what, path, reason == NULL ? "not usable" : reason);
}

static bool read_pem(const char *path, struct buf *out, BIO **bio, struct err *err)
{
    if (!file_read(path, TLS_PEM_MAX_BYTES, out, err))
        return false;
    *bio = BIO_new_mem_buf(out->ptr, (int)out->len);
    if (*bio == NULL)
        out_of_memory();
    return true;
}

/* A key with a passphrase is refused: nobody is there to type it. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's signature */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* ---- our certificate ---- */

static bool check_dates(const X509 *cert, int64_t now, const char *path, struct err *err)
{
    time_t at = (time_t)now;

    if (X509_cmp_time(X509_get0_notAfter(cert), &at) <= 0)
        return err_set(err, "the certificate %s has ended; renew it", path);
    if (X509_cmp_time(X509_get0_notBefore(cert), &at) > 0)
        return err_set(err, "the certificate %s is not valid yet; check the clock", path);
    return true;
}

static bool use_chain(SSL_CTX *ctx, BIO *bio, const char *path, struct err *err)
{
    for (;;) {
        X509 *above = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

        if (above == NULL)
            break;
        if (SSL_CTX_add0_chain_cert(ctx, above) != 1) {
            X509_free(above);
            return openssl_failed(err, "the chain in", path);
        }
    }
    /* The end of the file is no error; anything else is. */
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return openssl_failed(err, "the chain in", path);
    ERR_clear_error();
    return true;
}

static bool use_certificate(SSL_CTX *ctx, const struct tls_options *options, int64_t now,
                            struct err *err)
{
    struct buf pem CLEANUP(buf_release) = {0};
    BIO *bio CLEANUP(bio_freep) = NULL;
    X509 *cert CLEANUP(x509_freep) = NULL;

    if (!read_pem(options->certificate, &pem, &bio, err))
        return false;
    cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    if (cert == NULL || SSL_CTX_use_certificate(ctx, cert) != 1)
        return openssl_failed(err, "the certificate", options->certificate);
    return check_dates(cert, now, options->certificate, err) &&
           use_chain(ctx, bio, options->certificate, err);
}

static bool use_key(SSL_CTX *ctx, const struct tls_options *options, struct err *err)
{
    struct buf pem CLEANUP(buf_cleansep) = {0};
    BIO *bio CLEANUP(bio_freep) = NULL;
    EVP_PKEY *key CLEANUP(key_freep) = NULL;

    if (!read_pem(options->key, &pem, &bio, err))
        return false;
    key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    if (key == NULL)
        return openssl_failed(err, "the key", options->key);
    if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
        ERR_clear_error();
        return err_set(err, "the key %s is not that of the certificate %s", options->key,
                       options->certificate);
    }
    return true;
}

/* ---- client certificates (R19) ---- */

static void free_names(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    struct client_names *names = ptr;

    (void)parent;
    (void)ad;
    (void)idx;
    (void)argl;
    (void)argp;
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names);
}

static void make_names_index(void)
{
    names_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
}

static bool is_name(const struct client_names *names, const ASN1_STRING *text)
{
    const unsigned char *const bytes = ASN1_STRING_get0_data(text);
    const size_t len = (size_t)ASN1_STRING_length(text);

    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->names[i]) == len && memcmp(names->names[i], bytes, len) == 0)
            return true;
    return false;
}

static bool has_common_name(const struct client_names *names, const X509 *cert)
{
    X509_NAME *const subject = X509_get_subject_name(cert);

    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
        if (is_name(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))))
            return true;
    return false;
}

static bool has_alternative_name(const struct client_names *names, const X509 *cert)
{
    GENERAL_NAMES *const all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(all) && !found; i++) {
        const GENERAL_NAME *const one = sk_GENERAL_NAME_value(all, i);

        found = one->type == GEN_DNS && is_name(names, one->d.dNSName);
    }
    GENERAL_NAMES_free(all);
    return found;
}

/* OpenSSL has checked chain, dates and clientAuth; this adds the names. */
static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *const ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct client_names *const names = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), names_index);
    const X509 *const cert = X509_STORE_CTX_get_current_cert(store);

    if (good != 1 || X509_STORE_CTX_get_error_depth(store) != 0 || names == NULL)
        return good;
    if (has_common_name(names, cert) || has_alternative_name(names, cert))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static void keep_names(SSL_CTX *ctx, const struct tls_options *options)
{
    struct client_names *names =
        xcalloc(1, sizeof(*names) + options->client_name_count * sizeof(names->names[0]));

    names->count = options->client_name_count;
    for (size_t i = 0; i < names->count; i++)
        names->names[i] = xstrdup(options->client_names[i]);
    if (SSL_CTX_set_ex_data(ctx, names_index, names) != 1)
        out_of_memory();
}

static bool require_clients(SSL_CTX *ctx, const struct tls_options *options, struct err *err)
{
    STACK_OF(X509_NAME) * authorities;

    if (options->client_ca == NULL)
        return true;
    authorities = SSL_load_client_CA_file(options->client_ca);
    if (authorities == NULL || SSL_CTX_load_verify_file(ctx, options->client_ca) != 1) {
        sk_X509_NAME_pop_free(authorities, X509_NAME_free);
        return openssl_failed(err, "the client CA", options->client_ca);
    }
    SSL_CTX_set_client_CA_list(ctx, authorities);
    if (options->client_name_count > 0)
        keep_names(ctx, options);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
    return true;
}

/* ---- the protocol ---- */

static const unsigned char alpn_both[] = "\x02h2\x08http/1.1";
static const unsigned char alpn_http1[] = "\x08http/1.1";

/* The server's preference; a client that offers neither is refused (RFC 7301). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *http2)
{
    const unsigned char *const ours = http2 != NULL ? alpn_both : alpn_http1;
    const unsigned ours_len =
        (unsigned)(http2 != NULL ? sizeof(alpn_both) : sizeof(alpn_http1)) - 1;
    unsigned char *chosen = NULL;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, ours, ours_len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_policy(SSL_CTX *ctx, bool http2)
{
    static char http2_on;

    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* An idle connection keeps no record buffers: 34 KB of them each. */
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, http2 ? &http2_on : NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) == 1;
}

bool tls_context_new(const struct tls_options *options, int64_t now, SSL_CTX **out, struct err *err)
{
    SSL_CTX *ctx CLEANUP(ssl_ctx_freep) = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL)
        out_of_memory();
    (void)pthread_once(&names_once, make_names_index);
    if (!set_policy(ctx, options->http2))
        return openssl_failed(err, "the TLS policy of", "this build");
    if (!use_certificate(ctx, options, now, err) || !use_key(ctx, options, err) ||
        !require_clients(ctx, options, err))
        return false;
    *out = STEAL(ctx);
    return true;
}

int64_t tls_context_end(const SSL_CTX *ctx)
{
    const X509 *const cert = SSL_CTX_get0_certificate(ctx);
    struct tm end = {0};

    if (cert == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1)
        return 0;
    return (int64_t)timegm(&end);
}
