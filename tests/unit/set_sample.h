/*
 * set_sample.h -- sets to test with: content that follows from a number, in any order of adding.
 *
 * Of every entry i: kind i % 3, namespace i % 5 (none for the third kind, which is cluster-scoped),
 * one to three digests; every seventh is held, and every fifth has a primary digest that is not
 * accepted itself.
 */
#ifndef TESTS_UNIT_SET_SAMPLE_H
#define TESTS_UNIT_SET_SAMPLE_H

#include "policy/set.h"
#include "policy/setwriter.h"
#include "tests/unit/test.h"

static const struct kind sample_kinds[] = {
    {
        .group = {(const uint8_t *)"networking.istio.io", 19},
        .kind = {(const uint8_t *)"VirtualService", 14},
        .plural = {(const uint8_t *)"virtualservices", 15},
        .has_schema = true,
        .namespaced = true,
        .nulls = {(const uint8_t *)"\0\0\0\0\0\0\0\0\1\0\0\0a tree", 18},
        .versions = {{{(const uint8_t *)"v1", 2}, true, true, true},
                     {{(const uint8_t *)"v1beta1", 7}, true, false, false}},
        .version_count = 2,
    },
    {
        .group = {(const uint8_t *)"", 0},
        .kind = {(const uint8_t *)"ConfigMap", 9},
        .plural = {(const uint8_t *)"configmaps", 10},
        .namespaced = true,
        .versions = {{{(const uint8_t *)"v1", 2}, true, true, false}},
        .version_count = 1,
    },
    {
        .group = {(const uint8_t *)"gateway.networking.k8s.io", 25},
        .kind = {(const uint8_t *)"GatewayClass", 12},
        .plural = {(const uint8_t *)"gatewayclasses", 14},
        .has_schema = true,
        .conversion = true,
    },
};

struct sample_entry {
    struct identity id;
    struct setwriter_place place;
    char namespace[16];
    char name[32];
    char path[48];
    char document[64];
    struct digest digests[3];
    size_t digest_count;
    struct digest primary;
    bool held;
};

UNUSED static void sample_digest(const char *what, size_t i, size_t j, struct digest *out)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s %zu %zu", what, i, j);
    digest_of(bytes_str(text), out);
}

UNUSED static void sample_entry(size_t i, struct sample_entry *e)
{
    const struct kind *kind = &sample_kinds[i % COUNT(sample_kinds)];

    (void)snprintf(e->namespace, sizeof(e->namespace), "team-%zu", i % 5);
    (void)snprintf(e->name, sizeof(e->name), "object-%zu", i);
    (void)snprintf(e->path, sizeof(e->path), "clusters/prod/%zu.yaml", i / 4);
    (void)snprintf(e->document, sizeof(e->document), "{\"metadata\":{\"name\":\"object-%zu\"}}", i);
    e->id = (struct identity){kind->group, kind->kind,
                              bytes_str(kind->namespaced ? e->namespace : ""), bytes_str(e->name)};
    e->place =
        (struct setwriter_place){BYTES("mesh"), BYTES("3f2c1ab0000000000000000000000000000000aa"),
                                 bytes_str(e->path), (uint32_t)(i % 4 * 20 + 1)};
    e->held = i % 7 == 6;
    e->digest_count = 1 + i % 3;
    for (size_t j = 0; j < COUNT(e->digests); j++)
        sample_digest("digest", i, j, &e->digests[j]);
    e->primary = e->digests[0];
    if (i % 5 == 4)
        sample_digest("primary", i, 0, &e->primary);
}

UNUSED static void sample_add(struct setwriter *w, size_t i)
{
    struct sample_entry e;

    sample_entry(i, &e);
    if (e.held)
        setwriter_hold(w, &e.id, &e.place, BYTES("spec.http[0].weight: is no integer"));
    else
        setwriter_approve(w, &e.id, &e.place, &e.primary, e.digests, e.digest_count,
                          bytes_str(e.document));
}

UNUSED static void sample_frame(struct setwriter *w)
{
    struct digest rules;

    sample_digest("rules", 0, 0, &rules);
    setwriter_rules(w, &rules);
    setwriter_policy(w, BYTES("{\"govern\":[]}"));
    setwriter_provenance(w, BYTES("{\"sources\":[{\"name\":\"mesh\",\"commit\":\"3f2c1ab\"}]}"));
    for (size_t i = 0; i < COUNT(sample_kinds); i++)
        setwriter_kind(w, &sample_kinds[i]);
}

/* The file with entries 0 to count - 1; the bytes are exactly as long as they are. */
UNUSED static struct bytes sample_file(size_t count)
{
    CLEANUP(setwriter_freep) struct setwriter *w = setwriter_new();
    struct buf out = {0};
    struct err err;

    sample_frame(w);
    for (size_t i = 0; i < count; i++)
        sample_add(w, i);
    if (!setwriter_finish(w, &out, &err))
        fail_msg("%s", err.message);
    return bytes_of(xrealloc(out.ptr, out.len), out.len);
}

UNUSED static void sample_free(struct bytes *file)
{
    freep(&file->ptr);
}

UNUSED static struct set *sample_open(struct bytes file)
{
    struct set *set = NULL;
    struct err err;

    if (!set_open_bytes(file, &set, &err))
        fail_msg("%s", err.message);
    return set;
}

#endif
