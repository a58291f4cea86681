#include <stdlib.h>

#include "tests/unit/yaml_check.h"

/* A plain scalar, and what it means: JSON. */
static const struct {
    const char *plain;
    const char *want;
} plain_values[] = {
    {"~", "null"},
    {"null", "null"},
    {"Null", "null"},
    {"NULL", "null"},
    {"nULL", "\"nULL\""},
    {"true", "true"},
    {"True", "true"},
    {"TRUE", "true"},
    {"false", "false"},
    {"False", "false"},
    {"FALSE", "false"},
    {"tRue", "\"tRue\""},
    {"yEs", "\"yEs\""},
    {"oN", "\"oN\""},
    {"0", "0"},
    {"-0", "0"},
    {"+0", "0"},
    {"1", "1"},
    {"+1", "1"},
    {"-1", "-1"},
    {"0777", "511"},
    {"-017", "-15"},
    {"0o17", "15"},
    {"0O17", "15"},
    {"0x1F", "31"},
    {"0X1f", "31"},
    {"-0x1", "-1"},
    {"0b11", "3"},
    {"-0b11", "-3"},
    {"0b2", "\"0b2\""},
    {"0o8", "\"0o8\""},
    {"0xg", "\"0xg\""},
    {"0x", "\"0x\""},
    {"08", "8"},
    {"-09", "-9"},
    {"00", "0"},
    {"1_000", "1000"},
    {"1__0", "10"},
    {"1_", "1"},
    {"+_1", "1"},
    {"0x_1", "1"},
    {"_1", "\"_1\""},
    {"-_", "\"-_\""},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9007199254740993", "9007199254740993"},
    {"0x7fffffffffffffff", "9223372036854775807"},
    {"0777777777777777777777", "9223372036854775807"},
    {"0xfffffffffffffffff", "\"0xfffffffffffffffff\""}, /* beyond uint64: text to Go */
    {"1.0", "1"},
    {"1.", "1"},
    {"1e3", "1000"},
    {"1E+3", "1000"},
    {"08e2", "800"},
    {"-0.0", "0"},
    {"1e-400", "0"},
    {".5", "0.5"},
    {"-.5", "-0.5"},
    {"+.5e1", "5"},
    {".5_0", "0.5"},
    {"._5", "\"._5\""},
    {".5_", "\".5_\""},
    {"1_0.2_5", "10.25"},
    {"0.1", "0.1"},
    {"9007199254740991.0", "9007199254740991"},
    {"1e19", "1e19"},
    {"1.7976931348623157e308", "1.7976931348623157e308"},
    {"1e400", "\"1e400\""}, /* out of range: text to Go */
    {"1234e56", "1234e56"},
    {"e3", "\"e3\""},
    {"1e", "\"1e\""},
    {"1.2.3", "\"1.2.3\""},
    {"0x1p3", "\"0x1p3\""},
    {"1:30", "\"1:30\""}, /* no base 60 */
    {"12:30:45", "\"12:30:45\""},
    {".", "\".\""},
    {"..", "\"..\""},
    {"-.", "\"-.\""},
    {"--", "\"--\""},
    {"inf", "\"inf\""},
    {"10Mi", "\"10Mi\""},
    {"5s", "\"5s\""},
    {"v1", "\"v1\""},
    {"2001-", "\"2001-\""},
    {"2001-12", "\"2001-12\""},
    {"2001-12-14-x", "\"2001-12-14-x\""},
    {"20011-12-14", "\"20011-12-14\""},
    {"2001-12-14T21:59Z", "\"2001-12-14T21:59Z\""},
    {"a b", "\"a b\""},
    {"a#b", "\"a#b\""},
    {"http://x:80/y", "\"http://x:80/y\""},
    {"=", "\"=\""},
    {"\xe6\x97\xa5\xe6\x9c\xac", "\"\xe6\x97\xa5\xe6\x9c\xac\""},
};

/* A plain scalar that is refused, and part of the message. */
static const struct {
    const char *plain;
    const char *want;
} plain_refusals[] = {
    {"y", "plain \"y\" is a boolean to some tools and text to others; write true, or \"y\" in "
          "quotes"},
    {"Y", "write true"},
    {"yes", "write true, or \"yes\" in quotes"},
    {"Yes", "write true"},
    {"YES", "write true"},
    {"on", "write true"},
    {"On", "write true"},
    {"ON", "write true"},
    {"n", "write false, or \"n\" in quotes"},
    {"N", "write false"},
    {"no", "write false"},
    {"No", "write false"},
    {"NO", "write false"},
    {"off", "write false"},
    {"Off", "write false"},
    {"OFF", "write false"},
    {".inf", "JSON cannot hold"},
    {"-.Inf", "JSON cannot hold"},
    {"+.INF", "JSON cannot hold"},
    {".nan", "JSON cannot hold"},
    {".NaN", "JSON cannot hold"},
    {"<<", "merge keys"},
    {"2001-12-14", "is a date to some tools"},
    {"2001-1-2", "is a date"},
    {"2001-12-14t21:59:43.10-05:00", "is a date"},
    {"2001-12-14T21:59:43Z", "is a date"},
    {"2001-12-14T2:5:3,5+0100", "is a date"},
    {"2001-12-14 21:59:43", "is a date"},
    {"2001-12-14   21:59:43.5", "is a date"},
    {"2001-12-14 21:59:43.10 -5", "is a date"},
    {"9223372036854775808", "does not fit 64 bits"},
    {"-9223372036854775809", "does not fit 64 bits"},
    {"18446744073709551615", "does not fit 64 bits"},
    {"18446744073709551616", "does not fit 64 bits"},
    {"0x8000000000000000", "does not fit 64 bits"},
    {"02000000000000000000000", "does not fit 64 bits"},
    {"0900719925474099367", "does not fit 64 bits"}, /* a float to Go, its digits lost */
    {"9007199254740992.0", "write all its digits"},
    {"1e18", "write all its digits"},
    {"9.2e18", "write all its digits"},
    {"0b+1", "is a number to some tools"},
    {"0o-7", "is a number to some tools"},
};

/* "%" stands for the scalar in the text, and for its meaning in the JSON. */
static char *filled(const char *form, const char *with)
{
    const char *at = strchr(form, '%');

    return xasprintf("%.*s%s%s", (int)(at - form), form, with, at + 1);
}

static const struct {
    const char *text;
    const char *json;
} value_places[] = {
    {"k: %\n", "[{\"k\": %}]"},
    {"k: %", "[{\"k\": %}]"},
    {"k:   %   # comment\nl: 1\n", "[{\"k\": %, \"l\": 1}]"},
    {"- a\n- %\n", "[[\"a\", %]]"},
    {"k:\n  - l: %\n", "[{\"k\": [{\"l\": %}]}]"},
    {"k: [a, %, b]\n", "[{\"k\": [\"a\", %, \"b\"]}]"},
    {"k: {l: %}\n", "[{\"k\": {\"l\": %}}]"},
    {"k:\n  %\r\nl: 1\n", "[{\"k\": %, \"l\": 1}]"},
};

static void test_yaml_resolves_plain_scalars_in_every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain_values); i++)
        for (size_t j = 0; j < COUNT(value_places); j++) {
            char *text = filled(value_places[j].text, plain_values[i].plain);
            char *want = filled(value_places[j].json, plain_values[i].want);

            check_documents(text, yaml_read, bytes_str(text), want);
            free(text);
            free(want);
        }
}

static void test_yaml_refuses_doubtful_plain_scalars_in_every_place(void **state)
{
    static const char *const places[] = {"%: v\n", "? %\n: v\n", "k: {%: v}\n", "%\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(plain_refusals); i++) {
        for (size_t j = 0; j < COUNT(value_places) + COUNT(places); j++) {
            char *text = filled(j < COUNT(value_places) ? value_places[j].text
                                                        : places[j - COUNT(value_places)],
                                plain_refusals[i].plain);

            check_refused(text, yaml_read, bytes_str(text), plain_refusals[i].want);
            free(text);
        }
    }
}

static void test_yaml_reads_quoted_and_block_scalars_as_text(void **state)
{
    static const char *const quoted[] = {"k: '%'\n", "k: \"%\"\n", "k: |-\n  %\n", "k: >-\n  %\n",
                                         "k: !!str '%'\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(plain_refusals); i++)
        for (size_t j = 0; j < COUNT(quoted); j++) {
            char *text = filled(quoted[j], plain_refusals[i].plain);
            char *want = filled("[{\"k\": \"%\"}]", plain_refusals[i].plain);

            check_documents(text, yaml_read, bytes_str(text), want);
            free(text);
            free(want);
        }
}

static void test_yaml_keys_are_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain_values); i++) {
        char *text = filled("%: v\n", plain_values[i].plain);

        if (plain_values[i].want[0] == '"') {
            char *want = filled("[{%: \"v\"}]", plain_values[i].want);

            check_documents(text, yaml_read, bytes_str(text), want);
            free(want);
        } else {
            check_refused(text, yaml_read, bytes_str(text), "1:1: a key has to be text; write ");
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_resolves_plain_scalars_in_every_place),
        cmocka_unit_test(test_yaml_refuses_doubtful_plain_scalars_in_every_place),
        cmocka_unit_test(test_yaml_reads_quoted_and_block_scalars_as_text),
        cmocka_unit_test(test_yaml_keys_are_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
