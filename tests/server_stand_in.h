/* Stand-ins for the exchange and the front, for programs that test what lies between them: the exchange keeps what was written, the front
 * keeps what was submitted, and the test plays the engine. Included by one file of a program. */
#ifndef TESTS_SERVER_STAND_IN_H
#define TESTS_SERVER_STAND_IN_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/auth.h"
#include "server/exchange.h"
#include "server/front.h"
#include "server/language_cache.h"
#include "server/metrics.h"
#include "server/prompt_history.h"
#include "server/server.h"
#include "tests/gguf_writer.h"
#include "text/script_sets.h"

enum { STAND_IN_CONTEXT = 2048, STAND_IN_SUBMISSIONS = 16, STAND_IN_OUT_BYTES = 1 << 22, STAND_IN_MEMORY = 1 << 26 };

/* The vocabulary: a token for each byte at the byte's own id, then these. */
enum {
    STAND_IN_END = 256, STAND_IN_THINK, STAND_IN_THINK_END, STAND_IN_CALLS_BEGIN, STAND_IN_CALL_BEGIN, STAND_IN_SEPARATOR,
    STAND_IN_CALL_END, STAND_IN_CALLS_END, STAND_IN_VOCABULARY,
};

struct stand_in_submission {
    bool open; /* not cancelled, not over */
    void *arg;
    const struct engine_listener *listener;
    uint32_t n_prompt, n_choices, max_tokens;
    int32_t logprobs;
    uint32_t choices_cancelled; /* bit by bit */
    uint32_t controls;
};

struct exchange {
    struct http_request request;
    const struct route *route;
    struct arena arena;
    unsigned refs, n_replies, n_begun, n_ended, n_abandoned;
    unsigned status;
    char *out; /* [STAND_IN_OUT_BYTES] what the client got */
    size_t n_out;
    bool gone, refuses_writes;
    size_t charged;
    void *data;
    void (*release)(void *data);
    void (*on_gone)(struct exchange *exchange);
    void (*step)(struct exchange *exchange);
};

static struct stand_in {
    struct config config;
    struct server server;
    struct exchange exchange;
    struct stand_in_submission submissions[STAND_IN_SUBMISSIONS];
    uint32_t n_submissions;
    bool front_refuses, loading;
    void (*tick)(void *arg);
    void *tick_arg;
} stand_in;

/* ---- Exchange ---------------------------------------------------------------------------------------------- */

struct server *exchange_server(const struct exchange *e)
{
    (void)e;
    return &stand_in.server;
}

const struct http_request *exchange_request(const struct exchange *e)
{
    return &e->request;
}

const struct route *exchange_route(const struct exchange *e)
{
    return e->route;
}

struct arena *exchange_arena(struct exchange *e)
{
    return &e->arena;
}

void exchange_set_data(struct exchange *e, void *data, void (*release)(void *data))
{
    e->data = data;
    e->release = release;
}

void *exchange_data(const struct exchange *e)
{
    return e->data;
}

void exchange_ref(struct exchange *e)
{
    e->refs++;
}

void exchange_unref(struct exchange *e)
{
    e->refs--;
}

bool exchange_charge(struct exchange *e, size_t bytes)
{
    e->charged += bytes;
    return e->charged <= STAND_IN_MEMORY;
}

void exchange_give_back(struct exchange *e, size_t bytes)
{
    check(bytes <= e->charged);
    e->charged -= bytes;
}

static void stand_in_keep(struct exchange *e, const char *at, size_t n)
{
    check(n <= STAND_IN_OUT_BYTES - e->n_out);
    memcpy(e->out + e->n_out, at, n);
    e->n_out += n;
}

void exchange_reply(struct exchange *e, unsigned status, const char *content_type, struct buf *body, const char *extra_headers)
{
    (void)content_type;
    (void)extra_headers;
    bool written = buf_status(body) == STATUS_OK;
    e->n_replies++;
    e->status = written ? status : 500;
    if (written)
        stand_in_keep(e, body->at, body->len);
    buf_release(body);
}

void exchange_add_headers(struct exchange *e, const char *lines)
{
    (void)e;
    check(strlen(lines) > 2 && strcmp(lines + strlen(lines) - 2, "\r\n") == 0);
}

void exchange_stream_begin(struct exchange *e, const char *content_type)
{
    (void)content_type;
    e->n_begun++;
    e->status = 200;
}

bool exchange_stream_write(struct exchange *e, struct str bytes)
{
    check(e->n_begun == 1 && e->n_ended == 0);
    if (!e->refuses_writes)
        stand_in_keep(e, bytes.at, bytes.len);
    return !e->refuses_writes;
}

void exchange_stream_end(struct exchange *e)
{
    e->n_ended++;
}

void exchange_to_main(struct exchange *e, void (*step)(struct exchange *exchange))
{
    e->step = step;
}

void exchange_set_form(struct exchange *e, enum exchange_form form)
{
    (void)e;
    (void)form;
}

void exchange_on_gone(struct exchange *e, void (*gone)(struct exchange *exchange))
{
    e->on_gone = gone;
}

bool exchange_is_gone(const struct exchange *e)
{
    return e->gone;
}

void exchange_abandon(struct exchange *e)
{
    e->n_abandoned++;
}

const _Atomic bool *exchange_cancel_flag(const struct exchange *e)
{
    static const _Atomic bool never;
    (void)e;
    return &never;
}

/* ---- Front ------------------------------------------------------------------------------------------------- */

void front_read_state(struct front *front, struct front_state *out)
{
    (void)front;
    *out = (struct front_state){.live = true, .ready = !stand_in.loading, .engine_known = !stand_in.loading, .loading = stand_in.loading,
                                .engine = {.vocabulary = STAND_IN_VOCABULARY, .context_max = STAND_IN_CONTEXT}};
}

uint64_t front_submit(struct front *front, const struct protocol_submit *submit, const struct engine_listener *listener, void *arg,
                      struct error *error)
{
    (void)front;
    if (stand_in.n_submissions == STAND_IN_SUBMISSIONS) {
        error_set_path(error, STATUS_BUSY, "server_overloaded", "", "the queue is full");
        return 0;
    }
    if (stand_in.front_refuses) {
        error_set_path(error, STATUS_BUSY, "draining", "", "the server is shutting down");
        return 0;
    }
    stand_in.submissions[stand_in.n_submissions] = (struct stand_in_submission){
        .open = true, .arg = arg, .listener = listener, .n_prompt = submit->n_prompt, .n_choices = submit->n_choices,
        .max_tokens = submit->max_tokens, .logprobs = submit->logprobs};
    return ++stand_in.n_submissions;
}

void front_cancel(struct front *front, uint64_t id)
{
    (void)front;
    check(id && id <= stand_in.n_submissions && stand_in.submissions[id - 1].open);
    stand_in.submissions[id - 1].open = false;
}

void front_cancel_choice(struct front *front, uint64_t id, uint32_t choice)
{
    (void)front;
    check(id && id <= stand_in.n_submissions && stand_in.submissions[id - 1].open && choice < 32);
    stand_in.submissions[id - 1].choices_cancelled |= 1u << choice;
}

void front_control(struct front *front, uint64_t id, enum protocol_control control)
{
    (void)front;
    check(id && id <= stand_in.n_submissions && control == PROTOCOL_CONTROL_ANSWER_NOW);
    stand_in.submissions[id - 1].controls++;
}

struct loop *front_loop(struct front *front)
{
    (void)front;
    return NULL;
}

uint64_t loop_timer_start(struct loop *loop, uint64_t ms, void (*fire)(void *arg), void *arg)
{
    (void)loop;
    check(ms > 0 && !stand_in.tick);
    stand_in.tick = fire;
    stand_in.tick_arg = arg;
    return 1;
}

void loop_timer_stop(struct loop *loop, uint64_t handle)
{
    (void)loop;
    check(handle == 1 && stand_in.tick);
    stand_in.tick = NULL;
}

/* ---- Setting up -------------------------------------------------------------------------------------------- */

/* The visible character that stands for a byte in byte-level vocabularies. */
static inline void stand_in_letter(unsigned byte, char out[4])
{
    unsigned shown = byte, hidden = 0;
    for (unsigned b = 0; b <= byte; b++) {
        bool keep = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        shown = keep ? b : 256 + hidden;
        hidden += !keep;
    }
    out[shown < 0x80 ? 1 : 2] = 0;
    out[0] = shown < 0x80 ? (char)shown : (char)(0xC0 | shown >> 6);
    if (shown >= 0x80)
        out[1] = (char)(0x80 | (shown & 0x3F));
}

static inline void stand_in_write_model(struct buf *b)
{
    static const char *const more[] = {"<end>", "<think>", "</think>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
                                       "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"};
    int32_t kinds[STAND_IN_VOCABULARY];
    gguf_put_head(b, 3, 0, 6);
    gguf_put_string_value(b, "general.architecture", "llama");
    gguf_put_string_value(b, "tokenizer.ggml.model", "gpt2");
    gguf_put_array_head(b, "tokenizer.ggml.tokens", GGUF_STRING, STAND_IN_VOCABULARY);
    for (unsigned i = 0; i < STAND_IN_VOCABULARY; i++) {
        char letter[4];
        stand_in_letter(i < 256 ? i : 0, letter);
        gguf_put_text(b, i < 256 ? letter : more[i - 256]);
        kinds[i] = i < 256 ? 1 : i == STAND_IN_END ? 3 : 4;
    }
    gguf_put_i32s(b, "tokenizer.ggml.token_type", kinds, STAND_IN_VOCABULARY);
    gguf_put_strings(b, "tokenizer.ggml.merges", NULL, 0);
    gguf_put_u32_value(b, "tokenizer.ggml.eos_token_id", STAND_IN_END);
}

static inline enum status stand_in_load(const char *chat_format, struct error *error)
{
    char path[64];
    struct buf file;
    buf_init(&file, 1 << 20);
    stand_in_write_model(&file);
    int fd = memfd_create("model", MFD_CLOEXEC);
    check(buf_status(&file) == STATUS_OK && fd >= 0 && write(fd, file.at, file.len) == (ssize_t)file.len);
    buf_release(&file);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum status status = model_text_load(&stand_in.server.text, path, error);
    close(fd);
    if (!status)
        status = chat_format_choose(&stand_in.server.format, &stand_in.server.text, chat_format, stand_in.server.format_reason, error);
    return status;
}

static inline enum status stand_in_open(const char *chat_format, struct error *error)
{
    static char strict[] = "strict", reject[] = "reject", ignore[] = "ignore", api[] = "api", honour[] = "honour", none[] = "",
                off[] = "off", last[] = "last";
    stand_in.config = (struct config){.api_key_file = none, .price_input = none, .price_cached_input = none, .price_output = none,
                                      .embedding_pooling = last, .model_policy = strict, .overflow = reject, .unknown_fields = ignore,
                                      .sampling_defaults = api, .reasoner_sampling = honour, .language_guard = off,
                                      .max_json_depth = 128, .max_n = 128, .max_logprob_entries = 1 << 20,
                                      .queue_timeout_ms = 1000, .retry_after_ms = 1000, .keepalive_interval_ms = 1000};
    stand_in.server = (struct server){.config = &stand_in.config, .model_id = "m", .fingerprint = "fp_0"};
    stand_in.server.metrics = metrics_create();
    check(stand_in.server.metrics);
    enum status status = auth_create(&stand_in.server.auth, &stand_in.config, error);
    if (!status)
        status = language_cache_create(&stand_in.server.languages, STAND_IN_MEMORY, error);
    if (!status)
        status = prompt_history_create(&stand_in.server.prompts, STAND_IN_MEMORY, error);
    if (!status)
        status = script_sets_create(&stand_in.server.scripts, error);
    return status ? status : stand_in_load(chat_format, error);
}

static inline void stand_in_close(void)
{
    chat_format_free(stand_in.server.format);
    model_text_release(&stand_in.server.text);
    auth_free(stand_in.server.auth);
    metrics_free(stand_in.server.metrics);
    language_cache_free(stand_in.server.languages);
    prompt_history_free(stand_in.server.prompts);
    script_sets_free(stand_in.server.scripts);
    mem_free(stand_in.exchange.out);
    stand_in = (struct stand_in){0};
}

/* A new exchange with this body; the last one must have been ended. */
static inline struct exchange *stand_in_begin(struct str body)
{
    struct exchange *e = &stand_in.exchange;
    char *out = e->out ? e->out : mem_alloc(STAND_IN_OUT_BYTES);
    check(out && !stand_in.tick);
    *e = (struct exchange){.out = out, .request = {.method = HTTP_POST, .body = body, .key_index = AUTH_NO_KEY}};
    arena_init(&e->arena, STAND_IN_MEMORY);
    stand_in.n_submissions = 0;
    return e;
}

static inline void stand_in_end(void)
{
    struct exchange *e = &stand_in.exchange;
    check(e->refs == 0 && e->charged == 0);
    if (e->release)
        e->release(e->data);
    e->release = NULL;
    arena_release(&e->arena);
}

#endif
