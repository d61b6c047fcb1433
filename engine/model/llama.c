/* Llama (Touvron et al. 2023; Llama 3 with scaled rotary frequencies) and Mistral without its window.
 *   x += O attention(rope(Q norm(x)), rope(K norm(x)), V norm(x));  x += W_down(silu(W_gate norm(x)) * W_up norm(x))
 * No biases unless the file has them. GGUF files store the rows of q and k permuted for interleaved rotation, which the
 * configuration says. */
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

const struct family family_llama = {"llama", bind, forward_layer};
