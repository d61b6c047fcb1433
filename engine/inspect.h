/* What is in a model file, as plain data: for `seekd inspect`. Reads headers only; loads no weights. */
#ifndef ENGINE_INSPECT_H
#define ENGINE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct inspect; /* an open model */

enum { INSPECT_TYPES_MAX = 64, INSPECT_DIMS_MAX = 4 };

struct inspect_type {
    const char *name;
    bool readable; /* this program computes with it */
    uint64_t n_tensors, n_bytes;
};

struct inspect_tensor {
    const char *name, *type; /* lend until the model is closed */
    bool readable;
    uint32_t n_dims;
    uint64_t shape[INSPECT_DIMS_MAX]; /* slowest first */
    uint64_t n_bytes;
};

/* What serving would take here, for one --numerics. */
struct inspect_plan {
    bool fits;
    char refusal[512]; /* when it does not */
    const char *cache_type;
    uint32_t threads, context, n_pages;
    uint64_t cache_bytes;
};

struct inspect_model {
    char architecture[64], family[32], name[128];
    uint32_t n_layers, hidden, vocabulary, context, intermediate;
    uint32_t n_heads, n_kv_heads, head_dim;
    bool latent_attention;
    uint32_t kv_lora_rank, rope_head_dim, q_lora_rank;
    uint32_t n_experts, n_experts_used, n_shared_experts, moe_intermediate, first_dense_layers;
    uint32_t n_nextn_layers;
    bool tied_embeddings;
    const char *rope_scaling;
    double rope_theta, rope_factor;
    uint64_t cache_bytes_per_token_f32, cache_bytes_per_token_f16;
    uint64_t available_bytes; /* memory that is free on this machine now */
    struct inspect_plan exact, fast;
};

struct inspect_summary {
    const char *format; /* GGUF or safetensors */
    uint32_t format_version; /* of GGUF; else 0 */
    uint32_t n_files, n_tensors, n_types;
    uint64_t n_parameters, n_bytes;
    struct inspect_type types[INSPECT_TYPES_MAX]; /* most bytes first */
    bool known; /* false: `model` is empty and `unknown` says why it cannot be served */
    struct error unknown;
    struct inspect_model model;
};

enum status inspect_open(struct inspect **out, const char *path, struct error *error) must_check;
void inspect_close(struct inspect *inspect);

const struct inspect_summary *inspect_summary_of(const struct inspect *inspect);

/* index < n_tensors, in the order of the files. */
struct inspect_tensor inspect_tensor_at(const struct inspect *inspect, uint32_t index);

#endif
