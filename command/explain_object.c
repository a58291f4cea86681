#include "command/explain_object.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/normal.h"
#include "source/yaml.h"

#include "base/banned.h"

struct bytes explain_text_of(const json_t *map, const char *key)
{
    const json_t *value = json_object_get(map, key);

    if (!json_is_string(value))
        return (struct bytes){0};
    return bytes_of(json_string_value(value), json_string_length(value));
}

void explain_identity(const json_t *object, struct identity *out, struct bytes *version)
{
    const json_t *metadata = json_object_get(object, "metadata");

    normal_split_api_version(explain_text_of(object, "apiVersion"), &out->group, version);
    out->kind = explain_text_of(object, "kind");
    out->namespace = explain_text_of(metadata, "namespace");
    out->name = explain_text_of(metadata, "name");
}

/* --- the word on the command line ------------------------------------------------------------- */

/* Up to `separator`, which is taken too; false if it is not there. */
static bool take_part(struct bytes *rest, char separator, struct bytes *out)
{
    const uint8_t *at = rest->len == 0 ? NULL : memchr(rest->ptr, separator, rest->len);

    if (at == NULL)
        return false;
    *out = bytes_of(rest->ptr, (size_t)(at - rest->ptr));
    *rest = bytes_of(at + 1, rest->len - out->len - 1);
    return true;
}

bool explain_parse_identity(const char *text, struct identity *out)
{
    struct identity id = {0};
    struct bytes rest = bytes_str(text);
    struct bytes type;

    if (!take_part(&rest, '/', &type))
        return false;
    if (take_part(&type, '.', &id.kind))
        id.group = type;
    else
        id.kind = type;
    (void)take_part(&rest, '/', &id.namespace);
    id.name = rest;
    if (id.kind.len == 0 || id.name.len == 0 || bytes_contains(id.name, BYTES("/")))
        return false;
    *out = id;
    return true;
}

static bool is_json_name(const char *path)
{
    return bytes_ends_with(bytes_str(path), BYTES(".json"));
}

bool explain_is_file(const char *word)
{
    const struct bytes name = bytes_str(word);

    return strcmp(word, "-") == 0 || access(word, F_OK) == 0 || is_json_name(word) ||
           bytes_ends_with(name, BYTES(".yaml")) || bytes_ends_with(name, BYTES(".yml"));
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool read_standard_input(struct buf *out, struct err *err)
{
    for (;;) {
        buf_reserve(out, 64 << 10);
        const ssize_t n = read(STDIN_FILENO, out->ptr + out->len, 64 << 10);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "cannot read standard input");
        if (n == 0)
            return true;
        out->len += (size_t)n;
        if (out->len > YAML_MAX_BYTES)
            return err_set(err, "standard input: more than %d bytes", YAML_MAX_BYTES);
    }
}

static bool starts_like_json(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(" \t\r\n", text.ptr[i]) == NULL)
            return text.ptr[i] == '{';
    }
    return false;
}

static bool is_list(const json_t *document)
{
    return bytes_ends_with(explain_text_of(document, "kind"), BYTES("List")) &&
           json_is_array(json_object_get(document, "items"));
}

/* A List of one is that one. */
static json_t *only_object(const struct yaml_documents *documents, size_t *count)
{
    json_t *root = documents->count == 1 ? documents->items[0].root : NULL;

    *count = documents->count;
    if (!is_list(root))
        return root;
    const json_t *items = json_object_get(root, "items");

    *count = json_array_size(items);
    return *count == 1 ? json_array_get(items, 0) : NULL;
}

static bool read_documents(const char *file, struct bytes text, struct yaml_documents *out,
                           struct err *err)
{
    if (is_json_name(file) || (strcmp(file, "-") == 0 && starts_like_json(text)))
        return yaml_read_json(text, out, err);
    return yaml_read(text, out, err);
}

bool explain_read_object(const char *file, json_t **out, struct err *err)
{
    const char *name = strcmp(file, "-") == 0 ? "standard input" : file;
    struct buf text CLEANUP(buf_release) = {0};
    CLEANUP(yaml_release) struct yaml_documents documents = {0};
    size_t count;

    if (!(name == file ? file_read(file, YAML_MAX_BYTES, &text, err)
                       : read_standard_input(&text, err)))
        return false;
    if (!read_documents(file, buf_bytes(&text), &documents, err)) {
        const struct err why = *err;

        return err_set(err, "%s:%s (of a live object, kubectl get -o json is read as well)", name,
                       why.message);
    }
    json_t *object = only_object(&documents, &count);

    if (count != 1)
        return err_set(err,
                       "%s: holds %zu objects; give one, or name it as KIND.GROUP/NAMESPACE/NAME",
                       name, count);
    if (!json_is_object(object) || explain_text_of(object, "kind").len == 0 ||
        explain_text_of(object, "apiVersion").len == 0 ||
        explain_text_of(json_object_get(object, "metadata"), "name").len == 0)
        return err_set(err, "%s: is no object with apiVersion, kind and metadata.name", name);
    *out = json_incref(object);
    return true;
}

/* Its namespace may be the source's default. */
static bool is_same(const json_t *object, const struct identity *id)
{
    struct identity own;
    struct bytes version;

    explain_identity(object, &own, &version);
    return bytes_equal(own.group, id->group) && bytes_equal(own.kind, id->kind) &&
           bytes_equal(own.name, id->name) &&
           (own.namespace.len == 0 || id->namespace.len == 0 ||
            bytes_equal(own.namespace, id->namespace));
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the loader */
static json_t *find_in(json_t *document, const struct identity *id)
{
    size_t i;
    json_t *item;

    if (!is_list(document))
        return is_same(document, id) ? document : NULL;
    json_array_foreach(json_object_get(document, "items"), i, item)
    {
        json_t *found = find_in(item, id);

        if (found != NULL)
            return found;
    }
    return NULL;
}

json_t *explain_find_object(const char *path, struct bytes text, unsigned line,
                            const struct identity *id)
{
    CLEANUP(yaml_release) struct yaml_documents documents = {0};
    json_t *found = NULL;
    struct err unused;

    if (!read_documents(path, text, &documents, &unused))
        return NULL;
    for (size_t i = 0; found == NULL && i < documents.count; i++) {
        if (documents.items[i].line == line)
            found = find_in(documents.items[i].root, id);
    }
    return json_incref(found);
}

/* --- which side ------------------------------------------------------------------------------- */

const char *explain_live_field(const json_t *object)
{
    static const struct {
        const char *key;
        const char *text;
    } server_set[] = {
        {"uid", "metadata.uid"},
        {"resourceVersion", "metadata.resourceVersion"},
        {"managedFields", "metadata.managedFields"},
        {"creationTimestamp", "metadata.creationTimestamp"},
        {"generation", "metadata.generation"},
    };
    const json_t *metadata = json_object_get(object, "metadata");

    for (size_t i = 0; i < COUNT(server_set); i++) {
        const json_t *value = json_object_get(metadata, server_set[i].key);

        /* Generators write `creationTimestamp: null`. */
        if (value != NULL && !json_is_null(value))
            return server_set[i].text;
    }
    return json_object_size(json_object_get(object, "status")) > 0 ? "status" : NULL;
}
