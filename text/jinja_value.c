/* Values of the Jinja subset: making, comparing, iterating, printing. */
#include "text/jinja_parts.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* ---- Making -------------------------------------------------------------------------------------------------------- */

struct jinja_value jinja_none(void)
{
    return (struct jinja_value){.kind = JINJA_NONE};
}

struct jinja_value jinja_bool(bool truth)
{
    return (struct jinja_value){.kind = JINJA_BOOL, .truth = truth};
}

struct jinja_value jinja_int(int64_t integer)
{
    return (struct jinja_value){.kind = JINJA_INT, .integer = integer};
}

struct jinja_value jinja_float(double real)
{
    return (struct jinja_value){.kind = JINJA_FLOAT, .real = real};
}

struct jinja_value jinja_undefined(const struct str *name)
{
    return (struct jinja_value){.kind = JINJA_UNDEFINED, .name = name};
}

static void *heap_alloc(struct jinja_heap *heap, size_t bytes)
{
    void *at = heap->failed ? NULL : arena_zalloc(heap->arena, bytes);
    if (!at)
        heap->failed = STATUS_NO_MEMORY;
    return at;
}

struct jinja_value jinja_text(struct jinja_heap *heap, struct str text, enum jinja_origin origin)
{
    struct jinja_text *t = heap_alloc(heap, sizeof *t);
    if (!t)
        return jinja_none();
    *t = (struct jinja_text){.at = text.len ? text.at : "", .len = text.len, .origin = origin};
    return (struct jinja_value){.kind = JINJA_TEXT, .text = t};
}

struct jinja_value jinja_list(struct jinja_heap *heap, uint32_t capacity)
{
    struct jinja_list *list = heap_alloc(heap, sizeof *list);
    struct jinja_value *items = heap_alloc(heap, (capacity + 1) * sizeof *items);
    if (!items)
        return jinja_none();
    *list = (struct jinja_list){.items = items, .capacity = capacity + 1};
    return (struct jinja_value){.kind = JINJA_LIST, .list = list};
}

struct jinja_value jinja_map(struct jinja_heap *heap, uint32_t capacity)
{
    struct jinja_map *map = heap_alloc(heap, sizeof *map);
    struct jinja_pair *pairs = heap_alloc(heap, (capacity + 1) * sizeof *pairs);
    if (!pairs)
        return jinja_none();
    *map = (struct jinja_map){.pairs = pairs, .capacity = capacity + 1};
    return (struct jinja_value){.kind = JINJA_MAP, .map = map};
}

void jinja_list_add(struct jinja_heap *heap, struct jinja_list *list, struct jinja_value value)
{
    if (heap->failed)
        return;
    if (list->n == list->capacity) {
        struct jinja_value *items = heap_alloc(heap, 2 * (size_t)list->capacity * sizeof *items);
        if (!items)
            return;
        memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->capacity *= 2;
    }
    list->items[list->n++] = value;
}

void jinja_map_set(struct jinja_heap *heap, struct jinja_map *map, struct jinja_value key, struct jinja_value value)
{
    if (heap->failed)
        return;
    if (key.kind == JINJA_TEXT)
        for (uint32_t i = 0; i < map->n; i++)
            if (map->pairs[i].key.kind == JINJA_TEXT && str_equal(jinja_str(map->pairs[i].key), jinja_str(key))) {
                map->pairs[i].value = value;
                return;
            }
    if (map->n == map->capacity) {
        struct jinja_pair *pairs = heap_alloc(heap, 2 * (size_t)map->capacity * sizeof *pairs);
        if (!pairs)
            return;
        memcpy(pairs, map->pairs, map->n * sizeof *pairs);
        map->pairs = pairs;
        map->capacity *= 2;
    }
    map->pairs[map->n++] = (struct jinja_pair){key, value};
}

void jinja_map_put(struct jinja_heap *heap, struct jinja_map *map, const char *key, struct jinja_value value)
{
    struct jinja_value name = jinja_text(heap, str_of(key), JINJA_TEMPLATE);
    jinja_map_set(heap, map, name, value);
}

/* ---- From JSON ------------------------------------------------------------------------------------------------------ */

static struct jinja_value from_json(struct jinja_heap *heap, const json_t *json, enum jinja_origin origin, int depth);

static struct jinja_value read_text(struct jinja_heap *heap, struct str text, enum jinja_origin origin)
{
    struct str copy = arena_str(heap->arena, text);
    if (!copy.at) {
        heap->failed = STATUS_NO_MEMORY;
        return jinja_none();
    }
    return jinja_text(heap, copy, origin);
}

/* Keys of one object are different already, so they are added without a search. */
static struct jinja_value read_object(struct jinja_heap *heap, const json_t *json, enum jinja_origin origin, int depth)
{
    struct jinja_value map = jinja_map(heap, (uint32_t)json_object_size(json));
    const char *key;
    size_t key_len;
    json_t *member;
    json_object_keylen_foreach((json_t *)json, key, key_len, member)
    {
        struct jinja_value name = read_text(heap, str_from(key, key_len), origin);
        struct jinja_value value = from_json(heap, member, origin, depth + 1);
        if (heap->failed)
            return jinja_none();
        map.map->pairs[map.map->n++] = (struct jinja_pair){name, value};
    }
    return map;
}

static struct jinja_value read_list(struct jinja_heap *heap, const json_t *json, enum jinja_origin origin, int depth)
{
    struct jinja_value list = jinja_list(heap, (uint32_t)json_array_size(json));
    for (size_t i = 0; i < json_array_size(json) && !heap->failed; i++)
        jinja_list_add(heap, list.list, from_json(heap, json_array_get(json, i), origin, depth + 1));
    return list;
}

static struct jinja_value from_json(struct jinja_heap *heap, const json_t *json, enum jinja_origin origin, int depth)
{
    enum { JSON_DEPTH_MAX = 256 };
    if (depth > JSON_DEPTH_MAX)
        heap->failed = STATUS_LIMIT;
    if (heap->failed)
        return jinja_none();
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return read_object(heap, json, origin, depth);
    case JSON_ARRAY:
        return read_list(heap, json, origin, depth);
    case JSON_STRING:
        return read_text(heap, str_from(json_string_value(json), json_string_length(json)), origin);
    case JSON_INTEGER:
        return jinja_int(json_integer_value(json));
    case JSON_REAL:
        return jinja_float(json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return jinja_bool(json_is_true(json));
    default:
        return jinja_none();
    }
}

enum status jinja_from_json(struct jinja_heap *heap, struct str json, enum jinja_origin origin, struct jinja_value *out,
                            struct error *error)
{
    json_error_t trouble;
    json_t *tree = json_loadb(json.at, json.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &trouble);
    *out = jinja_none();
    if (!tree)
        return error_set(error, STATUS_INVALID, "not JSON (byte %d)", trouble.position);
    *out = from_json(heap, tree, origin, 0);
    json_decref(tree);
    if (heap->failed)
        return error_set(error, heap->failed, "JSON text is too large");
    return STATUS_OK;
}

/* ---- Looking -------------------------------------------------------------------------------------------------------- */

const char *jinja_kind_name(struct jinja_value value)
{
    static const char *const names[] = {
        "an undefined value", "none",        "a boolean", "an integer", "a float",    "a string", "a list",
        "a mapping",          "a namespace", "a loop",    "a macro",    "a function", "a method"};
    return names[value.kind];
}

struct str jinja_str(struct jinja_value value)
{
    return str_from(value.text->at, value.text->len);
}

bool jinja_truth(struct jinja_value value)
{
    switch (value.kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        return false;
    case JINJA_BOOL:
        return value.truth;
    case JINJA_INT:
        return value.integer != 0;
    case JINJA_FLOAT:
        return value.real != 0;
    case JINJA_TEXT:
        return value.text->len != 0;
    case JINJA_LIST:
        return value.list->n != 0;
    case JINJA_MAP:
        return value.map->n != 0;
    default:
        return true;
    }
}

bool jinja_is_number(struct jinja_value value)
{
    return value.kind == JINJA_INT || value.kind == JINJA_FLOAT || value.kind == JINJA_BOOL;
}

double jinja_number(struct jinja_value value)
{
    return value.kind == JINJA_FLOAT ? value.real : value.kind == JINJA_BOOL ? (double)value.truth : (double)value.integer;
}

static int64_t as_integer(struct jinja_value value)
{
    return value.kind == JINJA_BOOL ? value.truth : value.integer;
}

bool jinja_find(const struct jinja_map *map, struct str key, struct jinja_value *out)
{
    for (uint32_t i = 0; i < map->n; i++)
        if (map->pairs[i].key.kind == JINJA_TEXT && str_equal(jinja_str(map->pairs[i].key), key)) {
            *out = map->pairs[i].value;
            return true;
        }
    return false;
}

bool jinja_map_find(struct jinja_value map, const char *key, struct jinja_value *out)
{
    return map.kind == JINJA_MAP && jinja_find(map.map, str_of(key), out);
}

/* ---- Comparing ------------------------------------------------------------------------------------------------------ */

static bool deeper(struct jinja_run *run)
{
    if (run->depth > 4 * JINJA_DEPTH_MAX) {
        jinja_fail(run, "values are nested too deeply");
        return false;
    }
    return jinja_spend(run, 1);
}

static bool lists_equal(struct jinja_run *run, const struct jinja_list *a, const struct jinja_list *b)
{
    bool equal = a->n == b->n;
    run->depth++;
    for (uint32_t i = 0; equal && i < a->n; i++)
        equal = jinja_equal(run, a->items[i], b->items[i]);
    run->depth--;
    return equal;
}

static bool maps_equal(struct jinja_run *run, const struct jinja_map *a, const struct jinja_map *b)
{
    bool equal = a->n == b->n;
    run->depth++;
    for (uint32_t i = 0; equal && i < a->n; i++) {
        struct jinja_value other;
        equal = jinja_spend(run, b->n / 8) && a->pairs[i].key.kind == JINJA_TEXT && jinja_find(b, jinja_str(a->pairs[i].key), &other) &&
                jinja_equal(run, a->pairs[i].value, other);
    }
    run->depth--;
    return equal;
}

bool jinja_equal(struct jinja_run *run, struct jinja_value a, struct jinja_value b)
{
    if (!deeper(run))
        return false;
    if (jinja_is_number(a) && jinja_is_number(b))
        return a.kind == JINJA_FLOAT || b.kind == JINJA_FLOAT ? jinja_number(a) == jinja_number(b) : as_integer(a) == as_integer(b);
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        return true;
    case JINJA_TEXT:
        return jinja_spend(run, a.text->len / 4096) && str_equal(jinja_str(a), jinja_str(b));
    case JINJA_LIST:
        return a.list->is_tuple == b.list->is_tuple && lists_equal(run, a.list, b.list);
    case JINJA_MAP:
        return maps_equal(run, a.map, b.map);
    default:
        return a.map == b.map; /* the same object */
    }
}

int jinja_order(struct jinja_run *run, struct jinja_value a, struct jinja_value b)
{
    if (!deeper(run))
        return 0;
    if (jinja_is_number(a) && jinja_is_number(b)) {
        if (a.kind == JINJA_FLOAT || b.kind == JINJA_FLOAT)
            return (jinja_number(a) > jinja_number(b)) - (jinja_number(a) < jinja_number(b));
        return (as_integer(a) > as_integer(b)) - (as_integer(a) < as_integer(b));
    }
    if (a.kind == JINJA_TEXT && b.kind == JINJA_TEXT) { /* UTF-8 sorts as its code points do */
        struct str x = jinja_str(a), y = jinja_str(b);
        size_t n = x.len < y.len ? x.len : y.len;
        int order = n ? memcmp(x.at, y.at, n) : 0;
        return order ? order : (x.len > y.len) - (x.len < y.len);
    }
    if (a.kind == JINJA_LIST && b.kind == JINJA_LIST) {
        int order = 0;
        run->depth++;
        for (uint32_t i = 0; order == 0 && i < a.list->n && i < b.list->n; i++)
            order = jinja_order(run, a.list->items[i], b.list->items[i]);
        run->depth--;
        return order ? order : (a.list->n > b.list->n) - (a.list->n < b.list->n);
    }
    jinja_fail(run, "%s and %s cannot be put in order", jinja_kind_name(a), jinja_kind_name(b));
    return 0;
}

/* ---- Iterating ------------------------------------------------------------------------------------------------------ */

size_t jinja_decode(const struct jinja_text *text, size_t offset, uint32_t *code)
{
    uint32_t ignored;
    size_t n = utf8_decode(text->at + offset, text->len - offset, code ? code : &ignored);
    if (n)
        return n;
    if (code)
        *code = 0xfffd;
    return 1;
}

struct jinja_list *jinja_iterate(struct jinja_run *run, struct jinja_value value)
{
    if (value.kind == JINJA_LIST)
        return value.list;
    struct jinja_value list = jinja_list(run->heap, value.kind == JINJA_MAP ? value.map->n : 8);
    if (run->heap->failed) {
        jinja_fail(run, "out of memory");
        return NULL;
    }
    if (value.kind == JINJA_UNDEFINED)
        return list.list;
    if (value.kind == JINJA_MAP) {
        for (uint32_t i = 0; i < value.map->n && jinja_spend(run, 1); i++)
            jinja_list_add(run->heap, list.list, value.map->pairs[i].key);
        return run->failed ? NULL : list.list;
    }
    if (value.kind == JINJA_TEXT) {
        for (size_t i = 0; i < value.text->len && jinja_spend(run, 1);) {
            size_t n = jinja_decode(value.text, i, NULL);
            jinja_list_add(run->heap, list.list, jinja_slice(run, value.text, i, i + n));
            i += n;
        }
        return run->failed ? NULL : list.list;
    }
    jinja_fail(run, "%s cannot be iterated over", jinja_kind_name(value));
    return NULL;
}

/* ---- Printing ------------------------------------------------------------------------------------------------------- */

static bool build_value(struct jinja_run *run, struct jinja_builder *builder, struct jinja_value value, bool quoted);

/* As Python's repr: single quotes, unless only those occur in the text. */
static bool build_quoted(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_text *text)
{
    struct str bytes = str_from(text->at, text->len);
    char quote = str_find(bytes, str_of("'")) >= 0 && str_find(bytes, str_of("\"")) < 0 ? '"' : '\'';
    size_t from = 0;
    if (!jinja_build(run, builder, str_from(&quote, 1), JINJA_CALLER))
        return false;
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->at[i];
        char escape[8] = {0};
        if (c == '\\' || c == (unsigned char)quote)
            snprintf(escape, sizeof escape, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c == 0x7f)
            snprintf(escape, sizeof escape, "\\x%02x", c);
        if (!escape[0])
            continue;
        if (!jinja_build_range(run, builder, text, from, i) || !jinja_build(run, builder, str_of(escape), jinja_origin_at(text, i)))
            return false;
        from = i + 1;
    }
    return jinja_build_range(run, builder, text, from, text->len) && jinja_build(run, builder, str_from(&quote, 1), JINJA_CALLER);
}

static bool build_list(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_list *list)
{
    bool done = jinja_build(run, builder, str_of(list->is_tuple ? "(" : "["), JINJA_CALLER);
    for (uint32_t i = 0; done && i < list->n; i++)
        done = (i == 0 || jinja_build(run, builder, str_of(", "), JINJA_CALLER)) && build_value(run, builder, list->items[i], true);
    const char *end = !list->is_tuple ? "]" : list->n == 1 ? ",)" : ")";
    return done && jinja_build(run, builder, str_of(end), JINJA_CALLER);
}

static bool build_map(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_map *map)
{
    bool done = jinja_build(run, builder, str_of("{"), JINJA_CALLER);
    for (uint32_t i = 0; done && i < map->n; i++)
        done = (i == 0 || jinja_build(run, builder, str_of(", "), JINJA_CALLER)) && build_value(run, builder, map->pairs[i].key, true) &&
               jinja_build(run, builder, str_of(": "), JINJA_CALLER) && build_value(run, builder, map->pairs[i].value, true);
    return done && jinja_build(run, builder, str_of("}"), JINJA_CALLER);
}

static bool build_plain(struct jinja_run *run, struct jinja_builder *builder, struct jinja_value value)
{
    char number[40];
    switch (value.kind) {
    case JINJA_UNDEFINED:
        return true;
    case JINJA_NONE:
        return jinja_build(run, builder, str_of("None"), JINJA_TEMPLATE);
    case JINJA_BOOL:
        return jinja_build(run, builder, str_of(value.truth ? "True" : "False"), JINJA_TEMPLATE);
    case JINJA_INT:
        snprintf(number, sizeof number, "%lld", (long long)value.integer);
        return jinja_build(run, builder, str_of(number), JINJA_TEMPLATE);
    case JINJA_FLOAT:
        return jinja_build(run, builder, str_from(number, jinja_repr_float(number, value.real)), JINJA_TEMPLATE);
    default:
        jinja_fail(run, "%s cannot be printed", jinja_kind_name(value));
        return false;
    }
}

static bool build_value(struct jinja_run *run, struct jinja_builder *builder, struct jinja_value value, bool quoted)
{
    if (!deeper(run))
        return false;
    if (value.kind == JINJA_TEXT)
        return quoted ? build_quoted(run, builder, value.text) : jinja_build_text(run, builder, value.text);
    if (value.kind == JINJA_UNDEFINED && quoted)
        return jinja_build(run, builder, str_of("Undefined"), JINJA_TEMPLATE);
    if (value.kind != JINJA_LIST && value.kind != JINJA_MAP)
        return build_plain(run, builder, value);
    run->depth++;
    bool done = value.kind == JINJA_LIST ? build_list(run, builder, value.list) : build_map(run, builder, value.map);
    run->depth--;
    return done;
}

struct jinja_value jinja_to_text(struct jinja_run *run, struct jinja_value value)
{
    struct jinja_builder builder = {0};
    if (value.kind == JINJA_TEXT)
        return value;
    if (value.kind == JINJA_MAP && value.map->source)
        return (struct jinja_value){.kind = JINJA_TEXT, .text = value.map->source};
    return build_value(run, &builder, value, false) ? jinja_built(run, &builder) : jinja_undefined(NULL);
}
