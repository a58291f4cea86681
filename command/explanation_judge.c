/* An object held against the set: its entry, the differences, who wrote them. */
#include "command/explanation_impl.h"
#include "command/set_output.h"
#include "policy/canon_tree.h"
#include "policy/diff.h"
#include "policy/explain.h"
#include "policy/managers.h"

#include "base/banned.h"

enum { MAX_NAMESAKES = 5 };

const struct kind *explanation_kind(const struct making *m)
{
    return m->kind_known ? &m->kind : NULL;
}

void explanation_note(struct making *m, const char *text)
{
    json_t *notes = json_object_get(m->json, "notes");

    if (notes == NULL) {
        notes = json_array();
        set_output_add(m->json, "notes", notes);
    }
    if (json_array_append_new(notes, set_output_string(bytes_str(text))) != 0)
        out_of_memory();
}

/* --- who wrote it ----------------------------------------------------------------------------- */

static json_t *writer_json(const struct manager *writer)
{
    json_t *object = json_object();

    set_output_add(object, "manager", set_output_string(bytes_str(writer->name)));
    set_output_add(object, "operation", set_output_string(bytes_str(writer->operation)));
    set_output_add(object, "time", set_output_string(bytes_str(writer->time)));
    return object;
}

void explanation_last_writer(struct making *m)
{
    struct manager last;

    if (managers_last(m->object, &last))
        set_output_add(m->json, "lastWriter", writer_json(&last));
    else
        explanation_note(m, "who wrote it is not in it: kubectl get -o yaml --show-managed-fields");
}

/* --- against the set -------------------------------------------------------------------------- */

struct collecting {
    struct making *making;
    json_t *differences;
    size_t left_out;
};

static bool take_difference(void *context, const struct schema_path *path, struct bytes git,
                            struct bytes here)
{
    struct collecting *c = context;
    struct buf text CLEANUP(buf_release) = {0};
    struct manager writer;

    if (json_array_size(c->differences) == EXPLANATION_MAX_DIFFERENCES) {
        c->left_out++;
        return false;
    }
    json_t *difference = json_object();

    schema_path_text(path, &text);
    set_output_add(difference, "path", set_output_string(buf_bytes(&text)));
    if (here.len > 0)
        set_output_add(difference, "here", canon_tree(here));
    if (git.len > 0)
        set_output_add(difference, "git", canon_tree(git));
    buf_append_str(&text, ": ");
    explain_values(git, here, &text);
    set_output_add(difference, "text", set_output_string(buf_bytes(&text)));
    if (managers_of_field(c->making->object, path, &writer))
        set_output_add(difference, "writer", writer_json(&writer));
    if (json_array_append_new(c->differences, difference) != 0)
        out_of_memory();
    return false;
}

static bool add_differences(struct making *m, size_t index, struct err *err)
{
    struct normal approved CLEANUP(normal_release) = {0};
    struct collecting c = {.making = m, .differences = json_array()};

    set_output_add(m->json, "differences", c.differences);
    if (!explain_approved(m->context->set, index, explanation_kind(m), m->version, &approved, err))
        return false;
    (void)diff_each(&approved, &m->normal, take_difference, &c);
    if (json_array_size(c.differences) == 0)
        explanation_note(m, "the content is the same, but not in a version that counts (N12)");
    set_output_add(m->json, "leftOut", json_integer((json_int_t)c.left_out));
    return true;
}

static void add_entry(struct making *m, const struct set_entry *entry)
{
    json_t *object = json_object();

    set_output_place_json(object, entry);
    if (entry->held)
        set_output_add(object, "message", set_output_string(entry->message));
    else
        set_output_add(object, "digest", set_output_digest(&entry->primary));
    set_output_add(m->json, "entry", object);
}

/* Whoever asks for an identity by hand forgets the group or the namespace. */
static void note_namesakes(struct making *m)
{
    size_t found = 0;

    for (size_t i = 0; i < set_count(m->context->set) && found < MAX_NAMESAKES; i++) {
        struct buf text CLEANUP(buf_release) = {0};
        struct set_entry entry;

        set_entry(m->context->set, i, &entry);
        if (!bytes_equal(entry.id.name, m->id.name))
            continue;
        buf_append_str(&text, "Git has ");
        identity_text(&entry.id, &text);
        explanation_note(m, buf_cstr(&text));
        found++;
    }
}

static bool is_accepted(const struct making *m, const struct digest *digest, size_t index)
{
    size_t owner;

    return set_has(m->context->set, digest, &owner) && owner == index;
}

bool explanation_judge(struct making *m, const struct digest *digest, struct err *err)
{
    struct set_entry entry;
    enum mode mode;
    size_t index;

    if (!policy_governs(m->context->policy, &m->id, &mode)) {
        m->reason = REASON_NOT_GOVERNED;
        if (m->object == NULL)
            note_namesakes(m);
        return true;
    }
    if (!set_find(m->context->set, &m->id, &index)) {
        m->reason = REASON_NOT_IN_GIT;
        note_namesakes(m);
        return true;
    }
    set_entry(m->context->set, index, &entry);
    add_entry(m, &entry);
    if (entry.held || digest == NULL) {
        m->reason = REASON_HELD;
        return true;
    }
    if (is_accepted(m, digest, index)) {
        m->reason = REASON_IN_GIT;
        if (!digest_equal(digest, &entry.primary))
            explanation_note(
                m, "the entry's digest is that of the storage version; this one counts as well "
                   "(N12)");
        return true;
    }
    m->reason = REASON_DIFFERS_FROM_GIT;
    return add_differences(m, index, err);
}
