/* POST /chat/completions: fields to a prompt on the pool, then a generation on the main thread. */
#include "base/mem.h"
#include "server/api.h"
#include "server/generation.h"
#include "server/reply.h"
#include "server/server.h"
#include "server/writers.h"

/* Everything of the request but the prompt; *input lends from the arena. */
static enum status read_chat(struct exchange *exchange, struct request *request, struct chat_input *input,
                             struct request_limits *limits, struct error *error)
{
    struct request_body body;
    struct fields fields;
    enum status status = request_parse_body(exchange, &body, error);
    if (status)
        return status;
    fields_init(&fields, error);
    request->thinking = CHAT_THINKING_DEFAULT;
    request_read_model(&fields, exchange, body.root, &request->thinking);
    bool continues = false;
    if (!fields.status)
        request_read_messages(&fields, exchange_arena(exchange), body.root, input, &continues);
    if (!fields.status)
        fields.status = request_read_limits(exchange, limits, error);
    if (!fields.status)
        request_read(&fields, exchange, body.root, REQUEST_CHAT, limits, request);
    if (!fields.status && request->continue_final && input->messages[input->n_messages - 1].role != CHAT_ASSISTANT)
        fields_fault(&fields, "invalid_value", "continue_final_message", "the last message is not of role assistant");
    if (!fields.status && request->must_call && (continues || request->continue_final))
        fields_fault(&fields, "invalid_value", "tool_choice", "forces a call, and the last message is a text to continue");
    request_release_body(exchange, &body);
    request_fill_input(request, continues, input);
    return fields.status;
}

static enum status prepare(struct exchange *exchange, struct error *error)
{
    struct request *request = arena_zalloc(exchange_arena(exchange), sizeof *request);
    struct chat_input input = {0};
    struct chat_prompt chat;
    struct request_limits limits;
    struct request_prompt prompt;
    if (!request)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = read_chat(exchange, request, &input, &limits, error);
    if (!status)
        status = request_render(exchange, &input, &chat, error);
    if (status)
        return status;
    struct request_text text = {chat.spans, chat.n_spans, !chat.has_bos && tokenizer_adds_bos(exchange_server(exchange)->text.tokenizer),
                                "messages"};
    status = request_encode(exchange, &text, limits.context, &prompt, error);
    if (status)
        return status;
    status = request_compile_language(exchange, request, &chat, &input, error);
    if (status)
        return status;
    status = request_plan_thought(exchange, request, &chat, &input, error);
    if (status)
        return status;
    request_fix_sampling(request, exchange, chat.thinking);
    struct generation *g = generation_create(exchange, request, &writers_chat, 1);
    if (!g)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    g->vocabulary = limits.vocabulary;
    g->context = limits.context;
    g->thinks = chat.thinking;
    g->in_reasoning = chat.in_reasoning;
    g->prompts[0].ids = prompt.ids;
    g->prompts[0].n_ids = prompt.n_ids;
    return generation_plan(g, error);
}

void api_chat(struct exchange *exchange)
{
    struct error error;
    error_clear(&error);
    if (prepare(exchange, &error) == STATUS_OK)
        exchange_to_main(exchange, generation_start);
    else
        reply_from_error(exchange, &error);
}
