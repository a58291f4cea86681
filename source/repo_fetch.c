#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "source/repo.h"
#include "source/repo_impl.h"

#include "base/banned.h"

/* Held by the one process that fetches into a folder; its death lets go of it. */
static const char guard_name[] = "fetch.guard";

/* What stopped a download; the library only hands on that something did. */
struct download {
    const struct repo_fetch_limits *limits;
    const char *reached; /* NULL, "bytes" or "objects" */
};

static void remotep(git_remote **remote)
{
    git_remote_free(*remote);
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static bool url_has_userinfo(const char *url)
{
    const char *host = strstr(url, "://");
    const char *at = host == NULL ? NULL : strchr(host, '@');

    return at != NULL && (size_t)(at - host) < strcspn(host + 3, "/") + 3;
}

static bool url_check(const char *url, struct err *err)
{
    const char *colon = strstr(url, "://");

    /* Not printed: the part before the '@' may be a password. */
    if (url_has_userinfo(url) && !starts_with(url, "ssh:"))
        return err_set(err, "a user name or password in the URL is not taken; give the URL "
                            "without it");
    for (const char *p = url; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p) || isspace((unsigned char)*p))
            return err_set(err, "the URL has a space or a control character in it");
    }
    if (starts_with(url, "https://") || starts_with(url, "file:///"))
        return true;
    if (starts_with(url, "file:"))
        return err_set(err, "%s: a file URL is written file:///FOLDER", url);
    if (starts_with(url, "ssh:") || starts_with(url, "git+ssh:") ||
        (colon == NULL && strchr(url, '@') != NULL && strchr(url, ':') != NULL))
        return err_set(err, "%s: ssh is not supported yet; use https or file", url);
    if (colon == NULL)
        return err_set(err,
                       "%s: is not a URL; https://HOST/REPOSITORY or file:///FOLDER is "
                       "expected",
                       url);
    return err_set(err, "%s: %.*s is not supported; use https or file", url, (int)(colon - url),
                   url);
}

/* "refs/heads/a/b" is kept as "refs/meshwrit/refs%2Fheads%2Fa%2Fb": no ref is another's folder. */
static bool local_name(const char *ref, struct buf *out, struct err *err)
{
    int valid = 0;

    if (strncmp(ref, "refs/", 5) != 0)
        return err_set(err,
                       "ref \"%s\" is not a full name; refs/heads/BRANCH or refs/tags/TAG is "
                       "expected",
                       ref);
    if (git_reference_name_is_valid(&valid, ref) < 0 || !valid)
        return err_set(err, "ref \"%s\" is not a name that Git allows", ref);
    for (const char *p = ref; *p != '\0'; p++) {
        if (*p == '/' || *p == '%')
            buf_printf(out, "%%%02X", (unsigned)*p);
        else
            buf_byte(out, (uint8_t)*p);
    }
    if (out->len > REPO_MAX_REF_BYTES)
        return err_set(err, "ref \"%.100s…\" is too long", ref);
    return true;
}

static bool guard_take(const char *folder, int *fd, struct err *err)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, guard_name);
    CLEANUP(file_closep)
    int guard = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

    if (guard < 0)
        return err_errno(err, "%s: cannot open", path);
    if (flock(guard, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? err_set(err, "%s: another fetch is running", folder)
                                    : err_errno(err, "%s: cannot lock", path);
    *fd = guard;
    guard = -1;
    return true;
}

/* Whether the folder has nothing but what a first fetch, perhaps killed, has put there. */
static bool is_ours_to_make(const char *folder)
{
    static const char *const known[] = {".",      "..",          guard_name, "HEAD",
                                        "config", "refs",        "objects",  "hooks",
                                        "info",   "description", "branches"};
    DIR *dir = opendir(folder);
    bool ours = dir != NULL;

    while (ours) {
        const struct dirent *entry = readdir(dir);
        bool found = false;

        if (entry == NULL)
            break;
        for (size_t i = 0; i < COUNT(known); i++)
            found = found || strcmp(entry->d_name, known[i]) == 0;
        ours = found;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return ours;
}

static bool clone_open(const char *folder, struct repo **out, struct err *err)
{
    CLEANUP(repo_closep) struct repo *clone = NULL;

    if (git_repository_open_ext(NULL, folder, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) ==
        GIT_ENOTFOUND) {
        git_repository *made;

        if (!is_ours_to_make(folder))
            return err_set(err,
                           "%s: is not empty and not a Git repository; name a folder for the "
                           "copy of the source alone",
                           folder);
        if (git_repository_init(&made, folder, true) < 0)
            return repo_err(err, "%s: cannot make a bare repository", folder);
        git_repository_free(made);
    }
    if (!repo_open(folder, &clone, err))
        return err_prefix(err, "the copy of the source is damaged, remove it: ");
    if (!git_repository_is_bare(clone->git))
        return err_set(err, "%s: is a repository with a working tree, not a copy of ours", folder);
    *out = STEAL(clone);
    return true;
}

static int on_progress(const git_indexer_progress *progress, void *context)
{
    struct download *download = context;

    if (progress->received_bytes > download->limits->pack_bytes)
        download->reached = "bytes";
    else if (progress->total_objects > download->limits->pack_objects)
        download->reached = "objects";
    return download->reached == NULL ? 0 : GIT_EUSER;
}

static bool remote_failed(const char *url, int code, const struct download *download,
                          struct err *err)
{
    const git_error *last = git_error_last();

    if (download->reached != NULL)
        return err_set(err, "%s: the fetch is more than %zu %s", url,
                       strcmp(download->reached, "bytes") == 0 ? download->limits->pack_bytes
                                                               : download->limits->pack_objects,
                       download->reached);
    if (code == GIT_EAUTH || (last != NULL && strstr(last->message, "authentication") != NULL))
        return err_set(err,
                       "%s: the server asks for credentials, which are not supported yet; "
                       "only repositories that anyone may read can be fetched",
                       url);
    if (code == GIT_ECERTIFICATE)
        return repo_err(err, "%s: the server's certificate is not trusted", url);
    return repo_err(err, "%s: cannot fetch", url);
}

/* What the server says `ref` is. */
static bool remote_ref(git_remote *remote, const char *ref, git_oid *tip, struct err *err)
{
    const git_remote_head **heads;
    size_t count;

    if (git_remote_ls(&heads, &count, remote) < 0)
        return repo_err(err, "%s: cannot list the refs", git_remote_url(remote));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(heads[i]->name, ref) == 0) {
            *tip = heads[i]->oid;
            return true;
        }
    }
    return err_set(err, "%s: has no ref \"%s\"", git_remote_url(remote), ref);
}

bool repo_has_tip(struct repo *clone, const char *local, const git_oid *tip)
{
    git_oid have;

    if (git_reference_name_to_id(&have, clone->git, local) < 0)
        return false;
    return git_oid_equal(&have, tip) && git_odb_exists(clone->odb, tip);
}

static bool download(struct repo *clone, const char *local, const char *url, const char *ref,
                     const struct repo_fetch_limits *limits, git_oid *tip, struct err *err)
{
    CLEANUP(remotep) git_remote *remote = NULL;
    CLEANUP(freep) char *spec = xasprintf("+%s:%s", ref, local);
    const git_strarray specs = {&spec, 1};
    struct download state = {limits, NULL};
    git_remote_connect_options connect;
    git_fetch_options fetch;
    int code;

    if (git_remote_connect_options_init(&connect, GIT_REMOTE_CONNECT_OPTIONS_VERSION) < 0 ||
        git_fetch_options_init(&fetch, GIT_FETCH_OPTIONS_VERSION) < 0)
        return repo_err(err, "cannot set up a fetch");
    connect.callbacks.transfer_progress = on_progress;
    connect.callbacks.payload = &state;
    connect.proxy_opts.type = GIT_PROXY_NONE;
    connect.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    fetch.callbacks = connect.callbacks;
    fetch.proxy_opts = connect.proxy_opts;
    fetch.follow_redirects = connect.follow_redirects;
    fetch.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    fetch.update_fetchhead = 0;

    if (git_remote_create_anonymous(&remote, clone->git, url) < 0)
        return repo_err(err, "%s: cannot be used", url);
    code = git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &connect);
    if (code < 0)
        return remote_failed(url, code, &state, err);
    if (!remote_ref(remote, ref, tip, err))
        return false;
    if (repo_has_tip(clone, local, tip))
        return true;
    code = git_remote_download(remote, &specs, &fetch);
    if (code < 0)
        return remote_failed(url, code, &state, err);
    return true;
}

/* The folder that a file URL names, with its %XX decoded. */
static bool url_folder(const char *url, struct buf *out, struct err *err)
{
    for (const char *p = url + strlen("file://"); *p != '\0'; p++) {
        char hex[3] = {0};

        if (*p != '%') {
            buf_byte(out, (uint8_t)*p);
            continue;
        }
        if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
            return err_set(err, "%s: \"%%\" is not followed by two hex digits", url);
        hex[0] = p[1];
        hex[1] = p[2];
        p += 2;
        buf_byte(out, (uint8_t)strtoul(hex, NULL, 16));
        if (out->ptr[out->len - 1] == '\0')
            return err_set(err, "%s: has a NUL in it", url);
    }
    return true;
}

static bool bring(struct repo *clone, const char *local, const char *url, const char *ref,
                  const struct repo_fetch_limits *limits, git_oid *tip, struct err *err)
{
    CLEANUP(buf_release) struct buf folder = {0};

    if (!starts_with(url, "file:"))
        return download(clone, local, url, ref, limits, tip, err);
    if (!url_folder(url, &folder, err))
        return false;
    return repo_copy(clone, local, buf_cstr(&folder), ref, limits, tip, err);
}

bool repo_fetch_within(const char *folder, const char *url, const char *ref,
                       const struct repo_fetch_limits *limits, char commit[REPO_COMMIT_HEX_SIZE],
                       struct err *err)
{
    CLEANUP(repo_closep) struct repo *clone = NULL;
    CLEANUP(repo_refp) git_reference *made = NULL;
    CLEANUP(buf_release) struct buf name = {0};
    CLEANUP(file_closep) int guard = -1;
    git_oid tip;
    git_oid id;

    buf_append_str(&name, "refs/meshwrit/");
    if (!url_check(url, err) || !local_name(ref, &name, err) || !file_make_folder(folder, err) ||
        !guard_take(folder, &guard, err) || !repo_tidy_remains(folder, err) ||
        !clone_open(folder, &clone, err))
        return false;

    const char *local = buf_cstr(&name);

    if (!bring(clone, local, url, ref, limits, &tip, err))
        return false;
    if (!repo_peel(clone, &tip, &id, err))
        return err_prefix(err, "%s: ref \"%s\" ", url, ref);
    /* Only now: the ref holds what is complete, also for a fetch that starts from it. */
    if (!repo_has_tip(clone, local, &tip) &&
        git_reference_create(&made, clone->git, local, &tip, true, NULL) < 0)
        return repo_err(err, "%s: cannot keep ref \"%s\"", folder, ref);
    repo_tidy_packs(clone);
    git_oid_tostr(commit, REPO_COMMIT_HEX_SIZE, &id);
    return true;
}

bool repo_fetch(const char *folder, const char *url, const char *ref,
                char commit[REPO_COMMIT_HEX_SIZE], struct err *err)
{
    static const struct repo_fetch_limits limits = {REPO_MAX_PACK_BYTES, REPO_MAX_COPY_BYTES,
                                                    REPO_MAX_PACK_OBJECTS};

    return repo_fetch_within(folder, url, ref, &limits, commit, err);
}
