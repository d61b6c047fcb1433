/* A table of keywords: how each is written, and what it asks of a value. */
#include "server/eval_schema.h"

#include <stdio.h>
#include <string.h>

#include "server/eval_check.h"

static bool is_object(const json_t *argument)
{
    return json_is_object(argument);
}
static bool is_number(const json_t *argument)
{
    return json_is_number(argument);
}
static bool is_boolean(const json_t *argument)
{
    return json_is_boolean(argument);
}
static bool is_array(const json_t *argument)
{
    return json_is_array(argument);
}

static bool is_count(const json_t *argument)
{
    return json_is_integer(argument) && json_integer_value(argument) >= 0;
}

/* ---- Types -------------------------------------------------------------------------------------------------- */

static bool is_whole(const json_t *value)
{
    double x = json_number_value(value);
    return json_is_integer(value) || (json_is_real(value) && x == (double)(long long)x);
}

static bool has_type(const char *type, const json_t *value)
{
    static const struct {
        const char *name;
        json_type type;
    } rows[] = {{"object", JSON_OBJECT}, {"array", JSON_ARRAY}, {"string", JSON_STRING}, {"null", JSON_NULL}};
    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(value);
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    if (strcmp(type, "integer") == 0)
        return is_whole(value);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(type, rows[i].name) == 0)
            return json_typeof(value) == rows[i].type;
    return false;
}

static bool is_type_name(const json_t *name)
{
    static const char *const names[] = {"object", "array", "string", "null", "boolean", "number", "integer"};
    for (size_t i = 0; json_is_string(name) && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(json_string_value(name), names[i]) == 0)
            return true;
    return false;
}

static bool is_type(const json_t *argument)
{
    for (size_t i = 0; i < json_array_size(argument); i++)
        if (!is_type_name(json_array_get(argument, i)))
            return false;
    return is_type_name(argument) || json_array_size(argument) > 0;
}

static bool type_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(argument); i++)
        if (has_type(json_string_value(json_array_get(argument, i)), value))
            return true;
    return json_is_string(argument) && has_type(json_string_value(argument), value);
}

/* ---- Objects and arrays -------------------------------------------------------------------------------------- */

static bool fits(const json_t *schema, const json_t *value)
{
    char ignored[EVAL_WHY_BYTES];
    return eval_schema_holds(schema, value, ignored, sizeof ignored);
}

static bool properties_hold(const json_t *schema, const json_t *argument, const json_t *value)
{
    const char *key;
    json_t *member;
    (void)schema;
    json_object_foreach((json_t *)value, key, member)
    {
        const json_t *own = json_object_get(argument, key);
        if (own && !fits(own, member))
            return false;
    }
    return true;
}

static bool additional_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    const json_t *named = json_object_get(schema, "properties");
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member) if (json_is_false(argument) && !json_object_get(named, key)) return false;
    return true;
}

static bool is_list_of_strings(const json_t *argument)
{
    for (size_t i = 0; i < json_array_size(argument); i++)
        if (!json_is_string(json_array_get(argument, i)))
            return false;
    return json_is_array(argument);
}

static bool required_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    for (size_t i = 0; json_is_object(value) && i < json_array_size(argument); i++)
        if (!json_object_get(value, json_string_value(json_array_get(argument, i))))
            return false;
    return true;
}

static bool items_hold(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!fits(argument, json_array_get(value, i)))
            return false;
    return true;
}

static bool enum_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    for (size_t i = 0; i < json_array_size(argument); i++)
        if (eval_json_equal(json_array_get(argument, i), value))
            return true;
    return false;
}

/* ---- Bounds ------------------------------------------------------------------------------------------------- */

static size_t code_points(const json_t *value)
{
    size_t n = 0;
    for (const char *at = json_string_value(value); *at; at++)
        n += (*at & 0xC0) != 0x80;
    return n;
}

static bool minimum_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    return !json_is_number(value) || json_number_value(value) >= json_number_value(argument);
}

static bool maximum_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    return !json_is_number(value) || json_number_value(value) <= json_number_value(argument);
}

static bool min_items_hold(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    return !json_is_array(value) || (json_int_t)json_array_size(value) >= json_integer_value(argument);
}

static bool max_items_hold(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    return !json_is_array(value) || (json_int_t)json_array_size(value) <= json_integer_value(argument);
}

static bool min_length_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    return !json_is_string(value) || (json_int_t)code_points(value) >= json_integer_value(argument);
}

static bool max_length_holds(const json_t *schema, const json_t *argument, const json_t *value)
{
    (void)schema;
    return !json_is_string(value) || (json_int_t)code_points(value) <= json_integer_value(argument);
}

/* ---- Schemas ------------------------------------------------------------------------------------------------ */

static const struct keyword {
    const char *name;
    bool (*is_written_well)(const json_t *argument);
    bool (*holds)(const json_t *schema, const json_t *argument, const json_t *value); /* null: it only describes */
} keywords[] = {
    {"type", is_type, type_holds},
    {"properties", is_object, properties_hold},
    {"required", is_list_of_strings, required_holds},
    {"additionalProperties", is_boolean, additional_holds},
    {"items", is_object, items_hold},
    {"enum", is_array, enum_holds},
    {"minimum", is_number, minimum_holds},
    {"maximum", is_number, maximum_holds},
    {"minItems", is_count, min_items_hold},
    {"maxItems", is_count, max_items_hold},
    {"minLength", is_count, min_length_holds},
    {"maxLength", is_count, max_length_holds},
    {"title", NULL, NULL},
    {"description", NULL, NULL},
};
enum { N_KEYWORDS = sizeof keywords / sizeof keywords[0] };

static const struct keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < N_KEYWORDS; i++)
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

static enum status check_inner(const json_t *schema, struct error *error)
{
    const char *key;
    json_t *inner;
    enum status status = STATUS_OK;
    json_object_foreach(json_object_get(schema, "properties"), key, inner) if (!status) status = eval_schema_check(inner, error);
    const json_t *items = json_object_get(schema, "items");
    return status || !items ? status : eval_schema_check(items, error);
}

enum status eval_schema_check(const json_t *schema, struct error *error)
{
    char quoted[ERROR_QUOTE_BYTES];
    const char *key;
    json_t *argument;
    if (!json_is_object(schema))
        return error_set(error, STATUS_INVALID, "schema: expected an object");
    json_object_foreach((json_t *)schema, key, argument)
    {
        const struct keyword *keyword = find_keyword(key);
        if (!keyword)
            return error_set(error, STATUS_INVALID, "schema: the keyword %s is not supported", error_quote(quoted, key, strlen(key)));
        if (keyword->is_written_well && !keyword->is_written_well(argument))
            return error_set(error, STATUS_INVALID, "schema: %s is not written as JSON Schema asks", key);
    }
    return check_inner(schema, error);
}

bool eval_schema_holds(const json_t *schema, const json_t *value, char *why, size_t size)
{
    for (size_t i = 0; i < N_KEYWORDS; i++) {
        const json_t *argument = json_object_get(schema, keywords[i].name);
        if (argument && keywords[i].holds && !keywords[i].holds(schema, argument, value)) {
            snprintf(why, size, "the JSON does not fit the schema: %s", keywords[i].name);
            return false;
        }
    }
    return true;
}
