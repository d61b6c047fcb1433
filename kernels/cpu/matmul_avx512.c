/* Matrix kernels for AVX-512 without VNNI. */
#include "kernels/cpu/matmul_zmm.h"

/* Sums stay in 16 bits over a block: 8 products of pairs reach 8 * 2 * 15 * 127 = 30,480. */
static inline mi mi_nibbles_begin(int32_t start)
{
    (void)start;
    return _mm512_setzero_si512();
}
static inline mi mi_dot_nibble(mi acc, mi codes, mi x)
{
    return _mm512_add_epi16(acc, _mm512_maddubs_epi16(codes, x));
}
static inline mi mi_nibbles_end(mi acc, int32_t start)
{
    return _mm512_add_epi32(_mm512_madd_epi16(acc, _mm512_set1_epi16(1)), _mm512_set1_epi32(start));
}
/* Whole bytes would saturate in one maddubs (2 * 255 * 127): the low six bits and the top two are multiplied apart. */
static inline mi mi_dot_byte(mi acc, mi codes, mi x)
{
    const __m512i ones = _mm512_set1_epi16(1);
    __m512i low = _mm512_and_si512(codes, _mm512_set1_epi8(63)), high = _mm512_and_si512(_mm512_srli_epi16(codes, 6), _mm512_set1_epi8(3));
    __m512i a = _mm512_madd_epi16(_mm512_maddubs_epi16(low, x), ones);
    __m512i b = _mm512_madd_epi16(_mm512_maddubs_epi16(high, x), ones);
    return _mm512_add_epi32(acc, _mm512_add_epi32(a, _mm512_slli_epi32(b, 6)));
}

#include "kernels/cpu/matmul_body.h"
#include "kernels/cpu/quantise_body.h"

const struct matmul_kernels matmul_kernels_avx512 = {run_f32, run_q8, NULL, quantise, round_bf16};
