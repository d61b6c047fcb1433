/* The OpenAPI document. What a row of the route table does not say of its bodies stands in `operations`; the members of chats and
 * completions come from the table of fields. */
#include "server/openapi.h"

#include <stdio.h>
#include <string.h>

#include "base/emit_json.h"
#include "server/api.h"
#include "server/request_fields.h"
#include "server/routes.h"
#include "server/version.h"

enum reply_media { REPLY_JSON, REPLY_JSON_OR_EVENTS, REPLY_JSON_OR_LINES, REPLY_PLAIN, REPLY_NO_BODY };

struct operation {
    route_handler *handler;
    const char *request, *reply; /* names of schemas; null: an object */
    enum reply_media media;
};

/* Handlers that are not here take an object and answer with one. */
static const struct operation operations[] = {
    {api_chat, "ChatRequest", "ChatCompletion", REPLY_JSON_OR_EVENTS},
    {api_completions, "CompletionRequest", "Completion", REPLY_JSON_OR_EVENTS},
    {api_responses, "ResponseRequest", NULL, REPLY_JSON_OR_EVENTS},
    {api_input_tokens, "ResponseRequest", NULL, REPLY_JSON},
    {api_embeddings, "EmbeddingRequest", "List", REPLY_JSON},
    {api_messages, "MessagesRequest", NULL, REPLY_JSON_OR_EVENTS},
    {api_count_tokens, "MessagesRequest", NULL, REPLY_JSON},
    {api_ollama_chat, NULL, NULL, REPLY_JSON_OR_LINES},
    {api_ollama_generate, NULL, NULL, REPLY_JSON_OR_LINES},
    {api_completion, NULL, NULL, REPLY_JSON_OR_EVENTS},
    {api_infill, NULL, NULL, REPLY_JSON_OR_EVENTS},
    {api_slots, NULL, "Array", REPLY_JSON},
    {api_invocations, NULL, NULL, REPLY_JSON_OR_EVENTS},
    {api_predict, NULL, NULL, REPLY_JSON_OR_EVENTS},
    {api_models, NULL, "List", REPLY_JSON},
    {api_detokenize, "DetokenizeRequest", NULL, REPLY_JSON},
    {api_apply_template, "ChatRequest", NULL, REPLY_JSON},
    {api_ping, NULL, NULL, REPLY_NO_BODY},
    {api_metrics, NULL, NULL, REPLY_PLAIN},
};

static const struct operation *operation_of(const struct route *row)
{
    static const struct operation object = {NULL, NULL, NULL, REPLY_JSON};
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (operations[i].handler == row->handler)
            return &operations[i];
    return &object;
}

/* ---- Schemas ---------------------------------------------------------------------------------------------------- */

#define OBJECT(required, properties) "{\"type\":\"object\",\"required\":[" required "],\"properties\":{" properties "}}"
#define TEXT "{\"type\":\"string\"}"
#define INTEGER "{\"type\":\"integer\"}"
#define OBJECTS "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"
#define TEXT_OR_OBJECTS "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"object\"}}"

static const struct {
    const char *name, *text;
} schemas[] = {
    {"Object", "{\"type\":\"object\"}"},
    {"Array", "{\"type\":\"array\"}"},
    {"List", OBJECT("\"object\",\"data\"", "\"object\":{\"const\":\"list\"},\"data\":" OBJECTS)},
    {"Message", OBJECT("\"role\"", "\"role\":{\"enum\":[\"system\",\"developer\",\"user\",\"assistant\",\"tool\",\"function\"]},"
                                   "\"content\":{\"type\":[\"string\",\"array\",\"null\"],\"items\":{\"type\":\"object\"}}")},
    {"ChatCompletion", OBJECT("\"id\",\"object\",\"created\",\"model\",\"choices\"",
                              "\"id\":" TEXT ",\"object\":{\"const\":\"chat.completion\"},\"created\":" INTEGER ",\"model\":" TEXT
                              ",\"choices\":" OBJECTS ",\"usage\":{\"type\":\"object\"}")},
    {"Completion", OBJECT("\"id\",\"object\",\"created\",\"model\",\"choices\"",
                          "\"id\":" TEXT ",\"object\":{\"const\":\"text_completion\"},\"created\":" INTEGER ",\"model\":" TEXT
                          ",\"choices\":" OBJECTS ",\"usage\":{\"type\":\"object\"}")},
    {"ResponseRequest", OBJECT("", "\"model\":" TEXT ",\"input\":" TEXT_OR_OBJECTS ",\"stream\":{\"type\":[\"boolean\",\"null\"]}")},
    {"EmbeddingRequest", OBJECT("\"input\"", "\"model\":" TEXT ",\"input\":{\"type\":[\"string\",\"array\"]}")},
    {"MessagesRequest", OBJECT("\"messages\"", "\"model\":" TEXT ",\"messages\":" OBJECTS ",\"max_tokens\":" INTEGER)},
    {"DetokenizeRequest", OBJECT("\"tokens\"", "\"tokens\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0}}")},
    {"Error", OBJECT("\"error\"", "\"error\":" OBJECT("\"message\",\"type\",\"code\"", "\"message\":" TEXT ",\"type\":" TEXT
                                                    ",\"param\":{\"type\":[\"string\",\"null\"]}"))},
    {"MessagesError", OBJECT("\"type\",\"error\"", "\"type\":{\"const\":\"error\"},\"error\":"
                                                   OBJECT("\"type\",\"message\"", "\"type\":" TEXT ",\"message\":" TEXT))},
    {"OllamaError", OBJECT("\"error\"", "\"error\":" TEXT)},
};

static void write_fields(struct emit_json *json, const char *name, enum request_kind kind, const char *needed)
{
    emit_key(json, name);
    emit_object_begin(json);
    emit_key_text(json, "type", "object");
    emit_key(json, "required");
    emit_array_begin(json);
    emit_text(json, "model");
    emit_text(json, needed);
    emit_array_end(json);
    emit_key(json, "properties");
    emit_object_begin(json);
    request_fields_write_schema(json->out, kind);
    emit_object_end(json);
    emit_object_end(json);
}

static void write_components(struct emit_json *json)
{
    emit_key(json, "components");
    emit_object_begin(json);
    emit_key(json, "securitySchemes");
    emit_raw(json, str_of("{\"key\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    emit_key(json, "schemas");
    emit_object_begin(json);
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        emit_key(json, schemas[i].name);
        emit_raw(json, str_of(schemas[i].text));
    }
    write_fields(json, "ChatRequest", REQUEST_CHAT, "messages");
    write_fields(json, "CompletionRequest", REQUEST_COMPLETION, "prompt");
    emit_object_end(json);
    emit_object_end(json);
}

/* ---- Operations ------------------------------------------------------------------------------------------------- */

static void write_media(struct emit_json *json, const char *type, const char *schema)
{
    emit_key(json, type);
    emit_object_begin(json);
    emit_key(json, "schema");
    emit_object_begin(json);
    if (schema) {
        char reference[64];
        snprintf(reference, sizeof reference, "#/components/schemas/%s", schema);
        emit_key_text(json, "$ref", reference);
    } else {
        emit_key_text(json, "type", "string");
    }
    emit_object_end(json);
    emit_object_end(json);
}

static void write_contents(struct emit_json *json, const struct operation *o)
{
    static const char *const texts[] = {[REPLY_JSON_OR_EVENTS] = "text/event-stream", [REPLY_JSON_OR_LINES] = "application/x-ndjson",
                                        [REPLY_PLAIN] = "text/plain"};
    if (o->media == REPLY_NO_BODY)
        return;
    emit_key(json, "content");
    emit_object_begin(json);
    if (o->media != REPLY_PLAIN)
        write_media(json, "application/json", o->reply ? o->reply : "Object");
    if (texts[o->media])
        write_media(json, texts[o->media], NULL);
    emit_object_end(json);
}

static const char *error_schema(const struct route *row)
{
    return row->surface == ROUTE_SURFACE_ANTHROPIC ? "MessagesError" : row->surface == ROUTE_SURFACE_OLLAMA ? "OllamaError" : "Error";
}

static void write_responses(struct emit_json *json, const struct route *row, const struct operation *o)
{
    emit_key(json, "responses");
    emit_object_begin(json);
    emit_key(json, "200");
    emit_object_begin(json);
    emit_key_text(json, "description", row->help);
    write_contents(json, o);
    emit_object_end(json);
    emit_key(json, "default");
    emit_object_begin(json);
    emit_key_text(json, "description", "What was wrong.");
    if (o->media != REPLY_NO_BODY)
        write_contents(json, &(struct operation){.reply = error_schema(row), .media = REPLY_JSON});
    emit_object_end(json);
    emit_object_end(json);
}

static void write_body(struct emit_json *json, const struct operation *o)
{
    emit_key(json, "requestBody");
    emit_object_begin(json);
    emit_key_bool(json, "required", true);
    write_contents(json, &(struct operation){.reply = o->request, .media = REPLY_JSON});
    emit_object_end(json);
}

static void write_operation(struct emit_json *json, const struct route *row)
{
    const struct operation *o = operation_of(row);
    emit_key(json, row->method == HTTP_POST ? "post" : "get");
    emit_object_begin(json);
    emit_key_text(json, "summary", row->help);
    if (strstr(row->path, "{id}")) {
        emit_key(json, "parameters");
        emit_raw(json, str_of("[{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\",\"minLength\":1}}]"));
    }
    if (row->scope != ROUTE_SCOPE_PUBLIC && row->scope != ROUTE_SCOPE_BANNER) {
        emit_key(json, "security");
        emit_raw(json, str_of("[{\"key\":[]},{}]"));
    }
    if (row->has_body)
        write_body(json, o);
    write_responses(json, row, o);
    emit_object_end(json);
}

void openapi_write(struct buf *out)
{
    struct emit_json json = emit_json_to(out);
    emit_object_begin(&json);
    emit_key_text(&json, "openapi", "3.1.0");
    emit_key(&json, "info");
    emit_object_begin(&json);
    emit_key_text(&json, "title", "seekd");
    emit_key_text(&json, "version", VERSION_API);
    emit_object_end(&json);
    emit_key(&json, "paths");
    emit_object_begin(&json);
    for (size_t i = 0; i < routes_count; i++) { /* no path has two rows: the table's test holds it */
        char path[64];
        snprintf(path, sizeof path, "%s%s", routes_shown_prefix(&routes_table[i]), routes_table[i].path);
        emit_key(&json, path);
        emit_object_begin(&json);
        write_operation(&json, &routes_table[i]);
        emit_object_end(&json);
    }
    emit_object_end(&json);
    write_components(&json);
    emit_object_end(&json);
    buf_add_char(out, '\n');
}
