/* A hash table from byte strings to 64-bit values (an index or a pointer), keyed per process so that
 * chosen keys cannot collide on purpose. Iteration order is insertion order. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

struct table_entry {
    struct str key; /* borrowed from the caller, who keeps the bytes alive while the entry is in the table */
    uint64_t value;
    uint64_t hash;
};

struct table {
    struct table_entry *entries; /* in insertion order; owned */
    uint32_t *slots;             /* index + 1 into entries; 0 empty; owned */
    uint32_t n_entries, capacity, n_slots;
};

void table_init(struct table *table);
void table_release(struct table *table);

/* Makes room for n entries in all. */
enum status table_reserve(struct table *table, size_t n) must_check;

/* Adds a key that must not be there yet: STATUS_INVALID where it is (and *existing, if given, its value). */
enum status table_add(struct table *table, struct str key, uint64_t value, uint64_t *existing) must_check;

/* True and *value when found. */
bool table_find(const struct table *table, struct str key, uint64_t *value);

#endif
