#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

void file_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static bool read_all(int fd, size_t limit, struct buf *out, struct err *err)
{
    const size_t start = out->len;

    for (;;) {
        buf_reserve(out, 64 * 1024);
        const ssize_t n = read(fd, out->ptr + out->len, out->cap - out->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "cannot read");
        if (n == 0)
            return true;
        out->len += (size_t)n;
        if (out->len - start > limit)
            return err_set(err, "is larger than %zu bytes", limit);
    }
}

bool file_read(const char *path, size_t limit, struct buf *out, struct err *err)
{
    CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat status;

    if (fd < 0)
        return err_errno(err, "%s: cannot open", path);
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return err_set(err, "%s: is a directory", path);
    if (!read_all(fd, limit, out, err))
        return err_prefix(err, "%s: ", path);
    return true;
}

bool file_write_all(int fd, struct bytes content, struct err *err)
{
    size_t done = 0;

    while (done < content.len) {
        const ssize_t n = write(fd, content.ptr + done, content.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "cannot write");
        done += (size_t)n;
    }
    return true;
}

static bool sync_folder_of(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP(freep)
    char *folder = slash == NULL   ? xstrdup(".")
                   : slash == path ? xstrdup("/")
                                   : xstrndup(path, (size_t)(slash - path));
    CLEANUP(file_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return err_errno(err, "cannot sync folder %s", folder);
    return true;
}

static bool write_temporary(char *name, struct bytes content, mode_t mode, struct err *err)
{
    CLEANUP(file_closep) int fd = mkostemp(name, O_CLOEXEC);

    if (fd < 0)
        return err_errno(err, "cannot create %s", name);
    if (!file_write_all(fd, content, err))
        return false;
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0)
        return err_errno(err, "cannot finish %s", name);
    return true;
}

bool file_replace(const char *path, struct bytes content, mode_t mode, struct err *err)
{
    CLEANUP(freep) char *name = xasprintf("%s.XXXXXX", path);

    if (!write_temporary(name, content, mode, err)) {
        (void)unlink(name);
        return err_prefix(err, "%s: ", path);
    }
    if (rename(name, path) != 0) {
        err_errno(err, "%s: cannot rename", path);
        (void)unlink(name);
        return false;
    }
    return sync_folder_of(path, err);
}

bool file_make_folder(const char *path, struct err *err)
{
    CLEANUP(freep) char *part = xstrdup(path);

    for (char *p = part + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return err_errno(err, "cannot make folder %s", part);
        *p = '/';
    }
    if (mkdir(part, 0700) != 0 && errno != EEXIST)
        return err_errno(err, "cannot make folder %s", part);
    return true;
}
