#include "base/digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/mem.h"

#include "base/banned.h"

struct sha256 {
    EVP_MD_CTX *ctx;
    EVP_MD *md;
};

/* A digest that could not be made must not look like one: the process ends. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

struct sha256 *sha256_new(void)
{
    struct sha256 *h = xmalloc(sizeof(*h));

    h->ctx = EVP_MD_CTX_new();
    h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (h->ctx == NULL || h->md == NULL)
        out_of_memory();
    return h;
}

void sha256_free(struct sha256 *h)
{
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
}

void sha256_begin(struct sha256 *h)
{
    must(EVP_DigestInit_ex2(h->ctx, h->md, NULL));
}

void sha256_update(struct sha256 *h, struct bytes data)
{
    if (data.len > 0)
        must(EVP_DigestUpdate(h->ctx, data.ptr, data.len));
}

void sha256_end(struct sha256 *h, struct digest *out)
{
    must(EVP_DigestFinal_ex(h->ctx, out->bytes, NULL));
}

void digest_of(struct bytes data, struct digest *out)
{
    must(EVP_Digest(data.len == 0 ? (const void *)"" : data.ptr, data.len, out->bytes, NULL,
                    EVP_sha256(), NULL));
}

const char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = digits[d->bytes[i] >> 4];
        out[2 * i + 1] = digits[d->bytes[i] & 15];
    }
    out[DIGEST_HEX_SIZE - 1] = '\0';
    return out;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool digest_from_hex(struct bytes hex, struct digest *out)
{
    struct digest d;

    if (hex.len != DIGEST_HEX_SIZE - 1)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        const int high = hex_value(hex.ptr[2 * i]);
        const int low = hex_value(hex.ptr[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        d.bytes[i] = (uint8_t)(high * 16 + low);
    }
    *out = d;
    return true;
}
