/* Tables under generated keys, against a plain list. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/table.h"

static void a_table_agrees_with_a_plain_list(void **state)
{
    (void)state;
    enum { KEYS = 300 };
    static char keys[KEYS][4];
    struct rng rng = rng_seeded(60);
    for (int round = 0; round < 40; round++) {
        struct table t;
        size_t n = 0;
        table_init(&t);
        for (int step = 0; step < 500 && n < KEYS; step++) {
            size_t len = rng_below(&rng, 4); /* short keys: many meet again; one is empty */
            for (size_t i = 0; i < len; i++)
                keys[n][i] = (char)rng_below(&rng, 6);
            struct str key = str_from(keys[n], len);
            uint64_t found = 99, want = UINT64_MAX;
            for (uint32_t i = 0; i < t.n_entries; i++)
                if (str_equal(t.entries[i].key, key))
                    want = t.entries[i].value;
            assert_int_equal(table_find(&t, key, &found), want != UINT64_MAX);
            if (want != UINT64_MAX)
                assert_int_equal(found, want);
            assert_int_equal(table_add(&t, key, n, NULL), want != UINT64_MAX ? STATUS_INVALID : STATUS_OK);
            n += want == UINT64_MAX;
        }
        assert_int_equal(t.n_entries, n);
        table_release(&t);
    }
}

static void a_table_without_memory_says_so_and_keeps_what_it_has(void **state)
{
    (void)state;
    static char keys[100][8];
    for (uint64_t n = 1; n < 8; n++) {
        struct table t;
        uint64_t value;
        unsigned added = 0;
        table_init(&t);
        mem_fail_after(n, true);
        for (unsigned i = 0; i < 100; i++) {
            snprintf(keys[i], sizeof keys[i], "%u", i);
            enum status status = table_add(&t, str_of(keys[i]), i, NULL);
            if (status) {
                assert_int_equal(status, STATUS_NO_MEMORY);
                break;
            }
            added++;
        }
        mem_fail_after(0, false);
        assert_int_equal(t.n_entries, added);
        for (unsigned i = 0; i < added; i++)
            assert_true(table_find(&t, str_of(keys[i]), &value) && value == i);
        table_release(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_agrees_with_a_plain_list),
        cmocka_unit_test(a_table_without_memory_says_so_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
