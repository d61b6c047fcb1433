/* The sampler against plain definitions of every field: who may be drawn, how often, and what is reported. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/sampler.h"
#include "tests/support.h"

enum { SMALL = 12, LARGE = 5000 };

static struct sampler *make(uint32_t vocabulary)
{
    struct sampler *s;
    struct error error;
    support_ok(sampler_create(&s, vocabulary, &error), &error);
    return s;
}

static struct protocol_submit plain(void)
{
    return (struct protocol_submit){.temperature = 1, .top_p = 1, .repetition_penalty = 1, .logprobs = -1};
}

static uint32_t choose(struct sampler *s, const float *logits, const struct protocol_submit *m, uint32_t index)
{
    static const uint32_t generated[4096];
    struct protocol_token token;
    struct error error;
    struct sampler_row row = {.logits = logits, .params = m, .generated = generated, .n_generated = index, .stops_allowed = true};
    support_ok(sampler_choose(s, &row, &token, &error), &error);
    return token.token;
}

static void random_row(struct rng *rng, float *row, uint32_t n, float spread)
{
    for (uint32_t i = 0; i < n; i++)
        row[i] = (float)(rng_next_unit(rng) + rng_next_unit(rng) + rng_next_unit(rng) - 1.5) * spread;
}

/* ---- Who may be drawn -------------------------------------------------------------------------------------------------- */

static void temperature_zero_takes_the_best_and_of_equals_the_lowest_id(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {1, 5, 2, 5, -3, 5};
    struct protocol_submit m = plain();
    (void)state;
    const float greedy[] = {0, 1e-30f, 1e-6f};
    for (unsigned i = 0; i < 3; i++) {
        m.temperature = greedy[i];
        m.seed = i;
        assert_int_equal(choose(s, row, &m, i), 1);
    }
    m.temperature = 1;
    m.top_p = 0;
    assert_int_equal(choose(s, row, &m, 0), 1);
    m.top_p = 1;
    m.top_k = 1;
    assert_int_equal(choose(s, row, &m, 0), 1);
    sampler_free(s);
}

static void draws_follow_the_softmax(void **state)
{
    enum { DRAWS = 40000 };
    struct sampler *s = make(SMALL);
    float row[SMALL];
    double p[SMALL], total = 0;
    const float temperatures[] = {0.5f, 1, 2};
    struct rng rng = rng_seeded(3);
    (void)state;
    random_row(&rng, row, SMALL, 3);
    for (unsigned t = 0; t < 3; t++) {
        struct protocol_submit m = plain();
        unsigned n[SMALL] = {0};
        m.temperature = temperatures[t];
        total = 0;
        for (unsigned i = 0; i < SMALL; i++)
            total += p[i] = exp(row[i] / m.temperature);
        for (unsigned i = 0; i < DRAWS; i++) {
            m.seed = i / 4 + 100000 * t;
            n[choose(s, row, &m, i % 4)]++;
        }
        for (unsigned i = 0; i < SMALL; i++) {
            double mean = DRAWS * p[i] / total;
            assert_true(fabs(n[i] - mean) < 5 * sqrt(mean) + 1);
        }
    }
    sampler_free(s);
}

struct ranked {
    float logit;
    uint32_t id;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->logit != y->logit ? (x->logit > y->logit ? -1 : 1) : x->id < y->id ? -1 : 1;
}

/* Tokens that may be drawn, by definition: min_p, then the k best, then the smallest set that reaches top_p. */
static void allowed_by(const float *row, uint32_t n, const struct protocol_submit *m, bool *allowed)
{
    static struct ranked ranked[LARGE];
    double total = 0, sum = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){row[i] / m->temperature, i};
    qsort(ranked, n, sizeof *ranked, by_rank);
    for (uint32_t i = 0; i < n && (!m->top_k || i < m->top_k); i++)
        if (exp((double)ranked[i].logit - ranked[0].logit) >= m->min_p)
            kept++;
    for (uint32_t i = 0; i < kept; i++)
        total += exp((double)ranked[i].logit - ranked[0].logit);
    memset(allowed, 0, n * sizeof *allowed);
    for (uint32_t i = 0; i < kept && sum < total * m->top_p; i++) {
        sum += exp((double)ranked[i].logit - ranked[0].logit);
        allowed[ranked[i].id] = true;
    }
}

static void filters_leave_exactly_the_tokens_they_name(void **state)
{
    struct sampler *s = make(SMALL);
    struct rng rng = rng_seeded(5);
    float row[SMALL];
    bool allowed[SMALL], drawn[SMALL];
    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct protocol_submit m = plain();
        random_row(&rng, row, SMALL, 2);
        m.temperature = 0.5f + (float)rng_next_unit(&rng);
        m.top_k = rng_below(&rng, 2) ? 1 + rng_below(&rng, SMALL) : 0;
        m.top_p = rng_below(&rng, 2) ? (float)rng_next_unit(&rng) : 1;
        m.min_p = rng_below(&rng, 2) ? 0.3f * (float)rng_next_unit(&rng) : 0;
        if (m.top_p == 0)
            continue;
        allowed_by(row, SMALL, &m, allowed);
        memset(drawn, 0, sizeof drawn);
        for (unsigned i = 0; i < 3000; i++) {
            m.seed = i;
            drawn[choose(s, row, &m, round)] = true;
        }
        assert_memory_equal(drawn, allowed, sizeof drawn);
    }
    sampler_free(s);
}

/* The token of the largest logit plus Gumbel noise, without any short cut. */
static uint32_t draw_plainly(const float *row, uint32_t n, const struct protocol_submit *m, const bool *allowed)
{
    uint32_t best = UINT32_MAX;
    float best_value = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t counter[4] = {i / 4, 9, 0, 0}, words[4];
        if (!allowed[i])
            continue;
        rng_philox(m->seed, counter, words);
        float value = row[i] / m->temperature - logf(-logf(rng_unit_open(words[i % 4])));
        if (best == UINT32_MAX || value > best_value) {
            best = i;
            best_value = value;
        }
    }
    return best;
}

static void short_cuts_change_no_draw(void **state)
{
    struct sampler *s = make(LARGE);
    struct rng rng = rng_seeded(8);
    static float row[LARGE];
    static bool allowed[LARGE];
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct protocol_submit m = plain();
        random_row(&rng, row, LARGE, round % 3 ? 10 : 1);
        m.seed = round;
        m.temperature = 0.3f + 2 * (float)rng_next_unit(&rng);
        m.top_k = round % 4 == 1 ? 1 + rng_below(&rng, LARGE) : 0;
        m.top_p = round % 4 == 2 ? 0.5f + 0.49f * (float)rng_next_unit(&rng) : 1;
        m.min_p = round % 4 == 3 ? 0.01f : 0;
        allowed_by(row, LARGE, &m, allowed);
        assert_int_equal(choose(s, row, &m, 9), draw_plainly(row, LARGE, &m, allowed));
    }
    sampler_free(s);
}

/* ---- Random numbers ---------------------------------------------------------------------------------------------------- */

static void a_draw_depends_on_seed_choice_and_index_alone(void **state)
{
    struct sampler *s = make(64), *other = make(64);
    struct protocol_submit m = plain();
    struct protocol_token a, b;
    struct error error;
    uint32_t generated[32] = {0};
    float row[64] = {0};
    unsigned by_choice = 0, by_index = 0, by_seed = 0;
    (void)state;
    for (uint32_t i = 0; i + 1 < 32; i++) {
        struct sampler_row r = {.logits = row, .params = &m, .generated = generated, .n_generated = i, .stops_allowed = true};
        support_ok(sampler_choose(s, &r, &a, &error), &error);
        support_ok(sampler_choose(other, &r, &b, &error), &error);
        assert_int_equal(a.token, b.token);
        r.choice = 1;
        support_ok(sampler_choose(s, &r, &b, &error), &error);
        by_choice += a.token != b.token;
        r.choice = 0;
        r.n_generated = i + 1;
        support_ok(sampler_choose(s, &r, &b, &error), &error);
        by_index += a.token != b.token;
        r.n_generated = i;
        m.seed = 1ull << 40;
        support_ok(sampler_choose(s, &r, &b, &error), &error);
        by_seed += a.token != b.token;
        m.seed = 0;
    }
    assert_true(by_choice > 24 && by_index > 24 && by_seed > 24);
    sampler_free(s);
    sampler_free(other);
}

/* ---- Penalties, bias, bans --------------------------------------------------------------------------------------------- */

static uint32_t choose_after(struct sampler *s, const float *row, const struct protocol_submit *m, const uint32_t *prompt,
                             uint32_t n_prompt, const uint32_t *generated, uint32_t n_generated)
{
    struct protocol_token token;
    struct error error;
    struct sampler_row r = {.logits = row, .params = m, .prompt = prompt, .n_prompt = n_prompt, .generated = generated,
                            .n_generated = n_generated, .stops_allowed = true};
    support_ok(sampler_choose(s, &r, &token, &error), &error);
    return token.token;
}

static void penalties_weigh_what_was_said(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {2, 1.9f, 1.5f, -1, -2};
    const uint32_t prompt[] = {1, 1}, generated[] = {0, 0, 2};
    struct protocol_submit m = plain();
    (void)state;
    m.temperature = 0;
    for (int again = 0; again < 2; again++) { /* nothing is left behind from one row to the next */
        m.presence_penalty = 0.05f;
        assert_int_equal(choose_after(s, row, &m, prompt, 2, generated, 3), 0); /* 1.95 1.9 1.45 */
        m.presence_penalty = 0.2f;
        assert_int_equal(choose_after(s, row, &m, prompt, 2, generated, 3), 1); /* the prompt does not count */
        m.presence_penalty = 0;
        m.frequency_penalty = 0.04f;
        assert_int_equal(choose_after(s, row, &m, prompt, 2, generated, 3), 0); /* 1.92: twice said */
        m.frequency_penalty = 0.06f;
        assert_int_equal(choose_after(s, row, &m, prompt, 2, generated, 3), 1); /* 1.88 */
        m.frequency_penalty = -0.3f;
        assert_int_equal(choose_after(s, row, &m, prompt, 2, generated, 3), 0);
        m.frequency_penalty = 0;
        m.repetition_penalty = 1.2f;
        assert_int_equal(choose_after(s, row, &m, prompt, 2, generated, 3), 0); /* 1.67 1.58 1.25: once, however often said */
        m.repetition_penalty = 2;
        assert_int_equal(choose_after(s, row, &m, prompt, 1, generated, 0), 0); /* 2 0.95 */
        assert_int_equal(choose_after(s, row, &m, prompt, 1, generated, 1), 2); /* 1 0.95 1.5 */
        m.repetition_penalty = 1;
    }
    const float negative[SMALL] = {-1, -1.5f, -9, -9, -9, -9, -9, -9, -9, -9, -9, -9};
    m.repetition_penalty = 2; /* a negative logit is multiplied */
    assert_int_equal(choose_after(s, negative, &m, prompt, 0, generated, 1), 1);
    sampler_free(s);
}

static void a_bias_moves_bans_or_decides(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {2, 1, 0};
    struct protocol_bias bias[SMALL] = {{1, 1.5f}};
    struct protocol_submit m = plain();
    (void)state;
    m.temperature = 0;
    m.bias = bias;
    m.n_bias = 1;
    assert_int_equal(choose(s, row, &m, 0), 1);
    bias[0] = (struct protocol_bias){0, -100};
    assert_int_equal(choose(s, row, &m, 0), 1);
    bias[0] = (struct protocol_bias){7, 100};
    m.temperature = 2;
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(choose(s, row, &m, i), 7);
    bias[1] = (struct protocol_bias){0, 100}; /* two certain ones keep their order */
    m.n_bias = 2;
    m.temperature = 0;
    assert_int_equal(choose(s, row, &m, 0), 0);
    for (uint32_t i = 0; i < SMALL; i++)
        bias[i] = (struct protocol_bias){i, -100};
    m.n_bias = SMALL;
    struct protocol_token token;
    struct error error;
    struct sampler_row r = {.logits = row, .params = &m, .stops_allowed = true};
    assert_int_equal(sampler_choose(s, &r, &token, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "every token is banned"));
    sampler_free(s);
}

static void stop_ids_wait_for_the_least_length(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {3, 2, 1};
    const uint32_t stops[] = {0, 1, 500};
    struct protocol_submit m = plain();
    struct protocol_token token;
    struct error error;
    (void)state;
    m.temperature = 0;
    m.stop_ids = stops;
    m.n_stop_ids = 3;
    m.n_eos_ids = 1;
    struct sampler_row r = {.logits = row, .params = &m, .stops_allowed = false};
    support_ok(sampler_choose(s, &r, &token, &error), &error);
    assert_int_equal(token.token, 2);
    m.ignore_stop = true; /* the end token is an ordinary one then */
    support_ok(sampler_choose(s, &r, &token, &error), &error);
    assert_int_equal(token.token, 0);
    r.stops_allowed = true;
    m.ignore_stop = false;
    support_ok(sampler_choose(s, &r, &token, &error), &error);
    assert_int_equal(token.token, 0);
    sampler_free(s);
}

static void extreme_values_stay_finite(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {30, 29, -30, 5};
    const uint32_t said[] = {0, 1, 2, 3};
    const float temperatures[] = {1e-38f, 1e-5f, 1, 100}, penalties[] = {1e-45f, 1e-20f, 1, 100}, masses[] = {1e-45f, 1e-9f, 0.999999f, 1};
    (void)state;
    for (unsigned t = 0; t < 4; t++)
        for (unsigned p = 0; p < 4; p++)
            for (unsigned q = 0; q < 16; q++) {
                struct protocol_submit m = plain();
                m.temperature = temperatures[t];
                m.repetition_penalty = penalties[p];
                m.top_p = masses[q % 4];
                m.min_p = masses[q / 4];
                m.frequency_penalty = p % 2 ? 100 : -100;
                m.logprobs = 2;
                struct protocol_token token;
                struct error error;
                struct sampler_row r = {.logits = row, .params = &m, .prompt = said, .n_prompt = 4, .generated = said, .n_generated = 4,
                                        .stops_allowed = true};
                support_ok(sampler_choose(s, &r, &token, &error), &error);
                assert_true(token.token < SMALL && isfinite(token.logprob) && token.logprob <= 0);
            }
    sampler_free(s);
}

/* ---- Faulty rows, reports ---------------------------------------------------------------------------------------------- */

static void a_row_that_is_not_finite_is_an_error(void **state)
{
    struct sampler *s = make(SMALL);
    const float faults[] = {NAN, INFINITY, -INFINITY};
    struct protocol_submit m = plain();
    struct protocol_token token = {0};
    struct error error;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        float row[SMALL] = {0};
        struct sampler_row r = {.logits = row, .params = &m, .stops_allowed = true};
        row[5] = faults[i];
        assert_int_equal(sampler_choose(s, &r, &token, &error), STATUS_INTERNAL);
        assert_false(sampler_score(s, row, 0, 1, 3, &token));
        m.vocabulary = 5; /* ids past the tokenizer's are nobody's */
        support_ok(sampler_choose(s, &r, &token, &error), &error);
        assert_true(token.token < 5);
        assert_true(sampler_score(s, row, 5, 1, 3, &token));
        m.vocabulary = 0;
    }
    sampler_free(s);
}

static void log_probabilities_are_of_the_models_own_distribution(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {1, 4, 2, 4, 0, -1, 3, -8, 4, 0, 0, 0};
    struct protocol_bias bias = {7, 100};
    struct protocol_submit m = plain();
    struct protocol_token token;
    struct error error;
    double total = 0;
    (void)state;
    for (unsigned i = 0; i < SMALL; i++)
        total += exp(row[i]);
    m.temperature = 0.5f;
    m.top_k = 1;
    m.bias = &bias;
    m.n_bias = 1;
    m.logprobs = 5;
    struct sampler_row r = {.logits = row, .params = &m, .stops_allowed = true};
    support_ok(sampler_choose(s, &r, &token, &error), &error);
    assert_int_equal(token.token, 7);
    assert_int_equal(token.rank, SMALL);
    assert_true(fabs(token.logprob - (-8 - log(total))) < 1e-5);
    const uint32_t best[] = {1, 3, 8, 6, 2};
    assert_int_equal(token.n_top, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(token.top[i].token, best[i]);
        assert_true(fabs(token.top[i].logprob - (row[best[i]] - log(total))) < 1e-5);
    }
    assert_true(sampler_score(s, row, 0, 8, 20, &token));
    assert_int_equal(token.rank, 3); /* of equals the lower id is the better */
    assert_int_equal(token.n_top, SMALL);
    assert_true(sampler_score(s, row, 0, 8, 0, &token));
    assert_int_equal(token.n_top, 0);
    sampler_free(s);
}

/* ---- Masks ------------------------------------------------------------------------------------------------------------- */

static enum status choose_masked(struct sampler *s, const float *row, const struct protocol_submit *m, uint64_t bits, bool may_end,
                                 bool stops_allowed, uint32_t *token)
{
    struct protocol_token chosen;
    struct error error;
    const struct constraint_mask mask = {&bits, 1, may_end, NULL};
    struct sampler_row r = {.logits = row, .params = m, .stops_allowed = stops_allowed, .mask = &mask};
    enum status status = sampler_choose(s, &r, &chosen, &error);
    *token = chosen.token;
    return status;
}

static void a_mask_leaves_what_it_allows_and_the_end_where_it_may_be(void **state)
{
    struct sampler *s = make(SMALL);
    const float row[SMALL] = {1, 5, 2, 5, -3, 5, 9};
    const uint32_t stops[] = {6, 1};
    struct protocol_submit m = plain();
    uint32_t token;
    (void)state;
    m.temperature = 0;
    m.stop_ids = stops;
    m.n_stop_ids = 2;
    m.n_eos_ids = 1;
    assert_int_equal(choose_masked(s, row, &m, 1 << 2 | 1 << 4, false, true, &token), STATUS_OK);
    assert_int_equal(token, 2);
    assert_int_equal(choose_masked(s, row, &m, 1 << 2 | 1 << 4, true, true, &token), STATUS_OK);
    assert_int_equal(token, 6); /* the end of sequence is no text: the mask never has it */
    assert_int_equal(choose_masked(s, row, &m, 1 << 2 | 1 << 4, true, false, &token), STATUS_OK);
    assert_int_equal(token, 2);
    m.ignore_stop = true;
    assert_int_equal(choose_masked(s, row, &m, 1 << 1 | 1 << 4, true, true, &token), STATUS_OK);
    assert_int_equal(token, 1);
    assert_int_equal(choose_masked(s, row, &m, 0, true, true, &token), STATUS_OK); /* the caller's own stop token */
    assert_int_equal(token, 1);
    assert_int_equal(choose_masked(s, row, &m, 0, true, false, &token), STATUS_NOT_FOUND);
    assert_int_equal(choose_masked(s, row, &m, 0, false, true, &token), STATUS_INVALID);
    sampler_free(s);
}

static void tokens_beyond_a_mask_are_not_chosen(void **state)
{
    struct sampler *s = make(LARGE);
    static float row[LARGE];
    static uint64_t bits[20]; /* 1280 tokens */
    struct protocol_submit m = plain();
    struct rng rng = rng_seeded(8);
    (void)state;
    random_row(&rng, row, LARGE, 4);
    for (unsigned i = 0; i < 20; i++)
        bits[i] = rng_next_u64(&rng);
    bits[3] = UINT64_MAX;
    const struct constraint_mask mask = {bits, 20, false, NULL};
    for (unsigned i = 0; i < 2000; i++) {
        struct protocol_token token;
        struct error error;
        m.seed = i;
        struct sampler_row r = {.logits = row, .params = &m, .stops_allowed = true, .mask = &mask};
        support_ok(sampler_choose(s, &r, &token, &error), &error);
        assert_true(token.token < 1280 && bits[token.token / 64] >> token.token % 64 & 1);
    }
    sampler_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(temperature_zero_takes_the_best_and_of_equals_the_lowest_id),
        cmocka_unit_test(draws_follow_the_softmax),
        cmocka_unit_test(filters_leave_exactly_the_tokens_they_name),
        cmocka_unit_test(short_cuts_change_no_draw),
        cmocka_unit_test(a_draw_depends_on_seed_choice_and_index_alone),
        cmocka_unit_test(penalties_weigh_what_was_said),
        cmocka_unit_test(a_bias_moves_bans_or_decides),
        cmocka_unit_test(stop_ids_wait_for_the_least_length),
        cmocka_unit_test(extreme_values_stay_finite),
        cmocka_unit_test(a_row_that_is_not_finite_is_an_error),
        cmocka_unit_test(log_probabilities_are_of_the_models_own_distribution),
        cmocka_unit_test(a_mask_leaves_what_it_allows_and_the_end_where_it_may_be),
        cmocka_unit_test(tokens_beyond_a_mask_are_not_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
