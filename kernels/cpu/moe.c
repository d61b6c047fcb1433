/* A layer of routed experts: rows are gathered by expert, each expert is three products over its rows, and a row's results
 * are added in ascending expert order, because experts are visited in that order. */
#include <string.h>

#include "base/mem.h"
#include "kernels/cpu/cpu_ops.h"

struct moe_scratch {
    float *x, *gate, *up, *out; /* [n_rows, hidden], [n_rows, inter] twice, [n_rows, hidden] */
    uint32_t *rows, *slots;     /* [n_rows]: which row, and which of its chosen experts */
    struct launch inner;        /* what is left of the workspace, for the products */
};

static size_t scratch_bytes(uint32_t n_rows, uint32_t hidden, uint32_t inter)
{
    return size_round_up((size_t)n_rows * (2 * (size_t)hidden + 2 * (size_t)inter) * sizeof(float), 64) +
           size_round_up((size_t)n_rows * 2 * sizeof(uint32_t), 64);
}

size_t moe_workspace_bytes(const struct ops_limits *limits)
{
    if (!limits->n_experts)
        return 0;
    uint32_t widest = limits->hidden > limits->inter_max ? limits->hidden : limits->inter_max;
    return scratch_bytes(limits->n_rows_max, limits->hidden, limits->inter_max) +
           matmul_workspace_bytes(limits->n_rows_max, widest);
}

static void carve(const struct launch *launch, const struct moe_args *a, struct moe_scratch *s)
{
    size_t bytes = scratch_bytes(a->n_rows, a->hidden, a->inter);
    check(bytes <= launch->workspace_bytes);
    float *at = launch->workspace;
    s->x = at;
    s->out = s->x + (size_t)a->n_rows * a->hidden;
    s->gate = s->out + (size_t)a->n_rows * a->hidden;
    s->up = s->gate + (size_t)a->n_rows * a->inter;
    size_t floats = size_round_up((size_t)a->n_rows * (2 * (size_t)a->hidden + 2 * (size_t)a->inter) * sizeof(float), 64);
    s->rows = (uint32_t *)(void *)((char *)launch->workspace + floats);
    s->slots = s->rows + a->n_rows;
    s->inner = *launch;
    s->inner.workspace = (char *)launch->workspace + bytes;
    s->inner.workspace_bytes = launch->workspace_bytes - bytes;
}

static uint32_t gather(const struct moe_args *a, uint32_t expert, struct moe_scratch *s)
{
    uint32_t n = 0;
    for (uint32_t r = 0; r < a->n_rows; r++)
        for (uint32_t j = 0; j < a->n_used; j++)
            if (a->chosen[(size_t)r * a->n_used + j] == expert) {
                memcpy(s->x + (size_t)n * a->hidden, a->x + (size_t)r * a->x_stride, a->hidden * sizeof(float));
                s->rows[n] = r;
                s->slots[n++] = j;
                break;
            }
    return n;
}

void moe_run(const struct launch *launch, const struct moe_args *a, const struct matmul_kernels *kernels,
             void (*gated_silu)(const struct launch *, const struct gated_silu_args *), enum numerics numerics)
{
    struct moe_scratch s;
    carve(launch, a, &s);
    for (uint32_t r = 0; r < a->n_rows; r++)
        memset(a->y + (size_t)r * a->y_stride, 0, a->hidden * sizeof(float));
    for (uint32_t e = 0; e < a->n_experts; e++) {
        uint32_t n = gather(a, e, &s);
        if (!n)
            continue;
        const struct expert *w = &a->experts[e];
        struct matmul_part in[2] = {{&w->gate, NULL, s.gate, a->inter}, {&w->up, NULL, s.up, a->inter}};
        matmul_run(&s.inner, &(struct matmul_args){in, 2, s.x, a->hidden, n}, kernels, numerics);
        gated_silu(&s.inner, &(struct gated_silu_args){s.gate, s.up, a->inter, s.gate, a->inter, n, a->inter});
        struct matmul_part out = {&w->down, NULL, s.out, a->hidden};
        matmul_run(&s.inner, &(struct matmul_args){&out, 1, s.gate, a->inter, n}, kernels, numerics);
        for (uint32_t i = 0; i < n; i++) {
            float weight = a->weights[(size_t)s.rows[i] * a->n_used + s.slots[i]];
            float *y = a->y + (size_t)s.rows[i] * a->y_stride;
            const float *o = s.out + (size_t)i * a->hidden;
            for (uint32_t k = 0; k < a->hidden; k++)
                y[k] += weight * o[k];
        }
    }
}
