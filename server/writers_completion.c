/* Completion replies: plain text, log-probabilities in the older form (four parallel lists). */
#include "base/utf8.h"
#include "server/server.h"
#include "server/writers.h"

static const char object[] = "text_completion";

/* One place of the parallel lists: a prompt token (entry null for the first) or a generated one. */
struct place {
    uint32_t token;
    const struct generation_entry *entry;
};

struct places {
    const struct generation *g;
    const struct generation_choice *c;
    const struct generation_prompt *prompt; /* null: only generated tokens */
    uint32_t first;                         /* generated tokens sent before */
};

static uint32_t count(const struct places *p)
{
    return (p->prompt ? p->prompt->n_ids : 0) + p->c->entries.n - p->first;
}

static struct place at(const struct places *p, uint32_t i)
{
    uint32_t n_prompt = p->prompt ? p->prompt->n_ids : 0;
    struct place place = {0};
    if (i < n_prompt) {
        place.token = p->prompt->ids[i];
        place.entry = i && i <= p->prompt->entries.n ? generation_entry_at(&p->prompt->entries, i - 1) : NULL;
    } else {
        place.entry = generation_entry_at(&p->c->entries, p->first + i - n_prompt);
        place.token = place.entry->token;
    }
    return place;
}

/* An object key: the token's text, or its id. */
static void emit_token_key(struct emit_json *json, const struct generation *g, uint32_t token)
{
    writers_emit_token(json, g, token);
    buf_add_char(json->out, ':');
    json->need_comma = false;
}

static void emit_tops(struct emit_json *json, const struct generation *g, struct place place)
{
    bool listed = false;
    if (!place.entry) {
        emit_null(json);
        return;
    }
    emit_object_begin(json);
    for (uint32_t k = 0; k < place.entry->n_top; k++) {
        emit_token_key(json, g, place.entry->top[k].token);
        emit_double(json, writers_logprob(place.entry->top[k].logprob));
        listed |= place.entry->top[k].token == place.token;
    }
    if (!listed) {
        emit_token_key(json, g, place.token);
        emit_double(json, writers_logprob(place.entry->logprob));
    }
    emit_object_end(json);
}

/* Code points from the start of the returned text. A token's place is where its bytes begin; continuation bytes of a character that
 * an earlier token began do not count again. */
static void emit_offsets(struct emit_json *json, const struct places *p)
{
    uint64_t offset = p->c->offset;
    for (uint32_t i = 0; i < count(p); i++) {
        uint32_t token = at(p, i).token;
        struct str bytes = tokenizer_bytes(p->g->server->text.tokenizer, token);
        emit_uint(json, offset);
        if (p->g->request->skip_special && tokenizer_is_special(p->g->server->text.tokenizer, token))
            continue;
        for (size_t k = 0; k < bytes.len; k++)
            offset += ((unsigned char)bytes.at[k] & 0xC0) != 0x80;
    }
    ((struct generation_choice *)(uintptr_t)p->c)->offset = offset;
}

static void emit_logprobs(struct emit_json *json, const struct generation *g, struct generation_choice *c, bool with_prompt)
{
    struct places p = {g, c, with_prompt && g->request->echo ? &g->prompts[c->prompt] : NULL, c->n_entries_sent};
    emit_key(json, "logprobs");
    if (g->request->logprobs < 0) {
        emit_null(json);
        return;
    }
    emit_object_begin(json);
    emit_key(json, "tokens");
    emit_array_begin(json);
    for (uint32_t i = 0; i < count(&p); i++)
        writers_emit_token(json, g, at(&p, i).token);
    emit_array_end(json);
    emit_key(json, "token_logprobs");
    emit_array_begin(json);
    for (uint32_t i = 0; i < count(&p); i++) {
        if (at(&p, i).entry)
            emit_double(json, writers_logprob(at(&p, i).entry->logprob));
        else
            emit_null(json);
    }
    emit_array_end(json);
    emit_key(json, "top_logprobs");
    emit_array_begin(json);
    for (uint32_t i = 0; i < count(&p); i++)
        emit_tops(json, g, at(&p, i));
    emit_array_end(json);
    emit_key(json, "text_offset");
    emit_array_begin(json);
    emit_offsets(json, &p);
    emit_array_end(json);
    emit_object_end(json);
    c->n_entries_sent = c->entries.n;
}

/* ---- Stream ------------------------------------------------------------------------------------------------ */

static void send_piece(struct generation *g, struct generation_choice *c, struct str text, bool with_prompt, bool last)
{
    struct emit_json json = {&g->line, true};
    writers_openai_begin_event(g, c);
    buf_add_text(&g->line, ",\"text\":\"");
    emit_escaped(&g->line, text);
    buf_add_text(&g->line, "\"");
    emit_logprobs(&json, g, c, with_prompt);
    if (last)
        writers_openai_emit_finish(&json, c);
    else
        emit_key_null(&json, "finish_reason");
    writers_openai_end_event(g, c);
}

static void begin(struct generation *g)
{
    writers_openai_begin(g, object);
}

static void open_choice(struct generation *g, struct generation_choice *c)
{
    if (g->request->echo && c->n_tokens == 0)
        send_piece(g, c, g->prompts[c->prompt].echo, true, false);
    else
        c->owes_echo = g->request->echo;
}

static void send_delta(struct generation *g, struct generation_choice *c)
{
    if (c->owes_echo) {
        /* The prompt first, with what was generated by now: one piece. */
        struct buf joined;
        buf_init(&joined, (size_t)-1);
        buf_add_str(&joined, g->prompts[c->prompt].echo);
        buf_add_str(&joined, buf_str(&c->text));
        send_piece(g, c, buf_str(&joined), true, false);
        buf_release(&joined);
        c->owes_echo = false;
    } else {
        send_piece(g, c, buf_str(&c->text), false, false);
    }
    buf_clear(&c->text);
}

static void send_last(struct generation *g, struct generation_choice *c)
{
    if (c->owes_echo)
        send_delta(g, c);
    send_piece(g, c, str_from("", 0), false, true);
}

/* ---- Whole ------------------------------------------------------------------------------------------------- */

static void emit_choice(struct generation *g, struct generation_choice *c, struct emit_json *json)
{
    struct str echo = g->request->echo ? g->prompts[c->prompt].echo : str_from("", 0);
    emit_key(json, "text");
    if (json->need_comma)
        buf_add_char(json->out, ',');
    buf_add_char(json->out, '"');
    emit_escaped(json->out, echo);
    emit_escaped(json->out, buf_str(&c->text));
    buf_add_char(json->out, '"');
    json->need_comma = true;
    emit_logprobs(json, g, c, true);
}

static void write_whole(struct generation *g, struct emit_json *json)
{
    writers_openai_whole(g, json, object, emit_choice);
}

const struct generation_writer writers_completion = {.id_prefix = "cmpl-",
                                                     .stream_type = "text/event-stream; charset=utf-8",
                                                     .begin = begin,
                                                     .keep_alive = writers_openai_keep_alive,
                                                     .open = open_choice,
                                                     .delta = send_delta,
                                                     .close = send_last,
                                                     .end = writers_openai_end,
                                                     .fail = writers_openai_fail,
                                                     .no_memory = writers_openai_no_memory,
                                                     .whole = write_whole};
