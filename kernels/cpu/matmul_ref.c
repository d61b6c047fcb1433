/* The readable truth of the matrix kernels. The integer form is bit-equal to every other instruction set: exact integer sums
 * per block, then fused multiply-adds over ascending blocks. */
#include <math.h>
#include <string.h>

#include "kernels/cpu/matmul_kernels.h"

static void store(const struct panel_job *job, uint32_t panel, uint32_t row, const float sums[PANEL_ROWS])
{
    for (uint32_t i = 0; i < PANEL_ROWS && panel * PANEL_ROWS + i < job->w->n_out; i++) {
        uint32_t o = panel * PANEL_ROWS + i;
        job->y[(size_t)row * job->y_stride + o] = job->bias ? sums[i] + job->bias[o] : sums[i];
    }
}

static void run_f32(const struct panel_job *job)
{
    uint32_t n_in = job->w->n_in, n_blocks = (n_in + K_BLOCK - 1) / K_BLOCK;
    float w[K_BLOCK * PANEL_ROWS];
    for (uint32_t panel = job->panel_begin; panel < job->panel_end; panel++)
        for (uint32_t row = job->row_begin; row < job->row_end; row++) {
            float sums[PANEL_ROWS] = {0};
            const float *x = job->x->x + (size_t)row * job->x->x_stride;
            for (uint32_t b = 0; b < n_blocks; b++) {
                pack_decode_block(job->w, panel, b, w);
                for (uint32_t k = 0; k < K_BLOCK && b * K_BLOCK + k < n_in; k++)
                    for (unsigned i = 0; i < PANEL_ROWS; i++)
                        sums[i] = fmaf(w[k * PANEL_ROWS + i], x[b * K_BLOCK + k], sums[i]);
            }
            store(job, panel, row, sums);
        }
}

/* The pieces of one k-block of a panel that the integer form needs: exact codes, and scale and minimum per group. */
struct block {
    int codes[K_BLOCK][PANEL_ROWS];
    float scale[2][PANEL_ROWS], minimum[2][PANEL_ROWS];
    unsigned n_groups;
    bool has_minimum;
};

static float half_at(const unsigned char *at, unsigned lane)
{
    uint16_t bits;
    memcpy(&bits, at + 2 * lane, 2);
    return f16_to_f32(bits);
}

static void read_block(const struct packed *p, const unsigned char *panel, uint32_t b, struct block *out)
{
    enum { NIBBLES = 256, CODES = 512 };
    size_t scales_bytes = p->kind == PACK_NIBBLE_MIN ? 4 * PANEL_ROWS
                          : p->kind == PACK_GROUP    ? K_BLOCK / p->group * 2 * PANEL_ROWS * sizeof(float)
                                                     : 2 * PANEL_ROWS;
    size_t codes_bytes = p->zero == 128 ? CODES : NIBBLES, bytes = codes_bytes + scales_bytes;
    const unsigned char *head = NULL, *at = panel + b * bytes;
    if (p->kind == PACK_NIBBLE_K) {
        head = panel + b / 8 * (4 * PANEL_ROWS + 8 * bytes);
        at = head + 4 * PANEL_ROWS + b % 8 * bytes;
    }
    for (unsigned k = 0; k < K_BLOCK; k++)
        for (unsigned r = 0; r < PANEL_ROWS; r++) {
            unsigned code = p->zero == 128 ? at[k / 4 * 64 + r * 4 + k % 4]
                                           : at[k % 16 / 4 * 64 + r * 4 + k % 4] >> (k < 16 ? 0 : 4) & 15;
            out->codes[k][r] = (int)code - p->zero;
        }
    at += codes_bytes;
    out->n_groups = p->kind == PACK_GROUP ? K_BLOCK / p->group : 1;
    out->has_minimum = p->kind == PACK_NIBBLE_MIN || p->kind == PACK_NIBBLE_K || p->has_minimum;
    for (unsigned r = 0; r < PANEL_ROWS; r++) {
        if (p->kind == PACK_GROUP) {
            for (unsigned g = 0; g < out->n_groups; g++) {
                memcpy(&out->scale[g][r], at + (g * 2 * PANEL_ROWS + r) * sizeof(float), sizeof(float));
                memcpy(&out->minimum[g][r], at + ((g * 2 + 1) * PANEL_ROWS + r) * sizeof(float), sizeof(float));
            }
        } else if (p->kind == PACK_NIBBLE_K) {
            out->scale[0][r] = half_at(head, r) * (float)at[r];
            out->minimum[0][r] = half_at(head + 2 * PANEL_ROWS, r) * (float)at[PANEL_ROWS + r];
        } else {
            out->scale[0][r] = half_at(at, r);
            out->minimum[0][r] = p->kind == PACK_NIBBLE_MIN ? -half_at(at + 2 * PANEL_ROWS, r) : 0;
        }
    }
}

static void add_block(const struct block *w, const struct activations *x, uint32_t row, uint32_t b, float sums[PANEL_ROWS])
{
    const struct quad_block *quad = &x->quads[(size_t)(row / QUAD_ROWS) * x->n_blocks + b];
    unsigned lane = row % QUAD_ROWS;
    const int8_t *q = quad->q[lane];
    float d = quad->d[lane];
    unsigned per_group = K_BLOCK / w->n_groups;
    for (unsigned g = 0; g < w->n_groups; g++)
        for (unsigned r = 0; r < PANEL_ROWS; r++) {
            int32_t isum = 0;
            for (unsigned k = g * per_group; k < (g + 1) * per_group; k++)
                isum += w->codes[k][r] * q[k];
            sums[r] = fmaf(w->scale[g][r] * d, (float)isum, sums[r]);
            float s = w->n_groups == 2 ? quad->s16[g][lane] : quad->s[lane];
            if (w->has_minimum)
                sums[r] = fmaf(-w->minimum[g][r], s, sums[r]);
        }
}

static void run_q8(const struct panel_job *job)
{
    struct block w;
    for (uint32_t panel = job->panel_begin; panel < job->panel_end; panel++)
        for (uint32_t row = job->row_begin; row < job->row_end; row++) {
            float sums[PANEL_ROWS] = {0};
            for (uint32_t b = 0; b < job->x->n_blocks; b++) {
                read_block(job->w, packed_panel(job->w, panel), b, &w);
                add_block(&w, job->x, row, b, sums);
            }
            store(job, panel, row, sums);
        }
}

static void quantise_block(const struct activations *a, uint32_t row, uint32_t b)
{
    const float *x = a->x + (size_t)row * a->x_stride + (size_t)b * K_BLOCK;
    struct quad_block *quad = &a->quads[(size_t)(row / QUAD_ROWS) * a->n_blocks + b];
    unsigned lane = row % QUAD_ROWS;
    float amax = 0, poison = 0; /* poison: 0, or NaN where an input is not finite */
    for (unsigned i = 0; i < K_BLOCK; i++) {
        amax = fmaxf(amax, fabsf(x[i]));
        poison += x[i] * 0.0f;
    }
    float d = amax / 127.0f + poison, scale = amax > 0 ? 127.0f / amax : 0.0f;
    int32_t sums[2] = {0, 0};
    for (unsigned i = 0; i < K_BLOCK; i++) {
        int q = (int)nearbyintf(x[i] * scale);
        quad->q[lane][i] = (int8_t)q;
        sums[i / 16] += q;
    }
    int32_t sum = sums[0] + sums[1];
    quad->d[lane] = d;
    quad->s[lane] = d * (float)sum;
    quad->neg8[lane] = -8 * sum;
    quad->neg128[lane] = -128 * sum;
    for (unsigned h = 0; h < 2; h++) {
        quad->s16[h][lane] = d * (float)sums[h];
        quad->neg128_16[h][lane] = -128 * sums[h];
    }
}

static void quantise(const struct activations *a, uint32_t row_begin, uint32_t row_end)
{
    for (uint32_t row = row_begin; row < row_end; row++)
        for (uint32_t b = 0; b < a->n_blocks; b++)
            quantise_block(a, row, b);
}

static void round_bf16(const struct activations *a, uint32_t row_begin, uint32_t row_end)
{
    for (uint32_t row = row_begin; row < row_end; row++) {
        uint16_t *out = a->bf16 + (size_t)(row / QUAD_ROWS) * a->n_pairs * QUAD_ROWS * 2 + row % QUAD_ROWS * 2;
        for (uint32_t k = 0; k < 2 * a->n_pairs; k++)
            out[k / 2 * QUAD_ROWS * 2 + k % 2] = k < a->n_in ? bf16_from_f32(a->x[(size_t)row * a->x_stride + k]) : 0;
    }
}

const struct matmul_kernels matmul_kernels_ref = {run_f32, run_q8, NULL, quantise, round_bf16};
