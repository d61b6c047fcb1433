/* Growing buffers: limits, failure, moving contents out. */
#include "tests/support.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void a_buffer_holds_what_was_added(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_add_text(&b, "one ");
    buf_printf(&b, "%d %s", 2, "three");
    buf_add_char(&b, '!');
    assert_int_equal(buf_status(&b), STATUS_OK);
    assert_string_equal(b.at, "one 2 three!");
    assert_int_equal(b.len, 12);
    buf_drop_front(&b, 4);
    assert_string_equal(b.at, "2 three!");
    buf_truncate(&b, 5);
    assert_string_equal(b.at, "2 thr");
    buf_add_text(&b, "ow");
    assert_string_equal(b.at, "2 throw");
    buf_release(&b);
}

static void the_maximum_is_exact_and_failure_frees(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(buf_add_char(&b, 'x'), STATUS_OK);
        assert_int_equal(b.len, max);
        assert_int_equal(buf_add_char(&b, 'x'), STATUS_LIMIT);
        assert_null(b.at);
        assert_int_equal(buf_add_text(&b, "more"), STATUS_LIMIT);
        buf_clear(&b);
        assert_int_equal(buf_status(&b), STATUS_OK);
        buf_release(&b);
    }
}

static void take_moves_the_contents_out(void **state)
{
    (void)state;
    struct buf b;
    size_t len;
    buf_init(&b, 100);
    buf_add(&b, "a\0b", 3);
    char *text = buf_take(&b, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a\0b", 4);
    assert_null(b.at);
    mem_free(text);
    text = buf_take(&b, &len);
    assert_int_equal(len, 0);
    assert_string_equal(text, "");
    mem_free(text);
}

static void a_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 12; k++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        mem_fail_after(k, false);
        for (int i = 0; i < 100000 && !buf_status(&b); i++)
            buf_add_text(&b, "0123456789");
        mem_fail_after(0, false);
        assert_int_equal(buf_status(&b), STATUS_NO_MEMORY);
        assert_null(b.at);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_holds_what_was_added),
        cmocka_unit_test(the_maximum_is_exact_and_failure_frees),
        cmocka_unit_test(take_moves_the_contents_out),
        cmocka_unit_test(a_failed_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
