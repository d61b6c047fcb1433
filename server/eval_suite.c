/* The suite owns each line's tree and lends from it. */
#include "server/eval_suite.h"

#include <string.h>

#include "base/file_map.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { FIRST_CAPACITY = 256, MAX_TOKENS_MAX = 1 << 20, FILE_BYTES_MAX = 1 << 30 };

void eval_suite_init(struct eval_suite *suite)
{
    *suite = (struct eval_suite){0};
    table_init(&suite->ids);
}

static void item_release(struct eval_item *item)
{
    for (unsigned i = 0; i < item->n_checks; i++)
        eval_check_release(&item->checks[i]);
    mem_free(item->checks);
    json_decref(item->root);
}

void eval_suite_release(struct eval_suite *suite)
{
    for (size_t i = 0; i < suite->n; i++)
        item_release(&suite->items[i]);
    mem_free(suite->items);
    table_release(&suite->ids);
}

/* ---- One item ------------------------------------------------------------------------------------------------ */

/* How each field of a line is written. */
static const struct field {
    const char *name, *expected;
    json_type types[2];
} fields[] = {
    {"id", "a string", {JSON_STRING, JSON_STRING}},
    {"kind", "a string", {JSON_STRING, JSON_STRING}},
    {"language", "a string", {JSON_STRING, JSON_STRING}},
    {"messages", "a list of messages", {JSON_ARRAY, JSON_ARRAY}},
    {"prompt", "a string", {JSON_STRING, JSON_STRING}},
    {"suffix", "a string", {JSON_STRING, JSON_STRING}},
    {"tools", "a list of tools", {JSON_ARRAY, JSON_ARRAY}},
    {"thinking", "true or false", {JSON_TRUE, JSON_FALSE}},
    {"max_tokens", "a whole number from 1", {JSON_INTEGER, JSON_INTEGER}},
    {"checks", "a list of checks", {JSON_ARRAY, JSON_ARRAY}},
};

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static enum status check_fields(const json_t *root, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return error_set(error, STATUS_INVALID, "expected a JSON object");
    json_object_foreach((json_t *)root, key, value)
    {
        const struct field *field = find_field(key);
        if (!field)
            return error_set(error, STATUS_INVALID, "%s is no field of an item", error_quote(quoted, key, strlen(key)));
        if (json_typeof(value) != field->types[0] && json_typeof(value) != field->types[1])
            return error_set(error, STATUS_INVALID, "%s: expected %s", key, field->expected);
    }
    return STATUS_OK;
}

static enum status read_fields(struct eval_item *item, struct error *error)
{
    const json_t *root = item->root, *kind = json_object_get(root, "kind"), *limit = json_object_get(root, "max_tokens");
    item->id = json_string_value(json_object_get(root, "id"));
    item->kind = kind ? json_string_value(kind) : "other";
    item->language = json_string_value(json_object_get(root, "language"));
    item->messages = json_object_get(root, "messages");
    item->tools = json_object_get(root, "tools");
    item->prompt = json_string_value(json_object_get(root, "prompt"));
    item->suffix = json_string_value(json_object_get(root, "suffix"));
    item->thinking = json_object_get(root, "thinking");
    json_int_t max_tokens = json_integer_value(limit);
    if (!item->id || !*item->id)
        return error_set(error, STATUS_INVALID, "id: missing");
    if (!item->messages == !item->prompt)
        return error_set(error, STATUS_INVALID, "expected either messages or prompt");
    if (item->messages && json_array_size(item->messages) == 0)
        return error_set(error, STATUS_INVALID, "messages: empty");
    if (item->prompt && (item->tools || item->thinking))
        return error_set(error, STATUS_INVALID, "%s: only with messages", item->tools ? "tools" : "thinking");
    if (item->suffix && !item->prompt)
        return error_set(error, STATUS_INVALID, "suffix: only with prompt");
    if (limit && (max_tokens < 1 || max_tokens > MAX_TOKENS_MAX))
        return error_set(error, STATUS_INVALID, "max_tokens: expected a whole number from 1 to %d", MAX_TOKENS_MAX);
    item->max_tokens = (int)max_tokens;
    return STATUS_OK;
}

static enum status read_checks(struct eval_item *item, struct error *error)
{
    const json_t *list = json_object_get(item->root, "checks");
    size_t n = json_array_size(list);
    struct error inner;
    if (n < 1 || n > EVAL_CHECKS_MAX)
        return error_set(error, STATUS_INVALID, "checks: expected 1 to %d checks", EVAL_CHECKS_MAX);
    item->checks = mem_zalloc_array(n, sizeof *item->checks);
    if (!item->checks)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        enum status status = eval_check_init(&item->checks[i], json_array_get(list, i), &inner);
        if (status)
            return error_set(error, status, "checks[%zu]: %s", i, inner.message);
        item->n_checks++;
    }
    return STATUS_OK;
}

static enum status read_item(struct eval_item *item, struct str line, struct error *error)
{
    json_error_t why;
    if (!utf8_is_valid(line.at, line.len))
        return error_set(error, STATUS_INVALID, "not UTF-8 at byte %zu", utf8_valid_prefix(line.at, line.len));
    item->root = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, &why);
    if (!item->root)
        return error_set(error, STATUS_INVALID, "not JSON at byte %d: %.100s", why.position, why.text);
    enum status status = check_fields(item->root, error);
    if (!status)
        status = read_fields(item, error);
    return status ? status : read_checks(item, error);
}

/* ---- Suites -------------------------------------------------------------------------------------------------- */

static enum status make_room(struct eval_suite *suite, struct error *error)
{
    if (suite->n == EVAL_ITEMS_MAX)
        return error_set(error, STATUS_LIMIT, "more than %d items", EVAL_ITEMS_MAX);
    if (suite->n < suite->capacity)
        return STATUS_OK;
    size_t capacity = suite->capacity ? 2 * suite->capacity : FIRST_CAPACITY;
    struct eval_item *items = mem_realloc(suite->items, capacity * sizeof *items);
    if (!items)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    suite->items = items;
    suite->capacity = capacity;
    return STATUS_OK;
}

static enum status add_line(struct eval_suite *suite, struct str line, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    struct eval_item item = {0};
    enum status status = make_room(suite, error);
    if (!status)
        status = read_item(&item, line, error);
    if (!status) {
        status = table_add(&suite->ids, str_of(item.id), suite->n, NULL);
        if (status == STATUS_INVALID)
            error_set(error, status, "id: %s stands twice", error_quote(quoted, item.id, strlen(item.id)));
        else if (status)
            error_set(error, status, "out of memory");
    }
    if (status)
        item_release(&item);
    else
        suite->items[suite->n++] = item;
    return status;
}

enum status eval_suite_add_text(struct eval_suite *suite, const char *name, struct str text, struct error *error)
{
    struct error inner;
    error_clear(&inner);
    for (size_t number = 1; text.len; number++) {
        const char *newline = memchr(text.at, '\n', text.len);
        struct str line = str_from(text.at, newline ? (size_t)(newline - text.at) : text.len);
        text = str_skip(text, line.len + (newline != NULL));
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        if (!line.len)
            continue;
        enum status status = line.len > EVAL_LINE_BYTES_MAX ? error_set(&inner, STATUS_LIMIT, "longer than %d bytes", EVAL_LINE_BYTES_MAX)
                                                            : add_line(suite, line, &inner);
        if (status)
            return error_set(error, status, "%s: line %zu: %s", name, number, inner.message);
    }
    return STATUS_OK;
}

enum status eval_suite_add_file(struct eval_suite *suite, const char *path, struct error *error)
{
    char *text;
    size_t len, before = suite->n;
    enum status status = file_map_read(path, FILE_BYTES_MAX, &text, &len, error);
    if (status)
        return status;
    status = eval_suite_add_text(suite, path, str_from(text, len), error);
    if (!status && suite->n == before)
        status = error_set(error, STATUS_INVALID, "%s: no items", path);
    mem_free(text);
    return status;
}
