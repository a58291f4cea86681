/* SARIF 2.1.0: one run, a rule of the normal form for each that was broken. */
#include <stdio.h>

#include "command/report.h"
#include "command/set_output.h"
#include "policy/rules.h"

#include "base/banned.h"

static const char schema_uri[] =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

static json_t *text_json(const char *text)
{
    json_t *object = json_object();

    set_output_add(object, "text", set_output_string(bytes_str(text)));
    return object;
}

/* A relative reference (RFC 3986): everything but unreserved characters and '/' is escaped. */
static json_t *uri_json(const char *path)
{
    struct buf uri CLEANUP(buf_release) = {0};

    for (; *path != '\0'; path++) {
        const char c = *path;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~/", c) != NULL)
            buf_byte(&uri, (uint8_t)c);
        else
            buf_printf(&uri, "%%%02X", (unsigned)(uint8_t)c);
    }
    return set_output_string(buf_bytes(&uri));
}

static json_t *region_json(const struct report_finding *f)
{
    json_t *region = json_object();

    set_output_add(region, "startLine", json_integer(f->line));
    if (f->column > 0)
        set_output_add(region, "startColumn", json_integer(f->column));
    return region;
}

static json_t *location_json(const struct report *r, const struct report_finding *f)
{
    json_t *artifact = json_object();
    json_t *physical = json_object();
    json_t *location = json_object();

    set_output_add(artifact, "uri", uri_json(f->path));
    set_output_add(artifact, "uriBaseId",
                   json_string(report_has_one_source(r) ? "SRCROOT" : f->source));
    set_output_add(physical, "artifactLocation", artifact);
    if (f->line > 0)
        set_output_add(physical, "region", region_json(f));
    set_output_add(location, "physicalLocation", physical);
    if (f->object != NULL) {
        json_t *logical = json_object();

        set_output_add(logical, "fullyQualifiedName", set_output_string(bytes_str(f->object)));
        set_output_add(logical, "kind", json_string("object"));
        set_output_add(location, "logicalLocations", json_pack("[o]", logical));
    }
    return location;
}

static json_t *result_json(const struct report *r, const struct report_finding *f,
                           const unsigned *index_of)
{
    struct buf text CLEANUP(buf_release) = {0};
    json_t *result = json_object();
    char rule[REPORT_RULE_SIZE];

    report_text(f, &text);
    if (f->rule > 0 && f->rule <= RULES_LAST) {
        set_output_add(result, "ruleId", json_string(report_rule(f->rule, rule)));
        set_output_add(result, "ruleIndex", json_integer(index_of[f->rule]));
    }
    set_output_add(result, "level", json_string(report_level(f->level)));
    set_output_add(result, "message", text_json(buf_cstr(&text)));
    set_output_add(result, "locations", json_pack("[o]", location_json(r, f)));
    return result;
}

/* The rules that were broken, in their order; *index_of says where each is. */
static json_t *rules_json(const struct report *r, unsigned index_of[RULES_LAST + 1])
{
    json_t *rules = json_array();
    bool broken[RULES_LAST + 1] = {false};
    char id[REPORT_RULE_SIZE];

    for (size_t i = 0; i < r->count; i++) {
        if (r->findings[i].rule <= RULES_LAST)
            broken[r->findings[i].rule] = true;
    }
    for (unsigned rule = 1; rule <= RULES_LAST; rule++) {
        if (!broken[rule])
            continue;
        json_t *object = json_object();

        index_of[rule] = (unsigned)json_array_size(rules);
        set_output_add(object, "id", json_string(report_rule(rule, id)));
        set_output_add(object, "shortDescription", text_json(rules_title(rule)));
        if (json_array_append_new(rules, object) != 0)
            out_of_memory();
    }
    return rules;
}

static json_t *properties_json(const struct report *r)
{
    json_t *properties = json_object();

    set_output_add(properties, "sources", report_sources(r));
    set_output_add(properties, "buildable", json_boolean(r->failures == 0));
    set_output_add(properties, "approved", json_integer((json_int_t)r->approved));
    set_output_add(properties, "held", json_integer((json_int_t)r->held));
    set_output_add(properties, "leftOut",
                   json_integer((json_int_t)(r->errors + r->warnings - r->count)));
    return properties;
}

void report_sarif(const struct report *r, struct buf *out)
{
    unsigned index_of[RULES_LAST + 1] = {0};
    json_t *driver = json_object();
    json_t *tool = json_object();
    json_t *results = json_array();
    json_t *run = json_object();
    json_t *log = json_object();

    set_output_add(driver, "name", json_string("meshwrit"));
    set_output_add(driver, "version", json_string(r->version));
    set_output_add(driver, "rules", rules_json(r, index_of));
    set_output_add(tool, "driver", driver);
    for (size_t i = 0; i < r->count; i++) {
        if (json_array_append_new(results, result_json(r, &r->findings[i], index_of)) != 0)
            out_of_memory();
    }
    set_output_add(run, "tool", tool);
    set_output_add(run, "columnKind", json_string("unicodeCodePoints"));
    set_output_add(run, "results", results);
    set_output_add(run, "properties", properties_json(r));
    set_output_add(log, "$schema", json_string(schema_uri));
    set_output_add(log, "version", json_string("2.1.0"));
    set_output_add(log, "runs", json_pack("[o]", run));
    set_output_dump(log, 0, out);
}
