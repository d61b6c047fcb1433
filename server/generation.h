/* One request's generation, from ids to events: submissions, tokens, text, ends, usage. The two forms of reply, whole and streamed,
 * consume the same events; what they look like is a writer's affair (writers.h). Main thread, except generation_create. */
#ifndef SERVER_GENERATION_H
#define SERVER_GENERATION_H

#include "base/emit_json.h"
#include "server/reply.h"
#include "server/request.h"
#include "text/output_parse.h"

enum { GENERATION_ID_BYTES = 40, GENERATION_TEXTS_MAX = 4 };

/* A token with its log-probabilities; `n_top` alternatives follow in memory. */
struct generation_entry {
    uint32_t token;
    float logprob;
    uint32_t n_top;
    uint32_t rank;
    bool in_reasoning;
    struct protocol_top top[];
};

struct generation_entries {
    struct buf bytes;  /* entries of one size after the other */
    uint32_t n, n_top; /* alternatives that each has room for */
};
const struct generation_entry *generation_entry_at(const struct generation_entries *entries, uint32_t index);

enum generation_finish { GENERATION_RUNNING, GENERATION_STOP, GENERATION_LENGTH, GENERATION_TOOL_CALLS };

struct generation;

struct generation_choice {
    struct generation *generation;
    uint32_t index, prompt, of_prompt; /* in the reply; its prompt; its number among that prompt's choices */
    struct detokenizer detokenizer;
    struct reasoning_split split;
    struct stop_match stop;
    struct tool_parse tools;
    uint32_t n_calls_sent;             /* stream: calls that were sent whole */
    bool call_opened;                  /* stream: the next one's first delta was sent, */
    size_t arguments_sent;             /* and so many bytes of its arguments */
    struct buf reasoning, text;        /* all of it; in a stream, unless the writer keeps it, what was not sent yet */
    size_t text_before_calls;          /* bytes of text when the first call began */
    uint32_t n_tokens, n_reasoning_tokens;
    struct generation_entries entries; /* with logprobs */
    uint32_t n_entries_sent;
    struct buf ids;                    /* with return_token_ids: uint32_t each */
    size_t ids_sent;                   /* bytes of it */
    enum generation_finish finish;
    int32_t stop_string;               /* that ended it, or -1 */
    int64_t stop_token;                /* of the caller's, or -1 */
    bool lost;                         /* text or entries, for want of memory */
    bool opened, closed;               /* stream: its first and last chunk were written */
    bool owes_echo;                    /* stream: the prompt's text goes before the next piece */
    uint64_t offset;                   /* of the next token, in code points of the returned text */
    uint64_t last_token_ns;
    uint32_t acted;                    /* enum protocol_acted: what ended the thought */
};

struct generation_prompt {
    struct generation *generation;
    uint32_t *ids;
    uint32_t n_ids;
    struct str echo;                    /* text that comes first, or empty */
    uint64_t submission;                /* 0: over */
    uint32_t n_cached, n_open;          /* choices that still run */
    uint64_t queue_ns, prefill_ns, decode_ns;
    struct generation_entries entries;  /* of the prompt's tokens from the second on, where asked */
};

/* What the replies of one surface look like. All but `whole` append to g->line what generation_send_line then passes on. */
struct generation_writer {
    const char *id_prefix, *stream_type;  /* of a stream: its media type */
    bool keeps_text;                      /* a stream keeps reasoning and text: the writer does not clear them */
    /* Stream: before anything else (may be null); while the reply waits; the first of a choice; what is new of it; its last; after the
     * last choice. */
    void (*begin)(struct generation *g);
    void (*keep_alive)(struct generation *g);
    void (*open)(struct generation *g, struct generation_choice *c);
    void (*delta)(struct generation *g, struct generation_choice *c);
    void (*close)(struct generation *g, struct generation_choice *c);
    void (*end)(struct generation *g);
    /* A fault in place of what was to come, and what is said when there is no memory to say it. */
    void (*fail)(struct generation *g, enum reply_code code, const char *param, const char *message);
    const char *no_memory;
    /* Whole: the body. */
    void (*whole)(struct generation *g, struct emit_json *json);
};

/* The parts of a reply that is written as a sequence of them, one open at a time (writers_parts.c). */
struct generation_parts {
    uint32_t index;    /* of the part that is open or comes next */
    bool open;
    size_t sent;       /* bytes of its text */
    uint32_t n_events; /* that were written */
};

/* Takes the whole reply of a generation that shares its exchange with others; exactly one of the two, once. */
struct generation_taker {
    void (*take)(struct generation_taker *taker, struct generation *g, struct buf *body); /* moves the body out */
    void (*fail)(struct generation_taker *taker, struct generation *g, enum reply_code code, const char *param, const char *message);
};

struct generation {
    struct generation_taker *taker;     /* null: the reply goes to the client */
    struct generation *next;            /* of the server's list, while it is */
    bool listed;
    struct exchange *exchange;
    struct server *server;
    const struct request *request;
    const struct generation_writer *writer;
    struct generation_prompt *prompts;
    uint32_t n_prompts;
    struct generation_choice *choices;
    uint32_t n_choices, n_open;
    bool thinks, in_reasoning;          /* reasoning is reported; the prompt opened the thought */
    uint32_t vocabulary, context, max_tokens;
    int64_t text_ids[GENERATION_TEXTS_MAX]; /* special tokens that are text to the parsers, or -1 */
    bool reads_calls;                   /* tools were offered */
    uint32_t tool_ids[N_TOOL_MARKS];    /* where they were */
    char id[GENERATION_ID_BYTES];
    int64_t created;
    char fingerprint[40];
    bool streaming, whole_begun;        /* the head is out; for a whole reply kept alive */
    bool broken, over;                  /* the client takes no more; the reply is done */
    uint64_t tick;                      /* timer; 0: none */
    uint64_t first_token_ns, started_ns;
    bool head_ids_sent;                 /* the prompt's ids were in the first event */
    struct generation_parts parts;
    struct buf line;                    /* events are written here */
    struct buf head;                    /* what every event begins with */
    struct buf piece, answer, visible;  /* scratch of one token: its text, without the thought, without tool calls */
};

/* A generation of the exchange, in its arena, with n_prompts empty prompts; null when out of memory. Released with the exchange. */
struct generation *generation_create(struct exchange *exchange, const struct request *request, const struct generation_writer *writer,
                                     uint32_t n_prompts) must_check;

/* Checks lengths and counts against the limits. */
enum status generation_plan(struct generation *g, struct error *error) must_check;

/* For exchange_to_main: submits and goes on by events. */
void generation_start(struct exchange *exchange);

/* The parts of that, for exchanges that have several: submit one, leave it without a reply, and free what it holds beside the arena. */
void generation_begin(struct generation *g);
void generation_leave(struct generation *g);
void generation_release(void *generation);

/* Main thread: ends the thought of a running reply. False where no reply of this key has the id. */
bool generation_answer_now(struct server *server, struct str id, uint32_t key_index);

/* ---- From tokens to text (generation_text.c): what is certain goes to the choice's reasoning, text and tools -- */

void generation_text_push(struct generation_choice *c, uint32_t token);
/* The model's end. cut: by a limit or a stop token of the caller's. */
void generation_text_flush(struct generation_choice *c, bool cut);
/* Whether a stop string or the end of the tool calls ended the text: nothing that the engine may still send belongs to it. */
bool generation_text_has_ended(const struct generation_choice *c);

/* An id of random characters after the prefix. */
void generation_make_id(char out[GENERATION_ID_BYTES], const char *prefix);

/* ---- For writers ------------------------------------------------------------------------------------------- */

/* Passes g->line on to the client and empties it. */
void generation_send_line(struct generation *g);

#endif
