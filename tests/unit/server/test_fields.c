/* Typed readers: what each takes, what it refuses, and the words of the refusal. */
#include <stdio.h>
#include <string.h>

#include "server/fields.h"
#include "tests/support.h"

static struct error error;
static struct fields fields;
static json_t *root;

static void parse(const char *text)
{
    json_decref(root);
    root = json_loads(text, JSON_ALLOW_NUL, NULL);
    assert_non_null(root);
    fields_init(&fields, &error);
}

static int teardown(void **state)
{
    (void)state;
    json_decref(root);
    root = NULL;
    return 0;
}

static void expect_fault(const char *code, const char *path)
{
    assert_int_equal(fields.status, STATUS_INVALID);
    assert_string_equal(error.code, code);
    assert_string_equal(error.path, path);
    assert_non_null(strstr(error.message, path));
    fields_init(&fields, &error);
}

static void test_absent_and_null_are_the_same(void **state)
{
    int64_t n = 7;
    double d = 0.5;
    bool b = true;
    struct str s = str_of("kept");
    (void)state;
    parse("{\"a\": null}");
    for (unsigned i = 0; i < 2; i++) {
        const char *key = i ? "a" : "b";
        assert_false(fields_int(&fields, root, key, 0, 1, &n));
        assert_false(fields_double(&fields, root, key, 0, 1, &d));
        assert_false(fields_bool(&fields, root, key, &b));
        assert_false(fields_str(&fields, root, key, 9, &s));
        assert_null(fields_object(&fields, root, key));
        assert_null(fields_array(&fields, root, key, 9));
        assert_int_equal(fields_choice(&fields, root, key, (const char *const[]){"x", NULL}), -1);
    }
    assert_int_equal(fields.status, STATUS_OK);
    assert_true(n == 7 && d == 0.5 && b && str_is(s, "kept"));
}

static void test_integers_may_be_written_as_whole_floats_only(void **state)
{
    int64_t n;
    (void)state;
    parse("{\"a\": 5.0, \"b\": 5.5, \"c\": \"5\", \"d\": true, \"e\": 1e300, \"f\": -9223372036854775808, \"g\": [], "
          "\"h\": 9007199254740993.0}");
    assert_true(fields_int(&fields, root, "a", 1, 5, &n));
    assert_int_equal(n, 5);
    assert_true(fields_int(&fields, root, "f", INT64_MIN, INT64_MAX, &n));
    assert_true(n == INT64_MIN);
    for (const char *key = "bcdeg"; *key; key++) {
        char name[2] = {*key, 0};
        assert_false(fields_int(&fields, root, name, INT64_MIN, INT64_MAX, &n));
        expect_fault("invalid_type", name);
    }
}

static void test_ranges_name_the_side_that_was_left(void **state)
{
    int64_t n = 3;
    double d = 0.25;
    (void)state;
    parse("{\"low\": -1, \"high\": 11, \"edge\": 10, \"least\": 0}");
    assert_false(fields_int(&fields, root, "low", 0, 10, &n));
    expect_fault("integer_below_min_value", "low");
    assert_false(fields_int(&fields, root, "high", 0, 10, &n));
    expect_fault("integer_above_max_value", "high");
    assert_false(fields_double(&fields, root, "low", 0, 10, &d));
    expect_fault("decimal_below_min_value", "low");
    assert_false(fields_double(&fields, root, "high", 0, 10, &d));
    expect_fault("decimal_above_max_value", "high");
    assert_true(n == 3 && d == 0.25);
    assert_true(fields_int(&fields, root, "edge", 0, 10, &n) && fields_double(&fields, root, "least", 0, 10, &d));
    assert_true(n == 10 && d == 0);
}

static void test_strings_keep_zero_bytes_and_are_bounded(void **state)
{
    struct str s;
    (void)state;
    parse("{\"a\": \"x\\u0000y\", \"b\": \"12345\", \"c\": 5}");
    assert_true(fields_str(&fields, root, "a", 3, &s));
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.at, "x\0y", 3);
    assert_false(fields_str(&fields, root, "b", 4, &s));
    expect_fault("string_above_max_length", "b");
    assert_false(fields_str(&fields, root, "c", 4, &s));
    expect_fault("invalid_type", "c");
}

static void test_kinds_are_not_converted(void **state)
{
    bool b;
    double d;
    (void)state;
    parse("{\"n\": 1, \"s\": \"true\", \"a\": [1, 2, 3], \"o\": {}, \"t\": true}");
    for (const char *key = "nsao"; *key; key++) {
        char name[2] = {*key, 0};
        assert_false(fields_bool(&fields, root, name, &b));
        expect_fault("invalid_type", name);
    }
    assert_false(fields_double(&fields, root, "t", 0, 2, &d));
    expect_fault("invalid_type", "t");
    assert_null(fields_object(&fields, root, "a"));
    expect_fault("invalid_type", "a");
    assert_null(fields_array(&fields, root, "o", 9));
    expect_fault("invalid_type", "o");
    assert_null(fields_array(&fields, root, "a", 2));
    expect_fault("array_above_max_length", "a");
    assert_non_null(fields_array(&fields, root, "a", 3));
    assert_non_null(fields_object(&fields, root, "o"));
}

static void test_choices_list_what_is_possible(void **state)
{
    static const char *const names[] = {"low", "high", NULL};
    (void)state;
    parse("{\"a\": \"high\", \"b\": \"medium\"}");
    assert_int_equal(fields_choice(&fields, root, "a", names), 1);
    assert_int_equal(fields_choice(&fields, root, "b", names), -1);
    assert_non_null(strstr(error.message, "low, high"));
    expect_fault("invalid_value", "b");
}

static void test_the_first_fault_stays(void **state)
{
    int64_t n = 1;
    struct str s;
    (void)state;
    parse("{\"a\": \"x\", \"b\": 4}");
    assert_false(fields_int(&fields, root, "a", 0, 9, &n));
    assert_false(fields_int(&fields, root, "b", 0, 9, &n));
    assert_false(fields_str(&fields, root, "b", 9, &s));
    fields_fault(&fields, "invalid_value", "c", "later");
    assert_int_equal(n, 1);
    assert_null(fields_get(&fields, root, "b"));
    expect_fault("invalid_type", "a");
}

static void test_prefixes_are_part_of_the_path(void **state)
{
    bool b;
    (void)state;
    parse("{\"a\": 1}");
    snprintf(fields.prefix, sizeof fields.prefix, "messages[3].");
    assert_false(fields_bool(&fields, root, "a", &b));
    expect_fault("invalid_type", "messages[3].a");
    snprintf(fields.prefix, sizeof fields.prefix, "messages[3].");
    fields_fault(&fields, "invalid_type", NULL, "expected an object");
    expect_fault("invalid_type", "messages[3]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_absent_and_null_are_the_same, teardown),
        cmocka_unit_test_teardown(test_integers_may_be_written_as_whole_floats_only, teardown),
        cmocka_unit_test_teardown(test_ranges_name_the_side_that_was_left, teardown),
        cmocka_unit_test_teardown(test_strings_keep_zero_bytes_and_are_bounded, teardown),
        cmocka_unit_test_teardown(test_kinds_are_not_converted, teardown),
        cmocka_unit_test_teardown(test_choices_list_what_is_possible, teardown),
        cmocka_unit_test_teardown(test_the_first_fault_stays, teardown),
        cmocka_unit_test_teardown(test_prefixes_are_part_of_the_path, teardown),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
