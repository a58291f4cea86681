#include "command/set_verify.h"

#include "command/set_output.h"
#include "policy/set_format.h"
#include "policy/set_verify.h"

#include "base/banned.h"

const char set_verify_usage[] = "SET";

enum { MOST_PROBLEMS = 100 }; /* one broken section can be millions */

struct problems {
    const char *file;
    struct buf text;
    size_t count;
};

static void add_problem(void *context, const char *what)
{
    struct problems *problems = context;

    if (++problems->count > MOST_PROBLEMS)
        return;
    buf_printf(&problems->text, "%s: ", problems->file);
    set_output_clean(&problems->text, bytes_str(what));
    buf_byte(&problems->text, '\n');
}

static void add_sound(struct problems *problems, const struct set *set)
{
    char hex[DIGEST_HEX_SIZE];

    buf_printf(&problems->text,
               "%s: sound: %zu entries (%zu held), %zu digests, %zu kinds, root %s\n",
               problems->file, set_count(set), set_held_count(set), set_digest_count(set),
               set_kind_count(set), digest_hex(set_root(set), hex));
}

static int verify(struct bytes file, struct problems *problems)
{
    CLEANUP(set_closep) struct set *set = NULL;
    struct err err;

    if (!set_open_bytes(file, &set, &err))
        add_problem(problems, err.message);
    else if (set_verify(set, add_problem, problems) == 0)
        add_sound(problems, set);
    if (problems->count > MOST_PROBLEMS)
        buf_printf(&problems->text, "%s: and %zu more\n", problems->file,
                   problems->count - MOST_PROBLEMS);
    return set_output_text("set verify", buf_bytes(&problems->text),
                           problems->count == 0 ? FOUND_NOTHING : FOUND_SOMETHING);
}

int set_verify_main(int argc, char **argv)
{
    struct set_options options;
    struct bytes file;
    struct err err;

    if (!set_options_read(argc, argv, SET_TAKES_NOTHING, 1, &options))
        return command_usage("set verify", set_verify_usage);
    if (!set_map(options.files[0], &file, &err))
        return command_fail("set verify", &err);

    struct problems problems = {.file = options.files[0]};
    int code;

    if (set_format_is_ours(file, &err)) {
        code = verify(file, &problems);
    } else {
        err_prefix(&err, "%s: ", options.files[0]);
        code = command_fail("set verify", &err);
    }
    buf_release(&problems.text);
    set_unmap(file);
    return code;
}
