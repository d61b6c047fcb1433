/* Tokenizers: published ids, spans, merging against a plain reference, decoding, hostile texts. Paths are from the root. */
#include "tests/support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum { TOKENS_MAX = 1 << 24, TEXT_MAX = 64 << 20 };

static struct tokenizer *from_text(const char *json)
{
    struct tokenizer *t;
    struct error error;
    support_ok(tokenizer_from_json(&t, str_of(json), str_of(""), "test.json", &error), &error);
    return t;
}

static struct tokenizer *from_file(const char *path)
{
    char *text;
    size_t len;
    struct error error;
    struct tokenizer *t;
    support_ok(file_map_read(path, TEXT_MAX, &text, &len, &error), &error);
    support_ok(tokenizer_from_json(&t, str_from(text, len), str_of(""), path, &error), &error);
    mem_free(text);
    return t;
}

static void encode(const struct tokenizer *t, const struct span *spans, size_t n, struct token_list *list)
{
    struct error error;
    token_list_init(list, TOKENS_MAX);
    support_ok(tokenizer_encode(t, spans, n, list, NULL, &error), &error);
}

static void expect_ids(const struct tokenizer *t, const struct span *spans, size_t n, const char *want)
{
    struct token_list list;
    struct buf got;
    buf_init(&got, TEXT_MAX);
    encode(t, spans, n, &list);
    for (size_t i = 0; i < list.n; i++)
        buf_printf(&got, "%s%u", i ? " " : "", list.ids[i]);
    assert_string_equal(buf_str(&got).at, want);
    buf_release(&got);
    token_list_release(&list);
}

static void expect_text_ids(const struct tokenizer *t, struct str text, enum span_kind kind, const char *want)
{
    expect_ids(t, &(struct span){text, kind}, 1, want);
}

/* Decoding whole and token by token gives the same, and that is `want`. */
static void expect_decoded(const struct tokenizer *t, const struct token_list *list, bool skip_special, struct str want)
{
    struct buf whole, streamed;
    struct detokenizer d;
    buf_init(&whole, TEXT_MAX);
    buf_init(&streamed, TEXT_MAX);
    support_ok(tokenizer_decode(t, list->ids, list->n, skip_special, &whole), NULL);
    detokenizer_init(&d, t, skip_special);
    for (size_t i = 0; i < list->n; i++) {
        size_t before = streamed.len;
        support_ok(detokenizer_push(&d, list->ids[i], &streamed), NULL);
        assert_true(utf8_is_valid(streamed.at + before, streamed.len - before)); /* each piece by itself */
    }
    support_ok(detokenizer_end(&d, &streamed), NULL);
    assert_true(str_equal(buf_str(&whole), buf_str(&streamed)));
    assert_true(str_equal(buf_str(&whole), want));
    buf_release(&whole);
    buf_release(&streamed);
}

/* ---- Published ids ------------------------------------------------------------------------------------------ */

static void expect_known(const char *name, bool normalises)
{
    char path[128], line[4096];
    snprintf(path, sizeof path, "tests/unit/text/vectors/%s.json", name);
    struct tokenizer *t = from_file(path);
    snprintf(path, sizeof path, "tests/unit/text/vectors/%s.txt", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = 0;
    for (; fgets(line, sizeof line, f); n++) {
        char *tab = strchr(line, '\t');
        assert_non_null(tab);
        *tab = 0;
        json_t *text = json_loads(tab + 1, JSON_DECODE_ANY, NULL);
        assert_true(json_is_string(text));
        struct str s = str_from(json_string_value(text), json_string_length(text));
        expect_text_ids(t, s, SPAN_SCAFFOLD, line);
        struct token_list list;
        encode(t, &(struct span){s, SPAN_SCAFFOLD}, 1, &list);
        if (!normalises || str_find(s, str_of("\xCC\x81")) < 0)
            expect_decoded(t, &list, false, s);
        token_list_release(&list);
        json_decref(text);
    }
    fclose(f);
    assert_true(n >= 17);
    tokenizer_free(t);
}

static void deepseek_v3_texts_have_their_published_ids(void **state)
{
    (void)state;
    expect_known("deepseek-v3", false);
}

static void qwen2_texts_have_their_published_ids(void **state)
{
    (void)state;
    expect_known("qwen2", true);
}

static void llama3_texts_have_their_published_ids(void **state)
{
    (void)state;
    expect_known("llama3", false);
}

/* ---- Spans -------------------------------------------------------------------------------------------------- */

#define USER "<\xEF\xBD\x9CUser\xEF\xBD\x9C>"

static bool holds_control(const struct tokenizer *t, const struct span *spans, size_t n)
{
    struct token_list list;
    bool found = false;
    encode(t, spans, n, &list);
    for (size_t i = 0; i < list.n; i++)
        found = found || tokenizer_is_control(t, list.ids[i]);
    token_list_release(&list);
    return found;
}

static void content_never_gives_a_control_token(void **state)
{
    (void)state;
    struct tokenizer *t = from_file("tests/unit/text/vectors/deepseek-v3.json");
    for (uint32_t id = 0; id < tokenizer_size(t); id++) {
        struct str literal = tokenizer_bytes(t, id);
        if (!tokenizer_is_control(t, id))
            continue;
        assert_true(holds_control(t, &(struct span){literal, SPAN_SCAFFOLD}, 1));
        assert_false(holds_control(t, &(struct span){literal, SPAN_CONTENT}, 1));
    }
    tokenizer_free(t);
}

static void a_literal_cut_over_spans_is_never_assembled(void **state)
{
    (void)state;
    struct tokenizer *t = from_file("tests/unit/text/vectors/deepseek-v3.json");
    struct str user = str_of(USER);
    for (size_t cut = 1; cut < user.len; cut++) {
        if (((unsigned char)user.at[cut] & 0xC0) == 0x80)
            continue;
        for (unsigned kinds = 0; kinds < 3; kinds++) { /* at least one half is content */
            struct span halves[] = {{str_from(user.at, cut), kinds & 1 ? SPAN_SCAFFOLD : SPAN_CONTENT},
                                    {str_skip(user, cut), kinds & 2 ? SPAN_SCAFFOLD : SPAN_CONTENT}};
            assert_false(holds_control(t, halves, 2));
        }
    }
    tokenizer_free(t);
}

static void text_between_control_tokens_is_one_run(void **state)
{
    (void)state;
    struct tokenizer *t = from_file("tests/unit/text/vectors/deepseek-v3.json");
    struct span spans[] = {{str_of(USER "Hel"), SPAN_SCAFFOLD}, {str_of("lo, wor"), SPAN_CONTENT}, {str_of(""), SPAN_CONTENT},
                           {str_of("ld!" USER), SPAN_SCAFFOLD}};
    expect_ids(t, spans, 4, "128803 19923 14 2058 3 128803");
    tokenizer_free(t);
}

#define STRIPPING                                                                                                            \
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"\xC4\xA0\":1,\"\xC4\x8A\":2,\"b\":3},\"merges\":[]},"                    \
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false},\"added_tokens\":["              \
    "{\"id\":10,\"content\":\"<l>\",\"lstrip\":true},{\"id\":11,\"content\":\"<r>\",\"rstrip\":true},"                         \
    "{\"id\":12,\"content\":\"<l><l>\",\"special\":true}]}"

static void added_tokens_strip_white_space_and_the_longest_wins(void **state)
{
    (void)state;
    struct tokenizer *t = from_text(STRIPPING);
    expect_text_ids(t, str_of("a \n <l> b"), SPAN_SCAFFOLD, "0 10 1 3");
    expect_text_ids(t, str_of("a <r> \xE3\x80\x80\n b"), SPAN_SCAFFOLD, "0 1 11 3");
    expect_text_ids(t, str_of("a<l><l>b"), SPAN_SCAFFOLD, "0 12 3");
    struct span spans[] = {{str_of("<r>"), SPAN_SCAFFOLD}, {str_of("  "), SPAN_CONTENT}, {str_of(" a"), SPAN_CONTENT}};
    expect_ids(t, spans, 3, "11 0");
    tokenizer_free(t);
}

static void special_tokens_are_left_out_of_text_on_request(void **state)
{
    (void)state;
    struct tokenizer *t = from_text(STRIPPING);
    struct token_list list;
    encode(t, &(struct span){str_of("a<l>b<l><l>a"), SPAN_SCAFFOLD}, 1, &list);
    expect_decoded(t, &list, false, str_of("a<l>b<l><l>a"));
    expect_decoded(t, &list, true, str_of("a<l>ba"));
    token_list_release(&list);
    tokenizer_free(t);
}

/* ---- Merging ------------------------------------------------------------------------------------------------ */

enum { LETTERS = 4, MERGES = 60 };

/* A byte-level vocabulary of letters a to d and random merges; result[i] is merge i's token. */
static struct tokenizer *random_vocabulary(struct rng *rng, bool ignore_merges)
{
    struct buf vocab, merges, json;
    char tokens[LETTERS + MERGES][64];
    uint32_t n = LETTERS;
    buf_init(&vocab, 1 << 20);
    buf_init(&merges, 1 << 20);
    buf_init(&json, 1 << 20);
    for (uint32_t i = 0; i < LETTERS; i++) {
        snprintf(tokens[i], sizeof tokens[i], "%c", 'a' + (int)i);
        buf_printf(&vocab, "%s\"%s\":%u", i ? "," : "", tokens[i], i);
    }
    for (int attempt = 0; attempt < 1000 && n < LETTERS + MERGES; attempt++) {
        uint32_t a = rng_below(rng, n), b = rng_below(rng, n);
        bool known = strlen(tokens[a]) + strlen(tokens[b]) > 20;
        if (!known) {
            memcpy(tokens[n], tokens[a], strlen(tokens[a]));
            memcpy(tokens[n] + strlen(tokens[a]), tokens[b], strlen(tokens[b]) + 1);
        }
        for (uint32_t i = 0; i < n && !known; i++)
            known = strcmp(tokens[i], tokens[n]) == 0;
        if (known)
            continue;
        buf_printf(&vocab, ",\"%s\":%u", tokens[n], n);
        buf_printf(&merges, "%s\"%s %s\"", n > LETTERS ? "," : "", tokens[a], tokens[b]);
        n++;
    }
    buf_printf(&json,
               "{\"model\":{\"type\":\"BPE\",\"vocab\":{%s},\"merges\":[%s],\"ignore_merges\":%s},\"pre_tokenizer\":{\"type\":"
               "\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}}",
               vocab.at, merges.at, ignore_merges ? "true" : "false");
    struct tokenizer *t = from_text(json.at);
    buf_release(&vocab);
    buf_release(&merges);
    buf_release(&json);
    return t;
}

/* Merge by merge over the whole piece, as the algorithm is written. */
static size_t merge_reference(const struct tokenizer *t, struct str piece, uint32_t *ids)
{
    size_t n = piece.len;
    uint64_t whole;
    if (t->ignore_merges && table_find(&t->vocabulary, piece, &whole)) {
        ids[0] = (uint32_t)whole;
        return 1;
    }
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint32_t)(piece.at[i] - 'a');
    for (;;) {
        uint64_t best = UINT64_MAX, pair;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++)
            if (pair_table_find(&t->pairs, ids[i], ids[i + 1], &pair) && pair >> 32 < best >> 32) {
                best = pair;
                at = i;
            }
        if (best == UINT64_MAX)
            return n;
        ids[at] = (uint32_t)best;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

static void every_length_merges_as_the_algorithm_is_written(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(40);
    for (int round = 0; round < 60; round++) {
        struct tokenizer *t = random_vocabulary(&rng, round % 2);
        for (uint32_t len = 1; len <= 90; len++) {
            char text[90];
            uint32_t want[90], letters = 1 + rng_below(&rng, LETTERS);
            struct token_list list;
            for (uint32_t i = 0; i < len; i++)
                text[i] = (char)('a' + (int)rng_below(&rng, letters));
            size_t n = merge_reference(t, str_from(text, len), want);
            encode(t, &(struct span){str_from(text, len), SPAN_CONTENT}, 1, &list);
            assert_int_equal(list.n, n);
            assert_memory_equal(list.ids, want, n * sizeof *want);
            token_list_release(&list);
        }
        tokenizer_free(t);
    }
}

static void the_piece_cache_changes_nothing(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(41);
    struct tokenizer *t = random_vocabulary(&rng, false);
    struct piece_cache_slot *cache = mem_zalloc_array(PIECE_CACHE_SLOTS, sizeof *cache);
    for (int round = 0; round < 50000; round++) {
        char text[20];
        uint32_t len = 1 + rng_below(&rng, sizeof text);
        for (uint32_t i = 0; i < len; i++)
            text[i] = (char)('a' + (int)rng_below(&rng, LETTERS));
        struct token_list plain, cached;
        token_list_init(&plain, 100);
        token_list_init(&cached, 100);
        support_ok(tokenizer_merge(t, str_from(text, len), &plain), NULL);
        support_ok(tokenizer_merge_cached(t, str_from(text, len), cache, &cached), NULL);
        assert_int_equal(plain.n, cached.n);
        assert_memory_equal(plain.ids, cached.ids, plain.n * sizeof *plain.ids);
        token_list_release(&plain);
        token_list_release(&cached);
    }
    mem_free(cache);
    tokenizer_free(t);
}

static void an_added_token_never_comes_from_merging(void **state)
{
    (void)state;
    for (int ignore = 0; ignore < 2; ignore++) {
        char json[600];
        snprintf(json, sizeof json,
                 "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"],\"ignore_merges\":%s},"
                 "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
                 "\"added_tokens\":[{\"id\":2,\"content\":\"ab\",\"special\":true}]}",
                 ignore ? "true" : "false");
        struct tokenizer *t = from_text(json);
        expect_text_ids(t, str_of("ab"), SPAN_SCAFFOLD, "2");
        expect_text_ids(t, str_of("ab"), SPAN_CONTENT, "0 1");
        tokenizer_free(t);
    }
}

/* ---- SentencePiece style ------------------------------------------------------------------------------------ */

static struct tokenizer *sentencepiece(const char *normalizer, const char *pre_tokenizer)
{
    struct buf json;
    buf_init(&json, 1 << 20);
    buf_add_text(&json, "{\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"unk_token\":\"<unk>\",\"vocab\":{\"<unk>\":0,\"<s>\":1");
    for (unsigned b = 0; b < 256; b++)
        buf_printf(&json, ",\"<0x%02X>\":%u", b, 3 + b);
    buf_printf(&json,
               ",\"\xE2\x96\x81\":300,\"a\":301,\"b\":302,\"\xE2\x96\x81"
               "a\":303,\"ab\":304},\"merges\":[\"\xE2\x96\x81 a\",\"a b\"]},"
               "\"normalizer\":%s,\"pre_tokenizer\":%s,\"added_tokens\":[{\"id\":1,\"content\":\"<s>\",\"special\":true}]}",
               normalizer, pre_tokenizer);
    struct tokenizer *t = from_text(json.at);
    buf_release(&json);
    return t;
}

#define PREPEND                                                                                                    \
    "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\xE2\x96\x81\"},"                     \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xE2\x96\x81\"}]}"

static void spaces_are_marked_and_a_run_gets_one_in_front(void **state)
{
    (void)state;
    struct tokenizer *t = sentencepiece(PREPEND, "null");
    expect_text_ids(t, str_of("a b"), SPAN_CONTENT, "303 300 302");
    expect_text_ids(t, str_of(" ab"), SPAN_CONTENT, "300 303 302"); /* the earlier merge takes the a */
    expect_text_ids(t, str_of("a<s>b"), SPAN_SCAFFOLD, "303 1 300 302");
    tokenizer_free(t);
    t = sentencepiece("null", "{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\",\"prepend_scheme\":\"first\",\"split\":false}");
    expect_text_ids(t, str_of("a<s>b"), SPAN_SCAFFOLD, "303 1 302");
    expect_text_ids(t, str_of(" a"), SPAN_CONTENT, "303");
    tokenizer_free(t);
}

static void characters_without_a_token_fall_back_to_bytes(void **state)
{
    (void)state;
    struct tokenizer *t = sentencepiece(PREPEND, "null");
    struct str text = str_of("a \xE4\xBD\xA0\xF0\x9F\x9A\x80 b");
    struct token_list list;
    expect_text_ids(t, text, SPAN_CONTENT, "303 300 231 192 163 243 162 157 131 300 302");
    encode(t, &(struct span){text, SPAN_CONTENT}, 1, &list);
    expect_decoded(t, &list, false, text);
    token_list_release(&list);
    tokenizer_free(t);
}

static void an_unfinished_character_is_held_and_then_replaced(void **state)
{
    (void)state;
    struct tokenizer *t = sentencepiece(PREPEND, "null");
    const uint32_t ids[] = {301, 3 + 0xE4, 3 + 0xBD, 301, 3 + 0xF0, 3 + 0x9F};
    struct token_list list = {.ids = (uint32_t *)(uintptr_t)ids, .n = 6};
    expect_decoded(t, &list, false, str_of("a\xEF\xBF\xBD" "a\xEF\xBF\xBD"));
    tokenizer_free(t);
}

/* ---- Limits and hostile texts ------------------------------------------------------------------------------- */

static double seconds_to_encode(const struct tokenizer *t, const char *unit, size_t len)
{
    size_t n_unit = strlen(unit);
    char *text = mem_alloc(len);
    double best = 1e9;
    for (size_t i = 0; i < len; i++)
        text[i] = unit[i % n_unit];
    len -= len % n_unit;
    for (int round = 0; round < 3; round++) {
        struct token_list list;
        clock_t begin = clock(); /* the processor's time: the machine may be busy */
        encode(t, &(struct span){str_from(text, len), SPAN_CONTENT}, 1, &list);
        double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
        best = seconds < best ? seconds : best;
        assert_true(list.n > 0);
        if (round == 0)
            expect_decoded(t, &list, false, str_from(text, len));
        token_list_release(&list);
    }
    mem_free(text);
    return best;
}

static void hostile_texts_take_time_in_proportion(void **state)
{
    (void)state;
    struct tokenizer *t = from_file("tests/unit/text/vectors/deepseek-v3.json");
    static const char *const units[] = {"a", " ", "\n", "e\xCC\x81", "\xCC\x81", "\xE2\x80\x8D\xF0\x9F\x91\xA8", "1", ".", "a b", "ab'"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double once = seconds_to_encode(t, units[i], 60000), eightfold = seconds_to_encode(t, units[i], 480000);
        /* A quadratic one would take 64 times as long. */
        if (eightfold > 24 * once + 0.02)
            fail_msg("%zu: %.4f s for 60 kB, %.4f s for 480 kB", i, once, eightfold);
    }
    tokenizer_free(t);
}

static void too_many_tokens_are_refused(void **state)
{
    (void)state;
    struct tokenizer *t = from_text(STRIPPING);
    struct token_list list;
    struct error error;
    token_list_init(&list, 3);
    assert_int_equal(tokenizer_encode_text(t, str_of("abab"), SPAN_CONTENT, &list, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.message, "3 tokens"));
    token_list_release(&list);
    tokenizer_free(t);
}

static void ill_formed_text_is_refused_with_its_place(void **state)
{
    (void)state;
    struct tokenizer *t = from_text(STRIPPING);
    struct token_list list;
    struct error error;
    token_list_init(&list, 10);
    assert_int_equal(tokenizer_encode_text(t, str_of("ab\xC0\xAF"), SPAN_CONTENT, &list, &error), STATUS_INVALID);
    assert_int_equal(error.offset, 2);
    token_list_release(&list);
    tokenizer_free(t);
}

static void encoding_stops_when_it_is_cancelled(void **state)
{
    (void)state;
    struct tokenizer *t = from_file("tests/unit/text/vectors/qwen2.json");
    char *text = mem_alloc(200000);
    for (size_t i = 0; i < 200000; i++)
        text[i] = i % 5 ? 'a' : ' ';
    _Atomic bool cancel = true;
    struct token_list list;
    struct error error;
    token_list_init(&list, TOKENS_MAX);
    struct span span = {str_from(text, 200000), SPAN_CONTENT};
    assert_int_equal(tokenizer_encode(t, &span, 1, &list, &cancel, &error), STATUS_CANCELLED);
    token_list_release(&list);
    mem_free(text);
    tokenizer_free(t);
}

static void an_empty_text_has_no_tokens(void **state)
{
    (void)state;
    struct tokenizer *t = sentencepiece(PREPEND, "null");
    expect_text_ids(t, str_of(""), SPAN_CONTENT, "");
    expect_ids(t, NULL, 0, "");
    tokenizer_free(t);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    struct error error;
    for (uint64_t n = 1;; n++) {
        struct tokenizer *t;
        struct token_list list;
        token_list_init(&list, 1000);
        mem_fail_after(n, false);
        enum status status = tokenizer_from_json(&t, str_of(STRIPPING), str_of(""), "x", &error);
        if (!status) {
            status = tokenizer_encode_text(t, str_of("a b<l>ab"), SPAN_SCAFFOLD, &list, &error);
            tokenizer_free(t);
        }
        bool failed = mem_fail_after(0, false) >= n;
        token_list_release(&list);
        if (!failed) {
            support_ok(status, &error);
            assert_true(n > 10);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deepseek_v3_texts_have_their_published_ids),
        cmocka_unit_test(qwen2_texts_have_their_published_ids),
        cmocka_unit_test(llama3_texts_have_their_published_ids),
        cmocka_unit_test(content_never_gives_a_control_token),
        cmocka_unit_test(a_literal_cut_over_spans_is_never_assembled),
        cmocka_unit_test(text_between_control_tokens_is_one_run),
        cmocka_unit_test(added_tokens_strip_white_space_and_the_longest_wins),
        cmocka_unit_test(special_tokens_are_left_out_of_text_on_request),
        cmocka_unit_test(every_length_merges_as_the_algorithm_is_written),
        cmocka_unit_test(the_piece_cache_changes_nothing),
        cmocka_unit_test(an_added_token_never_comes_from_merging),
        cmocka_unit_test(spaces_are_marked_and_a_run_gets_one_in_front),
        cmocka_unit_test(characters_without_a_token_fall_back_to_bytes),
        cmocka_unit_test(an_unfinished_character_is_held_and_then_replaced),
        cmocka_unit_test(hostile_texts_take_time_in_proportion),
        cmocka_unit_test(too_many_tokens_are_refused),
        cmocka_unit_test(ill_formed_text_is_refused_with_its_place),
        cmocka_unit_test(encoding_stops_when_it_is_cancelled),
        cmocka_unit_test(an_empty_text_has_no_tokens),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
