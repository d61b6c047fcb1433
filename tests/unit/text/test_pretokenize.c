/* Pre-tokenizer steps: the published patterns' pieces, Unicode white space, and bounded work. */
#include "tests/support.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/pretokenize.h"

static struct pretokenize *named(const char *name)
{
    struct pretokenize *p;
    struct error error;
    support_ok(pretokenize_create(&p, &error), &error);
    support_ok(pretokenize_add_named(p, str_of(name), &error), &error);
    return p;
}

/* Pieces as text with | between them. */
static void expect(const struct pretokenize *p, const char *text, const char *want)
{
    struct piece *pieces;
    size_t n;
    struct error error;
    struct buf got;
    buf_init(&got, 1 << 20);
    support_ok(pretokenize_run(p, str_of(text), &pieces, &n, &error), &error);
    for (size_t i = 0; i < n; i++) {
        buf_add_text(&got, i ? "|" : "");
        buf_add(&got, text + pieces[i].start, pieces[i].len);
    }
    assert_string_equal(buf_str(&got).at, want);
    buf_release(&got);
    mem_free(pieces);
}

static void expect_named(const char *name, const char *text, const char *want)
{
    struct pretokenize *p = named(name);
    expect(p, text, want);
    pretokenize_free(p);
}

static void published_patterns_cut_as_published(void **state)
{
    (void)state;
    expect_named("gpt-2", "I'm 12345  x\n\n y!", "I|'m| 12345| | x|\n\n| y|!");
    expect_named("llama-bpe", "12345 WE'LL go.\n\nx", "123|45| WE|'LL| go|.\n\n|x");
    expect_named("qwen2", "123 don't   x  ", "1|2|3| don|'t|  | x|  ");
    expect_named("smollm", "a12 b's", "a|1|2| b|'s");
    expect_named("deepseek-v3", "1234567 a\xE4\xBD\xA0\xE5\xA5\xBD" "b.\n\n(x)", "123|456|7| a|\xE4\xBD\xA0\xE5\xA5\xBD|b|.\n\n|(x|)");
    expect_named("deepseek-coder", "ab  12\n, c", "ab|  |1|2|\n|,| c");
    expect_named("deepseek-llm", "ab \xD5\xA5 12", "ab| \xD5\xA5 |12"); /* small Armenian letters are not in its list */
    expect_named("default", "a+1234 b", "a|+|123|4| b");
}

static void white_space_is_unicodes(void **state)
{
    (void)state;
    expect_named("gpt-2", "a\xC2\x85\xC2\x85" "b", "a|\xC2\x85|\xC2\x85|b");           /* U+0085 is white space */
    expect_named("gpt-2", "a\xE1\xA0\x8E" "b", "a|\xE1\xA0\x8E|b");                     /* U+180E is not: one piece of others */
    expect_named("gpt-2", "a\xE1\xA0\x8E!\xE3\x80\x80", "a|\xE1\xA0\x8E!|\xE3\x80\x80"); /* joined with punctuation */
}

static void line_anchors_stand_at_every_line(void **state)
{
    (void)state;
    struct pretokenize *p;
    struct error error;
    support_ok(pretokenize_create(&p, &error), &error);
    support_ok(pretokenize_add(p, PRETOKENIZE_ISOLATE, str_of("^a|b$"), &error), &error);
    expect(p, "ab\nab", "a|b|\n|a|b");
    pretokenize_free(p);
}

static void digits_stand_alone_or_in_runs(void **state)
{
    (void)state;
    struct pretokenize *alone, *runs;
    struct error error;
    support_ok(pretokenize_create(&alone, &error), &error);
    support_ok(pretokenize_create(&runs, &error), &error);
    support_ok(pretokenize_add(alone, PRETOKENIZE_DIGITS, str_of(""), &error), &error);
    support_ok(pretokenize_add(runs, PRETOKENIZE_DIGIT_RUNS, str_of(""), &error), &error);
    expect(alone, "a12\xC2\xBD" "b", "a|1|2|\xC2\xBD|b");
    expect(runs, "a12\xC2\xBD" "b", "a|12\xC2\xBD|b");
    pretokenize_free(alone);
    pretokenize_free(runs);
}

/* ASCII text takes another path than text with a letter outside of it. */
static void digits_are_cut_alike_beside_any_letter(void **state)
{
    static const char *const patterns[] = {"\\p{N}", "\\p{N}{1,3}", "\\p{N}+", "\\p{N}{2}"};
    static const char alphabet[] = "0123456789ab .\n";
    struct rng rng = rng_seeded(4);
    struct error error;
    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        struct pretokenize *p;
        struct piece *plain, *mixed;
        size_t n_plain, n_mixed, len = rng_below(&rng, 40);
        char text[64];
        for (size_t i = 0; i < len; i++)
            text[i] = alphabet[rng_below(&rng, round % 2 ? 10 : sizeof alphabet - 1)];
        memcpy(text + len, "x\xC3\xA9", 3); /* ASCII up to the x */
        support_ok(pretokenize_create(&p, &error), &error);
        support_ok(pretokenize_add(p, PRETOKENIZE_ISOLATE, str_of(patterns[round % 4]), &error), &error);
        support_ok(pretokenize_run(p, str_from(text, len + 1), &plain, &n_plain, &error), &error);
        support_ok(pretokenize_run(p, str_from(text, len + 3), &mixed, &n_mixed, &error), &error);
        assert_int_equal(n_plain, n_mixed);
        plain[n_plain - 1].len += 2; /* the last piece holds the x */
        assert_memory_equal(plain, mixed, n_plain * sizeof *plain);
        mem_free(plain);
        mem_free(mixed);
        pretokenize_free(p);
    }
}

static void patterns_that_are_not_read_are_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(", "[a", "[a&&b]", "[\\S]", "\\p{Nothing}"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct pretokenize *p;
        struct error error;
        support_ok(pretokenize_create(&p, &error), &error);
        assert_int_equal(pretokenize_add(p, PRETOKENIZE_ISOLATE, str_of(patterns[i]), &error), STATUS_UNSUPPORTED);
        assert_non_null(strstr(error.message, "pattern"));
        pretokenize_free(p);
    }
}

static void a_pattern_that_backtracks_without_end_is_an_error_not_a_hang(void **state)
{
    (void)state;
    struct pretokenize *p;
    struct error error;
    struct piece *pieces;
    size_t n;
    char text[400];
    memset(text, 'a', sizeof text);
    support_ok(pretokenize_create(&p, &error), &error);
    support_ok(pretokenize_add(p, PRETOKENIZE_ISOLATE, str_of("(a+)+[bc]"), &error), &error);
    assert_int_equal(pretokenize_run(p, str_from(text, sizeof text), &pieces, &n, &error), STATUS_LIMIT);
    pretokenize_free(p);
}

static void pieces_cover_the_text_without_gaps(void **state)
{
    (void)state;
    static const char *const names[] = {"default",     "gpt-2",        "llama-bpe",      "qwen2",
                                        "deepseek-v3", "deepseek-llm", "deepseek-coder", "smollm"};
    static const char *const parts[] = {"a", "Z", "1", " ", "\n", "\r", "'s", ".", "\x01", "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x9A\x80",
                                        "\xCC\x81", "\xE3\x80\x80"};
    struct rng rng = rng_seeded(50);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        struct pretokenize *p = named(names[k]);
        for (int round = 0; round < 500; round++) {
            struct buf text;
            struct piece *pieces;
            size_t n, at = 0;
            struct error error;
            buf_init(&text, 1 << 16);
            for (uint32_t m = rng_below(&rng, 30) + 1; m > 0; m--)
                buf_add_text(&text, parts[rng_below(&rng, sizeof parts / sizeof *parts)]);
            support_ok(pretokenize_run(p, buf_str(&text), &pieces, &n, &error), &error);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(pieces[i].start, at);
                assert_true(pieces[i].len > 0);
                at += pieces[i].len;
            }
            assert_int_equal(at, text.len);
            mem_free(pieces);
            buf_release(&text);
        }
        pretokenize_free(p);
    }
}

static void ten_mebibytes_of_white_space_stay_within_the_work_limit(void **state)
{
    (void)state;
    enum { N = 10 << 20 };
    char *text = mem_alloc(N);
    static const char *const names[] = {"deepseek-v3", "qwen2", "llama-bpe", "gpt-2"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int newline = 0; newline < 2; newline++) {
            struct pretokenize *p = named(names[k]);
            struct piece *pieces;
            size_t n;
            struct error error;
            memset(text, newline ? '\n' : ' ', N);
            support_ok(pretokenize_run(p, str_from(text, N), &pieces, &n, &error), &error);
            assert_int_equal(n, 1);
            mem_free(pieces);
            pretokenize_free(p);
        }
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_patterns_cut_as_published),
        cmocka_unit_test(white_space_is_unicodes),
        cmocka_unit_test(line_anchors_stand_at_every_line),
        cmocka_unit_test(digits_stand_alone_or_in_runs),
        cmocka_unit_test(digits_are_cut_alike_beside_any_letter),
        cmocka_unit_test(patterns_that_are_not_read_are_refused),
        cmocka_unit_test(a_pattern_that_backtracks_without_end_is_an_error_not_a_hang),
        cmocka_unit_test(pieces_cover_the_text_without_gaps),
        cmocka_unit_test(ten_mebibytes_of_white_space_stay_within_the_work_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
