/* How long a thought may be, and the sentence that closes it. */
#include <stdio.h>
#include <string.h>

#include "server/request.h"
#include "server/server.h"
#include "text/language.h"

/* ---- Fields ------------------------------------------------------------------------------------------------------- */

static int64_t budget_or_none(uint64_t budget)
{
    return budget ? (int64_t)budget : -1;
}

static int64_t default_budget(const struct config *config, struct str effort)
{
    if (str_is(effort, "minimal"))
        return budget_or_none(config->thinking_budget_minimal);
    if (str_is(effort, "low"))
        return budget_or_none(config->thinking_budget_low);
    if (str_is(effort, "medium"))
        return budget_or_none(config->thinking_budget_medium);
    return effort.len ? -1 : budget_or_none(config->thinking_budget);
}

/* One field by three names: those that are there must agree. */
static void read_budget(struct fields *f, const json_t *root, struct request *r)
{
    static const char *const names[] = {"thinking_budget", "thinking_token_budget", "budget_tokens"};
    const json_t *thinking = fields_object(f, root, "thinking");
    const char *given = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int64_t budget;
        bool inner = i == 2;
        snprintf(f->prefix, sizeof f->prefix, "%s", inner ? "thinking." : "");
        if (!fields_int(f, inner ? thinking : root, names[i], 0, INT32_MAX, &budget))
            continue;
        if (given && budget != r->thinking_budget)
            fields_fault(f, "invalid_value", names[i], "%s says %lld", given, (long long)r->thinking_budget);
        r->thinking_budget = budget;
        given = names[i];
    }
    f->prefix[0] = 0;
}

void request_read_thought(struct fields *f, const struct config *config, const json_t *root, struct request *r)
{
    r->thinking_budget = default_budget(config, r->effort);
    read_budget(f, root, r);
}

/* ---- The bridge ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *language, *text; /* a line of its own */
} bridges[] = {
    {"en", "\n\nI have thought about this long enough and answer now.\n"},
    {"fr", "\n\nJ\u2019ai assez r\u00E9fl\u00E9chi, je r\u00E9ponds maintenant.\n"},
    {"de", "\n\nIch habe lange genug nachgedacht und antworte jetzt.\n"},
    {"es", "\n\nYa lo he pensado bastante y respondo ahora.\n"},
    {"zh", "\n\n\u6211\u5DF2\u7ECF\u60F3\u5F97\u591F\u4E45\u4E86\uFF0C\u73B0\u5728\u56DE\u7B54\u3002\n"},
    {"ar", "\n\n\u0644\u0642\u062F \u0641\u0643\u0631\u062A \u0628\u0645\u0627 \u064A\u0643\u0641\u064A\u060C \u0633"
     "\u0623\u062C\u064A\u0628 "
           "\u0627\u0644\u0622\u0646.\n"},
};

struct str request_bridge(const struct chat_input *input)
{
    const char *guess = NULL;
    for (uint32_t i = input->n_messages; i-- > 0 && !guess;)
        if (input->messages[i].role == CHAT_USER)
            guess = language_guess(input->messages[i].content);
    for (size_t i = 0; guess && i < sizeof bridges / sizeof bridges[0]; i++)
        if (strcmp(bridges[i].language, guess) == 0)
            return str_of(bridges[i].text);
    return str_of(bridges[0].text);
}

static bool find_mark(const struct server *server, const char *mark, uint32_t *id)
{
    return mark && tokenizer_find(server->text.tokenizer, mark, id);
}

/* The text, then the closing token. */
static enum status write_bridge(struct exchange *exchange, struct request *r, struct str text, struct error *error)
{
    const struct tokenizer *tokenizer = exchange_server(exchange)->text.tokenizer;
    struct token_list list;
    token_list_init(&list, 1024);
    enum status status = tokenizer_encode_text(tokenizer, text, SPAN_CONTENT, &list, error);
    if (!status)
        status = token_list_add(&list, r->thought.close_token);
    uint32_t *ids = status ? NULL : arena_alloc(exchange_arena(exchange), list.n * sizeof *ids);
    if (ids)
        memcpy(ids, list.ids, list.n * sizeof *ids);
    r->thought.bridge = ids;
    r->thought.n_bridge = ids ? (uint32_t)list.n : 0;
    token_list_release(&list);
    return status || !ids ? error_set(error, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

enum status request_plan_thought(struct exchange *exchange, struct request *r, const struct chat_prompt *chat,
                                 const struct chat_input *input, struct error *error)
{
    const struct server *server = exchange_server(exchange);
    struct protocol_thought *t = &r->thought;
    uint32_t open = PROTOCOL_NO_TOKEN, close;
    if (!chat->thinking || !find_mark(server, chat_format_think_close(server->format), &close))
        return STATUS_OK;
    if (!find_mark(server, chat_format_think_open(server->format), &open))
        open = PROTOCOL_NO_TOKEN;
    *t = (struct protocol_thought){.governed = true,
                                   .begins_inside = chat->in_reasoning,
                                   .detects_loops = r->loop_detector,
                                   .open_token = open,
                                   .close_token = close};
    t->budget = r->thinking_budget < 0 ? PROTOCOL_NO_BUDGET : (uint32_t)r->thinking_budget;
    t->pull = r->thinking_budget < 0 ? 0 : (float)r->thinking_pull; /* without a budget there is nothing to pull toward */
    return write_bridge(exchange, r, request_bridge(input), error);
}
