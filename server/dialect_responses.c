/* POST /responses as a chat: items to messages, text.format to response_format, flat tools to nested ones. */
#include "server/dialect_responses.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/protocol.h"
#include "server/limits.h"

enum { PATH_BYTES = 80 };

static const struct dialect_part input_parts[] = {
    {"input_text", "text"}, {"output_text", "text"}, {"text", "text"},      {"refusal", "refusal"},
    {"input_image", NULL},  {"input_file", NULL},    {"input_audio", NULL}, {NULL, NULL}};
static const struct dialect_part reasoning_parts[] = {{"reasoning_text", "text"}, {"text", "text"}, {NULL, NULL}};

/* ---- Items --------------------------------------------------------------------------------------------------- */

/* The assistant's turn that further items go on with, or null. */
struct turn {
    struct dialect *d;
    json_t *assistant;
};

static bool has_said(const json_t *assistant)
{
    return json_object_get(assistant, "content") || json_object_get(assistant, "tool_calls");
}

static json_t *assistant_of(struct turn *t, const char *theirs)
{
    if (!t->assistant)
        t->assistant = dialect_add_message(t->d, "assistant", theirs);
    return t->assistant;
}

static void read_content(struct turn *t, const json_t *item, json_t *message)
{
    struct fields *f = t->d->fields;
    json_t *text = dialect_text(t->d, item, "content", input_parts);
    if (text)
        dialect_put(t->d, message, "content", text);
    else
        fields_fault(f, "missing_required_parameter", "content", "expected a string or an array of parts");
}

static void read_message(struct turn *t, const json_t *item, const char *theirs)
{
    static const char *const roles[] = {"user", "assistant", "system", "developer", NULL};
    struct fields *f = t->d->fields;
    int role = fields_choice(f, item, "role", roles);
    if (role < 0) {
        fields_fault(f, "missing_required_parameter", "role", "expected user, assistant, system or developer");
        return;
    }
    if (role != 1 || has_said(t->assistant))
        t->assistant = NULL;
    read_content(t, item, role == 1 ? assistant_of(t, theirs) : dialect_add_message(t->d, roles[role], theirs));
}

static void name_call(struct dialect *d, const char *tail, const char *theirs, const char *their_key)
{
    char ours[2 * PATH_BYTES], path[2 * PATH_BYTES];
    snprintf(ours, sizeof ours, "messages[%zu].%s", json_array_size(d->messages) - 1, tail);
    snprintf(path, sizeof path, "%s.%s", theirs, their_key);
    dialect_name(d, ours, path);
}

/* function_call, and custom_tool_call whose text becomes the one argument of the function that stands for it. */
static void read_call(struct turn *t, const json_t *item, const char *theirs, bool custom)
{
    struct dialect *d = t->d;
    struct str id, name, text;
    if (!dialect_need_str(d, item, "call_id", &id) || !dialect_need_str(d, item, "name", &name) ||
        !dialect_need_str(d, item, custom ? "input" : "arguments", &text))
        return;
    json_t *function = dialect_add_call(d, assistant_of(t, theirs), id, name, theirs);
    if (!custom) {
        dialect_put_str(d, function, "arguments", text);
        return;
    }
    json_t *arguments = json_object();
    dialect_put_str(d, arguments, "input", text);
    dialect_put_str(d, function, "arguments", dialect_json(d, arguments, "{}"));
    json_decref(arguments);
}

static void read_output(struct turn *t, const json_t *item, const char *theirs)
{
    struct dialect *d = t->d;
    struct str id;
    t->assistant = NULL;
    if (!dialect_need_str(d, item, "call_id", &id))
        return;
    json_t *message = dialect_add_message(d, "tool", theirs), *text = dialect_text(d, item, "output", input_parts);
    dialect_put_str(d, message, "tool_call_id", id);
    name_call(d, "tool_call_id", theirs, "call_id");
    if (text)
        dialect_put(d, message, "content", text);
    else
        fields_fault(d->fields, "missing_required_parameter", "output", "expected a string or an array of parts");
}

/* What writers_responses gave as encrypted_content: base64 of the thought. Anything else is dropped. */
static json_t *decoded(struct dialect *d, const json_t *item)
{
    struct str text;
    if (!fields_str(d->fields, item, "encrypted_content", (size_t)-1, &text) || !text.len)
        return NULL;
    size_t n = 0;
    unsigned char *bytes = mem_alloc(text.len);
    bool good = bytes && sodium_base642bin(bytes, text.len, text.at, text.len, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    json_t *thought = good ? json_stringn((const char *)bytes, n) : NULL;
    mem_free(bytes);
    return thought;
}

static void read_reasoning(struct turn *t, const json_t *item, const char *theirs)
{
    struct dialect *d = t->d;
    json_t *thought = dialect_text(d, item, "content", reasoning_parts);
    if (!thought || !json_string_length(thought)) {
        json_decref(thought);
        thought = decoded(d, item);
    }
    if (has_said(t->assistant))
        t->assistant = NULL;
    if (thought)
        dialect_put(d, assistant_of(t, theirs), "reasoning_content", thought);
}

static bool is_one_of(struct str text, const char *const *names)
{
    while (*names && !str_is(text, *names))
        names++;
    return *names;
}

static void read_item(struct turn *t, const json_t *item, size_t index)
{
    static const char *const dropped[] = {"file_search_call",
                                          "computer_call",
                                          "computer_call_output",
                                          "web_search_call",
                                          "image_generation_call",
                                          "code_interpreter_call",
                                          "local_shell_call",
                                          "local_shell_call_output",
                                          "shell_call",
                                          "shell_call_output",
                                          "apply_patch_call",
                                          "apply_patch_call_output",
                                          "mcp_list_tools",
                                          "mcp_approval_request",
                                          "mcp_approval_response",
                                          "mcp_call",
                                          "compaction",
                                          "tool_search_call",
                                          "tool_search_output",
                                          NULL};
    struct fields *f = t->d->fields;
    struct str type = str_of("message");
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "input[%zu]", index);
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (!json_is_object(item)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(item));
        return;
    }
    fields_str(f, item, "type", 64, &type);
    if (str_is(type, "message"))
        read_message(t, item, theirs);
    else if (str_is(type, "function_call") || str_is(type, "custom_tool_call"))
        read_call(t, item, theirs, str_is(type, "custom_tool_call"));
    else if (str_is(type, "function_call_output") || str_is(type, "custom_tool_call_output"))
        read_output(t, item, theirs);
    else if (str_is(type, "reasoning"))
        read_reasoning(t, item, theirs);
    else if (str_is(type, "item_reference"))
        fields_fault(f, "unsupported_value", "type", "responses are not stored: send the item itself");
    else if (!is_one_of(type, dropped))
        fields_fault(f, "invalid_value", "type", "is no type of an item");
}

static void read_input(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    struct turn turn = {.d = d};
    const json_t *input = fields_get(f, root, "input");
    if (json_is_string(input)) {
        dialect_put(d, dialect_add_message(d, "user", "input"), "content", json_incref((json_t *)(uintptr_t)input));
        return;
    }
    if (!json_is_array(input)) {
        fields_fault(f, input ? "invalid_type" : "missing_required_parameter", "input", "expected a string or an array of items");
        return;
    }
    if (json_array_size(input) > REQUEST_MESSAGES_MAX)
        fields_fault(f, "array_above_max_length", "input", "%zu items, at most %d", json_array_size(input), REQUEST_MESSAGES_MAX);
    for (size_t i = 0; i < json_array_size(input) && !f->status; i++)
        read_item(&turn, json_array_get(input, i), i);
    f->prefix[0] = 0;
    if (!f->status && json_array_size(d->messages) == 0)
        dialect_put_text(d, dialect_add_message(d, "user", "input"), "content", "");
}

static void read_instructions(struct dialect *d, const json_t *root)
{
    struct str text;
    if (fields_str(d->fields, root, "instructions", (size_t)-1, &text) && text.len)
        dialect_put_str(d, dialect_add_message(d, "system", "instructions"), "content", text);
}

/* ---- Tools --------------------------------------------------------------------------------------------------- */

static void copy_members(struct dialect *d, const json_t *from, json_t *to, const char *const *keys)
{
    for (; *keys; keys++) {
        json_t *value = json_object_get(from, *keys);
        if (value)
            dialect_put(d, to, *keys, json_incref(value));
    }
}

static void add_custom(struct dialect *d, const json_t *tool, json_t *function, struct responses_asked *asked)
{
    static const char parameters[] = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"],"
                                     "\"additionalProperties\":false}";
    struct str name;
    dialect_put(d, function, "parameters", json_loads(parameters, 0, NULL));
    if (fields_str(d->fields, tool, "name", (size_t)-1, &name))
        ((struct str *)(uintptr_t)asked->custom)[asked->n_custom++] = arena_str(exchange_arena(d->exchange), name);
}

static void read_tool(struct dialect *d, const json_t *tool, size_t index, struct responses_asked *asked)
{
    static const char *const function_keys[] = {"name", "description", "parameters", "strict", NULL};
    static const char *const custom_keys[] = {"name", "description", NULL};
    struct fields *f = d->fields;
    struct str type;
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "tools[%zu]", index);
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (!json_is_object(tool)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(tool));
        return;
    }
    if (!dialect_need_str(d, tool, "type", &type))
        return;
    bool custom = str_is(type, "custom");
    if (!custom && !str_is(type, "function"))
        return; /* run elsewhere: the model is not offered what nobody here can do */
    json_t *function = dialect_add_tool(d, theirs);
    copy_members(d, tool, function, custom ? custom_keys : function_keys);
    if (custom)
        add_custom(d, tool, function, asked);
}

static void read_tools(struct dialect *d, const json_t *root, struct responses_asked *asked)
{
    struct fields *f = d->fields;
    const json_t *list = fields_array(f, root, "tools", REQUEST_TOOLS_MAX);
    asked->custom = arena_zalloc_array(exchange_arena(d->exchange), json_array_size(list) + 1, sizeof *asked->custom);
    if (!asked->custom && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++)
        read_tool(d, json_array_get(list, i), i, asked);
    f->prefix[0] = 0;
}

/* {"type": "function", "name"} as {"type": "function", "function": {"name"}}, a new reference. */
static json_t *named(struct dialect *d, const json_t *choice)
{
    struct fields *f = d->fields;
    struct str type = str_of(""), name = str_of("");
    json_t *nested = json_object();
    dialect_need_str(d, choice, "type", &type);
    if (!str_is(type, "function") && !str_is(type, "custom"))
        fields_fault(f, "unsupported_value", "type", "only tools of type function and custom are offered");
    dialect_need_str(d, choice, "name", &name);
    dialect_put_text(d, nested, "type", "function");
    dialect_put_str(d, dialect_put(d, nested, "function", json_object()), "name", name);
    return nested;
}

static json_t *listed(struct dialect *d, const json_t *choice)
{
    struct fields *f = d->fields;
    char ours[PATH_BYTES], theirs[PATH_BYTES];
    const json_t *list = fields_array(f, choice, "tools", REQUEST_TOOLS_MAX), *mode = json_object_get(choice, "mode");
    json_t *nested = json_object();
    dialect_put_text(d, nested, "type", "allowed_tools");
    json_t *allowed = dialect_put(d, nested, "allowed_tools", json_object());
    if (mode)
        dialect_put(d, allowed, "mode", json_incref((json_t *)(uintptr_t)mode));
    json_t *tools = dialect_put(d, allowed, "tools", json_array());
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        snprintf(f->prefix, sizeof f->prefix, "tool_choice.tools[%zu].", i);
        snprintf(ours, sizeof ours, "tool_choice.allowed_tools.tools[%zu].function", i);
        snprintf(theirs, sizeof theirs, "tool_choice.tools[%zu]", i);
        dialect_name(d, ours, theirs);
        dialect_append(d, tools, named(d, json_array_get(list, i)));
    }
    dialect_name(d, "tool_choice.allowed_tools", "tool_choice");
    return nested;
}

static void read_choice(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    const json_t *choice = fields_get(f, root, "tool_choice");
    if (!json_is_object(choice))
        return; /* a string, or a fault that the chat's reader finds */
    const char *type = json_string_value(json_object_get(choice, "type"));
    snprintf(f->prefix, sizeof f->prefix, "tool_choice.");
    json_t *nested = type && strcmp(type, "allowed_tools") == 0 ? listed(d, choice) : named(d, choice);
    f->prefix[0] = 0;
    dialect_name(d, "tool_choice.function", "tool_choice");
    dialect_put(d, d->chat, "tool_choice", nested);
}

/* ---- The answer's form and the thought ------------------------------------------------------------------------- */

static void read_format(struct dialect *d, const json_t *text)
{
    static const char *const types[] = {"text", "json_object", "json_schema", NULL};
    static const char *const keys[] = {"name", "description", "schema", "strict", NULL};
    struct fields *f = d->fields;
    const json_t *format = fields_object(f, text, "format");
    if (!format)
        return;
    snprintf(f->prefix, sizeof f->prefix, "text.format.");
    int type = fields_choice(f, format, "type", types);
    if (type < 0)
        fields_fault(f, "missing_required_parameter", "type", "expected text, json_object or json_schema");
    if (type == 2 && !fields_get(f, format, "schema"))
        fields_fault(f, "missing_required_parameter", "schema", "expected a JSON Schema");
    f->prefix[0] = 0;
    if (f->status)
        return;
    json_t *ours = dialect_put(d, d->chat, "response_format", json_object());
    dialect_put_text(d, ours, "type", types[type]);
    if (type == 2)
        copy_members(d, format, dialect_put(d, ours, "json_schema", json_object()), keys);
    dialect_name(d, "response_format", "text.format");
    dialect_name(d, "response_format.json_schema", "text.format");
}

static void read_text(struct dialect *d, const json_t *root)
{
    const json_t *text = fields_object(d->fields, root, "text");
    read_format(d, text);
    dialect_move(d, text, "verbosity", "text.verbosity", "verbosity");
}

static void read_reasoning_options(struct dialect *d, const json_t *root)
{
    const json_t *reasoning = fields_object(d->fields, root, "reasoning");
    dialect_move(d, reasoning, "effort", "reasoning.effort", "reasoning_effort");
}

/* ---- The rest ---------------------------------------------------------------------------------------------------- */

static void read_include(struct dialect *d, const json_t *root, struct responses_asked *asked)
{
    static const char *const known[] = {"file_search_call.results",
                                        "web_search_call.results",
                                        "web_search_call.action.sources",
                                        "message.input_image.image_url",
                                        "computer_call_output.output.image_url",
                                        "code_interpreter_call.outputs",
                                        "reasoning.encrypted_content",
                                        "message.output_text.logprobs",
                                        NULL};
    struct fields *f = d->fields;
    char key[PATH_BYTES];
    const json_t *list = fields_array(f, root, "include", 64);
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        const json_t *item = json_array_get(list, i);
        struct str name = str_from(json_string_value(item), json_string_length(item));
        snprintf(key, sizeof key, "include[%zu]", i);
        if (!json_is_string(item))
            fields_fault(f, "invalid_type", key, "expected a string, found %s", fields_kind(item));
        else if (!is_one_of(name, known))
            fields_fault(f, "invalid_value", key, "is no name that can be included");
        asked->wants_encrypted |= str_is(name, "reasoning.encrypted_content");
        asked->wants_logprobs |= str_is(name, "message.output_text.logprobs");
    }
}

/* Log-probabilities are made where they are included. */
static void read_logprobs(struct dialect *d, const json_t *root, const struct responses_asked *asked)
{
    int64_t top = 0;
    fields_int(d->fields, root, "top_logprobs", 0, PROTOCOL_TOP_MAX, &top);
    if (!asked->wants_logprobs)
        return;
    dialect_put(d, d->chat, "logprobs", json_true());
    dialect_put(d, d->chat, "top_logprobs", json_integer(top));
}

static void refuse_stored(struct dialect *d, const json_t *root)
{
    static const char *const unsupported[] = {"conversation", "prompt", NULL};
    struct fields *f = d->fields;
    bool background = false;
    if (fields_get(f, root, "previous_response_id"))
        fields_fault(f, "previous_response_not_found", "previous_response_id", "responses are not stored: send the whole input");
    for (size_t i = 0; unsupported[i]; i++)
        if (fields_get(f, root, unsupported[i]))
            fields_fault(f, "unsupported_parameter", unsupported[i], "not offered by this server");
    if (fields_bool(f, root, "background", &background) && background)
        fields_fault(f, "unsupported_parameter", "background", "not offered by this server");
}

static void keep_echoes(struct dialect *d, const json_t *root, struct responses_asked *asked)
{
    static const struct {
        const char *key, *otherwise;
    } echoes[] = {{"instructions", "null"},
                  {"max_output_tokens", "null"},
                  {"max_tool_calls", "null"},
                  {"metadata", "{}"},
                  {"parallel_tool_calls", "true"},
                  {"prompt_cache_key", "null"},
                  {"reasoning", "{\"effort\":null,\"summary\":null}"},
                  {"safety_identifier", "null"},
                  {"text", "{\"format\":{\"type\":\"text\"}}"},
                  {"tool_choice", "\"auto\""},
                  {"tools", "[]"},
                  {"top_logprobs", "0"},
                  {"truncation", "\"disabled\""},
                  {"user", "null"}};
    _Static_assert(sizeof echoes / sizeof echoes[0] <= RESPONSES_ECHOES_MAX, "all echoes have room");
    for (size_t i = 0; i < sizeof echoes / sizeof echoes[0] && !d->fields->status; i++)
        asked->echoes[asked->n_echoes++] =
            (struct responses_echo){echoes[i].key, dialect_json(d, json_object_get(root, echoes[i].key), echoes[i].otherwise)};
}

enum status dialect_responses_read(struct dialect *d, const json_t *root)
{
    static const char *const own[] = {"input",
                                      "instructions",
                                      "max_output_tokens",
                                      "text",
                                      "reasoning",
                                      "include",
                                      "previous_response_id",
                                      "prompt",
                                      "conversation",
                                      "background",
                                      "truncation",
                                      "stream_options",
                                      "max_tool_calls",
                                      "moderation",
                                      "n",
                                      "context_management",
                                      "top_logprobs",
                                      "logprobs",
                                      "max_tokens",
                                      "max_completion_tokens",
                                      "stop",
                                      "echo",
                                      "response_format",
                                      "functions",
                                      "function_call",
                                      "prompt_cache_options",
                                      NULL};
    static const char *const truncations[] = {"disabled", "auto", NULL};
    struct fields *f = d->fields;
    struct responses_asked *asked = arena_zalloc(exchange_arena(d->exchange), sizeof *asked);
    if (!asked)
        return f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    d->asked = asked;
    dialect_drop(d, own);
    dialect_name(d, "messages", "input");
    refuse_stored(d, root);
    read_instructions(d, root);
    read_input(d, root);
    dialect_move(d, root, "max_output_tokens", "max_output_tokens", "max_completion_tokens");
    read_text(d, root);
    read_reasoning_options(d, root);
    read_tools(d, root, asked);
    read_choice(d, root);
    read_include(d, root, asked);
    read_logprobs(d, root, asked);
    d->may_drop = fields_choice(f, root, "truncation", truncations) == 1;
    keep_echoes(d, root, asked);
    return f->status;
}
