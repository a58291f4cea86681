#include "policy/pattern.h"

#include "base/banned.h"

bool pattern_match(struct bytes pattern, struct bytes text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX; /* the last star, and where its run would begin anew */
    size_t retry = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

bool pattern_meet(struct bytes a, struct bytes b)
{
    const uint8_t *a_star = a.len == 0 ? NULL : memchr(a.ptr, '*', a.len);
    const uint8_t *b_star = b.len == 0 ? NULL : memchr(b.ptr, '*', b.len);

    if (a_star == NULL || b_star == NULL)
        return a_star == NULL ? pattern_match(b, a) : pattern_match(a, b);
    /* Two patterns meet if their ends agree: what is between can stand one behind the other. */
    for (size_t i = 0; a.ptr[i] != '*' && b.ptr[i] != '*'; i++) {
        if (a.ptr[i] != b.ptr[i])
            return false;
    }
    for (size_t i = 1; a.ptr[a.len - i] != '*' && b.ptr[b.len - i] != '*'; i++) {
        if (a.ptr[a.len - i] != b.ptr[b.len - i])
            return false;
    }
    return true;
}
