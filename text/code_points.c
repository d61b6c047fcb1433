/* Ranges are cut where a digit (six bits of UTF-8, four of a hexadecimal escape) would not run from its first value to its last, until
 * each piece is a sequence of independent digits (Thompson's construction of UTF-8 ranges, as in RE2). */
#include "text/code_points.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF, ASTRAL_FIRST = 0x10000, LOW_SURROGATES = 0xDC00, PAIR_BITS = 10 };

/* ---- Sets ---------------------------------------------------------------------------------------------------- */

void code_points_release(struct code_points *set)
{
    mem_free(set->at);
    *set = (struct code_points){0};
}

void code_points_add(struct code_points *set, uint32_t first, uint32_t last)
{
    if (set->n == set->capacity) {
        size_t wanted = set->capacity ? 2 * set->capacity : 16;
        struct code_range *moved = mem_realloc(set->at, wanted * sizeof *moved);
        if (!moved) {
            set->failed = true;
            return;
        }
        set->at = moved;
        set->capacity = wanted;
    }
    set->at[set->n++] = (struct code_range){first, last};
}

static int by_first(const void *x, const void *y)
{
    const struct code_range *a = x, *b = y;
    return (a->first > b->first) - (a->first < b->first);
}

void code_points_settle(struct code_points *set)
{
    if (set->n)
        qsort(set->at, set->n, sizeof *set->at, by_first);
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct code_range r = set->at[i];
        if (kept && r.first <= set->at[kept - 1].last + 1)
            set->at[kept - 1].last = r.last > set->at[kept - 1].last ? r.last : set->at[kept - 1].last;
        else
            set->at[kept++] = r;
    }
    set->n = kept;
}

void code_points_invert(struct code_points *set)
{
    code_points_settle(set);
    uint32_t from = 0;
    size_t kept = 0;
    bool to_the_end = false;
    for (size_t i = 0; i < set->n; i++) {
        struct code_range r = set->at[i];
        if (r.first > from)
            set->at[kept++] = (struct code_range){from, r.first - 1};
        to_the_end = r.last >= CODE_POINT_MAX;
        from = r.last + 1;
    }
    set->n = kept;
    if (!to_the_end)
        code_points_add(set, from, CODE_POINT_MAX);
}

/* ---- Digits -------------------------------------------------------------------------------------------------- */

/* How numbers from 0 to below 2^(bits * n) are written as n digits, the most significant first. */
struct digits {
    unsigned n, bits;
    uint32_t (*digit)(struct automaton *a, unsigned place, unsigned first, unsigned last); /* place 0 is the last */
};

/* first and last differ in nothing but digits that run through all of their values, and the one before those. */
static uint32_t independent(struct automaton *a, const struct digits *d, uint32_t first, uint32_t last)
{
    uint32_t out = AUTOMATON_END, mask = (1u << d->bits) - 1;
    for (unsigned place = 0; place < d->n; place++) {
        unsigned shift = place * d->bits;
        out = automaton_join(a, d->digit(a, place, first >> shift & mask, last >> shift & mask), out);
    }
    return out;
}

static uint32_t digit_range(struct automaton *a, const struct digits *d, uint32_t first, uint32_t last)
{
    for (unsigned place = 1; place < d->n; place++) {
        uint32_t mask = (1u << place * d->bits) - 1;
        if ((first & ~mask) == (last & ~mask))
            break;
        if (first & mask)
            return automaton_or(a, digit_range(a, d, first, first | mask), digit_range(a, d, (first | mask) + 1, last));
        if ((last & mask) != mask)
            return automaton_or(a, digit_range(a, d, first, (last & ~mask) - 1), digit_range(a, d, last & ~mask, last));
    }
    return independent(a, d, first, last);
}

static uint32_t byte_range(struct automaton *a, unsigned first, unsigned last)
{
    struct byte_set set = {{0}};
    byte_set_add(&set, first, last);
    return automaton_bytes(a, &set);
}

/* ---- UTF-8 --------------------------------------------------------------------------------------------------- */

static uint32_t tail_digit(struct automaton *a, unsigned place, unsigned first, unsigned last, unsigned head)
{
    return place ? byte_range(a, head | first, head | last) : byte_range(a, 0x80 | first, 0x80 | last);
}

static uint32_t digit_of_two(struct automaton *a, unsigned place, unsigned first, unsigned last)
{
    return tail_digit(a, place, first, last, 0xC0);
}
static uint32_t digit_of_three(struct automaton *a, unsigned place, unsigned first, unsigned last)
{
    return tail_digit(a, place == 2, first, last, 0xE0);
}
static uint32_t digit_of_four(struct automaton *a, unsigned place, unsigned first, unsigned last)
{
    return tail_digit(a, place == 3, first, last, 0xF0);
}

static uint32_t utf8_range(struct automaton *a, uint32_t first, uint32_t last)
{
    static const struct {
        uint32_t last;
        struct digits digits;
    } lengths[] = {{0x7FF, {2, 6, digit_of_two}}, {0xFFFF, {3, 6, digit_of_three}}, {CODE_POINT_MAX, {4, 6, digit_of_four}}};
    uint32_t out = first <= 0x7F ? byte_range(a, first, last < 0x7F ? last : 0x7F) : AUTOMATON_NOTHING, from = 0x80;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; from = lengths[i++].last + 1)
        if (first <= lengths[i].last && last >= from)
            out = automaton_or(
                a, out, digit_range(a, &lengths[i].digits, first > from ? first : from, last < lengths[i].last ? last : lengths[i].last));
    return out;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static uint32_t hex_digit(struct automaton *a, unsigned place, unsigned first, unsigned last)
{
    (void)place;
    struct byte_set set = {{0}};
    for (unsigned digit = first; digit <= last; digit++) {
        unsigned lower = digit < 10 ? '0' + digit : 'a' + digit - 10, upper = digit < 10 ? lower : 'A' + digit - 10;
        byte_set_add(&set, lower, lower);
        byte_set_add(&set, upper, upper);
    }
    return automaton_bytes(a, &set);
}

static uint32_t escaped_unit(struct automaton *a, uint32_t first, uint32_t last)
{
    static const struct digits four = {4, 4, hex_digit};
    return automaton_join(a, automaton_text(a, str_of("\\u")), digit_range(a, &four, first, last));
}

static uint32_t escaped_pair(struct automaton *a, uint32_t first, uint32_t last)
{
    uint32_t mask = (1u << PAIR_BITS) - 1;
    first -= ASTRAL_FIRST;
    last -= ASTRAL_FIRST;
    if ((first & ~mask) != (last & ~mask)) {
        if (first & mask)
            return automaton_or(a, escaped_pair(a, first + ASTRAL_FIRST, (first | mask) + ASTRAL_FIRST),
                                escaped_pair(a, (first | mask) + 1 + ASTRAL_FIRST, last + ASTRAL_FIRST));
        if ((last & mask) != mask)
            return automaton_or(a, escaped_pair(a, first + ASTRAL_FIRST, (last & ~mask) - 1 + ASTRAL_FIRST),
                                escaped_pair(a, (last & ~mask) + ASTRAL_FIRST, last + ASTRAL_FIRST));
    }
    return automaton_join(a, escaped_unit(a, SURROGATE_FIRST + (first >> PAIR_BITS), SURROGATE_FIRST + (last >> PAIR_BITS)),
                          escaped_unit(a, LOW_SURROGATES + (first & mask), LOW_SURROGATES + (last & mask)));
}

static uint32_t short_escapes(struct automaton *a, uint32_t first, uint32_t last)
{
    static const struct {
        uint32_t code_point;
        const char *text;
    } rows[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'/', "\\/"}, {'\b', "\\b"}, {'\f', "\\f"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}};
    uint32_t out = AUTOMATON_NOTHING;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (first <= rows[i].code_point && rows[i].code_point <= last)
            out = automaton_or(a, out, automaton_text(a, str_of(rows[i].text)));
    return out;
}

static uint32_t json_range(struct automaton *a, uint32_t first, uint32_t last)
{
    static const struct code_range plain[] = {{0x20, '"' - 1}, {'"' + 1, '\\' - 1}, {'\\' + 1, CODE_POINT_MAX}};
    uint32_t out = short_escapes(a, first, last);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (first <= plain[i].last && last >= plain[i].first)
            out = automaton_or(
                a, out, utf8_range(a, first > plain[i].first ? first : plain[i].first, last < plain[i].last ? last : plain[i].last));
    if (first < ASTRAL_FIRST)
        out = automaton_or(a, out, escaped_unit(a, first, last < ASTRAL_FIRST ? last : ASTRAL_FIRST - 1));
    if (last >= ASTRAL_FIRST)
        out = automaton_or(a, out, escaped_pair(a, first > ASTRAL_FIRST ? first : ASTRAL_FIRST, last));
    return out;
}

/* ---- Languages ----------------------------------------------------------------------------------------------- */

static uint32_t range_language(struct automaton *a, uint32_t first, uint32_t last, enum writing writing)
{
    if (first > last)
        return AUTOMATON_NOTHING;
    return writing == WRITING_JSON ? json_range(a, first, last) : utf8_range(a, first, last);
}

uint32_t code_points_language(struct automaton *a, const struct code_points *set, enum writing writing)
{
    if (set->failed)
        return AUTOMATON_FAILED;
    struct automaton_list out = {0};
    for (size_t i = 0; i < set->n; i++) {
        struct code_range r = set->at[i];
        uint32_t before = r.last < SURROGATE_FIRST ? r.last : SURROGATE_FIRST - 1;
        if (r.first < SURROGATE_FIRST)
            automaton_list_add(&out, range_language(a, r.first, before, writing));
        automaton_list_add(&out, range_language(a, r.first > SURROGATE_LAST ? r.first : SURROGATE_LAST + 1, r.last, writing));
    }
    return automaton_list_either(a, &out);
}

uint32_t code_points_any(struct automaton *a, enum writing writing)
{
    struct code_range all = {0, CODE_POINT_MAX};
    return code_points_language(a, &(struct code_points){.at = &all, .n = 1}, writing);
}

uint32_t code_points_text(struct automaton *a, struct str text, enum writing writing)
{
    if (writing == WRITING_UTF8)
        return automaton_text(a, text);
    uint32_t out = AUTOMATON_END;
    for (size_t end = text.len; end > 0;) {
        size_t at = end - 1;
        while (at > 0 && ((uint8_t)text.at[at] & 0xC0) == 0x80)
            at--;
        uint32_t code_point = 0;
        size_t length = utf8_decode(text.at + at, end - at, &code_point);
        check(length == end - at);
        out = automaton_join(a, json_range(a, code_point, code_point), out);
        end = at;
    }
    return out;
}
