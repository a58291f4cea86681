/*
 * config.h -- the server's configuration file (design.md section 8): YAML, strict. Read by the
 * supervisor; the roles get their part of it by fork.
 */
#ifndef WEBHOOK_CONFIG_H
#define WEBHOOK_CONFIG_H

#include <jansson.h>

#include "base/bytes.h"
#include "base/err.h"
#include "source/delivery.h"

enum { CONFIG_MAX_BYTES = 1 << 20, CONFIG_MAX_SOURCES = 64, CONFIG_MAX_ITEMS = 256 };

struct config_source {
    char *name;
    char *url;
    char *ref;
    char **paths;
    size_t path_count;
    char *namespace;           /* NULL: none */
    struct delivery *delivery; /* NULL: nothing is added */
    unsigned interval_ms;
};

struct config_schema { /* one of: a folder, or a path in a source */
    char *directory;
    char *source;
    char *path;
};

struct config {
    char *cluster;
    char *listen; /* host:port */
    char *health; /* host:port, or NULL */
    char *state_dir;
    bool allow_when_unready;
    struct {
        char *certificate;
        char *key;
        bool http2;
    } tls;
    struct config_source *sources;
    size_t source_count;
    struct config_schema *schemas;
    size_t schema_count;
    struct { /* all NULL: the built-in policy */
        char *file;
        char *source;
        char *path;
    } policy;
    char *audit_directory;
};

/* On success *out is the caller's, free with config_free(). Errors begin "FILE:LINE: field: ". */
MUST_USE bool config_read(const char *file, struct config **out, struct err *err);
void config_free(struct config *c); /* NULL is fine */

/*
 * A policy document from a YAML text, with what it includes (webhook/builtin.h), checked by
 * policy_load; *out is the caller's reference.
 * Errors begin "FILE:LINE: ".
 */
MUST_USE bool config_read_policy(const char *name, const void *text, size_t len, json_t **out,
                                 struct err *err);

/* What a source's `delivery` would be, from a YAML text; *out is the caller's. Errors as above. */
MUST_USE bool config_read_delivery(const char *name, struct bytes text, struct delivery **out,
                                   struct err *err);

#endif
