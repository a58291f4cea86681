/*
 * Fetches over HTTPS from `git http-backend` behind a small TLS server of our own, which also
 * plays servers that want credentials, redirect, lie or send too much.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/file.h"
#include "certs/issue.h"
#include "certs/tlsfiles.h"
#include "source/repo_impl.h"
#include "tests/unit/repository.h"

enum { MAX_REQUEST_BYTES = 1 << 20 };

static in_port_t port;
static pid_t server;

/* --- the server, in a process of its own ------------------------------------------------------ */

struct request {
    char method[8];
    char path[256];
    char query[256];
    char type[128];
    struct buf body;
};

static bool read_head(SSL *tls, struct buf *head)
{
    head->len = 0;
    while (!bytes_ends_with(buf_bytes(head), BYTES("\r\n\r\n"))) {
        uint8_t byte;

        if (head->len > MAX_REQUEST_BYTES || SSL_read(tls, &byte, 1) != 1)
            return false;
        buf_byte(head, byte);
    }
    return true;
}

static const char *field(const char *head, const char *name)
{
    const char *at = strcasestr(head, name);

    return at == NULL ? "" : at + strlen(name);
}

static bool read_request(SSL *tls, struct request *request)
{
    CLEANUP(buf_release) struct buf head = {0};
    char target[512];

    if (!read_head(tls, &head) ||
        sscanf(buf_cstr(&head), "%7s %511s", request->method, target) != 2)
        return false;
    request->query[0] = '\0';
    request->type[0] = '\0';
    (void)sscanf(target, "%255[^?]?%255s", request->path, request->query);
    (void)sscanf(field(buf_cstr(&head), "\nContent-Type:"), " %127[^\r]", request->type);

    const unsigned long size = strtoul(field(buf_cstr(&head), "\nContent-Length:"), NULL, 10);

    request->body.len = 0;
    buf_reserve(&request->body, size + 1);
    while (request->body.len < size) {
        const int n =
            SSL_read(tls, request->body.ptr + request->body.len, (int)(size - request->body.len));

        if (n <= 0)
            return false;
        request->body.len += (size_t)n;
    }
    return true;
}

static bool reply(SSL *tls, const char *status, const char *headers, struct bytes body)
{
    CLEANUP(buf_release) struct buf out = {0};

    buf_printf(&out, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers, body.len);
    buf_append(&out, body);
    return SSL_write(tls, out.ptr, (int)out.len) == (int)out.len;
}

/* Runs git http-backend as a CGI program, with files for its input and output. */
static bool run_backend(SSL *tls, const struct request *request)
{
    CLEANUP(buf_release) struct buf got = {0};
    CLEANUP(freep) char *in = in_folder("request");
    CLEANUP(freep) char *out = in_folder("answer");
    CLEANUP(freep)
    char *command = xasprintf("GIT_PROJECT_ROOT=%s GIT_HTTP_EXPORT_ALL=1 PATH_INFO='%s' "
                              "REQUEST_METHOD=%s QUERY_STRING='%s' CONTENT_TYPE='%s' "
                              "CONTENT_LENGTH=%zu git http-backend <%s >%s",
                              test_folder, request->path, request->method, request->query,
                              request->type, request->body.len, in, out);
    struct err err;

    if (!file_replace(in, buf_bytes(&request->body), 0600, &err) || system(command) != 0 ||
        !file_read(out, 64 << 20, &got, &err))
        return false;

    const char *text = buf_cstr(&got);
    const char *end = strstr(text, "\r\n\r\n");

    if (end == NULL)
        return false;
    const size_t head = (size_t)(end - text) + 2;
    CLEANUP(freep) char *headers = xstrndup(text, head);
    char status[64] = "200 OK";

    (void)sscanf(field(headers, "Status:"), " %63[^\r]", status);
    return reply(tls, status, headers, bytes_of(got.ptr + head + 2, got.len - head - 2));
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool redirect(SSL *tls, const struct request *request, const char *to)
{
    CLEANUP(freep)
    char *location = xasprintf("Location: %s:%u/plain/info/refs?%s\r\n", to, port, request->query);

    return reply(tls, "302 Found", location, BYTES(""));
}

static bool answer(SSL *tls, const struct request *request)
{
    static const char refs_type[] = "Content-Type: application/x-git-upload-pack-advertisement\r\n";
    static const char pack_type[] = "Content-Type: application/x-git-upload-pack-result\r\n";
    const bool is_post = strcmp(request->method, "POST") == 0;

    if (starts_with(request->path, "/secret/"))
        return reply(tls, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", BYTES(""));
    if (starts_with(request->path, "/away/"))
        return redirect(tls, request, "https://127.0.0.1");
    if (starts_with(request->path, "/clear/"))
        return redirect(tls, request, "http://localhost");
    if (starts_with(request->path, "/broken/"))
        return reply(tls, "500 Internal Server Error", "", BYTES(""));
    if (starts_with(request->path, "/rude/"))
        return reply(tls, "200 OK", refs_type,
                     BYTES("001e# service=git-upload-pack\n00000010ERR \x1b[2J\nno\n"));
    /* Says that two million objects follow. */
    if (is_post && starts_with(request->path, "/many/"))
        return reply(tls, "200 OK", pack_type,
                     BYTES("0008NAK\n0025\x01PACK\0\0\0\x02\0\x1e\x84\x80"
                           "xxxxxxxxxxxxxxxxxxxx0000"));
    /* Another object than the one that was asked for: an empty pack. */
    if (is_post && starts_with(request->path, "/liar/"))
        return reply(tls, "200 OK", pack_type,
                     BYTES("0008NAK\n0025\x01PACK\0\0\0\x02\0\0\0\0"
                           "\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd"
                           "\x3e\xd3\x1e"
                           "0000"));
    return run_backend(tls, request);
}

static void serve(int listener, SSL_CTX *ctx)
{
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        SSL *tls = SSL_new(ctx);
        struct request request = {.body = {0}};

        if (SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1) {
            while (read_request(tls, &request) && answer(tls, &request))
                continue;
        }
        buf_release(&request.body);
        SSL_free(tls);
        (void)close(fd);
    }
}

static int start_server(void **state)
{
    static const char *const names[] = {"localhost"};
    const struct issue_request request = {names, 1, 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct err err = {0};

    (void)signal(SIGPIPE, SIG_IGN);
    if (test_folder_make(state) != 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    port = ntohs(address.sin_port);

    CLEANUP(freep) char *certs = in_folder("certs");
    CLEANUP(freep) char *others = in_folder("others");
    CLEANUP(freep) char *certificate = in_folder("certs/tls.crt");
    CLEANUP(freep) char *key = in_folder("certs/tls.key");

    if (!issue_init(certs, &request, false, clock_now_micros(), &err) ||
        !issue_init(others, &request, false, clock_now_micros(), &err) ||
        !tlsfiles_load(ctx, certificate, key, &err))
        return -1;
    server = fork();
    if (server == 0)
        serve(listener, ctx);
    (void)close(listener);
    SSL_CTX_free(ctx);
    sh("git init -qb main plain; cd plain; for i in $(seq 100); do echo $i >$i.yaml; done;"
       "git add .; git commit -qm one; git tag -am one v1; git branch side;"
       "ln -s plain ../many; ln -s plain ../liar");
    return server > 0 ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    return test_folder_remove(state);
}

/* --- the client --------------------------------------------------------------------------------
 */

static void trust(const char *name)
{
    CLEANUP(freep) char *path = in_folder(name);

    assert_int_equal(git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, path, NULL), 0);
}

static bool fetch(const char *clone, const char *host, const char *path, const char *ref,
                  const struct repo_fetch_limits *limits, char commit[REPO_COMMIT_HEX_SIZE],
                  struct err *err)
{
    CLEANUP(freep) char *folder = in_folder(clone);
    CLEANUP(freep) char *url = xasprintf("https://%s:%u/%s", host, port, path);
    const struct repo_fetch_limits all = {REPO_MAX_PACK_BYTES, 0, REPO_MAX_PACK_OBJECTS};

    return repo_fetch_within(folder, url, ref, limits == NULL ? &all : limits, commit, err);
}

static void check_fetch(const char *row, const char *ref)
{
    char commit[REPO_COMMIT_HEX_SIZE];
    struct err err = {0};

    if (!fetch("https.git", "localhost", "plain", ref, NULL, commit, &err))
        fail_msg("%s: %s", row, err.message);
    struct repo *repo = open_repo("plain");

    assert_string_equal(commit, resolve(repo, ref));
    repo_close(repo);
    sh("git -C https.git fsck --strict --no-dangling >fsck 2>&1");
}

static void test_repo_fetch_over_https(void **state)
{
    (void)state;
    trust("certs/ca.crt");
    check_fetch("first", "refs/heads/main");
    check_fetch("nothing new", "refs/heads/main");
    sh("cd plain; echo two >1.yaml; git commit -qam two");
    check_fetch("a new commit", "refs/heads/main");
    sh("cd plain; git reset -q --hard HEAD~1; echo three >1.yaml; git commit -qam three");
    check_fetch("forced push", "refs/heads/main");
    check_fetch("annotated tag", "refs/tags/v1");
    /* Only what was asked for: no other branch, no tag. */
    sh("test \"$(git -C https.git for-each-ref --format='%(refname)' | tr '\\n' ' ')\" ="
       " 'refs/meshwrit/refs%2Fheads%2Fmain refs/meshwrit/refs%2Ftags%2Fv1 '");
}

static void test_repo_fetch_over_https_says_what_is_wrong(void **state)
{
    static const struct repo_fetch_limits few_bytes = {1000, 1000000, 1000000};
    static const struct repo_fetch_limits few_objects = {1000000, 1000000, 50};
    static const struct {
        const char *name;
        const char *trust;
        const char *host;
        const char *path;
        const char *ref;
        const struct repo_fetch_limits *limits;
        const char *want;
    } rows[] = {
        {"another authority", "others/ca.crt", "localhost", "plain", "refs/heads/main", NULL,
         "certificate is not trusted"},
        {"another name", "certs/ca.crt", "127.0.0.1", "plain", "refs/heads/main", NULL,
         "certificate is not trusted"},
        {"no such ref", "certs/ca.crt", "localhost", "plain", "refs/heads/none", NULL,
         "has no ref \"refs/heads/none\""},
        {"no such repository", "certs/ca.crt", "localhost", "none", "refs/heads/main", NULL, "404"},
        {"credentials", "certs/ca.crt", "localhost", "secret", "refs/heads/main", NULL,
         "the server asks for credentials"},
        {"another host", "certs/ca.crt", "localhost", "away", "refs/heads/main", NULL, "redirect"},
        {"no TLS", "certs/ca.crt", "localhost", "clear", "refs/heads/main", NULL, "redirect"},
        {"server error", "certs/ca.crt", "localhost", "broken", "refs/heads/main", NULL, "500"},
        {"terminal codes", "certs/ca.crt", "localhost", "rude", "refs/heads/main", NULL, "[2J no"},
        {"too many objects", "certs/ca.crt", "localhost", "plain", "refs/heads/main", &few_objects,
         "is more than 50 objects"},
        {"too many bytes", "certs/ca.crt", "localhost", "plain", "refs/heads/main", &few_bytes,
         "is more than 1000 bytes"},
        {"far too many objects", "certs/ca.crt", "localhost", "many", "refs/heads/main", NULL,
         "objects"},
        {"an empty pack", "certs/ca.crt", "localhost", "liar", "refs/heads/main", NULL, "cannot"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *clone = xasprintf("https-%zu.git", i);
        char commit[REPO_COMMIT_HEX_SIZE];
        struct err err = {0};

        trust(rows[i].trust);
        if (fetch(clone, rows[i].host, rows[i].path, rows[i].ref, rows[i].limits, commit, &err))
            fail_msg("%s: fetched", rows[i].name);
        check_message(rows[i].name, &err, rows[i].want);
        check_message(rows[i].name, &err, rows[i].host);
        if (strchr(err.message, '\x1b') != NULL)
            fail_msg("%s: a control character in the message", rows[i].name);
        /* Nothing is left that a later fetch would take for the real thing. */
        CLEANUP(freep)
        char *none = xasprintf("test -z \"$(git -C %s for-each-ref)\"; test -z \"$(find %s -name "
                               "'*_git2_*')\"",
                               clone, clone);

        sh(none);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repo_fetch_over_https),
        cmocka_unit_test(test_repo_fetch_over_https_says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
