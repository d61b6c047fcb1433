/* Matrix kernels for AVX-512 with VNNI and BF16: vpdpbusd for integers, vdpbf16ps for BF16 weights with BF16 activations
 * (pairs of inputs per lane; denormals are flushed, as the instruction does). */
#include "kernels/cpu/matmul_zmm.h"

static inline mi mi_nibbles_begin(int32_t start)
{
    return _mm512_set1_epi32(start);
}
static inline mi mi_nibbles_end(mi acc, int32_t start)
{
    (void)start;
    return acc;
}
static inline mi mi_dot_nibble(mi acc, mi codes, mi x)
{
    return _mm512_dpbusd_epi32(acc, codes, x);
}
static inline mi mi_dot_byte(mi acc, mi codes, mi x)
{
    return _mm512_dpbusd_epi32(acc, codes, x);
}

#include "kernels/cpu/matmul_body.h"
#include "kernels/cpu/quantise_body.h"

/* ---- BF16 activations: P panels times n rows ----------------------------------------------------------------- */

INLINE void tile_bf16(const struct panel_job *job, uint32_t panel, uint32_t row, unsigned n_panels, unsigned n)
{
    const unsigned char *w[4];
    const uint16_t *x[3];
    mf acc[4 * 12];
    uint32_t n_pairs = job->x->n_pairs;
#pragma GCC unroll 4
    for (unsigned p = 0; p < n_panels; p++)
        w[p] = packed_panel(job->w, panel + p);
#pragma GCC unroll 4
    for (unsigned i = 0; i < (n + QUAD_ROWS - 1) / QUAD_ROWS; i++)
        x[i] = job->x->bf16 + ((size_t)(row / QUAD_ROWS + i) * n_pairs * QUAD_ROWS + row % QUAD_ROWS) * 2;
#pragma GCC unroll 64
    for (unsigned i = 0; i < n_panels * n; i++)
        acc[i] = mf_zero();
    for (uint32_t k = 0; k < n_pairs; k++) {
        __m512bh wk[4];
#pragma GCC unroll 4
        for (unsigned p = 0; p < n_panels; p++)
            wk[p] = (__m512bh)_mm512_loadu_si512(w[p] + (size_t)k * 4 * PANEL_ROWS);
#pragma GCC unroll 16
        for (unsigned c = 0; c < n; c++) {
            int32_t pair;
            memcpy(&pair, x[c / QUAD_ROWS] + ((size_t)k * QUAD_ROWS + c % QUAD_ROWS) * 2, 4);
            __m512bh xk = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
            for (unsigned p = 0; p < n_panels; p++)
                acc[p * n + c] = _mm512_dpbf16_ps(acc[p * n + c], wk[p], xk);
        }
    }
#pragma GCC unroll 4
    for (unsigned p = 0; p < n_panels; p++)
        store_tile(job, panel + p, 0, row, acc + p * n, n);
}

#define BF16_ROWS(n_panels)                                                                                           \
    do {                                                                                                               \
        uint32_t row = job->row_begin;                                                                                 \
        for (; row + 12 <= job->row_end; row += 12)                                                                    \
            tile_bf16(job, panel, row, n_panels, 12);                                                                  \
        for (; row + 4 <= job->row_end; row += 4)                                                                      \
            tile_bf16(job, panel, row, n_panels, 4);                                                                   \
        for (; row < job->row_end; row++)                                                                              \
            tile_bf16(job, panel, row, n_panels, 1);                                                                   \
    } while (0)

static void run_bf16(const struct panel_job *job)
{
    uint32_t panel = job->panel_begin;
    if (job->row_end - job->row_begin <= 3) /* few rows: four panels give enough independent sums */
        for (; panel + 4 <= job->panel_end; panel += 4)
            for (uint32_t row = job->row_begin; row < job->row_end; row++)
                tile_bf16(job, panel, row, 4, 1);
    for (; panel + 2 <= job->panel_end; panel += 2)
        BF16_ROWS(2);
    for (; panel < job->panel_end; panel++)
        BF16_ROWS(1);
}

const struct matmul_kernels matmul_kernels_avx512_vnni = {run_f32, run_q8, run_bf16, quantise, round_bf16};
