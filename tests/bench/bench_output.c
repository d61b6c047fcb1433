/* What lies between tokens and words: the readers of thoughts, calls and stop strings in MB/s, and how long the masks of a language
 * guard take over a vocabulary.
 *
 *   bench_output [MODEL...]     a GGUF file or a directory with tokenizer.json; by default every .gguf file in build/models
 *
 * Limits are those of docs/performance.md. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "text/model_text.h"
#include "text/output_language.h"
#include "text/output_parse.h"
#include "text/script_sets.h"
#include "text/token_mask.h"
#include "text/tool_parse.h"
#include "text/vocabulary.h"

enum { PIECE = 4, ARGUMENT_BYTES = 600 << 10, TEXT_BYTES = 4 << 20, OUT_BYTES_MAX = 1 << 26, EXPRESSIONS = 250000, TOKENS_MAX = 1 << 16 };

static double seconds_since(uint64_t begin)
{
    return (double)(clock_now_ns(clock_real()) - begin) * 1e-9;
}

/* ---- Readers ------------------------------------------------------------------------------------------------- */

#define DSML "｜DSML｜"

static const struct {
    const char *name, *before;
    enum tool_form form;
    enum tool_mark marks[3]; /* before and after the first text, up to N_TOOL_MARKS */
    const char *after;
} forms[] = {
    {"chained", "f", TOOL_FORM_CHAINED, {TOOL_CALLS_BEGIN, TOOL_CALL_BEGIN, TOOL_SEPARATOR}, ""},
    {"fenced", "function", TOOL_FORM_FENCED, {TOOL_CALLS_BEGIN, TOOL_CALL_BEGIN, TOOL_SEPARATOR}, "f\n```json\n"},
    {"dsml",
     "<" DSML "function_calls>\n<" DSML "invoke name=\"f\">\n<" DSML "parameter name=\"a\" string=\"true\">",
     TOOL_FORM_DSML,
     {N_TOOL_MARKS, N_TOOL_MARKS, N_TOOL_MARKS},
     ""},
    {"hermes", "<tool_call>\n{\"name\": \"f\", \"arguments\": ", TOOL_FORM_HERMES, {N_TOOL_MARKS, N_TOOL_MARKS, N_TOOL_MARKS}, ""},
    {"llama", "{\"name\": \"f\", \"parameters\": ", TOOL_FORM_LLAMA, {N_TOOL_MARKS, N_TOOL_MARKS, N_TOOL_MARKS}, ""},
    {"mistral", "[{\"name\": \"f\", \"arguments\": ", TOOL_FORM_MISTRAL, {TOOL_CALLS_BEGIN, N_TOOL_MARKS, N_TOOL_MARKS}, ""},
};

static int bench_calls(size_t which)
{
    static const char pieces[] = "\"key\": [1, \"a\"], ";
    struct tool_parse parse;
    struct buf content;
    tool_parse_init(&parse, forms[which].form, false);
    buf_init(&content, OUT_BYTES_MAX);
    for (unsigned i = 0; i < 2 && forms[which].marks[i] != N_TOOL_MARKS; i++)
        tool_parse_mark(&parse, forms[which].marks[i], str_of("#"), &content);
    tool_parse_text(&parse, str_of(forms[which].before), &content);
    if (forms[which].marks[2] != N_TOOL_MARKS)
        tool_parse_mark(&parse, forms[which].marks[2], str_of("#"), &content);
    tool_parse_text(&parse, str_of(forms[which].after), &content);
    tool_parse_text(&parse, str_of("{"), &content);
    uint64_t begin = clock_now_ns(clock_real());
    for (size_t n = 0; n < ARGUMENT_BYTES; n += PIECE)
        tool_parse_text(&parse, str_from(pieces + n % (sizeof pieces - 1 - PIECE), PIECE), &content);
    double seconds = seconds_since(begin);
    bool read = parse.n_calls == 1 && tool_parse_call(&parse, 0).arguments.len >= ARGUMENT_BYTES;
    printf("  calls, %-10s %8.1f MB/s  600 kB in %6.2f ms (limit 1000)%s\n", forms[which].name, ARGUMENT_BYTES / 1e6 / seconds,
           seconds * 1e3, read ? "" : "  NOT READ");
    buf_release(&content);
    tool_parse_release(&parse);
    return !read || seconds > 1;
}

static int bench_thought(void)
{
    struct reasoning_split split;
    struct buf reasoning, answer;
    buf_init(&reasoning, OUT_BYTES_MAX);
    buf_init(&answer, OUT_BYTES_MAX);
    reasoning_split_init(&split, "<think>", "</think>", true);
    uint64_t begin = clock_now_ns(clock_real());
    for (size_t n = 0; n < TEXT_BYTES; n += PIECE)
        reasoning_split_push(&split, str_from("a\n <thin" + n % 5, PIECE), &reasoning, &answer);
    double seconds = seconds_since(begin);
    printf("  thought           %8.1f MB/s\n", TEXT_BYTES / 1e6 / seconds);
    reasoning_split_release(&split);
    buf_release(&reasoning);
    buf_release(&answer);
    return 0;
}

static int bench_stops(void)
{
    static const struct str stops[] = {{"\n\nUser:", 7}, {"</s>", 4}, {"aab", 3}, {"STOP", 4}};
    struct stop_match match;
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    if (stop_match_init(&match, stops, 4, false) != STATUS_OK)
        return 1;
    uint64_t begin = clock_now_ns(clock_real());
    for (size_t n = 0; n < TEXT_BYTES; n += PIECE)
        stop_match_push(&match, str_from("aa\n\nUse</s aa" + n % 8, PIECE), &out);
    double seconds = seconds_since(begin);
    printf("  4 stop strings    %8.1f MB/s\n", TEXT_BYTES / 1e6 / seconds);
    stop_match_release(&match);
    buf_release(&out);
    return 0;
}

/* ---- The guard ----------------------------------------------------------------------------------------------- */

static const char *const samples[][2] = {
    {"Latn",
     "The quick brown fox jumps over the lazy dog; it costs 12.50 dollars, and ```x = 1\n# кот``` is code. Ça va très bien, ŝajnas. "},
    {"Hani", "今天天气很好，我们去公园散步吧。人工智能正在改变世界，2026年的北京。"},
    {"Cyrl", "Сегодня хорошая погода, пойдём гулять в парк. Столица Франции — Париж."},
    {"Arab", "الطقس جميل اليوم، هيا نذهب إلى الحديقة. عاصمة فرنسا هي باريس."},
};

static int by_time(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

static enum status make_guard(struct automaton *a, struct script_sets *sets, const char *script, uint32_t *root, struct error *error)
{
    struct code_points set = {0};
    uint32_t rule;
    enum status status = script_sets_add_common(sets, &set, error);
    if (!status)
        status = script_sets_add(sets, str_of(script), &set, error);
    if (!status) {
        *root = output_language_guarded(a, &set);
        status = automaton_seal(a, root, &rule, error);
    }
    code_points_release(&set);
    return status;
}

/* Masks at every token of the text, over and over; returns how many times were taken. */
static size_t follow(const struct model_text *model, const struct vocabulary *vocabulary, struct token_masks *masks, struct automaton *a,
                     uint32_t root, const char *text, uint64_t *times)
{
    struct token_list list;
    size_t n = 0;
    token_list_init(&list, TOKENS_MAX);
    enum status status = tokenizer_encode_text(model->tokenizer, str_of(text), SPAN_CONTENT, &list, NULL);
    for (unsigned round = 0; round < 20 && !status; round++) {
        uint32_t state = root;
        for (size_t i = 0; i < list.n && n < TOKENS_MAX && state != AUTOMATON_NOTHING; i++) {
            uint64_t begin = clock_now_ns(clock_real());
            const uint64_t *bits = token_masks_of(masks, state);
            times[n++] = clock_now_ns(clock_real()) - begin;
            if (!bits)
                break;
            state = automaton_read(a, state, vocabulary->tokens[list.ids[i]]);
        }
    }
    token_list_release(&list);
    return n;
}

static int bench_guard(const struct model_text *model, const struct vocabulary *vocabulary, const struct token_trie *trie, size_t which)
{
    struct error error;
    struct automaton *a = NULL;
    struct script_sets *sets = NULL;
    struct token_masks *masks = NULL;
    uint32_t root;
    uint64_t *times = mem_zalloc_array(TOKENS_MAX, sizeof *times);
    enum status status = times ? script_sets_create(&sets, &error) : STATUS_NO_MEMORY;
    uint64_t begin = clock_now_ns(clock_real());
    if (!status)
        status = automaton_create(&a, EXPRESSIONS, &error);
    if (!status)
        status = make_guard(a, sets, samples[which][0], &root, &error);
    double compile_ms = seconds_since(begin) * 1e3;
    if (!status)
        status = token_masks_create(&masks, trie, a, &error);
    begin = clock_now_ns(clock_real());
    bool first = !status && token_masks_of(masks, root);
    double first_ms = seconds_since(begin) * 1e3;
    size_t n = first ? follow(model, vocabulary, masks, a, root, samples[which][1], times) : 0;
    if (n)
        qsort(times, n, sizeof *times, by_time);
    double p50 = n ? (double)times[n / 2] * 1e-3 : 0, p99 = n ? (double)times[n - 1 - n / 100] * 1e-3 : 0;
    printf("  guard %s        compiled in %.1f ms, first mask %.2f ms, then p50 %.2f us (limit 20), p99 %.2f us%s\n", samples[which][0],
           compile_ms, first_ms, p50, p99, n ? "" : "  FAILED");
    token_masks_free(masks);
    automaton_free(a);
    script_sets_free(sets);
    mem_free(times);
    return !n || p50 > 20;
}

static int bench_model(const char *path)
{
    struct model_text model;
    struct vocabulary vocabulary = {0};
    struct token_trie *trie = NULL;
    struct error error;
    int failed = 0;
    if (model_text_load(&model, path, &error) != STATUS_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    enum status status = vocabulary_init(&vocabulary, model.tokenizer, &error);
    if (!status)
        status = token_trie_create(&trie, vocabulary.tokens, vocabulary.n, &error);
    printf("%s: %u tokens\n", path, tokenizer_size(model.tokenizer));
    for (size_t i = 0; i < sizeof samples / sizeof *samples && !status; i++)
        failed += bench_guard(&model, &vocabulary, trie, i);
    token_trie_free(trie);
    vocabulary_release(&vocabulary);
    model_text_release(&model);
    return failed + (status != STATUS_OK);
}

int main(int argc, char **argv)
{
    int failed = bench_thought() + bench_stops();
    glob_t found = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        failed += bench_calls(i);
    for (int i = 1; i < argc; i++)
        failed += bench_model(argv[i]);
    if (argc == 1 && glob("build/models/*.gguf", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            failed += bench_model(found.gl_pathv[i]);
    globfree(&found);
    return failed != 0;
}
