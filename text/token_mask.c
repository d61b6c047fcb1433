/* Two kinds of walk: over the whole trie from a state, and over the tails of tokens that leave a slice. */
#include "text/token_mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/automaton_parts.h"

enum {
    MASKS_KEPT = 256,
    SLICES_KEPT = 16,
    SLOTS = 1024, /* above MASKS_KEPT */
    TURNS_MAX = 250,
    DERIVATIVES_MAX = 4 << 20, /* words kept; a mask may add to them */
    LOOKS_OF_A_UNIT = 4,       /* of fuel */
};

#define NO_NODE UINT32_MAX

struct token_trie {
    uint32_t n_nodes, n_tokens, n_listed; /* listed: tokens with bytes */
    uint32_t depth_max;
    uint8_t *byte;    /* [n_nodes] on the way to a node, */
    uint32_t *end;    /* the first node behind its subtree, */
    uint32_t *parent; /* and the one above, or NO_NODE */
    uint32_t *from;   /* [n_nodes + 1] into tokens: those that end at a node */
    uint32_t *tokens; /* [n_listed] */
    uint32_t *nodes;  /* [n_nodes] by their byte */
    uint32_t of_byte[257];
};

/* ---- The trie ------------------------------------------------------------------------------------------------ */

struct entry {
    struct str bytes;
    uint32_t token;
};

static int by_bytes(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    size_t n = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
    int order = memcmp(a->bytes.at, b->bytes.at, n);
    if (order == 0)
        order = (a->bytes.len > b->bytes.len) - (a->bytes.len < b->bytes.len);
    return order ? order : (a->token > b->token) - (a->token < b->token);
}

static size_t common(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.at[n] == b.at[n])
        n++;
    return n;
}

/* Sorted entries with bytes; the number of nodes that they make and the longest. Null: out of memory. */
static struct entry *sorted_entries(struct token_trie *t, const struct str *tokens, uint32_t n)
{
    struct entry *entries = mem_zalloc_array((size_t)n + 1, sizeof *entries);
    if (!entries)
        return NULL;
    for (uint32_t token = 0; token < n; token++)
        if (tokens[token].len)
            entries[t->n_listed++] = (struct entry){tokens[token], token};
    qsort(entries, t->n_listed, sizeof *entries, by_bytes);
    for (uint32_t i = 0; i < t->n_listed; i++) {
        size_t length = entries[i].bytes.len;
        t->n_nodes += (uint32_t)(length - (i ? common(entries[i - 1].bytes, entries[i].bytes) : 0));
        t->depth_max = length > t->depth_max ? (uint32_t)length : t->depth_max;
    }
    return entries;
}

/* Nodes in the order of a walk; `open` [depth_max] are those on the way to the last one. */
static void lay_nodes(struct token_trie *t, const struct entry *entries, uint32_t *open)
{
    uint32_t n = 0, depth = 0;
    for (uint32_t i = 0; i < t->n_listed; i++) {
        struct str text = entries[i].bytes;
        size_t shared = i ? common(entries[i - 1].bytes, text) : 0;
        for (; depth > shared; depth--)
            t->end[open[depth - 1]] = n;
        for (; depth < text.len; depth++, n++) {
            t->byte[n] = (uint8_t)text.at[depth];
            t->parent[n] = depth ? open[depth - 1] : NO_NODE;
            t->from[n] = i;
            open[depth] = n;
        }
        t->tokens[i] = entries[i].token;
    }
    for (; depth > 0; depth--)
        t->end[open[depth - 1]] = n;
    t->from[n] = t->n_listed;
}

static void list_by_byte(struct token_trie *t)
{
    for (uint32_t i = 0; i < t->n_nodes; i++)
        t->of_byte[t->byte[i] + 1]++;
    for (int b = 0; b < 256; b++)
        t->of_byte[b + 1] += t->of_byte[b];
    uint32_t at[256];
    memcpy(at, t->of_byte, sizeof at);
    for (uint32_t i = 0; i < t->n_nodes; i++)
        t->nodes[at[t->byte[i]]++] = i;
}

enum status token_trie_create(struct token_trie **out, const struct str *tokens, uint32_t n, struct error *error)
{
    struct token_trie *t = *out = mem_zalloc(sizeof *t);
    struct entry *entries = t ? sorted_entries(t, tokens, n) : NULL;
    uint32_t *open = entries ? mem_zalloc_array((size_t)t->depth_max + 1, sizeof *open) : NULL;
    bool ok = open != NULL;
    if (ok) {
        t->n_tokens = n;
        t->byte = mem_zalloc((size_t)t->n_nodes + 1);
        t->end = mem_zalloc_array((size_t)t->n_nodes + 1, sizeof *t->end);
        t->parent = mem_zalloc_array((size_t)t->n_nodes + 1, sizeof *t->parent);
        t->from = mem_zalloc_array((size_t)t->n_nodes + 1, sizeof *t->from);
        t->tokens = mem_zalloc_array((size_t)t->n_listed + 1, sizeof *t->tokens);
        t->nodes = mem_zalloc_array((size_t)t->n_nodes + 1, sizeof *t->nodes);
        ok = t->byte && t->end && t->parent && t->from && t->tokens && t->nodes;
    }
    if (ok) {
        lay_nodes(t, entries, open);
        list_by_byte(t);
    }
    mem_free(open);
    mem_free(entries);
    if (ok)
        return STATUS_OK;
    token_trie_free(t);
    *out = NULL;
    return error_set(error, STATUS_NO_MEMORY, "out of memory");
}

void token_trie_free(struct token_trie *t)
{
    if (!t)
        return;
    mem_free(t->byte);
    mem_free(t->end);
    mem_free(t->parent);
    mem_free(t->from);
    mem_free(t->tokens);
    mem_free(t->nodes);
    mem_free(t);
}

size_t token_trie_words(const struct token_trie *t)
{
    return ((size_t)t->n_tokens + 63) / 64;
}

/* ---- Masks --------------------------------------------------------------------------------------------------- */

/* What is repeated in front of a rest, whatever the rest is. */
struct slice {
    uint32_t of;      /* the expression, repeated without end */
    uint64_t *tokens; /* that stay inside from their first byte to their last */
    uint64_t *exits;  /* nodes behind whose bytes the repetition may be over */
    uint32_t *listed; /* the same as a list */
    uint32_t n_listed;
    bool counts;          /* where turns begin and end is never in doubt: then */
    uint8_t *turns;       /* [n_tokens] that a token of the slice begins, */
    uint8_t *turns_until; /* [n_nodes] that are over at an exit */
    unsigned most;        /* turns of a token */
};

struct kept {
    uint32_t state;
    uint64_t *bits; /* null: a free slot */
};

struct token_masks {
    const struct token_trie *trie;
    struct automaton *a;
    size_t words;
    struct kept kept[SLOTS];
    unsigned n_kept;
    struct slice slices[SLICES_KEPT];
    unsigned n_slices;
    uint32_t *states, *ends; /* of a walk, by depth */
    uint64_t n_computed;
};

static void forget_masks(struct token_masks *m)
{
    for (unsigned i = 0; i < SLOTS; i++)
        mem_free(m->kept[i].bits);
    memset(m->kept, 0, sizeof m->kept);
    m->n_kept = 0;
}

static void release_slice(struct slice *s)
{
    mem_free(s->tokens);
    mem_free(s->exits);
    mem_free(s->listed);
    mem_free(s->turns);
    mem_free(s->turns_until);
    *s = (struct slice){0};
}

static void forget_slices(struct token_masks *m)
{
    for (unsigned i = 0; i < m->n_slices; i++)
        release_slice(&m->slices[i]);
    m->n_slices = 0;
}

enum status token_masks_create(struct token_masks **out, const struct token_trie *trie, struct automaton *automaton, struct error *error)
{
    struct token_masks *m = *out = mem_zalloc(sizeof *m);
    if (m) {
        m->trie = trie;
        m->a = automaton;
        m->words = token_trie_words(trie);
        m->states = mem_zalloc_array((size_t)trie->depth_max + 1, sizeof *m->states);
        m->ends = mem_zalloc_array((size_t)trie->depth_max + 1, sizeof *m->ends);
    }
    if (m && m->states && m->ends)
        return STATUS_OK;
    token_masks_free(m);
    *out = NULL;
    return error_set(error, STATUS_NO_MEMORY, "out of memory");
}

void token_masks_free(struct token_masks *m)
{
    if (!m)
        return;
    forget_masks(m);
    forget_slices(m);
    mem_free(m->states);
    mem_free(m->ends);
    mem_free(m);
}

size_t token_masks_memory(const struct token_masks *m)
{
    size_t bits = m->words * sizeof(uint64_t), bytes = sizeof *m + m->n_kept * bits;
    for (unsigned i = 0; i < m->n_slices; i++)
        bytes += bits + m->trie->n_nodes / 8 + m->trie->n_nodes + m->trie->n_tokens + m->slices[i].n_listed * sizeof *m->slices[i].listed;
    return bytes;
}

uint64_t token_masks_computed(const struct token_masks *m)
{
    return m->n_computed;
}

/* ---- Walks --------------------------------------------------------------------------------------------------- */

/* automaton_next without the call, where the derivative is known and known to be good. */
static inline uint32_t step(struct automaton *a, uint32_t state, uint8_t byte)
{
    uint32_t offset = a->at[state].next;
    if (offset) {
        uint32_t next = a->next[offset + a->class_of[byte]];
        if (next != UNKNOWN_STATE && (next == AUTOMATON_NOTHING || a->at[next].empty == EMPTINESS_NO))
            return next;
    }
    return automaton_next(a, state, byte);
}

static inline void set_bit(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= 1ull << i % 64;
}

static inline bool has_bit(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static void allow_tokens(const struct token_trie *t, uint64_t *bits, uint32_t node)
{
    for (uint32_t i = t->from[node]; i < t->from[node + 1]; i++)
        set_bit(bits, t->tokens[i]);
}

/* Allows the tokens of nodes first .. last - 1, subtrees side by side, that fit from the state on. */
static void walk(struct token_masks *m, uint64_t *bits, uint32_t first, uint32_t last, uint32_t state)
{
    const struct token_trie *t = m->trie;
    uint32_t depth = 0, looks = 0;
    m->states[0] = state;
    m->ends[0] = last;
    for (uint32_t i = first; i < last; looks++) {
        while (i >= m->ends[depth])
            depth--;
        uint32_t next = step(m->a, m->states[depth], t->byte[i]);
        if (next == AUTOMATON_FAILED)
            return;
        if (next == AUTOMATON_NOTHING) {
            i = t->end[i];
            continue;
        }
        allow_tokens(t, bits, i);
        if (t->end[i] > i + 1) {
            m->states[++depth] = next;
            m->ends[depth] = t->end[i];
        }
        i++;
    }
    automaton_spend(m->a, FUEL_LOOK + looks / LOOKS_OF_A_UNIT);
}

/* ---- Slices -------------------------------------------------------------------------------------------------- */

static bool list_exits(const struct token_trie *t, struct slice *s)
{
    for (uint32_t i = 0; i < t->n_nodes; i++)
        s->n_listed += has_bit(s->exits, i);
    s->listed = mem_zalloc_array((size_t)s->n_listed + 1, sizeof *s->listed);
    uint32_t n = 0;
    for (uint32_t i = 0; s->listed && i < t->n_nodes; i++)
        if (has_bit(s->exits, i))
            s->listed[n++] = i;
    return s->listed != NULL;
}

/* Inside a turn, and sure to be: what must come, then the repetition. */
static bool is_inside_turn(const struct automaton *a, uint32_t state, uint32_t endless)
{
    for (; a->at[state].kind == EXPRESSION_JOIN; state = a->at[state].b)
        if (a->at[a->at[state].a].may_end)
            return false;
    return state == endless;
}

/* Notes a node that stays inside: `over` turns are done before it. Returns how many are behind it. */
static uint8_t note_inside(struct token_masks *m, struct slice *s, uint32_t node, uint32_t state, uint8_t over)
{
    const struct token_trie *t = m->trie;
    bool whole = state == s->of;
    uint8_t done = (uint8_t)(over + whole), begun = (uint8_t)(done + !whole);
    allow_tokens(t, s->tokens, node);
    if (m->a->at[state].may_end)
        set_bit(s->exits, node);
    s->counts = s->counts && begun < TURNS_MAX && (whole || is_inside_turn(m->a, state, s->of));
    if (!s->counts)
        return 0;
    s->turns_until[node] = done;
    for (uint32_t k = t->from[node]; k < t->from[node + 1]; k++)
        s->turns[t->tokens[k]] = begun;
    s->most = begun > s->most ? begun : s->most;
    return done;
}

/* Walks all of the repetition once. `over` [depth_max + 1]: turns that are done, by depth. */
static void survey(struct token_masks *m, struct slice *s, uint8_t *over)
{
    const struct token_trie *t = m->trie;
    uint32_t depth = 0, looks = 0;
    m->states[0] = s->of;
    m->ends[0] = t->n_nodes;
    for (uint32_t i = 0; i < t->n_nodes; looks++) {
        while (i >= m->ends[depth])
            depth--;
        uint32_t next = step(m->a, m->states[depth], t->byte[i]);
        if (next == AUTOMATON_FAILED)
            return;
        if (next == AUTOMATON_NOTHING) {
            i = t->end[i];
            continue;
        }
        uint8_t done = note_inside(m, s, i, next, over[depth]);
        if (t->end[i] > i + 1) {
            m->states[++depth] = next;
            m->ends[depth] = t->end[i];
            over[depth] = done;
        }
        i++;
    }
    automaton_spend(m->a, FUEL_LOOK + looks / LOOKS_OF_A_UNIT);
}

static bool fill_slice(struct token_masks *m, struct slice *s)
{
    uint8_t *over = mem_zalloc((size_t)m->trie->depth_max + 1);
    s->tokens = mem_zalloc_array(m->words + 1, sizeof *s->tokens);
    s->exits = mem_zalloc_array((size_t)m->trie->n_nodes / 64 + 1, sizeof *s->exits);
    s->turns = mem_zalloc((size_t)m->trie->n_tokens + 1);
    s->turns_until = mem_zalloc((size_t)m->trie->n_nodes + 1);
    s->counts = true;
    bool ok = over && s->tokens && s->exits && s->turns && s->turns_until;
    if (ok)
        survey(m, s, over);
    mem_free(over);
    return ok && !m->a->status && list_exits(m->trie, s);
}

static const struct slice *slice_of(struct token_masks *m, uint32_t endless)
{
    for (unsigned i = 0; i < m->n_slices; i++)
        if (m->slices[i].of == endless)
            return &m->slices[i];
    if (m->n_slices == SLICES_KEPT)
        forget_slices(m);
    struct slice *s = &m->slices[m->n_slices];
    *s = (struct slice){.of = endless};
    if (!fill_slice(m, s)) {
        release_slice(s);
        automaton_fail(m->a, STATUS_NO_MEMORY);
        return NULL;
    }
    m->n_slices++;
    return s;
}

/* Whether a repetition of these bounds is one without end as far as a token can tell. */
static bool is_endless(const struct token_masks *m, const struct expression *e)
{
    return e->most >= m->trie->depth_max && (e->least == 0 || e->least > m->trie->depth_max);
}

/* Characters are met in front of many rests; whole members of an object, which may be there or not, in front of one. */
static bool is_worth_a_slice(const struct token_masks *m, const struct expression *e)
{
    uint8_t kind = m->a->at[e->a].kind;
    return is_endless(m, e) || kind == EXPRESSION_BYTES || (kind == EXPRESSION_EITHER && !m->a->at[e->a].calls);
}

/* The tokens that stay inside for as many turns as are left. */
static void allow_inside(struct token_masks *m, uint64_t *bits, const struct slice *s, uint32_t most)
{
    if (!s->counts || most >= s->most) {
        for (size_t i = 0; i < m->words; i++)
            bits[i] |= s->tokens[i];
        return;
    }
    for (uint32_t token = 0; token < m->trie->n_tokens; token++)
        bits[token / 64] |= (uint64_t)(s->turns[token] <= most) << token % 64 & s->tokens[token / 64];
}

static bool may_leave(const struct slice *s, const struct expression *front, uint32_t node)
{
    return !s->counts || (s->turns_until[node] >= front->least && s->turns_until[node] <= front->most);
}

/* The tails of tokens that leave the slice, in the rest. By the nodes behind which they leave, or by the bytes that the rest begins with:
 * whichever is less. */
static void allow_tails(struct token_masks *m, uint64_t *bits, const struct slice *s, const struct expression *front, uint32_t rest)
{
    const struct token_trie *t = m->trie;
    uint32_t next[256], n = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        next[byte] = step(m->a, rest, (uint8_t)byte);
        if (next[byte] == AUTOMATON_FAILED)
            return;
        n += next[byte] == AUTOMATON_NOTHING ? 0 : t->of_byte[byte + 1] - t->of_byte[byte];
    }
    for (uint32_t i = 0; s->n_listed <= n && i < s->n_listed; i++)
        if (may_leave(s, front, s->listed[i]))
            walk(m, bits, s->listed[i] + 1, t->end[s->listed[i]], rest);
    for (unsigned byte = 0; s->n_listed > n && byte < 256; byte++) {
        if (next[byte] == AUTOMATON_NOTHING)
            continue;
        for (uint32_t i = t->of_byte[byte]; i < t->of_byte[byte + 1]; i++) {
            uint32_t node = t->nodes[i], parent = t->parent[node];
            if (parent == NO_NODE || !has_bit(s->exits, parent) || !may_leave(s, front, parent))
                continue;
            allow_tokens(t, bits, node);
            walk(m, bits, node + 1, t->end[node], next[byte]);
        }
    }
}

static void allow(struct token_masks *m, uint64_t *bits, uint32_t state);

/* True when the state was a repetition and a rest, and is done. */
static bool allow_by_slice(struct token_masks *m, uint64_t *bits, uint32_t state)
{
    struct expression e = m->a->at[state];
    uint32_t rest = e.kind == EXPRESSION_JOIN ? e.b : AUTOMATON_END;
    struct expression front = e.kind == EXPRESSION_JOIN ? m->a->at[e.a] : e;
    if (front.kind != EXPRESSION_REPEAT || m->a->at[front.a].may_end || !is_worth_a_slice(m, &front))
        return false;
    uint32_t endless = automaton_repeat(m->a, front.a, 0, AUTOMATON_ENDLESS);
    const struct slice *s = endless == AUTOMATON_FAILED ? NULL : slice_of(m, endless);
    if (!s)
        return true; /* the automaton's status says why */
    if (!s->counts && !is_endless(m, &front))
        return false;
    allow_inside(m, bits, s, front.most);
    if (rest == AUTOMATON_END || (!s->counts && front.least != 0))
        return true; /* nothing behind it, or too much still to be repeated for one token */
    allow_tails(m, bits, s, &front, rest);
    if (front.least == 0)
        allow(m, bits, rest);
    return true;
}

/* ---- Exclusions ------------------------------------------------------------------------------------------------ */

/* The same state where only the repetition is asked for, of all that is asked for at once; AUTOMATON_NOTHING where there is none. */
static uint32_t without_exclusions(struct token_masks *m, uint32_t state)
{
    struct expression e = m->a->at[state];
    uint32_t rest = e.kind == EXPRESSION_JOIN ? e.b : AUTOMATON_END;
    struct expression front = e.kind == EXPRESSION_JOIN ? m->a->at[e.a] : e;
    for (uint32_t i = 0; front.kind == EXPRESSION_BOTH && i < front.b; i++) {
        uint32_t part = m->a->list[front.a + i];
        if (m->a->at[part].kind == EXPRESSION_REPEAT)
            return automaton_join(m->a, part, rest);
    }
    return AUTOMATON_NOTHING;
}

static void forbid(const struct token_trie *t, uint64_t *bits, uint32_t first, uint32_t last)
{
    for (uint32_t i = t->from[first]; i < t->from[last]; i++)
        bits[t->tokens[i] / 64] &= ~(1ull << t->tokens[i] % 64);
}

/* Takes from the mask of the plain state what the other one does not allow: they are walked side by side until they are one. */
static void walk_beside(struct token_masks *m, uint64_t *bits, uint32_t state, uint32_t plain, uint32_t *plains)
{
    const struct token_trie *t = m->trie;
    uint32_t depth = 0, looks = 0;
    m->states[0] = state;
    plains[0] = plain;
    m->ends[0] = t->n_nodes;
    for (uint32_t i = 0; i < t->n_nodes; looks++) {
        while (i >= m->ends[depth])
            depth--;
        uint32_t next = step(m->a, m->states[depth], t->byte[i]), beside = step(m->a, plains[depth], t->byte[i]);
        if (next == AUTOMATON_FAILED || beside == AUTOMATON_FAILED)
            return;
        if (next == AUTOMATON_NOTHING)
            forbid(t, bits, i, t->end[i]);
        if (next == beside || next == AUTOMATON_NOTHING) {
            i = t->end[i];
            continue;
        }
        if (t->end[i] > i + 1) {
            m->states[++depth] = next;
            plains[depth] = beside;
            m->ends[depth] = t->end[i];
        }
        i++;
    }
    automaton_spend(m->a, FUEL_LOOK + looks / LOOKS_OF_A_UNIT);
}

/* True when the state was a repetition with exclusions, and is done. */
static bool allow_beside(struct token_masks *m, uint64_t *bits, uint32_t state)
{
    uint32_t plain = without_exclusions(m, state);
    if (plain == AUTOMATON_NOTHING || plain == AUTOMATON_FAILED)
        return plain == AUTOMATON_FAILED;
    uint64_t *own = mem_zalloc_array(m->words + 1, sizeof *own);
    uint32_t *plains = mem_zalloc_array((size_t)m->trie->depth_max + 1, sizeof *plains);
    if (own && plains) {
        allow(m, own, plain);
        walk_beside(m, own, state, plain, plains);
        for (size_t i = 0; i < m->words; i++)
            bits[i] |= own[i];
    } else {
        automaton_fail(m->a, STATUS_NO_MEMORY);
    }
    mem_free(own);
    mem_free(plains);
    return true;
}

static void allow(struct token_masks *m, uint64_t *bits, uint32_t state)
{
    struct expression e = m->a->at[state];
    if (e.kind == EXPRESSION_EITHER) {
        for (uint32_t i = 0; i < e.b && !m->a->status; i++)
            allow(m, bits, m->a->list[e.a + i]);
        return;
    }
    if (!allow_by_slice(m, bits, state) && !allow_beside(m, bits, state))
        walk(m, bits, 0, m->trie->n_nodes, state);
}

const uint64_t *token_masks_of(struct token_masks *m, uint32_t state)
{
    if (m->a->status || state == AUTOMATON_FAILED)
        return NULL;
    unsigned slot = state * 2654435761u % SLOTS;
    for (; m->kept[slot].bits; slot = (slot + 1) % SLOTS)
        if (m->kept[slot].state == state)
            return m->kept[slot].bits;
    if (m->n_kept == MASKS_KEPT) {
        forget_masks(m);
        slot = state * 2654435761u % SLOTS;
    }
    uint64_t *bits = mem_zalloc_array(m->words + 1, sizeof *bits);
    if (!bits)
        return NULL;
    if (m->a->n_next > DERIVATIVES_MAX)
        automaton_forget(m->a);
    allow(m, bits, state);
    if (m->a->status) {
        mem_free(bits);
        return NULL;
    }
    m->kept[slot] = (struct kept){state, bits};
    m->n_kept++;
    m->n_computed++;
    return bits;
}
