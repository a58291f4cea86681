/*
 * fuzz_json.c -- the JSON reader and the canonical bytes (N25) that are written while it reads.
 * What must hold of a text that is accepted:
 *
 *   - jansson accepts it and reads the same, by an encoder of its own: so nothing is approved as
 * one thing and stored as another (but for the numbers and keys that jansson does not have);
 *   - the canonical bytes are one value to the end, every map in strict order of its keys;
 *   - white space, the order of keys and the escapes of strings do not matter;
 *   - skipping a value takes exactly the bytes that reading it takes.
 */
#include <math.h>

#include <jansson.h>

#include "policy/canon.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/other_text.h"

#include "base/banned.h"

static bool read_canon(struct canon *c, struct bytes text)
{
    struct jread r;

    canon_clear(c);
    jread_start(&r, text);
    return canon_value(c, &r) && jread_end(&r);
}

/* --- an encoder of its own, over jansson's tree ------------------------------------------------
 */

static void put_u32(struct buf *out, size_t value)
{
    for (unsigned shift = 32; shift > 0; shift -= 8)
        buf_byte(out, (uint8_t)(value >> (shift - 8)));
}

static void put_u64(struct buf *out, uint64_t value)
{
    put_u32(out, (size_t)(value >> 32));
    put_u32(out, (size_t)(value & UINT32_MAX));
}

static void put_text(struct buf *out, struct bytes text)
{
    buf_byte(out, 'S');
    put_u32(out, text.len);
    buf_append(out, text);
}

/* N8 */
static void put_real(struct buf *out, double value)
{
    uint64_t bits;

    if (fabs(value) < 9007199254740992.0 && floor(value) == value) {
        buf_byte(out, 'I');
        put_u64(out, (uint64_t)(int64_t)value);
        return;
    }
    memcpy(&bits, &value, sizeof(bits));
    buf_byte(out, 'D');
    put_u64(out, bits);
}

/* NOLINTNEXTLINE(misc-no-recursion): what canon_value has accepted, JREAD_MAX_DEPTH */
static void encode(struct buf *out, const json_t *value)
{
    size_t count;
    struct bytes *keys;

    switch (json_typeof(value)) {
    case JSON_NULL:
        buf_byte(out, 'N');
        break;
    case JSON_TRUE:
        buf_byte(out, 'T');
        break;
    case JSON_FALSE:
        buf_byte(out, 'F');
        break;
    case JSON_INTEGER:
        buf_byte(out, 'I');
        put_u64(out, (uint64_t)json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(out, json_real_value(value));
        break;
    case JSON_STRING:
        put_text(out, bytes_of(json_string_value(value), json_string_length(value)));
        break;
    case JSON_ARRAY:
        count = json_array_size(value);
        buf_byte(out, 'L');
        put_u32(out, count);
        for (size_t i = 0; i < count; i++)
            encode(out, json_array_get(value, i));
        break;
    case JSON_OBJECT:
        count = json_object_size(value);
        keys = other_text_keys(value);
        buf_byte(out, 'M');
        put_u32(out, count);
        for (size_t i = 0; i < count; i++) {
            put_text(out, keys[i]);
            encode(out, json_object_get(value, (const char *)keys[i].ptr));
        }
        free(keys);
        break;
    }
}

/* --- the same value as another text ------------------------------------------------------------
 */

static void check_other_text(const json_t *value, struct bytes canonical)
{
    struct buf text = {0};
    struct canon c = {0};

    other_text(&text, value);
    buf_append_str(&text, "\n"); /* a number is never the last thing in a document */
    require(read_canon(&c, buf_bytes(&text)));
    require(bytes_equal(buf_bytes(&c.out), canonical));
    canon_release(&c);
    buf_release(&text);
}

/* --- what must hold ----------------------------------------------------------------------------
 */

/* Numbers that are not in jansson's types, and keys with a NUL. */
static bool is_jansson_gap(const json_error_t *error)
{
    const enum json_error_code code = json_error_code(error);

    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
}

static void check_same_as_jansson(struct bytes text, struct bytes canonical)
{
    json_error_t error;
    json_t *value = json_loadb((const char *)text.ptr, text.len,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    struct buf encoded = {0};

    if (value == NULL) {
        require(is_jansson_gap(&error));
        return;
    }
    encode(&encoded, value);
    require(bytes_equal(buf_bytes(&encoded), canonical));
    check_other_text(value, canonical);
    buf_release(&encoded);
    json_decref(value);
}

/* One value to the end, and so is each that it is made of. */
static void check_cursor(struct bytes canonical)
{
    struct bytes all = canonical;
    struct bytes at = canonical;
    size_t left = 1; /* values still to come; maps are checked as their keys and values pass */

    require(canon_take_value(&all).len == canonical.len && all.len == 0);
    for (; left > 0; left--) {
        require(at.len > 0);
        if (at.ptr[0] == CANON_LIST || at.ptr[0] == CANON_MAP) {
            left += canon_read_u32(bytes_of(at.ptr + 1, 4)) * (at.ptr[0] == CANON_MAP ? 2U : 1U);
            at = bytes_of(at.ptr + CANON_HEAD, at.len - CANON_HEAD);
        } else {
            (void)canon_take_value(&at);
        }
    }
    require(at.len == 0);
}

/* NOLINTNEXTLINE(misc-no-recursion): what canon_value has accepted, JREAD_MAX_DEPTH */
static void check_order(struct bytes *at)
{
    const uint8_t type = at->ptr[0];
    struct bytes before = {0};

    if (type != CANON_MAP && type != CANON_LIST) {
        (void)canon_take_value(at);
        return;
    }
    const uint32_t count = canon_read_u32(bytes_of(at->ptr + 1, 4));

    *at = bytes_of(at->ptr + CANON_HEAD, at->len - CANON_HEAD);
    for (uint32_t i = 0; i < count; i++) {
        if (type == CANON_MAP) {
            const struct bytes key = canon_read_string(at);

            require(i == 0 || bytes_compare(before, key) < 0);
            before = key;
        }
        check_order(at);
    }
}

static void check_skip(struct bytes text, bool accepted)
{
    struct canon c = {0};
    struct jread read;
    struct jread skip;

    jread_start(&read, text);
    jread_start(&skip, text);
    const bool could_read = canon_value(&c, &read);

    require(!accepted || could_read);
    require(could_read || (read.problem != NULL && read.problem[0] != '\0'));
    if (!could_read)
        canon_clear(&c); /* what was begun is still open */
    const size_t written = c.out.len;

    require(canon_skip(&c, &skip) == could_read);
    require(jread_offset(&skip) == jread_offset(&read));
    require(!could_read || c.out.len == written);
    canon_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct canon c; /* as in a server: it keeps its memory from text to text */
    const struct bytes text = bytes_of(data, len);
    const bool accepted = read_canon(&c, text);

    check_skip(text, accepted);
    if (accepted) {
        struct bytes at = buf_bytes(&c.out);

        check_cursor(at);
        check_order(&at);
        check_same_as_jansson(text, buf_bytes(&c.out));
    }
    return 0;
}
