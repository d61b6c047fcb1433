/* A choice's tokens to its text: decoder, thought, tool calls, stop strings, in this order. */
#include "server/generation.h"
#include "server/server.h"

/* Text that could not be kept: the reply would not be what was generated. */
static void note(struct generation_choice *c, enum status status)
{
    c->lost |= status != STATUS_OK;
}

/* Visible text goes through the stop strings, from min_tokens on. */
static void push_visible(struct generation_choice *c, struct str visible)
{
    const struct request *r = c->generation->request;
    if (!r->n_stops || (int64_t)c->n_tokens <= r->min_tokens)
        buf_add_str(&c->text, visible);
    else
        note(c, stop_match_push(&c->stop, visible, &c->text));
    if (c->stop.matched >= 0) {
        c->stop_string = c->stop.matched;
        c->finish = GENERATION_STOP;
    }
}

/* Goes on with what tool_parse made visible. The first call ends the content before it: nothing stays held back for a stop string. */
static void push_parsed(struct generation_choice *c, uint32_t n_calls_before, enum status status)
{
    note(c, status);
    push_visible(c, buf_str(&c->generation->visible));
    if (c->stop_string >= 0 || n_calls_before || !c->tools.n_calls)
        return;
    note(c, stop_match_end(&c->stop, &c->text));
    c->text_before_calls = c->text.len;
}

static void push_answer(struct generation_choice *c, struct str answer)
{
    struct buf *visible = &c->generation->visible;
    uint32_t n_calls = c->tools.n_calls;
    buf_clear(visible);
    if (c->generation->reads_calls)
        push_parsed(c, n_calls, tool_parse_text(&c->tools, answer, visible));
    else
        push_visible(c, answer);
}

static void push_text(struct generation_choice *c, struct str piece)
{
    struct buf *answer = &c->generation->answer;
    if (piece.len == 0)
        return;
    if (tool_parse_has_begun(&c->tools)) {
        push_answer(c, piece);
        return;
    }
    buf_clear(answer);
    note(c, reasoning_split_push(&c->split, piece, &c->reasoning, answer));
    push_answer(c, buf_str(answer));
}

/* What the decoder and the split hold back is all there is. */
static void flush_split(struct generation_choice *c)
{
    struct buf *piece = &c->generation->piece, *answer = &c->generation->answer;
    buf_clear(piece);
    note(c, detokenizer_end(&c->detokenizer, piece));
    push_text(c, buf_str(piece));
    if (c->stop_string >= 0)
        return;
    buf_clear(answer);
    note(c, reasoning_split_end(&c->split, &c->reasoning, answer));
    push_answer(c, buf_str(answer));
}

void generation_text_flush(struct generation_choice *c, bool cut)
{
    struct buf *visible = &c->generation->visible;
    flush_split(c);
    if (c->stop_string >= 0)
        return;
    uint32_t n_calls = c->tools.n_calls;
    buf_clear(visible);
    push_parsed(c, n_calls, tool_parse_end(&c->tools, cut, visible));
    if (c->stop_string < 0)
        note(c, stop_match_end(&c->stop, &c->text));
}

static bool is_kept(const struct generation *g, uint32_t token)
{
    for (unsigned i = 0; i < GENERATION_TEXTS_MAX; i++)
        if (token == g->text_ids[i])
            return true;
    return false;
}

/* Which mark of a tool call the token is, where it can be one: not inside the thought. */
static int tool_mark_of(const struct generation *g, const struct generation_choice *c, uint32_t token)
{
    if (!g->reads_calls || reasoning_split_in_reasoning(&c->split))
        return -1;
    for (int i = 0; i < N_TOOL_MARKS; i++)
        if (g->tool_ids[i] == token)
            return i;
    return -1;
}

static void push_tool_mark(struct generation *g, struct generation_choice *c, enum tool_mark mark, uint32_t token)
{
    flush_split(c);
    if (c->stop_string >= 0)
        return;
    uint32_t n_calls = c->tools.n_calls;
    buf_clear(&g->visible);
    push_parsed(c, n_calls, tool_parse_mark(&c->tools, mark, tokenizer_bytes(g->server->text.tokenizer, token), &g->visible));
}

void generation_text_push(struct generation_choice *c, uint32_t token)
{
    struct generation *g = c->generation;
    struct buf *piece = &g->piece;
    int tool_mark = tool_mark_of(g, c, token);
    if (tool_mark >= 0) {
        push_tool_mark(g, c, (enum tool_mark)tool_mark, token);
        return;
    }
    buf_clear(piece);
    if (is_kept(g, token)) {
        note(c, detokenizer_end(&c->detokenizer, piece));
        note(c, buf_add_str(piece, tokenizer_bytes(g->server->text.tokenizer, token)));
    } else {
        note(c, detokenizer_push(&c->detokenizer, token, piece));
    }
    push_text(c, buf_str(piece));
}

bool generation_text_has_ended(const struct generation_choice *c)
{
    return c->stop_string >= 0 || tool_parse_is_over(&c->tools);
}
