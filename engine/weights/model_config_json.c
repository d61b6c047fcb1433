/* config.json of a model directory. Absent and null are the same; older and newer spellings of a field are both read. */
#include <jansson.h>
#include <stdio.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "engine/weights/model_config_files.h"
#include "engine/weights/weights_files.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

struct fields {
    const json_t *object;
    const char *path; /* of the file */
    struct error *error;
    enum status status; /* the first trouble; later reads do nothing */
};

static const json_t *field(const struct fields *f, const char *name)
{
    const json_t *v = json_object_get(f->object, name);
    return json_is_null(v) ? NULL : v;
}

static void complain(struct fields *f, const char *name, const char *expected)
{
    if (!f->status)
        f->status = error_set_path(f->error, STATUS_INVALID, NULL, name, "%s: %s: expected %s", f->path, name, expected);
}

static uint32_t get_u32(struct fields *f, const char *name, uint32_t fallback)
{
    const json_t *v = field(f, name);
    if (!v)
        return fallback;
    double d = json_number_value(v);
    if (!json_is_number(v) || d < 0 || d > UINT32_MAX || d != (double)(uint32_t)d) {
        complain(f, name, "a whole number from 0 to 4294967295");
        return fallback;
    }
    return (uint32_t)d;
}

static uint32_t need_u32(struct fields *f, const char *name)
{
    if (!field(f, name))
        complain(f, name, "a whole number; it is absent");
    return get_u32(f, name, 0);
}

static float get_float(struct fields *f, const char *name, float fallback)
{
    const json_t *v = field(f, name);
    if (v && !json_is_number(v))
        complain(f, name, "a number");
    return json_is_number(v) ? (float)json_number_value(v) : fallback;
}

static bool get_bool(struct fields *f, const char *name, bool fallback)
{
    const json_t *v = field(f, name);
    if (v && !json_is_boolean(v))
        complain(f, name, "true or false");
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

static const char *get_text(struct fields *f, const char *name, const char *fallback)
{
    const json_t *v = field(f, name);
    if (v && !json_is_string(v))
        complain(f, name, "a string");
    return json_is_string(v) ? json_string_value(v) : fallback;
}

static void read_scaling(struct model_config *c, struct fields *f, const json_t *scaling)
{
    struct fields s = {scaling, f->path, f->error, STATUS_OK};
    struct rope_config *r = &c->rope;
    const char *type = get_text(&s, "rope_type", get_text(&s, "type", "default"));
    if (!type || strcmp(type, "default") == 0)
        r->scaling = ROPE_SCALING_NONE;
    else if (strcmp(type, "linear") == 0)
        r->scaling = ROPE_SCALING_LINEAR;
    else if (strcmp(type, "yarn") == 0)
        r->scaling = ROPE_SCALING_YARN;
    else if (strcmp(type, "llama3") == 0)
        r->scaling = ROPE_SCALING_LLAMA3;
    else
        complain(&s, "rope_scaling.type", "linear, yarn or llama3");
    r->factor = get_float(&s, "factor", 1);
    r->original_context = get_u32(&s, "original_max_position_embeddings", 0);
    r->beta_fast = get_float(&s, "beta_fast", 32);
    r->beta_slow = get_float(&s, "beta_slow", 1);
    r->mscale = get_float(&s, "mscale", 0);
    r->mscale_all_dim = get_float(&s, "mscale_all_dim", 0);
    r->attention_factor = get_float(&s, "attention_factor", 0);
    r->attn_factor = get_float(&s, "attn_factor", 0);
    r->low_freq_factor = get_float(&s, "low_freq_factor", 1);
    r->high_freq_factor = get_float(&s, "high_freq_factor", 4);
    r->theta = get_float(&s, "rope_theta", r->theta);
    if (!f->status)
        f->status = s.status;
}

static void read_rope(struct model_config *c, struct fields *f)
{
    const json_t *scaling = field(f, "rope_scaling"), *parameters = field(f, "rope_parameters");
    c->rope.theta = get_float(f, "rope_theta", 10000.0f);
    if (scaling && !json_is_object(scaling))
        complain(f, "rope_scaling", "an object");
    if (parameters && !json_is_object(parameters))
        complain(f, "rope_parameters", "an object");
    if (json_is_object(parameters))
        read_scaling(c, f, parameters);
    if (json_is_object(scaling))
        read_scaling(c, f, scaling);
    if (c->rope.scaling != ROPE_SCALING_NONE && !c->rope.original_context)
        c->rope.original_context = c->context;
}

static void read_ids(struct model_config *c, struct fields *f)
{
    const json_t *eos = field(f, "eos_token_id"), *bos = field(f, "bos_token_id");
    size_t n = json_is_array(eos) ? json_array_size(eos) : eos ? 1 : 0;
    for (size_t i = 0; i < n && c->n_eos < MODEL_EOS_MAX; i++) {
        const json_t *id = json_is_array(eos) ? json_array_get(eos, i) : eos;
        if (json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= UINT32_MAX)
            c->eos_ids[c->n_eos++] = (uint32_t)json_integer_value(id);
    }
    c->bos_id = json_is_integer(bos) ? json_integer_value(bos) : -1;
}

static void read_mixtral(struct model_config *c, struct fields *f)
{
    c->router = (struct router_rule){.score = ROUTER_SOFTMAX, .group = ROUTER_GROUP_NONE, .normalise = true, .scale = 1,
                                     .n_groups = 1, .n_groups_used = 1};
    c->router.n_experts = need_u32(f, "num_local_experts");
    c->router.n_used = need_u32(f, "num_experts_per_tok");
    c->moe_intermediate = c->intermediate;
}

static void read_deepseek(struct model_config *c, struct fields *f)
{
    c->attention = ATTENTION_LATENT;
    c->q_lora_rank = get_u32(f, "q_lora_rank", 0);
    c->kv_lora_rank = need_u32(f, "kv_lora_rank");
    c->qk_nope_head_dim = need_u32(f, "qk_nope_head_dim");
    c->qk_rope_head_dim = need_u32(f, "qk_rope_head_dim");
    c->v_head_dim = need_u32(f, "v_head_dim");
    c->head_dim = c->qk_nope_head_dim + c->qk_rope_head_dim;
    c->n_kv_heads = c->n_heads;
    c->rope.interleaved = true;
    c->n_nextn_layers = get_u32(f, "num_nextn_predict_layers", 0);
    c->router.n_experts = get_u32(f, "n_routed_experts", 0);
    if (!c->router.n_experts)
        return;
    c->router.n_used = need_u32(f, "num_experts_per_tok");
    c->moe_intermediate = need_u32(f, "moe_intermediate_size");
    c->n_shared_experts = get_u32(f, "n_shared_experts", 0);
    c->first_dense_layers = get_u32(f, "first_k_dense_replace", 0);
    c->moe_layer_freq = get_u32(f, "moe_layer_freq", 1);
    c->router.scale = get_float(f, "routed_scaling_factor", 1);
    c->router.normalise = get_bool(f, "norm_topk_prob", false);
    c->router.n_groups = get_u32(f, "n_group", 1);
    c->router.n_groups_used = get_u32(f, "topk_group", 1);
    bool v3 = strcmp(c->architecture, "DeepseekV3ForCausalLM") == 0;
    const char *score = get_text(f, "scoring_func", v3 ? "sigmoid" : "softmax");
    const char *method = get_text(f, "topk_method", v3 ? "noaux_tc" : "greedy");
    if (strcmp(score, "sigmoid") == 0)
        c->router.score = ROUTER_SIGMOID;
    else if (strcmp(score, "softmax") == 0)
        c->router.score = ROUTER_SOFTMAX;
    else
        complain(f, "scoring_func", "sigmoid or softmax");
    if (strcmp(method, "noaux_tc") == 0)
        c->router.group = ROUTER_GROUP_TOP2;
    else if (strcmp(method, "group_limited_greedy") == 0)
        c->router.group = ROUTER_GROUP_MAX;
    else if (strcmp(method, "greedy") == 0)
        c->router.group = ROUTER_GROUP_NONE;
    else
        complain(f, "topk_method", "noaux_tc, group_limited_greedy or greedy");
}

static void read_common(struct model_config *c, struct fields *f)
{
    c->n_layers = need_u32(f, "num_hidden_layers");
    c->hidden = need_u32(f, "hidden_size");
    c->vocabulary = need_u32(f, "vocab_size");
    c->context = get_u32(f, "max_position_embeddings", 2048);
    c->n_heads = need_u32(f, "num_attention_heads");
    c->n_kv_heads = get_u32(f, "num_key_value_heads", c->n_heads);
    c->head_dim = get_u32(f, "head_dim", c->n_heads ? c->hidden / c->n_heads : 0);
    c->intermediate = need_u32(f, "intermediate_size");
    c->rms_norm_eps = get_float(f, "rms_norm_eps", 1e-6f);
    c->tied_embeddings = get_bool(f, "tie_word_embeddings", false);
    const char *act = get_text(f, "hidden_act", "silu");
    if (strcmp(act, "silu") != 0 && strcmp(act, "swish") != 0)
        complain(f, "hidden_act", "silu");
    if (get_bool(f, "use_sliding_window", false))
        complain(f, "use_sliding_window", "false: sliding windows are not offered");
    read_rope(c, f);
    read_ids(c, f);
}

static enum status find_architecture(struct model_config *c, struct fields *f)
{
    const json_t *first = json_array_get(field(f, "architectures"), 0);
    if (!json_is_string(first))
        return error_set_path(f->error, STATUS_INVALID, NULL, "architectures", "%s: architectures: expected a list with a name",
                              f->path);
    const char *name = json_string_value(first);
    for (unsigned i = 0; i < model_config_n_architectures; i++)
        if (strcmp(model_config_architectures[i].hugging_face, name) == 0) {
            snprintf(c->architecture, sizeof c->architecture, "%s", name);
            snprintf(c->family, sizeof c->family, "%s", model_config_architectures[i].family);
            return STATUS_OK;
        }
    return model_config_unknown(f->path, name, false, f->error);
}

static enum status check_quantisation(struct fields *f)
{
    struct fields q = {field(f, "quantization_config"), f->path, f->error, STATUS_OK};
    if (!q.object)
        return STATUS_OK;
    const char *method = get_text(&q, "quant_method", "");
    const json_t *block = field(&q, "weight_block_size");
    bool square = json_is_array(block) && json_array_size(block) == 2 && json_integer_value(json_array_get(block, 0)) == 128 &&
                  json_integer_value(json_array_get(block, 1)) == 128;
    if (strcmp(method, "fp8") != 0 || !square)
        return error_set_path(f->error, STATUS_UNSUPPORTED, NULL, "quantization_config",
                              "%s: quantization_config: only fp8 with weight_block_size [128, 128] is read", f->path);
    return q.status;
}

enum status model_config_from_json(struct model_config *c, const char *dir, struct error *error)
{
    char path[WEIGHTS_PATH_MAX], *text;
    size_t len;
    enum status status = weights_sibling(dir, "config.json", 11, path, error);
    if (!status)
        status = file_map_read(path, CONFIG_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    json_error_t why;
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    struct fields f = {object, path, error, STATUS_OK};
    if (!json_is_object(object))
        status = error_set(error, STATUS_INVALID, "%s: not a JSON object (line %d)", path, why.line);
    else
        status = find_architecture(c, &f);
    if (!status)
        status = check_quantisation(&f);
    if (!status) {
        read_common(c, &f);
        bool qwen2 = strcmp(c->family, "qwen2") == 0;
        c->qkv_bias = qwen2 || get_bool(&f, "attention_bias", false);
        c->qk_norm = strcmp(c->family, "qwen3") == 0;
        if (strcmp(c->family, "mixtral") == 0)
            read_mixtral(c, &f);
        if (strcmp(c->family, "deepseek") == 0) {
            read_deepseek(c, &f);
            if (get_bool(&f, "attention_bias", false))
                complain(&f, "attention_bias", "false");
        }
        if (get_bool(&f, "mlp_bias", false))
            complain(&f, "mlp_bias", "false");
        status = f.status;
    }
    json_decref(object);
    mem_free(text);
    return status;
}
