/* The row-wise ops and attention over the 16-lane vectors of simd.h, compiled once per instruction set. A row's result is a
 * function of that row alone: every sum has one order, fixed by the row's width or by absolute positions. */
#include <math.h>

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/simd.h"
#include "kernels/thread_pool.h"

enum {
    SMALL_ELEMENTS = 32 * 1024, /* less than this is not worth a barrier */
    QUERIES_MAX = 64,           /* query vectors of an attention task */
    QUERIES_WANTED = 16,
};

/* Runs task over rows, in one piece where there is little to do. */
struct rows_job {
    void (*rows)(const void *args, uint32_t begin, uint32_t end);
    const void *args;
    uint32_t n_rows, per_task;
};

static void run_rows(void *arg, unsigned index, unsigned thread)
{
    const struct rows_job *job = arg;
    (void)thread;
    uint32_t begin = index * job->per_task, end = begin + job->per_task;
    job->rows(job->args, begin, end < job->n_rows ? end : job->n_rows);
}

static void over_rows(const struct launch *launch, void (*rows)(const void *, uint32_t, uint32_t), const void *args,
                      uint32_t n_rows, size_t width)
{
    struct rows_job job = {rows, args, n_rows, n_rows};
    if ((size_t)n_rows * width < SMALL_ELEMENTS) {
        rows(args, 0, n_rows);
        return;
    }
    unsigned pieces = thread_pool_size(launch->pool) * 2;
    job.per_task = (n_rows + pieces - 1) / pieces;
    thread_pool_run(launch->pool, run_rows, &job, (n_rows + job.per_task - 1) / job.per_task);
}

/* ---- Row-wise ops ------------------------------------------------------------------------------------------------ */

static void norm_rows(const void *args, uint32_t begin, uint32_t end)
{
    const struct rms_norm_args *a = args;
    for (uint32_t r = begin; r < end; r++) {
        const float *x = a->x + (size_t)r * a->x_stride;
        float *y = a->y + (size_t)r * a->y_stride;
        vf sums[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
        uint32_t i = 0;
        for (; i + 4 * LANES <= a->width; i += 4 * LANES)
            for (unsigned j = 0; j < 4; j++) {
                vf v = vf_load(x + i + j * LANES);
                sums[j] = vf_fma(v, v, sums[j]);
            }
        for (unsigned j = 0; i + j * LANES < a->width; j++) {
            uint32_t left = a->width - i - j * LANES;
            vf v = left >= LANES ? vf_load(x + i + j * LANES) : vf_load_n(x + i + j * LANES, left);
            sums[j] = vf_fma(v, v, sums[j]);
        }
        float sum = vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
        vf scale = vf_set1(1.0f / sqrtf(sum / (float)a->width + a->eps));
        for (i = 0; i + LANES <= a->width; i += LANES)
            vf_store(y + i, vf_mul(vf_load(a->gain + i), vf_mul(vf_load(x + i), scale)));
        if (i < a->width) {
            uint32_t left = a->width - i;
            vf_store_n(y + i, vf_mul(vf_load_n(a->gain + i, left), vf_mul(vf_load_n(x + i, left), scale)), left);
        }
    }
}

static void rms_norm(const struct launch *launch, const struct rms_norm_args *a)
{
    over_rows(launch, norm_rows, a, a->n_rows, a->width);
}

static void add_rows(const void *args, uint32_t begin, uint32_t end)
{
    const struct add_args *a = args;
    for (uint32_t r = begin; r < end; r++) {
        float *x = a->x + (size_t)r * a->x_stride;
        const float *y = a->y + (size_t)r * a->y_stride;
        uint32_t i = 0;
        for (; i + LANES <= a->width; i += LANES)
            vf_store(x + i, vf_add(vf_load(x + i), vf_load(y + i)));
        for (; i < a->width; i++)
            x[i] += y[i];
    }
}

static void add(const struct launch *launch, const struct add_args *a)
{
    over_rows(launch, add_rows, a, a->n_rows, a->width);
}

static vf silu_times(vf gate, vf up)
{
    vf denominator = vf_add(vf_set1(1.0f), vf_exp(vf_sub(vf_zero(), gate)));
    return vf_mul(vf_div(gate, denominator), up);
}

static void silu_rows(const void *args, uint32_t begin, uint32_t end)
{
    const struct gated_silu_args *a = args;
    for (uint32_t r = begin; r < end; r++) {
        const float *gate = a->gate + (size_t)r * a->stride, *up = a->up + (size_t)r * a->stride;
        float *y = a->y + (size_t)r * a->y_stride;
        uint32_t i = 0;
        for (; i + LANES <= a->width; i += LANES)
            vf_store(y + i, silu_times(vf_load(gate + i), vf_load(up + i)));
        if (i < a->width) {
            uint32_t left = a->width - i;
            vf_store_n(y + i, silu_times(vf_load_n(gate + i, left), vf_load_n(up + i, left)), left);
        }
    }
}

static void gated_silu(const struct launch *launch, const struct gated_silu_args *a)
{
    over_rows(launch, silu_rows, a, a->n_rows, (size_t)a->width * 8);
}

static void rope_rows(const void *args, uint32_t begin, uint32_t end)
{
    const struct rope_args *a = args;
    uint32_t half = a->n_dims / 2;
    for (uint32_t r = begin; r < end; r++) {
        const float *cosines = a->cos_sin + (size_t)a->positions[r] * a->n_dims, *sines = cosines + half;
        for (uint32_t h = 0; h < a->n_heads; h++) {
            float *x = a->x + (size_t)r * a->row_stride + h * a->head_stride + a->offset;
            uint32_t i = 0;
            for (; !a->interleaved && i + LANES <= half; i += LANES) {
                vf p = vf_load(x + i), q = vf_load(x + half + i), c = vf_load(cosines + i), s = vf_load(sines + i);
                vf_store(x + i, vf_fnma(q, s, vf_mul(p, c)));
                vf_store(x + half + i, vf_fma(q, c, vf_mul(p, s)));
            }
            for (; i < half; i++) {
                float *first = a->interleaved ? x + 2 * i : x + i, *second = a->interleaved ? first + 1 : first + half;
                float p = *first, q = *second;
                *first = fmaf(-q, sines[i], p * cosines[i]);
                *second = fmaf(q, cosines[i], p * sines[i]);
            }
        }
    }
}

static void rope(const struct launch *launch, const struct rope_args *a)
{
    over_rows(launch, rope_rows, a, a->n_rows, (size_t)a->n_heads * a->n_dims);
}

/* ---- Cache -------------------------------------------------------------------------------------------------------- */

static size_t element_bytes(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? 4 : 2;
}

static char *layer_page(const struct kv_layer *kv, const struct attention_seq *seq, uint32_t position)
{
    return kv->base + (size_t)seq->pages[position / KV_PAGE_TOKENS] * kv->page_stride;
}

static void put(enum dtype dtype, char *at, float value)
{
    uint16_t bits;
    if (dtype == DTYPE_F32) {
        memcpy(at, &value, 4);
        return;
    }
    bits = dtype == DTYPE_F16 ? f16_from_f32(value) : bf16_from_f32(value);
    memcpy(at, &bits, 2);
}

static void put_run(enum dtype dtype, char *at, const float *values, uint32_t n)
{
    uint32_t i = 0;
    if (dtype == DTYPE_F32) {
        memcpy(at, values, n * sizeof *values);
        return;
    }
    for (; dtype == DTYPE_F16 && i + LANES <= n; i += LANES)
        vf_to_f16((uint16_t *)(void *)at + i, vf_load(values + i));
    for (; i < n; i++)
        put(dtype, at + 2 * i, values[i]);
}

static void kv_write(const struct launch *launch, const struct kv_write_args *a)
{
    (void)launch;
    enum dtype dtype = a->kv->dtype;
    size_t each = element_bytes(dtype), columns = (size_t)a->n_kv_heads * a->head_dim;
    for (uint32_t s = 0; s < a->n_seqs; s++)
        for (uint32_t i = 0; i < a->seqs[s].n_rows; i++) {
            uint32_t position = a->seqs[s].position + i, slot = position % KV_PAGE_TOKENS;
            size_t r = a->seqs[s].first_row + i;
            char *page = layer_page(a->kv, &a->seqs[s], position);
            for (size_t c = 0; c < columns; c++)
                put(dtype, page + (c * KV_PAGE_TOKENS + slot) * each, a->k[r * a->k_stride + c]);
            for (uint32_t h = 0; h < a->n_kv_heads; h++)
                put_run(dtype, page + (columns * KV_PAGE_TOKENS + ((size_t)h * KV_PAGE_TOKENS + slot) * a->head_dim) * each,
                        a->v + r * a->v_stride + (size_t)h * a->head_dim, a->head_dim);
        }
}

static void latent_write(const struct launch *launch, const struct latent_write_args *a)
{
    (void)launch;
    size_t each = element_bytes(a->kv->dtype);
    for (uint32_t s = 0; s < a->n_seqs; s++)
        for (uint32_t i = 0; i < a->seqs[s].n_rows; i++) {
            uint32_t position = a->seqs[s].position + i;
            char *page = layer_page(a->kv, &a->seqs[s], position);
            put_run(a->kv->dtype, page + (size_t)(position % KV_PAGE_TOKENS) * a->width * each,
                    a->row + (size_t)(a->seqs[s].first_row + i) * a->stride, a->width);
        }
}

/* ---- Attention ------------------------------------------------------------------------------------------------------ */

static inline vf load_cached(enum dtype dtype, const char *at)
{
    if (dtype == DTYPE_F32)
        return vf_load((const float *)(const void *)at);
    return dtype == DTYPE_F16 ? vf_from_f16((const uint16_t *)(const void *)at)
                              : vf_from_bf16((const uint16_t *)(const void *)at);
}

/* A tile: up to 64 keys of one page and the values beside them. */
struct tile {
    enum dtype key_dtype, value_dtype;
    const char *keys;   /* [key_width][64] */
    const char *values; /* [64][value_stride] */
    size_t value_stride;
    uint32_t key_width, value_width;
    uint32_t n_keys; /* written ones */
};

/* Query vectors that share keys: q[i] . key, results to o[i]. `last` is the position of the query's own token. */
struct queries {
    const float *q[QUERIES_MAX];
    float *o[QUERIES_MAX];
    uint32_t last[QUERIES_MAX];
    float largest[QUERIES_MAX], sum[QUERIES_MAX];
    uint32_t n;
};

/* scores[i][0..64) for queries [first, first + n), each score one chain over ascending d. */
static inline __attribute__((always_inline)) void score_some(const struct queries *qs, uint32_t first, unsigned n,
                                                             const struct tile *t, enum dtype dtype,
                                                             float (*scores)[KV_PAGE_TOKENS], float scale)
{
    vf acc[4][4];
    size_t each = dtype == DTYPE_F32 ? 4 : 2;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < 4; j++)
            acc[i][j] = vf_zero();
    for (uint32_t d = 0; d < t->key_width; d++) {
        const char *row = t->keys + (size_t)d * KV_PAGE_TOKENS * each;
#pragma GCC unroll 4
        for (unsigned j = 0; j < 4; j++) {
            vf k = load_cached(dtype, row + j * LANES * each);
#pragma GCC unroll 4
            for (unsigned i = 0; i < n; i++)
                acc[i][j] = vf_fma(k, vf_set1(qs->q[first + i][d]), acc[i][j]);
        }
    }
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < 4; j++)
            vf_store(scores[first + i] + j * LANES, vf_mul(acc[i][j], vf_set1(scale)));
}

static inline __attribute__((always_inline)) void score_all(const struct queries *qs, const struct tile *t, enum dtype dtype,
                                                            float (*scores)[KV_PAGE_TOKENS], float scale)
{
    uint32_t i = 0;
    for (; i + 4 <= qs->n; i += 4)
        score_some(qs, i, 4, t, dtype, scores, scale);
    for (; i < qs->n; i++)
        score_some(qs, i, 1, t, dtype, scores, scale);
}

/* o[i][d..] = o[i][d..] * shrink[i] + sum over ascending keys of weight * value. */
static inline __attribute__((always_inline)) void mix_some(const struct queries *qs, uint32_t first, unsigned n,
                                                           const struct tile *t, enum dtype dtype, uint32_t d, unsigned n_vectors,
                                                           float (*weights)[KV_PAGE_TOKENS], const float *shrink)
{
    vf acc[4][2];
    size_t each = dtype == DTYPE_F32 ? 4 : 2;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n_vectors; j++)
            acc[i][j] = vf_mul(vf_load(qs->o[first + i] + d + j * LANES), vf_set1(shrink[first + i]));
    for (uint32_t k = 0; k < t->n_keys; k++) {
        const char *row = t->values + (k * t->value_stride + d) * each;
#pragma GCC unroll 2
        for (unsigned j = 0; j < n_vectors; j++) {
            vf v = load_cached(dtype, row + j * LANES * each);
#pragma GCC unroll 4
            for (unsigned i = 0; i < n; i++)
                acc[i][j] = vf_fma(v, vf_set1(weights[first + i][k]), acc[i][j]);
        }
    }
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n_vectors; j++)
            vf_store(qs->o[first + i] + d + j * LANES, acc[i][j]);
}

/* The last value_width % 16 columns, one at a time, with the same order of sums. */
static void mix_tail(const struct queries *qs, const struct tile *t, uint32_t from, float (*weights)[KV_PAGE_TOKENS],
                     const float *shrink)
{
    size_t each = element_bytes(t->value_dtype);
    for (uint32_t i = 0; i < qs->n; i++)
        for (uint32_t d = from; d < t->value_width; d++) {
            float acc = qs->o[i][d] * shrink[i];
            for (uint32_t k = 0; k < t->n_keys; k++) {
                float v;
                dtype_to_f32(t->value_dtype, t->values + (k * t->value_stride + d) * each, &v, 1);
                acc = fmaf(v, weights[i][k], acc);
            }
            qs->o[i][d] = acc;
        }
}

static inline __attribute__((always_inline)) void mix_all(const struct queries *qs, const struct tile *t, enum dtype dtype,
                                                          float (*weights)[KV_PAGE_TOKENS], const float *shrink)
{
    uint32_t d = 0;
    for (; d + 2 * LANES <= t->value_width; d += 2 * LANES) {
        uint32_t i = 0;
        for (; i + 4 <= qs->n; i += 4)
            mix_some(qs, i, 4, t, dtype, d, 2, weights, shrink);
        for (; i < qs->n; i++)
            mix_some(qs, i, 1, t, dtype, d, 2, weights, shrink);
    }
    for (; d + LANES <= t->value_width; d += LANES)
        for (uint32_t i = 0; i < qs->n; i++)
            mix_some(qs, i, 1, t, dtype, d, 1, weights, shrink);
    if (d < t->value_width)
        mix_tail(qs, t, d, weights, shrink);
}

/* Scores to weights exp(score - largest), the running maximum and sum, and how much older results shrink. Keys after the
 * query's own position weigh nothing. */
static void soften(struct queries *qs, uint32_t i, uint32_t first_position, float *scores, float *shrink)
{
    uint32_t valid = qs->last[i] < first_position                     ? 0
                     : qs->last[i] - first_position >= KV_PAGE_TOKENS ? KV_PAGE_TOKENS
                                                                      : qs->last[i] - first_position + 1;
    *shrink = 1.0f;
    if (!valid) {
        memset(scores, 0, KV_PAGE_TOKENS * sizeof *scores);
        return;
    }
    for (uint32_t k = valid; k < KV_PAGE_TOKENS; k++)
        scores[k] = -INFINITY;
    vf v[4], top;
    for (unsigned j = 0; j < 4; j++)
        v[j] = vf_load(scores + j * LANES);
    top = vf_max(vf_max(v[0], v[1]), vf_max(v[2], v[3]));
    float largest = vf_largest(top);
    if (!(largest > qs->largest[i])) /* also keeps the old maximum beside a NaN, which then shows in the weights */
        largest = qs->largest[i];
    vf sum = vf_zero();
    for (unsigned j = 0; j < 4; j++) {
        vf w = vf_exp(vf_sub(v[j], vf_set1(largest)));
        sum = vf_add(sum, w);
        vf_store(scores + j * LANES, w);
    }
    float old[LANES] = {0};
    old[0] = qs->largest[i] - largest;
    vf_store(old, vf_exp(vf_load(old)));
    *shrink = old[0];
    qs->sum[i] = fmaf(qs->sum[i], *shrink, vf_sum(sum));
    qs->largest[i] = largest;
}

static void attend_tile(struct queries *qs, const struct tile *t, uint32_t first_position, float scale)
{
    float scores[QUERIES_MAX][KV_PAGE_TOKENS], shrink[QUERIES_MAX];
    switch (t->key_dtype) {
    case DTYPE_F32:
        score_all(qs, t, DTYPE_F32, scores, scale);
        break;
    case DTYPE_F16:
        score_all(qs, t, DTYPE_F16, scores, scale);
        break;
    default:
        score_all(qs, t, DTYPE_BF16, scores, scale);
    }
    for (uint32_t i = 0; i < qs->n; i++)
        soften(qs, i, first_position, scores[i], &shrink[i]);
    switch (t->value_dtype) {
    case DTYPE_F32:
        mix_all(qs, t, DTYPE_F32, scores, shrink);
        break;
    case DTYPE_F16:
        mix_all(qs, t, DTYPE_F16, scores, shrink);
        break;
    default:
        mix_all(qs, t, DTYPE_BF16, scores, shrink);
    }
}

static void start_queries(struct queries *qs, uint32_t value_width)
{
    for (uint32_t i = 0; i < qs->n; i++) {
        qs->largest[i] = -INFINITY;
        qs->sum[i] = 0;
        memset(qs->o[i], 0, value_width * sizeof(float));
    }
}

static void finish_queries(struct queries *qs, uint32_t value_width)
{
    for (uint32_t i = 0; i < qs->n; i++) {
        float factor = 1.0f / qs->sum[i];
        for (uint32_t d = 0; d < value_width; d++)
            qs->o[i][d] *= factor;
    }
}

/* Tasks are (sequence, block of rows, kv head or block of heads), numbered through by a running count per sequence. */
struct attention_job {
    const struct attention_args *grouped;
    const struct latent_attention_args *latent;
    const struct launch *launch;
    uint32_t rows_per_task, heads_per_task, head_tasks;
    size_t scratch_bytes; /* latent: per thread */
};

static const struct attention_seq *find_task(const struct attention_job *job, const struct attention_seq *seqs, uint32_t n_seqs,
                                             uint32_t *index)
{
    for (uint32_t s = 0; s < n_seqs; s++) {
        uint32_t tasks = (seqs[s].n_rows + job->rows_per_task - 1) / job->rows_per_task * job->head_tasks;
        if (*index < tasks)
            return &seqs[s];
        *index -= tasks;
    }
    return NULL;
}

static uint32_t count_tasks(const struct attention_job *job, const struct attention_seq *seqs, uint32_t n_seqs)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < n_seqs; s++)
        n += (seqs[s].n_rows + job->rows_per_task - 1) / job->rows_per_task * job->head_tasks;
    return n;
}

static void attend_grouped(void *arg, unsigned index, unsigned thread)
{
    const struct attention_job *job = arg;
    const struct attention_args *a = job->grouped;
    (void)thread;
    const struct attention_seq *seq = find_task(job, a->seqs, a->n_seqs, &index);
    uint32_t group = a->n_heads / a->n_kv_heads, per_head = (group + job->heads_per_task - 1) / job->heads_per_task;
    uint32_t head_task = index % job->head_tasks, kv_head = head_task / per_head;
    uint32_t head = kv_head * group + head_task % per_head * job->heads_per_task;
    uint32_t head_end = head + job->heads_per_task < (kv_head + 1) * group ? head + job->heads_per_task : (kv_head + 1) * group;
    uint32_t row = index / job->head_tasks * job->rows_per_task;
    uint32_t row_end = row + job->rows_per_task < seq->n_rows ? row + job->rows_per_task : seq->n_rows;
    struct queries qs = {.n = 0};
    for (uint32_t r = row; r < row_end; r++)
        for (uint32_t h = head; h < head_end; h++) {
            size_t at = seq->first_row + r;
            qs.q[qs.n] = a->q + at * a->q_stride + (size_t)h * a->head_dim;
            qs.o[qs.n] = a->o + at * a->o_stride + (size_t)h * a->head_dim;
            qs.last[qs.n++] = seq->position + r;
        }
    uint32_t end = seq->position + row_end; /* keys [0, end) */
    size_t each = element_bytes(a->kv->dtype), columns = (size_t)a->n_kv_heads * a->head_dim;
    struct tile t = {.key_dtype = a->kv->dtype, .value_dtype = a->kv->dtype, .value_stride = a->head_dim,
                     .key_width = a->head_dim, .value_width = a->head_dim};
    start_queries(&qs, a->head_dim);
    for (uint32_t p = 0; p < end; p += KV_PAGE_TOKENS) {
        const char *page = layer_page(a->kv, seq, p);
        t.keys = page + (size_t)kv_head * a->head_dim * KV_PAGE_TOKENS * each;
        t.values = page + (columns * KV_PAGE_TOKENS + (size_t)kv_head * KV_PAGE_TOKENS * a->head_dim) * each;
        t.n_keys = end - p < KV_PAGE_TOKENS ? end - p : KV_PAGE_TOKENS;
        attend_tile(&qs, &t, p, a->scale);
    }
    finish_queries(&qs, a->head_dim);
}

static void attention(const struct launch *launch, const struct attention_args *a)
{
    uint32_t group = a->n_heads / a->n_kv_heads;
    struct attention_job job = {.grouped = a, .launch = launch};
    job.heads_per_task = group < QUERIES_MAX ? group : QUERIES_MAX;
    job.head_tasks = a->n_kv_heads * ((group + job.heads_per_task - 1) / job.heads_per_task);
    job.rows_per_task = job.heads_per_task < QUERIES_WANTED ? QUERIES_WANTED / job.heads_per_task : 1;
    thread_pool_run(launch->pool, attend_grouped, &job, count_tasks(&job, a->seqs, a->n_seqs));
}

/* ---- Latent attention ------------------------------------------------------------------------------------------------ */

/* Keys of a page as F32 [width][64], from rows [64][width]; missing keys are zero. */
static void transpose_keys(enum dtype dtype, const char *rows, uint32_t width, uint32_t n_keys, float *out)
{
    size_t each = element_bytes(dtype);
    if (n_keys < KV_PAGE_TOKENS)
        memset(out, 0, (size_t)width * KV_PAGE_TOKENS * sizeof *out);
    for (uint32_t k = 0; k < n_keys; k++) {
        const char *row = rows + (size_t)k * width * each;
        uint32_t d = 0;
        for (; d + LANES <= width; d += LANES) {
            float lanes[LANES];
            vf_store(lanes, load_cached(dtype, row + d * each));
            for (unsigned i = 0; i < LANES; i++)
                out[(size_t)(d + i) * KV_PAGE_TOKENS + k] = lanes[i];
        }
        for (; d < width; d++)
            dtype_to_f32(dtype, row + d * each, &out[(size_t)d * KV_PAGE_TOKENS + k], 1);
    }
}

static void attend_latent(void *arg, unsigned index, unsigned thread)
{
    const struct attention_job *job = arg;
    const struct latent_attention_args *a = job->latent;
    const struct attention_seq *seq = find_task(job, a->seqs, a->n_seqs, &index);
    uint32_t width = a->kv_lora_rank + a->rope_dim;
    uint32_t head = index % job->head_tasks * job->heads_per_task, row = index / job->head_tasks * job->rows_per_task;
    uint32_t head_end = head + job->heads_per_task < a->n_heads ? head + job->heads_per_task : a->n_heads;
    uint32_t row_end = row + job->rows_per_task < seq->n_rows ? row + job->rows_per_task : seq->n_rows;
    float *keys = (float *)(void *)((char *)job->launch->workspace + thread * job->scratch_bytes);
    struct queries qs = {.n = 0};
    for (uint32_t r = row; r < row_end; r++)
        for (uint32_t h = head; h < head_end; h++) {
            size_t at = seq->first_row + r;
            qs.q[qs.n] = a->q + at * a->q_stride + (size_t)h * width;
            qs.o[qs.n] = a->o + at * a->o_stride + (size_t)h * a->kv_lora_rank;
            qs.last[qs.n++] = seq->position + r;
        }
    uint32_t end = seq->position + row_end;
    struct tile t = {.key_dtype = DTYPE_F32, .value_dtype = a->kv->dtype, .keys = (const char *)keys, .value_stride = width,
                     .key_width = width, .value_width = a->kv_lora_rank};
    start_queries(&qs, a->kv_lora_rank);
    for (uint32_t p = 0; p < end; p += KV_PAGE_TOKENS) {
        t.values = layer_page(a->kv, seq, p);
        t.n_keys = end - p < KV_PAGE_TOKENS ? end - p : KV_PAGE_TOKENS;
        transpose_keys(a->kv->dtype, t.values, width, t.n_keys, keys);
        attend_tile(&qs, &t, p, a->scale);
    }
    finish_queries(&qs, a->kv_lora_rank);
}

static void latent_attention(const struct launch *launch, const struct latent_attention_args *a)
{
    struct attention_job job = {.latent = a, .launch = launch};
    job.heads_per_task = a->n_heads < QUERIES_MAX ? a->n_heads : QUERIES_MAX;
    job.head_tasks = (a->n_heads + job.heads_per_task - 1) / job.heads_per_task;
    job.rows_per_task = QUERIES_MAX / job.heads_per_task;
    job.scratch_bytes = size_round_up((size_t)(a->kv_lora_rank + a->rope_dim) * KV_PAGE_TOKENS * sizeof(float), 64);
    check(job.scratch_bytes * thread_pool_size(launch->pool) <= launch->workspace_bytes);
    thread_pool_run(launch->pool, attend_latent, &job, count_tasks(&job, a->seqs, a->n_seqs));
}
