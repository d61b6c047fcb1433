/* Sampling by Gumbel maxima over the tokens that survive the filters: no sums whose order could matter decide a sample. */
#include "engine/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

/* What a bias of +100 adds: certain among unbiased tokens at any temperature, small enough to leave biased ones their order. */
#define BIAS_CERTAIN 1e4f

/* Beyond any model's logits; keeps penalties of extreme strength finite. */
#define LOGIT_MAX 1e30f

/* Bounds of the noise of a draw, -log(-log(u)) for the 2^23 values of u. */
#define NOISE_LEAST -2.82f
#define NOISE_MOST 16.64f

/* Passes over a vocabulary keep this many sums or maxima side by side, so that compilers make vectors of them. */
enum { LANES = 16 };

struct candidate {
    float logit; /* after temperature */
    uint32_t id;
};

struct sampler {
    float *work;                  /* [vocabulary] */
    uint32_t *counts;             /* [vocabulary], zero between rows */
    struct candidate *candidates; /* [vocabulary] */
    uint32_t vocabulary;
};

enum status sampler_create(struct sampler **out, uint32_t vocabulary, struct error *error)
{
    struct sampler *s = mem_zalloc(sizeof *s);
    if (!s)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the sampler");
    s->vocabulary = vocabulary;
    s->work = mem_zalloc_array(vocabulary, sizeof *s->work);
    s->counts = mem_zalloc_array(vocabulary, sizeof *s->counts);
    s->candidates = mem_zalloc_array(vocabulary, sizeof *s->candidates);
    if (!s->work || !s->counts || !s->candidates) {
        sampler_free(s);
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the sampler");
    }
    *out = s;
    return STATUS_OK;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    mem_free(s->work);
    mem_free(s->counts);
    mem_free(s->candidates);
    mem_free(s);
}

/* Presence and frequency over generated tokens (OpenAI's definition), repetition over prompt and generated (Keskar et al. 2019,
 * section 4.1). */
static void penalise(struct sampler *s, const struct sampler_row *r)
{
    const struct protocol_submit *p = r->params;
    float *w = s->work;
    if (p->repetition_penalty == 1.0f && p->presence_penalty == 0 && p->frequency_penalty == 0)
        return;
    if (p->repetition_penalty != 1.0f) {
        for (int pass = 0; pass < 2; pass++) {
            const uint32_t *ids = pass ? r->generated : r->prompt;
            uint32_t n = pass ? r->n_generated : r->n_prompt;
            for (uint32_t i = 0; i < n; i++)
                if (s->counts[ids[i]]++ == 0)
                    w[ids[i]] = w[ids[i]] > 0 ? w[ids[i]] / p->repetition_penalty : w[ids[i]] * p->repetition_penalty;
        }
        for (uint32_t i = 0; i < r->n_prompt; i++)
            s->counts[r->prompt[i]] = 0;
        for (uint32_t i = 0; i < r->n_generated; i++)
            s->counts[r->generated[i]] = 0;
    }
    if (p->presence_penalty != 0 || p->frequency_penalty != 0) {
        for (uint32_t i = 0; i < r->n_generated; i++)
            s->counts[r->generated[i]]++;
        for (uint32_t i = 0; i < r->n_generated; i++) {
            uint32_t id = r->generated[i];
            if (s->counts[id])
                w[id] -= p->presence_penalty + p->frequency_penalty * (float)s->counts[id];
            s->counts[id] = 0;
        }
    }
    for (uint32_t i = 0; i < r->n_prompt + r->n_generated; i++) {
        uint32_t id = i < r->n_prompt ? r->prompt[i] : r->generated[i - r->n_prompt];
        w[id] = fmaxf(fminf(w[id], LOGIT_MAX), -LOGIT_MAX);
    }
}

static void ban_and_bias(struct sampler *s, const struct sampler_row *r, uint32_t n)
{
    const struct protocol_submit *p = r->params;
    for (uint32_t i = 0; i < p->n_bias; i++) {
        if (p->bias[i].bias <= -100.0f)
            s->work[p->bias[i].token] = -INFINITY;
        else
            s->work[p->bias[i].token] += p->bias[i].bias >= 100.0f ? BIAS_CERTAIN : p->bias[i].bias;
    }
    if (r->pull > 0 && r->pulled < n)
        s->work[r->pulled] += r->pull;
    for (uint32_t i = p->ignore_stop ? p->n_eos_ids : 0; !r->stops_allowed && i < p->n_stop_ids; i++)
        if (p->stop_ids[i] < n)
            s->work[p->stop_ids[i]] = -INFINITY;
}

/* Bans what the mask leaves out. A stop token that the mask leaves out may still end an output that may end here. */
static void keep_allowed(struct sampler *s, const struct sampler_row *r, uint32_t n)
{
    const struct protocol_submit *p = r->params;
    const struct constraint_mask *mask = r->mask;
    uint32_t first = p->ignore_stop ? p->n_eos_ids : 0, n_kept = mask->may_end ? p->n_stop_ids : 0;
    float kept[PROTOCOL_STOP_IDS_MAX];
    for (uint32_t i = first; i < n_kept; i++)
        kept[i] = p->stop_ids[i] < n ? s->work[p->stop_ids[i]] : -INFINITY;
    for (uint32_t word = 0; word < (n + 63) / 64; word++) {
        uint64_t bits = word < mask->n_words ? mask->tokens[word] : 0;
        uint32_t end = word * 64 + 64 < n ? word * 64 + 64 : n;
        for (uint32_t i = word * 64; bits != UINT64_MAX && i < end; i++)
            if (!(bits >> i % 64 & 1))
                s->work[i] = -INFINITY;
    }
    for (uint32_t i = first; i < n_kept; i++)
        if (p->stop_ids[i] < n && !constraints_allow(mask, p->stop_ids[i]))
            s->work[p->stop_ids[i]] = kept[i];
}

/* The first of the largest. */
static uint32_t largest(const float *w, uint32_t n)
{
    float lanes[LANES], best = w[0];
    uint32_t i = 0;
    for (uint32_t j = 0; j < LANES; j++)
        lanes[j] = w[0];
    for (; i + LANES <= n; i += LANES)
        for (uint32_t j = 0; j < LANES; j++)
            lanes[j] = w[i + j] > lanes[j] ? w[i + j] : lanes[j];
    for (; i < n; i++)
        best = w[i] > best ? w[i] : best;
    for (uint32_t j = 0; j < LANES; j++)
        best = lanes[j] > best ? lanes[j] : best;
    for (i = 0; w[i] != best;)
        i++;
    return i;
}

static int by_logit(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->logit != y->logit)
        return x->logit > y->logit ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static void swap(struct candidate *a, struct candidate *b)
{
    struct candidate t = *a;
    *a = *b;
    *b = t;
}

/* Moves the k first of the order by logit to the front, in no order (Hoare's selection; the pivot is the middle one of three, so
 * that nothing is random). */
static void select_first(struct candidate *c, uint32_t n, uint32_t k)
{
    uint32_t begin = 0, end = n;
    while (end - begin > 1 && begin < k && k < end) {
        uint32_t middle = begin + (end - begin) / 2, last = end - 1, store = begin;
        if (by_logit(&c[middle], &c[begin]) < 0)
            swap(&c[middle], &c[begin]);
        if (by_logit(&c[last], &c[middle]) < 0)
            swap(&c[last], &c[middle]);
        if (by_logit(&c[middle], &c[begin]) < 0)
            swap(&c[middle], &c[begin]);
        swap(&c[middle], &c[last]);
        for (uint32_t i = begin; i < last; i++)
            if (by_logit(&c[i], &c[last]) < 0)
                swap(&c[i], &c[store++]);
        swap(&c[store], &c[last]);
        if (k <= store)
            end = store;
        else
            begin = store + 1;
    }
}

static void keep_top_k(struct candidate *c, uint32_t *n, uint32_t k)
{
    if (k >= *n)
        return;
    select_first(c, *n, k);
    *n = k;
}

static uint64_t mass(const struct candidate *c, float top)
{
    const double unit = 281474976710656.0; /* 2^48 */
    return (uint64_t)(exp((double)c->logit - top) * unit);
}

/* The smallest set of likeliest tokens whose probability reaches top_p, in 64-bit fixed point: sums do not depend on their order.
 * Tokens of less than (1 - top_p) / n each are not needed even if there are n of them: they are dropped before sorting. */
static void keep_top_p(struct candidate *c, uint32_t *n, float top_p, float top)
{
    uint64_t total = 0, sum = 0;
    uint32_t kept = 0;
    if (top_p >= 1.0f)
        return;
    for (uint32_t i = 0; i < *n; i++)
        total += mass(&c[i], top);
    double wanted = (double)total * top_p, needless = (double)total * (1 - (double)top_p) / *n;
    for (uint32_t i = 0; i < *n; i++)
        if ((double)mass(&c[i], top) >= needless)
            c[kept++] = c[i];
    qsort(c, kept, sizeof *c, by_logit);
    for (*n = 0; *n < kept && (double)sum < wanted; ++*n)
        sum += mass(&c[*n], top);
}

/* The tokens worth a look, by temperature. Without top_p those that no noise can lift above the best one are left out; with it,
 * those so unlikely that all of them together weigh less than the rounding of its sums. */
static uint32_t collect(struct sampler *s, uint32_t n, const struct protocol_submit *p, float top)
{
    uint32_t kept = 0;
    float least = p->top_p < 1.0f ? top - 30.0f - logf((float)n) : top + NOISE_LEAST - NOISE_MOST;
    if (p->min_p > 0)
        least = fmaxf(least, top + logf(p->min_p));
    for (uint32_t i = 0; i < n; i++) {
        float logit = s->work[i] / p->temperature;
        if (logit >= least && s->work[i] > -INFINITY)
            s->candidates[kept++] = (struct candidate){logit, i};
    }
    return kept;
}

/* The largest of logit + Gumbel noise is a draw from the softmax. What cannot win is passed over: without a random number where no
 * noise suffices; without logarithms where noise above 4 is needed, which a u below exp(-exp(-4)) = 0.9818 does not give. */
static uint32_t draw(const struct sampler *s, uint32_t n, const struct sampler_row *r, float top)
{
    uint32_t best = 0, block = 0xFFFFFFFFu, words[4];
    float best_value = top + NOISE_LEAST; /* at least: the best token's own */
    for (uint32_t i = 0; i < n; i++) {
        const struct candidate *c = &s->candidates[i];
        if (c->logit + NOISE_MOST < best_value)
            continue;
        if (c->id / 4 != block) { /* four numbers a block: neighbours share one */
            block = c->id / 4;
            uint32_t counter[4] = {block, r->n_generated, r->choice, 0};
            rng_philox(r->params->seed, counter, words);
        }
        float unit = rng_unit_open(words[c->id % 4]);
        if (c->logit + 4.0f < best_value && unit < 0.98f)
            continue;
        float value = c->logit - logf(-logf(unit));
        if (value > best_value || (value == best_value && c->id < s->candidates[best].id)) {
            best_value = value;
            best = i;
        }
    }
    return s->candidates[best].id;
}

/* Rows of the embedding beyond the tokenizer's vocabulary stand for nothing. */
static uint32_t width(const struct sampler *s, uint32_t vocabulary)
{
    return vocabulary && vocabulary < s->vocabulary ? vocabulary : s->vocabulary;
}

static bool all_finite(const float *x, uint32_t n)
{
    float lanes[LANES] = {0}, poison = 0; /* 0, or NaN */
    uint32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (uint32_t j = 0; j < LANES; j++)
            lanes[j] += x[i + j] * 0.0f;
    for (; i < n; i++)
        poison += x[i] * 0.0f;
    for (uint32_t j = 0; j < LANES; j++)
        poison += lanes[j];
    return poison == 0.0f;
}

static void score(const float *logits, uint32_t n, uint32_t token, uint32_t n_top, struct protocol_token *out)
{
    uint32_t rank = 1, n_kept = 0;
    float top = logits[largest(logits, n)];
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += exp((double)logits[i] - top);
        rank += logits[i] > logits[token] || (logits[i] == logits[token] && i < token);
    }
    double base = top + log(sum);
    n_top = n_top < PROTOCOL_TOP_MAX ? n_top : PROTOCOL_TOP_MAX;
    for (uint32_t i = 0; n_top && i < n; i++) { /* insertion into a short sorted list; ties keep the lower id first */
        if (n_kept == n_top && logits[i] <= logits[out->top[n_kept - 1].token])
            continue;
        uint32_t at = n_kept < n_top ? n_kept++ : n_kept - 1;
        while (at > 0 && logits[out->top[at - 1].token] < logits[i]) {
            out->top[at] = out->top[at - 1];
            at--;
        }
        out->top[at].token = i;
    }
    for (uint32_t i = 0; i < n_kept; i++)
        out->top[i].logprob = (float)(logits[out->top[i].token] - base);
    out->token = token;
    out->logprob = (float)(logits[token] - base);
    out->rank = rank;
    out->n_top = n_kept;
}

bool sampler_score(struct sampler *s, const float *logits, uint32_t vocabulary, uint32_t token, uint32_t n_top,
                   struct protocol_token *out)
{
    uint32_t n = width(s, vocabulary);
    if (!all_finite(logits, n))
        return false;
    score(logits, n, token, n_top, out);
    return true;
}

enum status sampler_choose(struct sampler *s, const struct sampler_row *r, struct protocol_token *token, struct error *error)
{
    const struct protocol_submit *p = r->params;
    uint32_t n = width(s, p->vocabulary);
    *token = (struct protocol_token){0};
    if (!all_finite(r->logits, n))
        return error_set(error, STATUS_INTERNAL, "the model's output is not finite");
    memcpy(s->work, r->logits, n * sizeof *s->work);
    penalise(s, r);
    ban_and_bias(s, r, n);
    if (r->mask)
        keep_allowed(s, r, n);
    uint32_t best = largest(s->work, n);
    if (s->work[best] == -INFINITY && r->mask && r->mask->may_end)
        return STATUS_NOT_FOUND;
    if (s->work[best] == -INFINITY)
        return error_set(error, STATUS_INVALID, "%s",
                         r->mask ? "no token that the output's language allows is left by the vocabulary, logit_bias and stop tokens"
                                 : "every token is banned by logit_bias and stop tokens");
    if (p->temperature < 1e-5f || p->top_p <= 0 || p->top_k == 1) {
        token->token = best;
    } else {
        float top = s->work[best] / p->temperature;
        uint32_t kept = collect(s, n, p, top);
        if (p->top_k)
            keep_top_k(s->candidates, &kept, p->top_k);
        keep_top_p(s->candidates, &kept, p->top_p, top);
        token->token = draw(s, kept, r, top);
    }
    if (p->logprobs >= 0)
        score(r->logits, n, token->token, (uint32_t)p->logprobs, token);
    return STATUS_OK;
}
