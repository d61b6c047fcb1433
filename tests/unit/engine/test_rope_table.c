/* Rotary frequencies under each scaling rule against published values. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>

#include "engine/model/rope_table.h"

static void near(double found, double expected, double relative)
{
    if (!(fabs(found - expected) <= relative * fabs(expected)))
        fail_msg("found %.10g, expected %.10g", found, expected);
}

static const struct rope_config deepseek = {.scaling = ROPE_SCALING_YARN, .theta = 10000, .factor = 40, .original_context = 4096,
                                            .beta_fast = 32, .beta_slow = 1, .mscale = 1, .mscale_all_dim = 1};

static void deepseek_frequencies_are_as_published(void **state)
{
    (void)state;
    static const struct {
        int i;
        double frequency;
    } golden[] = {{0, 1},           {1, 0.749894209},     {10, 0.0562341325},   {11, 0.0390069266},   {12, 0.0268793601},
                  {16, 0.0055},     {20, 0.000790569415}, {22, 0.000177827941}, {23, 3.33380358e-05}, {31, 3.33380358e-06}};
    double f[32], multiplier, softmax;
    rope_table_frequencies(&deepseek, 64, f, &multiplier, &softmax);
    for (size_t g = 0; g < sizeof golden / sizeof golden[0]; g++)
        near(f[golden[g].i], golden[g].frequency, 1e-7);
    near(multiplier, 1, 1e-12);
    near(softmax, pow(0.1 * log(40) + 1, 2), 1e-12);
}

static void v2_scales_its_scores_by_its_own_mscale(void **state)
{
    (void)state;
    double f[32], multiplier, softmax;
    struct rope_config v2 = deepseek;
    v2.mscale = v2.mscale_all_dim = 0.707f;
    rope_table_frequencies(&v2, 64, f, &multiplier, &softmax);
    near(multiplier, 1, 1e-12);
    near(softmax, 1.5896262, 1e-6);
    near(softmax / sqrt(192), 0.11472139, 1e-6);
    v2.mscale_all_dim = 0.5f; /* unequal: cosines and sines carry the rest */
    rope_table_frequencies(&v2, 64, f, &multiplier, &softmax);
    near(multiplier, (0.0707 * log(40) + 1) / (0.05 * log(40) + 1), 1e-6);
}

static void rotations_are_as_published(void **state)
{
    (void)state;
    enum { POSITIONS = 100001, DIMS = 64, HALF = DIMS / 2 };
    static const struct {
        uint32_t position, i;
        double cosine, sine;
    } golden[] = {
        {1000, 0, 0.5623791, 0.8268795},     {1000, 1, -0.5845793, 0.8113366},     {1000, 11, 0.2599608, 0.9656192},
        {1000, 16, 0.7086698, -0.7055403},   {1000, 23, 0.9994443, 0.0333319},     {1000, 31, 0.9999944, 0.0033338},
        {100000, 0, -0.9993608, 0.0357488},  {100000, 16, -0.9756161, -0.2194841}, {100000, 31, 0.9449416, 0.3272391},
    };
    double f[HALF], multiplier, softmax;
    float *table = malloc((size_t)POSITIONS * DIMS * sizeof *table);
    assert_non_null(table);
    rope_table_frequencies(&deepseek, DIMS, f, &multiplier, &softmax);
    rope_table_fill(table, POSITIONS, DIMS, f, multiplier);
    for (size_t g = 0; g < sizeof golden / sizeof golden[0]; g++) {
        const float *row = table + (size_t)golden[g].position * DIMS;
        near(row[golden[g].i], golden[g].cosine, 1e-5);
        near(row[HALF + golden[g].i], golden[g].sine, 1e-5);
    }
    free(table);
}

static void llama3_divides_long_waves(void **state)
{
    (void)state;
    static const struct {
        int i;
        double divisor;
    } golden[] = {{0, 1},         {28, 1},        {29, 1.207484}, {30, 1.55341}, {31, 2.02631},
                  {32, 2.694530}, {33, 3.68425}, {34, 5.257327}, {35, 8},       {63, 8}};
    double f[64], multiplier, softmax;
    struct rope_config r = {.scaling = ROPE_SCALING_LLAMA3, .theta = 500000, .factor = 8, .original_context = 8192,
                            .low_freq_factor = 1, .high_freq_factor = 4};
    rope_table_frequencies(&r, 128, f, &multiplier, &softmax);
    for (size_t g = 0; g < sizeof golden / sizeof golden[0]; g++)
        near(pow(500000, -2.0 * golden[g].i / 128) / f[golden[g].i], golden[g].divisor, 5e-6);
    near(f[32], 0.000524846161, 1e-8);
    near(f[63], 3.06892599e-07, 1e-8);
    near(multiplier * softmax, 1, 1e-12);
}

static void divisors_of_a_file_divide(void **state)
{
    (void)state;
    static const float divisors[4] = {1, 2, 4, 8};
    double plain[4], divided[4], multiplier, softmax;
    struct rope_config r = {.theta = 10000, .factor = 1};
    rope_table_frequencies(&r, 8, plain, &multiplier, &softmax);
    r.divisors = divisors;
    rope_table_frequencies(&r, 8, divided, &multiplier, &softmax);
    for (int i = 0; i < 4; i++)
        near(divided[i], plain[i] / divisors[i], 1e-12);
}

static void qwen3_distill_frequencies_are_as_published(void **state)
{
    (void)state;
    static const struct {
        int i;
        double frequency;
    } golden[] = {{0, 1},           {1, 0.805842188},       {23, 0.00697830585},  {24, 0.00537532149},
                  {30, 0.00106436098}, {39, 6.49039432e-05}, {40, 4.44569853e-05}, {63, 3.1023444e-07}};
    double f[64], multiplier, softmax;
    struct rope_config r = {.scaling = ROPE_SCALING_YARN, .theta = 1000000, .factor = 4, .original_context = 32768, .beta_fast = 32,
                            .beta_slow = 1, .attn_factor = 0.8782488562869419f};
    rope_table_frequencies(&r, 128, f, &multiplier, &softmax);
    for (size_t g = 0; g < sizeof golden / sizeof golden[0]; g++)
        near(f[golden[g].i], golden[g].frequency, 1e-7);
    near(multiplier, 0.8782488562869419 * (0.1 * log(4) + 1), 1e-7);
    near(softmax, 1, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deepseek_frequencies_are_as_published), cmocka_unit_test(v2_scales_its_scores_by_its_own_mscale),
        cmocka_unit_test(rotations_are_as_published),            cmocka_unit_test(llama3_divides_long_waves),
        cmocka_unit_test(divisors_of_a_file_divide),             cmocka_unit_test(qwen3_distill_frequencies_are_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
