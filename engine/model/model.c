/* Loading a model and running its forward pass. Everything is allocated at load; the forward allocates nothing. */
#include "engine/model/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/model/family.h"
#include "engine/model/rope_table.h"
#include "kernels/thread_pool.h"

enum { VECTOR_BYTES_MAX = 1 << 30, ALIGN = 64 };

static const struct tensor_name embedding_name = {"model.embed_tokens.weight", "token_embd.weight", SHARD_ROWS};
static const struct tensor_name head_name = {"lm_head.weight", "output.weight", SHARD_ROWS};
static const struct tensor_name final_norm_name = {"model.norm.weight", "output_norm.weight", SHARD_NONE};

/* ---- Sizes -------------------------------------------------------------------------------------------------------- */

static size_t layer_page_elements(const struct model_config *c)
{
    if (c->attention == ATTENTION_GROUPED)
        return 2 * (size_t)c->n_kv_heads * c->head_dim * KV_PAGE_TOKENS;
    return (size_t)(c->kv_lora_rank + c->qk_rope_head_dim) * KV_PAGE_TOKENS;
}

static size_t layer_page_bytes(const struct model_config *c, enum dtype kv_dtype)
{
    return size_round_up(layer_page_elements(c) * dtype_info(kv_dtype)->qblock_bytes, ALIGN);
}

size_t model_page_bytes(const struct model_config *config, enum dtype kv_dtype)
{
    return layer_page_bytes(config, kv_dtype) * config->n_layers;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t widest_inter(const struct model_config *c)
{
    return larger(c->intermediate, c->moe_intermediate * larger(c->n_shared_experts, 1));
}

/* One block, many pointers: with `base` null only counts. */
static size_t place_activations(struct model *m, char *base)
{
    const struct model_config *c = &m->config;
    struct activation_buffers *t = &m->act;
    bool latent = c->attention != ATTENTION_GROUPED;
    uint32_t wide = c->kv_lora_rank + c->qk_rope_head_dim;
    size_t heads = c->n_heads, rows = m->options.n_rows_max, at = 0;
    size_t o = larger((uint32_t)(heads * (latent ? c->v_head_dim : c->head_dim)), c->q_lora_rank);
    struct {
        void **pointer;
        size_t elements;
    } list[] = {
        {(void **)&t->x, rows * c->hidden},
        {(void **)&t->normed, rows * c->hidden},
        {(void **)&t->residual, rows * c->hidden},
        {(void **)&t->q, rows * heads * c->head_dim},
        {(void **)&t->k, rows * (latent ? wide : c->n_kv_heads * c->head_dim)},
        {(void **)&t->v, latent ? 0 : rows * c->n_kv_heads * c->head_dim},
        {(void **)&t->o, rows * o},
        {(void **)&t->latent_q, latent ? rows * heads * wide : 0},
        {(void **)&t->latent_o, latent ? rows * heads * c->kv_lora_rank : 0},
        {(void **)&t->gate, rows * widest_inter(c)},
        {(void **)&t->up, rows * widest_inter(c)},
        {(void **)&t->router, rows * c->router.n_experts},
        {(void **)&t->moe_out, c->router.n_experts ? rows * c->hidden : 0},
        {(void **)&t->chosen, rows * c->router.n_used},
        {(void **)&t->chosen_weights, rows * c->router.n_used},
        {(void **)&t->head_in, (size_t)m->options.n_logit_rows_max * c->hidden},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (base)
            *list[i].pointer = base + at;
        at += size_round_up(list[i].elements * sizeof(float), ALIGN);
    }
    return at;
}

static struct ops_limits limits_of(const struct model *m)
{
    const struct model_config *c = &m->config;
    uint32_t wide = c->kv_lora_rank + c->qk_rope_head_dim;
    struct ops_limits l = {.n_rows_max = larger(m->options.n_rows_max, m->options.n_logit_rows_max), .n_heads = c->n_heads,
                           .head_dim_max = larger(c->head_dim, wide), .n_experts = c->router.n_experts,
                           .n_used = c->router.n_used, .hidden = c->hidden, .inter_max = c->moe_intermediate};
    l.width_max = larger(larger(c->hidden, widest_inter(c)), larger(c->n_heads * larger(c->head_dim, c->v_head_dim), c->q_lora_rank));
    return l;
}

/* ---- Loading ------------------------------------------------------------------------------------------------------ */

static enum status bind_ends(struct binder *b)
{
    struct model *m = b->model;
    const struct model_config *c = &m->config;
    const struct tensor *t = bind_find(b, &embedding_name, 0, 0), *head = bind_find(b, &head_name, 0, 0);
    struct matrix checked = {0};
    bool tied = !head || c->tied_embeddings;
    /* The head is the embedding where they are tied: one repacked copy, and the mapping for single rows. */
    enum status status = bind_matrix(b, &checked, tied ? &embedding_name : &head_name, 0, 0, c->vocabulary, c->hidden);
    m->head = checked;
    if (status)
        return status;
    if (!t || !t->readable || t->n_dims != 2 || t->shape[0] != c->vocabulary || t->shape[1] != c->hidden ||
        !dtype_is_weight(t->dtype))
        return error_set(b->error, STATUS_INVALID, "%s: tensor %s: expected a readable type and shape [%u, %u]",
                         b->weights->files[0].path, t ? t->name : "embed_tokens", c->vocabulary, c->hidden);
    m->embedding = (struct matrix){.dtype = t->dtype, .n_out = c->vocabulary, .n_in = c->hidden, .data = t->data,
                                   .row_bytes = dtype_row_bytes(t->dtype, c->hidden)};
    return bind_vector(b, &m->final_norm, &final_norm_name, 0, c->hidden);
}

static enum status bind_all(struct model *m, struct error *error)
{
    struct binder b = {m, &m->weights, mem_zalloc_array(m->weights.n_tensors, sizeof *b.used), error};
    m->layers = mem_zalloc_array(m->config.n_layers, sizeof *m->layers);
    enum status status = m->layers && b.used ? bind_ends(&b) : error_set(error, STATUS_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < m->config.n_layers && !status; i++)
        status = m->family->bind(&b, i, &m->layers[i]);
    if (!status)
        status = bind_check_unused(&b);
    mem_free(b.used);
    return status;
}

static enum status make_rope(struct model *m, struct error *error)
{
    const struct model_config *c = &m->config;
    double frequencies[4096], multiplier, softmax_factor;
    bool latent = c->attention != ATTENTION_GROUPED;
    m->rope_dims = latent ? c->qk_rope_head_dim : c->head_dim;
    check(m->rope_dims / 2 <= 4096);
    m->rope = mem_zalloc_array((size_t)m->options.context * m->rope_dims, sizeof *m->rope);
    if (!m->rope)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for a rotary table of %u positions", m->options.context);
    rope_table_frequencies(&c->rope, m->rope_dims, frequencies, &multiplier, &softmax_factor);
    rope_table_fill(m->rope, m->options.context, m->rope_dims, frequencies, multiplier);
    m->softmax_scale = (float)(softmax_factor / sqrt((double)c->head_dim));
    return STATUS_OK;
}

static enum status make_buffers(struct model *m, struct error *error)
{
    struct ops_limits limits = limits_of(m);
    m->act_bytes = place_activations(m, NULL);
    m->act_memory = mem_map(m->act_bytes);
    m->launch.pool = m->options.pool;
    m->launch.workspace_bytes = m->ops->workspace_bytes(&limits, thread_pool_size(m->options.pool));
    m->launch.workspace = mem_map(m->launch.workspace_bytes);
    m->kv = mem_zalloc_array(m->config.n_layers, sizeof *m->kv);
    if (!m->act_memory || !m->launch.workspace || !m->kv)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for activations (%zu bytes) and workspace (%zu bytes)",
                         m->act_bytes, m->launch.workspace_bytes);
    place_activations(m, m->act_memory);
    return STATUS_OK;
}

static enum status find_family(struct model *m, struct error *error)
{
    for (unsigned i = 0; i < model_n_families; i++)
        if (strcmp(model_families[i]->name, m->config.family) == 0) {
            m->family = model_families[i];
            return STATUS_OK;
        }
    return error_set(error, STATUS_UNSUPPORTED, "family %s is not built in", m->config.family);
}

static enum status load(struct model *m, const char *path, struct error *error)
{
    enum status status = weights_open(&m->weights, path, error);
    if (!status)
        status = model_config_read(&m->config, &m->weights, error);
    if (!status)
        status = find_family(m, error);
    if (!status)
        status = ops_cpu(m->options.isa, m->options.numerics, &m->ops, error);
    if (status)
        return status;
    for (uint32_t i = 0; i < m->weights.n_tensors; i++)
        m->total_bytes += m->weights.tensors[i].n_bytes;
    if (!m->options.context || m->options.context > m->config.context)
        m->options.context = m->config.context;
    status = make_rope(m, error);
    if (!status)
        status = make_buffers(m, error);
    if (!status)
        status = bind_all(m, error);
    for (uint32_t i = 0; i < m->weights.n_files && !status; i++)
        status = file_map_verify(&m->weights.files[i], error);
    return status;
}

enum status model_load(struct model **out, const char *path, const struct model_options *options, struct error *error)
{
    struct model *m = mem_zalloc(sizeof *m);
    if (!m)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    m->options = *options;
    arena_init(&m->vectors, VECTOR_BYTES_MAX);
    enum status status = load(m, path, error);
    if (status) {
        model_free(m);
        return status;
    }
    *out = m;
    return STATUS_OK;
}

static void release_mlp(struct gated_mlp *mlp)
{
    matrix_release(&mlp->gate);
    matrix_release(&mlp->up);
    matrix_release(&mlp->down);
}

static void release_layer(struct layer *l, const struct model_config *c)
{
    struct matrix *matrices[] = {&l->grouped.q, &l->grouped.k, &l->grouped.v, &l->grouped.o, &l->latent.q_a, &l->latent.q_b,
                                 &l->latent.kv_a, &l->latent.o, &l->experts.router};
    for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++)
        matrix_release(matrices[i]);
    for (uint32_t h = 0; h < c->n_heads && l->latent.absorb; h++)
        matrix_release(&l->latent.absorb[h]);
    for (uint32_t h = 0; h < c->n_heads && l->latent.value; h++)
        matrix_release(&l->latent.value[h]);
    mem_free(l->latent.absorb);
    mem_free(l->latent.value);
    for (uint32_t e = 0; e < c->router.n_experts && l->experts.experts; e++) {
        matrix_release(&l->experts.experts[e].gate);
        matrix_release(&l->experts.experts[e].up);
        matrix_release(&l->experts.experts[e].down);
    }
    mem_free(l->experts.experts);
    release_mlp(&l->experts.shared);
    release_mlp(&l->mlp);
}

void model_free(struct model *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->config.n_layers && m->layers; i++)
        release_layer(&m->layers[i], &m->config);
    mem_free(m->layers);
    matrix_release(&m->head);
    arena_release(&m->vectors);
    mem_free(m->rope);
    mem_unmap(m->act_memory, m->act_bytes);
    mem_unmap(m->launch.workspace, m->launch.workspace_bytes);
    mem_free(m->kv);
    weights_close(&m->weights);
    mem_free(m);
}

const struct model_config *model_config_of(const struct model *model)
{
    return &model->config;
}

/* ---- Pages and forward ----------------------------------------------------------------------------------------------- */

void model_set_pages(struct model *m, void *memory, uint32_t n_pages)
{
    (void)n_pages;
    size_t layer = layer_page_bytes(&m->config, m->options.kv_dtype);
    m->pages = memory;
    m->page_bytes = layer * m->config.n_layers;
    for (uint32_t i = 0; i < m->config.n_layers; i++)
        m->kv[i] = (struct kv_layer){m->pages + i * layer, m->page_bytes, m->options.kv_dtype};
}

void model_copy_page(struct model *m, uint32_t from, uint32_t to)
{
    memcpy(m->pages + (size_t)to * m->page_bytes, m->pages + (size_t)from * m->page_bytes, m->page_bytes);
}

void model_clear_page(struct model *m, uint32_t page)
{
    memset(m->pages + (size_t)page * m->page_bytes, 0, m->page_bytes);
}

static void run_head(struct model *m, float *logits, uint32_t first, uint32_t n)
{
    const struct model_config *c = &m->config;
    m->ops->matmul(&m->launch, &(struct matmul_args){&(struct matmul_part){&m->head, NULL, logits, c->vocabulary}, 1,
                                                     m->act.head_in + (size_t)first * c->hidden, c->hidden, n});
}

/* Rows from `first` on that all skip the head, or all do not. */
static uint32_t count_alike(const struct model_batch *batch, uint32_t first)
{
    uint32_t n = 1;
    while (first + n < batch->n_logit_rows && batch->skips_head[first + n] == batch->skips_head[first])
        n++;
    return n;
}

void model_forward(struct model *m, const struct model_batch *batch, float *logits)
{
    const struct model_config *c = &m->config;
    struct activation_buffers *t = &m->act;
    check(batch->n_rows <= m->options.n_rows_max && batch->n_logit_rows <= m->options.n_logit_rows_max && m->pages);
    m->ops->embed(&m->launch, &(struct embed_args){&m->embedding, batch->token_ids, batch->n_rows, t->x, c->hidden});
    for (uint32_t i = 0; i < c->n_layers; i++)
        m->family->forward_layer(m, batch, i);
    if (!batch->n_logit_rows)
        return;
    for (uint32_t i = 0; i < batch->n_logit_rows; i++)
        m->ops->rms_norm(&m->launch,
                         &(struct rms_norm_args){t->x + (size_t)batch->logit_rows[i] * c->hidden, c->hidden, m->final_norm,
                                                 c->rms_norm_eps, t->head_in + (size_t)i * c->hidden, c->hidden, 1, c->hidden});
    for (uint32_t first = 0, n; first < batch->n_logit_rows; first += n) {
        n = batch->skips_head ? count_alike(batch, first) : batch->n_logit_rows;
        if (!batch->skips_head || !batch->skips_head[first])
            run_head(m, logits + (size_t)first * c->vocabulary, first, n);
    }
}

const float *model_hidden_rows(const struct model *m)
{
    return m->act.head_in;
}

static uint64_t packed_bytes(const struct layer *l, const struct model_config *c)
{
    const struct matrix *matrices[] = {&l->grouped.q,   &l->grouped.k,  &l->grouped.v, &l->grouped.o,      &l->latent.q_a,
                                       &l->latent.q_b,  &l->latent.kv_a, &l->latent.o, &l->experts.router, &l->mlp.gate,
                                       &l->mlp.up,      &l->mlp.down,    &l->experts.shared.gate,
                                       &l->experts.shared.up, &l->experts.shared.down};
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++)
        n += matrix_packed_bytes(matrices[i]);
    for (uint32_t h = 0; h < c->n_heads && l->latent.absorb; h++)
        n += matrix_packed_bytes(&l->latent.absorb[h]) + matrix_packed_bytes(&l->latent.value[h]);
    for (uint32_t e = 0; e < c->router.n_experts && l->experts.experts; e++)
        n += matrix_packed_bytes(&l->experts.experts[e].gate) + matrix_packed_bytes(&l->experts.experts[e].up) +
             matrix_packed_bytes(&l->experts.experts[e].down);
    return n;
}

void model_memory(const struct model *m, struct model_memory *out)
{
    *out = (struct model_memory){.weights_mapped_bytes = (uint64_t)m->embedding.n_out * m->embedding.row_bytes,
                                 .weights_packed_bytes = matrix_packed_bytes(&m->head),
                                 .activation_bytes = m->act_bytes + m->launch.workspace_bytes,
                                 .rope_bytes = (uint64_t)m->options.context * m->rope_dims * sizeof(float)};
    for (uint32_t i = 0; i < m->config.n_layers; i++)
        out->weights_packed_bytes += packed_bytes(&m->layers[i], &m->config);
}

void model_identify(const struct model *m, void (*add)(void *arg, const void *data, size_t len), void *arg)
{
    enum { SAMPLE = 64 };
    for (uint32_t i = 0; i < m->weights.n_tensors; i++) {
        const struct tensor *t = &m->weights.tensors[i];
        add(arg, t->name, strlen(t->name) + 1);
        add(arg, t->type_name, strlen(t->type_name) + 1);
        add(arg, t->shape, sizeof t->shape);
        if (t->readable)
            add(arg, t->data, t->n_bytes < SAMPLE ? (size_t)t->n_bytes : SAMPLE);
    }
}

const char *model_isa(const struct model *m)
{
    return m->ops->name;
}
