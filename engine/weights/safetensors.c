/* safetensors files, single and sharded: a JSON header of names, types, shapes and ranges, then data. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/reader.h"
#include "engine/weights/weights_files.h"

enum { HEADER_BYTES_MAX = 100000000, INDEX_BYTES_MAX = 256 << 20, NAME_BYTES_MAX = 1024 };

struct range {
    uint64_t begin, end;
    const char *name;
};

static enum status bad(const char *file, const char *tensor, struct error *error, const char *what)
{
    char quoted[ERROR_QUOTE_BYTES];
    return error_set_path(error, STATUS_INVALID, NULL, tensor, "%s: tensor %s: %s", file,
                          error_quote(quoted, tensor, strlen(tensor)), what);
}

static bool get_u64(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static enum status read_shape(struct tensor *t, const json_t *shape, const char *file, struct error *error)
{
    if (!json_is_array(shape) || json_array_size(shape) > TENSOR_DIMS_MAX)
        return bad(file, t->name, error, "its shape is not a list of at most 4 numbers");
    t->n_dims = (uint32_t)json_array_size(shape);
    for (uint32_t d = 0; d < t->n_dims; d++)
        if (!get_u64(json_array_get(shape, d), &t->shape[d]))
            return bad(file, t->name, error, "a dimension is not a whole number");
    return STATUS_OK;
}

static enum status check_size(struct tensor *t, uint64_t bytes, const char *file, struct error *error)
{
    uint64_t elements = 1, expected;
    for (uint32_t d = 0; d < t->n_dims; d++)
        if (!u64_mul(elements, t->shape[d], &elements))
            return bad(file, t->name, error, "its element count does not fit 64 bits");
    if (!t->readable)
        return STATUS_OK; /* a type we do not know: its size is checked when somebody asks for it */
    if (!u64_mul(elements, dtype_info(t->dtype)->qblock_bytes, &expected) || expected != bytes) {
        char what[128];
        snprintf(what, sizeof what, "its shape needs %" PRIu64 " bytes of %s, data_offsets give %" PRIu64, expected, t->type_name,
                 bytes);
        return bad(file, t->name, error, what);
    }
    return STATUS_OK;
}

static enum status read_entry(struct weights *w, uint32_t file, const char *key, const json_t *entry, size_t data_at,
                              struct range *range, struct error *error)
{
    const struct file_map *map = &w->files[file];
    struct tensor t = {.file = file};
    size_t key_len = strlen(key), data_bytes = map->bytes - data_at;
    if (key_len > NAME_BYTES_MAX || !(t.name = weights_keep(w, key, key_len)))
        return error_set(error, STATUS_LIMIT, "%s: a tensor name is too long or memory is out", map->path);
    const json_t *dtype = json_object_get(entry, "dtype"), *offsets = json_object_get(entry, "data_offsets");
    if (!json_is_object(entry) || !json_is_string(dtype))
        return bad(map->path, key, error, "it has no dtype");
    t.readable = dtype_from_safetensors(json_string_value(dtype), json_string_length(dtype), &t.dtype);
    t.type_name = weights_keep(w, json_string_value(dtype), json_string_length(dtype));
    if (!t.type_name)
        return error_set(error, STATUS_NO_MEMORY, "%s: out of memory", map->path);
    enum status status = read_shape(&t, json_object_get(entry, "shape"), map->path, error);
    if (status)
        return status;
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !get_u64(json_array_get(offsets, 0), &range->begin) ||
        !get_u64(json_array_get(offsets, 1), &range->end))
        return bad(map->path, key, error, "data_offsets is not two whole numbers");
    if (range->begin > range->end || range->end > data_bytes) {
        char what[160];
        snprintf(what, sizeof what, "data_offsets %" PRIu64 " to %" PRIu64 " leave the %zu bytes of data", range->begin, range->end,
                 data_bytes);
        return bad(map->path, key, error, what);
    }
    t.n_bytes = range->end - range->begin;
    t.data = map->data + data_at + range->begin;
    range->name = t.name;
    status = check_size(&t, t.n_bytes, map->path, error);
    return status ? status : weights_add(w, &t, error);
}

static int by_begin(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Sorted ranges must follow each other from 0 to the end without gap or overlap. */
static enum status check_contiguous(struct range *ranges, size_t n, uint64_t data_bytes, const char *file, struct error *error)
{
    uint64_t at = 0;
    qsort(ranges, n, sizeof *ranges, by_begin);
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].begin != at)
            return bad(file, ranges[i].name, error, ranges[i].begin < at ? "its data overlap another tensor's"
                                                                         : "there is a gap before its data");
        at = ranges[i].end;
    }
    if (at != data_bytes)
        return error_set(error, STATUS_INVALID, "%s: tensors end at byte %" PRIu64 " of %" PRIu64 " bytes of data", file, at,
                         data_bytes);
    return STATUS_OK;
}

static enum status read_header(struct weights *w, uint32_t file, const json_t *head, size_t data_at, struct error *error)
{
    const char *key;
    json_t *entry;
    size_t n = 0;
    struct range *ranges = mem_zalloc_array(json_object_size(head) + 1, sizeof *ranges);
    if (!ranges)
        return error_set(error, STATUS_NO_MEMORY, "%s: out of memory", w->files[file].path);
    enum status status = STATUS_OK;
    void *it = json_object_iter((json_t *)(uintptr_t)head);
    for (; it && !status; it = json_object_iter_next((json_t *)(uintptr_t)head, it)) {
        key = json_object_iter_key(it);
        entry = json_object_iter_value(it);
        if (strcmp(key, "__metadata__") != 0)
            status = read_entry(w, file, key, entry, data_at, &ranges[n++], error);
    }
    if (!status)
        status = check_contiguous(ranges, n, w->files[file].bytes - data_at, w->files[file].path, error);
    mem_free(ranges);
    return status;
}

static enum status read_file(struct weights *w, uint32_t file, struct error *error)
{
    const struct file_map *map = &w->files[file];
    struct reader r;
    uint64_t len;
    struct str text;
    reader_init(&r, map->data, map->bytes, map->path);
    enum status status = reader_u64(&r, &len, error);
    if (status)
        return status;
    if (len > HEADER_BYTES_MAX || len > reader_left(&r))
        return error_set(error, STATUS_INVALID, "%s: the header claims %" PRIu64 " bytes, the file has %zu", map->path, len,
                         reader_left(&r));
    if ((status = reader_bytes(&r, (size_t)len, &text, error)) != STATUS_OK)
        return status;
    json_error_t why;
    json_t *head = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(head)) {
        status = error_set(error, STATUS_INVALID, "%s: the header is not a JSON object (byte %d)", map->path,
                           head ? 8 : 8 + why.position);
    } else {
        status = read_header(w, file, head, reader_offset(&r), error);
    }
    json_decref(head);
    return status;
}

/* One entry of the index: the file is opened when first named; that the tensor is in it is checked at the end. */
static enum status open_named(struct weights *w, const char *dir, struct table *opened, const json_t *value, uint32_t *file,
                              struct error *error)
{
    char path[WEIGHTS_PATH_MAX];
    uint64_t known;
    if (!json_is_string(value))
        return error_set(error, STATUS_INVALID, "%s/model.safetensors.index.json: a weight_map value is not a file name", dir);
    struct str name = str_from(json_string_value(value), json_string_length(value));
    if (table_find(opened, name, &known)) {
        *file = (uint32_t)known;
        return STATUS_OK;
    }
    enum status status = weights_sibling(dir, name.at, name.len, path, error);
    if (!status)
        status = weights_add_file(w, path, file, error);
    if (!status)
        status = read_file(w, *file, error);
    return status ? status : table_add(opened, name, *file, NULL);
}

static enum status read_index(struct weights *w, const char *dir, const json_t *map, struct error *error)
{
    struct table opened;
    enum status status = STATUS_OK;
    table_init(&opened);
    void *it = json_object_iter((json_t *)(uintptr_t)map);
    for (; it && !status; it = json_object_iter_next((json_t *)(uintptr_t)map, it)) {
        uint32_t file = 0;
        const char *name = json_object_iter_key(it);
        status = open_named(w, dir, &opened, json_object_iter_value(it), &file, error);
        const struct tensor *t = status ? NULL : weights_find(w, name);
        if (!status && (!t || t->file != file))
            status = bad(w->files[file].path, name, error, "the index says it is here, and it is not");
    }
    table_release(&opened);
    return status;
}

static bool index_names(const json_t *map, const char *file)
{
    void *it = json_object_iter((json_t *)(uintptr_t)map);
    for (; it; it = json_object_iter_next((json_t *)(uintptr_t)map, it)) {
        const char *named = json_string_value(json_object_iter_value(it));
        if (named && strcmp(named, file) == 0)
            return true;
    }
    return false;
}

static enum status open_one_file(struct weights *w, const char *dir, const char *name, struct error *error)
{
    char path[WEIGHTS_PATH_MAX];
    uint32_t file;
    enum status status = weights_sibling(dir, name, strlen(name), path, error);
    if (!status)
        status = weights_add_file(w, path, &file, error);
    return status ? status : read_file(w, file, error);
}

enum status weights_open_safetensors(struct weights *weights, const char *dir, const char *file, struct error *error)
{
    char path[WEIGHTS_PATH_MAX];
    weights->format = WEIGHTS_SAFETENSORS;
    weights->dir = mem_strdup(dir);
    if (!weights->dir)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = weights_sibling(dir, "model.safetensors.index.json", 28, path, error);
    if (status)
        return status;
    char *text;
    size_t len;
    status = file_map_read(path, INDEX_BYTES_MAX, &text, &len, error);
    if (status == STATUS_NOT_FOUND)
        return open_one_file(weights, dir, file ? file : "model.safetensors", error);
    if (status)
        return status;
    json_t *index = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *map = json_object_get(index, "weight_map");
    if (!json_is_object(map) || json_object_size(map) > WEIGHTS_TENSORS_MAX)
        status = error_set(error, STATUS_INVALID, "%s: expected a JSON object with weight_map", path);
    else if (file && !index_names(map, file))
        status = open_one_file(weights, dir, file, error);
    else
        status = read_index(weights, dir, map, error);
    json_decref(index);
    mem_free(text);
    return status;
}
