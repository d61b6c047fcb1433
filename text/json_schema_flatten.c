/* References and allOf are gone when a schema is flat: both are the same question, what two schemas ask for together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/json_schema_parts.h"
#include "text/text_match.h"

enum { CHAIN_MAX = 64 };

/* ---- Words --------------------------------------------------------------------------------------------------- */

enum word_kind {
    WORD_KEPT,     /* a keyword that is built as it stands */
    WORD_CHANGED,  /* one that flattening changes */
    WORD_LEFT_OUT, /* one that a language cannot hold to */
};

enum argument {
    ARGUMENT_ANY,
    ARGUMENT_COUNT,
    ARGUMENT_NUMBER,
    ARGUMENT_STRING,
    ARGUMENT_BOOLEAN,
    ARGUMENT_ARRAY,
    ARGUMENT_OBJECT,
    ARGUMENT_SCHEMA,
    ARGUMENT_TYPE,
    ARGUMENT_STRINGS
};

struct word {
    const char *name;
    enum word_kind kind;
    enum argument argument;
};

static const struct word WORDS[] = {
    {"type", WORD_CHANGED, ARGUMENT_TYPE},
    {"enum", WORD_KEPT, ARGUMENT_ARRAY},
    {"const", WORD_CHANGED, ARGUMENT_ANY},
    {"nullable", WORD_CHANGED, ARGUMENT_BOOLEAN},
    {"minimum", WORD_KEPT, ARGUMENT_NUMBER},
    {"maximum", WORD_KEPT, ARGUMENT_NUMBER},
    {"exclusiveMinimum", WORD_CHANGED, ARGUMENT_ANY},
    {"exclusiveMaximum", WORD_CHANGED, ARGUMENT_ANY},
    {"multipleOf", WORD_KEPT, ARGUMENT_NUMBER},
    {"minLength", WORD_KEPT, ARGUMENT_COUNT},
    {"maxLength", WORD_KEPT, ARGUMENT_COUNT},
    {"pattern", WORD_CHANGED, ARGUMENT_STRING},
    {"format", WORD_CHANGED, ARGUMENT_STRING},
    {"items", WORD_CHANGED, ARGUMENT_ANY},
    {"additionalItems", WORD_CHANGED, ARGUMENT_SCHEMA},
    {"prefixItems", WORD_KEPT, ARGUMENT_ARRAY},
    {"unevaluatedItems", WORD_CHANGED, ARGUMENT_SCHEMA},
    {"minItems", WORD_KEPT, ARGUMENT_COUNT},
    {"maxItems", WORD_KEPT, ARGUMENT_COUNT},
    {"uniqueItems", WORD_KEPT, ARGUMENT_BOOLEAN},
    {"properties", WORD_KEPT, ARGUMENT_OBJECT},
    {"required", WORD_KEPT, ARGUMENT_STRINGS},
    {"additionalProperties", WORD_KEPT, ARGUMENT_SCHEMA},
    {"unevaluatedProperties", WORD_KEPT, ARGUMENT_SCHEMA},
    {"patternProperties", WORD_KEPT, ARGUMENT_OBJECT},
    {"propertyNames", WORD_KEPT, ARGUMENT_SCHEMA},
    {"minProperties", WORD_KEPT, ARGUMENT_COUNT},
    {"maxProperties", WORD_KEPT, ARGUMENT_COUNT},
    {"dependentRequired", WORD_CHANGED, ARGUMENT_OBJECT},
    {"dependentSchemas", WORD_CHANGED, ARGUMENT_OBJECT},
    {"anyOf", WORD_CHANGED, ARGUMENT_ARRAY},
    {"oneOf", WORD_CHANGED, ARGUMENT_ARRAY},
    {"allOf", WORD_CHANGED, ARGUMENT_ARRAY},
    {"$ref", WORD_CHANGED, ARGUMENT_STRING},
    {"not", WORD_LEFT_OUT, ARGUMENT_SCHEMA},
    {"if", WORD_LEFT_OUT, ARGUMENT_SCHEMA},
    {"contains", WORD_LEFT_OUT, ARGUMENT_SCHEMA},
    {"dependencies", WORD_LEFT_OUT, ARGUMENT_OBJECT},
    {"$dynamicRef", WORD_LEFT_OUT, ARGUMENT_STRING},
    {"$recursiveRef", WORD_LEFT_OUT, ARGUMENT_STRING},
};

static const struct word *word_of(const char *name)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcmp(WORDS[i].name, name) == 0)
            return &WORDS[i];
    return NULL;
}

static bool is_type_name(const json_t *value)
{
    static const char *const names[] = {"object", "array", "string", "number", "integer", "boolean", "null"};
    for (size_t i = 0; json_is_string(value) && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(json_string_value(value), names[i]) == 0)
            return true;
    return false;
}

static bool all_are(const json_t *array, bool (*is)(const json_t *))
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!is(json_array_get(array, i)))
            return false;
    return json_is_array(array);
}

static bool is_string(const json_t *value)
{
    return json_is_string(value);
}

static bool fits_argument(enum argument argument, const json_t *value)
{
    switch (argument) {
    case ARGUMENT_COUNT:
        return json_is_number(value) && json_number_value(value) >= 0 && json_number_value(value) == floor(json_number_value(value));
    case ARGUMENT_NUMBER:
        return json_is_number(value);
    case ARGUMENT_STRING:
        return json_is_string(value);
    case ARGUMENT_BOOLEAN:
        return json_is_boolean(value);
    case ARGUMENT_ARRAY:
        return json_is_array(value);
    case ARGUMENT_OBJECT:
        return json_is_object(value);
    case ARGUMENT_SCHEMA:
        return json_is_object(value) || json_is_boolean(value);
    case ARGUMENT_TYPE:
        return is_type_name(value) || (all_are(value, is_type_name) && json_array_size(value) > 0);
    case ARGUMENT_STRINGS:
        return all_are(value, is_string);
    case ARGUMENT_ANY:
        break;
    }
    return true;
}

static const char *argument_name(enum argument argument)
{
    static const char *const names[] = {[ARGUMENT_ANY] = "a value",
                                        [ARGUMENT_COUNT] = "a whole number from 0 on",
                                        [ARGUMENT_NUMBER] = "a number",
                                        [ARGUMENT_STRING] = "a string",
                                        [ARGUMENT_BOOLEAN] = "a boolean",
                                        [ARGUMENT_ARRAY] = "an array",
                                        [ARGUMENT_OBJECT] = "an object",
                                        [ARGUMENT_SCHEMA] = "a schema (an object or a boolean)",
                                        [ARGUMENT_TYPE] = "the name of a type, or several in an array",
                                        [ARGUMENT_STRINGS] = "an array of strings"};
    return names[argument];
}

/* ---- References ---------------------------------------------------------------------------------------------- */

/* One step of a JSON pointer (RFC 6901), percent-decoded; false: malformed. */
static bool decode_step(struct str step, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < step.len; i++) {
        char c = step.at[i];
        if (c == '~' && i + 1 < step.len) {
            c = step.at[++i] == '1' ? '/' : '~';
        } else if (c == '%' && i + 2 < step.len) {
            char hex[3] = {step.at[i + 1], step.at[i + 2], 0};
            c = (char)strtol(hex, NULL, 16);
            i += 2;
        }
        if (n + 1 >= size)
            return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

static json_t *step_into(json_t *from, const char *name)
{
    if (json_is_object(from))
        return json_object_get(from, name);
    char *end;
    unsigned long i = strtoul(name, &end, 10);
    return *name && !*end ? json_array_get(from, i) : NULL;
}

static json_t *resolve(struct schemas *s, const char *reference)
{
    const char *id = json_string_value(json_object_get(s->root, "$id"));
    struct str rest = str_of(reference);
    if (id && str_starts(rest, str_of(id)))
        rest = str_skip(rest, strlen(id));
    if (str_starts(rest, str_of("#")))
        rest = str_skip(rest, 1);
    else if (rest.len)
        rest = str_of("?"); /* another document: never fetched */
    json_t *at = s->root;
    while (at && rest.len) {
        char name[512];
        struct str step = str_skip(rest, 1);
        ptrdiff_t end = str_find(step, str_of("/"));
        step.len = end >= 0 ? (size_t)end : step.len;
        at = rest.at[0] == '/' && decode_step(step, name, sizeof name) ? step_into(at, name) : NULL;
        rest = str_skip(rest, step.len + 1);
    }
    if (!at) {
        char quoted[ERROR_QUOTE_BYTES];
        json_schema_fail(s, STATUS_INVALID, "$ref", "%s leads to no schema of this document (others are never fetched)",
                         error_quote(quoted, reference, strlen(reference)));
    }
    return at;
}

/* ---- Two schemas together ------------------------------------------------------------------------------------ */

static bool is_true(const json_t *schema)
{
    return !schema || json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == 0);
}

json_t *json_schema_both(struct schemas *s, json_t *x, json_t *y)
{
    if (is_true(x) || x == y)
        return is_true(x) && is_true(y) ? json_true() : y;
    if (is_true(y))
        return x;
    if (json_is_false(x) || json_is_false(y))
        return json_false();
    uint64_t known;
    if (json_schema_find(&s->pairs, x, y, &known))
        return (json_t *)(uintptr_t)known;
    json_t *made = json_schema_keep(s, json_pack("{s:[O,O]}", "allOf", x, y));
    json_schema_add(s, &s->pairs, x, y, (uintptr_t)made);
    return made;
}

json_t *json_schema_of_others(json_t *flat)
{
    json_t *others = json_object_get(flat, "additionalProperties");
    if (!others)
        others = json_object_get(flat, "unevaluatedProperties");
    return others ? others : json_true();
}

bool json_schema_name_matches(struct schemas *s, const char *pattern, const char *name)
{
    struct text_pattern *compiled;
    if (text_pattern_create(&compiled, str_of(pattern), NULL)) {
        json_schema_fail(s, STATUS_INVALID, "patternProperties", "a pattern is not a regular expression");
        return false;
    }
    bool found = text_pattern_find(compiled, str_of(name)) == TEXT_PATTERN_FOUND;
    text_pattern_free(compiled);
    return found;
}

/* What a flat schema asks of the member `name`. */
static json_t *of_member(struct schemas *s, json_t *flat, const char *name)
{
    json_t *named = json_object_get(json_object_get(flat, "properties"), name), *out = named, *value;
    const char *pattern;
    json_object_foreach(json_object_get(flat, "patternProperties"), pattern, value)
    {
        if (!json_schema_name_matches(s, pattern, name))
            continue;
        out = out ? json_schema_both(s, out, value) : value;
    }
    return out ? out : json_schema_of_others(flat);
}

static void merge_properties(struct schemas *s, json_t *out, json_t *x, json_t *y)
{
    json_t *properties = json_object(), *patterns = json_object(), *value;
    json_t *const of[] = {x, y};
    const char *name;
    for (int i = 0; i < 2; i++) {
        json_object_foreach(json_object_get(of[i], "properties"), name, value)
        {
            json_object_set(properties, name, json_schema_both(s, of_member(s, x, name), of_member(s, y, name)));
        }
        json_object_foreach(json_object_get(of[i], "patternProperties"), name, value)
        {
            json_t *twin = json_object_get(json_object_get(of[1 - i], "patternProperties"), name);
            json_object_set(patterns, name, json_schema_both(s, value, twin ? twin : json_schema_of_others(of[1 - i])));
        }
    }
    json_t *others = json_schema_both(s, json_schema_of_others(x), json_schema_of_others(y));
    json_object_set_new(out, "properties", properties);
    json_object_set_new(out, "patternProperties", patterns);
    json_object_set(out, "additionalProperties", others);
    json_object_del(out, "unevaluatedProperties");
}

static void merge_items(struct schemas *s, json_t *out, json_t *x, json_t *y)
{
    json_t *first = json_object_get(x, "prefixItems"), *second = json_object_get(y, "prefixItems"), *prefix = json_array();
    json_t *rest = json_object_get(x, "items"), *other = json_object_get(y, "items");
    size_t n = json_array_size(first) > json_array_size(second) ? json_array_size(first) : json_array_size(second);
    for (size_t i = 0; i < n; i++) {
        json_t *a = i < json_array_size(first) ? json_array_get(first, i) : rest;
        json_t *b = i < json_array_size(second) ? json_array_get(second, i) : other;
        json_array_append(prefix, json_schema_both(s, a ? a : json_true(), b ? b : json_true()));
    }
    json_object_set_new(out, "prefixItems", prefix);
    json_object_set(out, "items", json_schema_both(s, rest ? rest : json_true(), other ? other : json_true()));
}

bool json_schema_has_name(const json_t *array, const char *name)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (strcmp(json_string_value(json_array_get(array, i)), name) == 0)
            return true;
    return false;
}

/* The types of both; an integer is a number. */
static json_t *common_types(json_t *x, json_t *y)
{
    json_t *out = json_array(), *type;
    size_t i;
    json_array_foreach(x, i, type)
    {
        const char *name = json_string_value(type);
        if (json_schema_has_name(y, name) || (strcmp(name, "integer") == 0 && json_schema_has_name(y, "number")))
            json_array_append(out, type);
        else if (strcmp(name, "number") == 0 && json_schema_has_name(y, "integer"))
            json_array_append_new(out, json_string("integer"));
    }
    return out;
}

static json_t *common_values(json_t *x, json_t *y)
{
    json_t *out = json_array(), *value, *other;
    size_t i, k;
    json_array_foreach(x, i, value)
    {
        json_array_foreach(y, k, other)
        {
            if (!json_equal(value, other))
                continue;
            json_array_append(out, value);
            break;
        }
    }
    return out;
}

static json_t *joined(json_t *x, json_t *y)
{
    json_t *out = json_copy(x), *value;
    size_t i;
    json_array_foreach(y, i, value)
    {
        bool found = false;
        for (size_t k = 0; k < json_array_size(x) && !found; k++)
            found = json_equal(json_array_get(x, k), value);
        if (!found)
            json_array_append(out, value);
    }
    return out;
}

static json_t *common_multiple(struct schemas *s, json_t *x, json_t *y)
{
    double a = json_number_value(x), b = json_number_value(y);
    if (fmod(a, b) == 0)
        return json_incref(x);
    if (fmod(b, a) == 0)
        return json_incref(y);
    double common = a;
    while (fmod(common, b) != 0 && common < 1e9)
        common += a;
    if (common >= 1e9 || a != floor(a) || b != floor(b)) {
        json_schema_leave_out(s, "multipleOf");
        return json_incref(x);
    }
    return json_integer((json_int_t)common);
}

static json_t *larger(json_t *x, json_t *y)
{
    return json_incref(json_number_value(x) >= json_number_value(y) ? x : y);
}

static json_t *smaller(json_t *x, json_t *y)
{
    return json_incref(json_number_value(x) <= json_number_value(y) ? x : y);
}

static json_t *either_true(json_t *x, json_t *y)
{
    return json_boolean(json_is_true(x) || json_is_true(y));
}

/* What both ask for under a keyword that both have; null: nothing of its own. */
static json_t *merge_word(struct schemas *s, const char *name, json_t *x, json_t *y)
{
    static const struct {
        const char *name;
        json_t *(*merge)(json_t *x, json_t *y);
    } rows[] = {{"type", common_types},       {"enum", common_values}, {"minimum", larger},       {"exclusiveMinimum", larger},
                {"maximum", smaller},         {"minLength", larger},   {"maxLength", smaller},    {"exclusiveMaximum", smaller},
                {"minItems", larger},         {"maxItems", smaller},   {"minProperties", larger}, {"maxProperties", smaller},
                {"uniqueItems", either_true}, {"required", joined},    {"pattern", joined},       {"format", joined},
                {"choices", joined}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].merge(x, y);
    if (strcmp(name, "multipleOf") == 0)
        return common_multiple(s, x, y);
    if (strcmp(name, "propertyNames") == 0)
        return json_incref(json_schema_both(s, x, y));
    return NULL;
}

bool json_schema_has_any(const json_t *schema, const char *const *names)
{
    for (; *names; names++)
        if (json_object_get(schema, *names))
            return true;
    return false;
}

static json_t *merge(struct schemas *s, json_t *x, json_t *y)
{
    static const char *const members[] = {"properties", "patternProperties", "additionalProperties", "unevaluatedProperties", NULL};
    static const char *const items[] = {"prefixItems", "items", NULL};
    if (!x || !y || json_is_false(x) || json_is_false(y))
        return x && y ? json_false() : NULL;
    if (is_true(x) || is_true(y))
        return is_true(x) ? y : x;
    json_t *out = json_schema_keep(s, json_copy(x)), *value;
    const char *name;
    json_object_foreach(y, name, value)
    {
        json_t *mine = json_object_get(x, name);
        json_t *merged = mine ? merge_word(s, name, mine, value) : json_incref(value);
        if (merged)
            json_object_set_new(out, name, merged);
    }
    if (json_schema_has_any(x, members) && json_schema_has_any(y, members))
        merge_properties(s, out, x, y);
    if (json_schema_has_any(x, items) && json_schema_has_any(y, items))
        merge_items(s, out, x, y);
    return out;
}

/* ---- One schema ---------------------------------------------------------------------------------------------- */

static void add_choice(json_t *out, json_t *of, bool one)
{
    json_t *choices = json_object_get(out, "choices");
    if (!choices) {
        choices = json_array();
        json_object_set_new(out, "choices", choices);
    }
    json_array_append_new(choices, json_pack("{s:O,s:b}", "of", of, "one", one));
}

/* "If this member is there, so are those" is a choice: it is not there, or those are. */
static void add_dependent(struct schemas *s, json_t *out, json_t *dependent)
{
    const char *name;
    json_t *value;
    json_object_foreach(dependent, name, value)
    {
        json_t *then =
            json_is_array(value) ? json_pack("{s:O}", "required", value) : json_pack("{s:[{s:[s]},O]}", "allOf", "required", name, value);
        json_t *of = json_schema_keep(s, json_pack("[{s:{s:b}},o]", "properties", name, 0, then));
        add_choice(out, of, false);
    }
}

static void change_word(struct schemas *s, json_t *schema, json_t *out, const char *name, json_t *value)
{
    if (strcmp(name, "type") == 0) {
        json_t *types = json_is_array(value) ? json_copy(value) : json_pack("[O]", value);
        json_object_set_new(out, "type", types);
        if (json_is_true(json_object_get(schema, "nullable")))
            json_array_append_new(types, json_string("null"));
    } else if (strcmp(name, "const") == 0) {
        json_object_set_new(out, "enum", json_pack("[O]", value));
    } else if (strcmp(name, "pattern") == 0 || strcmp(name, "format") == 0) {
        json_object_set_new(out, name, json_pack("[O]", value));
    } else if (strcmp(name, "items") == 0) {
        json_t *rest = json_object_get(schema, "additionalItems");
        json_object_set(out, json_is_array(value) ? "prefixItems" : "items", value);
        if (json_is_array(value) && rest)
            json_object_set(out, "items", rest);
    } else if (strcmp(name, "unevaluatedItems") == 0) {
        if (!json_object_get(schema, "items"))
            json_object_set(out, "items", value);
    } else if (strcmp(name, "anyOf") == 0 || strcmp(name, "oneOf") == 0) {
        add_choice(out, value, name[0] == 'o');
    } else if (strncmp(name, "dependent", 9) == 0) {
        add_dependent(s, out, value);
    } else if (strncmp(name, "exclusive", 9) == 0) { /* draft 4: true beside the bound */
        const char *bound = strcmp(name, "exclusiveMinimum") == 0 ? "minimum" : "maximum";
        if (json_is_number(value))
            json_object_set(out, name, value);
        else if (json_is_true(value) && json_is_number(json_object_get(schema, bound)))
            json_object_set(out, name, json_object_get(schema, bound));
    }
}

/* The keywords of one schema alone; references and allOf are for the caller. */
static json_t *own_words(struct schemas *s, json_t *schema)
{
    json_t *out = json_schema_keep(s, json_object()), *value;
    const char *name;
    json_object_foreach(schema, name, value)
    {
        const struct word *word = word_of(name);
        if (!word)
            continue;
        if (!fits_argument(word->argument, value))
            json_schema_fail(s, STATUS_INVALID, name, "%s wants %s", name, argument_name(word->argument));
        if (s->status)
            return NULL;
        if (word->kind == WORD_LEFT_OUT)
            json_schema_leave_out(s, name);
        else if (word->kind == WORD_KEPT)
            json_object_set(out, name, value);
        else
            change_word(s, schema, out, name, value);
    }
    return out;
}

json_t *json_schema_flatten(struct schemas *s, json_t *schema)
{
    uint64_t known;
    if (s->status || !schema || json_is_boolean(schema))
        return s->status ? NULL : schema;
    if (!json_is_object(schema)) {
        json_schema_fail(s, STATUS_INVALID, "", "a schema is an object or a boolean");
        return NULL;
    }
    if (json_schema_find(&s->flat, schema, NULL, &known))
        return (json_t *)(uintptr_t)known;
    if (++s->depth > CHAIN_MAX)
        json_schema_fail(s, STATUS_INVALID, "$ref", "references are nested too deep, or lead back to where they began");
    json_t *out = s->status ? NULL : own_words(s, schema), *part;
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    if (reference && !s->status)
        out = merge(s, out, json_schema_flatten(s, resolve(s, reference)));
    size_t i;
    json_array_foreach(json_object_get(schema, "allOf"), i, part)
    {
        if (!s->status)
            out = merge(s, out, json_schema_flatten(s, part));
    }
    s->depth--;
    if (!s->status)
        json_schema_add(s, &s->flat, schema, NULL, (uintptr_t)out);
    return s->status ? NULL : out;
}
