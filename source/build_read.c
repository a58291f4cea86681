/* From files to entries, and what there is to say of each. */
#include <stdlib.h>

#include "source/build_impl.h"
#include "source/yaml.h"
#include "source/yaml_mark.h"
#include "source/yaml_place.h"

#include "base/banned.h"

enum {
    BUILD_MAX_ENTRIES = 4 << 20,
    BUILD_MAX_LOCATED = 100, /* fields of a file whose place is looked for: each reads it again */
};

static char *keep_path(struct build *b, const char *path)
{
    if (b->path_count > 0 && strcmp(b->paths[b->path_count - 1], path) == 0)
        return b->paths[b->path_count - 1];
    if (b->path_count == b->path_cap) {
        b->path_cap = b->path_cap == 0 ? 256 : 2 * b->path_cap;
        b->paths = xrealloc(b->paths, b->path_cap * sizeof(char *));
    }
    b->paths[b->path_count] = xstrdup(path);
    return b->paths[b->path_count++];
}

/* What is being read. */
struct visit {
    struct build *build;
    const struct repo_file *file;
    const struct delivery_rule *delivery;
    const struct yaml_document *document;
    size_t index;     /* of the document in the file */
    struct buf items; /* path of an object in a List: items[3] */
    unsigned located; /* places that were looked for */
};

/* --- findings --------------------------------------------------------------------------------- */

static struct build_finding finding_of(const struct visit *v, enum build_note_kind kind,
                                       unsigned rule, struct yaml_place place, const char *message)
{
    return (struct build_finding){
        .kind = kind,
        .rule = rule,
        .source = v->build->input->sources[v->build->source].name,
        .path = v->file->path,
        .line = place.line,
        .column = place.column,
        .message = message,
    };
}

/* What the loader refuses, from "LINE:COLUMN: why". */
static void note_refusal(const struct visit *v, enum build_note_kind kind, const char *why)
{
    struct err err;

    (void)err_set(&err, "%s", why);
    const struct yaml_place place = yaml_take_place(&err);
    const struct build_finding f =
        finding_of(v, kind, yaml_rule_of(err.message), place, err.message);

    build_tell(v->build, &f);
}

static void warn_refusal(void *context, const char *why)
{
    note_refusal(context, BUILD_WARNING, why);
}

/* The place of a field of the object that is being read; of the document if it has none. */
static struct yaml_place locate(struct visit *v, struct bytes field)
{
    struct yaml_place place = {0};

    if (v->located++ < BUILD_MAX_LOCATED) {
        struct buf path CLEANUP(buf_release) = {0};

        buf_append(&path, buf_bytes(&v->items));
        if (path.len > 0 && field.len > 0 && field.ptr[0] != '[')
            buf_byte(&path, '.');
        buf_append(&path, field);
        place = yaml_place_of(v->file->content, v->index, buf_cstr(&path));
    }
    return place.line > 0 ? place : (struct yaml_place){v->document->line, 1};
}

struct held {
    const struct visit *visit;
    const struct manifest *manifest;
};

static void note_held_refusal(void *context, const char *why)
{
    const struct held *held = context;
    struct err err;

    (void)err_set(&err, "%s", why);
    const struct yaml_place place = yaml_take_place(&err);
    const struct build_finding f =
        finding_of(held->visit, BUILD_HELD, yaml_rule_of(err.message), place, err.message);

    build_tell_object(held->visit->build, &f, &held->manifest->id);
}

/*
 * A lint says why a document is held while its text is there: of what the loader refused each, of
 * unknown fields each (N13), else what there is.
 */
static void lint_held(struct visit *v, const struct manifest *m, const json_t *object, bool refused)
{
    struct bytes field = manifest_field(m, 0);
    size_t i = 0;

    if (refused) {
        struct held held = {v, m};

        yaml_mark_each(object, note_held_refusal, &held);
        return;
    }
    do {
        struct buf message CLEANUP(buf_release) = {0};

        if (i == 0) {
            buf_append(&message, buf_bytes(&m->message));
        } else {
            buf_append(&message, field);
            buf_append_str(&message, MANIFEST_PRUNED);
        }
        const struct build_finding f =
            finding_of(v, BUILD_HELD, m->rule, locate(v, field), buf_cstr(&message));

        build_tell_object(v->build, &f, &m->id);
        field = manifest_field(m, ++i);
    } while (field.len > 0);
}

/* --- documents -------------------------------------------------------------------------------- */

/*
 * Something has no readable identity. It stops nothing if its bytes cannot be about what is
 * governed (N7); else nobody knows what it would approve or hold. `why`: "LINE:COLUMN: …".
 */
static bool pass_over(const struct visit *v, struct bytes text, const char *why, struct err *err)
{
    const bool named = policy_is_named_in(v->build->policy, text);

    if (named && !v->build->input->lint)
        return err_set(err,
                       "%s:%s (something governed is named here, and this is in the way of "
                       "reading which object it is)",
                       v->file->path, why);
    note_refusal(v, named ? BUILD_FAILURE : BUILD_WARNING, why);
    return true;
}

static bool add_entry(struct build *b, const char *path, unsigned line, struct manifest *m,
                      struct err *err)
{
    if (b->entry_count == BUILD_MAX_ENTRIES) {
        manifest_release(m);
        return err_set(err, "more than %d governed objects", BUILD_MAX_ENTRIES);
    }
    if (b->entry_count == b->entry_cap) {
        b->entry_cap = b->entry_cap == 0 ? 1024 : 2 * b->entry_cap;
        b->entries = xrealloc(b->entries, b->entry_cap * sizeof(b->entries[0]));
    }
    b->entries[b->entry_count++] = (struct entry){
        .manifest = *m, .source = b->source, .path = keep_path(b, path), .line = line};
    return true;
}

/* A governed document that has no identity fails the generation; a lint goes on. */
static bool refuse_document(struct visit *v, struct err *err)
{
    if (!v->build->input->lint)
        return err_prefix(err, "%s:%u: ", v->file->path, v->document->line);
    const struct build_finding f =
        finding_of(v, BUILD_FAILURE, RULE_DOCUMENT, locate(v, bytes_str(err->path)), err->message);

    build_tell(v->build, &f);
    return true;
}

/* `mark` says why some of the object cannot be used, or is NULL. */
static bool take_manifest(struct visit *v, const json_t *object, const char *mark,
                          struct manifest *m, struct err *err)
{
    const bool lint = v->build->input->lint;

    if (m->outcome == MANIFEST_NOT_GOVERNED) {
        if (lint && mark != NULL)
            yaml_mark_each(object, warn_refusal, v);
        return true;
    }
    if (m->outcome != MANIFEST_UNREADABLE) {
        if (lint && m->outcome == MANIFEST_HELD)
            lint_held(v, m, object, mark != NULL);
        return add_entry(v->build, v->file->path, v->document->line, m, err);
    }
    const bool ok = pass_over(v, v->document->text, buf_cstr(&m->message), err);

    manifest_release(m);
    return ok;
}

static bool add_object(struct visit *v, const json_t *object, struct err *err)
{
    struct build *b = v->build;
    const char *mark = v->document->refused ? yaml_mark_first(object) : NULL;
    struct buf refused CLEANUP(buf_release) = {0};
    struct manifest m;

    if (mark != NULL)
        buf_printf(&refused, "%s:%s", v->file->path, mark);
    const struct manifest_input input = {
        .object = object,
        .refused = mark == NULL ? NULL : buf_cstr(&refused),
        .default_namespace = b->input->sources[b->source].namespace,
        .delivery = v->delivery,
    };

    return manifest_read(&b->rules, &input, &m, err) ? take_manifest(v, object, mark, &m, err)
                                                     : refuse_document(v, err);
}

static bool add_document(struct visit *v, const json_t *object, struct err *err);

/* NOLINTNEXTLINE(misc-no-recursion): through add_document */
static bool add_items(struct visit *v, const json_t *items, struct err *err)
{
    const size_t outer = v->items.len;
    bool ok = true;
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        buf_printf(&v->items, "%sitems[%zu]", outer > 0 ? "." : "", i);
        ok = add_document(v, item, err);
        v->items.len = outer;
        if (!ok)
            break;
    }
    return ok;
}

/* `kind: …List` with an array `items` is its items (N7). Depth is bounded by the loader. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool add_document(struct visit *v, const json_t *object, struct err *err)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const json_t *items = json_object_get(object, "items");
    const bool is_list = kind != NULL && bytes_ends_with(bytes_str(kind), BYTES("List"));
    const char *mark = is_list ? yaml_mark_text(items) : NULL;

    if (!json_is_object(object)) {
        if (v->build->input->lint && v->document->refused)
            yaml_mark_each(object, warn_refusal, v);
        return true;
    }
    if (mark != NULL)
        return pass_over(v, v->document->text, mark, err);
    if (!is_list || !json_is_array(items))
        return add_object(v, object, err);
    return add_items(v, items, err);
}

static bool add_documents(struct visit *v, const struct yaml_documents *documents, struct err *err)
{
    for (v->index = 0; v->index < documents->count; v->index++) {
        v->document = &documents->items[v->index];
        if (!add_document(v, v->document->root, err))
            return false;
    }
    return true;
}

static void warn_skipped(const struct visit *v, const char *problem)
{
    struct buf text CLEANUP(buf_release) = {0};

    buf_printf(&text, "%s; it is skipped, put a regular file there", problem);
    const struct build_finding f =
        finding_of(v, BUILD_WARNING, 1, (struct yaml_place){0}, buf_cstr(&text));

    build_tell(v->build, &f);
}

static bool visit_file(void *context, const struct repo_file *file, struct err *err)
{
    struct build *b = context;
    struct visit v = {.build = b, .file = file};
    struct yaml_documents documents = {0};
    struct bytes rest;
    struct err why;

    if (file->problem != NULL) {
        warn_skipped(&v, file->problem);
        return true;
    }
    if (!b->input->lint && !policy_may_be_in(b->policy, file->content))
        return true;
    v.delivery = delivery_for(b->input->sources[b->source].delivery, file->path);
    const bool whole = bytes_ends_with(bytes_str(file->path), BYTES(".json"))
                           ? yaml_read_json_marked(file->content, &documents, &rest, &why)
                           : yaml_read_marked(file->content, &documents, &rest, &why);
    const bool ok =
        add_documents(&v, &documents, err) && (whole || pass_over(&v, rest, why.message, err));

    yaml_release(&documents);
    buf_release(&v.items);
    return ok;
}

bool build_read(struct build *b, struct err *err)
{
    for (b->source = 0; b->source < b->input->source_count; b->source++) {
        const struct build_source *s = &b->input->sources[b->source];

        if (!repo_walk(s->repo, s->commit, s->paths, s->path_count, visit_file, b, err))
            return err_prefix(err, "source %s: ", s->name);
    }
    return true;
}
