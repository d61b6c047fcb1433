/* Replies in the native form of llama-server: content, how it stopped, settings, timings (docs/api-dialects.md). */
#include <string.h>

#include "server/server.h"
#include "server/usage.h"
#include "server/writers.h"

static const char *stop_type(const struct generation_choice *c)
{
    switch (c->finish) {
    case GENERATION_RUNNING:
        return "none";
    case GENERATION_LENGTH:
        return "limit";
    default:
        return c->stop_string >= 0 ? "word" : "eos";
    }
}

static void emit_settings(struct emit_json *json, const struct generation *g)
{
    const struct request *r = g->request;
    const struct {
        const char *key;
        double value;
    } rows[] = {{"temperature", r->temperature},
                {"top_p", r->top_p},
                {"min_p", r->min_p},
                {"repeat_penalty", r->repetition_penalty},
                {"presence_penalty", r->presence_penalty},
                {"frequency_penalty", r->frequency_penalty}};
    emit_key(json, "generation_settings");
    emit_object_begin(json);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        emit_key(json, rows[i].key);
        emit_double(json, rows[i].value);
    }
    emit_key_int(json, "top_k", r->top_k);
    emit_key(json, "seed");
    emit_uint(json, r->seed);
    emit_key_int(json, "n_predict", r->max_tokens);
    emit_key_int(json, "n_ctx", g->context);
    emit_key_bool(json, "stream", r->stream);
    emit_object_end(json);
}

static void emit_probability(struct emit_json *json, const struct generation *g, uint32_t token, float logprob)
{
    struct str bytes = tokenizer_bytes(g->server->text.tokenizer, token);
    emit_key(json, "id");
    emit_uint(json, token);
    emit_key(json, "token");
    emit_str(json, bytes);
    emit_key(json, "bytes");
    emit_array_begin(json);
    for (size_t i = 0; i < bytes.len; i++)
        emit_uint(json, (unsigned char)bytes.at[i]);
    emit_array_end(json);
    emit_key(json, "logprob");
    emit_double(json, writers_logprob(logprob));
}

static void emit_probabilities(struct emit_json *json, const struct generation *g, struct generation_choice *c)
{
    if (g->request->logprobs < 0)
        return;
    emit_key(json, "completion_probabilities");
    emit_array_begin(json);
    for (uint32_t i = c->n_entries_sent; i < c->entries.n; i++) {
        const struct generation_entry *e = generation_entry_at(&c->entries, i);
        emit_object_begin(json);
        emit_probability(json, g, e->token, e->logprob);
        emit_key(json, "top_logprobs");
        emit_array_begin(json);
        for (uint32_t k = 0; k < e->n_top; k++) {
            emit_object_begin(json);
            emit_probability(json, g, e->top[k].token, e->top[k].logprob);
            emit_object_end(json);
        }
        emit_array_end(json);
        emit_object_end(json);
    }
    emit_array_end(json);
    c->n_entries_sent = c->entries.n;
}

/* What is new of the choice: all of it in a whole reply. */
static void emit_news(struct emit_json *json, const struct generation *g, struct generation_choice *c, bool last)
{
    emit_key_int(json, "index", c->index);
    emit_key_str(json, "content", buf_str(&c->text));
    writers_emit_new_ids(json, "tokens", c); /* none unless they were asked for */
    emit_key_bool(json, "stop", last);
    emit_key_int(json, "id_slot", -1);
    emit_key_int(json, "tokens_predicted", c->n_tokens);
    emit_key_int(json, "tokens_evaluated", g->prompts[c->prompt].n_ids);
    emit_probabilities(json, g, c);
}

static void emit_end(struct emit_json *json, const struct generation *g, const struct generation_choice *c)
{
    emit_key_text(json, "model", g->server->model_id);
    emit_key_text(json, "stop_type", stop_type(c));
    emit_key_str(json, "stopping_word", c->stop_string >= 0 ? g->request->stops[c->stop_string] : str_of(""));
    emit_key_int(json, "tokens_cached", g->prompts[c->prompt].n_cached);
    emit_key_bool(json, "truncated", false);
    emit_key_bool(json, "has_new_line", c->text.len && memchr(c->text.at, '\n', c->text.len));
    emit_settings(json, g);
    usage_emit_timings(json, g);
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

static void send_event(struct generation *g, struct generation_choice *c, bool last)
{
    struct emit_json json = emit_json_to(&g->line);
    buf_add_text(&g->line, "data: ");
    emit_object_begin(&json);
    emit_news(&json, g, c, last);
    if (last)
        emit_end(&json, g, c);
    emit_object_end(&json);
    buf_add_text(&g->line, "\n\n");
    buf_clear(&c->text);
    generation_send_line(g);
}

static void no_event(struct generation *g, struct generation_choice *c)
{
    (void)g;
    (void)c;
}

static void send_news(struct generation *g, struct generation_choice *c)
{
    send_event(g, c, false);
}

static void send_last(struct generation *g, struct generation_choice *c)
{
    send_event(g, c, true);
}

static void end_stream(struct generation *g)
{
    (void)g;
}

static void fail(struct generation *g, enum reply_code code, const char *param, const char *message)
{
    buf_add_text(&g->line, "data: ");
    reply_error_body(&g->line, code, param, message);
    buf_add_text(&g->line, "\n\n");
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

static void write_one(struct generation *g, struct generation_choice *c, struct emit_json *json)
{
    emit_object_begin(json);
    emit_news(json, g, c, true);
    emit_end(json, g, c);
    emit_object_end(json);
}

/* Several prompts are answered by an array. */
static void write_whole(struct generation *g, struct emit_json *json)
{
    if (g->n_choices == 1) {
        write_one(g, &g->choices[0], json);
        return;
    }
    emit_array_begin(json);
    for (uint32_t i = 0; i < g->n_choices; i++)
        write_one(g, &g->choices[i], json);
    emit_array_end(json);
}

const struct generation_writer writers_native = {
    .id_prefix = "cmpl-",
    .stream_type = "text/event-stream; charset=utf-8",
    .keep_alive = writers_comment,
    .open = no_event,
    .delta = send_news,
    .close = send_last,
    .end = end_stream,
    .fail = fail,
    .no_memory = "data: {\"error\":{\"message\":\"out of memory for the reply\",\"type\":\"server_error\",\"param\":null,"
                 "\"code\":\"internal_error\"}}\n\n",
    .whole = write_whole,
};
