/* JSON writing: every character and number reads back as itself. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit_json.h"
#include "base/rng.h"
#include "base/utf8.h"

/* The value of an escaped character. */
static uint32_t unescape(const char *at, size_t len)
{
    uint32_t c;
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (at[0] != '\\')
        return utf8_decode(at, len, &c) == len ? c : UINT32_MAX;
    if (at[1] != 'u')
        return len == 2 && strchr(letters, at[1]) ? (unsigned char)values[strchr(letters, at[1]) - letters] : UINT32_MAX;
    return len == 6 ? (uint32_t)strtoul(at + 2, NULL, 16) : UINT32_MAX;
}

static void every_double_reads_back_as_itself(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(62);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = rng_next_u64(&rng);
        double value;
        struct buf out;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        buf_init(&out, 100);
        struct emit_json json = emit_json_to(&out);
        emit_double(&json, value);
        assert_int_equal(buf_status(&out), STATUS_OK);
        assert_true(strtod(out.at, NULL) == value);
        assert_null(strpbrk(out.at, "xXnNiI")); /* JSON's own syntax: no hexadecimal, no names */
        assert_true(out.at[strspn(out.at, "-")] != '.');
        buf_release(&out);
    }
}

static void every_character_is_escaped_so_that_it_reads_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char text[4];
        struct buf out;
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        if (c > 0x3000 && c < 0x10FFF0 && c % 17)
            continue; /* beyond the controls and separators characters are alike */
        size_t n = utf8_encode(c, text);
        buf_init(&out, 100);
        emit_escaped(&out, str_from(text, n));
        assert_int_equal(unescape(out.at, out.len), c);
        for (size_t i = 0; i < out.len; i++)
            assert_true((unsigned char)out.at[i] >= 0x20);
        if (c == '"' || c == '\\' || c == 0x2028 || c == 0x2029 || c < 0x20)
            assert_int_equal(out.at[0], '\\');
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_double_reads_back_as_itself),
        cmocka_unit_test(every_character_is_escaped_so_that_it_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
