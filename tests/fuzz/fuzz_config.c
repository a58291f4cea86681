/*
 * fuzz_config.c -- the bytes as the server's configuration file. What must hold:
 *
 *   - a refusal begins with the file, and is one line;
 *   - what is accepted is whole: nothing that is required is missing, every value is in its bounds,
 *     and who refers to a source refers to one that is there;
 *   - a comment in front of it changes nothing.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/fuzz/fuzz.h"
#include "webhook/config.h"

#include "base/banned.h"

enum { HOUR_MS = 3600 * 1000 };

/* The file that every input is written to. */
static const char *input_file(struct bytes text)
{
    static char path[] = "/tmp/meshwrit-fuzz-XXXXXX";
    static char name[sizeof("/proc/self/fd/") + 16];
    static int fd = -1;
    struct err err;

    if (fd < 0) {
        fd = mkstemp(path);
        require(fd >= 0 && unlink(path) == 0); /* it is gone when the program ends */
        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    }
    require(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    require(file_write_all(fd, text, &err));
    return name;
}

static bool read_bytes(struct bytes text, struct config **out)
{
    struct err err = {0};
    const char *file = input_file(text);
    const bool ok = config_read(file, out, &err);

    if (!ok) {
        require(strncmp(err.message, file, strlen(file)) == 0);
        require(strchr(err.message, '\n') == NULL);
    }
    return ok;
}

static void check_source(const struct config_source *source)
{
    require(source->name != NULL && source->url != NULL && source->ref != NULL);
    require(source->name[strspn(source->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0');
    require(source->name[0] != '\0' && strlen(source->name) <= 63);
    require(source->interval_ms >= 100 && source->interval_ms <= 24 * HOUR_MS);
    require((source->paths == NULL) == (source->path_count == 0));
    for (size_t i = 0; i < source->path_count; i++)
        require(source->paths[i] != NULL && source->paths[i][0] != '\0');
}

static size_t sources_named(const struct config *c, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < c->source_count; i++)
        count += strcmp(c->sources[i].name, name) == 0;
    return count;
}

/* Either a place in the file system, or a path in a source that is there. */
static void check_place(const struct config *c, const char *local, const char *source,
                        const char *path)
{
    require((local == NULL) == (source != NULL) && (source == NULL) == (path == NULL));
    require(source == NULL || sources_named(c, source) == 1);
}

static void check_whole(const struct config *c)
{
    const char *const required[] = {c->cluster,         c->listen,  c->state_dir,
                                    c->tls.certificate, c->tls.key, c->audit_directory};

    for (size_t i = 0; i < COUNT(required); i++)
        require(required[i] != NULL && required[i][0] != '\0');
    require(c->source_count > 0 && c->source_count <= CONFIG_MAX_SOURCES);
    for (size_t i = 0; i < c->source_count; i++) {
        check_source(&c->sources[i]);
        require(sources_named(c, c->sources[i].name) == 1);
    }
    for (size_t i = 0; i < c->schema_count; i++)
        check_place(c, c->schemas[i].directory, c->schemas[i].source, c->schemas[i].path);
    if (c->policy.file != NULL || c->policy.source != NULL)
        check_place(c, c->policy.file, c->policy.source, c->policy.path);
}

static void check_comment(struct bytes text, const struct config *c)
{
    struct buf longer = {0};
    struct config *again = NULL;

    buf_append_str(&longer, "# a comment\n");
    buf_append(&longer, text);
    if (longer.len <= CONFIG_MAX_BYTES && !bytes_starts_with(text, BYTES("\xef\xbb\xbf"))) {
        require(read_bytes(buf_bytes(&longer), &again));
        require(strcmp(again->cluster, c->cluster) == 0 && again->source_count == c->source_count);
        config_free(again);
    }
    buf_release(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct config *c = NULL;

    if (!read_bytes(bytes_of(data, len), &c)) {
        require(c == NULL);
        return 0;
    }
    check_whole(c);
    check_comment(bytes_of(data, len), c);
    config_free(c);
    return 0;
}
