/* The DeepSeek formats from V2 to V3.1, byte for byte as the official templates write them, with these repairs of their
 * known defects: a round of tool calls always opens and closes its marks once (V3, R1 and distill templates forget after the
 * first round, or close once per call), the outputs of a round are closed before the next round, and a reply is opened
 * after a last message of the assistant.
 *
 * Where thinking is off for a model that always thinks, the prompt ends with an empty thought. */
#include "text/chat_formats.h"

#define BOS "<｜begin▁of▁sentence｜>"
#define EOS "<｜end▁of▁sentence｜>"
#define USER "<｜User｜>"
#define ASSISTANT "<｜Assistant｜>"
#define CALLS_BEGIN "<｜tool▁calls▁begin｜>"
#define CALLS_END "<｜tool▁calls▁end｜>"
#define CALL_BEGIN "<｜tool▁call▁begin｜>"
#define CALL_END "<｜tool▁call▁end｜>"
#define SEPARATOR "<｜tool▁sep｜>"
#define OUTPUTS_BEGIN "<｜tool▁outputs▁begin｜>"
#define OUTPUTS_END "<｜tool▁outputs▁end｜>"
#define OUTPUT_BEGIN "<｜tool▁output▁begin｜>"
#define OUTPUT_END "<｜tool▁output▁end｜>"
#define EMPTY_THOUGHT "<think>\n\n</think>\n\n"

const char *const chat_deepseek_tool_marks[N_TOOL_MARKS] = {
    [TOOL_CALLS_BEGIN] = CALLS_BEGIN, [TOOL_CALL_BEGIN] = CALL_BEGIN, [TOOL_SEPARATOR] = SEPARATOR,
    [TOOL_CALL_END] = CALL_END,       [TOOL_CALLS_END] = CALLS_END,
};

/* How the V3 and R1 templates differ. */
struct dialect {
    bool last_system_only;       /* else all system messages, joined */
    bool user_opens_reply;       /* the assistant mark belongs to the user's turn */
    bool drops_thought;          /* from replies in the history */
    bool drops_thought_anywhere; /* also from replies after tool outputs and beside calls */
    bool thinks;
    const char *between_outputs;
    const char *reply_opens_with; /* after the assistant mark of the reply to come; null: nothing */
};

static void write_system(struct chat_writer *w, bool last_only)
{
    const struct chat_input *in = w->input;
    bool first = true;
    for (uint32_t i = 0; i < in->n_messages; i++) {
        bool superseded = false;
        if (in->messages[i].role != CHAT_SYSTEM)
            continue;
        for (uint32_t k = i + 1; last_only && k < in->n_messages; k++)
            superseded |= in->messages[k].role == CHAT_SYSTEM;
        if (superseded)
            continue;
        if (!first)
            chat_writer_literal(w, "\n\n");
        chat_writer_content(w, in->messages[i].content);
        first = false;
    }
}

/* ---- V2 ---------------------------------------------------------------------------------------------------------------- */

void chat_deepseek_v2(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    chat_writer_literal(w, BOS);
    for (uint32_t i = 0; i < in->n_messages && !w->failed; i++) {
        const struct chat_message *m = &in->messages[i];
        if (m->role == CHAT_TOOL || m->n_calls) {
            chat_writer_refuse(w, i, "this model's chat format has no tool calls");
            return;
        }
        chat_writer_literal(w, m->role == CHAT_USER ? "User: " : m->role == CHAT_ASSISTANT ? "Assistant: " : "");
        chat_writer_content(w, m->content);
        if (chat_writer_is_prefix(w, i))
            return;
        chat_writer_literal(w, m->role == CHAT_ASSISTANT ? EOS : "\n\n");
    }
    if (in->add_generation_prompt)
        chat_writer_literal(w, "Assistant:");
}

/* ---- V2.5, V3, V3-0324, R1, R1-0528, distills --------------------------------------------------------------------------- */

static void write_fenced_calls(struct chat_writer *w, const struct chat_message *m)
{
    chat_writer_literal(w, CALLS_BEGIN);
    for (uint32_t i = 0; i < m->n_calls; i++) {
        if (i > 0)
            chat_writer_literal(w, "\n");
        chat_writer_literal(w, CALL_BEGIN "function" SEPARATOR);
        chat_writer_content(w, m->calls[i].name);
        chat_writer_literal(w, "\n```json\n");
        chat_writer_content(w, m->calls[i].arguments);
        chat_writer_literal(w, "\n```" CALL_END);
    }
    chat_writer_literal(w, CALLS_END EOS);
}

/* A reply that the model goes on with: what it has of a thought and of an answer. */
static void write_prefix(struct chat_writer *w, const struct dialect *d, const struct chat_message *m)
{
    bool thinks = d->thinks && chat_writer_thinks(w, true);
    if (thinks && chat_has_reasoning(m)) {
        chat_writer_literal(w, "<think>\n");
        chat_writer_content(w, m->reasoning);
        w->prompt->in_reasoning = m->content.len == 0;
        if (w->prompt->in_reasoning)
            return;
        chat_writer_literal(w, "\n</think>\n\n");
    } else if (d->thinks) {
        chat_writer_literal(w, EMPTY_THOUGHT);
    }
    chat_writer_content(w, m->content);
}

/* The start of the reply to come. `after_outputs`: it follows tool outputs, where no thought is opened. */
static void open_reply(struct chat_writer *w, const struct dialect *d, bool after_outputs)
{
    if (!d->thinks)
        return;
    if (!chat_writer_thinks(w, true)) {
        chat_writer_literal(w, EMPTY_THOUGHT);
    } else if (d->reply_opens_with && !after_outputs) {
        chat_writer_literal(w, d->reply_opens_with);
        w->prompt->in_reasoning = true;
    }
}

/* A reply of the assistant; `opened`: the assistant mark stands already. */
static void write_reply(struct chat_writer *w, const struct dialect *d, uint32_t index, bool opened, bool after_outputs)
{
    const struct chat_message *m = &w->input->messages[index];
    struct str content = m->content;
    if (!opened && !after_outputs && (!d->user_opens_reply || chat_writer_is_prefix(w, index)))
        chat_writer_literal(w, ASSISTANT);
    if (chat_writer_is_prefix(w, index)) {
        write_prefix(w, d, m);
        return;
    }
    if (d->drops_thought_anywhere || (d->drops_thought && !after_outputs && m->n_calls == 0))
        content = chat_after_thought(content, true);
    chat_writer_content(w, content);
    if (m->n_calls)
        write_fenced_calls(w, m);
    else
        chat_writer_literal(w, EOS);
}

static void write_output(struct chat_writer *w, const struct dialect *d, const struct chat_message *m, bool first)
{
    chat_writer_literal(w, first ? OUTPUTS_BEGIN OUTPUT_BEGIN : d->between_outputs);
    if (!first)
        chat_writer_literal(w, OUTPUT_BEGIN);
    chat_writer_content(w, m->content);
    chat_writer_literal(w, OUTPUT_END);
}

static void encode(struct chat_writer *w, const struct dialect *d)
{
    const struct chat_input *in = w->input;
    bool opened = false, in_outputs = false; /* the assistant mark stands at the end; tool outputs are open */
    chat_writer_literal(w, BOS);
    write_system(w, d->last_system_only);
    for (uint32_t i = 0; i < in->n_messages && !w->failed; i++) {
        const struct chat_message *m = &in->messages[i];
        if (m->role == CHAT_USER) {
            chat_writer_literal(w, USER);
            chat_writer_content(w, m->content);
            chat_writer_literal(w, d->user_opens_reply ? ASSISTANT : "");
            opened = d->user_opens_reply;
            in_outputs = false;
        } else if (m->role == CHAT_ASSISTANT) {
            if (in_outputs)
                chat_writer_literal(w, OUTPUTS_END);
            write_reply(w, d, i, opened, in_outputs);
            opened = in_outputs = false;
            if (chat_writer_is_prefix(w, i))
                return;
        } else if (m->role == CHAT_TOOL) {
            write_output(w, d, m, !in_outputs);
            in_outputs = true;
            opened = false;
        }
    }
    if (in_outputs)
        chat_writer_literal(w, OUTPUTS_END);
    if (!in->add_generation_prompt)
        return;
    if (!opened && !in_outputs)
        chat_writer_literal(w, ASSISTANT);
    open_reply(w, d, in_outputs);
}

void chat_deepseek_v25(struct chat_writer *w)
{
    static const struct dialect d = {.last_system_only = true, .between_outputs = "\n"};
    encode(w, &d);
}

void chat_deepseek_v3(struct chat_writer *w)
{
    static const struct dialect d = {.between_outputs = "\n"};
    encode(w, &d);
}

void chat_deepseek_v3_0324(struct chat_writer *w)
{
    static const struct dialect d = {.user_opens_reply = true, .between_outputs = "\n"};
    encode(w, &d);
}

void chat_deepseek_r1(struct chat_writer *w)
{
    static const struct dialect d = {.drops_thought = true, .thinks = true, .between_outputs = ""};
    encode(w, &d);
}

void chat_deepseek_r1_0528(struct chat_writer *w)
{
    static const struct dialect d = {
        .user_opens_reply = true, .drops_thought = true, .drops_thought_anywhere = true, .thinks = true, .between_outputs = "\n"};
    encode(w, &d);
}

void chat_deepseek_distill(struct chat_writer *w)
{
    static const struct dialect d = {
        .last_system_only = true, .drops_thought = true, .thinks = true, .between_outputs = "\n", .reply_opens_with = "<think>\n"};
    encode(w, &d);
}

/* ---- V3.1 -------------------------------------------------------------------------------------------------------------- */

static void write_tools(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    if (in->n_tools == 0)
        return;
    chat_writer_literal(w, "\n\n## Tools\nYou have access to the following tools:\n");
    for (uint32_t i = 0; i < in->n_tools; i++) {
        chat_writer_literal(w, "\n### ");
        chat_writer_content(w, in->tools[i].name);
        chat_writer_literal(w, "\nDescription: ");
        chat_writer_content(w, in->tools[i].description);
        chat_writer_literal(w, "\n\nParameters: ");
        chat_writer_json(w, in->tools[i].parameters.len ? in->tools[i].parameters : str_of("{}"), -1);
        chat_writer_literal(w, "\n");
    }
    chat_writer_literal(w, "\nIMPORTANT: ALWAYS adhere to this exact format for tool use:\n" CALLS_BEGIN CALL_BEGIN
                           "tool_call_name" SEPARATOR "tool_call_arguments" CALL_END "{additional_tool_calls}" CALLS_END
                           "\n\nWhere:\n\n- `tool_call_name` must be an exact match to one of the available tools\n"
                           "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
                           "- For multiple tool calls, chain them directly without separators or spaces\n");
}

static void write_chained_calls(struct chat_writer *w, const struct chat_message *m)
{
    chat_writer_content(w, m->content);
    chat_writer_literal(w, CALLS_BEGIN);
    for (uint32_t i = 0; i < m->n_calls; i++) {
        chat_writer_literal(w, CALL_BEGIN);
        chat_writer_content(w, m->calls[i].name);
        chat_writer_literal(w, SEPARATOR);
        chat_writer_content(w, m->calls[i].arguments);
        chat_writer_literal(w, CALL_END);
    }
    chat_writer_literal(w, CALLS_END EOS);
}

static void write_prefix_v31(struct chat_writer *w, const struct chat_message *m, bool opens)
{
    if (opens && chat_writer_thinks(w, false) && chat_has_reasoning(m)) {
        chat_writer_literal(w, ASSISTANT "<think>");
        chat_writer_content(w, m->reasoning);
        w->prompt->in_reasoning = m->content.len == 0;
        if (w->prompt->in_reasoning)
            return;
        chat_writer_literal(w, "</think>");
    } else if (opens) {
        chat_writer_literal(w, ASSISTANT "</think>");
    }
    chat_writer_content(w, m->content);
}

/* `opens`: the turn needs its mark, as the first after a user's; `after_output`: a tool's output stands before. */
static void write_reply_v31(struct chat_writer *w, const struct chat_message *m, bool opens, bool after_output)
{
    if (opens)
        chat_writer_literal(w, ASSISTANT "</think>");
    if (m->n_calls) {
        write_chained_calls(w, m);
        return;
    }
    chat_writer_content(w, after_output ? m->content : chat_after_thought(m->content, false));
    chat_writer_literal(w, EOS);
}

void chat_deepseek_v31(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    bool opens = false, after_output = false, only_system = true;
    chat_writer_literal(w, BOS);
    write_system(w, false);
    write_tools(w);
    for (uint32_t i = 0; i < in->n_messages && !w->failed; i++) {
        const struct chat_message *m = &in->messages[i];
        if (m->role == CHAT_SYSTEM)
            continue;
        if (m->role == CHAT_USER) {
            chat_writer_literal(w, USER);
            chat_writer_content(w, m->content);
        } else if (m->role == CHAT_TOOL) {
            chat_writer_literal(w, OUTPUT_BEGIN);
            chat_writer_content(w, m->content);
            chat_writer_literal(w, OUTPUT_END);
        } else if (chat_writer_is_prefix(w, i)) {
            write_prefix_v31(w, m, !after_output);
            return;
        } else {
            write_reply_v31(w, m, opens || (only_system && m->n_calls), after_output);
        }
        opens = m->role == CHAT_USER;
        after_output = m->role == CHAT_TOOL;
        only_system = false;
    }
    if (!in->add_generation_prompt || after_output)
        return;
    w->prompt->in_reasoning = chat_writer_thinks(w, false);
    chat_writer_literal(w, w->prompt->in_reasoning ? ASSISTANT "<think>" : ASSISTANT "</think>");
}
