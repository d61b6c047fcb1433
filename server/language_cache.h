/* Languages of outputs that were compiled before, by what they were compiled from. Any thread. */
#ifndef SERVER_LANGUAGE_CACHE_H
#define SERVER_LANGUAGE_CACHE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

struct language_cache;

enum status language_cache_create(struct language_cache **out, size_t bytes_max, struct error *error) must_check;
void language_cache_free(struct language_cache *cache);

struct language_entry {
    struct str image;      /* text/automaton_image.h */
    struct str unenforced; /* text/json_schema.h */
};

/* Copies what is kept under the key into the arena. STATUS_NOT_FOUND, STATUS_NO_MEMORY. */
enum status language_cache_find(struct language_cache *cache, struct str key, struct arena *arena,
                                struct language_entry *entry) must_check;

/* Keeps a copy, in place of what was not asked for the longest. What does not fit, or finds no memory, is not kept. */
void language_cache_add(struct language_cache *cache, struct str key, const struct language_entry *entry);

#endif
