/* Qwen2 (biases on q, k, v, added before the rotation) and Qwen3 (no biases; q and k normalised per head before the rotation).
 * Otherwise as Llama, half-split rotation in both kinds of file. */
#include "engine/model/family.h"

static enum status bind(struct binder *binder, uint32_t layer, struct layer *out)
{
    enum status status = layer_bind_grouped(binder, layer, out);
    return status ? status : layer_bind_mlp(binder, layer, out);
}

static void forward_layer(struct model *model, const struct model_batch *batch, uint32_t layer)
{
    layer_grouped_attention(model, batch, layer);
    layer_mlp(model, batch, layer);
}

const struct family family_qwen2 = {"qwen2", bind, forward_layer};
const struct family family_qwen3 = {"qwen3", bind, forward_layer};
