#include "command/set_list.h"

#include "base/mem.h"
#include "command/set_output.h"

#include "base/banned.h"

const char set_list_usage[] = "[-o text|json] [--held] SET";

/* A longer identity moves the rest of its own line only. */
enum { WIDEST_IDENTITY = 80 };

static size_t widest_identity(const struct set *set, const struct set_options *options)
{
    CLEANUP(buf_release) struct buf text = {0};
    size_t widest = 0;

    for (size_t i = 0; i < set_count(set); i++) {
        struct set_entry entry;

        set_entry(set, i, &entry);
        if (options->held && !entry.held)
            continue;
        text.len = 0;
        set_output_identity(&text, &entry.id);
        if (text.len > widest && text.len <= WIDEST_IDENTITY)
            widest = text.len;
    }
    return widest;
}

static void append_entry(struct buf *out, const struct set_entry *entry, size_t width)
{
    const size_t start = out->len;
    char hex[DIGEST_HEX_SIZE];

    set_output_identity(out, &entry->id);
    while (out->len - start < width)
        buf_byte(out, ' ');
    buf_printf(out, "  %-*.*s  ", SHORT_DIGEST, SHORT_DIGEST,
               entry->held ? "held" : digest_hex(&entry->primary, hex));
    set_output_place(out, entry);
    if (entry->held) {
        buf_append_str(out, "  ");
        set_output_clean(out, entry->message);
    }
    buf_byte(out, '\n');
}

static int list_text(const struct set *set, const struct set_options *options)
{
    CLEANUP(buf_release) struct buf out = {0};
    const size_t width = widest_identity(set, options);

    for (size_t i = 0; i < set_count(set); i++) {
        struct set_entry entry;

        set_entry(set, i, &entry);
        if (entry.held || !options->held)
            append_entry(&out, &entry, width);
    }
    return set_output_text("set list", buf_bytes(&out), FOUND_NOTHING);
}

static json_t *entry_json(const struct set_entry *entry)
{
    json_t *object = json_object();

    set_output_identity_json(object, &entry->id);
    set_output_place_json(object, entry);
    set_output_add(object, "held", json_boolean(entry->held));
    if (entry->held)
        set_output_add(object, "message", set_output_string(entry->message));
    else
        set_output_add(object, "digest", set_output_digest(&entry->primary));
    return object;
}

static int list_json(const struct set *set, const struct set_options *options)
{
    json_t *all = json_array();

    for (size_t i = 0; i < set_count(set); i++) {
        struct set_entry entry;

        set_entry(set, i, &entry);
        if (!entry.held && options->held)
            continue;
        if (json_array_append_new(all, entry_json(&entry)) != 0)
            out_of_memory();
    }
    return set_output_json("set list", all, FOUND_NOTHING);
}

int set_list_main(int argc, char **argv)
{
    CLEANUP(set_closep) struct set *set = NULL;
    struct set_options options;
    struct err err;

    if (!set_options_read(argc, argv, SET_TAKES_OUTPUT | SET_TAKES_HELD, 1, &options))
        return command_usage("set list", set_list_usage);
    if (!set_open(options.files[0], &set, &err))
        return command_fail("set list", &err);
    return options.json ? list_json(set, &options) : list_text(set, &options);
}
