/* Expressions are interned: a constructor simplifies, then looks for an equal expression before it makes one. What is simplified is what
 * keeps the number of derivatives small (Owens, Reppy, Turon 2009, "Regular-expression derivatives re-examined"). */
#include "text/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "text/automaton_parts.h"

/* ---- Memory -------------------------------------------------------------------------------------------------- */

uint32_t automaton_fail(struct automaton *a, enum status status)
{
    if (!a->status)
        a->status = status;
    return AUTOMATON_FAILED;
}

bool automaton_spend(struct automaton *a, uint64_t units)
{
    if (a->cancelled && *a->cancelled) {
        automaton_fail(a, STATUS_CANCELLED);
        return false;
    }
    if (a->fuel >= units) {
        a->fuel -= units;
        return true;
    }
    a->fuel = 0;
    if (!a->status)
        a->starved = true;
    automaton_fail(a, STATUS_LIMIT);
    return false;
}

void automaton_refuel(struct automaton *a, uint64_t units)
{
    a->fuel = units;
    if (a->starved)
        a->status = STATUS_OK;
    a->starved = false;
}

void automaton_heed(struct automaton *a, const _Atomic bool *cancelled)
{
    a->cancelled = cancelled;
}

size_t automaton_size(const struct automaton *a)
{
    return a->n;
}

size_t automaton_memory(const struct automaton *a)
{
    return a->capacity * sizeof *a->at + a->n_slots * sizeof *a->slots + a->list_capacity * sizeof *a->list +
           a->next_capacity * sizeof *a->next + a->rules_capacity * sizeof *a->bodies;
}

void automaton_forget(struct automaton *a)
{
    for (uint32_t i = 0; i < a->n; i++)
        a->at[i].next = 0;
    a->n_next = 1;
}

bool automaton_grow(struct automaton *a, void *items, uint32_t n, uint32_t *capacity, size_t each)
{
    if (n < *capacity)
        return true;
    uint32_t wanted = *capacity ? *capacity + *capacity / 2 : 64;
    void *moved = wanted > *capacity ? mem_realloc(*(void **)items, wanted * each) : NULL;
    if (!moved) {
        automaton_fail(a, STATUS_NO_MEMORY);
        return false;
    }
    *(void **)items = moved;
    *capacity = wanted;
    return true;
}

enum status automaton_create(struct automaton **out, size_t max_expressions, struct error *error)
{
    struct automaton *a = *out = mem_zalloc(sizeof *a);
    if (!a)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    a->max = max_expressions < UINT32_MAX / 4 ? (uint32_t)max_expressions : UINT32_MAX / 4;
    a->n_classes = 1;
    a->n_next = 1;
    a->fuel = UINT64_MAX;
    a->n_slots = 256;
    a->slots = mem_zalloc_array(a->n_slots, sizeof *a->slots);
    if (!a->slots || !automaton_grow(a, &a->at, 1, &a->capacity, sizeof *a->at)) {
        automaton_free(a);
        *out = NULL;
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    }
    a->at[AUTOMATON_NOTHING] = (struct expression){.kind = EXPRESSION_NOTHING, .empty = EMPTINESS_YES};
    a->at[AUTOMATON_END] = (struct expression){.kind = EXPRESSION_END, .may_end = true, .empty = EMPTINESS_NO};
    a->n = 2;
    return STATUS_OK;
}

void automaton_free(struct automaton *a)
{
    if (!a)
        return;
    mem_free(a->at);
    mem_free(a->slots);
    mem_free(a->list);
    mem_free(a->next);
    mem_free(a->bodies);
    mem_free(a);
}

enum status automaton_status(const struct automaton *a)
{
    return a->status;
}

bool automaton_calls(const struct automaton *a, uint32_t x)
{
    return x != AUTOMATON_FAILED && a->at[x].calls;
}

/* ---- Interning ----------------------------------------------------------------------------------------------- */

static bool is_list(const struct expression *e)
{
    return e->kind == EXPRESSION_EITHER || e->kind == EXPRESSION_BOTH || e->kind == EXPRESSION_BYTES;
}

static uint64_t hash_of(const struct expression *e, const uint32_t *list)
{
    uint32_t words[5] = {e->kind, e->a, e->b, e->least, e->most};
    if (is_list(e)) {
        words[1] = e->b;
        uint64_t h = hash_sip(hash_process_key(), list, e->b * sizeof *list);
        words[3] = (uint32_t)h;
        words[4] = (uint32_t)(h >> 32);
    }
    return hash_sip(hash_process_key(), words, sizeof words);
}

static bool is_same(const struct automaton *a, const struct expression *x, const struct expression *y, const uint32_t *list)
{
    if (x->kind != y->kind || x->b != y->b || x->least != y->least || x->most != y->most)
        return false;
    return is_list(x) ? memcmp(a->list + x->a, list, x->b * sizeof *list) == 0 : x->a == y->a;
}

static bool grow_slots(struct automaton *a)
{
    uint32_t n = a->n_slots * 2, *slots = mem_zalloc_array(n, sizeof *slots);
    if (!slots) {
        automaton_fail(a, STATUS_NO_MEMORY);
        return false;
    }
    for (uint32_t i = 2; i < a->n; i++) {
        uint64_t h = hash_of(&a->at[i], a->list + (is_list(&a->at[i]) ? a->at[i].a : 0));
        while (slots[h & (n - 1)])
            h++;
        slots[h & (n - 1)] = i + 1;
    }
    mem_free(a->slots);
    a->slots = slots;
    a->n_slots = n;
    return true;
}

static bool add_list(struct automaton *a, struct expression *e, const uint32_t *list)
{
    while (a->n_list + e->b > a->list_capacity)
        if (!automaton_grow(a, &a->list, a->list_capacity, &a->list_capacity, sizeof *a->list))
            return false;
    memcpy(a->list + a->n_list, list, e->b * sizeof *list);
    e->a = a->n_list;
    a->n_list += e->b;
    return true;
}

static uint32_t intern(struct automaton *a, struct expression e, const uint32_t *list)
{
    if (a->status || !automaton_spend(a, FUEL_INTERN + (is_list(&e) ? e.b : 0)))
        return AUTOMATON_FAILED;
    uint64_t h = hash_of(&e, list);
    for (uint32_t slot; (slot = a->slots[h & (a->n_slots - 1)]); h++)
        if (is_same(a, &a->at[slot - 1], &e, list))
            return slot - 1;
    if (a->n >= a->max)
        return automaton_fail(a, STATUS_LIMIT);
    if (!automaton_grow(a, &a->at, a->n, &a->capacity, sizeof *a->at) || (is_list(&e) && !add_list(a, &e, list)))
        return AUTOMATON_FAILED;
    a->slots[h & (a->n_slots - 1)] = a->n + 1;
    a->at[a->n++] = e;
    if (a->n * 2 > a->n_slots && !grow_slots(a))
        return AUTOMATON_FAILED;
    return a->n - 1;
}

/* ---- Bytes --------------------------------------------------------------------------------------------------- */

/* Splits classes so that each is inside or outside the set. Derivatives known so far are forgotten: they are by class. */
static void refine(struct automaton *a, const struct byte_set *set)
{
    unsigned inside[256], before = a->n_classes;
    memset(inside, 0, sizeof inside); /* class to the class of its part in the set, + 1 */
    bool outside[256] = {false};
    for (unsigned byte = 0; byte < 256; byte++)
        outside[a->class_of[byte]] |= !byte_set_has(set, byte);
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned class = a->class_of[byte];
        if (class >= before || !byte_set_has(set, byte) || !outside[class])
            continue;
        if (!inside[class])
            inside[class] = ++a->n_classes;
        a->class_of[byte] = (uint8_t)(inside[class] - 1);
    }
    for (unsigned byte = 256; byte-- > 0;)
        a->sample[a->class_of[byte]] = (uint8_t)byte;
    if (a->n_classes != before && a->n_next > 1)
        automaton_forget(a);
}

struct byte_set automaton_set(const struct automaton *a, const struct expression *e)
{
    struct byte_set set;
    memcpy(&set, a->list + e->a, sizeof set);
    return set;
}

uint32_t automaton_bytes(struct automaton *a, const struct byte_set *set)
{
    if (!(set->bits[0] | set->bits[1] | set->bits[2] | set->bits[3]))
        return AUTOMATON_NOTHING;
    uint32_t words[sizeof *set / sizeof(uint32_t)], before = a->n;
    memcpy(words, set, sizeof words);
    struct expression e = {.kind = EXPRESSION_BYTES, .empty = EMPTINESS_NO, .b = sizeof words / sizeof words[0]};
    uint32_t x = intern(a, e, words);
    if (a->n > before)
        refine(a, set);
    return x;
}

uint32_t automaton_text(struct automaton *a, struct str text)
{
    uint32_t out = AUTOMATON_END;
    for (size_t i = text.len; i-- > 0;) {
        struct byte_set set = {{0}};
        byte_set_add(&set, (uint8_t)text.at[i], (uint8_t)text.at[i]);
        out = automaton_join(a, automaton_bytes(a, &set), out);
    }
    return out;
}

/* ---- Joining and repeating ----------------------------------------------------------------------------------- */

/* first is no JOIN. */
static uint32_t join_two(struct automaton *a, uint32_t first, uint32_t then)
{
    first = automaton_settle(a, first);
    if (first == AUTOMATON_FAILED || then == AUTOMATON_FAILED)
        return AUTOMATON_FAILED;
    if (first == AUTOMATON_NOTHING || then == AUTOMATON_NOTHING)
        return AUTOMATON_NOTHING;
    if (first == AUTOMATON_END)
        return then;
    if (then == AUTOMATON_END)
        return first;
    const struct expression *x = &a->at[first], *y = &a->at[then];
    return intern(a,
                  (struct expression){.kind = EXPRESSION_JOIN,
                                      .may_end = x->may_end && y->may_end,
                                      .calls = x->calls || y->calls,
                                      .empty = EMPTINESS_NO,
                                      .a = first,
                                      .b = then},
                  NULL);
}

uint32_t automaton_join(struct automaton *a, uint32_t first, uint32_t then)
{
    then = automaton_settle(a, then);
    if (first == AUTOMATON_FAILED || then == AUTOMATON_FAILED)
        return AUTOMATON_FAILED;
    uint32_t n = 0;
    for (uint32_t x = first; a->at[x].kind == EXPRESSION_JOIN; x = a->at[x].b)
        n++;
    if (!n)
        return join_two(a, first, then);
    uint32_t *spine = mem_zalloc_array(n, sizeof *spine), last = first;
    if (!spine)
        return automaton_fail(a, STATUS_NO_MEMORY);
    for (uint32_t i = 0; i < n; i++, last = a->at[last].b)
        spine[i] = a->at[last].a;
    then = join_two(a, last, then);
    while (n > 0)
        then = join_two(a, spine[--n], then);
    mem_free(spine);
    return then;
}

uint32_t automaton_repeat(struct automaton *a, uint32_t x, uint32_t least, uint32_t most)
{
    x = automaton_settle(a, x);
    if (x == AUTOMATON_FAILED)
        return x;
    if (most == 0 || x == AUTOMATON_END)
        return AUTOMATON_END;
    if (least > most)
        return AUTOMATON_NOTHING;
    if (x == AUTOMATON_NOTHING)
        return least ? AUTOMATON_NOTHING : AUTOMATON_END;
    if (least == 1 && most == 1)
        return x;
    const struct expression *e = &a->at[x];
    if (e->kind == EXPRESSION_REPEAT && e->least == 0 && e->most == AUTOMATON_ENDLESS)
        return x;
    return intern(a,
                  (struct expression){.kind = EXPRESSION_REPEAT,
                                      .may_end = least == 0 || e->may_end,
                                      .calls = e->calls,
                                      .empty = EMPTINESS_NO,
                                      .a = x,
                                      .least = least,
                                      .most = most},
                  NULL);
}

uint32_t automaton_maybe(struct automaton *a, uint32_t x)
{
    return automaton_repeat(a, x, 0, 1);
}

/* Rests depend on the very digit. */
static void tell_digits_apart(struct automaton *a)
{
    for (unsigned digit = '0'; digit <= '9' && !a->knows_digits; digit++) {
        struct byte_set set = {{0}};
        byte_set_add(&set, digit, digit);
        refine(a, &set);
    }
    a->knows_digits = true;
}

uint32_t automaton_multiple(struct automaton *a, uint32_t of, uint32_t rest)
{
    tell_digits_apart(a);
    return intern(a, (struct expression){.kind = EXPRESSION_MULTIPLE, .may_end = rest == 0, .empty = EMPTINESS_NO, .a = of, .b = rest},
                  NULL);
}

/* ---- Choices ------------------------------------------------------------------------------------------------- */

static int by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

static size_t sort_unique(uint32_t *list, size_t n)
{
    qsort(list, n, sizeof *list, by_number);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || list[kept - 1] != list[i])
            list[kept++] = list[i];
    return kept;
}

/* The list with lists of the same kind inside it opened, in fresh memory; *n is its new length. Null: out of memory. */
static uint32_t *opened(struct automaton *a, enum expression_kind kind, const uint32_t *of, size_t *n)
{
    size_t total = 0;
    for (size_t i = 0; i < *n; i++)
        total += a->at[of[i]].kind == kind ? a->at[of[i]].b : 1;
    automaton_spend(a, total); /* failing is noticed where the result is interned */
    uint32_t *list = mem_zalloc_array(total + 1, sizeof *list), *end = list;
    for (size_t i = 0; list && i < *n; i++) {
        const struct expression *e = &a->at[of[i]];
        size_t count = e->kind == kind ? e->b : 1;
        memcpy(end, e->kind == kind ? a->list + e->a : of + i, count * sizeof *end);
        end += count;
    }
    if (!list)
        automaton_fail(a, STATUS_NO_MEMORY);
    *n = list ? (size_t)(end - list) : 0;
    return list;
}

/* All bytes of the list that stand alone become one set, by `meet` what they have in common. */
static size_t merge_bytes(struct automaton *a, uint32_t *list, size_t n, bool meet)
{
    struct byte_set merged = {{0}};
    size_t kept = 0, n_sets = 0;
    for (size_t i = 0; i < n; i++) {
        if (a->at[list[i]].kind != EXPRESSION_BYTES) {
            list[kept++] = list[i];
            continue;
        }
        struct byte_set set = automaton_set(a, &a->at[list[i]]);
        for (int w = 0; w < 4; w++)
            merged.bits[w] = !n_sets ? set.bits[w] : meet ? merged.bits[w] & set.bits[w] : merged.bits[w] | set.bits[w];
        n_sets++;
    }
    if (n_sets)
        list[kept++] = automaton_bytes(a, &merged);
    return kept;
}

static uint32_t intern_list(struct automaton *a, enum expression_kind kind, const uint32_t *list, size_t n)
{
    struct expression e = {.kind = (uint8_t)kind, .b = (uint32_t)n, .may_end = kind == EXPRESSION_BOTH};
    e.empty = kind == EXPRESSION_BOTH ? EMPTINESS_UNKNOWN : EMPTINESS_NO;
    for (size_t i = 0; i < n; i++) {
        const struct expression *part = &a->at[list[i]];
        e.calls |= part->calls;
        e.may_end = kind == EXPRESSION_BOTH ? e.may_end && part->may_end : e.may_end || part->may_end;
    }
    return intern(a, e, list);
}

static bool is_all(const struct automaton *a, uint32_t x)
{
    return a->at[x].kind == EXPRESSION_NOT && a->at[x].a == AUTOMATON_NOTHING;
}

static bool any_failed(const uint32_t *of, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (of[i] == AUTOMATON_FAILED)
            return true;
    return false;
}

uint32_t automaton_either(struct automaton *a, const uint32_t *of, size_t n)
{
    if (any_failed(of, n))
        return AUTOMATON_FAILED;
    uint32_t *list = opened(a, EXPRESSION_EITHER, of, &n), result = AUTOMATON_FAILED;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t x = automaton_settle(a, list[i]);
        if (x == AUTOMATON_FAILED || is_all(a, x)) {
            result = x;
            goto done;
        }
        if (x != AUTOMATON_NOTHING)
            list[kept++] = x;
    }
    kept = list ? merge_bytes(a, list, kept, false) : 0;
    if (a->status)
        goto done;
    kept = sort_unique(list, kept);
    result = kept == 0 ? AUTOMATON_NOTHING : kept == 1 ? list[0] : intern_list(a, EXPRESSION_EITHER, list, kept);
done:
    mem_free(list);
    return result;
}

uint32_t automaton_or(struct automaton *a, uint32_t x, uint32_t y)
{
    uint32_t two[] = {x, y};
    return automaton_either(a, two, 2);
}

void automaton_list_add(struct automaton_list *list, uint32_t x)
{
    if (list->n == list->capacity) {
        size_t wanted = list->capacity ? 2 * list->capacity : 16;
        uint32_t *moved = mem_realloc(list->of, wanted * sizeof *moved);
        if (!moved) {
            list->failed = true;
            return;
        }
        list->of = moved;
        list->capacity = wanted;
    }
    list->of[list->n++] = x;
}

uint32_t automaton_list_either(struct automaton *a, struct automaton_list *list)
{
    uint32_t out = list->failed ? automaton_fail(a, STATUS_NO_MEMORY) : automaton_either(a, list->of, list->n);
    mem_free(list->of);
    *list = (struct automaton_list){0};
    return out;
}

/* ---- Both, not ----------------------------------------------------------------------------------------------- */

uint32_t automaton_both_unchecked(struct automaton *a, const uint32_t *of, size_t n)
{
    if (any_failed(of, n))
        return AUTOMATON_FAILED;
    uint32_t *list = opened(a, EXPRESSION_BOTH, of, &n), result = AUTOMATON_NOTHING;
    size_t kept = 0;
    bool may_end = true, must_end = false;
    for (size_t i = 0; i < n; i++) {
        if (list[i] == AUTOMATON_NOTHING)
            goto done;
        may_end = may_end && a->at[list[i]].may_end;
        must_end = must_end || list[i] == AUTOMATON_END;
        if (!is_all(a, list[i]))
            list[kept++] = list[i];
    }
    if (must_end) {
        result = may_end ? AUTOMATON_END : AUTOMATON_NOTHING;
        goto done;
    }
    kept = list ? merge_bytes(a, list, kept, true) : 0;
    result = AUTOMATON_FAILED;
    if (a->status)
        goto done;
    kept = sort_unique(list, kept);
    if (kept && list[0] == AUTOMATON_NOTHING)
        result = AUTOMATON_NOTHING;
    else
        result = kept == 0   ? automaton_not_unchecked(a, AUTOMATON_NOTHING)
                 : kept == 1 ? list[0]
                             : intern_list(a, EXPRESSION_BOTH, list, kept);
done:
    mem_free(list);
    return result;
}

uint32_t automaton_not_unchecked(struct automaton *a, uint32_t x)
{
    if (x == AUTOMATON_FAILED)
        return x;
    const struct expression *e = &a->at[x];
    if (e->kind == EXPRESSION_NOT)
        return e->a;
    return intern(a,
                  (struct expression){.kind = EXPRESSION_NOT,
                                      .may_end = !e->may_end,
                                      .calls = e->calls,
                                      .empty = x == AUTOMATON_NOTHING ? EMPTINESS_NO : EMPTINESS_UNKNOWN,
                                      .a = x},
                  NULL);
}

uint32_t automaton_both(struct automaton *a, uint32_t x, uint32_t y)
{
    check(!automaton_calls(a, x) && !automaton_calls(a, y));
    uint32_t two[] = {x, y};
    return automaton_settle(a, automaton_both_unchecked(a, two, 2));
}

uint32_t automaton_not(struct automaton *a, uint32_t x)
{
    check(!automaton_calls(a, x));
    return automaton_settle(a, automaton_not_unchecked(a, x));
}

/* ---- Rules --------------------------------------------------------------------------------------------------- */

uint32_t automaton_rule(struct automaton *a)
{
    if (a->status || !automaton_grow(a, &a->bodies, a->n_rules, &a->rules_capacity, sizeof *a->bodies))
        return AUTOMATON_FAILED;
    a->bodies[a->n_rules] = AUTOMATON_NOTHING;
    return intern(a, (struct expression){.kind = EXPRESSION_RULE, .calls = true, .empty = EMPTINESS_NO, .a = a->n_rules++}, NULL);
}

void automaton_define(struct automaton *a, uint32_t rule, uint32_t body)
{
    if (rule != AUTOMATON_FAILED && body != AUTOMATON_FAILED)
        a->bodies[a->at[rule].a] = body;
}
