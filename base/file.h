/*
 * file.h -- whole files: read with a limit, replaced in one step.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's content to `out`. Fails if it is longer than `limit` bytes or not a file. */
MUST_USE bool file_read(const char *path, size_t limit, struct buf *out, struct err *err);

/*
 * Replaces `path` by `content` so that a crash leaves the old file or the new one, durable on
 * return: a temporary file beside it, fsync, rename, fsync of the folder.
 */
MUST_USE bool file_replace(const char *path, struct bytes content, mode_t mode, struct err *err);

/* Writes all of it, through EINTR and short writes. */
MUST_USE bool file_write_all(int fd, struct bytes content, struct err *err);

/* Makes a folder and those above it, mode 0700 where new. One that exists is fine. */
MUST_USE bool file_make_folder(const char *path, struct err *err);

/* For CLEANUP: closes what is not negative. */
void file_closep(int *fd);

#endif
