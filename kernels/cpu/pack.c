/* Rearranging weights at load, and decoding the result. One matrix at a time, one thread. */
#include "kernels/cpu/pack.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "kernels/dequant.h"
#include "kernels/qblock.h"

enum {
    CODES_BYTES = 512,
    NIBBLES_BYTES = 256,
    SUPER = 8,
    SLACK = 64, /* lets kernels read a whole vector at the end */
    MAPPED_BYTES = 1024 * 1024, /* from here on memory comes in huge pages: streaming weights misses the TLB otherwise */
};

static enum pack_kind kind_of(enum dtype dtype)
{
    switch (dtype) {
    case DTYPE_F32:
        return PACK_F32;
    case DTYPE_F16:
        return PACK_F16;
    case DTYPE_BF16:
        return PACK_BF16;
    case DTYPE_F8_E4M3:
        return PACK_F8;
    case DTYPE_Q4_0:
        return PACK_NIBBLE;
    case DTYPE_Q4_1:
        return PACK_NIBBLE_MIN;
    case DTYPE_Q4_K:
        return PACK_NIBBLE_K;
    case DTYPE_Q8_0:
        return PACK_BYTE;
    default:
        return PACK_GROUP;
    }
}

static size_t block_bytes(const struct packed *p)
{
    switch (p->kind) {
    case PACK_NIBBLE:
        return NIBBLES_BYTES + 2 * PANEL_ROWS;
    case PACK_NIBBLE_MIN:
        return NIBBLES_BYTES + 4 * PANEL_ROWS;
    case PACK_NIBBLE_K:
        return NIBBLES_BYTES + 2 * PANEL_ROWS;
    case PACK_BYTE:
        return CODES_BYTES + 2 * PANEL_ROWS;
    default:
        return CODES_BYTES + (size_t)K_BLOCK / p->group * 2 * PANEL_ROWS * sizeof(float);
    }
}

static size_t panel_bytes_of(const struct packed *p)
{
    size_t n = p->n_in;
    switch (p->kind) {
    case PACK_F32:
        return n * PANEL_ROWS * 4;
    case PACK_F16:
        return n * PANEL_ROWS * 2;
    case PACK_BF16:
        return (n + 1) / 2 * PANEL_ROWS * 4;
    case PACK_F8:
        return n * PANEL_ROWS;
    case PACK_NIBBLE_K:
        return n / (K_BLOCK * SUPER) * (4 * PANEL_ROWS + SUPER * block_bytes(p));
    default:
        return n / K_BLOCK * block_bytes(p);
    }
}

/* Where the k-block of a panel begins (its codes). */
static size_t block_offset(const struct packed *p, uint32_t k_block)
{
    if (p->kind != PACK_NIBBLE_K)
        return (size_t)k_block * block_bytes(p);
    size_t super = 4 * PANEL_ROWS + SUPER * block_bytes(p);
    return k_block / SUPER * super + 4 * PANEL_ROWS + k_block % SUPER * block_bytes(p);
}

/* ---- Float kinds ------------------------------------------------------------------------------------------- */

static void pack_float_row(struct packed *p, unsigned char *panel, unsigned lane, const unsigned char *row)
{
    size_t each = p->kind == PACK_F32 ? 4 : p->kind == PACK_F8 ? 1 : 2;
    for (size_t k = 0; k < p->n_in; k++) {
        size_t at = p->kind == PACK_BF16 ? (k / 2 * PANEL_ROWS + lane) * 2 + k % 2 : k * PANEL_ROWS + lane;
        memcpy(panel + at * each, row + k * each, each);
    }
}

/* ---- Integer kinds ------------------------------------------------------------------------------------------ */

static void put_byte_codes(unsigned char *codes, unsigned lane, const int8_t *from)
{
    for (unsigned k = 0; k < K_BLOCK; k++)
        codes[k / 4 * 64 + lane * 4 + k % 4] = (unsigned char)(from[k] + 128);
}

static void put_nibbles(unsigned char *codes, unsigned lane, const uint8_t *unsigned_codes)
{
    for (unsigned k = 0; k < 16; k++)
        codes[k / 4 * 64 + lane * 4 + k % 4] = (unsigned char)(unsigned_codes[k] | unsigned_codes[k + 16] << 4);
}

static void put_half(unsigned char *at, unsigned lane, uint16_t bits)
{
    memcpy(at + 2 * lane, &bits, 2);
}

static void pack_simple_block(struct packed *p, enum dtype dtype, unsigned char *block, unsigned lane,
                              const unsigned char *from)
{
    uint16_t d, m;
    uint8_t codes[32];
    memcpy(&d, from, 2);
    if (p->kind == PACK_BYTE) {
        int8_t q[32];
        memcpy(q, from + 2, 32);
        put_byte_codes(block, lane, q);
        put_half(block + CODES_BYTES, lane, d);
        return;
    }
    memcpy(&m, from + 2, 2);
    const unsigned char *qs = from + (dtype == DTYPE_Q4_1 ? 4 : 2);
    for (unsigned j = 0; j < 16; j++) {
        codes[j] = qs[j] & 15;
        codes[j + 16] = qs[j] >> 4;
    }
    put_nibbles(block, lane, codes);
    put_half(block + NIBBLES_BYTES, lane, d);
    if (p->kind == PACK_NIBBLE_MIN)
        put_half(block + NIBBLES_BYTES + 2 * PANEL_ROWS, lane, m);
}

static void pack_q4_k(struct packed *p, unsigned char *panel, uint32_t super, unsigned lane, const unsigned char *from)
{
    struct qblock_q4_k b;
    memcpy(&b, from, sizeof b);
    unsigned char *head = panel + block_offset(p, super * SUPER) - 4 * PANEL_ROWS;
    put_half(head, lane, b.d);
    put_half(head + 2 * PANEL_ROWS, lane, b.dmin);
    for (uint32_t k = 0; k < SUPER; k++) {
        unsigned char *block = panel + block_offset(p, super * SUPER + k);
        uint8_t codes[32];
        for (unsigned l = 0; l < 32; l++)
            codes[l] = b.qs[32 * (k / 2) + l] >> (k & 1 ? 4 : 0) & 15;
        put_nibbles(block, lane, codes);
        unsigned scale = k < 4 ? b.s[k] & 63 : (unsigned)(b.s[k + 4] & 15) | (unsigned)(b.s[k - 4] >> 6) << 4;
        unsigned minimum = k < 4 ? b.s[k + 4] & 63 : (unsigned)(b.s[k + 4] >> 4) | (unsigned)(b.s[k] >> 6) << 4;
        block[NIBBLES_BYTES + lane] = (unsigned char)scale;
        block[NIBBLES_BYTES + PANEL_ROWS + lane] = (unsigned char)minimum;
    }
}

static void pack_group_qblock(struct packed *p, enum dtype dtype, unsigned char *panel, uint32_t first_block, unsigned lane,
                              const unsigned char *from)
{
    int8_t codes[256];
    float scales[16], minimums[16];
    unsigned n_blocks = dtype_info(dtype)->qblock_elems / K_BLOCK, per_block = K_BLOCK / p->group;
    dequant_block(dtype, from, codes, scales, minimums);
    for (unsigned b = 0; b < n_blocks; b++) {
        unsigned char *block = panel + block_offset(p, first_block + b);
        put_byte_codes(block, lane, codes + b * K_BLOCK);
        for (unsigned g = 0; g < per_block; g++) {
            unsigned char *at = block + CODES_BYTES + (size_t)g * 2 * PANEL_ROWS * sizeof(float) + lane * sizeof(float);
            memcpy(at, &scales[b * per_block + g], sizeof(float));
            memcpy(at + PANEL_ROWS * sizeof(float), &minimums[b * per_block + g], sizeof(float));
        }
    }
}

static void pack_integer_row(struct packed *p, enum dtype dtype, unsigned char *panel, unsigned lane,
                             const unsigned char *row)
{
    const struct dtype_info *info = dtype_info(dtype);
    uint32_t n_qblocks = p->n_in / info->qblock_elems;
    for (uint32_t i = 0; i < n_qblocks; i++, row += info->qblock_bytes) {
        if (p->kind == PACK_NIBBLE_K)
            pack_q4_k(p, panel, i, lane, row);
        else if (p->kind == PACK_GROUP)
            pack_group_qblock(p, dtype, panel, i * (info->qblock_elems / K_BLOCK), lane, row);
        else
            pack_simple_block(p, dtype, panel + block_offset(p, i), lane, row);
    }
}

/* Rows past n_out: codes that mean zero, so that their sums are zero too. */
static void pack_empty_row(struct packed *p, unsigned char *panel, unsigned lane)
{
    static const int8_t zeros[K_BLOCK];
    static const uint8_t eights[K_BLOCK] = {8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
                                            8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8};
    if (!packed_is_integer(p))
        return; /* the panel starts zeroed */
    for (uint32_t b = 0; b < p->n_in / K_BLOCK; b++) {
        unsigned char *block = panel + block_offset(p, b);
        if (p->zero == 128)
            put_byte_codes(block, lane, zeros);
        else if (p->zero == 8)
            put_nibbles(block, lane, eights);
    }
}

/* ---- Interface ---------------------------------------------------------------------------------------------- */

static enum status expand_f8_scales(struct packed *p, const struct matrix *m, struct error *error)
{
    if (!m->scale)
        return STATUS_OK;
    uint32_t cols = (m->n_in + F8_SCALE_BLOCK - 1) / F8_SCALE_BLOCK;
    p->f8_scale = mem_zalloc_array(p->n_panels, cols * sizeof *p->f8_scale);
    if (!p->f8_scale)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for FP8 scales");
    for (uint32_t panel = 0; panel < p->n_panels; panel++) /* 16 divides 128: a panel has one row of scales */
        memcpy(p->f8_scale + (size_t)panel * cols, m->scale + (size_t)(panel * PANEL_ROWS / F8_SCALE_BLOCK) * m->scale_cols,
               cols * sizeof *p->f8_scale);
    return STATUS_OK;
}

/* Zero-filled, 64-byte aligned. */
static unsigned char *data_alloc(size_t bytes)
{
    if (bytes >= MAPPED_BYTES)
        return mem_map(bytes);
    unsigned char *data = mem_alloc_aligned(64, bytes);
    if (data)
        memset(data, 0, bytes);
    return data;
}

static void data_free(unsigned char *data, size_t bytes)
{
    if (bytes >= MAPPED_BYTES)
        mem_unmap(data, bytes);
    else
        mem_free(data);
}

enum status matrix_prepare(const struct ops *ops, enum numerics numerics, struct matrix *matrix, bool *keeps_data,
                           struct error *error)
{
    (void)ops;
    (void)numerics;
    if (!dtype_is_weight(matrix->dtype))
        return error_set(error, STATUS_UNSUPPORTED, "weights of type %s cannot be multiplied", dtype_info(matrix->dtype)->name);
    if (matrix->n_out == 0 || matrix->n_in == 0 || matrix->n_in % dtype_info(matrix->dtype)->qblock_elems)
        return error_set(error, STATUS_INVALID, "a matrix of [%u, %u] does not fit %s blocks", matrix->n_out, matrix->n_in,
                         dtype_info(matrix->dtype)->name);
    struct packed *p = mem_zalloc(sizeof *p);
    if (!p)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    p->kind = kind_of(matrix->dtype);
    p->n_out = matrix->n_out;
    p->n_in = matrix->n_in;
    p->n_panels = (matrix->n_out + PANEL_ROWS - 1) / PANEL_ROWS;
    p->group = p->kind == PACK_GROUP ? dequant_group(matrix->dtype) : K_BLOCK;
    p->has_minimum = p->kind == PACK_GROUP && dequant_has_minimum(matrix->dtype);
    p->zero = p->kind == PACK_NIBBLE ? 8 : p->kind == PACK_BYTE || p->kind == PACK_GROUP ? 128 : 0;
    p->panel_bytes = size_round_up(panel_bytes_of(p), 64);
    size_t bytes;
    enum status status = STATUS_OK;
    if (!size_mul(p->n_panels, p->panel_bytes, &bytes) || !(p->data = data_alloc(bytes + SLACK)))
        status = error_set(error, STATUS_NO_MEMORY, "out of memory for a repacked matrix of [%u, %u]", matrix->n_out,
                           matrix->n_in);
    if (!status && p->kind == PACK_F8)
        status = expand_f8_scales(p, matrix, error);
    matrix->packed = p;
    if (status) {
        matrix_release(matrix);
        return status;
    }
    for (uint32_t r = 0; r < p->n_panels * PANEL_ROWS; r++) {
        unsigned char *panel = p->data + (size_t)(r / PANEL_ROWS) * p->panel_bytes;
        const unsigned char *row = (const unsigned char *)matrix->data + (size_t)r * matrix->row_bytes;
        if (r >= matrix->n_out)
            pack_empty_row(p, panel, r % PANEL_ROWS);
        else if (packed_is_integer(p))
            pack_integer_row(p, matrix->dtype, panel, r % PANEL_ROWS, row);
        else
            pack_float_row(p, panel, r % PANEL_ROWS, row);
    }
    *keeps_data = false;
    return STATUS_OK;
}

void matrix_release(struct matrix *matrix)
{
    if (!matrix->packed)
        return;
    data_free(matrix->packed->data, (size_t)matrix->packed->n_panels * matrix->packed->panel_bytes + SLACK);
    mem_free(matrix->packed->f8_scale);
    mem_free(matrix->packed);
    matrix->packed = NULL;
}

size_t matrix_packed_bytes(const struct matrix *matrix)
{
    return matrix->packed ? (size_t)matrix->packed->n_panels * matrix->packed->panel_bytes : 0;
}

static float half_at(const unsigned char *at, unsigned lane)
{
    uint16_t bits;
    memcpy(&bits, at + 2 * lane, 2);
    return f16_to_f32(bits);
}

static void decode_float_block(const struct packed *p, uint32_t panel, uint32_t k_block, float *out)
{
    const unsigned char *data = packed_panel(p, panel);
    uint32_t first = k_block * K_BLOCK, n = p->n_in - first < K_BLOCK ? p->n_in - first : K_BLOCK;
    memset(out, 0, K_BLOCK * PANEL_ROWS * sizeof *out);
    for (uint32_t i = 0; i < n; i++)
        for (unsigned r = 0; r < PANEL_ROWS; r++) {
            size_t k = first + i, at = k * PANEL_ROWS + r;
            float *y = &out[i * PANEL_ROWS + r];
            uint16_t bits;
            if (p->kind == PACK_F32) {
                memcpy(y, data + 4 * at, 4);
            } else if (p->kind == PACK_F16) {
                *y = half_at(data + 2 * k * PANEL_ROWS, r);
            } else if (p->kind == PACK_BF16) {
                memcpy(&bits, data + ((k / 2 * PANEL_ROWS + r) * 2 + k % 2) * 2, 2);
                *y = bf16_to_f32(bits);
            } else {
                uint32_t cols = (p->n_in + F8_SCALE_BLOCK - 1) / F8_SCALE_BLOCK;
                float scale = p->f8_scale ? p->f8_scale[(size_t)panel * cols + k / F8_SCALE_BLOCK] : 1.0f;
                *y = e4m3_to_f32(data[at]) * scale;
            }
        }
}

void pack_decode_block(const struct packed *p, uint32_t panel, uint32_t k_block, float *out)
{
    if (!packed_is_integer(p)) {
        decode_float_block(p, panel, k_block, out);
        return;
    }
    const unsigned char *block = packed_panel(p, panel) + block_offset(p, k_block);
    const unsigned char *head = p->kind == PACK_NIBBLE_K ? packed_panel(p, panel) + block_offset(p, k_block / SUPER * SUPER) -
                                                               4 * PANEL_ROWS
                                                         : NULL;
    for (unsigned r = 0; r < PANEL_ROWS; r++)
        for (unsigned k = 0; k < K_BLOCK; k++) {
            float scale, minimum = 0;
            unsigned code;
            if (p->zero == 128)
                code = block[k / 4 * 64 + r * 4 + k % 4];
            else
                code = block[k % 16 / 4 * 64 + r * 4 + k % 4] >> (k < 16 ? 0 : 4) & 15;
            if (p->kind == PACK_GROUP) {
                const unsigned char *at = block + CODES_BYTES + k / p->group * 2 * PANEL_ROWS * sizeof(float);
                memcpy(&scale, at + r * sizeof(float), sizeof scale);
                memcpy(&minimum, at + (PANEL_ROWS + r) * sizeof(float), sizeof minimum);
            } else if (p->kind == PACK_NIBBLE_K) {
                scale = half_at(head, r) * (float)block[NIBBLES_BYTES + r];
                minimum = half_at(head + 2 * PANEL_ROWS, r) * (float)block[NIBBLES_BYTES + PANEL_ROWS + r];
            } else {
                scale = half_at(block + (p->kind == PACK_BYTE ? CODES_BYTES : NIBBLES_BYTES), r);
                if (p->kind == PACK_NIBBLE_MIN)
                    minimum = -half_at(block + NIBBLES_BYTES + 2 * PANEL_ROWS, r);
            }
            out[k * PANEL_ROWS + r] = fmaf(scale, (float)((int)code - p->zero), -minimum);
        }
}
