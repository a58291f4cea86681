#include "policy/answer.h"

#include "base/jsontext.h"

#include "base/banned.h"

enum { FORBIDDEN = 403, ANNOTATION_MAX = 256 };

static void plain_annotation(struct buf *out, const char *key, struct bytes value)
{
    if (value.len > 0)
        jsontext_member_plain(out, key, value);
}

static void annotation(struct buf *out, const char *key, struct bytes value)
{
    if (value.len > ANNOTATION_MAX)
        value.len = ANNOTATION_MAX;
    if (value.len > 0)
        jsontext_member(out, key, value);
}

static void write_annotations(const struct answer_context *context, const struct decision *d,
                              struct buf *out)
{
    char hex[DIGEST_HEX_SIZE];

    buf_append(out, BYTES(",\"auditAnnotations\":{"));
    plain_annotation(out, "reason", bytes_str(reason_text(d->reason)));
    if (d->has_digest)
        plain_annotation(out, "digest", bytes_str(digest_hex(&d->digest, hex)));
    plain_annotation(out, "root", bytes_str(context->root));
    annotation(out, "commit", d->has_entry ? d->entry.commit : context->commits);
    buf_byte(out, '}');
}

void answer_write(const struct answer_context *context, struct bytes uid, const struct decision *d,
                  struct buf *out)
{
    buf_append(out, BYTES("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","
                          "\"response\":{\"uid\":"));
    jsontext_string(out, uid);
    buf_append_str(out, d->allowed ? ",\"allowed\":true" : ",\"allowed\":false");
    if (!d->allowed) {
        buf_printf(out, ",\"status\":{\"status\":\"Failure\",\"reason\":\"Forbidden\",\"code\":%d,",
                   FORBIDDEN);
        buf_append(out, BYTES("\"message\":"));
        jsontext_string(out, bytes_str(d->message));
        buf_byte(out, '}');
    }
    if (d->warning[0] != '\0') {
        buf_append(out, BYTES(",\"warnings\":["));
        jsontext_string(out, bytes_str(d->warning));
        buf_byte(out, ']');
    }
    write_annotations(context, d, out);
    buf_append(out, BYTES("}}"));
}
