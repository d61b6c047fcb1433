/* Usage and its kin, computed from a generation when it is written. */
#include "server/usage.h"

#include <stdio.h>
#include <string.h>

#include "server/report.h"
#include "server/server.h"
#include "server/writers.h"

struct usage_totals usage_totals_of(const struct generation *g)
{
    struct usage_totals t = {0};
    for (uint32_t i = 0; i < g->n_prompts; i++) {
        const struct generation_prompt *p = &g->prompts[i];
        t.prompt += p->n_ids;
        t.cached += p->n_cached;
        t.queue_ns = p->queue_ns > t.queue_ns ? p->queue_ns : t.queue_ns;
        t.prefill_ns = p->prefill_ns > t.prefill_ns ? p->prefill_ns : t.prefill_ns;
        t.decode_ns = p->decode_ns > t.decode_ns ? p->decode_ns : t.decode_ns;
    }
    for (uint32_t i = 0; i < g->n_choices; i++) {
        t.completion += g->choices[i].n_tokens;
        t.reasoning += g->choices[i].n_reasoning_tokens;
    }
    return t;
}

void usage_emit(struct emit_json *json, const struct generation *g)
{
    struct usage_totals t = usage_totals_of(g);
    emit_key(json, "usage");
    emit_object_begin(json);
    emit_key_int(json, "prompt_tokens", (int64_t)t.prompt);
    emit_key_int(json, "completion_tokens", (int64_t)t.completion);
    emit_key_int(json, "total_tokens", (int64_t)(t.prompt + t.completion));
    emit_key(json, "prompt_tokens_details");
    emit_object_begin(json);
    emit_key_int(json, "cached_tokens", (int64_t)t.cached);
    emit_object_end(json);
    emit_key(json, "completion_tokens_details");
    emit_object_begin(json);
    emit_key_int(json, "reasoning_tokens", (int64_t)t.reasoning);
    emit_key_int(json, "accepted_prediction_tokens", 0);
    emit_key_int(json, "rejected_prediction_tokens", 0);
    emit_object_end(json);
    emit_key_int(json, "prompt_cache_hit_tokens", (int64_t)t.cached);
    emit_key_int(json, "prompt_cache_miss_tokens", (int64_t)(t.prompt - t.cached));
    emit_object_end(json);
}

static void emit_rate(struct emit_json *json, const char *each, const char *rate, double ms, uint64_t n)
{
    emit_key(json, each);
    emit_double(json, n ? ms / (double)n : 0);
    emit_key(json, rate);
    emit_double(json, ms > 0 ? (double)n * 1e3 / ms : 0);
}

void usage_emit_timings(struct emit_json *json, const struct generation *g)
{
    struct usage_totals t = usage_totals_of(g);
    double prompt_ms = (double)t.prefill_ns * 1e-6, predicted_ms = (double)t.decode_ns * 1e-6;
    emit_key(json, "timings");
    emit_object_begin(json);
    emit_key_int(json, "cache_n", (int64_t)t.cached);
    emit_key_int(json, "prompt_n", (int64_t)(t.prompt - t.cached));
    emit_key(json, "prompt_ms");
    emit_double(json, prompt_ms);
    emit_rate(json, "prompt_per_token_ms", "prompt_per_second", prompt_ms, t.prompt - t.cached);
    emit_key_int(json, "predicted_n", (int64_t)t.completion);
    emit_key(json, "predicted_ms");
    emit_double(json, predicted_ms);
    emit_rate(json, "predicted_per_token_ms", "predicted_per_second", predicted_ms, t.completion);
    emit_object_end(json);
}

/* ---- Prompt log-probabilities: null for the first token, then a map from id to figures ------------------------ */

static void emit_candidate(struct emit_json *json, const struct generation *g, uint32_t token, float logprob, uint32_t rank)
{
    char key[16];
    snprintf(key, sizeof key, "%u", token);
    emit_key(json, key);
    emit_object_begin(json);
    emit_key(json, "logprob");
    emit_double(json, writers_logprob(logprob));
    emit_key_int(json, "rank", rank);
    emit_key_str(json, "decoded_token", tokenizer_bytes(g->server->text.tokenizer, token));
    emit_object_end(json);
}

static void emit_prompt_logprobs(struct emit_json *json, const struct generation *g, const struct generation_prompt *p)
{
    emit_key(json, "prompt_logprobs");
    emit_array_begin(json);
    emit_null(json);
    for (uint32_t i = 0; i < p->entries.n; i++) {
        const struct generation_entry *e = generation_entry_at(&p->entries, i);
        bool listed = false;
        emit_object_begin(json);
        for (uint32_t k = 0; k < e->n_top && k < (uint32_t)g->request->prompt_logprobs; k++) {
            emit_candidate(json, g, e->top[k].token, e->top[k].logprob, k + 1);
            listed |= e->top[k].token == e->token;
        }
        if (!listed)
            emit_candidate(json, g, e->token, e->logprob, e->rank);
        emit_object_end(json);
    }
    emit_array_end(json);
}

void usage_emit_extras(struct emit_json *json, const struct generation *g)
{
    const struct request *r = g->request;
    if (r->timings)
        usage_emit_timings(json, g);
    if (r->report)
        report_emit(json, g);
    if (r->stream)
        return;
    if (r->return_token_ids && g->n_prompts == 1)
        writers_emit_ids(json, "prompt_token_ids", g->prompts[0].ids, g->prompts[0].n_ids);
    if (r->prompt_logprobs >= 0 && g->n_prompts == 1)
        emit_prompt_logprobs(json, g, &g->prompts[0]);
}
