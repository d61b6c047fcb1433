/* The readable truth of the row-wise ops and attention: plain loops, double sums where a sum is long. */
#include <math.h>
#include <string.h>

#include "kernels/cpu/cpu_ops.h"
#include "kernels/thread_pool.h"

static void rms_norm(const struct launch *launch, const struct rms_norm_args *a)
{
    (void)launch;
    for (uint32_t r = 0; r < a->n_rows; r++) {
        const float *x = a->x + (size_t)r * a->x_stride;
        float *y = a->y + (size_t)r * a->y_stride;
        double sum = 0;
        for (uint32_t i = 0; i < a->width; i++)
            sum += (double)x[i] * x[i];
        float scale = (float)(1.0 / sqrt(sum / a->width + a->eps));
        for (uint32_t i = 0; i < a->width; i++)
            y[i] = a->gain[i] * (x[i] * scale);
    }
}

static void add(const struct launch *launch, const struct add_args *a)
{
    (void)launch;
    for (uint32_t r = 0; r < a->n_rows; r++)
        for (uint32_t i = 0; i < a->width; i++)
            a->x[(size_t)r * a->x_stride + i] += a->y[(size_t)r * a->y_stride + i];
}

static void gated_silu(const struct launch *launch, const struct gated_silu_args *a)
{
    (void)launch;
    for (uint32_t r = 0; r < a->n_rows; r++)
        for (uint32_t i = 0; i < a->width; i++) {
            float gate = a->gate[(size_t)r * a->stride + i], up = a->up[(size_t)r * a->stride + i];
            a->y[(size_t)r * a->y_stride + i] = gate / (1.0f + expf(-gate)) * up;
        }
}

static void rope(const struct launch *launch, const struct rope_args *a)
{
    (void)launch;
    uint32_t half = a->n_dims / 2;
    for (uint32_t r = 0; r < a->n_rows; r++) {
        const float *cosines = a->cos_sin + (size_t)a->positions[r] * a->n_dims, *sines = cosines + half;
        for (uint32_t h = 0; h < a->n_heads; h++) {
            float *x = a->x + (size_t)r * a->row_stride + h * a->head_stride + a->offset;
            for (uint32_t i = 0; i < half; i++) {
                float *first = a->interleaved ? x + 2 * i : x + i, *second = a->interleaved ? first + 1 : first + half;
                float p = *first, q = *second;
                *first = p * cosines[i] - q * sines[i];
                *second = p * sines[i] + q * cosines[i];
            }
        }
    }
}

static size_t element_bytes(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? 4 : 2;
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

static float get(enum dtype dtype, const char *at)
{
    float value;
    dtype_to_f32(dtype, at, &value, 1);
    return value;
}

static char *layer_page(const struct kv_layer *kv, const struct attention_seq *seq, uint32_t position)
{
    return kv->base + (size_t)seq->pages[position / KV_PAGE_TOKENS] * kv->page_stride;
}

static void kv_write(const struct launch *launch, const struct kv_write_args *a)
{
    (void)launch;
    size_t each = element_bytes(a->kv->dtype), k_elements = (size_t)a->n_kv_heads * a->head_dim * KV_PAGE_TOKENS;
    for (uint32_t s = 0; s < a->n_seqs; s++)
        for (uint32_t i = 0; i < a->seqs[s].n_rows; i++) {
            uint32_t position = a->seqs[s].position + i, slot = position % KV_PAGE_TOKENS, r = a->seqs[s].first_row + i;
            char *page = layer_page(a->kv, &a->seqs[s], position);
            for (uint32_t h = 0; h < a->n_kv_heads; h++)
                for (uint32_t d = 0; d < a->head_dim; d++) {
                    size_t column = (size_t)h * a->head_dim + d;
                    put(a->kv->dtype, page + (column * KV_PAGE_TOKENS + slot) * each, a->k[r * a->k_stride + column]);
                    size_t v = k_elements + ((size_t)h * KV_PAGE_TOKENS + slot) * a->head_dim + d;
                    put(a->kv->dtype, page + v * each, a->v[r * a->v_stride + column]);
                }
        }
}

static void latent_write(const struct launch *launch, const struct latent_write_args *a)
{
    (void)launch;
    size_t each = element_bytes(a->kv->dtype);
    for (uint32_t s = 0; s < a->n_seqs; s++)
        for (uint32_t i = 0; i < a->seqs[s].n_rows; i++) {
            uint32_t position = a->seqs[s].position + i;
            char *at = layer_page(a->kv, &a->seqs[s], position) + (size_t)(position % KV_PAGE_TOKENS) * a->width * each;
            for (uint32_t d = 0; d < a->width; d++)
                put(a->kv->dtype, at + d * each, a->row[(size_t)(a->seqs[s].first_row + i) * a->stride + d]);
        }
}

/* One query over keys 0..last, online: value(key, d) and score(key) are read through small callbacks' arguments. */
struct query {
    const struct kv_layer *kv;
    const struct attention_seq *seq;
    const float *q;
    float *o;
    float scale;
    size_t key_at, key_step, key_slot; /* element of (d, slot) = key_at + d * key_step + slot * key_slot */
    size_t value_at, value_slot;       /* element of (slot, d) = value_at + slot * value_slot + d */
    uint32_t key_width, value_width, last;
};

static void attend(const struct query *a)
{
    size_t each = element_bytes(a->kv->dtype);
    float largest = -INFINITY, sum = 0;
    memset(a->o, 0, a->value_width * sizeof *a->o);
    for (uint32_t p = 0; p <= a->last; p++) {
        const char *page = layer_page(a->kv, a->seq, p);
        size_t slot = p % KV_PAGE_TOKENS;
        double dot = 0;
        for (uint32_t d = 0; d < a->key_width; d++)
            dot += (double)a->q[d] * get(a->kv->dtype, page + (a->key_at + d * a->key_step + slot * a->key_slot) * each);
        float score = (float)dot * a->scale;
        if (score > largest) {
            float shrink = expf(largest - score);
            sum *= shrink;
            for (uint32_t d = 0; d < a->value_width; d++)
                a->o[d] *= shrink;
            largest = score;
        }
        float weight = expf(score - largest);
        sum += weight;
        for (uint32_t d = 0; d < a->value_width; d++)
            a->o[d] += weight * get(a->kv->dtype, page + (a->value_at + slot * a->value_slot + d) * each);
    }
    for (uint32_t d = 0; d < a->value_width; d++)
        a->o[d] /= sum;
}

static void attention(const struct launch *launch, const struct attention_args *a)
{
    (void)launch;
    uint32_t group = a->n_heads / a->n_kv_heads;
    for (uint32_t s = 0; s < a->n_seqs; s++)
        for (uint32_t i = 0; i < a->seqs[s].n_rows; i++)
            for (uint32_t h = 0; h < a->n_heads; h++) {
                size_t r = a->seqs[s].first_row + i, kv_head = h / group;
                size_t values = (size_t)a->n_kv_heads * a->head_dim * KV_PAGE_TOKENS;
                attend(&(struct query){.kv = a->kv, .seq = &a->seqs[s], .q = a->q + r * a->q_stride + h * a->head_dim,
                                       .o = a->o + r * a->o_stride + h * a->head_dim, .scale = a->scale,
                                       .key_at = kv_head * a->head_dim * KV_PAGE_TOKENS, .key_step = KV_PAGE_TOKENS,
                                       .key_slot = 1, .value_at = values + kv_head * KV_PAGE_TOKENS * a->head_dim,
                                       .value_slot = a->head_dim, .key_width = a->head_dim, .value_width = a->head_dim,
                                       .last = a->seqs[s].position + i});
            }
}

static void latent_attention(const struct launch *launch, const struct latent_attention_args *a)
{
    (void)launch;
    uint32_t width = a->kv_lora_rank + a->rope_dim;
    for (uint32_t s = 0; s < a->n_seqs; s++)
        for (uint32_t i = 0; i < a->seqs[s].n_rows; i++)
            for (uint32_t h = 0; h < a->n_heads; h++) {
                size_t r = a->seqs[s].first_row + i;
                attend(&(struct query){.kv = a->kv, .seq = &a->seqs[s], .q = a->q + r * a->q_stride + (size_t)h * width,
                                       .o = a->o + r * a->o_stride + (size_t)h * a->kv_lora_rank, .scale = a->scale,
                                       .key_step = 1, .key_slot = width, .value_slot = width, .key_width = width,
                                       .value_width = a->kv_lora_rank, .last = a->seqs[s].position + i});
            }
}

const struct vector_ops vector_ops_ref = {rms_norm, add, gated_silu, rope, kv_write, attention, latent_write, latent_attention};
