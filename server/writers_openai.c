/* What chat and completion replies share: the envelope of an event and of a whole reply, ends, token ids. */
#include "server/server.h"
#include "server/usage.h"
#include "server/writers.h"

const char writers_openai_no_memory[] = "data: {\"error\":{\"message\":\"out of memory for the "
                                        "reply\",\"type\":\"server_error\",\"param\":null,\"code\":\"internal_error\"}}\n\n"
                                        "data: [DONE]\n\n";

static void emit_identity(struct emit_json *json, const struct generation *g, const char *object)
{
    emit_key_text(json, "id", g->id);
    emit_key_text(json, "object", object);
    emit_key_int(json, "created", g->created);
    emit_key_text(json, "model", g->server->model_id);
    emit_key_text(json, "system_fingerprint", g->fingerprint);
    if (g->request->names_tier)
        emit_key_text(json, "service_tier", "default");
    emit_key(json, "choices");
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

void writers_openai_begin(struct generation *g, const char *object)
{
    struct emit_json json = emit_json_to(&g->head);
    buf_add_text(&g->head, "data: ");
    emit_object_begin(&json);
    emit_identity(&json, g, object);
    buf_add_text(&g->head, "[");
}

void writers_openai_begin_event(struct generation *g, const struct generation_choice *c)
{
    buf_add_str(&g->line, buf_str(&g->head));
    buf_printf(&g->line, "{\"index\":%u", c->index);
}

static void end_object(struct generation *g, bool with_usage)
{
    struct emit_json json = {&g->line, true};
    buf_add_text(&g->line, "]");
    if (g->request->include_usage && !with_usage)
        emit_key_null(&json, "usage");
    else if (with_usage)
        usage_emit(&json, g);
    if (g->request->timings)
        usage_emit_timings(&json, g);
}

void writers_openai_end_event(struct generation *g, struct generation_choice *c)
{
    struct emit_json json = {&g->line, true};
    if (g->request->return_token_ids)
        writers_emit_new_ids(&json, "token_ids", c);
    buf_add_text(&g->line, "}");
    end_object(g, g->request->continuous_usage);
    if (g->request->return_token_ids && g->n_prompts == 1 && !g->head_ids_sent) {
        writers_emit_ids(&json, "prompt_token_ids", g->prompts[0].ids, g->prompts[0].n_ids);
        g->head_ids_sent = true;
    }
    buf_add_text(&g->line, "}\n\n");
    generation_send_line(g);
}

void writers_openai_keep_alive(struct generation *g)
{
    for (uint32_t i = 0; i < g->n_choices && !g->over; i++) {
        if (!g->choices[i].opened)
            g->writer->open(g, &g->choices[i]);
        g->choices[i].opened = true;
    }
    if (!g->over)
        writers_comment(g);
}

void writers_openai_end(struct generation *g)
{
    if (g->request->include_usage || g->request->timings || g->request->report) {
        struct emit_json json = {&g->line, true};
        buf_add_str(&g->line, buf_str(&g->head));
        buf_add_text(&g->line, "]");
        if (g->request->include_usage)
            usage_emit(&json, g);
        usage_emit_extras(&json, g);
        buf_add_text(&g->line, "}\n\n");
    }
    buf_add_text(&g->line, "data: [DONE]\n\n");
}

void writers_openai_fail(struct generation *g, enum reply_code code, const char *param, const char *message)
{
    buf_add_text(&g->line, "data: ");
    reply_error_body(&g->line, code, param, message);
    buf_add_text(&g->line, "\n\ndata: [DONE]\n\n");
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

void writers_openai_whole(struct generation *g, struct emit_json *json, const char *object, writers_choice *write_choice)
{
    emit_object_begin(json);
    emit_identity(json, g, object);
    emit_array_begin(json);
    for (uint32_t i = 0; i < g->n_choices; i++) {
        struct generation_choice *c = &g->choices[i];
        emit_object_begin(json);
        emit_key_int(json, "index", c->index);
        write_choice(g, c, json);
        writers_openai_emit_finish(json, c);
        if (g->request->return_token_ids)
            writers_emit_new_ids(json, "token_ids", c);
        emit_object_end(json);
    }
    emit_array_end(json);
    usage_emit(json, g);
    usage_emit_extras(json, g);
    emit_object_end(json);
}

/* ---- Ends -------------------------------------------------------------------------------------------------- */

static void emit_stop_reason(struct emit_json *json, const struct generation_choice *c)
{
    if (c->stop_string >= 0)
        emit_key_str(json, "stop_reason", c->generation->request->stops[c->stop_string]);
    else if (c->stop_token >= 0)
        emit_key_int(json, "stop_reason", c->stop_token);
    else if (c->finish == GENERATION_STOP)
        emit_key_null(json, "stop_reason");
}

void writers_openai_emit_finish(struct emit_json *json, const struct generation_choice *c)
{
    static const char *const names[] = {
        [GENERATION_STOP] = "stop", [GENERATION_LENGTH] = "length", [GENERATION_TOOL_CALLS] = "tool_calls"};
    emit_key_text(json, "finish_reason", names[c->finish]);
    emit_stop_reason(json, c);
}
