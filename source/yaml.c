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
    struct yaml_marks marks;
    bool mark; /* what is refused, instead of failing */
    size_t separators_seen;
    size_t documents_seen; /* null documents too */
    size_t end;            /* of the last document */
};

/* --- documents -------------------------------------------------------------------------------- */

void yaml_release(struct yaml_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++)
        json_decref(documents->items[i].root);
    free(documents->items);
    *documents = (struct yaml_documents){0};
}

/* Takes the root; drops it if it is null. */
static void add_document(struct yaml_documents *list, struct yaml_document document)
{
    if (json_is_null(document.root)) {
        json_decref(document.root);
        return;
    }
    list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = document;
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

/* Tools that split the text first end the document at a separator that the parser did not see. */
static bool check_end(const struct reader *r, size_t end, struct err *err)
{
    const struct yaml_text *t = &r->text;

    if (r->separators_seen == t->separator_count || t->separators[r->separators_seen] >= end)
        return true;
    return yaml_text_fail(t->bytes, t->separators[r->separators_seen], err,
                          "tools do not agree that this line separates documents; indent it");
}

/* Where a document is nothing but its end, kubectl's reader misses the content. */
static bool check_empty_end(struct reader *r, const json_t *root, struct err *err)
{
    const yaml_event_t *event = &r->events.event;

    if (!json_is_null(root) || event->type != YAML_DOCUMENT_END_EVENT ||
        event->data.document_end.implicit != 0)
        return true;
    return yaml_events_fail(&r->events, err,
                            "\"...\" behind an empty document is an error to some tools; take it "
                            "out");
}

static bool read_document(struct reader *r, struct yaml_documents *list, struct err *err)
{
    struct yaml_document document = {0};
    const size_t marks = r->marks.count;

    if (!check_start(r, err) || !yaml_tree_read(&r->events, &r->budget, r->mark ? &r->marks : NULL,
                                                &document.root, &document.line, err))
        return false;
    const size_t end = yaml_events_offset(&r->events, &r->events.event.end_mark);

    if (!check_end(r, end, err) || !check_empty_end(r, document.root, err)) {
        json_decref(document.root);
        return false;
    }
    document.refused = r->marks.count > marks;
    document.text = bytes_of(r->text.bytes.ptr + r->end, end - r->end);
    r->end = end;
    add_document(list, document);
    return true;
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
    return check_end(r, r->text.bytes.len, err);
}

/* All of `r`, which is zero but for `mark`. Also on failure *out and *end are set. */
static bool read_text(struct reader *r, struct bytes text, struct yaml_documents *out,
                      struct err *err)
{
    struct err damage;
    const bool whole = yaml_text_split(text, &r->text, &damage);

    if (!whole && !r->mark) {
        *err = damage;
        return false;
    }
    yaml_events_start(&r->events, r->text.bytes);
    const bool ok = read_stream(r, out, err);

    yaml_events_stop(&r->events);
    yaml_marks_release(&r->marks);
    if (ok && !whole)
        *err = damage;
    return ok && whole;
}

bool yaml_read(struct bytes text, struct yaml_documents *out, struct err *err)
{
    CLEANUP(yaml_release) struct yaml_documents list = {0};
    struct reader *r = xcalloc(1, sizeof(*r));
    const bool ok = read_text(r, text, &list, err);

    free(r);
    if (!ok)
        return false;
    *out = list;
    list = (struct yaml_documents){0};
    return true;
}

bool yaml_read_marked(struct bytes text, struct yaml_documents *out, struct bytes *rest,
                      struct err *err)
{
    struct yaml_documents list = {0};
    struct reader *r = xcalloc(1, sizeof(*r));

    r->mark = true;
    const bool ok = read_text(r, text, &list, err);
    const uint8_t *end = r->text.bytes.ptr + r->end;

    *rest = bytes_of(end, (size_t)(text.ptr + text.len - end));
    free(r);
    *out = list;
    return ok;
}
