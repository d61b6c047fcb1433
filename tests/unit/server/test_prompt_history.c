/* Prompts of late: what is in common with those of the same partition, of others, and of nobody else. */
#include "tests/support.h"

#include <string.h>

#include "base/mem.h"
#include "server/prompt_history.h"

static const uint8_t one[PROMPT_HISTORY_GROUP_BYTES] = {1}, two[PROMPT_HISTORY_GROUP_BYTES] = {2};

static struct prompt_history *make(size_t bytes_max)
{
    struct error error;
    struct prompt_history *h;
    error_clear(&error);
    support_ok(prompt_history_create(&h, bytes_max, &error), &error);
    return h;
}

static struct prompt_history_match visit(struct prompt_history *h, uint32_t key, const uint8_t *partition, const char *text)
{
    struct prompt_history_match match;
    uint32_t ids[64], n = 0;
    for (; text[n]; n++)
        ids[n] = (unsigned char)text[n];
    prompt_history_visit(h, key, partition, ids, n, &match);
    return match;
}

static void the_longest_common_beginning_counts(void **state)
{
    struct prompt_history *h = make(1 << 16);
    (void)state;
    assert_int_equal(visit(h, 0, one, "abcdef").same, 0);
    assert_int_equal(visit(h, 0, one, "abx").same, 2);
    assert_int_equal(visit(h, 0, one, "abcdxx").same, 4);
    assert_int_equal(visit(h, 0, one, "abcdef").same, 6);
    struct prompt_history_match match = visit(h, 0, two, "abcde");
    assert_true(match.same == 0 && match.other == 5);
    match = visit(h, 1, one, "abcde");
    assert_true(match.same == 0 && match.other == 0);
    prompt_history_free(h);
}

static void the_oldest_goes_first(void **state)
{
    struct prompt_history *h = make(4 * 10);
    (void)state;
    visit(h, 0, one, "aaaaa");
    visit(h, 0, one, "bbbbb");
    assert_int_equal(visit(h, 0, one, "aaaaa").same, 5); /* and "aaaaa" goes for itself */
    assert_int_equal(visit(h, 0, one, "ccccc").same, 0); /* "bbbbb" goes */
    assert_int_equal(visit(h, 0, one, "bbbbb").same, 0);
    assert_int_equal(visit(h, 0, one, "too long to be kept").same, 0);
    prompt_history_free(h);
    h = make(1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        visit(h, 0, one, i % 2 ? "x" : "y");
    assert_int_equal(visit(h, 0, one, "xyz").same, 1);
    prompt_history_free(h);
}

static void without_memory_a_prompt_is_forgotten(void **state)
{
    struct prompt_history *h = make(1 << 16);
    (void)state;
    mem_fail_after(1, false);
    visit(h, 0, one, "abc");
    mem_fail_after(0, false);
    assert_int_equal(visit(h, 0, one, "abc").same, 0);
    assert_int_equal(visit(h, 0, one, "abc").same, 3);
    prompt_history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_common_beginning_counts),
        cmocka_unit_test(the_oldest_goes_first),
        cmocka_unit_test(without_memory_a_prompt_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
