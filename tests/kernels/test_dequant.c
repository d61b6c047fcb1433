/* Decoders against stored values of an independent implementation (vectors/make_dequant.py), and every code of the 8- and 16-bit
 * formats against its definition. */
#include "tests/kernels/sweep.h"

#include "kernels/dequant.h"

static const char *const vectors_path = "tests/kernels/vectors/dequant.bin";

static unsigned char *read_vectors(size_t *len)
{
    FILE *f = fopen(vectors_path, "rb");
    if (!f)
        fail_msg("%s: cannot be opened; tests run in the repository's root", vectors_path);
    static unsigned char bytes[1 << 20];
    *len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_in_range(*len, 1, sizeof bytes - 1);
    return bytes;
}

struct record {
    enum dtype dtype;
    uint32_t n_blocks, block_bytes, block_elements;
    const unsigned char *blocks, *values; /* values: F32, any alignment */
};

static const unsigned char *next_record(const unsigned char *at, struct record *r)
{
    uint32_t head[4];
    memcpy(head, at, sizeof head);
    assert_true(dtype_from_gguf(head[0], &r->dtype));
    r->n_blocks = head[1];
    r->block_bytes = head[2];
    r->block_elements = head[3];
    assert_int_equal(r->block_bytes, dtype_info(r->dtype)->qblock_bytes);
    assert_int_equal(r->block_elements, dtype_info(r->dtype)->qblock_elems);
    r->blocks = at + sizeof head;
    r->values = r->blocks + (size_t)r->n_blocks * r->block_bytes;
    return r->values + (size_t)r->n_blocks * r->block_elements * sizeof(float);
}

static void check_block(const struct record *r, uint32_t b, const float *found, const char *how)
{
    float expected[256];
    double largest = 0;
    char shape[48];
    memcpy(expected, r->values + (size_t)b * r->block_elements * sizeof(float), r->block_elements * sizeof(float));
    snprintf(shape, sizeof shape, "block %u", b);
    for (uint32_t i = 0; i < r->block_elements; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (uint32_t i = 0; i < r->block_elements; i++) /* a minimum that cancels leaves the rounding of the larger parts */
        sweep_close(found[i], expected[i], 4e-7 * largest, how, dtype_info(r->dtype)->name, shape);
}

static void blocks_decode_as_elsewhere(void **state)
{
    (void)state;
    size_t len;
    unsigned n_records = 0;
    const unsigned char *at = read_vectors(&len), *end = at + len;
    for (struct record r; at < end; n_records++) {
        at = next_record(at, &r);
        assert_true(at <= end);
        size_t n = (size_t)r.n_blocks * r.block_elements, bytes = (size_t)r.n_blocks * r.block_bytes;
        float *all = malloc(n * sizeof *all);
        unsigned char *odd = malloc(bytes + 1);
        memcpy(odd + 1, r.blocks, bytes);
        dtype_to_f32(r.dtype, odd + 1, all, n);
        for (uint32_t b = 0; b < r.n_blocks; b++)
            check_block(&r, b, all + (size_t)b * r.block_elements, "dtype_to_f32");
        free(all);
        free(odd);
    }
    assert_int_equal(n_records, 12);
}

static void codes_and_scales_are_the_same_numbers(void **state)
{
    (void)state;
    size_t len;
    const unsigned char *at = read_vectors(&len), *end = at + len;
    for (struct record r; at < end;) {
        at = next_record(at, &r);
        unsigned group = dequant_group(r.dtype);
        for (uint32_t b = 0; b < r.n_blocks; b++) {
            int8_t codes[256];
            float scales[256 / DEQUANT_GROUP_MIN] = {0}, minimums[256 / DEQUANT_GROUP_MIN] = {0}, values[256];
            dequant_block(r.dtype, r.blocks + (size_t)b * r.block_bytes, codes, scales, minimums);
            for (uint32_t i = 0; i < r.block_elements; i++)
                values[i] = scales[i / group] * codes[i] - (dequant_has_minimum(r.dtype) ? minimums[i / group] : 0);
            check_block(&r, b, values, "dequant_block");
        }
    }
}

/* sign * mantissa * 2^exponent, from the fields of a small float. */
static double small_float(unsigned bits, unsigned exponent_bits, unsigned mantissa_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1, exponent = (int)(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
    double mantissa = bits & ((1u << mantissa_bits) - 1), sign = bits >> (exponent_bits + mantissa_bits) ? -1 : 1;
    if (!exponent)
        return sign * ldexp(mantissa, 1 - bias - (int)mantissa_bits);
    return sign * ldexp(mantissa + (1 << mantissa_bits), exponent - bias - (int)mantissa_bits);
}

static void every_small_float_has_its_value(void **state)
{
    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        uint8_t bits = (uint8_t)b;
        float value;
        dtype_to_f32(DTYPE_F8_E4M3, &bits, &value, 1);
        assert_true((b & 0x7F) == 0x7F ? isnan(value) : value == small_float(b, 4, 3));
    }
    for (unsigned b = 0; b < 65536; b++) {
        uint16_t bits = (uint16_t)b;
        float half, brain;
        dtype_to_f32(DTYPE_F16, &bits, &half, 1);
        dtype_to_f32(DTYPE_BF16, &bits, &brain, 1);
        if ((b & 0x7C00) == 0x7C00)
            assert_true(b & 0x3FF ? isnan(half) : half == (b & 0x8000 ? -INFINITY : INFINITY));
        else
            assert_true(half == small_float(b, 5, 10) && !signbit(half) == !(b >> 15));
        if ((b & 0x7F80) == 0x7F80)
            assert_true(b & 0x7F ? isnan(brain) : brain == (b & 0x8000 ? -INFINITY : INFINITY));
        else
            assert_true(brain == small_float(b, 8, 7));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_decode_as_elsewhere),
        cmocka_unit_test(codes_and_scales_are_the_same_numbers),
        cmocka_unit_test(every_small_float_has_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
