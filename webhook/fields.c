#include "webhook/fields.h"

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

void fields_init(struct fields *f)
{
    *f = (struct fields){0};
}

bool fields_complete(const struct fields *f)
{
    return f->state == AT_FIELD;
}

static void enter_integer(struct fields *f, uint32_t prefix, enum state state)
{
    f->number = prefix;
    f->shift = 0;
    f->state = (uint8_t)state;
}

/* The string's length is known. */
static bool enter_string(struct fields *f, uint32_t len)
{
    if (len == 0 && f->value_next)
        return false; /* an empty name */
    f->number = len;
    f->state = IN_STRING;
    return true;
}

static void leave_string(struct fields *f)
{
    f->state = f->value_next ? AT_STRING : AT_FIELD;
    f->value_next = false;
}

static bool begin_literal(struct fields *f, uint8_t index, uint8_t prefix_max)
{
    f->value_next = index == 0;
    if (index == prefix_max)
        enter_integer(f, index, IN_NAME_INDEX);
    else
        f->state = AT_STRING;
    return true;
}

static bool begin_field(struct fields *f, uint8_t byte)
{
    f->count++;
    if (byte & 0x80) {
        const uint8_t index = byte & 0x7f;

        if (index == 0x7f)
            enter_integer(f, index, IN_INDEX);
        return index != 0;
    }
    if (byte & 0x40)
        return begin_literal(f, byte & 0x3f, 0x3f);
    if ((byte & 0x20) == 0)
        return begin_literal(f, byte & 0x0f, 0x0f);
    if ((byte & 0x1f) == 0x1f)
        enter_integer(f, 0x1f, IN_UPDATE);
    return true;
}

static bool begin_string(struct fields *f, uint8_t byte)
{
    const uint8_t len = byte & 0x7f;

    if (len != 0x7f)
        return enter_string(f, len);
    enter_integer(f, len, IN_LENGTH);
    return true;
}

static bool end_integer(struct fields *f)
{
    if (f->state == IN_LENGTH)
        return enter_string(f, f->number);
    f->state = f->state == IN_NAME_INDEX ? AT_STRING : AT_FIELD;
    return true;
}

static bool feed_integer(struct fields *f, uint8_t byte)
{
    f->number += (uint32_t)(byte & ~MORE & 0xff) << f->shift;
    f->shift = (uint8_t)(f->shift + BYTE_BITS);
    if ((byte & MORE) == 0)
        return end_integer(f);
    return f->shift < INT_BYTES_MAX * BYTE_BITS;
}

bool fields_feed(struct fields *f, const uint8_t *bytes, size_t len)
{
    const uint8_t *const end = bytes + len;

    for (;;) {
        /* A string of no bytes ends before the next byte. */
        if (f->state == IN_STRING) {
            const size_t here =
                (size_t)(end - bytes) < f->number ? (size_t)(end - bytes) : f->number;

            bytes += here;
            f->number -= (uint32_t)here;
            if (f->number != 0)
                return true;
            leave_string(f);
        }
        if (bytes == end)
            return true;

        const uint8_t byte = *bytes++;
        bool good;

        if (f->state == AT_FIELD)
            good = begin_field(f, byte);
        else if (f->state == AT_STRING)
            good = begin_string(f, byte);
        else
            good = feed_integer(f, byte);
        if (!good)
            return false;
    }
}
