#include "command/set_output.h"

#include <getopt.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/unicode.h"

#include "base/banned.h"

static bool take_option(int option, unsigned takes, struct set_options *o)
{
    if (option == 'o' && (takes & SET_TAKES_OUTPUT) != 0) {
        o->json = strcmp(optarg, "json") == 0;
        return o->json || strcmp(optarg, "text") == 0;
    }
    if (option == 'H' && (takes & SET_TAKES_HELD) != 0) {
        o->held = true;
        return true;
    }
    return false;
}

bool set_options_read(int argc, char **argv, unsigned takes, int files, struct set_options *out)
{
    static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                          {"held", no_argument, NULL, 'H'},
                                          {NULL, 0, NULL, 0}};
    struct set_options o = {0};
    int option;

    opterr = 0; /* the caller says it, in one line */
    optind = 0;
    while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (!take_option(option, takes, &o))
            return false;
    }
    if (argc - optind != files)
        return false;
    for (int i = 0; i < files; i++)
        o.files[i] = argv[optind + i];
    *out = o;
    return true;
}

/* C0, DEL and C1 (in UTF-8: C2 80 to C2 9F) steer a terminal. */
static bool is_control(const uint8_t *p, size_t length)
{
    return (length == 1 && (p[0] < 0x20 || p[0] == 0x7f)) ||
           (length == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

static void append_clean(struct buf *out, struct bytes text, bool keep_control)
{
    for (size_t i = 0; i < text.len;) {
        const size_t length = unicode_length(text.ptr + i, text.len - i);

        if (length == 0 || (!keep_control && is_control(text.ptr + i, length)))
            buf_append(out, BYTES("\xef\xbf\xbd"));
        else
            buf_append(out, bytes_of(text.ptr + i, length));
        i += length == 0 ? 1 : length;
    }
}

void set_output_clean(struct buf *out, struct bytes text)
{
    append_clean(out, text, false);
}

json_t *set_output_string(struct bytes text)
{
    CLEANUP(buf_release) struct buf clean = {0};
    json_t *value;

    append_clean(&clean, text, true);
    value = json_stringn(buf_cstr(&clean), clean.len);
    if (value == NULL)
        out_of_memory();
    return value;
}

json_t *set_output_digest(const struct digest *digest)
{
    char hex[DIGEST_HEX_SIZE];

    return set_output_string(bytes_str(digest_hex(digest, hex)));
}

void set_output_identity(struct buf *out, const struct identity *id)
{
    CLEANUP(buf_release) struct buf text = {0};

    identity_text(id, &text);
    set_output_clean(out, buf_bytes(&text));
}

void set_output_place(struct buf *out, const struct set_entry *entry)
{
    const size_t commit = entry->commit.len < SHORT_COMMIT ? entry->commit.len : SHORT_COMMIT;

    set_output_clean(out, entry->source);
    buf_byte(out, ' ');
    set_output_clean(out, bytes_of(entry->commit.ptr, commit));
    buf_byte(out, ' ');
    set_output_clean(out, entry->path);
    buf_printf(out, ":%u", entry->line);
}

void set_output_add(json_t *object, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        out_of_memory();
}

void set_output_identity_json(json_t *object, const struct identity *id)
{
    set_output_add(object, "group", set_output_string(id->group));
    set_output_add(object, "kind", set_output_string(id->kind));
    set_output_add(object, "namespace", set_output_string(id->namespace));
    set_output_add(object, "name", set_output_string(id->name));
}

void set_output_place_json(json_t *object, const struct set_entry *entry)
{
    set_output_add(object, "source", set_output_string(entry->source));
    set_output_add(object, "commit", set_output_string(entry->commit));
    set_output_add(object, "path", set_output_string(entry->path));
    set_output_add(object, "line", json_integer(entry->line));
}

void set_output_dump(json_t *value, size_t flags, struct buf *out)
{
    CLEANUP(freep) char *text = json_dumps(value, JSON_INDENT(2) | flags);

    if (text == NULL)
        out_of_memory();
    json_decref(value);
    buf_append_str(out, text);
    buf_byte(out, '\n');
}

static int finish(const char *command, bool written, int code)
{
    struct err err;

    if (written && fflush(stdout) == 0)
        return code;
    err_errno(&err, "cannot write to standard output");
    return command_fail(command, &err);
}

int set_output_text(const char *command, struct bytes text, int code)
{
    const bool written = text.len == 0 || fwrite(text.ptr, 1, text.len, stdout) == text.len;

    return finish(command, written, code);
}

int set_output_json(const char *command, json_t *value, int code)
{
    const bool written = json_dumpf(value, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;

    json_decref(value);
    return finish(command, written, code);
}
