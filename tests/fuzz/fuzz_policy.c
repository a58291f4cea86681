/*
 * fuzz_policy.c -- the bytes as a policy: the YAML of Git or of a file, and the JSON that a set
 * carries. What must hold:
 *
 *   - what YAML is accepted as, the set's JSON is accepted as: a set that was built can be served,
 *     and both answer every question alike;
 *   - the set's JSON is a fixed point: read and written again it is the same bytes;
 *   - a kind that the policy names is governed, and so is its group;
 *   - a refusal is one line that begins with the file.
 */
#include <jansson.h>

#include "policy/policy.h"
#include "tests/fuzz/fuzz.h"
#include "webhook/config.h"

#include "base/banned.h"

static const char *const words[] = {
    "", "networking.istio.io", "VirtualService", "ConfigMap", "prod", "istio", "*",
};

struct asked {
    const struct policy *policy;
    struct buf answers;
};

/* Every answer about one group and kind, as bytes. */
static void ask_kind(struct asked *asked, struct bytes group, struct bytes kind)
{
    const struct policy *p = asked->policy;

    buf_byte(&asked->answers, policy_governs_group(p, group));
    buf_byte(&asked->answers, policy_governs_kind(p, group, kind));
    buf_byte(&asked->answers, policy_has_status_writers(p, group, kind));
    for (size_t i = 0; i < COUNT(words); i++) {
        const struct identity id = {group, kind, bytes_str(words[i]),
                                    bytes_str(words[COUNT(words) - 1 - i])};
        enum mode mode = MODE_ENFORCE;
        const bool governs = policy_governs(p, &id, &mode);

        require(!governs || policy_governs_kind(p, group, kind));
        require(!governs || policy_governs_group(p, group));
        buf_byte(&asked->answers, governs);
        buf_append_str(&asked->answers, mode_text(mode));
        buf_byte(&asked->answers, policy_is_status_writer(p, group, kind, bytes_str(words[i])));
    }
}

static void ask_named(void *context, struct bytes group, struct bytes kind)
{
    struct asked *asked = context;

    require(policy_governs_kind(asked->policy, group, kind));
    require(policy_governs_group(asked->policy, group));
    require(group.len == 0 || policy_is_named_in(asked->policy, group));
    buf_append(&asked->answers, group);
    buf_append(&asked->answers, kind);
    ask_kind(asked, group, kind);
}

static void ask_all(const struct policy *p, struct buf *answers)
{
    struct asked asked = {.policy = p};

    policy_each_kind(p, ask_named, &asked);
    for (size_t i = 0; i < COUNT(words); i++) {
        for (size_t k = 0; k < COUNT(words); k++)
            ask_kind(&asked, bytes_str(words[i]), bytes_str(words[k]));
        buf_byte(&asked.answers, policy_is_named_in(p, bytes_str(words[i])));
    }
    buf_byte(&asked.answers, (uint8_t)policy_delete_unknown(p));
    buf_byte(&asked.answers, policy_enforces_dry_run(p));
    *answers = asked.answers;
}

/* The same answers from the document as from the text that the set carries of it. */
static void check_carried(const json_t *document)
{
    struct policy *from_document = NULL;
    struct policy *from_text = NULL;
    struct buf text = {0};
    struct buf again = {0};
    struct buf answers[2] = {{0}, {0}};
    struct err err = {0};

    require(policy_load(document, &from_document, &err));
    policy_text(document, &text);
    require(policy_load_text(buf_bytes(&text), &from_text, &err));
    ask_all(from_document, &answers[0]);
    ask_all(from_text, &answers[1]);
    require(bytes_equal(buf_bytes(&answers[0]), buf_bytes(&answers[1])));

    json_t *carried = json_loadb((const char *)text.ptr, text.len, 0, NULL);

    policy_text(carried, &again);
    require(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
    json_decref(carried);
    policy_free(from_document);
    policy_free(from_text);
    for (size_t i = 0; i < COUNT(answers); i++)
        buf_release(&answers[i]);
    buf_release(&text);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct policy *p = NULL;
    json_t *document = NULL;
    struct err err = {0};

    if (policy_load_text(bytes_of(data, len), &p, &err)) {
        struct buf answers = {0};

        ask_all(p, &answers);
        buf_release(&answers);
        policy_free(p);
    }
    if (config_read_policy("policy.yaml", data, len, &document, &err)) {
        check_carried(document);
        json_decref(document);
    } else {
        require(strncmp(err.message, "policy.yaml:", strlen("policy.yaml:")) == 0);
        require(strchr(err.message, '\n') == NULL);
    }
    return 0;
}
