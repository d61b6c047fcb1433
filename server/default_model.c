/* Everything is looked for beside the executable, whatever the working directory is. */
#include "server/default_model.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum { NAME_BYTES = 256 };

#define BUILT_IN "tiny-r1"

/* A GGUF file, or a directory that holds a config.json. */
static bool is_model(const char *folder, const char *name)
{
    char path[PATH_MAX + 3 * NAME_BYTES];
    struct stat info;
    if (str_ends(str_of(name), str_of(".gguf")))
        return true;
    snprintf(path, sizeof path, "%s/%s/config.json", folder, name);
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool first_model(const char *folder, char best[NAME_BYTES])
{
    DIR *dir = opendir(folder);
    best[0] = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < NAME_BYTES && is_model(folder, entry->d_name) &&
            (!best[0] || strcmp(entry->d_name, best) < 0))
            snprintf(best, NAME_BYTES, "%s", entry->d_name);
    if (dir)
        closedir(dir);
    return best[0] != 0;
}

/* The folder of the running program, or an empty text. */
static void program_folder(char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    out[slash ? slash - out : 0] = 0;
}

static enum status take(char **path, const char *found, struct error *error)
{
    char *copy = mem_strdup(found);
    if (!copy)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    mem_free(*path);
    *path = copy;
    return STATUS_OK;
}

enum status default_model_find(char **path, bool *built_in, struct error *error)
{
    static const char *const built_ins[] = {"../share/seekd/models", "../models"}, *const folders[] = {"models", "../share/seekd/models"};
    char program[PATH_MAX], folder[PATH_MAX + NAME_BYTES], name[NAME_BYTES], found[PATH_MAX + 2 * NAME_BYTES];
    program_folder(program);
    *built_in = false;
    for (size_t i = 0; *program && i < sizeof built_ins / sizeof built_ins[0]; i++) {
        snprintf(folder, sizeof folder, "%s/%s", program, built_ins[i]);
        if (!is_model(folder, BUILT_IN))
            continue;
        *built_in = true;
        snprintf(found, sizeof found, "%s/%s", folder, BUILT_IN);
        return take(path, found, error);
    }
    for (size_t i = 0; *program && i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(folder, sizeof folder, "%s/%s", program, folders[i]);
        if (!first_model(folder, name))
            continue;
        snprintf(found, sizeof found, "%s/%s", folder, name);
        return take(path, found, error);
    }
    return error_set_path(
        error, STATUS_NOT_FOUND, NULL, "model",
        "no model: name one with --model PATH (a GGUF file, or a directory with config.json and safetensors); the built-in "
        "one is not beside the program");
}
