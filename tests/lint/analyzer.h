/*
 * analyzer.h -- what clang-tidy's path analysis cannot know of functions in other files. Only
 * tests/lint/tidy reads it, in front of every file that does not itself define one of these.
 *
 * These always return false. Without that the analysis follows a path on which `return err_set(…)`
 * means success and an out-parameter was not written. A new one belongs here, in one line.
 */
#ifndef TESTS_LINT_ANALYZER_H
#define TESTS_LINT_ANALYZER_H

#include "base/err.h"
#include "policy/fields.h"
#include "policy/jread.h"

#define err_set(...)      (err_set(__VA_ARGS__), false)
#define err_errno(...)    (err_errno(__VA_ARGS__), false)
#define err_prefix(...)   (err_prefix(__VA_ARGS__), false)
#define err_at(...)       (err_at(__VA_ARGS__), false)
#define field_refuse(...) (field_refuse(__VA_ARGS__), false)
#define jread_fail(...)   (jread_fail(__VA_ARGS__), false)

#ifdef ANALYZER_SOURCE /* what only source/ can include */
#include "source/repo_impl.h"

#define repo_err(...) (repo_err(__VA_ARGS__), false)
#endif

#endif
