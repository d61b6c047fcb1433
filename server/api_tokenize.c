/* POST /tokenize, /detokenize, /apply-template: the text side alone. They need no engine. */
#include <stdio.h>
#include <string.h>

#include "base/emit_json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "server/api.h"
#include "server/front.h"
#include "server/reply.h"
#include "server/request.h"
#include "server/server.h"

enum { REPLY_BYTES_MAX = 1 << 28, TOKENS_MAX = 1 << 24 };

static uint32_t context_of(const struct server *server)
{
    struct front_state state;
    front_read_state(server->front, &state);
    return state.engine_known ? state.engine.context_max : server->text.context;
}

/* The chat part of a body, rendered. */
static void render(struct fields *f, struct exchange *exchange, const json_t *root, struct chat_prompt *chat)
{
    struct chat_input input = {0};
    struct request request = {.thinking = CHAT_THINKING_DEFAULT};
    struct request_limits limits = {.vocabulary = tokenizer_size(exchange_server(exchange)->text.tokenizer)};
    bool continues = false;
    struct str name;
    if (fields_str(f, root, "model", (size_t)-1, &name))
        request_read_model(f, exchange, root, &request.thinking);
    if (!f->status)
        request_read_messages(f, exchange_arena(exchange), root, &input, &continues);
    if (!f->status)
        request_read(f, exchange, root, REQUEST_CHAT, &limits, &request);
    if (f->status)
        return;
    request_fill_input(&request, continues, &input);
    f->status = request_render(exchange, &input, chat, f->error);
}

/* ---- /tokenize --------------------------------------------------------------------------------------------- */

struct tokenize {
    struct span span;         /* of content or prompt */
    struct request_text text;
    bool with_pieces, strings;
};

static void read_tokenize(struct fields *f, struct exchange *exchange, const json_t *root, struct tokenize *t)
{
    static const char *const inputs[] = {"content", "prompt", "messages"};
    const struct tokenizer *tokenizer = exchange_server(exchange)->text.tokenizer;
    unsigned given = 0;
    bool add = false, special = true;
    struct chat_prompt chat;
    for (unsigned i = 0; i < 3; i++)
        given += fields_get(f, root, inputs[i]) != NULL;
    if (given != 1) {
        fields_fault(f, given ? "invalid_value" : "missing_required_parameter", given ? "content" : "prompt",
                     "exactly one of content, prompt and messages is needed");
        return;
    }
    fields_bool(f, root, "with_pieces", &t->with_pieces);
    fields_bool(f, root, "return_token_strs", &t->strings);
    fields_bool(f, root, "parse_special", &special);
    if (fields_get(f, root, "messages")) {
        render(f, exchange, root, &chat);
        t->text = (struct request_text){chat.spans, chat.n_spans, !f->status && !chat.has_bos && tokenizer_adds_bos(tokenizer), "messages"};
        return;
    }
    if (!fields_str(f, root, "content", (size_t)-1, &t->span.text) && fields_str(f, root, "prompt", (size_t)-1, &t->span.text))
        add = true;
    fields_bool(f, root, "add_special", &add);
    fields_bool(f, root, "add_special_tokens", &add);
    t->span.kind = special ? SPAN_SCAFFOLD : SPAN_CONTENT;
    t->text = (struct request_text){&t->span, 1, add && tokenizer_adds_bos(tokenizer), "prompt"};
}

static void emit_piece(struct emit_json *json, struct str bytes)
{
    if (utf8_is_valid(bytes.at, bytes.len)) {
        emit_str(json, bytes);
        return;
    }
    emit_array_begin(json);
    for (size_t i = 0; i < bytes.len; i++)
        emit_uint(json, (unsigned char)bytes.at[i]);
    emit_array_end(json);
}

static void reply_tokens(struct exchange *exchange, const struct tokenize *t, const struct request_prompt *p)
{
    const struct tokenizer *tokenizer = exchange_server(exchange)->text.tokenizer;
    struct buf body;
    buf_init(&body, REPLY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key(&json, "tokens");
    emit_array_begin(&json);
    for (uint32_t i = 0; i < p->n_ids; i++) {
        if (!t->with_pieces) {
            emit_uint(&json, p->ids[i]);
            continue;
        }
        emit_object_begin(&json);
        emit_key_int(&json, "id", p->ids[i]);
        emit_key(&json, "piece");
        emit_piece(&json, tokenizer_bytes(tokenizer, p->ids[i]));
        emit_object_end(&json);
    }
    emit_array_end(&json);
    emit_key_int(&json, "count", p->n_ids);
    emit_key_int(&json, "max_model_len", context_of(exchange_server(exchange)));
    if (t->strings) {
        emit_key(&json, "token_strs");
        emit_array_begin(&json);
        for (uint32_t i = 0; i < p->n_ids; i++)
            emit_str(&json, tokenizer_bytes(tokenizer, p->ids[i]));
        emit_array_end(&json);
    }
    emit_object_end(&json);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}

void api_tokenize(struct exchange *exchange)
{
    struct request_body parsed;
    struct error error;
    struct fields fields;
    struct tokenize t = {0};
    struct request_prompt prompt = {0};
    fields_init(&fields, &error);
    fields.status = request_parse_body(exchange, &parsed, &error);
    if (fields.status) {
        reply_from_error(exchange, &error);
        return;
    }
    read_tokenize(&fields, exchange, parsed.root, &t);
    if (!fields.status)
        fields.status = request_encode(exchange, &t.text, TOKENS_MAX, &prompt, &error);
    request_release_body(exchange, &parsed);
    if (fields.status)
        reply_from_error(exchange, &error);
    else
        reply_tokens(exchange, &t, &prompt);
}

/* ---- /detokenize ------------------------------------------------------------------------------------------- */

static void read_ids(struct fields *f, const struct tokenizer *tokenizer, const json_t *root, struct buf *text)
{
    const json_t *list = fields_array(f, root, "tokens", TOKENS_MAX);
    struct detokenizer decoder;
    if (!list)
        fields_fault(f, "missing_required_parameter", "tokens", "expected an array of token ids");
    detokenizer_init(&decoder, tokenizer, false);
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        int64_t id;
        if (!fields_as_int(json_array_get(list, i), &id))
            fields_fault(f, "invalid_type", "tokens", "item %zu is not an integer", i);
        else if (id < 0 || id >= tokenizer_size(tokenizer))
            fields_fault(f, "invalid_value", "tokens", "item %zu is not a token id below %u", i, tokenizer_size(tokenizer));
        else
            detokenizer_push(&decoder, (uint32_t)id, text);
    }
    detokenizer_end(&decoder, text);
}

void api_detokenize(struct exchange *exchange)
{
    struct request_body parsed;
    struct error error;
    struct fields fields;
    struct buf text, body;
    fields_init(&fields, &error);
    fields.status = request_parse_body(exchange, &parsed, &error);
    if (fields.status) {
        reply_from_error(exchange, &error);
        return;
    }
    buf_init(&text, REPLY_BYTES_MAX);
    read_ids(&fields, exchange_server(exchange)->text.tokenizer, parsed.root, &text);
    request_release_body(exchange, &parsed);
    if (!fields.status && buf_status(&text) != STATUS_OK)
        fields.status = error_set(&error, STATUS_NO_MEMORY, "out of memory");
    if (fields.status) {
        reply_from_error(exchange, &error);
    } else {
        buf_init(&body, REPLY_BYTES_MAX);
        struct emit_json json = emit_json_to(&body);
        emit_object_begin(&json);
        emit_key_str(&json, "content", buf_str(&text));
        emit_key_str(&json, "prompt", buf_str(&text));
        emit_object_end(&json);
        exchange_reply(exchange, 200, NULL, &body, NULL);
    }
    buf_release(&text);
}

/* ---- /apply-template --------------------------------------------------------------------------------------- */

void api_apply_template(struct exchange *exchange)
{
    struct request_body parsed;
    struct error error;
    struct fields fields;
    struct chat_prompt chat = {0};
    fields_init(&fields, &error);
    fields.status = request_parse_body(exchange, &parsed, &error);
    if (fields.status) {
        reply_from_error(exchange, &error);
        return;
    }
    render(&fields, exchange, parsed.root, &chat);
    request_release_body(exchange, &parsed);
    if (fields.status) {
        reply_from_error(exchange, &error);
        return;
    }
    struct buf text, body;
    buf_init(&text, REPLY_BYTES_MAX);
    buf_init(&body, REPLY_BYTES_MAX);
    for (uint32_t i = 0; i < chat.n_spans; i++)
        buf_add_str(&text, chat.spans[i].text);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    emit_key_str(&json, "prompt", buf_str(&text));
    emit_object_end(&json);
    buf_release(&text);
    exchange_reply(exchange, 200, NULL, &body, NULL);
}
