#include "command/certs.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "certs/describe.h"
#include "certs/issue.h"
#include "command/command.h"

#include "base/banned.h"

enum { GIVEN_NAMES = 6 /* by the service, before --name */, NAME_SIZE = 320 };

static const char usage[] =
    "init  [--out DIR] [--service NAME] [--namespace NS] [--name DNS|IP]... [--days N] [--force]\n"
    "       meshwrit certs renew [--out DIR] [--service NAME] [--namespace NS] [--name DNS|IP]... "
    "[--days N]\n"
    "       meshwrit certs show  [FILE|DIR]";

static const char help[] =
    "\n"
    "init    makes an authority (ca.crt, ca.key) and a server certificate for the Service and for\n"
    "        loopback (tls.crt, tls.key) in DIR; prints the caBundle for the webhook "
    "configuration\n"
    "renew   makes a new tls.crt and tls.key under the authority in DIR, for the names of the old\n"
    "        one unless --service, --namespace or --name is given\n"
    "show    prints what certificates say; exit code 1 if one has expired\n"
    "\n"
    "  --out DIR        the folder (.)\n"
    "  --service NAME   the Service in front of the webhook (meshwrit)\n"
    "  --namespace NS   the Service's namespace (meshwrit-system)\n"
    "  --name DNS|IP    one more name that the server answers to\n"
    "  --days N         how long the server certificate is valid (365)\n"
    "  --force          replace what is there, the authority too\n";

struct options {
    const char *out;
    const char *service;
    const char *namespace;
    const char *extra[ISSUE_MAX_NAMES];
    size_t extra_count;
    int days;
    bool force;
    bool names_given;
};

static bool take_days(struct options *o, const char *text)
{
    char *end;
    const long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < 1 || value > ISSUE_MAX_DAYS)
        return false;
    o->days = (int)value;
    return true;
}

static bool take_option(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'o':
        o->out = value;
        return true;
    case 's':
        o->service = value;
        o->names_given = true;
        return true;
    case 'n':
        o->namespace = value;
        o->names_given = true;
        return true;
    case 'a':
        if (o->extra_count == COUNT(o->extra) - GIVEN_NAMES)
            return false;
        o->extra[o->extra_count++] = value;
        o->names_given = true;
        return true;
    case 'd':
        return take_days(o, value);
    case 'f':
        o->force = true;
        return true;
    default:
        return false;
    }
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"out", required_argument, NULL, 'o'},
                                          {"service", required_argument, NULL, 's'},
                                          {"namespace", required_argument, NULL, 'n'},
                                          {"name", required_argument, NULL, 'a'},
                                          {"days", required_argument, NULL, 'd'},
                                          {"force", no_argument, NULL, 'f'},
                                          {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){.out = ".",
                          .service = "meshwrit",
                          .namespace = "meshwrit-system",
                          .days = ISSUE_DEFAULT_DAYS};
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (!take_option(o, option, optarg))
            return false;
    }
    return optind == argc;
}

/* What the Service is called by, loopback's names and the extra ones; the first becomes the CN. */
struct names {
    char service[3][NAME_SIZE];
    const char *list[ISSUE_MAX_NAMES];
    size_t count;
};

static void collect_names(const struct options *o, struct names *names)
{
    static const char *const endings[] = {".svc", ".svc.cluster.local", ""};
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};

    names->count = 0;
    for (size_t i = 0; i < COUNT(endings); i++) {
        (void)snprintf(names->service[i], NAME_SIZE, "%s.%s%s", o->service, o->namespace,
                       endings[i]);
        names->list[names->count++] = names->service[i];
    }
    for (size_t i = 0; i < COUNT(loopback); i++)
        names->list[names->count++] = loopback[i];
    for (size_t i = 0; i < o->extra_count; i++)
        names->list[names->count++] = o->extra[i];
}

static bool print_line(const struct buf *text, struct err *err)
{
    (void)fwrite(text->ptr, 1, text->len, stdout);
    (void)fputc('\n', stdout);
    return fflush(stdout) == 0 || err_errno(err, "cannot write to standard output");
}

static int init_main(int argc, char **argv)
{
    CLEANUP(buf_release) struct buf bundle = {0};
    struct options o;
    struct names names;
    struct err err = {0};

    if (!read_options(argc, argv, &o))
        return command_usage("certs", usage);
    collect_names(&o, &names);

    const struct issue_request request = {names.list, names.count, o.days};
    CLEANUP(freep) char *ca = xasprintf("%s/ca.crt", o.out);

    if (!issue_init(o.out, &request, o.force, clock_now_micros(), &err) ||
        !issue_ca_bundle(ca, &bundle, &err) || !print_line(&bundle, &err))
        return command_fail("certs", &err);
    (void)fprintf(stderr,
                  "%s: wrote ca.crt, ca.key, tls.crt, tls.key; keep ca.key away from the server\n",
                  o.out);
    return FOUND_NOTHING;
}

static int renew_main(int argc, char **argv)
{
    struct options o;
    struct names names = {.count = 0};
    struct err err = {0};

    if (!read_options(argc, argv, &o) || o.force)
        return command_usage("certs", usage);
    if (o.names_given)
        collect_names(&o, &names);

    const struct issue_request request = {names.list, names.count, o.days};

    if (!issue_renew(o.out, &request, clock_now_micros(), &err))
        return command_fail("certs", &err);
    (void)fprintf(stderr, "%s: wrote tls.key and tls.crt; the authority is the same\n", o.out);
    return FOUND_NOTHING;
}

/* Of a folder: the certificates that issue_init() makes, as far as they are there. */
static bool show_folder(const char *folder, struct buf *out, bool *expired, struct err *err)
{
    static const char *const files[] = {"ca.crt", "tls.crt"};
    bool any = false;

    for (size_t i = 0; i < COUNT(files); i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", folder, files[i]);

        if (access(path, F_OK) != 0)
            continue;
        any = true;
        if (!describe_certificates(path, clock_now_micros(), out, expired, err))
            return false;
    }
    return any || err_set(err, "%s: has neither ca.crt nor tls.crt", folder);
}

static int show_main(int argc, char **argv)
{
    CLEANUP(buf_release) struct buf text = {0};
    const char *path = argc == 2 ? argv[1] : ".";
    struct stat status;
    struct err err = {0};
    bool expired = false;

    if (argc > 2 || path[0] == '-')
        return command_usage("certs", usage);

    const bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    const bool done = is_folder
                          ? show_folder(path, &text, &expired, &err)
                          : describe_certificates(path, clock_now_micros(), &text, &expired, &err);

    if (!done)
        return command_fail("certs", &err);
    (void)fwrite(text.ptr, 1, text.len, stdout);
    if (fflush(stdout) != 0) {
        (void)err_errno(&err, "cannot write to standard output");
        return command_fail("certs", &err);
    }
    return expired ? FOUND_SOMETHING : FOUND_NOTHING;
}

int certs_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {{"init", init_main}, {"renew", renew_main}, {"show", show_main}};

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)printf("usage: meshwrit certs %s\n%s", usage, help);
        return FOUND_NOTHING;
    }
    for (size_t i = 0; argc >= 2 && i < COUNT(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    }
    return command_usage("certs", usage);
}
