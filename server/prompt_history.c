/* A ring of prompts; the oldest goes when there are too many, or too many bytes. */
#include "server/prompt_history.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

enum { ROWS = 256 };

struct row {
    uint32_t key_index, n_ids;
    uint8_t partition[PROMPT_HISTORY_GROUP_BYTES];
    uint32_t *ids; /* owned */
};

struct prompt_history {
    pthread_mutex_t lock;
    struct row rows[ROWS]; /* rows[(first + i) % ROWS] */
    unsigned first, n;
    size_t bytes, bytes_max;
};

enum status prompt_history_create(struct prompt_history **out, size_t bytes_max, struct error *error)
{
    struct prompt_history *h = *out = mem_zalloc(sizeof *h);
    if (!h)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    h->bytes_max = bytes_max;
    pthread_mutex_init(&h->lock, NULL);
    return STATUS_OK;
}

static void drop_oldest(struct prompt_history *h)
{
    struct row *row = &h->rows[h->first];
    h->bytes -= row->n_ids * sizeof *row->ids;
    mem_free(row->ids);
    *row = (struct row){0};
    h->first = (h->first + 1) % ROWS;
    h->n--;
}

void prompt_history_free(struct prompt_history *h)
{
    if (!h)
        return;
    while (h->n)
        drop_oldest(h);
    pthread_mutex_destroy(&h->lock);
    mem_free(h);
}

static uint32_t count_common(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b)
{
    uint32_t n = n_a < n_b ? n_a : n_b, i = 0;
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

static void compare(const struct prompt_history *h, const struct row *with, const uint32_t *ids, struct prompt_history_match *out)
{
    for (unsigned i = 0; i < h->n; i++) {
        const struct row *row = &h->rows[(h->first + i) % ROWS];
        if (row->key_index != with->key_index)
            continue;
        uint32_t n = count_common(row->ids, row->n_ids, ids, with->n_ids);
        uint32_t *best = memcmp(row->partition, with->partition, sizeof row->partition) == 0 ? &out->same : &out->other;
        *best = n > *best ? n : *best;
    }
}

static void remember(struct prompt_history *h, const struct row *row, const uint32_t *ids)
{
    size_t bytes = row->n_ids * sizeof *ids;
    uint32_t *copy = bytes <= h->bytes_max ? mem_alloc(bytes + 1) : NULL;
    if (!copy)
        return;
    memcpy(copy, ids, bytes);
    while (h->n == ROWS || h->bytes + bytes > h->bytes_max)
        drop_oldest(h);
    struct row *place = &h->rows[(h->first + h->n) % ROWS];
    *place = *row;
    place->ids = copy;
    h->n++;
    h->bytes += bytes;
}

void prompt_history_visit(struct prompt_history *h, uint32_t key_index, const uint8_t partition[PROMPT_HISTORY_GROUP_BYTES],
                          const uint32_t *ids, uint32_t n_ids, struct prompt_history_match *out)
{
    struct row row = {.key_index = key_index, .n_ids = n_ids};
    memcpy(row.partition, partition, sizeof row.partition);
    *out = (struct prompt_history_match){0};
    pthread_mutex_lock(&h->lock);
    compare(h, &row, ids, out);
    remember(h, &row, ids);
    pthread_mutex_unlock(&h->lock);
}
