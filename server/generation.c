/* Generations: events from the engine to text, text to events for the client. No allocation per token once buffers have grown. */
#include "server/generation.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/auth.h"
#include "server/dialect.h"
#include "server/front.h"
#include "server/metrics.h"
#include "server/reply.h"
#include "server/server.h"
#include "server/usage.h"

enum { TEXT_BYTES_MAX = 1 << 28, LINE_BYTES_MAX = 1 << 28, HEAD_BYTES_MAX = 4096, RANDOM_CHARS = 24 };

static const struct config *settings(const struct generation *g)
{
    return g->server->config;
}

static uint64_t now_ns(void)
{
    return clock_now_ns(clock_real());
}

/* ---- Entries ----------------------------------------------------------------------------------------------- */

static size_t entry_bytes(const struct generation_entries *e)
{
    return size_round_up(sizeof(struct generation_entry) + e->n_top * sizeof(struct protocol_top), 8);
}

const struct generation_entry *generation_entry_at(const struct generation_entries *e, uint32_t index)
{
    return (const struct generation_entry *)(const void *)(e->bytes.at + index * entry_bytes(e));
}

static void add_entry(struct generation_entries *e, const struct protocol_token *token, bool in_reasoning)
{
    _Alignas(8) char memory[sizeof(struct generation_entry) + (PROTOCOL_TOP_MAX + 1) * sizeof(struct protocol_top)] = {0};
    struct generation_entry *entry = (void *)memory;
    *entry = (struct generation_entry){.token = token->token, .logprob = token->logprob, .rank = token->rank, .in_reasoning = in_reasoning,
                                       .n_top = token->n_top < e->n_top ? token->n_top : e->n_top};
    memcpy(entry->top, token->top, entry->n_top * sizeof *entry->top);
    buf_add(&e->bytes, memory, entry_bytes(e));
    e->n++;
}

static void init_entries(struct generation_entries *e, int32_t n_top)
{
    buf_init(&e->bytes, TEXT_BYTES_MAX);
    e->n_top = n_top > 0 ? (uint32_t)n_top : 0;
}

/* ---- Making one -------------------------------------------------------------------------------------------- */

void generation_make_id(char out[GENERATION_ID_BYTES], const char *prefix)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t n = strlen(prefix);
    memcpy(out, prefix, n);
    for (unsigned i = 0; i < RANDOM_CHARS; i++)
        out[n + i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
    out[n + RANDOM_CHARS] = 0;
}

/* Main thread: the generation by its id, among those that run. */
static struct generation **place_of(struct server *server, struct str id)
{
    struct generation **at = &server->generations;
    while (*at && !str_is(id, (*at)->id))
        at = &(*at)->next;
    return at;
}

static void enlist(struct generation *g)
{
    g->next = g->server->generations;
    g->server->generations = g;
    g->listed = true;
}

static void delist(struct generation *g)
{
    struct generation **at = &g->server->generations;
    while (g->listed && *at != g)
        at = &(*at)->next;
    if (g->listed)
        *at = g->next;
    g->listed = false;
}

bool generation_answer_now(struct server *server, struct str id, uint32_t key_index)
{
    struct generation *g = *place_of(server, id);
    if (!g || g->over || g->broken || exchange_request(g->exchange)->key_index != key_index)
        return false;
    for (uint32_t i = 0; i < g->n_prompts; i++)
        if (g->prompts[i].submission)
            front_control(server->front, g->prompts[i].submission, PROTOCOL_CONTROL_ANSWER_NOW);
    return true;
}

void generation_release(void *arg)
{
    struct generation *g = arg;
    delist(g);
    for (uint32_t i = 0; i < g->n_choices; i++) {
        struct generation_choice *c = &g->choices[i];
        reasoning_split_release(&c->split);
        stop_match_release(&c->stop);
        tool_parse_release(&c->tools);
        buf_release(&c->reasoning);
        buf_release(&c->text);
        buf_release(&c->entries.bytes);
        buf_release(&c->ids);
    }
    for (uint32_t i = 0; i < g->n_prompts; i++)
        buf_release(&g->prompts[i].entries.bytes);
    buf_release(&g->line);
    buf_release(&g->head);
    buf_release(&g->piece);
    buf_release(&g->answer);
    buf_release(&g->visible);
}

static bool init_choice(struct generation *g, uint32_t index)
{
    const struct request *r = g->request;
    struct generation_choice *c = &g->choices[index];
    *c = (struct generation_choice){.generation = g, .index = index, .prompt = index / (uint32_t)r->n,
                                    .of_prompt = index % (uint32_t)r->n, .stop_string = -1, .stop_token = -1};
    detokenizer_init(&c->detokenizer, g->server->text.tokenizer, r->skip_special);
    buf_init(&c->reasoning, TEXT_BYTES_MAX);
    buf_init(&c->text, TEXT_BYTES_MAX);
    buf_init(&c->ids, TEXT_BYTES_MAX);
    init_entries(&c->entries, r->logprobs);
    tool_parse_init(&c->tools, chat_format_tool_form(g->server->format), r->one_call);
    return stop_match_init(&c->stop, r->stops, r->n_stops, r->include_stop) == STATUS_OK;
}

struct generation *generation_create(struct exchange *exchange, const struct request *request, const struct generation_writer *writer,
                                     uint32_t n_prompts)
{
    struct arena *arena = exchange_arena(exchange);
    struct generation *g = arena_zalloc(arena, sizeof *g);
    size_t n_choices = (size_t)n_prompts * (size_t)request->n;
    if (!g)
        return NULL;
    g->exchange = exchange;
    g->server = exchange_server(exchange);
    g->request = request;
    g->writer = writer;
    g->prompts = arena_zalloc_array(arena, n_prompts, sizeof *g->prompts);
    g->choices = arena_zalloc_array(arena, n_choices, sizeof *g->choices);
    if (!g->prompts || !g->choices)
        return NULL;
    buf_init(&g->line, LINE_BYTES_MAX);
    buf_init(&g->head, HEAD_BYTES_MAX);
    buf_init(&g->piece, TEXT_BYTES_MAX);
    buf_init(&g->answer, TEXT_BYTES_MAX);
    buf_init(&g->visible, TEXT_BYTES_MAX);
    g->n_prompts = n_prompts;
    for (uint32_t i = 0; i < n_prompts; i++)
        init_entries(&g->prompts[i].entries, request->logprobs > request->prompt_logprobs ? request->logprobs : request->prompt_logprobs);
    for (unsigned i = 0; i < GENERATION_TEXTS_MAX; i++)
        g->text_ids[i] = -1;
    generation_make_id(g->id, writer->id_prefix);
    g->created = clock_unix_seconds();
    exchange_set_data(exchange, g, generation_release);
    exchange_set_form(exchange, request->stream ? EXCHANGE_STREAMED : EXCHANGE_WHOLE);
    bool good = true;
    for (size_t i = 0; i < n_choices && good; i++) {
        g->n_choices++;
        good = init_choice(g, (uint32_t)i);
    }
    return good ? g : NULL;
}

/* ---- Lengths ----------------------------------------------------------------------------------------------- */

static enum status plan_one(struct generation *g, uint32_t prompt, uint32_t *limit, struct error *error)
{
    const struct request *r = g->request;
    const struct config *config = settings(g);
    uint32_t n = g->prompts[prompt].n_ids, room = g->context - n;
    bool chat = r->kind == REQUEST_CHAT, clamp = strcmp(config->overflow, "clamp") == 0;
    uint64_t asked = r->max_tokens >= 0 ? (uint64_t)r->max_tokens : chat || r->fills_context ? config->default_max_tokens : 16;
    if (r->max_tokens >= 0 && asked > room && !clamp)
        return error_set_path(error, STATUS_INVALID, "context_length_exceeded", chat ? "messages" : "prompt",
                              "the prompt has %u tokens and %llu more were asked for, but the context is %u tokens", n,
                              (unsigned long long)asked, g->context);
    *limit = asked == 0 && r->max_tokens < 0 ? room : asked < room ? (uint32_t)asked : room;
    return STATUS_OK;
}

static enum status plan_entries(const struct generation *g, struct error *error)
{
    const struct request *r = g->request;
    uint64_t entries = 0, each = (uint64_t)(r->logprobs > 0 ? r->logprobs : 0) + 1;
    bool prompt_too = r->prompt_logprobs >= 0 || (r->echo && r->logprobs >= 0);
    uint64_t each_prompt = (uint64_t)(r->prompt_logprobs > r->logprobs ? r->prompt_logprobs : r->logprobs > 0 ? r->logprobs : 0) + 1;
    if (r->logprobs >= 0)
        entries += (uint64_t)g->n_choices * g->max_tokens * each;
    for (uint32_t i = 0; prompt_too && i < g->n_prompts; i++)
        entries += g->prompts[i].n_ids * each_prompt;
    if (entries <= settings(g)->max_logprob_entries)
        return STATUS_OK;
    return error_set_path(error, STATUS_INVALID, "invalid_value", r->prompt_logprobs >= 0 ? "prompt_logprobs" : "logprobs",
                          "the reply would hold up to %llu log-probability entries, at most %llu are given (max_logprob_entries); lower "
                          "max_tokens or the number of alternatives",
                          (unsigned long long)entries, (unsigned long long)settings(g)->max_logprob_entries);
}

enum status generation_plan(struct generation *g, struct error *error)
{
    enum status status = STATUS_OK;
    g->max_tokens = 0;
    for (uint32_t i = 0; i < g->n_prompts && !status; i++) {
        uint32_t limit = 0;
        status = plan_one(g, i, &limit, error);
        g->max_tokens = limit > g->max_tokens ? limit : g->max_tokens;
    }
    return status ? status : plan_entries(g, error);
}

/* ---- Writing to the client --------------------------------------------------------------------------------- */

static void stop_tick(struct generation *g)
{
    if (g->tick)
        loop_timer_stop(front_loop(g->server->front), g->tick);
    g->tick = 0;
}

static void cancel_all(struct generation *g)
{
    for (uint32_t i = 0; i < g->n_prompts; i++) {
        if (g->prompts[i].submission)
            front_cancel(g->server->front, g->prompts[i].submission);
        g->prompts[i].submission = 0;
    }
}

/* The client takes no more: its departure is told later, from the loop. */
static void send_bytes(struct generation *g, struct str bytes)
{
    if (g->broken || exchange_stream_write(g->exchange, bytes))
        return;
    g->broken = true;
    stop_tick(g);
    cancel_all(g);
}

/* What a whole reply says when there is no memory to say it. */
#define NO_MEMORY                                                                                             \
    "{\"error\":{\"message\":\"out of memory for the reply\",\"type\":\"server_error\",\"param\":null,"         \
    "\"code\":\"internal_error\"}}"

static void out_of_memory(struct generation *g);

/* `otherwise`: what is sent when the line could not be kept. */
static void send_last_line(struct generation *g, const char *otherwise)
{
    send_bytes(g, buf_status(&g->line) == STATUS_OK ? buf_str(&g->line) : str_of(otherwise));
    buf_clear(&g->line);
}

void generation_send_line(struct generation *g)
{
    if (buf_status(&g->line) == STATUS_OK && buf_status(&g->head) == STATUS_OK && !g->over)
        send_bytes(g, buf_str(&g->line));
    else
        out_of_memory(g);
    buf_clear(&g->line);
}

static void begin_stream(struct generation *g)
{
    if (g->streaming)
        return;
    g->streaming = true;
    exchange_stream_begin(g->exchange, g->writer->stream_type);
    if (g->writer->begin)
        g->writer->begin(g);
}

/* ---- The end of the reply ---------------------------------------------------------------------------------- */

static void count_usage(struct generation *g)
{
    struct metrics *metrics = g->server->metrics;
    for (uint32_t i = 0; i < g->n_prompts; i++) {
        metrics_add(metrics, METRICS_PROMPT_TOKENS, g->prompts[i].n_ids);
        metrics_add(metrics, METRICS_CACHED_PROMPT_TOKENS, g->prompts[i].n_cached);
        metrics_observe(metrics, METRICS_QUEUE_TIME, (double)g->prompts[i].queue_ns * 1e-9);
        metrics_observe(metrics, METRICS_PREFILL_TIME, (double)g->prompts[i].prefill_ns * 1e-9);
    }
}

static void end_whole(struct generation *g)
{
    struct buf body;
    char headers[64];
    buf_init(&body, LINE_BYTES_MAX);
    struct emit_json json = emit_json_to(&body);
    g->writer->whole(g, &json);
    enum status status = buf_status(&body);
    if (g->taker) {
        g->taker->take(g->taker, g, &body);
        return;
    }
    snprintf(headers, sizeof headers, "openai-processing-ms: %llu\r\n", (unsigned long long)((now_ns() - g->started_ns) / 1000000));
    if (!g->whole_begun) {
        exchange_reply(g->exchange, 200, NULL, &body, headers);
        return;
    }
    send_bytes(g, status == STATUS_OK ? buf_str(&body) : str_of(NO_MEMORY));
    buf_release(&body);
    if (!g->broken)
        exchange_stream_end(g->exchange);
}

static void end_stream(struct generation *g)
{
    g->writer->end(g);
    send_last_line(g, g->writer->no_memory);
    if (!g->broken)
        exchange_stream_end(g->exchange);
}

static void end_reply(struct generation *g)
{
    g->over = true;
    stop_tick(g);
    count_usage(g);
    if (g->request->stream)
        end_stream(g);
    else
        end_whole(g);
}

/* A fault: its own status while nothing was sent, else the last event of the stream. */
static void fail_reply(struct generation *g, enum reply_code code, const char *our_param, const char *our_message)
{
    struct error told;
    if (g->over || g->broken)
        return;
    error_set_path(&told, STATUS_INVALID, NULL, our_param ? our_param : "", "%s", our_message);
    dialect_rename(g->request->names, &told);
    const char *param = told.path, *message = told.message;
    g->over = true;
    stop_tick(g);
    cancel_all(g);
    if (g->taker) {
        g->taker->fail(g->taker, g, code, param, message);
        return;
    }
    if (!g->streaming && !g->whole_begun) {
        reply_error(g->exchange, code, param, "%s", message);
        return;
    }
    buf_clear(&g->line);
    if (g->streaming)
        g->writer->fail(g, code, param, message);
    else
        reply_write_error(&g->line, g->exchange, code, param, message);
    send_last_line(g, g->streaming ? g->writer->no_memory : NO_MEMORY);
    if (!g->broken)
        exchange_stream_end(g->exchange);
}

/* ---- Tokens to the client ---------------------------------------------------------------------------------- */

static void out_of_memory(struct generation *g)
{
    fail_reply(g, REPLY_INTERNAL, NULL, "out of memory for the reply");
}

static void take_token(struct generation *g, struct generation_choice *c, const struct protocol_token *token)
{
    bool in_reasoning = g->thinks && reasoning_split_in_reasoning(&c->split);
    uint64_t now = now_ns();
    if (c->n_tokens)
        metrics_observe(g->server->metrics, METRICS_INTER_TOKEN, (double)(now - c->last_token_ns) * 1e-9);
    c->last_token_ns = now;
    c->n_tokens++;
    c->n_reasoning_tokens += in_reasoning;
    if (g->request->logprobs >= 0)
        add_entry(&c->entries, token, in_reasoning);
    if (g->request->return_token_ids)
        buf_add(&c->ids, &token->token, sizeof token->token);
    generation_text_push(c, token->token);
}

static bool has_news(const struct generation_choice *c)
{
    return c->reasoning.len || c->text.len || c->n_calls_sent < c->tools.n_calls;
}

static void emit(struct generation *g, struct generation_choice *c)
{
    const struct buf *const kept[] = {&c->text, &c->reasoning, &c->entries.bytes, &c->ids};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        c->lost |= buf_status(kept[i]) != STATUS_OK;
    if (c->lost)
        out_of_memory(g);
    if (!g->request->stream || g->over || g->broken)
        return;
    begin_stream(g);
    if (!c->opened)
        g->writer->open(g, c);
    c->opened = true;
    if (!g->over && (g->writer->keeps_text || has_news(c)))
        g->writer->delta(g, c);
}

/* ---- Ends of choices --------------------------------------------------------------------------------------- */

static void close_choice(struct generation *g, struct generation_choice *c, enum generation_finish finish)
{
    if (c->closed || g->over)
        return;
    if (c->tools.n_calls && !c->tools.cut)
        c->finish = GENERATION_TOOL_CALLS;
    else if (c->finish == GENERATION_RUNNING)
        c->finish = finish;
    emit(g, c);
    if (g->over)
        return;
    c->closed = true;
    if (g->request->stream && !g->broken)
        g->writer->close(g, c);
    if (g->over)
        return;
    metrics_add(g->server->metrics, METRICS_GENERATION_TOKENS, c->n_tokens);
    struct generation_prompt *p = &g->prompts[c->prompt];
    if (--p->n_open == 0 && p->submission) {
        front_cancel(g->server->front, p->submission); /* ended by its text: the engine may still run */
        p->submission = 0;
    } else if (p->submission && generation_text_has_ended(c)) {
        front_cancel_choice(g->server->front, p->submission, c->of_prompt);
    }
    if (--g->n_open == 0)
        end_reply(g);
}

static struct generation_choice *choice_of(struct generation *g, uint32_t prompt, uint32_t of_prompt)
{
    return of_prompt < (uint32_t)g->request->n ? &g->choices[prompt * (uint32_t)g->request->n + of_prompt] : NULL;
}

/* ---- News from the engine ---------------------------------------------------------------------------------- */

static struct generation *generation_of(struct generation_prompt *p, uint32_t *index)
{
    struct generation *g = p->generation;
    *index = (uint32_t)(p - g->prompts);
    return g;
}

static void on_accepted(void *arg, uint32_t n_cached)
{
    struct generation_prompt *p = arg;
    p->n_cached = n_cached;
}

static void first_token(struct generation *g)
{
    if (g->first_token_ns)
        return;
    g->first_token_ns = now_ns();
    stop_tick(g);
    metrics_observe(g->server->metrics, METRICS_TIME_TO_FIRST_TOKEN,
                    (double)(g->first_token_ns - exchange_request(g->exchange)->received_ns) * 1e-9);
}

static void take_prompt_scores(struct generation_prompt *p, struct protocol_tokens_reader *reader)
{
    struct protocol_token token;
    struct error error;
    while (protocol_next_token(reader, &token, &error) == STATUS_OK)
        add_entry(&p->entries, &token, false);
    if (buf_status(&p->entries.bytes) != STATUS_OK)
        out_of_memory(p->generation);
}

static void take_tokens(struct generation_prompt *p, struct protocol_tokens_reader *reader)
{
    struct protocol_token token;
    struct error error;
    uint32_t index;
    struct generation *g = generation_of(p, &index);
    if (reader->head.choice == PROTOCOL_PROMPT_CHOICE) {
        take_prompt_scores(p, reader);
        return;
    }
    struct generation_choice *c = choice_of(g, index, reader->head.choice);
    if (!c || c->closed || g->over || g->broken)
        return;
    first_token(g);
    while (!generation_text_has_ended(c) && protocol_next_token(reader, &token, &error) == STATUS_OK)
        take_token(g, c, &token);
    if (generation_text_has_ended(c))
        close_choice(g, c, GENERATION_STOP);
    else
        emit(g, c);
}

static bool is_own_stop(const struct request *r, uint32_t token)
{
    for (uint32_t i = 0; i < r->n_stop_ids; i++)
        if (r->stop_ids[i] == token)
            return true;
    return false;
}

static void take_done(struct generation_prompt *p, const struct protocol_done *done)
{
    uint32_t index;
    struct generation *g = generation_of(p, &index);
    struct generation_choice *c = choice_of(g, index, done->choice);
    if (done->last)
        p->submission = 0;
    p->n_cached = done->n_cached;
    p->queue_ns = done->queue_ns;
    p->prefill_ns = done->prefill_ns;
    p->decode_ns = done->decode_ns;
    if (!c || c->closed || g->over || g->broken)
        return;
    if (done->finish == PROTOCOL_FINISH_ERROR || done->finish == PROTOCOL_FINISH_IMPOSSIBLE) {
        fail_reply(g, done->finish == PROTOCOL_FINISH_ERROR ? REPLY_INTERNAL : REPLY_INVALID_VALUE, NULL, done->message);
        return;
    }
    c->n_tokens = done->n_generated;
    c->acted = done->acted;
    if (done->finish == PROTOCOL_FINISH_STOP && is_own_stop(g->request, done->stop_token))
        c->stop_token = done->stop_token;
    generation_text_flush(c, done->finish == PROTOCOL_FINISH_LENGTH || c->stop_token >= 0);
    close_choice(g, c, done->finish == PROTOCOL_FINISH_LENGTH ? GENERATION_LENGTH : GENERATION_STOP);
}

static void take_refusal(struct generation_prompt *p, const struct protocol_refused *refused)
{
    uint32_t index;
    struct generation *g = generation_of(p, &index);
    p->submission = 0;
    switch ((enum protocol_refusal)refused->reason) {
    case PROTOCOL_REFUSED_TOO_LONG:
        fail_reply(g, REPLY_CONTEXT_LENGTH, g->request->kind == REQUEST_CHAT ? "messages" : "prompt", refused->message);
        return;
    case PROTOCOL_REFUSED_QUEUE_FULL:
        metrics_add(g->server->metrics, METRICS_REFUSED_QUEUE, 1);
        fail_reply(g, REPLY_OVERLOADED, NULL, "the queue is full; try again later");
        return;
    case PROTOCOL_REFUSED_TIMEOUT:
        fail_reply(g, REPLY_QUEUE_TIMEOUT, NULL, "waited queue_timeout without starting");
        return;
    case PROTOCOL_REFUSED_STOPPING:
        fail_reply(g, REPLY_DRAINING, NULL, "the server is shutting down");
        return;
    case PROTOCOL_REFUSED_INVALID:
        break;
    }
    fail_reply(g, REPLY_INVALID_VALUE, NULL, refused->message);
}

/* Each may end the exchange, whose arena holds all of this. */
static void on_tokens(void *arg, struct protocol_tokens_reader *reader)
{
    struct exchange *exchange = ((struct generation_prompt *)arg)->generation->exchange;
    exchange_ref(exchange);
    take_tokens(arg, reader);
    exchange_unref(exchange);
}

static void on_done(void *arg, const struct protocol_done *done)
{
    struct exchange *exchange = ((struct generation_prompt *)arg)->generation->exchange;
    exchange_ref(exchange);
    take_done(arg, done);
    exchange_unref(exchange);
}

static void on_refused(void *arg, const struct protocol_refused *refused)
{
    struct exchange *exchange = ((struct generation_prompt *)arg)->generation->exchange;
    exchange_ref(exchange);
    take_refusal(arg, refused);
    exchange_unref(exchange);
}

static void on_failed(void *arg, const char *cause)
{
    struct generation_prompt *p = arg;
    p->submission = 0;
    fail_reply(p->generation, REPLY_INTERNAL, NULL, cause);
}

/* ---- The start --------------------------------------------------------------------------------------------- */

void generation_leave(struct generation *g)
{
    if (g->over)
        return;
    g->broken = g->over = true;
    stop_tick(g);
    cancel_all(g);
    for (uint32_t i = 0; i < g->n_choices; i++)
        if (!g->choices[i].closed)
            metrics_add(g->server->metrics, METRICS_GENERATION_TOKENS, g->choices[i].n_tokens);
}

static void on_gone(struct exchange *exchange)
{
    generation_leave(exchange_data(exchange));
    exchange_abandon(exchange);
}

static void on_tick(void *arg);

static void start_tick(struct generation *g)
{
    const struct config *config = settings(g);
    if (!g->taker && config->keepalive_interval_ms && (g->request->stream || config->keepalive_nonstream))
        g->tick = loop_timer_start(front_loop(g->server->front), config->keepalive_interval_ms, on_tick, g);
}

static void keep_stream_alive(struct generation *g)
{
    begin_stream(g);
    if (!g->over)
        g->writer->keep_alive(g);
}

static void keep_whole_alive(struct generation *g)
{
    if (!g->whole_begun)
        exchange_stream_begin(g->exchange, "application/json");
    g->whole_begun = true;
    send_bytes(g, str_of("\n"));
}

/* Comment lines on a stream that waits; with keepalive_nonstream, line ends before a whole reply. */
static void on_tick(void *arg)
{
    struct generation *g = arg;
    struct exchange *exchange = g->exchange;
    exchange_ref(exchange);
    g->tick = 0;
    if (g->request->stream)
        keep_stream_alive(g);
    else
        keep_whole_alive(g);
    if (!g->broken && !g->over)
        start_tick(g);
    exchange_unref(exchange);
}

static void fill_submit(const struct generation *g, const struct generation_prompt *p, uint32_t *stop_ids, struct protocol_submit *out)
{
    const struct request *r = g->request;
    const struct model_text *m = &g->server->text;
    uint32_t room = g->context - p->n_ids;
    bool echo_scores = r->echo && r->logprobs >= 0;
    *out = (struct protocol_submit){
        .prompt = p->ids, .n_prompt = p->n_ids, .n_choices = (uint32_t)r->n, .max_tokens = g->max_tokens < room ? g->max_tokens : room,
        .min_tokens = (uint32_t)r->min_tokens, .temperature = r->top_p == 0 ? 0 : (float)r->temperature,
        .top_p = r->top_p == 0 ? 1 : (float)r->top_p, .min_p = (float)r->min_p, .top_k = r->top_k > 0 ? (uint32_t)r->top_k : 0,
        .presence_penalty = (float)r->presence_penalty, .frequency_penalty = (float)r->frequency_penalty,
        .repetition_penalty = (float)r->repetition_penalty, .seed = r->seed, .bias = r->bias, .n_bias = r->n_bias, .stop_ids = stop_ids,
        .vocabulary = g->vocabulary, .ignore_stop = r->ignore_eos, .n_eos_ids = m->n_eos, .logprobs = r->logprobs,
        .prompt_logprobs = echo_scores && r->logprobs > r->prompt_logprobs ? r->logprobs : r->prompt_logprobs, .use_cache = r->use_cache,
        .queue_timeout_ns = settings(g)->queue_timeout_ms * 1000000, .thought = r->thought, .language = r->language};
    if (out->max_tokens == 0 && out->prompt_logprobs < 0)
        out->prompt_logprobs = 0; /* nothing to generate: the prompt alone is run */
    memcpy(stop_ids, m->eos_ids, m->n_eos * sizeof *stop_ids);
    if (r->n_stop_ids)
        memcpy(stop_ids + m->n_eos, r->stop_ids, r->n_stop_ids * sizeof *stop_ids);
    out->n_stop_ids = m->n_eos + r->n_stop_ids;
}

static void submit_one(struct generation *g, struct generation_prompt *p, const uint8_t digest[32])
{
    static const struct engine_listener listener = {on_accepted, on_tokens, on_done, on_refused, on_failed};
    const struct request *r = g->request;
    const struct str *user_id = r->has_user_id ? &r->user_id : NULL, *salt = r->has_salt ? &r->salt : NULL;
    uint32_t stop_ids[MODEL_TEXT_EOS_MAX + REQUEST_STOP_IDS_MAX], key = exchange_request(g->exchange)->key_index;
    struct protocol_submit submit;
    struct error error;
    error_clear(&error);
    fill_submit(g, p, stop_ids, &submit);
    auth_partition(g->server->auth, key, user_id, salt, digest, submit.partition);
    submit.tenant = auth_tenant(g->server->auth, key, user_id);
    p->submission = front_submit(g->server->front, &submit, &listener, p, &error);
    if (!p->submission)
        fail_reply(g, reply_code_of(&error), error.path, error.message);
}

/* Special tokens are left out of the text: what the parsers must see is kept. */
static void keep_text(struct generation *g, const char *literal)
{
    uint32_t id;
    unsigned i = 0;
    if (!literal || !tokenizer_find(g->server->text.tokenizer, literal, &id) || !tokenizer_is_special(g->server->text.tokenizer, id))
        return;
    while (i < GENERATION_TEXTS_MAX && g->text_ids[i] >= 0)
        i++;
    check(i < GENERATION_TEXTS_MAX);
    g->text_ids[i] = id;
}

/* The marks of thoughts, and those of calls that are no tokens to their parser. */
static void find_marks(struct generation *g)
{
    const struct chat_format *format = g->server->format;
    g->reads_calls = g->request->n_tools && chat_format_find_tool_marks(format, g->server->text.tokenizer, g->tool_ids);
    if (g->request->kind == REQUEST_CHAT && g->thinks) {
        keep_text(g, chat_format_think_open(format));
        keep_text(g, chat_format_think_close(format));
    }
    for (const char *const *text = chat_format_tool_texts(format); g->reads_calls && *text; text++)
        keep_text(g, *text);
}

void generation_begin(struct generation *g)
{
    struct exchange *exchange = g->exchange;
    const struct request *r = g->request;
    struct front_state state;
    bool splits = r->kind == REQUEST_CHAT && g->thinks && r->separate_reasoning;
    const char *open = splits ? chat_format_think_open(g->server->format) : NULL;
    const char *close = splits ? chat_format_think_close(g->server->format) : NULL;
    front_read_state(g->server->front, &state);
    snprintf(g->fingerprint, sizeof g->fingerprint, "%s", g->server->fingerprint);
    g->started_ns = now_ns();
    enlist(g);
    g->n_open = g->n_choices;
    find_marks(g);
    for (uint32_t i = 0; i < g->n_choices; i++)
        reasoning_split_init(&g->choices[i].split, open, close, splits && g->in_reasoning);
    start_tick(g);
    exchange_ref(exchange);
    for (uint32_t i = 0; i < g->n_prompts && !g->over; i++) {
        g->prompts[i].generation = g;
        g->prompts[i].n_open = (uint32_t)r->n;
        submit_one(g, &g->prompts[i], state.engine.model_digest);
    }
    exchange_unref(exchange);
}

void generation_start(struct exchange *exchange)
{
    exchange_on_gone(exchange, on_gone);
    generation_begin(exchange_data(exchange));
}
