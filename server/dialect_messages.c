/* POST /messages as a chat: content blocks to messages and calls, flat tools to nested ones, the names of the fields. */
#include "server/dialect_messages.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "config/options.h"
#include "server/limits.h"
#include "server/server.h"

enum { PATH_BYTES = 80, TEXT_BYTES_MAX = 1 << 30 };

static const struct dialect_part text_parts[] = {
    {"text", "text"}, {"image", NULL}, {"document", NULL}, {"search_result", NULL}, {NULL, NULL}};

/* ---- Blocks -------------------------------------------------------------------------------------------------- */

/* One message as it is read: what its blocks come to. */
struct turn {
    struct dialect *d;
    size_t index; /* among the messages that were sent */
    bool is_user;
    struct buf text, thought;
    bool has_text, has_thought;
    json_t *message; /* the assistant's, once it has one */
};

static void add_line(struct buf *text, bool *any, struct str line)
{
    if (*any)
        buf_add_char(text, '\n');
    buf_add_str(text, line);
    *any = true;
}

static json_t *assistant_of(struct turn *t)
{
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "messages[%zu]", t->index);
    if (!t->message)
        t->message = dialect_add_message(t->d, "assistant", theirs);
    return t->message;
}

static void read_tool_use(struct turn *t, const json_t *block, const char *theirs)
{
    struct dialect *d = t->d;
    struct str id, name;
    if (!dialect_need_str(d, block, "id", &id) || !dialect_need_str(d, block, "name", &name))
        return;
    const json_t *input = fields_object(d->fields, block, "input");
    if (!input)
        fields_fault(d->fields, "missing_required_parameter", "input", "expected an object");
    else
        dialect_put_str(d, dialect_add_call(d, assistant_of(t), id, name, theirs), "arguments", dialect_json(d, input, "{}"));
}

/* A tool's answer is a message of its own, before the text of the turn. */
static void read_tool_result(struct turn *t, const json_t *block, const char *theirs)
{
    struct dialect *d = t->d;
    struct str id;
    bool failed = false;
    char ours[PATH_BYTES], path[2 * PATH_BYTES];
    if (!dialect_need_str(d, block, "tool_use_id", &id))
        return;
    fields_bool(d->fields, block, "is_error", &failed);
    json_t *text = dialect_text(d, block, "content", text_parts), *message = dialect_add_message(d, "tool", theirs);
    dialect_put_str(d, message, "tool_call_id", id);
    dialect_put(d, message, "content", text ? text : json_string(failed ? "error" : ""));
    snprintf(ours, sizeof ours, "messages[%zu].tool_call_id", json_array_size(d->messages) - 1);
    snprintf(path, sizeof path, "%s.tool_use_id", theirs);
    dialect_name(d, ours, path);
}

static void read_block(struct turn *t, const json_t *block, size_t at)
{
    static const char *const user[] = {"text", "tool_result", "image", "document", "search_result", NULL};
    static const char *const assistant[] = {"text", "tool_use", "thinking", "redacted_thinking", NULL};
    struct dialect *d = t->d;
    struct fields *f = d->fields;
    struct str type, text;
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "messages[%zu].content[%zu]", t->index, at);
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (!json_is_object(block)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(block));
        return;
    }
    if (!dialect_need_str(d, block, "type", &type))
        return;
    const char *const *kinds = t->is_user ? user : assistant;
    size_t kind = 0;
    while (kinds[kind] && !str_is(type, kinds[kind]))
        kind++;
    if (!kinds[kind])
        fields_fault(f, "invalid_value", "type", "no block of this type can stand in a message of this role");
    else if (kind == 0 && dialect_need_str(d, block, "text", &text))
        add_line(&t->text, &t->has_text, text);
    else if (kind == 1 && t->is_user)
        read_tool_result(t, block, theirs);
    else if (kind == 1)
        read_tool_use(t, block, theirs);
    else if (kind && t->is_user)
        fields_fault(f, "unsupported_value", "type", "the model takes text only");
    else if (kind == 2 && dialect_need_str(d, block, "thinking", &text))
        add_line(&t->thought, &t->has_thought, text);
}

static void finish_turn(struct turn *t, size_t n_before)
{
    struct dialect *d = t->d;
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "messages[%zu]", t->index);
    if (t->is_user) {
        if (t->has_text || json_array_size(d->messages) == n_before)
            dialect_put_str(d, dialect_add_message(d, "user", theirs), "content", buf_str(&t->text));
        return;
    }
    json_t *message = assistant_of(t);
    if (t->has_thought)
        dialect_put_str(d, message, "reasoning_content", buf_str(&t->thought));
    if (t->has_text || !json_object_get(message, "tool_calls"))
        dialect_put_str(d, message, "content", buf_str(&t->text));
}

/* A string is one block of text. */
static void read_turn(struct turn *t, const json_t *content)
{
    struct fields *f = t->d->fields;
    size_t n_before = json_array_size(t->d->messages);
    if (json_is_string(content))
        add_line(&t->text, &t->has_text, str_from(json_string_value(content), json_string_length(content)));
    else if (!json_is_array(content))
        fields_fault(f, content ? "invalid_type" : "missing_required_parameter", "content", "expected a string or an array of blocks");
    for (size_t i = 0; json_is_array(content) && i < json_array_size(content) && !f->status; i++)
        read_block(t, json_array_get(content, i), i);
    if (!f->status)
        finish_turn(t, n_before);
    if (!f->status && (buf_status(&t->text) || buf_status(&t->thought)))
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
}

static void read_system_turn(struct dialect *d, const json_t *message, const char *theirs)
{
    json_t *text = dialect_text(d, message, "content", text_parts);
    if (text)
        dialect_put(d, dialect_add_message(d, "system", theirs), "content", text);
    else
        fields_fault(d->fields, "missing_required_parameter", "content", "expected a string or an array of blocks");
}

/* Returns whether it is a text of the assistant's to go on with, should it be the last. */
static bool read_message(struct dialect *d, const json_t *message, size_t index)
{
    static const char *const roles[] = {"user", "assistant", "system", NULL};
    struct fields *f = d->fields;
    struct turn turn = {.d = d, .index = index};
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "messages[%zu]", index);
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (!json_is_object(message)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(message));
        return false;
    }
    int role = fields_choice(f, message, "role", roles);
    if (role < 0)
        fields_fault(f, "missing_required_parameter", "role", "expected user, assistant or system");
    if (role == 2)
        read_system_turn(d, message, theirs);
    if (f->status || role == 2)
        return false;
    turn.is_user = role == 0;
    buf_init(&turn.text, TEXT_BYTES_MAX);
    buf_init(&turn.thought, TEXT_BYTES_MAX);
    read_turn(&turn, fields_get(f, message, "content"));
    buf_release(&turn.text);
    buf_release(&turn.thought);
    return turn.message && !json_object_get(turn.message, "tool_calls");
}

static void read_messages(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    bool may_continue = false;
    const json_t *list = fields_array(f, root, "messages", REQUEST_MESSAGES_MAX);
    if (json_array_size(list) == 0)
        fields_fault(f, list ? "empty_array" : "missing_required_parameter", "messages", "at least one message is needed");
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++)
        may_continue = read_message(d, json_array_get(list, i), i);
    f->prefix[0] = 0;
    if (may_continue && !f->status)
        dialect_put(d, json_array_get(d->messages, json_array_size(d->messages) - 1), "prefix", json_true());
}

static void read_system(struct dialect *d, const json_t *root)
{
    json_t *text = dialect_text(d, root, "system", text_parts);
    if (text)
        dialect_put(d, dialect_add_message(d, "system", "system"), "content", text);
}

/* ---- Tools --------------------------------------------------------------------------------------------------- */

static void move_member(struct dialect *d, const json_t *from, const char *key, json_t *to, const char *ours)
{
    json_t *value = json_object_get(from, key);
    if (value && !json_is_null(value))
        dialect_put(d, to, ours, json_incref(value));
}

static void read_tool(struct dialect *d, const json_t *tool, size_t index)
{
    struct fields *f = d->fields;
    struct str type = str_of("custom");
    char ours[PATH_BYTES], theirs[PATH_BYTES], schema[2 * PATH_BYTES];
    snprintf(theirs, sizeof theirs, "tools[%zu]", index);
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (!json_is_object(tool)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(tool));
        return;
    }
    fields_str(f, tool, "type", 64, &type);
    if (f->status || !str_is(type, "custom"))
        return; /* run elsewhere: the model is not offered what nobody here can do */
    if (!fields_object(f, tool, "input_schema")) {
        fields_fault(f, "missing_required_parameter", "input_schema", "expected an object");
        return;
    }
    snprintf(ours, sizeof ours, "tools[%zu].function.parameters", json_array_size(d->tools));
    snprintf(schema, sizeof schema, "%s.input_schema", theirs);
    dialect_name(d, ours, schema);
    json_t *function = dialect_add_tool(d, theirs);
    move_member(d, tool, "name", function, "name");
    move_member(d, tool, "description", function, "description");
    move_member(d, tool, "input_schema", function, "parameters");
    move_member(d, tool, "strict", function, "strict");
}

static void read_tools(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    const json_t *list = fields_array(f, root, "tools", REQUEST_TOOLS_MAX);
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++)
        read_tool(d, json_array_get(list, i), i);
    f->prefix[0] = 0;
}

static void put_named(struct dialect *d, const json_t *choice)
{
    struct str name;
    if (!dialect_need_str(d, choice, "name", &name))
        return;
    json_t *nested = dialect_put(d, d->chat, "tool_choice", json_object());
    dialect_put_text(d, nested, "type", "function");
    dialect_put_str(d, dialect_put(d, nested, "function", json_object()), "name", name);
    dialect_name(d, "tool_choice.function", "tool_choice");
}

static void read_choice(struct dialect *d, const json_t *root)
{
    static const char *const types[] = {"auto", "any", "none", "tool", NULL};
    static const char *const ours[] = {"auto", "required", "none"};
    struct fields *f = d->fields;
    bool alone = false;
    const json_t *choice = fields_object(f, root, "tool_choice");
    if (!choice)
        return;
    snprintf(f->prefix, sizeof f->prefix, "tool_choice.");
    int type = fields_choice(f, choice, "type", types);
    if (type < 0)
        fields_fault(f, "missing_required_parameter", "type", "expected auto, any, tool or none");
    else if (type == 3)
        put_named(d, choice);
    else
        dialect_put_text(d, d->chat, "tool_choice", ours[type]);
    if (fields_bool(f, choice, "disable_parallel_tool_use", &alone) && alone)
        dialect_put(d, d->chat, "parallel_tool_calls", json_false());
    f->prefix[0] = 0;
}

/* ---- The rest ------------------------------------------------------------------------------------------------ */

static void read_format(struct dialect *d, const json_t *object, const char *key, const char *theirs)
{
    static const char *const types[] = {"json_schema", NULL};
    struct fields *f = d->fields;
    char path[PATH_BYTES];
    const json_t *format = fields_object(f, object, key);
    if (!format)
        return;
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (fields_choice(f, format, "type", types) < 0)
        fields_fault(f, "missing_required_parameter", "type", "expected json_schema");
    if (!fields_get(f, format, "schema"))
        fields_fault(f, "missing_required_parameter", "schema", "expected a JSON Schema");
    f->prefix[0] = 0;
    json_t *ours = dialect_put(d, d->chat, "response_format", json_object());
    dialect_put_text(d, ours, "type", "json_schema");
    move_member(d, format, "schema", dialect_put(d, ours, "json_schema", json_object()), "schema");
    snprintf(path, sizeof path, "%s.schema", theirs);
    dialect_name(d, "response_format.json_schema.schema", path);
    dialect_name(d, "response_format", theirs);
}

static void read_output(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    const json_t *config = fields_object(f, root, "output_config");
    dialect_move(d, config, "effort", "output_config.effort", "reasoning_effort");
    snprintf(f->prefix, sizeof f->prefix, "output_config.");
    read_format(d, config, "format", "output_config.format");
    f->prefix[0] = 0;
    read_format(d, root, "output_format", "output_format");
}

static void read_thinking(struct dialect *d, const json_t *root, struct messages_asked *asked)
{
    static const char *const displays[] = {"summarized", "omitted", NULL};
    struct fields *f = d->fields;
    const json_t *thinking = fields_object(f, root, "thinking");
    snprintf(f->prefix, sizeof f->prefix, "thinking.");
    asked->omits_thinking = fields_choice(f, thinking, "display", displays) == 1;
    f->prefix[0] = 0;
}

/* Names of the vendor's own models mean the model that is served. */
static void read_model(struct dialect *d, const json_t *root)
{
    const struct server *server = exchange_server(d->exchange);
    const json_t *model = json_object_get(root, "model");
    struct str name = str_from(json_string_value(model), json_string_length(model));
    if (json_is_string(model) && ((const struct config *)server->config)->map_claude && str_starts(name, str_of("claude-")))
        dialect_put_text(d, d->chat, "model", server->model_id);
}

static void read_bounds(struct dialect *d, const json_t *root)
{
    static const char *const reply_only[] = {"max_tokens", "stream", NULL};
    struct fields *f = d->fields;
    if (d->counts)
        dialect_drop(d, reply_only);
    else if (!fields_get(f, root, "max_tokens"))
        fields_fault(f, "missing_required_parameter", "max_tokens", "expected an integer of at least 1");
    if (fields_array(f, root, "stop_sequences", SIZE_MAX))
        dialect_move(d, root, "stop_sequences", "stop_sequences", "stop");
}

enum status dialect_messages_read(struct dialect *d, const json_t *root)
{
    static const char *const own[] = {"system",
                                      "stop_sequences",
                                      "tool_choice",
                                      "output_config",
                                      "output_format",
                                      "metadata",
                                      "container",
                                      "mcp_servers",
                                      "service_tier",
                                      "context_management",
                                      "cache_control",
                                      "betas",
                                      "stop",
                                      "anthropic_version",
                                      "inference_geo",
                                      "n",
                                      "logprobs",
                                      "top_logprobs",
                                      "functions",
                                      "stream_options",
                                      "max_completion_tokens",
                                      "response_format",
                                      "function_call",
                                      "echo",
                                      NULL};
    struct fields *f = d->fields;
    struct messages_asked *asked = arena_zalloc(exchange_arena(d->exchange), sizeof *asked);
    if (!asked)
        return f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    d->asked = asked;
    dialect_drop(d, own);
    read_model(d, root);
    read_bounds(d, root);
    read_system(d, root);
    read_messages(d, root);
    read_tools(d, root);
    read_choice(d, root);
    read_output(d, root);
    read_thinking(d, root, asked);
    dialect_move(d, fields_object(f, root, "metadata"), "user_id", "metadata.user_id", "user_id");
    return f->status;
}
