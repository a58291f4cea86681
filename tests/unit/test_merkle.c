#include "policy/merkle.h"
#include "tests/unit/test.h"

#include "base/banned.h"

/* The leaves that the reference implementation of Certificate Transparency tests with. */
static const struct bytes leaves[] = {
    {(const uint8_t *)"", 0},
    {(const uint8_t *)"\x00", 1},
    {(const uint8_t *)"\x10", 1},
    {(const uint8_t *)"\x20\x21", 2},
    {(const uint8_t *)"\x30\x31", 2},
    {(const uint8_t *)"\x40\x41\x42\x43", 4},
    {(const uint8_t *)"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
    {(const uint8_t *)"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
};

/* The root over the first i leaves. */
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void check_root(struct merkle *tree, size_t count, const char *want)
{
    char row[32];
    char hex[DIGEST_HEX_SIZE];
    struct digest root;

    (void)snprintf(row, sizeof(row), "%zu leaves", count);
    merkle_root(tree, &root);
    check_bytes(row, bytes_str(digest_hex(&root, hex)), bytes_str(want));
    assert_int_equal(merkle_count(tree), count);
}

static void test_merkle_is_rfc_6962(void **state)
{
    (void)state;
    for (size_t count = 0; count < COUNT(roots); count++) {
        CLEANUP(merkle_freep) struct merkle *tree = merkle_new();

        for (size_t i = 0; i < count; i++)
            merkle_add(tree, leaves[i]);
        check_root(tree, count, roots[count]);
    }
}

static void test_merkle_goes_on_after_a_root(void **state)
{
    CLEANUP(merkle_freep) struct merkle *tree = merkle_new();

    (void)state;
    check_root(tree, 0, roots[0]);
    for (size_t i = 0; i < COUNT(leaves); i++) {
        merkle_add(tree, leaves[i]);
        check_root(tree, i + 1, roots[i + 1]);
    }
}

/* The definition of the RFC, word by word: split at the largest power of two below n. */
/* NOLINTNEXTLINE(misc-no-recursion): at most 10 deep for 1,000 leaves */
static void defined_root(size_t first, size_t count, struct digest *out)
{
    struct buf node = {0};

    if (count == 1) {
        buf_byte(&node, 0);
        buf_printf(&node, "leaf %zu", first);
    } else if (count > 1) {
        struct digest left;
        struct digest right;
        size_t split = 1;

        while (2 * split < count)
            split *= 2;
        defined_root(first, split, &left);
        defined_root(first + split, count - split, &right);
        buf_byte(&node, 1);
        buf_append(&node, digest_bytes(&left));
        buf_append(&node, digest_bytes(&right));
    }
    digest_of(buf_bytes(&node), out);
    buf_release(&node);
}

static void test_merkle_equals_the_definition(void **state)
{
    static const size_t counts[] = {1,  2,  3,  7,   8,   9,   15,  16,  17,  31,  33,
                                    63, 64, 65, 127, 200, 255, 256, 257, 999, 1000};

    (void)state;
    for (size_t row = 0; row < COUNT(counts); row++) {
        CLEANUP(merkle_freep) struct merkle *tree = merkle_new();
        char hex[DIGEST_HEX_SIZE];
        struct digest want;

        for (size_t i = 0; i < counts[row]; i++) {
            struct buf leaf = {0};

            buf_printf(&leaf, "leaf %zu", i);
            merkle_add(tree, buf_bytes(&leaf));
            buf_release(&leaf);
        }
        defined_root(0, counts[row], &want);
        check_root(tree, counts[row], digest_hex(&want, hex));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merkle_is_rfc_6962),
        cmocka_unit_test(test_merkle_goes_on_after_a_root),
        cmocka_unit_test(test_merkle_equals_the_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
