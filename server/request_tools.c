/* A chat's tools. Faults name the path, as tools[1].function.name. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/request.h"
#include "server/server.h"

bool request_has_name_letters(struct str name)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
    for (size_t i = 0; i < name.len; i++)
        if (!name.at[i] || !strchr(letters, name.at[i]))
            return false;
    return true;
}

/* The value as JSON text, in the arena. */
static struct str json_of(struct fields *f, struct arena *arena, const char *key, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    struct str kept = text ? arena_str(arena, str_of(text)) : str_from(NULL, 0);
    mem_free(text);
    if (!kept.at && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    if (kept.len > REQUEST_TOOL_BYTES_MAX)
        fields_fault(f, "invalid_value", key, "%zu bytes as JSON, at most %d", kept.len, REQUEST_TOOL_BYTES_MAX);
    return kept;
}

static void read_name(struct fields *f, const json_t *function, const struct request *r, struct str *name)
{
    char quoted[ERROR_QUOTE_BYTES];
    if (!fields_str(f, function, "name", (size_t)-1, name)) {
        fields_fault(f, "missing_required_parameter", "name", "expected a string");
        return;
    }
    if (name->len == 0 || name->len > REQUEST_TOOL_NAME_BYTES_MAX)
        fields_fault(f, "invalid_value", "name", "%zu characters, expected 1 to %d", name->len, REQUEST_TOOL_NAME_BYTES_MAX);
    if (!request_has_name_letters(*name))
        fields_fault(f, "invalid_value", "name", "%s: only letters, digits, _ and - can stand in a name",
                     error_quote(quoted, name->at, name->len));
    for (uint32_t i = 0; i < r->n_tools; i++)
        if (str_equal(r->tools[i].name, *name))
            fields_fault(f, "invalid_value", "name", "%s is the name of tools[%u] too", error_quote(quoted, name->at, name->len), i);
}

static void read_parameters(struct fields *f, struct arena *arena, const json_t *function, struct chat_tool *tool)
{
    const json_t *parameters = fields_object(f, function, "parameters"), *type = json_object_get(parameters, "type");
    tool->parameters = str_of("");
    if (!parameters)
        return;
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), "object") != 0))
        fields_fault(f, "invalid_value", "parameters", "its type must be object");
    tool->parameters = json_of(f, arena, "parameters", parameters);
}

static void read_function(struct fields *f, struct arena *arena, const json_t *function, const struct request *r, struct chat_tool *tool)
{
    struct str text = str_of("");
    read_name(f, function, r, &text);
    tool->name = arena_str(arena, text);
    text = str_of("");
    fields_str(f, function, "description", REQUEST_TOOL_BYTES_MAX, &text);
    tool->description = arena_str(arena, text);
    read_parameters(f, arena, function, tool);
    fields_bool(f, function, "strict", &tool->strict);
}

static void read_tool(struct fields *f, struct arena *arena, const json_t *object, size_t index, const struct request *r,
                      struct chat_tool *tool)
{
    struct str type;
    snprintf(f->prefix, sizeof f->prefix, "tools[%zu].", index);
    if (!json_is_object(object)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(object));
        return;
    }
    if (!fields_str(f, object, "type", 64, &type))
        fields_fault(f, "missing_required_parameter", "type", "expected function");
    else if (!str_is(type, "function"))
        fields_fault(f, "unsupported_value", "type", "only tools of type function are offered");
    const json_t *function = fields_object(f, object, "function");
    if (!function) {
        fields_fault(f, "missing_required_parameter", "function", "expected an object");
        return;
    }
    tool->json = json_of(f, arena, NULL, object);
    snprintf(f->prefix, sizeof f->prefix, "tools[%zu].function.", index);
    read_function(f, arena, function, r, tool);
}

static void read_list(struct fields *f, struct arena *arena, const json_t *list, struct request *r)
{
    size_t n = json_array_size(list);
    struct chat_tool *tools = arena_zalloc_array(arena, n, sizeof *tools);
    r->tools = tools;
    if (!tools && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n && !f->status; i++) {
        read_tool(f, arena, json_array_get(list, i), i, r, &tools[i]);
        r->n_tools++;
    }
    f->prefix[0] = 0;
}

/* Makes the tool of this name callable. `object`: {"type": "function", "function": {"name"}}, with f->prefix before it. */
static void allow_named(struct fields *f, const json_t *object, struct request *r)
{
    char quoted[ERROR_QUOTE_BYTES], prefix[sizeof f->prefix];
    struct str type, name = str_of("");
    if (!fields_str(f, object, "type", 64, &type) || !str_is(type, "function"))
        fields_fault(f, "invalid_value", "type", "expected function");
    const json_t *function = fields_object(f, object, "function");
    memcpy(prefix, f->prefix, sizeof prefix);
    snprintf(f->prefix, sizeof f->prefix, "%.60sfunction.", prefix);
    if (!fields_str(f, function, "name", (size_t)-1, &name))
        fields_fault(f, "missing_required_parameter", "name", "expected the name of a tool");
    bool found = false;
    for (uint32_t i = 0; i < r->n_tools; i++)
        if (str_equal(r->tools[i].name, name))
            found = r->callable[i] = true;
    if (!found)
        fields_fault(f, "invalid_value", "name", "%s is no name in tools", error_quote(quoted, name.at, name.len));
    memcpy(f->prefix, prefix, sizeof prefix);
}

static void allow_all(struct request *r, bool callable)
{
    for (uint32_t i = 0; i < r->n_tools; i++)
        r->callable[i] = callable;
}

static void allow_listed(struct fields *f, const json_t *choice, struct request *r)
{
    static const char *const modes[] = {"auto", "required", NULL};
    snprintf(f->prefix, sizeof f->prefix, "tool_choice.");
    const json_t *allowed = fields_object(f, choice, "allowed_tools");
    if (!allowed)
        fields_fault(f, "missing_required_parameter", "allowed_tools", "expected an object with mode and tools");
    snprintf(f->prefix, sizeof f->prefix, "tool_choice.allowed_tools.");
    int mode = fields_choice(f, allowed, "mode", modes);
    if (mode < 0)
        fields_fault(f, "missing_required_parameter", "mode", "expected auto or required");
    const json_t *list = fields_array(f, allowed, "tools", REQUEST_TOOLS_MAX);
    if (!json_array_size(list))
        fields_fault(f, "empty_array", "tools", "no tool is allowed");
    allow_all(r, false);
    r->limits_calls = true;
    r->must_call = mode == 1;
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        snprintf(f->prefix, sizeof f->prefix, "tool_choice.allowed_tools.tools[%zu].", i);
        allow_named(f, json_array_get(list, i), r);
    }
    f->prefix[0] = 0;
}

static void read_forced(struct fields *f, const json_t *choice, struct request *r)
{
    if (json_is_string(json_object_get(choice, "type")) &&
        strcmp(json_string_value(json_object_get(choice, "type")), "allowed_tools") == 0) {
        allow_listed(f, choice, r);
        return;
    }
    allow_all(r, false);
    r->must_call = true;
    snprintf(f->prefix, sizeof f->prefix, "tool_choice.");
    allow_named(f, choice, r);
    f->prefix[0] = 0;
}

static void read_choice(struct fields *f, const json_t *root, struct request *r)
{
    static const char *const plain[] = {"none", "auto", "required", NULL};
    const json_t *choice = fields_get(f, root, "tool_choice");
    bool forced = json_is_object(choice);
    allow_all(r, true);
    if (!choice)
        return;
    if (!forced && !json_is_string(choice)) {
        fields_fault(f, "invalid_type", "tool_choice", "expected a string or an object, found %s", fields_kind(choice));
        return;
    }
    int at = forced ? 2 : fields_choice(f, root, "tool_choice", plain);
    if (at == 2 && !r->n_tools)
        fields_fault(f, "invalid_value", "tool_choice", "asks for a call, but there are no tools");
    else if (forced)
        read_forced(f, choice, r);
    r->must_call |= at == 2 && !forced;
    if (at == 0)
        r->n_tools = 0;
}

void request_read_tools(struct fields *f, struct exchange *exchange, const json_t *root, struct request *r)
{
    const struct server *server = exchange_server(exchange);
    const json_t *list = fields_array(f, root, "tools", REQUEST_TOOLS_MAX);
    uint32_t marks[N_TOOL_MARKS];
    bool has_tools = json_array_size(list) > 0, parallel = true;
    if (has_tools && !chat_format_find_tool_marks(server->format, server->text.tokenizer, marks))
        fields_fault(f, "unsupported_parameter", "tools", "not offered with this model: its chat format, %s, has no form for them, or its "
                     "vocabulary lacks the marks", chat_format_name(server->format));
    if (has_tools)
        read_list(f, exchange_arena(exchange), list, r);
    read_choice(f, root, r);
    if (r->must_call && r->form)
        fields_fault(f, "invalid_value", "tool_choice",
                     "forces a call, and %s asks for a form of the answer: only one of them can be held to", r->form_field);
    fields_bool(f, root, "parallel_tool_calls", &parallel);
    r->one_call = !parallel;
}
