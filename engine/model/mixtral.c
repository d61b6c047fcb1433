/* Mixtral (Jiang et al. 2024): Llama's attention, and per token the two best of n experts by softmax score, their weights
 * divided by their sum. No shared expert. Experts are single tensors in safetensors and in old GGUF files, stacked in others. */

#include "engine/model/family.h"

static const struct tensor_name router = {"model.layers.%u.block_sparse_moe.gate.weight", "blk.%u.ffn_gate_inp.weight", SHARD_NONE};
static const struct tensor_name parts[3] = {
    {"model.layers.%u.block_sparse_moe.experts.%u.w1.weight", "blk.%u.ffn_gate.%u.weight", SHARD_EXPERTS},
    {"model.layers.%u.block_sparse_moe.experts.%u.w3.weight", "blk.%u.ffn_up.%u.weight", SHARD_EXPERTS},
    {"model.layers.%u.block_sparse_moe.experts.%u.w2.weight", "blk.%u.ffn_down.%u.weight", SHARD_EXPERTS},
};
static const struct tensor_name stacked[3] = {
    {NULL, "blk.%u.ffn_gate_exps.weight", SHARD_EXPERTS},
    {NULL, "blk.%u.ffn_up_exps.weight", SHARD_EXPERTS},
    {NULL, "blk.%u.ffn_down_exps.weight", SHARD_EXPERTS},
};

static enum status bind(struct binder *b, uint32_t layer, struct layer *out)
{
    const struct model_config *c = &b->model->config;
    enum status status = layer_bind_grouped(b, layer, out);
    if (!status)
        status = bind_matrix_f32(b, &out->experts.router, &router, layer, c->router.n_experts, c->hidden);
    return status ? status : experts_bind(b, layer, &out->experts, parts, stacked);
}

static void forward_layer(struct model *model, const struct model_batch *batch, uint32_t layer)
{
    layer_grouped_attention(model, batch, layer);
    layer_experts(model, batch, layer);
}

const struct family family_mixtral = {"mixtral", bind, forward_layer};
