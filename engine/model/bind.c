/* Tensors by name to matrices and vectors, every shape and type checked, matrices repacked and their file pages let go. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/model/family.h"

enum { NAME_BYTES = 200 };

static const char *name_text(const struct binder *b, const struct tensor_name *name, uint32_t layer, uint32_t expert,
                             char out[NAME_BYTES])
{
    const char *pattern = b->weights->format == WEIGHTS_GGUF ? name->gguf : name->hugging_face;
    if (!pattern)
        return NULL;
    uint32_t numbers[2] = {layer, expert};
    size_t at = 0, used = 0;
    for (const char *c = pattern; *c && at < NAME_BYTES - 16; c++) { /* the only conversion in a name is %u */
        if (c[0] == '%' && c[1] == 'u') {
            at += (size_t)snprintf(out + at, NAME_BYTES - at, "%" PRIu32, numbers[used++]);
            c++;
        } else {
            out[at++] = *c;
        }
    }
    out[at] = 0;
    return out;
}

static const struct tensor *find_used(struct binder *b, const char *name)
{
    const struct tensor *t = weights_find(b->weights, name);
    if (t)
        b->used[t - b->weights->tensors] = true;
    return t;
}

const struct tensor *bind_find(struct binder *b, const struct tensor_name *name, uint32_t layer, uint32_t expert)
{
    char text[NAME_BYTES];
    const char *found = name_text(b, name, layer, expert, text);
    return found ? find_used(b, found) : NULL;
}

static enum status need(struct binder *b, const struct tensor_name *name, uint32_t layer, uint32_t expert,
                        const struct tensor **out)
{
    char text[NAME_BYTES];
    const char *wanted = name_text(b, name, layer, expert, text);
    *out = wanted ? find_used(b, wanted) : NULL;
    if (*out)
        return STATUS_OK;
    return error_set_path(b->error, STATUS_NOT_FOUND, NULL, wanted ? wanted : name->hugging_face, "%s: tensor %s is absent",
                          b->weights->files[0].path, wanted ? wanted : name->hugging_face);
}

static enum status check_type(struct binder *b, const struct tensor *t)
{
    if (t->readable && dtype_is_weight(t->dtype))
        return STATUS_OK;
    return error_set_path(b->error, STATUS_UNSUPPORTED, NULL, t->name, "%s: tensor %s: type %s is not read",
                          b->weights->files[t->file].path, t->name, t->type_name);
}

static enum status wrong_shape(struct binder *b, const struct tensor *t, const char *expected)
{
    char found[96] = "";
    for (uint32_t d = 0; d < t->n_dims; d++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%" PRIu64, d ? ", " : "", t->shape[d]);
    return error_set_path(b->error, STATUS_INVALID, NULL, t->name, "%s: tensor %s: expected shape [%s], found [%s] of %s",
                          b->weights->files[t->file].path, t->name, expected, found, t->type_name);
}

static enum status check_matrix(struct binder *b, const struct tensor *t, uint32_t n_out, uint32_t n_in)
{
    char expected[64];
    enum status status = check_type(b, t);
    if (status)
        return status;
    snprintf(expected, sizeof expected, "%" PRIu32 ", %" PRIu32, n_out, n_in);
    return t->n_dims == 2 && t->shape[0] == n_out && t->shape[1] == n_in ? STATUS_OK : wrong_shape(b, t, expected);
}

/* The block scales of an FP8 tensor: NAME_scale_inv, F32 [ceil(n_out / 128), ceil(n_in / 128)], copied to be aligned. */
static enum status read_scales(struct binder *b, const struct tensor *t, uint32_t n_out, uint32_t n_in, const float **out,
                               uint32_t *cols)
{
    char name[NAME_BYTES + 16], expected[64];
    uint32_t rows = (n_out + 127) / 128;
    *out = NULL;
    *cols = (n_in + 127) / 128;
    if (t->dtype != DTYPE_F8_E4M3)
        return STATUS_OK;
    snprintf(name, sizeof name, "%s_scale_inv", t->name);
    const struct tensor *s = find_used(b, name);
    if (!s)
        return error_set_path(b->error, STATUS_NOT_FOUND, NULL, name, "%s: tensor %s is absent beside its FP8 weight",
                              b->weights->files[t->file].path, name);
    snprintf(expected, sizeof expected, "%" PRIu32 ", %" PRIu32, rows, *cols);
    if (!s->readable || (s->dtype != DTYPE_F32 && s->dtype != DTYPE_BF16) || s->n_dims != 2 || s->shape[0] != rows ||
        s->shape[1] != *cols)
        return wrong_shape(b, s, expected);
    float *copy = arena_zalloc_array(&b->model->vectors, (size_t)rows * *cols, sizeof *copy);
    if (!copy)
        return error_set(b->error, STATUS_NO_MEMORY, "out of memory for FP8 scales");
    dtype_to_f32(s->dtype, s->data, copy, (size_t)rows * *cols);
    *out = copy;
    return STATUS_OK;
}

static void let_go(struct binder *b, const struct tensor *t, const struct matrix *m, uint64_t bytes)
{
    const struct file_map *map = &b->weights->files[t->file];
    file_map_forget(map, (size_t)((const unsigned char *)m->data - map->data), (size_t)bytes);
    b->model->bound_bytes += bytes;
    if (b->model->options.progress)
        b->model->options.progress(b->model->options.progress_arg, b->model->bound_bytes, b->model->total_bytes);
}

enum status bind_prepared(struct binder *b, struct matrix *matrix, const char *name)
{
    bool keeps_data;
    struct error inner;
    error_clear(&inner);
    enum status status = matrix_prepare(b->model->ops, b->model->options.numerics, matrix, &keeps_data, &inner);
    return status ? error_set_path(b->error, status, NULL, name, "tensor %s: %s", name, inner.message) : STATUS_OK;
}

enum status bind_matrix(struct binder *b, struct matrix *out, const struct tensor_name *name, uint32_t layer, uint32_t expert,
                        uint32_t n_out, uint32_t n_in)
{
    const struct tensor *t;
    enum status status = need(b, name, layer, expert, &t);
    if (!status)
        status = check_matrix(b, t, n_out, n_in);
    if (status)
        return status;
    *out = (struct matrix){.dtype = t->dtype, .n_out = n_out, .n_in = n_in, .data = t->data};
    if (n_in % dtype_info(t->dtype)->qblock_elems)
        return wrong_shape(b, t, "rows of whole blocks");
    out->row_bytes = dtype_row_bytes(t->dtype, n_in);
    status = read_scales(b, t, n_out, n_in, &out->scale, &out->scale_cols);
    if (!status)
        status = bind_prepared(b, out, t->name);
    if (!status)
        let_go(b, t, out, t->n_bytes);
    return status;
}

enum status bind_slice(struct binder *b, struct matrix *out, const struct tensor *t, uint32_t index, uint32_t n, uint32_t n_out,
                       uint32_t n_in)
{
    char expected[96];
    enum status status = check_type(b, t);
    if (status)
        return status;
    snprintf(expected, sizeof expected, "%" PRIu32 ", %" PRIu32 ", %" PRIu32, n, n_out, n_in);
    bool three = t->n_dims == 3 && t->shape[0] == n && t->shape[1] == n_out && t->shape[2] == n_in;
    bool two = t->n_dims == 2 && t->shape[0] == (uint64_t)n * n_out && t->shape[1] == n_in; /* one fork stores it flat */
    if (!three && !two)
        return wrong_shape(b, t, expected);
    size_t row = dtype_row_bytes(t->dtype, n_in);
    *out = (struct matrix){.dtype = t->dtype, .n_out = n_out, .n_in = n_in, .row_bytes = row,
                           .data = (const char *)t->data + (size_t)index * n_out * row};
    status = bind_prepared(b, out, t->name);
    if (!status)
        let_go(b, t, out, (uint64_t)n_out * row);
    return status;
}

enum status bind_vector(struct binder *b, const float **out, const struct tensor_name *name, uint32_t layer, uint32_t n)
{
    const struct tensor *t;
    char expected[32];
    enum status status = need(b, name, layer, 0, &t);
    if (!status)
        status = check_type(b, t);
    if (status)
        return status;
    snprintf(expected, sizeof expected, "%" PRIu32, n);
    if (t->n_dims != 1 || t->shape[0] != n || dtype_info(t->dtype)->qblock_elems != 1)
        return wrong_shape(b, t, expected);
    float *copy = arena_zalloc_array(&b->model->vectors, n, sizeof *copy);
    if (!copy)
        return error_set(b->error, STATUS_NO_MEMORY, "out of memory for tensor %s", t->name);
    dtype_to_f32(t->dtype, t->data, copy, n);
    *out = copy;
    return STATUS_OK;
}

enum status bind_read_f32(struct binder *b, const struct tensor *t, uint32_t n_out, uint32_t n_in, float *out)
{
    const float *scale;
    uint32_t cols;
    enum status status = check_matrix(b, t, n_out, n_in);
    if (!status && n_in % dtype_info(t->dtype)->qblock_elems)
        status = wrong_shape(b, t, "rows of whole blocks");
    if (!status)
        status = read_scales(b, t, n_out, n_in, &scale, &cols);
    if (status)
        return status;
    size_t row = dtype_row_bytes(t->dtype, n_in);
    for (uint32_t r = 0; r < n_out; r++) {
        dtype_to_f32(t->dtype, (const char *)t->data + r * row, out + (size_t)r * n_in, n_in);
        for (uint32_t k = 0; scale && k < n_in; k++)
            out[(size_t)r * n_in + k] *= scale[(size_t)(r / 128) * cols + k / 128];
    }
    return STATUS_OK;
}

enum status bind_matrix_f32(struct binder *b, struct matrix *out, const struct tensor_name *name, uint32_t layer,
                            uint32_t n_out, uint32_t n_in)
{
    const struct tensor *t;
    enum status status = need(b, name, layer, 0, &t);
    if (status)
        return status;
    float *wide = mem_zalloc_array((size_t)n_out * n_in, sizeof *wide);
    if (!wide)
        return error_set(b->error, STATUS_NO_MEMORY, "out of memory for tensor %s", t->name);
    status = bind_read_f32(b, t, n_out, n_in, wide);
    if (!status) {
        *out = (struct matrix){.dtype = DTYPE_F32, .n_out = n_out, .n_in = n_in, .data = wide, .row_bytes = n_in * sizeof *wide};
        status = bind_prepared(b, out, t->name);
        out->data = NULL;
    }
    mem_free(wide);
    return status;
}

/* ---- What nothing asked for ------------------------------------------------------------------------------------- */

/* Layers past the last one hold the multi-token-prediction modules; rotary frequencies are computed, or read with the
 * configuration. */
static bool is_beside_the_forward_pass(const struct binder *b, const char *name)
{
    uint32_t layer;
    if (sscanf(name, b->weights->format == WEIGHTS_GGUF ? "blk.%" SCNu32 "." : "model.layers.%" SCNu32 ".", &layer) == 1 &&
        layer >= b->model->config.n_layers)
        return true;
    return strcmp(name, "rope_freqs.weight") == 0 || strstr(name, "rotary_emb.inv_freq") != NULL;
}

enum status bind_check_unused(const struct binder *b)
{
    const struct weights *w = b->weights;
    const struct tensor *first = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n_tensors; i++) {
        if (b->used[i] || is_beside_the_forward_pass(b, w->tensors[i].name))
            continue;
        first = first ? first : &w->tensors[i];
        n++;
    }
    if (!n)
        return STATUS_OK;
    return error_set_path(b->error, STATUS_UNSUPPORTED, NULL, first->name,
                          "%s: tensor %s%s is no part of family %s as the configuration describes it: answers would be wrong",
                          w->files[first->file].path, first->name, n > 1 ? " (and others)" : "", b->model->family->name);
}
