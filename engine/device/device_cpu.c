/* Opening a model on the CPU: how many threads, how long a context, how many pages, and where their memory comes from. */
#include "engine/device/device_cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernels/thread_pool.h"

enum {
    STEP_TOKENS = 512,
    CONTEXT_MAX_AUTO = 32768,
    LOGIT_ROWS_MIN = 64,
    MARGIN_BYTES = 256 << 20, /* left to the rest of the machine */
    PAGES_MIN = 2, /* one being filled and one being copied */
};

struct device_cpu {
    struct device device;
    struct model *model;
    struct thread_pool *pool;
    void *pages;
    size_t pages_bytes;
    struct device_cpu_report report;
};

static void forward(void *self, const struct model_batch *batch, float *logits)
{
    struct device_cpu *d = self;
    model_forward(d->model, batch, logits);
}

static const float *hidden_rows(void *self)
{
    struct device_cpu *d = self;
    return model_hidden_rows(d->model);
}

static void copy_page(void *self, uint32_t from, uint32_t to)
{
    struct device_cpu *d = self;
    model_copy_page(d->model, from, to);
}

static void clear_page(void *self, uint32_t page)
{
    struct device_cpu *d = self;
    model_clear_page(d->model, page);
}

static uint64_t number_in(const char *path, const char *key)
{
    char line[256];
    uint64_t value = 0;
    FILE *f = fopen(path, "re");
    size_t n = strlen(key);
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, n) == 0) {
            value = strtoull(line + n, NULL, 10);
            break;
        }
    if (f)
        fclose(f);
    return value;
}

/* Memory this process may still take: what the machine has, or what its cgroup leaves. */
static uint64_t memory_available(void)
{
    uint64_t machine = number_in("/proc/meminfo", "MemAvailable:") * 1024;
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", ""), used = number_in("/sys/fs/cgroup/memory.current", "");
    if (limit && used < limit && limit - used < machine)
        return limit - used;
    return machine;
}

static uint32_t pages_of(uint32_t tokens)
{
    return (tokens + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
}

static uint32_t context_of(const struct model_config *c, const struct device_cpu_options *o)
{
    uint32_t wanted = o->context ? o->context : CONTEXT_MAX_AUTO;
    return wanted < c->context ? wanted : c->context;
}

static uint32_t step_tokens_of(const struct device_cpu_options *o)
{
    uint32_t wanted = o->step_tokens ? o->step_tokens : STEP_TOKENS;
    return wanted > o->max_running ? wanted : o->max_running;
}

static enum dtype kv_dtype_of(const struct device_cpu_options *o)
{
    return !o->kv_dtype_auto ? o->kv_dtype : o->numerics == NUMERICS_EXACT ? DTYPE_F32 : DTYPE_F16;
}

/* Pages: what was asked for; else half of the free memory, at most enough for every running sequence at full length. */
static enum status plan_pages(struct device_cpu_report *r, const struct model_config *c, const struct device_cpu_options *o,
                              uint64_t available, struct error *error)
{
    uint64_t budget = o->kv_memory_bytes;
    r->page_bytes = model_page_bytes(c, r->kv_dtype);
    if (!budget) {
        budget = available > MARGIN_BYTES ? (available - MARGIN_BYTES) / 2 : 0;
        uint64_t most = (uint64_t)pages_of(r->context) * o->max_running;
        most = (most < PAGES_MIN ? PAGES_MIN : most) * r->page_bytes;
        budget = budget < most ? budget : most;
    }
    uint64_t n = budget / r->page_bytes;
    n = n < 1u << 24 ? n : 1u << 24;
    if (o->context && n < pages_of(o->context))
        return error_set(error, STATUS_LIMIT,
                         "a context of %u tokens needs %u pages of %llu bytes; the cache memory of %llu MB holds %llu: lower "
                         "--context or raise --kv-memory", o->context, pages_of(o->context), (unsigned long long)r->page_bytes,
                         (unsigned long long)(budget >> 20), (unsigned long long)n);
    if (n < PAGES_MIN)
        return error_set(error, STATUS_NO_MEMORY, "no memory for the key-value cache: %llu MB are free, a page takes %llu bytes",
                         (unsigned long long)(available >> 20), (unsigned long long)r->page_bytes);
    if (n < pages_of(r->context))
        r->context = (uint32_t)n * KV_PAGE_TOKENS;
    r->n_pages = (uint32_t)n;
    r->pages_bytes = n * r->page_bytes;
    return STATUS_OK;
}

static enum status take_pages(struct device_cpu *d, struct error *error)
{
    d->pages_bytes = d->report.pages_bytes;
    d->pages = mem_map(d->pages_bytes);
    return d->pages ? STATUS_OK
                    : error_set(error, STATUS_NO_MEMORY, "the key-value cache of %llu MB could not be taken",
                                (unsigned long long)(d->pages_bytes >> 20));
}

static void write_table(struct device_cpu *d, const struct device_cpu_options *o)
{
    struct device_cpu_report *r = &d->report;
    const struct model_config *c = model_config_of(d->model);
    model_memory(d->model, &r->memory);
    snprintf(r->table, sizeof r->table,
             "  model        %s, %u layers, hidden %u, vocabulary %u\n"
             "  compute      cpu %s, %s, %u threads, %u tokens a step\n"
             "  weights      %8.1f MB repacked, %.1f MB mapped\n"
             "  cache        %8.1f MB: %u pages of 64 tokens, %s (%llu tokens, %llu bytes each)\n"
             "  activations  %8.1f MB\n"
             "  context      %u tokens (model %u), up to %u sequences at once",
             c->architecture, c->n_layers, c->hidden, c->vocabulary, model_isa(d->model),
             o->numerics == NUMERICS_EXACT ? "exact" : "fast", r->threads, r->step_tokens,
             (double)r->memory.weights_packed_bytes / 1048576, (double)r->memory.weights_mapped_bytes / 1048576,
             (double)r->pages_bytes / 1048576, r->n_pages, dtype_info(r->kv_dtype)->name,
             (unsigned long long)r->n_pages * KV_PAGE_TOKENS, (unsigned long long)(r->page_bytes / KV_PAGE_TOKENS),
             (double)(r->memory.activation_bytes + r->memory.rope_bytes) / 1048576, r->context, c->context, o->max_running);
}

static enum status open_all(struct device_cpu *d, const struct device_cpu_options *o, struct error *error)
{
    struct device_cpu_report *r = &d->report;
    r->kv_dtype = kv_dtype_of(o);
    if (o->numerics == NUMERICS_EXACT && r->kv_dtype == DTYPE_BF16)
        return error_set_path(error, STATUS_INVALID, NULL, "kv_dtype", "kv_dtype: bf16 is refused under --numerics exact");
    enum status status = thread_pool_create(o->threads, &d->pool, error);
    if (status)
        return status;
    r->threads = thread_pool_size(d->pool);
    r->step_tokens = step_tokens_of(o);
    struct model_options options = {.numerics = o->numerics, .isa = o->isa, .kv_dtype = r->kv_dtype, .n_rows_max = r->step_tokens,
                                    .n_logit_rows_max = o->max_running > LOGIT_ROWS_MIN ? o->max_running : LOGIT_ROWS_MIN,
                                    .context = o->context ? o->context : CONTEXT_MAX_AUTO, .pool = d->pool,
                                    .progress = o->progress, .progress_arg = o->progress_arg};
    status = model_load(&d->model, o->model_path, &options, error);
    if (status)
        return status;
    const struct model_config *c = model_config_of(d->model);
    if (o->context > c->context)
        return error_set_path(error, STATUS_INVALID, NULL, "context", "context: %u tokens asked for, the model takes %u", o->context,
                              c->context);
    r->context = context_of(c, o);
    status = plan_pages(r, c, o, memory_available(), error);
    if (!status)
        status = take_pages(d, error);
    if (status)
        return status;
    model_set_pages(d->model, d->pages, r->n_pages);
    write_table(d, o);
    d->device = (struct device){.self = d, .vocabulary = c->vocabulary, .n_pages = r->n_pages, .n_rows_max = options.n_rows_max,
                                .n_logit_rows_max = options.n_logit_rows_max, .context = r->context,
                                .hidden = c->hidden, .forward = forward, .hidden_rows = hidden_rows,
                                .copy_page = copy_page, .clear_page = clear_page};
    return STATUS_OK;
}

enum status device_cpu_plan(struct device_cpu_report *out, const struct model_config *config, const struct device_cpu_options *options,
                            uint64_t weights_bytes, uint64_t *available_bytes, struct error *error)
{
    *available_bytes = memory_available();
    *out = (struct device_cpu_report){.threads = options->threads ? options->threads : thread_pool_cpus(),
                                      .context = context_of(config, options),
                                      .step_tokens = step_tokens_of(options),
                                      .kv_dtype = kv_dtype_of(options)};
    uint64_t left = *available_bytes > weights_bytes ? *available_bytes - weights_bytes : 0;
    return plan_pages(out, config, options, left, error);
}

enum status device_cpu_open(struct device_cpu **out, const struct device_cpu_options *options, struct error *error)
{
    struct device_cpu *d = mem_zalloc(sizeof *d);
    if (!d)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = open_all(d, options, error);
    if (status) {
        device_cpu_close(d);
        return status;
    }
    *out = d;
    return STATUS_OK;
}

void device_cpu_close(struct device_cpu *d)
{
    if (!d)
        return;
    model_free(d->model);
    thread_pool_free(d->pool);
    mem_unmap(d->pages, d->pages_bytes);
    mem_free(d);
}

const struct device *device_cpu_device(const struct device_cpu *d)
{
    return &d->device;
}

uint64_t device_cpu_ticks(const struct device_cpu *d)
{
    return thread_pool_runs(d->pool);
}

const struct model *device_cpu_model(const struct device_cpu *d)
{
    return d->model;
}

void device_cpu_report(const struct device_cpu *d, struct device_cpu_report *out)
{
    *out = d->report;
}
