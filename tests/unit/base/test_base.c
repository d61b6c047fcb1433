/* Arena, table, reader, hash, random numbers, error records, JSON writing, file mapping: small modules together. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/emit_json.h"
#include "base/file_map.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/reader.h"
#include "base/rng.h"
#include "base/table.h"

static void an_arena_hands_out_separate_aligned_memory_up_to_its_maximum(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100000);
    unsigned char *last = NULL;
    size_t total = 0;
    for (size_t n = 0; n < 400; n++) {
        unsigned char *p = arena_zalloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0xAB, n);
        assert_true(!last || p != last);
        last = p;
        total += n;
    }
    assert_int_equal(a.used_bytes, total);
    assert_null(arena_alloc(&a, 100000 - total + 1));
    assert_non_null(arena_alloc(&a, 100000 - total));
    assert_null(arena_zalloc_array(&a, SIZE_MAX / 2, 3));
    arena_release(&a);
    assert_string_equal(arena_text(&a, str_of("again")), "again");
    arena_release(&a);
}

static void a_table_finds_what_was_added_and_refuses_twice(void **state)
{
    (void)state;
    struct table t;
    table_init(&t);
    static char keys[5000][8];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(keys[i], sizeof keys[i], "k%u", i);
        assert_int_equal(table_add(&t, str_of(keys[i]), i * 7, NULL), STATUS_OK);
    }
    uint64_t v = 0;
    for (unsigned i = 0; i < 5000; i++) {
        assert_true(table_find(&t, str_of(keys[i]), &v));
        assert_int_equal(v, i * 7);
        assert_true(str_is(t.entries[i].key, keys[i]));
    }
    assert_false(table_find(&t, str_of("absent"), &v));
    assert_int_equal(table_add(&t, str_of("k17"), 1, &v), STATUS_INVALID);
    assert_int_equal(v, 17 * 7);
    table_release(&t);
}

static void a_reader_never_passes_the_end(void **state)
{
    (void)state;
    unsigned char data[64];
    struct error e;
    memset(data, 0, sizeof data);
    data[0] = 5;
    memcpy(data + 8, "hello", 5);
    struct reader r;
    reader_init(&r, data, 13, "input");
    struct str s;
    support_ok(reader_string(&r, 100, &s, &e), &e);
    assert_true(str_is(s, "hello"));
    uint8_t byte;
    assert_int_equal(reader_u8(&r, &byte, &e), STATUS_INVALID);
    assert_int_equal(e.offset, 13);
    for (size_t cut = 0; cut < 13; cut++) {
        reader_init(&r, data, cut, "input");
        assert_int_equal(reader_string(&r, 100, &s, &e), STATUS_INVALID);
        assert_int_equal(reader_offset(&r), 0);
    }
    reader_init(&r, data, 13, "input");
    assert_int_equal(reader_string(&r, 4, &s, &e), STATUS_INVALID);
    memset(data, 0xFF, 8); /* a count whose product overflows */
    uint64_t n;
    reader_init(&r, data, sizeof data, "input");
    assert_int_equal(reader_count(&r, UINT64_MAX, 16, "count", &n, &e), STATUS_INVALID);
    assert_int_equal(reader_offset(&r), 0);
}

static void siphash_matches_its_published_vectors(void **state)
{
    (void)state;
    unsigned char key_bytes[16], in[64];
    struct hash_key key;
    for (unsigned i = 0; i < 16; i++)
        key_bytes[i] = (unsigned char)i;
    for (unsigned i = 0; i < 64; i++)
        in[i] = (unsigned char)i;
    memcpy(&key, key_bytes, sizeof key);
    assert_int_equal(hash_sip(&key, in, 15), 0xa129ca6149be45e5u); /* paper, appendix A */
    assert_int_equal(hash_sip(&key, in, 0), 0x726fdb47dd0e0e31u);
}

static void philox_matches_its_published_vectors(void **state)
{
    (void)state;
    uint32_t counter[4] = {0}, out[4];
    static const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    static const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    rng_philox(0, counter, out);
    assert_memory_equal(out, zeros, sizeof out);
    memset(counter, 0xFF, sizeof counter);
    rng_philox(UINT64_MAX, counter, out);
    assert_memory_equal(out, ones, sizeof out);
    assert_true(rng_unit_open(0) > 0.0f);
    assert_true(rng_unit_open(UINT32_MAX) < 1.0f);
}

static void json_is_escaped_and_comma_separated(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    struct emit_json j = emit_json_to(&b);
    emit_object_begin(&j);
    emit_key_text(&j, "a\"b", "x\n\x01\xE2\x80\xA8\xF0\x9F\x92\xA9\\");
    emit_key_int(&j, "n", INT64_MIN);
    emit_key(&j, "list");
    emit_array_begin(&j);
    emit_double(&j, 0.1);
    emit_double(&j, -3);
    emit_bool(&j, true);
    emit_null(&j);
    emit_str(&j, str_from("\xFF", 1));
    emit_array_end(&j);
    emit_key_text(&j, "absent", NULL);
    emit_object_end(&j);
    assert_int_equal(buf_status(&b), STATUS_OK);
    assert_string_equal(b.at, "{\"a\\\"b\":\"x\\n\\u0001\\u2028\xF0\x9F\x92\xA9\\\\\",\"n\":-9223372036854775808,"
                              "\"list\":[0.1,-3,true,null,\"\xEF\xBF\xBD\"],\"absent\":null}");
    buf_release(&b);
}

static void errors_are_cut_at_characters_and_quotes_are_safe(void **state)
{
    (void)state;
    struct error e;
    char text[2000];
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    text[1998] = 0;
    for (int shift = 0; shift < 3; shift++) {
        error_set(&e, STATUS_INVALID, "%.*s%s", shift, "ab", text);
        size_t n = strlen(e.message);
        assert_int_equal((n - (size_t)shift) % 3, 0);
        assert_true(n > 500);
    }
    char quoted[ERROR_QUOTE_BYTES];
    assert_string_equal(error_quote(quoted, "a\x1b[31m", 6), "a\\x1b[31m");
    assert_int_equal(strlen(error_quote(quoted, text, 1000)), 64 * 4 + 3);
}

static void files_are_mapped_and_changes_are_noticed(void **state)
{
    (void)state;
    const char *dir = support_temp_dir();
    char path[600];
    struct file_map map;
    struct error e;
    snprintf(path, sizeof path, "%s/f", dir);
    support_write_file(path, "contents", 8);
    support_ok(file_map_open(&map, path, &e), &e);
    assert_memory_equal(map.data, "contents", 8);
    support_ok(file_map_verify(&map, &e), &e);
    support_write_file(path, "contents longer", 15);
    assert_int_equal(file_map_verify(&map, &e), STATUS_INVALID);
    file_map_close(&map);
    assert_int_equal(file_map_open(&map, dir, &e), STATUS_INVALID); /* a directory */
    snprintf(path, sizeof path, "%s/absent", dir);
    assert_int_equal(file_map_open(&map, path, &e), STATUS_NOT_FOUND);
    char *text;
    size_t len;
    snprintf(path, sizeof path, "%s/f", dir);
    assert_int_equal(file_map_read(path, 14, &text, &len, &e), STATUS_LIMIT);
    support_ok(file_map_read(path, 15, &text, &len, &e), &e);
    assert_string_equal(text, "contents longer");
    mem_free(text);
    support_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_hands_out_separate_aligned_memory_up_to_its_maximum),
        cmocka_unit_test(a_table_finds_what_was_added_and_refuses_twice),
        cmocka_unit_test(a_reader_never_passes_the_end),
        cmocka_unit_test(siphash_matches_its_published_vectors),
        cmocka_unit_test(philox_matches_its_published_vectors),
        cmocka_unit_test(json_is_escaped_and_comma_separated),
        cmocka_unit_test(errors_are_cut_at_characters_and_quotes_are_safe),
        cmocka_unit_test(files_are_mapped_and_changes_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
