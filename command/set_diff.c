#include "command/set_diff.h"

#include "base/mem.h"
#include "command/set_output.h"
#include "policy/set_compare.h"

#include "base/banned.h"

const char set_diff_usage[] = "[-o text|json] OLD NEW";

/* What is not about one identity. */
struct frame {
    bool rules;
    bool policy;
    bool kinds;
};

static struct frame compare_frame(const struct set *old, const struct set *new)
{
    return (struct frame){
        .rules = !digest_equal(set_rules(old), set_rules(new)),
        .policy = !bytes_equal(set_policy(old), set_policy(new)),
        .kinds = !set_compare_kinds(old, new),
    };
}

static int code_of(const struct frame *frame, size_t changes)
{
    return changes > 0 || frame->rules || frame->policy || frame->kinds ? FOUND_SOMETHING
                                                                        : FOUND_NOTHING;
}

/* ", held, digest, document", as far as they differ. */
static void append_differences(struct buf *out, const struct set_change *change)
{
    const char *before = " ";

    const struct {
        bool differs;
        const char *name;
    } rows[] = {{change->held, "held"}, {change->digest, "digest"}, {change->document, "document"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!rows[i].differs)
            continue;
        buf_append_str(out, before);
        buf_append_str(out, rows[i].name);
        before = ", ";
    }
}

/*
 * + VirtualService.networking.istio.io/prod/reviews  mesh 3f2c1ab prod/reviews.yaml:14
 * ~ Gateway.networking.istio.io/prod/edge  mesh 3f2c1ab a.yaml:1 -> mesh 9e10c42 b.yaml:7: digest,
 * document
 */
static void append_change(void *context, const struct set_change *change)
{
    struct buf *out = context;
    const struct set_entry *known = change->after != NULL ? change->after : change->before;

    buf_append_str(out, change->before == NULL ? "+ " : change->after == NULL ? "- " : "~ ");
    set_output_identity(out, &known->id);
    buf_append_str(out, "  ");
    if (change->before != NULL)
        set_output_place(out, change->before);
    if (change->before != NULL && change->after != NULL)
        buf_append_str(out, " -> ");
    if (change->after != NULL)
        set_output_place(out, change->after);
    if (change->before != NULL && change->after != NULL) {
        buf_byte(out, ':');
        append_differences(out, change);
    }
    if (change->after != NULL && change->after->held) {
        buf_append_str(out, " (held: ");
        set_output_clean(out, change->after->message);
        buf_byte(out, ')');
    }
    buf_byte(out, '\n');
}

static int diff_text(const struct set *old, const struct set *new)
{
    CLEANUP(buf_release) struct buf out = {0};
    const struct frame frame = compare_frame(old, new);

    if (frame.rules)
        buf_append_str(&out, "the rules differ\n");
    if (frame.policy)
        buf_append_str(&out, "the policy differs\n");
    if (frame.kinds)
        buf_append_str(&out, "the kinds differ\n");

    const size_t changes = set_compare(old, new, append_change, &out);

    return set_output_text("set diff", buf_bytes(&out), code_of(&frame, changes));
}

static json_t *place_json(const struct set_entry *entry)
{
    json_t *object = json_object();

    set_output_place_json(object, entry);
    set_output_add(object, "held", json_boolean(entry->held));
    if (entry->held)
        set_output_add(object, "message", set_output_string(entry->message));
    else
        set_output_add(object, "digest", set_output_digest(&entry->primary));
    return object;
}

static void add_change(void *context, const struct set_change *change)
{
    json_t *changes = context;
    json_t *object = json_object();
    const struct set_entry *known = change->after != NULL ? change->after : change->before;

    set_output_add(object, "change",
                   json_string(change->before == NULL  ? "added"
                               : change->after == NULL ? "removed"
                                                       : "changed"));
    set_output_identity_json(object, &known->id);
    if (change->before != NULL)
        set_output_add(object, "before", place_json(change->before));
    if (change->after != NULL)
        set_output_add(object, "after", place_json(change->after));
    if (change->before != NULL && change->after != NULL) {
        set_output_add(object, "heldDiffers", json_boolean(change->held));
        set_output_add(object, "digestDiffers", json_boolean(change->digest));
        set_output_add(object, "documentDiffers", json_boolean(change->document));
    }
    if (json_array_append_new(changes, object) != 0)
        out_of_memory();
}

static int diff_json(const struct set *old, const struct set *new)
{
    const struct frame frame = compare_frame(old, new);
    json_t *all = json_object();
    json_t *changes = json_array();
    const size_t count = set_compare(old, new, add_change, changes);

    set_output_add(all, "oldRoot", set_output_digest(set_root(old)));
    set_output_add(all, "newRoot", set_output_digest(set_root(new)));
    set_output_add(all, "rulesDiffer", json_boolean(frame.rules));
    set_output_add(all, "policyDiffers", json_boolean(frame.policy));
    set_output_add(all, "kindsDiffer", json_boolean(frame.kinds));
    set_output_add(all, "changes", changes);
    return set_output_json("set diff", all, code_of(&frame, count));
}

int set_diff_main(int argc, char **argv)
{
    CLEANUP(set_closep) struct set *old = NULL;
    CLEANUP(set_closep) struct set *new = NULL;
    struct set_options options;
    struct err err;

    if (!set_options_read(argc, argv, SET_TAKES_OUTPUT, 2, &options))
        return command_usage("set diff", set_diff_usage);
    if (!set_open(options.files[0], &old, &err) || !set_open(options.files[1], &new, &err))
        return command_fail("set diff", &err);
    return options.json ? diff_json(old, new) : diff_text(old, new);
}
