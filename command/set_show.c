#include "command/set_show.h"

#include <stdlib.h>

#include "base/mem.h"
#include "command/set_output.h"
#include "policy/set_format.h"

#include "base/banned.h"

const char set_show_usage[] = "[-o text|json] SET";

struct counts {
    size_t entries;
    size_t held;
};

struct shown {
    const struct set *set;
    struct digest id;
    json_t *sources;       /* of the provenance; NULL where it has none */
    struct counts *counts; /* of each kind */
};

/* Entries are in the order of kinds: each kind's stand together. */
static void count_kinds(struct shown *s)
{
    const size_t kinds = set_kind_count(s->set);

    s->counts = xcalloc(kinds + 1, sizeof(*s->counts));
    for (size_t i = 0, k = 0; i < set_count(s->set); i++) {
        struct set_entry entry;
        struct kind kind;

        set_entry(s->set, i, &entry);
        for (; k < kinds; k++) {
            set_kind_at(s->set, k, &kind);
            if (bytes_equal(kind.group, entry.id.group) && bytes_equal(kind.kind, entry.id.kind))
                break;
        }
        s->counts[k].entries++;
        s->counts[k].held += entry.held ? 1 : 0;
    }
}

/* NULL where the provenance is none or has no sources. */
static json_t *read_sources(const struct set *set)
{
    const struct bytes text = set_provenance(set);
    json_t *all = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    json_t *sources = json_incref(json_object_get(all, "sources"));

    json_decref(all);
    if (json_is_array(sources))
        return sources;
    json_decref(sources);
    return NULL;
}

static void append_kind_name(struct buf *out, const struct kind *kind)
{
    set_output_clean(out, kind->kind);
    if (kind->group.len > 0)
        buf_byte(out, '.');
    set_output_clean(out, kind->group);
}

/* v1*, v1beta1, v1alpha1 (not served): the star marks the storage version. */
static void append_versions(struct buf *out, const struct kind *kind)
{
    if (!kind->has_schema)
        buf_append_str(out, kind->version_count > 0 ? "no schema: " : "no schema");
    for (size_t i = 0; i < kind->version_count; i++) {
        const struct kind_version *version = &kind->versions[i];

        if (i > 0)
            buf_append_str(out, ", ");
        set_output_clean(out, version->name);
        if (version->storage)
            buf_byte(out, '*');
        if (!version->served)
            buf_append_str(out, " (not served)");
    }
}

static void append_kind(struct buf *out, const struct kind *kind, const struct counts *counts)
{
    CLEANUP(buf_release) struct buf name = {0};

    append_kind_name(&name, kind);
    buf_printf(out, "  %-50.*s %8zu", BYTES_FMT(buf_bytes(&name)), counts->entries);
    if (counts->held > 0)
        buf_printf(out, " (%zu held)", counts->held);
    buf_append_str(out, "  ");
    append_versions(out, kind);
    buf_byte(out, '\n');
}

static void append_kinds(struct buf *out, const struct shown *s)
{
    size_t unused = 0;

    buf_append_str(out, "kinds\n");
    for (size_t i = 0; i < set_kind_count(s->set); i++) {
        struct kind kind;

        set_kind_at(s->set, i, &kind);
        if (s->counts[i].entries > 0)
            append_kind(out, &kind, &s->counts[i]);
        else
            unused++;
    }
    if (unused > 0)
        buf_printf(out, "  and %zu without an entry\n", unused);
}

static void append_sources(struct buf *out, const json_t *sources)
{
    size_t i;
    const json_t *source;

    buf_append_str(out, "sources\n");
    json_array_foreach(sources, i, source)
    {
        const json_t *paths = json_object_get(source, "paths");
        size_t k;
        const json_t *path;

        buf_append_str(out, "  ");
        set_output_clean(out, bytes_str(json_string_value(json_object_get(source, "name"))));
        buf_byte(out, ' ');
        set_output_clean(out, bytes_str(json_string_value(json_object_get(source, "commit"))));
        json_array_foreach(paths, k, path)
        {
            buf_byte(out, ' ');
            set_output_clean(out, bytes_str(json_string_value(path)));
        }
        buf_byte(out, '\n');
    }
}

static int show_text(const struct shown *s)
{
    CLEANUP(buf_release) struct buf out = {0};
    char hex[DIGEST_HEX_SIZE];
    const size_t held = set_held_count(s->set);

    buf_printf(&out, "set id    %s\n", digest_hex(&s->id, hex));
    buf_printf(&out, "format    %d\n", SET_FORMAT);
    buf_printf(&out, "rules     %s\n", digest_hex(set_rules(s->set), hex));
    buf_printf(&out, "root      %s\n", digest_hex(set_root(s->set), hex));
    buf_printf(&out, "entries   %zu (%zu approved, %zu held)\n", set_count(s->set),
               set_count(s->set) - held, held);
    buf_printf(&out, "digests   %zu\n", set_digest_count(s->set));
    buf_printf(&out, "size      %zu bytes\n", set_file(s->set).len);
    append_sources(&out, s->sources);
    append_kinds(&out, s);
    return set_output_text("set show", buf_bytes(&out), FOUND_NOTHING);
}

static json_t *versions_json(const struct kind *kind)
{
    json_t *versions = json_array();

    for (size_t i = 0; i < kind->version_count; i++) {
        json_t *version = json_object();

        set_output_add(version, "name", set_output_string(kind->versions[i].name));
        set_output_add(version, "served", json_boolean(kind->versions[i].served));
        set_output_add(version, "storage", json_boolean(kind->versions[i].storage));
        set_output_add(version, "statusSubresource",
                       json_boolean(kind->versions[i].status_subresource));
        if (json_array_append_new(versions, version) != 0)
            out_of_memory();
    }
    return versions;
}

static json_t *kinds_json(const struct shown *s)
{
    json_t *kinds = json_array();

    for (size_t i = 0; i < set_kind_count(s->set); i++) {
        json_t *object = json_object();
        struct kind kind;

        set_kind_at(s->set, i, &kind);
        set_output_add(object, "group", set_output_string(kind.group));
        set_output_add(object, "kind", set_output_string(kind.kind));
        set_output_add(object, "plural", set_output_string(kind.plural));
        set_output_add(object, "hasSchema", json_boolean(kind.has_schema));
        set_output_add(object, "namespaced", json_boolean(kind.namespaced));
        set_output_add(object, "versions", versions_json(&kind));
        set_output_add(object, "entries", json_integer((json_int_t)s->counts[i].entries));
        set_output_add(object, "held", json_integer((json_int_t)s->counts[i].held));
        if (json_array_append_new(kinds, object) != 0)
            out_of_memory();
    }
    return kinds;
}

static int show_json(const struct shown *s)
{
    const size_t held = set_held_count(s->set);
    json_t *all = json_object();

    set_output_add(all, "setId", set_output_digest(&s->id));
    set_output_add(all, "format", json_integer(SET_FORMAT));
    set_output_add(all, "rules", set_output_digest(set_rules(s->set)));
    set_output_add(all, "root", set_output_digest(set_root(s->set)));
    set_output_add(all, "entries", json_integer((json_int_t)set_count(s->set)));
    set_output_add(all, "approved", json_integer((json_int_t)(set_count(s->set) - held)));
    set_output_add(all, "held", json_integer((json_int_t)held));
    set_output_add(all, "digests", json_integer((json_int_t)set_digest_count(s->set)));
    set_output_add(all, "size", json_integer((json_int_t)set_file(s->set).len));
    set_output_add(all, "sources", s->sources == NULL ? json_array() : json_incref(s->sources));
    set_output_add(all, "kinds", kinds_json(s));
    return set_output_json("set show", all, FOUND_NOTHING);
}

int set_show_main(int argc, char **argv)
{
    CLEANUP(set_closep) struct set *set = NULL;
    struct set_options options;
    struct err err;

    if (!set_options_read(argc, argv, SET_TAKES_OUTPUT, 1, &options))
        return command_usage("set show", set_show_usage);
    if (!set_open(options.files[0], &set, &err))
        return command_fail("set show", &err);

    struct shown s = {.set = set, .sources = read_sources(set)};

    digest_of(set_file(set), &s.id);
    count_kinds(&s);

    const int code = options.json ? show_json(&s) : show_text(&s);

    json_decref(s.sources);
    free(s.counts);
    return code;
}
