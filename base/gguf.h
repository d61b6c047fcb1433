/* The GGUF container: metadata by key and the raw tensor table, every count and offset checked. It knows no
 * element types' sizes (that is kernels/dtype) and no models. Two users: the tokenizer and the weights. */
#ifndef BASE_GGUF_H
#define BASE_GGUF_H

#include <stdbool.h>

#include "base/file_map.h"
#include "base/status.h"
#include "base/str.h"
#include "base/table.h"

enum gguf_type {
    GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY,
    GGUF_U64, GGUF_I64, GGUF_F64,
};

struct gguf_value {
    struct str key;
    enum gguf_type type;
    enum gguf_type element; /* arrays */
    uint64_t count;         /* arrays */
    const unsigned char *data; /* the value's bytes, any alignment; strings: after the length */
    uint64_t n_bytes;
};

struct gguf_tensor {
    struct str name;
    uint32_t n_dims;
    uint64_t ne[4]; /* fastest dimension first, as in the file; unused are 1 */
    uint32_t type;  /* GGUF type id */
    uint64_t offset; /* from data_offset */
};

struct gguf {
    const struct file_map *file; /* borrowed */
    uint32_t version;
    uint32_t alignment;
    uint64_t data_offset; /* of the data section in the file */
    struct gguf_value *values;
    uint64_t n_values;
    struct gguf_tensor *tensors;
    uint64_t n_tensors;
    struct table keys; /* key -> index into values */
};

/* Parses all of the metadata. Everything lends from the mapping. */
enum status gguf_read(struct gguf *gguf, const struct file_map *file, struct error *error) must_check;
void gguf_release(struct gguf *gguf);

const struct gguf_value *gguf_find(const struct gguf *gguf, const char *key); /* null: absent */

/* Typed readers: STATUS_NOT_FOUND when absent (error untouched), STATUS_INVALID naming key, expected and found type.
 * Integers accept every integer type that holds the value in range. */
enum status gguf_get_u64(const struct gguf *gguf, const char *key, uint64_t min, uint64_t max, uint64_t *out,
                         struct error *error) must_check;
enum status gguf_get_double(const struct gguf *gguf, const char *key, double *out, struct error *error) must_check;
enum status gguf_get_bool(const struct gguf *gguf, const char *key, bool *out, struct error *error) must_check;
enum status gguf_get_str(const struct gguf *gguf, const char *key, struct str *out, struct error *error) must_check;

/* Walks an array of strings; or element access for arrays of numbers. */
struct gguf_strings {
    const unsigned char *at, *end;
    uint64_t left;
};
enum status gguf_get_strings(const struct gguf *gguf, const char *key, struct gguf_strings *out, struct error *error) must_check;
bool gguf_strings_next(struct gguf_strings *strings, struct str *out);
double gguf_array_number(const struct gguf_value *array, uint64_t index); /* index < count; number arrays only */

#endif
