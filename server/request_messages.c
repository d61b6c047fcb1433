/* A chat's messages: roles, parts, earlier tool calls. Faults name the path, as messages[2].content[0].type. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/request.h"

enum { PATH_BYTES = 48, CALLS_MAX = 128, CONTENT_BYTES_MAX = 1 << 30 };

/* What has been read so far: calls, so that tool messages can be held against them. */
struct reading {
    struct fields *fields;
    struct arena *arena;
    struct chat_message *messages;
    uint32_t n;
};

static struct str copy(struct reading *r, struct str text)
{
    struct str kept = arena_str(r->arena, text);
    if (!kept.at && !r->fields->status)
        r->fields->status = error_set(r->fields->error, STATUS_NO_MEMORY, "out of memory");
    return kept;
}

/* Names and ids hold no U+0000: they travel to places where it would end them. */
static struct str copy_name(struct reading *r, const char *key, struct str text)
{
    if (memchr(text.at, 0, text.len))
        fields_fault(r->fields, "invalid_value", key, "holds U+0000");
    return copy(r, text);
}

static struct str value_of(const json_t *string)
{
    return str_from(json_string_value(string), json_string_length(string));
}

/* ---- Content ----------------------------------------------------------------------------------------------- */

static void read_part(struct reading *r, const json_t *part, size_t index, enum chat_role role, struct buf *joined)
{
    struct fields *f = r->fields;
    char key[2 * PATH_BYTES];
    const json_t *type = json_object_get(part, "type"), *text;
    snprintf(key, sizeof key, "content[%zu]", index);
    if (!json_is_object(part)) {
        fields_fault(f, "invalid_type", key, "expected an object, found %s", fields_kind(part));
        return;
    }
    snprintf(key, sizeof key, "content[%zu].type", index);
    if (!json_is_string(type)) {
        fields_fault(f, type ? "invalid_type" : "missing_required_parameter", key, "expected a string");
        return;
    }
    struct str name = value_of(type);
    bool refusal = role == CHAT_ASSISTANT && str_is(name, "refusal");
    if (str_is(name, "image_url") || str_is(name, "input_audio") || str_is(name, "file") || str_is(name, "video_url")) {
        fields_fault(f, "unsupported_value", key, "the model takes text parts only");
        return;
    }
    if (!refusal && !str_is(name, "text")) {
        fields_fault(f, "invalid_value", key, "expected text");
        return;
    }
    snprintf(key, sizeof key, "content[%zu].%s", index, refusal ? "refusal" : "text");
    text = json_object_get(part, refusal ? "refusal" : "text");
    if (!json_is_string(text)) {
        fields_fault(f, text ? "invalid_type" : "missing_required_parameter", key, "expected a string");
        return;
    }
    if (index)
        buf_add_char(joined, '\n');
    buf_add_str(joined, value_of(text));
}

static void read_content(struct reading *r, const json_t *object, struct chat_message *m)
{
    struct fields *f = r->fields;
    const json_t *content = fields_get(f, object, "content");
    if (!content)
        return;
    m->has_content = true;
    if (json_is_string(content)) {
        m->content = copy(r, value_of(content));
        return;
    }
    if (!json_is_array(content)) {
        fields_fault(f, "invalid_type", "content", "expected a string or an array of parts, found %s", fields_kind(content));
        return;
    }
    if (json_array_size(content) == 0)
        fields_fault(f, "empty_array", "content", "at least one part is needed");
    if (json_array_size(content) > REQUEST_PARTS_MAX)
        fields_fault(f, "array_above_max_length", "content", "%zu parts, at most %d", json_array_size(content), REQUEST_PARTS_MAX);
    struct buf joined;
    buf_init(&joined, CONTENT_BYTES_MAX);
    for (size_t i = 0; i < json_array_size(content) && !f->status; i++)
        read_part(r, json_array_get(content, i), i, m->role, &joined);
    m->content = copy(r, buf_str(&joined));
    if (buf_status(&joined) != STATUS_OK && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    buf_release(&joined);
}

/* ---- Tool calls of earlier turns --------------------------------------------------------------------------- */

static void read_arguments(struct reading *r, const json_t *function, struct chat_tool_call *call)
{
    const json_t *arguments = json_object_get(function, "arguments");
    if (json_is_string(arguments)) {
        call->arguments = copy(r, value_of(arguments));
    } else if (json_is_object(arguments)) {
        char *text = json_dumps(arguments, JSON_COMPACT);
        call->arguments = copy(r, str_of(text ? text : ""));
        if (!text && !r->fields->status)
            r->fields->status = error_set(r->fields->error, STATUS_NO_MEMORY, "out of memory");
        mem_free(text);
    } else if (arguments && !json_is_null(arguments)) {
        fields_fault(r->fields, "invalid_type", "function.arguments", "expected a string or an object");
    } else {
        call->arguments = str_of("{}");
    }
}

static void read_call(struct reading *r, const json_t *object, struct chat_tool_call *call)
{
    struct fields *f = r->fields;
    const json_t *function;
    struct str text;
    if (!json_is_object(object)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(object));
        return;
    }
    if (!fields_str(f, object, "id", 512, &text))
        fields_fault(f, "missing_required_parameter", "id", "expected a string");
    else
        call->id = copy_name(r, "id", text);
    if (fields_str(f, object, "type", 64, &text) && !str_is(text, "function"))
        fields_fault(f, "invalid_value", "type", "expected function");
    function = fields_object(f, object, "function");
    if (!function) {
        fields_fault(f, "missing_required_parameter", "function", "expected an object");
        return;
    }
    const json_t *name = json_object_get(function, "name");
    if (!json_is_string(name) || json_string_length(name) == 0)
        fields_fault(f, name ? "invalid_type" : "missing_required_parameter", "function.name", "expected a name");
    else
        call->name = copy_name(r, "function.name", value_of(name));
    if (!f->status)
        read_arguments(r, function, call);
}

static void read_calls(struct reading *r, const json_t *object, struct chat_message *m, const char *prefix)
{
    struct fields *f = r->fields;
    const json_t *list = fields_array(f, object, "tool_calls", CALLS_MAX);
    size_t n = json_array_size(list);
    if (!n)
        return;
    struct chat_tool_call *calls = arena_zalloc_array(r->arena, n, sizeof *calls);
    m->calls = calls;
    for (size_t i = 0; i < n && calls && !f->status; i++) {
        snprintf(f->prefix, sizeof f->prefix, "%stool_calls[%zu].", prefix, i);
        read_call(r, json_array_get(list, i), &calls[i]);
        m->n_calls++;
    }
    snprintf(f->prefix, sizeof f->prefix, "%s", prefix);
}

static bool names_earlier_call(const struct reading *r, struct str id)
{
    for (uint32_t i = r->n; i-- > 0;)
        for (uint32_t k = 0; k < r->messages[i].n_calls; k++)
            if (str_equal(r->messages[i].calls[k].id, id))
                return true;
    return false;
}

/* ---- Messages ---------------------------------------------------------------------------------------------- */

static bool read_role(struct fields *f, const json_t *object, enum chat_role *role)
{
    static const char *const names[] = {"system", "developer", "user", "assistant", "tool", NULL};
    static const enum chat_role roles[] = {CHAT_SYSTEM, CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT, CHAT_TOOL};
    int at = fields_choice(f, object, "role", names);
    if (at < 0) {
        fields_fault(f, "missing_required_parameter", "role", "expected system, developer, user, assistant or tool");
        return false;
    }
    *role = roles[at];
    return true;
}

static void read_reasoning(struct reading *r, const json_t *object, struct chat_message *m)
{
    struct str text;
    m->has_reasoning = fields_str(r->fields, object, "reasoning_content", (size_t)-1, &text) ||
                       fields_str(r->fields, object, "reasoning", (size_t)-1, &text);
    if (m->has_reasoning)
        m->reasoning = copy(r, text);
}

static void check_presence(struct reading *r, const json_t *object, const struct chat_message *m)
{
    struct fields *f = r->fields;
    struct str id;
    bool may_lack = m->role == CHAT_ASSISTANT && (m->n_calls || m->has_reasoning || fields_get(f, object, "refusal"));
    if (!m->has_content && !may_lack)
        fields_fault(f, json_object_get(object, "content") ? "invalid_type" : "missing_required_parameter", "content",
                     "expected a string or an array of text parts");
    if (m->role != CHAT_TOOL)
        return;
    if (!fields_str(f, object, "tool_call_id", 512, &id))
        fields_fault(f, "missing_required_parameter", "tool_call_id", "expected the id of an earlier call");
    else if (!names_earlier_call(r, id))
        fields_fault(f, "invalid_value", "tool_call_id", "names no call of an earlier assistant message");
}

static void read_message(struct reading *r, const json_t *object, size_t index, size_t n, bool *continue_final)
{
    struct fields *f = r->fields;
    struct chat_message *m = &r->messages[index];
    char prefix[PATH_BYTES];
    struct str text;
    bool is_prefix = false;
    snprintf(prefix, sizeof prefix, "messages[%zu].", index);
    snprintf(f->prefix, sizeof f->prefix, "%s", prefix);
    if (!json_is_object(object)) {
        fields_fault(f, "invalid_type", NULL, "expected an object, found %s", fields_kind(object));
        return;
    }
    m->content = m->reasoning = m->name = m->tool_call_id = str_of("");
    if (!read_role(f, object, &m->role))
        return;
    read_content(r, object, m);
    if (fields_str(f, object, "name", 256, &text))
        m->name = copy_name(r, "name", text);
    if (m->role == CHAT_ASSISTANT) {
        read_reasoning(r, object, m);
        read_calls(r, object, m, prefix);
    }
    check_presence(r, object, m);
    if (m->role == CHAT_TOOL && fields_str(f, object, "tool_call_id", 512, &text))
        m->tool_call_id = copy_name(r, "tool_call_id", text);
    if (fields_bool(f, object, "prefix", &is_prefix) && is_prefix) {
        if (m->role != CHAT_ASSISTANT || index + 1 != n)
            fields_fault(f, "invalid_value", "prefix", "only on the last message, and of role assistant");
        *continue_final = true;
    }
    r->n++;
}

void request_read_messages(struct fields *f, struct arena *arena, const json_t *root, struct chat_input *input, bool *continue_final)
{
    const json_t *list = fields_array(f, root, "messages", REQUEST_MESSAGES_MAX);
    size_t n = json_array_size(list);
    if (f->status)
        return;
    if (!list || n == 0) {
        fields_fault(f, list ? "empty_array" : "missing_required_parameter", "messages", "at least one message is needed");
        return;
    }
    struct reading r = {.fields = f, .arena = arena, .messages = arena_zalloc_array(arena, n, sizeof *r.messages)};
    for (size_t i = 0; i < n && r.messages && !f->status; i++)
        read_message(&r, json_array_get(list, i), i, n, continue_final);
    f->prefix[0] = 0;
    if (!r.messages)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    if (f->status)
        return;
    input->messages = r.messages;
    input->n_messages = r.n;
    if (*continue_final && r.messages[n - 1].role != CHAT_ASSISTANT)
        fields_fault(f, "invalid_value", "continue_final_message", "the last message is not of role assistant");
}
