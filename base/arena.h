/* Allocate many, free once. One arena per request or parse; not for use by two threads at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/status.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *head; /* owned */
    size_t used_bytes;        /* handed out so far */
    size_t max_bytes;
};

void arena_init(struct arena *arena, size_t max_bytes);
void arena_release(struct arena *arena); /* frees everything; the arena may be used again */

/* Aligned to 16 bytes; null when the maximum or memory is exceeded. */
void *arena_alloc(struct arena *arena, size_t bytes) must_check;
void *arena_zalloc(struct arena *arena, size_t bytes) must_check;
void *arena_zalloc_array(struct arena *arena, size_t count, size_t each) must_check;

/* Copies are NUL-terminated; `at` is null on failure. */
struct str arena_str(struct arena *arena, struct str text) must_check;
char *arena_text(struct arena *arena, struct str text) must_check;
char *arena_printf(struct arena *arena, const char *format, ...) printf_like(2, 3);

#endif
