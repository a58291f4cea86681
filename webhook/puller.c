#include "webhook/puller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/jsontext.h"
#include "base/log.h"
#include "policy/set.h"
#include "webhook/channel.h"
#include "webhook/generation.h"

#include "base/banned.h"

enum { MICROS_PER_MILLI = 1000, MAX_REPORTED_HELD = 20 };

struct pull {
    const struct config_source *config;
    char *folder;                      /* its bare clone */
    char commit[REPO_COMMIT_HEX_SIZE]; /* newest that was fetched; "": none */
    int64_t due;                       /* monotonic micros */
    int64_t last_success;              /* micros since 1970; 0: never */
    char problem[768];                 /* of the last look; "": it went well */
};

struct puller {
    const struct config *config;
    int channel;
    struct pull *pulls;
    char *set_path;
    char *built;        /* the commits that were built last, to see a change */
    char problem[1024]; /* why the newest commits are not in force; "": they are */
    struct buf status;  /* as sent last */
    size_t reported_held;
};

char *puller_set_path(const struct config *config)
{
    return xasprintf("%s/writ.set", config->state_dir);
}

/* --- fetching --------------------------------------------------------------------------------- */

/* In the child: the commit, or '!' and the reason, goes to `out`. */
static void fetch_child(const struct pull *p, int out)
{
    char commit[REPO_COMMIT_HEX_SIZE];
    struct err err = {0};
    struct err ignored;
    struct buf answer = {0};

    (void)prctl(PR_SET_NAME, "mw-fetch");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (repo_library_start(&err) &&
        repo_fetch(p->folder, p->config->url, p->config->ref, commit, &err))
        buf_append_str(&answer, commit);
    else
        buf_printf(&answer, "!%s", err.message);
    (void)!file_write_all(out, buf_bytes(&answer), &ignored);
    _exit(0);
}

/* All of the child's answer; false when the time is over. */
static bool read_answer(int fd, struct buf *answer)
{
    const int64_t end = clock_monotonic_micros() + (int64_t)PULLER_FETCH_SECONDS * 1000000;

    for (;;) {
        const int64_t left = (end - clock_monotonic_micros()) / MICROS_PER_MILLI;
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        if (left <= 0)
            return false;
        if (poll(&ready, 1, (int)left) <= 0)
            continue; /* interrupted, or the time is over */
        buf_reserve(answer, 1024);
        const ssize_t n = read(fd, answer->ptr + answer->len, answer->cap - answer->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        answer->len += (size_t)n;
    }
}

static bool fetch(struct pull *p, struct err *err)
{
    struct buf answer CLEANUP(buf_release) = {0};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(err, "cannot make a pipe");
    const pid_t child = fork();

    if (child == 0)
        fetch_child(p, ends[1]);
    (void)close(ends[1]);
    const bool answered = child > 0 && read_answer(ends[0], &answer);

    (void)close(ends[0]);
    if (child < 0)
        return err_errno(err, "cannot start a fetch");
    if (!answered)
        (void)kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!answered)
        return err_set(err, "%s: no answer within %d s", p->config->url, PULLER_FETCH_SECONDS);
    if (answer.len != REPO_COMMIT_HEX_SIZE - 1)
        return err_set(err, "%s", answer.len > 1 ? buf_cstr(&answer) + 1 : "the fetch crashed");
    memcpy(p->commit, buf_cstr(&answer), REPO_COMMIT_HEX_SIZE);
    return true;
}

/* --- building --------------------------------------------------------------------------------- */

static void note(void *context, const struct build_finding *f)
{
    struct puller *pl = context;
    char place[16];

    if (pl->reported_held++ >= MAX_REPORTED_HELD)
        return;
    (void)snprintf(place, sizeof(place), "%u", f->line);
    log_warn(f->kind == BUILD_HELD ? "held" : "skipped", "source", f->source, "path", f->path,
             "line", place, "object", f->object == NULL ? "" : f->object, "reason", f->message,
             NULL);
}

static void log_published(const struct build_summary *summary, const char *commits)
{
    char approved[24];
    char held[24];

    (void)snprintf(approved, sizeof(approved), "%zu", summary->approved);
    (void)snprintf(held, sizeof(held), "%zu", summary->held);
    log_info("published a new set", "commits", commits, "approved", approved, "held", held, NULL);
}

static void write_state(struct puller *pl)
{
    struct buf text CLEANUP(buf_release) = {0};
    CLEANUP(freep) char *path = xasprintf("%s/state.json", pl->config->state_dir);
    struct err err;

    buf_append(&text, BYTES("{\"version\":1,\"sources\":["));
    for (size_t i = 0; i < pl->config->source_count; i++) {
        const struct pull *p = &pl->pulls[i];

        buf_append_str(&text, i == 0 ? "{" : ",{");
        jsontext_member(&text, "name", bytes_str(p->config->name));
        jsontext_member(&text, "url", bytes_str(p->config->url));
        jsontext_member(&text, "ref", bytes_str(p->config->ref));
        jsontext_member(&text, "commit", bytes_str(p->commit));
        jsontext_member_int(&text, "lastSuccessMicros", p->last_success);
        buf_byte(&text, '}');
    }
    buf_append(&text, BYTES("]}\n"));
    if (!file_replace(path, buf_bytes(&text), 0600, &err))
        log_warn("cannot write the state", "error", err.message, NULL);
}

static bool build_and_publish(struct puller *pl, const char *commits, struct err *err)
{
    struct buf set CLEANUP(buf_release) = {0};
    struct build_summary summary = {0};
    const size_t count = pl->config->source_count;
    CLEANUP(freep) struct checkout *checkouts = xcalloc(count, sizeof(checkouts[0]));

    for (size_t i = 0; i < count; i++) {
        checkouts[i].folder = pl->pulls[i].folder;
        memcpy(checkouts[i].commit, pl->pulls[i].commit, REPO_COMMIT_HEX_SIZE);
    }
    const struct generation generation = {
        .config = pl->config,
        .checkouts = checkouts,
        .note = note,
        .context = pl,
    };

    pl->reported_held = 0;
    if (!generation_build(&generation, &set, &summary, err) ||
        !file_replace(pl->set_path, buf_bytes(&set), 0600, err))
        return false;
    log_published(&summary, commits);
    return true;
}

/* "name=commit,…", or NULL while a source has none. */
static char *all_commits(const struct puller *pl)
{
    struct buf text = {0};

    for (size_t i = 0; i < pl->config->source_count; i++) {
        if (pl->pulls[i].commit[0] == '\0') {
            buf_release(&text);
            return NULL;
        }
        buf_printf(&text, "%s%s=%s", i == 0 ? "" : ",", pl->pulls[i].config->name,
                   pl->pulls[i].commit);
    }
    (void)buf_cstr(&text);
    return (char *)text.ptr;
}

/* --- what others hear of it ------------------------------------------------------------------- */

static void send_status(struct puller *pl)
{
    struct buf text CLEANUP(buf_release) = {0};

    buf_append(&text, BYTES("{\"problem\":"));
    jsontext_string(&text, bytes_str(pl->problem));
    buf_append(&text, BYTES(",\"sources\":["));
    for (size_t i = 0; i < pl->config->source_count; i++) {
        const struct pull *p = &pl->pulls[i];

        buf_append_str(&text, i == 0 ? "{" : ",{");
        jsontext_member(&text, "name", bytes_str(p->config->name));
        jsontext_member(&text, "commit", bytes_str(p->commit));
        jsontext_member(&text, "problem", bytes_str(p->problem));
        jsontext_member_int(&text, "lastSuccess", p->last_success / 1000000);
        buf_byte(&text, '}');
    }
    buf_append(&text, BYTES("]}"));
    if (bytes_equal(buf_bytes(&text), buf_bytes(&pl->status)))
        return;
    (void)channel_send(pl->channel, "status", buf_bytes(&text));
    pl->status.len = 0;
    buf_append(&pl->status, buf_bytes(&text));
}

static void look(struct pull *p)
{
    struct err err = {0};

    if (fetch(p, &err)) {
        p->problem[0] = '\0';
        p->last_success = clock_now_micros();
    } else {
        if (strcmp(p->problem, err.message) != 0)
            log_warn("cannot look at the source", "source", p->config->name, "error", err.message,
                     NULL);
        memcpy(p->problem, err.message, sizeof(p->problem));
    }
    p->due = clock_monotonic_micros() + (int64_t)p->config->interval_ms * MICROS_PER_MILLI;
}

/* Builds when a commit is not what was built last; says once why that failed. */
static void renew(struct puller *pl)
{
    CLEANUP(freep) char *commits = all_commits(pl);
    struct err err = {0};

    if (commits == NULL || (pl->built != NULL && strcmp(commits, pl->built) == 0))
        return;
    if (build_and_publish(pl, commits, &err)) {
        pl->problem[0] = '\0';
        write_state(pl);
        (void)channel_send(pl->channel, "published", (struct bytes){0});
    } else {
        log_error("the newest commits are not in force", "commits", commits, "error", err.message,
                  NULL);
        (void)snprintf(pl->problem, sizeof(pl->problem), "%s", err.message);
    }
    free(pl->built);
    pl->built = STEAL(commits);
}

/* --- the loop --------------------------------------------------------------------------------- */

static int64_t next_due(const struct puller *pl)
{
    int64_t due = pl->pulls[0].due;

    for (size_t i = 1; i < pl->config->source_count; i++)
        due = pl->pulls[i].due < due ? pl->pulls[i].due : due;
    return due;
}

/* False when the supervisor is gone. */
static bool wait_until(const struct puller *pl, int64_t due)
{
    char buffer[CHANNEL_MAX_MESSAGE + 1];
    const char *word;
    const char *text;

    for (;;) {
        const int64_t left =
            (due - clock_monotonic_micros() + MICROS_PER_MILLI - 1) / MICROS_PER_MILLI;
        struct pollfd ready = {.fd = pl->channel, .events = POLLIN};

        if (left <= 0)
            return true;
        if (poll(&ready, 1, (int)left) <= 0)
            continue;
        if (channel_receive(pl->channel, buffer, &word, &text) == CHANNEL_CLOSED)
            return false;
    }
}

static void start(struct puller *pl, const struct config *config, int channel)
{
    *pl = (struct puller){.config = config, .channel = channel};
    pl->set_path = puller_set_path(config);
    pl->pulls = xcalloc(config->source_count, sizeof(pl->pulls[0]));
    for (size_t i = 0; i < config->source_count; i++) {
        pl->pulls[i].config = &config->sources[i];
        pl->pulls[i].folder =
            xasprintf("%s/sources/%s.git", config->state_dir, config->sources[i].name);
    }
}

int puller_run(const struct config *config, int channel)
{
    struct puller pl;
    struct err err;
    CLEANUP(freep) char *folder = xasprintf("%s/sources", config->state_dir);

    if (!file_make_folder(folder, &err) || !repo_library_start(&err)) {
        log_error("cannot start", "error", err.message, NULL);
        return 1;
    }
    start(&pl, config, channel);
    do {
        for (size_t i = 0; i < config->source_count; i++) {
            if (pl.pulls[i].due <= clock_monotonic_micros())
                look(&pl.pulls[i]);
        }
        renew(&pl);
        send_status(&pl);
    } while (wait_until(&pl, next_due(&pl)));
    return 0;
}
