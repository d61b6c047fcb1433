/* Typed access to GGUF metadata: what each reader accepts, and how it refuses. */
#include "tests/support.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "tests/gguf_writer.h"

static struct buf bytes;
static struct file_map file;
static char name[] = "test.gguf";

static void put_number(const char *key, uint32_t type, const void *value, size_t n)
{
    gguf_put_key(&bytes, key, type);
    buf_add(&bytes, value, n);
}

static void write_all(void)
{
    static const char *const words[] = {"one", "", "three"};
    static const int32_t numbers[] = {-1, 0, INT32_MAX};
    const int8_t i8 = -5;
    const uint16_t u16 = 65535;
    const int64_t i64 = INT64_MIN;
    const uint64_t u64 = UINT64_MAX;
    const double f64 = 0.25, not_a_number = NAN;
    buf_init(&bytes, 1 << 20);
    gguf_put_head(&bytes, 3, 0, 12);
    put_number("i8", GGUF_I8, &i8, sizeof i8);
    put_number("u16", GGUF_U16, &u16, sizeof u16);
    put_number("i64", GGUF_I64, &i64, sizeof i64);
    put_number("u64", GGUF_U64, &u64, sizeof u64);
    put_number("f64", GGUF_F64, &f64, sizeof f64);
    put_number("nan", GGUF_F64, &not_a_number, sizeof not_a_number);
    gguf_put_f32_value(&bytes, "f32", 1.5f);
    gguf_put_bool_value(&bytes, "flag", 1);
    gguf_put_string_value(&bytes, "text", "words");
    gguf_put_strings(&bytes, "words", words, 3);
    gguf_put_i32s(&bytes, "numbers", numbers, 3);
    gguf_put_strings(&bytes, "empty", NULL, 0);
    file = gguf_in_memory(&bytes, name);
}

static int set_up(void **state)
{
    static struct gguf g;
    struct error error;
    write_all();
    support_ok(gguf_read(&g, &file, &error), &error);
    *state = &g;
    return 0;
}

static int tear_down(void **state)
{
    gguf_release(*state);
    buf_release(&bytes);
    return 0;
}

static void integers_of_every_width_are_read_within_the_range_asked_for(void **state)
{
    struct error error;
    uint64_t v;
    assert_int_equal(gguf_get_u64(*state, "u16", 0, 65535, &v, &error), STATUS_OK);
    assert_int_equal(v, 65535);
    assert_int_equal(gguf_get_u64(*state, "u16", 0, 65534, &v, &error), STATUS_INVALID);
    assert_string_equal(error.message, "test.gguf: key u16: expected 0 to 65534, found 65535");
    assert_int_equal(gguf_get_u64(*state, "u64", 0, UINT64_MAX, &v, &error), STATUS_OK);
    assert_true(v == UINT64_MAX);
    assert_int_equal(gguf_get_u64(*state, "i8", 0, UINT64_MAX, &v, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "found -5"));
    assert_int_equal(gguf_get_u64(*state, "i64", 0, UINT64_MAX, &v, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "found -9223372036854775808"));
}

static void another_type_is_refused_with_both_names(void **state)
{
    struct error error;
    uint64_t v;
    double d;
    bool b;
    struct str s;
    struct gguf_strings list;
    assert_int_equal(gguf_get_u64(*state, "f32", 0, 9, &v, &error), STATUS_INVALID);
    assert_string_equal(error.message, "test.gguf: key f32: expected an integer, found f32");
    assert_int_equal(gguf_get_u64(*state, "flag", 0, 9, &v, &error), STATUS_INVALID);
    assert_int_equal(gguf_get_double(*state, "text", &d, &error), STATUS_INVALID);
    assert_int_equal(gguf_get_bool(*state, "u16", &b, &error), STATUS_INVALID);
    assert_int_equal(gguf_get_str(*state, "words", &s, &error), STATUS_INVALID);
    assert_string_equal(error.message, "test.gguf: key words: expected a string, found array");
    assert_int_equal(gguf_get_strings(*state, "numbers", &list, &error), STATUS_INVALID);
}

static void what_is_absent_is_not_found_and_leaves_the_error_alone(void **state)
{
    struct error error;
    uint64_t v;
    double d;
    bool b;
    struct str s;
    struct gguf_strings list;
    error_set(&error, STATUS_BUSY, "before");
    assert_int_equal(gguf_get_u64(*state, "none", 0, 9, &v, &error), STATUS_NOT_FOUND);
    assert_int_equal(gguf_get_double(*state, "none", &d, &error), STATUS_NOT_FOUND);
    assert_int_equal(gguf_get_bool(*state, "none", &b, &error), STATUS_NOT_FOUND);
    assert_int_equal(gguf_get_str(*state, "none", &s, &error), STATUS_NOT_FOUND);
    assert_int_equal(gguf_get_strings(*state, "none", &list, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.message, "before");
}

static void numbers_are_finite(void **state)
{
    struct error error;
    double d;
    assert_int_equal(gguf_get_double(*state, "f64", &d, &error), STATUS_OK);
    assert_true(d == 0.25);
    assert_int_equal(gguf_get_double(*state, "i8", &d, &error), STATUS_OK);
    assert_true(d == -5);
    assert_int_equal(gguf_get_double(*state, "nan", &d, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "not finite"));
}

static void arrays_are_walked_in_order(void **state)
{
    struct error error;
    struct gguf_strings list;
    struct str s;
    assert_int_equal(gguf_get_strings(*state, "words", &list, &error), STATUS_OK);
    assert_true(gguf_strings_next(&list, &s) && str_is(s, "one"));
    assert_true(gguf_strings_next(&list, &s) && s.len == 0);
    assert_true(gguf_strings_next(&list, &s) && str_is(s, "three"));
    assert_false(gguf_strings_next(&list, &s));
    assert_int_equal(gguf_get_strings(*state, "empty", &list, &error), STATUS_OK);
    assert_false(gguf_strings_next(&list, &s));
    const struct gguf_value *v = gguf_find(*state, "numbers");
    assert_true(gguf_array_number(v, 0) == -1 && gguf_array_number(v, 2) == INT32_MAX);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct gguf g;
    struct error error;
    for (uint64_t n = 1;; n++) {
        mem_fail_after(n, false);
        enum status status = gguf_read(&g, &file, &error);
        bool failed = mem_fail_after(0, false) >= n;
        if (!failed) {
            support_ok(status, &error);
            gguf_release(&g);
            assert_true(n > 3);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(integers_of_every_width_are_read_within_the_range_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_type_is_refused_with_both_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_absent_is_not_found_and_leaves_the_error_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_finite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(arrays_are_walked_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported_and_nothing_leaks, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
