#include "source/core_form.h"

#include "base/jsontext.h"
#include "source/yaml_mark.h"

#include "base/banned.h"

static json_t *refuse(struct buf *problem, const char *map, const char *key, const char *what)
{
    buf_append_str(problem, map);
    if (key != NULL) {
        buf_byte(problem, '[');
        jsontext_string(problem, bytes_str(key));
        buf_byte(problem, ']');
    }
    buf_append_str(problem, what);
    return NULL;
}

/* --- base64 as Go's encoding/json reads and writes it ----------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What one character stands for; 64: it is none. */
static unsigned value_of(uint8_t c)
{
    const char *at = memchr(alphabet, c, sizeof(alphabet) - 1);

    return at == NULL ? 64 : (unsigned)(at - alphabet);
}

/*
 * Decoded and encoded again: without CR and LF, which the decoder passes over, and with zeroes for
 * the bits behind the last whole byte. NULL: not base64 with its padding.
 */
static json_t *canonical_base64(struct bytes text)
{
    struct buf out CLEANUP(buf_release) = {0};
    size_t padding = 0;

    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];

        if (c == '\r' || c == '\n')
            continue;
        if (c == '=')
            padding++;
        else if (value_of(c) == 64 || padding > 0)
            return NULL;
        buf_byte(&out, c);
    }
    if (padding > 2 || out.len % 4 != 0)
        return NULL;
    if (padding > 0) {
        uint8_t *last = out.ptr + out.len - padding - 1;

        *last = (uint8_t)alphabet[value_of(*last) & (padding == 1 ? 0x3cU : 0x30U)];
    }
    return json_string(buf_cstr(&out));
}

/* --- ConfigMap (N24) -------------------------------------------------------------------------- */

/* data or binaryData; a null or empty map is none (omitempty). False: `problem` says what. */
static bool put_map(json_t *form, const char *name, const json_t *map, bool binary,
                    struct buf *problem)
{
    const char *key;
    json_t *value;

    if (json_is_null(map) || (json_is_object(map) && json_object_size(map) == 0))
        return true;
    if (!json_is_object(map))
        return refuse(problem, name, NULL, " is not a map") != NULL;
    json_t *out = json_object();

    (void)json_object_set_new(form, name, out);
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        if (!json_is_string(value))
            return refuse(problem, name, key, " is not text; put it in quotes") != NULL;
        json_t *text =
            binary ? canonical_base64(bytes_of(json_string_value(value), json_string_length(value)))
                   : json_incref(value);

        if (text == NULL)
            return refuse(problem, name, key, " is not base64") != NULL;
        (void)json_object_set_new(out, key, text);
    }
    return true;
}

static bool put_member(json_t *form, const char *key, json_t *value, struct buf *problem)
{
    if (strcmp(key, "data") == 0)
        return put_map(form, key, value, false, problem);
    if (strcmp(key, "binaryData") == 0)
        return put_map(form, key, value, true, problem);
    if (strcmp(key, "immutable") == 0) {
        if (json_is_null(value))
            return true;
        if (!json_is_boolean(value))
            return refuse(problem, key, NULL, " is not true or false") != NULL;
    } else if (strcmp(key, "apiVersion") != 0 && strcmp(key, "kind") != 0 &&
               strcmp(key, "metadata") != 0) {
        return refuse(problem, key, NULL,
                      " is not a field of a ConfigMap; the API server would drop it") != NULL;
    }
    return json_object_set(form, key, value) == 0;
}

json_t *core_form_configmap(const json_t *document, struct buf *problem)
{
    json_t *form = json_object();
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)document, key, value)
    {
        if (!put_member(form, key, value, problem)) {
            json_decref(form);
            return NULL;
        }
    }
    return form;
}

/* --- projections (N25) ------------------------------------------------------------------------ */

static const char *const map_names[] = {
    [PROJECTION_ANNOTATIONS] = "annotations", [PROJECTION_LABELS] = "labels"};

/* Those of the object's labels or annotations that count. The caller's reference. */
static json_t *counting(const json_t *document, const struct projection *p, enum projection_map map)
{
    json_t *all = json_object_get(json_object_get(document, "metadata"), map_names[map]);
    json_t *out = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(all, key, value)
    {
        if (projection_use(p, map, bytes_str(key)) != PROJECTION_IGNORED)
            (void)json_object_set(out, key, value);
    }
    return out;
}

bool core_form_is_sound(const json_t *document)
{
    const json_t *metadata = json_object_get(document, "metadata");
    const char *key;
    json_t *value;

    for (int map = 0; map < PROJECTION_MAPS; map++) {
        json_t *tags = json_object_get(metadata, map_names[map]);

        if (tags != NULL && !json_is_object(tags) && !json_is_null(tags))
            return false;
        json_object_foreach(tags, key, value)
        {
            if (!json_is_string(value))
                return false;
        }
    }
    return yaml_mark_first(metadata) == NULL;
}

bool core_form_counts(const json_t *document, const struct projection *p)
{
    const json_t *metadata = json_object_get(document, "metadata");
    size_t count = yaml_mark_text(metadata) != NULL;

    for (int map = 0; map < PROJECTION_MAPS; map++) {
        count += yaml_mark_text(json_object_get(metadata, map_names[map])) != NULL;
        json_t *tags = counting(document, p, (enum projection_map)map);

        count += json_object_size(tags);
        json_decref(tags);
    }
    return count > 0;
}

json_t *core_form_projected(const json_t *document, const struct projection *p)
{
    json_t *metadata = json_object();
    json_t *form = json_object();

    (void)json_object_set(metadata, "name",
                          json_object_get(json_object_get(document, "metadata"), "name"));
    for (int map = 0; map < PROJECTION_MAPS; map++)
        (void)json_object_set_new(metadata, map_names[map],
                                  counting(document, p, (enum projection_map)map));
    (void)json_object_set(form, "apiVersion", json_object_get(document, "apiVersion"));
    (void)json_object_set(form, "kind", json_object_get(document, "kind"));
    (void)json_object_set_new(form, "metadata", metadata);
    return form;
}
