/* POST /embeddings, and Ollama's /api/embed: prompts whose hidden states are pooled, one submission each, a few at a time. */
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/emit_json.h"
#include "base/mem.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/dialect_ollama.h"
#include "server/front.h"
#include "server/metrics.h"
#include "server/prompts.h"
#include "server/reply.h"
#include "server/server.h"

enum { BODY_BYTES_MAX = 1 << 30, AT_ONCE = 16, NUMBER_BYTES = 32 };

struct embeddings;

struct item {
    struct embeddings *all;
    struct request_prompt prompt;
    uint64_t submission; /* 0: not sent, or over */
    float *values;       /* [hidden], once it came */
};

struct embeddings {
    struct exchange *exchange;
    struct server *server;
    struct item *items; /* [n] */
    uint32_t n, n_sent, n_done;
    uint32_t hidden, dimensions, vocabulary;
    uint32_t pooling;
    bool base64, ollama, over;
};

/* ---- The reply ----------------------------------------------------------------------------------------------- */

/* The first dimensions, of length one. */
static void normalise(const struct embeddings *e, float *values)
{
    double sum = 0;
    for (uint32_t i = 0; i < e->dimensions; i++)
        sum += (double)values[i] * (double)values[i];
    for (uint32_t i = 0; i < e->dimensions && sum > 0; i++)
        values[i] = (float)((double)values[i] / sqrt(sum));
}

static void emit_floats(struct emit_json *json, const struct embeddings *e, const float *values)
{
    char text[NUMBER_BYTES];
    emit_array_begin(json);
    for (uint32_t i = 0; i < e->dimensions; i++) {
        int n = snprintf(text, sizeof text, "%.9g", (double)values[i]);
        emit_raw(json, str_from(text, (size_t)n));
    }
    emit_array_end(json);
}

/* Little-endian, as the machines are that this runs on. */
static void emit_base64(struct emit_json *json, const struct embeddings *e, const float *values)
{
    size_t bytes = e->dimensions * sizeof *values, size = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);
    char *text = mem_alloc(size);
    if (text)
        sodium_bin2base64(text, size, (const unsigned char *)values, bytes, sodium_base64_VARIANT_ORIGINAL);
    emit_text(json, text);
    mem_free(text);
}

static uint64_t count_tokens(const struct embeddings *e)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < e->n; i++)
        n += e->items[i].prompt.n_ids;
    return n;
}

static void emit_openai(struct emit_json *json, const struct embeddings *e)
{
    emit_key_text(json, "object", "list");
    emit_key(json, "data");
    emit_array_begin(json);
    for (uint32_t i = 0; i < e->n; i++) {
        emit_object_begin(json);
        emit_key_text(json, "object", "embedding");
        emit_key_int(json, "index", i);
        emit_key(json, "embedding");
        if (e->base64)
            emit_base64(json, e, e->items[i].values);
        else
            emit_floats(json, e, e->items[i].values);
        emit_object_end(json);
    }
    emit_array_end(json);
    emit_key_text(json, "model", e->server->model_id);
    emit_key(json, "usage");
    emit_object_begin(json);
    emit_key_int(json, "prompt_tokens", (int64_t)count_tokens(e));
    emit_key_int(json, "total_tokens", (int64_t)count_tokens(e));
    emit_object_end(json);
}

static void emit_ollama(struct emit_json *json, const struct embeddings *e)
{
    emit_key_text(json, "model", e->server->model_id);
    emit_key(json, "embeddings");
    emit_array_begin(json);
    for (uint32_t i = 0; i < e->n; i++)
        emit_floats(json, e, e->items[i].values);
    emit_array_end(json);
    emit_key_int(json, "total_duration", (int64_t)(clock_now_ns(clock_real()) - exchange_request(e->exchange)->received_ns));
    emit_key_int(json, "load_duration", 0);
    emit_key_int(json, "prompt_eval_count", (int64_t)count_tokens(e));
}

static void reply(struct embeddings *e)
{
    struct buf body;
    for (uint32_t i = 0; i < e->n; i++)
        normalise(e, e->items[i].values);
    buf_init(&body, BODY_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    emit_object_begin(&json);
    if (e->ollama)
        emit_ollama(&json, e);
    else
        emit_openai(&json, e);
    emit_object_end(&json);
    e->over = true;
    metrics_add(e->server->metrics, METRICS_PROMPT_TOKENS, (double)count_tokens(e));
    exchange_reply(e->exchange, 200, NULL, &body, NULL);
}

static void leave(struct embeddings *e)
{
    e->over = true;
    for (uint32_t i = 0; i < e->n_sent; i++) {
        if (e->items[i].submission)
            front_cancel(e->server->front, e->items[i].submission);
        e->items[i].submission = 0;
    }
}

static void fail(struct embeddings *e, enum reply_code code, const char *param, const char *message)
{
    if (e->over)
        return;
    leave(e);
    reply_error(e->exchange, code, param, "%s", message);
}

/* ---- News from the engine ------------------------------------------------------------------------------------- */

static void send_more(struct embeddings *e);

static void on_accepted(void *arg, uint32_t n_cached)
{
    (void)arg;
    (void)n_cached;
}

static void on_tokens(void *arg, struct protocol_tokens_reader *reader)
{
    (void)arg;
    (void)reader;
}

static void on_embedding(void *arg, const struct protocol_embedding *embedding)
{
    struct item *item = arg;
    struct embeddings *e = item->all;
    if (!e->over && embedding->n == e->hidden)
        memcpy(item->values, embedding->values, embedding->n * sizeof *embedding->values);
    else if (!e->over)
        fail(e, REPLY_INTERNAL, NULL, "an embedding of another width came");
}

static void take_done(struct item *item, const struct protocol_done *done)
{
    struct embeddings *e = item->all;
    item->submission = 0;
    if (e->over)
        return;
    if (done->finish == PROTOCOL_FINISH_ERROR || done->finish == PROTOCOL_FINISH_IMPOSSIBLE) {
        fail(e, REPLY_INTERNAL, NULL, done->message);
        return;
    }
    if (++e->n_done == e->n)
        reply(e);
    else
        send_more(e);
}

static void on_done(void *arg, const struct protocol_done *done)
{
    struct exchange *exchange = ((struct item *)arg)->all->exchange;
    exchange_ref(exchange);
    take_done(arg, done);
    exchange_unref(exchange);
}

static void on_refused(void *arg, const struct protocol_refused *refused)
{
    struct item *item = arg;
    item->submission = 0;
    switch ((enum protocol_refusal)refused->reason) {
    case PROTOCOL_REFUSED_TOO_LONG:
        fail(item->all, REPLY_CONTEXT_LENGTH, "input", refused->message);
        return;
    case PROTOCOL_REFUSED_QUEUE_FULL:
        fail(item->all, REPLY_OVERLOADED, NULL, "the queue is full; try again later");
        return;
    case PROTOCOL_REFUSED_TIMEOUT:
        fail(item->all, REPLY_QUEUE_TIMEOUT, NULL, "waited queue_timeout without starting");
        return;
    case PROTOCOL_REFUSED_STOPPING:
        fail(item->all, REPLY_DRAINING, NULL, "the server is shutting down");
        return;
    case PROTOCOL_REFUSED_INVALID:
        break;
    }
    fail(item->all, REPLY_UNSUPPORTED_VALUE, "model", refused->message);
}

static void on_failed(void *arg, const char *cause)
{
    struct item *item = arg;
    item->submission = 0;
    fail(item->all, REPLY_INTERNAL, NULL, cause);
}

/* ---- Submissions ---------------------------------------------------------------------------------------------- */

static void send_one(struct embeddings *e, struct item *item, const uint8_t digest[32])
{
    static const struct engine_listener listener = {on_accepted, on_tokens, on_done, on_refused, on_failed, on_embedding};
    uint32_t key = exchange_request(e->exchange)->key_index;
    struct error error;
    struct protocol_submit submit = {.prompt = item->prompt.ids,
                                     .n_prompt = item->prompt.n_ids,
                                     .n_choices = 1,
                                     .top_p = 1,
                                     .repetition_penalty = 1,
                                     .vocabulary = e->vocabulary,
                                     .logprobs = -1,
                                     .prompt_logprobs = -1,
                                     .pooling = e->pooling,
                                     .use_cache = true,
                                     .queue_timeout_ns = ((const struct config *)e->server->config)->queue_timeout_ms * 1000000};
    error_clear(&error);
    auth_partition(e->server->auth, key, NULL, NULL, digest, submit.partition);
    submit.tenant = auth_tenant(e->server->auth, key, NULL);
    item->submission = front_submit(e->server->front, &submit, &listener, item, &error);
    if (!item->submission)
        fail(e, reply_code_of(&error), error.path, error.message);
}

static void send_more(struct embeddings *e)
{
    struct front_state state;
    front_read_state(e->server->front, &state);
    while (!e->over && e->n_sent < e->n && e->n_sent - e->n_done < AT_ONCE)
        send_one(e, &e->items[e->n_sent++], state.engine.model_digest);
}

static void on_gone(struct exchange *exchange)
{
    leave(exchange_data(exchange));
    exchange_abandon(exchange);
}

static void start(struct exchange *exchange)
{
    exchange_on_gone(exchange, on_gone);
    exchange_ref(exchange);
    send_more(exchange_data(exchange));
    exchange_unref(exchange);
}

/* ---- The request ---------------------------------------------------------------------------------------------- */

static void read_fields(struct fields *f, const json_t *root, struct embeddings *e)
{
    static const char *const encodings[] = {"float", "base64", NULL}, *const poolings[] = {"last", "mean", NULL};
    const struct config *config = e->server->config;
    int64_t dimensions = e->hidden;
    struct str user;
    e->pooling = strcmp(config->embedding_pooling, "last") == 0 ? PROTOCOL_POOLING_LAST : PROTOCOL_POOLING_MEAN;
    e->base64 = fields_choice(f, root, "encoding_format", encodings) == 1;
    int pooling = fields_choice(f, root, "pooling", poolings);
    if (pooling >= 0)
        e->pooling = pooling == 0 ? PROTOCOL_POOLING_LAST : PROTOCOL_POOLING_MEAN;
    fields_int(f, root, "dimensions", 1, e->hidden, &dimensions);
    fields_str(f, root, "user", REQUEST_IGNORED_BYTES_MAX, &user);
    e->dimensions = (uint32_t)dimensions;
}

static enum status encode_one(struct embeddings *e, const struct prompts_source *source, const struct request_limits *limits,
                              struct request_prompt *out, struct error *error)
{
    const struct tokenizer *tokenizer = e->server->text.tokenizer;
    const struct span span = {source->text, SPAN_CONTENT};
    const struct request_text text = {&span, 1, tokenizer_adds_bos(tokenizer), "input"};
    enum status status = source->ids ? prompts_ids(e->exchange, source->ids, "input", limits, out, error)
                                     : request_encode(e->exchange, &text, limits->context, out, error);
    bool empty = source->ids ? !status && out->n_ids == 0 : source->text.len == 0;
    if (!status && empty)
        status = error_set_path(error, STATUS_INVALID, "invalid_value", "input", "input: a text is empty");
    return status;
}

static enum status encode_all(struct embeddings *e, const struct prompts *list, const struct request_limits *limits, struct error *error)
{
    struct arena *arena = exchange_arena(e->exchange);
    e->items = arena_zalloc_array(arena, list->n, sizeof *e->items);
    enum status status = e->items ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
    if (!status && !exchange_charge(e->exchange, (size_t)list->n * e->hidden * sizeof(float)))
        status = error_set(error, STATUS_BUSY, "the requests in preparation hold all the memory they may (intake_bytes_max)");
    for (uint32_t i = 0; i < list->n && !status; i++) {
        struct item *item = &e->items[i];
        item->all = e;
        item->values = arena_zalloc_array(arena, e->hidden, sizeof *item->values);
        status = item->values ? encode_one(e, &list->items[i], limits, &item->prompt, error)
                              : error_set(error, STATUS_NO_MEMORY, "out of memory");
        e->n++;
    }
    return status;
}

/* Ollama's name of the model may have a tag. */
static void read_model(struct fields *f, struct exchange *exchange, json_t *root, bool ollama)
{
    enum chat_thinking ignored;
    struct str name;
    if (ollama && fields_str(f, root, "model", (size_t)-1, &name)) {
        struct str short_name = dialect_ollama_model(name);
        json_object_set_new(root, "model", json_stringn(short_name.at, short_name.len));
    }
    request_read_model(f, exchange, root, &ignored);
}

static enum status read_all(struct embeddings *e, json_t *root, struct error *error)
{
    struct fields f;
    struct prompts list = {0};
    struct request_limits limits;
    struct front_state state;
    fields_init(&f, error);
    read_model(&f, e->exchange, root, e->ollama);
    if (!f.status)
        f.status = request_read_limits(e->exchange, &limits, error);
    if (f.status)
        return f.status;
    front_read_state(e->server->front, &state);
    e->hidden = state.engine.hidden;
    e->vocabulary = limits.vocabulary;
    if (!e->hidden)
        fields_fault(&f, "unsupported_value", "model", "makes no embeddings on this device");
    prompts_read(&f, exchange_arena(e->exchange), root, "input", &list);
    if (!f.status)
        read_fields(&f, root, e);
    return f.status ? f.status : encode_all(e, &list, &limits, error);
}

static void run(struct exchange *exchange, bool ollama)
{
    struct request_body body = {0};
    struct error error;
    struct embeddings *e = arena_zalloc(exchange_arena(exchange), sizeof *e);
    error_clear(&error);
    enum status status = e ? request_parse_body(exchange, &body, &error) : error_set(&error, STATUS_NO_MEMORY, "out of memory");
    if (!status) {
        *e = (struct embeddings){.exchange = exchange, .server = exchange_server(exchange), .ollama = ollama};
        status = read_all(e, body.root, &error);
    }
    if (body.root)
        request_release_body(exchange, &body);
    if (status) {
        reply_from_error(exchange, &error);
        return;
    }
    exchange_set_data(exchange, e, NULL);
    exchange_set_form(exchange, EXCHANGE_WHOLE);
    exchange_to_main(exchange, start);
}

void api_embeddings(struct exchange *exchange)
{
    run(exchange, false);
}

void api_ollama_embed(struct exchange *exchange)
{
    run(exchange, true);
}
