/* Prompts as they are sent. */
#include "server/prompts.h"

#include <stdio.h>

#include "server/limits.h"

static bool is_ids(const json_t *value)
{
    return json_is_array(value) && json_is_number(json_array_get(value, 0));
}

static void add_source(struct fields *f, struct arena *arena, const json_t *value, const char *key, struct prompts *s)
{
    struct prompts_source *item = &s->items[s->n];
    if (json_is_string(value)) {
        item->text = arena_str(arena, str_from(json_string_value(value), json_string_length(value)));
    } else if (is_ids(value)) {
        item->ids = value;
    } else {
        fields_fault(f, json_is_array(value) && !json_array_size(value) ? "empty_array" : "invalid_type", key,
                     "expected a string or an array of token ids");
        return;
    }
    s->n++;
}

/* A string, an array of ids, or an array of either, not mixed. */
void prompts_read(struct fields *f, struct arena *arena, const json_t *root, const char *field, struct prompts *s)
{
    const json_t *prompt = fields_get(f, root, field);
    size_t n = json_array_size(prompt);
    bool many = json_is_array(prompt) && !is_ids(prompt);
    char key[48];
    if (f->status)
        return;
    if (!prompt || (json_is_array(prompt) && n == 0)) {
        fields_fault(f, prompt ? "empty_array" : "missing_required_parameter", field, "a text, token ids, or a list of them is needed");
        return;
    }
    if (many && n > REQUEST_SEQUENCES_MAX) {
        fields_fault(f, "array_above_max_length", field, "%zu prompts, at most %d", n, REQUEST_SEQUENCES_MAX);
        return;
    }
    s->items = arena_zalloc_array(arena, many ? n : 1, sizeof *s->items);
    if (!s->items) {
        f->status = error_set(f->error, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    if (!many) {
        add_source(f, arena, prompt, field, s);
        return;
    }
    for (size_t i = 0; i < n && !f->status; i++) {
        const json_t *item = json_array_get(prompt, i);
        snprintf(key, sizeof key, "%.16s[%zu]", field, i);
        if (json_typeof(item) != json_typeof(json_array_get(prompt, 0)))
            fields_fault(f, "invalid_type", key, "strings and token ids are not mixed");
        else
            add_source(f, arena, item, key, s);
    }
}

enum status prompts_ids(struct exchange *exchange, const json_t *list, const char *key, const struct request_limits *limits,
                        struct request_prompt *out, struct error *error)
{
    size_t n = json_array_size(list);
    if (n >= limits->context)
        return error_set_path(error, STATUS_LIMIT, "context_length_exceeded", key, "the prompt has %zu tokens, but the context is %u", n,
                              limits->context);
    out->ids = arena_alloc(exchange_arena(exchange), (n + 1) * sizeof *out->ids);
    if (!out->ids)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        int64_t id;
        if (!fields_as_int(json_array_get(list, i), &id))
            return error_set_path(error, STATUS_INVALID, "invalid_type", key, "%s: item %zu is not a token id", key, i);
        if (id < 0 || id >= limits->vocabulary)
            return error_set_path(error, STATUS_INVALID, "invalid_value", key, "%s: item %zu is not a token id below %u", key, i,
                                  limits->vocabulary);
        out->ids[i] = (uint32_t)id;
    }
    out->n_ids = (uint32_t)n;
    return STATUS_OK;
}
