#include "webhook/config.h"

#include <stdlib.h>

#include "base/file.h"
#include "policy/fields.h"
#include "policy/policy.h"
#include "source/yaml.h"
#include "webhook/builtin.h"

#include "base/banned.h"

enum { DEFAULT_INTERVAL_MS = 30 * 1000, LEAST_INTERVAL_MS = 100, MOST_INTERVAL_MS = 24 * 3600000 };

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->source_count; i++) {
        struct config_source *s = &c->sources[i];

        free(s->name);
        free(s->url);
        free(s->ref);
        free(s->namespace);
        delivery_free(s->delivery);
        free_texts(s->paths, s->path_count);
    }
    for (size_t i = 0; i < c->schema_count; i++) {
        free(c->schemas[i].directory);
        free(c->schemas[i].source);
        free(c->schemas[i].path);
    }
    char *texts[] = {c->cluster,         c->listen,         c->health,      c->state_dir,
                     c->tls.certificate, c->tls.key,        c->policy.file, c->policy.source,
                     c->policy.path,     c->audit_directory};

    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
    free(c->sources);
    free(c->schemas);
    free(c);
}

/* --- tables of text members ------------------------------------------------------------------- */

struct text_member {
    const char *key;
    char **out;
};

/* Reads the member if it is in the table; *known says so. */
static bool read_text(const struct field *member, const struct text_member *table, size_t count,
                      bool *known, struct err *err)
{
    *known = true;
    for (size_t i = 0; i < count; i++) {
        if (field_is(member, table[i].key))
            return field_text(member, table[i].out, err);
    }
    *known = false;
    return true;
}

/* A map with nothing but text members. */
static bool read_text_map(const struct field *field, const struct text_member *table, size_t count,
                          struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool known;

    if (!field_map(field, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        if (!read_text(&member, table, count, &known, err))
            return false;
        if (!known)
            return field_unknown(&member, err);
    }
    return true;
}

static bool list_size(const struct field *field, size_t most, size_t *count, struct err *err)
{
    if (!json_is_array(field->value) || json_array_size(field->value) == 0)
        return field_refuse(field, err, "expected a list that is not empty");
    if (json_array_size(field->value) > most)
        return field_refuse(field, err, "the list is too long");
    *count = json_array_size(field->value);
    return true;
}

/* --- sources, schemas, tls -------------------------------------------------------------------- */

static bool read_paths(const struct field *field, struct config_source *source, struct err *err)
{
    size_t count;

    if (!list_size(field, CONFIG_MAX_ITEMS, &count, err))
        return false;
    source->paths = xcalloc(count, sizeof(char *));
    for (source->path_count = 0; source->path_count < count;) {
        const struct field item = field_item(field, source->path_count);

        if (!field_text(&item, &source->paths[source->path_count++], err))
            return false;
    }
    return true;
}

/* A source's name is in file names and log lines. */
static bool check_name(const struct field *field, const char *name, struct err *err)
{
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' || strlen(name) > 63)
        return field_refuse(field, err, "a name has lower-case letters, digits and dashes only");
    return true;
}

static bool read_source(const struct field *field, struct config_source *s, struct err *err)
{
    const struct text_member table[] = {
        {"name", &s->name}, {"url", &s->url}, {"ref", &s->ref}, {"namespace", &s->namespace}};
    struct field_cursor cursor;
    struct field member;
    bool known;

    s->interval_ms = DEFAULT_INTERVAL_MS;
    if (!field_map(field, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        bool ok = read_text(&member, table, COUNT(table), &known, err);

        if (!ok)
            return false;
        if (known)
            continue;
        if (field_is(&member, "paths"))
            ok = read_paths(&member, s, err);
        else if (field_is(&member, "interval"))
            ok = field_duration(&member, LEAST_INTERVAL_MS, MOST_INTERVAL_MS, &s->interval_ms, err);
        else if (field_is(&member, "delivery"))
            ok = delivery_read(&member, &s->delivery, err);
        else
            ok = field_unknown(&member, err);
        if (!ok)
            return false;
    }
    if (s->name == NULL || s->url == NULL || s->ref == NULL)
        return field_refuse(field, err, "a source needs name, url and ref");
    return check_name(field, s->name, err);
}

static bool read_sources(const struct field *field, struct config *c, struct err *err)
{
    size_t count;

    if (!list_size(field, CONFIG_MAX_SOURCES, &count, err))
        return false;
    c->sources = xcalloc(count, sizeof(c->sources[0]));
    for (c->source_count = 0; c->source_count < count;) {
        const struct field item = field_item(field, c->source_count);

        if (!read_source(&item, &c->sources[c->source_count++], err))
            return false;
        for (size_t i = 0; i + 1 < c->source_count; i++) {
            if (strcmp(c->sources[i].name, c->sources[c->source_count - 1].name) == 0)
                return field_refuse(&item, err, "two sources have this name");
        }
    }
    return true;
}

static bool read_schemas(const struct field *field, struct config *c, struct err *err)
{
    size_t count;

    if (!list_size(field, CONFIG_MAX_ITEMS, &count, err))
        return false;
    c->schemas = xcalloc(count, sizeof(c->schemas[0]));
    for (c->schema_count = 0; c->schema_count < count;) {
        const struct field item = field_item(field, c->schema_count);
        struct config_schema *s = &c->schemas[c->schema_count++];
        const struct text_member table[] = {
            {"directory", &s->directory}, {"source", &s->source}, {"path", &s->path}};

        if (!read_text_map(&item, table, COUNT(table), err))
            return false;
        if ((s->directory != NULL) == (s->source != NULL) ||
            (s->source != NULL) != (s->path != NULL))
            return field_refuse(&item, err, "expected either directory, or source and path");
    }
    return true;
}

static bool read_tls(const struct field *field, struct config *c, struct err *err)
{
    const struct text_member table[] = {{"certificate", &c->tls.certificate}, {"key", &c->tls.key}};
    struct field_cursor cursor;
    struct field member;
    bool known;

    if (!field_map(field, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        bool ok = read_text(&member, table, COUNT(table), &known, err);

        if (ok && !known)
            ok = field_is(&member, "http2") ? field_bool(&member, &c->tls.http2, err)
                                            : field_unknown(&member, err);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_policy(const struct field *field, struct config *c, struct err *err)
{
    const struct text_member table[] = {
        {"file", &c->policy.file}, {"source", &c->policy.source}, {"path", &c->policy.path}};

    if (!read_text_map(field, table, COUNT(table), err))
        return false;
    if ((c->policy.file != NULL) == (c->policy.source != NULL) ||
        (c->policy.source != NULL) != (c->policy.path != NULL))
        return field_refuse(field, err, "expected either file, or source and path");
    return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool read_member(const struct field *member, struct config *c, struct err *err)
{
    static const char *const unready[] = {"refuse", "allow"};
    const struct text_member table[] = {{"cluster", &c->cluster},
                                        {"listen", &c->listen},
                                        {"health", &c->health},
                                        {"stateDir", &c->state_dir}};
    const struct text_member audit[] = {{"directory", &c->audit_directory}};
    unsigned choice = 0;
    bool known;

    if (!read_text(member, table, COUNT(table), &known, err))
        return false;
    if (known)
        return true;
    if (field_is(member, "apiVersion"))
        return field_constant(member, "meshwrit.dev/v1alpha1", err);
    if (field_is(member, "kind"))
        return field_constant(member, "Config", err);
    if (field_is(member, "tls"))
        return read_tls(member, c, err);
    if (field_is(member, "sources"))
        return read_sources(member, c, err);
    if (field_is(member, "schemas"))
        return read_schemas(member, c, err);
    if (field_is(member, "policy"))
        return read_policy(member, c, err);
    if (field_is(member, "audit"))
        return read_text_map(member, audit, COUNT(audit), err);
    if (field_is(member, "whenUnready")) {
        const bool ok = field_choice(member, unready, COUNT(unready), &choice, err);

        c->allow_when_unready = choice == 1;
        return ok;
    }
    return field_unknown(member, err);
}

static bool source_exists(const struct config *c, const char *name)
{
    for (size_t i = 0; name != NULL && i < c->source_count; i++) {
        if (strcmp(c->sources[i].name, name) == 0)
            return true;
    }
    return name == NULL;
}

static bool check_whole(const struct config *c, const json_t *document, struct err *err)
{
    const struct {
        const char *key;
        const void *value;
    } required[] = {
        {"apiVersion", json_object_get(document, "apiVersion")},
        {"kind", json_object_get(document, "kind")},
        {"cluster", c->cluster},
        {"listen", c->listen},
        {"tls.certificate", c->tls.certificate},
        {"tls.key", c->tls.key},
        {"stateDir", c->state_dir},
        {"sources", c->sources},
        {"audit.directory", c->audit_directory},
    };

    for (size_t i = 0; i < COUNT(required); i++) {
        if (required[i].value == NULL)
            return err_set(err, "%s is missing", required[i].key);
    }
    if (!source_exists(c, c->policy.source))
        return err_set(err, "policy.source \"%s\" is none of the sources", c->policy.source);
    for (size_t i = 0; i < c->schema_count; i++) {
        if (!source_exists(c, c->schemas[i].source))
            return err_set(err, "schemas[%zu].source \"%s\" is none of the sources", i,
                           c->schemas[i].source);
    }
    return true;
}

static bool read_document(const json_t *document, struct config *c, struct err *err)
{
    const struct field root = field_root(document);
    struct field_cursor cursor;
    struct field member;

    c->tls.http2 = true;
    if (!field_map(&root, &cursor, err))
        return false;
    while (field_next(&cursor, &member)) {
        if (!read_member(&member, c, err))
            return false;
    }
    return check_whole(c, document, err);
}

/* FILE:LINE: field: message */
static bool say_where(const char *file, struct bytes text, struct err *err)
{
    char path[sizeof(err->path)];

    memcpy(path, err->path, sizeof(path));
    if (path[0] == '\0')
        return err_prefix(err, "%s: ", file);
    return err_prefix(err, "%s:%u: %s: ", file, yaml_line_of(text, 0, path), path);
}

/* The only document of a text; the caller's reference. */
static bool read_one(const char *file, struct bytes text, json_t **out, struct err *err)
{
    struct yaml_documents documents = {0};

    if (!yaml_read(text, &documents, err))
        return err_prefix(err, "%s:", file);
    const size_t count = documents.count;

    if (count == 1)
        *out = json_incref(documents.items[0].root);
    yaml_release(&documents);
    return count == 1 || err_set(err, "%s: expected one YAML document, found %zu", file, count);
}

static void config_freep(struct config **c)
{
    config_free(*c);
}

bool config_read(const char *file, struct config **out, struct err *err)
{
    struct buf text CLEANUP(buf_release) = {0};
    CLEANUP(config_freep) struct config *c = xcalloc(1, sizeof(*c));
    json_t *document = NULL;

    if (!file_read(file, CONFIG_MAX_BYTES, &text, err) ||
        !read_one(file, buf_bytes(&text), &document, err))
        return false;
    const bool ok = read_document(document, c, err);

    json_decref(document);
    if (!ok)
        return say_where(file, buf_bytes(&text), err);
    *out = STEAL(c);
    return true;
}

bool config_read_policy(const char *name, const void *text, size_t len, json_t **out,
                        struct err *err)
{
    struct policy *policy = NULL;
    json_t *document = NULL;

    if (!read_one(name, bytes_of(text, len), &document, err))
        return false;
    if (!builtin_include(document, err) || !policy_load(document, &policy, err)) {
        json_decref(document);
        return say_where(name, bytes_of(text, len), err);
    }
    policy_free(policy);
    *out = document;
    return true;
}

bool config_read_delivery(const char *name, struct bytes text, struct delivery **out,
                          struct err *err)
{
    json_t *document = NULL;

    if (!read_one(name, text, &document, err))
        return false;
    const struct field root = field_root(document);
    const bool ok = delivery_read(&root, out, err);

    json_decref(document);
    return ok || say_where(name, text, err);
}
