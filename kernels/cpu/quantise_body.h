/* Quantising activation rows, written once over the 16-lane vectors of simd.h: the same float operations as the reference,
 * so the same codes and scales. */

static inline vf vf_abs(vf x)
{
    return vf_max(x, vf_sub(vf_zero(), x));
}

/* 16 values times scale, rounded to nearest even, as bytes; returns their sum. */
static inline int32_t quantise_16(vf x, vf scale, int8_t *out)
{
    float lanes[LANES];
    vf_store(lanes, vf_round(vf_mul(x, scale)));
    int32_t sum = 0;
    for (unsigned i = 0; i < LANES; i++) {
        int32_t q = (int32_t)lanes[i];
        out[i] = (int8_t)q;
        sum += q;
    }
    return sum;
}

static void quantise(const struct activations *a, uint32_t row_begin, uint32_t row_end)
{
    for (uint32_t row = row_begin; row < row_end; row++) {
        const float *x = a->x + (size_t)row * a->x_stride;
        unsigned lane = row % QUAD_ROWS;
        for (uint32_t b = 0; b < a->n_blocks; b++, x += K_BLOCK) {
            struct quad_block *quad = &a->quads[(size_t)(row / QUAD_ROWS) * a->n_blocks + b];
            vf low = vf_load(x), high = vf_load(x + LANES);
            float amax = vf_largest(vf_max(vf_abs(low), vf_abs(high)));
            /* 0, or NaN where an input is not finite: the maximum alone would hide it. */
            float poison = vf_sum(vf_mul(vf_add(vf_mul(low, vf_zero()), vf_mul(high, vf_zero())), vf_zero()));
            float d = amax / 127.0f + poison, scale = amax > 0 ? 127.0f / amax : 0.0f;
            int32_t first = quantise_16(low, vf_set1(scale), quad->q[lane]);
            int32_t second = quantise_16(high, vf_set1(scale), quad->q[lane] + LANES), sum = first + second;
            quad->d[lane] = d;
            quad->s[lane] = d * (float)sum;
            quad->neg8[lane] = -8 * sum;
            quad->neg128[lane] = -128 * sum;
            quad->s16[0][lane] = d * (float)first;
            quad->s16[1][lane] = d * (float)second;
            quad->neg128_16[0][lane] = -128 * first;
            quad->neg128_16[1][lane] = -128 * second;
        }
    }
}

static inline uint32_t bf16_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded;
}

static void round_bf16(const struct activations *a, uint32_t row_begin, uint32_t row_end)
{
    for (uint32_t row = row_begin; row < row_end; row++) {
        const float *x = a->x + (size_t)row * a->x_stride;
        uint16_t *out = a->bf16 + (size_t)(row / QUAD_ROWS) * a->n_pairs * QUAD_ROWS * 2 + row % QUAD_ROWS * 2;
        for (uint32_t k = 0; k < a->n_pairs; k++) {
            uint32_t pair = bf16_bits(x[2 * k]) | (2 * k + 1 < a->n_in ? bf16_bits(x[2 * k + 1]) << 16 : 0);
            memcpy(out + (size_t)k * QUAD_ROWS * 2, &pair, 4);
        }
    }
}
