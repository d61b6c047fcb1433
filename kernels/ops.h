/* Every operation a model is built from: one argument struct each, with its equation and shapes.
 *
 * Shapes are written slowest first: [n_rows, width]. Strides are in elements. A *row* is one token of the
 * batch. All ops obey one rule: a row's result is a function of that row, its absolute position and
 * constants of the process, never of the rows beside it, their number, or the number of threads.
 *
 * An op table belongs to one device and one instruction set. Ops never allocate: workspace comes from the
 * launch. They return nothing: shapes are validated when a model is bound, and check()ed here. */
#ifndef KERNELS_OPS_H
#define KERNELS_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"

/* `exact` multiplies stored weights with F32 activations; `fast` may quantise activations. */
enum numerics { NUMERICS_EXACT, NUMERICS_FAST };

struct thread_pool; /* kernels/thread_pool.h */

struct launch {
    struct thread_pool *pool; /* borrowed */
    void *workspace;          /* borrowed; at least ops->workspace_bytes for this model; 64-byte aligned */
    size_t workspace_bytes;
};

/* ---- Weights ------------------------------------------------------------------------------------------ */

/* A weight matrix W [n_out, n_in], row-major as in the file. For FP8 with block scales the value is
 * e4m3(q[r, c]) * scale[r / 128, c / 128] (DeepSeek-V3 report, section 3.3). */
struct matrix {
    enum dtype dtype;
    uint32_t n_out, n_in;
    const void *data;         /* borrowed from the mapping; any alignment */
    size_t row_bytes;         /* from one row to the next */
    const float *scale;       /* [ceil(n_out / 128), scale_cols]; null: none; borrowed, aligned */
    uint32_t scale_cols;
    struct packed *packed;    /* made by matrix_prepare for the chosen op table; owned; may be null */
};

struct ops;

/* Repacks for the op table (keeps the file's codes exactly). After this, `data` may be unmapped only if the
 * function says so through *keeps_data = false. STATUS_UNSUPPORTED for a dtype the table cannot multiply. */
enum status matrix_prepare(const struct ops *ops, enum numerics numerics, struct matrix *matrix, bool *keeps_data,
                           struct error *error) must_check;
void matrix_release(struct matrix *matrix); /* frees the packed form; safe on a zeroed matrix */
size_t matrix_packed_bytes(const struct matrix *matrix);

/* ---- Argument structs ----------------------------------------------------------------------------------- */

/* y[r, o] = sum_i W[o, i] x[r, i] (+ bias[o]) for several matrices that share their input. */
struct matmul_part {
    const struct matrix *w; /* [n_out, n_in]; n_in equal in all parts */
    const float *bias;      /* [n_out], may be null */
    float *y;               /* [n_rows, n_out] */
    size_t y_stride;
};
struct matmul_args {
    const struct matmul_part *parts;
    uint32_t n_parts;
    const float *x; /* [n_rows, n_in] */
    size_t x_stride;
    uint32_t n_rows;
};

/* y[r] = table[ids[r]] as F32. */
struct embed_args {
    const struct matrix *table; /* [vocabulary, width] */
    const uint32_t *ids;        /* [n_rows], each < n_out */
    uint32_t n_rows;
    float *y; /* [n_rows, width] */
    size_t y_stride;
};

/* y[r] = gain * x[r] / sqrt(mean(x[r]^2) + eps) (Zhang and Sennrich 2019). x may equal y. Sums in F32 by a fixed
 * tree that depends on width alone. */
struct rms_norm_args {
    const float *x; /* [n_rows, width] */
    size_t x_stride;
    const float *gain; /* [width] */
    float eps;
    float *y; /* [n_rows, width] */
    size_t y_stride;
    uint32_t n_rows, width;
};

/* x[r] += y[r]. */
struct add_args {
    float *x; /* [n_rows, width] */
    size_t x_stride;
    const float *y;
    size_t y_stride;
    uint32_t n_rows, width;
};

/* y = silu(gate) * up (Shazeer 2020). y may equal gate or up. */
struct gated_silu_args {
    const float *gate, *up; /* [n_rows, width] */
    size_t stride;          /* of gate and up */
    float *y;
    size_t y_stride;
    uint32_t n_rows, width;
};

/* Rotates n_dims of each head in place by the angle of the row's position (Su et al. 2021).
 * Pair i is (2i, 2i+1) when interleaved, (i, i + n_dims/2) otherwise; with (c, s) from the table row of the
 * position: a' = a c - b s, b' = a s + b c. */
struct rope_args {
    float *x; /* [n_rows, n_heads, head_stride]; rotates elements [offset, offset + n_dims) of each head */
    size_t row_stride, head_stride;
    uint32_t n_rows, n_heads, offset, n_dims;
    const uint32_t *positions; /* [n_rows] */
    const float *cos_sin;      /* [max_position, n_dims]: n_dims/2 cosines, then n_dims/2 sines */
    bool interleaved;
};

/* ---- Cache pages ----------------------------------------------------------------------------------------- */

/* Keys and values live in pages of KV_PAGE_TOKENS tokens at absolute positions: token at position p is in
 * slot p % KV_PAGE_TOKENS of page pages[p / KV_PAGE_TOKENS]. One layer's part of a page is contiguous:
 *   grouped-query: K [n_kv_heads, head_dim, KV_PAGE_TOKENS] (token fastest, so that a score of 16 keys is one vector),
 *                  then V [n_kv_heads, KV_PAGE_TOKENS, head_dim];
 *   latent:        [KV_PAGE_TOKENS, kv_lora_rank + rope_dim]. */
enum { KV_PAGE_TOKENS = 64 };

struct kv_layer {
    char *base;         /* this layer's part of page 0; borrowed */
    size_t page_stride; /* bytes from page i to page i + 1 */
    enum dtype dtype;   /* F32, F16 or BF16 */
};

/* Rows [first_row, first_row + n_rows) of the batch are positions [position, position + n_rows) of one
 * sequence. `pages` covers positions 0 .. position + n_rows - 1. */
struct attention_seq {
    const uint32_t *pages;
    uint32_t first_row, n_rows, position;
};

/* Stores rows of k and v into the pages (rounded to the cache dtype). */
struct kv_write_args {
    const struct kv_layer *kv;
    const struct attention_seq *seqs;
    uint32_t n_seqs, n_kv_heads, head_dim;
    const float *k, *v; /* [n_rows, n_kv_heads, head_dim] */
    size_t k_stride, v_stride;
};

/* o[r, h] = sum_s softmax_s(scale q[r, h] . k[s, h']) v[s, h'], s <= position of r, h' = h / (n_heads / n_kv_heads)
 * (Ainslie et al. 2023). Keys are visited in tiles at absolute multiples of KV_PAGE_TOKENS, ascending, with one
 * running maximum per row: prompt and generated rows are one function. */
struct attention_args {
    const struct kv_layer *kv;
    const struct attention_seq *seqs;
    uint32_t n_seqs, n_heads, n_kv_heads, head_dim;
    float scale;
    const float *q; /* [n_rows, n_heads, head_dim] */
    size_t q_stride;
    float *o; /* [n_rows, n_heads, head_dim] */
    size_t o_stride;
};

/* Stores [latent | rotated key] rows into a latent cache. */
struct latent_write_args {
    const struct kv_layer *kv;
    const struct attention_seq *seqs;
    uint32_t n_seqs, width; /* width = kv_lora_rank + rope_dim */
    const float *row;       /* [n_rows, width] */
    size_t stride;
};

/* Multi-head latent attention, absorbed form (DeepSeek-V2 2024, section 2.1; models of the V2/V3 family):
 * per head h: score[s] = scale (qa[r, h] . c[s] + qr[r, h] . kr[s]), p = softmax, o[r, h] = sum_s p[s] c[s],
 * where cache row s = [c (kv_lora_rank) | kr (rope_dim)]. qa = U_h^T qn and the final V_h are matmuls of the caller. */
struct latent_attention_args {
    const struct kv_layer *kv;
    const struct attention_seq *seqs;
    uint32_t n_seqs, n_heads, kv_lora_rank, rope_dim;
    float scale;
    const float *q; /* [n_rows, n_heads, kv_lora_rank + rope_dim]: [qa | qr] */
    size_t q_stride;
    float *o; /* [n_rows, n_heads, kv_lora_rank] */
    size_t o_stride;
};

/* Per-head products used by latent attention: y[r, h] = M_h x[r, h], each M_h [n_out, n_in]. */
struct head_matmul_args {
    const struct matrix *w; /* [n_heads] matrices of equal shape */
    uint32_t n_heads, n_rows;
    const float *x; /* [n_rows, n_heads, x_head_stride] */
    size_t x_stride, x_head_stride;
    float *y; /* [n_rows, n_heads, y_head_stride] */
    size_t y_stride, y_head_stride;
};

/* ---- Experts --------------------------------------------------------------------------------------------- */

enum router_score { ROUTER_SOFTMAX, ROUTER_SIGMOID, ROUTER_SQRT_SOFTPLUS };
enum router_group { ROUTER_GROUP_NONE, ROUTER_GROUP_MAX, ROUTER_GROUP_TOP2 };

/* How a layer chooses experts (DeepSeek-V3 report eq. 13-16; DeepSeek-V2 section 2.2; Mixtral section 2.1). */
struct router_rule {
    enum router_score score;
    enum router_group group; /* how a group is scored; NONE: no group limit */
    uint32_t n_experts, n_used, n_groups, n_groups_used;
    bool normalise;  /* divide by (sum of chosen + 1e-20) */
    float scale;     /* multiplies the weights */
};

/* Scores are F32; the bias is used to choose only; masked groups count as -inf (sigmoid) or 0 (softmax);
 * ties go to the lower index. Chosen experts come out in ascending order. */
struct route_args {
    const struct router_rule *rule;
    const float *logits; /* [n_rows, n_experts] */
    const float *bias;   /* [n_experts], may be null */
    uint32_t n_rows;
    uint32_t *experts; /* [n_rows, n_used] */
    float *weights;    /* [n_rows, n_used] */
};

struct expert {
    struct matrix gate, up, down; /* [inter, hidden], [inter, hidden], [hidden, inter] */
};

/* y[r] = sum_j weights[r, j] * down_e( silu(gate_e x[r]) * up_e x[r] ), e = experts[r, j], added in ascending expert
 * order. y is overwritten. */
struct moe_args {
    const struct expert *experts; /* [n_experts] */
    uint32_t n_experts, n_used, hidden, inter;
    const uint32_t *chosen; /* [n_rows, n_used] */
    const float *weights;   /* [n_rows, n_used] */
    const float *x;         /* [n_rows, hidden] */
    size_t x_stride;
    float *y; /* [n_rows, hidden] */
    size_t y_stride;
    uint32_t n_rows;
};

/* ---- The table ------------------------------------------------------------------------------------------- */

/* Sizes a model tells once so that the workspace can be computed. */
struct ops_limits {
    uint32_t n_rows_max;      /* rows of a step */
    uint32_t width_max;       /* largest n_in of any matrix */
    uint32_t n_heads, head_dim_max, n_experts, n_used, hidden, inter_max;
};

struct ops {
    const char *name; /* "ref", "avx2", "avx512", ... */
    enum numerics numerics;
    size_t (*workspace_bytes)(const struct ops_limits *limits, unsigned n_threads);
    void (*matmul)(const struct launch *launch, const struct matmul_args *args);
    void (*embed)(const struct launch *launch, const struct embed_args *args);
    void (*rms_norm)(const struct launch *launch, const struct rms_norm_args *args);
    void (*add)(const struct launch *launch, const struct add_args *args);
    void (*gated_silu)(const struct launch *launch, const struct gated_silu_args *args);
    void (*rope)(const struct launch *launch, const struct rope_args *args);
    void (*kv_write)(const struct launch *launch, const struct kv_write_args *args);
    void (*attention)(const struct launch *launch, const struct attention_args *args);
    void (*latent_write)(const struct launch *launch, const struct latent_write_args *args);
    void (*latent_attention)(const struct launch *launch, const struct latent_attention_args *args);
    void (*head_matmul)(const struct launch *launch, const struct head_matmul_args *args);
    void (*route)(const struct launch *launch, const struct route_args *args);
    void (*moe)(const struct launch *launch, const struct moe_args *args);
};

/* The table for an instruction set: "auto" picks the best the CPU and OS offer; a name forces one of
 * ref, avx2, avx512, avx512_vnni (STATUS_UNSUPPORTED when the CPU lacks it, with the list of those it has). */
enum status ops_cpu(const char *isa, enum numerics numerics, const struct ops **out, struct error *error) must_check;

/* Names of the tables this CPU can run, best first; returns how many. */
unsigned ops_cpu_list(const char *names[8]);

#endif
