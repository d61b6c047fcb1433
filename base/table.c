/* Open addressing over a dense entry array. */
#include "base/table.h"

#include "base/hash.h"
#include "base/mem.h"

void table_init(struct table *table)
{
    *table = (struct table){0};
}

void table_release(struct table *table)
{
    mem_free(table->entries);
    mem_free(table->slots);
    *table = (struct table){0};
}

static void place(struct table *table, uint32_t entry)
{
    uint32_t mask = table->n_slots - 1;
    uint32_t at = (uint32_t)table->entries[entry].hash & mask;
    while (table->slots[at])
        at = (at + 1) & mask;
    table->slots[at] = entry + 1;
}

enum status table_reserve(struct table *table, size_t n)
{
    if (n > UINT32_MAX / 4)
        return STATUS_LIMIT;
    if (n > table->capacity) {
        size_t capacity = table->capacity ? table->capacity : 16, bytes;
        while (capacity < n)
            capacity *= 2;
        if (!size_mul(capacity, sizeof *table->entries, &bytes))
            return STATUS_NO_MEMORY;
        struct table_entry *entries = mem_realloc(table->entries, bytes);
        if (!entries)
            return STATUS_NO_MEMORY;
        table->entries = entries;
        table->capacity = (uint32_t)capacity;
    }
    if (table->capacity * 2u > table->n_slots) {
        uint32_t n_slots = table->capacity * 2u; /* a power of two: capacity starts at 16 and doubles */
        uint32_t *slots = mem_zalloc_array(n_slots, sizeof *slots);
        if (!slots)
            return STATUS_NO_MEMORY;
        mem_free(table->slots);
        table->slots = slots;
        table->n_slots = n_slots;
        for (uint32_t i = 0; i < table->n_entries; i++)
            place(table, i);
    }
    return STATUS_OK;
}

static const struct table_entry *lookup(const struct table *table, struct str key, uint64_t hash)
{
    if (!table->n_slots)
        return NULL;
    uint32_t mask = table->n_slots - 1;
    for (uint32_t at = (uint32_t)hash & mask; table->slots[at]; at = (at + 1) & mask) {
        const struct table_entry *e = &table->entries[table->slots[at] - 1];
        if (e->hash == hash && str_equal(e->key, key))
            return e;
    }
    return NULL;
}

enum status table_add(struct table *table, struct str key, uint64_t value, uint64_t *existing)
{
    uint64_t hash = hash_sip(hash_process_key(), key.at, key.len);
    const struct table_entry *e = lookup(table, key, hash);
    if (e) {
        if (existing)
            *existing = e->value;
        return STATUS_INVALID;
    }
    enum status status = table_reserve(table, (size_t)table->n_entries + 1);
    if (status)
        return status;
    table->entries[table->n_entries] = (struct table_entry){key, value, hash};
    place(table, table->n_entries++);
    return STATUS_OK;
}

bool table_find(const struct table *table, struct str key, uint64_t *value)
{
    const struct table_entry *e = lookup(table, key, hash_sip(hash_process_key(), key.at, key.len));
    if (e && value)
        *value = e->value;
    return e != NULL;
}
