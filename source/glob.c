#include "source/glob.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/unicode.h"

#include "base/banned.h"

struct element {
    struct bytes text; /* of the glob's own copy */
    bool any_depth;    /* "**" */
};

struct glob {
    char *text;
    struct element elements[GLOB_MAX_ELEMENTS];
    size_t count;
    bool wants_folder;
};

/* Bytes of the character at `p`; a byte that is not valid UTF-8 is a character of its own. */
static size_t char_length(const uint8_t *p, const uint8_t *end)
{
    const size_t n = unicode_length(p, (size_t)(end - p));

    return n == 0 ? 1 : n;
}

/* The order of characters in a range: longer encodings come after shorter ones. */
static uint32_t char_value(const uint8_t *p, size_t length)
{
    uint32_t value = 0;

    for (size_t i = 0; i < length; i++)
        value = value << 8 | p[i];
    return value;
}

/* Reads one member of a "[...]", with a backslash before it or not. */
static const uint8_t *set_member(const uint8_t *p, const uint8_t *end, uint32_t *value)
{
    if (*p == '\\' && p + 1 < end)
        p++;

    const size_t n = char_length(p, end);

    *value = char_value(p, n);
    return p + n;
}

/*
 * `p` is behind a '['. Returns what is behind the ']', NULL if there is none or a range runs
 * backwards, and says whether `value` is in the set.
 */
static const uint8_t *set_match(const uint8_t *p, const uint8_t *end, uint32_t value, bool *in)
{
    const bool negated = p < end && (*p == '!' || *p == '^');
    bool found = false;

    if (negated)
        p++;
    for (bool first = true; p < end && (first || *p != ']'); first = false) {
        uint32_t low;
        uint32_t high;

        p = set_member(p, end, &low);
        high = low;
        if (p + 1 < end && p[0] == '-' && p[1] != ']')
            p = set_member(p + 1, end, &high);
        if (high < low)
            return NULL;
        found = found || (low <= value && value <= high);
    }
    if (p >= end)
        return NULL;
    *in = found != negated;
    return p + 1;
}

/* Matches the one pattern item at *p (not '*') with the character `c`; moves *p behind it. */
static bool item_match(const uint8_t **p, const uint8_t *end, const uint8_t *c, size_t length)
{
    if (**p == '?') {
        *p += 1;
        return true;
    }
    if (**p == '[') {
        bool in = false;
        const uint8_t *behind = set_match(*p + 1, end, char_value(c, length), &in);

        if (behind == NULL) /* glob_new refused it */
            return false;
        *p = behind;
        return in;
    }
    if (**p == '\\' && *p + 1 < end)
        *p += 1;

    const size_t n = char_length(*p, end);
    const bool same = n == length && memcmp(*p, c, n) == 0;

    *p += n;
    return same;
}

/* One element. Only the last '*' is ever gone back to: pattern times name steps at most. */
static bool element_match(struct bytes pattern, struct bytes name)
{
    const uint8_t *p = pattern.ptr;
    const uint8_t *const pattern_end = p + pattern.len;
    const uint8_t *n = name.ptr;
    const uint8_t *const name_end = n + name.len;
    const uint8_t *star = NULL; /* behind the last '*' */
    const uint8_t *star_name = NULL;

    while (n < name_end) {
        const size_t length = char_length(n, name_end);

        if (p < pattern_end && *p == '*') {
            star = ++p;
            star_name = n;
        } else if (p < pattern_end && item_match(&p, pattern_end, n, length)) {
            n += length;
        } else if (star != NULL) {
            star_name += char_length(star_name, name_end);
            p = star;
            n = star_name;
        } else {
            return false;
        }
    }
    while (p < pattern_end && *p == '*')
        p++;
    return p == pattern_end;
}

static bool element_check(struct bytes text, struct err *err)
{
    const uint8_t *const end = text.ptr + text.len;
    bool in;

    if (text.len == 0)
        return err_set(err, "has an empty element (\"//\")");
    if (bytes_equal(text, BYTES(".")) || bytes_equal(text, BYTES("..")))
        return err_set(err, "has an element \"%.*s\"; name it from the root", BYTES_FMT(text));
    for (const uint8_t *p = text.ptr; p < end;) {
        if (*p == '\\') {
            if (p + 1 == end)
                return err_set(err, "ends an element with a backslash");
            p += 2;
        } else if (*p == '[') {
            p = set_match(p + 1, end, 0, &in);
            if (p == NULL)
                return err_set(err, "has a \"[\" without its \"]\", or a range that runs "
                                    "backwards; write \"\\[\" for the character itself");
        } else if (p[0] == '*' && p + 1 < end && p[1] == '*') {
            return err_set(err, "has \"**\" beside other characters; it stands alone between "
                                "slashes");
        } else {
            p++;
        }
    }
    return true;
}

/* `text` is what remains of the pattern between its first and its last element. */
static bool elements_read(struct glob *glob, const char *text, size_t length, struct err *err)
{
    const char *const end = text + length;

    for (const char *from = text; from <= end;) {
        const char *to = memchr(from, '/', (size_t)(end - from));
        const struct bytes name = bytes_of(from, (size_t)((to == NULL ? end : to) - from));
        const bool any_depth = bytes_equal(name, BYTES("**"));

        if (glob->count == GLOB_MAX_ELEMENTS)
            return err_set(err, "has more than %d elements", GLOB_MAX_ELEMENTS);
        if (!any_depth && !element_check(name, err))
            return false;
        glob->elements[glob->count++] = (struct element){name, any_depth};
        from = to == NULL ? end + 1 : to + 1;
    }
    return true;
}

static bool pattern_read(struct glob *glob, struct err *err)
{
    const char *text = glob->text;
    size_t length = strlen(text);

    if (length == 0)
        return err_set(err, "is empty; \".\" is the whole tree");
    if (length > GLOB_MAX_BYTES)
        return err_set(err, "is longer than %d bytes", GLOB_MAX_BYTES);
    if (text[0] == '/')
        return err_set(err, "begins with a slash; it is counted from the repository's root");
    while (length >= 2 && text[0] == '.' && text[1] == '/') {
        text += 2;
        length -= 2;
    }
    if (length == 0 || strcmp(text, ".") == 0) {
        glob->wants_folder = true;
        return true;
    }
    if (text[length - 1] == '/') {
        glob->wants_folder = true;
        length--;
    }
    return elements_read(glob, text, length, err);
}

bool glob_new(const char *pattern, struct glob **out, struct err *err)
{
    struct glob *glob = xcalloc(1, sizeof(*glob));

    glob->text = xstrdup(pattern);
    if (!pattern_read(glob, err)) {
        glob_free(glob);
        return err_prefix(err, "path \"%.200s\" ", pattern);
    }
    *out = glob;
    return true;
}

void glob_free(struct glob *glob)
{
    if (glob == NULL)
        return;
    free(glob->text);
    free(glob);
}

/* A "**" may stand for nothing: what follows it may come next, too. */
static glob_state with_what_follows(const struct glob *glob, glob_state state)
{
    for (size_t i = 0; i < glob->count; i++) {
        if ((state >> i & 1) != 0 && glob->elements[i].any_depth)
            state |= (glob_state)1 << (i + 1);
    }
    return state;
}

glob_state glob_start(const struct glob *glob)
{
    return with_what_follows(glob, 1);
}

glob_state glob_step(const struct glob *glob, glob_state state, struct bytes name)
{
    glob_state next = 0;

    for (size_t i = 0; i < glob->count; i++) {
        if ((state >> i & 1) == 0)
            continue;
        if (glob->elements[i].any_depth)
            next |= (glob_state)1 << i;
        else if (element_match(glob->elements[i].text, name))
            next |= (glob_state)1 << (i + 1);
    }
    return with_what_follows(glob, next);
}

bool glob_accepts(const struct glob *glob, glob_state state)
{
    return (state >> glob->count & 1) != 0;
}

bool glob_wants_folder(const struct glob *glob)
{
    return glob->wants_folder;
}

const char *glob_text(const struct glob *glob)
{
    return glob->text;
}
