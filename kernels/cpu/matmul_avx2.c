/* Matrix kernels for AVX2, FMA and F16C: registers of 8 rows, tiles of 4 activation rows. Integer products by maddubs:
 * nibbles are unsigned and cannot saturate (2 * 15 * 127 fits 16 bits); bytes go through |w| and sign(x, w), whose pairs
 * reach 2 * 128 * 127 = 32,512. */
#include <immintrin.h>
#include <string.h>

#include "kernels/cpu/matmul_kernels.h"
#include "kernels/cpu/simd.h"

#define W 8
#define MAX_COLUMNS 4
#define MAX_F32_COLUMNS 6
#define BYTE_DOT_IS_SIGNED 1

typedef __m256 mf;
typedef __m256i mi;

static inline mf mf_zero(void)
{
    return _mm256_setzero_ps();
}
static inline mf mf_set1(float x)
{
    return _mm256_set1_ps(x);
}
static inline mf mf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline void mf_store(float *p, mf x)
{
    _mm256_storeu_ps(p, x);
}
static inline mf mf_add(mf a, mf b)
{
    return _mm256_add_ps(a, b);
}
static inline mf mf_sub(mf a, mf b)
{
    return _mm256_sub_ps(a, b);
}
static inline mf mf_mul(mf a, mf b)
{
    return _mm256_mul_ps(a, b);
}
static inline mf mf_fma(mf a, mf b, mf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
static inline mf mf_fnma(mf a, mf b, mf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
static inline mf mf_fmsub(mf a, mf b, mf c)
{
    return _mm256_fmsub_ps(a, b, c);
}
static inline mf mf_from_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
static inline mf mf_from_u8(const unsigned char *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}
/* Lanes hold two bfloats; `odd` picks the high one. */
static inline mf mf_from_bf16_pair(const unsigned char *p, unsigned odd)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return _mm256_castsi256_ps(odd ? _mm256_and_si256(v, _mm256_set1_epi32((int)0xFFFF0000)) : _mm256_slli_epi32(v, 16));
}
static inline mf mf_from_mi(mi x)
{
    return _mm256_cvtepi32_ps(x);
}
static inline mi mi_zero(void)
{
    return _mm256_setzero_si256();
}
static inline mi mi_set1(int32_t x)
{
    return _mm256_set1_epi32(x);
}
static inline mi mi_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
static inline mi mi_and(mi a, mi b)
{
    return _mm256_and_si256(a, b);
}
static inline mi mi_sub(mi a, mi b)
{
    return _mm256_sub_epi32(a, b);
}
static inline mi mi_shift_right(mi a, unsigned n)
{
    return _mm256_srl_epi32(a, _mm_cvtsi32_si128((int)n));
}
static inline mi mi_low_nibbles(mi v)
{
    return _mm256_and_si256(v, _mm256_set1_epi8(15));
}
static inline mi mi_high_nibbles(mi v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}
static inline mi mi_broadcast4(const int8_t *x)
{
    int32_t four;
    memcpy(&four, x, 4);
    return _mm256_set1_epi32(four);
}
/* Sums stay in 16 bits over a block: 8 products of pairs reach 8 * 2 * 15 * 127 = 30,480. */
static inline mi mi_nibbles_begin(int32_t start)
{
    (void)start;
    return _mm256_setzero_si256();
}
static inline mi mi_dot_nibble(mi acc, mi codes, mi x)
{
    return _mm256_add_epi16(acc, _mm256_maddubs_epi16(codes, x));
}
static inline mi mi_nibbles_end(mi acc, int32_t start)
{
    return _mm256_add_epi32(_mm256_madd_epi16(acc, _mm256_set1_epi16(1)), _mm256_set1_epi32(start));
}
static inline mi mi_dot_byte(mi acc, mi codes, mi x)
{
    mi w = _mm256_xor_si256(codes, _mm256_set1_epi8((char)0x80));
    mi pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "kernels/cpu/matmul_body.h"
#include "kernels/cpu/quantise_body.h"

const struct matmul_kernels matmul_kernels_avx2 = {run_f32, run_q8, NULL, quantise, round_bf16};
