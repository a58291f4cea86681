#include "source/yaml.h"

#include <stdlib.h>

#include "source/yaml_events.h"
#include "source/yaml_text.h"
#include "source/yaml_tree.h"

#include "base/banned.h"

struct reader {
    struct yaml_text text;
    struct yaml_events events;
    struct yaml_tree_budget budget;
    size_t separators_seen;
    size_t documents_seen; /* null documents too */
};

/* --- documents -------------------------------------------------------------------------------- */

void yaml_release(struct yaml_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++)
        json_decref(documents->items[i].root);
    free(documents->items);
    *documents = (struct yaml_documents){0};
}

/* Takes `root`; drops it if it is null. */
static void add_document(struct yaml_documents *list, json_t *root, unsigned line)
{
    if (json_is_null(root)) {
        json_decref(root);
        return;
    }
    list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = (struct yaml_document){.root = root, .line = line};
}

/* --- the stream ------------------------------------------------------------------------------- */

/*
 * The `---` lines that the parser sees are those that tools split the text at (N3). A document
 * without one can only be the first.
 */
static bool check_start(struct reader *r, struct err *err)
{
    const yaml_event_t *event = &r->events.event;
    const bool implicit = event->data.document_start.implicit != 0;
    const yaml_version_directive_t *version = event->data.document_start.version_directive;

    /* kubectl takes what is before the first separator for a document of its own. */
    if (version != NULL)
        return yaml_events_fail(&r->events, err,
                                "%%YAML %d.%d is an error to some tools; take the line out",
                                version->major, version->minor);
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end)
        return yaml_events_fail(&r->events, err, "%%TAG is not read here; take the line out");
    if (r->documents_seen++ == YAML_MAX_DOCUMENTS)
        return yaml_events_fail(&r->events, err, "more than %d documents; split the file",
                                YAML_MAX_DOCUMENTS);
    if (implicit && r->documents_seen == 1)
        return true;
    const size_t end = yaml_events_offset(&r->events, &event->end_mark);

    if (implicit || r->separators_seen == r->text.separator_count ||
        r->text.separators[r->separators_seen] + 3 != end)
        return yaml_events_fail(&r->events, err,
                                "tools do not agree that a document begins here; "
                                "begin it with a line \"---\"");
    r->separators_seen++;
    return true;
}

/* Where a document is nothing but its end, kubectl's reader misses the content. */
static bool check_empty_end(struct reader *r, struct err *err)
{
    const yaml_event_t *event = &r->events.event;

    if (event->type != YAML_DOCUMENT_END_EVENT || event->data.document_end.implicit != 0)
        return true;
    return yaml_events_fail(&r->events, err,
                            "\"...\" behind an empty document is an error to some tools; take it "
                            "out");
}

static bool read_document(struct reader *r, struct yaml_documents *list, struct err *err)
{
    json_t *root;
    unsigned line;

    if (!check_start(r, err) || !yaml_tree_read(&r->events, &r->budget, &root, &line, err))
        return false;
    const bool ok = !json_is_null(root) || check_empty_end(r, err);

    add_document(list, root, line);
    return ok;
}

static bool read_stream(struct reader *r, struct yaml_documents *list, struct err *err)
{
    for (;;) {
        if (!yaml_events_next(&r->events, err))
            return false;
        if (r->events.event.type == YAML_STREAM_END_EVENT)
            break;
        if (r->events.event.type == YAML_DOCUMENT_START_EVENT && !read_document(r, list, err))
            return false;
    }
    if (r->separators_seen != r->text.separator_count)
        return yaml_text_fail(r->text.bytes, r->text.separators[r->separators_seen], err,
                              "tools do not agree that this line separates documents; indent it");
    return true;
}

bool yaml_read(struct bytes text, struct yaml_documents *out, struct err *err)
{
    CLEANUP(yaml_release) struct yaml_documents list = {0};
    struct reader *r = xcalloc(1, sizeof(*r));
    bool ok = yaml_text_split(text, &r->text, err);

    if (ok) {
        yaml_events_start(&r->events, r->text.bytes);
        ok = read_stream(r, &list, err);
        yaml_events_stop(&r->events);
    }
    free(r);
    if (!ok)
        return false;
    *out = list;
    list = (struct yaml_documents){0};
    return true;
}
