/* Reading a request's fields. The order of checks is that of docs/api.md; the first fault is answered. */
#include "server/request.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "server/auth.h"
#include "server/front.h"
#include "server/json_scan.h"
#include "server/request_fields.h"
#include "server/server.h"

/* ---- Body, limits, model ----------------------------------------------------------------------------------- */

static enum status parse(json_t **root, struct str text, struct error *error)
{
    json_error_t why;
    *root = json_loadb(text.at, text.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
    if (!*root)
        return error_set_path(error, STATUS_INVALID, "invalid_json", "", "the body is not valid JSON near byte %d", why.position);
    if (!json_is_object(*root))
        return error_set_path(error, STATUS_INVALID, "invalid_type", "", "the body must be a JSON object");
    return STATUS_OK;
}

enum status request_parse_body(struct exchange *exchange, struct request_body *out, struct error *error)
{
    struct json_scan scan;
    const struct config *config = exchange_server(exchange)->config;
    enum status status = json_scan_run(&scan, exchange_request(exchange)->body, (size_t)config->max_json_depth, error);
    if (status)
        return status;
    *out = (struct request_body){.charged = scan.memory_bytes};
    status = exchange_charge(exchange, scan.memory_bytes)
                 ? parse(&out->root, scan.text, error)
                 : error_set(error, STATUS_BUSY, "the requests in preparation hold all the memory they may (intake_bytes_max)");
    if (status)
        request_release_body(exchange, out);
    return status;
}

void request_release_body(struct exchange *exchange, struct request_body *body)
{
    json_decref(body->root);
    exchange_give_back(exchange, body->charged);
    *body = (struct request_body){0};
}

enum status request_read_limits(struct exchange *exchange, struct request_limits *out, struct error *error)
{
    struct front_state state;
    struct server *server = exchange_server(exchange);
    front_read_state(server->front, &state);
    if (!state.engine_known)
        return error_set_path(error, STATUS_BUSY, state.draining ? "draining" : "model_loading", "",
                              state.draining ? "the server is shutting down" : "the model is being loaded");
    uint32_t entries = tokenizer_size(server->text.tokenizer);
    *out = (struct request_limits){.vocabulary = entries < state.engine.vocabulary ? entries : state.engine.vocabulary,
                                   .context = state.engine.context_max};
    return STATUS_OK;
}

static const struct {
    const char *name;
    enum chat_thinking thinking;
} aliases[] = {{"deepseek-chat", CHAT_THINKING_OFF},      {"deepseek-reasoner", CHAT_THINKING_ON},
               {"deepseek-flash", CHAT_THINKING_DEFAULT}, {"deepseek-v4-flash", CHAT_THINKING_DEFAULT},
               {"deepseek-v4-pro", CHAT_THINKING_DEFAULT}};

const char *request_alias(size_t index)
{
    return index < sizeof aliases / sizeof aliases[0] ? aliases[index].name : NULL;
}

void request_read_model(struct fields *f, struct exchange *exchange, const json_t *root, enum chat_thinking *thinking)
{
    const struct server *server = exchange_server(exchange);
    bool any = strcmp(((const struct config *)server->config)->model_policy, "any") == 0;
    struct str name = {"", 0};
    char quoted[ERROR_QUOTE_BYTES];
    bool given = fields_str(f, root, "model", (size_t)-1, &name);
    if (f->status)
        return;
    if (!given && !any)
        fields_fault(f, "missing_required_parameter", "model", "name the model (GET /v1/models lists it)");
    if (given && memchr(name.at, 0, name.len))
        fields_fault(f, "invalid_value", "model", "holds U+0000");
    bool known = str_is(name, server->model_id);
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (str_is(name, aliases[i].name)) {
            known = true;
            *thinking = aliases[i].thinking;
        }
    if (!f->status && !known && !any) {
        fields_fault(f, "model_not_found", "model", "%s is not served here; %s is", error_quote(quoted, name.at, name.len),
                     server->model_id);
    }
    if (!f->status && !auth_allows_model(server->auth, exchange_request(exchange)->key_index, str_of(server->model_id)))
        fields_fault(f, "model_forbidden", "model", "this key may not use %s", server->model_id);
}

/* ---- Sampling ---------------------------------------------------------------------------------------------- */

static void default_sampling(struct request *r, const struct server *server)
{
    const struct config *config = server->config;
    const struct model_text *m = &server->text;
    bool of_model = strcmp(config->sampling_defaults, "model") == 0;
    r->temperature = of_model && m->temperature >= 0 ? m->temperature : 1;
    r->top_p = of_model && m->top_p >= 0 ? m->top_p : 1;
    r->min_p = of_model && m->min_p >= 0 ? m->min_p : 0;
    r->top_k = of_model && m->top_k >= 0 ? m->top_k : 0;
    r->repetition_penalty = of_model && m->repetition_penalty > 0 ? m->repetition_penalty : 1;
}

static void read_bias(struct fields *f, struct arena *arena, const json_t *root, uint32_t vocabulary, struct request *r)
{
    const json_t *object = fields_object(f, root, "logit_bias");
    size_t n = json_object_size(object);
    const char *key;
    json_t *value;
    if (!n)
        return;
    if (n > REQUEST_BIAS_MAX) {
        fields_fault(f, "invalid_value", "logit_bias", "%zu entries, at most %d", n, REQUEST_BIAS_MAX);
        return;
    }
    r->bias = arena_zalloc_array(arena, n, sizeof *r->bias);
    if (!r->bias) {
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char *end;
        unsigned long id = strtoul(key, &end, 10);
        double bias = json_is_number(value) ? json_number_value(value) : 1e9;
        if (!isdigit((unsigned char)key[0]) || *end || strlen(key) > 10 || id >= vocabulary)
            fields_fault(f, "invalid_value", "logit_bias", "a key is not a token id below %u", vocabulary);
        else if (!json_is_number(value))
            fields_fault(f, "invalid_type", "logit_bias", "the value of %lu is not a number", id);
        else if (!(bias >= -100 && bias <= 100))
            fields_fault(f, "invalid_value", "logit_bias", "the value of %lu is not in -100 to 100", id);
        r->bias[r->n_bias++] = (struct protocol_bias){(uint32_t)id, (float)bias};
    }
}

static void read_sampling(struct fields *f, struct exchange *exchange, const json_t *root, const struct request_limits *limits,
                          struct request *r)
{
    int64_t seed;
    read_bias(f, exchange_arena(exchange), root, limits->vocabulary, r);
    if (fields_int(f, root, "seed", INT64_MIN, INT64_MAX, &seed))
        r->seed = (uint64_t)seed;
    else
        randombytes_buf(&r->seed, sizeof r->seed);
}

/* ---- Ends -------------------------------------------------------------------------------------------------- */

static void add_stop(struct fields *f, struct arena *arena, const json_t *value, const char *path, struct request *r)
{
    if (!json_is_string(value)) {
        fields_fault(f, "invalid_type", path, "expected a string, found %s", fields_kind(value));
        return;
    }
    struct str text = str_from(json_string_value(value), json_string_length(value));
    if (text.len == 0)
        fields_fault(f, "invalid_value", path, "is empty");
    else if (text.len > REQUEST_STOP_BYTES_MAX)
        fields_fault(f, "string_above_max_length", path, "%zu bytes, at most %d", text.len, REQUEST_STOP_BYTES_MAX);
    else
        r->stops[r->n_stops++] = arena_str(arena, text);
}

static void read_stops(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    const json_t *value = fields_get(f, root, "stop");
    if (!value)
        return;
    if (!json_is_array(value)) {
        if (json_is_string(value))
            add_stop(f, arena, value, "stop", r);
        else
            fields_fault(f, "invalid_type", "stop", "expected a string or an array of strings, found %s", fields_kind(value));
        return;
    }
    if (json_array_size(value) > STOP_STRINGS_MAX) {
        fields_fault(f, "array_above_max_length", "stop", "%zu strings, at most %d", json_array_size(value), STOP_STRINGS_MAX);
        return;
    }
    for (size_t i = 0; i < json_array_size(value) && !f->status; i++) {
        char path[32];
        snprintf(path, sizeof path, "stop[%zu]", i);
        add_stop(f, arena, json_array_get(value, i), path, r);
    }
}

static void read_stop_ids(struct fields *f, struct arena *arena, const json_t *root, uint32_t vocabulary, struct request *r)
{
    const json_t *list = fields_array(f, root, "stop_token_ids", REQUEST_STOP_IDS_MAX);
    size_t n = json_array_size(list);
    if (!n)
        return;
    r->stop_ids = arena_zalloc_array(arena, n, sizeof *r->stop_ids);
    for (size_t i = 0; i < n && r->stop_ids; i++) {
        int64_t id;
        if (!fields_as_int(json_array_get(list, i), &id))
            fields_fault(f, "invalid_type", "stop_token_ids", "item %zu is not an integer", i);
        else if (id < 0 || id >= vocabulary)
            fields_fault(f, "invalid_value", "stop_token_ids", "item %zu is not a token id below %u", i, vocabulary);
        else
            r->stop_ids[r->n_stop_ids++] = (uint32_t)id;
    }
}

static void read_lengths(struct fields *f, struct exchange *exchange, const json_t *root, const struct request_limits *limits,
                         struct request *r)
{
    const struct config *config = exchange_server(exchange)->config;
    struct arena *arena = exchange_arena(exchange);
    fields_int(f, root, "n", 1, (int64_t)config->max_n, &r->n);
    read_stops(f, arena, root, r);
    read_stop_ids(f, arena, root, limits->vocabulary, r);
    if (r->max_tokens >= 0 && r->min_tokens > r->max_tokens)
        fields_fault(f, "invalid_value", "min_tokens", "%lld is more than the output limit of %lld", (long long)r->min_tokens,
                     (long long)r->max_tokens);
}

/* ---- Output ------------------------------------------------------------------------------------------------ */

static void read_stream_options(struct fields *f, const json_t *root, struct request *r)
{
    const json_t *options = fields_object(f, root, "stream_options");
    if (!options)
        return;
    if (!r->stream) {
        fields_fault(f, "invalid_value", "stream_options", "only with stream: true");
        return;
    }
    snprintf(f->prefix, sizeof f->prefix, "stream_options.");
    bool obfuscation;
    fields_bool(f, options, "include_usage", &r->include_usage);
    fields_bool(f, options, "continuous_usage_stats", &r->continuous_usage);
    fields_bool(f, options, "include_obfuscation", &obfuscation);
    f->prefix[0] = 0;
    r->continuous_usage = r->continuous_usage && r->include_usage;
}

static void read_logprobs(struct fields *f, const json_t *root, struct request *r)
{
    int64_t top = 0;
    bool wanted = false;
    if (r->kind == REQUEST_COMPLETION) {
        if (fields_int(f, root, "logprobs", 0, PROTOCOL_TOP_MAX, &top))
            r->logprobs = (int32_t)top;
        return;
    }
    fields_bool(f, root, "logprobs", &wanted);
    fields_int(f, root, "top_logprobs", 0, PROTOCOL_TOP_MAX, &top);
    if (top && !wanted)
        fields_fault(f, "invalid_value", "top_logprobs", "only with logprobs: true");
    r->logprobs = wanted ? (int32_t)top : -1;
}

static void read_prompt_logprobs(struct fields *f, const json_t *root, struct request *r)
{
    int64_t n;
    if (!fields_int(f, root, "prompt_logprobs", -1, PROTOCOL_TOP_MAX, &n))
        return;
    if (n < 0)
        fields_fault(f, "unsupported_value", "prompt_logprobs", "the whole vocabulary (-1) is not offered; 0 to %d are", PROTOCOL_TOP_MAX);
    else if (r->stream)
        fields_fault(f, "invalid_value", "prompt_logprobs", "not with stream: true");
    r->prompt_logprobs = (int32_t)n;
}

static void read_output(struct fields *f, const json_t *root, struct request *r)
{
    read_stream_options(f, root, r);
    read_logprobs(f, root, r);
    read_prompt_logprobs(f, root, r);
}

/* ---- Cache, identity, and what is accepted without effect -------------------------------------------------- */

static void read_cache(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    struct str text;
    r->has_user_id = fields_str(f, root, "user_id", REQUEST_USER_ID_BYTES_MAX, &text);
    if (r->has_user_id)
        r->user_id = arena_str(arena, text);
    r->has_salt = fields_str(f, root, "cache_salt", REQUEST_SALT_BYTES_MAX, &text);
    if (r->has_salt && text.len == 0)
        fields_fault(f, "invalid_value", "cache_salt", "is empty");
    if (r->has_salt)
        r->salt = arena_str(arena, text);
}

static void check_metadata(struct fields *f, const json_t *root)
{
    const json_t *pairs = fields_object(f, root, "metadata");
    const char *key;
    json_t *value;
    if (json_object_size(pairs) > REQUEST_METADATA_PAIRS_MAX)
        fields_fault(f, "invalid_value", "metadata", "%zu pairs, at most %d", json_object_size(pairs), REQUEST_METADATA_PAIRS_MAX);
    json_object_foreach((json_t *)(uintptr_t)pairs, key, value)
    {
        if (strlen(key) > REQUEST_METADATA_KEY_BYTES_MAX)
            fields_fault(f, "string_above_max_length", "metadata", "a key has %zu bytes, at most %d", strlen(key),
                         REQUEST_METADATA_KEY_BYTES_MAX);
        if (!json_is_string(value))
            fields_fault(f, "invalid_type", "metadata", "values are strings");
        else if (json_string_length(value) > REQUEST_METADATA_VALUE_BYTES_MAX)
            fields_fault(f, "string_above_max_length", "metadata", "a value has %zu bytes, at most %d", json_string_length(value),
                         REQUEST_METADATA_VALUE_BYTES_MAX);
    }
}

static void check_ignored(struct fields *f, const json_t *root, struct request *r)
{
    static const char *const tiers[] = {"auto", "default", "flex", "scale", "priority", "fast", NULL};
    static const char *const verbosities[] = {"low", "medium", "high", NULL};
    bool flag;
    r->names_tier = fields_choice(f, root, "service_tier", tiers) >= 0;
    fields_choice(f, root, "verbosity", verbosities);
    check_metadata(f, root);
    fields_bool(f, root, "store", &flag);
    if (fields_bool(f, root, "use_beam_search", &flag) && flag)
        fields_fault(f, "unsupported_parameter", "use_beam_search", "not offered by this server");
}

/* ---- Chat only --------------------------------------------------------------------------------------------- */

static const char *const efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra", NULL};

static bool read_effort(struct fields *f, const json_t *object, const char *key, struct request *r)
{
    int effort = fields_choice(f, object, key, efforts);
    if (effort < 0)
        return false;
    r->thinking = effort == 0 ? CHAT_THINKING_OFF : CHAT_THINKING_ON;
    r->effort = str_of(efforts[effort]);
    return true;
}

static bool read_kwargs(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    const json_t *kwargs = fields_object(f, root, "chat_template_kwargs");
    bool on, there;
    if (!kwargs)
        return false;
    char *text = json_dumps(kwargs, JSON_COMPACT);
    if (!text || strlen(text) > REQUEST_KWARGS_BYTES_MAX)
        fields_fault(f, "invalid_value", "chat_template_kwargs", "more than %d bytes", REQUEST_KWARGS_BYTES_MAX);
    else
        r->template_kwargs = arena_str(arena, str_of(text));
    if (text)
        mem_free(text);
    snprintf(f->prefix, sizeof f->prefix, "chat_template_kwargs.");
    there = fields_bool(f, kwargs, "enable_thinking", &on) || fields_bool(f, kwargs, "thinking", &on);
    f->prefix[0] = 0;
    if (there)
        r->thinking = on ? CHAT_THINKING_ON : CHAT_THINKING_OFF;
    return there;
}

/* The first source that is present decides; the later ones are still checked. */
static void read_thinking(struct fields *f, struct arena *arena, const json_t *root, struct request *r)
{
    static const char *const types[] = {"enabled", "adaptive", "disabled", NULL};
    enum chat_thinking chosen = r->thinking;
    bool decided = false;
    const json_t *thinking = fields_object(f, root, "thinking"), *reasoning = fields_object(f, root, "reasoning");
    if (thinking) {
        snprintf(f->prefix, sizeof f->prefix, "thinking.");
        int type = fields_choice(f, thinking, "type", types);
        if (!json_object_get(thinking, "type"))
            fields_fault(f, "missing_required_parameter", "type", "expected enabled, adaptive or disabled");
        f->prefix[0] = 0;
        chosen = type == 2 ? CHAT_THINKING_OFF : CHAT_THINKING_ON;
        decided = true;
    }
    if (read_effort(f, root, "reasoning_effort", r) && !decided) {
        chosen = r->thinking;
        decided = true;
    }
    if (reasoning) {
        snprintf(f->prefix, sizeof f->prefix, "reasoning.");
        if (read_effort(f, reasoning, "effort", r) && !decided) {
            chosen = r->thinking;
            decided = true;
        }
        f->prefix[0] = 0;
    }
    if (read_kwargs(f, arena, root, r) && !decided)
        chosen = r->thinking;
    r->thinking = chosen;
}

static void read_template(struct fields *f, struct exchange *exchange, const json_t *root, struct request *r)
{
    const struct config *config = exchange_server(exchange)->config;
    struct str text;
    if (!fields_str(f, root, "chat_template", REQUEST_TEMPLATE_BYTES_MAX, &text))
        return;
    if (!config->allow_request_template)
        fields_fault(f, "unsupported_parameter", "chat_template", "not taken by this server (allow_request_template)");
    r->chat_template = arena_text(exchange_arena(exchange), text);
    if (!r->chat_template && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
}

static void check_modalities(struct fields *f, const json_t *root)
{
    const json_t *modalities = fields_array(f, root, "modalities", 16);
    for (size_t i = 0; i < json_array_size(modalities); i++) {
        const char *name = json_string_value(json_array_get(modalities, i));
        if (!name || strcmp(name, "text") != 0)
            fields_fault(f, "unsupported_value", "modalities", "only text is offered");
    }
}

static void read_chat(struct fields *f, struct exchange *exchange, const json_t *root, struct request *r)
{
    static const char *const formats[] = {"auto", "none", "deepseek", NULL};
    bool generation_prompt;
    request_read_tools(f, exchange, root, r);
    read_template(f, exchange, root, r);
    read_thinking(f, exchange_arena(exchange), root, r);
    request_read_thought(f, exchange_server(exchange)->config, root, r);
    if (fields_choice(f, root, "reasoning_format", formats) == 1)
        r->separate_reasoning = false;
    bool given = fields_bool(f, root, "add_generation_prompt", &generation_prompt);
    if (r->continue_final && given && generation_prompt)
        fields_fault(f, "invalid_value", "continue_final_message", "not together with add_generation_prompt: true");
    r->add_generation_prompt = given ? generation_prompt : true;
}

/* ---- All of it --------------------------------------------------------------------------------------------- */

void request_read(struct fields *f, struct exchange *exchange, const json_t *root, enum request_kind kind,
                  const struct request_limits *limits, struct request *r)
{
    const struct server *server = exchange_server(exchange);
    const struct config *config = server->config;
    enum chat_thinking thinking = r->thinking;
    *r = (struct request){.kind = kind, .n = 1, .max_tokens = -1, .logprobs = -1, .prompt_logprobs = -1, .skip_special = true,
                          .use_cache = true, .separate_reasoning = true, .stream_reasoning = true, .include_reasoning = true,
                          .add_generation_prompt = true, .parse_special = true, .thinking = thinking, .timings = config->timings};
    default_sampling(r, server);
    r->thinking_pull = (int64_t)config->thinking_pull;
    r->loop_detector = config->loop_detector;
    request_fields_read(f, root, r);
    read_sampling(f, exchange, root, limits, r);
    read_lengths(f, exchange, root, limits, r);
    read_output(f, root, r);
    read_cache(f, exchange_arena(exchange), root, r);
    request_read_form(f, exchange_arena(exchange), root, r);
    request_read_guard(f, config, root, r);
    check_modalities(f, root);
    if (kind == REQUEST_CHAT)
        read_chat(f, exchange, root, r);
    check_ignored(f, root, r);
    request_fields_check_names(f, root, kind, strcmp(config->unknown_fields, "reject") == 0);
}

void request_fix_sampling(struct request *r, const struct exchange *exchange, bool thinks)
{
    const struct server *server = exchange_server(exchange);
    const struct config *config = server->config;
    if (!thinks || strcmp(config->reasoner_sampling, "fixed") != 0)
        return;
    default_sampling(r, server);
    r->presence_penalty = r->frequency_penalty = 0;
}

/* ---- Prompts ----------------------------------------------------------------------------------------------- */

void request_fill_input(const struct request *r, bool continues, struct chat_input *input)
{
    input->tools = r->tools;
    input->n_tools = r->n_tools;
    input->thinking = r->thinking;
    input->effort = r->effort;
    input->template_kwargs = r->template_kwargs;
    input->own_template = r->chat_template;
    input->continue_final = continues || r->continue_final;
    input->add_generation_prompt = r->add_generation_prompt && !input->continue_final;
}

/* With a template of the request's own; what the model writes is read by the server's format all the same. */
static enum status render_own(struct exchange *exchange, const struct chat_input *input, struct chat_prompt *prompt, struct error *error)
{
    struct model_text model = exchange_server(exchange)->text;
    struct chat_format *format;
    char why[256];
    model.chat_template = (char *)(uintptr_t)input->own_template;
    enum status status = chat_format_choose(&format, &model, "template", why, error);
    if (status) {
        snprintf(error->path, sizeof error->path, "chat_template");
        return status;
    }
    status = chat_render(format, input, exchange_arena(exchange), prompt, error);
    chat_format_free(format);
    return status;
}

enum status request_render(struct exchange *exchange, const struct chat_input *input, struct chat_prompt *prompt, struct error *error)
{
    enum status status = input->own_template
                             ? render_own(exchange, input, prompt, error)
                             : chat_render(exchange_server(exchange)->format, input, exchange_arena(exchange), prompt, error);
    if (status && !error->code)
        error->code = "invalid_value";
    if (status && !error->path[0])
        snprintf(error->path, sizeof error->path, "messages");
    return status;
}

/* More bytes than the context could hold of the longest token there is: not worth splitting. Normal forms may shorten a text. */
static bool is_hopeless(const struct tokenizer *tokenizer, const struct request_text *text, uint32_t context)
{
    enum { BYTES_ALWAYS_TRIED = 16, SHORTENED_AT_MOST = 4 };
    uint64_t bytes = 0, longest = 1;
    for (uint32_t i = 0; i < text->n_spans; i++)
        bytes += text->spans[i].text.len;
    if (bytes / BYTES_ALWAYS_TRIED <= context)
        return false;
    for (uint32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        uint64_t len = tokenizer_bytes(tokenizer, id).len;
        longest = len > longest ? len : longest;
    }
    return bytes / (SHORTENED_AT_MOST * longest) > context;
}

static enum status too_long(const char *param, uint32_t context, struct error *error)
{
    return error_set_path(error, STATUS_LIMIT, "context_length_exceeded", param,
                          "the prompt is longer than the %u tokens of the context allow", context);
}

enum status request_encode(struct exchange *exchange, const struct request_text *text, uint32_t context, struct request_prompt *out,
                           struct error *error)
{
    const struct tokenizer *tokenizer = exchange_server(exchange)->text.tokenizer;
    struct token_list list;
    if (is_hopeless(tokenizer, text, context))
        return too_long(text->param, context, error);
    token_list_init(&list, context);
    enum status status = STATUS_OK;
    if (text->add_bos && tokenizer_bos(tokenizer) >= 0)
        status = token_list_add(&list, (uint32_t)tokenizer_bos(tokenizer));
    if (!status)
        status = tokenizer_encode(tokenizer, text->spans, text->n_spans, &list, exchange_cancel_flag(exchange), error);
    if (status == STATUS_LIMIT && list.n < context)
        status = error_set_path(error, STATUS_LIMIT, "invalid_value", text->param, "the text takes too much work to split into tokens");
    else if (status == STATUS_LIMIT || (!status && list.n >= context))
        status = too_long(text->param, context, error);
    if (!status) {
        out->ids = arena_alloc(exchange_arena(exchange), (list.n + 1) * sizeof *out->ids);
        out->n_ids = (uint32_t)list.n;
        if (!out->ids)
            status = error_set(error, STATUS_NO_MEMORY, "out of memory");
        else if (list.n)
            memcpy(out->ids, list.ids, list.n * sizeof *out->ids);
    }
    token_list_release(&list);
    return status;
}
