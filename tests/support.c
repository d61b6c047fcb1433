/* Shared helpers of the C tests. */
#include "tests/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *support_temp_dir(void)
{
    static char path[512];
    const char *base = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/seekd-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path))
        fail_msg("cannot make a temporary directory under %s", base ? base : "/tmp");
    return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void support_remove_dir(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void support_write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

void support_ok(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s%s%s", status_name(status), error ? error->path : "", error && error->path[0] ? ": " : "",
                 error ? error->message : "");
}
