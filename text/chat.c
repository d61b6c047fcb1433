/* Choosing a chat format, and rendering conversations with it: by a native encoder or by the model's own template. */
#include "text/chat.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "text/chat_formats.h"

enum { NAMES_MAX = 16 };

struct chat_format {
    const struct chat_style *style; /* null: the model's own template */
    struct chat_template own;
};

static const char *const template_name = "template";

const char *const *chat_format_names(void)
{
    static const char *const names[NAMES_MAX] = {
        "deepseek-v2",   "deepseek-v2.5", "deepseek-v3", "deepseek-v3-0324", "deepseek-r1", "deepseek-r1-0528", "deepseek-r1-distill",
        "deepseek-v3.1", "deepseek-v3.2", "chatml",      "llama-3",          "mistral",     "template",         NULL,
    };
    return names;
}

/* ---- Choosing ----------------------------------------------------------------------------------------------------------- */

static enum status refuse_name(const char *name, const char *problem, struct error *error)
{
    char names[320] = "";
    for (const char *const *n = chat_format_names(); *n; n++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] ? ", " : "", *n);
    return error_set_path(error, STATUS_INVALID, "invalid_value", "chat_format", "%s%s; chat_format can be %s", name, problem, names);
}

static enum status choose_forced(struct chat_format *format, const struct model_text *model, const char *name, char why[256],
                                 struct error *error)
{
    snprintf(why, 256, "chat_format asks for it");
    if (strcmp(name, template_name) == 0) {
        if (!model->chat_template)
            return refuse_name("the model has no template of its own", "", error);
        return chat_template_load(&format->own, model, error);
    }
    format->style = chat_formats_find(str_of(name));
    return format->style ? STATUS_OK : refuse_name(name, " is not a chat format", error);
}

static enum status choose(struct chat_format *format, const struct model_text *model, char why[256], struct error *error)
{
    struct error trouble = {0};
    format->style = chat_formats_recognize(model, why);
    if (format->style)
        return STATUS_OK;
    if (model->chat_template) {
        enum status status = chat_template_load(&format->own, model, &trouble);
        snprintf(why, 256, "the model's own template");
        if (status != STATUS_INVALID && status != STATUS_LIMIT)
            return status ? error_set(error, status, "%s", trouble.message) : STATUS_OK;
    }
    format->style = chat_formats_by_tokens(model, why);
    if (!format->style)
        return refuse_name(
            trouble.message[0] ? trouble.message : "the model has no chat template, and its vocabulary shows no known format", "", error);
    if (trouble.message[0]) {
        size_t n = strlen(why);
        snprintf(why + n, 256 - n, ", and its own template cannot be used (%.120s)", trouble.message);
    }
    return STATUS_OK;
}

enum status chat_format_choose(struct chat_format **out, const struct model_text *model, const char *forced_name, char why[256],
                               struct error *error)
{
    struct chat_format *format = mem_zalloc(sizeof *format);
    *out = NULL;
    if (!format)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    bool forced = forced_name && forced_name[0];
    enum status status = forced ? choose_forced(format, model, forced_name, why, error) : choose(format, model, why, error);
    if (status) {
        chat_format_free(format);
        return status;
    }
    *out = format;
    return STATUS_OK;
}

void chat_format_free(struct chat_format *format)
{
    if (!format)
        return;
    chat_template_release(&format->own);
    mem_free(format);
}

const char *chat_format_name(const struct chat_format *format)
{
    return format->style ? format->style->name : template_name;
}

const char *chat_format_think_open(const struct chat_format *format)
{
    return format->style ? format->style->think_open : format->own.think_open;
}

const char *chat_format_think_close(const struct chat_format *format)
{
    return format->style ? format->style->think_close : format->own.think_close;
}

enum tool_form chat_format_tool_form(const struct chat_format *format)
{
    return format->style ? format->style->tools : format->own.tools;
}

bool chat_format_find_tool_marks(const struct chat_format *format, const struct tokenizer *tokenizer, uint32_t ids[N_TOOL_MARKS])
{
    static const char *const mistral[N_TOOL_MARKS] = {[TOOL_CALLS_BEGIN] = "[TOOL_CALLS]", [TOOL_SEPARATOR] = "[ARGS]"};
    enum tool_form form = chat_format_tool_form(format);
    bool chained = form == TOOL_FORM_CHAINED || form == TOOL_FORM_FENCED;
    const char *const *marks = chained ? chat_deepseek_tool_marks : form == TOOL_FORM_MISTRAL ? mistral : NULL;
    for (unsigned i = 0; i < N_TOOL_MARKS; i++) {
        bool needed = chained || (form == TOOL_FORM_MISTRAL && i == TOOL_CALLS_BEGIN);
        if (!marks || !marks[i] || !tokenizer_find(tokenizer, marks[i], &ids[i]))
            ids[i] = CHAT_NO_TOKEN;
        if (needed && ids[i] == CHAT_NO_TOKEN)
            return false;
    }
    return form != TOOL_FORM_NONE;
}

const char *const *chat_format_tool_texts(const struct chat_format *format)
{
    static const char *const hermes[] = {"<tool_call>", "</tool_call>", NULL}, *const dsml[] = {"｜DSML｜", NULL}, *const none[] = {NULL};
    enum tool_form form = chat_format_tool_form(format);
    return form == TOOL_FORM_HERMES ? hermes : form == TOOL_FORM_DSML ? dsml : none;
}

bool chat_format_can_think(const struct chat_format *format)
{
    return chat_format_think_open(format) != NULL;
}

bool chat_format_thinks_by_default(const struct chat_format *format)
{
    return chat_format_can_think(format) && (format->style ? format->style->thinks_by_default : format->own.thinks_by_default);
}

/* ---- Writing ------------------------------------------------------------------------------------------------------------ */

static void out_of_memory(struct chat_writer *w)
{
    if (!w->failed)
        w->failed = error_set(w->error, STATUS_NO_MEMORY, "out of memory for the prompt");
}

void chat_writer_span(struct chat_writer *w, struct str text, enum span_kind kind)
{
    struct chat_prompt *p = w->prompt;
    if (w->failed || text.len == 0)
        return;
    if (p->n_spans == w->capacity) {
        uint32_t capacity = w->capacity ? 2 * w->capacity : 32;
        struct span *spans = arena_zalloc_array(w->arena, capacity, sizeof *spans);
        if (!spans) {
            out_of_memory(w);
            return;
        }
        if (p->n_spans)
            memcpy(spans, p->spans, p->n_spans * sizeof *spans);
        p->spans = spans;
        w->capacity = capacity;
    }
    p->spans[p->n_spans++] = (struct span){text, kind};
}

void chat_writer_literal(struct chat_writer *w, const char *literal)
{
    chat_writer_span(w, str_of(literal), SPAN_SCAFFOLD);
}

void chat_writer_content(struct chat_writer *w, struct str text)
{
    chat_writer_span(w, text, SPAN_CONTENT);
}

void chat_writer_value(struct chat_writer *w, struct jinja_heap *heap, struct jinja_value value, int indent)
{
    const struct jinja_text *text;
    struct error trouble = {0};
    enum status status = w->failed ? w->failed : jinja_to_json(heap, value, indent, &text, &trouble);
    if (status && !w->failed)
        w->failed = error_set_path(w->error, status, "invalid_value", "messages", "%s", trouble.message);
    if (!status)
        chat_writer_content(w, str_from(text->at, text->len));
}

void chat_writer_json(struct chat_writer *w, struct str json, int indent)
{
    struct jinja_heap heap;
    struct jinja_value value;
    jinja_heap_init(&heap, w->arena);
    if (!w->failed && jinja_from_json(&heap, json, JINJA_CALLER, &value, NULL) == STATUS_OK)
        chat_writer_value(w, &heap, value, indent);
    else
        chat_writer_content(w, json);
}

void chat_writer_refuse(struct chat_writer *w, uint32_t message, const char *why)
{
    char path[64];
    snprintf(path, sizeof path, "messages[%u]", message);
    if (!w->failed)
        w->failed = error_set_path(w->error, STATUS_INVALID, "invalid_value", path, "%s", why);
}

bool chat_writer_thinks(const struct chat_writer *w, bool by_default)
{
    return w->input->thinking == CHAT_THINKING_DEFAULT ? by_default : w->input->thinking == CHAT_THINKING_ON;
}

bool chat_writer_is_prefix(const struct chat_writer *w, uint32_t message)
{
    const struct chat_input *in = w->input;
    return in->continue_final && message + 1 == in->n_messages && in->messages[message].role == CHAT_ASSISTANT &&
           in->messages[message].n_calls == 0;
}

bool chat_has_reasoning(const struct chat_message *message)
{
    return message->has_reasoning && message->reasoning.len > 0;
}

struct str chat_after_thought(struct str text, bool last_mark)
{
    const struct str mark = str_of("</think>");
    for (ptrdiff_t at; (at = str_find(text, mark)) >= 0;) {
        text = str_skip(text, (size_t)at + mark.len);
        if (!last_mark)
            break;
    }
    return text;
}

enum status chat_render(const struct chat_format *format, const struct chat_input *input, struct arena *arena, struct chat_prompt *prompt,
                        struct error *error)
{
    enum status status;
    *prompt = (struct chat_prompt){0};
    if (format->style) {
        struct chat_writer w = {.input = input, .arena = arena, .error = error, .prompt = prompt};
        format->style->encode(&w);
        prompt->has_bos = format->style->begins_with_bos;
        status = w.failed;
    } else {
        status = chat_template_render(&format->own, input, arena, prompt, error);
    }
    prompt->thinking = chat_format_can_think(format) && (input->thinking == CHAT_THINKING_DEFAULT ? chat_format_thinks_by_default(format)
                                                                                                  : input->thinking == CHAT_THINKING_ON);
    return status;
}
