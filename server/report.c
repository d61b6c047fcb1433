/* Why the cache missed, what governor and guard did, what it cost. */
#include "server/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/auth.h"
#include "server/front.h"
#include "server/prompt_history.h"
#include "server/server.h"
#include "server/usage.h"

/* ---- Where a prompt parts from those before it ----------------------------------------------------------------- */

static bool lies_in(struct str text, const char *at)
{
    return text.len && at >= text.at && at < text.at + text.len;
}

/* The message that a span was written from. */
static bool message_of(const struct chat_input *input, const char *at, uint32_t *message, struct str *text)
{
    for (uint32_t i = 0; i < input->n_messages; i++) {
        const struct chat_message *m = &input->messages[i];
        if (!lies_in(m->content, at) && !lies_in(m->reasoning, at))
            continue;
        *message = i;
        *text = lies_in(m->content, at) ? m->content : m->reasoning;
        return true;
    }
    return false;
}

static uint64_t count_characters(const char *at, const char *end)
{
    uint64_t n = 0;
    for (; at < end; at++)
        n += ((unsigned char)*at & 0xC0) != 0x80;
    return n;
}

/* The place of a byte of the prompt's text: in a message, or before the next that comes. */
static void find_place(const struct chat_input *input, const struct chat_prompt *chat, size_t byte, struct request_miss *miss)
{
    size_t begin = 0;
    for (uint32_t i = 0; i < chat->n_spans; i++) {
        struct str span = chat->spans[i].text, text;
        size_t into = byte > begin ? byte - begin : 0;
        begin += span.len;
        if (into >= span.len || chat->spans[i].kind != SPAN_CONTENT || !message_of(input, span.at, &miss->message, &text))
            continue;
        miss->has_place = true;
        miss->character = count_characters(text.at, span.at + into);
        return;
    }
}

static size_t count_bytes(const struct tokenizer *tokenizer, const struct chat_prompt *chat, const struct request_prompt *prompt,
                          uint32_t n_tokens)
{
    size_t bytes = 0;
    uint32_t first = !chat->has_bos && tokenizer_adds_bos(tokenizer) && tokenizer_bos(tokenizer) >= 0;
    for (uint32_t i = first; i < n_tokens && i < prompt->n_ids; i++)
        bytes += tokenizer_bytes(tokenizer, prompt->ids[i]).len;
    return bytes;
}

void report_note_prompt(struct exchange *exchange, struct request *r, const struct chat_input *input, const struct chat_prompt *chat,
                        const struct request_prompt *prompt)
{
    struct server *server = exchange_server(exchange);
    static const uint8_t any_model[32];
    uint8_t partition[AUTH_PARTITION_BYTES];
    struct prompt_history_match match;
    struct front_state state;
    uint32_t key = exchange_request(exchange)->key_index;
    if (!r->use_cache)
        return;
    auth_partition(server->auth, key, r->has_user_id ? &r->user_id : NULL, r->has_salt ? &r->salt : NULL, any_model, partition);
    prompt_history_visit(server->prompts, key, partition, prompt->ids, prompt->n_ids, &match);
    if (!r->report)
        return;
    front_read_state(server->front, &state);
    r->miss = (struct request_miss){.known = true, .same = match.same, .other = match.other, .page_tokens = state.engine.page_tokens};
    find_place(input, chat, count_bytes(server->text.tokenizer, chat, prompt, match.same), &r->miss);
}

/* ---- The object ------------------------------------------------------------------------------------------------ */

/* The cache holds whole pages, and never the last token. */
static const char *reason_of(const struct request_miss *miss, uint32_t n_prompt, uint32_t n_cached)
{
    uint32_t page = miss->page_tokens;
    if (!miss->known || !page || n_cached >= (n_prompt - 1) / page * page)
        return "none";
    if (miss->same / page * page > n_cached)
        return "evicted";
    return miss->other / page * page > n_cached ? "partition" : "diverged";
}

static void emit_miss(struct emit_json *json, const struct generation *g)
{
    const struct request_miss *miss = &g->request->miss;
    const struct generation_prompt *p = &g->prompts[0];
    const char *reason = reason_of(miss, p->n_ids, p->n_cached);
    bool placed = miss->has_place && strcmp(reason, "diverged") == 0;
    emit_key(json, "miss");
    emit_object_begin(json);
    emit_key_text(json, "reason", reason);
    emit_key(json, "message");
    if (placed)
        emit_uint(json, miss->message);
    else
        emit_null(json);
    emit_key(json, "character");
    if (placed)
        emit_uint(json, miss->character);
    else
        emit_null(json);
    emit_object_end(json);
}

static void emit_guard(struct emit_json *json, const struct generation *g)
{
    static const char *const names[] = {[REQUEST_REASONING] = "reasoning", [REQUEST_ANSWER] = "answer"};
    emit_key(json, "guard");
    emit_object_begin(json);
    for (unsigned i = 0; i < N_REQUEST_PARTS; i++) {
        const struct request_guard *guard = &g->request->guards[i];
        emit_key(json, names[i]);
        if (!guard->on) {
            emit_null(json);
            continue;
        }
        emit_array_begin(json);
        for (uint32_t k = 0; k < guard->n_codes; k++)
            emit_str(json, str_from(guard->codes[k], strnlen(guard->codes[k], SCRIPT_CODE_BYTES)));
        emit_array_end(json);
    }
    emit_object_end(json);
}

static const char *acted_of(const struct generation *g)
{
    static const char *const names[] = {[PROTOCOL_ACTED_BUDGET] = "budget",
                                        [PROTOCOL_ACTED_PULL] = "pull",
                                        [PROTOCOL_ACTED_LOOP] = "loop",
                                        [PROTOCOL_ACTED_ANSWER_NOW] = "answer_now"};
    for (uint32_t i = 0; i < g->n_choices; i++)
        if (g->choices[i].acted)
            return names[g->choices[i].acted];
    return NULL;
}

/* A line of text each, as "POINTER KEYWORD". */
static void emit_warnings(struct emit_json *json, struct str lines)
{
    emit_key(json, "warnings");
    emit_array_begin(json);
    while (lines.len) {
        const char *end = memchr(lines.at, '\n', lines.len);
        size_t n = end ? (size_t)(end - lines.at) : lines.len;
        emit_str(json, str_from(lines.at, n));
        lines = str_skip(lines, n + (end != NULL));
    }
    emit_array_end(json);
}

bool report_is_price(const char *text)
{
    char *end;
    double price = strtod(text, &end);
    return !*text || (end != text && !*end && isfinite(price) && price >= 0);
}

/* Prices are of a million tokens; null where none is set. What the cache held costs as much as the rest unless it has its own price. */
static void emit_cost(struct emit_json *json, const struct generation *g, const struct usage_totals *t)
{
    const struct config *config = g->server->config;
    double input = strtod(config->price_input, NULL), output = strtod(config->price_output, NULL);
    double cached = *config->price_cached_input ? strtod(config->price_cached_input, NULL) : input;
    emit_key(json, "cost");
    if (!*config->price_input && !*config->price_output)
        emit_null(json);
    else
        emit_double(json, ((double)(t->prompt - t->cached) * input + (double)t->cached * cached + (double)t->completion * output) * 1e-6);
}

void report_emit(struct emit_json *json, const struct generation *g)
{
    struct usage_totals t = usage_totals_of(g);
    emit_key(json, "report");
    emit_object_begin(json);
    emit_key_int(json, "prompt_tokens", (int64_t)t.prompt);
    emit_key_int(json, "cached_tokens", (int64_t)t.cached);
    emit_miss(json, g);
    emit_key(json, "queue_ms");
    emit_double(json, (double)t.queue_ns * 1e-6);
    emit_key(json, "prefill_ms");
    emit_double(json, (double)t.prefill_ns * 1e-6);
    emit_key(json, "decode_ms");
    emit_double(json, (double)t.decode_ns * 1e-6);
    emit_key(json, "governor");
    emit_object_begin(json);
    emit_key_text(json, "acted", acted_of(g));
    emit_object_end(json);
    emit_guard(json, g);
    emit_warnings(json, g->request->unenforced);
    emit_cost(json, g, &t);
    emit_object_end(json);
}
