/* The page pool and its prefix index. */
#include <string.h>

#include "base/rng.h"
#include "engine/kv_pages.h"
#include "tests/support.h"

enum { N = 6 };

static void hash_plain(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS])
{
    uint64_t words[4];
    memcpy(words, parent->bytes, sizeof words);
    for (uint32_t i = 0; i < KV_PAGES_TOKENS; i++)
        words[i % 4] = (words[i % 4] ^ tokens[i]) * 0x9e3779b97f4a7c15u + 1;
    memcpy(out->bytes, words, sizeof words);
}

static void hash_nothing(struct page_hash *out, const struct page_hash *parent, const uint32_t tokens[KV_PAGES_TOKENS])
{
    (void)parent;
    (void)tokens;
    *out = (struct page_hash){{0}};
}

static struct kv_pages *make(uint32_t n, kv_pages_hash *hash)
{
    struct kv_pages *p;
    struct error error;
    support_ok(kv_pages_create(&p, n, hash, &error), &error);
    return p;
}

static const uint32_t *page_tokens(uint32_t kind)
{
    static uint32_t tokens[KV_PAGES_TOKENS];
    for (uint32_t i = 0; i < KV_PAGES_TOKENS; i++)
        tokens[i] = kind * 1000 + i;
    return tokens;
}

static struct page_link root(uint8_t partition)
{
    return (struct page_link){.hash = {{partition}}};
}

static struct kv_pages_count count(const struct kv_pages *p)
{
    struct kv_pages_count c;
    kv_pages_audit(p);
    kv_pages_count(p, &c);
    return c;
}

static void a_page_of_another_partition_is_to_be_cleared(void **state)
{
    struct kv_pages *p = make(1, hash_plain);
    const struct page_hash a = {.bytes = {1}}, b = {.bytes = {2}};
    const struct {
        const struct page_hash *partition;
        bool foreign;
    } owners[] = {{&a, false}, {&a, false}, {&b, true}, {&b, false}, {&a, true}};
    (void)state;
    for (unsigned i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        uint32_t page = kv_pages_take(p);
        assert_int_equal(kv_pages_claim(p, page, owners[i].partition), owners[i].foreign);
        kv_pages_give(p, page);
    }
    kv_pages_free(p);
}

static void every_page_is_given_once_and_comes_back(void **state)
{
    struct kv_pages *p = make(N, hash_plain);
    bool given[N] = {false};
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        uint32_t page = kv_pages_take(p);
        assert_true(page < N && !given[page]);
        given[page] = true;
    }
    assert_int_equal(kv_pages_take(p), KV_PAGES_NONE);
    assert_int_equal(kv_pages_available(p), 0);
    kv_pages_hold(p, 3);
    kv_pages_give(p, 3);
    assert_int_equal(kv_pages_take(p), KV_PAGES_NONE);
    kv_pages_give(p, 3);
    assert_int_equal(kv_pages_references(p), N - 1);
    assert_int_equal(kv_pages_take(p), 3);
    assert_int_equal(count(p).held, N);
    kv_pages_free(p);
}

static void a_published_page_is_found_by_its_tokens_and_parents(void **state)
{
    struct kv_pages *p = make(N, hash_plain);
    struct page_link link = root(1), other = root(2), again = root(1);
    uint32_t a = kv_pages_take(p), b = kv_pages_take(p), found;
    (void)state;
    kv_pages_publish(p, a, &link, page_tokens(1));
    kv_pages_publish(p, b, &link, page_tokens(2));
    assert_true(kv_pages_find(p, &again, page_tokens(1), &found));
    assert_int_equal(found, a);
    struct page_link after_a = again;
    assert_true(kv_pages_find(p, &again, page_tokens(2), &found));
    assert_int_equal(found, b);
    assert_memory_equal(&again, &link, sizeof link);
    assert_false(kv_pages_find(p, &other, page_tokens(1), &found)); /* another partition */
    again = root(1);
    assert_false(kv_pages_find(p, &again, page_tokens(2), &found)); /* another place */
    assert_memory_equal(again.hash.bytes, root(1).hash.bytes, sizeof again.hash.bytes);
    assert_false(kv_pages_find(p, &after_a, page_tokens(3), &found));
    assert_int_equal(kv_pages_references(p), 4);
    kv_pages_free(p);
}

static void a_cached_page_survives_until_its_place_is_needed_oldest_first(void **state)
{
    struct kv_pages *p = make(N, hash_plain);
    uint32_t pages[N], found;
    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        struct page_link link = root(1);
        pages[i] = kv_pages_take(p);
        kv_pages_publish(p, pages[i], &link, page_tokens(i));
    }
    for (uint32_t i = 0; i < N; i++)
        kv_pages_give(p, pages[(i + 2) % N]); /* 2 3 4 5 0 1 */
    assert_int_equal(count(p).cached, N);
    struct page_link link = root(1);
    assert_true(kv_pages_find(p, &link, page_tokens(2), &found)); /* used: young again once given back */
    kv_pages_give(p, found);
    assert_int_equal(kv_pages_take(p), pages[3]);
    assert_int_equal(kv_pages_take(p), pages[4]);
    link = root(1);
    assert_false(kv_pages_find(p, &link, page_tokens(3), &found));
    assert_true(kv_pages_find(p, &link, page_tokens(2), &found));
    assert_int_equal(count(p).cached, 3);
    assert_int_equal(kv_pages_available(p), 3);
    kv_pages_free(p);
}

static void of_two_equal_pages_the_first_stays_in_the_index(void **state)
{
    struct kv_pages *p = make(N, hash_plain);
    struct page_link a = root(1), b = root(1), link = root(1);
    uint32_t first = kv_pages_take(p), second = kv_pages_take(p), child = kv_pages_take(p), found;
    (void)state;
    kv_pages_publish(p, first, &a, page_tokens(1));
    kv_pages_publish(p, second, &b, page_tokens(1));
    assert_memory_equal(&a, &b, sizeof a);
    kv_pages_publish(p, child, &b, page_tokens(2)); /* its parent is the page that stayed */
    assert_true(kv_pages_find(p, &link, page_tokens(1), &found));
    assert_int_equal(found, first);
    assert_true(kv_pages_find(p, &link, page_tokens(2), &found));
    assert_int_equal(found, child);
    kv_pages_give(p, second);
    assert_int_equal(count(p).free, N - 3 + 1);
    kv_pages_free(p);
}

static void a_forgotten_page_is_found_by_nobody_and_kept_by_its_holders(void **state)
{
    struct kv_pages *p = make(N, hash_plain);
    struct page_link link = root(1);
    uint32_t page = kv_pages_take(p), found;
    (void)state;
    kv_pages_publish(p, page, &link, page_tokens(1));
    kv_pages_forget(p, page);
    kv_pages_forget(p, page);
    link = root(1);
    assert_false(kv_pages_find(p, &link, page_tokens(1), &found));
    assert_int_equal(count(p).held, 1);
    kv_pages_give(p, page);
    assert_int_equal(count(p).free, N);
    kv_pages_free(p);
}

static void equal_hashes_never_join_different_pages(void **state)
{
    struct kv_pages *p = make(N, hash_nothing);
    struct page_link x = root(1), y = root(1), link;
    uint32_t pages[4], found;
    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        pages[i] = kv_pages_take(p);
    kv_pages_publish(p, pages[0], &x, page_tokens(1));
    kv_pages_publish(p, pages[1], &y, page_tokens(2));
    kv_pages_publish(p, pages[2], &x, page_tokens(3)); /* behind 1 */
    link = root(1);
    assert_true(kv_pages_find(p, &link, page_tokens(2), &found));
    assert_int_equal(found, pages[1]);
    assert_false(kv_pages_find(p, &link, page_tokens(3), &found)); /* behind 2 there is none */
    kv_pages_publish(p, pages[3], &y, page_tokens(3));
    assert_true(kv_pages_find(p, &link, page_tokens(3), &found));
    assert_int_equal(found, pages[3]);
    kv_pages_free(p);
}

static void a_parent_that_was_evicted_does_not_lend_its_children_to_its_successor(void **state)
{
    struct kv_pages *p = make(2, hash_nothing);
    struct page_link link = root(1);
    uint32_t parent = kv_pages_take(p), child = kv_pages_take(p), found;
    (void)state;
    kv_pages_publish(p, parent, &link, page_tokens(1));
    kv_pages_publish(p, child, &link, page_tokens(2));
    kv_pages_give(p, parent);
    assert_int_equal(kv_pages_take(p), parent);
    link = root(1);
    kv_pages_publish(p, parent, &link, page_tokens(7)); /* the same page, the same hash, other tokens */
    assert_false(kv_pages_find(p, &link, page_tokens(2), &found));
    kv_pages_free(p);
}

static void random_use_keeps_every_page_in_one_state(void **state)
{
    enum { PAGES = 12, HOLDS = 40, STEPS = 20000 };
    struct kv_pages *p = make(PAGES, hash_plain);
    struct rng rng = rng_seeded(11);
    uint32_t held[HOLDS], n_held = 0, published[PAGES] = {0};
    (void)state;
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t page, kind = rng_below(&rng, 20);
        struct page_link link = root((uint8_t)rng_below(&rng, 2));
        switch (rng_below(&rng, 4)) {
        case 0:
            if (n_held < HOLDS && (page = kv_pages_take(p)) != KV_PAGES_NONE) {
                for (uint32_t j = 0; j < n_held; j++)
                    assert_int_not_equal(held[j], page);
                held[n_held++] = page;
                published[page] = 0;
            }
            break;
        case 1:
            if (n_held < HOLDS && kv_pages_find(p, &link, page_tokens(kind), &page))
                held[n_held++] = page;
            break;
        case 2:
            if (n_held && !published[page = held[rng_below(&rng, n_held)]]) {
                kv_pages_publish(p, page, &link, page_tokens(kind));
                published[page] = 1;
                if (link.number == 0)
                    fail();
            }
            break;
        default:
            if (n_held) {
                uint32_t at = rng_below(&rng, n_held);
                kv_pages_give(p, held[at]);
                held[at] = held[--n_held];
            }
        }
        struct kv_pages_count c = count(p);
        assert_int_equal(kv_pages_references(p), n_held);
        assert_int_equal(c.free + c.cached + c.held, PAGES);
    }
    kv_pages_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_is_given_once_and_comes_back),
        cmocka_unit_test(a_page_of_another_partition_is_to_be_cleared),
        cmocka_unit_test(a_published_page_is_found_by_its_tokens_and_parents),
        cmocka_unit_test(a_cached_page_survives_until_its_place_is_needed_oldest_first),
        cmocka_unit_test(of_two_equal_pages_the_first_stays_in_the_index),
        cmocka_unit_test(a_forgotten_page_is_found_by_nobody_and_kept_by_its_holders),
        cmocka_unit_test(equal_hashes_never_join_different_pages),
        cmocka_unit_test(a_parent_that_was_evicted_does_not_lend_its_children_to_its_successor),
        cmocka_unit_test(random_use_keeps_every_page_in_one_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
