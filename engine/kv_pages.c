/* Reference counts, a free list, a list of cached pages by age, and a hash table over published pages. */
#include "engine/kv_pages.h"

#include <string.h>

#include "base/mem.h"

struct page {
    uint32_t holders;
    bool published;
    uint32_t older, newer;  /* cached list */
    uint32_t next_in_slot;  /* index chain */
    struct page_hash hash;
    struct page_hash owner; /* partition of what its memory holds */
    bool owned;             /* false: never written */
    struct page_link parent;
    uint64_t number;
    uint32_t tokens[KV_PAGES_TOKENS];
};

struct kv_pages {
    struct page *pages;
    uint32_t n_pages;
    uint32_t *free; /* stack */
    uint32_t n_free, n_cached;
    uint32_t oldest, newest; /* cached list ends */
    uint32_t *slots;         /* heads of index chains */
    uint32_t n_slots;
    kv_pages_hash *hash;
    uint64_t n_publications;
};

enum status kv_pages_create(struct kv_pages **out, uint32_t n_pages, kv_pages_hash *hash, struct error *error)
{
    struct kv_pages *p = mem_zalloc(sizeof *p);
    if (!p)
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the page table");
    p->n_pages = n_pages;
    p->hash = hash;
    p->oldest = p->newest = KV_PAGES_NONE;
    p->n_slots = 1;
    while (p->n_slots < n_pages * 2u)
        p->n_slots *= 2;
    p->pages = mem_zalloc_array(n_pages, sizeof *p->pages);
    p->free = mem_zalloc_array(n_pages, sizeof *p->free);
    p->slots = mem_zalloc_array(p->n_slots, sizeof *p->slots);
    if (!p->pages || !p->free || !p->slots) {
        kv_pages_free(p);
        return error_set(error, STATUS_NO_MEMORY, "out of memory for a table of %u pages", n_pages);
    }
    for (uint32_t i = 0; i < p->n_slots; i++)
        p->slots[i] = KV_PAGES_NONE;
    for (uint32_t i = 0; i < n_pages; i++)
        p->free[p->n_free++] = n_pages - 1 - i;
    *out = p;
    return STATUS_OK;
}

void kv_pages_free(struct kv_pages *p)
{
    if (!p)
        return;
    mem_free(p->pages);
    mem_free(p->free);
    mem_free(p->slots);
    mem_free(p);
}

static uint32_t *slot_of(struct kv_pages *p, const struct page_hash *hash)
{
    uint64_t first;
    memcpy(&first, hash->bytes, sizeof first);
    return &p->slots[first & (p->n_slots - 1)];
}

static void cached_remove(struct kv_pages *p, uint32_t i)
{
    struct page *page = &p->pages[i];
    *(page->older == KV_PAGES_NONE ? &p->oldest : &p->pages[page->older].newer) = page->newer;
    *(page->newer == KV_PAGES_NONE ? &p->newest : &p->pages[page->newer].older) = page->older;
    p->n_cached--;
}

static void cached_add(struct kv_pages *p, uint32_t i)
{
    p->pages[i].older = p->newest;
    p->pages[i].newer = KV_PAGES_NONE;
    *(p->newest == KV_PAGES_NONE ? &p->oldest : &p->pages[p->newest].newer) = i;
    p->newest = i;
    p->n_cached++;
}

static void unpublish(struct kv_pages *p, uint32_t i)
{
    uint32_t *at = slot_of(p, &p->pages[i].hash);
    while (*at != i) {
        check(*at != KV_PAGES_NONE);
        at = &p->pages[*at].next_in_slot;
    }
    *at = p->pages[i].next_in_slot;
    p->pages[i].published = false;
}

uint32_t kv_pages_take(struct kv_pages *p)
{
    uint32_t i;
    if (p->n_free) {
        i = p->free[--p->n_free];
    } else if (p->oldest != KV_PAGES_NONE) {
        i = p->oldest;
        cached_remove(p, i);
        unpublish(p, i);
    } else {
        return KV_PAGES_NONE;
    }
    check(p->pages[i].holders == 0 && !p->pages[i].published);
    p->pages[i].holders = 1;
    return i;
}

bool kv_pages_claim(struct kv_pages *p, uint32_t i, const struct page_hash *partition)
{
    struct page *page = &p->pages[i];
    check(i < p->n_pages && page->holders == 1 && !page->published);
    bool foreign = page->owned && memcmp(&page->owner, partition, sizeof *partition) != 0;
    page->owner = *partition;
    page->owned = true;
    return foreign;
}

void kv_pages_hold(struct kv_pages *p, uint32_t i)
{
    check(i < p->n_pages);
    if (p->pages[i].holders++ == 0) {
        check(p->pages[i].published);
        cached_remove(p, i);
    }
}

void kv_pages_give(struct kv_pages *p, uint32_t i)
{
    check(i < p->n_pages && p->pages[i].holders > 0);
    if (--p->pages[i].holders)
        return;
    if (p->pages[i].published)
        cached_add(p, i);
    else
        p->free[p->n_free++] = i;
}

uint32_t kv_pages_available(const struct kv_pages *p)
{
    return p->n_free + p->n_cached;
}

static bool same_link(const struct page_link *a, const struct page_link *b)
{
    return a->number == b->number && memcmp(&a->hash, &b->hash, sizeof a->hash) == 0;
}

static uint32_t lookup(struct kv_pages *p, const struct page_hash *hash, const struct page_link *parent,
                       const uint32_t tokens[KV_PAGES_TOKENS])
{
    for (uint32_t i = *slot_of(p, hash); i != KV_PAGES_NONE; i = p->pages[i].next_in_slot) {
        const struct page *page = &p->pages[i];
        if (memcmp(&page->hash, hash, sizeof *hash) == 0 && same_link(&page->parent, parent) &&
            memcmp(page->tokens, tokens, sizeof page->tokens) == 0)
            return i;
    }
    return KV_PAGES_NONE;
}

static struct page_link link_behind(const struct kv_pages *p, uint32_t i)
{
    return (struct page_link){p->pages[i].hash, p->pages[i].number};
}

bool kv_pages_find(struct kv_pages *p, struct page_link *link, const uint32_t tokens[KV_PAGES_TOKENS], uint32_t *page)
{
    struct page_hash hash;
    p->hash(&hash, &link->hash, tokens);
    *page = lookup(p, &hash, link, tokens);
    if (*page == KV_PAGES_NONE)
        return false;
    kv_pages_hold(p, *page);
    *link = link_behind(p, *page);
    return true;
}

void kv_pages_publish(struct kv_pages *p, uint32_t i, struct page_link *link, const uint32_t tokens[KV_PAGES_TOKENS])
{
    struct page_hash hash;
    check(i < p->n_pages && p->pages[i].holders > 0 && !p->pages[i].published);
    p->hash(&hash, &link->hash, tokens);
    uint32_t known = lookup(p, &hash, link, tokens);
    if (known != KV_PAGES_NONE) {
        *link = link_behind(p, known);
        return;
    }
    struct page *page = &p->pages[i];
    page->hash = hash;
    page->parent = *link;
    page->number = ++p->n_publications;
    memcpy(page->tokens, tokens, sizeof page->tokens);
    uint32_t *slot = slot_of(p, &hash);
    page->next_in_slot = *slot;
    *slot = i;
    page->published = true;
    *link = link_behind(p, i);
}

void kv_pages_forget(struct kv_pages *p, uint32_t i)
{
    check(i < p->n_pages && p->pages[i].holders > 0);
    if (p->pages[i].published)
        unpublish(p, i);
}

void kv_pages_count(const struct kv_pages *p, struct kv_pages_count *out)
{
    *out = (struct kv_pages_count){p->n_pages, p->n_free, p->n_cached, p->n_pages - p->n_free - p->n_cached};
}

uint64_t kv_pages_references(const struct kv_pages *p)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->n_pages; i++)
        n += p->pages[i].holders;
    return n;
}

void kv_pages_audit(const struct kv_pages *p)
{
    uint32_t held = 0, cached = 0, published = 0, chained = 0, listed = 0;
    for (uint32_t i = 0; i < p->n_pages; i++) {
        held += p->pages[i].holders > 0;
        cached += p->pages[i].holders == 0 && p->pages[i].published;
        published += p->pages[i].published;
    }
    for (uint32_t i = 0; i < p->n_free; i++)
        check(p->pages[p->free[i]].holders == 0 && !p->pages[p->free[i]].published);
    for (uint32_t i = p->oldest, before = KV_PAGES_NONE; i != KV_PAGES_NONE; before = i, i = p->pages[i].newer, listed++)
        check(p->pages[i].older == before && p->pages[i].holders == 0 && p->pages[i].published);
    for (uint32_t s = 0; s < p->n_slots; s++)
        for (uint32_t i = p->slots[s]; i != KV_PAGES_NONE; i = p->pages[i].next_in_slot, chained++)
            check(p->pages[i].published);
    check(cached == p->n_cached && listed == cached && chained == published && held + cached + p->n_free == p->n_pages);
}
