/* Runs a fuzz target over stored inputs where libFuzzer is not there: files and folders named on the command line, or the
 * target's own seeds (from the root of the tree). Prints how many inputs ran. */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_BYTES_MAX = 16 << 20 };

static size_t n_inputs;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    fuzz_expect(f && data);
    size_t size = fread(data, 1, INPUT_BYTES_MAX, f);
    fclose(f);
    uint8_t *exact = malloc(size ? size : 1); /* its own block, so that a read past the end shows */
    fuzz_expect(exact);
    memcpy(exact, data, size);
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    n_inputs++;
}

static void run_path(const char *path)
{
    struct stat st;
    fuzz_expect(stat(path, &st) == 0);
    if (!S_ISDIR(st.st_mode)) {
        run_file(path);
        return;
    }
    DIR *d = opendir(path);
    fuzz_expect(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char inner[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        run_path(inner);
    }
    closedir(d);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    char seeds[512];
    snprintf(seeds, sizeof seeds, "tests/fuzz/seeds/%s", strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name);
    if (argc == 1)
        run_path(seeds);
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-') /* libFuzzer's options mean nothing here */
            run_path(argv[i]);
    printf("%s: %zu inputs\n", name, n_inputs);
    return n_inputs == 0;
}
