/* Builds the language of a flat schema. A schema that is met again while it is being built becomes a rule; all others are built once. */
#include "text/json_schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "text/json_schema_parts.h"
#include "text/number_language.h"
#include "text/regex.h"
#include "text/string_format.h"

enum { KEYS_BYTES_MAX = 64 << 20, ONE_OF_MAX = 32, PATTERNS_MAX = 32, TABLE_MAX = 1 << 20, NEST_MAX = 2 * JSON_SCHEMA_DEPTH_MAX };

/* ---- Records ------------------------------------------------------------------------------------------------- */

static void full_path(const struct schemas *s, const char *keyword, char out[], size_t size)
{
    snprintf(out, size, "%s%s%s", s->path, *keyword ? "/" : "", keyword);
}

void json_schema_fail(struct schemas *s, enum status status, const char *keyword, const char *format, ...)
{
    if (s->status)
        return;
    char path[sizeof s->path + 64], message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    full_path(s, keyword, path, sizeof path);
    s->status = error_set_path(s->error, status, "invalid_json_schema", path, "%s", message);
}

void json_schema_leave_out(struct schemas *s, const char *keyword)
{
    char path[sizeof s->path + 64];
    full_path(s, keyword, path, sizeof path);
    if (s->strict)
        json_schema_fail(s, STATUS_UNSUPPORTED, keyword, "%s cannot be held to", keyword);
    else if (buf_printf(s->unenforced, "%s %s\n", path, keyword))
        s->status = error_set(s->error, buf_status(s->unenforced), "too many keywords that cannot be held to");
}

size_t json_schema_enter(struct schemas *s, const char *keyword, const char *name)
{
    size_t mark = strlen(s->path);
    snprintf(s->path + mark, sizeof s->path - mark, "/%s%s%s", keyword, *name ? "/" : "", name);
    return mark;
}

void json_schema_leave(struct schemas *s, size_t mark)
{
    s->path[mark] = 0;
}

bool json_schema_find(const struct table *table, const void *x, const void *y, uint64_t *value)
{
    const void *key[] = {x, y};
    return table_find(table, str_from((const char *)key, sizeof key), value);
}

void json_schema_add(struct schemas *s, struct table *table, const void *x, const void *y, uint64_t value)
{
    const void *key[] = {x, y};
    struct str kept = arena_str(&s->keys, str_from((const char *)key, sizeof key));
    if (!kept.at || table_add(table, kept, value, NULL))
        json_schema_fail(s, STATUS_NO_MEMORY, "", "out of memory");
}

json_t *json_schema_keep(struct schemas *s, json_t *made)
{
    if (!made || json_array_append_new(s->made, made)) {
        json_schema_fail(s, STATUS_NO_MEMORY, "", "out of memory");
        return NULL;
    }
    return made;
}

/* ---- Parts --------------------------------------------------------------------------------------------------- */

static uint32_t build(struct schemas *s, json_t *schema);

static uint32_t build_part(struct schemas *s, const char *keyword, const char *name, json_t *schema)
{
    size_t mark = json_schema_enter(s, keyword, name);
    uint32_t out = build(s, schema);
    json_schema_leave(s, mark);
    return out;
}

static uint64_t count_of(json_t *flat, const char *keyword, uint64_t otherwise)
{
    json_t *value = json_object_get(flat, keyword);
    double count = value ? json_number_value(value) : (double)otherwise;
    return count < AUTOMATON_ENDLESS ? (uint64_t)count : AUTOMATON_ENDLESS;
}

static bool has_type(json_t *flat, const char *name)
{
    json_t *types = json_object_get(flat, "type");
    return !types || json_schema_has_name(types, name);
}

/* ---- Strings ------------------------------------------------------------------------------------------------- */

/* Both; what any text fits adds nothing. */
static uint32_t with(struct schemas *s, uint32_t inner, uint32_t x)
{
    return inner == s->j.characters ? x : automaton_both(s->j.a, inner, x);
}

static uint32_t with_patterns(struct schemas *s, json_t *flat, uint32_t inner)
{
    size_t i;
    json_t *pattern;
    json_array_foreach(json_object_get(flat, "pattern"), i, pattern)
    {
        uint32_t x = AUTOMATON_FAILED;
        struct error error = {0};
        struct str text = str_from(json_string_value(pattern), json_string_length(pattern));
        enum status status = regex_language(s->j.a, text, false, WRITING_JSON, &x, &error);
        if (status == STATUS_UNSUPPORTED)
            json_schema_leave_out(s, "pattern");
        else if (status)
            json_schema_fail(s, status, "pattern", "%s", error.message);
        else
            inner = with(s, inner, x);
    }
    return inner;
}

static uint32_t with_formats(struct schemas *s, json_t *flat, uint32_t inner)
{
    size_t i;
    json_t *format;
    json_array_foreach(json_object_get(flat, "format"), i, format)
    {
        const char *pattern = string_format_pattern(str_of(json_string_value(format)));
        uint32_t x = AUTOMATON_FAILED;
        struct error error = {0};
        if (!pattern)
            json_schema_leave_out(s, "format");
        else if (regex_language(s->j.a, str_of(pattern), true, WRITING_JSON, &x, &error))
            json_schema_fail(s, error.status, "format", "%s", error.message);
        else
            inner = with(s, inner, x);
    }
    return inner;
}

/* Inside the quotes. */
static uint32_t string_inner(struct schemas *s, json_t *flat)
{
    static const char *const lengths[] = {"minLength", "maxLength", NULL};
    uint32_t inner = s->j.characters;
    if (json_schema_has_any(flat, lengths)) {
        uint64_t least = count_of(flat, "minLength", 0), most = count_of(flat, "maxLength", AUTOMATON_ENDLESS);
        inner = automaton_repeat(s->j.a, code_points_any(s->j.a, WRITING_JSON), (uint32_t)least, (uint32_t)most);
    }
    return with_formats(s, flat, with_patterns(s, flat, inner));
}

/* ---- Numbers ------------------------------------------------------------------------------------------------- */

static void take_bound(json_t *flat, const char *inclusive, const char *exclusive, bool upper, bool *has, double *bound, bool *without)
{
    json_t *with = json_object_get(flat, inclusive), *strictly = json_object_get(flat, exclusive);
    *has = with || strictly;
    double a = json_number_value(with), b = json_number_value(strictly);
    *without = strictly && (!with || (upper ? b <= a : b >= a));
    *bound = *without ? b : a;
}

/* Of fractions only tenths, hundredths and so on can be told by their digits. */
static uint32_t with_decimals(struct schemas *s, double multiple, uint32_t x)
{
    struct automaton *a = s->j.a;
    double scale = 1;
    uint32_t places = 0;
    while (places < 15 && fabs(multiple * scale - 1) > 1e-9) {
        scale *= 10;
        places++;
    }
    char pattern[64];
    uint32_t limited = AUTOMATON_FAILED;
    if (places == 15) {
        json_schema_leave_out(s, "multipleOf");
        return x;
    }
    snprintf(pattern, sizeof pattern, "-?[0-9]+(\\.[0-9]{1,%u})?", places);
    if (regex_language(a, str_of(pattern), true, WRITING_UTF8, &limited, NULL))
        return AUTOMATON_FAILED;
    return automaton_both(a, x, limited);
}

static uint32_t build_number(struct schemas *s, json_t *flat, bool integer)
{
    struct number_bounds b = {.integer = integer};
    take_bound(flat, "minimum", "exclusiveMinimum", false, &b.has_least, &b.least, &b.above);
    take_bound(flat, "maximum", "exclusiveMaximum", true, &b.has_most, &b.most, &b.below);
    json_t *multiple = json_object_get(flat, "multipleOf");
    double of = json_number_value(multiple);
    if (multiple && of <= 0)
        json_schema_fail(s, STATUS_INVALID, "multipleOf", "multipleOf wants a number above 0");
    bool whole = multiple && of == floor(of);
    if (whole && of < 1e9)
        b.multiple_of = (uint64_t)of;
    else if (whole)
        json_schema_leave_out(s, "multipleOf");
    uint32_t out = number_language(s->j.a, &b);
    if (!multiple || whole || s->status)
        return out;
    if (!integer)
        return with_decimals(s, of, out);
    if (fabs(1 / of - round(1 / of)) > 1e-9) /* such as 0.5: every whole number is a multiple */
        json_schema_leave_out(s, "multipleOf");
    return out;
}

/* ---- Arrays -------------------------------------------------------------------------------------------------- */

static uint32_t build_array(struct schemas *s, json_t *flat)
{
    static const char *const words[] = {"prefixItems", "items", "minItems", "maxItems", "uniqueItems", NULL};
    if (!json_schema_has_any(flat, words))
        return s->j.array;
    struct automaton *a = s->j.a;
    json_t *prefix = json_object_get(flat, "prefixItems"), *items = json_object_get(flat, "items");
    uint64_t least = count_of(flat, "minItems", 0), most = count_of(flat, "maxItems", AUTOMATON_ENDLESS), n = json_array_size(prefix);
    if (json_is_true(json_object_get(flat, "uniqueItems")) && most > 1)
        json_schema_leave_out(s, "uniqueItems");
    if (least > most)
        return AUTOMATON_NOTHING;
    n = n < most ? n : most;
    uint32_t item = most > n ? build_part(s, "items", "", items ? items : json_true()) : AUTOMATON_NOTHING;
    uint32_t more = (uint32_t)(least > n ? least - n : 0), up_to = most == AUTOMATON_ENDLESS ? AUTOMATON_ENDLESS : (uint32_t)(most - n);
    if (item == AUTOMATON_NOTHING)
        up_to = more; /* none, or too many to be had */
    uint32_t rest = automaton_repeat(a, automaton_join(a, s->j.comma, item), more, up_to), first;
    first = automaton_join(a, item,
                           automaton_repeat(a, automaton_join(a, s->j.comma, item), more ? more - 1 : 0,
                                            up_to == AUTOMATON_ENDLESS ? up_to
                                            : up_to                    ? up_to - 1
                                                                       : 0));
    first = more ? first : automaton_maybe(a, up_to ? first : AUTOMATON_NOTHING);
    for (uint64_t i = n; i-- > 0 && !s->status;) {
        char number[24];
        snprintf(number, sizeof number, "%u", (unsigned)i);
        uint32_t x = build_part(s, "prefixItems", number, json_array_get(prefix, i));
        first = automaton_join(a, x, rest);
        rest = automaton_join(a, s->j.comma, first);
        if (i >= least) {
            first = automaton_maybe(a, first);
            rest = automaton_maybe(a, rest);
        }
    }
    return json_language_braced(&s->j, '[', first, ']');
}

/* ---- Objects ------------------------------------------------------------------------------------------------- */

/* Names of patternProperties and what they ask; `rest` is what none of them and no named member is. */
struct patterns {
    uint32_t language[PATTERNS_MAX];
    json_t *schema[PATTERNS_MAX];
    size_t n;
};

/* A string's characters, inside the quotes. */
static uint32_t key_text(struct schemas *s, const json_t *string)
{
    return code_points_text(s->j.a, str_from(json_string_value(string), json_string_length(string)), WRITING_JSON);
}

static uint32_t name_text(struct schemas *s, const char *name)
{
    return code_points_text(s->j.a, str_of(name), WRITING_JSON);
}

static bool is_required(json_t *flat, const char *name)
{
    return json_schema_has_name(json_object_get(flat, "required"), name);
}

static void take_patterns(struct schemas *s, json_t *flat, struct patterns *out)
{
    const char *name;
    json_t *value;
    out->n = 0;
    json_object_foreach(json_object_get(flat, "patternProperties"), name, value)
    {
        uint32_t x = AUTOMATON_FAILED;
        struct error error = {0};
        enum status status = regex_language(s->j.a, str_of(name), false, WRITING_JSON, &x, &error);
        if (status == STATUS_UNSUPPORTED || out->n == PATTERNS_MAX) {
            json_schema_leave_out(s, "patternProperties");
        } else if (status) {
            json_schema_fail(s, status, "patternProperties", "%s", error.message);
        } else {
            out->language[out->n] = x;
            out->schema[out->n++] = value;
        }
    }
}

/* Names inside the quotes that propertyNames allows. */
static uint32_t allowed_names(struct schemas *s, json_t *flat)
{
    json_t *names = json_object_get(flat, "propertyNames"), *asked = names ? json_schema_flatten(s, names) : NULL;
    if (!asked || json_is_true(asked))
        return s->j.characters;
    if (json_is_false(asked) || !has_type(asked, "string"))
        return AUTOMATON_NOTHING;
    json_t *values = json_object_get(asked, "enum"), *value;
    if (json_object_get(asked, "choices"))
        json_schema_leave_out(s, "propertyNames");
    uint32_t inner = string_inner(s, asked);
    struct automaton_list listed = {0};
    size_t i;
    json_array_foreach(values, i, value)
    {
        if (json_is_string(value))
            automaton_list_add(&listed, key_text(s, value));
    }
    return values ? automaton_both(s->j.a, inner, automaton_list_either(s->j.a, &listed)) : inner;
}

/* A member that is not named: by each pattern, by two of them, by none. */
static uint32_t other_pair(struct schemas *s, json_t *flat, uint32_t names, uint32_t declared)
{
    struct automaton *a = s->j.a;
    struct patterns p;
    take_patterns(s, flat, &p);
    json_t *others = json_schema_of_others(flat);
    uint32_t free = declared == AUTOMATON_NOTHING ? names : automaton_both(a, names, automaton_not(a, declared)), none = free;
    uint32_t out = AUTOMATON_NOTHING;
    for (size_t i = 0; i < p.n && !s->status; i++) {
        uint32_t mine = automaton_both(a, free, p.language[i]);
        none = automaton_both(a, none, automaton_not(a, p.language[i]));
        for (size_t k = 0; k < p.n; k++) {
            uint32_t shared = k == i ? AUTOMATON_NOTHING : automaton_both(a, mine, p.language[k]);
            if (shared == AUTOMATON_NOTHING)
                continue;
            mine = automaton_both(a, mine, automaton_not(a, p.language[k]));
            if (k > i)
                out = automaton_or(a, out, json_language_pair(&s->j, shared, build(s, json_schema_both(s, p.schema[i], p.schema[k]))));
        }
        out = automaton_or(a, out, json_language_pair(&s->j, mine, build_part(s, "patternProperties", "", p.schema[i])));
    }
    if (json_is_false(others) || none == AUTOMATON_NOTHING)
        return out;
    return automaton_or(a, out, json_language_pair(&s->j, none, build_part(s, "additionalProperties", "", others)));
}

/* All members by name: those of `properties`, then those only asked for. Each value is the schema of the member. */
static json_t *members_of(struct schemas *s, json_t *flat)
{
    json_t *members = json_schema_keep(s, json_object()), *value, *pattern_value;
    const char *name, *pattern;
    size_t i;
    if (!members)
        return NULL;
    json_object_foreach(json_object_get(flat, "properties"), name, value)
    {
        json_object_set(members, name, value);
    }
    json_array_foreach(json_object_get(flat, "required"), i, value)
    {
        if (!json_object_get(members, json_string_value(value)))
            json_object_set(members, json_string_value(value), json_null());
    }
    json_object_foreach(members, name, value)
    {
        json_t *asked = json_is_null(value) ? NULL : value;
        json_object_foreach(json_object_get(flat, "patternProperties"), pattern, pattern_value)
        {
            if (json_schema_name_matches(s, pattern, name))
                asked = asked ? json_schema_both(s, asked, pattern_value) : pattern_value;
        }
        json_object_set(members, name, asked ? asked : json_schema_of_others(flat));
    }
    return members;
}

/* How many members there may be is only counted where none has a name of its own. */
static void count_members(struct schemas *s, json_t *flat, size_t n_named, uint32_t others, uint32_t *least, uint32_t *most)
{
    uint64_t wanted = count_of(flat, "minProperties", 0), allowed = count_of(flat, "maxProperties", AUTOMATON_ENDLESS);
    *least = n_named ? 0 : (uint32_t)wanted;
    *most = n_named ? AUTOMATON_ENDLESS : (uint32_t)allowed;
    if (n_named && wanted > json_array_size(json_object_get(flat, "required")))
        json_schema_leave_out(s, "minProperties");
    if (n_named && (allowed < n_named || (others != AUTOMATON_NOTHING && allowed != AUTOMATON_ENDLESS)))
        json_schema_leave_out(s, "maxProperties");
}

/* One named member: its text, and whether it must be there. */
struct member {
    uint32_t pair;
    bool required;
};

static void build_members(struct schemas *s, json_t *flat, json_t *members, uint32_t names, struct member *out)
{
    const char *name;
    json_t *value;
    json_object_foreach(members, name, value)
    {
        uint32_t key = name_text(s, name);
        bool allowed = names == s->j.characters || automaton_both(s->j.a, names, key) != AUTOMATON_NOTHING;
        uint32_t asked = allowed ? build_part(s, "properties", name, value) : AUTOMATON_NOTHING;
        *out++ = (struct member){json_language_pair(&s->j, key, asked), is_required(flat, name)};
    }
}

/* Members in their order, then others, `least` to `most` of them: with a comma in front of all but the first that is there. */
static uint32_t in_order(struct schemas *s, const struct member *members, size_t n, uint32_t other, uint32_t least, uint32_t most)
{
    struct automaton *a = s->j.a;
    uint32_t comma_other = automaton_join(a, s->j.comma, other), rest = automaton_repeat(a, comma_other, least, most);
    uint32_t after_first = most == AUTOMATON_ENDLESS ? most : most ? most - 1 : 0;
    uint32_t first =
        most ? automaton_join(a, other, automaton_repeat(a, comma_other, least ? least - 1 : 0, after_first)) : AUTOMATON_END;
    first = least ? first : automaton_maybe(a, first);
    while (n-- > 0) {
        uint32_t comma_pair = automaton_join(a, s->j.comma, members[n].pair), begun = automaton_join(a, members[n].pair, rest);
        first = members[n].required ? begun : automaton_or(a, begun, first);
        rest = automaton_join(a, members[n].required ? comma_pair : automaton_maybe(a, comma_pair), rest);
    }
    return first;
}

static uint32_t build_object(struct schemas *s, json_t *flat)
{
    static const char *const words[] = {"properties",
                                        "required",
                                        "additionalProperties",
                                        "unevaluatedProperties",
                                        "patternProperties",
                                        "propertyNames",
                                        "minProperties",
                                        "maxProperties",
                                        NULL};
    if (!json_schema_has_any(flat, words))
        return s->j.object;
    json_t *members = members_of(s, flat), *value;
    uint32_t names = allowed_names(s, flat), least, most;
    struct automaton_list declared = {0};
    const char *name;
    size_t n = json_object_size(members);
    struct member *built = s->status ? NULL : mem_zalloc_array(n + 1, sizeof *built);
    if (!built) {
        json_schema_fail(s, STATUS_NO_MEMORY, "", "out of memory");
        return AUTOMATON_FAILED;
    }
    json_object_foreach(members, name, value)
    {
        automaton_list_add(&declared, name_text(s, name));
    }
    uint32_t other = other_pair(s, flat, names, automaton_list_either(s->j.a, &declared));
    count_members(s, flat, n, other, &least, &most);
    build_members(s, flat, members, names, built);
    uint32_t inner = in_order(s, built, n, other, least, most);
    mem_free(built);
    return json_language_braced(&s->j, '{', inner, '}');
}

/* ---- Values and choices -------------------------------------------------------------------------------------- */

static bool value_fits_type(json_t *flat, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return has_type(flat, "object");
    case JSON_ARRAY:
        return has_type(flat, "array");
    case JSON_STRING:
        return has_type(flat, "string");
    case JSON_INTEGER:
        return has_type(flat, "integer") || has_type(flat, "number");
    case JSON_REAL:
        return has_type(flat, "number") || (has_type(flat, "integer") && json_real_value(value) == floor(json_real_value(value)));
    case JSON_NULL:
        return has_type(flat, "null");
    default:
        return has_type(flat, "boolean");
    }
}

static uint32_t build_types(struct schemas *s, json_t *flat)
{
    struct automaton *a = s->j.a;
    uint32_t out = AUTOMATON_NOTHING;
    if (has_type(flat, "string"))
        out = automaton_or(a, out, json_language_quoted(&s->j, string_inner(s, flat)));
    if (has_type(flat, "number") || has_type(flat, "integer"))
        out = automaton_or(a, out, build_number(s, flat, !has_type(flat, "number")));
    if (has_type(flat, "boolean"))
        out = automaton_or(a, out, automaton_or(a, automaton_text(a, str_of("true")), automaton_text(a, str_of("false"))));
    if (has_type(flat, "null"))
        out = automaton_or(a, out, automaton_text(a, str_of("null")));
    if (has_type(flat, "array"))
        out = automaton_or(a, out, build_array(s, flat));
    if (has_type(flat, "object"))
        out = automaton_or(a, out, build_object(s, flat));
    return out;
}

/* Those values of the list that the rest of the schema allows. */
static uint32_t build_values(struct schemas *s, json_t *flat)
{
    json_t *values = json_object_get(flat, "enum"), *value;
    struct automaton_list strings = {0}, out = {0};
    uint32_t rest = AUTOMATON_NOTHING;
    size_t i;
    bool more = json_object_size(flat) > 1 + (json_object_get(flat, "type") != NULL);
    if (more)
        rest = build_types(s, flat);
    json_array_foreach(values, i, value)
    {
        if (s->status || !value_fits_type(flat, value))
            continue;
        if (!more && json_is_string(value)) { /* all of them between the same quotes */
            automaton_list_add(&strings, key_text(s, value));
            continue;
        }
        uint32_t literal = json_language_literal(&s->j, value);
        if (more && !automaton_calls(s->j.a, rest))
            literal = automaton_both(s->j.a, literal, rest);
        automaton_list_add(&out, literal);
    }
    automaton_list_add(&out, json_language_quoted(&s->j, automaton_list_either(s->j.a, &strings)));
    return automaton_list_either(s->j.a, &out);
}

static bool types_differ(json_t *x, json_t *y)
{
    static const char *const names[] = {"object", "array", "string", "boolean", "null"};
    bool numbers = (has_type(x, "number") || has_type(x, "integer")) && (has_type(y, "number") || has_type(y, "integer"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (has_type(x, names[i]) && has_type(y, names[i]))
            return false;
    return !numbers;
}

/* Both ask for a member whose values differ. */
static bool told_apart_by_member(struct schemas *s, json_t *x, json_t *y)
{
    size_t i, k;
    json_t *name, *value;
    if (!json_object_get(x, "type") || !json_object_get(y, "type"))
        return false;
    json_array_foreach(json_object_get(x, "required"), i, name)
    {
        const char *text = json_string_value(name);
        json_t *mine = json_schema_flatten(s, json_object_get(json_object_get(x, "properties"), text));
        json_t *other = json_schema_flatten(s, json_object_get(json_object_get(y, "properties"), text));
        json_t *values = json_object_get(mine, "enum"), *others = json_object_get(other, "enum");
        bool apart = is_required(y, text) && values && others;
        json_array_foreach(values, k, value)
        {
            for (size_t m = 0; m < json_array_size(others); m++)
                apart = apart && !json_equal(value, json_array_get(others, m));
        }
        if (apart)
            return true;
    }
    return false;
}

static bool are_apart(struct schemas *s, json_t *x, json_t *y, uint32_t first, uint32_t second)
{
    if (first == AUTOMATON_NOTHING || second == AUTOMATON_NOTHING)
        return true;
    if (!json_is_object(x) || !json_is_object(y))
        return false;
    if (types_differ(x, y) || told_apart_by_member(s, x, y))
        return true;
    if (automaton_calls(s->j.a, first) || automaton_calls(s->j.a, second))
        return false;
    return automaton_both(s->j.a, first, second) == AUTOMATON_NOTHING;
}

/* The first choice of a schema, each of its branches together with the rest. */
static uint32_t build_choice(struct schemas *s, json_t *flat)
{
    json_t *choices = json_object_get(flat, "choices"), *choice = json_array_get(choices, 0), *of = json_object_get(choice, "of"),
           *branch;
    bool one = json_is_true(json_object_get(choice, "one")), apart = true;
    json_t *rest = json_schema_keep(s, json_copy(flat)), *left = json_copy(choices);
    uint32_t out = AUTOMATON_NOTHING, built[ONE_OF_MAX];
    json_t *flats[ONE_OF_MAX];
    json_array_remove(left, 0);
    if (rest && json_array_size(left))
        json_object_set(rest, "choices", left);
    else if (rest)
        json_object_del(rest, "choices");
    json_decref(left);
    if (rest)
        json_schema_add(s, &s->flat, rest, NULL, (uintptr_t)rest);
    size_t i;
    json_array_foreach(of, i, branch)
    {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        json_t *both = s->status ? NULL : json_schema_both(s, rest, branch);
        uint32_t x = both ? build_part(s, one ? "oneOf" : "anyOf", number, both) : AUTOMATON_FAILED;
        json_t *flat_branch = one && !s->status ? json_schema_flatten(s, both) : NULL;
        for (size_t k = 0; one && apart && k < i && i < ONE_OF_MAX && !s->status; k++)
            apart = are_apart(s, flats[k], flat_branch, built[k], x);
        if (i < ONE_OF_MAX) {
            flats[i] = flat_branch;
            built[i] = x;
        }
        out = automaton_or(s->j.a, out, x);
    }
    if (one && !s->status && (!apart || json_array_size(of) > ONE_OF_MAX))
        json_schema_leave_out(s, "oneOf");
    return out;
}

static uint32_t build_flat(struct schemas *s, json_t *flat)
{
    if (!flat)
        return AUTOMATON_FAILED;
    if (json_is_boolean(flat))
        return json_is_true(flat) ? s->j.value : AUTOMATON_NOTHING;
    if (json_object_size(flat) == 0)
        return s->j.value;
    if (json_object_get(flat, "choices"))
        return build_choice(s, flat);
    return json_object_get(flat, "enum") ? build_values(s, flat) : build_types(s, flat);
}

/* ---- Recursion ----------------------------------------------------------------------------------------------- */

enum { BUILD_OPEN, BUILD_ASKED, BUILD_DONE };

static bool add_language(struct schemas *s, json_t *schema)
{
    if (s->n_languages == s->capacity) {
        uint32_t wanted = s->capacity ? 2 * s->capacity : 64;
        uint32_t *languages = mem_realloc(s->languages, wanted * sizeof *languages);
        s->languages = languages ? languages : s->languages;
        uint8_t *states = languages ? mem_realloc(s->states, wanted) : NULL;
        s->states = states ? states : s->states;
        if (!states) {
            json_schema_fail(s, STATUS_NO_MEMORY, "", "out of memory");
            return false;
        }
        s->capacity = wanted;
    }
    s->states[s->n_languages] = BUILD_OPEN;
    json_schema_add(s, &s->built, schema, NULL, s->n_languages++);
    return true;
}

static uint32_t build(struct schemas *s, json_t *schema)
{
    uint64_t place;
    if (s->status || !schema)
        return AUTOMATON_FAILED;
    if (json_is_boolean(schema))
        return build_flat(s, schema);
    if (json_schema_find(&s->built, schema, NULL, &place)) {
        if (s->states[place] == BUILD_OPEN) {
            s->languages[place] = automaton_rule(s->j.a);
            s->states[place] = BUILD_ASKED;
        }
        return s->languages[place];
    }
    place = s->n_languages;
    if (!add_language(s, schema))
        return AUTOMATON_FAILED;
    if (++s->depth > NEST_MAX)
        json_schema_fail(s, STATUS_LIMIT, "", "schemas are nested too deep");
    uint32_t out = s->status ? AUTOMATON_FAILED : build_flat(s, json_schema_flatten(s, schema));
    s->depth--;
    if (s->states[place] == BUILD_ASKED)
        automaton_define(s->j.a, s->languages[place], out);
    else
        s->languages[place] = out;
    s->states[place] = BUILD_DONE;
    if (!s->status && automaton_status(s->j.a))
        json_schema_fail(s, automaton_status(s->j.a), "",
                         automaton_status(s->j.a) == STATUS_LIMIT ? "the schema is too large" : "out of memory");
    return s->languages[place];
}

enum status json_schema_language(struct automaton *a, const json_t *schema, bool strict, struct buf *unenforced, uint32_t *out,
                                 struct error *error)
{
    struct schemas s = {.strict = strict, .unenforced = unenforced, .error = error, .path = "#"};
    s.root = json_deep_copy(schema);
    s.made = json_array();
    arena_init(&s.keys, KEYS_BYTES_MAX);
    table_init(&s.flat);
    table_init(&s.pairs);
    table_init(&s.built);
    json_language_init(&s.j, a);
    if (!s.root || !s.made)
        json_schema_fail(&s, STATUS_NO_MEMORY, "", "out of memory");
    *out = json_is_object(s.root) || json_is_boolean(s.root) ? build(&s, s.root) : build_flat(&s, json_schema_flatten(&s, s.root));
    table_release(&s.flat);
    table_release(&s.pairs);
    table_release(&s.built);
    arena_release(&s.keys);
    mem_free(s.languages);
    mem_free(s.states);
    json_decref(s.made);
    json_decref(s.root);
    if (!s.status && automaton_status(a))
        return error_set_path(error, automaton_status(a), "invalid_json_schema", "#", "the schema is too large");
    return s.status;
}
