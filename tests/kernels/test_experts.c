/* Routers, expert layers and per-head products against plain double loops; a row alone and in a batch are equal in bits. */
#include "tests/kernels/sweep.h"

static struct thread_pool *pool;

/* ---- Router ------------------------------------------------------------------------------------------------------ */

/* models.md 9.3: 16 experts in 4 groups, z_e = 2 sin(1.7 e + 0.3), bias_e = 0.15 cos(2.3 e). */
static void routers_choose_as_published(void **state)
{
    (void)state;
    static const struct {
        struct router_rule rule;
        bool biased;
        uint32_t experts[3];
        double weights[3];
    } golden[] = {
        {{ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 16, 3, 4, 2, true, 2.5f}, true, {0, 1, 8}, {0.676397, 0.904237, 0.919366}},
        {{ROUTER_SIGMOID, ROUTER_GROUP_NONE, 16, 3, 1, 1, true, 2.5f}, true, {0, 5, 8}, {0, 0, 0}},
        {{ROUTER_SOFTMAX, ROUTER_GROUP_MAX, 16, 3, 4, 2, false, 16}, false, {8, 12, 15}, {2.994146, 2.929845, 1.477445}},
        {{ROUTER_SOFTMAX, ROUTER_GROUP_NONE, 16, 3, 1, 1, false, 1}, false, {1, 8, 12}, {0.165076, 0.187134, 0.183115}},
        {{ROUTER_SOFTMAX, ROUTER_GROUP_NONE, 16, 2, 1, 1, true, 1}, false, {8, 12}, {0.505427, 0.494573}},
    };
    float z[16], bias[16];
    for (int e = 0; e < 16; e++) {
        z[e] = (float)(2 * sin(1.7 * e + 0.3));
        bias[e] = (float)(0.15 * cos(2.3 * e));
    }
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    for (unsigned t = 0; t < n; t++)
        for (size_t g = 0; g < sizeof golden / sizeof golden[0]; g++) {
            uint32_t experts[3];
            float weights[3];
            tables[t]->route(NULL, &(struct route_args){&golden[g].rule, z, golden[g].biased ? bias : NULL, 1, experts, weights});
            for (uint32_t j = 0; j < golden[g].rule.n_used; j++) {
                assert_int_equal(experts[j], golden[g].experts[j]);
                if (golden[g].weights[j] > 0)
                    sweep_close(weights[j], golden[g].weights[j], 2e-6 * golden[g].rule.scale, "route", tables[t]->name, "golden");
            }
        }
}

static double score_of(const struct router_rule *rule, const float *z, uint32_t e)
{
    if (rule->score == ROUTER_SIGMOID)
        return 1 / (1 + exp(-(double)z[e]));
    if (rule->score == ROUTER_SQRT_SOFTPLUS)
        return sqrt(log1p(exp((double)z[e])));
    double sum = 0;
    for (uint32_t i = 0; i < rule->n_experts; i++)
        sum += exp((double)z[i] - z[e]);
    return 1 / sum;
}

/* How many of values[0..n) come before index i in descending order, ties by index. */
static uint32_t rank_of(const double *values, uint32_t n, uint32_t i)
{
    uint32_t rank = 0;
    for (uint32_t j = 0; j < n; j++)
        rank += values[j] > values[i] || (values[j] == values[i] && j < i);
    return rank;
}

static double group_value(const struct router_rule *rule, const double *choose, uint32_t size)
{
    double sum = 0;
    for (uint32_t i = 0; i < size; i++)
        if (rank_of(choose, size, i) < (rule->group == ROUTER_GROUP_TOP2 ? 2 : 1))
            sum += choose[i];
    return sum;
}

static void naive_route(const struct router_rule *rule, const float *z, const float *bias, uint32_t *experts, double *weights)
{
    double score[64], choose[64], groups[64], sum = 0;
    uint32_t n = 0, size = rule->n_experts / rule->n_groups;
    for (uint32_t e = 0; e < rule->n_experts; e++) {
        score[e] = score_of(rule, z, e);
        choose[e] = score[e] + (bias ? bias[e] : 0);
    }
    for (uint32_t g = 0; g < rule->n_groups; g++)
        groups[g] = group_value(rule, choose + g * size, size);
    for (uint32_t e = 0; e < rule->n_experts; e++)
        if (rule->group != ROUTER_GROUP_NONE && rank_of(groups, rule->n_groups, e / size) >= rule->n_groups_used)
            choose[e] = -INFINITY; /* the kept groups always hold enough experts */
    for (uint32_t e = 0; e < rule->n_experts; e++)
        if (rank_of(choose, rule->n_experts, e) < rule->n_used) {
            experts[n] = e;
            weights[n++] = score[e];
            sum += score[e];
        }
    for (uint32_t j = 0; j < n; j++)
        weights[j] *= rule->scale / (rule->normalise ? sum + 1e-20 : 1);
}

static void routers_agree_with_plain_sorting(void **state)
{
    (void)state;
    enum { ROWS = 50 };
    static const struct router_rule rules[] = {
        {ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 64, 8, 8, 4, true, 2.5f}, {ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 15, 4, 5, 2, true, 2.5f},
        {ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 7, 7, 1, 1, false, 1},    {ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 6, 2, 6, 3, true, 1},
        {ROUTER_SOFTMAX, ROUTER_GROUP_MAX, 12, 3, 3, 1, false, 16},   {ROUTER_SOFTMAX, ROUTER_GROUP_NONE, 5, 1, 1, 1, true, 1},
        {ROUTER_SOFTMAX, ROUTER_GROUP_NONE, 33, 6, 1, 1, false, 1},   {ROUTER_SQRT_SOFTPLUS, ROUTER_GROUP_NONE, 9, 3, 1, 1, true, 1.5f},
        {ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 1, 1, 1, 1, true, 2},
    };
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(31);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct router_rule *rule = &rules[i];
        float *z = sweep_floats(&rng, (size_t)ROWS * rule->n_experts), *bias = sweep_floats(&rng, rule->n_experts);
        const float *used = rule->group == ROUTER_GROUP_TOP2 ? bias : NULL;
        for (size_t k = 0; k < (size_t)ROWS * rule->n_experts; k++)
            z[k] *= 6;
        for (unsigned t = 0; t < n; t++) {
            uint32_t experts[ROWS * 8], expected[8];
            float weights[ROWS * 8];
            double wanted[8];
            tables[t]->route(NULL, &(struct route_args){rule, z, used, ROWS, experts, weights});
            for (uint32_t r = 0; r < ROWS; r++) {
                naive_route(rule, z + r * rule->n_experts, used, expected, wanted);
                assert_memory_equal(experts + r * rule->n_used, expected, rule->n_used * sizeof *expected);
                for (uint32_t j = 0; j < rule->n_used; j++)
                    sweep_close(weights[r * rule->n_used + j], wanted[j], 4e-6 * fabs(wanted[j]) + 1e-12, "route", tables[t]->name,
                                "random");
            }
        }
        free(z);
        free(bias);
    }
}

static void ties_go_to_the_lower_expert(void **state)
{
    (void)state;
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct router_rule rule = {ROUTER_SIGMOID, ROUTER_GROUP_TOP2, 8, 2, 4, 2, true, 1};
    float z[8] = {0}, weights[2];
    uint32_t experts[2];
    for (unsigned t = 0; t < n; t++) {
        tables[t]->route(NULL, &(struct route_args){&rule, z, NULL, 1, experts, weights});
        assert_int_equal(experts[0], 0);
        assert_int_equal(experts[1], 1);
        assert_true(weights[0] == 0.5f && weights[1] == 0.5f);
    }
}

/* ---- Expert layers ------------------------------------------------------------------------------------------------- */

struct dense {
    struct matrix w;
    float *values; /* [n_out, n_in] */
};

static struct dense make_dense(uint32_t n_out, uint32_t n_in, struct rng *rng)
{
    struct dense d = {.values = sweep_floats(rng, (size_t)n_out * n_in)};
    struct error e;
    bool keeps;
    d.w = (struct matrix){.dtype = DTYPE_F32, .n_out = n_out, .n_in = n_in, .data = d.values, .row_bytes = n_in * sizeof(float)};
    support_ok(matrix_prepare(NULL, NUMERICS_EXACT, &d.w, &keeps, &e), &e);
    return d;
}

static void free_dense(struct dense *d)
{
    matrix_release(&d->w);
    free(d->values);
}

static void naive_product(const struct dense *d, const double *x, double *y)
{
    for (uint32_t o = 0; o < d->w.n_out; o++) {
        y[o] = 0;
        for (uint32_t k = 0; k < d->w.n_in; k++)
            y[o] += (double)d->values[(size_t)o * d->w.n_in + k] * x[k];
    }
}

enum { HIDDEN_MAX = 80, INTER_MAX = 50, EXPERTS = 7 };

struct layer_case {
    uint32_t hidden, inter, n_used, n_rows;
    struct dense gate[EXPERTS], up[EXPERTS], down[EXPERTS];
};

static void naive_experts(const struct layer_case *c, const uint32_t *chosen, const float *weights, const float *x, double *y)
{
    double in[HIDDEN_MAX], gate[INTER_MAX], up[INTER_MAX], out[HIDDEN_MAX];
    for (uint32_t i = 0; i < c->hidden; i++) {
        in[i] = x[i];
        y[i] = 0;
    }
    for (uint32_t j = 0; j < c->n_used; j++) {
        naive_product(&c->gate[chosen[j]], in, gate);
        naive_product(&c->up[chosen[j]], in, up);
        for (uint32_t i = 0; i < c->inter; i++)
            gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
        naive_product(&c->down[chosen[j]], gate, out);
        for (uint32_t i = 0; i < c->hidden; i++)
            y[i] += weights[j] * out[i];
    }
}

/* Expert 3 is chosen by nobody. */
static void choose_experts(struct rng *rng, uint32_t n_rows, uint32_t n_used, uint32_t *chosen)
{
    for (uint32_t r = 0; r < n_rows; r++) {
        uint32_t left = n_used;
        for (uint32_t e = 0; e < EXPERTS && left; e++)
            if (e != 3 && rng_below(rng, EXPERTS - 1 - e + (e > 3)) < left)
                chosen[r * n_used + n_used - left--] = e;
        for (uint32_t e = EXPERTS; left; left--) /* what is left comes from the end */
            chosen[r * n_used + n_used - left] = e - left;
    }
}

static void run_layer(const struct ops *ops, struct layer_case *c, struct rng *rng)
{
    struct expert experts[EXPERTS];
    struct launch l = sweep_launch(ops, pool, &(struct ops_limits){.n_rows_max = c->n_rows, .width_max = HIDDEN_MAX, .head_dim_max = 1,
                                                                   .n_experts = EXPERTS, .n_used = c->n_used, .hidden = c->hidden,
                                                                   .inter_max = c->inter});
    size_t x_stride = c->hidden + 3, y_stride = c->hidden + 2;
    float *x = sweep_floats(rng, c->n_rows * x_stride), *y = sweep_floats(rng, c->n_rows * y_stride), one[HIDDEN_MAX];
    float *weights = sweep_floats(rng, (size_t)c->n_rows * c->n_used);
    uint32_t *chosen = malloc((size_t)c->n_rows * c->n_used * sizeof *chosen);
    char shape[80];
    snprintf(shape, sizeof shape, "hidden %u, inter %u, %u of %u, %u rows", c->hidden, c->inter, c->n_used, EXPERTS, c->n_rows);
    choose_experts(rng, c->n_rows, c->n_used, chosen);
    for (uint32_t e = 0; e < EXPERTS; e++)
        experts[e] = (struct expert){c->gate[e].w, c->up[e].w, c->down[e].w};
    struct moe_args a = {experts, EXPERTS, c->n_used, c->hidden, c->inter, chosen, weights, x, x_stride, y, y_stride, c->n_rows};
    ops->moe(&l, &a);
    for (uint32_t r = 0; r < c->n_rows; r++) {
        double expected[HIDDEN_MAX];
        naive_experts(c, chosen + r * c->n_used, weights + r * c->n_used, x + r * x_stride, expected);
        for (uint32_t i = 0; i < c->hidden; i++)
            sweep_close(y[r * y_stride + i], expected[i], 3e-4 + 3e-6 * fabs(expected[i]), "moe", ops->name, shape);
        struct moe_args alone = a;
        alone.n_rows = 1;
        alone.chosen = chosen + r * c->n_used;
        alone.weights = weights + r * c->n_used;
        alone.x = x + r * x_stride;
        alone.y = one;
        ops->moe(&l, &alone);
        if (memcmp(one, y + r * y_stride, c->hidden * sizeof *one) != 0)
            fail_msg("moe of %s, %s: row %u differs from itself alone", ops->name, shape, r);
    }
    mem_free(l.workspace);
    free(x);
    free(y);
    free(weights);
    free(chosen);
}

static void expert_layers_agree(void **state)
{
    (void)state;
    static const uint32_t shapes[][4] = {{1, 1, 1, 1}, {33, 7, 2, 5}, {64, 32, 3, 40}, {HIDDEN_MAX, INTER_MAX, 6, 17}, {50, 13, 1, 90}};
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(32);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct layer_case c = {shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], {{{0}}}, {{{0}}}, {{{0}}}};
        for (uint32_t e = 0; e < EXPERTS; e++) {
            c.gate[e] = make_dense(c.inter, c.hidden, &rng);
            c.up[e] = make_dense(c.inter, c.hidden, &rng);
            c.down[e] = make_dense(c.hidden, c.inter, &rng);
        }
        for (unsigned t = 0; t < n; t++)
            run_layer(tables[t], &c, &rng);
        for (uint32_t e = 0; e < EXPERTS; e++) {
            free_dense(&c.gate[e]);
            free_dense(&c.up[e]);
            free_dense(&c.down[e]);
        }
    }
}

/* ---- Per-head products ---------------------------------------------------------------------------------------------- */

static void run_heads(const struct ops *ops, uint32_t n_heads, uint32_t n_out, uint32_t n_in, uint32_t n_rows, struct rng *rng)
{
    struct dense heads[9];
    struct matrix w[9];
    size_t x_head = n_in + 2, y_head = n_out + 1, x_row = n_heads * x_head + 1, y_row = n_heads * y_head + 4;
    struct launch l = sweep_launch(ops, pool, &(struct ops_limits){.n_rows_max = n_rows, .width_max = n_in, .head_dim_max = 1});
    float *x = sweep_floats(rng, n_rows * x_row), *y = sweep_floats(rng, n_rows * y_row), *one = sweep_floats(rng, y_row);
    char shape[64];
    snprintf(shape, sizeof shape, "%u heads of [%u, %u], %u rows", n_heads, n_out, n_in, n_rows);
    for (uint32_t h = 0; h < n_heads; h++) {
        heads[h] = make_dense(n_out, n_in, rng);
        w[h] = heads[h].w;
    }
    struct head_matmul_args a = {w, n_heads, n_rows, x, x_row, x_head, y, y_row, y_head};
    ops->head_matmul(&l, &a);
    for (uint32_t r = 0; r < n_rows; r++) {
        struct head_matmul_args alone = a;
        alone.n_rows = 1;
        alone.x = x + r * x_row;
        alone.y = one;
        ops->head_matmul(&l, &alone);
        for (uint32_t h = 0; h < n_heads; h++) {
            double in[512], expected[512];
            for (uint32_t k = 0; k < n_in; k++)
                in[k] = x[r * x_row + h * x_head + k];
            naive_product(&heads[h], in, expected);
            for (uint32_t o = 0; o < n_out; o++)
                sweep_close(y[r * y_row + h * y_head + o], expected[o], 3e-6 * (n_in + 1), "head_matmul", ops->name, shape);
            assert_memory_equal(one + h * y_head, y + r * y_row + h * y_head, n_out * sizeof *one);
        }
    }
    for (uint32_t h = 0; h < n_heads; h++)
        free_dense(&heads[h]);
    mem_free(l.workspace);
    free(x);
    free(y);
    free(one);
}

static void head_products_agree(void **state)
{
    (void)state;
    static const uint32_t shapes[][4] = {{1, 1, 1, 1},   {5, 27, 11, 3},    {4, 48, 32, 20},
                                         {9, 13, 65, 14}, {2, 512, 128, 2}, {3, 40, 500, 30}};
    const struct ops *tables[8];
    unsigned n = sweep_tables(tables);
    struct rng rng = rng_seeded(33);
    for (unsigned t = 0; t < n; t++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
            run_heads(tables[t], shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], &rng);
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
        cmocka_unit_test(routers_choose_as_published),     cmocka_unit_test(routers_agree_with_plain_sorting),
        cmocka_unit_test(ties_go_to_the_lower_expert),     cmocka_unit_test(expert_layers_agree),
        cmocka_unit_test(head_products_agree),
    };
    return cmocka_run_group_tests(tests, make_pool, free_pool);
}
