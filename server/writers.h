/* What replies look like, surface by surface. */
#ifndef SERVER_WRITERS_H
#define SERVER_WRITERS_H

#include "server/generation.h"

extern const struct generation_writer writers_chat;
extern const struct generation_writer writers_completion;
extern const struct generation_writer writers_responses;
extern const struct generation_writer writers_messages;
extern const struct generation_writer writers_native;
extern const struct generation_writer writers_ollama_chat;
extern const struct generation_writer writers_ollama_generate;

/* ---- Shared by all (writers.c) ------------------------------------------------------------------------------- */

/* A token as a log-probability entry names it: its text with U+FFFD for bad bytes, or "token_id:N". */
void writers_emit_token(struct emit_json *json, const struct generation *g, uint32_t token);

/* Never positive, and -9999 for minus infinity. */
double writers_logprob(float logprob);

/* The choice's entries from `first` on, of the thought or of the answer, as an array. */
void writers_emit_entries(struct emit_json *json, const struct generation *g, const struct generation_choice *c, uint32_t first,
                          bool in_reasoning);

void writers_emit_ids(struct emit_json *json, const char *key, const uint32_t *ids, size_t n);

/* Those of a choice that were not sent yet. */
void writers_emit_new_ids(struct emit_json *json, const char *key, struct generation_choice *c);

/* Whether the thought is told apart from the answer and not kept back. */
bool writers_shows_reasoning(const struct generation *g);

/* Sends a comment of the event stream, which clients pass over. */
void writers_comment(struct generation *g);

/* ---- Shared by chat and completions (writers_openai.c) ------------------------------------------------------- */

extern const char writers_openai_no_memory[];
typedef void writers_choice(struct generation *g, struct generation_choice *c, struct emit_json *json);

void writers_openai_begin(struct generation *g, const char *object);
/* Starts an event in g->line with what they all share, up to the opening of its one choice object; ends it and sends it. */
void writers_openai_begin_event(struct generation *g, const struct generation_choice *c);
void writers_openai_end_event(struct generation *g, struct generation_choice *c);
void writers_openai_keep_alive(struct generation *g);
void writers_openai_end(struct generation *g);
void writers_openai_fail(struct generation *g, enum reply_code code, const char *param, const char *message);
void writers_openai_whole(struct generation *g, struct emit_json *json, const char *object, writers_choice *write_choice);
/* finish_reason, and stop_reason where there is one. */
void writers_openai_emit_finish(struct emit_json *json, const struct generation_choice *c);

/* ---- Ollama (writers_ollama.c) --------------------------------------------------------------------------------- */

/* Answers a request that only wanted the model to be there. */
void writers_ollama_loaded_chat(struct exchange *exchange);
void writers_ollama_loaded_generate(struct exchange *exchange);

/* ---- Replies that are a sequence of parts (writers_parts.c) -------------------------------------------------- */

/* Thought, text up to the first call, calls, text after them: the same parts in a stream and in a whole reply. */
enum writers_part_kind { WRITERS_PART_REASONING, WRITERS_PART_TEXT, WRITERS_PART_CALL };
struct writers_part {
    enum writers_part_kind kind;
    uint32_t index;     /* among the parts */
    struct str name;    /* of the function called */
    struct str text;    /* so far: of the part, or the call's arguments */
    bool complete, cut; /* cut: by a limit, in the middle of it */
};
/* False where the choice has no such part, or not yet. */
bool writers_part_at(const struct generation *g, const struct generation_choice *c, uint32_t index, struct writers_part *out);

/* Calls back for what is new since the last time. */
struct writers_part_events {
    void (*open)(struct generation *g, const struct writers_part *part);
    void (*delta)(struct generation *g, const struct writers_part *part, struct str news);
    void (*close)(struct generation *g, const struct writers_part *part);
};
void writers_parts_walk(struct generation *g, const struct generation_choice *c, const struct writers_part_events *events);

enum { WRITERS_ID_BYTES = GENERATION_ID_BYTES + 16 };
/* The id of a part: the reply's own random characters after `prefix`, and the part's index. */
void writers_part_id(char out[WRITERS_ID_BYTES], const struct generation *g, const char *prefix, uint32_t index);

/* A call's arguments as an object; text that is none becomes {"raw_arguments": text}. */
void writers_emit_arguments(struct emit_json *json, struct str arguments);

#endif
