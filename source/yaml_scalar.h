/*
 * yaml_scalar.h -- what an unquoted word of YAML means, as the Go YAML readers of kubectl,
 * kustomize, Flux and Argo CD resolve it; and refused where they do not agree (N5, N6, N8).
 */
#ifndef SOURCE_YAML_SCALAR_H
#define SOURCE_YAML_SCALAR_H

#include "base/bytes.h"
#include "base/err.h"

enum yaml_scalar_type {
    YAML_SCALAR_TEXT,
    YAML_SCALAR_NULL,
    YAML_SCALAR_BOOL,
    YAML_SCALAR_INT,   /* an integer literal of any base */
    YAML_SCALAR_FLOAT, /* the other numbers; their value may well be integral: `is_integer` */
};

struct yaml_scalar {
    enum yaml_scalar_type type;
    bool truth;
    bool is_integer;
    int64_t integer;
    double real;
};

/* Resolves a plain scalar. The message of a refusal has no place in front. */
MUST_USE bool yaml_scalar_resolve(struct bytes plain, struct yaml_scalar *out, struct err *err);

#endif
