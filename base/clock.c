#include "base/clock.h"

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

static char *put_digits(char *p, unsigned value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + digits;
}

/*
 * Written on every decision, so without strftime. Years 0 to 9999; days are counted from 1 March,
 * so that the leap day is the last of its year.
 */
const char *clock_text(int64_t micros, char out[CLOCK_TEXT_SIZE])
{
    enum { DAYS_TO_1970 = 719468, DAYS_OF_400_YEARS = 146097, SECONDS_OF_DAY = 86400 };
    const uint64_t now = micros < 0 ? 0 : (uint64_t)micros;
    const uint64_t seconds = now / MICROS_PER_SECOND;
    const unsigned second = (unsigned)(seconds % SECONDS_OF_DAY);
    const uint64_t days = seconds / SECONDS_OF_DAY + DAYS_TO_1970;
    const unsigned day = (unsigned)(days % DAYS_OF_400_YEARS);
    const unsigned year_of_era = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    const unsigned day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned march_month = (5 * day_of_year + 2) / 153;
    const unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    const unsigned year =
        (unsigned)(days / DAYS_OF_400_YEARS) * 400 + year_of_era + (month <= 2 ? 1 : 0);
    char *p = put_digits(out, year, 4);

    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    p = put_digits(p, day_of_year - (153 * march_month + 2) / 5 + 1, 2);
    *p++ = 'T';
    p = put_digits(p, second / 3600, 2);
    *p++ = ':';
    p = put_digits(p, second / 60 % 60, 2);
    *p++ = ':';
    p = put_digits(p, second % 60, 2);
    *p++ = '.';
    p = put_digits(p, (unsigned)(now % MICROS_PER_SECOND), 6);
    *p++ = 'Z';
    *p = '\0';
    return out;
}
