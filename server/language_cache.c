/* A short list, the one used last in front. Keys are compared whole. */
#include "server/language_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { ROWS = 512 };

struct row {
    uint64_t hash;
    size_t bytes;
    char *memory; /* key, image, unenforced one behind the other */
    size_t n_key, n_image, n_unenforced;
};

struct language_cache {
    pthread_mutex_t lock;
    struct row rows[ROWS];
    unsigned n;
    size_t bytes, bytes_max;
};

enum status language_cache_create(struct language_cache **out, size_t bytes_max, struct error *error)
{
    struct language_cache *c = *out = mem_zalloc(sizeof *c);
    if (!c)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    c->bytes_max = bytes_max;
    pthread_mutex_init(&c->lock, NULL);
    return STATUS_OK;
}

static void drop_last(struct language_cache *c)
{
    struct row *row = &c->rows[--c->n];
    c->bytes -= row->bytes;
    mem_free(row->memory);
    *row = (struct row){0};
}

void language_cache_free(struct language_cache *c)
{
    if (!c)
        return;
    while (c->n)
        drop_last(c);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

static void move_to_front(struct language_cache *c, unsigned at)
{
    struct row row = c->rows[at];
    memmove(c->rows + 1, c->rows, at * sizeof row);
    c->rows[0] = row;
}

static bool find(struct language_cache *c, uint64_t hash, struct str key)
{
    for (unsigned i = 0; i < c->n; i++) {
        const struct row *row = &c->rows[i];
        if (row->hash == hash && row->n_key == key.len && memcmp(row->memory, key.at, key.len) == 0) {
            move_to_front(c, i);
            return true;
        }
    }
    return false;
}

enum status language_cache_find(struct language_cache *c, struct str key, struct arena *arena, struct language_entry *entry)
{
    uint64_t hash = hash_sip(hash_process_key(), key.at, key.len);
    enum status status = STATUS_NOT_FOUND;
    pthread_mutex_lock(&c->lock);
    if (find(c, hash, key)) {
        const struct row *row = &c->rows[0];
        entry->image = arena_str(arena, str_from(row->memory + row->n_key, row->n_image));
        entry->unenforced = arena_str(arena, str_from(row->memory + row->n_key + row->n_image, row->n_unenforced));
        status = entry->image.at && entry->unenforced.at ? STATUS_OK : STATUS_NO_MEMORY;
    }
    pthread_mutex_unlock(&c->lock);
    return status;
}

void language_cache_add(struct language_cache *c, struct str key, const struct language_entry *entry)
{
    size_t bytes = key.len + entry->image.len + entry->unenforced.len;
    char *memory = bytes <= c->bytes_max ? mem_alloc(bytes + 1) : NULL;
    if (!memory)
        return;
    memcpy(memory, key.at, key.len);
    memcpy(memory + key.len, entry->image.at, entry->image.len);
    memcpy(memory + key.len + entry->image.len, entry->unenforced.at, entry->unenforced.len);
    uint64_t hash = hash_sip(hash_process_key(), key.at, key.len);
    pthread_mutex_lock(&c->lock);
    bool known = find(c, hash, key); /* another thread was faster */
    while (!known && c->n && (c->n == ROWS || c->bytes + bytes > c->bytes_max))
        drop_last(c);
    if (!known) {
        c->rows[c->n++] = (struct row){hash, bytes, memory, key.len, entry->image.len, entry->unenforced.len};
        c->bytes += bytes;
        move_to_front(c, c->n - 1);
    }
    pthread_mutex_unlock(&c->lock);
    if (known)
        mem_free(memory);
}
