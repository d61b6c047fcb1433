/* When a thought is ended, by what, and that healthy ones are left alone. */
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/governor.h"
#include "tests/support.h"
#include "text/sentence.h"

enum { OPEN = 1, CLOSE = 2, WORD = 10, STOP = 63 /* a full stop */ };

static const uint32_t bridge[] = {7, 8, CLOSE};
static const uint64_t ends[] = {1ull << STOP};

static struct protocol_thought plain(void)
{
    return (struct protocol_thought){.governed = true,
                                     .begins_inside = true,
                                     .open_token = OPEN,
                                     .close_token = CLOSE,
                                     .budget = PROTOCOL_NO_BUDGET,
                                     .bridge = bridge,
                                     .n_bridge = 3};
}

static struct governor *make(const struct protocol_thought *t)
{
    struct governor *g = governor_create(t, ends, 1);
    assert_non_null(g);
    return g;
}

/* All of the bridge is forced, then nothing. */
static void expect_bridge(struct governor *g, enum protocol_acted why)
{
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(governor_forced(g), bridge[i]);
        governor_push(g, bridge[i]);
    }
    assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
    assert_int_equal(governor_acted(g), why);
    for (uint32_t i = 0; i < 5000; i++)
        governor_push(g, WORD); /* the answer may repeat itself as it likes */
    assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
}

static void a_budget_ends_the_thought_at_its_token(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    for (t.budget = 0; t.budget < 40; t.budget += 13) {
        struct governor *g = make(&t);
        for (uint32_t i = 0; i < t.budget; i++) {
            assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
            governor_push(g, WORD + i);
        }
        expect_bridge(g, PROTOCOL_ACTED_BUDGET);
        governor_free(g);
    }
}

static void a_thought_that_ends_by_itself_is_left_alone(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    t.budget = 5;
    struct governor *g = make(&t);
    for (uint32_t i = 0; i < 4; i++)
        governor_push(g, WORD);
    governor_push(g, CLOSE);
    for (uint32_t i = 0; i < 50; i++)
        governor_push(g, WORD);
    assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
    assert_int_equal(governor_acted(g), PROTOCOL_ACTED_NONE);
    governor_free(g);
}

static void a_thought_that_the_output_opens_counts_from_there(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    t.begins_inside = false;
    t.budget = 2;
    struct governor *g = make(&t);
    for (uint32_t i = 0; i < 10; i++)
        governor_push(g, WORD);
    governor_push(g, OPEN);
    governor_push(g, WORD);
    assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
    governor_push(g, WORD);
    expect_bridge(g, PROTOCOL_ACTED_BUDGET);
    governor_free(g);
    t.budget = 0;
    g = make(&t);
    governor_push(g, OPEN);
    expect_bridge(g, PROTOCOL_ACTED_BUDGET);
    governor_free(g);
}

static void the_pull_rises_at_sentence_ends_of_the_last_quarter(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    t.budget = 400;
    t.pull = 8;
    struct governor *g = make(&t);
    float last = 0;
    for (uint32_t i = 0; i < 399; i++) {
        governor_push(g, i % 3 ? WORD : STOP);
        float pull = governor_pull(g);
        assert_true(i + 1 < 300 || i % 3 ? pull == 0 : pull > last && pull <= 8);
        last = pull > 0 ? pull : last;
    }
    assert_true(last > 7);
    governor_free(g);
    g = make(&t);
    for (uint32_t i = 0; i < 350; i++)
        governor_push(g, i == 349 ? STOP : WORD);
    governor_push(g, CLOSE);
    assert_int_equal(governor_acted(g), PROTOCOL_ACTED_PULL);
    governor_free(g);
}

static void an_answer_asked_for_comes_now_or_once_the_thought_begins(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    struct governor *g = make(&t);
    governor_push(g, WORD);
    governor_answer_now(g);
    governor_answer_now(g);
    expect_bridge(g, PROTOCOL_ACTED_ANSWER_NOW);
    governor_answer_now(g); /* too late */
    assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
    governor_free(g);
    t.begins_inside = false;
    g = make(&t);
    governor_answer_now(g);
    assert_int_equal(governor_forced(g), PROTOCOL_NO_TOKEN);
    governor_push(g, OPEN);
    expect_bridge(g, PROTOCOL_ACTED_ANSWER_NOW);
    governor_free(g);
}

/* ---- Loops ----------------------------------------------------------------------------------------------------------- */

/* How many tokens it took until the loop was seen; `most` when it was not. */
static uint32_t tokens_until_seen(struct governor *g, uint32_t (*next)(uint32_t i, struct rng *rng), uint32_t most, uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    uint32_t i = 0;
    for (; i < most && governor_forced(g) == PROTOCOL_NO_TOKEN; i++)
        governor_push(g, next(i, &rng));
    return i;
}

static uint32_t period;

static uint32_t repeats(uint32_t i, struct rng *rng)
{
    (void)rng;
    return i < 100 ? 1000 + i * 7 : 20 + i % period;
}

/* A paragraph of 60 tokens comes back with 0 to 5 others in between. */
static uint32_t paragraphs(uint32_t i, struct rng *rng)
{
    static uint32_t left, filler;
    if (i == 0)
        left = filler = 0;
    if (left)
        return 500 + 60 - left--;
    if (filler) {
        filler--;
        return 2000 + rng_below(rng, 3000);
    }
    left = 60;
    filler = rng_below(rng, 6);
    return 3;
}

/* Words of a small vocabulary, some common, in any order. */
static uint32_t prose(uint32_t i, struct rng *rng)
{
    uint32_t r = rng_below(rng, 1000);
    (void)i;
    return r < 300 ? 30 + r % 20 : 100 + rng_below(rng, 2000);
}

/* "a + b = c" over and over with other numbers: frames repeat. */
static uint32_t sums(uint32_t i, struct rng *rng)
{
    return i % 12 == 3 || i % 12 == 6 || i % 12 == 9 ? 100 + rng_below(rng, 10) : 40 + i % 12;
}

/* Lists count up: each line differs in a number. */
static uint32_t lists(uint32_t i, struct rng *rng)
{
    uint32_t line = i / 15;
    (void)rng;
    return i % 15 == 2 ? 200 + line / 10 : i % 15 == 3 ? 100 + line % 10 : i % 15 == 9 ? 100 + (line * 7) % 10 : 50 + i % 15;
}

static void loops_are_seen_soon(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    t.detects_loops = true;
    for (period = 1; period < 400; period += 1 + period / 3) {
        struct governor *g = make(&t);
        uint32_t n = tokens_until_seen(g, repeats, 20000, 1);
        assert_in_range(n, 100 + 96, 100 + 96 + 6 * period + 20);
        expect_bridge(g, PROTOCOL_ACTED_LOOP);
        governor_free(g);
    }
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct governor *g = make(&t);
        assert_in_range(tokens_until_seen(g, paragraphs, 20000, seed), 250, 400);
        expect_bridge(g, PROTOCOL_ACTED_LOOP);
        governor_free(g);
    }
}

static void healthy_thoughts_are_left_alone(void **state)
{
    uint32_t (*const healthy[])(uint32_t i, struct rng * rng) = {prose, sums, lists};
    struct protocol_thought t = plain();
    unsigned alarms = 0, n = 0;
    (void)state;
    t.detects_loops = true;
    for (unsigned kind = 0; kind < 3; kind++)
        for (uint64_t seed = 1; seed <= 350; seed++, n++) {
            struct governor *g = make(&t);
            uint32_t length = kind == 2 ? 1400 : 3000;
            alarms += tokens_until_seen(g, healthy[kind], length, seed) < length;
            governor_free(g);
        }
    assert_true(n >= 1000 && alarms * 100 <= n);
}

static void without_the_look_out_nothing_is_seen(void **state)
{
    struct protocol_thought t = plain();
    (void)state;
    period = 3;
    struct governor *g = make(&t);
    assert_int_equal(tokens_until_seen(g, repeats, 5000, 1), 5000);
    governor_free(g);
}

static void running_out_of_memory_is_no_governor(void **state)
{
    struct protocol_thought t = plain();
    struct governor *g = NULL;
    (void)state;
    t.detects_loops = true;
    for (uint64_t n = 1; !g; n++) {
        mem_fail_after(n, true);
        g = governor_create(&t, NULL, 0);
        mem_fail_after(0, false);
    }
    governor_free(g);
}

/* ---- Sentences --------------------------------------------------------------------------------------------------------- */

static void sentences_end_in_six_languages(void **state)
{
    static const char *const over[] = {".", "so.", "?\"", "!)", " end. ", "\n", "x\n\n", "。", "！", "吗？", "؟", "…", ".”", ".»", "?'"};
    static const char *const on[] = {"", " ", "a", "3.5", ",", ";", "word", "\"", ")", "、", "،", "。a"};
    (void)state;
    for (size_t i = 0; i < sizeof over / sizeof over[0]; i++)
        if (!sentence_ends_with(str_of(over[i])))
            fail_msg("\"%s\" goes on", over[i]);
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++)
        if (sentence_ends_with(str_of(on[i])))
            fail_msg("\"%s\" ends", on[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_ends_the_thought_at_its_token),
        cmocka_unit_test(a_thought_that_ends_by_itself_is_left_alone),
        cmocka_unit_test(a_thought_that_the_output_opens_counts_from_there),
        cmocka_unit_test(the_pull_rises_at_sentence_ends_of_the_last_quarter),
        cmocka_unit_test(an_answer_asked_for_comes_now_or_once_the_thought_begins),
        cmocka_unit_test(loops_are_seen_soon),
        cmocka_unit_test(healthy_thoughts_are_left_alone),
        cmocka_unit_test(without_the_look_out_nothing_is_seen),
        cmocka_unit_test(running_out_of_memory_is_no_governor),
        cmocka_unit_test(sentences_end_in_six_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
