/* ChatML, Llama-3 and Mistral: for models that bring no template of their own. */
#include "base/emit_json.h"
#include "text/chat_formats.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str trimmed(struct str text)
{
    while (text.len && is_blank(text.at[0]))
        text = str_skip(text, 1);
    while (text.len && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

/* ---- ChatML, with Qwen's form of tools ------------------------------------------------------------------------------------ */

static void write_chatml_tools(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    chat_writer_literal(w, "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
                           "You are provided with function signatures within <tools></tools> XML tags:\n<tools>");
    for (uint32_t i = 0; i < in->n_tools; i++) {
        chat_writer_literal(w, "\n");
        chat_writer_json(w, in->tools[i].json, -1);
    }
    chat_writer_literal(w,
                        "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
                        "<tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n"
                        "</tool_call>");
}

static void write_chatml_turn(struct chat_writer *w, uint32_t index)
{
    const struct chat_input *in = w->input;
    const struct chat_message *m = &in->messages[index];
    bool with_tools = index == 0 && in->n_tools && m->role == CHAT_SYSTEM;
    chat_writer_literal(w, m->role == CHAT_SYSTEM ? "<|im_start|>system\n"
                           : m->role == CHAT_USER ? "<|im_start|>user\n"
                                                  : "<|im_start|>assistant\n");
    chat_writer_content(w, m->content);
    if (with_tools) {
        chat_writer_literal(w, "\n\n");
        write_chatml_tools(w);
    }
    for (uint32_t i = 0; i < m->n_calls; i++) {
        chat_writer_literal(w, i > 0 || m->content.len ? "\n<tool_call>\n{\"name\": \"" : "<tool_call>\n{\"name\": \"");
        chat_writer_content(w, m->calls[i].name);
        chat_writer_literal(w, "\", \"arguments\": ");
        chat_writer_json(w, m->calls[i].arguments, -1);
        chat_writer_literal(w, "}\n</tool_call>");
    }
    if (!chat_writer_is_prefix(w, index))
        chat_writer_literal(w, "<|im_end|>\n");
}

/* Outputs that stand together are one turn of the user. */
static void write_chatml_output(struct chat_writer *w, uint32_t index)
{
    const struct chat_input *in = w->input;
    if (index == 0 || in->messages[index - 1].role != CHAT_TOOL)
        chat_writer_literal(w, "<|im_start|>user");
    chat_writer_literal(w, "\n<tool_response>\n");
    chat_writer_content(w, in->messages[index].content);
    chat_writer_literal(w, "\n</tool_response>");
    if (index + 1 == in->n_messages || in->messages[index + 1].role != CHAT_TOOL)
        chat_writer_literal(w, "<|im_end|>\n");
}

void chat_plain_chatml(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    if (in->n_tools && (in->n_messages == 0 || in->messages[0].role != CHAT_SYSTEM)) {
        chat_writer_literal(w, "<|im_start|>system\n");
        write_chatml_tools(w);
        chat_writer_literal(w, "<|im_end|>\n");
    }
    for (uint32_t i = 0; i < in->n_messages; i++) {
        if (in->messages[i].role == CHAT_TOOL)
            write_chatml_output(w, i);
        else
            write_chatml_turn(w, i);
        if (chat_writer_is_prefix(w, i))
            return;
    }
    if (in->add_generation_prompt)
        chat_writer_literal(w, "<|im_start|>assistant\n");
}

/* ---- Llama-3 ---------------------------------------------------------------------------------------------------------------- */

static void write_llama3_tools(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    chat_writer_literal(
        w, "Given the following functions, please respond with a JSON for a function call with its proper arguments that best "
           "answers the given prompt.\n\nRespond in the format {\"name\": function name, \"parameters\": dictionary of argument "
           "name and its value}. Do not use variables.\n\n");
    for (uint32_t i = 0; i < in->n_tools; i++) {
        chat_writer_json(w, in->tools[i].json, 4);
        chat_writer_literal(w, "\n\n");
    }
}

static void write_llama3_turn(struct chat_writer *w, uint32_t index, bool with_tools)
{
    static const char *const headers[] = {
        "<|start_header_id|>system<|end_header_id|>\n\n",
        "<|start_header_id|>user<|end_header_id|>\n\n",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|start_header_id|>ipython<|end_header_id|>\n\n",
    };
    const struct chat_message *m = &w->input->messages[index];
    bool prefix = chat_writer_is_prefix(w, index);
    chat_writer_literal(w, headers[m->role]);
    if (with_tools)
        write_llama3_tools(w);
    chat_writer_content(w, prefix ? m->content : trimmed(m->content));
    for (uint32_t i = 0; i < m->n_calls; i++) {
        chat_writer_literal(w, i > 0 ? "; {\"name\": \"" : "{\"name\": \"");
        chat_writer_content(w, m->calls[i].name);
        chat_writer_literal(w, "\", \"parameters\": ");
        chat_writer_json(w, m->calls[i].arguments, -1);
        chat_writer_literal(w, "}");
    }
    if (!prefix)
        chat_writer_literal(w, "<|eot_id|>");
}

void chat_plain_llama3(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    bool tools_written = in->n_tools == 0;
    chat_writer_literal(w, "<|begin_of_text|>");
    for (uint32_t i = 0; i < in->n_messages; i++) {
        bool with_tools = !tools_written && in->messages[i].role == CHAT_USER;
        write_llama3_turn(w, i, with_tools);
        tools_written |= with_tools;
        if (chat_writer_is_prefix(w, i))
            return;
    }
    if (in->add_generation_prompt)
        chat_writer_literal(w, "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

/* ---- Mistral, with the tools of its third tokenizer ------------------------------------------------------------------------- */

/* A text as a JSON string. */
static void write_json_string(struct chat_writer *w, struct str text)
{
    struct buf quoted;
    buf_init(&quoted, 6 * text.len + 2);
    struct emit_json json = emit_json_to(&quoted);
    emit_str(&json, text);
    struct str kept = arena_str(w->arena, buf_str(&quoted));
    if ((buf_status(&quoted) || !kept.at) && !w->failed)
        w->failed = error_set(w->error, STATUS_NO_MEMORY, "out of memory for the prompt");
    buf_release(&quoted);
    chat_writer_content(w, kept);
}

static void write_mistral_tools(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    chat_writer_literal(w, "[AVAILABLE_TOOLS] [");
    for (uint32_t i = 0; i < in->n_tools; i++) {
        chat_writer_literal(w, i ? ", " : "");
        chat_writer_json(w, in->tools[i].json, -1);
    }
    chat_writer_literal(w, "][/AVAILABLE_TOOLS]");
}

/* System messages have no place of their own: they lead the next message of the user, or stand for one. */
static void write_mistral_user(struct chat_writer *w, uint32_t index)
{
    const struct chat_input *in = w->input;
    uint32_t first = index;
    while (first > 0 && in->messages[first - 1].role == CHAT_SYSTEM)
        first--;
    chat_writer_literal(w, "[INST] ");
    for (uint32_t i = first; i < index; i++) {
        chat_writer_content(w, in->messages[i].content);
        chat_writer_literal(w, "\n\n");
    }
    chat_writer_content(w, in->messages[index].content);
    chat_writer_literal(w, " [/INST]");
}

static void write_mistral_calls(struct chat_writer *w, const struct chat_message *m)
{
    chat_writer_literal(w, "[TOOL_CALLS] [");
    for (uint32_t i = 0; i < m->n_calls; i++) {
        chat_writer_literal(w, i ? ", {\"name\": \"" : "{\"name\": \"");
        chat_writer_content(w, m->calls[i].name);
        chat_writer_literal(w, "\", \"arguments\": ");
        chat_writer_json(w, m->calls[i].arguments, -1);
        chat_writer_literal(w, ", \"id\": ");
        write_json_string(w, m->calls[i].id);
        chat_writer_literal(w, "}");
    }
    chat_writer_literal(w, "]</s>");
}

static void write_mistral_reply(struct chat_writer *w, uint32_t index)
{
    const struct chat_message *m = &w->input->messages[index];
    if (m->content.len || !m->n_calls) {
        chat_writer_literal(w, " ");
        chat_writer_content(w, m->content);
    }
    if (m->n_calls)
        write_mistral_calls(w, m);
    else
        chat_writer_literal(w, chat_writer_is_prefix(w, index) ? "" : "</s>");
}

static void write_mistral_output(struct chat_writer *w, const struct chat_message *m)
{
    chat_writer_literal(w, "[TOOL_RESULTS] {\"content\": ");
    write_json_string(w, m->content);
    chat_writer_literal(w, ", \"call_id\": ");
    write_json_string(w, m->tool_call_id);
    chat_writer_literal(w, "}[/TOOL_RESULTS]");
}

/* Tools stand before the last message of the user. */
static uint32_t last_of_user(const struct chat_input *in)
{
    uint32_t last = in->n_messages;
    for (uint32_t i = 0; i < in->n_messages; i++)
        if (in->messages[i].role == CHAT_USER)
            last = i;
    return last;
}

void chat_plain_mistral(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    uint32_t last = last_of_user(in);
    chat_writer_literal(w, "<s>");
    for (uint32_t i = 0; i < in->n_messages && !w->failed; i++) {
        const struct chat_message *m = &in->messages[i];
        bool is_alone = i + 1 == in->n_messages || in->messages[i + 1].role == CHAT_ASSISTANT || in->messages[i + 1].role == CHAT_TOOL;
        if (i == last && in->n_tools)
            write_mistral_tools(w);
        if (m->role == CHAT_TOOL)
            write_mistral_output(w, m);
        else if (m->role == CHAT_ASSISTANT)
            write_mistral_reply(w, i);
        else if (m->role == CHAT_USER || is_alone)
            write_mistral_user(w, i);
    }
}
