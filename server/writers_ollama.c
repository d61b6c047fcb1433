/* Replies of the Ollama API: an object to the line (docs/api-dialects.md). */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "server/server.h"
#include "server/usage.h"
#include "server/writers.h"

enum { TIME_BYTES = 40, LOADED_BYTES_MAX = 1024 };

/* RFC 3339, in UTC. */
static void write_time(char out[TIME_BYTES])
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, TIME_BYTES - n, ".%06ldZ", now.tv_nsec / 1000);
}

static void emit_head(struct emit_json *json, const struct server *server)
{
    char created[TIME_BYTES];
    write_time(created);
    emit_key_text(json, "model", server->model_id);
    emit_key_text(json, "created_at", created);
}

static void emit_calls(struct emit_json *json, const struct generation_choice *c, uint32_t first, uint32_t end)
{
    emit_key(json, "tool_calls");
    emit_array_begin(json);
    for (uint32_t i = first; i < end; i++) {
        struct tool_call call = tool_parse_call(&c->tools, i);
        emit_object_begin(json);
        emit_key(json, "function");
        emit_object_begin(json);
        emit_key_int(json, "index", i);
        emit_key_str(json, "name", call.name);
        emit_key(json, "arguments");
        writers_emit_arguments(json, call.arguments);
        emit_object_end(json);
        emit_object_end(json);
    }
    emit_array_end(json);
}

/* What is there of the choice: thought, text, and the calls from `first` to `end`. */
static void emit_message(struct emit_json *json, const struct generation *g, const struct generation_choice *c, uint32_t first,
                         uint32_t end)
{
    emit_key(json, "message");
    emit_object_begin(json);
    emit_key_text(json, "role", "assistant");
    emit_key_str(json, "content", buf_str(&c->text));
    if (writers_shows_reasoning(g) && c->reasoning.len)
        emit_key_str(json, "thinking", buf_str(&c->reasoning));
    if (end > first)
        emit_calls(json, c, first, end);
    emit_object_end(json);
}

static void emit_response(struct emit_json *json, const struct generation *g, const struct generation_choice *c)
{
    emit_key_str(json, "response", buf_str(&c->text));
    if (writers_shows_reasoning(g) && c->reasoning.len)
        emit_key_str(json, "thinking", buf_str(&c->reasoning));
}

static bool is_chat(const struct generation *g)
{
    return g->writer == &writers_ollama_chat;
}

static void emit_content(struct emit_json *json, const struct generation *g, const struct generation_choice *c, uint32_t first,
                         uint32_t end)
{
    if (is_chat(g))
        emit_message(json, g, c, first, end);
    else
        emit_response(json, g, c);
}

/* Durations are whole nanoseconds. */
static void emit_done(struct emit_json *json, const struct generation *g, const struct generation_choice *c)
{
    struct usage_totals t = usage_totals_of(g);
    emit_key_bool(json, "done", true);
    emit_key_text(json, "done_reason", c->finish == GENERATION_LENGTH ? "length" : "stop");
    emit_key_int(json, "total_duration", (int64_t)(clock_now_ns(clock_real()) - exchange_request(g->exchange)->received_ns));
    emit_key_int(json, "load_duration", 0);
    emit_key_int(json, "prompt_eval_count", (int64_t)t.prompt);
    emit_key_int(json, "prompt_eval_duration", (int64_t)t.prefill_ns);
    emit_key_int(json, "eval_count", (int64_t)t.completion);
    emit_key_int(json, "eval_duration", (int64_t)t.decode_ns);
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

/* Sends a line with what came since the last one; calls go whole. */
static void send_piece(struct generation *g, struct generation_choice *c, uint32_t n_calls, bool last)
{
    struct emit_json json = emit_json_to(&g->line);
    emit_object_begin(&json);
    emit_head(&json, g->server);
    emit_content(&json, g, c, c->n_calls_sent, n_calls);
    if (last) {
        emit_done(&json, g, c);
        usage_emit_extras(&json, g);
    } else {
        emit_key_bool(&json, "done", false);
    }
    emit_object_end(&json);
    buf_add_text(&g->line, "\n");
    c->n_calls_sent = n_calls;
    buf_clear(&c->text);
    buf_clear(&c->reasoning);
    generation_send_line(g);
}

/* Clients read every line as an object: an empty piece keeps the stream alive. */
static void keep_alive(struct generation *g)
{
    send_piece(g, &g->choices[0], 0, false);
}

static void open_reply(struct generation *g, struct generation_choice *c)
{
    (void)g;
    (void)c;
}

static void send_news(struct generation *g, struct generation_choice *c)
{
    uint32_t n_calls = c->n_calls_sent;
    while (n_calls < c->tools.n_calls && (tool_parse_call(&c->tools, n_calls).complete || c->finish != GENERATION_RUNNING))
        n_calls++;
    if (!writers_shows_reasoning(g))
        buf_clear(&c->reasoning);
    if (c->text.len || c->reasoning.len || n_calls > c->n_calls_sent)
        send_piece(g, c, n_calls, false);
}

static void close_reply(struct generation *g, struct generation_choice *c)
{
    send_piece(g, c, c->n_calls_sent, true);
}

static void end_stream(struct generation *g)
{
    (void)g;
}

static void fail(struct generation *g, enum reply_code code, const char *param, const char *message)
{
    reply_write_error(&g->line, g->exchange, code, param, message);
    buf_add_text(&g->line, "\n");
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

static void write_whole(struct generation *g, struct emit_json *json)
{
    const struct generation_choice *c = &g->choices[0];
    emit_object_begin(json);
    emit_head(json, g->server);
    emit_content(json, g, c, 0, c->tools.n_calls);
    emit_done(json, g, c);
    usage_emit_extras(json, g);
    emit_object_end(json);
}

static void reply_loaded(struct exchange *exchange, const char *key, const char *value)
{
    struct buf body;
    buf_init(&body, LOADED_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_head(&json, exchange_server(exchange));
    emit_key(&json, key);
    emit_raw(&json, str_of(value));
    emit_key_bool(&json, "done", true);
    emit_key_text(&json, "done_reason", "load");
    emit_object_end(&json);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}

void writers_ollama_loaded_chat(struct exchange *exchange)
{
    reply_loaded(exchange, "message", "{\"role\":\"assistant\",\"content\":\"\"}");
}

void writers_ollama_loaded_generate(struct exchange *exchange)
{
    reply_loaded(exchange, "response", "\"\"");
}

#define OLLAMA_WRITER                                                                                                                    \
    {                                                                                                                                    \
        .id_prefix = "ollama-", .stream_type = "application/x-ndjson", .keep_alive = keep_alive, .open = open_reply, .delta = send_news, \
        .close = close_reply, .end = end_stream, .fail = fail, .no_memory = "{\"error\":\"out of memory for the reply\"}\n",             \
        .whole = write_whole                                                                                                             \
    }

const struct generation_writer writers_ollama_chat = OLLAMA_WRITER, writers_ollama_generate = OLLAMA_WRITER;
