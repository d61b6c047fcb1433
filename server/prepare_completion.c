/* Completions: prompts of text or ids, several at once, fill-in-the-middle, scoring. */
#include "server/prepare.h"
#include "server/prompts.h"
#include "server/server.h"

struct sources {
    struct prompts list;
    struct str suffix;
    bool has_suffix;
};

static void read_suffix(struct fields *f, struct exchange *exchange, const json_t *root, struct sources *s)
{
    uint32_t ids[3];
    struct str suffix;
    if (!fields_str(f, root, "suffix", (size_t)-1, &suffix) || suffix.len == 0)
        return;
    if (!tokenizer_fim(exchange_server(exchange)->text.tokenizer, &ids[0], &ids[1], &ids[2]))
        fields_fault(f, "unsupported_parameter", "suffix", "the model has no fill-in-the-middle tokens");
    else if (s->list.n != 1 || s->list.items[0].ids)
        fields_fault(f, "invalid_value", "suffix", "only with one prompt of text");
    s->suffix = arena_str(exchange_arena(exchange), suffix);
    s->has_suffix = true;
}

static void read_rest(struct fields *f, const json_t *root, struct request *r, const struct sources *s)
{
    int64_t best_of = r->n;
    if (r->max_tokens == 0 && !r->echo)
        fields_fault(f, "integer_below_min_value", "max_tokens", "0 only with echo");
    if (fields_int(f, root, "best_of", 1, 20, &best_of)) {
        if (best_of < r->n)
            fields_fault(f, "invalid_value", "best_of", "%lld is less than n", (long long)best_of);
        else if (best_of > r->n && r->stream)
            fields_fault(f, "invalid_value", "best_of", "not above n with stream: true");
        else if (best_of > r->n)
            fields_fault(f, "unsupported_value", "best_of", "only the value of n is offered");
    }
    if ((uint64_t)s->list.n * (uint64_t)r->n > REQUEST_SEQUENCES_MAX)
        fields_fault(f, "array_above_max_length", "prompt", "%u prompts times n are more than %d sequences", s->list.n,
                     REQUEST_SEQUENCES_MAX);
    if (r->prompt_logprobs >= 0 && s->list.n != 1)
        fields_fault(f, "invalid_value", "prompt_logprobs", "only with one prompt");
}

/* ---- To ids ------------------------------------------------------------------------------------------------ */

/* begin PREFIX hole SUFFIX end, by the model's own tokens. */
static enum status middle_of(struct exchange *exchange, const struct sources *s, const struct request_limits *limits,
                             struct request_prompt *out, struct error *error)
{
    const struct tokenizer *tokenizer = exchange_server(exchange)->text.tokenizer;
    uint32_t marks[3];
    tokenizer_fim(tokenizer, &marks[0], &marks[1], &marks[2]);
    struct span spans[5] = {{tokenizer_bytes(tokenizer, marks[0]), SPAN_SCAFFOLD}, {s->list.items[0].text, SPAN_CONTENT},
                            {tokenizer_bytes(tokenizer, marks[1]), SPAN_SCAFFOLD}, {s->suffix, SPAN_CONTENT},
                            {tokenizer_bytes(tokenizer, marks[2]), SPAN_SCAFFOLD}};
    struct request_text text = {spans, 5, tokenizer_adds_bos(tokenizer), "prompt"};
    return request_encode(exchange, &text, limits->context, out, error);
}

static enum status prompt_of(struct exchange *exchange, const struct request *r, const struct sources *s, uint32_t index,
                             const struct request_limits *limits, struct request_prompt *out, struct error *error)
{
    const struct tokenizer *tokenizer = exchange_server(exchange)->text.tokenizer;
    struct span span = {s->list.items[index].text, r->parse_special ? SPAN_SCAFFOLD : SPAN_CONTENT};
    struct request_text text = {&span, 1, tokenizer_adds_bos(tokenizer), "prompt"};
    if (s->list.items[index].ids)
        return prompts_ids(exchange, s->list.items[index].ids, "prompt", limits, out, error);
    enum status status = s->has_suffix ? middle_of(exchange, s, limits, out, error)
                                       : request_encode(exchange, &text, limits->context, out, error);
    if (!status && out->n_ids == 0 && tokenizer_bos(tokenizer) >= 0) {
        out->ids[0] = (uint32_t)tokenizer_bos(tokenizer);
        out->n_ids = 1;
    }
    if (!status && out->n_ids == 0)
        status = error_set_path(error, STATUS_INVALID, "invalid_value", "prompt", "prompt: is empty, and the model has no begin token");
    return status;
}

static enum status make_echo(struct exchange *exchange, const struct request *r, const struct prompts_source *source,
                             struct generation_prompt *p, struct error *error)
{
    struct buf text;
    if (!r->echo)
        return STATUS_OK;
    if (!source->ids) {
        p->echo = source->text;
        return STATUS_OK;
    }
    buf_init(&text, (size_t)1 << 30);
    enum status status = tokenizer_decode(exchange_server(exchange)->text.tokenizer, p->ids, p->n_ids, r->skip_special, &text);
    p->echo = arena_str(exchange_arena(exchange), buf_str(&text));
    buf_release(&text);
    return status || !p->echo.at ? error_set(error, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}

static enum status make(struct exchange *exchange, const struct request *r, const struct generation_writer *writer,
                        const struct sources *s, const struct request_limits *limits, struct error *error)
{
    struct generation *g = generation_create(exchange, r, writer, s->list.n);
    if (!g)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    g->vocabulary = limits->vocabulary;
    g->context = limits->context;
    for (uint32_t i = 0; i < s->list.n; i++) {
        struct request_prompt prompt;
        enum status status = prompt_of(exchange, r, s, i, limits, &prompt, error);
        if (status)
            return status;
        g->prompts[i].ids = prompt.ids;
        g->prompts[i].n_ids = prompt.n_ids;
        status = make_echo(exchange, r, &s->list.items[i], &g->prompts[i], error);
        if (status)
            return status;
    }
    return generation_plan(g, error);
}

static enum status run(struct exchange *exchange, struct prepare_intake *in, const struct generation_writer *writer, struct error *error)
{
    struct sources sources = {0};
    struct request_limits limits;
    enum chat_thinking ignored;
    struct fields *f = &in->fields;
    struct request *request = arena_zalloc(exchange_arena(exchange), sizeof *request);
    if (!request)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    request_read_model(f, exchange, in->root, &ignored);
    if (!f->status)
        prompts_read(f, exchange_arena(exchange), in->root, "prompt", &sources.list);
    if (!f->status)
        f->status = request_read_limits(exchange, &limits, error);
    if (!f->status)
        request_read(f, exchange, in->root, REQUEST_COMPLETION, &limits, request);
    if (!f->status)
        read_suffix(f, exchange, in->root, &sources);
    if (!f->status)
        read_rest(f, in->root, request, &sources);
    if (f->status)
        return f->status;
    request->dialect = in->dialect.asked;
    request->names = in->dialect.names;
    request->fills_context = in->dialect.fills_context;
    enum status status = request_compile_language(exchange, request, NULL, NULL, error);
    return status ? status : make(exchange, request, writer, &sources, &limits, error);
}

enum status prepare_completion(struct exchange *exchange, struct prepare_intake *in, const struct generation_writer *writer,
                               struct error *error)
{
    enum status status = run(exchange, in, writer, error);
    if (status)
        dialect_rename(in->dialect.names, error);
    return status;
}
