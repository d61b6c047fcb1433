/* Replies of the OpenAI Responses API: output items, one after the other (docs/api-dialects.md). */
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server/dialect_responses.h"
#include "server/server.h"
#include "server/usage.h"
#include "server/writers.h"

static const struct responses_asked *asked(const struct generation *g)
{
    return g->request->dialect;
}

/* ---- Items ------------------------------------------------------------------------------------------------- */

static bool is_custom(const struct generation *g, const struct writers_part *part)
{
    const struct responses_asked *a = asked(g);
    for (uint32_t i = 0; i < a->n_custom && part->kind == WRITERS_PART_CALL; i++)
        if (str_equal(a->custom[i], part->name))
            return true;
    return false;
}

static void item_id(char out[WRITERS_ID_BYTES], const struct generation *g, const struct writers_part *part)
{
    static const char *const prefixes[] = {"rs_", "msg_", "fc_"};
    writers_part_id(out, g, is_custom(g, part) ? "ctc_" : prefixes[part->kind], part->index);
}

/* The text that a custom tool is given: the one argument of the function that stood for it. */
static void emit_custom_input(struct emit_json *json, struct str arguments)
{
    json_t *object = json_loadb(arguments.at, arguments.len, JSON_ALLOW_NUL, NULL), *input = json_object_get(object, "input");
    if (json_is_string(input))
        emit_str(json, str_from(json_string_value(input), json_string_length(input)));
    else
        emit_str(json, arguments);
    json_decref(object);
}

static void emit_encrypted(struct emit_json *json, struct str thought)
{
    size_t size = sodium_base64_encoded_len(thought.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = mem_alloc(size);
    emit_key(json, "encrypted_content");
    if (text)
        sodium_bin2base64(text, size, (const unsigned char *)thought.at, thought.len, sodium_base64_VARIANT_ORIGINAL);
    emit_text(json, text);
    mem_free(text);
}

static void emit_logprobs(struct emit_json *json, const struct generation *g, uint32_t first)
{
    emit_key(json, "logprobs");
    if (asked(g)->wants_logprobs && g->request->logprobs >= 0) {
        writers_emit_entries(json, g, &g->choices[0], first, false);
    } else {
        emit_array_begin(json);
        emit_array_end(json);
    }
}

/* The one content part of a reasoning or message item; `start`: as it is when it is announced. */
static void emit_content_part(struct emit_json *json, const struct generation *g, const struct writers_part *part, bool start)
{
    struct str text = start ? str_from("", 0) : part->text;
    emit_object_begin(json);
    emit_key_text(json, "type", part->kind == WRITERS_PART_TEXT ? "output_text" : "reasoning_text");
    emit_key_str(json, "text", text);
    if (part->kind == WRITERS_PART_TEXT) {
        emit_key(json, "annotations");
        emit_array_begin(json);
        emit_array_end(json);
        emit_logprobs(json, g, start ? g->choices[0].entries.n : 0);
    }
    emit_object_end(json);
}

static void emit_content(struct emit_json *json, const struct generation *g, const struct writers_part *part, bool start)
{
    emit_key(json, "content");
    emit_array_begin(json);
    if (!start)
        emit_content_part(json, g, part, false);
    emit_array_end(json);
}

static void emit_call(struct emit_json *json, const struct generation *g, const struct writers_part *part, bool start)
{
    char id[WRITERS_ID_BYTES];
    bool custom = is_custom(g, part);
    writers_part_id(id, g, "call_", part->index);
    emit_key_text(json, "type", custom ? "custom_tool_call" : "function_call");
    emit_key_text(json, "call_id", id);
    emit_key_str(json, "name", part->name);
    emit_key(json, custom ? "input" : "arguments");
    if (start)
        emit_text(json, "");
    else if (custom)
        emit_custom_input(json, part->text);
    else
        emit_str(json, part->text);
}

static void emit_item(struct emit_json *json, const struct generation *g, const struct writers_part *part, bool start)
{
    char id[WRITERS_ID_BYTES];
    item_id(id, g, part);
    emit_object_begin(json);
    emit_key_text(json, "id", id);
    switch (part->kind) {
    case WRITERS_PART_REASONING:
        emit_key_text(json, "type", "reasoning");
        emit_key(json, "summary");
        emit_array_begin(json);
        emit_array_end(json);
        emit_content(json, g, part, start);
        if (asked(g)->wants_encrypted && !start)
            emit_encrypted(json, part->text);
        break;
    case WRITERS_PART_TEXT:
        emit_key_text(json, "type", "message");
        emit_key_text(json, "role", "assistant");
        emit_content(json, g, part, start);
        break;
    case WRITERS_PART_CALL:
        emit_call(json, g, part, start);
        break;
    }
    emit_key_text(json, "status", start ? "in_progress" : part->cut ? "incomplete" : "completed");
    emit_object_end(json);
}

/* ---- The response object ----------------------------------------------------------------------------------- */

enum response_state { RESPONSE_RUNNING, RESPONSE_OVER, RESPONSE_FAILED };

static void emit_usage(struct emit_json *json, const struct generation *g)
{
    struct usage_totals t = usage_totals_of(g);
    emit_key(json, "usage");
    emit_object_begin(json);
    emit_key_int(json, "input_tokens", (int64_t)t.prompt);
    emit_key(json, "input_tokens_details");
    emit_object_begin(json);
    emit_key_int(json, "cached_tokens", (int64_t)t.cached);
    emit_key_int(json, "cache_write_tokens", 0);
    emit_object_end(json);
    emit_key_int(json, "output_tokens", (int64_t)t.completion);
    emit_key(json, "output_tokens_details");
    emit_object_begin(json);
    emit_key_int(json, "reasoning_tokens", (int64_t)t.reasoning);
    emit_object_end(json);
    emit_key_int(json, "total_tokens", (int64_t)(t.prompt + t.completion));
    emit_object_end(json);
}

static bool is_incomplete(const struct generation *g)
{
    return g->choices[0].finish == GENERATION_LENGTH;
}

static const char *status_of(const struct generation *g, enum response_state state)
{
    if (state == RESPONSE_RUNNING)
        return "in_progress";
    return state == RESPONSE_FAILED ? "failed" : is_incomplete(g) ? "incomplete" : "completed";
}

static void emit_error(struct emit_json *json, enum reply_code code, const char *message)
{
    emit_key(json, "error");
    if (!message) {
        emit_null(json);
        return;
    }
    emit_object_begin(json);
    emit_key_text(json, "code", reply_code_text(code) ? reply_code_text(code) : "server_error");
    emit_key_text(json, "message", message);
    emit_object_end(json);
}

static void emit_output(struct emit_json *json, const struct generation *g, enum response_state state)
{
    struct writers_part part;
    emit_key(json, "output");
    emit_array_begin(json);
    for (uint32_t i = 0; state != RESPONSE_RUNNING && writers_part_at(g, &g->choices[0], i, &part); i++)
        emit_item(json, g, &part, false);
    emit_array_end(json);
}

/* The fields of a response; `message`: what failed, or null. */
static void emit_response(struct emit_json *json, const struct generation *g, enum response_state state, enum reply_code code,
                          const char *message)
{
    const struct responses_asked *a = asked(g);
    emit_key_text(json, "id", g->id);
    emit_key_text(json, "object", "response");
    emit_key_int(json, "created_at", g->created);
    emit_key(json, "completed_at");
    if (state == RESPONSE_OVER && !is_incomplete(g))
        emit_int(json, clock_unix_seconds());
    else
        emit_null(json);
    emit_key_text(json, "status", status_of(g, state));
    emit_error(json, code, message);
    emit_key(json, "incomplete_details");
    if (state == RESPONSE_OVER && is_incomplete(g))
        emit_raw(json, str_of("{\"reason\":\"max_output_tokens\"}"));
    else
        emit_null(json);
    emit_key_text(json, "model", g->server->model_id);
    emit_output(json, g, state);
    emit_key_null(json, "previous_response_id");
    emit_key_bool(json, "store", false);
    emit_key_bool(json, "background", false);
    emit_key(json, "temperature");
    emit_double(json, g->request->temperature);
    emit_key(json, "top_p");
    emit_double(json, g->request->top_p);
    emit_key_text(json, "service_tier", "default");
    for (uint32_t i = 0; i < a->n_echoes; i++) {
        emit_key(json, a->echoes[i].key);
        emit_raw(json, a->echoes[i].json);
    }
    if (state == RESPONSE_OVER)
        emit_usage(json, g);
    else
        emit_key_null(json, "usage");
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

static struct emit_json begin_event(struct generation *g, const char *type)
{
    struct emit_json json = emit_json_to(&g->line);
    buf_printf(&g->line, "event: %s\ndata: ", type);
    emit_object_begin(&json);
    emit_key_text(&json, "type", type);
    emit_key_int(&json, "sequence_number", g->parts.n_events++);
    return json;
}

static void end_event(struct generation *g, struct emit_json *json)
{
    emit_object_end(json);
    buf_add_text(&g->line, "\n\n");
}

static void add_response_event(struct generation *g, const char *type, enum response_state state, enum reply_code code,
                               const char *message)
{
    struct emit_json json = begin_event(g, type);
    emit_key(&json, "response");
    emit_object_begin(&json);
    emit_response(&json, g, state, code, message);
    emit_object_end(&json);
    if (state == RESPONSE_OVER)
        usage_emit_extras(&json, g);
    end_event(g, &json);
}

static void begin(struct generation *g)
{
    add_response_event(g, "response.created", RESPONSE_RUNNING, REPLY_INTERNAL, NULL);
    add_response_event(g, "response.in_progress", RESPONSE_RUNNING, REPLY_INTERNAL, NULL);
    generation_send_line(g);
}

static void add_item_event(struct generation *g, const char *type, const struct writers_part *part, bool start)
{
    struct emit_json json = begin_event(g, type);
    emit_key_int(&json, "output_index", part->index);
    emit_key(&json, "item");
    emit_item(&json, g, part, start);
    end_event(g, &json);
}

/* An event about an item's inside: begun with the item's place. */
static struct emit_json begin_inner(struct generation *g, const char *type, const struct writers_part *part)
{
    char id[WRITERS_ID_BYTES];
    struct emit_json json = begin_event(g, type);
    item_id(id, g, part);
    emit_key_text(&json, "item_id", id);
    emit_key_int(&json, "output_index", part->index);
    if (part->kind != WRITERS_PART_CALL)
        emit_key_int(&json, "content_index", 0);
    return json;
}

static void add_part_event(struct generation *g, const char *type, const struct writers_part *part, bool start)
{
    struct emit_json json = begin_inner(g, type, part);
    emit_key(&json, "part");
    emit_content_part(&json, g, part, start);
    end_event(g, &json);
}

static void open_item(struct generation *g, const struct writers_part *part)
{
    add_item_event(g, "response.output_item.added", part, true);
    if (part->kind != WRITERS_PART_CALL)
        add_part_event(g, "response.content_part.added", part, true);
    generation_send_line(g);
}

static void send_item_delta(struct generation *g, const struct writers_part *part, struct str news)
{
    static const char *const types[] = {"response.reasoning_text.delta", "response.output_text.delta",
                                        "response.function_call_arguments.delta"};
    struct generation_choice *c = &g->choices[0];
    if (is_custom(g, part))
        return; /* its text stands inside the arguments: known once they are whole */
    struct emit_json json = begin_inner(g, types[part->kind], part);
    emit_key_str(&json, "delta", news);
    if (part->kind == WRITERS_PART_TEXT) {
        emit_logprobs(&json, g, c->n_entries_sent);
        c->n_entries_sent = c->entries.n;
    }
    end_event(g, &json);
    generation_send_line(g);
}

static void add_text_done(struct generation *g, const struct writers_part *part)
{
    bool text = part->kind == WRITERS_PART_TEXT;
    struct emit_json json = begin_inner(g, text ? "response.output_text.done" : "response.reasoning_text.done", part);
    emit_key_str(&json, "text", part->text);
    if (text)
        emit_logprobs(&json, g, 0);
    end_event(g, &json);
    add_part_event(g, "response.content_part.done", part, false);
}

static void add_call_done(struct generation *g, const struct writers_part *part)
{
    struct emit_json json = begin_inner(g, "response.function_call_arguments.done", part);
    emit_key_str(&json, "name", part->name);
    emit_key_str(&json, "arguments", part->text);
    end_event(g, &json);
}

static void add_custom_done(struct generation *g, const struct writers_part *part)
{
    struct emit_json json = begin_inner(g, "response.custom_tool_call_input.delta", part);
    emit_key(&json, "delta");
    emit_custom_input(&json, part->text);
    end_event(g, &json);
    json = begin_inner(g, "response.custom_tool_call_input.done", part);
    emit_key(&json, "input");
    emit_custom_input(&json, part->text);
    end_event(g, &json);
}

static void close_item(struct generation *g, const struct writers_part *part)
{
    if (part->kind != WRITERS_PART_CALL)
        add_text_done(g, part);
    else if (is_custom(g, part))
        add_custom_done(g, part);
    else
        add_call_done(g, part);
    add_item_event(g, "response.output_item.done", part, false);
    generation_send_line(g);
}

/* Items alone open and close. */
static void no_event(struct generation *g, struct generation_choice *c)
{
    (void)g;
    (void)c;
}

static void send_news(struct generation *g, struct generation_choice *c)
{
    static const struct writers_part_events events = {open_item, send_item_delta, close_item};
    writers_parts_walk(g, c, &events);
}

static void end_stream(struct generation *g)
{
    add_response_event(g, is_incomplete(g) ? "response.incomplete" : "response.completed", RESPONSE_OVER, REPLY_INTERNAL, NULL);
}

/* Before any item an event of its own; afterwards the whole response, with what there is of it. */
static void fail(struct generation *g, enum reply_code code, const char *param, const char *message)
{
    if (g->parts.index || g->parts.open) {
        add_response_event(g, "response.failed", RESPONSE_FAILED, code, message);
        return;
    }
    struct emit_json json = begin_event(g, "error");
    emit_key_text(&json, "code", reply_code_text(code));
    emit_key_text(&json, "message", message);
    emit_key_text(&json, "param", param && *param ? param : NULL);
    end_event(g, &json);
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

static void write_whole(struct generation *g, struct emit_json *json)
{
    emit_object_begin(json);
    emit_response(json, g, RESPONSE_OVER, REPLY_INTERNAL, NULL);
    usage_emit_extras(json, g);
    emit_object_end(json);
}

const struct generation_writer writers_responses = {
    .id_prefix = "resp_",
    .stream_type = "text/event-stream; charset=utf-8",
    .keeps_text = true,
    .begin = begin,
    .keep_alive = writers_comment,
    .open = no_event,
    .delta = send_news,
    .close = no_event,
    .end = end_stream,
    .fail = fail,
    .no_memory = "event: error\ndata: {\"type\":\"error\",\"code\":\"internal_error\",\"message\":\"out of memory for the "
                 "reply\",\"param\":null}\n\n",
    .whole = write_whole};
