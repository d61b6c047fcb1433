/* POST /chat/completions/{id}/answer_now: the body is looked at on the pool, the reply that runs is found on the main thread. */
#include "base/emit_json.h"
#include "server/api.h"
#include "server/generation.h"
#include "server/reply.h"
#include "server/server.h"

enum { REPLY_BYTES_MAX = 1024 };

static void answer(struct exchange *exchange)
{
    const struct http_request *request = exchange_request(exchange);
    struct buf body;
    if (!generation_answer_now(exchange_server(exchange), request->path_tail, request->key_index)) {
        reply_error(exchange, REPLY_NOT_FOUND, "id", "no reply with this id is being generated");
        return;
    }
    buf_init(&body, REPLY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_str(&json, "id", request->path_tail);
    emit_key_bool(&json, "accepted", true);
    emit_object_end(&json);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}

/* An empty object, or nothing at all. */
static enum status look_at_body(struct exchange *exchange, struct error *error)
{
    struct request_body body;
    if (exchange_request(exchange)->body.len == 0)
        return STATUS_OK;
    enum status status = request_parse_body(exchange, &body, error);
    if (!status)
        request_release_body(exchange, &body);
    return status;
}

void api_answer_now(struct exchange *exchange)
{
    struct error error;
    error_clear(&error);
    if (look_at_body(exchange, &error) == STATUS_OK)
        exchange_to_main(exchange, answer);
    else
        reply_from_error(exchange, &error);
}
