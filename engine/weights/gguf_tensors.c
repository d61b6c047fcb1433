/* Tensors of a GGUF file, whole or split: sizes from types and shapes, ranges checked, shapes turned slowest first. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/gguf.h"
#include "base/mem.h"
#include "engine/weights/weights_files.h"

struct range {
    uint64_t begin, end;
    const char *name;
};

static enum status bad(const struct gguf *g, const char *name, struct error *error, const char *what)
{
    char quoted[ERROR_QUOTE_BYTES];
    return error_set_path(error, STATUS_INVALID, NULL, name, "%s: tensor %s: %s", g->file->path,
                          error_quote(quoted, name, strlen(name)), what);
}

static enum status size_of(struct tensor *t, const struct gguf_tensor *from, const struct gguf *g, struct error *error)
{
    uint64_t elements = 1;
    for (int d = 0; d < 4; d++)
        elements *= from->ne[d]; /* the container reader has checked that the product fits */
    const struct dtype_info *info = dtype_info(t->dtype);
    if (from->ne[0] % info->qblock_elems) {
        char what[128];
        snprintf(what, sizeof what, "rows of %" PRIu64 " do not divide into %s blocks of %u", from->ne[0], info->name,
                 info->qblock_elems);
        return bad(g, t->name, error, what);
    }
    if (!u64_mul(elements / info->qblock_elems, info->qblock_bytes, &t->n_bytes))
        return bad(g, t->name, error, "its size does not fit 64 bits");
    return STATUS_OK;
}

static enum status add_tensor(struct weights *w, uint32_t file, const struct gguf *g, const struct gguf_tensor *from,
                              struct range *range, struct error *error)
{
    struct tensor t = {.file = file, .n_dims = from->n_dims};
    uint64_t data_bytes = w->files[file].bytes - g->data_offset;
    char unknown[32];
    t.name = weights_keep(w, from->name.at, from->name.len);
    if (!t.name)
        return error_set(error, STATUS_NO_MEMORY, "%s: out of memory", g->file->path);
    if (strlen(t.name) != from->name.len)
        return bad(g, t.name, error, "its name holds a NUL");
    for (uint32_t d = 0; d < t.n_dims; d++)
        t.shape[d] = from->ne[t.n_dims - 1 - d];
    t.readable = dtype_from_gguf(from->type, &t.dtype);
    const char *known = dtype_gguf_name(from->type);
    snprintf(unknown, sizeof unknown, "type %" PRIu32, from->type);
    t.type_name = known ? known : weights_keep(w, unknown, strlen(unknown));
    if (t.readable) {
        enum status status = size_of(&t, from, g, error);
        if (status)
            return status;
    }
    if (from->offset > data_bytes || t.n_bytes > data_bytes - from->offset) {
        char what[160];
        snprintf(what, sizeof what, "%" PRIu64 " bytes at offset %" PRIu64 " leave the %" PRIu64 " bytes of data", t.n_bytes,
                 from->offset, data_bytes);
        return bad(g, t.name, error, what);
    }
    t.data = w->files[file].data + g->data_offset + from->offset;
    *range = (struct range){from->offset, from->offset + t.n_bytes, t.name};
    return weights_add(w, &t, error);
}

static int by_begin(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static enum status add_file(struct weights *w, uint32_t file, const struct gguf *g, struct error *error)
{
    struct range *ranges = mem_zalloc_array(g->n_tensors + 1, sizeof *ranges);
    enum status status = ranges ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "%s: out of memory", g->file->path);
    for (uint64_t i = 0; i < g->n_tensors && !status; i++)
        status = add_tensor(w, file, g, &g->tensors[i], &ranges[i], error);
    if (!status) {
        qsort(ranges, g->n_tensors, sizeof *ranges, by_begin);
        for (uint64_t i = 1; i < g->n_tensors && !status; i++)
            if (ranges[i].begin < ranges[i - 1].end)
                status = bad(g, ranges[i].name, error, "its data overlap another tensor's");
    }
    mem_free(ranges);
    return status;
}

/* PREFIX-00001-of-000NN.gguf: the part with number `no` (1-based). False when the path has no such form. */
static bool split_name(const char *path, unsigned no, char out[WEIGHTS_PATH_MAX], unsigned *count)
{
    enum { TAIL = 20 }; /* "-00001-of-00003.gguf" */
    size_t n = strlen(path);
    unsigned first;
    int used = 0;
    if (n < TAIL || n >= WEIGHTS_PATH_MAX || sscanf(path + n - TAIL, "-%5u-of-%5u.gguf%n", &first, count, &used) != 2 ||
        used != TAIL || first != 1)
        return false;
    snprintf(out, WEIGHTS_PATH_MAX, "%.*s-%05u-of-%05u.gguf", (int)(n - TAIL), path, no, *count);
    return true;
}

static enum status add_part(struct weights *w, const char *path, unsigned no, unsigned count, struct error *error)
{
    struct gguf g;
    uint32_t file;
    uint64_t value;
    const char *slash = strrchr(path, '/');
    char dir[WEIGHTS_PATH_MAX], checked[WEIGHTS_PATH_MAX];
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    const char *name = slash ? slash + 1 : path;
    enum status status = weights_sibling(dir, name, strlen(name), checked, error);
    if (!status)
        status = weights_add_file(w, checked, &file, error);
    if (!status)
        status = gguf_read(&g, &w->files[file], error);
    if (status)
        return status;
    status = gguf_get_u64(&g, "split.no", no - 1, no - 1, &value, error);
    if (!status)
        status = gguf_get_u64(&g, "split.count", count, count, &value, error);
    if (status == STATUS_NOT_FOUND)
        status = error_set(error, STATUS_INVALID, "%s: part of a split model without split.no and split.count", path);
    if (!status)
        status = add_file(w, file, &g, error);
    gguf_release(&g);
    return status;
}

enum status weights_open_gguf(struct weights *weights, const char *path, struct error *error)
{
    uint32_t file;
    uint64_t parts = 1, total;
    unsigned count = 0;
    char name[WEIGHTS_PATH_MAX];
    weights->format = WEIGHTS_GGUF;
    weights->gguf = mem_zalloc(sizeof *weights->gguf);
    if (!weights->gguf)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = weights_add_file(weights, path, &file, error);
    if (!status && (weights->files_capacity < WEIGHTS_FILES_MAX)) {
        /* The metadata keeps a pointer to its file's entry: the list must not move when parts are added. */
        struct file_map *fixed = mem_realloc(weights->files, WEIGHTS_FILES_MAX * sizeof *fixed);
        if (!fixed)
            return error_set(error, STATUS_NO_MEMORY, "out of memory");
        weights->files = fixed;
        weights->files_capacity = WEIGHTS_FILES_MAX;
    }
    if (!status)
        status = gguf_read(weights->gguf, &weights->files[file], error);
    if (!status)
        status = add_file(weights, file, weights->gguf, error);
    if (status)
        return status;
    status = gguf_get_u64(weights->gguf, "split.count", 1, WEIGHTS_FILES_MAX, &parts, error);
    if (status == STATUS_NOT_FOUND || (!status && parts == 1))
        return STATUS_OK;
    if (status)
        return status;
    if (!split_name(path, 1, name, &count) || count != parts)
        return error_set(error, STATUS_INVALID, "%s: the first part of %" PRIu64 ", but its name does not end in -00001-of-%05u.gguf",
                         path, parts, (unsigned)parts);
    for (unsigned no = 2; no <= count && !status; no++) {
        split_name(path, no, name, &count);
        status = add_part(weights, name, no, count, error);
    }
    if (status)
        return status;
    status = gguf_get_u64(weights->gguf, "split.tensors.count", 0, WEIGHTS_TENSORS_MAX, &total, error);
    if (!status && total != weights->n_tensors)
        return error_set(error, STATUS_INVALID, "%s: split.tensors.count is %" PRIu64 ", the parts hold %u", path, total,
                         weights->n_tensors);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
