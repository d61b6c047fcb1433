/* POST /invocations and /score: platforms that know one path for everything. The body's own fields say what it is. */
#include "server/api.h"
#include "server/reply.h"
#include "server/request.h"
#include "server/routes.h"

static bool has(const struct request_body *body, const char *key)
{
    return json_object_get(body->root, key) != NULL;
}

/* Messages of the Anthropic kind always bound the reply, and set the system's apart or name the version. */
static route_handler *handler_for(const struct request_body *body)
{
    if (has(body, "messages") && (has(body, "anthropic_version") || (has(body, "max_tokens") && has(body, "system"))))
        return api_messages;
    if (has(body, "messages"))
        return api_chat;
    if (has(body, "prompt"))
        return api_completions;
    return has(body, "input") ? api_responses : NULL;
}

void api_invocations(struct exchange *exchange)
{
    struct request_body body;
    struct error error;
    error_clear(&error);
    if (request_parse_body(exchange, &body, &error)) {
        reply_from_error(exchange, &error);
        return;
    }
    route_handler *handler = handler_for(&body);
    request_release_body(exchange, &body);
    if (handler)
        handler(exchange);
    else
        reply_error(exchange, REPLY_MISSING_PARAMETER, "messages", "messages: neither messages nor a prompt nor an input is there");
}
