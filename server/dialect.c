/* What the readers of dialects share. */
#include "server/dialect.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { PATH_BYTES = 160, TEXT_BYTES_MAX = 1 << 30 };

static void no_memory(struct dialect *d)
{
    if (!d->fields->status)
        d->fields->status = error_set(d->fields->error, STATUS_NO_MEMORY, "out of memory");
}

enum status dialect_init(struct dialect *d, struct exchange *exchange, struct fields *fields, const json_t *root)
{
    static const char *const built[] = {"messages", "tools", NULL};
    *d = (struct dialect){.exchange = exchange, .fields = fields, .chat = json_copy((json_t *)(uintptr_t)root)};
    dialect_drop(d, built);
    d->messages = dialect_put(d, d->chat, "messages", json_array());
    d->tools = dialect_put(d, d->chat, "tools", json_array());
    return fields->status;
}

void dialect_release(struct dialect *d)
{
    json_decref(d->chat);
    d->chat = d->messages = d->tools = NULL;
}

/* ---- Names ------------------------------------------------------------------------------------------------- */

void dialect_name(struct dialect *d, const char *ours, const char *theirs)
{
    struct arena *arena = exchange_arena(d->exchange);
    struct dialect_name *name = arena_zalloc(arena, sizeof *name);
    if (name)
        *name = (struct dialect_name){d->names, arena_str(arena, str_of(ours)), arena_str(arena, str_of(theirs))};
    if (!name || !name->ours.at || !name->theirs.at)
        no_memory(d);
    else
        d->names = name;
}

static bool names_part(const struct dialect_name *name, struct str path)
{
    if (!str_starts(path, name->ours))
        return false;
    return path.len == name->ours.len || path.at[name->ours.len] == '.' || path.at[name->ours.len] == '[';
}

void dialect_rename(const struct dialect_name *names, struct error *error)
{
    const struct dialect_name *best = NULL;
    struct error before = *error;
    struct str path = str_of(before.path), message = str_of(before.message);
    for (const struct dialect_name *name = names; name; name = name->next)
        if (names_part(name, path) && (!best || name->ours.len > best->ours.len))
            best = name;
    if (!best)
        return;
    struct str rest = str_skip(path, best->ours.len);
    snprintf(error->path, sizeof error->path, "%.*s%.*s", STR_ARG(best->theirs), STR_ARG(rest));
    if (str_starts(message, path))
        snprintf(error->message, sizeof error->message, "%s%s", error->path, message.at + path.len);
}

/* ---- Building ---------------------------------------------------------------------------------------------- */

void dialect_drop(struct dialect *d, const char *const *names)
{
    for (; *names; names++)
        json_object_del(d->chat, *names);
}

json_t *dialect_put(struct dialect *d, json_t *object, const char *key, json_t *value)
{
    if (value && json_object_set_new(object, key, value) == 0)
        return value;
    no_memory(d);
    return NULL;
}

void dialect_put_str(struct dialect *d, json_t *object, const char *key, struct str text)
{
    dialect_put(d, object, key, json_stringn(text.at, text.len));
}

void dialect_put_text(struct dialect *d, json_t *object, const char *key, const char *text)
{
    dialect_put_str(d, object, key, str_of(text));
}

json_t *dialect_append(struct dialect *d, json_t *array, json_t *value)
{
    if (value && json_array_append_new(array, value) == 0)
        return value;
    no_memory(d);
    return NULL;
}

void dialect_move(struct dialect *d, const json_t *object, const char *key, const char *theirs, const char *ours)
{
    json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value))
        return;
    dialect_put(d, d->chat, ours, json_incref(value));
    dialect_name(d, ours, theirs);
}

json_t *dialect_add_message(struct dialect *d, const char *role, const char *theirs)
{
    char ours[PATH_BYTES];
    snprintf(ours, sizeof ours, "messages[%zu]", json_array_size(d->messages));
    json_t *message = dialect_append(d, d->messages, json_object());
    dialect_put_text(d, message, "role", role);
    dialect_name(d, ours, theirs);
    return message;
}

json_t *dialect_add_tool(struct dialect *d, const char *theirs)
{
    char ours[PATH_BYTES];
    snprintf(ours, sizeof ours, "tools[%zu].function", json_array_size(d->tools));
    json_t *tool = dialect_append(d, d->tools, json_object());
    dialect_put_text(d, tool, "type", "function");
    json_t *function = dialect_put(d, tool, "function", json_object());
    dialect_name(d, ours, theirs);
    return function;
}

json_t *dialect_add_call(struct dialect *d, json_t *message, struct str id, struct str name, const char *theirs)
{
    char ours[PATH_BYTES];
    json_t *calls = json_object_get(message, "tool_calls");
    if (!calls)
        calls = dialect_put(d, message, "tool_calls", json_array());
    int n = snprintf(ours, sizeof ours, "messages[%zu].tool_calls[%zu]", json_array_size(d->messages) - 1, json_array_size(calls));
    json_t *call = dialect_append(d, calls, json_object());
    dialect_put_str(d, call, "id", id);
    dialect_put_text(d, call, "type", "function");
    json_t *function = dialect_put(d, call, "function", json_object());
    dialect_put_str(d, function, "name", name);
    dialect_name(d, ours, theirs);
    snprintf(ours + n, sizeof ours - (size_t)n, ".function");
    dialect_name(d, ours, theirs);
    return function;
}

/* ---- Reading ----------------------------------------------------------------------------------------------- */

static struct str value_of(const json_t *string)
{
    return str_from(json_string_value(string), json_string_length(string));
}

static const struct dialect_part *kind_of(const struct dialect_part *kinds, struct str type)
{
    while (kinds->type && !str_is(type, kinds->type))
        kinds++;
    return kinds->type ? kinds : NULL;
}

static void add_part(struct dialect *d, const json_t *part, const char *path, const struct dialect_part *kinds, struct buf *joined)
{
    struct fields *f = d->fields;
    char key[PATH_BYTES];
    const json_t *type = json_object_get(part, "type"), *text;
    if (!json_is_object(part)) {
        fields_fault(f, "invalid_type", path, "expected an object, found %s", fields_kind(part));
        return;
    }
    snprintf(key, sizeof key, "%.100s.type", path);
    const struct dialect_part *kind = json_is_string(type) ? kind_of(kinds, value_of(type)) : NULL;
    if (!kind) {
        const char *code = json_is_string(type) ? "invalid_value" : type ? "invalid_type" : "missing_required_parameter";
        fields_fault(f, code, key, "expected %s", kinds->type);
        return;
    }
    if (!kind->key) {
        fields_fault(f, "unsupported_value", key, "the model takes text only");
        return;
    }
    snprintf(key, sizeof key, "%.100s.%s", path, kind->key);
    text = json_object_get(part, kind->key);
    if (!json_is_string(text))
        fields_fault(f, text ? "invalid_type" : "missing_required_parameter", key, "expected a string");
    else
        buf_add_str(joined, value_of(text));
}

json_t *dialect_text(struct dialect *d, const json_t *object, const char *key, const struct dialect_part *kinds)
{
    struct fields *f = d->fields;
    json_t *value = (json_t *)(uintptr_t)fields_get(f, object, key), *made = NULL;
    struct buf joined;
    char path[PATH_BYTES];
    if (!value || json_is_string(value))
        return json_incref(value);
    if (!json_is_array(value)) {
        fields_fault(f, "invalid_type", key, "expected a string or an array of parts, found %s", fields_kind(value));
        return NULL;
    }
    buf_init(&joined, TEXT_BYTES_MAX);
    for (size_t i = 0; i < json_array_size(value) && !f->status; i++) {
        snprintf(path, sizeof path, "%s[%zu]", key, i);
        if (i)
            buf_add_char(&joined, '\n');
        add_part(d, json_array_get(value, i), path, kinds, &joined);
    }
    if (!f->status && buf_status(&joined) == STATUS_OK)
        made = json_stringn(buf_str(&joined).at, joined.len);
    if (!made)
        no_memory(d);
    buf_release(&joined);
    return made;
}

bool dialect_need_str(struct dialect *d, const json_t *object, const char *key, struct str *out)
{
    if (fields_str(d->fields, object, key, (size_t)-1, out))
        return true;
    fields_fault(d->fields, "missing_required_parameter", key, "expected a string");
    return false;
}

struct str dialect_json(struct dialect *d, const json_t *value, const char *otherwise)
{
    char *text = value && !json_is_null(value) ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    struct str kept = arena_str(exchange_arena(d->exchange), str_of(text ? text : otherwise));
    if (!kept.at || (!text && value && !json_is_null(value)))
        no_memory(d);
    mem_free(text);
    return kept;
}
