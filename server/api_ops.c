/* The routes that look at the server itself. They run on the HTTP thread: nothing here waits. */
#include "base/emit_json.h"
#include "server/api.h"
#include "server/front.h"
#include "server/metrics.h"
#include "server/openapi.h"
#include "server/reply.h"
#include "server/request.h"
#include "server/routes.h"
#include "server/server.h"
#include "server/version.h"

enum { SMALL_BYTES_MAX = 65536, METRICS_BYTES_MAX = 4 << 20 };

static void reply_json(struct exchange *exchange, unsigned status, struct buf *body)
{
    exchange_reply(exchange, status, NULL, body, status == 503 ? "Retry-After: 1\r\nretry-after-ms: 1000\r\n" : NULL);
}

/* The state in a word, and the error code that belongs to it. */
static const char *state_word(const struct front_state *state, enum reply_code *code, const char **message)
{
    *code = REPLY_MODEL_LOADING;
    if (state->draining) {
        *code = REPLY_DRAINING;
        *message = "the server is shutting down";
        return "draining";
    }
    if (state->engine_failed) {
        *code = REPLY_INTERNAL;
        *message = "the engine ends again and again; the log says why";
        return "error";
    }
    *message = state->loading ? "the model is being loaded" : "the engine makes no progress";
    return "loading";
}

static void write_state(const struct front_state *state, struct buf *body)
{
    struct emit_json json = emit_json_to(body);
    const char *message;
    enum reply_code code;
    if (state->ready) {
        buf_add_text(body, "{\"status\":\"ok\"}");
        return;
    }
    const char *word = state_word(state, &code, &message);
    emit_object_begin(&json);
    emit_key_text(&json, "status", word);
    emit_key(&json, "error");
    emit_object_begin(&json);
    emit_key_text(&json, "message", message);
    emit_key_text(&json, "type", "server_error");
    emit_key_null(&json, "param");
    emit_key_text(&json, "code", reply_code_text(code));
    emit_object_end(&json);
    emit_object_end(&json);
}

void api_health(struct exchange *exchange)
{
    struct front_state state;
    struct buf body;
    front_read_state(exchange_server(exchange)->front, &state);
    buf_init(&body, SMALL_BYTES_MAX);
    write_state(&state, &body);
    reply_json(exchange, state.ready ? 200 : 503, &body);
}

void api_ready(struct exchange *exchange)
{
    api_health(exchange);
}

void api_ping(struct exchange *exchange)
{
    struct front_state state;
    struct buf body;
    front_read_state(exchange_server(exchange)->front, &state);
    buf_init(&body, SMALL_BYTES_MAX);
    reply_json(exchange, state.ready ? 200 : 503, &body);
}

void api_live(struct exchange *exchange)
{
    struct front_state state;
    struct buf body;
    front_read_state(exchange_server(exchange)->front, &state);
    buf_init(&body, SMALL_BYTES_MAX);
    buf_add_text(&body, state.live ? "{\"status\":\"ok\"}" : "{\"status\":\"stalled\"}");
    reply_json(exchange, state.live ? 200 : 503, &body);
}

void api_metrics(struct exchange *exchange)
{
    struct front_state state;
    struct buf body;
    front_read_state(exchange_server(exchange)->front, &state);
    buf_init(&body, METRICS_BYTES_MAX);
    metrics_write(exchange_server(exchange)->metrics, &state, &body);
    exchange_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", &body, NULL);
}

void api_version(struct exchange *exchange)
{
    struct buf body;
    buf_init(&body, SMALL_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_text(&json, "version", version_number());
    emit_key_text(&json, "build", version_build());
    emit_key_text(&json, "api", VERSION_API);
    emit_object_end(&json);
    reply_json(exchange, 200, &body);
}

void api_openapi(struct exchange *exchange)
{
    struct buf body;
    buf_init(&body, OPENAPI_BYTES_MAX);
    openapi_write(&body);
    reply_json(exchange, 200, &body);
}

void api_banner(struct exchange *exchange)
{
    struct buf body;
    buf_init(&body, SMALL_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_text(&json, "name", "seekd");
    emit_key_text(&json, "version", version_number());
    emit_key_text(&json, "model", exchange_server(exchange)->model_id);
    emit_key_text(&json, "try", "POST /v1/chat/completions");
    emit_object_end(&json);
    reply_json(exchange, 200, &body);
}

/* There are no budgets: a balance is always there, and has no figures. */
void api_balance(struct exchange *exchange)
{
    struct buf body;
    buf_init(&body, SMALL_BYTES_MAX);
    buf_add_text(&body, "{\"is_available\":true,\"balance_infos\":[]}");
    reply_json(exchange, 200, &body);
}

/* ---- Models ------------------------------------------------------------------------------------------------ */

static void write_model(struct emit_json *json, const struct server *server, const char *id, uint32_t context)
{
    emit_object_begin(json);
    emit_key_text(json, "id", id);
    emit_key_text(json, "object", "model");
    emit_key_int(json, "created", server->created);
    emit_key_text(json, "owned_by", "seekd");
    emit_key(json, "max_model_len");
    if (context)
        emit_uint(json, context);
    else
        emit_null(json);
    emit_key_text(json, "root", server->model_id);
    emit_key_null(json, "parent");
    emit_key(json, "aliases");
    emit_array_begin(json);
    for (size_t i = 0; request_alias(i); i++)
        emit_text(json, request_alias(i));
    emit_array_end(json);
    emit_object_end(json);
}

static uint32_t context_of(const struct server *server)
{
    struct front_state state;
    front_read_state(server->front, &state);
    return state.engine_known ? state.engine.context_max : server->text.context;
}

void api_models(struct exchange *exchange)
{
    const struct server *server = exchange_server(exchange);
    struct buf body;
    buf_init(&body, SMALL_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_text(&json, "object", "list");
    emit_key(&json, "data");
    emit_array_begin(&json);
    write_model(&json, server, server->model_id, context_of(server));
    for (size_t i = 0; ((const struct config *)server->config)->list_aliases && request_alias(i); i++)
        write_model(&json, server, request_alias(i), context_of(server));
    emit_array_end(&json);
    emit_object_end(&json);
    reply_json(exchange, 200, &body);
}

void api_model(struct exchange *exchange)
{
    const struct server *server = exchange_server(exchange);
    struct str id = exchange_request(exchange)->path_tail;
    bool known = str_is(id, server->model_id);
    for (size_t i = 0; request_alias(i); i++)
        known |= str_is(id, request_alias(i));
    if (!known) {
        char quoted[ERROR_QUOTE_BYTES];
        reply_error(exchange, REPLY_MODEL_NOT_FOUND, "model", "%s is not served here", error_quote(quoted, id.at, id.len));
        return;
    }
    struct buf body;
    buf_init(&body, SMALL_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    write_model(&json, server, server->model_id, context_of(server));
    reply_json(exchange, 200, &body);
}
