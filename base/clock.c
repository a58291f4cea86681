#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/banned.h"

enum { MICROS_PER_SECOND = 1000000 };

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now_micros(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_micros(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

const char *clock_text(int64_t micros, char out[CLOCK_TEXT_SIZE])
{
    const time_t seconds = (time_t)(micros / MICROS_PER_SECOND);
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL)
        utc = (struct tm){.tm_year = 70, .tm_mday = 1};
    const size_t len = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + len, CLOCK_TEXT_SIZE - len, ".%06dZ", (int)(micros % MICROS_PER_SECOND));
    return out;
}
