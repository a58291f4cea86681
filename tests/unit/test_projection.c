/*
 * Projections: what a policy's `fields` say, and what an object looks like through them.
 */
#include "policy/normal.h"
#include "policy/projection.h"
#include "tests/unit/test.h"

/* The fields of a rule, from JSON. */
static bool read_fields(const char *json, struct projection_fields *out, struct err *err)
{
    json_t *list = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    const struct field field = {.value = list, .key = "fields", .path = "fields"};
    size_t total = 0;

    assert_non_null(list);
    const bool ok = projection_fields_read(&field, out, &total, err);

    json_decref(list);
    return ok;
}

static void must_read(const char *json, struct projection_fields *out)
{
    struct err err = {0};

    if (!read_fields(json, out, &err))
        fail_msg("%s: %s %s", json, err.path, err.message);
}

/* The form of an object with this metadata, as canonical bytes. */
static void form_of(const struct projection_fields *fields, size_t count, const char *metadata,
                    const struct bytes *git, struct buf *out)
{
    struct projection p = {.count = count};
    struct normal n CLEANUP(normal_release) = {0};
    const struct normal_rules rules = {0};
    struct buf json CLEANUP(buf_release) = {0};
    struct err err;

    for (size_t i = 0; i < count; i++)
        p.rules[i] = &fields[i];
    buf_printf(&json, "{\"metadata\":%s}", metadata);
    if (!normal_read_text(&n, buf_bytes(&json), &rules, &err))
        fail_msg("%s: %s", metadata, err.message);
    if (git == NULL)
        projection_write(&p, buf_bytes(&n.meta.out), out);
    else
        projection_write_judged(&p, buf_bytes(&n.meta.out), *git, out);
}

static void test_fields_refuse_with_the_place(void **state)
{
    static const struct {
        const char *json;
        const char *path;
        const char *message;
    } rows[] = {
        {"{}", "fields", "expected a list of fields that is not empty"},
        {"[]", "fields", "expected a list of fields that is not empty"},
        {"[1]", "fields[0]", "expected a map"},
        {"[{}]", "fields[0]", "a field needs a path"},
        {"[{\"path\":\"metadata.labels.a\",\"x\":1}]", "fields[0].x", "unknown key \"x\""},
        {"[{\"path\":1}]", "fields[0].path", "expected text"},
        {"[{\"path\":\"metadata.labels.a\"},{\"path\":\"spec.type\"}]", "fields[1].path",
         "expected metadata.labels.KEY"},
        {"[{\"path\":\"metadata.labels\"}]", "fields[0].path", "expected metadata.labels.KEY"},
        {"[{\"path\":\"metadata.labels.\"}]", "fields[0].path", "expected metadata.labels.KEY"},
        {"[{\"path\":\"metadata.labels.istio.io/rev\"}]", "fields[0].path", "or pattern"},
        {"[{\"path\":\"metadata.labels.istio-*\"}]", "fields[0].path", "or pattern"},
        {"[{\"path\":\"metadata.labels[\\\"\\\"]\"}]", "fields[0].path", "or pattern"},
        {"[{\"path\":\"metadata.labels[\\\"]\"}]", "fields[0].path", "or pattern"},
        {"[{\"path\":\"metadata.labels[\\\"a\\\"].b\"}]", "fields[0].path", "or pattern"},
        {"[{\"path\":\"metadata.labels[\\\"a\\\"][\\\"b\\\"]\"}]", "fields[0].path", "or pattern"},
        {"[{\"path\":\"metadata.name\"}]", "fields[0].path", "or the same of annotations"},
        {"[{\"path\":\"metadata.labelsx.a\"}]", "fields[0].path", "expected metadata.labels.KEY"},
        {"[{\"path\":\"metadata.labels.a\",\"allow\":[]}]", "fields[0].allow", "not empty"},
        {"[{\"path\":\"metadata.labels.a\",\"allow\":[true]}]", "fields[0].allow[0]",
         "expected a string"},
        {"[{\"path\":\"metadata.labels.a\",\"exists\":\"true\"}]", "fields[0].exists",
         "expected true or false"},
        {"[{\"path\":\"metadata.labels.a\",\"exists\":false}]", "fields[0].exists",
         "expected true; leave the key out otherwise"},
        {"[{\"path\":\"metadata.labels.a\",\"exists\":true,\"allow\":[\"b\"]}]", "fields[0]",
         "there are no values"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct projection_fields fields = {0};
        struct err err = {0};

        if (read_fields(rows[i].json, &fields, &err))
            fail_msg("%s: was taken", rows[i].json);
        if (strstr(err.message, rows[i].message) == NULL || strcmp(err.path, rows[i].path) != 0)
            fail_msg("%s: %s: %s", rows[i].json, err.path, err.message);
        projection_fields_release(&fields);
    }
}

#define LABEL(key) "{\"path\":\"metadata.labels[\\\"" key "\\\"]\"}"

static void test_what_counts_is_in_the_form(void **state)
{
    static const char fields_json[] = "[{\"path\":\"metadata.labels.istio-injection\"}," LABEL(
        "istio.io/*") ","
                      "{\"path\":\"metadata.annotations[\\\"*.service.kuma.io/protocol\\\"]\"},"
                      "{\"path\":\"metadata.labels[\\\"istio/multiCluster\\\"]\",\"exists\":true}]";
    static const struct {
        const char *name;
        const char *metadata;
        const char *form; /* keys and values, without heads */
    } rows[] = {
        {"nothing", "{\"name\":\"a\"}", ""},
        {"only others", "{\"labels\":{\"team\":\"a\"},\"annotations\":{\"istio.io/rev\":\"1\"}}",
         ""},
        {"an exact key",
         "{\"labels\":{\"istio-injection\":\"enabled\",\"istio-injectionx\":\"a\"}}",
         "metadata.labels.istio-injection=enabled;"},
        {"a pattern at the end", "{\"labels\":{\"istio.io/rev\":\"1\",\"xistio.io/rev\":\"2\"}}",
         "metadata.labels[\"istio.io/rev\"]=1;"},
        {"a pattern at the beginning",
         "{\"annotations\":{\"80.service.kuma.io/protocol\":\"http\"}}",
         "metadata.annotations[\"80.service.kuma.io/protocol\"]=http;"},
        {"existence", "{\"labels\":{\"istio/multiCluster\":\"whatever\"}}",
         "metadata.labels[\"istio/multiCluster\"]!;"},
        {"in the order of the paths, which is not that of the keys",
         "{\"labels\":{\"istio.io/rev\":\"1\",\"istio-injection\":\"x\"},"
         "\"annotations\":{\"1.service.kuma.io/protocol\":\"tcp\"}}",
         "metadata.annotations[\"1.service.kuma.io/protocol\"]=tcp;"
         "metadata.labels.istio-injection=x;metadata.labels[\"istio.io/rev\"]=1;"},
        {"quotes in a key", "{\"labels\":{\"istio.io/a\\\"b\":\"1\"}}",
         "metadata.labels[\"istio.io/a\\\"b\"]=1;"},
        {"null and empty maps", "{\"labels\":null,\"annotations\":{}}", ""},
    };
    struct projection_fields fields = {0};

    (void)state;
    must_read(fields_json, &fields);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf form CLEANUP(buf_release) = {0};
        struct buf text CLEANUP(buf_release) = {0};

        form_of(&fields, 1, rows[i].metadata, NULL, &form);
        struct bytes cursor = bytes_of(form.ptr + CANON_HEAD, form.len - CANON_HEAD);

        while (cursor.len > 0) {
            buf_append(&text, canon_read_string(&cursor));
            struct bytes value = canon_take_value(&cursor);

            if (value.ptr[0] == CANON_STRING) {
                buf_byte(&text, '=');
                buf_append(&text, canon_read_string(&value));
            } else {
                assert_int_equal(value.ptr[0], CANON_TRUE);
                buf_byte(&text, '!');
            }
            buf_byte(&text, ';');
        }
        if (strcmp(buf_cstr(&text), rows[i].form) != 0)
            fail_msg("%s: %s", rows[i].name, buf_cstr(&text));
        assert_int_equal(projection_is_empty(buf_bytes(&form)), rows[i].form[0] == '\0');
    }
    projection_fields_release(&fields);
}

static void test_order_and_spelling_in_the_policy_do_not_matter(void **state)
{
    static const char metadata[] = "{\"labels\":{\"a\":\"1\",\"b.c\":\"2\",\"d\":\"3\"}}";
    struct projection_fields both[2] = {0};
    struct projection_fields one = {0};
    struct buf want CLEANUP(buf_release) = {0};
    struct buf got CLEANUP(buf_release) = {0};

    (void)state;
    must_read("[" LABEL("a") "," LABEL("b.*") "]", &one);
    must_read("[" LABEL("b.c") "]", &both[0]);
    must_read("[{\"path\":\"metadata.labels.a\"}," LABEL("a") "]", &both[1]);
    form_of(&one, 1, metadata, NULL, &want);
    form_of(both, 2, metadata, NULL, &got);
    assert_true(bytes_equal(buf_bytes(&want), buf_bytes(&got)));
    projection_fields_release(&one);
    projection_fields_release(&both[0]);
    projection_fields_release(&both[1]);
}

static void test_the_strictest_use_of_a_key_counts(void **state)
{
    struct projection_fields fields[2] = {0};
    const struct projection p = {{&fields[0], &fields[1]}, 2};

    (void)state;
    must_read("[{\"path\":\"metadata.labels[\\\"*\\\"]\",\"exists\":true}]", &fields[0]);
    must_read("[{\"path\":\"metadata.labels.a\"}]", &fields[1]);
    assert_int_equal(projection_use(&p, PROJECTION_LABELS, BYTES("a")), PROJECTION_VALUE);
    assert_int_equal(projection_use(&p, PROJECTION_LABELS, BYTES("b")), PROJECTION_EXISTENCE);
    assert_int_equal(projection_use(&p, PROJECTION_ANNOTATIONS, BYTES("a")), PROJECTION_IGNORED);
    assert_int_equal(projection_use(&p, PROJECTION_LABELS, BYTES("kubernetes.io/metadata.name")),
                     PROJECTION_IGNORED);
    projection_fields_release(&fields[0]);
    projection_fields_release(&fields[1]);
}

static void test_allowed_values_pass_where_git_has_none(void **state)
{
    static const struct {
        const char *name;
        const char *git;
        const char *asked;
        bool passes; /* what is left equals Git's form */
    } rows[] = {
        {"allowed, Git has none", "{}", "{\"labels\":{\"i\":\"enabled\"}}", true},
        {"by a pattern", "{}", "{\"labels\":{\"i\":\"stable-2\"}}", true},
        {"another value", "{}", "{\"labels\":{\"i\":\"disabled\"}}", false},
        {"Git has another", "{\"labels\":{\"i\":\"disabled\"}}", "{\"labels\":{\"i\":\"enabled\"}}",
         false},
        {"Git has the same", "{\"labels\":{\"i\":\"enabled\"}}", "{\"labels\":{\"i\":\"enabled\"}}",
         true},
        {"Git has it, and it is taken away", "{\"labels\":{\"i\":\"enabled\"}}", "{}", false},
        {"beside what Git has", "{\"labels\":{\"k\":\"1\"}}",
         "{\"labels\":{\"i\":\"enabled\",\"k\":\"1\"}}", true},
        {"a field without allowed values", "{}", "{\"labels\":{\"k\":\"enabled\"}}", false},
        {"an annotation of that name counts for nothing", "{}",
         "{\"annotations\":{\"i\":\"disabled\"}}", true},
    };
    struct projection_fields fields = {0};

    (void)state;
    must_read("[{\"path\":\"metadata.labels.i\",\"allow\":[\"enabled\",\"stable-*\"]},"
              "{\"path\":\"metadata.labels.k\"}]",
              &fields);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf git CLEANUP(buf_release) = {0};
        struct buf judged CLEANUP(buf_release) = {0};

        form_of(&fields, 1, rows[i].git, NULL, &git);
        const struct bytes git_form = buf_bytes(&git);

        form_of(&fields, 1, rows[i].asked, &git_form, &judged);
        if (bytes_equal(git_form, buf_bytes(&judged)) != rows[i].passes)
            fail_msg("%s", rows[i].name);
    }
    projection_fields_release(&fields);
}

/* The bytes of N25, written down by hand. */
static void test_the_digest_is_that_of_the_specification(void **state)
{
    static const struct bytes hashed = {
        (const uint8_t *)"meshproj/1\0"
                         "S\0\0\0\0"
                         "S\0\0\0\x09Namespace"
                         "S\0\0\0\0"
                         "S\0\0\0\x04prod"
                         "M\0\0\0\x01"
                         "S\0\0\0\x1fmetadata.labels.istio-injection"
                         "S\0\0\0\x07"
                         "enabled",
        11 + 5 + 14 + 5 + 9 + 5 + 36 + 12};
    const struct identity id = {{0}, BYTES("Namespace"), {0}, BYTES("prod")};
    const struct identity other = {{0}, BYTES("Namespace"), {0}, BYTES("dev")};
    struct projection_fields fields = {0};
    struct buf form CLEANUP(buf_release) = {0};
    struct sha256 *hash = sha256_new();
    struct digest want;
    struct digest got;

    (void)state;
    must_read("[{\"path\":\"metadata.labels.istio-injection\"}]", &fields);
    form_of(&fields, 1, "{\"labels\":{\"istio-injection\":\"enabled\",\"x\":\"y\"}}", NULL, &form);
    digest_of(hashed, &want);
    projection_digest(buf_bytes(&form), &id, hash, &got);
    assert_true(digest_equal(&want, &got));
    projection_digest(buf_bytes(&form), &other, hash, &got);
    assert_false(digest_equal(&want, &got));
    sha256_free(hash);
    projection_fields_release(&fields);
}

static void test_the_first_difference(void **state)
{
    static const struct {
        const char *left;
        const char *right;
        const char *path; /* NULL: equal */
        bool has_left;
        bool has_right;
    } rows[] = {
        {"{}", "{}", NULL, false, false},
        {"{\"labels\":{\"a\":\"1\"}}", "{\"labels\":{\"a\":\"1\"}}", NULL, false, false},
        {"{\"labels\":{\"a\":\"1\"}}", "{\"labels\":{\"a\":\"2\"}}", "metadata.labels.a", true,
         true},
        {"{\"labels\":{\"a\":\"1\"}}", "{}", "metadata.labels.a", true, false},
        {"{}", "{\"labels\":{\"a\":\"1\"}}", "metadata.labels.a", false, true},
        {"{\"labels\":{\"a\":\"1\",\"b\":\"1\"}}", "{\"labels\":{\"a\":\"1\",\"c\":\"1\"}}",
         "metadata.labels.b", true, false},
        {"{\"labels\":{\"a\":\"1\",\"d\":\"1\"}}", "{\"labels\":{\"a\":\"1\",\"c\":\"1\"}}",
         "metadata.labels.c", false, true},
    };
    struct projection_fields fields = {0};

    (void)state;
    must_read("[" LABEL("*") "]", &fields);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf left CLEANUP(buf_release) = {0};
        struct buf right CLEANUP(buf_release) = {0};
        struct projection_diff diff = {0};

        form_of(&fields, 1, rows[i].left, NULL, &left);
        form_of(&fields, 1, rows[i].right, NULL, &right);
        const bool differs = projection_diff(buf_bytes(&left), buf_bytes(&right), &diff);

        if (differs != (rows[i].path != NULL))
            fail_msg("%s and %s", rows[i].left, rows[i].right);
        if (!differs)
            continue;
        assert_true(bytes_equal(diff.path, bytes_str(rows[i].path)));
        assert_int_equal(diff.left.len > 0, rows[i].has_left);
        assert_int_equal(diff.right.len > 0, rows[i].has_right);
    }
    projection_fields_release(&fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_refuse_with_the_place),
        cmocka_unit_test(test_what_counts_is_in_the_form),
        cmocka_unit_test(test_order_and_spelling_in_the_policy_do_not_matter),
        cmocka_unit_test(test_the_strictest_use_of_a_key_counts),
        cmocka_unit_test(test_allowed_values_pass_where_git_has_none),
        cmocka_unit_test(test_the_digest_is_that_of_the_specification),
        cmocka_unit_test(test_the_first_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
