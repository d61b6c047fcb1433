/* GGUF files, right and wrong: every wrong one is refused with one line that names the file and the key or tensor. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/weights/weights.h"
#include "tests/gguf_writer.h"

static const char *dir;
static char path[700];

static int set_up(void **state)
{
    (void)state;
    dir = support_temp_dir();
    snprintf(path, sizeof path, "%s/m.gguf", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    support_remove_dir(dir);
    return 0;
}

static enum status open_bytes(const struct buf *b, struct error *error)
{
    struct weights w;
    support_write_file(path, b->at ? b->at : "", b->len);
    enum status status = weights_open(&w, path, error);
    if (!status)
        weights_close(&w);
    return status;
}

static void expect_refused(const struct buf *b, const char *says)
{
    struct error error;
    error_clear(&error);
    enum status status = open_bytes(b, &error);
    if (status == STATUS_OK || !strstr(error.message, says) || !strstr(error.message, "m.gguf") || strchr(error.message, '\n'))
        fail_msg("%s: \"%s\" without \"%s\"", status_name(status), error.message, says);
}

/* Two tensors of 64 and 32 bytes: a [2, 8] and b [8]. */
static void write_small(struct buf *b)
{
    static const uint64_t matrix[] = {8, 2}, vector[] = {8};
    char data[96];
    buf_init(b, 1 << 20);
    gguf_put_head(b, 3, 2, 2);
    gguf_put_string_value(b, "general.architecture", "llama");
    gguf_put_u32_value(b, "general.alignment", 32);
    gguf_put_tensor(b, "a", 2, matrix, 0, 0);
    gguf_put_tensor(b, "b", 1, vector, 0, 64);
    gguf_put_padding(b, 32);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)i;
    buf_add(b, data, sizeof data);
}

static void a_good_file_gives_tensors_slowest_dimension_first(void **state)
{
    (void)state;
    struct buf b;
    struct weights w;
    struct error error;
    write_small(&b);
    support_write_file(path, b.at, b.len);
    support_ok(weights_open(&w, path, &error), &error);
    const struct tensor *t = weights_find(&w, "a");
    assert_non_null(t);
    assert_int_equal(t->n_dims, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 8);
    assert_int_equal(t->n_bytes, 64);
    t = weights_find(&w, "b");
    assert_int_equal(((const unsigned char *)t->data)[0], 64);
    assert_null(weights_find(&w, "c"));
    weights_close(&w);
    support_ok(weights_open(&w, dir, &error), &error); /* the directory that holds the one file */
    weights_close(&w);
    buf_release(&b);
}

static void every_cut_of_a_file_is_refused(void **state)
{
    (void)state;
    struct buf b;
    write_small(&b);
    for (size_t len = 0; len < b.len; len++) {
        struct buf cut = {.at = b.at, .len = len};
        struct error error;
        error_clear(&error);
        assert_int_not_equal(open_bytes(&cut, &error), STATUS_OK);
        assert_true(error.message[0]);
    }
    buf_release(&b);
}

static void a_change_of_any_byte_never_crashes(void **state)
{
    (void)state;
    static const unsigned char values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    struct buf b;
    write_small(&b);
    for (size_t at = 0; at < b.len - 96; at++) {
        char was = b.at[at];
        for (size_t i = 0; i < sizeof values; i++) {
            struct error error;
            b.at[at] = (char)values[i];
            error_clear(&error);
            if (open_bytes(&b, &error) != STATUS_OK)
                assert_true(error.message[0]);
        }
        b.at[at] = was;
    }
    buf_release(&b);
}

static void bad_heads_are_refused(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_text(&b, "GGML");
    gguf_put_u32(&b, 3);
    gguf_put_u64(&b, 0);
    gguf_put_u64(&b, 0);
    expect_refused(&b, "not a GGUF file");
    static const struct {
        uint32_t version;
        uint64_t n_tensors, n_values;
        const char *says;
    } heads[] = {
        {1, 0, 0, "version 1"},
        {4, 0, 0, "version 4"},
        {0x03000000, 0, 0, "version"}, /* big-endian */
        {3, UINT64_MAX, 0, "tensor count"},
        {3, 1, 0, "tensor count"}, /* more than the bytes left can hold */
        {3, 0, UINT64_MAX, "key count"},
        {3, 0, 2000000, "key count"},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        buf_clear(&b);
        gguf_put_head(&b, heads[i].version, heads[i].n_tensors, heads[i].n_values);
        expect_refused(&b, heads[i].says);
    }
    buf_release(&b);
}

static void begin_values(struct buf *b, uint64_t n)
{
    buf_init(b, 1 << 20);
    gguf_put_head(b, 3, 0, n);
}

static void bad_values_are_refused_by_key(void **state)
{
    (void)state;
    struct buf b;
    begin_values(&b, 2);
    gguf_put_u32_value(&b, "twin", 1);
    gguf_put_u32_value(&b, "twin", 2);
    expect_refused(&b, "key twin: stands twice");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_key(&b, "kind", 13);
    gguf_put_u64(&b, 0);
    expect_refused(&b, "key kind: unknown value type");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_bool_value(&b, "flag", 2);
    expect_refused(&b, "key flag: a bool is neither 0 nor 1");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_array_head(&b, "flags", GGUF_BOOL, 2);
    buf_add(&b, "\1\2", 2);
    expect_refused(&b, "key flags: a bool");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_array_head(&b, "nest", GGUF_ARRAY, 1);
    expect_refused(&b, "arrays of arrays");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_array_head(&b, "odd", 99, 1);
    expect_refused(&b, "unknown element type");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_array_head(&b, "long", GGUF_U64, UINT64_MAX / 8 + 2);
    expect_refused(&b, "array's length");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_array_head(&b, "long", GGUF_STRING, 1000);
    expect_refused(&b, "array's length");
    buf_release(&b);
    begin_values(&b, 1);
    gguf_put_key(&b, "text", GGUF_STRING);
    gguf_put_u64(&b, UINT64_MAX - 3);
    expect_refused(&b, "m.gguf");
    buf_release(&b);
}

static void bad_alignments_are_refused(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 1, 4, 7, 24, 33, 1 << 21, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b;
        begin_values(&b, 1);
        gguf_put_u32_value(&b, "general.alignment", bad[i]);
        expect_refused(&b, "general.alignment");
        buf_release(&b);
    }
    struct buf b;
    begin_values(&b, 1);
    gguf_put_string_value(&b, "general.alignment", "32");
    expect_refused(&b, "expected an integer, found string");
    buf_release(&b);
}

static void expect_tensor_refused(const char *name, uint32_t n_dims, const uint64_t *ne, uint32_t type, uint64_t offset, const char *says)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    gguf_put_head(&b, 3, 1, 0);
    gguf_put_tensor(&b, name, n_dims, ne, type, offset);
    gguf_put_padding(&b, 32);
    for (int i = 0; i < 64; i++)
        buf_add_char(&b, 0);
    expect_refused(&b, says);
    buf_release(&b);
}

static void bad_tensors_are_refused_by_name(void **state)
{
    (void)state;
    static const uint64_t none[8] = {0}, one[8] = {1, 1, 1, 1, 1, 1, 1, 1}, sixteen[] = {16}, big[] = {17}, huge[] = {UINT64_MAX},
                          product[] = {1ull << 33, 1ull << 33}, wide[] = {1ull << 62, 2}, row[] = {33}, block[] = {32, 4};
    expect_tensor_refused("t", 0, one, 0, 0, "tensor t: the number of dimensions");
    expect_tensor_refused("t", 5, one, 0, 0, "tensor t: the number of dimensions");
    expect_tensor_refused("t", 1, none, 0, 0, "tensor t: a dimension is zero");
    expect_tensor_refused("t", 1, huge, 0, 0, "63 bits");
    expect_tensor_refused("t", 2, product, 0, 0, "63 bits");
    expect_tensor_refused("t", 2, wide, 0, 0, "63 bits");
    expect_tensor_refused("t", 1, big, 0, 0, "leave the 64 bytes of data");
    expect_tensor_refused("t", 1, sixteen, 0, 8, "not a multiple of the alignment");
    expect_tensor_refused("t", 1, sixteen, 0, 32, "leave the 64 bytes of data");
    expect_tensor_refused("t", 1, sixteen, 0, UINT64_MAX - 31, "leave the 64 bytes of data");
    expect_tensor_refused("t", 1, row, 2, 0, "rows of 33 do not divide into Q4_0 blocks of 32");
    expect_tensor_refused("t", 2, block, 2, 0, "leave the 64 bytes of data"); /* 4 blocks of 18 bytes */
}

static void twins_and_overlaps_are_refused(void **state)
{
    (void)state;
    static const uint64_t eight[] = {8}, sixteen[] = {16};
    struct buf b;
    buf_init(&b, 1 << 20);
    gguf_put_head(&b, 3, 2, 0);
    gguf_put_tensor(&b, "t", 1, eight, 0, 0);
    gguf_put_tensor(&b, "t", 1, eight, 0, 32);
    gguf_put_padding(&b, 32);
    for (int i = 0; i < 64; i++)
        buf_add_char(&b, 0);
    expect_refused(&b, "tensor t: stands twice");
    buf_clear(&b);
    gguf_put_head(&b, 3, 2, 0);
    gguf_put_tensor(&b, "second", 1, eight, 0, 32);
    gguf_put_tensor(&b, "first", 1, sixteen, 0, 0);
    gguf_put_padding(&b, 32);
    for (int i = 0; i < 64; i++)
        buf_add_char(&b, 0);
    expect_refused(&b, "tensor second: its data overlap");
    buf_release(&b);
}

static void a_type_that_is_not_read_is_kept_with_its_name(void **state)
{
    (void)state;
    static const uint64_t shape[] = {256};
    static const struct {
        uint32_t type;
        const char *name;
    } types[] = {{16, "IQ2_XXS"}, {1000, "type 1000"}};
    for (size_t i = 0; i < 2; i++) {
        struct buf b;
        struct weights w;
        struct error error;
        buf_init(&b, 1 << 20);
        gguf_put_head(&b, 3, 1, 0);
        gguf_put_tensor(&b, "t", 1, shape, types[i].type, 0);
        gguf_put_padding(&b, 32);
        for (int k = 0; k < 96; k++)
            buf_add_char(&b, 0);
        support_write_file(path, b.at, b.len);
        support_ok(weights_open(&w, path, &error), &error);
        assert_false(weights_find(&w, "t")->readable);
        assert_string_equal(weights_find(&w, "t")->type_name, types[i].name);
        weights_close(&w);
        buf_release(&b);
    }
}

static void names_are_escaped_in_messages(void **state)
{
    (void)state;
    static const uint64_t huge[] = {UINT64_MAX};
    expect_tensor_refused("\x1b[31m\n\xff", 1, huge, 0, 0, "\\x1b[31m\\x0a\\xff");
}

/* ---- Split files -------------------------------------------------------------------------------------------- */

static void write_part(const char *name, uint32_t no, uint32_t count, const char *tensor, uint32_t total)
{
    static const uint64_t eight[] = {8};
    char part[700];
    struct buf b;
    buf_init(&b, 1 << 20);
    gguf_put_head(&b, 3, 1, 3);
    gguf_put_u32_value(&b, "split.no", no);
    gguf_put_u32_value(&b, "split.count", count);
    gguf_put_u32_value(&b, "split.tensors.count", total);
    gguf_put_tensor(&b, tensor, 1, eight, 0, 0);
    gguf_put_padding(&b, 32);
    for (int i = 0; i < 32; i++)
        buf_add_char(&b, (char)no);
    snprintf(part, sizeof part, "%s/%s", dir, name);
    support_write_file(part, b.at, b.len);
    buf_release(&b);
}

static void expect_split_refused(const char *says)
{
    struct weights w;
    struct error error;
    char first[700];
    snprintf(first, sizeof first, "%s/x-00001-of-00002.gguf", dir);
    assert_int_not_equal(weights_open(&w, first, &error), STATUS_OK);
    if (!strstr(error.message, says) || !strstr(error.message, ".gguf"))
        fail_msg("\"%s\" without \"%s\"", error.message, says);
}

static void split_files_are_one_model(void **state)
{
    (void)state;
    struct weights w;
    struct error error;
    write_part("x-00001-of-00002.gguf", 0, 2, "a", 2);
    write_part("x-00002-of-00002.gguf", 1, 2, "b", 2);
    support_ok(weights_open(&w, dir, &error), &error);
    assert_int_equal(w.n_tensors, 2);
    assert_int_equal(((const unsigned char *)weights_find(&w, "b")->data)[0], 1);
    weights_close(&w);
}

static void bad_split_files_are_refused(void **state)
{
    (void)state;
    write_part("x-00001-of-00002.gguf", 0, 2, "a", 2);
    expect_split_refused("x-00002-of-00002.gguf"); /* the other part is missing */
    write_part("x-00002-of-00002.gguf", 0, 2, "b", 2);
    expect_split_refused("split.no");
    write_part("x-00002-of-00002.gguf", 1, 3, "b", 2);
    expect_split_refused("split.count");
    write_part("x-00002-of-00002.gguf", 1, 2, "a", 2);
    expect_split_refused("tensor a stands twice");
    write_part("x-00002-of-00002.gguf", 1, 2, "b", 3);
    write_part("x-00001-of-00002.gguf", 0, 2, "a", 3);
    expect_split_refused("split.tensors.count is 3, the parts hold 2");
    write_part("x-00001-of-00002.gguf", 0, 3, "a", 3);
    expect_split_refused("its name does not end in -00001-of-00003.gguf");
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    struct weights w;
    struct error error;
    assert_int_equal(weights_open(&w, "/nonexistent.gguf", &error), STATUS_NOT_FOUND);
    assert_int_not_equal(weights_open(&w, "/dev/zero", &error), STATUS_OK);
    assert_non_null(strstr(error.message, "/dev/zero"));
    assert_int_not_equal(weights_open(&w, dir, &error), STATUS_OK);
    assert_non_null(strstr(error.message, "nor a .gguf file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_file_gives_tensors_slowest_dimension_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_cut_of_a_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_any_byte_never_crashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_heads_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_values_are_refused_by_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_alignments_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_tensors_are_refused_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(twins_and_overlaps_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_type_that_is_not_read_is_kept_with_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_escaped_in_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(split_files_are_one_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_split_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
