/* Short pieces of text to token ids, one cache line a look. */
#include "base/mem.h"
#include "text/tokenizer_parts.h"

static struct piece_slot *slot_of(const struct piece_table *table, const uint64_t key[2], uint64_t hash)
{
    size_t at = hash & (table->n_slots - 1);
    while (table->slots[at].key[1] && (table->slots[at].key[0] != key[0] || table->slots[at].key[1] != key[1]))
        at = (at + 1) & (table->n_slots - 1);
    return &table->slots[at];
}

enum status piece_table_create(struct piece_table *table, size_t n)
{
    size_t n_slots = 64;
    while (n_slots < 2 * n)
        n_slots *= 2;
    table->slots = mem_zalloc_array(n_slots, sizeof *table->slots);
    table->n_slots = table->slots ? n_slots : 0;
    return table->slots ? STATUS_OK : STATUS_NO_MEMORY;
}

void piece_table_release(struct piece_table *table)
{
    mem_free(table->slots);
    *table = (struct piece_table){0};
}

void piece_table_add(struct piece_table *table, struct str piece, uint32_t id)
{
    uint64_t key[2];
    check(piece.len > 0 && piece.len <= PIECE_TABLE_BYTES);
    uint64_t hash = piece_table_key(piece, key);
    *slot_of(table, key, hash) = (struct piece_slot){{key[0], key[1]}, id};
}

bool piece_table_find(const struct piece_table *table, struct str piece, uint32_t *id)
{
    uint64_t key[2];
    if (piece.len > PIECE_TABLE_BYTES || !table->n_slots)
        return false;
    uint64_t hash = piece_table_key(piece, key);
    const struct piece_slot *slot = slot_of(table, key, hash);
    *id = (uint32_t)slot->id;
    return slot->key[1] != 0;
}
