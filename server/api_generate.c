/* The routes that generate, and those that only count: each names who reads the body and who writes the reply. */
#include "base/emit_json.h"
#include "server/api.h"
#include "server/dialect_messages.h"
#include "server/dialect_native.h"
#include "server/dialect_ollama.h"
#include "server/dialect_responses.h"
#include "server/prepare.h"
#include "server/reply.h"
#include "server/writers.h"

enum { COUNT_BYTES_MAX = 256 };

void api_chat(struct exchange *exchange)
{
    static const struct prepare_form form = {NULL, &writers_chat};
    prepare_and_start(exchange, &form);
}

void api_completions(struct exchange *exchange)
{
    static const struct prepare_form form = {NULL, &writers_completion, .is_completion = true};
    prepare_and_start(exchange, &form);
}

void api_responses(struct exchange *exchange)
{
    static const struct prepare_form form = {dialect_responses_read, &writers_responses};
    prepare_and_start(exchange, &form);
}

void api_messages(struct exchange *exchange)
{
    static const struct prepare_form form = {dialect_messages_read, &writers_messages};
    prepare_and_start(exchange, &form);
}

void api_ollama_chat(struct exchange *exchange)
{
    static const struct prepare_form form = {dialect_ollama_read_chat, &writers_ollama_chat, .loaded = writers_ollama_loaded_chat};
    prepare_and_start(exchange, &form);
}

void api_ollama_generate(struct exchange *exchange)
{
    static const struct prepare_form form = {dialect_ollama_read_generate, &writers_ollama_generate,
                                             .loaded = writers_ollama_loaded_generate};
    prepare_and_start(exchange, &form);
}

void api_completion(struct exchange *exchange)
{
    static const struct prepare_form form = {dialect_native_read_completion, &writers_native};
    prepare_and_start(exchange, &form);
}

void api_infill(struct exchange *exchange)
{
    static const struct prepare_form form = {dialect_native_read_infill, &writers_native};
    prepare_and_start(exchange, &form);
}

/* ---- Counting ------------------------------------------------------------------------------------------------ */

/* `object`: the kind that the reply says it is, or null. */
static void count(struct exchange *exchange, dialect_reader *read, const char *object)
{
    struct prepare_intake intake;
    struct error error;
    struct buf body;
    uint32_t n = 0;
    enum status status = prepare_open(&intake, exchange, read, true, &error);
    if (!status)
        status = prepare_count(exchange, &intake, &n, &error);
    prepare_close(&intake, exchange);
    if (status) {
        reply_from_error(exchange, &error);
        return;
    }
    buf_init(&body, COUNT_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    if (object)
        emit_key_text(&json, "object", object);
    emit_key_int(&json, "input_tokens", n);
    emit_object_end(&json);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}

void api_count_tokens(struct exchange *exchange)
{
    count(exchange, dialect_messages_read, NULL);
}

void api_input_tokens(struct exchange *exchange)
{
    count(exchange, dialect_responses_read, "response.input_tokens");
}
