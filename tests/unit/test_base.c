#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/jsontext.h"
#include "base/unicode.h"
#include "tests/unit/test.h"

static void test_bytes_order_is_memcmp_with_the_shorter_first(void **state)
{
    (void)state;
    assert_true(bytes_compare(BYTES("a"), BYTES("b")) < 0);
    assert_true(bytes_compare(BYTES("a"), BYTES("aa")) < 0);
    assert_true(bytes_compare(BYTES("\xff"), BYTES("a")) > 0);
    assert_int_equal(bytes_compare(BYTES(""), bytes_str(NULL)), 0);
}

static void test_bytes_to_cstr_refuses_nul_and_overflow(void **state)
{
    char out[4];

    (void)state;
    assert_true(bytes_to_cstr(BYTES("abc"), out, sizeof(out)));
    assert_string_equal(out, "abc");
    assert_false(bytes_to_cstr(BYTES("abcd"), out, sizeof(out)));
    assert_false(bytes_to_cstr(BYTES("a\0b"), out, sizeof(out)));
}

static void test_digest_is_sha256(void **state)
{
    struct digest d;
    struct digest back;
    char hex[DIGEST_HEX_SIZE];
    struct sha256 *h = sha256_new();

    (void)state;
    digest_of(BYTES("abc"), &d);
    assert_string_equal(digest_hex(&d, hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(digest_from_hex(bytes_str(hex), &back));
    assert_true(digest_equal(&d, &back));
    assert_false(digest_from_hex(BYTES("zz"), &back));
    sha256_begin(h);
    sha256_update(h, BYTES("a"));
    sha256_update(h, BYTES("bc"));
    sha256_end(h, &back);
    assert_true(digest_equal(&d, &back));
    sha256_free(h);
}

static void test_jsontext_escapes(void **state)
{
    static const struct {
        const char *name;
        struct bytes in;
        const char *want;
    } rows[] = {
        {"plain", {(const uint8_t *)"abc", 3}, "\"abc\""},
        {"quotes and lines",
         {(const uint8_t *)"a\"\\\n\x01\x7f", 6},
         "\"a\\\"\\\\\\n\\u0001\x7f\""},
        {"utf-8 stays", {(const uint8_t *)"\xc3\xa9", 2}, "\"\xc3\xa9\""},
        {"what is not utf-8 is replaced", {(const uint8_t *)"\xc3(", 2}, "\"\xef\xbf\xbd(\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};

        jsontext_string(&out, rows[i].in);
        check_bytes(rows[i].name, buf_bytes(&out), bytes_str(rows[i].want));
        buf_release(&out);
    }
}

static void test_unicode_refuses_what_rfc_3629_refuses(void **state)
{
    static const struct {
        const char *name;
        const char *in;
        size_t want;
    } rows[] = {
        {"ascii", "a", 1},
        {"two bytes", "\xc2\x80", 2},
        {"overlong two", "\xc1\x81", 0},
        {"overlong three", "\xe0\x9f\xbf", 0},
        {"surrogate", "\xed\xa0\x80", 0},
        {"four bytes", "\xf0\x9f\x98\x80", 4},
        {"beyond 10ffff", "\xf4\x90\x80\x80", 0},
        {"cut short", "\xf0\x9f\x98", 0},
        {"lone continuation", "\x80", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const size_t got = unicode_length((const uint8_t *)rows[i].in, strlen(rows[i].in));

        if (got != rows[i].want)
            fail_msg("%s: got %zu, want %zu", rows[i].name, got, rows[i].want);
    }
}

static void test_file_replace_is_whole_and_read_is_bounded(void **state)
{
    char folder[] = "/tmp/meshwrit-test-XXXXXX";
    struct buf got = {0};
    struct err err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    char *path = xasprintf("%s/file", folder);

    assert_true(file_replace(path, BYTES("one"), 0600, &err));
    assert_true(file_replace(path, BYTES("two"), 0600, &err));
    assert_true(file_read(path, 3, &got, &err));
    check_bytes("content", buf_bytes(&got), BYTES("two"));
    assert_false(file_read(path, 2, &got, &err));
    assert_non_null(strstr(err.message, "larger than 2 bytes"));
    assert_false(file_read(folder, 2, &got, &err));
    assert_non_null(strstr(err.message, "is a directory"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    free(path);
    buf_release(&got);
}

static void test_clock_text_is_rfc_3339(void **state)
{
    char text[CLOCK_TEXT_SIZE];

    (void)state;
    assert_string_equal(clock_text(1767323045000007, text), "2026-01-02T03:04:05.000007Z");
    /* Against strftime: every day of 400 years has the length of ours. */
    for (int64_t second = 0; second < INT64_C(12622780800); second += 86399) {
        const time_t when = (time_t)second;
        char want[CLOCK_TEXT_SIZE];
        struct tm utc;

        assert_non_null(gmtime_r(&when, &utc));
        (void)strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000000Z", &utc);
        assert_string_equal(clock_text(second * 1000000, text), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_order_is_memcmp_with_the_shorter_first),
        cmocka_unit_test(test_bytes_to_cstr_refuses_nul_and_overflow),
        cmocka_unit_test(test_digest_is_sha256),
        cmocka_unit_test(test_jsontext_escapes),
        cmocka_unit_test(test_unicode_refuses_what_rfc_3629_refuses),
        cmocka_unit_test(test_file_replace_is_whole_and_read_is_bounded),
        cmocka_unit_test(test_clock_text_is_rfc_3339),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
