/* Native bodies as completions: n_predict and n_probs by our names, prompts of text and ids mixed, files around a gap. */
#include "server/dialect_native.h"

#include <stdio.h>

#include "base/buf.h"
#include "engine/protocol.h"
#include "server/request.h"
#include "server/server.h"

enum { PATH_BYTES = 64, TEXT_BYTES_MAX = 1 << 30 };

static json_t *shared(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value);
}

/* ---- Fields of both -------------------------------------------------------------------------------------------- */

static void read_length(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    int64_t n = -1;
    bool given = fields_int(f, root, "n_predict", -1, INT32_MAX, &n);
    if (given && n == 0)
        fields_fault(f, "integer_below_min_value", "n_predict", "expected at least 1, or -1 for no bound");
    if (given && n > 0)
        dialect_move(d, root, "n_predict", "n_predict", "max_tokens");
    d->fills_context = true;
}

static void read_probabilities(struct dialect *d, const json_t *root)
{
    int64_t n = 0;
    if (fields_int(d->fields, root, "n_probs", 0, PROTOCOL_TOP_MAX, &n) && n > 0)
        dialect_move(d, root, "n_probs", "n_probs", "logprobs");
}

/* Pairs of an id and a bias, as an object; false bans. */
static void read_bias(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    char key[24];
    const json_t *list = json_object_get(root, "logit_bias");
    if (!json_is_array(list))
        return;
    json_t *ours = dialect_put(d, d->chat, "logit_bias", json_object());
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        const json_t *pair = json_array_get(list, i), *bias = json_array_get(pair, 1);
        int64_t id;
        if (json_array_size(pair) != 2 || !fields_as_int(json_array_get(pair, 0), &id)) {
            fields_fault(f, "invalid_value", "logit_bias", "item %zu is not a token id and its bias", i);
            return;
        }
        snprintf(key, sizeof key, "%lld", (long long)id);
        dialect_put(d, ours, key, json_is_false(bias) ? json_integer(-100) : shared(bias));
    }
}

static void read_shared(struct dialect *d, const json_t *root)
{
    static const char *const own[] = {
        "messages", "tools",  "n_predict", "n_probs",     "return_tokens", "stream_options", "n", "max_tokens", "logprobs", "echo",
        "best_of",  "suffix", "id_slot",   "input_extra", "input_prefix",  "input_suffix",   NULL};
    const struct server *server = exchange_server(d->exchange);
    dialect_drop(d, own);
    d->messages = d->tools = NULL;
    d->is_completion = true;
    if (!fields_get(d->fields, root, "model"))
        dialect_put_text(d, d->chat, "model", server->model_id);
    read_length(d, root);
    read_probabilities(d, root);
    read_bias(d, root);
    dialect_move(d, root, "return_tokens", "return_tokens", "return_token_ids");
}

/* ---- Prompts --------------------------------------------------------------------------------------------------- */

static bool is_mixed(const json_t *prompt)
{
    bool texts = false, ids = false;
    for (size_t i = 0; i < json_array_size(prompt); i++) {
        texts |= json_is_string(json_array_get(prompt, i));
        ids |= json_is_number(json_array_get(prompt, i));
    }
    return texts && ids;
}

static void append_text(struct dialect *d, json_t *ids, const json_t *text)
{
    const struct tokenizer *tokenizer = exchange_server(d->exchange)->text.tokenizer;
    const struct span span = {str_from(json_string_value(text), json_string_length(text)), SPAN_SCAFFOLD};
    struct request_limits limits;
    struct token_list list;
    struct error *error = d->fields->error;
    enum status status = request_read_limits(d->exchange, &limits, error);
    token_list_init(&list, status ? 0 : limits.context);
    if (!status)
        status = tokenizer_encode(tokenizer, &span, 1, &list, exchange_cancel_flag(d->exchange), error);
    if (status == STATUS_LIMIT)
        error_set_path(error, status, "context_length_exceeded", "prompt", "the prompt is longer than the context allows");
    for (size_t i = 0; i < list.n && !status; i++)
        dialect_append(d, ids, json_integer(list.ids[i]));
    if (status && !d->fields->status)
        d->fields->status = status;
    token_list_release(&list);
}

/* Texts and ids side by side are one sequence. */
static void read_mixed(struct dialect *d, const json_t *prompt)
{
    struct fields *f = d->fields;
    json_t *ids = dialect_put(d, d->chat, "prompt", json_array());
    for (size_t i = 0; i < json_array_size(prompt) && !f->status; i++) {
        const json_t *item = json_array_get(prompt, i);
        if (json_is_string(item))
            append_text(d, ids, item);
        else if (json_is_number(item))
            dialect_append(d, ids, shared(item));
        else
            fields_fault(f, "invalid_type", "prompt", "item %zu is neither a text nor a token id", i);
    }
}

enum status dialect_native_read_completion(struct dialect *d, const json_t *root)
{
    const json_t *prompt = fields_get(d->fields, root, "prompt");
    read_shared(d, root);
    if (is_mixed(prompt))
        read_mixed(d, prompt);
    return d->fields->status;
}

/* ---- Infill ---------------------------------------------------------------------------------------------------- */

/* Other files of the project come before the prefix, each after its name. */
static void add_extra(struct dialect *d, const json_t *root, struct buf *prompt)
{
    struct fields *f = d->fields;
    const json_t *list = fields_array(f, root, "input_extra", REQUEST_SEQUENCES_MAX);
    for (size_t i = 0; i < json_array_size(list) && !f->status; i++) {
        struct str name, text;
        snprintf(f->prefix, sizeof f->prefix, "input_extra[%zu].", i);
        if (!json_is_object(json_array_get(list, i)))
            fields_fault(f, "invalid_type", NULL, "expected an object with filename and text");
        else if (dialect_need_str(d, json_array_get(list, i), "filename", &name) &&
                 dialect_need_str(d, json_array_get(list, i), "text", &text)) {
            buf_add_text(prompt, "# ");
            buf_add_str(prompt, name);
            buf_add_char(prompt, '\n');
            buf_add_str(prompt, text);
            buf_add_char(prompt, '\n');
        }
    }
    f->prefix[0] = 0;
}

/* `prompt` is what was typed after the prefix. */
enum status dialect_native_read_infill(struct dialect *d, const json_t *root)
{
    struct fields *f = d->fields;
    struct str prefix = str_of(""), suffix = str_of(""), typed = str_of("");
    struct buf prompt;
    read_shared(d, root);
    if (!fields_str(f, root, "input_prefix", (size_t)-1, &prefix))
        fields_fault(f, "missing_required_parameter", "input_prefix", "expected a string");
    if (!fields_str(f, root, "input_suffix", (size_t)-1, &suffix))
        fields_fault(f, "missing_required_parameter", "input_suffix", "expected a string");
    fields_str(f, root, "prompt", (size_t)-1, &typed);
    buf_init(&prompt, TEXT_BYTES_MAX);
    add_extra(d, root, &prompt);
    buf_add_str(&prompt, prefix);
    buf_add_str(&prompt, typed);
    dialect_put_str(d, d->chat, "prompt", buf_str(&prompt));
    dialect_put_str(d, d->chat, "suffix", suffix);
    if (buf_status(&prompt) && !f->status)
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
    buf_release(&prompt);
    /* An empty suffix is a gap at the end: control tokens in the caller's code are text all the same. */
    dialect_put(d, d->chat, "parse_special", json_false());
    dialect_name(d, "prompt", "input_prefix");
    dialect_name(d, "suffix", "input_suffix");
    return f->status;
}
