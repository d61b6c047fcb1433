/* Reading the chunks of a streamed chat completion and printing them: reasoning dim, answer plain. */
#include "server/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { SILENCE_MS_MAX = 600000, REFUSAL_BYTES_MAX = 64 << 10 };

static const char dim[] = "\033[2m", plain[] = "\033[0m";

struct stream {
    struct answer *answer;
    struct client_exchange exchange;
    struct client_events events;
    struct buf refusal; /* the body of a reply that is not 200 */
    bool in_reasoning, line_open;
    uint64_t begin_ns, first_ns, last_ns;
    enum status status;
    struct error *error;
};

void answer_init(struct answer *answer, bool terminal, bool colours)
{
    *answer = (struct answer){.terminal = terminal, .colours = colours};
    buf_init(&answer->text, ANSWER_BYTES_MAX);
}

void answer_release(struct answer *answer)
{
    buf_release(&answer->text);
}

/* ---- Printing ---------------------------------------------------------------------------------------------- */

/* What a model writes must not steer the terminal: controls other than line ends and tabs are left out. */
static void print_safely(struct str text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t c;
        size_t n = utf8_decode(text.at + at, text.len - at, &c);
        bool control = n == 0 || (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
        if (!control)
            fwrite(text.at + at, 1, n, stdout);
        at += n ? n : 1;
    }
}

static void switch_to(struct stream *s, bool reasoning)
{
    if (reasoning == s->in_reasoning)
        return;
    s->in_reasoning = reasoning;
    if (s->answer->colours)
        fputs(reasoning ? dim : plain, stdout);
    if (!reasoning)
        fputs(s->line_open ? "\n\n" : "\n", stdout);
}

static void print(struct stream *s, struct str text, bool reasoning)
{
    if (!text.len)
        return;
    if (!s->answer->terminal) {
        if (!reasoning)
            fwrite(text.at, 1, text.len, stdout);
    } else {
        switch_to(s, reasoning);
        print_safely(text);
    }
    s->line_open = text.at[text.len - 1] != '\n';
    fflush(stdout);
}

/* ---- Chunks ------------------------------------------------------------------------------------------------ */

static void count_token(struct stream *s)
{
    s->last_ns = clock_now_ns(clock_real());
    if (!s->first_ns)
        s->first_ns = s->last_ns;
}

static void take_delta(struct stream *s, const json_t *delta)
{
    const json_t *reasoning = json_object_get(delta, "reasoning_content"), *content = json_object_get(delta, "content");
    struct str thought = str_from(json_string_value(reasoning), json_string_length(reasoning));
    struct str text = str_from(json_string_value(content), json_string_length(content));
    if (thought.len || text.len)
        count_token(s);
    print(s, thought, true);
    /* Models begin the answer after a thought with empty lines: not worth showing. */
    while (!s->answer->text.len && text.len && text.at[0] == '\n')
        text = str_skip(text, 1);
    print(s, text, false);
    buf_add_str(&s->answer->text, text);
}

static void take_usage(struct stream *s, const json_t *usage)
{
    if (!json_is_object(usage))
        return;
    s->answer->prompt_tokens = (uint64_t)json_integer_value(json_object_get(usage, "prompt_tokens"));
    s->answer->generated_tokens = (uint64_t)json_integer_value(json_object_get(usage, "completion_tokens"));
}

static void on_data(void *arg, struct str data)
{
    struct stream *s = arg;
    if (s->status || str_is(data, "[DONE]"))
        return;
    json_t *chunk = json_loadb(data.at, data.len, 0, NULL);
    const json_t *error = json_object_get(chunk, "error");
    if (!chunk)
        s->status = error_set(s->error, STATUS_IO, "the server sent an event that is not JSON");
    else if (error)
        s->status = answer_refusal(data, s->exchange.http_status, s->error);
    take_usage(s, json_object_get(chunk, "usage"));
    take_delta(s, json_object_get(json_array_get(json_object_get(chunk, "choices"), 0), "delta"));
    json_decref(chunk);
}

static void on_body(void *arg, struct str part)
{
    struct stream *s = arg;
    if (s->exchange.http_status == 200)
        client_events_add(&s->events, part);
    else
        buf_add_str(&s->refusal, part);
}

enum status answer_refusal(struct str body, unsigned http_status, struct error *error)
{
    json_t *root = json_loadb(body.at, body.len, 0, NULL);
    const char *message = json_string_value(json_object_get(json_object_get(root, "error"), "message"));
    enum status status = message ? error_set(error, STATUS_INVALID, "%s", message)
                                 : error_set(error, STATUS_INVALID, "the server answered with status %u", http_status);
    json_decref(root);
    return status;
}

static void finish(struct stream *s)
{
    struct answer *a = s->answer;
    if (s->in_reasoning && a->colours)
        fputs(plain, stdout);
    if (s->line_open)
        putchar('\n');
    fflush(stdout);
    if (s->first_ns) {
        a->first_seconds = (double)(s->first_ns - s->begin_ns) * 1e-9;
        a->generation_seconds = (double)(s->last_ns - s->first_ns) * 1e-9;
    }
}

enum status answer_stream(struct answer *answer, const struct client *client, struct str body, struct error *error)
{
    struct stream s = {.answer = answer, .error = error, .begin_ns = clock_now_ns(clock_real())};
    s.exchange = (struct client_exchange){.method = "POST", .path = "/v1/chat/completions", .body = body, .idle_ms_max = SILENCE_MS_MAX,
                                          .on_body = on_body, .arg = &s};
    buf_init(&s.refusal, REFUSAL_BYTES_MAX);
    client_events_init(&s.events, on_data, &s);
    enum status status = client_run(client, &s.exchange, error);
    finish(&s);
    if (!status && s.exchange.http_status != 200)
        status = answer_refusal(buf_str(&s.refusal), s.exchange.http_status, error);
    client_events_release(&s.events);
    buf_release(&s.refusal);
    return status ? status : s.status;
}
