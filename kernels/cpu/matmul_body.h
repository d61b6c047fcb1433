/* The matrix kernels, written once over one register of W lanes and compiled once per instruction set. The including file
 * defines, for its set:
 *   W            lanes of a register (16 or 8); HALVES = 16 / W
 *   MAX_COLUMNS  activation rows of the widest tile (what the registers hold)
 *   mf, mi       a register of W floats, of W 32-bit integers
 *   mf_* mi_*    the primitives used below; mi_dot_byte(acc, codes, x)
 *   mi_nibbles_begin(start), mi_dot_nibble(acc, codes 0..15, x), mi_nibbles_end(acc, start)  a sum of eight dot products
 *   BYTE_DOT_IS_SIGNED  1 when mi_dot_byte multiplies (code - 128), else it multiplies the code and the sum starts
 *                at -128 * sum(x)
 * x is four activation codes broadcast to all lanes. */

#ifndef W
#error "define the primitives first"
#endif

enum { HALVES = PANEL_ROWS / W, QUADS_MAX = MAX_COLUMNS / QUAD_ROWS };

#define INLINE static inline __attribute__((always_inline))

/* Adds the bias and stores the lanes that exist. */
INLINE void store_tile(const struct panel_job *job, uint32_t panel, unsigned half, uint32_t row, const mf *acc, unsigned n)
{
    uint32_t o = panel * PANEL_ROWS + half * W;
    uint32_t left = o < job->w->n_out ? job->w->n_out - o : 0;
    if (!left)
        return;
#pragma GCC unroll 16
    for (unsigned c = 0; c < n; c++) {
        float *y = job->y + (size_t)(row + c) * job->y_stride + o;
        if (left >= W) {
            mf_store(y, job->bias ? mf_add(acc[c], mf_load(job->bias + o)) : acc[c]);
        } else {
            float lanes[W];
            mf_store(lanes, acc[c]);
            for (uint32_t i = 0; i < left; i++)
                y[i] = job->bias ? lanes[i] + job->bias[o + i] : lanes[i];
        }
    }
}

/* ---- Integer tiles: one half panel times n rows --------------------------------------------------------------- */

/* The n rows of a tile: whole quads, or n rows of one quad from `lane` on. Tiles of 4 and more begin at a quad. */
struct tile_rows {
    const struct quad_block *quad[QUADS_MAX];
    unsigned lane, n;
};

/* One number of row c from each quad's block, broadcast by the caller. */
#define ROW(rows, field, c) ((rows)->quad[(c) / QUAD_ROWS]->field[(rows)->lane + (c) % QUAD_ROWS])

/* isum[c] = start + sum over the block's 32 inputs of code * x; low nibbles are inputs 0-15, high ones 16-31. */
INLINE void dot_nibbles(const unsigned char *codes, const struct tile_rows *rows, bool from_zero, mi *isum)
{
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        isum[c] = mi_nibbles_begin(from_zero ? 0 : ROW(rows, neg8, c));
#pragma GCC unroll 4
    for (unsigned g = 0; g < 4; g++) {
        mi v = mi_load(codes + 64 * g), low = mi_low_nibbles(v), high = mi_high_nibbles(v);
#pragma GCC unroll 16
        for (unsigned c = 0; c < rows->n; c++)
            isum[c] = mi_dot_nibble(isum[c], low, mi_broadcast4(ROW(rows, q, c) + 4 * g));
#pragma GCC unroll 16
        for (unsigned c = 0; c < rows->n; c++)
            isum[c] = mi_dot_nibble(isum[c], high, mi_broadcast4(ROW(rows, q, c) + 16 + 4 * g));
    }
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        isum[c] = mi_nibbles_end(isum[c], from_zero ? 0 : ROW(rows, neg8, c));
}

INLINE void dot_bytes(const unsigned char *codes, const struct tile_rows *rows, unsigned first, unsigned count, mi *isum)
{
#pragma GCC unroll 8
    for (unsigned g = first; g < first + count; g++) {
        mi v = mi_load(codes + 64 * g);
#pragma GCC unroll 16
        for (unsigned c = 0; c < rows->n; c++)
            isum[c] = mi_dot_byte(isum[c], v, mi_broadcast4(ROW(rows, q, c) + 4 * g));
    }
}

INLINE void scale_in(mf *acc, const mi *isum, mf w_scale, const struct tile_rows *rows)
{
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        acc[c] = mf_fma(mf_mul(w_scale, mf_set1(ROW(rows, d, c))), mf_from_mi(isum[c]), acc[c]);
}

INLINE void minimum_in(mf *acc, mf w_minimum, const struct tile_rows *rows)
{
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        acc[c] = mf_fnma(w_minimum, mf_set1(ROW(rows, s, c)), acc[c]);
}

/* A group of 16 inputs of a byte block. */
INLINE void group16_in(mf *acc, const unsigned char *codes, const float *scales, const struct tile_rows *rows, unsigned g,
                       bool has_minimum)
{
    mi isum[MAX_COLUMNS];
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        isum[c] = BYTE_DOT_IS_SIGNED ? mi_zero() : mi_set1(ROW(rows, neg128_16[g], c));
    dot_bytes(codes, rows, 4 * g, 4, isum);
    scale_in(acc, isum, mf_load(scales), rows);
    if (!has_minimum)
        return;
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        acc[c] = mf_fnma(mf_load(scales + PANEL_ROWS), mf_set1(ROW(rows, s16[g], c)), acc[c]);
}

/* The scales of a block of 256, one register of each per half. */
struct super_scales {
    mf d[HALVES], dmin[HALVES];
};

INLINE void nibble_block(mf *acc, const unsigned char *at, const struct super_scales *super, const struct tile_rows *rows,
                         unsigned half, enum pack_kind kind)
{
    mi isum[MAX_COLUMNS];
    const unsigned char *after = at + 256;
    dot_nibbles(at + 4 * W * half, rows, kind != PACK_NIBBLE, isum);
    if (kind == PACK_NIBBLE_K) {
        scale_in(acc, isum, mf_mul(super->d[half], mf_from_u8(after + W * half)), rows);
        minimum_in(acc, mf_mul(super->dmin[half], mf_from_u8(after + PANEL_ROWS + W * half)), rows);
        return;
    }
    scale_in(acc, isum, mf_from_f16(after + 2 * W * half), rows);
    if (kind == PACK_NIBBLE_MIN) {
        mf minimum = mf_from_f16(after + 2 * PANEL_ROWS + 2 * W * half);
#pragma GCC unroll 16
        for (unsigned c = 0; c < rows->n; c++)
            acc[c] = mf_fma(minimum, mf_set1(ROW(rows, s, c)), acc[c]);
    }
}

INLINE void byte_block(mf *acc, const unsigned char *at, const struct tile_rows *rows, unsigned half, enum pack_kind kind,
                       bool group16, bool has_minimum)
{
    mi isum[MAX_COLUMNS];
    const unsigned char *codes = at + 4 * W * half, *after = at + 512;
    const float *scales = (const float *)(const void *)after + W * half;
    if (group16) {
        group16_in(acc, codes, scales, rows, 0, has_minimum);
        group16_in(acc, codes, scales + 2 * PANEL_ROWS, rows, 1, has_minimum);
        return;
    }
#pragma GCC unroll 16
    for (unsigned c = 0; c < rows->n; c++)
        isum[c] = BYTE_DOT_IS_SIGNED ? mi_zero() : mi_set1(ROW(rows, neg128, c));
    dot_bytes(codes, rows, 0, 8, isum);
    scale_in(acc, isum, kind == PACK_BYTE ? mf_from_f16(after + 2 * W * half) : mf_load(scales), rows);
    if (has_minimum)
        minimum_in(acc, mf_load(scales + PANEL_ROWS), rows);
}

INLINE size_t q8_block_bytes(enum pack_kind kind, bool group16)
{
    switch (kind) {
    case PACK_NIBBLE:
    case PACK_NIBBLE_K:
        return 256 + 2 * PANEL_ROWS;
    case PACK_NIBBLE_MIN:
        return 256 + 4 * PANEL_ROWS;
    case PACK_BYTE:
        return 512 + 2 * PANEL_ROWS;
    default:
        return 512 + (group16 ? 4 : 2) * PANEL_ROWS * sizeof(float);
    }
}

/* Halves [half, half + n_halves) of a panel times n rows. Both halves at once read the panel in one pass, which is what
 * counts when it comes from memory; one at a time leaves registers for more rows. */
INLINE void tile_q8(const struct panel_job *job, uint32_t panel, unsigned half, unsigned n_halves, uint32_t row, enum pack_kind kind,
                    bool group16, bool has_minimum, unsigned n)
{
    uint32_t n_blocks = job->x->n_blocks;
    const unsigned char *at = packed_panel(job->w, panel);
    struct super_scales super;
    struct tile_rows rows = {.lane = n < QUAD_ROWS ? row % QUAD_ROWS : 0, .n = n};
    mf acc[HALVES][MAX_COLUMNS];
#pragma GCC unroll 4
    for (unsigned i = 0; i < (n + QUAD_ROWS - 1) / QUAD_ROWS; i++)
        rows.quad[i] = job->x->quads + (size_t)(row / QUAD_ROWS + i) * n_blocks;
#pragma GCC unroll 2
    for (unsigned h = half; h < half + n_halves; h++) {
        super.d[h] = super.dmin[h] = mf_zero();
#pragma GCC unroll 16
        for (unsigned c = 0; c < n; c++)
            acc[h][c] = mf_zero();
    }
    for (uint32_t b = 0; b < n_blocks; b++) {
        if (kind == PACK_NIBBLE_K && b % 8 == 0) {
#pragma GCC unroll 2
            for (unsigned h = half; h < half + n_halves; h++) {
                super.d[h] = mf_from_f16(at + 2 * W * h);
                super.dmin[h] = mf_from_f16(at + 2 * PANEL_ROWS + 2 * W * h);
            }
            at += 4 * PANEL_ROWS;
        }
#pragma GCC unroll 2
        for (unsigned h = half; h < half + n_halves; h++) {
            if (kind == PACK_NIBBLE || kind == PACK_NIBBLE_MIN || kind == PACK_NIBBLE_K)
                nibble_block(acc[h], at, &super, &rows, h, kind);
            else
                byte_block(acc[h], at, &rows, h, kind, group16, has_minimum);
        }
        at += q8_block_bytes(kind, group16);
#pragma GCC unroll 4
        for (unsigned i = 0; i < (n + QUAD_ROWS - 1) / QUAD_ROWS; i++)
            rows.quad[i]++;
    }
#pragma GCC unroll 2
    for (unsigned h = half; h < half + n_halves; h++)
        store_tile(job, panel, h, row, acc[h], n);
}

/* A whole panel times n rows. */
INLINE void tile_panel_q8(const struct panel_job *job, uint32_t panel, uint32_t row, enum pack_kind kind, bool group16,
                          bool has_minimum, unsigned n)
{
    if (n <= 2) {
        tile_q8(job, panel, 0, HALVES, row, kind, group16, has_minimum, n);
        return;
    }
#pragma GCC unroll 2
    for (unsigned half = 0; half < HALVES; half++)
        tile_q8(job, panel, half, 1, row, kind, group16, has_minimum, n);
}

/* Cuts the rows into tiles; how they are cut never changes a sum. */
#define TILE_LADDER(widest, call)                                                                                     \
    do {                                                                                                               \
        for (uint32_t row = job->row_begin, left; (left = job->row_end - row) > 0;) {                                  \
            if ((widest) >= 12 && left >= 12) {                                                                        \
                call(COLUMNS(12, widest));                                                                             \
                row += 12;                                                                                             \
            } else if ((widest) >= 8 && left >= 8) {                                                                   \
                call(COLUMNS(8, widest));                                                                              \
                row += 8;                                                                                              \
            } else if ((widest) >= 6 && (widest) < 8 && left >= 6) {                                                   \
                call(COLUMNS(6, widest));                                                                              \
                row += 6;                                                                                              \
            } else if (left >= 4) {                                                                                    \
                call(4);                                                                                               \
                row += 4;                                                                                              \
            } else if (left >= 2) {                                                                                    \
                call(2);                                                                                               \
                row += 2;                                                                                              \
            } else {                                                                                                   \
                call(1);                                                                                               \
                row += 1;                                                                                              \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#define COLUMNS(n, widest) ((n) <= (widest) ? (n) : 1)

#define DEFINE_RUN(name, kind, group16, has_minimum)                                                                  \
    static void name(const struct panel_job *job)                                                                     \
    {                                                                                                                  \
        for (uint32_t panel = job->panel_begin; panel < job->panel_end; panel++)                                       \
            TILE_LADDER(MAX_COLUMNS, DO_TILE_##name);                                                                  \
    }

#define DO_TILE_run_nibble(n) tile_panel_q8(job, panel, row, PACK_NIBBLE, false, false, n)
#define DO_TILE_run_nibble_min(n) tile_panel_q8(job, panel, row, PACK_NIBBLE_MIN, false, true, n)
#define DO_TILE_run_nibble_k(n) tile_panel_q8(job, panel, row, PACK_NIBBLE_K, false, true, n)
#define DO_TILE_run_byte(n) tile_panel_q8(job, panel, row, PACK_BYTE, false, false, n)
#define DO_TILE_run_group32(n) tile_panel_q8(job, panel, row, PACK_GROUP, false, false, n)
#define DO_TILE_run_group32_min(n) tile_panel_q8(job, panel, row, PACK_GROUP, false, true, n)
#define DO_TILE_run_group16(n) tile_panel_q8(job, panel, row, PACK_GROUP, true, false, n)
#define DO_TILE_run_group16_min(n) tile_panel_q8(job, panel, row, PACK_GROUP, true, true, n)

DEFINE_RUN(run_nibble, PACK_NIBBLE, false, false)
DEFINE_RUN(run_nibble_min, PACK_NIBBLE_MIN, false, true)
DEFINE_RUN(run_nibble_k, PACK_NIBBLE_K, false, true)
DEFINE_RUN(run_byte, PACK_BYTE, false, false)
DEFINE_RUN(run_group32, PACK_GROUP, false, false)
DEFINE_RUN(run_group32_min, PACK_GROUP, false, true)
DEFINE_RUN(run_group16, PACK_GROUP, true, false)
DEFINE_RUN(run_group16_min, PACK_GROUP, true, true)

static void run_q8(const struct panel_job *job)
{
    switch (job->w->kind) {
    case PACK_NIBBLE:
        run_nibble(job);
        break;
    case PACK_NIBBLE_MIN:
        run_nibble_min(job);
        break;
    case PACK_NIBBLE_K:
        run_nibble_k(job);
        break;
    case PACK_BYTE:
        run_byte(job);
        break;
    default:
        if (job->w->group == 16)
            (job->w->has_minimum ? run_group16_min : run_group16)(job);
        else
            (job->w->has_minimum ? run_group32_min : run_group32)(job);
    }
}

/* ---- F32 activations ------------------------------------------------------------------------------------------- */

/* FP8 E4M3 as the bits of a half: the exponent field of E4M3 under the half's bias is 2^8 too small. NaN codes stay NaN. */
INLINE void decode_f8(const struct packed *p, uint32_t panel, uint32_t first, uint32_t end, float *out)
{
    uint32_t scale_cols = (p->n_in + F8_SCALE_BLOCK - 1) / F8_SCALE_BLOCK;
    float scale = p->f8_scale ? p->f8_scale[(size_t)panel * scale_cols + first / F8_SCALE_BLOCK] : 1.0f;
    const unsigned char *at = packed_panel(p, panel) + (size_t)first * PANEL_ROWS;
    for (uint32_t k = first; k < end; k++, at += PANEL_ROWS, out += PANEL_ROWS) {
        __m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)at));
        __m256i magnitude = _mm256_and_si256(code, _mm256_set1_epi16(0x7F));
        __m256i sign = _mm256_slli_epi16(_mm256_and_si256(code, _mm256_set1_epi16(0x80)), 8);
        __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x7F)), _mm256_set1_epi16(0x7C00));
        __m256i half = _mm256_or_si256(_mm256_or_si256(_mm256_slli_epi16(magnitude, 7), sign), nan);
        __m256 low = _mm256_cvtph_ps(_mm256_castsi256_si128(half));
        __m256 high = _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1));
        low = _mm256_mul_ps(_mm256_mul_ps(low, _mm256_set1_ps(256.0f)), _mm256_set1_ps(scale));
        high = _mm256_mul_ps(_mm256_mul_ps(high, _mm256_set1_ps(256.0f)), _mm256_set1_ps(scale));
        _mm256_storeu_ps(out, low);
        _mm256_storeu_ps(out + 8, high);
    }
}

/* Four inputs of a vector of codes: lane r holds the codes of row r for k, k + 1, k + 2, k + 3. */
INLINE void decode_four(mi codes, unsigned shift, int mask, int zero, mf scale, mf minimum, float *out)
{
#pragma GCC unroll 4
    for (unsigned j = 0; j < 4; j++) {
        mf code = mf_from_mi(mi_sub(mi_and(mi_shift_right(codes, 8 * j + shift), mi_set1(mask)), mi_set1(zero)));
        mf_store(out + (size_t)j * PANEL_ROWS, mf_fmsub(scale, code, minimum));
    }
}

/* The 32 inputs of k-block b as scale * code - minimum, the same values as pack_decode_block. */
INLINE void decode_integer(const struct packed *p, uint32_t panel, uint32_t b, float *out)
{
    size_t scales = p->kind == PACK_NIBBLE_MIN ? 4 * PANEL_ROWS
                    : p->kind == PACK_GROUP    ? K_BLOCK / p->group * 2 * PANEL_ROWS * sizeof(float)
                                               : 2 * PANEL_ROWS;
    size_t codes_bytes = p->zero == 128 ? 512 : 256, bytes = codes_bytes + scales;
    const unsigned char *head = packed_panel(p, panel), *at = head + b * bytes;
    if (p->kind == PACK_NIBBLE_K) {
        head += b / 8 * (4 * PANEL_ROWS + 8 * bytes);
        at = head + 4 * PANEL_ROWS + b % 8 * bytes;
    }
    for (unsigned half = 0; half < HALVES; half++) {
        const unsigned char *after = at + codes_bytes;
        const float *f32 = (const float *)(const void *)after + half * W;
        mf scale[2], minimum[2] = {mf_zero(), mf_zero()};
        if (p->kind == PACK_GROUP) {
            for (unsigned g = 0; g < 2; g++) {
                unsigned from = p->group == 16 ? g : 0;
                scale[g] = mf_load(f32 + (size_t)from * 2 * PANEL_ROWS);
                minimum[g] = mf_load(f32 + ((size_t)from * 2 + 1) * PANEL_ROWS);
            }
        } else if (p->kind == PACK_NIBBLE_K) {
            scale[0] = scale[1] = mf_mul(mf_from_f16(head + 2 * W * half), mf_from_u8(after + W * half));
            minimum[0] = minimum[1] = mf_mul(mf_from_f16(head + 2 * PANEL_ROWS + 2 * W * half),
                                             mf_from_u8(after + PANEL_ROWS + W * half));
        } else {
            scale[0] = scale[1] = mf_from_f16(after + 2 * W * half);
            if (p->kind == PACK_NIBBLE_MIN)
                minimum[0] = minimum[1] = mf_sub(mf_zero(), mf_from_f16(after + 2 * PANEL_ROWS + 2 * W * half));
        }
        float *y = out + half * W;
        for (unsigned g = 0; g < (p->zero == 128 ? 8u : 4u); g++) {
            mi codes = mi_load(at + 64 * g + 4 * W * half);
            if (p->zero == 128) {
                decode_four(codes, 0, 255, 128, scale[g / 4], minimum[g / 4], y + (size_t)4 * g * PANEL_ROWS);
            } else {
                decode_four(codes, 0, 15, p->zero, scale[0], minimum[0], y + (size_t)4 * g * PANEL_ROWS);
                decode_four(codes, 4, 15, p->zero, scale[1], minimum[1], y + (size_t)(16 + 4 * g) * PANEL_ROWS);
            }
        }
    }
}

/* Weights of input k as floats. Kinds without a direct load are decoded 32 inputs at a time into `decoded`. */
INLINE mf float_weight(const unsigned char *panel, const float *decoded, enum pack_kind kind, uint32_t k, unsigned half)
{
    size_t at = (size_t)k * PANEL_ROWS + half * W;
    if (kind == PACK_F32)
        return mf_load((const float *)(const void *)panel + at);
    if (kind == PACK_F16)
        return mf_from_f16(panel + 2 * at);
    if (kind == PACK_BF16)
        return mf_from_bf16_pair(panel + ((size_t)(k / 2) * PANEL_ROWS + half * W) * 4, k % 2);
    return mf_load(decoded + (size_t)(k % K_BLOCK) * PANEL_ROWS + half * W);
}

/* A whole panel times n rows of activations. */
INLINE void tile_f32(const struct panel_job *job, uint32_t panel, uint32_t row, enum pack_kind kind, unsigned n)
{
    const unsigned char *data = packed_panel(job->w, panel);
    float decoded[K_BLOCK * PANEL_ROWS];
    const float *x[MAX_F32_COLUMNS];
    mf acc[HALVES][MAX_F32_COLUMNS];
    uint32_t n_in = job->w->n_in;
#pragma GCC unroll 16
    for (unsigned c = 0; c < n; c++)
        x[c] = job->x->x + (size_t)(row + c) * job->x->x_stride;
#pragma GCC unroll 16
    for (unsigned i = 0; i < n * HALVES; i++)
        acc[i % HALVES][i / HALVES] = mf_zero();
    for (uint32_t first = 0; first < n_in; first += K_BLOCK) {
        uint32_t end = n_in - first < K_BLOCK ? n_in : first + K_BLOCK;
        if (kind == PACK_F8)
            decode_f8(job->w, panel, first, end, decoded);
        else if (kind >= PACK_NIBBLE)
            decode_integer(job->w, panel, first / K_BLOCK, decoded);
        for (uint32_t k = first; k < end; k++) {
            mf w[HALVES];
#pragma GCC unroll 2
            for (unsigned h = 0; h < HALVES; h++)
                w[h] = float_weight(data, decoded, kind, k, h);
#pragma GCC unroll 16
            for (unsigned c = 0; c < n; c++) {
                mf xk = mf_set1(x[c][k]);
#pragma GCC unroll 2
                for (unsigned h = 0; h < HALVES; h++)
                    acc[h][c] = mf_fma(w[h], xk, acc[h][c]);
            }
        }
    }
#pragma GCC unroll 2
    for (unsigned h = 0; h < HALVES; h++)
        store_tile(job, panel, h, row, acc[h], n);
}

/* One row of activations: four panels at a time, so that four chains of sums hide the latency of one. */
INLINE void strip_f32(const struct panel_job *job, uint32_t panel, uint32_t row, enum pack_kind kind)
{
    enum { STRIP = 4 * HALVES };
    const float *x = job->x->x + (size_t)row * job->x->x_stride;
    mf acc[STRIP];
    for (unsigned i = 0; i < STRIP; i++)
        acc[i] = mf_zero();
    for (uint32_t k = 0; k < job->w->n_in; k++) {
        mf xk = mf_set1(x[k]);
#pragma GCC unroll 8
        for (unsigned i = 0; i < STRIP; i++)
            acc[i] = mf_fma(float_weight(packed_panel(job->w, panel + i / HALVES), NULL, kind, k, i % HALVES), xk, acc[i]);
    }
    for (unsigned i = 0; i < STRIP; i++)
        store_tile(job, panel + i / HALVES, i % HALVES, row, &acc[i], 1);
}

#define DEFINE_RUN_F32(name, kind, direct)                                                                            \
    static void name(const struct panel_job *job)                                                                     \
    {                                                                                                                  \
        uint32_t panel = job->panel_begin;                                                                             \
        if (direct && job->row_end - job->row_begin == 1)                                                              \
            for (; panel + 4 <= job->panel_end; panel += 4)                                                            \
                strip_f32(job, panel, job->row_begin, direct ? kind : PACK_F32);                                       \
        for (; panel < job->panel_end; panel++)                                                                        \
            TILE_LADDER(MAX_F32_COLUMNS, DO_TILE_##name);                                                              \
    }

#define DO_TILE_run_f32_f32(n) tile_f32(job, panel, row, PACK_F32, n)
#define DO_TILE_run_f32_f16(n) tile_f32(job, panel, row, PACK_F16, n)
#define DO_TILE_run_f32_bf16(n) tile_f32(job, panel, row, PACK_BF16, n)
#define DO_TILE_run_f32_f8(n) tile_f32(job, panel, row, PACK_F8, n)
#define DO_TILE_run_f32_integer(n) tile_f32(job, panel, row, PACK_NIBBLE, n)

DEFINE_RUN_F32(run_f32_f32, PACK_F32, 1)
DEFINE_RUN_F32(run_f32_f16, PACK_F16, 1)
DEFINE_RUN_F32(run_f32_bf16, PACK_BF16, 1)
DEFINE_RUN_F32(run_f32_f8, PACK_F8, 0)
DEFINE_RUN_F32(run_f32_integer, PACK_NIBBLE, 0)

static void run_f32(const struct panel_job *job)
{
    switch (job->w->kind) {
    case PACK_F32:
        run_f32_f32(job);
        break;
    case PACK_F16:
        run_f32_f16(job);
        break;
    case PACK_BF16:
        run_f32_bf16(job);
        break;
    case PACK_F8:
        run_f32_f8(job);
        break;
    default:
        run_f32_integer(job);
    }
}
