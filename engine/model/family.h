/* Inside engine/model: what a family of models is made of, and the pieces families share.
 *
 * A family binds its tensors by name from a table of rows and writes its forward from the layers declared here. */
#ifndef ENGINE_MODEL_FAMILY_H
#define ENGINE_MODEL_FAMILY_H

#include "base/arena.h"
#include "engine/model/model.h"

/* ---- Binding ------------------------------------------------------------------------------------------------- */

/* Which axis of a tensor is split between tensor-parallel ranks. */
enum shard_axis { SHARD_NONE, SHARD_ROWS, SHARD_COLUMNS, SHARD_HEADS, SHARD_EXPERTS };

/* A tensor's names: %u is the layer, a second %u the expert. Null: that kind of file has none. */
struct tensor_name {
    const char *hugging_face, *gguf;
    enum shard_axis axis;
};

struct binder {
    struct model *model;
    const struct weights *weights;
    bool *used; /* [n_tensors]: asked for by its name */
    struct error *error;
};

/* The tensor of a name row, or null. It counts as used. */
const struct tensor *bind_find(struct binder *binder, const struct tensor_name *name, uint32_t layer, uint32_t expert);

/* A matrix [n_out, n_in], repacked. Errors name the tensor, expected and found shape and type. */
enum status bind_matrix(struct binder *binder, struct matrix *out, const struct tensor_name *name, uint32_t layer,
                        uint32_t expert, uint32_t n_out, uint32_t n_in) must_check;

/* The same, widened to F32 first: for products that decide (routers), whose inputs must not be rounded. */
enum status bind_matrix_f32(struct binder *binder, struct matrix *out, const struct tensor_name *name, uint32_t layer,
                            uint32_t n_out, uint32_t n_in) must_check;

/* Slice `index` of a stacked tensor [n, n_out, n_in]. */
enum status bind_slice(struct binder *binder, struct matrix *out, const struct tensor *tensor, uint32_t index, uint32_t n,
                       uint32_t n_out, uint32_t n_in) must_check;

/* A vector [n] as F32, owned by the model. */
enum status bind_vector(struct binder *binder, const float **out, const struct tensor_name *name, uint32_t layer,
                        uint32_t n) must_check;

/* Repacks a matrix made by the caller and counts it; its data may go afterwards. */
enum status bind_prepared(struct binder *binder, struct matrix *matrix, const char *name) must_check;

/* Reads a whole matrix as F32 [n_out, n_in] into caller's memory, block scales applied. */
enum status bind_read_f32(struct binder *binder, const struct tensor *tensor, uint32_t n_out, uint32_t n_in, float *out) must_check;

/* Refuses a file with tensors that no part of the model asked for: it is of a kind that this family does not compute, and answers
 * would be silently wrong. What is known to hold nothing of the forward pass may be there. */
enum status bind_check_unused(const struct binder *binder) must_check;

/* ---- Layers ---------------------------------------------------------------------------------------------------- */

struct gated_mlp {
    struct matrix gate, up, down; /* [inter, hidden] twice, [hidden, inter] */
    uint32_t inter;
};

struct expert_layer {
    struct matrix router;       /* [n_experts, hidden] */
    const float *bias;          /* [n_experts] or null: selection bias */
    struct expert *experts;     /* [n_experts] */
    struct gated_mlp shared;    /* inter 0: none */
};

struct grouped_attention {
    struct matrix q, k, v, o;   /* [heads * head_dim, hidden], [kv_heads * head_dim, hidden] twice, [hidden, heads * head_dim] */
    const float *q_bias, *k_bias, *v_bias, *o_bias; /* or null */
    const float *q_norm, *k_norm;          /* [head_dim] or null */
};

struct latent_attention {
    struct matrix q_a, q_b;     /* [q_lora, hidden], [heads * (nope + rope), q_lora]; q_a.n_out 0: q_b is [.., hidden] */
    struct matrix kv_a;         /* [kv_lora + rope, hidden] */
    struct matrix o;            /* [hidden, heads * v] */
    struct matrix *absorb;      /* [heads] of [kv_lora, nope]: U_h transposed */
    struct matrix *value;       /* [heads] of [v, kv_lora]: V_h */
    const float *q_a_norm, *kv_a_norm;
};

struct layer {
    const float *attention_norm, *ffn_norm; /* [hidden] */
    struct grouped_attention grouped;
    struct latent_attention latent;
    struct gated_mlp mlp;         /* inter 0: experts */
    struct expert_layer experts;
};

/* Activations of one step, [n_rows_max, ...] each; made once. */
struct activation_buffers {
    float *x, *normed, *residual; /* [hidden] */
    float *q, *k, *v, *o;         /* see layers.c */
    float *latent_q, *latent_o;   /* [heads, kv_lora + rope], [heads, kv_lora] */
    float *gate, *up;             /* [widest inter] */
    float *router;                /* [n_experts] */
    float *moe_out;               /* [hidden] */
    uint32_t *chosen;             /* [n_used] */
    float *chosen_weights;
    float *head_in;               /* [n_logit_rows_max, hidden] */
};

struct family {
    const char *name; /* config->family */
    enum status (*bind)(struct binder *binder, uint32_t layer, struct layer *out);
    /* Adds this layer's work to x [n_rows, hidden]. */
    void (*forward_layer)(struct model *model, const struct model_batch *batch, uint32_t layer);
};

extern const struct family *const model_families[];
extern const unsigned model_n_families;
extern const struct family family_llama, family_qwen2, family_qwen3, family_mixtral, family_deepseek;

struct model {
    struct weights weights;
    struct model_config config;
    struct model_options options;
    const struct ops *ops;
    const struct family *family;
    struct layer *layers; /* [n_layers] */
    struct matrix embedding, head;
    const float *final_norm;
    struct arena vectors; /* F32 copies of norms and biases */
    float *rope;          /* [context, rope dims] */
    uint32_t rope_dims;
    float softmax_scale;
    struct activation_buffers act;
    void *act_memory;
    size_t act_bytes;
    struct launch launch;
    struct kv_layer *kv; /* [n_layers] */
    char *pages;
    size_t page_bytes;
    uint64_t bound_bytes, total_bytes;
};

/* x += attention(norm(x)); grouped or latent. */
void layer_grouped_attention(struct model *model, const struct model_batch *batch, uint32_t layer);
void layer_latent_attention(struct model *model, const struct model_batch *batch, uint32_t layer);
/* x += mlp(norm(x)), x += experts(norm(x)). */
void layer_mlp(struct model *model, const struct model_batch *batch, uint32_t layer);
void layer_experts(struct model *model, const struct model_batch *batch, uint32_t layer);

/* Shared binding of families whose layers are grouped attention and a gated MLP. */
enum status layer_bind_grouped(struct binder *binder, uint32_t layer, struct layer *out) must_check;
enum status layer_bind_mlp(struct binder *binder, uint32_t layer, struct layer *out) must_check;

/* All routed experts of a layer: gate, up and down by name per expert, or stacked where the file stacks them. */
enum status experts_bind(struct binder *binder, uint32_t layer, struct expert_layer *out, const struct tensor_name single[3],
                         const struct tensor_name stacked[3]) must_check;

#endif
