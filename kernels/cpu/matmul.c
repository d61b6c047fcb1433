/* Matrix products over threads: activations are brought into the form the weights want, once for all matrices that share
 * them; then tasks of (strip of rows, run of panels) in any order, since each output is one chain of sums. */
#include <string.h>

#include "base/mem.h"
#include "kernels/cpu/cpu_ops.h"
#include "kernels/thread_pool.h"

enum {
    PARTS_MAX = 8,
    STRIP_BYTES = 384 * 1024, /* activations of a strip as bytes: about half a second-level cache */
    PREFILL_PANELS = 4,
    TASKS_PER_THREAD = 4,
    ALIGN = 64,
};

/* Lays out room for n_rows rows from `base` (null: only counts). */
static size_t layout(struct activations *a, char *base, uint32_t n_rows, uint32_t n_in)
{
    size_t n_quads = (n_rows + QUAD_ROWS - 1) / QUAD_ROWS;
    size_t quads = n_quads * ((n_in + K_BLOCK - 1) / K_BLOCK) * sizeof *a->quads;
    size_t bf16 = n_quads * ((n_in + 1) / 2) * QUAD_ROWS * 2 * sizeof *a->bf16;
    if (a) {
        a->quads = (struct quad_block *)(void *)base;
        a->bf16 = (uint16_t *)(void *)(base + quads);
    }
    return quads + size_round_up(bf16, ALIGN);
}

size_t matmul_workspace_bytes(uint32_t n_rows, uint32_t width)
{
    return layout(NULL, NULL, n_rows, width) + ALIGN;
}

static enum activation_form form_of(const struct packed *w, const struct matmul_kernels *kernels, enum numerics numerics)
{
    if (numerics == NUMERICS_EXACT)
        return ACTIVATION_F32;
    if (packed_is_integer(w))
        return ACTIVATION_Q8;
    return w->kind == PACK_BF16 && kernels->run_bf16 ? ACTIVATION_BF16 : ACTIVATION_F32;
}

struct prepare_job {
    const struct activations *x;
    const struct matmul_kernels *kernels;
    bool q8, bf16;
    uint32_t rows_per_task;
};

static void prepare_rows(void *arg, unsigned index, unsigned thread)
{
    const struct prepare_job *job = arg;
    (void)thread;
    uint32_t begin = index * job->rows_per_task, end = begin + job->rows_per_task;
    if (end > job->x->n_rows)
        end = job->x->n_rows;
    if (job->q8)
        job->kernels->quantise(job->x, begin, end);
    if (job->bf16)
        job->kernels->round_bf16(job->x, begin, end);
}

struct product_job {
    const struct activations *x;
    const struct matmul_args *args;
    const struct matmul_kernels *kernels;
    enum numerics numerics;
    uint32_t strip, n_strips;
    uint32_t panels[PARTS_MAX]; /* per task */
    uint32_t tasks[PARTS_MAX];  /* runs of panels of each part */
};

static void run_product(void *arg, unsigned index, unsigned thread)
{
    const struct product_job *job = arg;
    (void)thread;
    uint32_t strip = index % job->n_strips, run = index / job->n_strips, part = 0;
    while (run >= job->tasks[part])
        run -= job->tasks[part++];
    const struct matmul_part *p = &job->args->parts[part];
    const struct packed *w = p->w->packed;
    struct panel_job task = {.w = w,
                             .x = job->x,
                             .panel_begin = run * job->panels[part],
                             .panel_end = (run + 1) * job->panels[part],
                             .row_begin = strip * job->strip,
                             .row_end = (strip + 1) * job->strip,
                             .bias = p->bias,
                             .y = p->y,
                             .y_stride = p->y_stride};
    if (task.panel_end > w->n_panels)
        task.panel_end = w->n_panels;
    if (task.row_end > job->x->n_rows)
        task.row_end = job->x->n_rows;
    switch (form_of(w, job->kernels, job->numerics)) {
    case ACTIVATION_F32:
        job->kernels->run_f32(&task);
        break;
    case ACTIVATION_Q8:
        job->kernels->run_q8(&task);
        break;
    case ACTIVATION_BF16:
        job->kernels->run_bf16(&task);
        break;
    }
}

static void prepare_activations(const struct launch *launch, const struct matmul_args *args, struct activations *x,
                                const struct matmul_kernels *kernels, enum numerics numerics)
{
    struct prepare_job job = {.x = x, .kernels = kernels};
    for (uint32_t i = 0; i < args->n_parts; i++) {
        enum activation_form form = form_of(args->parts[i].w->packed, kernels, numerics);
        job.q8 |= form == ACTIVATION_Q8;
        job.bf16 |= form == ACTIVATION_BF16;
    }
    if (!job.q8 && !job.bf16)
        return;
    check(matmul_workspace_bytes(x->n_rows, x->n_in) <= launch->workspace_bytes);
    layout(x, launch->workspace, x->n_rows, x->n_in);
    unsigned threads = thread_pool_size(launch->pool);
    job.rows_per_task = x->n_rows < 8 ? x->n_rows : (uint32_t)size_round_up((x->n_rows + threads * 2 - 1) / (threads * 2), QUAD_ROWS);
    thread_pool_run(launch->pool, prepare_rows, &job, (x->n_rows + job.rows_per_task - 1) / job.rows_per_task);
}

void matmul_run(const struct launch *launch, const struct matmul_args *args, const struct matmul_kernels *kernels,
                enum numerics numerics)
{
    if (!args->n_rows || !args->n_parts)
        return;
    uint32_t n_in = args->parts[0].w->n_in;
    struct activations x = {.x = args->x,
                            .x_stride = args->x_stride,
                            .n_rows = args->n_rows,
                            .n_in = n_in,
                            .n_blocks = (n_in + K_BLOCK - 1) / K_BLOCK,
                            .n_pairs = (n_in + 1) / 2};
    check(args->n_parts <= PARTS_MAX);
    for (uint32_t i = 0; i < args->n_parts; i++)
        check(args->parts[i].w->n_in == n_in && args->parts[i].w->packed);
    prepare_activations(launch, args, &x, kernels, numerics);

    struct product_job job = {.x = &x, .args = args, .kernels = kernels, .numerics = numerics};
    uint32_t strip = STRIP_BYTES / n_in / 12 * 12, n_tasks = 0, threads = thread_pool_size(launch->pool), n_panels = 0;
    job.strip = strip < 12 ? 12 : strip;
    job.n_strips = (args->n_rows + job.strip - 1) / job.strip;
    for (uint32_t i = 0; i < args->n_parts; i++)
        n_panels += args->parts[i].w->packed->n_panels;
    uint32_t decode_run = size_round_up((n_panels + threads * TASKS_PER_THREAD - 1) / (threads * TASKS_PER_THREAD), 4);
    for (uint32_t i = 0; i < args->n_parts; i++) {
        job.panels[i] = args->n_rows >= 12 ? PREFILL_PANELS : decode_run;
        job.tasks[i] = (args->parts[i].w->packed->n_panels + job.panels[i] - 1) / job.panels[i];
        n_tasks += job.tasks[i];
    }
    thread_pool_run(launch->pool, run_product, &job, n_tasks * job.n_strips);
}

/* ---- Per-head products ----------------------------------------------------------------------------------------- */

struct head_job {
    const struct head_matmul_args *args;
    const struct matmul_kernels *kernels;
};

static void run_head(void *arg, unsigned head, unsigned thread)
{
    const struct head_job *job = arg;
    const struct head_matmul_args *a = job->args;
    (void)thread;
    struct activations x = {.x = a->x + head * a->x_head_stride, .x_stride = a->x_stride, .n_rows = a->n_rows};
    const struct packed *w = a->w[head].packed;
    x.n_in = w->n_in;
    struct panel_job task = {.w = w, .x = &x, .panel_end = w->n_panels, .row_end = a->n_rows,
                             .y = a->y + head * a->y_head_stride, .y_stride = a->y_stride};
    job->kernels->run_f32(&task); /* small matrices: F32 activations under both numerics */
}

void matmul_run_heads(const struct launch *launch, const struct head_matmul_args *args,
                      const struct matmul_kernels *kernels)
{
    struct head_job job = {args, kernels};
    if (args->n_rows)
        thread_pool_run(launch->pool, run_head, &job, args->n_heads);
}

/* ---- Embedding -------------------------------------------------------------------------------------------------- */

void embed_run(const struct launch *launch, const struct embed_args *args)
{
    (void)launch;
    const struct matrix *t = args->table;
    for (uint32_t r = 0; r < args->n_rows; r++) {
        check(args->ids[r] < t->n_out);
        dtype_to_f32(t->dtype, (const char *)t->data + (size_t)args->ids[r] * t->row_bytes,
                     args->y + (size_t)r * args->y_stride, t->n_in);
    }
}
