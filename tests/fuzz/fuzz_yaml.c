/*
 * fuzz_yaml.c -- the YAML and the JSON reader over the same bytes. What must hold:
 *
 *   - a text that both accept they read alike;
 *   - what was read, printed as JSON, reads as the same;
 *   - line ends do not matter: CRLF for LF, or the last one missing;
 *   - with marks (N35) it is the same where nothing is refused; where something is, it is marked,
 * or the rest of the file is told; every byte belongs to a document or to that rest;
 *   - a refusal says where, and the lines of documents are where yaml_line_of finds them.
 */
#include <ctype.h>
#include <stdlib.h>

#include "policy/jread.h"
#include "source/yaml.h"
#include "source/yaml_mark.h"
#include "tests/fuzz/fuzz.h"

static void check_same(const struct yaml_documents *a, const struct yaml_documents *b)
{
    require(a->count == b->count);
    for (size_t i = 0; i < a->count; i++)
        require(json_equal(a->items[i].root, b->items[i].root));
}

/* "LINE:COLUMN: " and something behind it. */
static void check_message(const char *message)
{
    for (int i = 0; i < 2; i++) {
        require(isdigit((unsigned char)*message));
        while (isdigit((unsigned char)*message))
            message++;
        require(*message++ == ':');
    }
    require(message[0] == ' ' && message[1] != '\0');
}

static void check_printed(const json_t *root)
{
    json_t *wrapped = json_pack("[O]", root);
    char *printed = json_dumps(wrapped, JSON_ENSURE_ASCII | JSON_COMPACT);
    struct yaml_documents again = {0};
    struct err err = {0};

    require(printed != NULL);
    require(yaml_read_json(bytes_str(printed), &again, &err));
    require(again.count == 1 && json_equal(again.items[0].root, wrapped));
    yaml_release(&again);
    free(printed);
    json_decref(wrapped);
}

static void check_line_ends(struct bytes text, const struct yaml_documents *documents)
{
    struct buf other = {0};
    struct yaml_documents again = {0};
    struct err err = {0};

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
            buf_byte(&other, '\r');
        buf_byte(&other, text.ptr[i]);
    }
    if (!bytes_ends_with(text, BYTES("\n")))
        buf_append_str(&other, "\r\n");
    if (other.len <= YAML_MAX_BYTES) {
        require(yaml_read(buf_bytes(&other), &again, &err));
        check_same(documents, &again);
        yaml_release(&again);
    }
    buf_release(&other);
}

static void check_documents(struct bytes text, const struct yaml_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++) {
        require(yaml_line_of(text, i, "") == documents->items[i].line);
        require(yaml_line_of(text, i, "a.b[1][\"c\"]") >= documents->items[i].line);
        if (fuzz_depth(documents->items[i].root) < JREAD_MAX_DEPTH)
            check_printed(documents->items[i].root);
    }
}

typedef bool marked_reader(struct bytes text, struct yaml_documents *out, struct bytes *rest,
                           struct err *err);

/* `strict`: what the reader without marks made of the same text; NULL: it refused. */
static void check_marked(struct bytes text, marked_reader *read,
                         const struct yaml_documents *strict)
{
    struct yaml_documents documents = {0};
    struct bytes rest;
    struct err err = {0};
    const bool whole = read(text, &documents, &rest, &err);
    bool refused = !whole;

    if (!whole)
        check_message(err.message);
    for (size_t i = 0; i < documents.count; i++) {
        const char *first = yaml_mark_first(documents.items[i].root);

        require((first != NULL) == documents.items[i].refused);
        if (first != NULL)
            check_message(first);
        refused = refused || documents.items[i].refused;
        require(i == 0 || documents.items[i].text.ptr >=
                              documents.items[i - 1].text.ptr + documents.items[i - 1].text.len);
    }
    require(rest.ptr + rest.len == text.ptr + text.len);
    if (documents.count > 0 && !whole)
        require(rest.ptr >= documents.items[documents.count - 1].text.ptr +
                                documents.items[documents.count - 1].text.len);
    require((strict == NULL) == refused);
    if (strict != NULL)
        check_same(&documents, strict);
    yaml_release(&documents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct bytes text = {data, len};
    struct yaml_documents yaml = {0};
    struct yaml_documents json = {0};
    struct err err = {0};
    const bool is_yaml = yaml_read(text, &yaml, &err);

    if (!is_yaml)
        check_message(err.message);
    const bool is_json = yaml_read_json(text, &json, &err);

    if (!is_json)
        check_message(err.message);
    check_marked(text, yaml_read_marked, is_yaml ? &yaml : NULL);
    check_marked(text, yaml_read_json_marked, is_json ? &json : NULL);
    if (is_yaml && is_json)
        check_same(&yaml, &json);
    if (is_yaml) {
        check_documents(text, &yaml);
        check_line_ends(text, &yaml);
    }
    yaml_release(&yaml);
    yaml_release(&json);
    return 0;
}
