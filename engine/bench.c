/* One sequence through the model: prompt in chunks of a step, then tokens one by one. */
#include "engine/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/device/device_cpu.h"
#include "kernels/thread_pool.h"

enum { ROUNDS_MAX = 64, READ_BYTES = 256 << 20, READ_TASKS = 64 };

struct run {
    const struct device *device;
    uint32_t *ids, *positions, *pages, *logit_rows;
    float *logits;
    uint32_t step;
};

static void advance(struct run *r, uint32_t position, uint32_t n, bool logits)
{
    struct rng rng = rng_seeded(position + 17);
    for (uint32_t i = 0; i < n; i++) {
        r->ids[i] = rng_below(&rng, r->device->vocabulary);
        r->positions[i] = position + i;
    }
    r->logit_rows[0] = n - 1;
    struct attention_seq seq = {r->pages, 0, n, position};
    struct model_batch batch = {r->ids, r->positions, n, &seq, 1, r->logit_rows, logits};
    r->device->forward(r->device->self, &batch, r->logits);
}

static double seconds_since(uint64_t begin)
{
    return (double)(clock_now_ns(clock_real()) - begin) * 1e-9;
}

static double prompt_round(struct run *r, uint32_t n)
{
    uint64_t begin = clock_now_ns(clock_real());
    for (uint32_t at = 0; at < n; at += r->step)
        advance(r, at, n - at < r->step ? n - at : r->step, at + r->step >= n);
    return n / seconds_since(begin);
}

static double generate_round(struct run *r, uint32_t from, uint32_t n)
{
    uint64_t begin = clock_now_ns(clock_real());
    for (uint32_t i = 0; i < n; i++)
        advance(r, from + i, 1, true);
    return n / seconds_since(begin);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct read_job {
    const uint64_t *data;
    size_t words_each;
    uint64_t sums[READ_TASKS];
};

static void read_part(void *arg, unsigned index, unsigned thread)
{
    struct read_job *job = arg;
    (void)thread;
    const uint64_t *at = job->data + index * job->words_each;
    uint64_t sums[8] = {0};
    for (size_t i = 0; i + 8 <= job->words_each; i += 8)
        for (int j = 0; j < 8; j++)
            sums[j] += at[i + (size_t)j];
    for (int j = 0; j < 8; j++)
        job->sums[index] += sums[j];
}

/* Bytes per second of a read-only pass over memory larger than the caches: the best of a few. */
static double read_rate(unsigned threads)
{
    struct thread_pool *pool;
    struct error error;
    struct read_job job = {.words_each = READ_BYTES / READ_TASKS / 8};
    double best = 0;
    uint64_t *data = mem_map(READ_BYTES);
    if (!data || thread_pool_create(threads, &pool, &error) != STATUS_OK) {
        mem_unmap(data, READ_BYTES);
        return 0;
    }
    memset(data, 1, READ_BYTES);
    job.data = data;
    for (int i = 0; i < 5; i++) {
        uint64_t begin = clock_now_ns(clock_real());
        thread_pool_run(pool, read_part, &job, READ_TASKS);
        double rate = READ_BYTES / seconds_since(begin);
        best = rate > best ? rate : best;
    }
    uint64_t sum = 0;
    for (int i = 0; i < READ_TASKS; i++)
        sum += job.sums[i];
    check(sum != 0); /* keeps the reads */
    thread_pool_free(pool);
    mem_unmap(data, READ_BYTES);
    return best;
}

static enum status measure(struct device_cpu *d, const struct bench_options *o, struct bench_result *out, struct error *error)
{
    const struct device *device = device_cpu_device(d);
    double prompts[ROUNDS_MAX], generations[ROUNDS_MAX];
    struct run r = {.device = device, .step = device->n_rows_max};
    r.ids = mem_zalloc_array(r.step, sizeof *r.ids);
    r.positions = mem_zalloc_array(r.step, sizeof *r.positions);
    r.pages = mem_zalloc_array(device->n_pages, sizeof *r.pages);
    r.logit_rows = mem_zalloc(sizeof *r.logit_rows);
    r.logits = mem_zalloc_array(device->vocabulary, sizeof *r.logits);
    bool ok = r.ids && r.positions && r.pages && r.logit_rows && r.logits;
    uint32_t rounds = o->rounds < 1 ? 1 : o->rounds > ROUNDS_MAX ? ROUNDS_MAX : o->rounds;
    for (uint32_t i = 0; ok && i < device->n_pages; i++)
        r.pages[i] = i;
    for (uint32_t i = 0; ok && i <= rounds; i++) { /* the first round warms up */
        double p = o->n_prompt ? prompt_round(&r, o->n_prompt) : 0, g = o->n_generate ? generate_round(&r, o->n_prompt, o->n_generate) : 0;
        if (i) {
            prompts[i - 1] = p;
            generations[i - 1] = g;
        }
    }
    if (ok) {
        qsort(prompts, rounds, sizeof *prompts, ascending);
        qsort(generations, rounds, sizeof *generations, ascending);
        out->prompt_per_second = prompts[rounds / 2];
        out->generate_per_second = generations[rounds / 2];
        out->prompt_per_second_best = prompts[rounds - 1];
        out->generate_per_second_best = generations[rounds - 1];
    }
    mem_free(r.ids);
    mem_free(r.positions);
    mem_free(r.pages);
    mem_free(r.logit_rows);
    mem_free(r.logits);
    return ok ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
}

enum status bench_run(const struct bench_options *o, struct bench_result *out, struct error *error)
{
    struct device_cpu *d;
    struct device_cpu_options options = {.model_path = o->model_path, .isa = o->isa, .kv_dtype_auto = true, .threads = o->threads,
                                         .max_running = 1, .context = o->n_prompt + o->n_generate};
    options.numerics = strcmp(o->numerics, "exact") == 0 ? NUMERICS_EXACT : NUMERICS_FAST;
    uint64_t begin = clock_now_ns(clock_real());
    enum status status = device_cpu_open(&d, &options, error);
    if (status)
        return status;
    *out = (struct bench_result){.load_seconds = seconds_since(begin)};
    struct device_cpu_report report;
    device_cpu_report(d, &report);
    const struct model *model = device_cpu_model(d);
    snprintf(out->isa, sizeof out->isa, "%s", model_isa(model));
    snprintf(out->model, sizeof out->model, "%s", model_config_of(model)->architecture);
    out->threads = report.threads;
    out->weight_bytes = report.memory.weights_packed_bytes;
    status = measure(d, o, out, error);
    device_cpu_close(d);
    if (!status)
        out->read_bytes_per_second = read_rate(out->threads);
    return status;
}
