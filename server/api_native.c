/* What the native form says of the server: /props, /slots. No text of any request is in it. */
#include <string.h>

#include "base/emit_json.h"
#include "server/api.h"
#include "server/front.h"
#include "server/server.h"
#include "server/version.h"

enum { BODY_BYTES_MAX = 16 << 20 };

static const char *base_name(const char *path)
{
    size_t n = strlen(path);
    while (n && path[n - 1] != '/')
        n--;
    return path + n;
}

static double or_default(double value, double otherwise)
{
    return value >= 0 ? value : otherwise;
}

static void emit_settings(struct emit_json *json, const struct server *server, const struct front_state *state)
{
    const struct model_text *m = &server->text;
    emit_key(json, "default_generation_settings");
    emit_object_begin(json);
    emit_key(json, "temperature");
    emit_double(json, or_default(m->temperature, 1));
    emit_key(json, "top_p");
    emit_double(json, or_default(m->top_p, 1));
    emit_key(json, "min_p");
    emit_double(json, or_default(m->min_p, 0));
    emit_key_int(json, "top_k", m->top_k > 0 ? m->top_k : 0);
    emit_key_int(json, "n_ctx", state->engine_known ? state->engine.context_max : m->context);
    emit_object_end(json);
}

void api_props(struct exchange *exchange)
{
    const struct server *server = exchange_server(exchange);
    const struct config *config = server->config;
    struct front_state state;
    struct buf body;
    front_read_state(server->front, &state);
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_settings(&json, server, &state);
    emit_key_int(&json, "total_slots", state.engine_known ? state.engine.max_running : 0);
    emit_key_text(&json, "model_path", base_name(config->model));
    emit_key_text(&json, "chat_template", server->text.chat_template ? server->text.chat_template : "");
    emit_key_text(&json, "build_info", version_number());
    emit_key_text(&json, "logprobs_mode", "raw");
    emit_object_end(&json);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}

/* Sequences have no places of their own: as many are said to work as run. */
void api_slots(struct exchange *exchange)
{
    const struct server *server = exchange_server(exchange);
    struct front_state state;
    struct buf body;
    front_read_state(server->front, &state);
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_array_begin(&json);
    for (uint32_t i = 0; state.engine_known && i < state.engine.max_running; i++) {
        emit_object_begin(&json);
        emit_key_int(&json, "id", i);
        emit_key_bool(&json, "is_processing", i < state.stats.n_running);
        emit_key_int(&json, "n_ctx", state.engine.context_max);
        emit_key(&json, "params");
        emit_raw(&json, str_of("{}"));
        emit_object_end(&json);
    }
    emit_array_end(&json);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}
