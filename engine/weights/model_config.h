/* What a model's config.json or GGUF metadata says, in one struct. Nothing here is guessed from names. */
#ifndef ENGINE_WEIGHTS_MODEL_CONFIG_H
#define ENGINE_WEIGHTS_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/ops.h"

struct weights;

enum { MODEL_EOS_MAX = 8, MODEL_NAME_MAX = 128 };

enum rope_scaling { ROPE_SCALING_NONE, ROPE_SCALING_LINEAR, ROPE_SCALING_YARN, ROPE_SCALING_LLAMA3 };

struct rope_config {
    enum rope_scaling scaling;
    float theta;              /* base; 10000 usual */
    float factor;             /* of the scaling; 1 when none */
    uint32_t original_context; /* positions the base was trained for */
    float beta_fast, beta_slow;        /* YaRN: 32, 1 */
    float mscale, mscale_all_dim;      /* DeepSeek YaRN; 0 when absent */
    float attention_factor;            /* plain YaRN: multiplies cos and sin; 0 when absent */
    float attn_factor;                 /* plain YaRN: times (0.1 ln factor + 1); 0 when absent */
    float low_freq_factor, high_freq_factor; /* llama3: 1, 4 */
    bool interleaved;         /* pair layout of the stored rows (models.md section 0) */
    const float *divisors;    /* [dims / 2] from GGUF rope_freqs.weight, or null; lends until the weights close */
};

enum attention_kind { ATTENTION_GROUPED, ATTENTION_LATENT, ATTENTION_LATENT_SPARSE };

struct model_config {
    char family[32];       /* row of engine/model/families.c: llama, qwen2, qwen3, mixtral, deepseek */
    char architecture[64]; /* as the file names it: DeepseekV3ForCausalLM, or GGUF's general.architecture */
    char name[MODEL_NAME_MAX]; /* general.name, or empty */
    bool from_gguf;

    uint32_t n_layers, hidden, vocabulary; /* vocabulary = embedding rows */
    uint32_t context;                      /* max_position_embeddings */
    float rms_norm_eps;
    bool tied_embeddings;
    struct rope_config rope;

    enum attention_kind attention;
    uint32_t n_heads, n_kv_heads, head_dim;
    bool qkv_bias, qk_norm;
    /* latent attention */
    uint32_t q_lora_rank; /* 0: a single q_proj */
    uint32_t kv_lora_rank, qk_nope_head_dim, qk_rope_head_dim, v_head_dim;
    /* sparse selection (V3.2) */
    uint32_t index_n_heads, index_head_dim, index_topk;

    uint32_t intermediate;     /* dense FFN width */
    uint32_t moe_intermediate; /* routed expert width */
    uint32_t n_shared_experts, first_dense_layers, moe_layer_freq; /* layer l is MoE iff n_experts > 0, l >= first_dense
                                                                      and l % freq == 0 */
    struct router_rule router; /* n_experts 0: no experts */
    uint32_t n_nextn_layers;   /* MTP layers after the last; their tensors are skipped */

    uint32_t eos_ids[MODEL_EOS_MAX], n_eos;
    int64_t bos_id; /* -1: none */
};

/* Reads and range-checks config.json or GGUF metadata; an unknown architecture is STATUS_UNSUPPORTED with the
 * list of those known. */
enum status model_config_read(struct model_config *config, const struct weights *weights, struct error *error) must_check;

#endif
