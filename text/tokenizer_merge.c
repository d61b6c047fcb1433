/* Merging the symbols of a piece: repeatedly the adjacent pair of lowest rank, leftmost on ties. Short pieces are scanned; long
 * ones use a heap over a linked list, so that the work is n log n for any text. */
#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum { SHORT = 32, STACK_SYMBOLS = 256 };

/* ---- Pairs -------------------------------------------------------------------------------------------------------- */

static void place(struct pair_table *t, uint64_t key, uint64_t value)
{
    uint64_t hash = key * 0x9E3779B97F4A7C15u;
    size_t at = (hash >> 20) & (t->n_slots - 1);
    while (t->keys[at] != UINT64_MAX)
        at = (at + 1) & (t->n_slots - 1);
    t->keys[at] = key;
    t->values[at] = value;
}

enum status pair_table_reserve(struct pair_table *t, size_t n)
{
    size_t slots = t->n_slots ? t->n_slots : 1024;
    while (slots < n * 2)
        slots *= 2;
    if (slots == t->n_slots)
        return STATUS_OK;
    struct pair_table bigger = {.n = t->n, .n_slots = slots};
    bigger.keys = mem_zalloc_array(slots, sizeof *bigger.keys);
    bigger.values = mem_zalloc_array(slots, sizeof *bigger.values);
    if (!bigger.keys || !bigger.values) {
        pair_table_release(&bigger);
        return STATUS_NO_MEMORY;
    }
    memset(bigger.keys, 0xFF, slots * sizeof *bigger.keys);
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->keys[i] != UINT64_MAX)
            place(&bigger, t->keys[i], t->values[i]);
    pair_table_release(t);
    *t = bigger;
    return STATUS_OK;
}

void pair_table_release(struct pair_table *t)
{
    mem_free(t->keys);
    mem_free(t->values);
    *t = (struct pair_table){0};
}

enum status pair_table_add(struct pair_table *t, uint32_t left, uint32_t right, uint32_t rank, uint32_t result)
{
    uint64_t known;
    enum status status = pair_table_reserve(t, t->n + 1);
    if (status || pair_table_find(t, left, right, &known))
        return status;
    place(t, (uint64_t)left << 32 | right, (uint64_t)rank << 32 | result);
    t->n++;
    return STATUS_OK;
}

/* ---- Symbols ------------------------------------------------------------------------------------------------------ */

/* The piece as ids; each entry at most one per byte. TOKENIZER_NO_ID never stands in the result. */
static size_t start_symbols(const struct tokenizer *t, struct str piece, uint32_t *ids)
{
    size_t n = 0;
    if (t->symbols == SYMBOLS_BYTES) {
        for (size_t i = 0; i < piece.len; i++) {
            uint32_t id = t->byte_ids[(unsigned char)piece.at[i]];
            if (id == TOKENIZER_NO_ID)
                id = t->unknown_id;
            if (id != TOKENIZER_NO_ID)
                ids[n++] = id;
        }
        return n;
    }
    for (size_t i = 0; i < piece.len;) {
        uint32_t c;
        size_t len = utf8_decode(piece.at + i, piece.len - i, &c);
        uint64_t id;
        len = len ? len : 1;
        if (table_find(&t->vocabulary, str_from(piece.at + i, len), &id)) {
            ids[n++] = (uint32_t)id;
        } else if (t->byte_ids[(unsigned char)piece.at[i]] != TOKENIZER_NO_ID) {
            for (size_t k = 0; k < len; k++)
                ids[n++] = t->byte_ids[(unsigned char)piece.at[i + k]];
        } else if (t->unknown_id != TOKENIZER_NO_ID) {
            ids[n++] = t->unknown_id;
        }
        i += len;
    }
    return n;
}

static size_t merge_short(const struct tokenizer *t, uint32_t *ids, size_t n)
{
    uint64_t ranks[SHORT]; /* of the pair that begins here; all ones: none */
    for (size_t i = 0; i + 1 < n; i++)
        if (!pair_table_find(&t->pairs, ids[i], ids[i + 1], &ranks[i]))
            ranks[i] = UINT64_MAX;
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (ranks[i] >> 32 < ranks[best] >> 32)
                best = i;
        if (ranks[best] == UINT64_MAX)
            break;
        ids[best] = (uint32_t)ranks[best];
        memmove(ids + best + 1, ids + best + 2, (n - best - 2) * sizeof *ids);
        memmove(ranks + best + 1, ranks + best + 2, (n - best - 2) * sizeof *ranks);
        n--;
        if (best + 1 < n && !pair_table_find(&t->pairs, ids[best], ids[best + 1], &ranks[best]))
            ranks[best] = UINT64_MAX;
        if (best + 1 >= n)
            ranks[best] = UINT64_MAX;
        if (best > 0 && !pair_table_find(&t->pairs, ids[best - 1], ids[best], &ranks[best - 1]))
            ranks[best - 1] = UINT64_MAX;
    }
    return n;
}

/* ---- Long pieces ---------------------------------------------------------------------------------------------------- */

struct candidate {
    uint32_t rank, at;          /* pair begins at symbol `at` */
    uint32_t left, right, result; /* ids when it was found: stale when they changed */
};

struct long_merge {
    const struct tokenizer *t;
    uint32_t *ids, *next, *before; /* linked list over symbol indexes; NO_ID ends it */
    struct candidate *heap;
    size_t n_heap, capacity;
};

static bool earlier(const struct candidate *a, const struct candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static bool heap_push(struct long_merge *m, struct candidate c)
{
    if (m->n_heap == m->capacity) {
        size_t capacity = m->capacity * 2;
        struct candidate *more = mem_realloc(m->heap, capacity * sizeof *more);
        if (!more)
            return false;
        m->heap = more;
        m->capacity = capacity;
    }
    size_t i = m->n_heap++;
    while (i > 0 && earlier(&c, &m->heap[(i - 1) / 2])) {
        m->heap[i] = m->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    m->heap[i] = c;
    return true;
}

static struct candidate heap_pop(struct long_merge *m)
{
    struct candidate top = m->heap[0], last = m->heap[--m->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->n_heap; i = child) {
        if (child + 1 < m->n_heap && earlier(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (!earlier(&m->heap[child], &last))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = last;
    return top;
}

static bool consider(struct long_merge *m, uint32_t at)
{
    uint64_t found;
    uint32_t right = m->next[at];
    if (right == TOKENIZER_NO_ID || !pair_table_find(&m->t->pairs, m->ids[at], m->ids[right], &found))
        return true;
    return heap_push(m, (struct candidate){(uint32_t)(found >> 32), at, m->ids[at], m->ids[right], (uint32_t)found});
}

static bool merge_all(struct long_merge *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->next[i] = i + 1 < n ? (uint32_t)i + 1 : TOKENIZER_NO_ID;
        m->before[i] = i ? (uint32_t)i - 1 : TOKENIZER_NO_ID;
    }
    for (size_t i = 0; i + 1 < n; i++)
        if (!consider(m, (uint32_t)i))
            return false;
    while (m->n_heap) {
        struct candidate c = heap_pop(m);
        uint32_t right = m->next[c.at];
        if (m->ids[c.at] != c.left || right == TOKENIZER_NO_ID || m->ids[right] != c.right)
            continue;
        m->ids[c.at] = c.result;
        m->ids[right] = TOKENIZER_NO_ID; /* gone: no candidate matches it */
        m->next[c.at] = m->next[right];
        if (m->next[right] != TOKENIZER_NO_ID)
            m->before[m->next[right]] = c.at;
        if (!consider(m, c.at) || (m->before[c.at] != TOKENIZER_NO_ID && !consider(m, m->before[c.at])))
            return false;
    }
    return true;
}

static enum status merge_long(const struct tokenizer *t, uint32_t *ids, size_t n, struct token_list *list)
{
    struct long_merge m = {.t = t, .ids = ids, .capacity = n};
    m.next = mem_zalloc_array(n, sizeof *m.next);
    m.before = mem_zalloc_array(n, sizeof *m.before);
    m.heap = mem_zalloc_array(n, sizeof *m.heap);
    enum status status = m.next && m.before && m.heap && merge_all(&m, n) ? STATUS_OK : STATUS_NO_MEMORY;
    for (uint32_t i = 0; i != TOKENIZER_NO_ID && !status; i = m.next[i])
        status = token_list_add(list, ids[i]);
    mem_free(m.next);
    mem_free(m.before);
    mem_free(m.heap);
    return status;
}

enum status tokenizer_merge(const struct tokenizer *t, struct str piece, struct token_list *list)
{
    uint32_t stack[STACK_SYMBOLS], *ids = stack;
    uint64_t whole;
    if (!piece.len)
        return STATUS_OK;
    if (t->ignore_merges && table_find(&t->vocabulary, piece, &whole))
        return token_list_add(list, (uint32_t)whole);
    if (piece.len > STACK_SYMBOLS && !(ids = mem_zalloc_array(piece.len, sizeof *ids)))
        return STATUS_NO_MEMORY;
    size_t n = start_symbols(t, piece, ids);
    enum status status = STATUS_OK;
    if (n <= SHORT) {
        n = merge_short(t, ids, n);
        for (size_t i = 0; i < n && !status; i++)
            status = token_list_add(list, ids[i]);
    } else {
        status = merge_long(t, ids, n, list);
    }
    if (ids != stack)
        mem_free(ids);
    return status;
}
