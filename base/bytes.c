#include "base/bytes.h"

#include "base/banned.h"

int bytes_compare(struct bytes a, struct bytes b)
{
    const size_t common = a.len < b.len ? a.len : b.len;
    const int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool bytes_starts_with(struct bytes a, struct bytes prefix)
{
    return a.len >= prefix.len && bytes_equal(bytes_of(a.ptr, prefix.len), prefix);
}

bool bytes_ends_with(struct bytes a, struct bytes suffix)
{
    return a.len >= suffix.len &&
           bytes_equal(bytes_of(a.ptr + (a.len - suffix.len), suffix.len), suffix);
}

bool bytes_contains(struct bytes haystack, struct bytes needle)
{
    if (needle.len == 0)
        return true;
    return haystack.len >= needle.len &&
           memmem(haystack.ptr, haystack.len, needle.ptr, needle.len) != NULL;
}

bool bytes_to_cstr(struct bytes in, char *out, size_t out_size)
{
    if (in.len >= out_size || (in.len > 0 && memchr(in.ptr, '\0', in.len) != NULL))
        return false;
    if (in.len > 0)
        memcpy(out, in.ptr, in.len);
    out[in.len] = '\0';
    return true;
}
