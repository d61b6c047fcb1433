/* Grouped and latent attention over scattered pages against double precision: head counts and widths that fill no vector, rows
 * at page borders, every cache type. Unwritten slots hold NaN. A row alone and in a batch are equal in bits. */
#include "tests/kernels/sweep.h"

enum { SEQUENCES = 5, PAGES_EACH = 4, CONTEXT = PAGES_EACH * KV_PAGE_TOKENS, PAGES = SEQUENCES * PAGES_EACH };

static struct thread_pool *pool;
/* Rows of each sequence in the step, and the position of the first. */
static const uint32_t firsts[SEQUENCES] = {0, 62, 63, 64, 130}, counts[SEQUENCES] = {70, 5, 1, 1, 27};
static const enum dtype cache_types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};

/* A cache of one layer and the rows of one step. Sequence s keeps tokens 0 .. firsts[s] + counts[s] - 1. */
struct scene {
    struct kv_layer kv;
    size_t page_bytes;
    uint32_t pages[SEQUENCES][PAGES_EACH], n_rows;
    struct attention_seq seqs[SEQUENCES];
    float *key[SEQUENCES], *value[SEQUENCES]; /* [CONTEXT, key_width], [CONTEXT, value_width]: unrounded */
};

static float rounded(enum dtype dtype, float x)
{
    return dtype == DTYPE_F16 ? f16_to_f32(f16_from_f32(x)) : dtype == DTYPE_BF16 ? bf16_to_f32(bf16_from_f32(x)) : x;
}

static void make_scene(struct scene *s, enum dtype dtype, size_t page_elements, uint32_t key_width, uint32_t value_width,
                       struct rng *rng)
{
    s->page_bytes = page_elements * dtype_info(dtype)->qblock_bytes + 64; /* other layers' parts lie between */
    s->kv = (struct kv_layer){malloc(PAGES * s->page_bytes), s->page_bytes, dtype};
    memset(s->kv.base, 0xFF, PAGES * s->page_bytes);
    s->n_rows = 0;
    for (uint32_t q = 0; q < SEQUENCES; q++) {
        for (uint32_t p = 0; p < PAGES_EACH; p++)
            s->pages[q][p] = (p * SEQUENCES + q) * 7 % PAGES;
        s->seqs[q] = (struct attention_seq){s->pages[q], s->n_rows, counts[q], firsts[q]};
        s->n_rows += counts[q];
        s->key[q] = sweep_floats(rng, (size_t)CONTEXT * key_width);
        s->value[q] = value_width ? sweep_floats(rng, (size_t)CONTEXT * value_width) : NULL;
    }
}

static void free_scene(struct scene *s)
{
    free(s->kv.base);
    for (uint32_t q = 0; q < SEQUENCES; q++) {
        free(s->key[q]);
        free(s->value[q]);
    }
}

/* Softmax of scores [n] against values read through `at`. */
static double mixed(const double *scores, uint32_t n, const float *values, size_t stride, enum dtype dtype)
{
    double largest = -INFINITY, sum = 0, out = 0;
    for (uint32_t k = 0; k < n; k++)
        largest = fmax(largest, scores[k]);
    for (uint32_t k = 0; k < n; k++) {
        double weight = exp(scores[k] - largest);
        sum += weight;
        out += weight * rounded(dtype, values[k * stride]);
    }
    return out / sum;
}

/* ---- Grouped ----------------------------------------------------------------------------------------------------- */

struct grouped_shape {
    uint32_t n_heads, n_kv_heads, head_dim;
    float spread; /* scale of the queries: large ones make one key win */
};

/* Writes tokens [from, to) of every sequence, which are its history and then its rows of the step. */
static void write_grouped(const struct ops *ops, const struct launch *l, const struct scene *s, const struct grouped_shape *g)
{
    size_t width = (size_t)g->n_kv_heads * g->head_dim;
    for (uint32_t q = 0; q < SEQUENCES; q++) {
        struct attention_seq history = {s->pages[q], 0, firsts[q], 0}, rows = {s->pages[q], 0, counts[q], firsts[q]};
        if (firsts[q])
            ops->kv_write(l, &(struct kv_write_args){&s->kv, &history, 1, g->n_kv_heads, g->head_dim, s->key[q], s->value[q],
                                                     width, width});
        ops->kv_write(l, &(struct kv_write_args){&s->kv, &rows, 1, g->n_kv_heads, g->head_dim, s->key[q] + firsts[q] * width,
                                                 s->value[q] + firsts[q] * width, width, width});
    }
}

static void check_grouped_row(const struct ops *ops, const struct scene *s, const struct grouped_shape *g, uint32_t q, uint32_t i,
                              const float *query, const float *o)
{
    uint32_t n = firsts[q] + i + 1, hd = g->head_dim;
    size_t width = (size_t)g->n_kv_heads * hd;
    double scores[CONTEXT];
    char shape[96];
    snprintf(shape, sizeof shape, "%u heads on %u of %u, %s, position %u", g->n_heads, g->n_kv_heads, hd, dtype_info(s->kv.dtype)->name,
             n - 1);
    for (uint32_t h = 0; h < g->n_heads; h++) {
        size_t column = (size_t)(h / (g->n_heads / g->n_kv_heads)) * hd;
        for (uint32_t k = 0; k < n; k++) {
            scores[k] = 0;
            for (uint32_t d = 0; d < hd; d++)
                scores[k] += (double)query[h * hd + d] * rounded(s->kv.dtype, s->key[q][k * width + column + d]) * 0.25;
        }
        for (uint32_t d = 0; d < hd; d += hd > 40 ? 7 : 1)
            sweep_close(o[h * hd + d], mixed(scores, n, s->value[q] + column + d, width, s->kv.dtype), 3e-6 * (1 + g->spread),
                        "attention", ops->name, shape);
    }
}

static void grouped_case(const struct ops *ops, enum dtype dtype, const struct grouped_shape *g, struct rng *rng)
{
    struct scene s;
    size_t width = (size_t)g->n_kv_heads * g->head_dim, out = (size_t)g->n_heads * g->head_dim, stride = out + 3;
    struct launch l = sweep_launch(ops, pool, &(struct ops_limits){.n_rows_max = 128, .width_max = 1, .n_heads = g->n_heads,
                                                                   .head_dim_max = g->head_dim});
    make_scene(&s, dtype, 2 * width * KV_PAGE_TOKENS, (uint32_t)width, (uint32_t)width, rng);
    write_grouped(ops, &l, &s, g);
    float *query = sweep_floats(rng, s.n_rows * stride), *o = malloc(s.n_rows * stride * sizeof *o), *one = malloc(out * sizeof *one);
    for (size_t i = 0; i < s.n_rows * stride; i++)
        query[i] *= g->spread;
    memset(o, 0xFF, s.n_rows * stride * sizeof *o);
    struct attention_args a = {&s.kv, s.seqs, SEQUENCES, g->n_heads, g->n_kv_heads, g->head_dim, 0.25f, query, stride, o, stride};
    ops->attention(&l, &a);
    for (uint32_t q = 0; q < SEQUENCES; q++)
        for (uint32_t i = 0; i < counts[q]; i++) {
            size_t r = s.seqs[q].first_row + i;
            if (i % 9 == 0 || i + 1 == counts[q])
                check_grouped_row(ops, &s, g, q, i, query + r * stride, o + r * stride);
            struct attention_seq alone = {s.pages[q], 0, 1, firsts[q] + i};
            struct attention_args b = a;
            b.seqs = &alone;
            b.n_seqs = 1;
            b.q = query + r * stride;
            b.o = one;
            b.o_stride = out;
            ops->attention(&l, &b);
            if (memcmp(one, o + r * stride, out * sizeof *one) != 0)
                fail_msg("attention of %s, %u heads on %u of %u: row %u of sequence %u differs from itself alone", ops->name,
                         g->n_heads, g->n_kv_heads, g->head_dim, i, q);
        }
    free_scene(&s);
    mem_free(l.workspace);
    free(query);
    free(o);
    free(one);
}

static void grouped_attention_agrees(void **state)
{
    (void)state;
    static const struct grouped_shape shapes[] = {
        {1, 1, 2, 1}, {4, 2, 20, 1}, {5, 1, 16, 3}, {3, 3, 34, 1}, {9, 3, 64, 2}, {8, 1, 128, 1}, {70, 1, 6, 1}, {2, 1, 96, 100},
    };
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(21);
    for (unsigned t = 0; t < n; t++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
            for (unsigned d = 0; d < 3; d++)
                grouped_case(tables[t], cache_types[d], &shapes[i], &rng);
}

/* ---- Latent ------------------------------------------------------------------------------------------------------- */

struct latent_shape {
    uint32_t n_heads, lora, rope;
};

static void check_latent_row(const struct ops *ops, const struct scene *s, const struct latent_shape *g, uint32_t q, uint32_t i,
                             const float *query, const float *o)
{
    uint32_t n = firsts[q] + i + 1, width = g->lora + g->rope;
    double scores[CONTEXT];
    char shape[96];
    snprintf(shape, sizeof shape, "%u heads, %u + %u, %s, position %u", g->n_heads, g->lora, g->rope, dtype_info(s->kv.dtype)->name, n - 1);
    for (uint32_t h = 0; h < g->n_heads; h++) {
        for (uint32_t k = 0; k < n; k++) {
            scores[k] = 0;
            for (uint32_t d = 0; d < width; d++)
                scores[k] += (double)query[h * width + d] * rounded(s->kv.dtype, s->key[q][k * width + d]) * 0.25;
        }
        for (uint32_t d = 0; d < g->lora; d += g->lora > 40 ? 11 : 1)
            sweep_close(o[h * g->lora + d], mixed(scores, n, s->key[q] + d, width, s->kv.dtype), 1e-5, "latent_attention", ops->name,
                        shape);
    }
}

static void latent_case(const struct ops *ops, enum dtype dtype, const struct latent_shape *g, struct rng *rng)
{
    struct scene s;
    uint32_t width = g->lora + g->rope;
    size_t q_stride = (size_t)g->n_heads * width + 1, o_stride = (size_t)g->n_heads * g->lora + 5;
    struct launch l = sweep_launch(ops, pool, &(struct ops_limits){.n_rows_max = 128, .width_max = 1, .n_heads = g->n_heads,
                                                                   .head_dim_max = width});
    make_scene(&s, dtype, (size_t)width * KV_PAGE_TOKENS, width, 0, rng);
    for (uint32_t q = 0; q < SEQUENCES; q++) {
        struct attention_seq all = {s.pages[q], 0, firsts[q] + counts[q], 0};
        ops->latent_write(&l, &(struct latent_write_args){&s.kv, &all, 1, width, s.key[q], width});
    }
    float *query = sweep_floats(rng, s.n_rows * q_stride), *o = malloc(s.n_rows * o_stride * sizeof *o);
    float *one = malloc(o_stride * sizeof *one);
    memset(o, 0xFF, s.n_rows * o_stride * sizeof *o);
    struct latent_attention_args a = {&s.kv, s.seqs, SEQUENCES, g->n_heads, g->lora, g->rope, 0.25f, query, q_stride, o, o_stride};
    ops->latent_attention(&l, &a);
    for (uint32_t q = 0; q < SEQUENCES; q++)
        for (uint32_t i = 0; i < counts[q]; i += i % 2 ? 4 : 1) {
            size_t r = s.seqs[q].first_row + i;
            if (i % 5 == 0 || i + 1 == counts[q])
                check_latent_row(ops, &s, g, q, i, query + r * q_stride, o + r * o_stride);
            struct attention_seq alone = {s.pages[q], 0, 1, firsts[q] + i};
            struct latent_attention_args b = a;
            b.seqs = &alone;
            b.n_seqs = 1;
            b.q = query + r * q_stride;
            b.o = one;
            ops->latent_attention(&l, &b);
            if (memcmp(one, o + r * o_stride, (size_t)g->n_heads * g->lora * sizeof *one) != 0)
                fail_msg("latent_attention of %s, %u heads, %u + %u: row %u of sequence %u differs from itself alone", ops->name,
                         g->n_heads, g->lora, g->rope, i, q);
        }
    free_scene(&s);
    mem_free(l.workspace);
    free(query);
    free(o);
    free(one);
}

static void latent_attention_agrees(void **state)
{
    (void)state;
    static const struct latent_shape shapes[] = {{1, 1, 2}, {5, 27, 6}, {4, 48, 16}, {3, 65, 10}, {70, 20, 4}, {16, 512, 64}};
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(22);
    for (unsigned t = 0; t < n; t++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
            for (unsigned d = 0; d < (shapes[i].lora == 512 ? 1 : 3); d++)
                latent_case(tables[t], cache_types[d], &shapes[i], &rng);
}

/* ---- The layout of a page ------------------------------------------------------------------------------------------- */

static float stored(const struct kv_layer *kv, uint32_t page, size_t element)
{
    float x;
    size_t each = dtype_info(kv->dtype)->qblock_bytes;
    dtype_to_f32(kv->dtype, kv->base + page * kv->page_stride + element * each, &x, 1);
    return x;
}

static void pages_are_laid_out_as_declared(void **state)
{
    (void)state;
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(23);
    struct grouped_shape g = {3, 3, 18, 1};
    size_t width = (size_t)g.n_kv_heads * g.head_dim;
    for (unsigned t = 0; t < n; t++)
        for (unsigned c = 0; c < 3; c++) {
            struct scene s;
            struct launch l = sweep_launch(tables[t], pool, &(struct ops_limits){.n_rows_max = 1, .width_max = 1, .head_dim_max = 18});
            make_scene(&s, cache_types[c], 2 * width * KV_PAGE_TOKENS, (uint32_t)width, (uint32_t)width, &rng);
            write_grouped(tables[t], &l, &s, &g);
            for (uint32_t q = 0; q < SEQUENCES; q++)
                for (uint32_t p = 0; p < CONTEXT; p++)
                    for (size_t column = 0; column < width; column++) {
                        uint32_t page = s.pages[q][p / KV_PAGE_TOKENS], slot = p % KV_PAGE_TOKENS;
                        size_t h = column / g.head_dim, d = column % g.head_dim;
                        float k = stored(&s.kv, page, column * KV_PAGE_TOKENS + slot);
                        float v = stored(&s.kv, page, width * KV_PAGE_TOKENS + (h * KV_PAGE_TOKENS + slot) * g.head_dim + d);
                        if (p >= firsts[q] + counts[q])
                            assert_true(isnan(k) && isnan(v)); /* never written */
                        else
                            assert_true(k == rounded(cache_types[c], s.key[q][p * width + column]) &&
                                        v == rounded(cache_types[c], s.value[q][p * width + column]));
                    }
            free_scene(&s);
            mem_free(l.workspace);
        }
}

static int make_pool(void **state)
{
    (void)state;
    struct error e;
    return thread_pool_create(3, &pool, &e);
}

static int free_pool(void **state)
{
    (void)state;
    thread_pool_free(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_laid_out_as_declared),
        cmocka_unit_test(grouped_attention_agrees),
        cmocka_unit_test(latent_attention_agrees),
    };
    return cmocka_run_group_tests(tests, make_pool, free_pool);
}
