/* The pre-scan of bodies: what it refuses, where, and that it never refuses less than the parser's grammar needs it to. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "server/json_scan.h"
#include "tests/support.h"

enum { DEPTH = 8 };

static struct error error;

static enum status scan(struct json_scan *out, const char *text)
{
    error_clear(&error);
    return json_scan_run(out, str_of(text), DEPTH, &error);
}

static void test_good_bodies_pass_and_are_counted(void **state)
{
    struct json_scan s;
    (void)state;
    support_ok(scan(&s, "{\"a\": [1, 2, {\"b\": \"],}{\\\"[\"}], \"c\": null}"), &error);
    assert_int_equal(s.n_containers, 3);
    assert_true(s.n_values >= 6);
    assert_true(s.memory_bytes > s.text.len);
    support_ok(scan(&s, ""), &error);
    assert_int_equal(s.n_values, 0);
}

static void test_a_byte_order_mark_is_skipped_once(void **state)
{
    struct json_scan s;
    (void)state;
    support_ok(scan(&s, "\xEF\xBB\xBF{}"), &error);
    assert_true(str_is(s.text, "{}"));
    support_ok(scan(&s, "\xEF\xBB\xBF\xEF\xBB\xBF{}"), &error);
    assert_int_equal(s.text.len, 5);
}

static void test_nesting_is_bounded_and_brackets_within_strings_are_text(void **state)
{
    struct json_scan s;
    (void)state;
    support_ok(scan(&s, "[[[[[[[[]]]]]]]]"), &error);
    assert_int_equal(scan(&s, "[[[[[[[[[]]]]]]]]]"), STATUS_INVALID);
    assert_string_equal(error.code, "invalid_json");
    assert_int_equal(error.offset, 8);
    support_ok(scan(&s, "[[[[[[[\"[[[[[[[[\\\"[[[[\"]]]]]]]"), &error);
    support_ok(scan(&s, "[[[[[[[],[],[],[],[],[]]]]]]]"), &error);
    support_ok(scan(&s, "]]]]]]]]]]"), &error);
}

static void test_ill_formed_utf8_is_named_by_its_byte(void **state)
{
    static const char *const bad[] = {"{\"a\":\"\xff\"}", "{\"a\":\"\xC3\"}", "{\"a\":\"\xED\xA0\x80\"}", "{\"a\":\"\xF4\x90\x80\x80\"}",
                                      "{\"a\":\"\xC0\x80\"}"};
    struct json_scan s;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(scan(&s, bad[i]), STATUS_INVALID);
        assert_int_equal(error.offset, 6);
    }
}

static void test_a_string_without_an_end_is_refused(void **state)
{
    static const char *const bad[] = {"\"", "{\"a", "{\"a\\\"", "[\"\\", "{\"a\":\"b\\\\\\\"}"};
    struct json_scan s;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(scan(&s, bad[i]), STATUS_INVALID);
}

static void check_count(const char *item, size_t n, enum status wanted)
{
    struct json_scan s;
    size_t len = strlen(item);
    char *text = mem_alloc(n * len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * len, item, len);
    text[n * len] = 0;
    assert_int_equal(scan(&s, text), wanted);
    mem_free(text);
}

static void test_values_and_containers_are_bounded(void **state)
{
    (void)state;
    check_count("[]", JSON_SCAN_CONTAINERS_MAX, STATUS_OK);
    check_count("[]", JSON_SCAN_CONTAINERS_MAX + 1, STATUS_INVALID);
    check_count("1,", JSON_SCAN_VALUES_MAX, STATUS_OK);
    check_count("1,", JSON_SCAN_VALUES_MAX + 1, STATUS_INVALID);
}

static size_t count_values(const json_t *value)
{
    size_t n = 1, i;
    const char *key;
    json_t *item;
    json_array_foreach(value, i, item) n += count_values(item);
    json_object_foreach((json_t *)(uintptr_t)value, key, item) n += count_values(item);
    return n;
}

static json_t *random_value(struct rng *rng, unsigned depth)
{
    static const char *const texts[] = {"", "a", "[{", "\"\\", "\xC3\xA9"};
    uint64_t kind = rng_below(rng, depth ? 7 : 5);
    json_t *made = kind == 5 ? json_array() : kind == 6 ? json_object() : NULL;
    for (uint64_t n = made ? rng_below(rng, 4) : 0; n; n--) {
        if (kind == 5)
            json_array_append_new(made, random_value(rng, depth - 1));
        else
            json_object_set_new(made, texts[rng_below(rng, 5)], random_value(rng, depth - 1));
    }
    return made ? made : kind == 0 ? json_null() : kind == 1 ? json_true() : kind == 2 ? json_integer(-7) : kind == 3 ? json_real(0.5)
                       : json_string(texts[rng_below(rng, 5)]);
}

/* The parser's tree never holds more than the scan counted, so that the estimate of memory bounds it. */
static void test_the_count_bounds_the_parsed_tree(void **state)
{
    struct rng rng = rng_seeded(7);
    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        struct json_scan s;
        json_t *root = random_value(&rng, 1 + (unsigned)rng_below(&rng, DEPTH - 1));
        char *text = json_dumps(root, JSON_ENCODE_ANY | (round % 2 ? JSON_INDENT(1) : JSON_COMPACT));
        assert_non_null(text);
        support_ok(scan(&s, text), &error);
        if (json_is_object(root) || json_is_array(root))
            assert_true(count_values(root) <= s.n_values + s.n_containers);
        free(text);
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_bodies_pass_and_are_counted),
        cmocka_unit_test(test_a_byte_order_mark_is_skipped_once),
        cmocka_unit_test(test_nesting_is_bounded_and_brackets_within_strings_are_text),
        cmocka_unit_test(test_ill_formed_utf8_is_named_by_its_byte),
        cmocka_unit_test(test_a_string_without_an_end_is_refused),
        cmocka_unit_test(test_values_and_containers_are_bounded),
        cmocka_unit_test(test_the_count_bounds_the_parsed_tree),
    };
    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
