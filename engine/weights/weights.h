/* A model's tensors by name, from GGUF or safetensors files, every offset checked. Memory-mapped: nothing
 * is read until it is used. */
#ifndef ENGINE_WEIGHTS_WEIGHTS_H
#define ENGINE_WEIGHTS_WEIGHTS_H

#include "base/arena.h"
#include "base/file_map.h"
#include "base/status.h"
#include "base/str.h"
#include "base/table.h"
#include "kernels/dtype.h"

enum { TENSOR_DIMS_MAX = 4 };

struct tensor {
    const char *name; /* as in the file; lends until the weights are closed */
    enum dtype dtype;
    bool readable;      /* false: a type we know the size of, or not even that, but do not read */
    const char *type_name; /* for messages, set also when not readable */
    uint32_t n_dims;
    uint64_t shape[TENSOR_DIMS_MAX]; /* slowest first: a matrix is [n_out, n_in] whatever the file's order */
    const void *data;                /* any alignment */
    uint64_t n_bytes;
    uint32_t file; /* index into files */
};

enum weights_format { WEIGHTS_SAFETENSORS, WEIGHTS_GGUF };

struct weights {
    enum weights_format format;
    struct file_map *files;
    uint32_t n_files, files_capacity;
    struct tensor *tensors;
    uint32_t n_tensors, tensors_capacity;
    struct gguf *gguf; /* the first file's metadata when format is GGUF, else null */
    char *dir;         /* safetensors: the model directory */
    struct table index; /* name -> index into tensors */
    struct arena names;
};

/* `path` is a .gguf file (first of a split or whole), a directory with safetensors or one .gguf file, or a
 * .safetensors file whose directory holds config.json. */
enum status weights_open(struct weights *weights, const char *path, struct error *error) must_check;
void weights_close(struct weights *weights);

/* Null when there is none of that name. */
const struct tensor *weights_find(const struct weights *weights, const char *name);

#endif
