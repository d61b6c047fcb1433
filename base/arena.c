/* Chunked bump allocation. */
#include "base/arena.h"

#include <stdio.h>

#include "base/mem.h"

enum { CHUNK_BYTES = 16 * 1024, ALIGN = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    _Alignas(16) char data[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max_bytes = max_bytes};
}

void arena_release(struct arena *arena)
{
    for (struct arena_chunk *c = arena->head, *next; c; c = next) {
        next = c->next;
        mem_free(c);
    }
    arena->head = NULL;
    arena->used_bytes = 0;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t total;
    if (!size_add(arena->used_bytes, bytes, &total) || total > arena->max_bytes || bytes > SIZE_MAX / 2)
        return NULL;
    size_t need = size_round_up(bytes ? bytes : 1, ALIGN);
    struct arena_chunk *c = arena->head;
    if (!c || c->size - c->used < need) {
        size_t size = need > CHUNK_BYTES / 4 ? need : CHUNK_BYTES;
        struct arena_chunk *fresh = mem_alloc_aligned(ALIGN, sizeof *fresh + size);
        if (!fresh)
            return NULL;
        *fresh = (struct arena_chunk){.size = size};
        if (c && size == need) { /* a large block of its own: keep filling the current chunk */
            fresh->next = c->next;
            c->next = fresh;
        } else {
            fresh->next = c;
            arena->head = fresh;
        }
        c = fresh;
    }
    void *at = c->data + c->used;
    c->used += need;
    arena->used_bytes = total;
    return at;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    void *at = arena_alloc(arena, bytes);
    if (at && bytes)
        memset(at, 0, bytes);
    return at;
}

void *arena_zalloc_array(struct arena *arena, size_t count, size_t each)
{
    size_t bytes;
    return size_mul(count, each, &bytes) ? arena_zalloc(arena, bytes) : NULL;
}

struct str arena_str(struct arena *arena, struct str text)
{
    char *at = arena_text(arena, text);
    return (struct str){at, at ? text.len : 0};
}

char *arena_text(struct arena *arena, struct str text)
{
    size_t bytes;
    char *at = size_add(text.len, 1, &bytes) ? arena_alloc(arena, bytes) : NULL;
    if (!at)
        return NULL;
    if (text.len)
        memcpy(at, text.at, text.len);
    at[text.len] = 0;
    return at;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *at = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1);
    if (at)
        vsnprintf(at, (size_t)n + 1, format, again);
    va_end(again);
    return at;
}
