/* config.json. What is accepted keeps the bounds that the models' code relies on. */
#include "engine/weights/model_config.h"
#include "engine/weights/weights.h"
#include "tests/fuzz/fuzz.h"

static char dir[64], path[96];

static void clean_up(void)
{
    unlink(path);
    rmdir(dir);
}

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "%s/fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    fuzz_expect(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/config.json", dir);
    atexit(clean_up);
}

static void expect_bounds(const struct model_config *c)
{
    const struct router_rule *r = &c->router;
    fuzz_expect(c->family[0] && c->n_layers >= 1 && c->n_layers <= 1024 && c->hidden >= 1 && c->hidden <= 65536);
    fuzz_expect(c->vocabulary >= 1 && c->vocabulary <= 1000000 && c->context >= 1 && c->intermediate >= 1);
    fuzz_expect(c->n_heads >= 1 && c->n_kv_heads >= 1 && c->n_kv_heads <= c->n_heads && c->head_dim >= 1 && c->head_dim <= 8192);
    fuzz_expect(c->n_eos <= MODEL_EOS_MAX && c->rope.theta > 1);
    if (c->attention == ATTENTION_GROUPED)
        fuzz_expect(c->n_heads % c->n_kv_heads == 0 && c->head_dim % 2 == 0);
    else
        fuzz_expect(c->kv_lora_rank && c->qk_rope_head_dim % 2 == 0 && c->head_dim == c->qk_nope_head_dim + c->qk_rope_head_dim);
    if (r->n_experts)
        fuzz_expect(r->n_experts <= 4096 && r->n_used >= 1 && r->n_used <= r->n_experts && c->moe_layer_freq >= 1);
    if (r->n_experts && r->group != ROUTER_GROUP_NONE)
        fuzz_expect(r->n_groups >= 1 && r->n_experts % r->n_groups == 0 && r->n_groups_used >= 1 && r->n_groups_used <= r->n_groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights w = {.format = WEIGHTS_SAFETENSORS, .dir = dir};
    struct model_config config;
    struct error error;
    if (!dir[0])
        make_dir();
    FILE *f = fopen(path, "wb");
    fuzz_expect(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
    error_clear(&error);
    enum status status = model_config_read(&config, &w, &error);
    if (status)
        fuzz_expect_refusal(status, &error);
    else
        expect_bounds(&config);
    return 0;
}
