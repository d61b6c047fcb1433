/* UTF-8 against a table-free decoder over every lead byte, and repair against the maximal-subpart rule. */
#include "tests/support.h"

#include <string.h>

#include "base/utf8.h"

/* Decodes by arithmetic alone and refuses what is not the shortest form of a scalar value. */
static size_t plain_decode(const unsigned char *at, size_t len, uint32_t *out)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = at[0] < 0x80 ? 1 : at[0] < 0xC0 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF8 ? 4 : 0;
    if (n == 0 || n > len)
        return 0;
    uint32_t c = n == 1 ? at[0] : at[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3F);
    }
    if (c < smallest[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    *out = c;
    return n;
}

static void decoding_agrees_with_arithmetic_on_every_two_byte_start(void **state)
{
    (void)state;
    static const unsigned char ends[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t i = 0; i < sizeof ends; i++)
                for (size_t j = 0; j < sizeof ends; j++)
                    for (size_t len = 1; len <= 4; len++) {
                        unsigned char text[4] = {(unsigned char)a, (unsigned char)b, ends[i], ends[j]};
                        uint32_t want = 0, got = 0;
                        size_t n = plain_decode(text, len, &want);
                        assert_int_equal(utf8_decode((const char *)text, len, &got), n);
                        if (n) {
                            char back[4];
                            assert_int_equal(got, want);
                            assert_int_equal(utf8_encode(got, back), n);
                            assert_memory_equal(back, text, n);
                        }
                    }
}

static void repair_replaces_maximal_subparts(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"a\x80z", "a\xEF\xBF\xBDz"},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE2\x82z", "\xEF\xBF\xBDz"},              /* a cut sign: one replacement */
        {"\xF0\x9F\x92", "\xEF\xBF\xBD"},            /* cut by the end */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* a surrogate */
        {"\xF0\x80\x80\x41", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41"},
        {"\xE2\x82\xAC", "\xE2\x82\xAC"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        assert_int_equal(utf8_repair(&out, cases[i].in, strlen(cases[i].in)), STATUS_OK);
        assert_string_equal(out.at, cases[i].out);
        buf_release(&out);
    }
}

static void the_incomplete_tail_is_what_could_still_grow(void **state)
{
    (void)state;
    assert_int_equal(utf8_incomplete_tail("abc", 3), 0);
    assert_int_equal(utf8_incomplete_tail("ab\xE2", 3), 1);
    assert_int_equal(utf8_incomplete_tail("ab\xE2\x82", 4), 2);
    assert_int_equal(utf8_incomplete_tail("ab\xF0\x9F\x92", 5), 3);
    assert_int_equal(utf8_incomplete_tail("ab\xE2\x82\xAC", 5), 0);
    assert_int_equal(utf8_incomplete_tail("\xE0\x80", 2), 0); /* can never become valid */
    assert_int_equal(utf8_incomplete_tail("\x82\x82", 2), 0);
    assert_int_equal(utf8_incomplete_tail("\xF5", 1), 0);
    assert_int_equal(utf8_incomplete_tail("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_agrees_with_arithmetic_on_every_two_byte_start),
        cmocka_unit_test(repair_replaces_maximal_subparts),
        cmocka_unit_test(the_incomplete_tail_is_what_could_still_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
