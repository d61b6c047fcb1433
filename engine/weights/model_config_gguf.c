/* The metadata keys of a GGUF file. Keys carry the architecture's name as prefix. */
#include <math.h>
#include <stdio.h>

#include "base/gguf.h"
#include "engine/weights/model_config_files.h"
#include "engine/weights/weights.h"

struct keys {
    const struct gguf *gguf;
    const char *prefix;
    struct error *error;
    enum status status; /* the first trouble */
};

static const char *full(const struct keys *k, const char *name, char out[128])
{
    snprintf(out, 128, "%s.%s", k->prefix, name);
    return out;
}

static uint64_t get(struct keys *k, const char *name, uint64_t fallback)
{
    char key[128];
    uint64_t value = fallback;
    if (k->status)
        return fallback;
    enum status status = gguf_get_u64(k->gguf, full(k, name, key), 0, UINT32_MAX, &value, k->error);
    if (status && status != STATUS_NOT_FOUND)
        k->status = status;
    return status ? fallback : value;
}

static uint32_t need(struct keys *k, const char *name)
{
    char key[128];
    if (!k->status && !gguf_find(k->gguf, full(k, name, key)))
        k->status = error_set_path(k->error, STATUS_INVALID, NULL, key, "%s: key %s is absent", k->gguf->file->path, key);
    return (uint32_t)get(k, name, 0);
}

static float get_float(struct keys *k, const char *name, float fallback)
{
    char key[128];
    double value = fallback;
    if (k->status)
        return fallback;
    enum status status = gguf_get_double(k->gguf, full(k, name, key), &value, k->error);
    if (status && status != STATUS_NOT_FOUND)
        k->status = status;
    return status ? fallback : (float)value;
}

static bool get_bool(struct keys *k, const char *name, bool fallback)
{
    char key[128];
    bool value = fallback;
    if (k->status)
        return fallback;
    enum status status = gguf_get_bool(k->gguf, full(k, name, key), &value, k->error);
    if (status && status != STATUS_NOT_FOUND)
        k->status = status;
    return status ? fallback : value;
}

static void read_rope(struct model_config *c, struct keys *k)
{
    char key[128];
    struct str type;
    struct rope_config *r = &c->rope;
    r->theta = get_float(k, "rope.freq_base", 10000);
    if (!k->status && gguf_get_str(k->gguf, full(k, "rope.scaling.type", key), &type, k->error) == STATUS_OK) {
        if (str_is(type, "linear"))
            r->scaling = ROPE_SCALING_LINEAR;
        else if (str_is(type, "yarn"))
            r->scaling = ROPE_SCALING_YARN;
        else if (!str_is(type, "none"))
            k->status = error_set_path(k->error, STATUS_UNSUPPORTED, NULL, key, "%s: key %s: expected none, linear or yarn",
                                       k->gguf->file->path, key);
    }
    r->factor = get_float(k, "rope.scaling.factor", 1);
    float linear = get_float(k, "rope.scale_linear", 1); /* the name that old files use */
    if (r->scaling == ROPE_SCALING_NONE && linear != 1) {
        r->scaling = ROPE_SCALING_LINEAR;
        r->factor = linear;
    }
    r->original_context = (uint32_t)get(k, "rope.scaling.original_context_length", c->context);
    r->attn_factor = get_float(k, "rope.scaling.attn_factor", 0);
    r->beta_fast = get_float(k, "rope.scaling.yarn_beta_fast", 32);
    r->beta_slow = get_float(k, "rope.scaling.yarn_beta_slow", 1);
}

static enum status read_divisors(struct model_config *c, const struct weights *weights, struct error *error)
{
    const struct tensor *t = weights_find(weights, "rope_freqs.weight");
    if (!t)
        return STATUS_OK;
    if (!t->readable || t->dtype != DTYPE_F32 || t->n_dims != 1 || t->shape[0] != c->head_dim / 2)
        return error_set_path(error, STATUS_INVALID, NULL, t->name, "%s: tensor rope_freqs.weight: expected F32 [%u]",
                              weights->files[t->file].path, c->head_dim / 2);
    if ((uintptr_t)t->data % sizeof(float))
        return error_set_path(error, STATUS_INVALID, NULL, t->name, "%s: tensor rope_freqs.weight is not aligned",
                              weights->files[t->file].path);
    c->rope.divisors = t->data;
    for (uint64_t i = 0; i < t->shape[0]; i++)
        if (!(isfinite(c->rope.divisors[i]) && c->rope.divisors[i] > 0))
            return error_set_path(error, STATUS_INVALID, NULL, t->name,
                                  "%s: tensor rope_freqs.weight: element %llu is not a finite number above 0",
                                  weights->files[t->file].path, (unsigned long long)i);
    return STATUS_OK;
}

/* Grouped attention: the whole head is turned, by frequencies that the file may divide. */
static enum status read_rotary_part(struct model_config *c, struct keys *k, const struct weights *weights)
{
    char key[128];
    uint64_t dims = get(k, "rope.dimension_count", c->head_dim);
    if (!k->status && dims != c->head_dim)
        k->status = error_set_path(k->error, STATUS_UNSUPPORTED, NULL, full(k, "rope.dimension_count", key),
                                   "%s: key %s: expected the head width %u, found %llu: partial rotation is not offered",
                                   k->gguf->file->path, key, c->head_dim, (unsigned long long)dims);
    return k->status ? k->status : read_divisors(c, weights, k->error);
}

static void read_experts(struct model_config *c, struct keys *k)
{
    uint64_t gating = get(k, "expert_gating_func", 1);
    bool sigmoid = gating == 2;
    c->router = (struct router_rule){.score = sigmoid ? ROUTER_SIGMOID : ROUTER_SOFTMAX, .n_groups = 1, .n_groups_used = 1};
    if (gating != 1 && gating != 2 && !k->status)
        k->status = error_set_path(k->error, STATUS_UNSUPPORTED, NULL, "expert_gating_func",
                                   "%s: key %s.expert_gating_func: expected 1 or 2, found %llu", k->gguf->file->path, k->prefix,
                                   (unsigned long long)gating);
    c->router.n_experts = (uint32_t)get(k, "expert_count", 0);
    c->router.n_used = (uint32_t)get(k, "expert_used_count", 0);
    c->router.scale = get_float(k, "expert_weights_scale", 1);
    if (c->router.scale == 0)
        c->router.scale = 1;
    c->router.normalise = get_bool(k, "expert_weights_norm", false);
    c->moe_intermediate = (uint32_t)get(k, "expert_feed_forward_length", c->intermediate);
    c->n_shared_experts = (uint32_t)get(k, "expert_shared_count", 0);
    c->first_dense_layers = (uint32_t)get(k, "leading_dense_block_count", 0);
    uint64_t groups = get(k, "expert_group_count", 0), used = get(k, "expert_group_used_count", 0);
    if (!groups && sigmoid && c->router.n_experts == 256) { /* files older than these keys: V3's fixed rule */
        groups = 8;
        used = 4;
    }
    if (groups > 1 || sigmoid) {
        c->router.group = sigmoid ? ROUTER_GROUP_TOP2 : ROUTER_GROUP_MAX;
        c->router.n_groups = groups ? (uint32_t)groups : 1;
        c->router.n_groups_used = used ? (uint32_t)used : 1;
    }
}

static void read_deepseek(struct model_config *c, struct keys *k)
{
    c->attention = ATTENTION_LATENT;
    c->q_lora_rank = (uint32_t)get(k, "attention.q_lora_rank", 0);
    c->kv_lora_rank = need(k, "attention.kv_lora_rank");
    c->qk_rope_head_dim = need(k, "rope.dimension_count");
    uint32_t key = (uint32_t)get(k, "attention.key_length_mla", 0), value = (uint32_t)get(k, "attention.value_length_mla", 0);
    if (!key) { /* older files: the plain lengths are per head */
        key = need(k, "attention.key_length");
        value = need(k, "attention.value_length");
    }
    c->qk_nope_head_dim = key > c->qk_rope_head_dim ? key - c->qk_rope_head_dim : 0;
    c->v_head_dim = value;
    c->head_dim = key;
    c->n_kv_heads = c->n_heads;
    c->rope.interleaved = true;
    read_experts(c, k);
    c->n_nextn_layers = (uint32_t)get(k, "nextn_predict_layers", 0);
    c->n_layers = c->n_layers > c->n_nextn_layers ? c->n_layers - c->n_nextn_layers : 0;
    if (c->rope.scaling == ROPE_SCALING_YARN) { /* yarn_log_multiplier is 0.1 * mscale_all_dim; old V2 files lack it */
        c->rope.mscale_all_dim = get_float(k, "rope.scaling.yarn_log_multiplier", 0.0707f) * 10;
        c->rope.mscale = c->rope.mscale_all_dim;
    }
}

static uint32_t vocabulary_of(const struct keys *k, const struct weights *weights)
{
    const struct tensor *t = weights_find(weights, "token_embd.weight");
    (void)k;
    return t && t->n_dims == 2 && t->shape[0] <= UINT32_MAX ? (uint32_t)t->shape[0] : 0;
}

static void read_ids(struct model_config *c, const struct gguf *g)
{
    static const char *const keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    uint64_t id;
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (gguf_get_u64(g, keys[i], 0, UINT32_MAX, &id, NULL) == STATUS_OK)
            c->eos_ids[c->n_eos++] = (uint32_t)id;
    if (gguf_get_u64(g, "tokenizer.ggml.bos_token_id", 0, UINT32_MAX, &id, NULL) == STATUS_OK)
        c->bos_id = (int64_t)id;
}

enum status model_config_from_gguf(struct model_config *c, const struct gguf *gguf, const struct weights *weights,
                                   struct error *error)
{
    struct str name;
    c->from_gguf = true;
    enum status status = gguf_get_str(gguf, "general.architecture", &name, error);
    if (status == STATUS_NOT_FOUND)
        return error_set_path(error, STATUS_INVALID, NULL, "general.architecture", "%s: key general.architecture is absent",
                              gguf->file->path);
    if (status)
        return status;
    snprintf(c->architecture, sizeof c->architecture, "%.*s", STR_ARG(name));
    for (unsigned i = 0; i < model_config_n_architectures; i++)
        if (model_config_architectures[i].gguf && str_is(name, model_config_architectures[i].gguf))
            snprintf(c->family, sizeof c->family, "%s", model_config_architectures[i].family);
    if (!c->family[0])
        return model_config_unknown(gguf->file->path, c->architecture, true, error);
    if (gguf_get_str(gguf, "general.name", &name, NULL) == STATUS_OK)
        snprintf(c->name, sizeof c->name, "%.*s", STR_ARG(name));

    struct keys k = {gguf, c->architecture, error, STATUS_OK};
    c->n_layers = need(&k, "block_count");
    c->hidden = need(&k, "embedding_length");
    c->context = need(&k, "context_length");
    c->intermediate = need(&k, "feed_forward_length");
    c->n_heads = need(&k, "attention.head_count");
    c->n_kv_heads = (uint32_t)get(&k, "attention.head_count_kv", c->n_heads);
    c->head_dim = (uint32_t)get(&k, "attention.key_length", c->n_heads ? c->hidden / c->n_heads : 0);
    c->rms_norm_eps = get_float(&k, "attention.layer_norm_rms_epsilon", 1e-6f);
    c->vocabulary = vocabulary_of(&k, weights);
    c->tied_embeddings = !weights_find(weights, "output.weight");
    read_rope(c, &k);
    read_ids(c, gguf);
    c->qkv_bias = weights_find(weights, "blk.0.attn_q.bias") != NULL;
    c->qk_norm = strcmp(c->family, "qwen3") == 0;
    c->rope.interleaved = strcmp(c->family, "llama") == 0; /* its converter permutes the rows of q and k */
    if (strcmp(c->family, "deepseek") == 0) {
        read_deepseek(c, &k);
    } else if (strcmp(c->family, "llama") == 0 && get(&k, "expert_count", 0)) {
        read_experts(c, &k);
        c->router.normalise = true;
        snprintf(c->family, sizeof c->family, "mixtral");
    }
    if (k.status)
        return k.status;
    return c->attention == ATTENTION_GROUPED ? read_rotary_part(c, &k, weights) : STATUS_OK;
}
