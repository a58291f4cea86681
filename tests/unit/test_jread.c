#include <stdlib.h>

#include "policy/canon.h"
#include "tests/unit/test.h"

/* The canonical bytes of a JSON text as hex, or "! problem". */
static char *canonical(const char *json, size_t len)
{
    struct canon c = {0};
    struct jread r;
    struct buf out = {0};

    jread_start(&r, bytes_of(json, len));
    if (!canon_value(&c, &r) || !jread_end(&r)) {
        buf_printf(&out, "! %s", r.problem);
    } else {
        for (size_t i = 0; i < c.out.len; i++)
            buf_printf(&out, "%02x", c.out.ptr[i]);
    }
    canon_release(&c);
    (void)buf_cstr(&out);
    return (char *)out.ptr;
}

static void check_canonical(const char *name, const char *json, size_t len, const char *want)
{
    char *got = canonical(json, len);

    if (strcmp(got, want) != 0)
        fail_msg("%s: got %s, want %s", name, got, want);
    free(got);
}

static void test_canon_encodes_each_type(void **state)
{
    static const struct {
        const char *name;
        const char *json;
        const char *want;
    } rows[] = {
        {"null", "[null]", "4c000000014e"},
        {"true and false", " [ true ,false ] ", "4c000000025446"},
        {"integer", "[1]",
         "4c0000000149"
         "0000000000000001"},
        {"minus zero", "[-0]",
         "4c0000000149"
         "0000000000000000"},
        {"minus zero point zero", "[-0.0]",
         "4c0000000149"
         "0000000000000000"},
        {"integral double", "[1.0]",
         "4c0000000149"
         "0000000000000001"},
        {"exponent", "[1e3]",
         "4c0000000149"
         "00000000000003e8"},
        {"int64 limit", "[-9223372036854775808]",
         "4c0000000149"
         "8000000000000000"},
        {"2^53 + 1 stays exact", "[9007199254740993]",
         "4c0000000149"
         "0020000000000001"},
        {"2^53 as a double stays one", "[9007199254740992.0]",
         "4c0000000144"
         "4340000000000000"},
        {"beyond int64", "[9223372036854775808]",
         "4c0000000144"
         "43e0000000000000"},
        {"double", "[2.5]",
         "4c0000000144"
         "4004000000000000"},
        {"string", "[\"a\"]",
         "4c0000000153"
         "0000000161"},
        {"go's escapes", "[\"\\u003c\"]",
         "4c0000000153"
         "000000013c"},
        {"surrogate pair", "[\"\\ud83d\\ude00\"]",
         "4c0000000153"
         "00000004f09f9880"},
        {"all short escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
         "4c0000000153"
         "00000008225c2f080c0a0d09"},
        {"empty map and list", "[{},[]]", "4c000000024d000000004c00000000"},
        {"keys in order", "{\"a\":1,\"b\":2}",
         "4d00000002"
         "530000000161490000000000000001"
         "530000000162490000000000000002"},
        {"keys out of order", "{\"b\":2,\"a\":1}",
         "4d00000002"
         "530000000161490000000000000001"
         "530000000162490000000000000002"},
        {"the shorter key first", "{\"aa\":1,\"a\":2}",
         "4d00000002"
         "530000000161490000000000000002"
         "53000000026161490000000000000001"},
        {"nested out of order", "{\"b\":{\"d\":null,\"c\":null},\"a\":[]}",
         "4d00000002"
         "5300000001614c00000000"
         "5300000001624d00000002"
         "5300000001634e"
         "5300000001644e"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_canonical(rows[i].name, rows[i].json, strlen(rows[i].json), rows[i].want);
}

static void test_canon_refuses(void **state)
{
#define ROW(name, json, want)                                                                      \
    {                                                                                              \
        name, json, sizeof(json) - 1, want                                                         \
    }
    static const struct {
        const char *name;
        const char *json;
        size_t len;
        const char *want;
    } rows[] = {
        ROW("nothing", "", "! expected a value"),
        ROW("cut off", "{\"a\":[1,", "! expected a value"),
        ROW("cut off string", "[\"a", "! ends inside a string"),
        ROW("duplicate key", "{\"a\":1,\"a\":2}", "! duplicate key"),
        ROW("duplicate key apart", "{\"a\":1,\"b\":2,\"a\":3}", "! duplicate key"),
        ROW("duplicate key by escape", "{\"a\":1,\"\\u0061\":2}", "! duplicate key"),
        ROW("lone high surrogate", "[\"\\ud800\"]", "! lone surrogate"),
        ROW("lone low surrogate", "[\"\\udc00\"]", "! lone surrogate"),
        ROW("surrogate and something", "[\"\\ud800\\u0041\"]", "! lone surrogate"),
        ROW("bad utf-8", "[\"\xc3(\"]", "! not UTF-8"),
        ROW("encoded surrogate", "[\"\xed\xa0\x80\"]", "! not UTF-8"),
        ROW("control character", "[\"\n\"]", "! control character in a string"),
        ROW("nul", "[\"a\0b\"]", "! control character in a string"),
        ROW("unknown escape", "[\"\\x\"]", "! unknown escape"),
        ROW("escaped nul byte", "[\"\\\0\"]", "! unknown escape"),
        ROW("two documents", "{} {}", "! more than one document"),
        ROW("byte order mark", "\xef\xbb\xbf{}", "! expected a value"),
        ROW("comma before the end", "[1,]", "! comma before a closing bracket"),
        ROW("leading zero", "[01]", "! expected a comma"),
        ROW("plus", "[+1]", "! expected a value"),
        ROW("bare point", "[1.]", "! not a number"),
        ROW("overflow", "[1e400]", "! number out of range"),
        ROW("not a number", "[NaN]", "! expected a value"),
        ROW("hex", "[0x10]", "! expected a comma"),
        ROW("true cut off", "[tru]", "! not a JSON value"),
        ROW("key without quotes", "{a:1}", "! expected a string"),
        ROW("missing colon", "{\"a\" 1}", "! expected a colon"),
    };
#undef ROW

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_canonical(rows[i].name, rows[i].json, rows[i].len, rows[i].want);
}

static void test_canon_bounds_depth_and_values(void **state)
{
    struct buf deep = {0};
    struct buf wide = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_byte(&deep, '[');
    check_canonical("depth", (const char *)deep.ptr, deep.len, "! nested too deeply");
    buf_byte(&wide, '[');
    for (int i = 0; i < JREAD_MAX_VALUES; i++)
        buf_append(&wide, BYTES("1,"));
    buf_append(&wide, BYTES("1]"));
    check_canonical("values", (const char *)wide.ptr, wide.len, "! too many values");
    buf_release(&deep);
    buf_release(&wide);
}

/* Long and short runs around each special byte: the eight-at-a-time loop against the plain one. */
static void test_strings_of_every_length_come_out_whole(void **state)
{
    (void)state;
    for (size_t len = 0; len < 70; len++) {
        for (size_t at = 0; at <= len; at++) {
            struct buf json = {0};
            struct buf want = {0};
            struct buf decoded = {0};
            struct bytes got;
            struct jread r;

            buf_byte(&json, '"');
            for (size_t i = 0; i < len; i++) {
                if (i == at) {
                    buf_append(&json, BYTES("\\n\xc3\xa9"));
                    buf_append(&want, BYTES("\n\xc3\xa9"));
                }
                buf_byte(&json, (uint8_t)('a' + i % 26));
                buf_byte(&want, (uint8_t)('a' + i % 26));
            }
            buf_byte(&json, '"');
            jread_start(&r, buf_bytes(&json));
            assert_true(jread_string(&r, &decoded, &got));
            check_bytes("string", got, buf_bytes(&want));
            buf_release(&json);
            buf_release(&want);
            buf_release(&decoded);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canon_encodes_each_type),
        cmocka_unit_test(test_canon_refuses),
        cmocka_unit_test(test_canon_bounds_depth_and_values),
        cmocka_unit_test(test_strings_of_every_length_come_out_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
