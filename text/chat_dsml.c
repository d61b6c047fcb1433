/* The V3.2 format, which the model's encoder program defines: tool calls as DSML blocks, reasoning kept after the last
 * message of the user and dropped before it. */
#include "text/chat_formats.h"

#define BOS "<｜begin▁of▁sentence｜>"
#define EOS "<｜end▁of▁sentence｜>"
#define USER "<｜User｜>"
#define ASSISTANT "<｜Assistant｜>"
#define DSML "｜DSML｜"

struct dsml {
    struct chat_writer *w;
    uint32_t last_user; /* n_messages: none */
    bool thinks;
    bool opened; /* the mark of a reply stands at the end */
};

static void write_tools(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    chat_writer_literal(
        w,
        "\n\n## Tools\n\nYou have access to a set of tools you can use to answer the user's question.\n"
        "You can invoke functions by writing a \"<" DSML "function_calls>\" block like the following as part of your reply to the user:\n"
        "<" DSML "function_calls>\n<" DSML "invoke name=\"$FUNCTION_NAME\">\n"
        "<" DSML "parameter name=\"$PARAMETER_NAME\" string=\"true|false\">$PARAMETER_VALUE</" DSML "parameter>\n...\n"
        "</" DSML "invoke>\n<" DSML "invoke name=\"$FUNCTION_NAME2\">\n...\n</" DSML "invoke>\n</" DSML "function_calls>\n\n"
        "String and scalar parameters should be specified as is without any escaping or quotes, while lists and objects should use JSON "
        "format. The \"string\" attribute should be set to \"true\" for string type parameters and \"false\" for other types (numbers, "
        "booleans, arrays, objects).\n\n"
        "If the thinking_mode is enabled, then after function results you should strongly consider outputting a thinking block. Here is "
        "an example:\n\n<" DSML "function_calls>\n...\n</" DSML "function_calls>\n\n<function_results>\n...\n</function_results>\n\n"
        "<think>...thinking about results</think>\n\nHere are the functions available in JSONSchema format:\n<functions>\n");
    for (uint32_t i = 0; i < in->n_tools; i++) {
        struct jinja_heap heap;
        struct jinja_value tool, function;
        jinja_heap_init(&heap, w->arena);
        if (i > 0)
            chat_writer_literal(w, "\n");
        if (jinja_from_json(&heap, in->tools[i].json, JINJA_CALLER, &tool, NULL) == STATUS_OK)
            chat_writer_value(w, &heap, jinja_map_find(tool, "function", &function) ? function : tool, -1);
        else
            chat_writer_content(w, in->tools[i].json);
    }
    chat_writer_literal(w, "\n</functions>\n");
}

/* Whether the message after this one continues the reply without a thought of its own. */
static bool before_closed_prefix(const struct dsml *d, uint32_t index)
{
    return chat_writer_is_prefix(d->w, index + 1) && !chat_has_reasoning(&d->w->input->messages[index + 1]);
}

/* The mark that opens or closes the thought of the reply after message `index`. */
static void write_mark(struct dsml *d, uint32_t index, const char *before)
{
    bool current = d->last_user == d->w->input->n_messages || index >= d->last_user;
    bool opens = d->thinks && current && !before_closed_prefix(d, index);
    chat_writer_literal(d->w, before);
    chat_writer_literal(d->w, opens ? "<think>" : "</think>");
    d->w->prompt->in_reasoning = opens;
    d->opened = true;
}

static bool opens_after(const struct dsml *d, uint32_t index)
{
    const struct chat_input *in = d->w->input;
    return in->add_generation_prompt || index + 1 < in->n_messages;
}

static void write_arguments(struct chat_writer *w, struct str arguments)
{
    struct jinja_heap heap;
    struct jinja_value value;
    jinja_heap_init(&heap, w->arena);
    if (jinja_from_json(&heap, arguments, JINJA_CALLER, &value, NULL) != STATUS_OK || value.kind != JINJA_MAP) {
        chat_writer_content(w, arguments);
        return;
    }
    for (uint32_t i = 0; i < value.map->n; i++) {
        const struct jinja_pair *pair = &value.map->pairs[i];
        bool is_text = pair->value.kind == JINJA_TEXT;
        chat_writer_literal(w, i > 0 ? "\n<" DSML "parameter name=\"" : "<" DSML "parameter name=\"");
        chat_writer_content(w, str_from(pair->key.text->at, pair->key.text->len));
        chat_writer_literal(w, is_text ? "\" string=\"true\">" : "\" string=\"false\">");
        if (is_text)
            chat_writer_content(w, str_from(pair->value.text->at, pair->value.text->len));
        else
            chat_writer_value(w, &heap, pair->value, -1);
        chat_writer_literal(w, "</" DSML "parameter>");
    }
}

static void write_calls(struct chat_writer *w, const struct chat_message *m)
{
    chat_writer_literal(w, "\n\n<" DSML "function_calls>\n");
    for (uint32_t i = 0; i < m->n_calls; i++) {
        chat_writer_literal(w, "<" DSML "invoke name=\"");
        chat_writer_content(w, m->calls[i].name);
        chat_writer_literal(w, "\">\n");
        write_arguments(w, m->calls[i].arguments);
        chat_writer_literal(w, "\n</" DSML "invoke>\n");
    }
    chat_writer_literal(w, "</" DSML "function_calls>");
}

static void write_reply(struct dsml *d, uint32_t index)
{
    struct chat_writer *w = d->w;
    const struct chat_message *m = &w->input->messages[index];
    bool prefix = chat_writer_is_prefix(w, index);
    bool current = d->last_user == w->input->n_messages || index > d->last_user;
    bool thought = d->thinks && current && !(prefix && !chat_has_reasoning(m));
    if (prefix && !d->opened)
        chat_writer_literal(w, thought ? ASSISTANT "<think>" : ASSISTANT "</think>");
    d->opened = false;
    if (thought) {
        chat_writer_content(w, chat_has_reasoning(m) ? m->reasoning : str_of(""));
        w->prompt->in_reasoning = prefix && m->content.len == 0;
        if (w->prompt->in_reasoning)
            return;
        chat_writer_literal(w, "</think>");
    }
    chat_writer_content(w, m->content);
    w->prompt->in_reasoning = false;
    if (prefix)
        return;
    if (m->n_calls)
        write_calls(w, m);
    chat_writer_literal(w, EOS);
}

static void write_output(struct dsml *d, uint32_t index)
{
    const struct chat_input *in = d->w->input;
    bool first = index == 0 || in->messages[index - 1].role != CHAT_TOOL;
    bool last = index + 1 == in->n_messages || in->messages[index + 1].role != CHAT_TOOL;
    if (first && (index == 0 || in->messages[index - 1].n_calls == 0)) {
        chat_writer_refuse(d->w, index, "a tool's output must follow the calls it answers");
        return;
    }
    chat_writer_literal(d->w, first ? "\n\n<function_results>\n<result>" : "\n<result>");
    chat_writer_content(d->w, in->messages[index].content);
    chat_writer_literal(d->w, "</result>");
    d->opened = false;
    if (!last)
        return;
    chat_writer_literal(d->w, "\n</function_results>");
    if (opens_after(d, index))
        write_mark(d, index, "\n\n");
}

void chat_dsml_v32(struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    struct dsml d = {.w = w, .last_user = in->n_messages, .thinks = chat_writer_thinks(w, true)};
    for (uint32_t i = 0; i < in->n_messages; i++)
        if (in->messages[i].role == CHAT_USER)
            d.last_user = i;
    bool system_first = in->n_messages && in->messages[0].role == CHAT_SYSTEM;
    chat_writer_literal(w, BOS);
    if (in->n_tools && !system_first)
        write_tools(w);
    for (uint32_t i = 0; i < in->n_messages && !w->failed; i++) {
        const struct chat_message *m = &in->messages[i];
        if (m->role == CHAT_SYSTEM) {
            chat_writer_content(w, m->content);
            if (in->n_tools && i == 0)
                write_tools(w);
            d.opened = false;
        } else if (m->role == CHAT_USER) {
            chat_writer_literal(w, USER);
            chat_writer_content(w, m->content);
            d.opened = false;
            if (opens_after(&d, i))
                write_mark(&d, i, ASSISTANT);
        } else if (m->role == CHAT_TOOL) {
            write_output(&d, i);
        } else {
            write_reply(&d, i);
        }
    }
    if (in->add_generation_prompt && !d.opened)
        write_mark(&d, in->n_messages, ASSISTANT);
}
