/* Binding the routed experts of a layer. */
#include "base/mem.h"
#include "engine/model/family.h"

enum status experts_bind(struct binder *b, uint32_t layer, struct expert_layer *out, const struct tensor_name single[3],
                         const struct tensor_name stacked[3])
{
    const struct model_config *c = &b->model->config;
    uint32_t n = c->router.n_experts;
    out->experts = mem_zalloc_array(n, sizeof *out->experts);
    if (!out->experts)
        return error_set(b->error, STATUS_NO_MEMORY, "out of memory for %u experts", n);
    for (uint32_t e = 0; e < n; e++) {
        struct matrix *matrices[3] = {&out->experts[e].gate, &out->experts[e].up, &out->experts[e].down};
        for (unsigned i = 0; i < 3; i++) {
            uint32_t n_out = i == 2 ? c->hidden : c->moe_intermediate, n_in = i == 2 ? c->moe_intermediate : c->hidden;
            const struct tensor *all = bind_find(b, &stacked[i], layer, 0);
            bool has_single = b->weights->format != WEIGHTS_GGUF || single[i].gguf;
            enum status status = all ? bind_slice(b, matrices[i], all, e, n, n_out, n_in)
                                     : bind_matrix(b, matrices[i], has_single ? &single[i] : &stacked[i], layer, e, n_out, n_in);
            if (status)
                return status;
        }
    }
    return STATUS_OK;
}
