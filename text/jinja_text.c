/* Strings of the Jinja subset: bytes with the origin of each run of them. Bytes are never changed once written; a string at
 * the end of the newest block grows in place, so that adding to a string in a loop is linear. */
#include "text/jinja_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes copied for one step of fuel. */
enum { BYTES_PER_STEP = 512, OPEN_BYTES_MIN = 256 };

void jinja_heap_init(struct jinja_heap *heap, struct arena *arena)
{
    *heap = (struct jinja_heap){.arena = arena};
}

/* ---- Builder ------------------------------------------------------------------------------------------------------ */

static bool reserve(struct jinja_run *run, struct jinja_builder *builder, size_t more)
{
    size_t need = builder->len + more;
    if (need > JINJA_OUTPUT_BYTES_MAX) {
        jinja_fail(run, "a string is longer than %d bytes", JINJA_OUTPUT_BYTES_MAX);
        return false;
    }
    if (need <= builder->capacity)
        return true;
    size_t capacity = builder->capacity ? 2 * builder->capacity : 64;
    while (capacity < need)
        capacity *= 2;
    char *at = arena_alloc(run->heap->arena, capacity);
    if (!at) {
        jinja_fail(run, "out of memory");
        return false;
    }
    if (builder->len)
        memcpy(at, builder->at, builder->len);
    builder->at = at;
    builder->capacity = capacity;
    return true;
}

static bool add_part(struct jinja_run *run, struct jinja_builder *builder, enum jinja_origin origin)
{
    struct jinja_part *last = builder->n_parts ? &builder->parts[builder->n_parts - 1] : NULL;
    if (last && last->origin == origin) {
        last->end = builder->len;
        return true;
    }
    if (builder->n_parts == builder->parts_capacity) {
        uint32_t capacity = builder->parts_capacity ? 2 * builder->parts_capacity : 4;
        struct jinja_part *parts = arena_alloc(run->heap->arena, capacity * sizeof *parts);
        if (!parts) {
            jinja_fail(run, "out of memory");
            return false;
        }
        if (builder->n_parts)
            memcpy(parts, builder->parts, builder->n_parts * sizeof *parts);
        builder->parts = parts;
        builder->parts_capacity = capacity;
    }
    builder->parts[builder->n_parts++] = (struct jinja_part){builder->len, origin};
    return true;
}

bool jinja_build(struct jinja_run *run, struct jinja_builder *builder, struct str text, enum jinja_origin origin)
{
    if (run->failed || !jinja_spend(run, text.len / BYTES_PER_STEP))
        return false;
    if (text.len == 0)
        return true;
    if (!reserve(run, builder, text.len))
        return false;
    memcpy(builder->at + builder->len, text.at, text.len);
    builder->len += text.len;
    return add_part(run, builder, origin);
}

bool jinja_build_range(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_text *text, size_t start, size_t end)
{
    if (!text->parts)
        return jinja_build(run, builder, str_from(text->at + start, end - start), text->origin);
    for (uint32_t i = 0; i < text->n_parts && start < end; i++) {
        if (text->parts[i].end <= start)
            continue;
        size_t stop = text->parts[i].end < end ? text->parts[i].end : end;
        if (!jinja_spend(run, 1) || !jinja_build(run, builder, str_from(text->at + start, stop - start), text->parts[i].origin))
            return false;
        start = stop;
    }
    return true;
}

bool jinja_build_text(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_text *text)
{
    return jinja_build_range(run, builder, text, 0, text->len);
}

static struct jinja_value text_value(struct jinja_run *run, struct jinja_text text)
{
    struct jinja_text *copy = run->failed ? NULL : arena_alloc(run->heap->arena, sizeof *copy);
    if (!copy)
        return jinja_fail(run, "out of memory");
    *copy = text;
    return (struct jinja_value){.kind = JINJA_TEXT, .text = copy};
}

struct jinja_value jinja_built(struct jinja_run *run, struct jinja_builder *builder)
{
    struct jinja_text text = {.at = builder->len ? builder->at : "", .len = builder->len};
    if (builder->n_parts == 1) {
        text.origin = builder->parts[0].origin;
    } else if (builder->n_parts > 1) {
        text.parts = builder->parts;
        text.n_parts = builder->n_parts;
    }
    return text_value(run, text);
}

/* ---- Pieces ------------------------------------------------------------------------------------------------------- */

struct jinja_value jinja_text_of(struct jinja_run *run, struct str text)
{
    return text_value(run, (struct jinja_text){.at = text.at, .len = text.len});
}

enum jinja_origin jinja_origin_at(const struct jinja_text *text, size_t offset)
{
    for (uint32_t i = 0; i < text->n_parts; i++)
        if (offset < text->parts[i].end)
            return text->parts[i].origin;
    return text->n_parts ? text->parts[text->n_parts - 1].origin : text->origin;
}

struct jinja_value jinja_slice(struct jinja_run *run, const struct jinja_text *text, size_t start, size_t end)
{
    struct jinja_text slice = {.at = text->at + start, .len = end - start, .origin = text->origin};
    if (!text->parts || start == end)
        return text_value(run, slice);
    uint32_t first = 0, last;
    while (text->parts[first].end <= start)
        first++;
    for (last = first; text->parts[last].end < end; last++)
        continue;
    slice.origin = text->parts[first].origin;
    if (!jinja_spend(run, last - first + 1))
        return jinja_undefined(NULL);
    if (last > first) {
        struct jinja_part *parts = arena_alloc(run->heap->arena, (last - first + 1) * sizeof *parts);
        if (!parts)
            return jinja_fail(run, "out of memory");
        for (uint32_t i = first; i <= last; i++) {
            size_t stop = text->parts[i].end < end ? text->parts[i].end : end;
            parts[i - first] = (struct jinja_part){stop - start, text->parts[i].origin};
        }
        slice.parts = parts;
        slice.n_parts = last - first + 1;
    }
    return text_value(run, slice);
}

/* The parts of a followed by those of b, as one list. */
static bool join_parts(struct jinja_run *run, const struct jinja_text *a, const struct jinja_text *b, struct jinja_text *out)
{
    uint32_t n_a = a->parts ? a->n_parts : 1, n_b = b->parts ? b->n_parts : 1;
    if (!a->parts && !b->parts && a->origin == b->origin) {
        out->origin = a->origin;
        return true;
    }
    struct jinja_part *parts = jinja_spend(run, (n_a + n_b) / 8) ? arena_alloc(run->heap->arena, (n_a + n_b) * sizeof *parts) : NULL;
    if (!parts) {
        jinja_fail(run, "out of memory");
        return false;
    }
    if (a->parts)
        memcpy(parts, a->parts, n_a * sizeof *parts);
    else
        parts[0] = (struct jinja_part){a->len, a->origin};
    uint32_t n = n_a;
    for (uint32_t i = 0; i < n_b; i++) {
        struct jinja_part part = b->parts ? b->parts[i] : (struct jinja_part){b->len, b->origin};
        part.end += a->len;
        if (parts[n - 1].origin == part.origin)
            parts[n - 1].end = part.end;
        else
            parts[n++] = part;
    }
    out->parts = parts;
    out->n_parts = n;
    return true;
}

struct jinja_value jinja_join_texts(struct jinja_run *run, struct jinja_value a, struct jinja_value b)
{
    struct jinja_heap *heap = run->heap;
    const struct jinja_text *left = a.text, *right = b.text;
    if (left->len == 0)
        return b;
    if (right->len == 0)
        return a;
    struct jinja_text joined = {.len = left->len + right->len};
    if (joined.len > JINJA_OUTPUT_BYTES_MAX)
        return jinja_fail(run, "a string is longer than %d bytes", JINJA_OUTPUT_BYTES_MAX);
    if (!join_parts(run, left, right, &joined))
        return jinja_undefined(NULL);
    bool grows = heap->open && left->at + left->len == heap->open + heap->open_len && left->at >= heap->open &&
                 right->len <= heap->open_capacity - heap->open_len;
    if (!jinja_spend(run, (grows ? right->len : joined.len) / BYTES_PER_STEP))
        return jinja_undefined(NULL);
    if (grows) {
        joined.at = left->at;
    } else {
        size_t capacity = 2 * joined.len > OPEN_BYTES_MIN ? 2 * joined.len : OPEN_BYTES_MIN;
        char *at = arena_alloc(heap->arena, capacity);
        if (!at)
            return jinja_fail(run, "out of memory");
        memcpy(at, left->at, left->len);
        *heap = (struct jinja_heap){heap->arena, heap->failed, at, left->len, capacity};
        joined.at = at;
    }
    memcpy(heap->open + heap->open_len, right->at, right->len);
    heap->open_len += right->len;
    return text_value(run, joined);
}

/* ---- JSON and numbers ---------------------------------------------------------------------------------------------- */

/* The shortest digits that read back, laid out as Python's repr does. */
size_t jinja_repr_float(char out[40], double real)
{
    char digits[32];
    int precision = 1, exponent;
    if (isnan(real))
        return (size_t)snprintf(out, 40, "nan");
    if (isinf(real))
        return (size_t)snprintf(out, 40, real < 0 ? "-inf" : "inf");
    do {
        snprintf(digits, sizeof digits, "%.*e", precision - 1, real);
    } while (strtod(digits, NULL) != real && precision++ < 17);
    exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        char *mark = strchr(digits, 'e');
        return (size_t)snprintf(out, 40, "%.*se%c%02d", (int)(mark - digits), digits, exponent < 0 ? '-' : '+', abs(exponent));
    }
    int decimals = precision - 1 - exponent;
    return (size_t)snprintf(out, 40, "%.*f", decimals > 0 ? decimals : 1, real);
}

static bool build_json_string(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_text *text, bool ascii)
{
    size_t from = 0;
    if (!jinja_build(run, builder, str_of("\""), JINJA_CALLER))
        return false;
    for (size_t i = 0; i < text->len;) {
        unsigned char c = (unsigned char)text->at[i];
        char escape[16] = {0};
        size_t took = 1;
        const char *hit = c ? strchr("\"\"\\\\\nn\rr\tt\bb\ff", c) : NULL;
        if (c == '"' || c == '\\' || (hit && c < 0x20))
            snprintf(escape, sizeof escape, "\\%c", hit[1]);
        else if (c < 0x20)
            snprintf(escape, sizeof escape, "\\u%04x", c);
        else if (ascii && c >= 0x80) {
            uint32_t code;
            took = jinja_decode(text, i, &code);
            if (code < 0x10000)
                snprintf(escape, sizeof escape, "\\u%04x", code);
            else
                snprintf(escape, sizeof escape, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
        }
        if (escape[0]) {
            if (!jinja_build_range(run, builder, text, from, i) || !jinja_build(run, builder, str_of(escape), jinja_origin_at(text, i)))
                return false;
            from = i + took;
        }
        i += took;
    }
    return jinja_build_range(run, builder, text, from, text->len) && jinja_build(run, builder, str_of("\""), JINJA_CALLER);
}

static bool build_break(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_json_style *style, int level)
{
    if (style->indent < 0)
        return true;
    if (!jinja_build(run, builder, str_of("\n"), JINJA_CALLER))
        return false;
    for (int i = 0; i < level * style->indent; i++)
        if (!jinja_build(run, builder, str_of(" "), JINJA_CALLER))
            return false;
    return true;
}

/* Keys of JSON are strings; other plain kinds become what json.dumps makes of them. */
static bool build_json_key(struct jinja_run *run, struct jinja_builder *builder, struct jinja_value key,
                           const struct jinja_json_style *style)
{
    if (key.kind == JINJA_TEXT)
        return build_json_string(run, builder, key.text, style->ensure_ascii);
    return jinja_build(run, builder, str_of("\""), JINJA_CALLER) && jinja_build_json(run, builder, key, style, 0) &&
           jinja_build(run, builder, str_of("\""), JINJA_CALLER);
}

/* Indexes of the pairs in order of their keys. */
static uint32_t *sorted_pairs(struct jinja_run *run, const struct jinja_map *map)
{
    uint32_t *order = arena_alloc(run->heap->arena, (map->n + 1) * sizeof *order);
    if (!order) {
        jinja_fail(run, "out of memory");
        return NULL;
    }
    for (uint32_t i = 0; i < map->n; i++) {
        uint32_t at = i;
        for (; at > 0 && jinja_spend(run, 1) && jinja_order(run, map->pairs[i].key, map->pairs[order[at - 1]].key) < 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return run->failed ? NULL : order;
}

static bool build_json_map(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_map *map,
                           const struct jinja_json_style *style, int level)
{
    uint32_t *order = style->sort_keys ? sorted_pairs(run, map) : NULL;
    if (run->failed || !jinja_build(run, builder, str_of("{"), JINJA_CALLER))
        return false;
    for (uint32_t i = 0; i < map->n; i++) {
        const struct jinja_pair *pair = &map->pairs[order ? order[i] : i];
        if ((i && !jinja_build(run, builder, style->item_separator, JINJA_CALLER)) || !build_break(run, builder, style, level + 1) ||
            !build_json_key(run, builder, pair->key, style) || !jinja_build(run, builder, style->key_separator, JINJA_CALLER) ||
            !jinja_build_json(run, builder, pair->value, style, level + 1))
            return false;
    }
    return (map->n == 0 || build_break(run, builder, style, level)) && jinja_build(run, builder, str_of("}"), JINJA_CALLER);
}

static bool build_json_list(struct jinja_run *run, struct jinja_builder *builder, const struct jinja_list *list,
                            const struct jinja_json_style *style, int level)
{
    if (!jinja_build(run, builder, str_of("["), JINJA_CALLER))
        return false;
    for (uint32_t i = 0; i < list->n; i++)
        if ((i && !jinja_build(run, builder, style->item_separator, JINJA_CALLER)) || !build_break(run, builder, style, level + 1) ||
            !jinja_build_json(run, builder, list->items[i], style, level + 1))
            return false;
    return (list->n == 0 || build_break(run, builder, style, level)) && jinja_build(run, builder, str_of("]"), JINJA_CALLER);
}

bool jinja_build_json(struct jinja_run *run, struct jinja_builder *builder, struct jinja_value value,
                      const struct jinja_json_style *style, int level)
{
    char number[40];
    if (level > JINJA_DEPTH_MAX) {
        jinja_fail(run, "tojson: nested too deeply");
        return false;
    }
    if (!jinja_spend(run, 1))
        return false;
    switch (value.kind) {
    case JINJA_NONE:
        return jinja_build(run, builder, str_of("null"), JINJA_CALLER);
    case JINJA_BOOL:
        return jinja_build(run, builder, str_of(value.truth ? "true" : "false"), JINJA_CALLER);
    case JINJA_INT:
        snprintf(number, sizeof number, "%lld", (long long)value.integer);
        return jinja_build(run, builder, str_of(number), JINJA_CALLER);
    case JINJA_FLOAT:
        return jinja_build(run, builder, str_from(number, jinja_repr_float(number, value.real)), JINJA_CALLER);
    case JINJA_TEXT:
        return build_json_string(run, builder, value.text, style->ensure_ascii);
    case JINJA_LIST:
        return build_json_list(run, builder, value.list, style, level);
    case JINJA_MAP:
        return build_json_map(run, builder, value.map, style, level);
    default:
        jinja_fail(run, "tojson: %s cannot be written as JSON", jinja_kind_name(value));
        return false;
    }
}

enum status jinja_to_json(struct jinja_heap *heap, struct jinja_value value, int indent, const struct jinja_text **out,
                          struct error *error)
{
    const struct jinja_json_style style = {
        .indent = indent, .item_separator = str_of(indent < 0 ? ", " : ","), .key_separator = str_of(": ")};
    struct jinja_run run = {.heap = heap, .error = error};
    struct jinja_builder builder = {0};
    struct jinja_value text = jinja_none();
    if (jinja_build_json(&run, &builder, value, &style, 0))
        text = jinja_built(&run, &builder);
    if (!run.failed)
        *out = text.text;
    return run.failed;
}
