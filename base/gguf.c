/* GGUF metadata and tensor table, read through the bounds-checked cursor. All counts are capped and compared with
 * the bytes left before memory is taken for them. */
#include "base/gguf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/reader.h"

enum {
    KEYS_MAX = 1000000,
    TENSORS_MAX = 1000000,
    STRING_BYTES_MAX = 16 << 20,
    ARRAY_MAX = 1 << 24,
    NAME_BYTES_MAX = 1024,
    KEY_BYTES_MIN = 13,    /* length, type, one byte of value */
    TENSOR_BYTES_MIN = 32, /* length, dimension count, one dimension, type, offset */
    ALIGNMENT_MAX = 1 << 20,
};

static const struct {
    const char *name;
    unsigned bytes; /* 0: variable */
} types[] = {
    [GGUF_U8] = {"u8", 1},         [GGUF_I8] = {"i8", 1},       [GGUF_U16] = {"u16", 2}, [GGUF_I16] = {"i16", 2},
    [GGUF_U32] = {"u32", 4},       [GGUF_I32] = {"i32", 4},     [GGUF_F32] = {"f32", 4}, [GGUF_BOOL] = {"bool", 1},
    [GGUF_STRING] = {"string", 0}, [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8}, [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

static enum status bad_key(struct reader *r, struct str key, struct error *error, const char *what)
{
    char quoted[ERROR_QUOTE_BYTES];
    enum status status = error_set(error, STATUS_INVALID, "%s: key %s: %s (offset %zu)", r->name,
                                   error_quote(quoted, key.at, key.len), what, reader_offset(r));
    if (error)
        error->offset = (int64_t)reader_offset(r);
    return status;
}

static enum status check_bools(struct reader *r, struct str key, const unsigned char *at, uint64_t n, struct error *error)
{
    for (uint64_t i = 0; i < n; i++)
        if (at[i] > 1)
            return bad_key(r, key, error, "a bool is neither 0 nor 1");
    return STATUS_OK;
}

static enum status read_array(struct reader *r, struct gguf_value *v, struct error *error)
{
    uint32_t element;
    enum status status = reader_u32(r, &element, error);
    if (status)
        return status;
    if (element >= N_TYPES || element == GGUF_ARRAY)
        return bad_key(r, v->key, error, element == GGUF_ARRAY ? "arrays of arrays are refused" : "unknown element type");
    v->element = (enum gguf_type)element;
    unsigned each = types[element].bytes ? types[element].bytes : 8;
    status = reader_count(r, ARRAY_MAX, each, "an array's length", &v->count, error);
    if (status)
        return status;
    const unsigned char *start = r->at;
    struct str bytes;
    if (element != GGUF_STRING) {
        status = reader_bytes(r, (size_t)v->count * each, &bytes, error);
        if (!status && element == GGUF_BOOL)
            status = check_bools(r, v->key, start, v->count, error);
    } else {
        for (uint64_t i = 0; i < v->count && !status; i++)
            status = reader_string(r, STRING_BYTES_MAX, &bytes, error);
    }
    v->data = start;
    v->n_bytes = (uint64_t)(r->at - start);
    return status;
}

static enum status read_value(struct reader *r, struct gguf_value *v, struct error *error)
{
    uint32_t type;
    struct str bytes = {0};
    enum status status = reader_string(r, NAME_BYTES_MAX, &v->key, error);
    if (!status)
        status = reader_u32(r, &type, error);
    if (status)
        return status;
    if (type >= N_TYPES)
        return bad_key(r, v->key, error, "unknown value type");
    v->type = (enum gguf_type)type;
    if (type == GGUF_ARRAY)
        return read_array(r, v, error);
    if (type == GGUF_STRING)
        status = reader_string(r, STRING_BYTES_MAX, &bytes, error);
    else
        status = reader_bytes(r, types[type].bytes, &bytes, error);
    if (status)
        return status;
    v->data = (const unsigned char *)bytes.at;
    v->n_bytes = bytes.len;
    return type == GGUF_BOOL ? check_bools(r, v->key, v->data, 1, error) : STATUS_OK;
}

static enum status bad_tensor(struct reader *r, struct str name, struct error *error, const char *what)
{
    char quoted[ERROR_QUOTE_BYTES];
    enum status status = error_set(error, STATUS_INVALID, "%s: tensor %s: %s (offset %zu)", r->name,
                                   error_quote(quoted, name.at, name.len), what, reader_offset(r));
    if (error)
        error->offset = (int64_t)reader_offset(r);
    return status;
}

static enum status read_tensor(struct reader *r, struct gguf_tensor *t, struct error *error)
{
    enum status status = reader_string(r, NAME_BYTES_MAX, &t->name, error);
    if (!status)
        status = reader_u32(r, &t->n_dims, error);
    if (status)
        return status;
    if (t->n_dims < 1 || t->n_dims > 4)
        return bad_tensor(r, t->name, error, "the number of dimensions is not 1 to 4");
    uint64_t product = 1;
    for (uint32_t d = 0; d < 4; d++) {
        t->ne[d] = 1;
        if (d < t->n_dims && (status = reader_u64(r, &t->ne[d], error)) != STATUS_OK)
            return status;
        if (t->ne[d] == 0 || t->ne[d] > INT64_MAX || !u64_mul(product, t->ne[d], &product) || product > INT64_MAX)
            return bad_tensor(r, t->name, error, "a dimension is zero or the element count does not fit 63 bits");
    }
    status = reader_u32(r, &t->type, error);
    return status ? status : reader_u64(r, &t->offset, error);
}

static enum status read_head(struct gguf *g, struct reader *r, struct error *error)
{
    uint32_t magic;
    enum status status = reader_u32(r, &magic, error);
    if (status)
        return status;
    if (magic != 0x46554747)
        return error_set(error, STATUS_INVALID, "%s: not a GGUF file: the first four bytes are not GGUF", r->name);
    if ((status = reader_u32(r, &g->version, error)) != STATUS_OK)
        return status;
    if (g->version != 2 && g->version != 3)
        return error_set(error, STATUS_UNSUPPORTED, "%s: GGUF version %" PRIu32 ", expected 2 or 3", r->name, g->version);
    status = reader_count(r, TENSORS_MAX, TENSOR_BYTES_MIN, "the tensor count", &g->n_tensors, error);
    return status ? status : reader_count(r, KEYS_MAX, KEY_BYTES_MIN, "the key count", &g->n_values, error);
}

static enum status read_values(struct gguf *g, struct reader *r, struct error *error)
{
    g->values = mem_zalloc_array(g->n_values, sizeof *g->values);
    if (!g->values)
        return error_set(error, STATUS_NO_MEMORY, "%s: out of memory for %" PRIu64 " keys", r->name, g->n_values);
    for (uint64_t i = 0; i < g->n_values; i++) {
        enum status status = read_value(r, &g->values[i], error);
        if (status)
            return status;
        status = table_add(&g->keys, g->values[i].key, i, NULL);
        if (status == STATUS_INVALID)
            return bad_key(r, g->values[i].key, error, "stands twice");
        if (status)
            return error_set(error, status, "%s: out of memory for the key table", r->name);
    }
    return STATUS_OK;
}

static enum status read_tensors(struct gguf *g, struct reader *r, struct error *error)
{
    g->tensors = mem_zalloc_array(g->n_tensors, sizeof *g->tensors);
    if (!g->tensors)
        return error_set(error, STATUS_NO_MEMORY, "%s: out of memory for %" PRIu64 " tensors", r->name, g->n_tensors);
    struct table names;
    table_init(&names);
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < g->n_tensors && !status; i++) {
        status = read_tensor(r, &g->tensors[i], error);
        if (!status && g->tensors[i].offset % g->alignment)
            status = bad_tensor(r, g->tensors[i].name, error, "its offset is not a multiple of the alignment");
        if (status)
            break;
        status = table_add(&names, g->tensors[i].name, i, NULL);
        if (status == STATUS_INVALID)
            status = bad_tensor(r, g->tensors[i].name, error, "stands twice");
        else if (status)
            status = error_set(error, status, "%s: out of memory for the tensor table", r->name);
    }
    table_release(&names);
    return status;
}

static enum status read_alignment(struct gguf *g, struct reader *r, struct error *error)
{
    uint64_t alignment = 32;
    enum status status = gguf_get_u64(g, "general.alignment", 8, ALIGNMENT_MAX, &alignment, error);
    if (status && status != STATUS_NOT_FOUND)
        return status;
    if (alignment & (alignment - 1))
        return error_set(error, STATUS_INVALID, "%s: key general.alignment: expected a power of two, found %" PRIu64, r->name,
                         alignment);
    g->alignment = (uint32_t)alignment;
    return STATUS_OK;
}

enum status gguf_read(struct gguf *gguf, const struct file_map *file, struct error *error)
{
    struct reader r;
    *gguf = (struct gguf){.file = file};
    table_init(&gguf->keys);
    reader_init(&r, file->data, file->bytes, file->path);
    enum status status = read_head(gguf, &r, error);
    if (!status)
        status = read_values(gguf, &r, error);
    if (!status)
        status = read_alignment(gguf, &r, error);
    if (!status)
        status = read_tensors(gguf, &r, error);
    if (!status && gguf->n_tensors)
        status = reader_align(&r, gguf->alignment, error);
    if (status) {
        gguf_release(gguf);
        return status;
    }
    gguf->data_offset = reader_offset(&r);
    return STATUS_OK;
}

void gguf_release(struct gguf *gguf)
{
    mem_free(gguf->values);
    mem_free(gguf->tensors);
    table_release(&gguf->keys);
    *gguf = (struct gguf){0};
}

const struct gguf_value *gguf_find(const struct gguf *gguf, const char *key)
{
    uint64_t index;
    return table_find(&gguf->keys, str_of(key), &index) ? &gguf->values[index] : NULL;
}

/* A little-endian integer of 1 to 8 bytes, sign-extended where the type is signed. */
static uint64_t load_integer(enum gguf_type type, const unsigned char *at)
{
    uint64_t v = 0;
    unsigned n = types[type].bytes;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)at[i] << (8 * i);
    bool is_signed = type == GGUF_I8 || type == GGUF_I16 || type == GGUF_I32 || type == GGUF_I64;
    if (is_signed && n < 8 && (at[n - 1] & 0x80))
        v |= ~0ull << (8 * n);
    return v;
}

static bool is_integer(enum gguf_type type)
{
    return type != GGUF_F32 && type != GGUF_F64 && type != GGUF_BOOL && type != GGUF_STRING && type != GGUF_ARRAY;
}

static enum status wrong_type(const struct gguf *g, const struct gguf_value *v, const char *expected, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    return error_set(error, STATUS_INVALID, "%s: key %s: expected %s, found %s", g->file->path,
                     error_quote(quoted, v->key.at, v->key.len), expected, types[v->type].name);
}

enum status gguf_get_u64(const struct gguf *gguf, const char *key, uint64_t min, uint64_t max, uint64_t *out,
                         struct error *error)
{
    const struct gguf_value *v = gguf_find(gguf, key);
    if (!v)
        return STATUS_NOT_FOUND;
    if (!is_integer(v->type))
        return wrong_type(gguf, v, "an integer", error);
    uint64_t value = load_integer(v->type, v->data);
    bool negative = (v->type == GGUF_I8 || v->type == GGUF_I16 || v->type == GGUF_I32 || v->type == GGUF_I64) && value >> 63;
    if (negative || value < min || value > max)
        return error_set(error, STATUS_INVALID, "%s: key %s: expected %" PRIu64 " to %" PRIu64 ", found %s%" PRIu64,
                         gguf->file->path, key, min, max, negative ? "-" : "", negative ? 0 - value : value);
    *out = value;
    return STATUS_OK;
}

static double load_number(enum gguf_type type, const unsigned char *at)
{
    float f;
    double d;
    switch (type) {
    case GGUF_F32:
        memcpy(&f, at, sizeof f);
        return f;
    case GGUF_F64:
        memcpy(&d, at, sizeof d);
        return d;
    case GGUF_I8:
    case GGUF_I16:
    case GGUF_I32:
    case GGUF_I64:
        return (double)(int64_t)load_integer(type, at);
    default:
        return (double)load_integer(type, at);
    }
}

enum status gguf_get_double(const struct gguf *gguf, const char *key, double *out, struct error *error)
{
    const struct gguf_value *v = gguf_find(gguf, key);
    if (!v)
        return STATUS_NOT_FOUND;
    if (v->type == GGUF_STRING || v->type == GGUF_ARRAY || v->type == GGUF_BOOL)
        return wrong_type(gguf, v, "a number", error);
    double value = load_number(v->type, v->data);
    if (!isfinite(value))
        return error_set(error, STATUS_INVALID, "%s: key %s: the number is not finite", gguf->file->path, key);
    *out = value;
    return STATUS_OK;
}

enum status gguf_get_bool(const struct gguf *gguf, const char *key, bool *out, struct error *error)
{
    const struct gguf_value *v = gguf_find(gguf, key);
    if (!v)
        return STATUS_NOT_FOUND;
    if (v->type != GGUF_BOOL)
        return wrong_type(gguf, v, "a bool", error);
    *out = v->data[0] == 1;
    return STATUS_OK;
}

enum status gguf_get_str(const struct gguf *gguf, const char *key, struct str *out, struct error *error)
{
    const struct gguf_value *v = gguf_find(gguf, key);
    if (!v)
        return STATUS_NOT_FOUND;
    if (v->type != GGUF_STRING)
        return wrong_type(gguf, v, "a string", error);
    *out = str_from((const char *)v->data, (size_t)v->n_bytes);
    return STATUS_OK;
}

enum status gguf_get_strings(const struct gguf *gguf, const char *key, struct gguf_strings *out, struct error *error)
{
    const struct gguf_value *v = gguf_find(gguf, key);
    if (!v)
        return STATUS_NOT_FOUND;
    if (v->type != GGUF_ARRAY || v->element != GGUF_STRING)
        return wrong_type(gguf, v, "an array of strings", error);
    *out = (struct gguf_strings){v->data, v->data + v->n_bytes, v->count};
    return STATUS_OK;
}

bool gguf_strings_next(struct gguf_strings *strings, struct str *out)
{
    uint64_t len;
    if (!strings->left)
        return false;
    memcpy(&len, strings->at, sizeof len); /* lengths were checked when the file was read */
    *out = str_from((const char *)strings->at + sizeof len, (size_t)len);
    strings->at += sizeof len + len;
    strings->left--;
    return true;
}

double gguf_array_number(const struct gguf_value *array, uint64_t index)
{
    check(array->type == GGUF_ARRAY && array->element != GGUF_STRING && index < array->count);
    return load_number(array->element, array->data + index * types[array->element].bytes);
}
