#include "tests/unit/yaml_check.h"

struct row {
    const char *name;
    const char *text;
    const char *want; /* the documents as a JSON list, or part of the message */
};

static void check_all_documents(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_documents(rows[i].name, yaml_read, bytes_str(rows[i].text), rows[i].want);
}

static void check_all_refused(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_refused(rows[i].name, yaml_read, bytes_str(rows[i].text), rows[i].want);
}

/* --- values ----------------------------------------------------------------------------------- */

static void test_yaml_reads(void **state)
{
    static const struct row rows[] = {
        {"nothing", "", "[]"},
        {"a comment", "# c\n", "[]"},
        {"empty value", "k:\nl: ''\n", "[{\"k\": null, \"l\": \"\"}]"},
        {"byte order mark", "\xef\xbb\xbfk: v\n", "[{\"k\": \"v\"}]"},
        {"CRLF", "k: |\r\n  a\r\n  b\r\nl: a\r\n  b\r\n",
         "[{\"k\": \"a\\nb\\n\", \"l\": \"a b\"}]"},
        {"escapes", "k: \"\\x41\\u00e9\\U0001F600\\t\\\"\\\\\\e\\_\\\n  b\"\n",
         "[{\"k\": \"A\xc3\xa9\xf0\x9f\x98\x80\\t\\\"\\\\\\u001b\xc2\xa0"
         "b\"}]"},
        {"backslashes before a slash", "k: \"\\\\/\"\nl: '\\/'\nm: \\/\n",
         "[{\"k\": \"\\\\/\", \"l\": \"\\\\/\", \"m\": \"\\\\/\"}]"},
        {"chomping", "a: |\n  x\n\nb: |-\n  x\nc: |+\n  x\n\nd: >\n  x\n  y\n",
         "[{\"a\": \"x\\n\", \"b\": \"x\", \"c\": \"x\\n\\n\", \"d\": \"x y\\n\"}]"},
        {"block indentation", "k: |2\n   x\n", "[{\"k\": \" x\\n\"}]"},
        {"a stripped block at the end of a file", "k: |-\n  x", "[{\"k\": \"x\"}]"},
        {"lines that look like separators", "k: |\n  ---\n  ...\nl: '\n  ---'\n",
         "[{\"k\": \"---\\n...\\n\", \"l\": \" ---\"}]"},
        {"flow", "{\"a\":[1,{b: c},[]],\n  'd': {}, }\n",
         "[{\"a\": [1, {\"b\": \"c\"}, []], \"d\": {}}]"},
        {"flow pair", "k: [a: b]\n", "[{\"k\": [{\"a\": \"b\"}]}]"},
        {"list at the key's indentation", "k:\n- a\n- b\n", "[{\"k\": [\"a\", \"b\"]}]"},
        {"explicit key", "? a\n: b\n? c\n", "[{\"a\": \"b\", \"c\": null}]"},
        {"keys that only look alike", "a: 1\nA: 2\n\"a \": 3\n", "[{\"a\":1,\"A\":2,\"a \":3}]"},
        {"question mark outside brackets", "k: a?b\n", "[{\"k\": \"a?b\"}]"},
        {"tags that say what is there",
         "a: !!str x\nb: !!int 0x10\nc: !!bool true\nd: !!null ~\ne: !!map {}\nf: !!seq []\n"
         "g: !!str \"5\"\nh: !!str\n  x\n",
         "[{\"a\": \"x\", \"b\": 16, \"c\": true, \"d\": null, \"e\": {}, \"f\": [], "
         "\"g\": \"5\", \"h\": \"x\"}]"},
        {"aliases", "a: &x {b: [1, 2]}\nc: *x\nd: &y s\ne: [*y, *y]\n",
         "[{\"a\": {\"b\": [1, 2]}, \"c\": {\"b\": [1, 2]}, \"d\": \"s\", \"e\": [\"s\", "
         "\"s\"]}]"},
        {"alias inside an anchor", "a: &x [1]\nb: &y {c: *x}\nd: *y\n",
         "[{\"a\": [1], \"b\": {\"c\": [1]}, \"d\": {\"c\": [1]}}]"},
        {"anchor on a key", "&x a: 1\nb: *x\n", "[{\"a\": 1, \"b\": \"a\"}]"},
        {"scalar documents", "a\n---\n5\n", "[\"a\", 5]"},
        {"not normalised", "k: e\xcc\x81\nl: \xc3\xa9\n",
         "[{\"k\": \"e\\u0301\", \"l\": \"\\u00e9\"}]"},
    };

    (void)state;
    check_all_documents(rows, COUNT(rows));
}

static void test_yaml_splits_documents(void **state)
{
    static const struct row rows[] = {
        {"two", "a: 1\n---\nb: 2\n", "[{\"a\": 1}, {\"b\": 2}]"},
        {"leading", "---\na: 1\n", "[{\"a\": 1}]"},
        {"comments and blanks behind it", "--- # c\na: 1\n---   \nb: 2\n---\t# c\nc: 3\n",
         "[{\"a\": 1}, {\"b\": 2}, {\"c\": 3}]"},
        {"CRLF", "---\r\na: 1\r\n---\r\nb: 2\r\n", "[{\"a\": 1}, {\"b\": 2}]"},
        {"null ones are left out", "---\n---\n# c\n---\nnull\n---\n~\n---\na: 1\n---\n",
         "[{\"a\": 1}]"},
        {"ended", "a: 1\n...\n---\nb: 2\n...\n# c\n", "[{\"a\": 1}, {\"b\": 2}]"},
        {"no line end behind the last", "a: 1\n---", "[{\"a\": 1}]"},
        {"after a byte order mark", "\xef\xbb\xbf---\na: 1\n", "[{\"a\": 1}]"},
        {"anchors end with their document", "a: &x 1\n---\nb: &x 2\nc: *x\n",
         "[{\"a\": 1}, {\"b\": 2, \"c\": 2}]"},
    };

    (void)state;
    check_all_documents(rows, COUNT(rows));
}

static void test_yaml_documents_have_lines(void **state)
{
    static const char text[] = "# c\n\n---\n# c\na: 1\n---\n\n---\n\n- x\n- z\n---\nplain\n";
    static const unsigned want[] = {5, 10, 13};
    struct yaml_documents documents = {0};
    struct err err = {0};

    (void)state;
    assert_true(yaml_read(bytes_str(text), &documents, &err));
    assert_int_equal(documents.count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(documents.items[i].line, want[i]);
    yaml_release(&documents);
    assert_int_equal(documents.count, 0);
}

/* An alias is a copy: what is done to one place is not done to the other. */
static void test_yaml_aliases_are_copies(void **state)
{
    struct yaml_documents documents = {0};
    struct err err = {0};

    (void)state;
    assert_true(yaml_read(BYTES("a: &x {b: [1]}\nc: *x\n"), &documents, &err));
    json_t *a = json_object_get(json_object_get(documents.items[0].root, "a"), "b");
    json_t *c = json_object_get(json_object_get(documents.items[0].root, "c"), "b");

    (void)json_array_append_new(a, json_integer(2));
    assert_int_equal(json_array_size(c), 1);
    yaml_release(&documents);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void test_yaml_refuses_and_says_where(void **state)
{
    static const struct row rows[] = {
        {"the place", "spec:\n  a: 1\n  b:   yes\n",
         "3:8: plain \"yes\" is a boolean to some tools and text to others; write true, or "
         "\"yes\" in quotes"},
        {"columns are characters", "\xc3\xa9\xc3\xa9: yes\n", "1:5: plain"},
        {"duplicate key", "a: 1\nb: 2\na: 3\n", "3:1: the key \"a\" is in this map already"},
        {"duplicate key, written otherwise", "a: 1\n\"\\x61\": 3\n", "2:1: the key \"a\""},
        {"duplicate key in flow", "k: {a: 1, b: 2, 'a': 3}\n", "1:17: the key \"a\""},
        {"control characters in a message", "\"\\x1b\": 1\n\"\\e\": 2\n",
         "2:1: the key \"\\u001b\""},
        {"long text in a message",
         "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy: 1\n"
         "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy: 2\n",
         "2:1: the key \"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"... is"},
        {"integer key", "spec:\n  8080: x\n", "2:3: a key has to be text; write \"8080\" in"},
        {"empty key", "?\n: x\n", "1:2: a key has to be text; write \"\" in quotes"},
        {"list as a key", "? [a]\n: b\n", "1:3: a map or list cannot be a key"},
        {"map as a key", "{a: b}: c\n", "1:1: a map or list cannot be a key"},
        {"alias as a key", "a: &x k\n*x : v\n", "2:1: an alias cannot be a key"},
        {"merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", "3:3: merge keys (\"<<\")"},
        {"merge key in quotes", "c:\n  \"<<\": x\n", "2:3: some tools take the key \"<<\""},
        {"template", "name: {{ .Values.name }}\n", "1:8: this looks like a template"},
        {"template line", "{{- if x }}\na: 1\n{{- end }}\n", "this looks like a template"},
        {"anchor given twice", "a: &x 1\nb: &x 2\n", "2:4: the anchor \"x\" is there already"},
        {"anchor inside itself", "a: &x [*x]\n", "1:8: the anchor \"x\" contains itself"},
        {"anchor given twice, nested", "a: &x\n  b: &x 1\n", "2:6: the anchor \"x\""},
        {"no anchor", "a: *x\n", "1:4: there is no anchor \"x\" before"},
        {"anchor of another document", "a: &x 1\n---\nb: *x\n", "3:4: there is no anchor"},
        {"tag against the value", "k: !!str 5\n", "1:4: the tag \"tag:yaml.org,2002:str\""},
        {"tag against quotes", "k: !!int \"5\"\n", "the value without it is !!str"},
        {"tag on nothing", "k: !!str\n", "the value without it is !!null"},
        {"float tag", "k: !!float 5\n", "1:4: the tag"},
        {"float tag on a float", "k: !!float 1.5\n", "tags of numbers with a point"},
        {"binary tag", "k: !!binary aGk=\n", "1:4: the tag"},
        {"local tag", "k: !x z\n", "1:4: the tag \"!x\""},
        {"bare tag", "k: ! z\n", "1:4: the tag \"!\""},
        {"set tag", "k: !!set {a}\n", "the value without it is !!map"},
        {"map tag on a list", "k: !!map []\n", "the value without it is !!seq"},
        {"comment behind a tag", "k: !!map #\n a: 1\n", "1:4: a comment between an anchor"},
        {"comment behind an anchor", "- a: &a #\n- []\n", "1:6: a comment between an anchor"},
        {"comment behind the root's", "&r #\nk: #\n  |\n  x\n", "1:1: a comment between an anchor"},
        {"comment below an anchor", "k: &a\n# c\n  - |\n   x\n",
         "1:4: a comment between an anchor"},
        {"comment between both", "k: &a\n# c\n  !!str x\n", "1:4: a comment between an anchor"},
        {"merge tag", "k: {!!merge a: b}\n", "1:5: the tag"},
        {"escaped slash", "k: \"a\\/b\"\n", "1:6: \"\\/\" is an error to some tools; write \"/\""},
        {"escaped slash behind others", "\xc3\xa9: ['\\/', \"\\\\\\/\"]\n", "1:14: \"\\/\""},
        {"escaped NUL", "k: \"a\\0b\"\n", "1:4: NUL is not allowed"},
        {"escaped NEL", "k: \"a\\Nb\"\n", "1:4: the line separators"},
        {"escaped LS", "k: \"a\\u2028b\"\n", "1:4: the line separators"},
        {"surrogate pair", "k: \"\\ud83d\\ude00\"\n", "found invalid Unicode character"},
        {"empty in brackets", "k: {a: , b: 1}\n", "1:8: an empty value inside brackets"},
        {"key without a value in brackets", "k: {a}\n", "an empty value inside brackets"},
        {"empty in brackets, through an alias", "a: &x {}\nb: &z\nc: {a: *x, b: *z}\n",
         "3:15: an empty value inside brackets"},
        {"empty in brackets, inside an alias", "a: &x\n  - b:\nc: [*x]\n",
         "3:5: an empty value inside brackets"},
        {"kept line ends through an alias", "a: &x |+\n  t\n\nb: *x\n",
         "4:4: tools read a block whose line ends are kept"},
        {"kept line ends at the end", "a: |+\n  t\n\n...\n# c\n", "1:4: tools read a block whose"},
        {"question mark in brackets", "k: [a?b]\n", "1:5: tools read a \"?\" inside brackets"},
        {"question mark before a key", "{?k #\n:[]}\n", "1:3: tools read a \"?\" inside brackets"},
        {"and a blank", "{? 'k' : 1}\n", "1:4: tools read a \"?\" inside brackets"},
        {"block without a line end", "k: |\n  x", "1:4: tools read a block that ends without"},
        {"kept block without a line end", "k: &x >+\n  x", "1:4: tools read a block that ends"},
        {"folded with an indented line", "k: >\n  a\n    b\n", "1:4: tools read a folded block"},
        {"folded that begins with a blank", "k: >1\n   a\n", "1:4: tools read a folded block"},
        {"folded with kept line ends", "k: >+\n  a\n\nb: 1\n", "1:4: tools read a folded"},
        {"kept line ends before a comment", "k: |+\n  a\n\n# c\n", "1:4: tools read a block whose"},
        {"content behind ---", "--- a: 1\n", "1:1: a line that begins with \"---\""},
        {"comment without a blank", "a: 1\n---#c\nb: 2\n", "2:1: a line that begins with"},
        {"key like a separator", "a: 1\n---b: 2\n", "2:1: a line that begins with"},
        {"separator in quotes", "a: \"x\n---\n  y\"\n", "2:1: found unexpected document indicator"},
        {"text after ...", "a: 1\n...\nb: 2\n", "3:1: did not find expected <document start>"},
        {"end of an empty document", "---\n# c\n...\n---\na: 1\n", "3:1: \"...\" behind an empty"},
        {"version", "%YAML 1.1\n---\na: 1\n", "1:1: %YAML 1.1 is an error to some tools"},
        {"another version", "%YAML 1.2\n---\na: 1\n", "1:1: %YAML 1.2 is an error to some tools"},
        {"tag directive", "%TAG ! tag:x,2000:\n---\na: 1\n", "1:1: %TAG is not read here"},
        {"other directive", "%FOO\n---\na: 1\n", "1:5: found unknown directive name"},
        {"UTF-16",
         "\xff\xfe"
         "a",
         "1:1: the file is UTF-16"},
        {"UTF-16, the other",
         "\xfe\xff"
         "a",
         "1:1: the file is UTF-16"},
        {"not UTF-8", "a: 1\nb: \xc3(\n", "2:4: this is not UTF-8"},
        {"surrogate in UTF-8", "a: \xed\xa0\x80\n", "1:4: this is not UTF-8"},
        {"late byte order mark", "a: x\xef\xbb\xbfy\n", "1:5: a byte order mark"},
        {"control character", "a: x\x01\n", "1:5: control characters are not allowed"},
        {"DEL", "a: x\x7f\n", "1:5: control characters"},
        {"C1", "a: x\xc2\x80\n", "1:5: control characters"},
        {"NEL", "a: 1 # c\xc2\x85yes: b\n", "1:9: the line separators"},
        {"LS in a comment", "# c\xe2\x80\xa8yes: b\n", "1:4: the line separators"},
        {"lone CR", "# c\ryes: b\n", "1:4: a carriage return without a line feed"},
        {"CR CR LF", "a: 1\r\r\nb: 2\n", "1:5: a carriage return"},
        {"tab", "a:\n\tb: 1\n", "2:1: found character that cannot start any token; indent with"},
        {"colon", "a: b: c\n", "mapping values are not allowed in this context; text that holds"},
        {"open quote", "a: \"b\n", "found unexpected end of stream; is there a quote"},
        {"wrong indentation", "a:\n   b: 1\n  c: 2\n", "did not find expected key; is it indented"},
    };

    (void)state;
    check_all_refused(rows, COUNT(rows));
    check_refused("NUL", yaml_read, BYTES("a: x\0y\n"), "1:5: NUL is not allowed");
}

static void test_yaml_refusals_name_the_field(void **state)
{
    static const struct row rows[] = {
        {"in a list", "spec:\n  http:\n  - a: 1\n  - weight: yes\n", "spec.http[1].weight"},
        {"a dot in the key", "metadata:\n  labels:\n    a.b/c: on\n", "metadata.labels[\"a.b/c\"]"},
        {"a key", "spec:\n  a: {b: 1, b: 2}\n", "spec.a"},
        {"at the root", "yes\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct yaml_documents documents = {0};
        struct err err = {0};

        assert_false(yaml_read(bytes_str(rows[i].text), &documents, &err));
        check_bytes(rows[i].name, bytes_str(err.path), bytes_str(rows[i].want));
    }
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void test_yaml_reads_json_files(void **state)
{
    static const struct row rows[] = {
        {"nothing", " \n", "[]"},
        {"one", "{\"a\": [1, -0, 1.0, 1e3, 0.5, true, null, \"x\"]}",
         "[{\"a\": [1, 0, 1, 1000, 0.5, true, null, \"x\"]}]"},
        {"a stream", "{\"a\": 1}\n{\"b\": 2}[3]", "[{\"a\": 1}, {\"b\": 2}, [3]]"},
        {"byte order mark", "\xef\xbb\xbf{}", "[{}]"},
        {"surrogate pair", "{\"a\": \"\\ud83d\\ude00\\/\"}", "[{\"a\": \"\xf0\x9f\x98\x80/\"}]"},
        {"words are text", "{\"yes\": \"no\", \"1\": \"2001-12-14\"}",
         "[{\"yes\": \"no\", \"1\": \"2001-12-14\"}]"},
        {"64 bits", "[9223372036854775807,-9223372036854775808,1e19]",
         "[[9223372036854775807, -9223372036854775808, 1e19]]"},
    };
    static const struct row refusals[] = {
        {"not JSON", "{\n\"a\": yes}", "2:6: not a JSON value"},
        {"a comma too many", "[1,]", "comma before a closing bracket"},
        {"duplicate key", "{\"a\": 1,\n  \"\\u0061\": 2}",
         "2:3: this key is in this object already"},
        {"merge key", "{\"<<\": 1}", "merge key"},
        {"scalar", "\n5\n", "2:1: a document has to be an object or an array"},
        {"null", "null", "a document has to be"},
        {"NUL", "{\"a\\u0000\": 1}", "NUL is not allowed"},
        {"line separator", "{\"a\": \"\\u2028\"}", "the line separators"},
        {"raw line separator", "{\"a\": \"\xe2\x80\xa8\"}", "1:8: the line separators"},
        {"raw DEL", "{\"a\": \"\x7f\"}", "control characters"},
        {"lone surrogate", "{\"a\": \"\\ud83d\"}", "lone surrogate"},
        {"not UTF-8", "{\"a\": \"\xff\"}", "1:8: this is not UTF-8"},
        {"integer beyond 64 bits", "[9223372036854775808]", "does not fit 64 bits"},
        {"inexact whole number", "[1e18]", "write all its digits"},
        {"overflow", "[1e400]", "number out of range"},
        {"leading zero", "[01]", "expected a comma"},
        {"second document", "{}\n{\"a\":1,\"a\":2}", "2:8: this key is in this object already"},
        {"open", "{\"a\": [1", "1:8: not a number"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_documents(rows[i].name, yaml_read_json, bytes_str(rows[i].text), rows[i].want);
    for (size_t i = 0; i < COUNT(refusals); i++)
        check_refused(refusals[i].name, yaml_read_json, bytes_str(refusals[i].text),
                      refusals[i].want);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void test_yaml_line_of_finds_fields(void **state)
{
    static const char text[] = "# c\n"                /* 1 */
                               "---\n"                /* 2 */
                               "kind: A\n"            /* 3 */
                               "metadata:\n"          /* 4 */
                               "  labels: {a.b: x,\n" /* 5 */
                               "    'q\"r': y}\n"     /* 6 */
                               "spec:\n"              /* 7 */
                               "  http:\n"            /* 8 */
                               "  - weight: 1\n"      /* 9 */
                               "  - name: b\n"        /* 10 */
                               "    weight: &w\n"     /* 11 */
                               "      - 5\n"          /* 12 */
                               "    other: *w\n"      /* 13 */
                               "---\n"                /* 14 */
                               "# nothing\n"          /* 15 */
                               "---\n"                /* 16 */
                               "kind: B\n";           /* 17 */
    static const struct {
        size_t document;
        const char *path;
        unsigned want;
    } rows[] = {
        {0, "", 3},
        {0, "kind", 3},
        {0, "metadata.labels", 5},
        {0, "metadata.labels[\"a.b\"]", 5},
        {0, "metadata.labels[\"q\\\"r\"]", 6},
        {0, "metadata[\"labels\"].none", 5},
        {0, "spec.http[0].weight", 9},
        {0, "spec.http[1]", 10},
        {0, "spec.http[1].weight", 11},
        {0, "spec.http[1].weight[0]", 12},
        {0, "spec.http[1].other[0]", 13}, /* the alias: nearest to be found */
        {0, "spec.http[2].weight", 8},
        {0, "spec.http[99999999999999999999]", 8},
        {0, "spec.http.weight", 8},
        {0, "none.of.it", 3},
        {0, "kind.below", 3},
        {1, "kind", 17},
        {2, "kind", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const unsigned got = yaml_line_of(bytes_str(text), rows[i].document, rows[i].path);

        if (got != rows[i].want)
            fail_msg("%s: got %u, want %u", rows[i].path, got, rows[i].want);
    }
    assert_int_equal(yaml_line_of(BYTES("\ta: 1\n"), 0, "a"), 0);
    assert_int_equal(yaml_line_of(BYTES("\xff"), 0, "a"), 0);
    assert_int_equal(yaml_line_of(BYTES(""), 0, "a"), 0);
    assert_int_equal(yaml_line_of(BYTES("\xef\xbb\xbf"
                                        "a: 1\nb: 2\n"),
                                  0, "b"),
                     2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_reads),
        cmocka_unit_test(test_yaml_splits_documents),
        cmocka_unit_test(test_yaml_documents_have_lines),
        cmocka_unit_test(test_yaml_aliases_are_copies),
        cmocka_unit_test(test_yaml_refuses_and_says_where),
        cmocka_unit_test(test_yaml_refusals_name_the_field),
        cmocka_unit_test(test_yaml_reads_json_files),
        cmocka_unit_test(test_yaml_line_of_finds_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
