/*
 * driver.c -- runs a fuzz target over the files of the folders given, where there is no libFuzzer.
 * A folder that is missing or empty is a failure. Each file is named before it runs, so that the
 * last line of an abort is the culprit.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

enum { INPUT_MAX_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* An allocation of exactly the input's size lets AddressSanitizer see a read beyond it. */
static bool run_file(const char *path)
{
    struct buf content = {0};
    struct err err;

    (void)puts(path);
    (void)fflush(stdout);
    if (!file_read(path, INPUT_MAX_BYTES, &content, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return false;
    }
    uint8_t *exact = xmalloc(content.len);

    if (content.len > 0)
        memcpy(exact, content.ptr, content.len);
    (void)LLVMFuzzerTestOneInput(exact, content.len);
    free(exact);
    buf_release(&content);
    return true;
}

static bool run_folder(const char *folder)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_input, alphasort);
    bool ok = count > 0;

    if (count < 0)
        (void)fprintf(stderr, "%s: cannot be read\n", folder);
    if (count == 0)
        (void)fprintf(stderr, "%s: is empty\n", folder);
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

        ok = run_file(path) && ok;
        free(path);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = argc > 1;

    for (int i = 1; i < argc; i++)
        ok = run_folder(argv[i]) && ok;
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
