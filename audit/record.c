#include "audit/record.h"

#include "base/clock.h"
#include "base/jsontext.h"

#include "base/banned.h"

/* Absent rather than empty: the log is read by people. */
static void member(struct buf *out, const char *key, struct bytes value)
{
    if (value.len > 0)
        jsontext_member(out, key, value);
}

static void write_groups(const struct review *rv, struct buf *out)
{
    if (rv->group_count == 0)
        return;
    jsontext_key(out, "groups");
    buf_byte(out, '[');
    for (size_t i = 0; i < rv->group_count; i++) {
        if (i > 0)
            buf_byte(out, ',');
        jsontext_string(out, rv->groups[i]);
    }
    buf_byte(out, ']');
}

static void write_git(const struct record_context *context, const struct decision *d,
                      struct buf *out)
{
    char hex[DIGEST_HEX_SIZE];

    if (d->has_digest)
        jsontext_member_plain(out, "digest", bytes_str(digest_hex(&d->digest, hex)));
    if (context->root != NULL)
        jsontext_member_plain(out, "root", bytes_str(context->root));
    if (!d->has_entry) {
        member(out, "commit", context->commits);
        return;
    }
    member(out, "commit", d->entry.commit);
    member(out, "path", d->entry.path);
    jsontext_member_int(out, "line", d->entry.line);
}

void record_write(const struct record_context *context, const struct review *rv,
                  const struct decision *d, int64_t now, int64_t latency_micros, struct buf *out)
{
    char time[CLOCK_TEXT_SIZE];

    buf_append(out, BYTES("\"time\":\""));
    buf_append_str(out, clock_text(now, time));
    buf_byte(out, '"');
    member(out, "replica", bytes_str(context->replica));
    member(out, "cluster", bytes_str(context->cluster));
    member(out, "uid", rv->uid);
    member(out, "operation", bytes_str(operation_text(rv->operation)));
    member(out, "subresource", rv->subresource);
    member(out, "group", rv->group);
    member(out, "version", rv->version);
    member(out, "kind", rv->kind);
    member(out, "namespace", d->id.namespace);
    member(out, "name", d->id.name);
    member(out, "user", rv->user);
    member(out, "userUid", rv->user_uid);
    write_groups(rv, out);
    member(out, "fieldManager", rv->field_manager);
    jsontext_member_plain(out, "verdict",
                          bytes_str(d->verdict == VERDICT_ALLOW ? "allow" : "deny"));
    jsontext_member_plain(out, "reason", bytes_str(reason_text(d->reason)));
    jsontext_member_plain(out, "mode", bytes_str(mode_text(d->mode)));
    if (rv->dry_run)
        jsontext_member_bool(out, "dryRun", true);
    write_git(context, d, out);
    member(out, "message", bytes_str(d->message));
    jsontext_member_int(out, "latencyMicros", latency_micros);
    buf_append(out, BYTES("}\n"));
}
