/* The layers that families are built from: thin words over ops, and the binding of those with one set of names. */
#include <string.h>

#include "engine/model/family.h"

/* ---- Binding ---------------------------------------------------------------------------------------------------- */

static const struct tensor_name attention_norm = {"model.layers.%u.input_layernorm.weight", "blk.%u.attn_norm.weight", SHARD_NONE};
static const struct tensor_name ffn_norm = {"model.layers.%u.post_attention_layernorm.weight", "blk.%u.ffn_norm.weight",
                                            SHARD_NONE};
static const struct tensor_name q_proj = {"model.layers.%u.self_attn.q_proj.weight", "blk.%u.attn_q.weight", SHARD_HEADS};
static const struct tensor_name k_proj = {"model.layers.%u.self_attn.k_proj.weight", "blk.%u.attn_k.weight", SHARD_HEADS};
static const struct tensor_name v_proj = {"model.layers.%u.self_attn.v_proj.weight", "blk.%u.attn_v.weight", SHARD_HEADS};
static const struct tensor_name o_proj = {"model.layers.%u.self_attn.o_proj.weight", "blk.%u.attn_output.weight", SHARD_COLUMNS};
static const struct tensor_name q_bias = {"model.layers.%u.self_attn.q_proj.bias", "blk.%u.attn_q.bias", SHARD_HEADS};
static const struct tensor_name k_bias = {"model.layers.%u.self_attn.k_proj.bias", "blk.%u.attn_k.bias", SHARD_HEADS};
static const struct tensor_name v_bias = {"model.layers.%u.self_attn.v_proj.bias", "blk.%u.attn_v.bias", SHARD_HEADS};
static const struct tensor_name o_bias = {"model.layers.%u.self_attn.o_proj.bias", "blk.%u.attn_output.bias", SHARD_NONE};
static const struct tensor_name q_norm = {"model.layers.%u.self_attn.q_norm.weight", "blk.%u.attn_q_norm.weight", SHARD_NONE};
static const struct tensor_name k_norm = {"model.layers.%u.self_attn.k_norm.weight", "blk.%u.attn_k_norm.weight", SHARD_NONE};
static const struct tensor_name gate_proj = {"model.layers.%u.mlp.gate_proj.weight", "blk.%u.ffn_gate.weight", SHARD_ROWS};
static const struct tensor_name up_proj = {"model.layers.%u.mlp.up_proj.weight", "blk.%u.ffn_up.weight", SHARD_ROWS};
static const struct tensor_name down_proj = {"model.layers.%u.mlp.down_proj.weight", "blk.%u.ffn_down.weight", SHARD_COLUMNS};

enum status layer_bind_grouped(struct binder *b, uint32_t layer, struct layer *out)
{
    const struct model_config *c = &b->model->config;
    struct grouped_attention *a = &out->grouped;
    uint32_t q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
    enum status status = bind_vector(b, &out->attention_norm, &attention_norm, layer, c->hidden);
    if (!status)
        status = bind_vector(b, &out->ffn_norm, &ffn_norm, layer, c->hidden);
    if (!status)
        status = bind_matrix(b, &a->q, &q_proj, layer, 0, q, c->hidden);
    if (!status)
        status = bind_matrix(b, &a->k, &k_proj, layer, 0, kv, c->hidden);
    if (!status)
        status = bind_matrix(b, &a->v, &v_proj, layer, 0, kv, c->hidden);
    if (!status)
        status = bind_matrix(b, &a->o, &o_proj, layer, 0, c->hidden, q);
    if (!status && c->qkv_bias) {
        status = bind_vector(b, &a->q_bias, &q_bias, layer, q);
        if (!status)
            status = bind_vector(b, &a->k_bias, &k_bias, layer, kv);
        if (!status)
            status = bind_vector(b, &a->v_bias, &v_bias, layer, kv);
        if (!status && bind_find(b, &o_bias, layer, 0)) /* Llama's attention_bias has it, Qwen 2 does not */
            status = bind_vector(b, &a->o_bias, &o_bias, layer, c->hidden);
    }
    if (!status && c->qk_norm) {
        status = bind_vector(b, &a->q_norm, &q_norm, layer, c->head_dim);
        if (!status)
            status = bind_vector(b, &a->k_norm, &k_norm, layer, c->head_dim);
    }
    return status;
}

enum status layer_bind_mlp(struct binder *b, uint32_t layer, struct layer *out)
{
    const struct model_config *c = &b->model->config;
    struct gated_mlp *m = &out->mlp;
    m->inter = c->intermediate;
    enum status status = bind_matrix(b, &m->gate, &gate_proj, layer, 0, m->inter, c->hidden);
    if (!status)
        status = bind_matrix(b, &m->up, &up_proj, layer, 0, m->inter, c->hidden);
    return status ? status : bind_matrix(b, &m->down, &down_proj, layer, 0, c->hidden, m->inter);
}

/* ---- Forward ----------------------------------------------------------------------------------------------------- */

static void norm(struct model *m, const float *x, size_t x_stride, const float *gain, float eps, float *y, size_t y_stride,
                 uint32_t n_rows, uint32_t width)
{
    m->ops->rms_norm(&m->launch, &(struct rms_norm_args){x, x_stride, gain, eps, y, y_stride, n_rows, width});
}

static void product(struct model *m, const struct matmul_part *parts, uint32_t n_parts, const float *x, size_t x_stride,
                    uint32_t n_rows)
{
    m->ops->matmul(&m->launch, &(struct matmul_args){parts, n_parts, x, x_stride, n_rows});
}

static void add_to_x(struct model *m, const float *y, uint32_t n_rows)
{
    uint32_t hidden = m->config.hidden;
    m->ops->add(&m->launch, &(struct add_args){m->act.x, hidden, y, hidden, n_rows, hidden});
}

static void rotate(struct model *m, const struct model_batch *batch, float *x, size_t row_stride, size_t head_stride,
                   uint32_t n_heads, uint32_t offset)
{
    m->ops->rope(&m->launch, &(struct rope_args){.x = x, .row_stride = row_stride, .head_stride = head_stride,
                                                 .n_rows = batch->n_rows, .n_heads = n_heads, .offset = offset,
                                                 .n_dims = m->rope_dims, .positions = batch->positions, .cos_sin = m->rope,
                                                 .interleaved = m->config.rope.interleaved});
}

void layer_grouped_attention(struct model *m, const struct model_batch *batch, uint32_t layer)
{
    const struct model_config *c = &m->config;
    const struct layer *l = &m->layers[layer];
    const struct grouped_attention *a = &l->grouped;
    struct activation_buffers *t = &m->act;
    uint32_t n = batch->n_rows, hd = c->head_dim, q = c->n_heads * hd, kv = c->n_kv_heads * hd;
    norm(m, t->x, c->hidden, l->attention_norm, c->rms_norm_eps, t->normed, c->hidden, n, c->hidden);
    const struct matmul_part parts[3] = {{&a->q, a->q_bias, t->q, q}, {&a->k, a->k_bias, t->k, kv}, {&a->v, a->v_bias, t->v, kv}};
    product(m, parts, 3, t->normed, c->hidden, n);
    if (a->q_norm) { /* over each head, before the rotation */
        norm(m, t->q, hd, a->q_norm, c->rms_norm_eps, t->q, hd, n * c->n_heads, hd);
        norm(m, t->k, hd, a->k_norm, c->rms_norm_eps, t->k, hd, n * c->n_kv_heads, hd);
    }
    rotate(m, batch, t->q, q, hd, c->n_heads, 0);
    rotate(m, batch, t->k, kv, hd, c->n_kv_heads, 0);
    m->ops->kv_write(&m->launch, &(struct kv_write_args){&m->kv[layer], batch->seqs, batch->n_seqs, c->n_kv_heads, hd, t->k, t->v,
                                                         kv, kv});
    m->ops->attention(&m->launch, &(struct attention_args){&m->kv[layer], batch->seqs, batch->n_seqs, c->n_heads, c->n_kv_heads,
                                                           hd, m->softmax_scale, t->q, q, t->o, q});
    product(m, &(struct matmul_part){&a->o, a->o_bias, t->residual, c->hidden}, 1, t->o, q, n);
    add_to_x(m, t->residual, n);
}

void layer_latent_attention(struct model *m, const struct model_batch *batch, uint32_t layer)
{
    const struct model_config *c = &m->config;
    const struct layer *l = &m->layers[layer];
    const struct latent_attention *a = &l->latent;
    struct activation_buffers *t = &m->act;
    uint32_t n = batch->n_rows, nope = c->qk_nope_head_dim, rope = c->qk_rope_head_dim, lora = c->kv_lora_rank, heads = c->n_heads;
    uint32_t head = nope + rope, wide = lora + rope;
    const float latent_eps = 1e-6f; /* the latent norms' own, whatever the model's is */
    norm(m, t->x, c->hidden, l->attention_norm, c->rms_norm_eps, t->normed, c->hidden, n, c->hidden);
    if (c->q_lora_rank) {
        const struct matmul_part parts[2] = {{&a->q_a, NULL, t->o, c->q_lora_rank}, {&a->kv_a, NULL, t->k, wide}};
        product(m, parts, 2, t->normed, c->hidden, n);
        norm(m, t->o, c->q_lora_rank, a->q_a_norm, latent_eps, t->o, c->q_lora_rank, n, c->q_lora_rank);
        product(m, &(struct matmul_part){&a->q_b, NULL, t->q, (size_t)heads * head}, 1, t->o, c->q_lora_rank, n);
    } else {
        const struct matmul_part parts[2] = {{&a->q_b, NULL, t->q, (size_t)heads * head}, {&a->kv_a, NULL, t->k, wide}};
        product(m, parts, 2, t->normed, c->hidden, n);
    }
    norm(m, t->k, wide, a->kv_a_norm, latent_eps, t->k, wide, n, lora);
    rotate(m, batch, t->k, wide, wide, 1, lora);
    rotate(m, batch, t->q, (size_t)heads * head, head, heads, nope);
    m->ops->latent_write(&m->launch, &(struct latent_write_args){&m->kv[layer], batch->seqs, batch->n_seqs, wide, t->k, wide});
    m->ops->head_matmul(&m->launch, &(struct head_matmul_args){a->absorb, heads, n, t->q, (size_t)heads * head, head, t->latent_q,
                                                               (size_t)heads * wide, wide});
    for (uint32_t r = 0; r < n; r++)
        for (uint32_t h = 0; h < heads; h++)
            memcpy(t->latent_q + ((size_t)r * heads + h) * wide + lora, t->q + ((size_t)r * heads + h) * head + nope,
                   rope * sizeof(float));
    m->ops->latent_attention(&m->launch, &(struct latent_attention_args){&m->kv[layer], batch->seqs, batch->n_seqs, heads, lora,
                                                                         rope, m->softmax_scale, t->latent_q,
                                                                         (size_t)heads * wide, t->latent_o, (size_t)heads * lora});
    m->ops->head_matmul(&m->launch, &(struct head_matmul_args){a->value, heads, n, t->latent_o, (size_t)heads * lora, lora, t->o,
                                                               (size_t)heads * c->v_head_dim, c->v_head_dim});
    product(m, &(struct matmul_part){&a->o, NULL, t->residual, c->hidden}, 1, t->o, (size_t)heads * c->v_head_dim, n);
    add_to_x(m, t->residual, n);
}

static void gated(struct model *m, const struct gated_mlp *mlp, const float *x, float *out, uint32_t n)
{
    struct activation_buffers *t = &m->act;
    uint32_t hidden = m->config.hidden;
    const struct matmul_part parts[2] = {{&mlp->gate, NULL, t->gate, mlp->inter}, {&mlp->up, NULL, t->up, mlp->inter}};
    product(m, parts, 2, x, hidden, n);
    m->ops->gated_silu(&m->launch, &(struct gated_silu_args){t->gate, t->up, mlp->inter, t->gate, mlp->inter, n, mlp->inter});
    product(m, &(struct matmul_part){&mlp->down, NULL, out, hidden}, 1, t->gate, mlp->inter, n);
}

void layer_mlp(struct model *m, const struct model_batch *batch, uint32_t layer)
{
    const struct model_config *c = &m->config;
    const struct layer *l = &m->layers[layer];
    norm(m, m->act.x, c->hidden, l->ffn_norm, c->rms_norm_eps, m->act.normed, c->hidden, batch->n_rows, c->hidden);
    gated(m, &l->mlp, m->act.normed, m->act.residual, batch->n_rows);
    add_to_x(m, m->act.residual, batch->n_rows);
}

void layer_experts(struct model *m, const struct model_batch *batch, uint32_t layer)
{
    const struct model_config *c = &m->config;
    const struct layer *l = &m->layers[layer];
    const struct expert_layer *e = &l->experts;
    struct activation_buffers *t = &m->act;
    uint32_t n = batch->n_rows, hidden = c->hidden, n_experts = c->router.n_experts;
    norm(m, t->x, hidden, l->ffn_norm, c->rms_norm_eps, t->normed, hidden, n, hidden);
    product(m, &(struct matmul_part){&e->router, NULL, t->router, n_experts}, 1, t->normed, hidden, n);
    m->ops->route(&m->launch, &(struct route_args){&c->router, t->router, e->bias, n, t->chosen, t->chosen_weights});
    m->ops->moe(&m->launch, &(struct moe_args){e->experts, n_experts, c->router.n_used, hidden, c->moe_intermediate, t->chosen,
                                               t->chosen_weights, t->normed, hidden, t->moe_out, hidden, n});
    add_to_x(m, t->moe_out, n);
    if (e->shared.inter) {
        gated(m, &e->shared, t->normed, t->residual, n);
        add_to_x(m, t->residual, n);
    }
}
