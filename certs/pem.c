#include "certs/pem.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"

#include "base/banned.h"

enum { MODE_PRIVATE = 0600 };

void pem_biop(BIO **bio)
{
    BIO_free_all(*bio);
}

void pem_keyp(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

void pem_certificatep(X509 **certificate)
{
    X509_free(*certificate);
}

void pem_chainp(STACK_OF(X509) * *chain)
{
    sk_X509_pop_free(*chain, X509_free);
}

bool pem_err(struct err *err, const char *format, ...)
{
    const unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    char what[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    ERR_clear_error();
    return err_set(err, "%s: %s", what, reason == NULL ? "no reason given" : reason);
}

/* One PEM block at a time; the end of the file is not an error once something was read. */
static bool read_next(BIO *in, const char *path, STACK_OF(X509) * chain, bool *more,
                      struct err *err)
{
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long size = 0;

    *more = PEM_read_bio(in, &name, &header, &data, &size) == 1;
    if (!*more) {
        const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

        if (!end)
            return pem_err(err, "%s: is damaged", path);
        ERR_clear_error();
        return sk_X509_num(chain) > 0 ||
               err_set(err, "%s: holds no PEM certificate (-----BEGIN CERTIFICATE-----)", path);
    }

    const unsigned char *at = data;
    const bool is_certificate = strcmp(name, PEM_STRING_X509) == 0;
    X509 *certificate = is_certificate ? d2i_X509(NULL, &at, size) : NULL;
    const bool kept = certificate != NULL && sk_X509_num(chain) < PEM_MAX_CERTIFICATES &&
                      sk_X509_push(chain, certificate) > 0;

    if (!is_certificate)
        (void)err_set(err, "%s: holds a \"%s\" where only certificates are expected", path, name);
    else if (certificate == NULL)
        (void)pem_err(err, "%s: holds a certificate that cannot be read", path);
    else if (!kept)
        (void)err_set(err, "%s: holds more than %d certificates", path, PEM_MAX_CERTIFICATES);
    if (!kept)
        X509_free(certificate);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)size);
    return kept;
}

bool pem_read_certificates(const char *path, STACK_OF(X509) * *out, struct err *err)
{
    CLEANUP(buf_release) struct buf text = {0};
    CLEANUP(pem_biop) BIO *in = NULL;
    CLEANUP(pem_chainp) STACK_OF(X509) *chain = sk_X509_new_null();
    bool more = true;

    ERR_clear_error();
    if (!file_read(path, PEM_MAX_CERTIFICATE_BYTES, &text, err))
        return false;
    in = BIO_new_mem_buf(buf_cstr(&text), (int)text.len);
    if (in == NULL || chain == NULL)
        out_of_memory();
    while (more) {
        if (!read_next(in, path, chain, &more, err))
            return false;
    }
    *out = STEAL(chain);
    return true;
}

/* We have no passphrase to give, and must not ask for one on a terminal. */
/* NOLINTNEXTLINE(readability-non-const-parameter): pem_password_cb */
static int note_passphrase(char *buffer, int size, int writing, void *context)
{
    bool *asked = context;

    (void)buffer;
    (void)size;
    (void)writing;
    *asked = true;
    return -1;
}

static bool parse_key(struct buf *text, const char *path, EVP_PKEY **out, struct err *err)
{
    /* OpenSSL's own word for this is "unsupported". */
    if (!bytes_contains(buf_bytes(text), BYTES("PRIVATE KEY-----")))
        return err_set(err, "%s: holds no PEM private key (-----BEGIN PRIVATE KEY-----)", path);

    CLEANUP(pem_biop) BIO *in = BIO_new_mem_buf(text->ptr, (int)text->len);
    bool asked = false;

    if (in == NULL)
        out_of_memory();

    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, note_passphrase, &asked);

    if (key == NULL && asked) {
        ERR_clear_error();
        return err_set(err,
                       "%s: the private key is encrypted; it must be without a passphrase "
                       "(openssl pkey removes it)",
                       path);
    }
    if (key == NULL)
        return pem_err(err, "%s: holds a private key that cannot be read", path);
    ERR_clear_error();
    *out = key;
    return true;
}

bool pem_read_key(const char *path, EVP_PKEY **out, struct err *err)
{
    CLEANUP(buf_release) struct buf text = {0};

    ERR_clear_error();
    /* Room for all of it at once: a buffer that grows would leave copies of the key behind. */
    buf_reserve(&text, (size_t)4 * PEM_MAX_KEY_BYTES);

    const bool done =
        file_read(path, PEM_MAX_KEY_BYTES, &text, err) && parse_key(&text, path, out, err);

    OPENSSL_cleanse(text.ptr, text.cap);
    return done;
}

/* A memory BIO wipes what it held when it is freed. */
static bool write_file(const char *path, BIO *content, struct err *err)
{
    char *data = NULL;
    const long size = BIO_get_mem_data(content, &data);

    return file_replace(path, bytes_of(data, (size_t)size), MODE_PRIVATE, err);
}

bool pem_write_certificate(const char *path, X509 *certificate, struct err *err)
{
    CLEANUP(pem_biop) BIO *out = BIO_new(BIO_s_mem());

    if (out == NULL)
        out_of_memory();
    if (PEM_write_bio_X509(out, certificate) != 1)
        return pem_err(err, "%s: cannot encode the certificate", path);
    return write_file(path, out, err);
}

bool pem_write_key(const char *path, const EVP_PKEY *key, struct err *err)
{
    CLEANUP(pem_biop) BIO *out = BIO_new(BIO_s_mem());

    if (out == NULL)
        out_of_memory();
    if (PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1)
        return pem_err(err, "%s: cannot encode the private key", path);
    return write_file(path, out, err);
}

bool pem_time(const ASN1_TIME *time, int64_t *micros)
{
    struct tm broken_down;

    if (ASN1_TIME_to_tm(time, &broken_down) != 1)
        return false;
    *micros = (int64_t)timegm(&broken_down) * 1000000;
    return true;
}
