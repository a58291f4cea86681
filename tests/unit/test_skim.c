#include "policy/canon.h"
#include "policy/skim.h"
#include "tests/unit/test.h"

/* What the full reader says of the value that `text` begins with. */
static bool reads_whole(struct bytes text, struct jread *r)
{
    struct canon c = {0};

    jread_start(r, text);
    const bool good = canon_value(&c, r);

    canon_release(&c);
    return good;
}

/* From a copy of exactly that size, so that a sanitizer sees a byte too many. */
static bool skims(struct bytes text, struct jread *r)
{
    uint8_t *copy = xmalloc(text.len);

    memcpy(copy, text.ptr, text.len);
    jread_start(r, bytes_of(copy, text.len));
    const bool good = skim_value(r);
    const size_t offset = jread_offset(r);

    free(copy);
    jread_start(r, text);
    r->at += offset;
    return good;
}

static void test_skim_sees_what_it_can(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        bool want;
    } rows[] = {
        {"string", "\"abc\",1", true},
        {"map in order", "{\"a\":1,\"b\":{\"a\":[null,true,1.5e3]}}        ", true},
        {"empty", "[{},[],\"\"]        ", true},
        {"a prefix first", "{\"manager\":1,\"managerOfAll\":2}        ", true},
        {"long keys that differ late", "{\"kubernetes.io/a\":1,\"kubernetes.io/b\":2}        ",
         true},
        {"escaped quotes",
         "{\"k:{\\\"name\\\":\\\"a\\\"}\":{},\"k:{\\\"name\\\":\\\"b\\\"}\":{}}        ", true},
        {"duplicate key", "{\"a\":1,\"a\":2}        ", false},
        {"duplicate long key", "{\"kubernetes.io/a\":1,\"kubernetes.io/a\":2}        ", false},
        {"duplicate empty key", "{\"\":1,\"\":2}        ", false},
        {"duplicate under another escape", "{\"a\":1,\"\\u0062\":2,\"b\":3}        ", false},
        {"not in order", "{\"b\":1,\"a\":2}        ", false},
        {"white space", "{\"a\": 1}        ", false},
        {"white space first", " 1,", false},
        {"not ASCII", "\"\xc3\xa9\",", false},
        {"not UTF-8", "\"\xff\",", false},
        {"control character", "\"a\nb\",", false},
        {"comma before the end", "{\"a\":1,}        ", false},
        {"comma before the end of a list", "[1,]        ", false},
        {"no comma", "{\"a\":1\"b\":2}        ", false},
        {"no colon", "{\"a\"}        ", false},
        {"the wrong bracket", "[1}        ", false},
        {"not a number", "[01]", false},
        {"not a literal", "nul,", false},
        {"ends in a string", "\"abc", false},
        {"ends in an escape", "\"abc\\", false},
        {"ends behind a key", "{\"abcdefghijk\"", false},
        {"ends behind a comma", "[1,", false},
        {"nothing", "", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bytes text = bytes_str(rows[i].text);
        struct jread fast;
        struct jread slow;

        if (skims(text, &fast) != rows[i].want)
            fail_msg("%s: %s", rows[i].name, rows[i].want ? "cannot tell" : "says that it is good");
        if (!rows[i].want && fast.at != fast.start)
            fail_msg("%s: the reader has moved", rows[i].name);
        if (rows[i].want && (!reads_whole(text, &slow) || slow.at != fast.at))
            fail_msg("%s: the whole reader disagrees", rows[i].name);
    }
}

static void test_skim_keeps_the_limits(void **state)
{
    enum { TOO_DEEP = JREAD_MAX_DEPTH + 1, TOO_MANY = JREAD_MAX_VALUES };
    struct buf text CLEANUP(buf_release) = {0};
    struct jread r;

    (void)state;
    for (int depth = TOO_DEEP - 1; depth <= TOO_DEEP; depth++) {
        text.len = 0;
        for (int i = 0; i < depth; i++)
            buf_byte(&text, '[');
        for (int i = 0; i < depth; i++)
            buf_byte(&text, ']');
        assert_int_equal(skims(buf_bytes(&text), &r), depth < TOO_DEEP);
    }
    for (int values = TOO_MANY - 1; values <= TOO_MANY; values++) {
        text.len = 0;
        for (int i = 0; i < values; i++)
            buf_append(&text, i == 0 ? BYTES("[1") : BYTES(",1"));
        buf_byte(&text, ']');
        assert_int_equal(skims(buf_bytes(&text), &r), values < TOO_MANY);
    }
}

/* A small generator: what comes is the same on every machine. */
static uint32_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* Pieces of JSON, most of them where they belong. */
static void random_text(uint64_t *seed, struct buf *out)
{
    static const char *const pieces[] = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\":",
        "\"b\":",
        "\"abcdefgh1\":",
        "\"abcdefgh2\":",
        "1",
        "-0.5e1",
        "true",
        "null",
        "\"\"",
        "\"x\\\"y\"",
        "\"\\u0061\"",
        "{\"a\":1,\"b\":2}",
        "[[]]",
        " ",
    };

    for (uint32_t left = 1 + next(seed) % 12; left > 0; left--)
        buf_append_str(out, pieces[next(seed) % COUNT(pieces)]);
    if (next(seed) % 2 == 0)
        buf_append_str(out, ",\"room for more\"");
}

static void test_skim_is_never_laxer_than_the_whole_reader(void **state)
{
    enum { TEXTS = 300000, LEAST = 20000 };
    struct buf text CLEANUP(buf_release) = {0};
    uint64_t seed = 20261125;
    int good = 0;

    (void)state;
    for (int i = 0; i < TEXTS; i++) {
        struct jread fast;
        struct jread slow;

        text.len = 0;
        random_text(&seed, &text);
        if (!skims(buf_bytes(&text), &fast))
            continue;
        good++;
        if (!reads_whole(buf_bytes(&text), &slow) || slow.at != fast.at)
            fail_msg("the whole reader disagrees: %s", buf_cstr(&text));
    }
    assert_true(good >= LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skim_sees_what_it_can),
        cmocka_unit_test(test_skim_keeps_the_limits),
        cmocka_unit_test(test_skim_is_never_laxer_than_the_whole_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
