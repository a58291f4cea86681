#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "certs/describe.h"
#include "certs/issue.h"
#include "certs/names.h"
#include "certs/pem.h"
#include "certs/tlsfiles.h"
#include "tests/unit/test.h"

static char folder[] = "/tmp/meshwrit-certs-XXXXXX";

static const int64_t day = INT64_C(86400) * 1000000;

static const char *const names[] = {"meshwrit.ns.svc", "*.example.com", "127.0.0.1", "::1",
                                    "localhost",       "localhost"};

static const struct issue_request request = {names, COUNT(names), 30};

static char *in_folder(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void check_message(const char *row, const struct err *err, const char *want)
{
    if (strstr(err->message, want) == NULL)
        fail_msg("%s: message \"%s\" does not say \"%s\"", row, err->message, want);
}

/* A fresh pair of authority and server certificate in a folder of that name. */
static void init(const char *name, const struct issue_request *what, int64_t now)
{
    CLEANUP(freep) char *path = in_folder(name);
    struct err err = {0};

    if (!issue_init(path, what, true, now, &err))
        fail_msg("%s: %s", name, err.message);
}

static X509 *load(const char *name)
{
    CLEANUP(freep) char *path = in_folder(name);
    CLEANUP(pem_chainp) STACK_OF(X509) *chain = NULL;
    struct err err = {0};

    if (!pem_read_certificates(path, &chain, &err))
        fail_msg("%s", err.message);
    assert_int_equal(sk_X509_num(chain), 1);
    return sk_X509_shift(chain);
}

static void save(const char *name, struct bytes content)
{
    CLEANUP(freep) char *path = in_folder(name);
    struct err err = {0};

    if (!file_replace(path, content, 0600, &err))
        fail_msg("%s", err.message);
}

static void content_of(const char *name, struct buf *out)
{
    CLEANUP(freep) char *path = in_folder(name);
    struct err err = {0};

    if (!file_read(path, 1 << 20, out, &err))
        fail_msg("%s", err.message);
}

/* What OpenSSL, as a TLS client would, says of `leaf` under `root`; X509_V_OK is 0. */
static int verify(X509 *leaf, X509 *root, const char *host, const char *address, int purpose,
                  int64_t at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, NULL), 1);

    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    X509_VERIFY_PARAM_set_time(param, (time_t)(at / 1000000));
    assert_int_equal(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT), 1);
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, purpose), 1);
    if (host != NULL)
        assert_int_equal(X509_VERIFY_PARAM_set1_host(param, host, 0), 1);
    if (address != NULL)
        assert_int_equal(X509_VERIFY_PARAM_set1_ip_asc(param, address), 1);

    const int result =
        X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);

    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return result;
}

static void test_issue_init_makes_what_clients_verify(void **state)
{
    const int64_t now = clock_now_micros();
    const struct {
        const char *name;
        const char *host;
        const char *address;
        int64_t at;
        int purpose;
        int want;
    } rows[] = {
        {"first name", names[0], NULL, now, X509_PURPOSE_SSL_SERVER, X509_V_OK},
        {"wildcard", "a.example.com", NULL, now, X509_PURPOSE_SSL_SERVER, X509_V_OK},
        {"address", NULL, "127.0.0.1", now, X509_PURPOSE_SSL_SERVER, X509_V_OK},
        {"long address", NULL, "0::1", now, X509_PURPOSE_SSL_SERVER, X509_V_OK},
        {"another name", "other.ns.svc", NULL, now, X509_PURPOSE_SSL_SERVER,
         X509_V_ERR_HOSTNAME_MISMATCH},
        {"another address", NULL, "127.0.0.2", now, X509_PURPOSE_SSL_SERVER,
         X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"as a client", names[0], NULL, now, X509_PURPOSE_SSL_CLIENT, X509_V_ERR_INVALID_PURPOSE},
        {"a clock that is behind", names[0], NULL, now - day / 288 + 1000, X509_PURPOSE_SSL_SERVER,
         X509_V_OK},
        {"before", names[0], NULL, now - day, X509_PURPOSE_SSL_SERVER,
         X509_V_ERR_CERT_NOT_YET_VALID},
        {"last day", names[0], NULL, now + 30 * day - 1000000, X509_PURPOSE_SSL_SERVER, X509_V_OK},
        {"after", names[0], NULL, now + 30 * day + 1000000, X509_PURPOSE_SSL_SERVER,
         X509_V_ERR_CERT_HAS_EXPIRED},
    };

    (void)state;
    init("good", &request, now);
    init("other", &request, now);

    X509 *leaf = load("good/tls.crt");
    X509 *root = load("good/ca.crt");
    X509 *other = load("other/ca.crt");

    for (size_t i = 0; i < COUNT(rows); i++) {
        const int got =
            verify(leaf, root, rows[i].host, rows[i].address, rows[i].purpose, rows[i].at);

        if (got != rows[i].want)
            fail_msg("%s: %s", rows[i].name, X509_verify_cert_error_string(got));
    }
    assert_int_equal(verify(leaf, other, NULL, NULL, X509_PURPOSE_SSL_SERVER, now),
                     X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    X509_free(leaf);
    X509_free(root);
    X509_free(other);
}

static void test_issue_init_writes_the_right_extensions(void **state)
{
    X509 *leaf = load("good/tls.crt");
    X509 *root = load("good/ca.crt");
    char text[80];

    (void)state;
    assert_int_equal(X509_get_pathlen(root), 0);
    assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(X509_get_signature_nid(leaf), NID_ecdsa_with_SHA256);
    assert_int_equal(ASN1_STRING_length(X509_get_serialNumber(leaf)), 16);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get_serialNumber(leaf), X509_get_serialNumber(root)),
                         0);
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text,
                                          sizeof(text)) > 0);
    assert_string_equal(text, names[0]);
    assert_true(EVP_PKEY_get_group_name(X509_get0_pubkey(leaf), text, sizeof(text), NULL) == 1);
    assert_string_equal(text, "prime256v1");
    X509_free(leaf);
    X509_free(root);
}

static void test_issue_files_are_private(void **state)
{
    static const char *const files[] = {"good/ca.crt", "good/ca.key", "good/tls.crt",
                                        "good/tls.key"};

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        CLEANUP(freep) char *path = in_folder(files[i]);
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        if ((status.st_mode & 07777) != 0600)
            fail_msg("%s: mode %o", files[i], (unsigned)status.st_mode);
    }
}

static void test_issue_init_overwrites_only_when_told(void **state)
{
    CLEANUP(buf_release) struct buf before = {0};
    CLEANUP(buf_release) struct buf after = {0};
    CLEANUP(freep) char *path = in_folder("kept");
    struct err err = {0};

    (void)state;
    assert_true(issue_init(path, &request, false, clock_now_micros(), &err));
    content_of("kept/ca.key", &before);
    assert_false(issue_init(path, &request, false, clock_now_micros(), &err));
    check_message("again", &err, "ca.crt: is there already");
    check_message("again", &err, "--force");
    content_of("kept/ca.key", &after);
    check_bytes("kept", buf_bytes(&after), buf_bytes(&before));
    assert_true(issue_init(path, &request, true, clock_now_micros(), &err));
    after.len = 0;
    content_of("kept/ca.key", &after);
    assert_false(bytes_equal(buf_bytes(&after), buf_bytes(&before)));
}

static void test_issue_renew_keeps_authority_and_names(void **state)
{
    static const char *const fewer[] = {"10.0.0.1"};
    const int64_t now = clock_now_micros();
    const struct issue_request same = {NULL, 0, 60};
    const struct issue_request other = {fewer, 1, ISSUE_MAX_DAYS};
    CLEANUP(freep) char *path = in_folder("renewed");
    struct err err = {0};

    (void)state;
    init("renewed", &request, now);

    X509 *root = load("renewed/ca.crt");
    X509 *old = load("renewed/tls.crt");

    assert_true(issue_renew(path, &same, now, &err));

    X509 *leaf = load("renewed/tls.crt");

    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(old), X509_get0_pubkey(leaf)), 0);
    assert_int_equal(verify(leaf, root, names[0], "::1", X509_PURPOSE_SSL_SERVER, now + 59 * day),
                     X509_V_OK);
    X509_free(leaf);
    /* An authority that ends sooner ends its certificates. */
    assert_true(issue_renew(path, &other, now + 100 * day, &err));
    leaf = load("renewed/tls.crt");
    assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(leaf), X509_get0_notAfter(root)), 0);
    assert_int_equal(verify(leaf, root, NULL, "10.0.0.1", X509_PURPOSE_SSL_SERVER, now + 200 * day),
                     X509_V_OK);
    assert_int_equal(verify(leaf, root, names[0], NULL, X509_PURPOSE_SSL_SERVER, now + 200 * day),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    X509_free(leaf);
    X509_free(old);
    X509_free(root);
}

static void test_issue_renew_says_what_is_wrong(void **state)
{
    const int64_t now = clock_now_micros();
    CLEANUP(freep) char *path = in_folder("wrong");
    CLEANUP(buf_release) struct buf key = {0};
    CLEANUP(buf_release) struct buf leaf = {0};
    struct err err = {0};

    (void)state;
    init("wrong", &request, now);
    assert_false(issue_renew(path, &request, now + 3651 * day, &err));
    check_message("expired", &err, "ca.crt: the authority has expired");
    content_of("wrong/tls.key", &key);
    save("wrong/ca.key", buf_bytes(&key));
    assert_false(issue_renew(path, &request, now, &err));
    check_message("another key", &err, "ca.key: does not fit");
    content_of("wrong/tls.crt", &leaf);
    save("wrong/ca.crt", buf_bytes(&leaf));
    assert_false(issue_renew(path, &request, now, &err));
    check_message("no authority", &err, "is not the certificate of an authority");
    CLEANUP(freep) char *none = in_folder("none");

    assert_false(issue_renew(none, &request, now, &err));
    check_message("nothing", &err, "none/ca.crt: cannot open: No such file");
}

static void test_issue_refuses_bad_requests(void **state)
{
    static const struct {
        const char *name;
        int days;
        const char *want;
    } rows[] = {
        {"a.example", 0, "0 days are not between"},
        {"a.example", 3651, "3651 days are not between"},
        {"", 1, "is neither a DNS name"},
        {"a b", 1, "is neither"},
        {"a,DNS:b", 1, "is neither"},
        {"a..b", 1, "is neither"},
        {"a.", 1, "is neither"},
        {"-a", 1, "is neither"},
        {"a_b", 1, "is neither"},
        {"b.*.a", 1, "is neither"},
        {"*", 1, "is neither"},
        {"1.2.3", 1, "is neither"},
        {"1.2.3.256", 1, "is neither"},
        {"\xc3\xa4.example", 1, "is neither"},
    };
    CLEANUP(freep) char *path = in_folder("refused");
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct issue_request bad = {&rows[i].name, 1, rows[i].days};

        if (issue_init(path, &bad, false, clock_now_micros(), &err))
            fail_msg("%s was taken", rows[i].name);
        check_message(rows[i].name, &err, rows[i].want);
    }
    const struct issue_request nothing = {NULL, 0, 1};

    assert_false(issue_init(path, &nothing, false, clock_now_micros(), &err));
    check_message("no names", &err, "between 1 and 100 names");
}

static void test_issue_ca_bundle_is_the_file_in_base64(void **state)
{
    CLEANUP(freep) char *certificate = in_folder("good/ca.crt");
    CLEANUP(freep) char *key = in_folder("good/ca.key");
    CLEANUP(buf_release) struct buf text = {0};
    CLEANUP(buf_release) struct buf bundle = {0};
    unsigned char decoded[4096];
    struct err err = {0};

    (void)state;
    assert_true(issue_ca_bundle(certificate, &bundle, &err));
    content_of("good/ca.crt", &text);
    assert_null(memchr(bundle.ptr, '\n', bundle.len));
    assert_true(EVP_DecodeBlock(decoded, bundle.ptr, (int)bundle.len) >= (int)text.len);
    assert_memory_equal(decoded, text.ptr, text.len);
    assert_false(issue_ca_bundle(key, &bundle, &err));
    check_message("a key", &err, "holds a \"PRIVATE KEY\"");
}

static void test_describe_says_what_a_person_wants_to_know(void **state)
{
    CLEANUP(freep) char *path = in_folder("good/tls.crt");
    CLEANUP(buf_release) struct buf text = {0};
    const int64_t now = clock_now_micros();
    struct err err = {0};
    bool expired = false;

    (void)state;
    assert_true(describe_certificates(path, now, &text, &expired, &err));
    assert_false(expired);
    assert_non_null(strstr(buf_cstr(&text), "subject:     CN=meshwrit.ns.svc\n"));
    assert_non_null(strstr(buf_cstr(&text), "names:       DNS:meshwrit.ns.svc, DNS:*.example.com, "
                                            "IP:127.0.0.1, IP:::1, DNS:localhost\n"));
    assert_non_null(strstr(buf_cstr(&text), "(in 29 days)"));
    assert_non_null(strstr(buf_cstr(&text), "  sha256:      "));
    text.len = 0;
    assert_true(describe_certificates(path, now + 31 * day, &text, &expired, &err));
    assert_true(expired);
    assert_non_null(strstr(buf_cstr(&text), "(EXPIRED)"));
}

/* A key with a passphrase, as `openssl genpkey -aes256` writes it. */
static void save_encrypted_key(const char *name, const char *from)
{
    CLEANUP(freep) char *path = in_folder(from);
    CLEANUP(pem_keyp) EVP_PKEY *key = NULL;
    CLEANUP(pem_biop) BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;
    struct err err = {0};

    assert_true(pem_read_key(path, &key, &err));
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL), 1);
    const long size = BIO_get_mem_data(out, &data);

    save(name, bytes_of(data, (size_t)size));
}

static void test_tlsfiles_load_says_what_is_wrong(void **state)
{
    static const struct {
        const char *name;
        const char *certificate;
        const char *key;
        const char *want;
    } rows[] = {
        {"good", "good/tls.crt", "good/tls.key", NULL},
        {"with its chain", "chain.crt", "good/tls.key", NULL},
        {"no certificate", "none", "good/tls.key", "none: cannot open: No such file"},
        {"no key", "good/tls.crt", "none", "none: cannot open: No such file"},
        {"a folder", "good", "good/tls.key", "good: is a directory"},
        {"text", "text", "good/tls.key", "text: holds no PEM certificate"},
        {"empty", "empty", "good/tls.key", "empty: holds no PEM certificate"},
        {"text as key", "good/tls.crt", "text", "text: holds no PEM private key"},
        {"swapped", "good/tls.key", "good/tls.crt", "holds a \"PRIVATE KEY\" where only"},
        {"certificate as key", "good/tls.crt", "good/ca.crt", "holds no PEM private key"},
        {"cut short", "cut.crt", "good/tls.key", "cut.crt: is damaged"},
        {"not DER", "junk.crt", "good/tls.key", "junk.crt: holds a certificate that cannot"},
        {"cut key", "good/tls.crt", "cut.key", "cut.key: holds"},
        {"another key", "good/tls.crt", "other/tls.key", "is not the key of the certificate in"},
        {"expired", "old/tls.crt", "old/tls.key", "old/tls.crt: certificate 1 expired on 20"},
        {"encrypted", "good/tls.crt", "encrypted.key", "encrypted.key: the private key is encrypt"},
        {"too large", "good/tls.crt", "large", "large: is larger than 65536 bytes"},
    };
    CLEANUP(buf_release) struct buf text = {0};
    CLEANUP(buf_release) struct buf large = {0};

    (void)state;
    init("old", &request, clock_now_micros() - 31 * day);
    save("text", BYTES("hello\n"));
    save("empty", BYTES(""));
    save("junk.crt", BYTES("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"));
    content_of("good/tls.crt", &text);
    save("cut.crt", bytes_of(text.ptr, text.len / 2));
    content_of("good/ca.crt", &text);
    save("chain.crt", buf_bytes(&text));
    text.len = 0;
    content_of("good/tls.key", &text);
    save("cut.key", bytes_of(text.ptr, text.len / 2));
    save_encrypted_key("encrypted.key", "good/tls.key");
    for (size_t i = 0; i <= PEM_MAX_KEY_BYTES; i++)
        buf_byte(&large, 'x');
    save("large", buf_bytes(&large));
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *certificate = in_folder(rows[i].certificate);
        CLEANUP(freep) char *key = in_folder(rows[i].key);
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        struct err err = {0};

        if (tlsfiles_load(ctx, certificate, key, &err) != (rows[i].want == NULL))
            fail_msg("%s: %s", rows[i].name, err.message);
        if (rows[i].want != NULL)
            check_message(rows[i].name, &err, rows[i].want);
        if (rows[i].want == NULL)
            assert_int_equal(SSL_CTX_check_private_key(ctx), 1);
        assert_int_equal((int)ERR_peek_error(), 0); /* nothing is left for the next to trip on */
        SSL_CTX_free(ctx);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    CLEANUP(freep) char *command = xasprintf("rm -rf %s", folder);

    (void)state;
    return system(command); /* NOLINT(bugprone-command-processor, cert-env33-c) */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_issue_init_makes_what_clients_verify),
        cmocka_unit_test(test_issue_init_writes_the_right_extensions),
        cmocka_unit_test(test_issue_files_are_private),
        cmocka_unit_test(test_issue_init_overwrites_only_when_told),
        cmocka_unit_test(test_issue_renew_keeps_authority_and_names),
        cmocka_unit_test(test_issue_renew_says_what_is_wrong),
        cmocka_unit_test(test_issue_refuses_bad_requests),
        cmocka_unit_test(test_issue_ca_bundle_is_the_file_in_base64),
        cmocka_unit_test(test_describe_says_what_a_person_wants_to_know),
        cmocka_unit_test(test_tlsfiles_load_says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
