/* The op tables of the CPU, one per instruction set and numerics, and which of them this machine can run. */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "kernels/cpu/cpu_ops.h"

enum { F32_BYTES = sizeof(float) };

size_t attention_workspace_bytes(const struct ops_limits *limits, unsigned n_threads)
{
    return size_round_up((size_t)limits->head_dim_max * KV_PAGE_TOKENS * F32_BYTES, 64) * n_threads;
}

static size_t workspace_bytes(const struct ops_limits *limits, unsigned n_threads)
{
    size_t sizes[] = {matmul_workspace_bytes(limits->n_rows_max, limits->width_max), moe_workspace_bytes(limits),
                      attention_workspace_bytes(limits, n_threads)};
    size_t most = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        most = sizes[i] > most ? sizes[i] : most;
    return size_round_up(most, 64);
}

/* A table: its matrix kernels, its vector ops, its numerics. The small functions bind the kernels, since ops carry no
 * context of their own. */
#define TABLE(id, text, matrix_kernels, vectors, mode)                                                               \
    static void matmul_##id(const struct launch *launch, const struct matmul_args *args)                             \
    {                                                                                                                  \
        matmul_run(launch, args, &matrix_kernels, mode);                                                              \
    }                                                                                                                  \
    static void head_matmul_##id(const struct launch *launch, const struct head_matmul_args *args)                   \
    {                                                                                                                  \
        matmul_run_heads(launch, args, &matrix_kernels);                                                              \
    }                                                                                                                  \
    static void gated_silu_##id(const struct launch *launch, const struct gated_silu_args *args)                     \
    {                                                                                                                  \
        vectors.gated_silu(launch, args);                                                                             \
    }                                                                                                                  \
    static void rms_norm_##id(const struct launch *launch, const struct rms_norm_args *args)                         \
    {                                                                                                                  \
        vectors.rms_norm(launch, args);                                                                               \
    }                                                                                                                  \
    static void add_##id(const struct launch *launch, const struct add_args *args)                                   \
    {                                                                                                                  \
        vectors.add(launch, args);                                                                                    \
    }                                                                                                                  \
    static void rope_##id(const struct launch *launch, const struct rope_args *args)                                 \
    {                                                                                                                  \
        vectors.rope(launch, args);                                                                                   \
    }                                                                                                                  \
    static void kv_write_##id(const struct launch *launch, const struct kv_write_args *args)                         \
    {                                                                                                                  \
        vectors.kv_write(launch, args);                                                                               \
    }                                                                                                                  \
    static void attention_##id(const struct launch *launch, const struct attention_args *args)                       \
    {                                                                                                                  \
        vectors.attention(launch, args);                                                                              \
    }                                                                                                                  \
    static void latent_write_##id(const struct launch *launch, const struct latent_write_args *args)                 \
    {                                                                                                                  \
        vectors.latent_write(launch, args);                                                                           \
    }                                                                                                                  \
    static void latent_attention_##id(const struct launch *launch, const struct latent_attention_args *args)         \
    {                                                                                                                  \
        vectors.latent_attention(launch, args);                                                                       \
    }                                                                                                                  \
    static void moe_##id(const struct launch *launch, const struct moe_args *args)                                   \
    {                                                                                                                  \
        moe_run(launch, args, &matrix_kernels, gated_silu_##id, mode);                                                \
    }                                                                                                                  \
    static const struct ops table_##id = {                                                                            \
        .name = text,                                                                                                  \
        .numerics = mode,                                                                                              \
        .workspace_bytes = workspace_bytes,                                                                            \
        .matmul = matmul_##id,                                                                                         \
        .embed = embed_run,                                                                                            \
        .rms_norm = rms_norm_##id,                                                                                     \
        .add = add_##id,                                                                                               \
        .gated_silu = gated_silu_##id,                                                                                 \
        .rope = rope_##id,                                                                                             \
        .kv_write = kv_write_##id,                                                                                     \
        .attention = attention_##id,                                                                                   \
        .latent_write = latent_write_##id,                                                                             \
        .latent_attention = latent_attention_##id,                                                                     \
        .head_matmul = head_matmul_##id,                                                                               \
        .route = route_run,                                                                                            \
        .moe = moe_##id,                                                                                               \
    };

TABLE(ref_exact, "ref", matmul_kernels_ref, vector_ops_ref, NUMERICS_EXACT)
TABLE(ref_fast, "ref", matmul_kernels_ref, vector_ops_ref, NUMERICS_FAST)
TABLE(avx2_exact, "avx2", matmul_kernels_avx2, vector_ops_avx2, NUMERICS_EXACT)
TABLE(avx2_fast, "avx2", matmul_kernels_avx2, vector_ops_avx2, NUMERICS_FAST)
TABLE(avx512_exact, "avx512", matmul_kernels_avx512, vector_ops_avx512, NUMERICS_EXACT)
TABLE(avx512_fast, "avx512", matmul_kernels_avx512, vector_ops_avx512, NUMERICS_FAST)
TABLE(vnni_exact, "avx512_vnni", matmul_kernels_avx512_vnni, vector_ops_avx512, NUMERICS_EXACT)
TABLE(vnni_fast, "avx512_vnni", matmul_kernels_avx512_vnni, vector_ops_avx512, NUMERICS_FAST)

static const struct ops *const tables[][2] = {
    /* best first */
    {&table_vnni_exact, &table_vnni_fast},
    {&table_avx512_exact, &table_avx512_fast},
    {&table_avx2_exact, &table_avx2_fast},
    {&table_ref_exact, &table_ref_fast},
};
enum { N_TABLES = sizeof tables / sizeof tables[0] };

/* What the operating system saves on a task switch (XCR0): registers it does not save must not be used. */
static unsigned saved_state(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* By hand: clang 14 has no name for it. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool can_run(const char *name)
{
    enum { YMM = 0x6, ZMM = 0xE6 };
    unsigned saved = saved_state();
    if (strcmp(name, "ref") == 0)
        return true;
    bool avx2 = (saved & YMM) == YMM && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                __builtin_cpu_supports("bmi2") && has_f16c();
    if (strcmp(name, "avx2") == 0)
        return avx2;
    bool avx512 = avx2 && (saved & ZMM) == ZMM && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (strcmp(name, "avx512") == 0)
        return avx512;
    return avx512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}

unsigned ops_cpu_list(const char *names[8])
{
    unsigned n = 0;
    for (unsigned i = 0; i < N_TABLES; i++)
        if (can_run(tables[i][0]->name))
            names[n++] = tables[i][0]->name;
    return n;
}

enum status ops_cpu(const char *isa, enum numerics numerics, const struct ops **out, struct error *error)
{
    const char *names[8];
    char list[128] = "";
    unsigned n = ops_cpu_list(names);
    for (unsigned i = 0; i < N_TABLES; i++) {
        const char *name = tables[i][0]->name;
        if ((strcmp(isa, "auto") == 0 || strcmp(isa, name) == 0) && can_run(name)) {
            *out = tables[i][numerics == NUMERICS_FAST];
            return STATUS_OK;
        }
    }
    for (unsigned i = 0; i < n; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    return error_set_path(error, STATUS_UNSUPPORTED, NULL, "cpu_isa", "cpu_isa %s: this machine offers auto, %s", isa, list);
}
