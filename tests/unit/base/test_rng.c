/* Random streams: bounds, evenness, repetition. */
#include "tests/support.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

static void bounded_numbers_are_even_and_repeat_by_seed(void **state)
{
    (void)state;
    static const uint32_t bounds[] = {1, 2, 3, 10, 97};
    for (size_t k = 0; k < sizeof bounds / sizeof *bounds; k++) {
        enum { DRAWS = 97000 };
        uint32_t counts[97] = {0};
        struct rng rng = rng_seeded(k), again = rng_seeded(k);
        for (int i = 0; i < DRAWS; i++) {
            uint32_t v = rng_below(&rng, bounds[k]);
            assert_true(v < bounds[k] && v == rng_below(&again, bounds[k]));
            counts[v]++;
        }
        double want = (double)DRAWS / bounds[k];
        for (uint32_t v = 0; v < bounds[k]; v++)
            assert_true(fabs(counts[v] - want) < 6 * sqrt(want) + 1);
    }
}

static void unit_numbers_stay_below_one_and_average_a_half(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(61);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double v = rng_next_unit(&rng);
        assert_true(v >= 0 && v < 1);
        sum += v;
    }
    assert_true(fabs(sum / 100000 - 0.5) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounded_numbers_are_even_and_repeat_by_seed),
        cmocka_unit_test(unit_numbers_stay_below_one_and_average_a_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
