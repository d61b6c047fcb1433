/* POST /invocations and /score: platforms that know one path for everything. The body's own fields say what it is. */
#include "server/api.h"
#include "server/reply.h"
#include "server/request.h"

void api_invocations(struct exchange *exchange)
{
    struct request_body body;
    struct error error;
    error_clear(&error);
    if (request_parse_body(exchange, &body, &error)) {
        reply_from_error(exchange, &error);
        return;
    }
    bool chat = json_object_get(body.root, "messages"), completion = json_object_get(body.root, "prompt");
    request_release_body(exchange, &body);
    if (chat)
        api_chat(exchange);
    else if (completion)
        api_completions(exchange);
    else
        reply_error(exchange, REPLY_MISSING_PARAMETER, "messages", "messages: neither messages nor a prompt is there");
}
