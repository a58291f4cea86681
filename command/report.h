/*
 * report.h -- what a command found, for people and for the tools that read findings: text, JSON,
 * SARIF 2.1.0, JUnit XML. The same findings and the same exit code in every format.
 *
 * Paths and messages are whatever Git held: each format gets them escaped, and text without
 * control characters. At most REPORT_MAX_FINDINGS are kept; all are counted.
 */
#ifndef COMMAND_REPORT_H
#define COMMAND_REPORT_H

#include <jansson.h>

#include "source/build.h"

enum { REPORT_MAX_FINDINGS = 10000 };

enum report_level { REPORT_WARNING, REPORT_ERROR };

struct report_finding {
    enum report_level level;
    unsigned rule; /* of the normal form; 0: none */
    const char *source;
    char *path;
    unsigned line;   /* 0: the whole file */
    unsigned column; /* 0: not known */
    char *object;    /* identity; NULL: not known */
    char *message;
};

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_SARIF, REPORT_JUNIT };

struct report {
    const char *command; /* "check" */
    const char *version; /* of the program */
    const struct build_source *sources;
    size_t source_count;
    bool strict; /* warnings count as much as errors */
    size_t approved;
    size_t held;
    size_t failures; /* not 0: there is no set; these are among the errors */

    struct report_finding *findings;
    size_t count;
    size_t cap;
    size_t errors;
    size_t warnings;
};

/* The format of that name; false: there is none. */
bool report_format_of(const char *name, enum report_format *out);

/* Copies the texts but the source, which is one of the report's. */
void report_add(struct report *r, const struct report_finding *finding);
void report_release(struct report *r);

/* Whether it found something that counts. */
bool report_counts(const struct report *r, enum report_level level);
bool report_found(const struct report *r);

/* Appends all of it; sorts the findings by place first. */
void report_write(struct report *r, enum report_format format, struct buf *out);

/* Parts of it (report_sarif.c, report_junit.c). */
void report_sarif(const struct report *r, struct buf *out);
void report_junit(const struct report *r, struct buf *out);

/* PATH:LINE:COLUMN, as far as they are known. */
void report_place(const struct report_finding *f, struct buf *out);

/* OBJECT: MESSAGE, clean. */
void report_text(const struct report_finding *f, struct buf *out);

/* "N13", or "" for no rule. */
enum { REPORT_RULE_SIZE = 12 };
const char *report_rule(unsigned rule, char out[REPORT_RULE_SIZE]);
const char *report_level(enum report_level level);

/* a set can be built: 8 approved, 1 held (mesh 3f2c1ab) */
void report_summary(const struct report *r, struct buf *out);

/* [{"name", "commit"}] */
json_t *report_sources(const struct report *r);

/* Whether a path alone says which file it is. */
bool report_has_one_source(const struct report *r);

#endif
