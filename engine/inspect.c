/* Reading a model's headers and configuration, and asking the CPU device what it would plan. Called by one thread. */
#include "engine/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/gguf.h"
#include "base/mem.h"
#include "engine/device/device_cpu.h"
#include "engine/weights/weights.h"

struct inspect {
    struct weights weights;
    bool is_open;
    struct inspect_summary summary;
};

enum { RUNNING_DEFAULT = 64 /* sequences, as option max_running */ };

static struct inspect_type *type_row(struct inspect_summary *s, const char *name, bool readable)
{
    for (uint32_t i = 0; i < s->n_types; i++)
        if (strcmp(s->types[i].name, name) == 0)
            return &s->types[i];
    if (s->n_types == INSPECT_TYPES_MAX)
        return NULL;
    struct inspect_type *row = &s->types[s->n_types++];
    *row = (struct inspect_type){.name = name, .readable = readable};
    return row;
}

static uint64_t elements_of(const struct tensor *t)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < t->n_dims; i++)
        n *= t->shape[i];
    return n;
}

static bool is_scale(const char *name)
{
    static const char ending[] = "_scale_inv";
    size_t n = strlen(name), e = sizeof ending - 1;
    return n > e && strcmp(name + n - e, ending) == 0;
}

static int by_bytes(const void *a, const void *b)
{
    const struct inspect_type *x = a, *y = b;
    return x->n_bytes < y->n_bytes ? 1 : x->n_bytes > y->n_bytes ? -1 : strcmp(x->name, y->name);
}

static void count_tensors(struct inspect *in)
{
    struct inspect_summary *s = &in->summary;
    for (uint32_t i = 0; i < in->weights.n_tensors; i++) {
        const struct tensor *t = &in->weights.tensors[i];
        struct inspect_type *row = type_row(s, t->type_name, t->readable);
        if (row) {
            row->n_tensors++;
            row->n_bytes += t->n_bytes;
        }
        s->n_bytes += t->n_bytes;
        if (!is_scale(t->name))
            s->n_parameters += elements_of(t);
    }
    qsort(s->types, s->n_types, sizeof s->types[0], by_bytes);
}

static void plan(struct inspect_plan *out, struct inspect_model *m, const struct model_config *config, enum numerics numerics,
                 uint64_t weights_bytes)
{
    struct device_cpu_options options = {.numerics = numerics, .kv_dtype_auto = true, .max_running = RUNNING_DEFAULT};
    struct device_cpu_report report;
    struct error error;
    error_clear(&error);
    out->fits = device_cpu_plan(&report, config, &options, weights_bytes, &m->available_bytes, &error) == STATUS_OK;
    out->cache_type = dtype_info(report.kv_dtype)->name;
    out->threads = report.threads;
    if (weights_bytes > m->available_bytes) {
        out->fits = false;
        error_set(&error, STATUS_NO_MEMORY, "the weights take %llu MB, and %llu MB are free", (unsigned long long)(weights_bytes >> 20),
                  (unsigned long long)(m->available_bytes >> 20));
    }
    if (!out->fits) {
        snprintf(out->refusal, sizeof out->refusal, "%s", error.message);
        return;
    }
    out->context = report.context;
    out->n_pages = report.n_pages;
    out->cache_bytes = report.pages_bytes;
}

static const char *scaling_name(enum rope_scaling scaling)
{
    switch (scaling) {
    case ROPE_SCALING_NONE:
        return "none";
    case ROPE_SCALING_LINEAR:
        return "linear";
    case ROPE_SCALING_YARN:
        return "yarn";
    case ROPE_SCALING_LLAMA3:
        return "llama3";
    }
    return "none";
}

static void describe(struct inspect_model *m, const struct model_config *c, uint64_t weights_bytes)
{
    snprintf(m->architecture, sizeof m->architecture, "%s", c->architecture);
    snprintf(m->family, sizeof m->family, "%s", c->family);
    snprintf(m->name, sizeof m->name, "%s", c->name);
    m->n_layers = c->n_layers;
    m->hidden = c->hidden;
    m->vocabulary = c->vocabulary;
    m->context = c->context;
    m->intermediate = c->intermediate;
    m->n_heads = c->n_heads;
    m->n_kv_heads = c->n_kv_heads;
    m->head_dim = c->head_dim;
    m->latent_attention = c->attention != ATTENTION_GROUPED;
    m->kv_lora_rank = c->kv_lora_rank;
    m->rope_head_dim = c->qk_rope_head_dim;
    m->q_lora_rank = c->q_lora_rank;
    m->n_experts = c->router.n_experts;
    m->n_experts_used = c->router.n_used;
    m->n_shared_experts = c->n_shared_experts;
    m->moe_intermediate = c->moe_intermediate;
    m->first_dense_layers = c->first_dense_layers;
    m->n_nextn_layers = c->n_nextn_layers;
    m->tied_embeddings = c->tied_embeddings;
    m->rope_scaling = scaling_name(c->rope.scaling);
    m->rope_theta = c->rope.theta;
    m->rope_factor = c->rope.factor;
    m->cache_bytes_per_token_f32 = model_page_bytes(c, DTYPE_F32) / KV_PAGE_TOKENS;
    m->cache_bytes_per_token_f16 = model_page_bytes(c, DTYPE_F16) / KV_PAGE_TOKENS;
    plan(&m->exact, m, c, NUMERICS_EXACT, weights_bytes);
    plan(&m->fast, m, c, NUMERICS_FAST, weights_bytes);
}

enum status inspect_open(struct inspect **out, const char *path, struct error *error)
{
    struct inspect *in = mem_zalloc(sizeof *in);
    if (!in)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = weights_open(&in->weights, path, error);
    if (status) {
        inspect_close(in);
        return status;
    }
    in->is_open = true;
    struct inspect_summary *s = &in->summary;
    s->format = in->weights.format == WEIGHTS_GGUF ? "GGUF" : "safetensors";
    s->format_version = in->weights.gguf ? in->weights.gguf->version : 0;
    s->n_files = in->weights.n_files;
    s->n_tensors = in->weights.n_tensors;
    count_tensors(in);
    struct model_config config;
    error_clear(&s->unknown);
    s->known = model_config_read(&config, &in->weights, &s->unknown) == STATUS_OK;
    if (s->known)
        describe(&s->model, &config, s->n_bytes);
    *out = in;
    return STATUS_OK;
}

void inspect_close(struct inspect *in)
{
    if (!in)
        return;
    if (in->is_open)
        weights_close(&in->weights);
    mem_free(in);
}

const struct inspect_summary *inspect_summary_of(const struct inspect *in)
{
    return &in->summary;
}

struct inspect_tensor inspect_tensor_at(const struct inspect *in, uint32_t index)
{
    check(index < in->weights.n_tensors);
    const struct tensor *t = &in->weights.tensors[index];
    struct inspect_tensor out = {.name = t->name, .type = t->type_name, .readable = t->readable, .n_dims = t->n_dims,
                                 .n_bytes = t->n_bytes};
    for (uint32_t i = 0; i < t->n_dims && i < INSPECT_DIMS_MAX; i++)
        out.shape[i] = t->shape[i];
    return out;
}
