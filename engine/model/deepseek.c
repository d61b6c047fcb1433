/* DeepSeek V2, V2-Lite, V3, R1, V3.1 (DeepSeek-V2 2024; DeepSeek-V3 2024).
 *   latent attention: q = W_qb norm(W_qa x) (or W_q x), [c | kr] = W_kva x; c and the rotated kr are all that is cached.
 *   W_kvb's rows are per head [U_h (nope) | V_h (v)]. Scores run on the cache: (U_h^T qn) . c + qr . kr; results V_h (sum p c).
 *   The absorbed form is used for prompt and generated rows alike, so that a token's state does not depend on how it was
 *   computed; a CPU has no expanded form.
 *   Feed-forward: dense in the first layers; then routed experts (V3: sigmoid scores, selection bias, groups by their two best;
 *   V2: softmax, groups by their best) plus shared experts added unweighted.
 * Rows of the rotary parts are interleaved in both kinds of file. Layers past the last are the MTP module and are not read. */

#include "base/mem.h"
#include "engine/model/family.h"

#define HF "model.layers.%u."
static const struct tensor_name attention_norm = {HF "input_layernorm.weight", "blk.%u.attn_norm.weight", SHARD_NONE};
static const struct tensor_name ffn_norm = {HF "post_attention_layernorm.weight", "blk.%u.ffn_norm.weight", SHARD_NONE};
static const struct tensor_name q_proj = {HF "self_attn.q_proj.weight", "blk.%u.attn_q.weight", SHARD_HEADS};
static const struct tensor_name q_a = {HF "self_attn.q_a_proj.weight", "blk.%u.attn_q_a.weight", SHARD_NONE};
static const struct tensor_name q_a_norm = {HF "self_attn.q_a_layernorm.weight", "blk.%u.attn_q_a_norm.weight", SHARD_NONE};
static const struct tensor_name q_b = {HF "self_attn.q_b_proj.weight", "blk.%u.attn_q_b.weight", SHARD_HEADS};
static const struct tensor_name kv_a = {HF "self_attn.kv_a_proj_with_mqa.weight", "blk.%u.attn_kv_a_mqa.weight", SHARD_NONE};
static const struct tensor_name kv_a_norm = {HF "self_attn.kv_a_layernorm.weight", "blk.%u.attn_kv_a_norm.weight", SHARD_NONE};
static const struct tensor_name kv_b = {HF "self_attn.kv_b_proj.weight", "blk.%u.attn_kv_b.weight", SHARD_HEADS};
static const struct tensor_name k_b = {NULL, "blk.%u.attn_k_b.weight", SHARD_HEADS};
static const struct tensor_name v_b = {NULL, "blk.%u.attn_v_b.weight", SHARD_HEADS};
static const struct tensor_name o_proj = {HF "self_attn.o_proj.weight", "blk.%u.attn_output.weight", SHARD_COLUMNS};
static const struct tensor_name router = {HF "mlp.gate.weight", "blk.%u.ffn_gate_inp.weight", SHARD_NONE};
static const struct tensor_name router_bias = {HF "mlp.gate.e_score_correction_bias", "blk.%u.exp_probs_b.bias", SHARD_NONE};
static const struct tensor_name single[3] = {
    {HF "mlp.experts.%u.gate_proj.weight", NULL, SHARD_EXPERTS},
    {HF "mlp.experts.%u.up_proj.weight", NULL, SHARD_EXPERTS},
    {HF "mlp.experts.%u.down_proj.weight", NULL, SHARD_EXPERTS},
};
static const struct tensor_name stacked[3] = {
    {NULL, "blk.%u.ffn_gate_exps.weight", SHARD_EXPERTS},
    {NULL, "blk.%u.ffn_up_exps.weight", SHARD_EXPERTS},
    {NULL, "blk.%u.ffn_down_exps.weight", SHARD_EXPERTS},
};
static const struct tensor_name shared[3] = {
    {HF "mlp.shared_experts.gate_proj.weight", "blk.%u.ffn_gate_shexp.weight", SHARD_ROWS},
    {HF "mlp.shared_experts.up_proj.weight", "blk.%u.ffn_up_shexp.weight", SHARD_ROWS},
    {HF "mlp.shared_experts.down_proj.weight", "blk.%u.ffn_down_shexp.weight", SHARD_COLUMNS},
};

/* One head's matrices out of W_kvb as F32: U_h transposed to [kv_lora, nope], V_h as it stands [v, kv_lora]. */
static enum status split_head(struct binder *b, struct latent_attention *a, uint32_t head, const float *rows, float *turned)
{
    const struct model_config *c = &b->model->config;
    uint32_t nope = c->qk_nope_head_dim, lora = c->kv_lora_rank;
    for (uint32_t i = 0; i < nope; i++)
        for (uint32_t k = 0; k < lora; k++)
            turned[(size_t)k * nope + i] = rows[(size_t)i * lora + k];
    a->absorb[head] = (struct matrix){.dtype = DTYPE_F32, .n_out = lora, .n_in = nope, .data = turned,
                                      .row_bytes = nope * sizeof(float)};
    a->value[head] = (struct matrix){.dtype = DTYPE_F32, .n_out = c->v_head_dim, .n_in = lora,
                                     .data = rows + (size_t)nope * lora, .row_bytes = lora * sizeof(float)};
    enum status status = bind_prepared(b, &a->absorb[head], "kv_b_proj");
    if (!status)
        status = bind_prepared(b, &a->value[head], "kv_b_proj");
    a->absorb[head].data = a->value[head].data = NULL;
    return status;
}

static enum status bind_kv_b(struct binder *b, uint32_t layer, struct latent_attention *a)
{
    const struct model_config *c = &b->model->config;
    uint32_t per_head = c->qk_nope_head_dim + c->v_head_dim, n_out = c->n_heads * per_head, lora = c->kv_lora_rank;
    const struct tensor *t = bind_find(b, &kv_b, layer, 0);
    if (!t)
        return error_set(b->error, STATUS_NOT_FOUND, "%s: layer %u has neither kv_b_proj nor attn_k_b and attn_v_b",
                         b->weights->files[0].path, layer);
    float *rows = mem_zalloc_array((size_t)n_out * lora, sizeof *rows);
    float *turned = mem_zalloc_array((size_t)c->qk_nope_head_dim * lora, sizeof *turned);
    enum status status = rows && turned ? bind_read_f32(b, t, n_out, lora, rows)
                                        : error_set(b->error, STATUS_NO_MEMORY, "out of memory for tensor %s", t->name);
    for (uint32_t h = 0; h < c->n_heads && !status; h++)
        status = split_head(b, a, h, rows + (size_t)h * per_head * lora, turned);
    mem_free(rows);
    mem_free(turned);
    return status;
}

static enum status bind_heads(struct binder *b, uint32_t layer, struct latent_attention *a)
{
    const struct model_config *c = &b->model->config;
    const struct tensor *k = bind_find(b, &k_b, layer, 0), *v = bind_find(b, &v_b, layer, 0);
    a->absorb = mem_zalloc_array(c->n_heads, sizeof *a->absorb);
    a->value = mem_zalloc_array(c->n_heads, sizeof *a->value);
    if (!a->absorb || !a->value)
        return error_set(b->error, STATUS_NO_MEMORY, "out of memory for %u heads", c->n_heads);
    if (!k || !v)
        return bind_kv_b(b, layer, a);
    bind_find(b, &kv_b, layer, 0);              /* the same numbers may stand beside them in the older form */
    for (uint32_t h = 0; h < c->n_heads; h++) { /* newer GGUF files store both halves ready for use */
        enum status status = bind_slice(b, &a->absorb[h], k, h, c->n_heads, c->kv_lora_rank, c->qk_nope_head_dim);
        if (!status)
            status = bind_slice(b, &a->value[h], v, h, c->n_heads, c->v_head_dim, c->kv_lora_rank);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status bind_attention(struct binder *b, uint32_t layer, struct layer *out)
{
    const struct model_config *c = &b->model->config;
    struct latent_attention *a = &out->latent;
    uint32_t q_out = c->n_heads * (c->qk_nope_head_dim + c->qk_rope_head_dim), lora = c->kv_lora_rank;
    enum status status = bind_vector(b, &out->attention_norm, &attention_norm, layer, c->hidden);
    if (!status)
        status = bind_vector(b, &out->ffn_norm, &ffn_norm, layer, c->hidden);
    if (!status && c->q_lora_rank) {
        status = bind_matrix(b, &a->q_a, &q_a, layer, 0, c->q_lora_rank, c->hidden);
        if (!status)
            status = bind_vector(b, &a->q_a_norm, &q_a_norm, layer, c->q_lora_rank);
        if (!status)
            status = bind_matrix(b, &a->q_b, &q_b, layer, 0, q_out, c->q_lora_rank);
    } else if (!status) {
        status = bind_matrix(b, &a->q_b, &q_proj, layer, 0, q_out, c->hidden);
    }
    if (!status)
        status = bind_matrix(b, &a->kv_a, &kv_a, layer, 0, lora + c->qk_rope_head_dim, c->hidden);
    if (!status)
        status = bind_vector(b, &a->kv_a_norm, &kv_a_norm, layer, lora);
    if (!status)
        status = bind_heads(b, layer, a);
    return status ? status : bind_matrix(b, &a->o, &o_proj, layer, 0, c->hidden, c->n_heads * c->v_head_dim);
}

static bool is_expert_layer(const struct model_config *c, uint32_t layer)
{
    return c->router.n_experts && layer >= c->first_dense_layers && layer % c->moe_layer_freq == 0;
}

static enum status bind_experts(struct binder *b, uint32_t layer, struct expert_layer *out)
{
    const struct model_config *c = &b->model->config;
    struct gated_mlp *s = &out->shared;
    enum status status = bind_matrix_f32(b, &out->router, &router, layer, c->router.n_experts, c->hidden);
    if (!status && c->router.group == ROUTER_GROUP_TOP2)
        status = bind_vector(b, &out->bias, &router_bias, layer, c->router.n_experts);
    if (!status)
        status = experts_bind(b, layer, out, single, stacked);
    if (status || !c->n_shared_experts)
        return status;
    s->inter = c->moe_intermediate * c->n_shared_experts;
    status = bind_matrix(b, &s->gate, &shared[0], layer, 0, s->inter, c->hidden);
    if (!status)
        status = bind_matrix(b, &s->up, &shared[1], layer, 0, s->inter, c->hidden);
    return status ? status : bind_matrix(b, &s->down, &shared[2], layer, 0, c->hidden, s->inter);
}

static enum status bind(struct binder *b, uint32_t layer, struct layer *out)
{
    enum status status = bind_attention(b, layer, out);
    if (status)
        return status;
    return is_expert_layer(&b->model->config, layer) ? bind_experts(b, layer, &out->experts) : layer_bind_mlp(b, layer, out);
}

static void forward_layer(struct model *model, const struct model_batch *batch, uint32_t layer)
{
    layer_latent_attention(model, batch, layer);
    if (is_expert_layer(&model->config, layer))
        layer_experts(model, batch, layer);
    else
        layer_mlp(model, batch, layer);
}

const struct family family_deepseek = {"deepseek", bind, forward_layer};
