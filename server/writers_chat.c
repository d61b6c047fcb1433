/* Chat replies: message and delta objects, log-probabilities in the form of api.md section 6.3. */
#include "server/server.h"
#include "server/writers.h"

/* The entries not sent yet, or null. */
static void emit_logprobs(struct emit_json *json, const struct generation *g, struct generation_choice *c)
{
    emit_key(json, "logprobs");
    if (g->request->logprobs < 0 || (g->request->stream && c->n_entries_sent == c->entries.n)) {
        emit_null(json);
        return;
    }
    emit_object_begin(json);
    emit_key(json, "content");
    writers_emit_entries(json, g, c, c->n_entries_sent, false);
    emit_key_null(json, "refusal");
    if (g->thinks) {
        emit_key(json, "reasoning_content");
        writers_emit_entries(json, g, c, c->n_entries_sent, true);
    }
    emit_object_end(json);
    c->n_entries_sent = c->entries.n;
}

static bool repeats_reasoning(const struct generation *g)
{
    return ((const struct config *)g->server->config)->reasoning_alias;
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

static void finish_event(struct generation *g, struct generation_choice *c, bool with_logprobs, bool last)
{
    struct emit_json json = {&g->line, true};
    if (last)
        writers_openai_emit_finish(&json, c);
    else
        emit_key_null(&json, "finish_reason");
    if (with_logprobs)
        emit_logprobs(&json, g, c);
    else
        emit_key_null(&json, "logprobs");
    writers_openai_end_event(g, c);
}

static void begin(struct generation *g)
{
    writers_openai_begin(g, "chat.completion.chunk");
}

static void open_choice(struct generation *g, struct generation_choice *c)
{
    writers_openai_begin_event(g, c);
    buf_add_text(&g->line, writers_shows_reasoning(g) ? ",\"delta\":{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"\"}"
                                                      : ",\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
    finish_event(g, c, false, false);
}

static void send_delta(struct generation *g, struct generation_choice *c, const char *key, struct buf *text, bool with_logprobs)
{
    writers_openai_begin_event(g, c);
    buf_printf(&g->line, ",\"delta\":{\"%s\":\"", key);
    emit_escaped(&g->line, buf_str(text));
    if (repeats_reasoning(g) && text == &c->reasoning) {
        buf_add_text(&g->line, "\",\"reasoning\":\"");
        emit_escaped(&g->line, buf_str(text));
    }
    buf_add_text(&g->line, "\"}");
    buf_clear(text);
    finish_event(g, c, with_logprobs, false);
}

/* With stream_reasoning off the thought is one piece, once it is complete. */
static bool may_send_reasoning(const struct generation *g, const struct generation_choice *c)
{
    bool complete = c->finish != GENERATION_RUNNING || !reasoning_split_in_reasoning(&c->split);
    return c->reasoning.len && (g->request->stream_reasoning || complete);
}

static void begin_call_delta(struct generation *g, struct generation_choice *c)
{
    writers_openai_begin_event(g, c);
    buf_printf(&g->line, ",\"delta\":{\"tool_calls\":[{\"index\":%u", c->n_calls_sent);
}

static void end_call_delta(struct generation *g, struct generation_choice *c)
{
    buf_add_text(&g->line, "\"}}]}");
    finish_event(g, c, true, false);
}

static void open_call(struct generation *g, struct generation_choice *c, struct str name)
{
    char id[GENERATION_ID_BYTES];
    generation_make_id(id, "call_");
    begin_call_delta(g, c);
    buf_printf(&g->line, ",\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"", id);
    emit_escaped(&g->line, name);
    buf_add_text(&g->line, "\",\"arguments\":\"");
    end_call_delta(g, c);
    c->call_opened = true;
    c->arguments_sent = 0;
}

static void send_arguments(struct generation *g, struct generation_choice *c, struct str arguments)
{
    begin_call_delta(g, c);
    buf_add_text(&g->line, ",\"function\":{\"arguments\":\"");
    emit_escaped(&g->line, str_skip(arguments, c->arguments_sent));
    end_call_delta(g, c);
    c->arguments_sent = arguments.len;
}

/* A call is sent to its end before the next begins. */
static void send_calls(struct generation *g, struct generation_choice *c)
{
    while (c->n_calls_sent < c->tools.n_calls && !g->over) {
        struct tool_call call = tool_parse_call(&c->tools, c->n_calls_sent);
        if (!c->call_opened)
            open_call(g, c, call.name);
        if (c->arguments_sent < call.arguments.len && !g->over)
            send_arguments(g, c, call.arguments);
        if (!call.complete)
            return;
        c->n_calls_sent++;
        c->call_opened = false;
    }
}

static void send_deltas(struct generation *g, struct generation_choice *c)
{
    if (!writers_shows_reasoning(g))
        buf_clear(&c->reasoning);
    if (may_send_reasoning(g, c))
        send_delta(g, c, "reasoning_content", &c->reasoning, c->text.len == 0);
    if (c->text.len)
        send_delta(g, c, "content", &c->text, true);
    send_calls(g, c);
}

static void send_last(struct generation *g, struct generation_choice *c)
{
    writers_openai_begin_event(g, c);
    buf_add_text(&g->line, ",\"delta\":{}");
    finish_event(g, c, true, true);
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

static void emit_calls(struct emit_json *json, const struct tool_parse *tools)
{
    char id[GENERATION_ID_BYTES];
    emit_key(json, "tool_calls");
    emit_array_begin(json);
    for (uint32_t i = 0; i < tools->n_calls; i++) {
        struct tool_call call = tool_parse_call(tools, i);
        generation_make_id(id, "call_");
        emit_object_begin(json);
        emit_key_text(json, "id", id);
        emit_key_text(json, "type", "function");
        emit_key(json, "function");
        emit_object_begin(json);
        emit_key_str(json, "name", call.name);
        emit_key_str(json, "arguments", call.arguments);
        emit_object_end(json);
        emit_object_end(json);
    }
    emit_array_end(json);
}

static void emit_choice(struct generation *g, struct generation_choice *c, struct emit_json *json)
{
    emit_key(json, "message");
    emit_object_begin(json);
    emit_key_text(json, "role", "assistant");
    if (c->tools.n_calls && c->text.len == 0)
        emit_key_null(json, "content");
    else
        emit_key_str(json, "content", buf_str(&c->text));
    emit_key_null(json, "refusal");
    if (writers_shows_reasoning(g)) {
        emit_key_str(json, "reasoning_content", buf_str(&c->reasoning));
        if (repeats_reasoning(g))
            emit_key_str(json, "reasoning", buf_str(&c->reasoning));
    }
    if (c->tools.n_calls)
        emit_calls(json, &c->tools);
    emit_object_end(json);
    emit_logprobs(json, g, c);
}

static void write_whole(struct generation *g, struct emit_json *json)
{
    writers_openai_whole(g, json, "chat.completion", emit_choice);
}

const struct generation_writer writers_chat = {.id_prefix = "chatcmpl-",
                                               .stream_type = "text/event-stream; charset=utf-8",
                                               .begin = begin,
                                               .keep_alive = writers_openai_keep_alive,
                                               .open = open_choice,
                                               .delta = send_deltas,
                                               .close = send_last,
                                               .end = writers_openai_end,
                                               .fail = writers_openai_fail,
                                               .no_memory = writers_openai_no_memory,
                                               .whole = write_whole};
