#include "policy/setwriter_strings.h"

#include <stdlib.h>

#include "base/mem.h"
#include "policy/set_format.h"

#include "base/banned.h"

struct use {
    struct bytes string;
    size_t number;
};

void setwriter_strings_release(struct setwriter_strings *t)
{
    free(t->uses);
    free(t->references);
    buf_release(&t->section);
    *t = (struct setwriter_strings){0};
}

void setwriter_strings_use(struct setwriter_strings *t, struct bytes string)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 256 : 2 * t->capacity;
        t->uses = xrealloc(t->uses, t->capacity * sizeof(*t->uses));
    }
    t->uses[t->count++] = string;
}

static int compare_uses(const void *left, const void *right)
{
    const struct use *a = left;
    const struct use *b = right;
    /* The writer keeps neighbours' strings once: most equal ones are the same bytes. */
    const int order = a->string.ptr == b->string.ptr && a->string.len == b->string.len
                          ? 0
                          : bytes_compare(a->string, b->string);

    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/* first[i] is the first use of the string of use i. */
static size_t *find_first_uses(const struct setwriter_strings *t)
{
    struct use *sorted = xcalloc(t->count + 1, sizeof(*sorted));
    size_t *first = xcalloc(t->count + 1, sizeof(*first));

    for (size_t i = 0; i < t->count; i++)
        sorted[i] = (struct use){t->uses[i], i};
    qsort(sorted, t->count, sizeof(*sorted), compare_uses);
    for (size_t i = 0; i < t->count; i++) {
        const bool known = i > 0 && bytes_equal(sorted[i - 1].string, sorted[i].string);

        first[sorted[i].number] = known ? first[sorted[i - 1].number] : sorted[i].number;
    }
    free(sorted);
    return first;
}

static void append_string(struct buf *section, struct bytes string)
{
    buf_byte(section, (uint8_t)(string.len & 0xff));
    buf_byte(section, (uint8_t)(string.len >> 8));
    buf_append(section, string);
}

static bool lay_one(struct setwriter_strings *t, size_t i, size_t first, struct err *err)
{
    const struct bytes string = t->uses[i];

    if (first != i || string.len == 0) {
        t->references[i] = string.len == 0 ? 0 : t->references[first];
        return true;
    }
    if (string.len > SET_MAX_STRING)
        return err_set(err, "a string of %zu bytes: a set holds at most %d (\"%.40s…\")",
                       string.len, SET_MAX_STRING, (const char *)string.ptr);
    if (t->section.len + 2 + string.len > SET_MAX_STRINGS_BYTES)
        return err_set(err, "the names, paths and messages have more than %llu bytes together",
                       (unsigned long long)SET_MAX_STRINGS_BYTES);
    t->references[i] = (uint32_t)t->section.len;
    append_string(&t->section, string);
    return true;
}

bool setwriter_strings_lay(struct setwriter_strings *t, struct err *err)
{
    CLEANUP(freep) size_t *first = find_first_uses(t);

    t->references = xcalloc(t->count + 1, sizeof(*t->references));
    append_string(&t->section, bytes_of(NULL, 0)); /* reference 0 is the empty one */
    for (size_t i = 0; i < t->count; i++) {
        if (!lay_one(t, i, first[i], err))
            return false;
    }
    return true;
}
