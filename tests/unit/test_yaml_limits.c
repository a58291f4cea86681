#include "source/yaml_tree.h"
#include "tests/unit/yaml_check.h"

static void repeat(struct buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_append_str(out, text);
}

static void check_limit(const char *name, struct buf *text, const char *refusal)
{
    struct yaml_documents documents = {0};
    struct err err = {0};

    if (refusal != NULL) {
        check_refused(name, yaml_read, buf_bytes(text), refusal);
    } else if (!yaml_read(buf_bytes(text), &documents, &err)) {
        fail_msg("%s: refused: %s", name, err.message);
    }
    yaml_release(&documents);
    buf_release(text);
}

static void test_yaml_limits_depth(void **state)
{
    struct buf text = {0};

    (void)state;
    repeat(&text, "[", YAML_MAX_DEPTH);
    repeat(&text, "]", YAML_MAX_DEPTH);
    check_limit("as deep as allowed", &text, NULL);
    repeat(&text, "[", YAML_MAX_DEPTH + 1);
    repeat(&text, "]", YAML_MAX_DEPTH + 1);
    check_limit("deeper", &text, "1:101: nested deeper than 100");
    repeat(&text, "- ", YAML_MAX_DEPTH + 1);
    check_limit("deeper in blocks", &text, "nested deeper than 100");
    repeat(&text, "[", 1000000);
    check_limit("much deeper", &text, "1:101: nested deeper than 100");
    repeat(&text, "a: &x ", 1);
    repeat(&text, "[", 60);
    repeat(&text, "]", 60);
    repeat(&text, "\nb: ", 1);
    repeat(&text, "[", 39);
    repeat(&text, "*x", 1);
    repeat(&text, "]", 39);
    check_limit("as deep through an alias", &text, NULL);
    repeat(&text, "a: &x ", 1);
    repeat(&text, "[", 60);
    repeat(&text, "]", 60);
    repeat(&text, "\nb: ", 1);
    repeat(&text, "[", 40);
    repeat(&text, "*x", 1);
    repeat(&text, "]", 40);
    check_limit("deeper through an alias", &text, "2:44: nested deeper than 100");
}

static void test_yaml_limits_nodes(void **state)
{
    struct buf text = {0};

    (void)state;
    repeat(&text, "- a\n", YAML_MAX_NODES - 1); /* and the list */
    check_limit("as many as allowed", &text, NULL);
    repeat(&text, "- a\n", YAML_MAX_NODES);
    check_limit("one more", &text, "200000:3: the document has more than 200000 nodes");
    repeat(&text, "- a\n", YAML_MAX_NODES / 2);
    repeat(&text, "---\n", 1);
    repeat(&text, "- a\n", YAML_MAX_NODES / 2 + 1000);
    check_limit("in two documents", &text, NULL);
}

static void test_yaml_limits_aliases_before_expanding_them(void **state)
{
    struct buf text = {0};

    (void)state;
    /* Each list holds the one before ten times: 10^20 nodes. */
    buf_append_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 20; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_printf(&text, "%s*a%d", j == 0 ? "" : ",", i - 1);
        buf_append_str(&text, "]\n");
    }
    check_limit("billion laughs", &text, "6:10: the document has more than 200000 nodes");
    /* Few nodes, many bytes. */
    buf_append_str(&text, "a: &x '");
    repeat(&text, "0123456789abcdef", (1 << 20) / 16);
    buf_append_str(&text, "'\n");
    for (int i = 0; i < 5; i++)
        buf_printf(&text, "b%d: *x\n", i);
    check_limit("long text", &text, "6:5: the aliases of this file add more than 200000 nodes");
    /* Documents that are allowed one by one. */
    for (int i = 0; i < 3; i++) {
        buf_append_str(&text, "---\na: &x [1,2,3,4,5,6,7,8,9]\nb:\n");
        repeat(&text, "- *x\n", 9000);
    }
    check_limit("in each document", &text, "the aliases of this file add more than 200000 nodes");
}

/* kustomize writes a key out again, escaped perhaps, and 1024 characters are the most for a key. */
static void test_yaml_limits_keys(void **state)
{
    struct buf text = {0};

    (void)state;
    repeat(&text, "k", 320);
    buf_append_str(&text, ": 1\n");
    check_limit("as long as allowed", &text, NULL);
    repeat(&text, "k", 321);
    buf_append_str(&text, ": 1\n");
    check_limit("one more", &text, "1:1: a key of more than 320 bytes");
}

static void test_yaml_limits_documents_and_bytes(void **state)
{
    struct buf text = {0};

    (void)state;
    repeat(&text, "---\na: 1\n", YAML_MAX_DOCUMENTS);
    check_limit("as many as allowed", &text, NULL);
    repeat(&text, "---\na: 1\n", YAML_MAX_DOCUMENTS + 1);
    check_limit("one more", &text, "2001:1: more than 1000 documents");
    buf_append_str(&text, "a: 1\n");
    repeat(&text, "---\na: 1\n", YAML_MAX_DOCUMENTS);
    check_limit("the first without a separator", &text, "2000:1: more than 1000 documents");
    repeat(&text, "---\n", YAML_MAX_DOCUMENTS + 1);
    check_limit("null ones count", &text, "more than 1000 documents");
    repeat(&text, "#", YAML_MAX_BYTES - 1);
    repeat(&text, "\n", 1);
    check_limit("as long as allowed", &text, NULL);
    repeat(&text, "#", YAML_MAX_BYTES);
    repeat(&text, "\n", 1);
    check_limit("longer", &text, "1:1: the file is longer than 4194304 bytes");
}

static void test_yaml_limits_json_files(void **state)
{
    struct buf text = {0};
    struct yaml_documents documents = {0};
    struct err err = {0};

    (void)state;
    repeat(&text, "[", 1000000);
    check_refused("depth", yaml_read_json, buf_bytes(&text), "nested too deeply");
    text.len = 0;
    repeat(&text, "[0", 1);
    repeat(&text, ",0", YAML_MAX_NODES);
    repeat(&text, "]", 1);
    check_refused("values", yaml_read_json, buf_bytes(&text), "too many values");
    text.len = 0;
    repeat(&text, "{}\n", YAML_MAX_DOCUMENTS);
    assert_true(yaml_read_json(buf_bytes(&text), &documents, &err));
    assert_int_equal(documents.count, YAML_MAX_DOCUMENTS);
    assert_int_equal(documents.items[YAML_MAX_DOCUMENTS - 1].line, YAML_MAX_DOCUMENTS);
    yaml_release(&documents);
    repeat(&text, "{}\n", 1);
    check_refused("documents", yaml_read_json, buf_bytes(&text), "1001:1: too many documents");
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_limits_depth),
        cmocka_unit_test(test_yaml_limits_nodes),
        cmocka_unit_test(test_yaml_limits_aliases_before_expanding_them),
        cmocka_unit_test(test_yaml_limits_keys),
        cmocka_unit_test(test_yaml_limits_documents_and_bytes),
        cmocka_unit_test(test_yaml_limits_json_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
