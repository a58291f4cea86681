#include "certs/describe.h"

#include <inttypes.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/digest.h"
#include "certs/names.h"
#include "certs/pem.h"

#include "base/banned.h"

static const int64_t day_micros = INT64_C(86400) * 1000000;

/* RFC 2253 escapes control characters, so that a name cannot play with the terminal. */
static void print_subject(const X509_NAME *name, struct buf *out)
{
    CLEANUP(pem_biop) BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;

    if (bio == NULL)
        out_of_memory();
    if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
        buf_append_str(out, "(cannot be read)");
        return;
    }

    const long size = BIO_get_mem_data(bio, &data);

    buf_append(out, bytes_of(data, (size_t)size));
}

static void print_names(const X509 *certificate, struct buf *out)
{
    CLEANUP(names_releasep)
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    if (names == NULL)
        buf_append_str(out, "(none)");
    else
        names_print(names, out);
}

/* To the second: certificates know no more. */
static void print_time(int64_t micros, struct buf *out)
{
    char text[CLOCK_TEXT_SIZE];

    (void)clock_text(micros, text);
    buf_printf(out, "%.19sZ", text);
}

static bool print_validity(const X509 *certificate, int64_t now, struct buf *out, bool *expired)
{
    int64_t from;
    int64_t to;

    if (!pem_time(X509_get0_notBefore(certificate), &from) ||
        !pem_time(X509_get0_notAfter(certificate), &to))
        return false;
    buf_append_str(out, "  not before:  ");
    print_time(from, out);
    buf_append_str(out, from > now ? " (not yet)\n  not after:   " : "\n  not after:   ");
    print_time(to, out);
    if (to < now) {
        *expired = true;
        buf_append_str(out, " (EXPIRED)\n");
    } else {
        buf_printf(out, " (in %" PRId64 " days)\n", (to - now) / day_micros);
    }
    return true;
}

static bool print_fingerprint(const X509 *certificate, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
        return false;
    buf_append_str(out, "  sha256:      ");
    for (unsigned i = 0; i < size; i++)
        buf_printf(out, "%s%02X", i == 0 ? "" : ":", digest[i]);
    buf_byte(out, '\n');
    return true;
}

bool describe_certificates(const char *path, int64_t now, struct buf *out, bool *expired,
                           struct err *err)
{
    CLEANUP(pem_chainp) STACK_OF(X509) *chain = NULL;

    if (!pem_read_certificates(path, &chain, err))
        return false;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *certificate = sk_X509_value(chain, i);

        buf_printf(out, "%s\n  subject:     ", path);
        print_subject(X509_get_subject_name(certificate), out);
        buf_append_str(out, "\n  issuer:      ");
        print_subject(X509_get_issuer_name(certificate), out);
        buf_append_str(out, "\n  names:       ");
        print_names(certificate, out);
        buf_byte(out, '\n');
        if (!print_validity(certificate, now, out, expired) || !print_fingerprint(certificate, out))
            return pem_err(err, "%s: certificate %d cannot be read", path, i + 1);
    }
    return true;
}
