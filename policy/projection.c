#include "policy/projection.h"

#include <stdlib.h>

#include "policy/pattern.h"
#include "policy/schema_path.h"

#include "base/banned.h"

static const struct bytes map_names[] = {
    [PROJECTION_ANNOTATIONS] = {(const uint8_t *)"annotations", 11},
    [PROJECTION_LABELS] = {(const uint8_t *)"labels", 6},
};

/* --- the fields of a rule --------------------------------------------------------------------- */

void projection_fields_release(struct projection_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        free((void *)(uintptr_t)fields->items[i].key.ptr);
        names_release(&fields->items[i].allow);
    }
    free(fields->items);
    *fields = (struct projection_fields){0};
}

/* The path of a key, as errors and forms have it: metadata.labels.a, metadata.labels["a.b/c"]. */
static void path_text(enum projection_map map, struct bytes key, struct buf *out)
{
    const struct schema_path root = {.key = BYTES("metadata")};
    const struct schema_path tags = {.up = &root, .key = map_names[map]};
    const struct schema_path leaf = {.up = &tags, .key = key};

    schema_path_text(&leaf, out);
}

/* ["KEY or pattern"], or .KEY where the path of that key is written so. */
static bool take_key(enum projection_map map, struct bytes text, struct bytes rest,
                     struct bytes *key)
{
    struct buf plain CLEANUP(buf_release) = {0};

    if (bytes_starts_with(rest, BYTES("[\"")) && bytes_ends_with(rest, BYTES("\"]"))) {
        *key = bytes_of(rest.ptr + 2, rest.len < 4 ? 0 : rest.len - 4);
        return key->len > 0 && !bytes_contains(*key, BYTES("\"")) &&
               !bytes_contains(*key, BYTES("\\"));
    }
    if (!bytes_starts_with(rest, BYTES(".")))
        return false;
    *key = bytes_of(rest.ptr + 1, rest.len - 1);
    path_text(map, *key, &plain);
    return bytes_equal(buf_bytes(&plain), text);
}

static bool take_path(struct bytes text, enum projection_map *map, struct bytes *key)
{
    static const struct bytes prefix = {(const uint8_t *)"metadata.", 9};

    if (!bytes_starts_with(text, prefix))
        return false;
    for (int i = 0; i < PROJECTION_MAPS; i++) {
        const struct bytes name = map_names[i];
        const struct bytes rest = bytes_of(text.ptr + prefix.len, text.len - prefix.len);

        *map = (enum projection_map)i;
        if (bytes_starts_with(rest, name) &&
            take_key(*map, text, bytes_of(rest.ptr + name.len, rest.len - name.len), key))
            return true;
    }
    return false;
}

static bool read_path(const struct field *field, struct projection_field *out, struct err *err)
{
    CLEANUP(freep) char *text = NULL;
    struct bytes key;

    if (!field_text(field, &text, err))
        return false;
    if (!take_path(bytes_str(text), &out->map, &key))
        return field_refuse(field, err,
                            "expected metadata.labels.KEY or metadata.labels[\"KEY or pattern\"], "
                            "or the same of annotations");
    free((void *)(uintptr_t)out->key.ptr);
    out->key = bytes_of(xstrndup((const char *)key.ptr, key.len), key.len);
    return true;
}

static bool read_field(const struct field *field, struct projection_field *out, size_t *total,
                       struct err *err)
{
    struct field_cursor cursor;
    struct field member;
    bool ok = field_map(field, &cursor, err);

    while (ok && field_next(&cursor, &member)) {
        if (field_is(&member, "path")) {
            ok = read_path(&member, out, err);
        } else if (field_is(&member, "allow")) {
            ok = names_read(&member, &out->allow, total, err);
        } else if (field_is(&member, "exists")) {
            ok = field_bool(&member, &out->exists, err);
            if (ok && !out->exists)
                ok = field_refuse(&member, err, "expected true; leave the key out otherwise");
        } else {
            ok = field_unknown(&member, err);
        }
    }
    if (!ok)
        return false;
    if (out->key.len == 0)
        return field_refuse(field, err, "a field needs a path");
    if (out->exists && out->allow.count > 0)
        return field_refuse(field, err, "where only the existence counts there are no values");
    return true;
}

bool projection_fields_read(const struct field *field, struct projection_fields *out, size_t *total,
                            struct err *err)
{
    if (!json_is_array(field->value) || json_array_size(field->value) == 0)
        return field_refuse(field, err, "expected a list of fields that is not empty");
    const size_t count = json_array_size(field->value);

    *total += count;
    if (*total > NAMES_MAX)
        return field_refuse(field, err, "more than 10000 names in one policy");
    projection_fields_release(out);
    out->items = xcalloc(count, sizeof(out->items[0]));
    while (out->count < count) {
        const struct field item = field_item(field, out->count);

        if (!read_field(&item, &out->items[out->count++], total, err))
            return false;
    }
    return true;
}

/* --- how a key counts ------------------------------------------------------------------------- */

static bool field_names(const struct projection_field *field, enum projection_map map,
                        struct bytes key)
{
    return field->map == map && pattern_match(field->key, key);
}

enum projection_use projection_use(const struct projection *p, enum projection_map map,
                                   struct bytes key)
{
    enum projection_use use = PROJECTION_IGNORED;

    /* The API server gives every Namespace its name as this label, and takes no other value. */
    if (map == PROJECTION_LABELS && bytes_equal(key, BYTES("kubernetes.io/metadata.name")))
        return PROJECTION_IGNORED;
    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->rules[i]->count; k++) {
            const struct projection_field *field = &p->rules[i]->items[k];

            if (!field_names(field, map, key))
                continue;
            if (!field->exists)
                return PROJECTION_VALUE;
            use = PROJECTION_EXISTENCE;
        }
    }
    return use;
}

static bool allows(const struct projection *p, enum projection_map map, struct bytes key,
                   struct bytes value)
{
    if (value.ptr[0] != CANON_STRING)
        return false;
    const struct bytes text = bytes_of(value.ptr + CANON_HEAD, value.len - CANON_HEAD);

    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->rules[i]->count; k++) {
            const struct projection_field *field = &p->rules[i]->items[k];

            if (field_names(field, map, key) && names_match(&field->allow, text))
                return true;
        }
    }
    return false;
}

/* --- forms ------------------------------------------------------------------------------------ */

static bool has_key(struct bytes map, struct bytes want)
{
    struct canon_entries e = canon_entries_of(map);
    struct bytes key;
    struct bytes value;

    while (canon_next_entry(&e, &key, &value)) {
        if (bytes_equal(key, want))
            return true;
    }
    return false;
}

/* The entries of a form before they are put in order: canonical key and value, in `text`. */
struct collected_entry {
    size_t at;
    size_t len;
};

struct collected {
    struct buf text;
    struct collected_entry *items;
    size_t count;
    size_t cap;
};

static void collected_release(struct collected *c)
{
    buf_release(&c->text);
    free(c->items);
}

static void collect(struct collected *c, struct bytes path, struct bytes value)
{
    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 8 : 2 * c->cap;
        c->items = xrealloc(c->items, c->cap * sizeof(c->items[0]));
    }
    const size_t at = c->text.len;

    canon_string(&c->text, path);
    buf_append(&c->text, value);
    c->items[c->count++] = (struct collected_entry){at, c->text.len - at};
}

static int compare_collected(const void *a, const void *b, void *context)
{
    const struct collected *c = context;
    const struct collected_entry *first = a;
    const struct collected_entry *second = b;
    struct bytes one = bytes_of(c->text.ptr + first->at, first->len);
    struct bytes other = bytes_of(c->text.ptr + second->at, second->len);

    return bytes_compare(canon_read_string(&one), canon_read_string(&other));
}

static void collect_map(const struct projection *p, enum projection_map map, struct bytes tags,
                        const struct bytes *git_form, struct collected *c)
{
    struct buf path CLEANUP(buf_release) = {0};
    struct canon_entries e = canon_entries_of(tags);
    struct bytes key;
    struct bytes value;

    while (canon_next_entry(&e, &key, &value)) {
        const enum projection_use use = projection_use(p, map, key);

        if (use == PROJECTION_IGNORED)
            continue;
        path.len = 0;
        path_text(map, key, &path);
        if (git_form != NULL && allows(p, map, key, value) && !has_key(*git_form, buf_bytes(&path)))
            continue;
        collect(c, buf_bytes(&path), use == PROJECTION_VALUE ? value : BYTES("T"));
    }
}

static void write_form(const struct projection *p, struct bytes meta, const struct bytes *git_form,
                       struct buf *out)
{
    struct collected c CLEANUP(collected_release) = {0};
    struct canon_entries e = canon_entries_of(meta);
    struct bytes key;
    struct bytes value;

    while (canon_next_entry(&e, &key, &value)) {
        for (int i = 0; i < PROJECTION_MAPS; i++) {
            if (bytes_equal(key, map_names[i]))
                collect_map(p, (enum projection_map)i, value, git_form, &c);
        }
    }
    if (c.count > 1)
        qsort_r(c.items, c.count, sizeof(c.items[0]), compare_collected, &c);
    canon_head(out, CANON_MAP, c.count);
    for (size_t i = 0; i < c.count; i++)
        buf_append(out, bytes_of(c.text.ptr + c.items[i].at, c.items[i].len));
}

void projection_write(const struct projection *p, struct bytes meta, struct buf *out)
{
    write_form(p, meta, NULL, out);
}

void projection_write_judged(const struct projection *p, struct bytes meta, struct bytes git_form,
                             struct buf *out)
{
    write_form(p, meta, &git_form, out);
}

bool projection_is_empty(struct bytes form)
{
    return canon_entries_of(form).left == 0;
}

void projection_digest(struct bytes form, const struct identity *id, struct sha256 *hash,
                       struct digest *out)
{
    const struct bytes names[] = {id->group, id->kind, id->namespace, id->name};
    struct buf head CLEANUP(buf_release) = {0};

    buf_append(&head, BYTES("meshproj/1\0"));
    for (size_t i = 0; i < COUNT(names); i++)
        canon_string(&head, names[i]);
    sha256_begin(hash);
    sha256_update(hash, buf_bytes(&head));
    sha256_update(hash, form);
    sha256_end(hash, out);
}

bool projection_diff(struct bytes left, struct bytes right, struct projection_diff *out)
{
    struct canon_entries a = canon_entries_of(left);
    struct canon_entries b = canon_entries_of(right);
    struct bytes a_key;
    struct bytes b_key;
    struct bytes a_value;
    struct bytes b_value;
    bool has_a = canon_next_entry(&a, &a_key, &a_value);
    bool has_b = canon_next_entry(&b, &b_key, &b_value);

    while (has_a || has_b) {
        const int order = !has_a ? 1 : !has_b ? -1 : bytes_compare(a_key, b_key);

        *out = (struct projection_diff){.path = order <= 0 ? a_key : b_key};
        if (order <= 0)
            out->left = a_value;
        if (order >= 0)
            out->right = b_value;
        if (!bytes_equal(out->left, out->right))
            return true;
        has_a = canon_next_entry(&a, &a_key, &a_value);
        has_b = canon_next_entry(&b, &b_key, &b_value);
    }
    return false;
}
