/* The messages between the front and an engine: the only engine header the server includes.
 *
 * Little-endian frames over a stream socket: a fixed head (magic, version, type, length, epoch, id), then
 * a body that protocol_read_* checks field by field. A request is (epoch, id): the engine group's 32-bit epoch
 * and a 64-bit id that is never reused in a process. A message owns what it carries; nothing is a pointer
 * across processes. Tokens are ids; of text the engine knows the bytes of the vocabulary, once a request needs a language.
 *
 *   to the engine: HELLO CONFIGURE VOCABULARY SUBMIT CONTROL CANCEL STOP
 *   to the front:  READY ACCEPTED TOKENS DONE REFUSED STATS PROGRESS FATAL */
#ifndef ENGINE_PROTOCOL_H
#define ENGINE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum {
    PROTOCOL_MAGIC = 0x64656573, /* "seed" */
    PROTOCOL_VERSION = 1,
    PROTOCOL_HEAD_BYTES = 32,
    PROTOCOL_FRAME_BYTES_MAX = 16 * 1024 * 1024,
    PROTOCOL_PARTITION_BYTES = 32,
    PROTOCOL_TOP_MAX = 20,
    PROTOCOL_STOP_IDS_MAX = 4096,
    PROTOCOL_LANGUAGE_BYTES_MAX = 8 << 20,
    PROTOCOL_TOKEN_BYTES_MAX = 65535,
    PROTOCOL_EMBEDDING_MAX = 1 << 16,
};

enum protocol_type {
    PROTOCOL_HELLO = 1,
    PROTOCOL_CONFIGURE,
    PROTOCOL_SUBMIT,
    PROTOCOL_CONTROL,
    PROTOCOL_CANCEL,
    PROTOCOL_STOP,
    PROTOCOL_VOCABULARY,
    PROTOCOL_READY = 64,
    PROTOCOL_ACCEPTED,
    PROTOCOL_TOKENS,
    PROTOCOL_DONE,
    PROTOCOL_REFUSED,
    PROTOCOL_STATS,
    PROTOCOL_PROGRESS,
    PROTOCOL_FATAL,
    PROTOCOL_EMBEDDING,
};

struct protocol_head {
    uint32_t type; /* enum protocol_type */
    uint32_t body_bytes;
    uint32_t epoch;
    uint64_t id;   /* request id; 0 where there is none */
};

/* CONFIGURE: everything the engine needs to load and serve. Strings are NUL-terminated copies. */
struct protocol_configure {
    char model_path[4096];
    char device[16];       /* cpu, cuda, cuda-emu, mock */
    char numerics[8];      /* exact, fast */
    char isa[16];          /* auto or a table name */
    char kv_dtype[8];      /* auto, f32, f16, bf16 */
    uint32_t threads;      /* 0: auto */
    uint32_t context;      /* 0: auto */
    uint64_t kv_memory_bytes; /* 0: auto */
    uint32_t max_running, max_queue;
    uint32_t step_tokens;  /* 0: auto */
    uint32_t n_tenants_weighted; /* reserved for key rows: 0 */
    uint64_t max_queue_tokens;   /* 0: auto */
    bool prefix_cache;
    char mock_script[4096]; /* device mock only: behaviour for tests, see docs/testing.md */
};

/* READY: the model is loaded, pages are allocated. */
struct protocol_ready {
    uint32_t vocabulary;      /* embedding rows */
    uint32_t context_max;     /* min(model context, pages * page tokens): the longest sequence that can run */
    uint32_t model_context;
    uint32_t n_pages, page_tokens;
    uint32_t max_running;
    uint32_t hidden;          /* width of an embedding; 0: none are made */
    uint64_t weights_bytes, pages_bytes;
    uint8_t model_digest[32];
    char numerics_version[128]; /* part of system_fingerprint */
    char family[32], architecture[64];
    char summary[2048];       /* the start-up memory table, for the log */
};

struct protocol_bias {
    uint32_t token;
    float bias;
};

/* What may end a thought before the model does (engine/governor.h). */
#define PROTOCOL_NO_BUDGET 0xFFFFFFFFu
struct protocol_thought {
    bool governed;           /* false: the rest is not looked at */
    bool begins_inside;      /* the prompt opened the thought */
    bool detects_loops;
    uint32_t open_token;     /* of the output, where the prompt did not */
    uint32_t close_token;
    uint32_t budget;         /* tokens of the thought, or PROTOCOL_NO_BUDGET */
    float pull;              /* most that is added to the closing token's logit; 0: nothing */
    const uint32_t *bridge;  /* forced where the thought is ended: a sentence, then the closing token; at least one */
    uint32_t n_bridge;
};
enum protocol_acted { PROTOCOL_ACTED_NONE, PROTOCOL_ACTED_BUDGET, PROTOCOL_ACTED_PULL, PROTOCOL_ACTED_LOOP, PROTOCOL_ACTED_ANSWER_NOW };

/* What is asked of a prompt's hidden states, after the final norm: that of the last token, or the mean of all. */
enum protocol_pooling { PROTOCOL_POOLING_NONE, PROTOCOL_POOLING_LAST, PROTOCOL_POOLING_MEAN };

/* SUBMIT: one prompt, n choices. Arrays are borrowed while writing, and lend from the frame while reading. */
struct protocol_submit {
    uint8_t partition[PROTOCOL_PARTITION_BYTES]; /* cache isolation: link 0 of the page hash chain */
    uint64_t tenant;         /* fair share is between tenants */
    const uint32_t *prompt;
    uint32_t n_prompt;
    uint32_t n_choices, first_choice; /* choices first_choice .. first_choice + n - 1 (the random key) */
    uint32_t max_tokens;     /* >= 0; 0 only with prompt logprobs or pooling */
    uint32_t min_tokens;
    float temperature, top_p, min_p;
    uint32_t top_k;          /* 0: off */
    float presence_penalty, frequency_penalty, repetition_penalty;
    uint64_t seed;
    const struct protocol_bias *bias;
    uint32_t n_bias;
    const uint32_t *stop_ids; /* end-of-sequence ids and the caller's stop tokens together */
    uint32_t n_stop_ids;
    uint32_t vocabulary;     /* ids at or above are never sampled (tokenizer size) */
    bool ignore_stop;        /* ignore_eos: the first n_eos_ids of stop_ids do not stop */
    uint32_t n_eos_ids;
    int32_t logprobs;        /* -1: none; 0..20: chosen token plus that many alternatives */
    int32_t prompt_logprobs; /* -1: none; 0..20 */
    uint32_t pooling;        /* enum protocol_pooling; EMBEDDING comes before DONE */
    bool use_cache;          /* false: neither reads nor feeds the prefix index */
    uint64_t queue_timeout_ns; /* 0: none */
    struct protocol_thought thought;
    struct str language;     /* image of what the output must be (text/automaton_image.h), of whole tokens; empty: anything */
};

/* VOCABULARY: the bytes of tokens 0 .. n - 1 as masks see them (text/vocabulary.h), lent. Before the first SUBMIT with a language or a
 * pull. */

/* CONTROL: what is asked of a request that runs, for all of its choices. */
enum protocol_control { PROTOCOL_CONTROL_ANSWER_NOW = 1 };

/* CANCEL: one choice of a request, or all of them. What is not there any more is no error. */
enum { PROTOCOL_EVERY_CHOICE = 0xFFFFFFFFu };

/* TOKENS: tokens of one choice in order; `index` is the 0-based place of the first among the generated ones.
 * For prompt logprobs: choice = UINT32_MAX and index = position of the first entry. */
enum { PROTOCOL_PROMPT_CHOICE = 0xFFFFFFFFu };

struct protocol_top {
    uint32_t token;
    float logprob;
};

struct protocol_token {
    uint32_t token;
    float logprob;               /* of the raw model distribution; valid when the submit asked */
    uint32_t rank;               /* 1: the likeliest */
    uint32_t n_top;
    struct protocol_top top[PROTOCOL_TOP_MAX];
};

struct protocol_tokens {
    uint32_t choice, index, n_tokens;
    bool has_logprobs;
};

/* EMBEDDING: floats, as many as READY said. */
struct protocol_embedding {
    const float *values; /* [n] lent */
    uint32_t n;
};

enum protocol_finish {
    PROTOCOL_FINISH_STOP = 1,
    PROTOCOL_FINISH_LENGTH,
    PROTOCOL_FINISH_CANCELLED,
    PROTOCOL_FINISH_ERROR,      /* a fault of the engine */
    PROTOCOL_FINISH_IMPOSSIBLE, /* what the request asks for leaves nothing to choose, or takes too much work */
};

enum { PROTOCOL_NO_TOKEN = 0xFFFFFFFFu };

/* DONE: one choice ended. `last` marks the request's only terminal event (all choices ended). */
struct protocol_done {
    uint32_t choice;
    uint32_t finish;          /* enum protocol_finish */
    uint32_t stop_token;      /* valid when finish is STOP; the token itself was not sent as a token; PROTOCOL_NO_TOKEN: the language
                                 of the output came to its end */
    bool last;
    uint32_t n_generated;     /* tokens of this choice, the stop token included */
    uint32_t n_prompt, n_cached;
    uint64_t queue_ns, prefill_ns, decode_ns;
    uint32_t acted;           /* enum protocol_acted: what ended its thought */
    char message[160];        /* finish ERROR, IMPOSSIBLE: why */
};

enum protocol_refusal {
    PROTOCOL_REFUSED_TOO_LONG = 1, /* can never fit: context or pages */
    PROTOCOL_REFUSED_QUEUE_FULL,
    PROTOCOL_REFUSED_TIMEOUT,      /* queue_timeout passed before it started */
    PROTOCOL_REFUSED_INVALID,
    PROTOCOL_REFUSED_STOPPING,
};

struct protocol_refused {
    uint32_t reason; /* enum protocol_refusal */
    char message[160];
};

struct protocol_stats {
    uint32_t n_running, n_waiting, n_parked;
    uint32_t pages_total, pages_free, pages_cached, pages_held;
    uint64_t n_steps, prompt_tokens, generated_tokens, cached_prompt_tokens, preemptions;
    uint64_t last_step_ns, busy_ns;
    uint64_t dropped_frames;
    uint64_t rss_bytes;
};

struct protocol_progress { /* while loading */
    uint64_t done_bytes, total_bytes;
};

struct protocol_fatal {
    char cause[256];
    uint64_t step;
    uint32_t n_requests;
    uint64_t requests[64]; /* ids in the failing plan */
};

/* ---- Frames. Writers append one whole frame to `out`; readers check everything and refuse with an error that names
 * the field. ---- */

enum status protocol_read_head(struct protocol_head *head, const void *bytes /* [PROTOCOL_HEAD_BYTES] */,
                               struct error *error) must_check;

void protocol_write_configure(struct buf *out, uint32_t epoch, const struct protocol_configure *message);
void protocol_write_vocabulary(struct buf *out, uint32_t epoch, const struct str *tokens, uint32_t n);
void protocol_write_submit(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_submit *message);
/* Changes the epoch of a frame that was written before. */
void protocol_set_epoch(char *frame, uint32_t epoch);

void protocol_write_control(struct buf *out, uint32_t epoch, uint64_t id, uint32_t control /* enum protocol_control */);
void protocol_write_cancel(struct buf *out, uint32_t epoch, uint64_t id, uint32_t choice);
void protocol_write_stop(struct buf *out, uint32_t epoch);
void protocol_write_ready(struct buf *out, uint32_t epoch, const struct protocol_ready *message);
void protocol_write_accepted(struct buf *out, uint32_t epoch, uint64_t id, uint32_t n_cached);
void protocol_write_tokens(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_tokens *message,
                           const struct protocol_token *tokens);
void protocol_write_embedding(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_embedding *message);
void protocol_write_done(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_done *message);
void protocol_write_refused(struct buf *out, uint32_t epoch, uint64_t id, const struct protocol_refused *message);
void protocol_write_stats(struct buf *out, uint32_t epoch, const struct protocol_stats *message);
void protocol_write_progress(struct buf *out, uint32_t epoch, const struct protocol_progress *message);
void protocol_write_fatal(struct buf *out, uint32_t epoch, const struct protocol_fatal *message);

/* Bodies, given the head's body bytes. Arrays in *message lend from `body`, which must stay alive and is 8-byte
 * aligned by the receiver. */
enum status protocol_read_configure(struct protocol_configure *message, struct str body, struct error *error) must_check;
/* The number of tokens; then the tokens [n], lent from the body. */
enum status protocol_read_vocabulary_size(uint32_t *n, struct str body, struct error *error) must_check;
enum status protocol_read_vocabulary(struct str *tokens, struct str body, struct error *error) must_check;
enum status protocol_read_control(uint32_t *control, struct str body, struct error *error) must_check;
enum status protocol_read_cancel(uint32_t *choice, struct str body, struct error *error) must_check;
enum status protocol_read_submit(struct protocol_submit *message, struct str body, struct error *error) must_check;
enum status protocol_read_ready(struct protocol_ready *message, struct str body, struct error *error) must_check;
enum status protocol_read_accepted(uint32_t *n_cached, struct str body, struct error *error) must_check;
enum status protocol_read_embedding(struct protocol_embedding *message, struct str body, struct error *error) must_check;
enum status protocol_read_done(struct protocol_done *message, struct str body, struct error *error) must_check;
enum status protocol_read_refused(struct protocol_refused *message, struct str body, struct error *error) must_check;
enum status protocol_read_stats(struct protocol_stats *message, struct str body, struct error *error) must_check;
enum status protocol_read_progress(struct protocol_progress *message, struct str body, struct error *error) must_check;
enum status protocol_read_fatal(struct protocol_fatal *message, struct str body, struct error *error) must_check;

/* Tokens: head fields first, then each token through the reader function. */
struct protocol_tokens_reader {
    struct protocol_tokens head;
    struct str rest;
    uint32_t n_read;
};
enum status protocol_read_tokens(struct protocol_tokens_reader *reader, struct str body, struct error *error) must_check;
enum status protocol_next_token(struct protocol_tokens_reader *reader, struct protocol_token *token,
                                struct error *error) must_check; /* STATUS_NOT_FOUND after the last */

#endif
