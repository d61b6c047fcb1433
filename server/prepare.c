/* Bodies, and the prompts of chats. Completions are in prepare_completion.c. */
#include "server/prepare.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/reply.h"
#include "server/report.h"
#include "server/server.h"

/* ---- Bodies -------------------------------------------------------------------------------------------------- */

/* The rewritten tree shares the values of the first; its own nodes are about as many again at most. */
static enum status charge_rewriting(struct exchange *exchange, struct request_body *body, struct error *error)
{
    if (!exchange_charge(exchange, body->charged))
        return error_set(error, STATUS_BUSY, "the requests in preparation hold all the memory they may (intake_bytes_max)");
    body->charged *= 2;
    return STATUS_OK;
}

enum status prepare_open(struct prepare_intake *in, struct exchange *exchange, dialect_reader *read, bool counts, struct error *error)
{
    *in = (struct prepare_intake){0};
    fields_init(&in->fields, error);
    enum status status = request_parse_body(exchange, &in->body, error);
    if (status || !read) {
        in->root = in->body.root;
        return status;
    }
    status = charge_rewriting(exchange, &in->body, error);
    if (!status)
        status = dialect_init(&in->dialect, exchange, &in->fields, in->body.root);
    in->dialect.counts = counts;
    if (!status)
        status = read(&in->dialect, in->body.root);
    in->root = in->dialect.chat;
    if (status)
        dialect_rename(in->dialect.names, error);
    return status;
}

void prepare_open_tree(struct prepare_intake *in, json_t *root, struct error *error)
{
    *in = (struct prepare_intake){.body = {.root = root}, .root = root};
    fields_init(&in->fields, error);
}

void prepare_close(struct prepare_intake *in, struct exchange *exchange)
{
    dialect_release(&in->dialect);
    request_release_body(exchange, &in->body);
    in->root = NULL;
}

/* ---- A chat's prompt ----------------------------------------------------------------------------------------- */

struct job {
    struct exchange *exchange;
    struct request *request;
    struct request_limits limits;
    struct chat_input input;
    struct chat_prompt chat;
    struct request_prompt prompt;
};

/* Everything of the request but the prompt; the job's input lends from the arena. */
static enum status read_chat(struct job *job, struct prepare_intake *in, struct error *error)
{
    struct exchange *exchange = job->exchange;
    struct request *request = job->request;
    struct fields *f = &in->fields;
    bool continues = false;
    request->thinking = CHAT_THINKING_DEFAULT;
    request_read_model(f, exchange, in->root, &request->thinking);
    if (!f->status)
        request_read_messages(f, exchange_arena(exchange), in->root, &job->input, &continues);
    if (!f->status)
        f->status = request_read_limits(exchange, &job->limits, error);
    if (!f->status)
        request_read(f, exchange, in->root, REQUEST_CHAT, &job->limits, request);
    if (!f->status && request->continue_final && job->input.messages[job->input.n_messages - 1].role != CHAT_ASSISTANT)
        fields_fault(f, "invalid_value", "continue_final_message", "the last message is not of role assistant");
    if (!f->status && request->must_call && (continues || request->continue_final))
        fields_fault(f, "invalid_value", "tool_choice", "forces a call, and the last message is a text to continue");
    request->dialect = in->dialect.asked;
    request->names = in->dialect.names;
    request_fill_input(request, continues, &job->input);
    return f->status;
}

static enum status encode(struct job *job, uint32_t room, struct error *error)
{
    const struct tokenizer *tokenizer = exchange_server(job->exchange)->text.tokenizer;
    enum status status = request_render(job->exchange, &job->input, &job->chat, error);
    if (status)
        return status;
    struct request_text text = {job->chat.spans, job->chat.n_spans, !job->chat.has_bos && tokenizer_adds_bos(tokenizer), "messages"};
    return request_encode(job->exchange, &text, room, &job->prompt, error);
}

/* Where the settings ask for it, what a thinking model called since the user's last message comes back with its thoughts. */
static enum status check_replay(const struct job *job, struct error *error)
{
    const struct config *config = exchange_server(job->exchange)->config;
    const struct chat_message *messages = job->input.messages;
    char path[64];
    if (!config->require_reasoning_replay || !job->chat.thinking)
        return STATUS_OK;
    for (uint32_t i = job->input.n_messages; i-- > 0 && messages[i].role != CHAT_USER;) {
        if (!messages[i].n_calls || messages[i].has_reasoning)
            continue;
        snprintf(path, sizeof path, "messages[%u].reasoning_content", i);
        return error_set_path(error, STATUS_INVALID, "missing_required_parameter", path,
                              "%s: the thought before these calls is to be sent back", path);
    }
    return STATUS_OK;
}

static uint32_t count_leading_system(const struct chat_input *input)
{
    uint32_t n = 0;
    while (n < input->n_messages && input->messages[n].role == CHAT_SYSTEM)
        n++;
    return n;
}

/* The input without the `n` oldest messages after the system's, nor the tools' answers whose calls went with them. */
static bool drop_oldest(struct job *job, const struct chat_input *whole, uint32_t n)
{
    uint32_t kept = count_leading_system(whole), next = kept + n;
    struct chat_message *messages = arena_zalloc_array(exchange_arena(job->exchange), whole->n_messages, sizeof *messages);
    if (!messages)
        return false;
    while (next + 1 < whole->n_messages && whole->messages[next].role == CHAT_TOOL)
        next++;
    memcpy(messages, whole->messages, kept * sizeof *messages);
    memcpy(messages + kept, whole->messages + next, (whole->n_messages - next) * sizeof *messages);
    job->input.messages = messages;
    job->input.n_messages = kept + whole->n_messages - next;
    return true;
}

static enum status try_without(struct job *job, const struct chat_input *whole, uint32_t n, uint32_t room, struct error *error)
{
    error_clear(error);
    return drop_oldest(job, whole, n) ? encode(job, room, error) : error_set(error, STATUS_NO_MEMORY, "out of memory");
}

/* Drops as few messages as let the rest fit, and leaves the last; the fewest are found by halving. */
static enum status encode_what_fits(struct job *job, struct error *error)
{
    struct chat_input whole = job->input;
    uint64_t reply = job->request->max_tokens > 0 ? (uint64_t)job->request->max_tokens : 0;
    uint32_t room = reply < job->limits.context ? job->limits.context - (uint32_t)reply : 1;
    enum status status = encode(job, room, error);
    uint32_t n_dialogue = whole.n_messages - count_leading_system(&whole), low = 0, high = n_dialogue ? n_dialogue - 1 : 0;
    if (status != STATUS_LIMIT || !error->code || strcmp(error->code, "context_length_exceeded") != 0 || !high)
        return status;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (try_without(job, &whole, middle, room, error) == STATUS_OK)
            high = middle;
        else
            low = middle;
    }
    return try_without(job, &whole, high, room, error);
}

static enum status make_prompt(struct job *job, struct exchange *exchange, struct prepare_intake *in, struct error *error)
{
    *job = (struct job){.exchange = exchange, .request = arena_zalloc(exchange_arena(exchange), sizeof *job->request)};
    if (!job->request)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    enum status status = read_chat(job, in, error);
    bool may_drop = in->dialect.may_drop;
    prepare_close(in, exchange);
    if (status)
        return status;
    status = may_drop ? encode_what_fits(job, error) : encode(job, job->limits.context, error);
    return status ? status : check_replay(job, error);
}

/* ---- Generations --------------------------------------------------------------------------------------------- */

static enum status make_generation(const struct job *job, const struct generation_writer *writer, struct error *error)
{
    struct generation *g = generation_create(job->exchange, job->request, writer, 1);
    if (!g)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    g->vocabulary = job->limits.vocabulary;
    g->context = job->limits.context;
    g->thinks = job->chat.thinking;
    g->in_reasoning = job->chat.in_reasoning;
    g->prompts[0].ids = job->prompt.ids;
    g->prompts[0].n_ids = job->prompt.n_ids;
    return generation_plan(g, error);
}

enum status prepare_chat(struct exchange *exchange, struct prepare_intake *in, const struct generation_writer *writer,
                         struct error *error)
{
    struct job job;
    const struct dialect_name *names = in->dialect.names;
    enum status status = make_prompt(&job, exchange, in, error);
    if (!status)
        status = request_compile_language(exchange, job.request, &job.chat, &job.input, error);
    if (!status)
        status = request_plan_thought(exchange, job.request, &job.chat, &job.input, error);
    if (!status) {
        report_note_prompt(exchange, job.request, &job.input, &job.chat, &job.prompt);
        request_fix_sampling(job.request, exchange, job.chat.thinking);
        status = make_generation(&job, writer, error);
    }
    if (status)
        dialect_rename(names, error);
    return status;
}

enum status prepare_count(struct exchange *exchange, struct prepare_intake *in, uint32_t *n_tokens, struct error *error)
{
    struct job job;
    const struct dialect_name *names = in->dialect.names;
    enum status status = make_prompt(&job, exchange, in, error);
    if (status)
        dialect_rename(names, error);
    else
        *n_tokens = job.prompt.n_ids;
    return status;
}

static enum status check_model(struct exchange *exchange, struct prepare_intake *in, struct error *error)
{
    enum chat_thinking ignored;
    struct request_limits limits;
    request_read_model(&in->fields, exchange, in->root, &ignored);
    return in->fields.status ? in->fields.status : request_read_limits(exchange, &limits, error);
}

void prepare_and_start(struct exchange *exchange, const struct prepare_form *form)
{
    struct error error;
    struct prepare_intake intake;
    enum status status = prepare_open(&intake, exchange, form->read, false, &error);
    bool only_loads = intake.dialect.only_loads;
    if (!status && only_loads)
        status = check_model(exchange, &intake, &error);
    else if (!status)
        status = form->is_completion || intake.dialect.is_completion ? prepare_completion(exchange, &intake, form->writer, &error)
                                                                     : prepare_chat(exchange, &intake, form->writer, &error);
    prepare_close(&intake, exchange);
    if (status)
        reply_from_error(exchange, &error);
    else if (only_loads)
        form->loaded(exchange);
    else
        exchange_to_main(exchange, generation_start);
}
