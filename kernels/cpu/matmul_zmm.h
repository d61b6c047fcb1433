/* The primitives of matmul_body.h on 512-bit registers, shared by the AVX-512 files. Those without VNNI define the dot
 * products by exact 16-bit arithmetic. */
#include <immintrin.h>
#include <string.h>

#include "kernels/cpu/matmul_kernels.h"
#include "kernels/cpu/simd.h"

#define W 16
#define MAX_COLUMNS 12
#define MAX_F32_COLUMNS 12
#define BYTE_DOT_IS_SIGNED 0

typedef __m512 mf;
typedef __m512i mi;

static inline mf mf_zero(void)
{
    return _mm512_setzero_ps();
}
static inline mf mf_set1(float x)
{
    return _mm512_set1_ps(x);
}
static inline mf mf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
static inline void mf_store(float *p, mf x)
{
    _mm512_storeu_ps(p, x);
}
static inline mf mf_add(mf a, mf b)
{
    return _mm512_add_ps(a, b);
}
static inline mf mf_sub(mf a, mf b)
{
    return _mm512_sub_ps(a, b);
}
static inline mf mf_mul(mf a, mf b)
{
    return _mm512_mul_ps(a, b);
}
static inline mf mf_fma(mf a, mf b, mf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
static inline mf mf_fnma(mf a, mf b, mf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
static inline mf mf_fmsub(mf a, mf b, mf c)
{
    return _mm512_fmsub_ps(a, b, c);
}
static inline mf mf_from_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
static inline mf mf_from_u8(const unsigned char *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}
static inline mf mf_from_bf16_pair(const unsigned char *p, unsigned odd)
{
    __m512i v = _mm512_loadu_si512(p);
    return _mm512_castsi512_ps(odd ? _mm512_and_si512(v, _mm512_set1_epi32((int)0xFFFF0000)) : _mm512_slli_epi32(v, 16));
}
static inline mf mf_from_mi(mi x)
{
    return _mm512_cvtepi32_ps(x);
}
static inline mi mi_zero(void)
{
    return _mm512_setzero_si512();
}
static inline mi mi_set1(int32_t x)
{
    return _mm512_set1_epi32(x);
}
static inline mi mi_load(const void *p)
{
    return _mm512_loadu_si512(p);
}
static inline mi mi_and(mi a, mi b)
{
    return _mm512_and_si512(a, b);
}
static inline mi mi_sub(mi a, mi b)
{
    return _mm512_sub_epi32(a, b);
}
static inline mi mi_shift_right(mi a, unsigned n)
{
    return _mm512_srl_epi32(a, _mm_cvtsi32_si128((int)n));
}
static inline mi mi_low_nibbles(mi v)
{
    return _mm512_and_si512(v, _mm512_set1_epi8(15));
}
static inline mi mi_high_nibbles(mi v)
{
    return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15));
}
static inline mi mi_broadcast4(const int8_t *x)
{
    int32_t four;
    memcpy(&four, x, 4);
    return _mm512_set1_epi32(four);
}
