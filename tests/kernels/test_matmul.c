/* Matrix products: every element type, table and numerics against a double-precision product over shape sweeps; bitwise equality
 * of a row alone and in a batch, and of integer forms across instruction sets. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "kernels/ops.h"
#include "kernels/thread_pool.h"

static const enum dtype types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16, DTYPE_F8_E4M3, DTYPE_Q8_0, DTYPE_Q4_0,
                                   DTYPE_Q4_1, DTYPE_Q5_0, DTYPE_Q5_1, DTYPE_Q2_K,    DTYPE_Q3_K, DTYPE_Q4_K,
                                   DTYPE_Q5_K, DTYPE_Q6_K, DTYPE_IQ4_NL, DTYPE_IQ4_XS};
enum { N_TYPES = sizeof types / sizeof types[0], ROWS_MAX = 70 };

static struct thread_pool *pool;

struct problem {
    struct matrix w;
    unsigned char *data; /* at an odd address */
    float *scale, *decoded, *x, *bias;
};

static float noise(struct rng *rng)
{
    return (float)(rng_next_unit(rng) * 2 - 1);
}

/* Random bytes of the type with scales of a sane size; extreme: all codes at one end. */
static void fill(struct problem *p, enum dtype dtype, uint32_t n_out, uint32_t n_in, struct rng *rng, bool extreme)
{
    const struct dtype_info *info = dtype_info(dtype);
    size_t bytes = dtype_row_bytes(dtype, n_in) * n_out;
    p->data = (unsigned char *)malloc(bytes + 1) + 1;
    for (size_t i = 0; i < bytes; i++)
        p->data[i] = extreme ? (rng_below(rng, 2) ? 0xFF : 0x80) : (unsigned char)rng_next_u32(rng);
    for (size_t b = 0; b < bytes; b += info->qblock_bytes) {
        unsigned char *at = p->data + b;
        uint16_t d = f16_from_f32(0.01f + 0.05f * (float)rng_next_unit(rng)), m = f16_from_f32(0.02f * noise(rng));
        float f = noise(rng);
        uint16_t half = dtype == DTYPE_F16 ? f16_from_f32(f) : bf16_from_f32(f);
        switch (dtype) {
        case DTYPE_F32:
            memcpy(at, &f, 4);
            break;
        case DTYPE_F16:
        case DTYPE_BF16:
            memcpy(at, &half, 2);
            break;
        case DTYPE_F8_E4M3:
            at[0] = (unsigned char)((at[0] & 0x7F) == 0x7F ? 0x7E : at[0]);
            break;
        case DTYPE_Q2_K:
            memcpy(at + 80, &d, 2);
            memcpy(at + 82, &m, 2);
            break;
        case DTYPE_Q3_K:
            memcpy(at + 108, &d, 2);
            break;
        case DTYPE_Q6_K:
            memcpy(at + 208, &d, 2);
            break;
        default:
            memcpy(at, &d, 2);
            if (dtype == DTYPE_Q4_1 || dtype == DTYPE_Q5_1 || dtype == DTYPE_Q4_K || dtype == DTYPE_Q5_K)
                memcpy(at + 2, &m, 2);
        }
    }
    p->w = (struct matrix){.dtype = dtype, .n_out = n_out, .n_in = n_in, .data = p->data,
                           .row_bytes = dtype_row_bytes(dtype, n_in)};
    uint32_t cols = (n_in + 127) / 128, rows = (n_out + 127) / 128;
    p->scale = malloc(rows * cols * sizeof(float));
    for (uint32_t i = 0; i < rows * cols; i++)
        p->scale[i] = 0.001f + 0.002f * (float)rng_next_unit(rng);
    if (dtype == DTYPE_F8_E4M3) {
        p->w.scale = p->scale;
        p->w.scale_cols = cols;
    }
    p->decoded = malloc((size_t)n_out * n_in * sizeof(float));
    for (uint32_t o = 0; o < n_out; o++) {
        dtype_to_f32(dtype, p->data + o * p->w.row_bytes, p->decoded + (size_t)o * n_in, n_in);
        for (uint32_t k = 0; k < n_in && dtype == DTYPE_F8_E4M3; k++)
            p->decoded[(size_t)o * n_in + k] *= p->scale[o / 128 * cols + k / 128];
    }
    p->x = malloc(ROWS_MAX * n_in * sizeof(float));
    for (size_t i = 0; i < (size_t)ROWS_MAX * n_in; i++)
        p->x[i] = noise(rng) * (1 + 3 * (float)(i % 7 == 0));
    p->bias = malloc(n_out * sizeof(float));
    for (uint32_t o = 0; o < n_out; o++)
        p->bias[o] = noise(rng);
}

static void release(struct problem *p)
{
    matrix_release(&p->w);
    free(p->data - 1);
    free(p->scale);
    free(p->decoded);
    free(p->x);
    free(p->bias);
}

static void multiply(const struct ops *ops, const struct problem *p, uint32_t first, uint32_t n_rows, float *y)
{
    struct ops_limits limits = {.n_rows_max = ROWS_MAX, .width_max = p->w.n_in, .head_dim_max = 1};
    struct launch launch = {.pool = pool, .workspace_bytes = ops->workspace_bytes(&limits, thread_pool_size(pool))};
    launch.workspace = mem_alloc_aligned(64, launch.workspace_bytes);
    memset(launch.workspace, 0xA5, launch.workspace_bytes);
    struct matmul_part part = {&p->w, p->bias, y, p->w.n_out};
    ops->matmul(&launch, &(struct matmul_args){&part, 1, p->x + (size_t)first * p->w.n_in, p->w.n_in, n_rows});
    mem_free(launch.workspace);
}

/* Largest error over all outputs as a share of what rounding allows: of the terms' size for float forms; half a step of each
 * activation block (its largest value / 127) times the weights it meets for integer forms. */
static double worst(const struct problem *p, uint32_t n_rows, const float *y, double relative, bool quantised)
{
    double most = 0;
    uint32_t n_in = p->w.n_in;
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t o = 0; o < p->w.n_out; o++) {
            const float *w = p->decoded + (size_t)o * n_in, *x = p->x + (size_t)r * n_in;
            double sum = p->bias[o], size = fabs(sum), steps = 0, block_weight = 0, block_max = 0;
            for (uint32_t k = 0; k < n_in; k++) {
                double t = (double)w[k] * x[k];
                sum += t;
                size += fabs(t);
                block_weight += fabs(w[k]);
                block_max = fmax(block_max, fabs(x[k]));
                if (k % 32 == 31 || k + 1 == n_in) {
                    steps += block_weight * block_max / 127 * 0.5;
                    block_weight = block_max = 0;
                }
            }
            double share = fabs(sum - y[(size_t)r * p->w.n_out + o]) / (size * relative + (quantised ? steps : 0) + 1e-9);
            if (!(share <= most))
                most = share;
        }
    return most;
}

static void sweep(enum dtype dtype, uint32_t n_out, uint32_t n_in, bool extreme)
{
    static const uint32_t rows[] = {1, 2, 3, 5, 12, 13, 27, ROWS_MAX};
    const char *names[8];
    unsigned n_tables = ops_cpu_list(names);
    struct rng rng = rng_seeded(n_out * 1000003u + n_in * 7u + dtype);
    struct problem p;
    struct error e;
    bool keeps;
    fill(&p, dtype, n_out, n_in, &rng, extreme);
    support_ok(matrix_prepare(NULL, NUMERICS_FAST, &p.w, &keeps, &e), &e);
    size_t bytes = (size_t)ROWS_MAX * n_out * sizeof(float);
    float *y = malloc(bytes), *one = malloc(n_out * sizeof(float)), *reference = malloc(bytes);
    for (int mode = NUMERICS_EXACT; mode <= NUMERICS_FAST; mode++)
        for (unsigned t = n_tables; t-- > 0;) { /* ref comes last in the list, first here */
            const struct ops *ops;
            support_ok(ops_cpu(names[t], (enum numerics)mode, &ops, &e), &e);
            bool integer = dtype_info(dtype)->qblock_elems > 1 && mode == NUMERICS_FAST;
            double relative = mode == NUMERICS_FAST && dtype == DTYPE_BF16 ? 0.004 : 3e-6;
            for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                memset(y, 0xFF, bytes);
                multiply(ops, &p, 0, rows[i], y);
                double error = worst(&p, rows[i], y, relative, integer);
                if (!(error <= 1))
                    fail_msg("%s %s numerics %d [%u, %u] rows %u: %g of the error allowed", dtype_info(dtype)->name, names[t], mode, n_out,
                             n_in, rows[i], error);
                for (uint32_t r = 0; r < rows[i]; r += 5) {
                    multiply(ops, &p, r, 1, one);
                    if (memcmp(one, y + (size_t)r * n_out, n_out * sizeof(float)) != 0)
                        fail_msg("%s %s numerics %d [%u, %u]: row %u of %u differs from itself alone", dtype_info(dtype)->name,
                                 names[t], mode, n_out, n_in, r, rows[i]);
                }
            }
            if (!integer)
                continue;
            if (strcmp(names[t], "ref") == 0)
                memcpy(reference, y, bytes);
            else if (memcmp(reference, y, bytes) != 0)
                fail_msg("%s: %s and ref differ in bits at [%u, %u]", dtype_info(dtype)->name, names[t], n_out, n_in);
        }
    free(y);
    free(one);
    free(reference);
    release(&p);
}

static void every_type_multiplies_correctly_at_odd_shapes(void **state)
{
    (void)state;
    static const uint32_t outs[] = {1, 15, 16, 17, 65, 130}, plain_ins[] = {1, 2, 31, 33, 100, 128, 257, 300};
    for (unsigned t = 0; t < N_TYPES; t++) {
        uint32_t block = dtype_info(types[t])->qblock_elems;
        for (unsigned o = 0; o < sizeof outs / sizeof outs[0]; o++)
            for (unsigned i = 0; i < (block == 1 ? sizeof plain_ins / sizeof plain_ins[0] : 3); i++)
                sweep(types[t], outs[o], block == 1 ? plain_ins[i] : block * (i * 2 + 1), false);
    }
}

static void extreme_codes_do_not_saturate(void **state)
{
    (void)state;
    for (unsigned t = 0; t < N_TYPES; t++)
        if (dtype_info(types[t])->qblock_elems > 1)
            sweep(types[t], 33, 512, true);
}

static void a_value_that_is_not_finite_is_not_hidden(void **state)
{
    (void)state;
    const char *names[8];
    unsigned n_tables = ops_cpu_list(names);
    for (unsigned t = 0; t < n_tables; t++)
        for (int mode = 0; mode < 2; mode++) {
            struct rng rng = rng_seeded(5);
            struct problem p;
            struct error e;
            bool keeps;
            const struct ops *ops;
            float y[2 * 16];
            fill(&p, DTYPE_Q4_0, 16, 64, &rng, false);
            p.x[64 + 40] = mode ? NAN : INFINITY;
            support_ok(matrix_prepare(NULL, NUMERICS_FAST, &p.w, &keeps, &e), &e);
            support_ok(ops_cpu(names[t], NUMERICS_FAST, &ops, &e), &e);
            multiply(ops, &p, 0, 2, y);
            for (int i = 0; i < 16; i++) {
                assert_true(isfinite(y[i]));
                assert_false(isfinite(y[16 + i]));
            }
            release(&p);
        }
}

/* models.md 9.4, and blocks of known bytes: byte i = (37 i + 11) mod 256, d = 0x2E66, second half = 0x2A66. */
static void decoders_match_the_golden_blocks(void **state)
{
    (void)state;
    static const struct {
        enum dtype dtype;
        int d_at, m_at;
        double first, second, sum, weighted;
    } golden[] = {
        {DTYPE_Q4_0, 0, -1, -0.2999268, 0.1999512, -2.099487, -51.7874},
        {DTYPE_Q4_1, 0, 2, 1.549622, 0.4498901, 26.093628, 424.5963},
        {DTYPE_Q5_0, 0, -1, 0.8997803, -0.1999512, 1.499634, 11.1973},
        {DTYPE_Q5_1, 0, 2, 1.949524, 2.449402, 52.087280, 816.3007},
        {DTYPE_Q8_0, 0, -1, 8.497925, 12.19702, -17.595703, -807.8027},
        {DTYPE_Q2_K, 80, 82, 3.299194, 0, 205.849731, 24307.0642},
        {DTYPE_Q3_K, 108, -1, 8.098022, -10.79736, 95.776611, 17710.1752},
        {DTYPE_Q4_K, 0, 2, 31.5423, -2.549377, 5442.670898, 757099.1162},
        {DTYPE_Q5_K, 0, 2, 81.13019, -2.549377, 11618.762695, 1602353.5049},
        {DTYPE_Q6_K, 208, -1, -143.0651, 169.5586, 461.087402, 78422.8491},
        {DTYPE_IQ4_NL, 0, -1, -3.499146, 2.49939, -25.693726, -691.7311},
        {DTYPE_IQ4_XS, 0, -1, 6.498413, -0.09997559, -1100.231323, -209062.3469},
    };
    for (size_t g = 0; g < sizeof golden / sizeof golden[0]; g++) {
        const struct dtype_info *info = dtype_info(golden[g].dtype);
        unsigned char block[512];
        float x[256];
        static const unsigned char d[2] = {0x66, 0x2E}, m[2] = {0x66, 0x2A};
        for (unsigned i = 0; i < info->qblock_bytes; i++)
            block[i] = (unsigned char)(37 * i + 11);
        memcpy(block + golden[g].d_at, d, 2);
        if (golden[g].m_at >= 0)
            memcpy(block + golden[g].m_at, m, 2);
        dtype_to_f32(golden[g].dtype, block, x, info->qblock_elems);
        double sum = 0, weighted = 0;
        for (unsigned i = 0; i < info->qblock_elems; i++) {
            sum += x[i];
            weighted += (i + 1) * (double)x[i];
        }
        bool ok = fabs(x[0] - golden[g].first) <= 1e-4 * (1 + fabs(golden[g].first)) &&
                  fabs(x[1] - golden[g].second) <= 1e-4 * (1 + fabs(golden[g].second)) &&
                  fabs(sum - golden[g].sum) <= 1e-4 * (1 + fabs(golden[g].sum)) &&
                  fabs(weighted - golden[g].weighted) <= 1e-5 * (1 + fabs(golden[g].weighted));
        if (!ok)
            fail_msg("%s: %g %g sum %g weighted %g", info->name, x[0], x[1], sum, weighted);
    }
    static const struct {
        uint8_t bits;
        float value;
    } e4m3[] = {{0x00, 0},      {0x01, 0.001953125f}, {0x07, 0.013671875f}, {0x08, 0.015625f}, {0x2F, 0.46875f},
                {0x38, 1},      {0x39, 1.125f},       {0x40, 2},            {0x5A, 20},        {0x7E, 448},
                {0xB8, -1},     {0xC3, -2.75f},       {0xFE, -448}};
    for (size_t i = 0; i < sizeof e4m3 / sizeof e4m3[0]; i++)
        assert_true(e4m3_to_f32(e4m3[i].bits) == e4m3[i].value);
    assert_true(isnan(e4m3_to_f32(0x7F)) && isnan(e4m3_to_f32(0xFF)));
}

static void halves_round_trip_and_round_to_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = f16_to_f32((uint16_t)h);
        if (isnan(f))
            assert_true(isnan(f16_to_f32(f16_from_f32(f))));
        else
            assert_int_equal(f16_from_f32(f), h);
    }
    struct rng rng = rng_seeded(3);
    for (int i = 0; i < 1000000; i++) { /* nearest: no neighbour is closer, ties go to the even one */
        float f = ldexpf(noise(&rng), (int)rng_below(&rng, 40) - 25);
        uint16_t h = f16_from_f32(f);
        double here = fabs((double)f16_to_f32(h) - f);
        for (int step = -1; step <= 1; step += 2) {
            uint16_t other = (uint16_t)(h + step);
            if (((other ^ h) & 0x8000) || (other & 0x7FFF) >= 0x7C00)
                continue;
            double there = fabs((double)f16_to_f32(other) - f);
            assert_true(here < there || (here == there && !(h & 1)));
        }
    }
}

static int make_pool(void **state)
{
    (void)state;
    struct error e;
    return thread_pool_create(3, &pool, &e);
}

static int free_pool(void **state)
{
    (void)state;
    thread_pool_free(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoders_match_the_golden_blocks),
        cmocka_unit_test(halves_round_trip_and_round_to_even),
        cmocka_unit_test(every_type_multiplies_correctly_at_odd_shapes),
        cmocka_unit_test(extreme_codes_do_not_saturate),
        cmocka_unit_test(a_value_that_is_not_finite_is_not_hidden),
    };
    return cmocka_run_group_tests(tests, make_pool, free_pool);
}
