/* The row-wise ops against double precision over odd widths; a row alone and in a batch are equal in bits; nothing is written
 * beyond a row's width. */
#include "tests/kernels/sweep.h"

static struct thread_pool *pool;
static const uint32_t widths[] = {1, 2, 7, 15, 16, 17, 31, 33, 63, 64, 65, 100, 130, 576, 1000};
static const uint32_t row_counts[] = {1, 2, 5, 90};
enum { N_WIDTHS = sizeof widths / sizeof widths[0], N_ROWS = sizeof row_counts / sizeof row_counts[0], PADDING = 3 };
static const float untouched = 12345.0f;

static struct launch launch(const struct ops *ops)
{
    return sweep_launch(ops, pool, &(struct ops_limits){.n_rows_max = 1, .width_max = 1, .head_dim_max = 1});
}

static void fill_untouched(float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = untouched;
}

static void check_padding(const float *y, uint32_t n_rows, uint32_t width, const char *op)
{
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t i = width; i < width + PADDING; i++)
            if (y[(size_t)r * (width + PADDING) + i] != untouched)
                fail_msg("%s wrote past the end of a row of %u", op, width);
}

static void norm_case(const struct ops *ops, uint32_t n_rows, uint32_t width, struct rng *rng)
{
    size_t stride = width + PADDING;
    struct launch l = launch(ops);
    float *x = sweep_floats(rng, n_rows * stride), *gain = sweep_floats(rng, width), *y = sweep_floats(rng, n_rows * stride);
    float *one = sweep_floats(rng, width);
    char shape[64];
    snprintf(shape, sizeof shape, "[%u, %u]", n_rows, width);
    for (uint32_t i = 0; i < width; i++)
        x[i] *= 1e-4f; /* where eps counts */
    fill_untouched(y, n_rows * stride);
    ops->rms_norm(&l, &(struct rms_norm_args){x, stride, gain, 1e-6f, y, stride, n_rows, width});
    check_padding(y, n_rows, width, "rms_norm");
    for (uint32_t r = 0; r < n_rows; r++) {
        double sum = 0;
        for (uint32_t i = 0; i < width; i++)
            sum += (double)x[r * stride + i] * x[r * stride + i];
        double scale = 1 / sqrt(sum / width + 1e-6);
        for (uint32_t i = 0; i < width; i++) {
            double expected = gain[i] * x[r * stride + i] * scale;
            sweep_close(y[r * stride + i], expected, 2e-6 * fabs(expected) + 1e-30, "rms_norm", ops->name, shape);
        }
        ops->rms_norm(&l, &(struct rms_norm_args){x + r * stride, stride, gain, 1e-6f, one, width, 1, width});
        assert_memory_equal(one, y + r * stride, width * sizeof *one);
    }
    ops->rms_norm(&l, &(struct rms_norm_args){x, stride, gain, 1e-6f, x, stride, n_rows, width}); /* in place */
    for (uint32_t r = 0; r < n_rows; r++)
        assert_memory_equal(x + r * stride, y + r * stride, width * sizeof *x);
    mem_free(l.workspace);
    free(x);
    free(gain);
    free(y);
    free(one);
}

static void add_case(const struct ops *ops, uint32_t n_rows, uint32_t width, struct rng *rng)
{
    size_t stride = width + PADDING;
    struct launch l = launch(ops);
    float *x = sweep_floats(rng, n_rows * stride), *y = sweep_floats(rng, n_rows * width), *sum = malloc(n_rows * stride * sizeof *sum);
    memcpy(sum, x, n_rows * stride * sizeof *x);
    ops->add(&l, &(struct add_args){sum, stride, y, width, n_rows, width});
    for (uint32_t r = 0; r < n_rows; r++)
        for (uint32_t i = 0; i < stride; i++)
            assert_true(sum[r * stride + i] == (i < width ? x[r * stride + i] + y[(size_t)r * width + i] : x[r * stride + i]));
    mem_free(l.workspace);
    free(x);
    free(y);
    free(sum);
}

static double silu(double z)
{
    return z / (1 + exp(-z));
}

static void silu_case(const struct ops *ops, uint32_t n_rows, uint32_t width, struct rng *rng)
{
    size_t stride = width + PADDING;
    struct launch l = launch(ops);
    float *gate = sweep_floats(rng, n_rows * stride), *up = sweep_floats(rng, n_rows * stride), *y = sweep_floats(rng, n_rows * stride);
    float *one = sweep_floats(rng, width);
    char shape[64];
    snprintf(shape, sizeof shape, "[%u, %u]", n_rows, width);
    for (size_t i = 0; i < n_rows * stride; i++)
        gate[i] *= i % 3 ? 4.0f : 60.0f;
    fill_untouched(y, n_rows * stride);
    ops->gated_silu(&l, &(struct gated_silu_args){gate, up, stride, y, stride, n_rows, width});
    check_padding(y, n_rows, width, "gated_silu");
    for (uint32_t r = 0; r < n_rows; r++) {
        for (uint32_t i = 0; i < width; i++) {
            double expected = silu(gate[r * stride + i]) * up[r * stride + i];
            sweep_close(y[r * stride + i], expected, 2e-6 * fabs(expected) + 1e-30, "gated_silu", ops->name, shape);
        }
        ops->gated_silu(&l, &(struct gated_silu_args){gate + r * stride, up + r * stride, stride, one, width, 1, width});
        assert_memory_equal(one, y + r * stride, width * sizeof *one);
    }
    ops->gated_silu(&l, &(struct gated_silu_args){gate, up, stride, gate, stride, n_rows, width}); /* in place */
    for (uint32_t r = 0; r < n_rows; r++)
        assert_memory_equal(gate + r * stride, y + r * stride, width * sizeof *y);
    mem_free(l.workspace);
    free(gate);
    free(up);
    free(y);
    free(one);
}

static void over_shapes(void (*one)(const struct ops *, uint32_t, uint32_t, struct rng *))
{
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(7);
    for (unsigned t = 0; t < n; t++)
        for (unsigned w = 0; w < N_WIDTHS; w++)
            for (unsigned r = 0; r < N_ROWS; r++)
                one(tables[t], row_counts[r], widths[w], &rng);
}

static void norms_agree_at_every_width(void **state)
{
    (void)state;
    over_shapes(norm_case);
}

static void sums_are_exact(void **state)
{
    (void)state;
    over_shapes(add_case);
}

static void gated_silu_agrees_at_every_width(void **state)
{
    (void)state;
    over_shapes(silu_case);
}

static void gated_silu_keeps_its_limits(void **state)
{
    (void)state;
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    for (unsigned t = 0; t < n; t++) {
        struct launch l = launch(tables[t]);
        float gate[17], up[17], y[17];
        for (int i = 0; i < 17; i++) {
            gate[i] = (float[]){0.0f, 1e4f, -1e4f, 88.8f, -88.8f, -104.0f}[i % 6];
            up[i] = 2;
        }
        gate[16] = NAN; /* a fault upstream stays visible */
        tables[t]->gated_silu(&l, &(struct gated_silu_args){gate, up, 17, y, 17, 1, 17});
        for (int i = 0; i < 16; i++)
            sweep_close(y[i], 2 * silu(gate[i]), 2e-5 * fabs(gate[i]) + 1e-30, "gated_silu", tables[t]->name, "limits");
        assert_true(isnan(y[16]));
        mem_free(l.workspace);
    }
}

static void zero_rows_stay_zero_under_norms(void **state)
{
    (void)state;
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    for (unsigned t = 0; t < n; t++) {
        struct launch l = launch(tables[t]);
        float x[33] = {0}, gain[33], y[33];
        for (int i = 0; i < 33; i++)
            gain[i] = 1;
        tables[t]->rms_norm(&l, &(struct rms_norm_args){x, 33, gain, 1e-6f, y, 33, 1, 33});
        for (int i = 0; i < 33; i++)
            assert_true(y[i] == 0);
        mem_free(l.workspace);
    }
}

/* Heads of n_dims + 5 elements with a rotated part at element 2; what lies around it stays. */
static void rope_case(const struct ops *ops, uint32_t n_rows, uint32_t n_heads, uint32_t n_dims, bool interleaved, struct rng *rng)
{
    enum { POSITIONS = 40, BEFORE = 2, AROUND = 5 };
    uint32_t head = n_dims + AROUND, half = n_dims / 2;
    size_t row = (size_t)n_heads * head + PADDING;
    struct launch l = launch(ops);
    float *x = sweep_floats(rng, n_rows * row), *was = malloc(n_rows * row * sizeof *was), *table = sweep_floats(rng, POSITIONS * n_dims);
    float *one = malloc(row * sizeof *one);
    uint32_t positions[90];
    char shape[64];
    snprintf(shape, sizeof shape, "[%u, %u, %u]%s", n_rows, n_heads, n_dims, interleaved ? " interleaved" : "");
    for (uint32_t r = 0; r < n_rows; r++)
        positions[r] = rng_below(rng, POSITIONS);
    memcpy(was, x, n_rows * row * sizeof *x);
    struct rope_args a = {.x = x, .row_stride = row, .head_stride = head, .n_rows = n_rows, .n_heads = n_heads, .offset = BEFORE,
                          .n_dims = n_dims, .positions = positions, .cos_sin = table, .interleaved = interleaved};
    ops->rope(&l, &a);
    for (uint32_t r = 0; r < n_rows; r++) {
        for (size_t at = 0; at < row; at++) {
            uint32_t h = (uint32_t)(at / head), i = (uint32_t)(at % head) - BEFORE;
            if (h >= n_heads || at % head < BEFORE || i >= n_dims) {
                assert_true(x[r * row + at] == was[r * row + at]);
                continue;
            }
            const float *base = was + r * row + h * head + BEFORE, *angles = table + positions[r] * n_dims;
            uint32_t pair = interleaved ? i / 2 : i % half;
            bool second = interleaved ? i % 2 : i >= half;
            double p = base[interleaved ? 2 * pair : pair], q = base[interleaved ? 2 * pair + 1 : pair + half];
            double c = angles[pair], s = angles[half + pair];
            sweep_close(x[r * row + at], second ? p * s + q * c : p * c - q * s, 3e-7, "rope", ops->name, shape);
        }
        memcpy(one, was + r * row, row * sizeof *one);
        struct rope_args alone = a;
        alone.x = one;
        alone.n_rows = 1;
        alone.positions = positions + r;
        ops->rope(&l, &alone);
        assert_memory_equal(one, x + r * row, row * sizeof *one);
    }
    mem_free(l.workspace);
    free(x);
    free(was);
    free(table);
    free(one);
}

static void rotations_agree_in_both_layouts(void **state)
{
    (void)state;
    static const uint32_t dims[] = {2, 6, 16, 30, 32, 34, 64, 128};
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(8);
    for (unsigned t = 0; t < n; t++)
        for (unsigned d = 0; d < sizeof dims / sizeof dims[0]; d++)
            for (unsigned r = 0; r < N_ROWS; r++) {
                rope_case(tables[t], row_counts[r], 1 + r * 2, dims[d], false, &rng);
                rope_case(tables[t], row_counts[r], 1 + r * 2, dims[d], true, &rng);
            }
}

static void embeddings_are_the_decoded_rows(void **state)
{
    (void)state;
    static const enum dtype dtypes[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0, DTYPE_Q4_1, DTYPE_Q6_K};
    enum { VOCABULARY = 11, WIDTH = 512, ROWS = 23 };
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(9);
    for (unsigned d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++) {
        size_t row = dtype_row_bytes(dtypes[d], WIDTH), stride = WIDTH + PADDING;
        unsigned char *data = (unsigned char *)malloc(VOCABULARY * row + 1) + 1; /* at an odd address */
        for (size_t i = 0; i < VOCABULARY * row; i++)
            data[i] = (unsigned char)(rng_next_u32(&rng) & 0x3F); /* keeps every half and float finite */
        struct matrix table = {.dtype = dtypes[d], .n_out = VOCABULARY, .n_in = WIDTH, .data = data, .row_bytes = row};
        uint32_t ids[ROWS];
        for (unsigned r = 0; r < ROWS; r++)
            ids[r] = rng_below(&rng, VOCABULARY);
        for (unsigned t = 0; t < n; t++) {
            struct launch l = launch(tables[t]);
            float *y = malloc(ROWS * stride * sizeof *y), expected[WIDTH];
            fill_untouched(y, ROWS * stride);
            tables[t]->embed(&l, &(struct embed_args){&table, ids, ROWS, y, stride});
            check_padding(y, ROWS, WIDTH, "embed");
            for (unsigned r = 0; r < ROWS; r++) {
                dtype_to_f32(dtypes[d], data + ids[r] * row, expected, WIDTH);
                assert_memory_equal(y + r * stride, expected, sizeof expected);
            }
            free(y);
            mem_free(l.workspace);
        }
        free(data - 1);
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
        cmocka_unit_test(norms_agree_at_every_width),
        cmocka_unit_test(zero_rows_stay_zero_under_norms),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(gated_silu_agrees_at_every_width),
        cmocka_unit_test(gated_silu_keeps_its_limits),
        cmocka_unit_test(rotations_agree_in_both_layouts),
        cmocka_unit_test(embeddings_are_the_decoded_rows),
    };
    return cmocka_run_group_tests(tests, make_pool, free_pool);
}
