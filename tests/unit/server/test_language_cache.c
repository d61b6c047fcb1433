/* What was compiled is found again, and what was not asked for goes first. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/language_cache.h"
#include "tests/support.h"

static struct language_cache *make(size_t bytes)
{
    struct language_cache *cache;
    struct error error;
    error_clear(&error);
    support_ok(language_cache_create(&cache, bytes, &error), &error);
    return cache;
}

static void add(struct language_cache *cache, unsigned i)
{
    char key[16], image[16];
    snprintf(key, sizeof key, "key %06u", i);
    snprintf(image, sizeof image, "image %04u", i);
    language_cache_add(cache, str_of(key), &(struct language_entry){str_of(image), str_of(i % 2 ? "" : "#/not not\n")});
}

static bool finds(struct language_cache *cache, unsigned i)
{
    struct arena arena;
    struct language_entry entry;
    char key[16], image[16];
    snprintf(key, sizeof key, "key %06u", i);
    snprintf(image, sizeof image, "image %04u", i);
    arena_init(&arena, 1 << 16);
    enum status status = language_cache_find(cache, str_of(key), &arena, &entry);
    if (!status) {
        assert_true(str_is(entry.image, image));
        assert_true(str_is(entry.unenforced, i % 2 ? "" : "#/not not\n"));
    } else {
        assert_int_equal(status, STATUS_NOT_FOUND);
    }
    arena_release(&arena);
    return status == STATUS_OK;
}

static void what_is_added_is_found_whole_keys_alone(void **state)
{
    struct language_cache *cache = make(1 << 20);
    (void)state;
    assert_false(finds(cache, 1));
    for (unsigned i = 0; i < 20; i++)
        add(cache, i);
    add(cache, 3); /* once more: nothing changes */
    for (unsigned i = 0; i < 20; i++)
        assert_true(finds(cache, i));
    assert_false(finds(cache, 20));
    language_cache_free(cache);
}

static void the_bound_holds_and_the_least_used_go(void **state)
{
    struct language_cache *cache = make(100 * 30);
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        add(cache, i);
        assert_true(finds(cache, i));
        assert_true(finds(cache, 0)); /* asked for again and again */
    }
    unsigned kept = 0;
    for (unsigned i = 0; i < 2000; i++)
        kept += finds(cache, i);
    assert_true(kept >= 90 && kept <= 200);
    language_cache_free(cache);
    cache = make(1 << 20);
    for (unsigned i = 0; i < 2000; i++)
        add(cache, i);
    assert_true(finds(cache, 1999) && !finds(cache, 0));
    language_cache_free(cache);
}

static void what_is_too_large_or_finds_no_memory_is_not_kept(void **state)
{
    struct language_cache *cache = make(19);
    struct arena arena;
    struct language_entry entry;
    (void)state;
    add(cache, 1);
    assert_false(finds(cache, 1));
    language_cache_free(cache);
    cache = make(1000);
    mem_fail_after(1, true);
    add(cache, 1);
    mem_fail_after(0, false);
    assert_false(finds(cache, 1));
    add(cache, 1);
    arena_init(&arena, 4);
    assert_int_equal(language_cache_find(cache, str_of("key 000001"), &arena, &entry), STATUS_NO_MEMORY);
    arena_release(&arena);
    assert_true(finds(cache, 1));
    language_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_found_whole_keys_alone),
        cmocka_unit_test(the_bound_holds_and_the_least_used_go),
        cmocka_unit_test(what_is_too_large_or_finds_no_memory_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
