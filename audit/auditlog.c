#include "audit/auditlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/jsontext.h"

#include "base/banned.h"

struct auditlog {
    pthread_mutex_t lock;
    int fd;
    char *path;
    uint64_t next;
    off_t end; /* of the last whole record */
    struct buf out;
    atomic_bool healthy;
};

/* --- finding the next sequence number --------------------------------------------------------- */

/* The first sequence number in a segment's name; false if it is none of ours. */
static bool segment_first(const char *name, const char *prefix, uint64_t *first)
{
    char *end = NULL;

    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return false;
    const char *digits = name + strlen(prefix);

    if (*digits < '0' || *digits > '9')
        return false;
    errno = 0;
    *first = strtoull(digits, &end, 10);
    return errno == 0 && strcmp(end, ".jsonl") == 0;
}

static uint64_t count_lines(const char *folder, const char *prefix, uint64_t first)
{
    CLEANUP(freep)
    char *path = xasprintf("%s/%s%llu.jsonl", folder, prefix, (unsigned long long)first);
    CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[64 * 1024];
    uint64_t lines = 0;
    ssize_t n;

    while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            lines += chunk[i] == '\n';
    }
    return lines;
}

/* One past the last record of the newest segment of this replica and role. */
static bool find_next(const char *folder, const char *prefix, uint64_t *next, struct err *err)
{
    DIR *dir = opendir(folder);
    uint64_t newest = 0;
    bool found = false;

    if (dir == NULL)
        return err_errno(err, "%s: cannot read the audit folder", folder);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        uint64_t first;

        if (segment_first(entry->d_name, prefix, &first) && (!found || first > newest)) {
            newest = first;
            found = true;
        }
    }
    (void)closedir(dir);
    *next = found ? newest + count_lines(folder, prefix, newest) : 1;
    return true;
}

/* --- opening ---------------------------------------------------------------------------------- */

bool auditlog_open(const char *folder, const char *replica, const char *role, struct auditlog **out,
                   struct err *err)
{
    CLEANUP(freep) char *prefix = xasprintf("audit-%s-%s-", replica, role);
    uint64_t next = 1;

    if (!file_make_folder(folder, err) || !find_next(folder, prefix, &next, err))
        return false;
    CLEANUP(freep)
    char *path = xasprintf("%s/%s%llu.jsonl", folder, prefix, (unsigned long long)next);
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_errno(err, "%s: cannot open the audit log", path);
    struct auditlog *log = xcalloc(1, sizeof(*log));

    (void)pthread_mutex_init(&log->lock, NULL);
    log->fd = fd;
    log->path = STEAL(path);
    log->next = next;
    log->end = lseek(fd, 0, SEEK_END);
    atomic_init(&log->healthy, true);
    *out = log;
    return true;
}

void auditlog_close(struct auditlog *log)
{
    if (log == NULL)
        return;
    (void)close(log->fd);
    (void)pthread_mutex_destroy(&log->lock);
    buf_release(&log->out);
    free(log->path);
    free(log);
}

/* --- writing ---------------------------------------------------------------------------------- */

static uint64_t number_lines(struct auditlog *log, struct bytes records)
{
    uint64_t count = 0;

    log->out.len = 0;
    while (records.len > 0) {
        const uint8_t *end = memchr(records.ptr, '\n', records.len);
        const size_t len = end == NULL ? records.len : (size_t)(end - records.ptr) + 1;

        buf_append(&log->out, BYTES("{\"seq\":"));
        jsontext_int(&log->out, (int64_t)(log->next + count));
        buf_byte(&log->out, ',');
        buf_append(&log->out, bytes_of(records.ptr, len));
        records = bytes_of(records.ptr + len, records.len - len);
        count++;
    }
    return count;
}

bool auditlog_write(struct auditlog *log, struct bytes records, struct err *err)
{
    (void)pthread_mutex_lock(&log->lock);
    const uint64_t count = number_lines(log, records);
    const bool ok = file_write_all(log->fd, buf_bytes(&log->out), err);

    if (ok) {
        log->next += count;
        log->end += (off_t)log->out.len;
    } else {
        (void)err_prefix(err, "%s: ", log->path);
        /* Half a record must not stand before the next one. */
        if (ftruncate(log->fd, log->end) != 0)
            (void)err_prefix(err, "(and cannot cut it back) ");
    }
    atomic_store_explicit(&log->healthy, ok, memory_order_relaxed);
    (void)pthread_mutex_unlock(&log->lock);
    return ok;
}

bool auditlog_is_healthy(const struct auditlog *log)
{
    return atomic_load_explicit(&log->healthy, memory_order_relaxed);
}
