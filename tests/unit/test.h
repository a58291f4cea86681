/*
 * test.h -- what every unit test includes: cmocka, the tree's basic types and small helpers.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/* Fails the test unless `got` is `want`, naming the row. */
static inline void check_bytes(const char *row, struct bytes got, struct bytes want)
{
    if (!bytes_equal(got, want))
        fail_msg("%s: got \"%.*s\", want \"%.*s\"", row, BYTES_FMT(got), BYTES_FMT(want));
}

#endif
