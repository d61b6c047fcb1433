/* Element types: one row each, with the names and numbers that file formats use for them.
 *
 * A *qblock* is the smallest group of elements stored together; plain types have one element a qblock. */
#ifndef KERNELS_DTYPE_H
#define KERNELS_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*    name      text       elems bytes gguf_id  safetensors name (null: none) */
#define DTYPE_LIST(X)                                                                              \
    X(F32, "F32", 1, 4, 0, "F32")                                                                  \
    X(F16, "F16", 1, 2, 1, "F16")                                                                  \
    X(BF16, "BF16", 1, 2, 30, "BF16")                                                              \
    X(F64, "F64", 1, 8, 28, "F64")                                                                 \
    X(F8_E4M3, "F8_E4M3", 1, 1, -1, "F8_E4M3")                                                     \
    X(F8_E5M2, "F8_E5M2", 1, 1, -1, "F8_E5M2")                                                     \
    X(F8_E8M0, "F8_E8M0", 1, 1, -1, "F8_E8M0")                                                     \
    X(I8, "I8", 1, 1, 24, "I8")                                                                    \
    X(I16, "I16", 1, 2, 25, "I16")                                                                 \
    X(I32, "I32", 1, 4, 26, "I32")                                                                 \
    X(I64, "I64", 1, 8, 27, "I64")                                                                 \
    X(U8, "U8", 1, 1, -1, "U8")                                                                    \
    X(BOOL, "BOOL", 1, 1, -1, "BOOL")                                                              \
    X(Q4_0, "Q4_0", 32, 18, 2, NULL)                                                               \
    X(Q4_1, "Q4_1", 32, 20, 3, NULL)                                                               \
    X(Q5_0, "Q5_0", 32, 22, 6, NULL)                                                               \
    X(Q5_1, "Q5_1", 32, 24, 7, NULL)                                                               \
    X(Q8_0, "Q8_0", 32, 34, 8, NULL)                                                               \
    X(Q2_K, "Q2_K", 256, 84, 10, NULL)                                                             \
    X(Q3_K, "Q3_K", 256, 110, 11, NULL)                                                            \
    X(Q4_K, "Q4_K", 256, 144, 12, NULL)                                                            \
    X(Q5_K, "Q5_K", 256, 176, 13, NULL)                                                            \
    X(Q6_K, "Q6_K", 256, 210, 14, NULL)                                                            \
    X(IQ4_NL, "IQ4_NL", 32, 18, 20, NULL)                                                          \
    X(IQ4_XS, "IQ4_XS", 256, 136, 23, NULL)

enum dtype {
#define X(name, text, elems, bytes, gguf, safetensors) DTYPE_##name,
    DTYPE_LIST(X)
#undef X
        DTYPE_COUNT
};

struct dtype_info {
    const char *name;
    uint32_t qblock_elems, qblock_bytes;
    int gguf_id;              /* -1: not in GGUF */
    const char *safetensors;  /* null: not in safetensors */
};

const struct dtype_info *dtype_info(enum dtype dtype);

bool dtype_from_gguf(uint32_t id, enum dtype *out);
bool dtype_from_safetensors(const char *name, size_t len, enum dtype *out);

/* The name of a GGUF type id that we know of but do not read ("IQ2_XXS"), or null. */
const char *dtype_gguf_name(uint32_t id);

/* True when dtype_to_f32 and matmul read it (the quantised, float and FP8 types). */
bool dtype_is_weight(enum dtype dtype);

/* Bytes of a row of n elements; n must be a multiple of the qblock. */
static inline size_t dtype_row_bytes(enum dtype dtype, size_t n)
{
    const struct dtype_info *info = dtype_info(dtype);
    return n / info->qblock_elems * info->qblock_bytes;
}

/* Decodes n elements (a multiple of the qblock; source need not be aligned). FP8 without its scales. */
void dtype_to_f32(enum dtype dtype, const void *from, float *to, size_t n);

/* IEEE and bfloat conversions; to 16 bits by round to nearest even. */
float f16_to_f32(uint16_t bits);
uint16_t f16_from_f32(float value);
float e4m3_to_f32(uint8_t bits);
static inline float bf16_to_f32(uint16_t bits)
{
    union {
        uint32_t u;
        float f;
    } v = {(uint32_t)bits << 16};
    return v.f;
}
uint16_t bf16_from_f32(float value);

#endif
