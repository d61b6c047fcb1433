/* The table of element types: ids and names to types and back, row sizes, rounding to bfloat. */
#include "tests/support.h"

#include <math.h>
#include <string.h>

#include "kernels/dtype.h"

static void every_type_is_found_by_its_file_names(void **state)
{
    (void)state;
    for (unsigned d = 0; d < DTYPE_COUNT; d++) {
        const struct dtype_info *info = dtype_info((enum dtype)d);
        enum dtype found;
        if (info->gguf_id >= 0) {
            assert_true(dtype_from_gguf((uint32_t)info->gguf_id, &found));
            assert_int_equal(found, d);
            assert_string_equal(dtype_gguf_name((uint32_t)info->gguf_id), info->name);
        }
        if (info->safetensors) {
            assert_true(dtype_from_safetensors(info->safetensors, strlen(info->safetensors), &found));
            assert_int_equal(found, d);
        }
        assert_true(info->gguf_id >= 0 || info->safetensors);
    }
}

static void unknown_types_are_not_found(void **state)
{
    (void)state;
    enum dtype found;
    assert_false(dtype_from_gguf(16, &found)); /* IQ2_XXS: known by name only */
    assert_string_equal(dtype_gguf_name(16), "IQ2_XXS");
    assert_false(dtype_from_gguf(4, &found)); /* withdrawn */
    assert_false(dtype_from_gguf(UINT32_MAX, &found));
    assert_null(dtype_gguf_name(UINT32_MAX));
    assert_false(dtype_from_safetensors("BF1", 3, &found));
    assert_false(dtype_from_safetensors("BF16x", 5, &found));
    assert_true(dtype_from_safetensors("BF16x", 4, &found)); /* the length counts */
    assert_false(dtype_from_safetensors("", 0, &found));
}

static void rows_are_whole_blocks(void **state)
{
    (void)state;
    assert_int_equal(dtype_row_bytes(DTYPE_F32, 3), 12);
    assert_int_equal(dtype_row_bytes(DTYPE_Q4_0, 64), 36);
    assert_int_equal(dtype_row_bytes(DTYPE_Q8_0, 32), 34);
    assert_int_equal(dtype_row_bytes(DTYPE_Q6_K, 7168), 28 * 210);
    assert_int_equal(dtype_row_bytes(DTYPE_F8_E4M3, 7168), 7168);
}

static void only_readable_types_are_weights(void **state)
{
    (void)state;
    static const enum dtype not_weights[] = {DTYPE_F64, DTYPE_I8, DTYPE_I32, DTYPE_BOOL, DTYPE_F8_E5M2, DTYPE_F8_E8M0};
    for (size_t i = 0; i < sizeof not_weights / sizeof not_weights[0]; i++)
        assert_false(dtype_is_weight(not_weights[i]));
    assert_true(dtype_is_weight(DTYPE_F8_E4M3) && dtype_is_weight(DTYPE_IQ4_XS) && dtype_is_weight(DTYPE_BF16));
}

static void bfloats_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = bf16_to_f32((uint16_t)h);
        if (isnan(f))
            assert_true(isnan(bf16_to_f32(bf16_from_f32(f))));
        else
            assert_int_equal(bf16_from_f32(f), h);
    }
    assert_int_equal(bf16_from_f32(0x1.01p0f), 0x3F80);      /* half way: to the even 1.0 */
    assert_int_equal(bf16_from_f32(0x1.03p0f), 0x3F82);      /* half way: up to the even one */
    assert_int_equal(bf16_from_f32(0x1.010002p0f), 0x3F81);  /* just above half way */
    assert_int_equal(bf16_from_f32(0x1.fffffep127f), 0x7F80); /* past the largest: infinity */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_found_by_its_file_names), cmocka_unit_test(unknown_types_are_not_found),
        cmocka_unit_test(rows_are_whole_blocks),                 cmocka_unit_test(only_readable_types_are_weights),
        cmocka_unit_test(bfloats_round_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
