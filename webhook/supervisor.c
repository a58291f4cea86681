#include "webhook/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "webhook/bind.h"
#include "webhook/channel.h"
#include "webhook/puller.h"
#include "webhook/server.h"

#include "base/banned.h"

enum {
    MICROS_PER_MILLI = 1000,
    BACKOFF_MOST_MS = 5000,
    STABLE_MICROS = 10 * 1000 * 1000, /* a role that lived that long starts again at once */
    DRAIN_PATIENCE_MS = SERVER_DRAIN_END_MS + 5000,
    EXIT_NO_RESTART = 2, /* of a role: it cannot be done */
};

enum role_name { ROLE_SERVER, ROLE_SOURCE, ROLE_COUNT };

struct role {
    pid_t pid; /* 0: not running */
    int channel;
    int64_t started;
    int64_t restart; /* monotonic micros, when pid is 0 */
    unsigned backoff_ms;
    bool served; /* has come up at least once */
};

struct supervisor {
    const struct config *config;
    struct server_sockets sockets;
    int signals;
    struct role roles[ROLE_COUNT];
    char status[CHANNEL_MAX_MESSAGE + 1]; /* the source's last, for a server that starts anew */
    bool stopping;
    int64_t stop_deadline;
    int exit_code;
};

static const char *const role_names[] = {[ROLE_SERVER] = "server", [ROLE_SOURCE] = "source"};

/* --- children --------------------------------------------------------------------------------- */

/* In the child: only what this role needs stays open. */
static void become(struct supervisor *s, enum role_name name, int channel)
{
    static const char *const process_names[] = {
        [ROLE_SERVER] = "mw-server", [ROLE_SOURCE] = "mw-source"};
    sigset_t none;

    (void)prctl(PR_SET_NAME, process_names[name]);
    log_role(role_names[name]);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)close(s->signals);
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (s->roles[i].pid != 0)
            (void)close(s->roles[i].channel);
    }
    if (name == ROLE_SERVER) {
        (void)signal(SIGTERM, SIG_IGN); /* the supervisor says when, over the channel */
        (void)signal(SIGINT, SIG_IGN);
        _exit(server_run(s->config, &s->sockets, channel));
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(s->sockets.listen);
    if (s->sockets.health >= 0)
        (void)close(s->sockets.health);
    (void)signal(SIGINT, SIG_IGN);
    _exit(puller_run(s->config, channel));
}

static void start_role(struct supervisor *s, enum role_name name)
{
    struct role *role = &s->roles[name];
    struct err err;
    int ends[2];

    role->restart = clock_monotonic_micros() + (int64_t)BACKOFF_MOST_MS * MICROS_PER_MILLI;
    if (!channel_pair(ends, &err)) {
        log_error("cannot start a role", "role", role_names[name], "error", err.message, NULL);
        return;
    }
    const pid_t pid = fork();

    if (pid == 0) {
        (void)close(ends[0]);
        become(s, name, ends[1]);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        log_error("cannot start a role", "role", role_names[name], "error", "fork failed", NULL);
        return;
    }
    role->pid = pid;
    role->channel = ends[0];
    role->started = clock_monotonic_micros();
    if (name == ROLE_SERVER && s->status[0] != '\0')
        (void)channel_send(role->channel, "status", bytes_str(s->status));
}

static void stop(struct supervisor *s, bool at_once)
{
    struct role *server = &s->roles[ROLE_SERVER];
    struct role *source = &s->roles[ROLE_SOURCE];

    if (source->pid != 0)
        (void)kill(source->pid, SIGKILL);
    if (server->pid != 0 && at_once)
        (void)kill(server->pid, SIGKILL);
    else if (server->pid != 0 && !s->stopping)
        (void)channel_send(server->channel, "drain", (struct bytes){0});
    if (!s->stopping)
        s->stop_deadline = clock_monotonic_micros() + (int64_t)DRAIN_PATIENCE_MS * MICROS_PER_MILLI;
    s->stopping = true;
}

static void say_ended(const char *name, int status)
{
    char how[64];

    (void)snprintf(how, sizeof(how), WIFSIGNALED(status) ? "signal %d" : "exit code %d",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    log_error("a role ended; starting it again", "role", name, "how", how, NULL);
}

static void role_ended(struct supervisor *s, enum role_name name, int status)
{
    struct role *role = &s->roles[name];
    const int64_t now = clock_monotonic_micros();

    (void)close(role->channel);
    role->pid = 0;
    if (s->stopping)
        return;
    if (name == ROLE_SERVER && !role->served && WIFEXITED(status) &&
        WEXITSTATUS(status) == EXIT_NO_RESTART) {
        s->exit_code = EXIT_NO_RESTART; /* it has said why */
        stop(s, true);
        return;
    }
    say_ended(role_names[name], status);
    role->backoff_ms = now - role->started > STABLE_MICROS ? 0
                       : role->backoff_ms == 0             ? 50
                                                           : 2 * role->backoff_ms;
    if (role->backoff_ms > BACKOFF_MOST_MS)
        role->backoff_ms = BACKOFF_MOST_MS;
    role->restart = now + (int64_t)role->backoff_ms * MICROS_PER_MILLI;
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < ROLE_COUNT; i++) {
            if (s->roles[i].pid == pid)
                role_ended(s, (enum role_name)i, status);
        }
    }
}

/* --- signals and messages --------------------------------------------------------------------- */

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM)
            stop(s, s->stopping); /* the second one does not wait */
        else if (info.ssi_signo == SIGINT)
            stop(s, true);
    }
    reap(s);
}

static void take_messages(struct supervisor *s, enum role_name name)
{
    static char buffer[CHANNEL_MAX_MESSAGE + 1];
    struct role *role = &s->roles[name];
    struct role *server = &s->roles[ROLE_SERVER];
    const char *word;
    const char *text;

    while (role->pid != 0 &&
           channel_receive(role->channel, buffer, &word, &text) == CHANNEL_MESSAGE) {
        if (name == ROLE_SERVER) {
            role->served = true;
            continue;
        }
        if (strcmp(word, "status") == 0)
            (void)snprintf(s->status, sizeof(s->status), "%s", text);
        if (server->pid != 0)
            (void)channel_send(server->channel, word, bytes_str(text));
    }
}

static int wait_millis(const struct supervisor *s)
{
    const int64_t now = clock_monotonic_micros();
    int64_t until = s->stopping ? s->stop_deadline : now + 3600LL * 1000 * 1000;

    for (int i = 0; i < ROLE_COUNT && !s->stopping; i++) {
        if (s->roles[i].pid == 0 && s->roles[i].restart < until)
            until = s->roles[i].restart;
    }
    return until <= now ? 0 : (int)((until - now) / MICROS_PER_MILLI + 1);
}

static void turn(struct supervisor *s)
{
    struct pollfd ready[1 + ROLE_COUNT] = {{.fd = s->signals, .events = POLLIN}};

    for (int i = 0; i < ROLE_COUNT; i++) {
        ready[1 + i].fd = s->roles[i].pid != 0 ? s->roles[i].channel : -1;
        ready[1 + i].events = POLLIN;
    }
    (void)poll(ready, 1 + ROLE_COUNT, wait_millis(s));
    for (int i = 0; i < ROLE_COUNT; i++) {
        if ((ready[1 + i].revents & POLLIN) != 0)
            take_messages(s, (enum role_name)i);
        else if ((ready[1 + i].revents & POLLHUP) != 0)
            (void)usleep(MICROS_PER_MILLI); /* its end will be reaped */
    }
    take_signals(s);
    for (int i = 0; i < ROLE_COUNT && !s->stopping; i++) {
        if (s->roles[i].pid == 0 && s->roles[i].restart <= clock_monotonic_micros())
            start_role(s, (enum role_name)i);
    }
    if (s->stopping && clock_monotonic_micros() >= s->stop_deadline)
        stop(s, true);
}

static bool any_alive(const struct supervisor *s)
{
    return s->roles[ROLE_SERVER].pid != 0 || s->roles[ROLE_SOURCE].pid != 0;
}

static bool prepare(struct supervisor *s, struct err *err)
{
    sigset_t mask;

    if (!file_make_folder(s->config->state_dir, err) ||
        !bind_listen(s->config->listen, "listen", &s->sockets.listen, err))
        return false;
    if (s->config->health != NULL &&
        !bind_listen(s->config->health, "health", &s->sockets.health, err))
        return false;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigaddset(&mask, SIGINT);
    (void)sigaddset(&mask, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 || err_errno(err, "cannot watch signals");
}

int supervisor_run(const struct config *config)
{
    static struct supervisor s;
    struct err err;

    s = (struct supervisor){.config = config, .sockets = {.listen = -1, .health = -1}};
    log_role("supervisor");
    if (!prepare(&s, &err)) {
        (void)fprintf(stderr, "meshwrit: %s\n", err.message);
        return 2;
    }
    start_role(&s, ROLE_SERVER);
    start_role(&s, ROLE_SOURCE);
    while (!s.stopping || any_alive(&s))
        turn(&s);
    return s.exit_code;
}
