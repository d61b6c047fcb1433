/* The table of routes, and finding a row for a path. Adding one: a row here, its handler in api.h, `make docs`. */
#include "server/routes.h"

#include <string.h>

#include "server/api.h"

#define GET HTTP_GET
#define POST HTTP_POST
#define OPENAI ROUTE_PREFIXES_OPENAI
#define V1 ROUTE_PREFIXES_V1
#define ANTHROPIC ROUTE_PREFIXES_ANTHROPIC
#define PLAIN ROUTE_PREFIXES_NONE

/* method, path, prefixes, scope, surface, body, inline, handler, help */
const struct route routes_table[] = {
    {POST, "/chat/completions", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_chat, "Chat, whole or streamed."},
    {POST, "/chat/completions/{id}/answer_now", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_answer_now,
     "End the thought of a running chat."},
    {POST, "/completions", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_completions,
     "Continue a prompt of text or token ids; score one with echo and max_tokens 0."},
    {POST, "/responses", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_responses,
     "OpenAI Responses, stateless, whole or streamed."},
    {POST, "/responses/input_tokens", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_input_tokens,
     "The tokens that a request for a response has as a prompt."},
    {POST, "/embeddings", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_embeddings, "Texts to vectors."},
    {POST, "/messages", ANTHROPIC, ROUTE_SCOPE_USE, ROUTE_SURFACE_ANTHROPIC, true, false, api_messages,
     "Anthropic Messages, whole or streamed."},
    {POST, "/messages/count_tokens", ANTHROPIC, ROUTE_SCOPE_USE, ROUTE_SURFACE_ANTHROPIC, true, false, api_count_tokens,
     "The tokens that messages have as a prompt."},
    {POST, "/api/chat", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OLLAMA, true, false, api_ollama_chat, "Ollama's chat, streamed or whole."},
    {POST, "/api/generate", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OLLAMA, true, false, api_ollama_generate,
     "Ollama's generation from one prompt; with raw or a suffix without the chat template."},
    {POST, "/api/embed", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OLLAMA, true, false, api_ollama_embed, "Ollama's embeddings."},
    {GET, "/api/tags", PLAIN, ROUTE_SCOPE_MODELS, ROUTE_SURFACE_OLLAMA, false, true, api_ollama_tags, "Ollama's list of models."},
    {POST, "/api/show", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OLLAMA, true, false, api_ollama_show, "What Ollama says of a model."},
    {GET, "/api/ps", PLAIN, ROUTE_SCOPE_MODELS, ROUTE_SURFACE_OLLAMA, false, true, api_ollama_ps, "The models that are loaded."},
    {GET, "/api/version", PLAIN, ROUTE_SCOPE_OPS, ROUTE_SURFACE_OLLAMA, false, true, api_ollama_version, "The version."},
    {POST, "/completion", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_NATIVE, true, false, api_completion,
     "A completion in the native form of llama-server."},
    {POST, "/infill", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_NATIVE, true, false, api_infill,
     "Code between a prefix and a suffix, in the same form."},
    {GET, "/props", PLAIN, ROUTE_SCOPE_MODELS, ROUTE_SURFACE_NATIVE, false, true, api_props, "The model and its defaults."},
    {GET, "/slots", PLAIN, ROUTE_SCOPE_OPS, ROUTE_SURFACE_NATIVE, false, true, api_slots, "How many sequences run, without their texts."},
    {GET, "/user/balance", OPENAI, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, false, true, api_balance,
     "DeepSeek's balance: always available, without figures."},
    {POST, "/invocations", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_invocations,
     "What SageMaker sends: a chat where there are messages, a completion where there is a prompt."},
    {POST, "/predict", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_predict,
     "What Vertex AI sends: instances, answered together; without them as /invocations."},
    {POST, "/score", PLAIN, ROUTE_SCOPE_USE, ROUTE_SURFACE_OPENAI, true, false, api_invocations, "The same, for Azure ML."},
    {GET, "/models", OPENAI, ROUTE_SCOPE_MODELS, ROUTE_SURFACE_OPENAI, false, true, api_models, "The models served."},
    {GET, "/models/{id}", OPENAI, ROUTE_SCOPE_MODELS, ROUTE_SURFACE_OPENAI, false, true, api_model, "One model."},
    {POST, "/tokenize", V1, ROUTE_SCOPE_USE, ROUTE_SURFACE_NATIVE, true, false, api_tokenize, "Text or messages to token ids."},
    {POST, "/detokenize", V1, ROUTE_SCOPE_USE, ROUTE_SURFACE_NATIVE, true, false, api_detokenize, "Token ids to text."},
    {POST, "/apply-template", V1, ROUTE_SCOPE_USE, ROUTE_SURFACE_NATIVE, true, false, api_apply_template,
     "A chat body to the prompt text it becomes."},
    {GET, "/health", V1, ROUTE_SCOPE_PUBLIC, ROUTE_SURFACE_OPS, false, true, api_health,
     "200 when able to serve, else the state in words."},
    {GET, "/healthz", PLAIN, ROUTE_SCOPE_PUBLIC, ROUTE_SURFACE_OPS, false, true, api_health, "The same."},
    {GET, "/livez", PLAIN, ROUTE_SCOPE_PUBLIC, ROUTE_SURFACE_OPS, false, true, api_live, "200 while the process runs its loops."},
    {GET, "/ready", PLAIN, ROUTE_SCOPE_PUBLIC, ROUTE_SURFACE_OPS, false, true, api_ready, "200 when a request would be answered."},
    {GET, "/readyz", PLAIN, ROUTE_SCOPE_PUBLIC, ROUTE_SURFACE_OPS, false, true, api_ready, "The same."},
    {GET, "/ping", PLAIN, ROUTE_SCOPE_PUBLIC, ROUTE_SURFACE_OPS, false, true, api_ping, "As /ready, with an empty body."},
    {GET, "/metrics", PLAIN, ROUTE_SCOPE_OPS, ROUTE_SURFACE_OPS, false, true, api_metrics, "Prometheus text."},
    {GET, "/version", PLAIN, ROUTE_SCOPE_OPS, ROUTE_SURFACE_OPS, false, true, api_version, "Version and build."},
    {GET, "/openapi.json", V1, ROUTE_SCOPE_MODELS, ROUTE_SURFACE_OPS, false, true, api_openapi, "The OpenAPI document of all this."},
    {GET, "/", PLAIN, ROUTE_SCOPE_BANNER, ROUTE_SURFACE_OPS, false, true, api_banner, "A line that says what this is."},
};
const size_t routes_count = sizeof routes_table / sizeof routes_table[0];

static const char *const prefixes[][4] = {
    [ROUTE_PREFIXES_NONE] = {""},
    [ROUTE_PREFIXES_OPENAI] = {"", "/v1", "/beta", "/beta/v1"},
    [ROUTE_PREFIXES_V1] = {"", "/v1"},
    [ROUTE_PREFIXES_ANTHROPIC] = {"/v1", "/anthropic/v1"},
};

static bool ends_in(struct str path, struct str end)
{
    return path.len >= end.len && str_equal(str_skip(path, path.len - end.len), end);
}

/* Does the path after its prefix belong to the row? The {id} part is not empty; at the end of a row it takes everything that is left. */
static bool row_has(const struct route *row, struct str path, struct str *tail)
{
    const char *id = strstr(row->path, "{id}");
    *tail = str_from("", 0);
    if (!id)
        return str_is(path, row->path);
    struct str head = str_from(row->path, (size_t)(id - row->path)), end = str_of(id + 4);
    if (!str_starts(path, head) || path.len <= head.len + end.len || !ends_in(path, end))
        return false;
    *tail = str_from(path.at + head.len, path.len - head.len - end.len);
    return !end.len || !memchr(tail->at, '/', tail->len);
}

static bool row_matches(const struct route *row, struct str path, struct str *tail)
{
    for (unsigned i = 0; i < 4 && prefixes[row->prefixes][i]; i++) {
        struct str prefix = str_of(prefixes[row->prefixes][i]);
        if (str_starts(path, prefix) && row_has(row, str_skip(path, prefix.len), tail))
            return true;
    }
    return false;
}

void routes_find(struct route_match *out, enum http_method method, struct str path)
{
    *out = (struct route_match){.tail = {"", 0}};
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *row = &routes_table[i];
        struct str tail;
        if (!row_matches(row, path, &tail))
            continue;
        out->path_known = true;
        out->methods[row->method] = true;
        if (row->method == HTTP_GET)
            out->methods[HTTP_HEAD] = true;
        if (row->method == method || (row->method == HTTP_GET && method == HTTP_HEAD)) {
            out->route = row;
            out->tail = tail;
        }
    }
}

const char *routes_shown_prefix(const struct route *route)
{
    return route->prefixes == ROUTE_PREFIXES_NONE ? "" : "/v1";
}

bool routes_checks_media(const struct route *route)
{
    return route->surface == ROUTE_SURFACE_OPENAI || route->surface == ROUTE_SURFACE_ANTHROPIC;
}

void routes_write_markdown(FILE *out)
{
    static const char *const scopes[] = {"", "never", "never", "as `public_ops` says", "unless `public_models`", "where keys are set"};
    fputs("# Routes\n\nThis page is written by `make docs` from the table in `server/routes.c`. Each path also answers with one "
          "trailing slash; `GET` rows answer `HEAD` too.\n\n| method | path | also under | key needed | what it does |\n"
          "| --- | --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *row = &routes_table[i];
        fprintf(out, "| %s | `%s%s` | ", row->method == HTTP_POST ? "POST" : "GET", prefixes[row->prefixes][0], row->path);
        for (unsigned k = 1; k < 4 && prefixes[row->prefixes][k]; k++)
            fprintf(out, "%s`%s`", k > 1 ? ", " : "", prefixes[row->prefixes][k]);
        fprintf(out, " | %s | %s |\n", scopes[row->scope], row->help);
    }
}
