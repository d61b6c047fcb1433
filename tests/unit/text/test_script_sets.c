/* Characters by script, and the scripts of texts. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support.h"
#include "text/script_sets.h"

static bool has(const struct code_points *set, uint32_t c)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->at[i].first <= c && c <= set->at[i].last)
            return true;
    return false;
}

static void a_script_has_its_characters_and_no_others(void **state)
{
    static const struct {
        const char *code;
        uint32_t has[4], lacks[4];
    } rows[] = {
        {"Latn", {'a', 'Z', 0xE9, 0x1EA0}, {0x3B1, '1', 0x4E2D, 0x301}},
        {"latn", {'a', 'Z', 0xE9, 0xFF21}, {0x430, ' ', 0x4E2D, 0x301}},
        {"Hani", {0x4E2D, 0x3400, 0x20000, 0x3007}, {0x3042, 'a', 0xAC00, 0x3001}},
        {"Arab", {0x627, 0x6CC, 0x750, 0xFE8D}, {0x5D0, 0x60C, 'a', 0x661 + 0x1000}},
        {"Jpan", {0x4E2D, 0x3042, 0x30A2, 0x3007}, {0xAC00, 'a', 0x627, 0x430}},
        {"Kore", {0x4E2D, 0xAC00, 0x1100, 0x3131}, {0x3042, 'a', 0x627, 0x430}},
    };
    struct script_sets *sets;
    struct error error;
    (void)state;
    support_ok(script_sets_create(&sets, &error), &error);
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct code_points set = {0};
            support_ok(script_sets_add(sets, str_of(rows[i].code), &set, &error), &error);
            for (int k = 0; k < 4; k++)
                if (!has(&set, rows[i].has[k]) || has(&set, rows[i].lacks[k]))
                    fail_msg("%s: U+%04X or U+%04X", rows[i].code, rows[i].has[k], rows[i].lacks[k]);
            code_points_release(&set);
        }
    struct code_points common = {0};
    support_ok(script_sets_add_common(sets, &common, &error), &error);
    assert_true(has(&common, '1') && has(&common, ' ') && has(&common, 0x3002) && has(&common, 0x1F600) && has(&common, 0x301));
    assert_false(has(&common, 'a') || has(&common, 0x4E2D));
    code_points_release(&common);
    script_sets_free(sets);
}

static void codes_are_known_or_not(void **state)
{
    static const char *const known[] = {"Latn", "cyrl", "HANI", "Jpan", "Hant", "Zyyy"};
    static const char *const unknown[] = {"", "Lat", "Latin", "Klin", "L4tn", "Xxxx", "{}^$"};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(script_sets_know(str_of(known[i])));
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_false(script_sets_know(str_of(unknown[i])));
    struct script_sets *sets;
    struct code_points set = {0};
    struct error error;
    support_ok(script_sets_create(&sets, &error), &error);
    assert_int_equal(script_sets_add(sets, str_of("Klin"), &set, &error), STATUS_NOT_FOUND);
    script_sets_free(sets);
}

static void texts_show_their_scripts(void **state)
{
    static const struct {
        const char *text, *scripts;
    } rows[] = {{"hello, 1 2 3!", "Latn"},
                {"", ""},
                {"123 \u2192 \U0001F600", ""},
                {"\u4F60\u597D", "Hani"},
                {"\u65E5\u672C\u8A9E\u306F\u30AB\u30CA", "Hani Hira Kana"},
                {"\u043F\u0440\u0438 hi", "Latn Cyrl"},
                {"\u00B5m", "Latn"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char codes[SCRIPT_CODES_MAX][SCRIPT_CODE_BYTES], joined[64] = "";
        uint32_t n;
        assert_true(script_sets_of_text(str_of(rows[i].text), codes, &n));
        for (uint32_t k = 0; k < n; k++)
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", k ? " " : "", codes[k]);
        assert_string_equal(joined, rows[i].scripts);
    }
    char codes[SCRIPT_CODES_MAX][SCRIPT_CODE_BYTES];
    uint32_t n;
    assert_false(script_sets_of_text(str_of("\U00010330 gothic"), codes, &n)); /* of no living language */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_has_its_characters_and_no_others),
        cmocka_unit_test(codes_are_known_or_not),
        cmocka_unit_test(texts_show_their_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
