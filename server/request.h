/* Requests of the openai surface as plain structs: what chat and completions share, and a chat's messages. Everything is copied into
 * the exchange's arena, so that it outlives the JSON tree. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "base/arena.h"
#include "config/options.h"
#include "engine/protocol.h"
#include "server/exchange.h"
#include "server/fields.h"
#include "server/limits.h"
#include "text/chat.h"
#include "text/output_parse.h"
#include "text/script_sets.h"

/* What the answer must be. */
enum request_form {
    REQUEST_FORM_NONE,
    REQUEST_FORM_OBJECT, /* any JSON object */
    REQUEST_FORM_SCHEMA,
    REQUEST_FORM_REGEX,
    REQUEST_FORM_CHOICE,
    REQUEST_FORM_GRAMMAR,
};

/* Which scripts may be written (field language_guard). */
struct request_guard {
    bool on, automatic; /* automatic: those of the conversation */
    char codes[SCRIPT_CODES_MAX][SCRIPT_CODE_BYTES];
    uint32_t n_codes;
};
enum request_part { REQUEST_REASONING, REQUEST_ANSWER, N_REQUEST_PARTS };

/* How much of a prompt was seen before, and where it goes its own way. */
struct request_miss {
    bool known, has_place;
    uint32_t same, other;  /* tokens in common with an earlier prompt of its partition, of another of its key */
    uint32_t page_tokens;
    uint32_t message;      /* where `same` ends: the message, */
    uint64_t character;    /* and code points of its text before that */
};

enum request_kind { REQUEST_CHAT, REQUEST_COMPLETION };

/* What the model's limits are, for range checks: read once per request. */
struct request_limits {
    uint32_t vocabulary; /* ids below it are known to tokenizer and model */
    uint32_t context;
};

struct request {
    enum request_kind kind;
    /* sampling */
    double temperature, top_p, min_p, presence_penalty, frequency_penalty, repetition_penalty;
    int64_t top_k;
    uint64_t seed; /* given, or drawn */
    struct protocol_bias *bias;
    uint32_t n_bias;
    /* lengths and ends */
    int64_t n, max_tokens /* -1: not given */, min_tokens;
    struct str stops[STOP_STRINGS_MAX];
    uint32_t n_stops;
    bool include_stop;
    uint32_t *stop_ids; /* of the caller */
    uint32_t n_stop_ids;
    bool ignore_eos;
    /* output */
    bool stream, include_usage, continuous_usage;
    int32_t logprobs, prompt_logprobs; /* -1: none */
    bool skip_special, return_token_ids, tokens_as_ids, timings;
    bool names_tier;
    bool echo, parse_special; /* completions */
    /* the answer's form */
    enum request_form form;
    const char *form_field; /* that asked for it */
    struct str form_text;   /* schema or choices as JSON, expression, grammar */
    bool form_strict;
    struct request_guard guards[N_REQUEST_PARTS];
    struct str unenforced;  /* keywords that cannot be held to, a line each */
    struct str language;    /* of the whole output, once compiled; empty: any */
    /* cache */
    bool use_cache, has_user_id, has_salt;
    struct str user_id, salt;
    /* chat */
    enum chat_thinking thinking;
    struct str effort, template_kwargs;
    const char *chat_template; /* in place of the model's; null: none */
    const struct chat_tool *tools; /* that the prompt offers; none with tool_choice "none" */
    uint32_t n_tools;
    bool callable[REQUEST_TOOLS_MAX]; /* which of them */
    bool one_call;                 /* parallel_tool_calls: false */
    bool must_call, limits_calls;  /* the reply is a call; not every tool may be called */
    int64_t thinking_budget;       /* tokens; -1: no end, or none asked for */
    int64_t thinking_pull;
    bool loop_detector;
    struct protocol_thought thought; /* what of it applies, once the prompt is known */
    bool report;
    struct request_miss miss;         /* with report */
    const void *dialect;              /* what its writer needs of the body */
    const struct dialect_name *names; /* of the sender, for errors */
    bool fills_context;               /* a completion that goes on while there is room */
    bool separate_reasoning, stream_reasoning, include_reasoning, add_generation_prompt, continue_final;
};

/* The exchange's body as a tree, whose root is an object. The tree's memory is charged before it is built. */
struct request_body {
    json_t *root;
    size_t charged;
};
enum status request_parse_body(struct exchange *exchange, struct request_body *out, struct error *error) must_check;
void request_release_body(struct exchange *exchange, struct request_body *body);

/* 503 while no model is loaded. */
enum status request_read_limits(struct exchange *exchange, struct request_limits *out, struct error *error) must_check;

/* Field "model": known, allowed for the key; sets *thinking where the name says so. */
const char *request_alias(size_t index); /* names that always mean the served model; null after the last */
void request_read_model(struct fields *fields, struct exchange *exchange, const json_t *root, enum chat_thinking *thinking);

/* All fields but model, messages and prompt, with defaults; unknown and unsupported ones are judged too. */
void request_read(struct fields *fields, struct exchange *exchange, const json_t *root, enum request_kind kind,
                  const struct request_limits *limits, struct request *out);

/* Once it is known whether the reply thinks: sampling that is fixed while thinking. */
void request_fix_sampling(struct request *request, const struct exchange *exchange, bool thinks);

/* Field "messages"; also whether the last one is a prefix to continue. */
void request_read_messages(struct fields *fields, struct arena *arena, const json_t *root, struct chat_input *input, bool *continue_final);

/* Whether a name holds letters, digits, _ and - alone. */
bool request_has_name_letters(struct str name);

/* Fields "tools", "tool_choice", "parallel_tool_calls". */
void request_read_tools(struct fields *fields, struct exchange *exchange, const json_t *root, struct request *request);

/* Fields that ask for a form of the answer. */
void request_read_form(struct fields *fields, struct arena *arena, const json_t *root, struct request *request);

/* Field language_guard, or the setting. */
void request_read_guard(struct fields *fields, const struct config *config, const json_t *root, struct request *request);

/* Replaces automatic guards by the scripts of the last message of the user and of the system message; off where they show none. */
void request_settle_guards(struct request *request, const struct chat_input *input);

/* What a guard allows, with the letters that stand in the messages: they may be quoted. */
enum status request_guard_set(struct exchange *exchange, const struct request_guard *guard, const struct chat_input *input,
                              struct code_points *out, struct error *error) must_check;

/* Sets request->language, where the request asks for any. `chat` and `input` are null for completions. Errors name the field; keywords
 * that cannot be held to go into a header of the reply. */
enum status request_compile_language(struct exchange *exchange, struct request *request, const struct chat_prompt *chat,
                                     const struct chat_input *input, struct error *error) must_check;

/* Fields that bound the thought; defaults come from the settings and the effort. */
void request_read_thought(struct fields *fields, const struct config *config, const json_t *root, struct request *request);

/* The text that closes a thought before the mark, in the language of the last message of the user. Lent for ever. */
struct str request_bridge(const struct chat_input *input);

/* Sets request->thought, with the bridging sentence in the language of the last message of the user. */
enum status request_plan_thought(struct exchange *exchange, struct request *request, const struct chat_prompt *chat,
                                 const struct chat_input *input, struct error *error) must_check;

/* What the request asks of the chat format, beside its messages. `continues`: the last message is a prefix. */
void request_fill_input(const struct request *request, bool continues, struct chat_input *input);

/* Messages to prompt. */
enum status request_render(struct exchange *exchange, const struct chat_input *input, struct chat_prompt *prompt,
                           struct error *error) must_check;

/* Text to ids, which must be fewer than the context. Errors name `param`. */
struct request_text {
    const struct span *spans;
    uint32_t n_spans;
    bool add_bos;
    const char *param;
};
struct request_prompt {
    uint32_t *ids; /* from the exchange's arena */
    uint32_t n_ids;
};
enum status request_encode(struct exchange *exchange, const struct request_text *text, uint32_t context, struct request_prompt *out,
                           struct error *error) must_check;

#endif
