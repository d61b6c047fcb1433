/* Renders conversations: the program behind the chat template tests.
 *
 *   render [MODEL] < requests > results        one JSON object per line each
 *
 * A request is {"template", "variables"}: a bare template with its variables; or {"format", "messages", ...}: a
 * conversation in a chat format ("": the one the model's files show), with "chat_template" in place of the model's own.
 * A result is {"text", "spans": [[kind, bytes], ...], "in_reasoning", "thinking", "format"} or {"error"}. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "text/chat.h"
#include "text/jinja.h"

enum { RENDER_BYTES_MAX = 512 << 20 };

static struct str member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? str_from(json_string_value(value), json_string_length(value)) : str_of("");
}

/* A member as JSON text; empty when absent. */
static struct str member_json(struct arena *arena, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    struct str kept = text ? arena_str(arena, str_of(text)) : str_of("");
    free(text);
    return kept;
}

/* A member that is text, or JSON that stands for it. */
static struct str member_text(struct arena *arena, const json_t *object, const char *key)
{
    return json_is_string(json_object_get(object, key)) ? member(object, key) : member_json(arena, object, key);
}

static void print_error(const struct error *error)
{
    json_t *out = json_pack("{ss ss}", "error", error->message, "path", error->path);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
}

static void print_result(json_t *out, struct str text, json_t *spans)
{
    json_object_set_new(out, "text", json_stringn(text.at, text.len));
    json_object_set_new(out, "spans", spans);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
}

/* ---- Bare templates ------------------------------------------------------------------------------------------------ */

static void render_template(const json_t *request, struct arena *arena)
{
    struct error error = {0};
    struct jinja *jinja;
    struct jinja_heap heap;
    struct jinja_value variables;
    const struct jinja_text *text;
    jinja_heap_init(&heap, arena);
    enum status status = jinja_parse(&jinja, member(request, "template"), &error);
    if (!status)
        status = jinja_from_json(&heap, member_json(arena, request, "variables"), JINJA_CALLER, &variables, &error);
    if (!status)
        status = jinja_render(jinja, &heap, variables, "2026-03-04", &text, &error);
    if (status) {
        print_error(&error);
    } else {
        json_t *spans = json_array();
        size_t start = 0;
        for (uint32_t i = 0; i < (text->parts ? text->n_parts : 1); i++) {
            size_t end = text->parts ? text->parts[i].end : text->len;
            json_array_append_new(spans,
                                  json_pack("[iI]", text->parts ? text->parts[i].origin : text->origin, (json_int_t)(end - start)));
            start = end;
        }
        print_result(json_object(), str_from(text->at, text->len), spans);
    }
    jinja_free(jinja);
}

/* ---- Conversations ------------------------------------------------------------------------------------------------- */

static void read_calls(struct arena *arena, const json_t *json, struct chat_message *m)
{
    size_t n = json_array_size(json);
    struct chat_tool_call *calls = arena_zalloc_array(arena, n + 1, sizeof *calls);
    for (size_t i = 0; i < n; i++) {
        const json_t *call = json_array_get(json, i), *function = json_object_get(call, "function");
        calls[i] = (struct chat_tool_call){member(call, "id"), member(function, "name"), member_text(arena, function, "arguments")};
    }
    m->calls = calls;
    m->n_calls = (uint32_t)n;
}

static void read_message(struct arena *arena, const json_t *json, struct chat_message *m)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    for (int i = 0; i < 4; i++)
        if (str_is(member(json, "role"), roles[i]))
            m->role = (enum chat_role)i;
    m->content = member(json, "content");
    m->has_content = json_is_string(json_object_get(json, "content"));
    m->reasoning = member(json, "reasoning_content");
    m->has_reasoning = json_is_string(json_object_get(json, "reasoning_content"));
    m->name = member(json, "name");
    m->tool_call_id = member(json, "tool_call_id");
    read_calls(arena, json_object_get(json, "tool_calls"), m);
}

static void read_tool(struct arena *arena, const json_t *json, struct chat_tool *tool)
{
    const json_t *function = json_object_get(json, "function");
    char *text = json_dumps(json, JSON_COMPACT);
    tool->name = member(function, "name");
    tool->description = member(function, "description");
    tool->parameters = member_json(arena, function, "parameters");
    tool->json = arena_str(arena, str_of(text));
    free(text);
}

static struct chat_input read_input(struct arena *arena, const json_t *request)
{
    const json_t *list = json_object_get(request, "messages"), *given_tools = json_object_get(request, "tools");
    size_t n = json_array_size(list), n_tools = json_array_size(given_tools);
    struct chat_message *messages = arena_zalloc_array(arena, n + 1, sizeof *messages);
    struct chat_tool *tools = arena_zalloc_array(arena, n_tools + 1, sizeof *tools);
    for (size_t i = 0; i < n; i++)
        read_message(arena, json_array_get(list, i), &messages[i]);
    for (size_t i = 0; i < n_tools; i++)
        read_tool(arena, json_array_get(given_tools, i), &tools[i]);
    const json_t *thinking = json_object_get(request, "thinking");
    return (struct chat_input){
        .messages = messages,
        .n_messages = (uint32_t)n,
        .tools = tools,
        .n_tools = (uint32_t)n_tools,
        .thinking = !json_is_boolean(thinking) ? CHAT_THINKING_DEFAULT
                    : json_is_true(thinking)   ? CHAT_THINKING_ON
                                               : CHAT_THINKING_OFF,
        .template_kwargs = member_json(arena, request, "template_kwargs"),
        .add_generation_prompt = json_is_true(json_object_get(request, "add_generation_prompt")),
        .continue_final = json_is_true(json_object_get(request, "continue_final")),
        .date = "2026-03-04",
    };
}

static void print_prompt(const struct chat_format *format, const struct chat_prompt *prompt)
{
    struct buf text;
    json_t *spans = json_array();
    buf_init(&text, RENDER_BYTES_MAX);
    for (uint32_t i = 0; i < prompt->n_spans; i++) {
        buf_add_str(&text, prompt->spans[i].text);
        json_array_append_new(spans, json_pack("[iI]", prompt->spans[i].kind == SPAN_CONTENT, (json_int_t)prompt->spans[i].text.len));
    }
    json_t *out = json_pack("{sb sb sb ss}", "in_reasoning", prompt->in_reasoning, "thinking", prompt->thinking, "has_bos",
                            prompt->has_bos, "format", chat_format_name(format));
    print_result(out, buf_str(&text), spans);
    buf_release(&text);
}

static void render_chat(const json_t *request, struct model_text *model, struct arena *arena)
{
    struct error error = {0};
    struct chat_format *format;
    struct chat_prompt prompt;
    char why[256], *own = model->chat_template;
    struct chat_input input = read_input(arena, request);
    char *given = arena_text(arena, member(request, "chat_template"));
    if (given && given[0])
        model->chat_template = given;
    enum status status = chat_format_choose(&format, model, arena_text(arena, member(request, "format")), why, &error);
    model->chat_template = own;
    if (!status)
        status = chat_render(format, &input, arena, &prompt, &error);
    if (status)
        print_error(&error);
    else
        print_prompt(format, &prompt);
    chat_format_free(format);
}

int main(int argc, char **argv)
{
    struct error error = {0};
    struct model_text model = {0};
    char *line = NULL;
    size_t capacity = 0;
    if (argc > 1 && model_text_load(&model, argv[1], &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    while (getline(&line, &capacity, stdin) > 0) {
        struct arena arena;
        json_t *request = json_loads(line, 0, NULL);
        if (!request) {
            fprintf(stderr, "not JSON: %s", line);
            return 1;
        }
        arena_init(&arena, RENDER_BYTES_MAX);
        if (json_object_get(request, "template"))
            render_template(request, &arena);
        else
            render_chat(request, &model, &arena);
        arena_release(&arena);
        json_decref(request);
    }
    free(line);
    model_text_release(&model);
    return 0;
}
