#include "webhook/hpack.h"

#include "base/banned.h"

enum { INT_BYTES_MAX = 4, BYTE_BITS = 7, MORE = 0x80 };

enum state {
    AT_FIELD = 0,  /* the next byte begins a representation */
    IN_INDEX,      /* an indexed field's number */
    IN_NAME_INDEX, /* the number of a literal's name */
    IN_UPDATE,     /* a table size update's number */
    AT_STRING,     /* the next byte begins a string */
    IN_LENGTH,     /* a string's length */
    IN_STRING,     /* `number` bytes of a string to come */
};

void hpack_init(struct hpack *h)
{
    *h = (struct hpack){0};
}

bool hpack_complete(const struct hpack *h)
{
    return h->state == AT_FIELD;
}

static void enter_integer(struct hpack *h, uint32_t prefix, enum state state)
{
    h->number = prefix;
    h->shift = 0;
    h->state = (uint8_t)state;
}

/* The string's length is known. */
static bool enter_string(struct hpack *h, uint32_t len)
{
    if (len == 0 && h->value_next)
        return false; /* an empty name */
    h->number = len;
    h->state = IN_STRING;
    return true;
}

static void leave_string(struct hpack *h)
{
    h->state = h->value_next ? AT_STRING : AT_FIELD;
    h->value_next = false;
}

static bool begin_literal(struct hpack *h, uint8_t index, uint8_t prefix_max)
{
    h->value_next = index == 0;
    if (index == prefix_max)
        enter_integer(h, index, IN_NAME_INDEX);
    else
        h->state = AT_STRING;
    return true;
}

static bool begin_field(struct hpack *h, uint8_t byte)
{
    h->count++;
    if (byte & 0x80) {
        const uint8_t index = byte & 0x7f;

        if (index == 0x7f)
            enter_integer(h, index, IN_INDEX);
        return index != 0;
    }
    if (byte & 0x40)
        return begin_literal(h, byte & 0x3f, 0x3f);
    if ((byte & 0x20) == 0)
        return begin_literal(h, byte & 0x0f, 0x0f);
    if ((byte & 0x1f) == 0x1f)
        enter_integer(h, 0x1f, IN_UPDATE);
    return true;
}

static bool begin_string(struct hpack *h, uint8_t byte)
{
    const uint8_t len = byte & 0x7f;

    if (len != 0x7f)
        return enter_string(h, len);
    enter_integer(h, len, IN_LENGTH);
    return true;
}

static bool end_integer(struct hpack *h)
{
    if (h->state == IN_LENGTH)
        return enter_string(h, h->number);
    h->state = h->state == IN_NAME_INDEX ? AT_STRING : AT_FIELD;
    return true;
}

static bool feed_integer(struct hpack *h, uint8_t byte)
{
    h->number += (uint32_t)(byte & ~MORE & 0xff) << h->shift;
    h->shift = (uint8_t)(h->shift + BYTE_BITS);
    if ((byte & MORE) == 0)
        return end_integer(h);
    return h->shift < INT_BYTES_MAX * BYTE_BITS;
}

bool hpack_feed(struct hpack *h, const uint8_t *bytes, size_t len)
{
    const uint8_t *const end = bytes + len;

    for (;;) {
        /* A string of no bytes ends before the next byte. */
        if (h->state == IN_STRING) {
            const size_t here =
                (size_t)(end - bytes) < h->number ? (size_t)(end - bytes) : h->number;

            bytes += here;
            h->number -= (uint32_t)here;
            if (h->number != 0)
                return true;
            leave_string(h);
        }
        if (bytes == end)
            return true;

        const uint8_t byte = *bytes++;
        bool good;

        if (h->state == AT_FIELD)
            good = begin_field(h, byte);
        else if (h->state == AT_STRING)
            good = begin_string(h, byte);
        else
            good = feed_integer(h, byte);
        if (!good)
            return false;
    }
}
