/* A model's own template, run by text/jinja: the request as template variables, and the rendered text as spans. How the
 * template treats thinking is found out once, by rendering a small conversation each way. */
#include "text/chat_formats.h"

#include <string.h>

#include "base/mem.h"

static const char *const reserved[] = {"messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token", NULL};

/* ---- The request as values ---------------------------------------------------------------------------------------------- */

static struct jinja_value caller_text(struct jinja_heap *heap, struct str text, bool continued)
{
    return jinja_text(heap, text, continued ? JINJA_CONTINUED : JINJA_CALLER);
}

/* Arguments as an object that remembers its text; as text where they are not one. */
static struct jinja_value arguments_value(struct jinja_heap *heap, struct str arguments)
{
    struct jinja_value value, text = caller_text(heap, arguments, false);
    if (jinja_from_json(heap, arguments, JINJA_CALLER, &value, NULL) != STATUS_OK || value.kind != JINJA_MAP)
        return text;
    value.map->source = text.text;
    return value;
}

static struct jinja_value calls_value(struct jinja_heap *heap, const struct chat_message *m)
{
    struct jinja_value calls = jinja_list(heap, m->n_calls);
    for (uint32_t i = 0; i < m->n_calls && !heap->failed; i++) {
        struct jinja_value call = jinja_map(heap, 3), function = jinja_map(heap, 2);
        if (heap->failed)
            break;
        jinja_map_put(heap, function.map, "name", caller_text(heap, m->calls[i].name, false));
        jinja_map_put(heap, function.map, "arguments", arguments_value(heap, m->calls[i].arguments));
        if (m->calls[i].id.len)
            jinja_map_put(heap, call.map, "id", caller_text(heap, m->calls[i].id, false));
        jinja_map_put(heap, call.map, "type", jinja_text(heap, str_of("function"), JINJA_TEMPLATE));
        jinja_map_put(heap, call.map, "function", function);
        jinja_list_add(heap, calls.list, call);
    }
    return calls;
}

/* An absent content is the empty string: many templates add it to others without looking. */
static struct jinja_value message_value(struct jinja_heap *heap, const struct chat_message *m, bool continued)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    struct jinja_value message = jinja_map(heap, 7);
    if (heap->failed)
        return message;
    jinja_map_put(heap, message.map, "role", jinja_text(heap, str_of(roles[m->role]), JINJA_TEMPLATE));
    jinja_map_put(heap, message.map, "content", caller_text(heap, m->content, continued));
    if (m->has_reasoning)
        jinja_map_put(heap, message.map, "reasoning_content", caller_text(heap, m->reasoning, continued && m->content.len == 0));
    if (m->n_calls)
        jinja_map_put(heap, message.map, "tool_calls", calls_value(heap, m));
    if (m->name.len)
        jinja_map_put(heap, message.map, "name", caller_text(heap, m->name, false));
    if (m->tool_call_id.len)
        jinja_map_put(heap, message.map, "tool_call_id", caller_text(heap, m->tool_call_id, false));
    return message;
}

static struct jinja_value tools_value(struct jinja_heap *heap, const struct chat_input *in)
{
    struct jinja_value tools = jinja_list(heap, in->n_tools), tool;
    for (uint32_t i = 0; i < in->n_tools && !heap->failed; i++)
        if (jinja_from_json(heap, in->tools[i].json, JINJA_CALLER, &tool, NULL) == STATUS_OK)
            jinja_list_add(heap, tools.list, tool);
    return tools;
}

static bool is_reserved(struct str name)
{
    for (const char *const *word = reserved; *word; word++)
        if (str_is(name, *word))
            return true;
    return false;
}

/* chat_template_kwargs first, so that nothing in it can take the place of what follows. */
static void put_kwargs(struct jinja_heap *heap, struct jinja_map *variables, struct str kwargs)
{
    struct jinja_value given;
    if (kwargs.len == 0 || jinja_from_json(heap, kwargs, JINJA_CALLER, &given, NULL) != STATUS_OK || given.kind != JINJA_MAP)
        return;
    for (uint32_t i = 0; i < given.map->n; i++)
        if (!is_reserved(str_from(given.map->pairs[i].key.text->at, given.map->pairs[i].key.text->len)))
            jinja_map_set(heap, variables, given.map->pairs[i].key, given.map->pairs[i].value);
}

static struct jinja_value variables_value(struct jinja_heap *heap, const struct chat_template *t, const struct chat_input *in,
                                          uint32_t n_messages, bool continued)
{
    struct jinja_value variables = jinja_map(heap, 16), messages = jinja_list(heap, n_messages);
    if (heap->failed)
        return variables;
    put_kwargs(heap, variables.map, in->template_kwargs);
    for (uint32_t i = 0; i < n_messages && !heap->failed; i++)
        jinja_list_add(heap, messages.list, message_value(heap, &in->messages[i], continued && i + 1 == n_messages));
    jinja_map_put(heap, variables.map, "messages", messages);
    jinja_map_put(heap, variables.map, "tools", in->n_tools ? tools_value(heap, in) : jinja_none());
    jinja_map_put(heap, variables.map, "documents", jinja_none());
    jinja_map_put(heap, variables.map, "add_generation_prompt", jinja_bool(in->add_generation_prompt && !continued));
    if (t->bos)
        jinja_map_put(heap, variables.map, "bos_token", jinja_text(heap, str_of(t->bos), JINJA_TEMPLATE));
    if (t->eos)
        jinja_map_put(heap, variables.map, "eos_token", jinja_text(heap, str_of(t->eos), JINJA_TEMPLATE));
    if (in->thinking != CHAT_THINKING_DEFAULT) {
        jinja_map_put(heap, variables.map, "enable_thinking", jinja_bool(in->thinking == CHAT_THINKING_ON));
        jinja_map_put(heap, variables.map, "thinking", jinja_bool(in->thinking == CHAT_THINKING_ON));
    }
    if (in->effort.len)
        jinja_map_put(heap, variables.map, "reasoning_effort", caller_text(heap, in->effort, false));
    return variables;
}

/* ---- The text as spans -------------------------------------------------------------------------------------------------- */

/* Where the text of the continued message ends; 0 when it is nowhere. */
static size_t end_of_continued(const struct jinja_text *text)
{
    if (!text->parts)
        return text->origin == JINJA_CONTINUED ? text->len : 0;
    for (uint32_t i = text->n_parts; i-- > 0;)
        if (text->parts[i].origin == JINJA_CONTINUED)
            return text->parts[i].end;
    return 0;
}

/* Writes the first `len` bytes. Neighbours of one kind are joined by the parts already. */
static void write_spans(struct chat_writer *w, const struct jinja_text *text, size_t len)
{
    size_t start = 0;
    for (uint32_t i = 0; start < len; i++) {
        size_t end = text->parts ? text->parts[i].end : text->len;
        enum jinja_origin origin = text->parts ? text->parts[i].origin : text->origin;
        end = end < len ? end : len;
        chat_writer_span(w, str_from(text->at + start, end - start), origin == JINJA_TEMPLATE ? SPAN_SCAFFOLD : SPAN_CONTENT);
        start = end;
    }
}

/* ---- Thinking ----------------------------------------------------------------------------------------------------------- */

static struct str without_space(struct str text)
{
    while (text.len && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\n'))
        text.len--;
    return text;
}

static bool ends_with(const struct jinja_text *text, const char *mark)
{
    return mark && str_ends(without_space(str_from(text->at, text->len)), str_of(mark));
}

/* Only one that the template wrote counts. */
static bool ends_open(const struct chat_template *t, const struct jinja_text *text)
{
    return ends_with(text, t->think_open) && (text->parts ? text->parts[text->n_parts - 1].origin : text->origin) == JINJA_TEMPLATE;
}

static bool ends_closed(const struct chat_template *t, const struct jinja_text *text)
{
    return ends_with(text, t->think_close) && (text->parts ? text->parts[text->n_parts - 1].origin : text->origin) == JINJA_TEMPLATE;
}

/* "<think>\n\n</think>\n\n", or the part of it that the template left to write. */
static void close_thought(struct chat_writer *w, const struct chat_template *t, const struct jinja_text *text)
{
    bool open = ends_open(t, text), newline = text->len && text->at[text->len - 1] == '\n';
    if (!open)
        chat_writer_literal(w, t->think_open);
    chat_writer_literal(w, open && newline ? "\n" : "\n\n");
    chat_writer_literal(w, t->think_close);
    chat_writer_literal(w, "\n\n");
}

/* ---- Rendering ---------------------------------------------------------------------------------------------------------- */

static enum status run_template(const struct chat_template *t, const struct chat_input *in, struct arena *arena, bool continued,
                                const struct jinja_text **text, struct error *error)
{
    struct jinja_heap heap;
    uint32_t n = in->n_messages;
    jinja_heap_init(&heap, arena);
    struct jinja_value variables = variables_value(&heap, t, in, n, continued);
    if (heap.failed)
        return error_set(error, heap.failed, "out of memory for the prompt");
    return jinja_render(t->jinja, &heap, variables, in->date, text, error);
}

/* The thought of a prefix without text: the prompt is that of a new reply, with the thought begun by hand. */
static void continue_thought(struct chat_writer *w, const struct chat_template *t, const struct jinja_text *text, struct str reasoning)
{
    if (!ends_open(t, text)) {
        chat_writer_literal(w, t->think_open);
        chat_writer_literal(w, "\n");
    }
    chat_writer_content(w, reasoning);
    w->prompt->in_reasoning = true;
}

static enum status render_prefix(const struct chat_template *t, struct chat_writer *w)
{
    struct chat_input in = *w->input;
    const struct chat_message *last = &in.messages[in.n_messages - 1];
    const struct jinja_text *text;
    bool thinks = t->think_open && chat_writer_thinks(w, t->thinks_by_default);
    if (last->content.len == 0) { /* nothing to find in the output: open a new reply */
        in.n_messages--;
        in.add_generation_prompt = true;
        enum status status = run_template(t, &in, w->arena, false, &text, w->error);
        if (status)
            return status;
        write_spans(w, text, text->len);
        if (thinks && chat_has_reasoning(last))
            continue_thought(w, t, text, last->reasoning);
        else if (t->think_open && !ends_closed(t, text) && (thinks || ends_open(t, text)))
            close_thought(w, t, text);
        return w->failed;
    }
    enum status status = run_template(t, &in, w->arena, true, &text, w->error);
    if (status)
        return status;
    size_t end = end_of_continued(text);
    if (end == 0)
        return error_set_path(w->error, STATUS_INVALID, "invalid_value", "messages", "this model's template leaves out the prefix");
    write_spans(w, text, end);
    return w->failed;
}

static enum status render(const struct chat_template *t, struct chat_writer *w)
{
    const struct chat_input *in = w->input;
    const struct jinja_text *text;
    if (in->continue_final && in->n_messages && in->messages[in->n_messages - 1].role == CHAT_ASSISTANT)
        return render_prefix(t, w);
    enum status status = run_template(t, in, w->arena, false, &text, w->error);
    if (status)
        return status;
    write_spans(w, text, text->len);
    if (!t->think_open || !in->add_generation_prompt)
        return w->failed;
    if (in->thinking == CHAT_THINKING_OFF && !ends_closed(t, text) && (!t->switches || ends_open(t, text)))
        close_thought(w, t, text);
    else
        w->prompt->in_reasoning = ends_open(t, text);
    return w->failed;
}

enum status chat_template_render(const struct chat_template *t, const struct chat_input *input, struct arena *arena,
                                 struct chat_prompt *prompt, struct error *error)
{
    struct arena scratch;
    struct error trouble = {0};
    struct chat_prompt drafted = {0};
    struct chat_writer w = {.input = input, .arena = &scratch, .error = &trouble, .prompt = &drafted};
    arena_init(&scratch, JINJA_HEAP_BYTES_MAX);
    enum status status = render(t, &w);
    if (!status) {
        *prompt = (struct chat_prompt){.in_reasoning = drafted.in_reasoning};
        struct chat_writer out = {.input = input, .arena = arena, .error = &trouble, .prompt = prompt};
        prompt->has_bos = t->bos && t->bos[0] && drafted.n_spans && drafted.spans[0].kind == SPAN_SCAFFOLD &&
                          str_starts(drafted.spans[0].text, str_of(t->bos));
        for (uint32_t i = 0; i < drafted.n_spans && !out.failed; i++) {
            struct str kept = arena_str(arena, drafted.spans[i].text);
            if (!kept.at)
                out.failed = error_set(&trouble, STATUS_NO_MEMORY, "out of memory for the prompt");
            else
                chat_writer_span(&out, kept, drafted.spans[i].kind);
        }
        status = out.failed;
    }
    arena_release(&scratch);
    if (status == STATUS_INVALID)
        return error_set_path(error, status, "invalid_value", trouble.path[0] ? trouble.path : "messages", "%s", trouble.message);
    return status ? error_set(error, status, "%s", trouble.message) : STATUS_OK;
}

/* ---- Loading ------------------------------------------------------------------------------------------------------------ */

/* The literal of a special token, or null; the copy is owned by the template. */
static bool copy_literal(const struct tokenizer *tokenizer, int64_t id, char **out)
{
    struct str text = id >= 0 ? tokenizer_bytes(tokenizer, (uint32_t)id) : str_of("");
    *out = NULL;
    if (text.len == 0)
        return true;
    *out = mem_zalloc(text.len + 1);
    if (*out)
        memcpy(*out, text.at, text.len);
    return *out != NULL;
}

static void find_marks(struct chat_template *t, const struct model_text *model)
{
    static const char *const marks[][2] = {{"<think>", "</think>"}, {"[THINK]", "[/THINK]"}, {"<seed:think>", "</seed:think>"}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && !t->think_open; i++)
        if (strstr(model->chat_template, marks[i][0])) {
            t->think_open = marks[i][0];
            t->think_close = marks[i][1];
        }
}

/* The form that the template renders earlier calls in is the one that its model was trained to write. */
static enum tool_form find_tool_form(const char *text)
{
    if (!strstr(text, "tools"))
        return TOOL_FORM_NONE;
    if (strstr(text, "<｜tool▁calls▁begin｜>"))
        return strstr(text, "```json") ? TOOL_FORM_FENCED : TOOL_FORM_CHAINED;
    if (strstr(text, "<tool_call>"))
        return TOOL_FORM_HERMES;
    if (strstr(text, "[TOOL_CALLS]"))
        return TOOL_FORM_MISTRAL;
    return strstr(text, "<|start_header_id|>") ? TOOL_FORM_LLAMA : TOOL_FORM_NONE;
}

static bool same(const struct jinja_text *a, const struct jinja_text *b)
{
    return str_equal(str_from(a->at, a->len), str_from(b->at, b->len));
}

/* Renders one question with thinking left alone, on and off, and compares. */
static void probe_thinking(struct chat_template *t)
{
    const struct chat_message question = {.role = CHAT_USER, .content = str_of("?"), .has_content = true};
    struct chat_input in = {.messages = &question, .n_messages = 1, .add_generation_prompt = true, .date = "2025-01-01"};
    const struct jinja_text *texts[3];
    struct arena arena;
    bool rendered = true;
    arena_init(&arena, JINJA_HEAP_BYTES_MAX);
    for (int i = 0; i < 3 && rendered; i++) {
        static const enum chat_thinking ways[] = {CHAT_THINKING_DEFAULT, CHAT_THINKING_ON, CHAT_THINKING_OFF};
        in.thinking = ways[i];
        rendered = run_template(t, &in, &arena, false, &texts[i], NULL) == STATUS_OK;
    }
    t->thinks_by_default = true;
    if (rendered) {
        t->switches = !same(texts[1], texts[2]);
        t->thinks_by_default = !ends_closed(t, texts[0]) && !(t->switches && same(texts[0], texts[2]));
    }
    arena_release(&arena);
}

enum status chat_template_load(struct chat_template *t, const struct model_text *model, struct error *error)
{
    *t = (struct chat_template){0};
    enum status status = jinja_parse(&t->jinja, str_of(model->chat_template), error);
    if (status)
        return status;
    const struct tokenizer *tokenizer = model->tokenizer;
    if (tokenizer &&
        (!copy_literal(tokenizer, tokenizer_bos(tokenizer), &t->bos) || !copy_literal(tokenizer, tokenizer_eos(tokenizer), &t->eos))) {
        chat_template_release(t);
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    }
    find_marks(t, model);
    t->tools = find_tool_form(model->chat_template);
    if (t->think_open)
        probe_thinking(t);
    return STATUS_OK;
}

void chat_template_release(struct chat_template *t)
{
    jinja_free(t->jinja);
    mem_free(t->bos);
    mem_free(t->eos);
    *t = (struct chat_template){0};
}
