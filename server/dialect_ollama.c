/* Ollama's bodies as chats and completions: options to fields, calls without ids to calls with them. */
#include "server/dialect_ollama.h"

#include <stdio.h>

#include "server/limits.h"

enum { PATH_BYTES = 80 };

static json_t *shared(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value);
}

struct str dialect_ollama_model(struct str name)
{
    const struct str tag = {":latest", 7};
    return str_ends(name, tag) ? str_from(name.at, name.len - tag.len) : name;
}

/* ---- What both share ----------------------------------------------------------------------------------------- */

static void read_model(struct dialect *d, const json_t *root)
{
    struct str name;
    if (fields_str(d->fields, root, "model", (size_t)-1, &name))
        dialect_put_str(d, d->chat, "model", dialect_ollama_model(name));
}

/* Streams unless told otherwise. */
static void read_stream(struct dialect *d, const json_t *root)
{
    if (!fields_get(d->fields, root, "stream"))
        dialect_put(d, d->chat, "stream", json_true());
}

static void read_options(struct dialect *d, const json_t *root, const char *length_name)
{
    static const char *const names[] = {
        "temperature", "top_p", "top_k", "min_p", "seed", "stop", "repeat_penalty", "presence_penalty", "frequency_penalty", NULL};
    struct fields *f = d->fields;
    char theirs[PATH_BYTES];
    int64_t n = 0;
    const json_t *options = fields_object(f, root, "options");
    for (size_t i = 0; names[i]; i++) {
        snprintf(theirs, sizeof theirs, "options.%s", names[i]);
        dialect_move(d, options, names[i], theirs, names[i]);
    }
    snprintf(f->prefix, sizeof f->prefix, "options.");
    /* Zero and less: until the model ends, or the context does. */
    if (fields_int(f, options, "num_predict", INT32_MIN, INT32_MAX, &n) && n > 0)
        dialect_move(d, options, "num_predict", "options.num_predict", length_name);
    f->prefix[0] = 0;
}

static void read_format(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    const json_t *format = fields_get(f, root, "format");
    struct str name = str_from(json_string_value(format), json_string_length(format));
    if (!format || (json_is_string(format) && name.len == 0))
        return;
    if (!json_is_object(format) && !(json_is_string(format) && str_is(name, "json"))) {
        fields_fault(f, json_is_string(format) ? "invalid_value" : "invalid_type", "format", "expected json or a JSON Schema");
        return;
    }
    json_t *ours = dialect_put(d, d->chat, "response_format", json_object());
    dialect_put_text(d, ours, "type", json_is_object(format) ? "json_schema" : "json_object");
    if (json_is_object(format))
        dialect_put(d, dialect_put(d, ours, "json_schema", json_object()), "schema", shared(format));
    dialect_name(d, "response_format.json_schema.schema", "format");
    dialect_name(d, "response_format", "format");
}

/* A boolean, or an effort by its name. What the chat's own fields say of the thought comes first. */
static void read_think(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    const json_t *think = fields_get(f, root, "think");
    if (!think || fields_get(f, root, "thinking") || fields_get(f, root, "reasoning_effort"))
        return;
    if (json_is_boolean(think)) {
        json_t *thinking = dialect_put(d, d->chat, "thinking", json_object());
        dialect_put_text(d, thinking, "type", json_is_true(think) ? "enabled" : "disabled");
    } else if (json_is_string(think)) {
        dialect_move(d, root, "think", "think", "reasoning_effort");
    } else {
        fields_fault(f, "invalid_type", "think", "expected a boolean or low, medium or high, found %s", fields_kind(think));
    }
}

static void refuse_images(struct dialect *d, const json_t *object)
{
    if (json_array_size(fields_array(d->fields, object, "images", SIZE_MAX)))
        fields_fault(d->fields, "unsupported_value", "images", "the model takes text only");
}

/* ---- Chat ------------------------------------------------------------------------------------------------------ */

/* Calls have no ids there: each gets its number, and a tool's message answers the first of its name that has no answer yet. */
struct calls {
    struct {
        struct str name;
        bool answered;
    } * items;
    size_t n;
};

static void id_of(char out[24], size_t index)
{
    snprintf(out, 24, "call_%zu", index);
}

static void read_call(struct dialect *d, const json_t *call, json_t *message, const char *theirs, struct calls *calls)
{
    struct fields *f = d->fields;
    struct str name;
    char id[24];
    const json_t *function = fields_object(f, call, "function");
    if (!function) {
        fields_fault(f, "missing_required_parameter", "function", "expected an object");
        return;
    }
    snprintf(f->prefix, sizeof f->prefix, "%.80s.function.", theirs);
    if (!dialect_need_str(d, function, "name", &name))
        return;
    const json_t *arguments = fields_object(f, function, "arguments");
    id_of(id, calls->n);
    calls->items[calls->n].name = name;
    calls->n++;
    dialect_put_str(d, dialect_add_call(d, message, str_of(id), name, theirs), "arguments", dialect_json(d, arguments, "{}"));
}

static void read_calls(struct dialect *d, const json_t *object, json_t *message, size_t index, struct calls *calls)
{
    struct fields *f = d->fields;
    char theirs[PATH_BYTES];
    const json_t *list = fields_array(f, object, "tool_calls", SIZE_MAX);
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        snprintf(theirs, sizeof theirs, "messages[%zu].tool_calls[%zu]", index, i);
        snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
        if (json_is_object(json_array_get(list, i)))
            read_call(d, json_array_get(list, i), message, theirs, calls);
        else
            fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(json_array_get(list, i)));
    }
}

static void answer_call(struct dialect *d, const json_t *object, json_t *message, struct calls *calls)
{
    struct fields *f = d->fields;
    struct str name = str_of("");
    char id[24];
    bool named = fields_str(f, object, "tool_name", (size_t)-1, &name) || fields_str(f, object, "name", (size_t)-1, &name);
    size_t at = 0;
    while (at < calls->n && (calls->items[at].answered || (named && !str_equal(calls->items[at].name, name))))
        at++;
    if (at == calls->n) {
        fields_fault(f, "invalid_value", named ? "tool_name" : "role", "there is no earlier call that this could answer");
        return;
    }
    calls->items[at].answered = true;
    id_of(id, at);
    dialect_put_text(d, message, "tool_call_id", id);
}

static void move_text(struct dialect *d, const json_t *from, const char *key, json_t *to, const char *ours)
{
    struct str text;
    if (fields_str(d->fields, from, key, (size_t)-1, &text))
        dialect_put_str(d, to, ours, text);
}

static void read_message(struct dialect *d, const json_t *object, size_t index, struct calls *calls)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool", NULL};
    struct fields *f = d->fields;
    char theirs[PATH_BYTES];
    snprintf(theirs, sizeof theirs, "messages[%zu]", index);
    snprintf(f->prefix, sizeof f->prefix, "%s.", theirs);
    if (!json_is_object(object)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(object));
        return;
    }
    int role = fields_choice(f, object, "role", roles);
    if (role < 0) {
        fields_fault(f, "missing_required_parameter", "role", "expected system, user, assistant or tool");
        return;
    }
    refuse_images(d, object);
    json_t *message = dialect_add_message(d, roles[role], theirs);
    dialect_put_text(d, message, "content", "");
    move_text(d, object, "content", message, "content");
    if (role == 2) {
        move_text(d, object, "thinking", message, "reasoning_content");
        read_calls(d, object, message, index, calls);
    } else if (role == 3) {
        answer_call(d, object, message, calls);
    }
}

static size_t count_calls(const json_t *messages)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(messages); i++)
        n += json_array_size(json_object_get(json_array_get(messages, i), "tool_calls"));
    return n;
}

static void read_messages(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    struct calls calls = {0};
    const json_t *list = fields_array(f, root, "messages", REQUEST_MESSAGES_MAX);
    calls.items = arena_zalloc_array(exchange_arena(d->exchange), count_calls(list) + 1, sizeof *calls.items);
    if (!calls.items && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++)
        read_message(d, json_array_get(list, i), i, &calls);
    f->prefix[0] = 0;
    d->only_loads = json_array_size(list) == 0;
}

enum status dialect_ollama_read_chat(struct dialect *d, const json_t *root)
{
    static const char *const own[] = {"options",        "format", "think",    "keep_alive",   "images",
                                      "stream_options", "n",      "logprobs", "top_logprobs", NULL};
    const json_t *tools = fields_array(d->fields, root, "tools", SIZE_MAX);
    dialect_drop(d, own);
    read_model(d, root);
    read_stream(d, root);
    read_options(d, root, "max_completion_tokens");
    read_format(d, root);
    read_think(d, root);
    read_messages(d, root);
    if (tools)
        d->tools = dialect_put(d, d->chat, "tools", shared(tools));
    return d->fields->status;
}

/* ---- Generate -------------------------------------------------------------------------------------------------- */

static void read_completion(struct dialect *d, struct str prompt, const json_t *root)
{
    static const char *const of_chats[] = {"messages", "tools", "thinking", "reasoning_effort", NULL};
    dialect_drop(d, of_chats);
    d->messages = d->tools = NULL;
    d->is_completion = d->fills_context = true;
    read_options(d, root, "max_tokens");
    dialect_put_str(d, d->chat, "prompt", prompt);
}

enum status dialect_ollama_read_generate(struct dialect *d, const json_t *root)
{
    static const char *const own[] = {"options", "format",   "think",        "keep_alive", "images",   "stream_options",
                                      "n",       "logprobs", "top_logprobs", "system",     "template", "raw",
                                      "context", "prompt",   "width",        "height",     "steps",    NULL};
    struct fields *f = d->fields;
    struct str prompt = str_of(""), suffix = str_of(""), system = str_of("");
    bool raw = false;
    dialect_drop(d, own);
    read_model(d, root);
    read_stream(d, root);
    fields_str(f, root, "prompt", (size_t)-1, &prompt);
    fields_str(f, root, "suffix", (size_t)-1, &suffix);
    fields_str(f, root, "system", (size_t)-1, &system);
    fields_bool(f, root, "raw", &raw);
    refuse_images(d, root);
    if (fields_get(f, root, "template"))
        fields_fault(f, "unsupported_parameter", "template", "not offered by this server");
    read_format(d, root);
    if (raw || suffix.len) {
        read_completion(d, prompt, root);
        return f->status;
    }
    read_options(d, root, "max_completion_tokens");
    read_think(d, root);
    if (system.len)
        dialect_put_str(d, dialect_add_message(d, "system", "system"), "content", system);
    dialect_put_str(d, dialect_add_message(d, "user", "prompt"), "content", prompt);
    dialect_name(d, "messages", "prompt");
    d->only_loads = prompt.len == 0;
    return f->status;
}
