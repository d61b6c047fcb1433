/* The directory of tensors: opening by what a path is, adding, finding, closing. */
#include "engine/weights/weights.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <dirent.h>

#include "base/gguf.h"
#include "base/mem.h"
#include "engine/weights/weights_files.h"

enum { NAMES_BYTES_MAX = 512 << 20 };

enum status weights_add(struct weights *weights, const struct tensor *tensor, struct error *error)
{
    if (weights->n_tensors == weights->tensors_capacity) {
        uint32_t capacity = weights->tensors_capacity ? weights->tensors_capacity * 2 : 256;
        if (capacity > 2 * WEIGHTS_TENSORS_MAX)
            return error_set(error, STATUS_LIMIT, "more than %d tensors", WEIGHTS_TENSORS_MAX);
        struct tensor *more = mem_realloc(weights->tensors, capacity * sizeof *more);
        if (!more)
            return error_set(error, STATUS_NO_MEMORY, "out of memory for the tensor table");
        weights->tensors = more;
        weights->tensors_capacity = capacity;
    }
    char quoted[ERROR_QUOTE_BYTES];
    enum status status = table_add(&weights->index, str_of(tensor->name), weights->n_tensors, NULL);
    if (status == STATUS_INVALID)
        return error_set_path(error, STATUS_INVALID, NULL, tensor->name, "%s: tensor %s stands twice",
                              weights->files[tensor->file].path, error_quote(quoted, tensor->name, strlen(tensor->name)));
    if (status)
        return error_set(error, status, "out of memory for the tensor table");
    weights->tensors[weights->n_tensors++] = *tensor;
    return STATUS_OK;
}

enum status weights_add_file(struct weights *weights, const char *path, uint32_t *index, struct error *error)
{
    if (weights->n_files == weights->files_capacity) {
        uint32_t capacity = weights->files_capacity ? weights->files_capacity * 2 : 4;
        if (weights->n_files >= WEIGHTS_FILES_MAX)
            return error_set(error, STATUS_LIMIT, "%s: more than %d files", path, WEIGHTS_FILES_MAX);
        struct file_map *more = mem_realloc(weights->files, capacity * sizeof *more);
        if (!more)
            return error_set(error, STATUS_NO_MEMORY, "out of memory");
        weights->files = more;
        weights->files_capacity = capacity;
    }
    enum status status = file_map_open(&weights->files[weights->n_files], path, error);
    if (!status)
        *index = weights->n_files++;
    return status;
}

char *weights_keep(struct weights *weights, const char *text, size_t len)
{
    return arena_text(&weights->names, str_from(text, len));
}

/* A link may lead to a file beside it, or into the blob store of the download cache that holds the model. */
static enum status check_link(const char *dir, const char *path, struct error *error)
{
    char real_dir[PATH_MAX], real_file[PATH_MAX], blobs[PATH_MAX];
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
        return STATUS_OK;
    if (!realpath(dir, real_dir) || !realpath(path, real_file))
        return error_set(error, STATUS_NOT_FOUND, "%s: a link that leads nowhere", path);
    size_t n = strlen(real_dir);
    bool inside = strncmp(real_file, real_dir, n) == 0 && real_file[n] == '/';
    char up[PATH_MAX + 16];
    snprintf(up, sizeof up, "%s/../../blobs", real_dir);
    bool cached = realpath(up, blobs) && strncmp(real_file, blobs, strlen(blobs)) == 0 && real_file[strlen(blobs)] == '/';
    if (!inside && !cached)
        return error_set(error, STATUS_INVALID, "%s: a link that leaves the model's directory", path);
    return STATUS_OK;
}

enum status weights_sibling(const char *dir, const char *name, size_t len, char out[WEIGHTS_PATH_MAX], struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    bool plain = len > 0 && len < 256 && !memchr(name, '/', len) && !memchr(name, '\\', len) && !(len == 1 && name[0] == '.') &&
                 !(len == 2 && memcmp(name, "..", 2) == 0);
    for (size_t i = 0; i < len && plain; i++)
        plain = (unsigned char)name[i] >= 0x20 && name[i] != 0x7F; /* it stands in messages */
    if (!plain)
        return error_set(error, STATUS_INVALID, "%s: the file name %s is not a plain one", dir,
                         error_quote(quoted, name, len));
    int n = snprintf(out, WEIGHTS_PATH_MAX, "%s/%.*s", dir, (int)len, name);
    if (n < 0 || n >= WEIGHTS_PATH_MAX)
        return error_set(error, STATUS_LIMIT, "%s: the path is too long", dir);
    return check_link(dir, out, error);
}

static bool has_file(const char *dir, const char *name)
{
    char path[WEIGHTS_PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    return n > 0 && n < (int)sizeof path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The only .gguf file of a directory, or the first part of a split one. */
static enum status find_gguf(const char *dir, char out[WEIGHTS_PATH_MAX], struct error *error)
{
    DIR *d = opendir(dir);
    unsigned found = 0;
    char name[256] = "";
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        bool part = n > 20 && strstr(e->d_name, "-of-") && !strstr(e->d_name, "-00001-of-");
        if (n < 6 || strcmp(e->d_name + n - 5, ".gguf") != 0 || part)
            continue;
        found++;
        snprintf(name, sizeof name, "%s", e->d_name);
    }
    if (d)
        closedir(d);
    if (found == 0)
        return error_set(error, STATUS_NOT_FOUND, "%s: neither model.safetensors, nor model.safetensors.index.json, nor a .gguf file",
                         dir);
    if (found > 1)
        return error_set(error, STATUS_INVALID, "%s: %u .gguf files: name one", dir, found);
    return weights_sibling(dir, name, strlen(name), out, error);
}

static enum status open_any(struct weights *weights, const char *path, struct error *error)
{
    struct stat st;
    char file[WEIGHTS_PATH_MAX];
    size_t n = strlen(path);
    if (n >= WEIGHTS_PATH_MAX - 300)
        return error_set(error, STATUS_LIMIT, "the model's path is too long");
    if (stat(path, &st) != 0)
        return error_set(error, STATUS_NOT_FOUND, "%s: no such file or directory", path);
    if (S_ISDIR(st.st_mode)) {
        if (has_file(path, "model.safetensors") || has_file(path, "model.safetensors.index.json"))
            return weights_open_safetensors(weights, path, NULL, error);
        enum status status = find_gguf(path, file, error);
        return status ? status : weights_open_gguf(weights, file, error);
    }
    if (n > 12 && strcmp(path + n - 12, ".safetensors") == 0) {
        const char *slash = strrchr(path, '/');
        snprintf(file, sizeof file, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
        return weights_open_safetensors(weights, file, slash ? slash + 1 : path, error);
    }
    return weights_open_gguf(weights, path, error);
}

enum status weights_open(struct weights *weights, const char *path, struct error *error)
{
    *weights = (struct weights){0};
    table_init(&weights->index);
    arena_init(&weights->names, NAMES_BYTES_MAX);
    enum status status = open_any(weights, path, error);
    if (status)
        weights_close(weights);
    return status;
}

void weights_close(struct weights *weights)
{
    if (weights->gguf) {
        gguf_release(weights->gguf);
        mem_free(weights->gguf);
    }
    for (uint32_t i = 0; i < weights->n_files; i++)
        file_map_close(&weights->files[i]);
    mem_free(weights->files);
    mem_free(weights->tensors);
    mem_free(weights->dir);
    table_release(&weights->index);
    arena_release(&weights->names);
    *weights = (struct weights){0};
}

const struct tensor *weights_find(const struct weights *weights, const char *name)
{
    uint64_t index;
    return table_find(&weights->index, str_of(name), &index) ? &weights->tensors[index] : NULL;
}
