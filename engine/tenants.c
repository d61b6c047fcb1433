/* A row per tenant. Rows without open requests keep their account until their place is needed. */
#include "engine/tenants.h"

#include "base/mem.h"

struct tenant {
    uint64_t id, served;
    uint32_t n_open;
};

struct tenants {
    struct tenant *rows;
    uint32_t n_rows, capacity;
    uint64_t now; /* the virtual clock */
};

enum status tenants_create(struct tenants **out, uint32_t max_open, struct error *error)
{
    struct tenants *t = mem_zalloc(sizeof *t);
    if (t)
        t->rows = mem_zalloc_array(max_open, sizeof *t->rows);
    if (!t || !t->rows) {
        tenants_free(t);
        return error_set(error, STATUS_NO_MEMORY, "out of memory for %u tenants", max_open);
    }
    t->capacity = max_open;
    *out = t;
    return STATUS_OK;
}

void tenants_free(struct tenants *t)
{
    if (!t)
        return;
    mem_free(t->rows);
    mem_free(t);
}

static void move_clock(struct tenants *t)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < t->n_rows; i++)
        if (t->rows[i].n_open && t->rows[i].served < least)
            least = t->rows[i].served;
    if (least != UINT64_MAX && least > t->now)
        t->now = least;
}

/* The row of this id, else an empty one, else the one that matters least. */
static struct tenant *row_for(struct tenants *t, uint64_t id)
{
    struct tenant *spare = NULL;
    for (uint32_t i = 0; i < t->n_rows; i++) {
        struct tenant *row = &t->rows[i];
        if (row->id == id)
            return row;
        if (!row->n_open && (!spare || row->served < spare->served))
            spare = row;
    }
    if (t->n_rows < t->capacity)
        spare = &t->rows[t->n_rows++];
    check(spare != NULL);
    *spare = (struct tenant){.id = id};
    return spare;
}

uint32_t tenants_open(struct tenants *t, uint64_t id)
{
    move_clock(t);
    struct tenant *row = row_for(t, id);
    if (row->n_open++ == 0 && row->served < t->now)
        row->served = t->now;
    return (uint32_t)(row - t->rows);
}

void tenants_close(struct tenants *t, uint32_t i)
{
    check(i < t->n_rows && t->rows[i].n_open > 0);
    move_clock(t);
    t->rows[i].n_open--;
}

void tenants_charge(struct tenants *t, uint32_t i, uint32_t n_tokens)
{
    check(i < t->n_rows && t->rows[i].n_open > 0);
    t->rows[i].served += n_tokens;
}

uint64_t tenants_served(const struct tenants *t, uint32_t i)
{
    check(i < t->n_rows);
    return t->rows[i].served;
}
