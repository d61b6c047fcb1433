/* The mock device: its script, and that it sees what it is there to see. */
#include <string.h>

#include "engine/device/device_mock.h"
#include "tests/support.h"

enum { VOCABULARY = 32, PAGES = 4 };

static void a_script_sets_what_it_names_and_nothing_else(void **state)
{
    struct device_mock_script s, plain;
    struct error error;
    (void)state;
    support_ok(device_mock_parse(&plain, "", &error), &error);
    assert_int_equal(plain.mode, DEVICE_MOCK_HASH);
    assert_true(plain.vocabulary >= 131072 && plain.stop == -1 && !plain.step_us);
    support_ok(device_mock_parse(&s, "vocabulary=500;pages=7;context=90;load_ms=1;step_us=2;row_us=3;tokens=4,5,6;stop=2;nan_token=9;"
                                     "fault_after=10;hang_after=11;exit_token=0",
                                 &error),
               &error);
    assert_true(s.vocabulary == 500 && s.pages == 7 && s.context == 90 && s.load_ms == 1 && s.step_us == 2 && s.row_us == 3);
    assert_true(s.mode == DEVICE_MOCK_LIST && s.n_tokens == 3 && s.tokens[2] == 6 && s.stop == 2);
    assert_true(s.token[DEVICE_MOCK_NAN] == 9 && s.token[DEVICE_MOCK_EXIT] == 0 && s.token[DEVICE_MOCK_FAULT] == -1);
    assert_true(s.after[DEVICE_MOCK_FAULT] == 10 && s.after[DEVICE_MOCK_HANG] == 11 && s.after[DEVICE_MOCK_NAN] == 0);
    support_ok(device_mock_parse(&s, "mode=echo", &error), &error);
    assert_int_equal(s.mode, DEVICE_MOCK_ECHO);
}

static void a_bad_script_is_refused_by_key(void **state)
{
    static const char *const bad[] = {"speed=1",    "vocabulary",   "vocabulary=", "vocabulary=1", "vocabulary=5x", "vocabulary=-5",
                                      "pages=0",    "tokens=",      "tokens=1,",   "tokens=1,,2",  "tokens=a",      "stop=x",
                                      "mode=other", "fault_after=", "nan_soon=1",  "step_us=99999999999999999999"};
    struct device_mock_script s;
    struct error error;
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error_clear(&error);
        assert_int_equal(device_mock_parse(&s, bad[i], &error), STATUS_INVALID);
        assert_string_equal(error.path, "mock_script");
        char key[32] = {0};
        memcpy(key, bad[i], strcspn(bad[i], "="));
        assert_non_null(strstr(error.message, key));
    }
    assert_int_equal(device_mock_parse(&s, "mode=list", &error), STATUS_INVALID);
}

/* One sequence of a step: n rows from a position, logits of the last. */
static void compute(struct device_mock *mock, uint64_t partition, const uint32_t *pages, uint32_t position, uint32_t n,
                    const uint32_t *tokens, float *logits)
{
    const struct device *d = device_mock_device(mock);
    uint32_t positions[256], last = n - 1;
    for (uint32_t i = 0; i < n; i++)
        positions[i] = position + i;
    struct attention_seq seq = {pages, 0, n, position};
    struct device_sequence description = {partition, 1};
    struct model_batch batch = {tokens, positions, n, &seq, 1, &last, 1};
    d->describe(d->self, &description);
    d->forward(d->self, &batch, logits);
}

static struct device_mock *open_mock(void)
{
    struct device_mock *mock;
    struct error error;
    struct device_mock_options o = {.n_rows_max = 256, .n_logit_rows_max = 4, .count_breaks = true};
    support_ok(device_mock_parse(&o.script, "vocabulary=32;pages=4", &error), &error);
    support_ok(device_mock_open(&mock, &o, &error), &error);
    return mock;
}

static const uint32_t *some_tokens(void)
{
    static uint32_t tokens[256];
    for (uint32_t i = 0; i < 256; i++)
        tokens[i] = i * 5 % VOCABULARY;
    return tokens;
}

static void chunks_and_page_places_change_nothing(void **state)
{
    struct device_mock *mock = open_mock();
    const uint32_t *tokens = some_tokens(), straight[] = {0, 1}, crossed[] = {3, 2};
    float whole[VOCABULARY], pieces[VOCABULARY], truth[VOCABULARY];
    uint64_t hash = device_mock_begin(8);
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        hash = device_mock_extend(hash, tokens[i], i);
    device_mock_row(hash, truth, VOCABULARY);
    compute(mock, 8, straight, 0, 100, tokens, whole);
    compute(mock, 8, crossed, 0, 70, tokens, pieces);
    compute(mock, 8, crossed, 70, 30, tokens + 70, pieces);
    assert_memory_equal(whole, truth, sizeof truth);
    assert_memory_equal(pieces, truth, sizeof truth);
    assert_int_equal(device_mock_breaks(mock), 0);
    device_mock_close(mock);
}

static void a_stale_a_foreign_and_a_shifted_page_are_seen(void **state)
{
    const uint32_t *tokens = some_tokens(), mine[] = {0, 1}, swapped[] = {1, 0}, fresh[] = {2, 1};
    float logits[VOCABULARY];
    (void)state;
    struct device_mock *mock = open_mock();
    compute(mock, 1, mine, 0, 128, tokens, logits);
    compute(mock, 2, mine, 128 - 1, 1, tokens + 127, logits); /* another partition's pages */
    assert_true(device_mock_breaks(mock) > 0);
    device_mock_close(mock);

    mock = open_mock();
    compute(mock, 1, mine, 0, 128, tokens, logits);
    compute(mock, 1, swapped, 127, 1, tokens + 127, logits);
    assert_true(device_mock_breaks(mock) > 0);
    device_mock_close(mock);

    mock = open_mock();
    compute(mock, 1, mine, 0, 128, tokens, logits);
    compute(mock, 1, fresh, 127, 1, tokens + 127, logits); /* a page that was never written */
    assert_true(device_mock_breaks(mock) > 0);
    device_mock_close(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_sets_what_it_names_and_nothing_else),
        cmocka_unit_test(a_bad_script_is_refused_by_key),
        cmocka_unit_test(chunks_and_page_places_change_nothing),
        cmocka_unit_test(a_stale_a_foreign_and_a_shifted_page_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
