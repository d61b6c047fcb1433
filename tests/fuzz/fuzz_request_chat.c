/* Chat requests from bytes to prompt ids: body, model, messages, fields, template, tokens, the output's language. A refusal names a code
 * that error replies know; what passes keeps every bound, and the memory that was charged is given back. */
#include "server/reply.h"
#include "server/request.h"
#include "tests/fuzz/fuzz.h"
#include "tests/server_stand_in.h"

static void expect_bounds(const struct request *r, const struct request_prompt *p)
{
    fuzz_expect(r->temperature >= 0 && r->temperature <= 2 && r->top_p >= 0 && r->top_p <= 1 && r->min_p >= 0 && r->min_p <= 1);
    fuzz_expect(r->top_k >= -1 && r->repetition_penalty > 0 && r->repetition_penalty <= 2);
    fuzz_expect(r->presence_penalty >= -2 && r->presence_penalty <= 2 && r->frequency_penalty >= -2 && r->frequency_penalty <= 2);
    fuzz_expect(r->n >= 1 && r->n <= 128 && (r->max_tokens == -1 || r->max_tokens >= 1) && r->min_tokens >= 0);
    fuzz_expect(r->n_stops <= STOP_STRINGS_MAX && r->n_stop_ids <= REQUEST_STOP_IDS_MAX && r->n_bias <= REQUEST_BIAS_MAX);
    fuzz_expect(r->logprobs >= -1 && r->logprobs <= PROTOCOL_TOP_MAX && r->prompt_logprobs >= -1 && r->prompt_logprobs <= PROTOCOL_TOP_MAX);
    for (uint32_t i = 0; i < r->n_stops; i++)
        fuzz_expect(r->stops[i].len > 0 && r->stops[i].len <= REQUEST_STOP_BYTES_MAX);
    for (uint32_t i = 0; i < r->n_bias; i++)
        fuzz_expect(r->bias[i].token < STAND_IN_VOCABULARY && r->bias[i].bias >= -100 && r->bias[i].bias <= 100);
    fuzz_expect(r->n_tools <= REQUEST_TOOLS_MAX);
    for (uint32_t i = 0; i < r->n_tools; i++)
        fuzz_expect(r->tools[i].name.len >= 1 && r->tools[i].name.len <= REQUEST_TOOL_NAME_BYTES_MAX);
    fuzz_expect(p->n_ids < STAND_IN_CONTEXT);
    for (uint32_t i = 0; i < p->n_ids; i++)
        fuzz_expect(p->ids[i] < STAND_IN_VOCABULARY);
}

static enum status run(struct exchange *e, struct request *r, struct request_prompt *p, struct error *error)
{
    struct fields fields;
    struct chat_prompt chat;
    struct request_body body;
    struct request_limits limits;
    struct chat_input input = {0};
    bool continues = false;
    enum status status = request_parse_body(e, &body, error);
    if (status)
        return status;
    fields_init(&fields, error);
    request_read_model(&fields, e, body.root, &r->thinking);
    if (!fields.status)
        request_read_messages(&fields, &e->arena, body.root, &input, &continues);
    if (!fields.status)
        fields.status = request_read_limits(e, &limits, error);
    if (!fields.status)
        request_read(&fields, e, body.root, REQUEST_CHAT, &limits, r);
    request_release_body(e, &body);
    if (fields.status)
        return fields.status;
    request_fill_input(r, continues, &input);
    status = request_render(e, &input, &chat, error);
    if (status)
        return status;
    struct request_text text = {chat.spans, chat.n_spans, false, "messages"};
    status = request_encode(e, &text, limits.context, p, error);
    return status ? status : request_compile_language(e, r, &chat, &input, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct error error;
    struct request request = {.thinking = CHAT_THINKING_DEFAULT};
    struct request_prompt prompt = {0};
    error_clear(&error);
    if (!ready)
        fuzz_expect(stand_in_open("deepseek-v3.1", &error) == STATUS_OK);
    ready = true;
    struct exchange *e = stand_in_begin(str_from((const char *)data, size));
    enum status status = run(e, &request, &prompt, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
        fuzz_expect(reply_status(reply_code_of(&error)) == 400 || reply_status(reply_code_of(&error)) == 404);
    } else {
        expect_bounds(&request, &prompt);
    }
    stand_in_end();
    return 0;
}
