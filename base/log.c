#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsontext.h"

#include "base/banned.h"

static const char *log_process_role = "";

void log_role(const char *role)
{
    log_process_role = role;
}

static void write_line(const struct buf *line)
{
    size_t done = 0;

    while (done < line->len) {
        const ssize_t n = write(STDERR_FILENO, line->ptr + done, line->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* a log that nobody reads must not stop the service */
        done += (size_t)n;
    }
}

static void log_line(const char *level, const char *message, va_list pairs)
{
    struct buf line CLEANUP(buf_release) = {0};
    char now[CLOCK_TEXT_SIZE];

    buf_byte(&line, '{');
    jsontext_member(&line, "time", bytes_str(clock_text(clock_now_micros(), now)));
    jsontext_member(&line, "level", bytes_str(level));
    if (log_process_role[0] != '\0')
        jsontext_member(&line, "role", bytes_str(log_process_role));
    jsontext_member(&line, "message", bytes_str(message));
    for (const char *key = va_arg(pairs, const char *); key != NULL;
         key = va_arg(pairs, const char *))
        jsontext_member(&line, key, bytes_str(va_arg(pairs, const char *)));
    buf_append(&line, BYTES("}\n"));
    write_line(&line);
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *message, ...)                                                            \
    {                                                                                              \
        va_list pairs;                                                                             \
                                                                                                   \
        va_start(pairs, message);                                                                  \
        log_line(level, message, pairs);                                                           \
        va_end(pairs);                                                                             \
    }

LOG_FUNCTION(log_info, "info")
LOG_FUNCTION(log_warn, "warn")
LOG_FUNCTION(log_error, "error")
