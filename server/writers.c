/* What writers of every surface share: tokens, log-probabilities, server-sent events. */
#include "server/writers.h"

#include <math.h>
#include <stdio.h>

#include "server/server.h"

double writers_logprob(float logprob)
{
    return isfinite(logprob) ? (logprob > 0 ? 0 : (double)logprob) : -9999.0;
}

void writers_emit_token(struct emit_json *json, const struct generation *g, uint32_t token)
{
    char name[24];
    if (!g->request->tokens_as_ids) {
        emit_str(json, tokenizer_bytes(g->server->text.tokenizer, token));
        return;
    }
    snprintf(name, sizeof name, "token_id:%u", token);
    emit_text(json, name);
}

void writers_emit_ids(struct emit_json *json, const char *key, const uint32_t *ids, size_t n)
{
    emit_key(json, key);
    emit_array_begin(json);
    for (size_t i = 0; i < n; i++)
        emit_uint(json, ids[i]);
    emit_array_end(json);
}

void writers_emit_new_ids(struct emit_json *json, const char *key, struct generation_choice *c)
{
    const char *at = c->ids.len ? c->ids.at + c->ids_sent : NULL;
    writers_emit_ids(json, key, (const uint32_t *)(const void *)at, (c->ids.len - c->ids_sent) / sizeof(uint32_t));
    c->ids_sent = c->ids.len;
}

static void emit_logprob(struct emit_json *json, const struct generation *g, uint32_t token, float logprob)
{
    struct str bytes = tokenizer_bytes(g->server->text.tokenizer, token);
    emit_key(json, "token");
    writers_emit_token(json, g, token);
    emit_key(json, "logprob");
    emit_double(json, writers_logprob(logprob));
    emit_key(json, "bytes");
    emit_array_begin(json);
    for (size_t i = 0; i < bytes.len; i++)
        emit_uint(json, (unsigned char)bytes.at[i]);
    emit_array_end(json);
}

void writers_emit_entries(struct emit_json *json, const struct generation *g, const struct generation_choice *c, uint32_t first,
                          bool in_reasoning)
{
    emit_array_begin(json);
    for (uint32_t i = first; i < c->entries.n; i++) {
        const struct generation_entry *e = generation_entry_at(&c->entries, i);
        if (e->in_reasoning != in_reasoning)
            continue;
        emit_object_begin(json);
        emit_logprob(json, g, e->token, e->logprob);
        emit_key(json, "top_logprobs");
        emit_array_begin(json);
        for (uint32_t k = 0; k < e->n_top; k++) {
            emit_object_begin(json);
            emit_logprob(json, g, e->top[k].token, e->top[k].logprob);
            emit_object_end(json);
        }
        emit_array_end(json);
        emit_object_end(json);
    }
    emit_array_end(json);
}

bool writers_shows_reasoning(const struct generation *g)
{
    return g->thinks && g->request->separate_reasoning && g->request->include_reasoning;
}

void writers_comment(struct generation *g)
{
    buf_add_text(&g->line, ": keep-alive\n\n");
    generation_send_line(g);
}
