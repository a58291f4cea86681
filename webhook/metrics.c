#include "webhook/metrics.h"

#include "base/banned.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "gauge", help);
    buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void write_decisions(const struct server *s, struct buf *out)
{
    head(out, "meshwrit_decisions_total", "counter", "Answers by reason.");
    for (int reason = REASON_UNSET + 1; reason < REASON_COUNT; reason++) {
        for (int allowed = 0; allowed < 2; allowed++) {
            uint64_t sum = 0;

            for (size_t i = 0; i < s->loop_count; i++)
                sum += admit_count(s->loops[i].admit, (enum reason)reason, allowed == 1);
            if (sum > 0)
                buf_printf(out, "meshwrit_decisions_total{verdict=\"%s\",reason=\"%s\"} %llu\n",
                           allowed ? "allow" : "deny", reason_text((enum reason)reason),
                           (unsigned long long)sum);
        }
    }
}

static uint64_t http_sum(const struct server *s, enum http_count count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->loop_count; i++)
        sum += http_loop_count(s->loops[i].http, count);
    return sum;
}

static void write_http(const struct server *s, struct buf *out)
{
    const char *last = "";

    for (int i = 0; i < HTTP_COUNTS; i++) {
        const struct http_count_info info = http_count_info((enum http_count)i);
        const unsigned long long sum = http_sum(s, (enum http_count)i);

        if (strcmp(last, info.metric) != 0)
            buf_printf(out, "# TYPE %s counter\n", info.metric);
        last = info.metric;
        if (info.label == NULL)
            buf_printf(out, "%s %llu\n", info.metric, sum);
        else
            buf_printf(out, "%s{%s=\"%s\"} %llu\n", info.metric, info.label, info.value, sum);
    }
}

static const char *text(const json_t *map, const char *key)
{
    const char *value = json_string_value(json_object_get(map, key));

    return value == NULL ? "" : value;
}

static void write_source(const json_t *source, bool in_force, struct buf *out)
{
    const char *name = text(source, "name");

    buf_printf(out, "meshwrit_source_up{source=\"%s\"} %d\n", name,
               text(source, "problem")[0] == '\0');
    buf_printf(out, "meshwrit_source_last_success_timestamp_seconds{source=\"%s\"} %lld\n", name,
               (long long)json_integer_value(json_object_get(source, "lastSuccess")));
    buf_printf(out, "meshwrit_source_in_force{source=\"%s\"} %d\n", name, in_force);
}

static void write_sources(struct server *s, struct buf *out)
{
    size_t i;
    json_t *source;

    (void)pthread_mutex_lock(&s->lock);
    json_t *status = json_loads(s->status, 0, NULL);

    if (s->root[0] != '\0')
        buf_printf(out, "# TYPE meshwrit_set_info gauge\nmeshwrit_set_info{root=\"%s\"} 1\n",
                   s->root);
    (void)pthread_mutex_unlock(&s->lock);
    const bool in_force = text(status, "problem")[0] == '\0';

    if (status != NULL)
        gauge(out, "meshwrit_newest_commits_in_force",
              "1 if the newest commits that were fetched are in force.", in_force);
    json_array_foreach(json_object_get(status, "sources"), i, source)
    {
        write_source(source, in_force, out);
    }
    json_decref(status);
}

void metrics_write(struct server *s, struct buf *out)
{
    gauge(out, "meshwrit_set_mapped", "1 if a valid set is mapped.", atomic_load(&s->mapped));
    gauge(out, "meshwrit_set_entries", "Objects in the mapped set, held ones too.",
          atomic_load(&s->entries));
    gauge(out, "meshwrit_set_held", "Objects in Git that cannot be used as they are.",
          atomic_load(&s->held));
    gauge(out, "meshwrit_audit_writable", "1 if the last write to the audit log went well.",
          auditlog_is_healthy(s->audit));
    write_decisions(s, out);
    write_sources(s, out);
    write_http(s, out);
}
