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
