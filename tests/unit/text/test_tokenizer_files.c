/* Tokenizer files that are wrong: each is refused with a message that names the part; none crashes or leaks. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/gguf_writer.h"
#include "text/tokenizer_parts.h"

/* ---- tokenizer.json ----------------------------------------------------------------------------------------- */

#define MODEL(rest) "{\"model\":{\"type\":\"BPE\"," rest "}"
#define GOOD "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}"

static const struct {
    const char *json, *says;
} bad_files[] = {
    {"", "not a JSON object"},
    {"[]", "not a JSON object"},
    {"{", "not a JSON object (line 1)"},
    {"{\"a\":1,\"a\":2}", "not a JSON object"},
    {"{}", "model of type (no type)"},
    {"{\"model\":{\"type\":\"WordPiece\"}}", "WordPiece"},
    {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", "Unigram"},
    {MODEL("\"vocab\":[],\"merges\":[]}"), "model.vocab"},
    {MODEL("\"vocab\":{},\"merges\":[]}"), "model.vocab: it is empty"},
    {MODEL("\"vocab\":{\"a\":-1},\"merges\":[]}"), "model.vocab"},
    {MODEL("\"vocab\":{\"a\":1000000},\"merges\":[]}"), "below 1,000,000"},
    {MODEL("\"vocab\":{\"a\":1.5},\"merges\":[]}"), "model.vocab"},
    {MODEL("\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}"), "id 0 stands twice"},
    {MODEL("\"vocab\":{\"a\":0}}"), "model.merges"},
    {MODEL("\"vocab\":{\"a\":0},\"merges\":[\"a\"]}"), "a merge is not two symbols"},
    {MODEL("\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}"), "not in the vocabulary"},
    {MODEL("\"vocab\":{\"a\":0},\"merges\":[[\"a\"]]}"), "neither a string nor a pair"},
    {MODEL("\"vocab\":{\"a\":0},\"merges\":[7]}"), "neither a string nor a pair"},
    {MODEL("\"continuing_subword_prefix\":\"##\"," GOOD), "subword prefixes"},
    {MODEL("\"end_of_word_suffix\":\"</w>\"," GOOD), "suffixes"},
    {MODEL(GOOD ",\"added_tokens\":[{\"id\":3}]"), "added_tokens: an entry has no content"},
    {MODEL(GOOD ",\"added_tokens\":[{\"id\":\"x\",\"content\":\"c\"}]"), "added_tokens: an id"},
    {MODEL(GOOD ",\"added_tokens\":[{\"id\":3,\"content\":\"c\",\"single_word\":true}]"), "single_word"},
    {MODEL(GOOD ",\"normalizer\":{\"type\":\"Lowercase\"}"), "normalizer of type Lowercase"},
    {MODEL(GOOD ",\"normalizer\":{\"type\":\"Sequence\"}"), "normalizer"},
    {MODEL(GOOD ",\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"), "pre_tokenizer of type BertPreTokenizer"},
    {MODEL(GOOD ",\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"), "add_prefix_space"},
    {MODEL(GOOD ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{\"Regex\":\"(\"}}"), "pattern"},
    {MODEL(GOOD ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Removed\",\"pattern\":{\"Regex\":\"a\"}}"), "not Isolated"},
    {MODEL(GOOD ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Isolated\"}"), "without a pattern"},
    {MODEL(GOOD ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}"), "U+2581"},
    {MODEL(GOOD ",\"decoder\":{\"type\":\"CTC\"}"), "decoder of type CTC"},
    {MODEL(GOOD ",\"post_processor\":{\"type\":\"BertProcessing\"}"), "post_processor of type BertProcessing"},
};

static void bad_json_files_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        struct tokenizer *t = NULL;
        struct error error;
        enum status status = tokenizer_from_json(&t, str_of(bad_files[i].json), str_of(""), "m/tokenizer.json", &error);
        if (status == STATUS_OK || status == STATUS_NO_MEMORY || !strstr(error.message, bad_files[i].says) || strchr(error.message, '\n'))
            fail_msg("%s: %s, \"%s\" without \"%s\"", bad_files[i].json, status_name(status), status ? error.message : "",
                     bad_files[i].says);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct buf json;
    struct tokenizer *t;
    struct error error;
    buf_init(&json, 1 << 20);
    buf_add_text(&json, "{\"model\":{\"type\":\"BPE\"," GOOD ",\"normalizer\":");
    for (int i = 0; i < 500; i++)
        buf_add_text(&json, "{\"type\":\"Sequence\",\"normalizers\":[");
    for (int i = 0; i < 500; i++)
        buf_add_text(&json, "]}");
    buf_add_text(&json, "}");
    assert_int_equal(tokenizer_from_json(&t, buf_str(&json), str_of(""), "x", &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "nested too deep"));
    buf_release(&json);
}

static void every_cut_of_a_file_is_refused(void **state)
{
    (void)state;
    static const char whole[] = MODEL(GOOD ",\"added_tokens\":[{\"id\":3,\"content\":\"<s>\",\"special\":true}]");
    struct tokenizer *t;
    struct error error;
    for (size_t len = 0; len < strlen(whole); len++)
        assert_int_equal(tokenizer_from_json(&t, str_from(whole, len), str_of(""), "x", &error), STATUS_INVALID);
    support_ok(tokenizer_from_json(&t, str_of(whole), str_of(""), "x", &error), &error);
    tokenizer_free(t);
}

static void the_config_names_begin_and_end(void **state)
{
    (void)state;
    static const char json[] =
        MODEL(GOOD ",\"added_tokens\":[{\"id\":3,\"content\":\"<s>\",\"special\":true},{\"id\":4,\"content\":\"</s>\"}]");
    struct tokenizer *t;
    struct error error;
    struct str config = str_of("{\"add_bos_token\":true,\"bos_token\":{\"content\":\"<s>\"},\"eos_token\":\"</s>\","
                               "\"model_max_length\":1000000000000000019884624838656}");
    support_ok(tokenizer_from_json(&t, str_of(json), config, "x", &error), &error);
    assert_int_equal(tokenizer_bos(t), 3);
    assert_int_equal(tokenizer_eos(t), 4);
    assert_true(tokenizer_adds_bos(t));
    assert_false(tokenizer_adds_eos(t));
    assert_true(tokenizer_is_special(t, 3));
    assert_false(tokenizer_is_special(t, 4));
    assert_true(tokenizer_is_control(t, 4));
    tokenizer_free(t);
    assert_int_equal(tokenizer_from_json(&t, str_of(json), str_of("{"), "x", &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "tokenizer_config"));
}

static void begin_and_end_are_found_by_literal_where_nothing_names_them(void **state)
{
    (void)state;
    static const char json[] = MODEL(GOOD ",\"added_tokens\":[{\"id\":3,\"content\":\"</s>\"},{\"id\":7,\"content\":\"<s>\"},"
                                          "{\"id\":8,\"content\":\"<|fim_prefix|>\"},{\"id\":9,\"content\":\"<|fim_suffix|>\"},"
                                          "{\"id\":10,\"content\":\"<|fim_middle|>\"}]");
    struct tokenizer *t;
    struct error error;
    uint32_t prefix, suffix, middle;
    support_ok(tokenizer_from_json(&t, str_of(json), str_of(""), "x", &error), &error);
    assert_int_equal(tokenizer_bos(t), 7);
    assert_int_equal(tokenizer_eos(t), 3);
    assert_false(tokenizer_adds_bos(t));
    assert_true(tokenizer_fim(t, &prefix, &suffix, &middle));
    assert_int_equal(prefix, 8);
    assert_int_equal(suffix, 9);
    assert_int_equal(middle, 10);
    tokenizer_free(t);
}

/* ---- GGUF --------------------------------------------------------------------------------------------------- */

struct vocabulary {
    const char *model, *pre;
    const char *const *tokens;
    const int32_t *types;
    const float *scores;
    const char *const *merges;
    size_t n_tokens, n_types, n_scores, n_merges;
    int64_t bos; /* -1: absent */
    uint32_t types_element;
};

static const char *const byte_tokens[] = {"a", "b", "ab", "<s>", "<u>", "[PAD5]"};
static const int32_t byte_types[] = {1, 1, 1, 3, 4, 5};
static const char *const byte_merges[] = {"a b"};

static const struct vocabulary byte_level = {
    "gpt2", "gpt-2", byte_tokens, byte_types, NULL, byte_merges, 6, 6, 0, 1, 3, GGUF_I32,
};

static void write_vocabulary(struct buf *b, const struct vocabulary *v)
{
    buf_init(b, 1 << 20);
    gguf_put_head(b, 3, 0,
                  (uint64_t)(v->model != NULL) + (v->pre != NULL) + (v->tokens != NULL) + (v->types != NULL) + (v->scores != NULL) +
                      (v->merges != NULL) + (v->bos >= 0));
    if (v->model)
        gguf_put_string_value(b, "tokenizer.ggml.model", v->model);
    if (v->pre)
        gguf_put_string_value(b, "tokenizer.ggml.pre", v->pre);
    if (v->tokens)
        gguf_put_strings(b, "tokenizer.ggml.tokens", v->tokens, v->n_tokens);
    if (v->types) {
        gguf_put_array_head(b, "tokenizer.ggml.token_type", v->types_element, v->n_types);
        buf_add(b, v->types, v->n_types * sizeof *v->types);
    }
    if (v->scores)
        gguf_put_f32s(b, "tokenizer.ggml.scores", v->scores, v->n_scores);
    if (v->merges)
        gguf_put_strings(b, "tokenizer.ggml.merges", v->merges, v->n_merges);
    if (v->bos >= 0)
        gguf_put_u32_value(b, "tokenizer.ggml.bos_token_id", (uint32_t)v->bos);
}

static enum status load(const struct vocabulary *v, struct tokenizer **t, struct error *error)
{
    struct buf b;
    struct gguf g;
    write_vocabulary(&b, v);
    struct file_map file = gguf_in_memory(&b, "vocab.gguf");
    enum status status = gguf_read(&g, &file, error);
    if (!status) {
        status = tokenizer_from_gguf(t, &g, error);
        gguf_release(&g);
    }
    buf_release(&b);
    return status;
}

static void a_byte_level_vocabulary_loads(void **state)
{
    (void)state;
    struct tokenizer *t;
    struct error error;
    struct token_list list;
    support_ok(load(&byte_level, &t, &error), &error);
    token_list_init(&list, 100);
    support_ok(tokenizer_encode_text(t, str_of("<s>abb<u>[PAD5]"), SPAN_SCAFFOLD, &list, &error), &error);
    static const uint32_t want[] = {3, 2, 1, 4}; /* the padding is no token, its characters have none */
    assert_int_equal(list.n, 4);
    assert_memory_equal(list.ids, want, sizeof want);
    assert_int_equal(tokenizer_bos(t), 3);
    assert_true(tokenizer_is_special(t, 3));
    assert_false(tokenizer_is_special(t, 4));
    assert_int_equal(tokenizer_bytes(t, 5).len, 0);
    assert_int_equal(tokenizer_bytes(t, 600).len, 0);
    token_list_release(&list);
    tokenizer_free(t);
}

static void expect_refused(const struct vocabulary *v, const char *says)
{
    struct tokenizer *t;
    struct error error;
    enum status status = load(v, &t, &error);
    if (status == STATUS_OK || !strstr(error.message, says) || !strstr(error.message, "vocab.gguf"))
        fail_msg("%s: \"%s\" without \"%s\"", status_name(status), status ? error.message : "", says);
}

static void bad_gguf_vocabularies_are_refused_by_key(void **state)
{
    (void)state;
    struct vocabulary v = byte_level;
    v.model = NULL;
    expect_refused(&v, "tokenizer.ggml.model");
    v.model = "bert";
    expect_refused(&v, "known are gpt2, llama");
    v = byte_level;
    v.tokens = NULL;
    expect_refused(&v, "tokenizer.ggml.tokens");
    v = byte_level;
    v.n_tokens = 0;
    expect_refused(&v, "tokenizer.ggml.tokens");
    v = byte_level;
    v.n_types = 5;
    expect_refused(&v, "tokenizer.ggml.token_type");
    v = byte_level;
    v.merges = NULL;
    expect_refused(&v, "tokenizer.ggml.merges");
    v = byte_level;
    v.bos = 6;
    expect_refused(&v, "tokenizer.ggml.bos_token_id");
    static const char *const one[] = {"ab"};
    v = byte_level;
    v.merges = one;
    expect_refused(&v, "a merge is not two symbols");
}

static void an_unknown_pre_tokenizer_is_refused_with_the_known_names(void **state)
{
    (void)state;
    struct vocabulary v = byte_level;
    struct tokenizer *t;
    struct error error;
    v.pre = "nobody-knows";
    assert_int_equal(load(&v, &t, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "nobody-knows"));
    assert_non_null(strstr(error.message, "deepseek-v3"));
    assert_non_null(strstr(error.message, "smollm"));
}

static void a_scored_vocabulary_needs_its_scores(void **state)
{
    (void)state;
    static const char *const tokens[] = {"<unk>", "\xE2\x96\x81", "a", "\342\226\201a", "<0x41>"};
    static const int32_t types[] = {2, 1, 1, 1, 6};
    static const float scores[] = {0, -2, -2, -1, 0};
    struct vocabulary v = {"llama", NULL, tokens, types, scores, NULL, 5, 5, 5, 0, -1, GGUF_I32};
    struct tokenizer *t;
    struct error error;
    struct token_list list;
    support_ok(load(&v, &t, &error), &error);
    token_list_init(&list, 10);
    support_ok(tokenizer_encode_text(t, str_of("aA?"), SPAN_CONTENT, &list, &error), &error);
    static const uint32_t want[] = {3, 4};
    assert_int_equal(list.n, 2); /* no unknown token is named: "?" is left out */
    assert_memory_equal(list.ids, want, sizeof want);
    token_list_release(&list);
    tokenizer_free(t);
    v.n_scores = 4;
    expect_refused(&v, "tokenizer.ggml.scores");
    v.scores = NULL;
    expect_refused(&v, "tokenizer.ggml.scores");
}

static void no_cut_of_a_gguf_vocabulary_crashes(void **state)
{
    (void)state;
    struct buf b;
    write_vocabulary(&b, &byte_level);
    for (size_t len = 0; len < b.len; len++) {
        struct file_map file = {.data = mem_dup(b.at, len), .bytes = len, .path = "cut.gguf"}; /* its own block: overruns show */
        struct gguf g;
        struct error error;
        assert_int_not_equal(gguf_read(&g, &file, &error), STATUS_OK);
        mem_free((void *)(uintptr_t)file.data);
    }
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_json_files_are_refused_by_name),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(every_cut_of_a_file_is_refused),
        cmocka_unit_test(the_config_names_begin_and_end),
        cmocka_unit_test(begin_and_end_are_found_by_literal_where_nothing_names_them),
        cmocka_unit_test(a_byte_level_vocabulary_loads),
        cmocka_unit_test(bad_gguf_vocabularies_are_refused_by_key),
        cmocka_unit_test(an_unknown_pre_tokenizer_is_refused_with_the_known_names),
        cmocka_unit_test(a_scored_vocabulary_needs_its_scores),
        cmocka_unit_test(no_cut_of_a_gguf_vocabulary_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
