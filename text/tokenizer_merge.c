/* Merging the symbols of a piece: repeatedly the adjacent pair of lowest rank, leftmost on ties. Short pieces are scanned; long
 * ones use a heap over a linked list, so that the work is n log n for any text. */
#include "base/mem.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum { SHORT = 32, STACK_SYMBOLS = 256 };

/* ---- Symbols ------------------------------------------------------------------------------------------------------ */

static bool has_byte_tokens(const struct tokenizer *t, struct str character)
{
    for (size_t i = 0; i < character.len; i++)
        if (t->byte_ids[(unsigned char)character.at[i]] == TOKENIZER_NO_ID)
            return false;
    return true;
}

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
        } else if (has_byte_tokens(t, str_from(piece.at + i, len))) {
            for (size_t k = 0; k < len; k++)
                ids[n++] = t->byte_ids[(unsigned char)piece.at[i + k]];
        } else if (t->unknown_id != TOKENIZER_NO_ID && !(t->fuse_unknown && n && ids[n - 1] == t->unknown_id)) {
            ids[n++] = t->unknown_id;
        }
        i += len;
    }
    return n;
}

static uint64_t rank_of(const struct tokenizer *t, uint32_t left, uint32_t right)
{
    uint64_t found;
    return pair_table_find(&t->pairs, left, right, &found) ? found : UINT64_MAX;
}

static size_t merge_short(const struct tokenizer *t, struct str piece, uint32_t *ids, size_t n)
{
    uint64_t ranks[SHORT]; /* of the pair that begins here; all ones: none */
    bool bytes = t->byte_pairs && n == piece.len;
    for (size_t i = 0; i + 1 < n; i++)
        ranks[i] = bytes ? t->byte_pairs[(unsigned char)piece.at[i] << 8 | (unsigned char)piece.at[i + 1]]
                         : rank_of(t, ids[i], ids[i + 1]);
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
        ranks[best] = best + 1 < n ? rank_of(t, ids[best], ids[best + 1]) : UINT64_MAX;
        if (best > 0)
            ranks[best - 1] = rank_of(t, ids[best - 1], ids[best]);
    }
    return n;
}

/* ---- Long pieces ---------------------------------------------------------------------------------------------------- */

/* A candidate is rank << 32 | index of its left symbol: the smallest is the next merge. It is stale when that pair has another
 * rank by now. */
struct long_merge {
    const struct tokenizer *t;
    uint32_t *ids, *next, *before; /* linked list over symbol indexes; NO_ID ends it */
    uint64_t *heap;
    size_t n_heap, capacity;
};

static void sink(struct long_merge *m, size_t i, uint64_t candidate)
{
    for (size_t child; (child = 2 * i + 1) < m->n_heap; i = child) {
        if (child + 1 < m->n_heap && m->heap[child + 1] < m->heap[child])
            child++;
        if (m->heap[child] >= candidate)
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = candidate;
}

static bool heap_push(struct long_merge *m, uint64_t candidate)
{
    if (m->n_heap == m->capacity) {
        uint64_t *more = mem_realloc(m->heap, 2 * m->capacity * sizeof *more);
        if (!more)
            return false;
        m->heap = more;
        m->capacity *= 2;
    }
    size_t i = m->n_heap++;
    for (; i > 0 && candidate < m->heap[(i - 1) / 2]; i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = candidate;
    return true;
}

static uint64_t heap_pop(struct long_merge *m)
{
    uint64_t top = m->heap[0], last = m->heap[--m->n_heap];
    if (m->n_heap)
        sink(m, 0, last);
    return top;
}

/* rank << 32 | result of the pair that begins at a symbol; all ones: none. */
static uint64_t pair_at(const struct long_merge *m, uint32_t at)
{
    uint32_t right = m->next[at];
    return right == TOKENIZER_NO_ID ? UINT64_MAX : rank_of(m->t, m->ids[at], m->ids[right]);
}

static bool consider(struct long_merge *m, uint32_t at)
{
    uint64_t pair = pair_at(m, at);
    return pair == UINT64_MAX || heap_push(m, (pair >> 32) << 32 | at);
}

static void start_heap(struct long_merge *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->next[i] = i + 1 < n ? (uint32_t)i + 1 : TOKENIZER_NO_ID;
        m->before[i] = i ? (uint32_t)i - 1 : TOKENIZER_NO_ID;
        uint64_t pair = pair_at(m, (uint32_t)i);
        if (pair != UINT64_MAX)
            m->heap[m->n_heap++] = (pair >> 32) << 32 | i;
    }
    for (size_t i = m->n_heap / 2; i > 0; i--)
        sink(m, i - 1, m->heap[i - 1]);
}

static bool merge_all(struct long_merge *m, size_t n)
{
    start_heap(m, n);
    while (m->n_heap) {
        uint64_t candidate = heap_pop(m);
        uint32_t at = (uint32_t)candidate, right = m->next[at];
        if (m->ids[at] == TOKENIZER_NO_ID) /* swallowed by its left neighbour */
            continue;
        uint64_t pair = pair_at(m, at);
        if (pair == UINT64_MAX || pair >> 32 != candidate >> 32)
            continue;
        m->ids[at] = (uint32_t)pair;
        m->ids[right] = TOKENIZER_NO_ID;
        m->next[at] = m->next[right];
        if (m->next[right] != TOKENIZER_NO_ID)
            m->before[m->next[right]] = at;
        if (!consider(m, at) || (m->before[at] != TOKENIZER_NO_ID && !consider(m, m->before[at])))
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

static bool find_whole(const struct tokenizer *t, struct str piece, uint32_t *id)
{
    uint64_t found;
    if (piece.len <= PIECE_TABLE_BYTES)
        return piece_table_find(&t->pieces, piece, id);
    if (piece.len > TOKENIZER_ENTRY_BYTES_MAX || !table_find(&t->vocabulary, piece, &found))
        return false;
    *id = (uint32_t)found;
    return t->flags[found] & TOKENIZER_WHOLE;
}

enum status tokenizer_merge(const struct tokenizer *t, struct str piece, struct token_list *list)
{
    uint32_t stack[STACK_SYMBOLS], *ids = stack, whole;
    if (!piece.len)
        return STATUS_OK;
    if (find_whole(t, piece, &whole))
        return token_list_add(list, whole);
    if (piece.len > STACK_SYMBOLS && !(ids = mem_zalloc_array(piece.len, sizeof *ids)))
        return STATUS_NO_MEMORY;
    size_t n = start_symbols(t, piece, ids);
    enum status status = STATUS_OK;
    if (n <= SHORT) {
        n = merge_short(t, piece, ids, n);
        for (size_t i = 0; i < n && !status; i++)
            status = token_list_add(list, ids[i]);
    } else {
        status = merge_long(t, ids, n, list);
    }
    if (ids != stack)
        mem_free(ids);
    return status;
}

enum status tokenizer_merge_cached(const struct tokenizer *t, struct str piece, struct piece_cache_slot *cache, struct token_list *list)
{
    uint64_t key[2];
    if (!cache || !piece.len || piece.len > PIECE_TABLE_BYTES)
        return tokenizer_merge(t, piece, list);
    struct piece_cache_slot *slot = &cache[piece_table_key(piece, key) % PIECE_CACHE_SLOTS];
    enum status status = STATUS_OK;
    if (slot->key[0] == key[0] && slot->key[1] == key[1]) {
        for (uint32_t i = 0; i < slot->n && !status; i++)
            status = token_list_add(list, slot->ids[i]);
        return status;
    }
    size_t before = list->n;
    status = tokenizer_merge(t, piece, list);
    if (!status && list->n - before <= PIECE_CACHE_IDS) {
        *slot = (struct piece_cache_slot){{key[0], key[1]}, (uint32_t)(list->n - before), {0}};
        for (uint32_t i = 0; i < slot->n; i++)
            slot->ids[i] = list->ids[before + i];
    }
    return status;
}
