#include "policy/identity.h"

#include "base/banned.h"

int identity_compare(const struct identity *a, const struct identity *b)
{
    int order = bytes_compare(a->group, b->group);

    if (order == 0)
        order = bytes_compare(a->kind, b->kind);
    if (order == 0)
        order = bytes_compare(a->namespace, b->namespace);
    if (order == 0)
        order = bytes_compare(a->name, b->name);
    return order;
}

void identity_text(const struct identity *id, struct buf *out)
{
    buf_append(out, id->kind);
    if (id->group.len > 0) {
        buf_byte(out, '.');
        buf_append(out, id->group);
    }
    if (id->namespace.len > 0) {
        buf_byte(out, '/');
        buf_append(out, id->namespace);
    }
    buf_byte(out, '/');
    buf_append(out, id->name);
}
