/* Reasoning split and stop strings: fixed cases, and generated texts cut in every way, against plain references that
 * see the whole text at once. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "text/output_parse.h"

enum { TEXT_MAX = 1 << 20 };

/* ---- Cutting ----------------------------------------------------------------------------------------------- */

enum cutting { WHOLE, BYTES, CHARACTERS, RANDOM, N_CUTTINGS };

static size_t next_piece(struct str text, enum cutting cutting, struct rng *rng)
{
    size_t n = 1;
    if (cutting == WHOLE)
        return text.len;
    if (cutting == RANDOM)
        n = rng_below(rng, 9); /* empty pieces too */
    if (cutting == CHARACTERS)
        while (n < text.len && (text.at[n] & 0xC0) == 0x80)
            n++;
    return n < text.len ? n : text.len;
}

/* Text made of fragments that begin, finish and almost finish marks and stop strings. */
static void generate(struct rng *rng, struct buf *out)
{
    static const char *const fragments[] = {
        "<think>", "</think>", "<", "<t", "<think", "</", "</thin", "think>", "\n", "\n\n", "\r\n", " ", "a", "ab", "aab",
        "b", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xEF\xBD\x9C", "\xEF\xBC\x9C", "STOP", "ST", "STO", ">", "answer",
    };
    buf_clear(out);
    for (uint32_t n = rng_below(rng, 14); n > 0; n--)
        buf_add_text(out, fragments[rng_below(rng, sizeof fragments / sizeof *fragments)]);
    assert_int_equal(buf_status(out), STATUS_OK);
}

/* ---- Reasoning --------------------------------------------------------------------------------------------- */

struct parts {
    struct buf reasoning, answer;
};

static void parts_init(struct parts *parts)
{
    buf_init(&parts->reasoning, TEXT_MAX);
    buf_init(&parts->answer, TEXT_MAX);
}

static void parts_release(struct parts *parts)
{
    buf_release(&parts->reasoning);
    buf_release(&parts->answer);
}

static void split_in_pieces(struct str text, bool in_reasoning, enum cutting cutting, struct rng *rng, struct parts *parts)
{
    struct reasoning_split split;
    reasoning_split_init(&split, "<think>", "</think>", in_reasoning);
    while (text.len) {
        size_t n = next_piece(text, cutting, rng);
        support_ok(reasoning_split_push(&split, str_from(text.at, n), &parts->reasoning, &parts->answer), NULL);
        text = str_skip(text, n);
    }
    support_ok(reasoning_split_end(&split, &parts->reasoning, &parts->answer), NULL);
    reasoning_split_release(&split);
}

static void expect_split(const char *text, bool in_reasoning, const char *reasoning, const char *answer)
{
    struct rng rng = rng_seeded(1);
    for (enum cutting cutting = WHOLE; cutting < N_CUTTINGS; cutting++) {
        struct parts parts;
        parts_init(&parts);
        split_in_pieces(str_of(text), in_reasoning, cutting, &rng, &parts);
        assert_string_equal(buf_str(&parts.reasoning).at, reasoning);
        assert_string_equal(buf_str(&parts.answer).at, answer);
        parts_release(&parts);
    }
}

static void a_thought_is_split_from_the_answer(void **state)
{
    (void)state;
    expect_split("<think>R</think>A", false, "R", "A");
    expect_split("<think>\nR\n</think>\n\nA", false, "R", "A");
    expect_split(" \n\t<think>\r\nR one\n\ntwo\r\n</think>\n A\n", false, "R one\n\ntwo", " A\n");
    expect_split("R\n</think>\n\nA", true, "R", "A");
    expect_split("\nR</think>A", true, "R", "A");
    expect_split("<think></think>A", false, "", "A");
    expect_split("<think>\n\n</think>\n\nA", false, "", "A");
    expect_split("</think>A", true, "", "A");
    expect_split("<think>R</think>", false, "R", "");
}

static void text_without_a_thought_is_all_answer(void **state)
{
    (void)state;
    expect_split("", false, "", "");
    expect_split("\n\n A ", false, "", "\n\n A ");
    expect_split(" \n", false, "", " \n");
    expect_split("A <think>R</think>", false, "", "A <think>R</think>");
    expect_split("</think>A", false, "", "</think>A");
    expect_split("\n<thin", false, "", "\n<thin");
    expect_split("<thinking>A", false, "", "<thinking>A");
}

static void broken_marks_lose_no_text(void **state)
{
    (void)state;
    expect_split("<think>R", false, "R", "");
    expect_split("R\n\n", true, "R\n\n", "");
    expect_split("R\n</thin", true, "R\n</thin", "");
    expect_split("R</</think>A", true, "R</", "A");
    expect_split("R</thin</think>A", true, "R</thin", "A");
    expect_split("R\n</think\n</think>A", true, "R\n</think", "A");
    expect_split("<<think>R", false, "", "<<think>R");
    expect_split("<think><think>R</think>A", false, "<think>R", "A");
    expect_split("R</think>A</think>B<think>C", true, "R", "A</think>B<think>C");
}

static void an_opening_mark_that_repeats_the_prompts_is_dropped_once(void **state)
{
    (void)state;
    expect_split("<think>\nR</think>A", true, "R", "A");
    expect_split("\n<think>\nR</think>A", true, "R", "A");
    expect_split("<think><think>R</think>A", true, "<think>R", "A");
    expect_split("R<think></think>A", true, "R<think>", "A");
}

static void without_marks_nothing_is_split(void **state)
{
    (void)state;
    struct reasoning_split split;
    struct parts parts;
    parts_init(&parts);
    reasoning_split_init(&split, NULL, NULL, true);
    assert_false(reasoning_split_in_reasoning(&split));
    support_ok(reasoning_split_push(&split, str_of("\n<think>R</think>"), &parts.reasoning, &parts.answer), NULL);
    support_ok(reasoning_split_end(&split, &parts.reasoning, &parts.answer), NULL);
    assert_string_equal(parts.answer.at, "\n<think>R</think>");
    assert_int_equal(parts.reasoning.len, 0);
    reasoning_split_release(&split);
    parts_release(&parts);
}

static void it_says_when_it_is_inside_the_thought(void **state)
{
    (void)state;
    struct reasoning_split split;
    struct parts parts;
    parts_init(&parts);
    reasoning_split_init(&split, "<think>", "</think>", false);
    assert_false(reasoning_split_in_reasoning(&split));
    support_ok(reasoning_split_push(&split, str_of("<think"), &parts.reasoning, &parts.answer), NULL);
    assert_false(reasoning_split_in_reasoning(&split));
    support_ok(reasoning_split_push(&split, str_of(">"), &parts.reasoning, &parts.answer), NULL);
    assert_true(reasoning_split_in_reasoning(&split));
    support_ok(reasoning_split_push(&split, str_of("R</think"), &parts.reasoning, &parts.answer), NULL);
    assert_true(reasoning_split_in_reasoning(&split));
    assert_string_equal(parts.reasoning.at, "R"); /* sent before the mark is whole */
    support_ok(reasoning_split_push(&split, str_of(">"), &parts.reasoning, &parts.answer), NULL);
    assert_false(reasoning_split_in_reasoning(&split));
    reasoning_split_release(&split);
    parts_release(&parts);
}

static void endless_white_space_is_not_held_for_ever(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *text = mem_alloc(N);
    memset(text, '\n', N);
    for (int in_reasoning = 0; in_reasoning < 2; in_reasoning++) {
        struct reasoning_split split;
        struct parts parts;
        parts_init(&parts);
        reasoning_split_init(&split, "<think>", "</think>", in_reasoning);
        if (in_reasoning)
            support_ok(reasoning_split_push(&split, str_of("R"), &parts.reasoning, &parts.answer), NULL);
        support_ok(reasoning_split_push(&split, str_from(text, N), &parts.reasoning, &parts.answer), NULL);
        assert_true(split.held.len <= REASONING_HELD_BYTES_MAX);
        support_ok(reasoning_split_end(&split, &parts.reasoning, &parts.answer), NULL);
        assert_int_equal(parts.reasoning.len + parts.answer.len, N + (size_t)in_reasoning);
        reasoning_split_release(&split);
        parts_release(&parts);
    }
    mem_free(text);
}

static struct str trim_newlines_left(struct str text)
{
    while (text.len && (text.at[0] == '\n' || text.at[0] == '\r'))
        text = str_skip(text, 1);
    return text;
}

static struct str trim_newlines_right(struct str text)
{
    while (text.len && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r'))
        text.len--;
    return text;
}

/* The rules of output_parse.h on the whole text. */
static void split_reference(struct str text, bool in_reasoning, struct str *reasoning, struct str *answer)
{
    struct str open = str_of("<think>"), rest = text;
    *reasoning = str_of("");
    if (!in_reasoning) {
        while (rest.len && strchr(" \t\r\n", rest.at[0]))
            rest = str_skip(rest, 1);
        if (!str_starts(rest, open)) {
            *answer = text;
            return;
        }
        rest = trim_newlines_left(str_skip(rest, open.len));
    } else {
        rest = trim_newlines_left(rest);
        if (str_starts(rest, open))
            rest = trim_newlines_left(str_skip(rest, open.len));
    }
    ptrdiff_t close = str_find(rest, str_of("</think>"));
    *reasoning = close < 0 ? rest : trim_newlines_right(str_from(rest.at, (size_t)close));
    *answer = close < 0 ? str_of("") : trim_newlines_left(str_skip(rest, (size_t)close + strlen("</think>")));
}

static void every_cutting_splits_alike(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(20);
    struct buf text;
    buf_init(&text, TEXT_MAX);
    size_t n_thoughts = 0;
    for (int round = 0; round < 20000; round++) {
        generate(&rng, &text);
        bool in_reasoning = rng_below(&rng, 2);
        struct str reasoning, answer;
        split_reference(buf_str(&text), in_reasoning, &reasoning, &answer);
        n_thoughts += reasoning.len > 0;
        for (enum cutting cutting = WHOLE; cutting < N_CUTTINGS; cutting++) {
            struct parts parts;
            parts_init(&parts);
            split_in_pieces(buf_str(&text), in_reasoning, cutting, &rng, &parts);
            if (!str_equal(buf_str(&parts.reasoning), reasoning) || !str_equal(buf_str(&parts.answer), answer))
                fail_msg("round %d, cutting %d, in_reasoning %d: \"%s\" gave \"%s\" and \"%s\"", round, (int)cutting, in_reasoning,
                         buf_str(&text).at, buf_str(&parts.reasoning).at, buf_str(&parts.answer).at);
            parts_release(&parts);
        }
    }
    assert_true(n_thoughts > 5000);
    buf_release(&text);
}

/* ---- Stop strings ------------------------------------------------------------------------------------------ */

static int32_t stop_in_pieces(struct str text, const struct str *stops, uint32_t n, bool include, enum cutting cutting,
                              struct rng *rng, struct buf *out)
{
    struct stop_match match;
    support_ok(stop_match_init(&match, stops, n, include), NULL);
    while (text.len) {
        size_t piece = next_piece(text, cutting, rng);
        support_ok(stop_match_push(&match, str_from(text.at, piece), out), NULL);
        text = str_skip(text, piece);
    }
    support_ok(stop_match_end(&match, out), NULL);
    int32_t matched = match.matched;
    stop_match_release(&match);
    return matched;
}

static void expect_stop(const char *text, const char *stop_list, bool include, const char *want, int32_t want_index)
{
    struct str stops[STOP_STRINGS_MAX];
    uint32_t n = 0;
    for (const char *at = stop_list; *at; n++) {
        const char *end = strchr(at, '|');
        stops[n] = str_from(at, end ? (size_t)(end - at) : strlen(at));
        at += stops[n].len + (end != NULL);
    }
    struct rng rng = rng_seeded(3);
    for (enum cutting cutting = WHOLE; cutting < N_CUTTINGS; cutting++) {
        struct buf out;
        buf_init(&out, TEXT_MAX);
        assert_int_equal(stop_in_pieces(str_of(text), stops, n, include, cutting, &rng, &out), want_index);
        assert_string_equal(buf_str(&out).at, want);
        buf_release(&out);
    }
}

static void a_stop_string_ends_the_text(void **state)
{
    (void)state;
    expect_stop("one STOP two", "STOP", false, "one ", 0);
    expect_stop("one STOP two", "STOP", true, "one STOP", 0);
    expect_stop("one STO", "STOP", false, "one STO", -1);
    expect_stop("one", "", false, "one", -1);
    expect_stop("STOP", "STOP", false, "", 0);
    expect_stop("SSTSTOSTOP!", "STOP", false, "SSTSTO", 0);
    expect_stop("aaaab", "aab", false, "aa", 0);
    expect_stop("x\xE2\x82\xAC\xE2\x82\xAD", "\xE2\x82\xAD", false, "x\xE2\x82\xAC", 0);
}

static void the_match_that_ends_first_wins_and_of_equal_ends_the_longest(void **state)
{
    (void)state;
    expect_stop("xabcdy", "abcd|bc", false, "xa", 1);
    expect_stop("xabcdy", "cd|abcd|bcd", false, "x", 1);
    expect_stop("xabcdy", "abcd|cd", true, "xabcd", 0);
    expect_stop("xaby", "b|a", false, "x", 1);
    expect_stop("xaby", "ab|ab", false, "x", 0);
    expect_stop("xabce", "abcd|bc", true, "xabc", 1);
}

static void bad_stop_lists_are_refused(void **state)
{
    (void)state;
    struct str many[STOP_STRINGS_MAX + 1];
    for (size_t i = 0; i <= STOP_STRINGS_MAX; i++)
        many[i] = str_of("x");
    struct stop_match match;
    assert_int_equal(stop_match_init(&match, many, STOP_STRINGS_MAX + 1, false), STATUS_LIMIT);
    support_ok(stop_match_init(&match, many, STOP_STRINGS_MAX, false), NULL);
    stop_match_release(&match);
    many[1] = str_of("");
    assert_int_equal(stop_match_init(&match, many, 2, false), STATUS_INVALID);
    char *text = mem_zalloc(STOP_STRINGS_BYTES_MAX + 1);
    many[1] = str_from(text, STOP_STRINGS_BYTES_MAX);
    assert_int_equal(stop_match_init(&match, many, 2, false), STATUS_LIMIT);
    mem_free(text);
}

static void text_goes_out_as_soon_as_no_stop_string_can_begin_in_it(void **state)
{
    (void)state;
    struct str stops[] = {str_of("STOP"), str_of("TOAST")};
    struct stop_match match;
    struct buf out;
    buf_init(&out, TEXT_MAX);
    support_ok(stop_match_init(&match, stops, 2, false), NULL);
    support_ok(stop_match_push(&match, str_of("a STO"), &out), NULL);
    assert_string_equal(buf_str(&out).at, "a ");
    support_ok(stop_match_push(&match, str_of("A"), &out), NULL);
    assert_string_equal(buf_str(&out).at, "a S");
    support_ok(stop_match_push(&match, str_of("."), &out), NULL);
    assert_string_equal(buf_str(&out).at, "a STOA.");
    stop_match_release(&match);
    buf_release(&out);
}

static void a_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct str stops[] = {str_of("STOP"), str_of("b")};
    for (uint64_t n = 1; n < 8; n++) {
        struct stop_match match;
        struct buf out;
        buf_init(&out, TEXT_MAX);
        mem_fail_after(n, false);
        enum status status = stop_match_init(&match, stops, 2, false);
        if (!status)
            status = stop_match_push(&match, str_of("aSTO"), &out);
        uint64_t n_made = mem_fail_after(0, false);
        assert_int_equal(status, n_made >= n ? STATUS_NO_MEMORY : STATUS_OK);
        stop_match_release(&match);
        buf_release(&out);
    }
}

/* Where the first match ends, by looking everywhere. */
static int32_t stop_reference(struct str text, const struct str *stops, uint32_t n, bool include, size_t *visible)
{
    for (size_t end = 1; end <= text.len; end++) {
        int32_t best = -1;
        for (uint32_t i = 0; i < n; i++)
            if (str_ends(str_from(text.at, end), stops[i]) && (best < 0 || stops[i].len > stops[best].len))
                best = (int32_t)i;
        if (best >= 0) {
            *visible = include ? end : end - stops[best].len;
            return best;
        }
    }
    *visible = text.len;
    return -1;
}

static void every_cutting_stops_alike(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(30);
    struct buf text, stop_text;
    buf_init(&text, TEXT_MAX);
    buf_init(&stop_text, TEXT_MAX);
    size_t n_matches = 0;
    for (int round = 0; round < 10000; round++) {
        generate(&rng, &text);
        generate(&rng, &stop_text);
        struct str stops[STOP_STRINGS_MAX];
        uint32_t n = 0;
        for (struct str rest = buf_str(&stop_text); rest.len && n < STOP_STRINGS_MAX; n++) {
            size_t len = 1 + rng_below(&rng, 5);
            stops[n] = str_from(rest.at, len < rest.len ? len : rest.len);
            rest = str_skip(rest, len);
        }
        bool include = rng_below(&rng, 2);
        size_t visible;
        int32_t want = stop_reference(buf_str(&text), stops, n, include, &visible);
        n_matches += want >= 0;
        for (enum cutting cutting = WHOLE; cutting < N_CUTTINGS; cutting++) {
            struct buf out;
            buf_init(&out, TEXT_MAX);
            int32_t got = stop_in_pieces(buf_str(&text), stops, n, include, cutting, &rng, &out);
            if (got != want || !str_equal(buf_str(&out), str_from(buf_str(&text).at, visible)))
                fail_msg("round %d, cutting %d: stop %d for %d, \"%s\" of \"%s\"", round, (int)cutting, (int)got, (int)want,
                         buf_str(&out).at, buf_str(&text).at);
            buf_release(&out);
        }
    }
    assert_true(n_matches > 2000 && n_matches < 9900);
    buf_release(&text);
    buf_release(&stop_text);
}

static void matching_is_linear_in_the_text(void **state)
{
    (void)state;
    enum { N = 1000000, STOP = 4000 };
    char *text = mem_alloc(N), *stop = mem_alloc(STOP);
    memset(text, 'a', N);
    memset(stop, 'a', STOP);
    stop[STOP - 1] = 'b';
    struct str stops[] = {str_from(stop, STOP)};
    struct rng rng = rng_seeded(4);
    struct buf out;
    buf_init(&out, N);
    assert_int_equal(stop_in_pieces(str_from(text, N), stops, 1, false, WHOLE, &rng, &out), -1);
    assert_int_equal(out.len, N);
    buf_release(&out);
    mem_free(text);
    mem_free(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thought_is_split_from_the_answer),
        cmocka_unit_test(text_without_a_thought_is_all_answer),
        cmocka_unit_test(broken_marks_lose_no_text),
        cmocka_unit_test(an_opening_mark_that_repeats_the_prompts_is_dropped_once),
        cmocka_unit_test(without_marks_nothing_is_split),
        cmocka_unit_test(it_says_when_it_is_inside_the_thought),
        cmocka_unit_test(endless_white_space_is_not_held_for_ever),
        cmocka_unit_test(every_cutting_splits_alike),
        cmocka_unit_test(a_stop_string_ends_the_text),
        cmocka_unit_test(the_match_that_ends_first_wins_and_of_equal_ends_the_longest),
        cmocka_unit_test(bad_stop_lists_are_refused),
        cmocka_unit_test(text_goes_out_as_soon_as_no_stop_string_can_begin_in_it),
        cmocka_unit_test(a_failed_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(every_cutting_stops_alike),
        cmocka_unit_test(matching_is_linear_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
