/* From what a request asks of its output to the language that the engine holds it to. On the pool: compiling is bounded by fuel, and ends
 * when the client leaves. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/language_cache.h"
#include "server/request.h"
#include "server/server.h"
#include "text/automaton_image.h"
#include "text/gbnf.h"
#include "text/json_language.h"
#include "text/json_schema.h"
#include "text/json_schema_strict.h"
#include "text/output_language.h"
#include "text/regex.h"

enum {
    EXPRESSIONS_MAX = 250000,
    COMPILE_FUEL = 25000000, /* a quarter of a second */
    KEY_BYTES_MAX = 16 << 20,
    UNENFORCED_BYTES_MAX = 1 << 20,
    WARNING_BYTES_MAX = 400,
};

struct compile {
    struct automaton *a;
    const struct request *request;
    const struct code_points *sets; /* [N_REQUEST_PARTS] of guards that are on */
    struct output_language_form form; /* of calls */
    struct str bridge;
    struct buf *unenforced;
    struct error *error;
    enum status status;
};

/* ---- Parts ----------------------------------------------------------------------------------------------------- */

/* A fault of what the caller sent gets the code of its kind and the field; where it is goes into the message. */
static void fault(struct compile *c, const char *code, const char *field)
{
    struct error *e = c->error;
    char message[sizeof e->message];
    if (c->status == STATUS_NO_MEMORY || c->status == STATUS_CANCELLED)
        return;
    snprintf(message, sizeof message, "%s: %s%s%.300s", field, e->path, *e->path ? ": " : "", e->message);
    c->status = error_set_path(e, c->status, code, field, "%s", message);
}

static uint32_t schema_of(struct compile *c, struct str text, bool strict, bool tool, const char *field)
{
    uint32_t out = AUTOMATON_FAILED;
    json_t *schema = json_loadb(text.at, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (c->status || !schema) {
        c->status = c->status ? c->status : error_set(c->error, STATUS_NO_MEMORY, "out of memory");
        json_decref(schema);
        return out;
    }
    error_clear(c->error);
    if (tool && strict)
        c->status = json_schema_make_strict(schema, c->error);
    if (!c->status)
        c->status = json_schema_language(c->a, schema, strict, c->unenforced, &out, c->error);
    if (c->status)
        fault(c, "invalid_json_schema", field);
    json_decref(schema);
    return out;
}

static uint32_t choices_of(struct compile *c)
{
    struct automaton_list list = {0};
    json_t *choices = json_loadb(c->request->form_text.at, c->request->form_text.len, JSON_ALLOW_NUL, NULL), *choice;
    size_t i;
    json_array_foreach(choices, i, choice)
    {
        automaton_list_add(&list, automaton_text(c->a, str_from(json_string_value(choice), json_string_length(choice))));
    }
    if (!choices)
        c->status = error_set(c->error, STATUS_NO_MEMORY, "out of memory");
    json_decref(choices);
    return automaton_list_either(c->a, &list);
}

static uint32_t object_of(struct compile *c)
{
    struct json_language json;
    json_language_init(&json, c->a);
    return json.object;
}

/* Text that keeps to the guard of its part. */
static uint32_t text_of(struct compile *c, enum request_part part)
{
    return c->request->guards[part].on ? output_language_guarded(c->a, &c->sets[part]) : output_language_text(c->a);
}

/* What the answer is asked to be, without calls. */
static uint32_t form_of(struct compile *c)
{
    const struct request *r = c->request;
    uint32_t out = AUTOMATON_FAILED;
    error_clear(c->error);
    switch (r->form) {
    case REQUEST_FORM_NONE:
        return text_of(c, REQUEST_ANSWER);
    case REQUEST_FORM_OBJECT:
        return object_of(c);
    case REQUEST_FORM_SCHEMA:
        return schema_of(c, r->form_text, r->form_strict, false, r->form_field);
    case REQUEST_FORM_CHOICE:
        return choices_of(c);
    case REQUEST_FORM_REGEX:
        c->status = regex_language(c->a, r->form_text, true, WRITING_UTF8, &out, c->error);
        if (c->status)
            fault(c, "invalid_regex", r->form_field);
        return out;
    case REQUEST_FORM_GRAMMAR:
        c->status = gbnf_language(c->a, r->form_text, &out, c->error);
        if (c->status)
            fault(c, "invalid_grammar", r->form_field);
        return out;
    }
    return out;
}

/* A string that may be any: DSML writes it as it is. */
static bool is_any_text(const json_t *schema)
{
    static const char *const said[] = {"type", "title", "description", "default", "examples"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        n += json_object_get(schema, said[i]) != NULL;
    const char *type = json_string_value(json_object_get(schema, "type"));
    return type && strcmp(type, "string") == 0 && n == json_object_size(schema);
}

/* A property's schema with the definitions that it may refer to, as the root of its own. A new reference. */
static json_t *rooted(const json_t *property, const json_t *root)
{
    static const char *const shared[] = {"$defs", "definitions"};
    json_t *copy = json_copy((json_t *)(uintptr_t)property);
    for (size_t i = 0; i < sizeof shared / sizeof shared[0] && json_is_object(copy); i++)
        if (json_object_get(root, shared[i]))
            json_object_set(copy, shared[i], json_object_get(root, shared[i]));
    return copy;
}

static uint32_t parameter_of(struct compile *c, struct str key, const json_t *property, const json_t *root, bool strict, const char *field)
{
    uint32_t value = AUTOMATON_FAILED;
    if (is_any_text(property))
        return output_language_parameter(c->a, &c->form, key, true, output_language_parameter_text(c->a));
    json_t *schema = rooted(property, root);
    error_clear(c->error);
    c->status = schema ? json_schema_language(c->a, schema, strict, c->unenforced, &value, c->error)
                       : error_set(c->error, STATUS_NO_MEMORY, "out of memory");
    if (c->status)
        fault(c, "invalid_json_schema", field);
    json_decref(schema);
    return output_language_parameter(c->a, &c->form, key, false, value);
}

static bool is_required(const json_t *root, const char *key)
{
    const json_t *list = json_object_get(root, "required");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_string(json_array_get(list, i)) && strcmp(json_string_value(json_array_get(list, i)), key) == 0)
            return true;
    return false;
}

/* The schema's properties in their order, those that need not be there maybe. */
static uint32_t parameters_of(struct compile *c, struct str text, bool strict, const char *field)
{
    json_t *root = json_loadb(text.at, text.len, JSON_ALLOW_NUL, NULL), *property;
    uint32_t all = automaton_text(c->a, str_of(""));
    const char *key;
    if (!root)
        c->status = error_set(c->error, STATUS_NO_MEMORY, "out of memory");
    else if (strict)
        c->status = json_schema_make_strict(root, c->error);
    if (c->status && root)
        fault(c, "invalid_json_schema", field);
    json_object_foreach(json_object_get(root, "properties"), key, property)
    {
        if (c->status || strpbrk(key, "\"<>"))
            continue;
        uint32_t one = parameter_of(c, str_of(key), property, root, strict, field);
        all = automaton_join(c->a, all, is_required(root, key) ? one : automaton_maybe(c->a, one));
    }
    json_decref(root);
    return all;
}

/* The arguments of a call: of the schema where that is asked for, else any text. */
static uint32_t arguments_of(struct compile *c, uint32_t tool)
{
    const struct chat_tool *t = &c->request->tools[tool];
    bool dsml = c->form.form == TOOL_FORM_DSML;
    char field[48];
    if (!c->request->must_call && !t->strict)
        return dsml ? output_language_any_parameters(c->a, &c->form) : output_language_text(c->a);
    snprintf(field, sizeof field, "tools[%u].function.parameters", tool);
    if (dsml)
        return parameters_of(c, t->parameters.len ? t->parameters : str_of("{}"), t->strict, field);
    return t->parameters.len ? schema_of(c, t->parameters, t->strict, true, field) : automaton_text(c->a, str_of("{}"));
}

static uint32_t calls_of(struct compile *c)
{
    const struct request *r = c->request;
    struct output_language_call calls[REQUEST_TOOLS_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < r->n_tools && !c->status; i++)
        if (r->callable[i])
            calls[n++] = (struct output_language_call){r->tools[i].name, arguments_of(c, i)};
    return output_language_calls(c->a, &c->form, calls, n, r->one_call);
}

/* ---- The whole ------------------------------------------------------------------------------------------------- */

static bool has_strict_tool(const struct request *r)
{
    for (uint32_t i = 0; i < r->n_tools; i++)
        if (r->tools[i].strict && r->callable[i])
            return true;
    return false;
}

/* The answer, or calls, or text and then calls. */
static uint32_t answer_of(struct compile *c)
{
    const struct request *r = c->request;
    uint32_t calls = r->n_tools ? calls_of(c) : AUTOMATON_NOTHING;
    if (c->status || r->must_call)
        return calls;
    uint32_t form = form_of(c);
    if (!r->n_tools)
        return form;
    return r->form ? automaton_or(c->a, form, calls) : output_language_text_and_calls(c->a, &c->form, form, calls);
}

static enum status compile(struct compile *c, const struct server *server, const struct chat_prompt *chat, struct buf *image)
{
    uint32_t marks[N_TOOL_MARKS] = {0}, rule;
    const struct output_language_marks thought = {server->text.tokenizer, chat_format_think_open(server->format),
                                                  chat_format_think_close(server->format), chat && chat->in_reasoning, c->bridge};
    if (c->request->n_tools)
        check(chat_format_find_tool_marks(server->format, server->text.tokenizer, marks));
    c->form = (struct output_language_form){chat_format_tool_form(server->format), server->text.tokenizer, marks};
    uint32_t root = answer_of(c);
    if (!c->status && chat && chat->thinking && thought.think_close)
        root = output_language_after_thought(c->a, &thought, text_of(c, REQUEST_REASONING), root);
    if (!c->status)
        c->status = automaton_seal(c->a, &root, &rule, c->error);
    if (!c->status)
        c->status = automaton_image_write(c->a, root, image, c->error);
    return c->status;
}

static void add_key(struct buf *key, struct str text)
{
    uint64_t n = text.len;
    buf_add(key, &n, sizeof n);
    buf_add_str(key, text);
}

/* All that decides the language. */
static void write_key(struct buf *key, const struct request *r, const struct chat_prompt *chat, const struct code_points *sets,
                      struct str bridge)
{
    const uint8_t head[] = {(uint8_t)r->form, r->form_strict,         r->must_call,
                            r->one_call,      chat && chat->thinking, chat && chat->in_reasoning};
    buf_add(key, head, sizeof head);
    add_key(key, r->form_text);
    add_key(key, bridge);
    for (unsigned i = 0; i < N_REQUEST_PARTS; i++)
        add_key(key, str_from((const char *)sets[i].at, sets[i].n * sizeof *sets[i].at));
    for (uint32_t i = 0; i < r->n_tools; i++) {
        if (!r->callable[i])
            continue;
        buf_add_char(key, (char)r->tools[i].strict);
        add_key(key, r->tools[i].name);
        add_key(key, r->tools[i].parameters);
    }
}

static const char *code_of(const struct request *r)
{
    return r->form == REQUEST_FORM_REGEX ? "invalid_regex" : r->form == REQUEST_FORM_GRAMMAR ? "invalid_grammar" : "invalid_json_schema";
}

static enum status compile_anew(struct exchange *exchange, const struct request *r, const struct chat_prompt *chat,
                                const struct code_points *sets, struct str bridge, struct buf *image, struct buf *unenforced,
                                struct error *error)
{
    struct compile c = {.request = r, .sets = sets, .bridge = bridge, .unenforced = unenforced, .error = error};
    enum status status = automaton_create(&c.a, EXPRESSIONS_MAX, error);
    if (status)
        return status;
    automaton_refuel(c.a, COMPILE_FUEL);
    automaton_heed(c.a, exchange_cancel_flag(exchange));
    status = compile(&c, exchange_server(exchange), chat, image);
    if (status && !error->code && status != STATUS_NO_MEMORY && status != STATUS_CANCELLED) /* found when all was put together */
        fault(&c, code_of(r), r->form ? r->form_field : r->n_tools ? "tools" : "language_guard");
    automaton_free(c.a);
    return status;
}

/* What could not be held to, in a header: a line of printable letters. */
static void warn(struct exchange *exchange, struct str unenforced)
{
    char header[WARNING_BYTES_MAX + 64];
    if (!unenforced.len)
        return;
    int n = snprintf(header, sizeof header, "x-seekd-warnings: not enforced: %.*s",
                     (int)(unenforced.len < WARNING_BYTES_MAX ? unenforced.len - 1 : WARNING_BYTES_MAX), unenforced.at);
    for (int i = 0; i < n; i++)
        header[i] = header[i] == '\n' ? ',' : header[i] >= ' ' && header[i] <= '~' ? header[i] : '?';
    memcpy(header + n, "\r\n", 3);
    exchange_add_headers(exchange, header);
}

static enum status compile_and_keep(struct exchange *exchange, const struct request *r, const struct chat_prompt *chat,
                                    const struct code_points *sets, struct str bridge, struct str key, struct language_entry *entry,
                                    struct error *error)
{
    struct buf image, unenforced;
    buf_init(&image, PROTOCOL_LANGUAGE_BYTES_MAX);
    buf_init(&unenforced, UNENFORCED_BYTES_MAX);
    enum status status = compile_anew(exchange, r, chat, sets, bridge, &image, &unenforced, error);
    if (!status) {
        entry->image = arena_str(exchange_arena(exchange), buf_str(&image));
        entry->unenforced = arena_str(exchange_arena(exchange), buf_str(&unenforced));
        status = entry->image.at && entry->unenforced.at ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
    }
    if (!status)
        language_cache_add(exchange_server(exchange)->languages, key, entry);
    buf_release(&image);
    buf_release(&unenforced);
    return status;
}

static enum status find_or_compile(struct exchange *exchange, struct request *r, const struct chat_prompt *chat,
                                   const struct code_points *sets, struct str bridge, struct error *error)
{
    struct buf key;
    struct language_entry entry;
    buf_init(&key, KEY_BYTES_MAX);
    write_key(&key, r, chat, sets, bridge);
    enum status status = buf_status(&key) ? STATUS_NO_MEMORY
                                          : language_cache_find(exchange_server(exchange)->languages, buf_str(&key),
                                                                exchange_arena(exchange), &entry);
    if (status == STATUS_NOT_FOUND)
        status = compile_and_keep(exchange, r, chat, sets, bridge, buf_str(&key), &entry, error);
    else if (status)
        error_set(error, status, "out of memory");
    buf_release(&key);
    if (status)
        return status;
    r->language = entry.image;
    r->unenforced = entry.unenforced;
    warn(exchange, entry.unenforced);
    return STATUS_OK;
}

enum status request_compile_language(struct exchange *exchange, struct request *r, const struct chat_prompt *chat,
                                     const struct chat_input *input, struct error *error)
{
    struct code_points sets[N_REQUEST_PARTS] = {{0}};
    enum status status = STATUS_OK;
    if (input)
        request_settle_guards(r, input);
    bool guarded = r->guards[REQUEST_REASONING].on || r->guards[REQUEST_ANSWER].on;
    if (!guarded && !r->form && !r->must_call && !r->limits_calls && !has_strict_tool(r))
        return STATUS_OK;
    for (unsigned i = 0; i < N_REQUEST_PARTS && !status; i++)
        if (r->guards[i].on)
            status = request_guard_set(exchange, &r->guards[i], input, &sets[i], error);
    if (!status)
        status = find_or_compile(exchange, r, chat, sets, chat && chat->thinking ? request_bridge(input) : str_of(""), error);
    for (unsigned i = 0; i < N_REQUEST_PARTS; i++)
        code_points_release(&sets[i]);
    return status;
}
