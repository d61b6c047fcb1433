/* The matrix kernels of one instruction set, and the form in which activations reach them. */
#ifndef KERNELS_CPU_MATMUL_KERNELS_H
#define KERNELS_CPU_MATMUL_KERNELS_H

#include "kernels/cpu/pack.h"

/* Rows of activations, quantised once for all matrices that share them. Block = 32 inputs. Codes are
 * round-half-even(x * (127 / amax)), d = amax / 127. */
struct activations {
    const float *x; /* [n_rows, n_in] */
    size_t x_stride;
    uint32_t n_rows, n_in, n_blocks;
    int8_t *q;         /* [n_rows, n_blocks * 32] */
    float *d;          /* [n_rows, n_blocks] */
    float *s;          /* [n_rows, n_blocks]: d * sum of the block's codes */
    float *s16;        /* [n_rows, n_blocks * 2]: d * sum of each half's codes */
    int32_t *neg8;     /* [n_rows, n_blocks]: -8 * sum */
    int32_t *neg128;   /* [n_rows, n_blocks] */
    int32_t *neg128_16; /* [n_rows, n_blocks * 2] */
    uint16_t *bf16;    /* [n_rows, bf16_stride]: rounded to bfloat16, padded to even */
    size_t bf16_stride;
};

/* Which form a matrix needs. */
enum activation_form { ACTIVATION_F32, ACTIVATION_Q8, ACTIVATION_BF16 };

/* y[r, o] for o of panels [panel_begin, panel_end) and rows [row_begin, row_end). Every output is one chain of sums over
 * ascending k, whatever the ranges. */
struct panel_job {
    const struct packed *w;
    const struct activations *x;
    uint32_t panel_begin, panel_end, row_begin, row_end;
    const float *bias; /* may be null */
    float *y;
    size_t y_stride;
};

struct matmul_kernels {
    void (*run_f32)(const struct panel_job *job);  /* any kind, F32 activations */
    void (*run_q8)(const struct panel_job *job);   /* integer kinds, Q8 activations */
    void (*run_bf16)(const struct panel_job *job); /* BF16 weights and activations; null: not offered */
    void (*quantise)(const struct activations *x, uint32_t row_begin, uint32_t row_end);
    void (*round_bf16)(const struct activations *x, uint32_t row_begin, uint32_t row_end);
};

extern const struct matmul_kernels matmul_kernels_ref, matmul_kernels_avx2, matmul_kernels_avx512, matmul_kernels_avx512_vnni;

#endif
