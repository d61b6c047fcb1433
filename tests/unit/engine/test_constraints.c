/* Masks of many choices at once, on the worker's thread: each as if it were alone. */
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/constraints.h"
#include "tests/support.h"
#include "text/automaton_image.h"
#include "text/gbnf.h"

enum { TOKENS = 100, EXPRESSIONS = 1 << 16, CHOICES = 12, STEPS = 60 };

static const char *const grammars[] = {"root ::= \"a\" [b-z]* \".\"", "root ::= [a-z]{3,400}", "root ::= \"(\" root? \")\" | [a-f]",
                                       "root ::= (\"ab\" | \"cd\" | \"z\"{2,90})+ \";\"?"};
enum { N_LANGUAGES = sizeof grammars / sizeof grammars[0] };

struct language {
    struct automaton *automaton;
    uint32_t root;
    struct buf image;
};

static struct language languages[N_LANGUAGES];
static char bytes[TOKENS][4];
static struct str tokens[TOKENS];

static int make_languages(void **state)
{
    struct rng rng = rng_seeded(2);
    (void)state;
    for (uint32_t i = 0; i < TOKENS; i++) {
        size_t n = i < 96 ? 1 : 0;
        bytes[i][0] = (char)(' ' + i);
        for (; i > 40 && n && n < 4 && rng_below(&rng, 2); n++)
            bytes[i][n] = (char)('a' + rng_below(&rng, 4));
        tokens[i] = str_from(bytes[i], n);
    }
    for (uint32_t i = 0; i < N_LANGUAGES; i++) {
        struct language *l = &languages[i];
        struct error error;
        error_clear(&error);
        support_ok(automaton_create(&l->automaton, EXPRESSIONS, &error), &error);
        support_ok(gbnf_language(l->automaton, str_of(grammars[i]), &l->root, &error), &error);
        buf_init(&l->image, 1 << 20);
        support_ok(automaton_image_write(l->automaton, l->root, &l->image, &error), &error);
    }
    return 0;
}

static int free_languages(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_LANGUAGES; i++) {
        automaton_free(languages[i].automaton);
        buf_release(&languages[i].image);
    }
    return 0;
}

static struct constraints *make(struct constraints_options options)
{
    struct constraints *all;
    struct error error;
    error_clear(&error);
    support_ok(constraints_create(&all, &options, &error), &error);
    assert_false(constraints_has_vocabulary(all));
    support_ok(constraints_set_vocabulary(all, tokens, TOKENS, &error), &error);
    assert_int_equal(constraints_set_vocabulary(all, tokens, TOKENS, &error), STATUS_INVALID);
    assert_true(constraints_has_vocabulary(all));
    return all;
}

static enum constraint_state wait_for(struct constraints *all, struct constraint *c, struct constraint_mask *mask)
{
    enum constraint_state state;
    while ((state = constraints_look(c, mask)) == CONSTRAINT_PENDING)
        constraints_wait(all, 100000000);
    return state;
}

/* By definition; a token among those that fit, or TOKENS. */
static uint32_t compare(const struct language *l, uint32_t state, const struct constraint_mask *mask, struct rng *rng)
{
    uint32_t fits[TOKENS], n = 0;
    assert_int_equal(mask->n_words, 2);
    assert_int_equal(mask->may_end, automaton_may_end(l->automaton, state));
    for (uint32_t t = 0; t < TOKENS; t++) {
        bool expected = tokens[t].len && automaton_read(l->automaton, state, tokens[t]) != AUTOMATON_NOTHING;
        assert_int_equal(mask->tokens[t / 64] >> t % 64 & 1, expected);
        if (expected)
            fits[n++] = t;
    }
    return n ? fits[rng_below(rng, n)] : TOKENS;
}

static void run_choices(struct constraints_options options, uint64_t seed)
{
    struct constraints *all = make(options);
    struct constraint *open[CHOICES] = {NULL};
    uint32_t states[CHOICES] = {0}, of[CHOICES] = {0};
    struct rng rng = rng_seeded(seed);
    for (int step = 0; step < STEPS * CHOICES; step++) {
        uint32_t i = rng_below(&rng, CHOICES);
        struct constraint_mask mask;
        if (!open[i]) {
            of[i] = rng_below(&rng, N_LANGUAGES);
            open[i] = constraints_open(all, buf_str(&languages[of[i]].image));
            assert_non_null(open[i]);
            states[i] = languages[of[i]].root;
            continue;
        }
        if (rng_below(&rng, 20) == 0) { /* closed whatever it is doing */
            constraints_close(open[i]);
            open[i] = NULL;
            continue;
        }
        assert_int_equal(wait_for(all, open[i], &mask), CONSTRAINT_READY);
        uint32_t token = compare(&languages[of[i]], states[i], &mask, &rng);
        if (token == TOKENS) {
            constraints_close(open[i]);
            open[i] = NULL;
            continue;
        }
        states[i] = automaton_read(languages[of[i]].automaton, states[i], tokens[token]);
        constraints_push(open[i], token);
    }
    for (uint32_t i = 0; i < CHOICES; i++)
        constraints_close(open[i]);
    constraints_free(all);
}

static void every_choice_sees_the_masks_of_its_own_text(void **state)
{
    (void)state;
    struct constraints_options o = constraints_defaults;
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_choices(o, seed);
    o.threaded = false;
    o.early_looks = 2;
    run_choices(o, 11);
}

static void crowded_and_forgotten_languages_are_built_again(void **state)
{
    (void)state;
    struct constraints_options o = constraints_defaults;
    o.expressions_max = 220; /* a few of their states at a time */
    o.memory_max = 1;
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_choices(o, seed);
}

static void languages_nobody_uses_are_kept_while_there_is_room(void **state)
{
    (void)state;
    struct constraints_options o = constraints_defaults;
    uint32_t n;
    for (int roomy = 0; roomy < 2; roomy++) {
        o.memory_max = roomy ? 1 << 30 : 1;
        struct constraints *all = make(o);
        for (uint32_t i = 0; i < N_LANGUAGES; i++) {
            struct constraint_mask mask;
            struct constraint *c = constraints_open(all, buf_str(&languages[i].image)),
                              *same = constraints_open(all, buf_str(&languages[i].image));
            assert_int_equal(wait_for(all, c, &mask), CONSTRAINT_READY);
            assert_int_equal(wait_for(all, same, &mask), CONSTRAINT_READY);
            assert_true(constraints_memory(all, &n) > languages[i].image.len);
            assert_int_equal(n, roomy ? i + 1 : 1);
            constraints_close(c);
            constraints_close(same);
        }
        constraints_memory(all, &n);
        assert_int_equal(n, roomy ? N_LANGUAGES : 0);
        constraints_free(all);
    }
}

static void expect_failure(struct constraints *all, struct str image, const char *part)
{
    struct constraint_mask mask;
    struct constraint *c = constraints_open(all, image);
    assert_int_equal(wait_for(all, c, &mask), CONSTRAINT_FAILED);
    if (!strstr(mask.failure, part))
        fail_msg("\"%s\" does not hold \"%s\"", mask.failure, part);
    constraints_close(c);
}

static void what_cannot_be_built_or_costs_too_much_fails_alone(void **state)
{
    (void)state;
    struct constraints_options o = constraints_defaults;
    struct constraint_mask mask;
    struct constraints *all = make(o);
    struct constraint *good = constraints_open(all, buf_str(&languages[0].image));
    expect_failure(all, str_of("no image"), "cannot be built");
    assert_int_equal(wait_for(all, good, &mask), CONSTRAINT_READY);
    constraints_push(good, 'z' - ' '); /* not allowed at the start */
    assert_int_equal(wait_for(all, good, &mask), CONSTRAINT_FAILED);
    assert_non_null(strstr(mask.failure, "left its language"));
    constraints_close(good);
    constraints_free(all);
    o.build_fuel = 10;
    all = make(o);
    expect_failure(all, buf_str(&languages[0].image), "too large");
    constraints_free(all);
    o = constraints_defaults;
    o.mask_fuel = 10;
    all = make(o);
    expect_failure(all, buf_str(&languages[1].image), "too much work");
    constraints_free(all);
}

static void running_out_of_memory_is_no_mask(void **state)
{
    (void)state;
    struct constraints_options o = constraints_defaults;
    enum constraint_state seen = CONSTRAINT_FAILED;
    o.threaded = false;
    for (uint64_t n = 1; seen != CONSTRAINT_READY; n++) {
        struct constraints *all = make(o);
        struct constraint_mask mask;
        mem_fail_after(n, true);
        struct constraint *c = constraints_open(all, buf_str(&languages[2].image));
        seen = c ? constraints_look(c, &mask) : CONSTRAINT_FAILED;
        mem_fail_after(0, false);
        assert_true(seen != CONSTRAINT_PENDING);
        constraints_close(c);
        constraints_free(all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_sees_the_masks_of_its_own_text),
        cmocka_unit_test(crowded_and_forgotten_languages_are_built_again),
        cmocka_unit_test(languages_nobody_uses_are_kept_while_there_is_room),
        cmocka_unit_test(what_cannot_be_built_or_costs_too_much_fails_alone),
        cmocka_unit_test(running_out_of_memory_is_no_mask),
    };
    return cmocka_run_group_tests(tests, make_languages, free_languages);
}
