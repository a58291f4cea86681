#include "source/crds.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/file.h"
#include "source/yaml.h"

#include "base/banned.h"

struct crds {
    struct schema **items; /* sorted by group and kind */
    size_t count;
    size_t cap;
};

struct crds *crds_new(void)
{
    return xcalloc(1, sizeof(struct crds));
}

void crds_free(struct crds *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        schema_free(c->items[i]);
    free(c->items);
    free(c);
}

static int compare_kind(const struct kind *a, struct bytes group, struct bytes kind)
{
    const int order = bytes_compare(a->group, group);

    return order != 0 ? order : bytes_compare(a->kind, kind);
}

/* The first place whose kind is not below (group, kind). */
static size_t lower_bound(const struct crds *c, struct bytes group, struct bytes kind)
{
    size_t low = 0;
    size_t high = c->count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (compare_kind(schema_kind(c->items[middle]), group, kind) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct schema *crds_find(const struct crds *c, struct bytes group, struct bytes kind)
{
    const size_t i = lower_bound(c, group, kind);

    if (i == c->count || compare_kind(schema_kind(c->items[i]), group, kind) != 0)
        return NULL;
    return c->items[i];
}

size_t crds_count(const struct crds *c)
{
    return c->count;
}

const struct schema *crds_at(const struct crds *c, size_t i)
{
    return c->items[i];
}

/* Takes the schema over; a second definition of a kind is freed. */
static bool add(struct crds *c, struct schema *schema, struct err *err)
{
    const struct kind *kind = schema_kind(schema);
    const size_t at = lower_bound(c, kind->group, kind->kind);

    if (crds_find(c, kind->group, kind->kind) != NULL) {
        schema_free(schema);
        return true;
    }
    if (c->count == CRDS_MAX) {
        schema_free(schema);
        return err_set(err, "more than %d CustomResourceDefinitions", CRDS_MAX);
    }
    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 64 : 2 * c->cap;
        c->items = xrealloc(c->items, c->cap * sizeof(struct schema *));
    }
    memmove(c->items + at + 1, c->items + at, (c->count - at) * sizeof(struct schema *));
    c->items[at] = schema;
    c->count++;
    return true;
}

static const char *text_of(const json_t *map, const char *key)
{
    const char *text = json_string_value(json_object_get(map, key));

    return text == NULL ? "" : text;
}

static bool add_document(struct crds *c, const json_t *document, const struct policy *policy,
                         struct err *err)
{
    struct schema *schema = NULL;

    if (strcmp(text_of(document, "kind"), "CustomResourceDefinition") != 0 ||
        strncmp(text_of(document, "apiVersion"), "apiextensions.k8s.io/", 21) != 0)
        return true;
    const char *group = text_of(json_object_get(document, "spec"), "group");

    if (!policy_governs_group(policy, bytes_str(group)))
        return true;
    if (!schema_compile(document, &schema, err))
        return err_prefix(err, "CustomResourceDefinition %s: %s%s",
                          text_of(json_object_get(document, "metadata"), "name"), err->path,
                          err->path[0] == '\0' ? "" : ": ");
    return add(c, schema, err);
}

static bool add_file(struct crds *c, const char *path, struct bytes text,
                     const struct policy *policy, struct err *err)
{
    struct yaml_documents documents = {0};
    const bool json = bytes_ends_with(bytes_str(path), BYTES(".json"));
    bool ok;

    if (!bytes_contains(text, BYTES("CustomResourceDefinition")))
        return true;
    ok = json ? yaml_read_json(text, &documents, err) : yaml_read(text, &documents, err);
    if (!ok)
        return err_prefix(err, "%s:", path);
    for (size_t i = 0; ok && i < documents.count; i++) {
        ok = add_document(c, documents.items[i].root, policy, err);
        if (!ok)
            (void)err_prefix(err, "%s:%u: ", path, documents.items[i].line);
    }
    yaml_release(&documents);
    return ok;
}

/* --- folders ---------------------------------------------------------------------------------- */

static int is_manifest(const struct dirent *entry)
{
    const struct bytes name = bytes_str(entry->d_name);

    return bytes_ends_with(name, BYTES(".yaml")) || bytes_ends_with(name, BYTES(".yml")) ||
           bytes_ends_with(name, BYTES(".json"));
}

/* strcmp order, not the locale's. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

bool crds_add_folder(struct crds *c, const char *folder, const struct policy *policy,
                     struct err *err)
{
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_manifest, by_name);
    bool ok = true;

    if (count < 0)
        return err_errno(err, "%s: cannot read folder of CustomResourceDefinitions", folder);
    for (int i = 0; i < count; i++) {
        struct buf text CLEANUP(buf_release) = {0};
        CLEANUP(freep) char *path = xasprintf("%s/%s", folder, names[i]->d_name);

        ok = ok && file_read(path, CRDS_MAX_FILE_BYTES, &text, err) &&
             add_file(c, path, buf_bytes(&text), policy, err);
        free(names[i]);
    }
    free(names);
    return ok;
}

/* --- repositories ----------------------------------------------------------------------------- */

struct visit {
    struct crds *crds;
    const struct policy *policy;
};

static bool visit_file(void *context, const struct repo_file *file, struct err *err)
{
    const struct visit *visit = context;

    if (file->problem != NULL)
        return err_set(err, "%s: %s", file->path, file->problem);
    return add_file(visit->crds, file->path, file->content, visit->policy, err);
}

bool crds_add_repo(struct crds *c, struct repo *repo, const char *commit, const char *path,
                   const struct policy *policy, struct err *err)
{
    struct visit visit = {c, policy};

    return repo_walk(repo, commit, &path, 1, visit_file, &visit, err);
}
