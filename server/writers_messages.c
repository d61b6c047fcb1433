/* Replies of the Anthropic Messages API: content blocks, one after the other (docs/api-dialects.md). */
#include <sodium.h>
#include <stdio.h>

#include "server/dialect_messages.h"
#include "server/server.h"
#include "server/usage.h"
#include "server/writers.h"

enum { SIGNATURE_HASH_BYTES = 32, SIGNATURE_BYTES = 64 };

static const struct messages_asked *asked(const struct generation *g)
{
    return g->request->dialect;
}

/* ---- Pieces ------------------------------------------------------------------------------------------------ */

/* Opaque to the client, and never read again: a digest of the thought. */
static void make_signature(char out[SIGNATURE_BYTES], struct str thought)
{
    unsigned char hash[SIGNATURE_HASH_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)thought.at, thought.len, NULL, 0);
    sodium_bin2base64(out, SIGNATURE_BYTES, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
}

static const char *stop_reason(const struct generation *g, const struct generation_choice *c)
{
    switch (c->finish) {
    case GENERATION_TOOL_CALLS:
        return "tool_use";
    case GENERATION_LENGTH:
        return (int64_t)c->n_tokens < g->request->max_tokens ? "model_context_window_exceeded" : "max_tokens";
    case GENERATION_STOP:
        return c->stop_string >= 0 ? "stop_sequence" : "end_turn";
    case GENERATION_RUNNING:
        break;
    }
    return NULL;
}

static void emit_stop(struct emit_json *json, const struct generation *g, const struct generation_choice *c)
{
    emit_key_text(json, "stop_reason", stop_reason(g, c));
    if (c->stop_string >= 0)
        emit_key_str(json, "stop_sequence", g->request->stops[c->stop_string]);
    else
        emit_key_null(json, "stop_sequence");
}

static void emit_usage(struct emit_json *json, const struct generation *g)
{
    struct usage_totals t = usage_totals_of(g);
    emit_key(json, "usage");
    emit_object_begin(json);
    emit_key_int(json, "input_tokens", (int64_t)(t.prompt - t.cached));
    emit_key_int(json, "cache_creation_input_tokens", 0);
    emit_key_int(json, "cache_read_input_tokens", (int64_t)t.cached);
    emit_key_int(json, "output_tokens", (int64_t)t.completion);
    emit_key(json, "output_tokens_details");
    emit_object_begin(json);
    emit_key_int(json, "thinking_tokens", (int64_t)t.reasoning);
    emit_object_end(json);
    emit_key_text(json, "service_tier", "standard");
    emit_object_end(json);
}

static struct str thought_of(const struct generation *g, const struct writers_part *part)
{
    return asked(g)->omits_thinking ? str_from("", 0) : part->text;
}

/* A block; as its start has it, without what deltas bring. */
static void emit_block(struct emit_json *json, const struct generation *g, const struct writers_part *part, bool start)
{
    char id[WRITERS_ID_BYTES], signature[SIGNATURE_BYTES] = "";
    emit_object_begin(json);
    switch (part->kind) {
    case WRITERS_PART_REASONING:
        if (!start)
            make_signature(signature, part->text);
        emit_key_text(json, "type", "thinking");
        emit_key_str(json, "thinking", start ? str_from("", 0) : thought_of(g, part));
        emit_key_text(json, "signature", signature);
        break;
    case WRITERS_PART_TEXT:
        emit_key_text(json, "type", "text");
        emit_key_str(json, "text", start ? str_from("", 0) : part->text);
        emit_key_null(json, "citations");
        break;
    case WRITERS_PART_CALL:
        writers_part_id(id, g, "toolu_", part->index);
        emit_key_text(json, "type", "tool_use");
        emit_key_text(json, "id", id);
        emit_key_str(json, "name", part->name);
        emit_key(json, "input");
        if (start)
            emit_raw(json, str_of("{}"));
        else
            writers_emit_arguments(json, part->text);
        break;
    }
    emit_object_end(json);
}

/* The fields of a message; `c` null: nothing has come yet. */
static void emit_message(struct emit_json *json, const struct generation *g, const struct generation_choice *c)
{
    struct writers_part part;
    emit_key_text(json, "id", g->id);
    emit_key_text(json, "type", "message");
    emit_key_text(json, "role", "assistant");
    emit_key_text(json, "model", g->server->model_id);
    emit_key(json, "content");
    emit_array_begin(json);
    for (uint32_t i = 0; c && writers_part_at(g, c, i, &part); i++)
        emit_block(json, g, &part, false);
    emit_array_end(json);
    if (c) {
        emit_stop(json, g, c);
    } else {
        emit_key_null(json, "stop_reason");
        emit_key_null(json, "stop_sequence");
    }
    emit_key_null(json, "stop_details");
    emit_key_null(json, "container");
    emit_usage(json, g);
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

static struct emit_json begin_event(struct generation *g, const char *type)
{
    struct emit_json json = emit_json_to(&g->line);
    buf_printf(&g->line, "event: %s\ndata: ", type);
    emit_object_begin(&json);
    emit_key_text(&json, "type", type);
    return json;
}

static void end_event(struct generation *g, struct emit_json *json)
{
    emit_object_end(json);
    buf_add_text(&g->line, "\n\n");
}

static void open_message(struct generation *g, struct generation_choice *c)
{
    (void)c;
    struct emit_json json = begin_event(g, "message_start");
    emit_key(&json, "message");
    emit_object_begin(&json);
    emit_message(&json, g, NULL);
    emit_object_end(&json);
    end_event(g, &json);
    generation_send_line(g);
}

static void open_block(struct generation *g, const struct writers_part *part)
{
    struct emit_json json = begin_event(g, "content_block_start");
    emit_key_int(&json, "index", part->index);
    emit_key(&json, "content_block");
    emit_block(&json, g, part, true);
    end_event(g, &json);
    generation_send_line(g);
}

static void add_delta(struct generation *g, const struct writers_part *part, const char *type, const char *key, struct str text)
{
    struct emit_json json = begin_event(g, "content_block_delta");
    emit_key_int(&json, "index", part->index);
    emit_key(&json, "delta");
    emit_object_begin(&json);
    emit_key_text(&json, "type", type);
    emit_key_str(&json, key, text);
    emit_object_end(&json);
    end_event(g, &json);
}

static void send_block_delta(struct generation *g, const struct writers_part *part, struct str news)
{
    static const char *const types[] = {"thinking_delta", "text_delta", "input_json_delta"};
    static const char *const keys[] = {"thinking", "text", "partial_json"};
    if (part->kind == WRITERS_PART_REASONING && asked(g)->omits_thinking)
        return;
    add_delta(g, part, types[part->kind], keys[part->kind], news);
    generation_send_line(g);
}

static void close_block(struct generation *g, const struct writers_part *part)
{
    char signature[SIGNATURE_BYTES];
    if (part->kind == WRITERS_PART_REASONING) {
        make_signature(signature, part->text);
        add_delta(g, part, "signature_delta", "signature", str_of(signature));
    }
    struct emit_json json = begin_event(g, "content_block_stop");
    emit_key_int(&json, "index", part->index);
    end_event(g, &json);
    generation_send_line(g);
}

static void send_news(struct generation *g, struct generation_choice *c)
{
    static const struct writers_part_events events = {open_block, send_block_delta, close_block};
    writers_parts_walk(g, c, &events);
}

static void close_message(struct generation *g, struct generation_choice *c)
{
    struct emit_json json = begin_event(g, "message_delta");
    emit_key(&json, "delta");
    emit_object_begin(&json);
    emit_stop(&json, g, c);
    emit_object_end(&json);
    emit_usage(&json, g);
    usage_emit_extras(&json, g);
    end_event(g, &json);
    generation_send_line(g);
}

static void end_stream(struct generation *g)
{
    struct emit_json json = begin_event(g, "message_stop");
    end_event(g, &json);
}

static void fail(struct generation *g, enum reply_code code, const char *param, const char *message)
{
    (void)param;
    buf_add_text(&g->line, "event: error\ndata: ");
    reply_anthropic_body(&g->line, code, message, str_from("", 0));
    buf_add_text(&g->line, "\n\n");
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

static void write_whole(struct generation *g, struct emit_json *json)
{
    emit_object_begin(json);
    emit_message(json, g, &g->choices[0]);
    usage_emit_extras(json, g);
    emit_object_end(json);
}

const struct generation_writer writers_messages = {
    .id_prefix = "msg_",
    .stream_type = "text/event-stream; charset=utf-8",
    .keeps_text = true,
    .keep_alive = writers_comment,
    .open = open_message,
    .delta = send_news,
    .close = close_message,
    .end = end_stream,
    .fail = fail,
    .no_memory =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"out of memory for the reply\"}}\n\n",
    .whole = write_whole};
