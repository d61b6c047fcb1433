/* Codes and scales of every block format, and decoding to F32 from them. Layouts and formulas: the comments in qblock.h;
 * k-quants pack 6-bit scales as written there. */
#include "kernels/dequant.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "kernels/qblock.h"

static const int8_t iq4_table[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

unsigned dequant_group(enum dtype dtype)
{
    return dtype == DTYPE_Q2_K || dtype == DTYPE_Q3_K || dtype == DTYPE_Q6_K ? 16 : 32;
}

bool dequant_has_minimum(enum dtype dtype)
{
    return dtype == DTYPE_Q4_1 || dtype == DTYPE_Q5_1 || dtype == DTYPE_Q2_K || dtype == DTYPE_Q4_K || dtype == DTYPE_Q5_K;
}

static void nibbles(const uint8_t qs[16], int8_t *codes, int offset)
{
    for (int j = 0; j < 16; j++) {
        codes[j] = (int8_t)((qs[j] & 15) - offset);
        codes[j + 16] = (int8_t)((qs[j] >> 4) - offset);
    }
}

static void add_fifth_bits(const uint8_t qh[4], int8_t *codes)
{
    for (int j = 0; j < 32; j++)
        codes[j] = (int8_t)(codes[j] + 16 * (qh[j >> 3] >> (j & 7) & 1));
}

/* The packed 6-bit scale and minimum k (0..7) of Q4_K and Q5_K. */
static void k4_scale(const uint8_t s[12], int k, unsigned *scale, unsigned *minimum)
{
    if (k < 4) {
        *scale = s[k] & 63;
        *minimum = s[k + 4] & 63;
    } else {
        *scale = (unsigned)(s[k + 4] & 15) | (unsigned)(s[k - 4] >> 6) << 4;
        *minimum = (unsigned)(s[k + 4] >> 4) | (unsigned)(s[k] >> 6) << 4;
    }
}

static void block_q2_k(const struct qblock_q2_k *b, int8_t *codes, float *scales, float *minimums)
{
    float d = f16_to_f32(b->d), dmin = f16_to_f32(b->dmin);
    for (int i = 0; i < 256; i++)
        codes[i] = (int8_t)(b->qs[32 * (i / 128) + i % 32] >> (2 * (i % 128 / 32)) & 3);
    for (int g = 0; g < 16; g++) {
        scales[g] = d * (float)(b->sc[g] & 15);
        minimums[g] = dmin * (float)(b->sc[g] >> 4);
    }
}

static void block_q3_k(const struct qblock_q3_k *b, int8_t *codes, float *scales)
{
    float d = f16_to_f32(b->d);
    for (int i = 0; i < 256; i++) {
        int half = i / 128, group = i % 128 / 32, l = i % 32;
        int q = b->qs[32 * half + l] >> (2 * group) & 3;
        codes[i] = (int8_t)(q - (b->hmask[l] >> (4 * half + group) & 1 ? 0 : 4));
    }
    for (int j = 0; j < 16; j++) {
        int low = j < 8 ? b->s[j] & 15 : b->s[j - 8] >> 4;
        int top = b->s[8 + j % 4] >> (2 * (j / 4)) & 3;
        scales[j] = d * (float)((low | top << 4) - 32);
    }
}

static void block_q4_k(const struct qblock_q4_k *b, int8_t *codes, float *scales, float *minimums)
{
    float d = f16_to_f32(b->d), dmin = f16_to_f32(b->dmin);
    for (int k = 0; k < 8; k++) {
        unsigned scale, minimum;
        k4_scale(b->s, k, &scale, &minimum);
        scales[k] = d * (float)scale;
        minimums[k] = dmin * (float)minimum;
        for (int l = 0; l < 32; l++)
            codes[32 * k + l] = (int8_t)(b->qs[32 * (k / 2) + l] >> (k & 1 ? 4 : 0) & 15);
    }
}

static void block_q5_k(const struct qblock_q5_k *b, int8_t *codes, float *scales, float *minimums)
{
    float d = f16_to_f32(b->d), dmin = f16_to_f32(b->dmin);
    for (int k = 0; k < 8; k++) {
        unsigned scale, minimum;
        k4_scale(b->s, k, &scale, &minimum);
        scales[k] = d * (float)scale;
        minimums[k] = dmin * (float)minimum;
        for (int l = 0; l < 32; l++)
            codes[32 * k + l] = (int8_t)((b->qs[32 * (k / 2) + l] >> (k & 1 ? 4 : 0) & 15) + 16 * (b->qh[l] >> k & 1));
    }
}

static void block_q6_k(const struct qblock_q6_k *b, int8_t *codes, float *scales)
{
    float d = f16_to_f32(b->d);
    for (int i = 0; i < 256; i++) {
        int half = i / 128, group = i % 128 / 32, l = i % 32;
        int byte = b->ql[64 * half + l + (group & 1 ? 32 : 0)];
        int low = group < 2 ? byte & 15 : byte >> 4;
        codes[i] = (int8_t)((low | (b->qh[32 * half + l] >> (2 * group) & 3) << 4) - 32);
    }
    for (int g = 0; g < 16; g++)
        scales[g] = d * (float)b->sc[g];
}

static void block_iq4_xs(const struct qblock_iq4_xs *b, int8_t *codes, float *scales)
{
    float d = f16_to_f32(b->d);
    for (int k = 0; k < 8; k++) {
        int ls = (b->sl[k / 2] >> (4 * (k & 1)) & 15) | (b->sh >> (2 * k) & 3) << 4;
        scales[k] = d * (float)(ls - 32);
        for (int j = 0; j < 16; j++) {
            codes[32 * k + j] = iq4_table[b->qs[16 * k + j] & 15];
            codes[32 * k + j + 16] = iq4_table[b->qs[16 * k + j] >> 4];
        }
    }
}

void dequant_block(enum dtype dtype, const void *block, int8_t *codes, float *scales, float *minimums)
{
    union {
        struct qblock_q4_0 q4_0;
        struct qblock_q4_1 q4_1;
        struct qblock_q5_0 q5_0;
        struct qblock_q5_1 q5_1;
        struct qblock_q8_0 q8_0;
        struct qblock_q2_k q2_k;
        struct qblock_q3_k q3_k;
        struct qblock_q4_k q4_k;
        struct qblock_q5_k q5_k;
        struct qblock_q6_k q6_k;
        struct qblock_iq4_nl iq4_nl;
        struct qblock_iq4_xs iq4_xs;
    } b;
    memcpy(&b, block, dtype_info(dtype)->qblock_bytes); /* files give no alignment */
    if (minimums)
        memset(minimums, 0, dtype_info(dtype)->qblock_elems / dequant_group(dtype) * sizeof *minimums);
    switch (dtype) {
    case DTYPE_Q4_0:
        nibbles(b.q4_0.qs, codes, 8);
        scales[0] = f16_to_f32(b.q4_0.d);
        break;
    case DTYPE_Q4_1:
        nibbles(b.q4_1.qs, codes, 0);
        scales[0] = f16_to_f32(b.q4_1.d);
        minimums[0] = -f16_to_f32(b.q4_1.m);
        break;
    case DTYPE_Q5_0:
        nibbles(b.q5_0.qs, codes, 16);
        add_fifth_bits(b.q5_0.qh, codes);
        scales[0] = f16_to_f32(b.q5_0.d);
        break;
    case DTYPE_Q5_1:
        nibbles(b.q5_1.qs, codes, 0);
        add_fifth_bits(b.q5_1.qh, codes);
        scales[0] = f16_to_f32(b.q5_1.d);
        minimums[0] = -f16_to_f32(b.q5_1.m);
        break;
    case DTYPE_Q8_0:
        memcpy(codes, b.q8_0.q, 32);
        scales[0] = f16_to_f32(b.q8_0.d);
        break;
    case DTYPE_Q2_K:
        block_q2_k(&b.q2_k, codes, scales, minimums);
        break;
    case DTYPE_Q3_K:
        block_q3_k(&b.q3_k, codes, scales);
        break;
    case DTYPE_Q4_K:
        block_q4_k(&b.q4_k, codes, scales, minimums);
        break;
    case DTYPE_Q5_K:
        block_q5_k(&b.q5_k, codes, scales, minimums);
        break;
    case DTYPE_Q6_K:
        block_q6_k(&b.q6_k, codes, scales);
        break;
    case DTYPE_IQ4_NL:
        for (int j = 0; j < 16; j++) {
            codes[j] = iq4_table[b.iq4_nl.qs[j] & 15];
            codes[j + 16] = iq4_table[b.iq4_nl.qs[j] >> 4];
        }
        scales[0] = f16_to_f32(b.iq4_nl.d);
        break;
    case DTYPE_IQ4_XS:
        block_iq4_xs(&b.iq4_xs, codes, scales);
        break;
    default:
        check(!"a quantised type");
    }
}

static void quantised_to_f32(enum dtype dtype, const unsigned char *from, float *to, size_t n)
{
    const struct dtype_info *info = dtype_info(dtype);
    unsigned group = dequant_group(dtype);
    int8_t codes[256];
    float scales[16], minimums[16];
    for (size_t at = 0; at < n; at += info->qblock_elems, from += info->qblock_bytes) {
        dequant_block(dtype, from, codes, scales, minimums);
        for (unsigned i = 0; i < info->qblock_elems; i++)
            to[at + i] = fmaf(scales[i / group], (float)codes[i], -minimums[i / group]);
    }
}

void dtype_to_f32(enum dtype dtype, const void *from, float *to, size_t n)
{
    const unsigned char *at = from;
    uint16_t half;
    double wide;
    switch (dtype) {
    case DTYPE_F32:
        memcpy(to, from, n * sizeof *to);
        return;
    case DTYPE_F16:
    case DTYPE_BF16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&half, at + 2 * i, sizeof half);
            to[i] = dtype == DTYPE_F16 ? f16_to_f32(half) : bf16_to_f32(half);
        }
        return;
    case DTYPE_F64:
        for (size_t i = 0; i < n; i++) {
            memcpy(&wide, at + 8 * i, sizeof wide);
            to[i] = (float)wide;
        }
        return;
    case DTYPE_F8_E4M3:
        for (size_t i = 0; i < n; i++)
            to[i] = e4m3_to_f32(at[i]);
        return;
    default:
        check(dtype_info(dtype)->qblock_elems > 1 && n % dtype_info(dtype)->qblock_elems == 0);
        quantised_to_f32(dtype, at, to, n);
    }
}
