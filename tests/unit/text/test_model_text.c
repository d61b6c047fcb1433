/* The text side of a model: what is gathered from a directory or a GGUF file, and what is refused. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "tests/gguf_writer.h"
#include "text/model_text.h"

#define TOKENIZER                                                                                                         \
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]},\"added_tokens\":["                              \
    "{\"id\":2,\"content\":\"</s>\",\"special\":true},{\"id\":3,\"content\":\"<|im_end|>\",\"special\":true},"               \
    "{\"id\":4,\"content\":\"<|EOT|>\"}]}"

static const char *dir;

static void put(const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    support_write_file(path, text, strlen(text));
}

static void make_dir(void)
{
    dir = support_temp_dir();
    put("tokenizer.json", TOKENIZER);
    put("config.json", "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"max_position_embeddings\":4096,"
                       "\"eos_token_id\":2,\"quantization_config\":{\"scale_fmt\":\"ue8m0\"}}");
}

static void expect_refused(const char *path, const char *says)
{
    struct model_text m;
    struct error error;
    assert_int_not_equal(model_text_load(&m, path, &error), STATUS_OK);
    if (!strstr(error.message, says))
        fail_msg("\"%s\" without \"%s\"", error.message, says);
}

static void a_directory_gives_tokenizer_template_and_defaults(void **state)
{
    (void)state;
    struct model_text m;
    struct error error;
    make_dir();
    put("generation_config.json", "{\"eos_token_id\":[2,1],\"temperature\":0.6,\"top_p\":0.95,\"top_k\":40,\"do_sample\":true}");
    put("tokenizer_config.json", "{\"eos_token\":\"</s>\",\"chat_template\":[{\"name\":\"other\",\"template\":\"O\"},"
                                 "{\"name\":\"default\",\"template\":\"T\"}],\"model_max_length\":1000000000000000019884624838656}");
    support_ok(model_text_load(&m, dir, &error), &error);
    assert_string_equal(m.architecture, "LlamaForCausalLM");
    assert_string_equal(m.model_type, "llama");
    assert_string_equal(m.chat_template, "T");
    assert_int_equal(m.context, 4096);
    assert_true(m.scale_fmt_ue8m0);
    assert_int_equal(m.n_eos, 3); /* config, generation_config, and the turn end that is special; <|EOT|> is not */
    assert_int_equal(m.eos_ids[0], 2);
    assert_int_equal(m.eos_ids[1], 1);
    assert_int_equal(m.eos_ids[2], 3);
    assert_int_equal(m.top_k, 40);
    assert_int_equal(m.do_sample, 1);
    assert_true(m.temperature > 0.59 && m.temperature < 0.61 && m.top_p > 0.94 && m.top_p < 0.96);
    assert_true(m.min_p < 0 && m.repetition_penalty < 0);
    model_text_release(&m);
    support_remove_dir(dir);
}

static void only_the_tokenizer_is_needed(void **state)
{
    (void)state;
    struct model_text m;
    struct error error;
    dir = support_temp_dir();
    put("tokenizer.json", TOKENIZER);
    support_ok(model_text_load(&m, dir, &error), &error);
    assert_null(m.chat_template);
    assert_int_equal(m.context, 0);
    assert_int_equal(m.do_sample, -1);
    assert_int_equal(m.top_k, -1);
    assert_int_equal(m.n_eos, 2); /* by their literals */
    model_text_release(&m);
    support_remove_dir(dir);
}

static void a_template_file_stands_beside_the_config(void **state)
{
    (void)state;
    struct model_text m;
    struct error error;
    make_dir();
    put("chat_template.jinja", "{{ messages }}");
    support_ok(model_text_load(&m, dir, &error), &error);
    assert_string_equal(m.chat_template, "{{ messages }}");
    model_text_release(&m);
    support_remove_dir(dir);
}

static void wrong_numbers_in_the_defaults_count_as_absent(void **state)
{
    (void)state;
    struct model_text m;
    struct error error;
    make_dir();
    put("generation_config.json", "{\"top_k\":1e300,\"temperature\":\"hot\",\"top_p\":null,\"eos_token_id\":[-1,\"x\",1e9,77]}");
    support_ok(model_text_load(&m, dir, &error), &error);
    assert_int_equal(m.top_k, -1);
    assert_true(m.temperature < 0 && m.top_p < 0);
    assert_int_equal(m.n_eos, 2);
    model_text_release(&m);
    support_remove_dir(dir);
}

static void files_that_are_not_json_are_named(void **state)
{
    (void)state;
    static const char *const names[] = {"tokenizer.json", "config.json", "generation_config.json", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_dir();
        put(names[i], "{\"a\":");
        expect_refused(dir, i == 3 ? "tokenizer_config" : names[i]);
        support_remove_dir(dir);
    }
}

static void what_is_not_there_is_named(void **state)
{
    (void)state;
    expect_refused("/nonexistent/model.gguf", "/nonexistent/model.gguf");
    dir = support_temp_dir();
    expect_refused(dir, "tokenizer.json");
    support_remove_dir(dir);
}

static void write_gguf(const char *name, const char *model)
{
    static const char *const tokens[] = {"a", "</s>", "<|im_end|>"};
    static const int32_t types[] = {1, 3, 3};
    static const char *const merges[] = {"a a"};
    char path[600];
    struct buf b;
    buf_init(&b, 1 << 20);
    gguf_put_head(&b, 3, 0, 8);
    gguf_put_string_value(&b, "general.architecture", "qwen2");
    gguf_put_string_value(&b, "tokenizer.ggml.model", model);
    gguf_put_string_value(&b, "tokenizer.ggml.pre", "qwen2");
    gguf_put_strings(&b, "tokenizer.ggml.tokens", tokens, 3);
    gguf_put_i32s(&b, "tokenizer.ggml.token_type", types, 3);
    gguf_put_strings(&b, "tokenizer.ggml.merges", merges, 1);
    gguf_put_u32_value(&b, "tokenizer.ggml.eos_token_id", 1);
    gguf_put_u32_value(&b, "qwen2.context_length", 777);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    support_write_file(path, b.at, b.len);
    buf_release(&b);
}

static void a_gguf_file_gives_the_same_by_its_keys(void **state)
{
    (void)state;
    struct model_text m;
    struct error error;
    char path[600];
    dir = support_temp_dir();
    write_gguf("small-q4.gguf", "gpt2");
    snprintf(path, sizeof path, "%s/small-q4.gguf", dir);
    support_ok(model_text_load(&m, path, &error), &error);
    assert_string_equal(m.name, "small-q4");
    assert_string_equal(m.architecture, "qwen2");
    assert_int_equal(m.context, 777);
    assert_int_equal(m.n_eos, 2);
    assert_int_equal(m.eos_ids[0], 1);
    assert_int_equal(m.eos_ids[1], 2);
    model_text_release(&m);
    support_ok(model_text_load(&m, dir, &error), &error); /* the directory that holds it */
    assert_int_equal(m.context, 777);
    model_text_release(&m);
    write_gguf("small-q4.gguf", "martian");
    expect_refused(path, "martian");
    put("small-q4.gguf", "GGUF");
    expect_refused(path, "small-q4.gguf");
    support_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_gives_tokenizer_template_and_defaults),
        cmocka_unit_test(only_the_tokenizer_is_needed),
        cmocka_unit_test(a_template_file_stands_beside_the_config),
        cmocka_unit_test(wrong_numbers_in_the_defaults_count_as_absent),
        cmocka_unit_test(files_that_are_not_json_are_named),
        cmocka_unit_test(what_is_not_there_is_named),
        cmocka_unit_test(a_gguf_file_gives_the_same_by_its_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
