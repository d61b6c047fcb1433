/* What the Ollama API says of models: /api/tags, /api/show, /api/ps, /api/version. */
#include <stdio.h>
#include <time.h>

#include "base/emit_json.h"
#include "server/api.h"
#include "server/dialect_ollama.h"
#include "server/front.h"
#include "server/reply.h"
#include "server/request.h"
#include "server/server.h"
#include "server/version.h"

enum { BODY_BYTES_MAX = 65536, DIGEST_BYTES = 32, TIME_BYTES = 32 };

static void emit_digest(struct emit_json *json, const struct front_state *state)
{
    char text[2 * DIGEST_BYTES + 1] = "";
    for (unsigned i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", state->engine.model_digest[i]);
    emit_key_text(json, "digest", text);
}

static void emit_time(struct emit_json *json, const char *key, int64_t seconds)
{
    char text[TIME_BYTES];
    struct tm tm;
    time_t time = (time_t)seconds;
    gmtime_r(&time, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    emit_key_text(json, key, text);
}

static void emit_details(struct emit_json *json, const struct front_state *state)
{
    emit_key(json, "details");
    emit_object_begin(json);
    emit_key_text(json, "parent_model", "");
    emit_key_text(json, "format", "seekd");
    emit_key_text(json, "family", state->engine.family);
    emit_key(json, "families");
    emit_array_begin(json);
    emit_text(json, state->engine.family);
    emit_array_end(json);
    emit_key_text(json, "parameter_size", "");
    emit_key_text(json, "quantization_level", "");
    emit_object_end(json);
}

static void emit_model(struct emit_json *json, const struct server *server, const struct front_state *state)
{
    emit_key_text(json, "name", server->model_id);
    emit_key_text(json, "model", server->model_id);
    emit_key_int(json, "size", (int64_t)state->engine.weights_bytes);
    emit_digest(json, state);
    emit_details(json, state);
}

static void reply(struct exchange *exchange, struct buf *body)
{
    exchange_reply(exchange, 200, NULL, body, NULL);
}

void api_ollama_tags(struct exchange *exchange)
{
    const struct server *server = exchange_server(exchange);
    struct front_state state;
    struct buf body;
    front_read_state(server->front, &state);
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key(&json, "models");
    emit_array_begin(&json);
    emit_object_begin(&json);
    emit_model(&json, server, &state);
    emit_time(&json, "modified_at", server->created);
    emit_object_end(&json);
    emit_array_end(&json);
    emit_object_end(&json);
    reply(exchange, &body);
}

/* The models that are loaded: none while the engine is not there. It stays loaded for good. */
void api_ollama_ps(struct exchange *exchange)
{
    enum { FAR_SECONDS = 10 * 365 * 24 * 3600 };
    const struct server *server = exchange_server(exchange);
    struct front_state state;
    struct buf body;
    front_read_state(server->front, &state);
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key(&json, "models");
    emit_array_begin(&json);
    if (state.engine_known && !state.loading) {
        emit_object_begin(&json);
        emit_model(&json, server, &state);
        emit_time(&json, "expires_at", server->created + FAR_SECONDS);
        emit_key_int(&json, "size_vram", 0);
        emit_key_int(&json, "context_length", state.engine.context_max);
        emit_object_end(&json);
    }
    emit_array_end(&json);
    emit_object_end(&json);
    reply(exchange, &body);
}

void api_ollama_version(struct exchange *exchange)
{
    struct buf body;
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_text(&json, "version", version_number());
    emit_object_end(&json);
    reply(exchange, &body);
}

/* ---- Show ---------------------------------------------------------------------------------------------------- */

static void emit_capabilities(struct emit_json *json, const struct server *server)
{
    uint32_t ids[3], marks[N_TOOL_MARKS];
    emit_key(json, "capabilities");
    emit_array_begin(json);
    emit_text(json, "completion");
    if (chat_format_find_tool_marks(server->format, server->text.tokenizer, marks))
        emit_text(json, "tools");
    if (chat_format_can_think(server->format))
        emit_text(json, "thinking");
    if (tokenizer_fim(server->text.tokenizer, &ids[0], &ids[1], &ids[2]))
        emit_text(json, "insert");
    emit_array_end(json);
}

static void emit_info(struct emit_json *json, const struct server *server, const struct front_state *state)
{
    char key[sizeof server->text.model_type + 32];
    emit_key(json, "model_info");
    emit_object_begin(json);
    emit_key_text(json, "general.architecture", server->text.model_type);
    emit_key_text(json, "general.name", server->model_id);
    snprintf(key, sizeof key, "%s.context_length", server->text.model_type);
    emit_key_int(json, key, state->engine_known ? state->engine.context_max : server->text.context);
    snprintf(key, sizeof key, "%s.vocab_size", server->text.model_type);
    emit_key_int(json, key, tokenizer_size(server->text.tokenizer));
    emit_object_end(json);
}

static enum status read_name(struct exchange *exchange, struct error *error)
{
    struct request_body body;
    struct fields fields;
    struct str name;
    char quoted[ERROR_QUOTE_BYTES];
    const struct server *server = exchange_server(exchange);
    enum status status = request_parse_body(exchange, &body, error);
    if (status)
        return status;
    fields_init(&fields, error);
    if (!fields_str(&fields, body.root, "model", (size_t)-1, &name) && !fields_str(&fields, body.root, "name", (size_t)-1, &name))
        fields_fault(&fields, "missing_required_parameter", "model", "name the model");
    else if (!str_is(dialect_ollama_model(name), server->model_id))
        fields_fault(&fields, "model_not_found", "model", "%s is not served here; %s is", error_quote(quoted, name.at, name.len),
                     server->model_id);
    request_release_body(exchange, &body);
    return fields.status;
}

void api_ollama_show(struct exchange *exchange)
{
    const struct server *server = exchange_server(exchange);
    struct front_state state;
    struct error error;
    struct buf body;
    error_clear(&error);
    if (read_name(exchange, &error)) {
        reply_from_error(exchange, &error);
        return;
    }
    front_read_state(server->front, &state);
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_text(&json, "modelfile", "");
    emit_key_text(&json, "parameters", "");
    emit_key_text(&json, "template", "");
    emit_time(&json, "modified_at", server->created);
    emit_details(&json, &state);
    emit_info(&json, server, &state);
    emit_capabilities(&json, server);
    emit_object_end(&json);
    reply(exchange, &body);
}
