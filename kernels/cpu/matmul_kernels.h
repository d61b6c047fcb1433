/* The matrix kernels of one instruction set, and the form in which activations reach them. */
#ifndef KERNELS_CPU_MATMUL_KERNELS_H
#define KERNELS_CPU_MATMUL_KERNELS_H

#include "kernels/cpu/pack.h"

enum { QUAD_ROWS = 4 };

/* 32 inputs of four rows of activations as codes: round-half-even(x * (127 / amax)), d = amax / 127. Four rows stand together
 * so that a tile of twelve rows needs three addresses. */
struct quad_block {
    int8_t q[QUAD_ROWS][K_BLOCK];
    float d[QUAD_ROWS], s[QUAD_ROWS]; /* s: d * sum of the block's codes */
    int32_t neg8[QUAD_ROWS];          /* -8 * sum */
    int32_t neg128[QUAD_ROWS];        /* -128 * sum */
    float s16[2][QUAD_ROWS];          /* the same for each half of the block */
    int32_t neg128_16[2][QUAD_ROWS];
};

/* Rows of activations, brought into the form the weights want once for all matrices that share them. */
struct activations {
    const float *x; /* [n_rows, n_in] */
    size_t x_stride;
    uint32_t n_rows, n_in, n_blocks, n_pairs; /* n_blocks = ceil(n_in / 32), n_pairs = ceil(n_in / 2) */
    struct quad_block *quads;                 /* [ceil(n_rows / 4), n_blocks] */
    uint16_t *bf16;                           /* [ceil(n_rows / 4), n_pairs, 4, 2]: rounded to bfloat16, padded with zero */
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
