/* The CPU ops and their instruction-set variants, for the tables in ops_cpu.c. */
#ifndef KERNELS_CPU_CPU_OPS_H
#define KERNELS_CPU_CPU_OPS_H

#include "kernels/cpu/matmul_kernels.h"
#include "kernels/ops.h"

/* Ops that exist once and take the matrix kernels to use. */
void matmul_run(const struct launch *launch, const struct matmul_args *args, const struct matmul_kernels *kernels,
                enum numerics numerics);
void matmul_run_heads(const struct launch *launch, const struct head_matmul_args *args,
                      const struct matmul_kernels *kernels);
void moe_run(const struct launch *launch, const struct moe_args *args, const struct matmul_kernels *kernels,
             void (*gated_silu)(const struct launch *, const struct gated_silu_args *), enum numerics numerics);
void embed_run(const struct launch *launch, const struct embed_args *args);
void route_run(const struct launch *launch, const struct route_args *args);

/* Bytes of workspace for the ops above and for attention. */
size_t matmul_workspace_bytes(uint32_t n_rows, uint32_t width);
size_t moe_workspace_bytes(const struct ops_limits *limits);
size_t attention_workspace_bytes(const struct ops_limits *limits, unsigned n_threads);

/* Ops that exist per instruction set. */
struct vector_ops {
    void (*rms_norm)(const struct launch *launch, const struct rms_norm_args *args);
    void (*add)(const struct launch *launch, const struct add_args *args);
    void (*gated_silu)(const struct launch *launch, const struct gated_silu_args *args);
    void (*rope)(const struct launch *launch, const struct rope_args *args);
    void (*kv_write)(const struct launch *launch, const struct kv_write_args *args);
    void (*attention)(const struct launch *launch, const struct attention_args *args);
    void (*latent_write)(const struct launch *launch, const struct latent_write_args *args);
    void (*latent_attention)(const struct launch *launch, const struct latent_attention_args *args);
};

extern const struct vector_ops vector_ops_ref, vector_ops_avx2, vector_ops_avx512;

#endif
