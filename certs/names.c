#include "certs/names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/banned.h"

void names_releasep(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

/* RFC 1123 letters, digits and hyphens: what a TLS client compares with. */
static bool is_label(struct bytes label)
{
    if (label.len == 0 || label.len > NAMES_MAX_LABEL_BYTES || label.ptr[0] == '-' ||
        label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        const unsigned char c = label.ptr[i];

        if (c > 0x7f || (!isalnum(c) && c != '-'))
            return false;
    }
    return true;
}

static bool is_dns_name(const char *text)
{
    const char *from = strncmp(text, "*.", 2) == 0 ? text + 2 : text;

    if (strlen(text) > NAMES_MAX_DNS_BYTES)
        return false;
    for (;;) {
        const size_t length = strcspn(from, ".");

        if (!is_label(bytes_of(from, length)))
            return false;
        if (from[length] == '\0') /* all digits: an address with a mistake in it */
            return strspn(from, "0123456789") != length;
        from += length + 1;
    }
}

static GENERAL_NAME *name_make(int type, const void *data, size_t size)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

    if (name == NULL || value == NULL || ASN1_STRING_set(value, data, (int)size) != 1)
        out_of_memory();
    GENERAL_NAME_set0_value(name, type, value);
    return name;
}

static GENERAL_NAME *name_read(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, text, address) == 1)
        return name_make(GEN_IPADD, address, sizeof(struct in_addr));
    if (inet_pton(AF_INET6, text, address) == 1)
        return name_make(GEN_IPADD, address, sizeof(struct in6_addr));
    return is_dns_name(text) ? name_make(GEN_DNS, text, strlen(text)) : NULL;
}

static bool has_name(const GENERAL_NAMES *names, GENERAL_NAME *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), name) == 0)
            return true;
    }
    return false;
}

bool names_make(const char *const *texts, size_t count, GENERAL_NAMES **out, struct err *err)
{
    CLEANUP(names_releasep) GENERAL_NAMES *names = GENERAL_NAMES_new();

    if (names == NULL)
        out_of_memory();
    for (size_t i = 0; i < count; i++) {
        GENERAL_NAME *name = name_read(texts[i]);

        if (name == NULL)
            return err_set(err,
                           "\"%.300s\" is neither a DNS name (letters, digits, hyphens, "
                           "dots) nor an IP address",
                           texts[i]);
        if (has_name(names, name))
            GENERAL_NAME_free(name);
        else if (sk_GENERAL_NAME_push(names, name) <= 0)
            out_of_memory();
    }
    *out = STEAL(names);
    return true;
}

/* A certificate may hold anything: only what is printable goes to a terminal. */
static void print_text(const ASN1_STRING *text, struct buf *out)
{
    const unsigned char *data = ASN1_STRING_get0_data(text);

    for (int i = 0; i < ASN1_STRING_length(text); i++) {
        if (data[i] > 0x20 && data[i] < 0x7f && data[i] != '\\')
            buf_byte(out, data[i]);
        else
            buf_printf(out, "\\x%02x", data[i]);
    }
}

static void print_address(const ASN1_STRING *address, struct buf *out)
{
    const int size = ASN1_STRING_length(address);
    const int family = size == (int)sizeof(struct in_addr) ? AF_INET : AF_INET6;
    char text[INET6_ADDRSTRLEN];

    if ((size == (int)sizeof(struct in_addr) || size == (int)sizeof(struct in6_addr)) &&
        inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text)) != NULL)
        buf_append_str(out, text);
    else
        buf_append_str(out, "(invalid)");
}

void names_print(const GENERAL_NAMES *names, struct buf *out)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        if (i > 0)
            buf_append_str(out, ", ");
        if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
            buf_append_str(out, type == GEN_DNS ? "DNS:" : type == GEN_URI ? "URI:" : "email:");
            print_text(value, out);
        } else if (type == GEN_IPADD) {
            buf_append_str(out, "IP:");
            print_address(value, out);
        } else {
            buf_printf(out, "(a name of type %d)", type);
        }
    }
}
