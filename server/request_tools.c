/* A chat's tools. Faults name the path, as tools[1].function.name. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/request.h"
#include "server/server.h"

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";

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
    for (size_t i = 0; i < name->len; i++)
        if (!name->at[i] || !strchr(alphabet, name->at[i])) {
            fields_fault(f, "invalid_value", "name", "%s: only letters, digits, _ and - can stand in a name",
                         error_quote(quoted, name->at, name->len));
            return;
        }
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
    if (fields_bool(f, function, "strict", &tool->strict) && tool->strict)
        fields_fault(f, "unsupported_value", "strict", "arguments are not held to the schema by this server");
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

/* Whether calls may be made. */
static bool read_choice(struct fields *f, const json_t *root, bool has_tools)
{
    static const char *const plain[] = {"none", "auto", "required", NULL};
    const json_t *choice = fields_get(f, root, "tool_choice");
    bool forced = json_is_object(choice);
    if (!choice)
        return true;
    if (!forced && !json_is_string(choice)) {
        fields_fault(f, "invalid_type", "tool_choice", "expected a string or an object, found %s", fields_kind(choice));
        return false;
    }
    int at = forced ? 2 : fields_choice(f, root, "tool_choice", plain);
    if (at == 2 && !has_tools)
        fields_fault(f, "invalid_value", "tool_choice", "asks for a call, but there are no tools");
    else if (at == 2)
        fields_fault(f, "unsupported_value", "tool_choice", "calls cannot be forced by this server; auto and none are offered");
    return at != 0;
}

void request_read_tools(struct fields *f, struct exchange *exchange, const json_t *root, struct request *r)
{
    const struct server *server = exchange_server(exchange);
    const json_t *list = fields_array(f, root, "tools", REQUEST_TOOLS_MAX);
    uint32_t marks[N_TOOL_MARKS];
    bool has_tools = json_array_size(list) > 0, parallel = true;
    if (has_tools && !chat_format_find_tool_marks(server->format, server->text.tokenizer, marks))
        fields_fault(f, "unsupported_parameter", "tools", "not offered with the chat format of this model, %s",
                     chat_format_name(server->format));
    if (has_tools)
        read_list(f, exchange_arena(exchange), list, r);
    if (!read_choice(f, root, has_tools))
        r->n_tools = 0;
    fields_bool(f, root, "parallel_tool_calls", &parallel);
    r->one_call = !parallel;
}
