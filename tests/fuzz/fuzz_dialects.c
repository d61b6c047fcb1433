/* Bodies of other vendors' APIs, whole or streamed, with a model that writes what the input says. Input: a byte that chooses the API, a
 * byte of how the frames are cut, the model's tokens up to a zero byte (above 127: marks of thoughts and calls), the body. Every
 * reply ends exactly once, refusals are of the caller's kind, and the memory that was charged is given back. */
#include "base/rng.h"
#include "server/api.h"
#include "server/routes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/server_stand_in.h"

enum { TOKENS_MAX = 64 };

static const struct {
    void (*handler)(struct exchange *);
    struct route route;
} apis[] = {
    {api_responses, {.surface = ROUTE_SURFACE_OPENAI}},      {api_messages, {.surface = ROUTE_SURFACE_ANTHROPIC}},
    {api_ollama_chat, {.surface = ROUTE_SURFACE_OLLAMA}},    {api_ollama_generate, {.surface = ROUTE_SURFACE_OLLAMA}},
    {api_completion, {.surface = ROUTE_SURFACE_NATIVE}},     {api_infill, {.surface = ROUTE_SURFACE_NATIVE}},
    {api_predict, {.surface = ROUTE_SURFACE_OPENAI}},        {api_invocations, {.surface = ROUTE_SURFACE_OPENAI}},
    {api_count_tokens, {.surface = ROUTE_SURFACE_ANTHROPIC}}, {api_input_tokens, {.surface = ROUTE_SURFACE_OPENAI}},
    {api_chat, {.surface = ROUTE_SURFACE_OPENAI}},           {api_completions, {.surface = ROUTE_SURFACE_OPENAI}},
};

static void send_ids(struct stand_in_submission *s, const uint32_t *ids, uint32_t n)
{
    static struct buf frame;
    struct protocol_token tokens[TOKENS_MAX] = {0};
    struct protocol_tokens_reader reader;
    struct protocol_tokens head = {.n_tokens = n, .has_logprobs = s->logprobs >= 0};
    struct error error;
    if (!frame.max)
        buf_init(&frame, PROTOCOL_FRAME_BYTES_MAX);
    for (uint32_t i = 0; i < n; i++)
        tokens[i].token = ids[i];
    buf_clear(&frame);
    protocol_write_tokens(&frame, 1, 1, &head, tokens);
    fuzz_expect(protocol_read_tokens(&reader, str_skip(buf_str(&frame), PROTOCOL_HEAD_BYTES), &error) == STATUS_OK);
    s->listener->tokens(s->arg, &reader);
}

static void play(struct stand_in_submission *s, struct str output, uint8_t cuts)
{
    static const uint32_t marks[] = {STAND_IN_THINK,      STAND_IN_THINK_END, STAND_IN_CALLS_BEGIN, STAND_IN_CALL_BEGIN,
                                     STAND_IN_SEPARATOR, STAND_IN_CALL_END,  STAND_IN_CALLS_END};
    uint32_t ids[TOKENS_MAX], n = 0;
    struct rng rng = rng_seeded(cuts);
    for (size_t i = 0; i < output.len && n < TOKENS_MAX; i++) {
        unsigned char c = (unsigned char)output.at[i];
        ids[n++] = c < 128 ? c : c < 192 ? marks[c % 7] : c;
    }
    for (uint32_t at = 0; at < n && s->open;) {
        uint32_t part = 1 + rng_below(&rng, 5);
        part = part < n - at ? part : n - at;
        send_ids(s, ids + at, part);
        at += part;
    }
    for (uint32_t choice = 0; choice < s->n_choices && s->open; choice++) {
        struct protocol_done done = {.choice = choice, .finish = cuts & 1 ? PROTOCOL_FINISH_STOP : PROTOCOL_FINISH_LENGTH,
                                     .stop_token = STAND_IN_END, .last = choice + 1 == s->n_choices, .n_generated = n,
                                     .n_prompt = s->n_prompt};
        s->open = !done.last;
        s->listener->done(s->arg, &done);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct error error;
    error_clear(&error);
    if (!ready)
        fuzz_expect(stand_in_open("deepseek-v3.1", &error) == STATUS_OK);
    stand_in.config.map_claude = ready = true;
    if (size < 3)
        return 0;
    size_t api = data[0] % (sizeof apis / sizeof apis[0]);
    struct str rest = str_from((const char *)data + 2, size - 2);
    const char *zero = memchr(rest.at, 0, rest.len);
    struct str output = str_from(rest.at, zero ? (size_t)(zero - rest.at) : 0);
    struct exchange *e = stand_in_begin(zero ? str_skip(rest, output.len + 1) : rest);
    e->route = &apis[api].route;
    apis[api].handler(e);
    if (e->step)
        e->step(e);
    for (uint32_t i = 0; i < stand_in.n_submissions; i++)
        if (stand_in.submissions[i].open)
            play(&stand_in.submissions[i], output, data[1]);
    fuzz_expect(e->n_replies + e->n_ended == 1);
    bool full = stand_in.n_submissions == STAND_IN_SUBMISSIONS;
    fuzz_expect(e->n_ended || e->status == 200 || e->status == 400 || e->status == 404 || (full && e->status >= 503));
    stand_in_end();
    return 0;
}
