/* Filters of the Jinja subset: value | name(arguments). */
#include "text/jinja_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

enum { SORT_ITEMS_MAX = 20000, INDENT_MAX = 64 };

/* ---- Strings -------------------------------------------------------------------------------------------------------- */

static struct jinja_value call_method(struct jinja_run *run, struct jinja_value input, const char *name, const struct jinja_args *args)
{
    struct jinja_value text = jinja_to_text(run, input);
    if (run->failed)
        return text;
    struct jinja_method method = {text, str_of(name)};
    return jinja_method_call(run, &method, args);
}

static struct jinja_value filter_upper(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return call_method(run, input, "upper", args);
}

static struct jinja_value filter_lower(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return call_method(run, input, "lower", args);
}

static struct jinja_value filter_capitalize(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return call_method(run, input, "capitalize", args);
}

/* Jinja's own rule: a word starts at the start and after - ( { [ < and white space. */
static struct jinja_value filter_title(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    struct jinja_value text = jinja_to_text(run, input);
    struct jinja_builder builder = {0};
    bool starts = true;
    for (size_t i = 0, n; !run->failed && i < text.text->len; i += n) {
        uint32_t code;
        char out[4];
        n = jinja_decode(text.text, i, &code);
        code = (uint32_t)(starts ? utf8proc_toupper((utf8proc_int32_t)code) : utf8proc_tolower((utf8proc_int32_t)code));
        jinja_build(run, &builder, str_from(out, utf8_encode(code, out)), jinja_origin_at(text.text, i));
        starts = n == 1 && strchr("-({[< \t\n\r\f\v", text.text->at[i]) != NULL;
    }
    return jinja_built(run, &builder);
}

static struct jinja_value filter_trim(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return call_method(run, input, "strip", args);
}

static struct jinja_value filter_replace(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return call_method(run, input, "replace", args);
}

static struct jinja_value filter_string(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    return jinja_to_text(run, input);
}

static struct jinja_value filter_safe(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)run;
    (void)args;
    return input;
}

static struct jinja_value filter_escape(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\'', "&#39;"}, {'"', "&#34;"}};
    struct jinja_value text = jinja_to_text(run, input);
    struct jinja_builder builder = {0};
    for (size_t i = 0; !run->failed && i < text.text->len; i++) {
        struct str piece = str_from(text.text->at + i, 1);
        for (size_t k = 0; k < sizeof entities / sizeof entities[0]; k++)
            if (text.text->at[i] == entities[k].c)
                piece = str_of(entities[k].entity);
        jinja_build(run, &builder, piece, jinja_origin_at(text.text, i));
    }
    return jinja_built(run, &builder);
}

static struct jinja_value filter_indent(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value text = jinja_to_text(run, input), width;
    struct jinja_builder builder = {0};
    char spaces[INDENT_MAX];
    memset(spaces, ' ', sizeof spaces);
    struct str pad = str_from(spaces, 4);
    if (jinja_arg(args, 0, "width", &width) && width.kind == JINJA_TEXT)
        pad = jinja_str(width);
    else
        pad.len = (size_t)jinja_arg_int(run, args, 0, "width", 4);
    if (pad.len > INDENT_MAX)
        return jinja_fail(run, "indent: wider than %d", INDENT_MAX);
    bool first = jinja_arg_bool(args, 1, "first", false), blank = jinja_arg_bool(args, 2, "blank", false);
    for (size_t i = 0; !run->failed && i < text.text->len;) {
        const char *newline = memchr(text.text->at + i, '\n', text.text->len - i);
        size_t end = newline ? (size_t)(newline - text.text->at) : text.text->len;
        if (i == 0 ? first : (blank || end > i))
            jinja_build(run, &builder, pad, JINJA_TEMPLATE);
        end += newline != NULL;
        jinja_build_range(run, &builder, text.text, i, end);
        i = end;
    }
    return jinja_built(run, &builder);
}

static struct jinja_value filter_tojson(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_builder builder = {0};
    struct jinja_value separators;
    struct jinja_json_style style = {.indent = -1, .item_separator = str_of(", "), .key_separator = str_of(": ")};
    style.ensure_ascii = jinja_arg_bool(args, 0, "ensure_ascii", false);
    style.sort_keys = jinja_arg_bool(args, 3, "sort_keys", false);
    int64_t indent = jinja_arg_int(run, args, 1, "indent", -1);
    if (indent > INDENT_MAX)
        return jinja_fail(run, "tojson: an indent wider than %d", INDENT_MAX);
    style.indent = (int)(indent < -1 ? 0 : indent);
    if (style.indent >= 0)
        style.item_separator = str_of(",");
    if (jinja_arg(args, 2, "separators", &separators) && separators.kind == JINJA_LIST) {
        const struct jinja_list *pair = separators.list;
        if (pair->n != 2 || pair->items[0].kind != JINJA_TEXT || pair->items[1].kind != JINJA_TEXT)
            return jinja_fail(run, "tojson: separators are two strings");
        style.item_separator = jinja_str(pair->items[0]);
        style.key_separator = jinja_str(pair->items[1]);
    }
    return jinja_build_json(run, &builder, input, &style, 0) ? jinja_built(run, &builder) : jinja_undefined(NULL);
}

/* ---- Numbers -------------------------------------------------------------------------------------------------------- */

static struct jinja_value filter_int(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    int64_t fallback = jinja_arg_int(run, args, 0, "default", 0);
    char digits[32];
    if (input.kind == JINJA_UNDEFINED)
        return jinja_fail(run, "int of an undefined value");
    if (input.kind == JINJA_FLOAT)
        return fabs(input.real) < 9e18 ? jinja_int((int64_t)input.real) : jinja_int(fallback);
    if (jinja_is_number(input))
        return jinja_int((int64_t)jinja_number(input));
    if (input.kind != JINJA_TEXT || input.text->len == 0 || input.text->len >= sizeof digits)
        return jinja_int(fallback);
    memcpy(digits, input.text->at, input.text->len);
    digits[input.text->len] = 0;
    char *end;
    long long value = strtoll(digits, &end, 10);
    if (!*end)
        return jinja_int(value);
    double real = strtod(digits, &end);
    return *end || !(fabs(real) < 9e18) ? jinja_int(fallback) : jinja_int((int64_t)real);
}

static struct jinja_value filter_float(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    char digits[64];
    struct jinja_value fallback = jinja_float(0);
    jinja_arg(args, 0, "default", &fallback);
    if (input.kind == JINJA_UNDEFINED)
        return jinja_fail(run, "float of an undefined value");
    if (jinja_is_number(input))
        return jinja_float(jinja_number(input));
    if (input.kind != JINJA_TEXT || input.text->len == 0 || input.text->len >= sizeof digits)
        return fallback;
    memcpy(digits, input.text->at, input.text->len);
    digits[input.text->len] = 0;
    char *end;
    double real = strtod(digits, &end);
    return *end ? fallback : jinja_float(real);
}

static struct jinja_value filter_abs(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    if (input.kind == JINJA_INT && input.integer != INT64_MIN)
        return jinja_int(input.integer < 0 ? -input.integer : input.integer);
    return jinja_is_number(input) ? jinja_float(fabs(jinja_number(input))) : jinja_fail(run, "abs of %s", jinja_kind_name(input));
}

static struct jinja_value filter_round(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    int64_t digits = jinja_arg_int(run, args, 0, "precision", 0);
    struct str method = jinja_arg_str(run, args, 1, "method", "common");
    if (!jinja_is_number(input) || digits < -15 || digits > 15)
        return jinja_fail(run, "round of %s", jinja_kind_name(input));
    double scale = pow(10, (double)digits), value = jinja_number(input) * scale;
    value = str_is(method, "ceil") ? ceil(value) : str_is(method, "floor") ? floor(value) : nearbyint(value);
    return jinja_float(value / scale);
}

/* ---- Lists ---------------------------------------------------------------------------------------------------------- */

static struct jinja_value new_list(struct jinja_run *run, uint32_t capacity)
{
    struct jinja_value list = jinja_list(run->heap, capacity);
    return run->heap->failed ? jinja_fail(run, "out of memory") : list;
}

static struct jinja_value filter_length(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    if (input.kind == JINJA_TEXT)
        return jinja_spend(run, input.text->len / 512) ? jinja_int((int64_t)utf8_length(input.text->at, input.text->len)) : input;
    if (input.kind == JINJA_MAP)
        return jinja_int(input.map->n);
    if (input.kind == JINJA_LIST || input.kind == JINJA_UNDEFINED)
        return jinja_int(input.kind == JINJA_LIST ? input.list->n : 0);
    return jinja_fail(run, "length of %s", jinja_kind_name(input));
}

static struct jinja_value filter_list(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    struct jinja_list *items = jinja_iterate(run, input);
    if (!items || !jinja_spend(run, items->n / 8))
        return jinja_undefined(NULL);
    struct jinja_value out = new_list(run, items->n);
    for (uint32_t i = 0; !run->failed && i < items->n; i++)
        jinja_list_add(run->heap, out.list, items->items[i]);
    return out;
}

static struct jinja_value filter_first(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    struct jinja_list *items = jinja_iterate(run, input);
    return items && items->n ? items->items[0] : jinja_undefined(NULL);
}

static struct jinja_value filter_last(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    struct jinja_list *items = jinja_iterate(run, input);
    return items && items->n ? items->items[items->n - 1] : jinja_undefined(NULL);
}

static struct jinja_value filter_reverse(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    struct jinja_list *items = jinja_iterate(run, input);
    struct jinja_builder builder = {0};
    struct jinja_value out = items ? new_list(run, items->n) : jinja_undefined(NULL);
    for (uint32_t i = items ? items->n : 0; i-- > 0 && jinja_spend(run, 1);) {
        if (input.kind == JINJA_TEXT)
            jinja_build_text(run, &builder, items->items[i].text);
        else
            jinja_list_add(run->heap, out.list, items->items[i]);
    }
    return input.kind == JINJA_TEXT && !run->failed ? jinja_built(run, &builder) : out;
}

/* The number that a step of an attribute path may be; -1 when it is a name. */
static int64_t path_number(struct str name)
{
    int64_t number = name.len > 0 && name.len < 9 ? 0 : -1;
    for (size_t i = 0; i < name.len && number >= 0; i++)
        number = name.at[i] >= '0' && name.at[i] <= '9' ? 10 * number + name.at[i] - '0' : -1;
    return number;
}

/* An attribute path: `a.b`, with numbers for places in lists. */
static struct jinja_value follow(struct jinja_run *run, struct jinja_value value, struct jinja_value path)
{
    if (path.kind == JINJA_INT)
        return jinja_item(run, value, path);
    if (path.kind != JINJA_TEXT)
        return jinja_fail(run, "an attribute is named by a string");
    for (struct str rest = jinja_str(path); !run->failed;) {
        ptrdiff_t dot = str_find(rest, str_of("."));
        struct str name = dot < 0 ? rest : str_from(rest.at, (size_t)dot);
        int64_t number = path_number(name);
        value = jinja_item(run, value, number >= 0 ? jinja_int(number) : jinja_text_of(run, name));
        if (dot < 0)
            break;
        rest = str_skip(rest, (size_t)dot + 1);
    }
    return value;
}

static struct jinja_value filter_join(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_list *items = jinja_iterate(run, input);
    struct jinja_value separator = jinja_none(), path;
    struct jinja_builder builder = {0};
    if (jinja_arg(args, 0, "d", &separator))
        separator = jinja_to_text(run, separator);
    bool has_path = jinja_arg(args, 1, "attribute", &path);
    for (uint32_t i = 0; items && i < items->n && jinja_spend(run, 1); i++) {
        struct jinja_value item = has_path ? follow(run, items->items[i], path) : items->items[i];
        struct jinja_value text = run->failed ? item : jinja_to_text(run, item);
        if (run->failed)
            break;
        if (i > 0 && separator.kind == JINJA_TEXT)
            jinja_build_text(run, &builder, separator.text);
        jinja_build_text(run, &builder, text.text);
    }
    return run->failed ? jinja_undefined(NULL) : jinja_built(run, &builder);
}

/* The arguments after the first `skip` positional ones. */
static struct jinja_args rest_of(const struct jinja_args *args, uint32_t skip)
{
    return (struct jinja_args){args->values + skip, args->names + skip, args->n - skip, args->n_positional - skip};
}

/* map, select and their kin take whatever is false for an empty list. */
static struct jinja_list *iterate_true(struct jinja_run *run, struct jinja_value value)
{
    return jinja_iterate(run, jinja_truth(value) ? value : jinja_undefined(NULL));
}

static struct jinja_value filter_map(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value path, fallback;
    struct jinja_list *items = iterate_true(run, input);
    struct jinja_value out = items ? new_list(run, items->n) : jinja_undefined(NULL);
    const struct jinja_filter *filter = NULL;
    struct jinja_args rest = {0};
    bool has_path = args->n_positional == 0 && jinja_arg(args, 0, "attribute", &path),
         has_fallback = jinja_arg(args, 1, "default", &fallback);
    if (!has_path) {
        filter = args->n_positional && args->values[0].kind == JINJA_TEXT ? jinja_filter_find(jinja_str(args->values[0])) : NULL;
        if (!filter)
            return jinja_fail(run, "map: an unknown filter");
        rest = rest_of(args, 1);
    }
    run->depth++;
    if (run->depth > JINJA_DEPTH_MAX)
        jinja_fail(run, "filters are nested too deeply");
    for (uint32_t i = 0; !run->failed && i < items->n && jinja_spend(run, 1); i++) {
        struct jinja_value item = has_path ? follow(run, items->items[i], path) : filter->apply(run, items->items[i], &rest);
        if (item.kind == JINJA_UNDEFINED && has_path && has_fallback)
            item = fallback;
        jinja_list_add(run->heap, out.list, item);
    }
    run->depth--;
    return out;
}

/* select, reject, selectattr, rejectattr. */
static struct jinja_value pick(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args, bool by_attribute,
                               bool wanted)
{
    struct jinja_list *items = iterate_true(run, input);
    struct jinja_value out = items ? new_list(run, 8) : jinja_undefined(NULL);
    uint32_t first = by_attribute ? 1 : 0;
    const struct jinja_test *test = NULL;
    struct jinja_args rest = {0};
    if (args->n_positional < first)
        return jinja_fail(run, "an attribute's name is missing");
    if (args->n_positional > first) {
        test = args->values[first].kind == JINJA_TEXT ? jinja_test_find(jinja_str(args->values[first])) : NULL;
        if (!test)
            return jinja_fail(run, "an unknown test");
        rest = rest_of(args, first + 1);
    }
    for (uint32_t i = 0; !run->failed && i < items->n && jinja_spend(run, 1); i++) {
        struct jinja_value value = by_attribute ? follow(run, items->items[i], args->values[0]) : items->items[i];
        if (run->failed)
            break;
        if ((test ? test->holds(run, value, &rest) : jinja_truth(value)) == wanted)
            jinja_list_add(run->heap, out.list, items->items[i]);
    }
    return out;
}

static struct jinja_value filter_select(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return pick(run, input, args, false, true);
}

static struct jinja_value filter_reject(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return pick(run, input, args, false, false);
}

static struct jinja_value filter_selectattr(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return pick(run, input, args, true, true);
}

static struct jinja_value filter_rejectattr(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return pick(run, input, args, true, false);
}

/* What an item is compared by: itself or an attribute, in lower case unless case matters. */
static struct jinja_value compared_by(struct jinja_run *run, struct jinja_value item, const struct jinja_value *path, bool case_sensitive)
{
    static const struct jinja_args none = {0};
    struct jinja_value key = path ? follow(run, item, *path) : item;
    return key.kind == JINJA_TEXT && !case_sensitive && !run->failed ? filter_lower(run, key, &none) : key;
}

struct sorted {
    struct jinja_value key, item;
};

/* Merge sort: stable, n log n comparisons. `spare` has room for n. */
static void merge_sort(struct jinja_run *run, struct sorted *at, struct sorted *spare, uint32_t n, bool reverse)
{
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t start = 0; start < n; start += 2 * width) {
            uint32_t middle = start + width < n ? start + width : n, end = middle + width < n ? middle + width : n;
            uint32_t left = start, right = middle;
            for (uint32_t out = start; out < end; out++) {
                bool take_right = left >= middle;
                if (left < middle && right < end) {
                    int order = run->failed ? 0 : jinja_order(run, at[left].key, at[right].key);
                    take_right = reverse ? order < 0 : order > 0;
                }
                spare[out] = take_right ? at[right++] : at[left++];
            }
        }
        memcpy(at, spare, n * sizeof *at);
    }
}

static struct jinja_value sort_items(struct jinja_run *run, struct jinja_list *items, const struct jinja_value *path, bool case_sensitive,
                                     bool reverse)
{
    if (!items || items->n > SORT_ITEMS_MAX)
        return jinja_fail(run, "sort: more than %d items", SORT_ITEMS_MAX);
    struct jinja_value out = new_list(run, items->n);
    struct sorted *pairs = arena_alloc(run->heap->arena, (2 * (size_t)items->n + 1) * sizeof *pairs);
    if (!pairs)
        return jinja_fail(run, "out of memory");
    for (uint32_t i = 0; i < items->n && jinja_spend(run, 1); i++)
        pairs[i] = (struct sorted){compared_by(run, items->items[i], path, case_sensitive), items->items[i]};
    if (!run->failed)
        merge_sort(run, pairs, pairs + items->n, items->n, reverse);
    for (uint32_t i = 0; !run->failed && i < items->n; i++)
        jinja_list_add(run->heap, out.list, pairs[i].item);
    return out;
}

static struct jinja_value filter_sort(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value path;
    bool has_path = jinja_arg(args, 2, "attribute", &path);
    return sort_items(run, jinja_iterate(run, input), has_path ? &path : NULL, jinja_arg_bool(args, 1, "case_sensitive", false),
                      jinja_arg_bool(args, 0, "reverse", false));
}

static struct jinja_value pairs_of(struct jinja_run *run, const struct jinja_map *map)
{
    struct jinja_value out = new_list(run, map->n);
    for (uint32_t i = 0; !run->failed && i < map->n && jinja_spend(run, 1); i++) {
        struct jinja_value pair = new_list(run, 2);
        if (run->failed)
            break;
        jinja_list_add(run->heap, pair.list, map->pairs[i].key);
        jinja_list_add(run->heap, pair.list, map->pairs[i].value);
        pair.list->is_tuple = true;
        jinja_list_add(run->heap, out.list, pair);
    }
    return out;
}

static struct jinja_value filter_items(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    (void)args;
    if (input.kind == JINJA_UNDEFINED)
        return new_list(run, 0);
    return input.kind == JINJA_MAP ? pairs_of(run, input.map) : jinja_fail(run, "items of %s", jinja_kind_name(input));
}

static struct jinja_value filter_dictsort(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    bool case_sensitive = jinja_arg_bool(args, 0, "case_sensitive", false), reverse = jinja_arg_bool(args, 2, "reverse", false);
    struct jinja_value by = jinja_int(str_is(jinja_arg_str(run, args, 1, "by", "key"), "value"));
    if (input.kind != JINJA_MAP)
        return jinja_fail(run, "dictsort of %s", jinja_kind_name(input));
    struct jinja_value pairs = pairs_of(run, input.map);
    return run->failed ? pairs : sort_items(run, pairs.list, &by, case_sensitive, reverse);
}

/* As in Python: lists and mappings, and tuples that hold such, cannot be told apart by hashing. */
static bool is_hashable(struct jinja_value value, int depth)
{
    if (value.kind == JINJA_MAP || (value.kind == JINJA_LIST && (!value.list->is_tuple || depth == JINJA_DEPTH_MAX)))
        return false;
    for (uint32_t i = 0; value.kind == JINJA_LIST && i < value.list->n; i++)
        if (!is_hashable(value.list->items[i], depth + 1))
            return false;
    return true;
}

static struct jinja_value filter_unique(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value path;
    bool case_sensitive = jinja_arg_bool(args, 0, "case_sensitive", false), has_path = jinja_arg(args, 1, "attribute", &path);
    struct jinja_list *items = jinja_iterate(run, input);
    struct jinja_value out = items ? new_list(run, 8) : jinja_undefined(NULL), keys = items ? new_list(run, 8) : out;
    for (uint32_t i = 0; !run->failed && i < items->n; i++) {
        struct jinja_value key = compared_by(run, items->items[i], has_path ? &path : NULL, case_sensitive);
        bool seen = false;
        if (!run->failed && !is_hashable(key, 0))
            return jinja_fail(run, "unique of %s", jinja_kind_name(key));
        for (uint32_t k = 0; k < keys.list->n && !seen && !run->failed; k++)
            seen = jinja_equal(run, keys.list->items[k], key);
        if (seen)
            continue;
        jinja_list_add(run->heap, keys.list, key);
        jinja_list_add(run->heap, out.list, items->items[i]);
    }
    return out;
}

/* The least (sign < 0) or greatest item. */
static struct jinja_value extreme(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args, int sign)
{
    struct jinja_value path, best = jinja_undefined(NULL), best_key = best;
    bool case_sensitive = jinja_arg_bool(args, 0, "case_sensitive", false), has_path = jinja_arg(args, 1, "attribute", &path);
    struct jinja_list *items = jinja_iterate(run, input);
    for (uint32_t i = 0; items && i < items->n && !run->failed; i++) {
        struct jinja_value key = compared_by(run, items->items[i], has_path ? &path : NULL, case_sensitive);
        if (!run->failed && (i == 0 || jinja_order(run, key, best_key) * sign > 0)) {
            best = items->items[i];
            best_key = key;
        }
    }
    return best;
}

static struct jinja_value filter_min(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return extreme(run, input, args, -1);
}

static struct jinja_value filter_max(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    return extreme(run, input, args, 1);
}

static struct jinja_value filter_sum(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value path;
    bool has_path = jinja_arg(args, 0, "attribute", &path), real = false;
    struct jinja_list *items = jinja_iterate(run, input);
    int64_t whole = 0;
    double sum = 0;
    for (uint32_t i = 0; items && i < items->n && jinja_spend(run, 1); i++) {
        struct jinja_value item = has_path ? follow(run, items->items[i], path) : items->items[i];
        if (!run->failed && !jinja_is_number(item))
            return jinja_fail(run, "sum of %s", jinja_kind_name(item));
        real |= item.kind == JINJA_FLOAT;
        sum += jinja_number(item);
        if (!real && __builtin_add_overflow(whole, (int64_t)jinja_number(item), &whole))
            return jinja_fail(run, "an integer is too large");
    }
    return real ? jinja_float(sum) : jinja_int(whole);
}

static struct jinja_value filter_default(struct jinja_run *run, struct jinja_value input, const struct jinja_args *args)
{
    struct jinja_value fallback;
    bool replaces = input.kind == JINJA_UNDEFINED || (jinja_arg_bool(args, 1, "boolean", false) && !jinja_truth(input));
    if (!replaces)
        return input;
    return jinja_arg(args, 0, "default_value", &fallback) ? fallback : jinja_text_of(run, str_of(""));
}

const struct jinja_filter *jinja_filter_find(struct str name)
{
    static const struct jinja_filter filters[] = {
        {"abs", filter_abs},
        {"capitalize", filter_capitalize},
        {"count", filter_length},
        {"d", filter_default},
        {"default", filter_default},
        {"dictsort", filter_dictsort},
        {"e", filter_escape},
        {"escape", filter_escape},
        {"first", filter_first},
        {"float", filter_float},
        {"indent", filter_indent},
        {"int", filter_int},
        {"items", filter_items},
        {"join", filter_join},
        {"last", filter_last},
        {"length", filter_length},
        {"list", filter_list},
        {"lower", filter_lower},
        {"map", filter_map},
        {"max", filter_max},
        {"min", filter_min},
        {"reject", filter_reject},
        {"rejectattr", filter_rejectattr},
        {"replace", filter_replace},
        {"reverse", filter_reverse},
        {"round", filter_round},
        {"safe", filter_safe},
        {"select", filter_select},
        {"selectattr", filter_selectattr},
        {"sort", filter_sort},
        {"string", filter_string},
        {"sum", filter_sum},
        {"title", filter_title},
        {"tojson", filter_tojson},
        {"trim", filter_trim},
        {"unique", filter_unique},
        {"upper", filter_upper},
    };
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        if (str_is(name, filters[i].name))
            return &filters[i];
    return NULL;
}
