#include "policy/schema_path.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/jsontext.h"

#include "base/banned.h"

enum { PATH_MAX_FRAMES = 256 };

static bool is_plain(struct bytes key)
{
    for (size_t i = 0; i < key.len; i++) {
        const uint8_t c = key.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return key.len > 0;
}

static void append_key(struct buf *out, size_t start, struct bytes key)
{
    if (is_plain(key)) {
        if (out->len > start)
            buf_byte(out, '.');
        buf_append(out, key);
        return;
    }
    buf_byte(out, '[');
    jsontext_string(out, key);
    buf_byte(out, ']');
}

void schema_path_text(const struct schema_path *path, struct buf *out)
{
    const struct schema_path *frames[PATH_MAX_FRAMES];
    const size_t start = out->len;
    size_t count = 0;

    for (; path != NULL && count < PATH_MAX_FRAMES; path = path->up)
        frames[count++] = path;
    while (count > 0) {
        const struct schema_path *frame = frames[--count];

        if (frame->is_item)
            buf_printf(out, "[%zu]", frame->index);
        else
            append_key(out, start, frame->key);
    }
}

bool schema_path_refuse(const struct schema_path *path, struct err *err, const char *format, ...)
{
    char message[sizeof(err->message)];
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    schema_path_text(path, &text);
    (void)err_set(err, "%s", message);
    (void)err_at(err, "%s", buf_cstr(&text));
    buf_release(&text);
    return false;
}
