/* The merges of a vocabulary: open addressing, one cache line a look. */
#include "base/mem.h"
#include "text/tokenizer_parts.h"

static void place(struct pair_table *t, struct pair_slot slot)
{
    uint64_t hash = slot.key * 0x9E3779B97F4A7C15u;
    size_t at = (hash >> 20) & (t->n_slots - 1);
    while (t->slots[at].key != UINT64_MAX)
        at = (at + 1) & (t->n_slots - 1);
    t->slots[at] = slot;
}

enum status pair_table_reserve(struct pair_table *t, size_t n)
{
    size_t slots = t->n_slots ? t->n_slots : 1024;
    while (slots < n * 2)
        slots *= 2;
    if (slots == t->n_slots)
        return STATUS_OK;
    struct pair_table bigger = {.n = t->n, .n_slots = slots};
    bigger.slots = mem_zalloc_array(slots, sizeof *bigger.slots);
    if (!bigger.slots)
        return STATUS_NO_MEMORY;
    memset(bigger.slots, 0xFF, slots * sizeof *bigger.slots);
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i].key != UINT64_MAX)
            place(&bigger, t->slots[i]);
    pair_table_release(t);
    *t = bigger;
    return STATUS_OK;
}

void pair_table_release(struct pair_table *t)
{
    mem_free(t->slots);
    *t = (struct pair_table){0};
}

enum status pair_table_add(struct pair_table *t, uint32_t left, uint32_t right, uint32_t rank, uint32_t result)
{
    uint64_t known;
    enum status status = pair_table_reserve(t, t->n + 1);
    if (status || pair_table_find(t, left, right, &known))
        return status;
    place(t, (struct pair_slot){(uint64_t)left << 32 | right, (uint64_t)rank << 32 | result});
    t->n++;
    return STATUS_OK;
}
