#include "certs/issue.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "certs/names.h"
#include "certs/pem.h"

#include "base/banned.h"

enum { SERIAL_BYTES = 16, CN_MAX_BYTES = 64 /* RFC 5280 ub-common-name */ };

/* A certificate and its key. */
struct pair {
    X509 *certificate;
    EVP_PKEY *key;
};

static void pair_release(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

static bool set_serial(X509 *certificate, struct err *err)
{
    unsigned char bytes[SERIAL_BYTES];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return pem_err(err, "cannot make a serial number");
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of full length */

    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    const bool done =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

    BN_free(number);
    return done || pem_err(err, "cannot set the serial number");
}

static bool set_times(X509 *certificate, int days, int64_t now, struct err *err)
{
    time_t seconds = (time_t)(now / 1000000);

    return (X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -(long)ISSUE_BACKDATE_SECONDS,
                             &seconds) != NULL &&
            X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, &seconds) != NULL) ||
           pem_err(err, "cannot set the validity");
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value,
                          struct err *err)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);

    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    const bool done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return done || pem_err(err, "cannot add the extension %s", OBJ_nid2sn(nid));
}

/* What authority and server certificate have in common. The key is fresh. */
static bool begin(struct pair *pair, const char *common_name, int days, int64_t now,
                  struct err *err)
{
    ERR_clear_error();
    pair->key = EVP_EC_gen("P-256");
    pair->certificate = X509_new();
    if (pair->key == NULL || pair->certificate == NULL)
        return pem_err(err, "cannot make a key");

    X509_NAME *subject = X509_get_subject_name(pair->certificate);
    const unsigned char *text = (const unsigned char *)common_name;

    if (X509_set_version(pair->certificate, X509_VERSION_3) != 1 ||
        X509_set_pubkey(pair->certificate, pair->key) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) != 1)
        return pem_err(err, "cannot make a certificate for \"%s\"", common_name);
    return set_serial(pair->certificate, err) && set_times(pair->certificate, days, now, err);
}

static bool sign(X509 *certificate, const struct pair *by, struct err *err)
{
    if (X509_set_issuer_name(certificate, X509_get_subject_name(by->certificate)) != 1 ||
        X509_sign(certificate, by->key, EVP_sha256()) == 0)
        return pem_err(err, "cannot sign the certificate");
    return true;
}

/* The name tells one authority from the next, so that a caBundle with both is readable. */
static bool make_authority(struct pair *ca, int64_t now, struct err *err)
{
    unsigned char tag[4];
    char name[CN_MAX_BYTES];

    if (RAND_bytes(tag, sizeof(tag)) != 1)
        return pem_err(err, "cannot name the authority");
    (void)snprintf(name, sizeof(name), "meshwrit CA %02x%02x%02x%02x", tag[0], tag[1], tag[2],
                   tag[3]);
    if (!begin(ca, name, ISSUE_CA_DAYS, now, err))
        return false;

    X509 *self = ca->certificate;

    return add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0", err) &&
           add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign", err) &&
           add_extension(self, self, NID_subject_key_identifier, "hash", err) &&
           add_extension(self, self, NID_authority_key_identifier, "keyid:always", err) &&
           sign(self, ca, err);
}

/* Nothing that outlives its issuer: a verifier would refuse it from then on anyhow. */
static bool end_with_issuer(X509 *certificate, const X509 *issuer, struct err *err)
{
    const ASN1_TIME *last = X509_get0_notAfter(issuer);

    if (ASN1_TIME_compare(X509_get0_notAfter(certificate), last) <= 0)
        return true;
    return X509_set1_notAfter(certificate, last) == 1 || pem_err(err, "cannot set the validity");
}

static void first_name(const GENERAL_NAMES *names, char out[CN_MAX_BYTES + 1])
{
    CLEANUP(buf_release) struct buf text = {0};

    names_print(names, &text);

    const char *from = strchr(buf_cstr(&text), ':');
    const size_t length = from == NULL ? 0 : strcspn(from + 1, ",");

    /* Verifiers read subjectAltName; the CN is for people, and cannot be longer. */
    (void)snprintf(out, CN_MAX_BYTES + 1, "%.*s", (int)length, from == NULL ? "" : from + 1);
}

static bool make_server(struct pair *server, const struct pair *ca, GENERAL_NAMES *names, int days,
                        int64_t now, struct err *err)
{
    char name[CN_MAX_BYTES + 1];

    if (days < 1 || days > ISSUE_MAX_DAYS)
        return err_set(err, "%d days are not between 1 and %d", days, ISSUE_MAX_DAYS);
    if (sk_GENERAL_NAME_num(names) < 1 || sk_GENERAL_NAME_num(names) > ISSUE_MAX_NAMES)
        return err_set(err, "between 1 and %d names are expected", ISSUE_MAX_NAMES);
    first_name(names, name);
    if (!begin(server, name, days, now, err))
        return false;

    X509 *self = server->certificate;
    X509 *issuer = ca->certificate;

    if (!end_with_issuer(self, issuer, err))
        return false;
    if (X509_add1_ext_i2d(self, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
        return pem_err(err, "cannot set the names");
    return add_extension(self, issuer, NID_basic_constraints, "critical,CA:FALSE", err) &&
           add_extension(self, issuer, NID_key_usage, "critical,digitalSignature", err) &&
           add_extension(self, issuer, NID_ext_key_usage, "serverAuth", err) &&
           add_extension(self, issuer, NID_subject_key_identifier, "hash", err) &&
           add_extension(self, issuer, NID_authority_key_identifier, "keyid:always", err) &&
           sign(self, ca, err);
}

static bool write_pair(const char *folder, const char *base, const struct pair *pair,
                       struct err *err)
{
    CLEANUP(freep) char *key = xasprintf("%s/%s.key", folder, base);
    CLEANUP(freep) char *certificate = xasprintf("%s/%s.crt", folder, base);

    return pem_write_key(key, pair->key, err) &&
           pem_write_certificate(certificate, pair->certificate, err);
}

static bool refuse_existing(const char *folder, struct err *err)
{
    static const char *const files[] = {"ca.crt", "ca.key", "tls.crt", "tls.key"};

    for (size_t i = 0; i < COUNT(files); i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", folder, files[i]);

        if (access(path, F_OK) == 0)
            return err_set(err,
                           "%s: is there already; \"certs renew\" makes a new server "
                           "certificate under the same authority, --force replaces both (every "
                           "caBundle handed out so far is void then)",
                           path);
    }
    return true;
}

bool issue_init(const char *folder, const struct issue_request *request, bool force, int64_t now,
                struct err *err)
{
    CLEANUP(names_releasep) GENERAL_NAMES *names = NULL;
    CLEANUP(pair_release) struct pair ca = {0};
    CLEANUP(pair_release) struct pair server = {0};

    if (!names_make(request->names, request->name_count, &names, err) ||
        !file_make_folder(folder, err) || (!force && !refuse_existing(folder, err)))
        return false;
    return make_authority(&ca, now, err) &&
           make_server(&server, &ca, names, request->days, now, err) &&
           write_pair(folder, "ca", &ca, err) && write_pair(folder, "tls", &server, err);
}

static bool read_first(const char *path, X509 **out, struct err *err)
{
    CLEANUP(pem_chainp) STACK_OF(X509) *chain = NULL;

    if (!pem_read_certificates(path, &chain, err))
        return false;
    *out = sk_X509_shift(chain);
    return true;
}

static bool read_authority(const char *folder, struct pair *ca, int64_t now, struct err *err)
{
    CLEANUP(freep) char *certificate = xasprintf("%s/ca.crt", folder);
    CLEANUP(freep) char *key = xasprintf("%s/ca.key", folder);
    int64_t end;

    if (!read_first(certificate, &ca->certificate, err) || !pem_read_key(key, &ca->key, err))
        return false;
    if (X509_check_ca(ca->certificate) != 1)
        return err_set(err, "%s: is not the certificate of an authority", certificate);
    if (X509_check_private_key(ca->certificate, ca->key) != 1) {
        ERR_clear_error();
        return err_set(err, "%s: does not fit %s", key, certificate);
    }
    if (!pem_time(X509_get0_notAfter(ca->certificate), &end) || end <= now)
        return err_set(err, "%s: the authority has expired; \"certs init --force\" makes a new one",
                       certificate);
    return true;
}

/* The names of the server certificate that is there. */
static bool names_of_server(const char *folder, GENERAL_NAMES **out, struct err *err)
{
    CLEANUP(freep) char *path = xasprintf("%s/tls.crt", folder);
    CLEANUP(pem_certificatep) X509 *certificate = NULL;

    if (!read_first(path, &certificate, err))
        return false;
    *out = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    return *out != NULL || err_set(err, "%s: has no names to take over; give --name", path);
}

bool issue_renew(const char *folder, const struct issue_request *request, int64_t now,
                 struct err *err)
{
    CLEANUP(names_releasep) GENERAL_NAMES *names = NULL;
    CLEANUP(pair_release) struct pair ca = {0};
    CLEANUP(pair_release) struct pair server = {0};

    if (!read_authority(folder, &ca, now, err))
        return false;
    if (request->name_count > 0 ? !names_make(request->names, request->name_count, &names, err)
                                : !names_of_server(folder, &names, err))
        return false;
    return make_server(&server, &ca, names, request->days, now, err) &&
           write_pair(folder, "tls", &server, err);
}

bool issue_ca_bundle(const char *path, struct buf *out, struct err *err)
{
    CLEANUP(pem_chainp) STACK_OF(X509) *chain = NULL;
    CLEANUP(buf_release) struct buf text = {0};

    /* Refuses a key: the bundle goes where everybody can read it. */
    if (!pem_read_certificates(path, &chain, err) ||
        !file_read(path, PEM_MAX_CERTIFICATE_BYTES, &text, err))
        return false;
    buf_reserve(out, text.len / 3 * 4 + 5);
    out->len += (size_t)EVP_EncodeBlock(out->ptr + out->len, text.ptr, (int)text.len);
    return true;
}
