/*
 * clock.h -- the time of day and the time that only goes forward.
 *
 * Nothing but ends of permissions and staleness may depend on the time of day.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT_SIZE = sizeof("2026-01-02T03:04:05.678901Z") };

/* Microseconds since 1970 (UTC), and since some start that never changes while we run. */
int64_t clock_now_micros(void);
int64_t clock_monotonic_micros(void);

/* RFC 3339, UTC, microseconds: 2026-01-02T03:04:05.678901Z. Returns `out`. */
const char *clock_text(int64_t micros, char out[CLOCK_TEXT_SIZE]);

#endif
