/* config.json and GGUF metadata to one configuration: what is read, and every bound. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "engine/weights/model_config.h"
#include "engine/weights/weights.h"
#include "tests/gguf_writer.h"

static const char *dir;

static int set_up(void **state)
{
    (void)state;
    dir = support_temp_dir();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    support_remove_dir(dir);
    return 0;
}

static void put(const char *name, const void *data, size_t len)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    support_write_file(path, data, len);
}

static enum status read_path(const char *path, struct model_config *c, struct error *error)
{
    struct weights w;
    support_ok(weights_open(&w, path, error), error);
    enum status status = model_config_read(c, &w, error);
    weights_close(&w);
    return status;
}

/* ---- config.json -------------------------------------------------------------------------------------------- */

static enum status read_json(const char *json, struct model_config *c, struct error *error)
{
    static const char empty[] = "\2\0\0\0\0\0\0\0{}";
    put("model.safetensors", empty, sizeof empty - 1);
    put("config.json", json, strlen(json));
    return read_path(dir, c, error);
}

#define BASE                                                                                                            \
    "\"num_hidden_layers\":2,\"hidden_size\":64,\"vocab_size\":100,\"num_attention_heads\":4,\"num_key_value_heads\":2,"     \
    "\"intermediate_size\":128,\"max_position_embeddings\":512,\"rms_norm_eps\":1e-5"
#define LLAMA(rest) "{\"architectures\":[\"LlamaForCausalLM\"]," BASE rest "}"
#define DEEPSEEK_PARTS                                                                                                    \
    ",\"q_lora_rank\":null,\"kv_lora_rank\":32,\"qk_nope_head_dim\":16,\"qk_rope_head_dim\":8,\"v_head_dim\":16,"              \
    "\"n_routed_experts\":8,\"num_experts_per_tok\":2,\"moe_intermediate_size\":32,\"n_group\":4,\"topk_group\":2"
#define DEEPSEEK(rest) "{\"architectures\":[\"DeepseekV3ForCausalLM\"]," BASE DEEPSEEK_PARTS rest "}"

static void a_llama_config_is_read(void **state)
{
    (void)state;
    struct model_config c;
    struct error error;
    support_ok(read_json(LLAMA(",\"eos_token_id\":[7,8],\"bos_token_id\":1,\"rope_theta\":500000,\"tie_word_embeddings\":true,"
                               "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4,"
                               "\"original_max_position_embeddings\":256}"),
                         &c, &error),
               &error);
    assert_string_equal(c.family, "llama");
    assert_int_equal(c.n_layers, 2);
    assert_int_equal(c.head_dim, 16);
    assert_int_equal(c.n_kv_heads, 2);
    assert_int_equal(c.attention, ATTENTION_GROUPED);
    assert_int_equal(c.n_eos, 2);
    assert_int_equal(c.eos_ids[1], 8);
    assert_int_equal(c.bos_id, 1);
    assert_int_equal(c.rope.scaling, ROPE_SCALING_LLAMA3);
    assert_int_equal(c.rope.original_context, 256);
    assert_true(c.tied_embeddings && c.rope.theta == 500000.0f && c.rope.factor == 8.0f);
}

static void a_deepseek_config_is_read(void **state)
{
    (void)state;
    struct model_config c;
    struct error error;
    support_ok(read_json(DEEPSEEK(",\"first_k_dense_replace\":1,\"n_shared_experts\":1,\"routed_scaling_factor\":2.5,"
                                  "\"norm_topk_prob\":true,"
                                  "\"num_nextn_predict_layers\":1,\"rope_scaling\":{\"type\":\"yarn\",\"factor\":40,\"mscale\":1,"
                                  "\"mscale_all_dim\":1,\"original_max_position_embeddings\":4096},"
                                  "\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[128,128]}"),
                         &c, &error),
               &error);
    assert_string_equal(c.family, "deepseek");
    assert_int_equal(c.attention, ATTENTION_LATENT);
    assert_int_equal(c.q_lora_rank, 0);
    assert_int_equal(c.head_dim, 24);
    assert_int_equal(c.router.n_experts, 8);
    assert_int_equal(c.router.score, ROUTER_SIGMOID);
    assert_int_equal(c.router.group, ROUTER_GROUP_TOP2);
    assert_int_equal(c.first_dense_layers, 1);
    assert_int_equal(c.n_nextn_layers, 1);
    assert_true(c.router.normalise && c.router.scale == 2.5f);
    assert_int_equal(c.rope.scaling, ROPE_SCALING_YARN);
}

static void expect_json_refused(const char *json, const char *says)
{
    struct model_config c;
    struct error error;
    error_clear(&error);
    enum status status = read_json(json, &c, &error);
    if (status == STATUS_OK || !strstr(error.message, says) || !strstr(error.message, dir) || strchr(error.message, '\n'))
        fail_msg("%s: %s: \"%s\" without \"%s\"", json, status_name(status), error.message, says);
}

static void wrong_fields_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{\"a\":1,\"a\":2}", "not a JSON object"},
        {"{}", "architectures"},
        {"{\"architectures\":[]}", "architectures"},
        {"{\"architectures\":[7]}", "architectures"},
        {"{\"architectures\":[\"GPT2LMHeadModel\"]}", "GPT2LMHeadModel is not known; known are LlamaForCausalLM"},
        {"{\"architectures\":[\"LlamaForCausalLM\"]}", "num_hidden_layers"},
        {"{\"architectures\":[\"LlamaForCausalLM\"],\"num_hidden_layers\":\"2\"}", "num_hidden_layers"},
        {LLAMA(",\"head_dim\":-2"), "head_dim"},
        {LLAMA(",\"head_dim\":1.5"), "head_dim"},
        {LLAMA(",\"head_dim\":7"), "the head width is odd"},
        {LLAMA(",\"head_dim\":8194"), "head_dim is 8194, expected 1 to 8192"},
        {LLAMA(",\"head_dim\":1e300"), "head_dim"},
        {LLAMA(",\"hidden_act\":\"gelu\""), "hidden_act"},
        {LLAMA(",\"hidden_act\":3"), "hidden_act"},
        {LLAMA(",\"tie_word_embeddings\":1"), "tie_word_embeddings"},
        {LLAMA(",\"mlp_bias\":true"), "mlp_bias"},
        {LLAMA(",\"use_sliding_window\":true"), "use_sliding_window"},
        {LLAMA(",\"rope_theta\":0"), "rope_theta"},
        {LLAMA(",\"rope_theta\":1e300"), "it is not a finite number above 1"},
        {LLAMA(",\"rope_theta\":\"big\""), "rope_theta"},
        {LLAMA(",\"rope_scaling\":7"), "rope_scaling"},
        {LLAMA(",\"rope_scaling\":{\"type\":\"dynamic\"}"), "rope_scaling.type"},
        {LLAMA(",\"rope_scaling\":{\"type\":\"linear\",\"factor\":0}"), "it is not a number from 0.001"},
        {LLAMA(",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4,\"mscale\":1e300}"), "not finite"},
        {LLAMA(",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":4,\"low_freq_factor\":4,\"high_freq_factor\":4}"),
         "it is not above low_freq_factor"},
        {LLAMA(",\"quantization_config\":{\"quant_method\":\"gptq\"}"), "only fp8"},
        {LLAMA(",\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[64,128]}"), "only fp8"},
        {DEEPSEEK(",\"scoring_func\":\"tanh\""), "scoring_func"},
        {DEEPSEEK(",\"topk_method\":\"best\""), "topk_method"},
        {DEEPSEEK(",\"routed_scaling_factor\":1e300"), "not finite"},
        {DEEPSEEK(",\"topk_method\":\"greedy\",\"routed_scaling_factor\":1e300"), "not finite"},
        {DEEPSEEK(",\"moe_layer_freq\":0"), "moe_layer_freq"},
        {DEEPSEEK(",\"n_shared_experts\":65"), "n_shared_experts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_json_refused(cases[i].json, cases[i].says);
}

/* A good configuration with one number changed. */
static void expect_number_refused(const char *good, const char *name, const char *value, const char *says)
{
    char key[64], json[2048];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(good, key);
    assert_non_null(at);
    at += strlen(key);
    snprintf(json, sizeof json, "%.*s%s%s", (int)(at - good), good, value, at + strcspn(at, ",}"));
    expect_json_refused(json, says);
}

static void every_number_has_its_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } cases[] = {
        {"num_hidden_layers", "0", "num_hidden_layers is 0"},
        {"num_hidden_layers", "1025", "num_hidden_layers is 1025, expected 1 to 1024"},
        {"hidden_size", "0", "hidden_size is 0"},
        {"hidden_size", "65537", "hidden_size"},
        {"vocab_size", "0", "vocab_size"},
        {"vocab_size", "1000001", "vocab_size"},
        {"vocab_size", "4294967296", "vocab_size"},
        {"num_attention_heads", "0", "num_attention_heads"},
        {"num_attention_heads", "3", "query heads are not a multiple"},
        {"num_key_value_heads", "0", "num_key_value_heads"},
        {"num_key_value_heads", "5", "num_key_value_heads"},
        {"intermediate_size", "0", "intermediate_size"},
        {"max_position_embeddings", "0", "max_position_embeddings"},
        {"rms_norm_eps", "-1", "rms_norm_eps"},
        {"rms_norm_eps", "1e300", "rms_norm_eps"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_number_refused(LLAMA(",\"head_dim\":16"), cases[i].name, cases[i].value, cases[i].says);
    static const struct {
        const char *name, *value, *says;
    } latent[] = {
        {"kv_lora_rank", "0", "kv_lora_rank"},
        {"qk_nope_head_dim", "0", "qk_nope_head_dim"},
        {"qk_rope_head_dim", "7", "the rotary width is odd"},
        {"v_head_dim", "8193", "v_head_dim"},
        {"n_routed_experts", "4097", "n_routed_experts"},
        {"num_experts_per_tok", "9", "num_experts_per_tok"},
        {"num_experts_per_tok", "5", "the kept groups hold fewer experts"},
        {"n_group", "3", "the groups do not divide"},
        {"topk_group", "5", "more groups are used"},
        {"topk_group", "0", "more groups are used"},
        {"moe_intermediate_size", "0", "moe_intermediate_size"},
    };
    for (size_t i = 0; i < sizeof latent / sizeof *latent; i++)
        expect_number_refused(DEEPSEEK(""), latent[i].name, latent[i].value, latent[i].says);
}

static void every_cut_of_a_config_is_refused(void **state)
{
    (void)state;
    static const char whole[] = LLAMA("");
    char cut[sizeof whole];
    for (size_t len = 0; len + 1 < sizeof whole; len++) {
        memcpy(cut, whole, len);
        cut[len] = 0;
        expect_json_refused(cut, "not a JSON object");
    }
}

/* ---- GGUF --------------------------------------------------------------------------------------------------- */

struct metadata {
    const char *architecture;
    uint32_t n_layers, hidden, heads, kv_heads;
    float theta;
    const char *omit;        /* the key left out */
    const char *scaling;     /* rope.scaling.type, or null */
    float divisor;           /* 0: no rope_freqs.weight; else its second element */
};
static const struct metadata good = {"qwen2", 2, 64, 4, 2, 10000, NULL, NULL, 0};

static void put_number(struct buf *b, const struct metadata *m, const char *name, uint32_t value, uint64_t *n)
{
    char key[128];
    if (m->omit && strcmp(m->omit, name) == 0)
        return;
    snprintf(key, sizeof key, "%s.%s", m->architecture, name);
    gguf_put_u32_value(b, key, value);
    ++*n;
}

static enum status read_gguf(const struct metadata *m, struct model_config *c, struct error *error)
{
    static const uint64_t embedding[] = {64, 100}, divisors[] = {8};
    char key[128], path[700];
    struct buf b, values;
    uint64_t n = 2;
    buf_init(&values, 1 << 20);
    gguf_put_string_value(&values, "general.architecture", m->architecture);
    snprintf(key, sizeof key, "%s.rope.freq_base", m->architecture);
    gguf_put_f32_value(&values, key, m->theta);
    put_number(&values, m, "block_count", m->n_layers, &n);
    put_number(&values, m, "embedding_length", m->hidden, &n);
    put_number(&values, m, "context_length", 512, &n);
    put_number(&values, m, "feed_forward_length", 128, &n);
    put_number(&values, m, "attention.head_count", m->heads, &n);
    put_number(&values, m, "attention.head_count_kv", m->kv_heads, &n);
    if (m->scaling) {
        snprintf(key, sizeof key, "%s.rope.scaling.type", m->architecture);
        gguf_put_string_value(&values, key, m->scaling);
        n++;
    }
    buf_init(&b, 1 << 20);
    gguf_put_head(&b, 3, m->divisor != 0 ? 2 : 1, n);
    buf_add_str(&b, buf_str(&values));
    gguf_put_tensor(&b, "token_embd.weight", 2, embedding, 0, 0);
    if (m->divisor != 0)
        gguf_put_tensor(&b, "rope_freqs.weight", 1, divisors, 0, 25600);
    gguf_put_padding(&b, 32);
    for (int i = 0; i < 6400; i++)
        gguf_put_u32(&b, 0);
    for (int i = 0; i < 8; i++) {
        float f = i == 1 ? m->divisor : 1.0f;
        buf_add(&b, &f, sizeof f);
    }
    put("m.gguf", b.at, b.len);
    buf_release(&b);
    buf_release(&values);
    snprintf(path, sizeof path, "%s/m.gguf", dir);
    return read_path(path, c, error);
}

static void gguf_metadata_are_read(void **state)
{
    (void)state;
    struct model_config c;
    struct error error;
    support_ok(read_gguf(&good, &c, &error), &error);
    assert_string_equal(c.family, "qwen2");
    assert_true(c.from_gguf);
    assert_int_equal(c.vocabulary, 100); /* rows of the embedding */
    assert_int_equal(c.head_dim, 16);
    assert_int_equal(c.n_kv_heads, 2);
    assert_true(c.tied_embeddings);
}

static void expect_gguf_refused(const struct metadata *m, const char *says)
{
    struct model_config c;
    struct error error;
    error_clear(&error);
    enum status status = read_gguf(m, &c, &error);
    if (status == STATUS_OK || !strstr(error.message, says) || !strstr(error.message, "m.gguf"))
        fail_msg("%s: \"%s\" without \"%s\"", status_name(status), error.message, says);
}

static void wrong_gguf_metadata_are_refused_by_key(void **state)
{
    (void)state;
    struct metadata m = good;
    m.architecture = "gpt2";
    expect_gguf_refused(&m, "architecture gpt2 is not known; known are llama, qwen2");
    static const char *const needed[] = {"block_count", "embedding_length", "context_length", "feed_forward_length",
                                         "attention.head_count"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        m = good;
        m.omit = needed[i];
        expect_gguf_refused(&m, needed[i]);
    }
    m = good;
    m.n_layers = 5000;
    expect_gguf_refused(&m, "num_hidden_layers is 5000");
    m = good;
    m.heads = 0;
    expect_gguf_refused(&m, "num_attention_heads");
    m = good;
    m.kv_heads = 3;
    expect_gguf_refused(&m, "query heads");
    m = good;
    m.theta = 1.0f / 0.0f;
    expect_gguf_refused(&m, "qwen2.rope.freq_base: the number is not finite");
    m = good;
    m.scaling = "longrope";
    expect_gguf_refused(&m, "rope.scaling.type");
}

static void rotary_divisors_are_finite_and_above_zero(void **state)
{
    (void)state;
    struct model_config c;
    struct error error;
    struct metadata m = good;
    m.divisor = 8;
    support_ok(read_gguf(&m, &c, &error), &error);
    m.divisor = -1;
    expect_gguf_refused(&m, "rope_freqs.weight: element 1");
    m.divisor = 0.0f / 0.0f;
    expect_gguf_refused(&m, "rope_freqs.weight: element 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_llama_config_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deepseek_config_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_fields_are_refused_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_number_has_its_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_cut_of_a_config_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gguf_metadata_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_gguf_metadata_are_refused_by_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rotary_divisors_are_finite_and_above_zero, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
