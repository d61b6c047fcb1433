/* Derivatives, and with them: whether anything fits an expression at all, and the sealing of rules. */
#include <string.h>

#include "base/mem.h"
#include "text/automaton_parts.h"

enum { SETTLE_STATES_MAX = 50000 };

static uint32_t derive(struct automaton *a, uint32_t x, unsigned class);

/* ---- Derivatives --------------------------------------------------------------------------------------------- */

static uint32_t derive_list(struct automaton *a, struct expression e, unsigned class)
{
    uint32_t *parts = mem_zalloc_array(e.b, sizeof *parts), result;
    if (!parts)
        return automaton_fail(a, STATUS_NO_MEMORY);
    for (uint32_t i = 0; i < e.b; i++)
        parts[i] = derive(a, a->list[e.a + i], class);
    result = e.kind == EXPRESSION_EITHER ? automaton_either(a, parts, e.b) : automaton_both_unchecked(a, parts, e.b);
    mem_free(parts);
    return result;
}

static uint32_t derive_join(struct automaton *a, struct expression e, unsigned class)
{
    uint32_t through = automaton_join(a, derive(a, e.a, class), e.b);
    if (through == AUTOMATON_FAILED || !a->at[e.a].may_end)
        return through;
    return automaton_or(a, through, derive(a, e.b, class));
}

/* Where x may be empty, any number of its turns may be. */
static uint32_t derive_repeat(struct automaton *a, struct expression e, unsigned class)
{
    uint32_t least = e.least && !a->at[e.a].may_end ? e.least - 1 : 0, most = e.most == AUTOMATON_ENDLESS ? e.most : e.most - 1;
    uint32_t turn = derive(a, e.a, class);
    return turn == AUTOMATON_NOTHING ? turn : automaton_join(a, turn, automaton_repeat(a, e.a, least, most));
}

static uint32_t derive_multiple(struct automaton *a, struct expression e, unsigned byte)
{
    if (byte < '0' || byte > '9')
        return AUTOMATON_NOTHING;
    return automaton_multiple(a, e.a, (uint32_t)((e.b * 10ull + (byte - '0')) % e.a));
}

static uint32_t derive_now(struct automaton *a, uint32_t x, unsigned class)
{
    struct expression e = a->at[x];
    struct byte_set set;
    switch ((enum expression_kind)e.kind) {
    case EXPRESSION_NOTHING:
    case EXPRESSION_END:
        return AUTOMATON_NOTHING;
    case EXPRESSION_BYTES:
        set = automaton_set(a, &e);
        return byte_set_has(&set, a->sample[class]) ? AUTOMATON_END : AUTOMATON_NOTHING;
    case EXPRESSION_JOIN:
        return derive_join(a, e, class);
    case EXPRESSION_EITHER:
    case EXPRESSION_BOTH:
        return derive_list(a, e, class);
    case EXPRESSION_NOT:
        return automaton_not_unchecked(a, derive(a, e.a, class));
    case EXPRESSION_REPEAT:
        return derive_repeat(a, e, class);
    case EXPRESSION_MULTIPLE:
        return derive_multiple(a, e, a->sample[class]);
    case EXPRESSION_RULE:
        return derive(a, a->bodies[e.a], class);
    }
    return AUTOMATON_NOTHING;
}

static bool make_room(struct automaton *a, uint32_t x)
{
    if (a->at[x].next)
        return true;
    while (a->n_next + a->n_classes > a->next_capacity)
        if (!automaton_grow(a, &a->next, a->next_capacity, &a->next_capacity, sizeof *a->next))
            return false;
    a->at[x].next = a->n_next;
    for (unsigned i = 0; i < a->n_classes; i++)
        a->next[a->n_next++] = UNKNOWN_STATE;
    return true;
}

/* The derivative, which may be a BOTH or NOT that nothing fits. */
static uint32_t derive(struct automaton *a, uint32_t x, unsigned class)
{
    if (a->status || x == AUTOMATON_FAILED)
        return AUTOMATON_FAILED;
    if (!make_room(a, x))
        return AUTOMATON_FAILED;
    uint32_t known = a->next[a->at[x].next + class];
    if (known != UNKNOWN_STATE)
        return known;
    if (++a->depth > MAX_DEPTH)
        automaton_fail(a, STATUS_LIMIT);
    automaton_spend(a, FUEL_DERIVE);
    known = a->status ? AUTOMATON_FAILED : derive_now(a, x, class);
    a->depth--;
    if (known != AUTOMATON_FAILED)
        a->next[a->at[x].next + class] = known;
    return known;
}

uint32_t automaton_next(struct automaton *a, uint32_t state, uint8_t byte)
{
    if (state == AUTOMATON_FAILED)
        return state;
    return automaton_settle(a, derive(a, state, a->class_of[byte]));
}

uint32_t automaton_read(struct automaton *a, uint32_t state, struct str text)
{
    for (size_t i = 0; i < text.len && state != AUTOMATON_NOTHING && state != AUTOMATON_FAILED; i++)
        state = automaton_next(a, state, (uint8_t)text.at[i]);
    return state;
}

bool automaton_may_end(const struct automaton *a, uint32_t state)
{
    return state != AUTOMATON_FAILED && a->at[state].may_end;
}

/* ---- Whether anything fits ----------------------------------------------------------------------------------- */

/* Only BOTH and NOT can hide that nothing fits: their states are visited, breadth first, until one is found that may end or that leads
 * into a state of another kind. */
struct search {
    uint32_t *states, *from; /* in the order of visits, and the place of the one before */
    uint32_t n, capacity, from_capacity, number;
};

static bool visit(struct automaton *a, struct search *s, uint32_t x, uint32_t from)
{
    if (a->at[x].search == s->number)
        return true;
    a->at[x].search = s->number;
    if (s->n >= SETTLE_STATES_MAX) {
        automaton_fail(a, STATUS_LIMIT);
        return false;
    }
    if (!automaton_grow(a, &s->states, s->n, &s->capacity, sizeof *s->states) ||
        !automaton_grow(a, &s->from, s->n, &s->from_capacity, sizeof *s->from))
        return false;
    s->states[s->n] = x;
    s->from[s->n++] = from;
    return true;
}

/* The path to place i leads to an end. */
static void mark_path(struct automaton *a, const struct search *s, uint32_t i)
{
    while (a->at[s->states[i]].empty != EMPTINESS_NO) {
        a->at[s->states[i]].empty = EMPTINESS_NO;
        i = s->from[i];
    }
}

/* True when the search is over: an end was found behind place i. */
static bool explore(struct automaton *a, struct search *s, uint32_t i)
{
    uint32_t x = s->states[i];
    if (a->at[x].may_end || a->at[x].empty == EMPTINESS_NO) {
        a->at[x].empty = EMPTINESS_UNKNOWN;
        mark_path(a, s, i);
        return true;
    }
    for (unsigned class = 0; class < a->n_classes; class ++) {
        uint32_t next = derive(a, x, class);
        if (next == AUTOMATON_FAILED || !automaton_spend(a, FUEL_LOOK))
            return true;
        uint8_t empty = a->at[next].empty;
        if (empty == EMPTINESS_NO) {
            mark_path(a, s, i);
            return true;
        }
        if (empty == EMPTINESS_UNKNOWN && !visit(a, s, next, i))
            return true;
    }
    return false;
}

uint32_t automaton_settle(struct automaton *a, uint32_t x)
{
    if (a->status || x == AUTOMATON_FAILED)
        return AUTOMATON_FAILED;
    if (a->at[x].empty == EMPTINESS_NO)
        return x;
    if (a->at[x].empty == EMPTINESS_YES)
        return AUTOMATON_NOTHING;
    struct search s = {.number = ++a->n_searches};
    bool found = !visit(a, &s, x, 0);
    for (uint32_t i = 0; !found && i < s.n; i++)
        found = explore(a, &s, i);
    for (uint32_t i = 0; !found && i < s.n; i++)
        a->at[s.states[i]].empty = EMPTINESS_YES;
    mem_free(s.states);
    mem_free(s.from);
    if (a->status)
        return AUTOMATON_FAILED;
    return found ? x : AUTOMATON_NOTHING;
}

/* ---- Sealing ------------------------------------------------------------------------------------------------- */

static bool may_end_now(const struct automaton *a, const struct expression *e)
{
    bool any = false;
    switch ((enum expression_kind)e->kind) {
    case EXPRESSION_JOIN:
        return a->at[e->a].may_end && a->at[e->b].may_end;
    case EXPRESSION_EITHER:
        for (uint32_t i = 0; i < e->b; i++)
            any = any || a->at[a->list[e->a + i]].may_end;
        return any;
    case EXPRESSION_REPEAT:
        return e->least == 0 || a->at[e->a].may_end;
    case EXPRESSION_RULE:
        return a->at[a->bodies[e->a]].may_end;
    default:
        return e->may_end;
    }
}

/* Parts come before wholes, so one pass carries a change up; rules may carry it down again. */
static void spread_may_end(struct automaton *a)
{
    for (bool changed = true; changed && automaton_spend(a, a->n);) {
        changed = false;
        for (uint32_t i = 0; i < a->n; i++)
            if (a->at[i].calls && !a->at[i].may_end && may_end_now(a, &a->at[i]))
                changed = a->at[i].may_end = true;
    }
}

static bool comes_to_an_end(const struct automaton *a, const bool *ends, const struct expression *e)
{
    bool any = false;
    switch ((enum expression_kind)e->kind) {
    case EXPRESSION_NOTHING:
        return false;
    case EXPRESSION_JOIN:
        return ends[e->a] && ends[e->b];
    case EXPRESSION_EITHER:
        for (uint32_t i = 0; i < e->b; i++)
            any = any || ends[a->list[e->a + i]];
        return any;
    case EXPRESSION_REPEAT:
        return e->least == 0 || ends[e->a];
    case EXPRESSION_RULE:
        return ends[a->bodies[e->a]];
    default:
        return true;
    }
}

/* Which of the first n expressions some text fits, rules and all. */
static void spread_ends(struct automaton *a, bool *ends, uint32_t n)
{
    for (bool changed = true; changed && automaton_spend(a, n);) {
        changed = false;
        for (uint32_t i = 0; i < n; i++)
            if (!ends[i] && comes_to_an_end(a, ends, &a->at[i]))
                changed = ends[i] = true;
    }
}

/* x with NOTHING in place of what never comes to an end. */
static uint32_t pruned(struct automaton *a, const bool *ends, uint32_t *made, uint32_t x)
{
    if (!ends[x])
        return AUTOMATON_NOTHING;
    if (made[x] != UNKNOWN_STATE || !a->at[x].calls)
        return made[x] != UNKNOWN_STATE ? made[x] : x;
    struct expression e = a->at[x];
    uint32_t out = x;
    if (e.kind == EXPRESSION_JOIN) {
        out = automaton_join(a, made[e.a], made[e.b]);
    } else if (e.kind == EXPRESSION_REPEAT) {
        out = automaton_repeat(a, made[e.a], e.least, e.most);
    } else if (e.kind == EXPRESSION_EITHER) {
        uint32_t *parts = mem_zalloc_array(e.b, sizeof *parts);
        if (!parts)
            return automaton_fail(a, STATUS_NO_MEMORY);
        for (uint32_t i = 0; i < e.b; i++)
            parts[i] = made[a->list[e.a + i]];
        out = automaton_either(a, parts, e.b);
        mem_free(parts);
    }
    return out;
}

static void prune(struct automaton *a, uint32_t *root)
{
    uint32_t n = a->n;
    bool *ends = mem_zalloc_array(n, sizeof *ends);
    uint32_t *made = mem_zalloc_array(n, sizeof *made);
    if (!ends || !made) {
        automaton_fail(a, STATUS_NO_MEMORY);
        goto done;
    }
    spread_ends(a, ends, n);
    for (uint32_t i = 0; i < n; i++)
        made[i] = UNKNOWN_STATE;
    for (uint32_t i = 0; i < n && !a->status; i++)
        made[i] = pruned(a, ends, made, i);
    for (uint32_t i = 0; i < a->n_rules && !a->status; i++)
        a->bodies[i] = made[a->bodies[i]];
    if (!a->status)
        *root = made[*root];
done:
    mem_free(ends);
    mem_free(made);
}

enum { RULE_NEW, RULE_OPEN, RULE_DONE };

/* True when x begins with a rule that is being looked at: *rule is its number. */
static bool begins_with_open(struct automaton *a, uint8_t *seen, uint32_t x, uint32_t *rule)
{
    if (++a->depth > MAX_DEPTH)
        automaton_fail(a, STATUS_LIMIT);
    bool found = false;
    for (; !a->status && !found && a->at[x].kind == EXPRESSION_JOIN; x = a->at[x].b) {
        found = begins_with_open(a, seen, a->at[x].a, rule);
        if (!a->at[a->at[x].a].may_end)
            goto done;
    }
    struct expression e = a->at[x];
    if (a->status || found || !e.calls)
        goto done;
    if (e.kind == EXPRESSION_EITHER) {
        for (uint32_t i = 0; i < e.b && !found; i++)
            found = begins_with_open(a, seen, a->list[e.a + i], rule);
    } else if (e.kind == EXPRESSION_REPEAT) {
        found = begins_with_open(a, seen, e.a, rule);
    } else if (e.kind == EXPRESSION_RULE && seen[e.a] != RULE_DONE) {
        found = seen[e.a] == RULE_OPEN;
        *rule = e.a;
        if (!found) {
            seen[e.a] = RULE_OPEN;
            found = begins_with_open(a, seen, a->bodies[e.a], rule);
            seen[e.a] = RULE_DONE;
        }
    }
done:
    a->depth--;
    return found;
}

static enum status find_left_recursion(struct automaton *a, uint32_t *rule, struct error *error)
{
    uint8_t *seen = mem_zalloc(a->n_rules + 1);
    if (!seen)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < a->n_rules && found == UINT32_MAX && !a->status; i++) {
        uint32_t which = 0;
        if (seen[i] == RULE_DONE)
            continue;
        seen[i] = RULE_OPEN;
        if (begins_with_open(a, seen, a->bodies[i], &which))
            found = which;
        seen[i] = RULE_DONE;
    }
    mem_free(seen);
    if (found == UINT32_MAX)
        return STATUS_OK;
    for (uint32_t x = 0; x < a->n; x++)
        if (a->at[x].kind == EXPRESSION_RULE && a->at[x].a == found)
            *rule = x;
    return error_set(error, STATUS_INVALID, "a rule begins with itself");
}

enum status automaton_seal(struct automaton *a, uint32_t *root, uint32_t *rule, struct error *error)
{
    *rule = AUTOMATON_FAILED;
    if (!a->status)
        prune(a, root);
    if (!a->status)
        spread_may_end(a);
    enum status status = a->status ? a->status : find_left_recursion(a, rule, error);
    if (a->status)
        return error_set(error, a->status, "%s",
                         a->status == STATUS_LIMIT ? "it is too large" : a->status == STATUS_NO_MEMORY ? "out of memory" : "cancelled");
    automaton_forget(a); /* what was derived before rules were known */
    if (!status && *root == AUTOMATON_NOTHING)
        return error_set(error, STATUS_INVALID, "no text fits it");
    return status;
}
