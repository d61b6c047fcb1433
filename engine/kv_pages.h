/* The pool of cache pages: who holds which, and which hold finished prompt state that may be found again.
 *
 * A page is free, held (one or more sequences refer to it) or cached (nobody refers to it, but the prefix index knows what is in
 * it). Pages are numbers; their memory belongs to the device. All memory is taken when the pool is made.
 *
 * The prefix index: a full page is known by a hash chain over (partition, parent's hash, its tokens). A hash finds a page; equality
 * of the parent itself and of every token admits it, so that a collision cannot. The partition of the tokens' owner is the first
 * link: requests of other partitions cannot name the page. */
#ifndef ENGINE_KV_PAGES_H
#define ENGINE_KV_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { KV_PAGES_TOKENS = 64, KV_PAGES_HASH_BYTES = 32, KV_PAGES_NONE = 0xFFFFFFFFu };

struct page_hash {
    uint8_t bytes[KV_PAGES_HASH_BYTES];
};

/* hash(out, parent, tokens): a keyed or plain 256-bit cryptographic hash; handed in so that this layer needs no library. */
typedef void kv_pages_hash(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS]);

/* Where a chain stands: after a published page, or at its beginning (the partition, number 0). */
struct page_link {
    struct page_hash hash;
    uint64_t number; /* of the publication, never used twice: two pages of equal hash are two parents */
};

struct kv_pages;

enum status kv_pages_create(struct kv_pages **out, uint32_t n_pages, kv_pages_hash *hash, struct error *error) must_check;
void kv_pages_free(struct kv_pages *pages);

/* A page nobody else holds, or KV_PAGES_NONE when all are held. Evicts the longest unused cached page when none is free. */
uint32_t kv_pages_take(struct kv_pages *pages);
void kv_pages_hold(struct kv_pages *pages, uint32_t page); /* one more holder */
void kv_pages_give(struct kv_pages *pages, uint32_t page); /* one holder less; the last one leaves it cached or free */

/* Says whose state a page taken is about to hold, before the first write. True: it held another partition's, so its memory must be
 * cleared. */
bool kv_pages_claim(struct kv_pages *pages, uint32_t page, const struct page_hash *partition);

/* How many pages kv_pages_take could give now. */
uint32_t kv_pages_available(const struct kv_pages *pages);

/* Finds the cached or held page of these tokens after `link`, holds it, and moves the link behind it. */
bool kv_pages_find(struct kv_pages *pages, struct page_link *link, const uint32_t tokens[KV_PAGES_TOKENS], uint32_t *page);

/* Makes a full, cleanly written page findable after `link`, and moves the link behind it; behind an equal page where one is known
 * already. */
void kv_pages_publish(struct kv_pages *pages, uint32_t page, struct page_link *link, const uint32_t tokens[KV_PAGES_TOKENS]);

/* Nobody finds this page any more; who holds it keeps it. */
void kv_pages_forget(struct kv_pages *pages, uint32_t page);

struct kv_pages_count {
    uint32_t total, free, cached, held;
};
void kv_pages_count(const struct kv_pages *pages, struct kv_pages_count *out);

/* Holders of all pages together: what the sequences' page lists must add up to. */
uint64_t kv_pages_references(const struct kv_pages *pages);

/* check()s that every page is in exactly one state and that the index leads to what it should. For tests and audits. */
void kv_pages_audit(const struct kv_pages *pages);

#endif
