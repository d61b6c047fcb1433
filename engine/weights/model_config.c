/* One configuration from either kind of file, checked against sane ranges before any memory is taken for it. */
#include "engine/weights/model_config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/gguf.h"
#include "engine/weights/model_config_files.h"
#include "engine/weights/weights.h"

const struct model_config_architecture model_config_architectures[] = {
    {"LlamaForCausalLM", "llama", "llama"},
    {"MistralForCausalLM", NULL, "llama"},
    {"Qwen2ForCausalLM", "qwen2", "qwen2"},
    {"Qwen3ForCausalLM", "qwen3", "qwen3"},
    {"MixtralForCausalLM", NULL, "mixtral"},
    {"DeepseekV2ForCausalLM", "deepseek2", "deepseek"},
    {"DeepseekV3ForCausalLM", NULL, "deepseek"},
};
const unsigned model_config_n_architectures = sizeof model_config_architectures / sizeof model_config_architectures[0];

enum status model_config_unknown(const char *path, const char *name, bool gguf, struct error *error)
{
    char list[300] = "", quoted[ERROR_QUOTE_BYTES];
    for (unsigned i = 0; i < model_config_n_architectures; i++) {
        const char *known = gguf ? model_config_architectures[i].gguf : model_config_architectures[i].hugging_face;
        if (known)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", list[0] ? ", " : "", known);
    }
    return error_set_path(error, STATUS_UNSUPPORTED, NULL, gguf ? "general.architecture" : "architectures",
                          "%s: architecture %s is not known; known are %s", path, error_quote(quoted, name, strlen(name)), list);
}

struct bound {
    const char *name;
    uint64_t value, min, max;
};

static enum status out_of_range(const char *path, const char *name, uint64_t value, uint64_t min, uint64_t max,
                                struct error *error)
{
    return error_set_path(error, STATUS_INVALID, NULL, name, "%s: %s is %llu, expected %llu to %llu", path, name,
                          (unsigned long long)value, (unsigned long long)min, (unsigned long long)max);
}

static enum status check_bounds(const struct bound *bounds, unsigned n, const char *path, struct error *error)
{
    for (unsigned i = 0; i < n; i++)
        if (bounds[i].value < bounds[i].min || bounds[i].value > bounds[i].max)
            return out_of_range(path, bounds[i].name, bounds[i].value, bounds[i].min, bounds[i].max, error);
    return STATUS_OK;
}

static enum status invalid(const char *path, const char *name, const char *what, struct error *error)
{
    return error_set_path(error, STATUS_INVALID, NULL, name, "%s: %s: %s", path, name, what);
}

static enum status check_attention(const struct model_config *c, const char *path, struct error *error)
{
    if (c->attention == ATTENTION_GROUPED) {
        if (c->n_heads % c->n_kv_heads)
            return invalid(path, "num_key_value_heads", "query heads are not a multiple of key-value heads", error);
        if (c->head_dim % 2)
            return invalid(path, "head_dim", "the head width is odd: rotary pairs need an even one", error);
        return STATUS_OK;
    }
    const struct bound bounds[] = {
        {"kv_lora_rank", c->kv_lora_rank, 1, 65536},         {"qk_nope_head_dim", c->qk_nope_head_dim, 1, 8192},
        {"qk_rope_head_dim", c->qk_rope_head_dim, 2, 8192},  {"v_head_dim", c->v_head_dim, 1, 8192},
        {"q_lora_rank", c->q_lora_rank, 0, 65536},
    };
    enum status status = check_bounds(bounds, sizeof bounds / sizeof bounds[0], path, error);
    if (!status && c->qk_rope_head_dim % 2)
        status = invalid(path, "qk_rope_head_dim", "the rotary width is odd", error);
    return status;
}

static enum status check_experts(const struct model_config *c, const char *path, struct error *error)
{
    const struct router_rule *r = &c->router;
    if (!r->n_experts)
        return STATUS_OK;
    const struct bound bounds[] = {
        {"n_routed_experts", r->n_experts, 1, 4096},
        {"num_experts_per_tok", r->n_used, 1, r->n_experts},
        {"moe_intermediate_size", c->moe_intermediate, 1, 1 << 20},
        {"n_shared_experts", c->n_shared_experts, 0, 64},
        {"moe_layer_freq", c->moe_layer_freq, 1, 1024},
    };
    enum status status = check_bounds(bounds, sizeof bounds / sizeof bounds[0], path, error);
    if (!status && !isfinite(r->scale))
        status = invalid(path, "routed_scaling_factor", "it is not finite", error);
    if (status || r->group == ROUTER_GROUP_NONE)
        return status;
    if (r->n_groups < 1 || r->n_groups > r->n_experts || r->n_experts % r->n_groups)
        return invalid(path, "n_group", "the groups do not divide the experts", error);
    if (r->n_groups_used < 1 || r->n_groups_used > r->n_groups)
        return invalid(path, "topk_group", "more groups are used than there are", error);
    if ((uint64_t)r->n_groups_used * (r->n_experts / r->n_groups) < r->n_used)
        return invalid(path, "num_experts_per_tok", "the kept groups hold fewer experts than a token uses", error);
    return STATUS_OK;
}

static enum status check_rope(const struct model_config *c, const char *path, struct error *error)
{
    const struct rope_config *r = &c->rope;
    if (!(isfinite(r->theta) && r->theta > 1))
        return invalid(path, "rope_theta", "it is not a finite number above 1", error);
    const float others[] = {r->beta_fast, r->beta_slow, r->mscale, r->mscale_all_dim, r->attention_factor, r->attn_factor,
                            r->low_freq_factor, r->high_freq_factor};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!isfinite(others[i]))
            return invalid(path, "rope_scaling", "one of its numbers is not finite", error);
    if (r->scaling == ROPE_SCALING_NONE)
        return STATUS_OK;
    if (!(isfinite(r->factor) && r->factor >= 1e-3f && r->factor <= 1e6f))
        return invalid(path, "rope_scaling.factor", "it is not a number from 0.001 to 1,000,000", error);
    bool needs_original = r->scaling == ROPE_SCALING_YARN || r->scaling == ROPE_SCALING_LLAMA3;
    if (needs_original && (r->original_context < 1 || r->original_context > 1u << 30))
        return invalid(path, "rope_scaling.original_max_position_embeddings", "it is absent or out of range", error);
    if (r->scaling == ROPE_SCALING_LLAMA3 && !(r->high_freq_factor > r->low_freq_factor && r->low_freq_factor > 0))
        return invalid(path, "rope_scaling.high_freq_factor", "it is not above low_freq_factor", error);
    if (r->scaling == ROPE_SCALING_YARN && !(r->beta_fast > 0 && r->beta_slow > 0))
        return invalid(path, "rope_scaling.beta_fast", "the betas are not above 0", error);
    return STATUS_OK;
}

static enum status check_all(const struct model_config *c, const char *path, struct error *error)
{
    const struct bound bounds[] = {
        {"num_hidden_layers", c->n_layers, 1, 1024},
        {"hidden_size", c->hidden, 1, 65536},
        {"vocab_size", c->vocabulary, 1, 1000000},
        {"num_attention_heads", c->n_heads, 1, 4096},
        {"num_key_value_heads", c->n_kv_heads, 1, c->n_heads},
        {"head_dim", c->head_dim, 1, 8192},
        {"intermediate_size", c->intermediate, 1, 1 << 20},
        {"max_position_embeddings", c->context, 1, 1u << 30},
    };
    enum status status = check_bounds(bounds, sizeof bounds / sizeof bounds[0], path, error);
    if (!status && !(isfinite(c->rms_norm_eps) && c->rms_norm_eps >= 0 && c->rms_norm_eps < 1))
        status = invalid(path, "rms_norm_eps", "it is not a number from 0 to 1", error);
    if (!status)
        status = check_attention(c, path, error);
    if (!status)
        status = check_experts(c, path, error);
    return status ? status : check_rope(c, path, error);
}

enum status model_config_read(struct model_config *config, const struct weights *weights, struct error *error)
{
    *config = (struct model_config){.bos_id = -1, .moe_layer_freq = 1};
    config->rope = (struct rope_config){.theta = 10000.0f, .factor = 1, .beta_fast = 32, .beta_slow = 1};
    config->router.scale = 1;
    const char *path = weights->format == WEIGHTS_GGUF ? weights->files[0].path : weights->dir;
    enum status status = weights->format == WEIGHTS_GGUF ? model_config_from_gguf(config, weights->gguf, weights, error)
                                                         : model_config_from_json(config, weights->dir, error);
    return status ? status : check_all(config, path, error);
}
