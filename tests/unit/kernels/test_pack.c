/* Repacked weights hold the file's own numbers: decoding a panel gives what decoding the rows gives, for every type. */
#include "tests/support.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "kernels/cpu/pack.h"

enum { N_OUT = 37, N_IN_MAX = 512 }; /* the last panel has five rows */

static void fill(unsigned char *data, size_t bytes, enum dtype dtype, struct rng *rng)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (unsigned char)(rng_next_u32(rng) & (dtype_info(dtype)->qblock_elems > 1 ? 0x3F : 0x37)); /* all finite */
}

/* Codes may go through a scale and a minimum: values whose parts cancel keep the rounding of the parts. */
static void same(float found, float expected, float largest, enum dtype dtype, uint32_t o, uint32_t k)
{
    float off = found - expected;
    if (!(off <= 4e-7f * largest && -off <= 4e-7f * largest))
        fail_msg("%s [%u, %u]: %g in the panel, %g in the file", dtype_info(dtype)->name, o, k, (double)found, (double)expected);
}

static void check_panels(const struct matrix *m, const float *values)
{
    const struct packed *p = m->packed;
    float block[K_BLOCK * PANEL_ROWS], largest = 0;
    for (size_t i = 0; i < (size_t)N_OUT * m->n_in; i++)
        largest = values[i] > largest ? values[i] : -values[i] > largest ? -values[i] : largest;
    for (uint32_t panel = 0; panel < p->n_panels; panel++)
        for (uint32_t b = 0; b * K_BLOCK < m->n_in; b++) {
            pack_decode_block(p, panel, b, block);
            for (uint32_t k = 0; k < K_BLOCK; k++)
                for (uint32_t r = 0; r < PANEL_ROWS; r++) {
                    uint32_t o = panel * PANEL_ROWS + r, i = b * K_BLOCK + k;
                    bool inside = o < N_OUT && i < m->n_in;
                    same(block[k * PANEL_ROWS + r], inside ? values[(size_t)o * m->n_in + i] : 0, largest, m->dtype, o, i);
                }
        }
}

static void panels_hold_the_files_numbers(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(41);
    for (unsigned d = 0; d < DTYPE_COUNT; d++) {
        enum dtype dtype = (enum dtype)d;
        if (!dtype_is_weight(dtype))
            continue;
        uint32_t n_in = dtype_info(dtype)->qblock_elems == 1 ? 67 : N_IN_MAX;
        size_t row = dtype_row_bytes(dtype, n_in);
        unsigned char *data = malloc(N_OUT * row + 1);
        float *values = malloc((size_t)N_OUT * n_in * sizeof *values), scale[1] = {0.75f};
        struct error e;
        bool keeps;
        fill(data, N_OUT * row + 1, dtype, &rng);
        struct matrix m = {.dtype = dtype, .n_out = N_OUT, .n_in = n_in, .data = data + 1, .row_bytes = row};
        if (dtype == DTYPE_F8_E4M3) {
            m.scale = scale;
            m.scale_cols = 1;
        }
        support_ok(matrix_prepare(NULL, NUMERICS_FAST, &m, &keeps, &e), &e);
        assert_true(matrix_packed_bytes(&m) > 0);
        for (uint32_t o = 0; o < N_OUT; o++)
            dtype_to_f32(dtype, data + 1 + o * row, values + (size_t)o * n_in, n_in);
        for (size_t i = 0; dtype == DTYPE_F8_E4M3 && i < (size_t)N_OUT * n_in; i++)
            values[i] *= scale[0];
        memset(data, 0xEE, N_OUT * row + 1); /* the panels are a copy */
        check_panels(&m, values);
        matrix_release(&m);
        assert_int_equal(matrix_packed_bytes(&m), 0);
        matrix_release(&m); /* nothing is left to free */
        free(data);
        free(values);
    }
}

static void types_without_a_kernel_are_refused(void **state)
{
    (void)state;
    int64_t data[2] = {1, 2};
    struct error e;
    bool keeps;
    struct matrix m = {.dtype = DTYPE_I64, .n_out = 1, .n_in = 2, .data = data, .row_bytes = sizeof data};
    assert_int_equal(matrix_prepare(NULL, NUMERICS_EXACT, &m, &keeps, &e), STATUS_UNSUPPORTED);
    assert_non_null(strstr(e.message, "I64"));
    matrix_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panels_hold_the_files_numbers),
        cmocka_unit_test(types_without_a_kernel_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
