#include <stdlib.h>

#include "policy/nulls.h"
#include "tests/unit/test.h"

/*
 * { a (droppable), b: { c (droppable) }, l: [ { d (droppable) } ], m: { *: { e (droppable) } } },
 * as bytes: the root with four properties at 0, the four other nodes behind it, names at the end.
 */
enum { ROOT = 0, B = 12 + 4 * 16, L = B + 28, ITEM = L + 12, M = ITEM + 28, ANY = M + 12 };
enum { NAMES = ANY + 28, SIZE = NAMES + 7 };

static void put(uint8_t *tree, size_t at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        tree[at + i] = (uint8_t)(number >> (8 * i));
}

static void put_node(uint8_t *tree, size_t at, uint32_t items, uint32_t additional, uint32_t count)
{
    put(tree, at, items);
    put(tree, at + 4, additional);
    put(tree, at + 8, count);
}

static void put_entry(uint8_t *tree, size_t at, uint32_t name, uint32_t child, uint32_t droppable)
{
    put(tree, at, NAMES + name);
    put(tree, at + 4, 1);
    put(tree, at + 8, child);
    put(tree, at + 12, droppable);
}

static void make_tree(uint8_t tree[SIZE])
{
    static const uint8_t names[] = {'a', 'b', 'l', 'm', 'c', 'd', 'e'};

    put_node(tree, ROOT, 0, 0, 4);
    put_entry(tree, 12, 0, 0, 1);
    put_entry(tree, 28, 1, B, 0);
    put_entry(tree, 44, 2, L, 0);
    put_entry(tree, 60, 3, M, 0);
    put_node(tree, B, 0, 0, 1);
    put_entry(tree, B + 12, 4, 0, 1);
    put_node(tree, L, ITEM, 0, 0);
    put_node(tree, ITEM, 0, 0, 1);
    put_entry(tree, ITEM + 12, 5, 0, 1);
    put_node(tree, M, 0, ANY, 0);
    put_node(tree, ANY, 0, 0, 1);
    put_entry(tree, ANY + 12, 6, 0, 1);
    memcpy(tree + NAMES, names, sizeof(names));
}

/* "b.c", "l.#.d": '#' is an item. */
static size_t steps_of(const char *text, struct nulls_step *steps)
{
    size_t count = 0;

    while (*text != '\0') {
        const size_t len = strcspn(text, ".");

        steps[count++] = (struct nulls_step){.is_item = text[0] == '#',
                                             .key = bytes_of(text, text[0] == '#' ? 0 : len)};
        text += len + (text[len] == '.');
    }
    return count;
}

static bool ask(struct bytes tree, const char *path)
{
    struct nulls_step steps[16];

    return nulls_droppable(tree, steps, steps_of(path, steps));
}

static void test_nulls_finds_exactly_its_paths(void **state)
{
    static const struct {
        const char *path;
        bool want;
    } rows[] = {
        {"a", true},      {"b", false},       {"b.c", true},  {"b.a", false},  {"l.#.d", true},
        {"l.d", false},   {"l.#", false},     {"#", false},   {"m.x.e", true}, {"m.x", false},
        {"m.a.e", true},  {"m.#.e", false},   {"a.b", false}, {"z", false},    {"", false},
        {"b.c.d", false}, {"l.#.#.d", false}, {"aa", false},
    };
    uint8_t tree[SIZE] = {0};

    (void)state;
    make_tree(tree);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (ask(bytes_of(tree, SIZE), rows[i].path) != rows[i].want)
            fail_msg("%s: want %s", rows[i].path, rows[i].want ? "drop" : "keep");
    }
}

static void test_nulls_no_tree_keeps_everything(void **state)
{
    (void)state;
    assert_false(ask(bytes_of(NULL, 0), "a"));
    assert_false(ask(BYTES("x"), "a"));
}

/* Cut off anywhere: never a read outside, and a path is only dropped where it is still whole. */
static void test_nulls_survives_a_cut_tree(void **state)
{
    static const char *const paths[] = {"a", "b.c", "l.#.d", "m.x.e"};
    uint8_t tree[SIZE] = {0};

    (void)state;
    make_tree(tree);
    for (size_t len = 0; len < SIZE; len++) {
        uint8_t *copy = xmalloc(len + 1);

        memcpy(copy, tree, len);
        for (size_t i = 0; i < COUNT(paths); i++) {
            const bool drop = ask(bytes_of(copy, len), paths[i]);

            if (drop && len <= NAMES)
                fail_msg("%s is dropped by %zu bytes", paths[i], len);
        }
        free(copy);
    }
}

/* Each byte set to hostile values: no read outside (ASan looks), no endless walk. */
static void test_nulls_survives_damage(void **state)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    static const char *const paths[] = {"a", "b.c", "l.#.#.#.#.#.d", "m.x.x.x.x.x.e"};
    uint8_t *tree = xcalloc(1, SIZE);

    (void)state;
    for (size_t at = 0; at < SIZE; at++) {
        for (size_t v = 0; v < COUNT(values); v++) {
            make_tree(tree);
            tree[at] = values[v];
            for (size_t i = 0; i < COUNT(paths); i++)
                (void)ask(bytes_of(tree, SIZE), paths[i]);
        }
    }
    free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nulls_finds_exactly_its_paths),
        cmocka_unit_test(test_nulls_no_tree_keeps_everything),
        cmocka_unit_test(test_nulls_survives_a_cut_tree),
        cmocka_unit_test(test_nulls_survives_damage),
    };

    return cmocka_run_group_tests_name("nulls", tests, NULL, NULL);
}
