/* safetensors files and their index, right and wrong. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/weights/weights.h"

static const char *dir;

static int set_up(void **state)
{
    (void)state;
    dir = support_temp_dir();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    support_remove_dir(dir);
    return 0;
}

static void put(const char *name, const void *data, size_t len)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    support_write_file(path, data, len);
}

/* Length, header, n_data bytes. */
static void build(struct buf *b, const char *header, size_t n_data)
{
    uint64_t len = strlen(header);
    buf_init(b, 1 << 20);
    buf_add(b, &len, sizeof len);
    buf_add_text(b, header);
    for (size_t i = 0; i < n_data; i++)
        buf_add_char(b, (char)i);
}

static void put_model(const char *name, const char *header, size_t n_data)
{
    struct buf b;
    build(&b, header, n_data);
    put(name, b.at, b.len);
    buf_release(&b);
}

static void expect_refused(const char *says)
{
    struct weights w;
    struct error error;
    error_clear(&error);
    enum status status = weights_open(&w, dir, &error);
    if (status == STATUS_OK || !strstr(error.message, says) || !strstr(error.message, dir) || strchr(error.message, '\n'))
        fail_msg("%s: \"%s\" without \"%s\"", status_name(status), error.message, says);
}

#define GOOD                                                                                                            \
    "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[4,16]},"            \
    "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[16,16]}}  "

static void a_good_file_gives_its_tensors_at_any_alignment(void **state)
{
    (void)state;
    struct weights w;
    struct error error;
    put_model("model.safetensors", GOOD, 16);
    support_ok(weights_open(&w, dir, &error), &error);
    const struct tensor *t = weights_find(&w, "b");
    assert_int_equal(t->dtype, DTYPE_BF16);
    assert_int_equal(t->n_dims, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->n_bytes, 12);
    assert_int_equal(((const unsigned char *)t->data)[0], 4);
    assert_int_equal(weights_find(&w, "a")->n_dims, 0);
    assert_null(weights_find(&w, "__metadata__"));
    weights_close(&w);
}

static void every_cut_of_a_file_is_refused(void **state)
{
    (void)state;
    struct buf b;
    build(&b, GOOD, 16);
    for (size_t len = 0; len < b.len; len++) {
        put("model.safetensors", b.at, len);
        expect_refused("model.safetensors");
    }
    buf_add_char(&b, 0);
    put("model.safetensors", b.at, b.len);
    expect_refused("tensors end at byte 16 of 17");
    buf_release(&b);
}

static void a_change_of_any_header_byte_never_crashes(void **state)
{
    (void)state;
    static const char values[] = "\0\"{}[],:0-9\xFF";
    struct buf b;
    build(&b, GOOD, 16);
    for (size_t at = 0; at < b.len - 16; at++) {
        char was = b.at[at];
        struct weights w;
        struct error error;
        b.at[at] = values[at % (sizeof values - 1)];
        put("model.safetensors", b.at, b.len);
        error_clear(&error);
        if (weights_open(&w, dir, &error) == STATUS_OK)
            weights_close(&w);
        else
            assert_true(error.message[0]);
        b.at[at] = was;
    }
    buf_release(&b);
}

static void header_lengths_that_lie_are_refused(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {200, 100000001, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct buf b;
        build(&b, GOOD, 4);
        uint64_t claimed = lengths[i] == 200 ? b.len + 1 : lengths[i];
        memcpy(b.at, &claimed, sizeof claimed);
        put("model.safetensors", b.at, b.len);
        expect_refused("the header claims");
        buf_release(&b);
    }
}

#define ONE(rest) "{\"t\":{" rest "}}"

static void bad_entries_are_refused_by_tensor(void **state)
{
    (void)state;
    static const struct {
        const char *header, *says;
    } cases[] = {
        {"[]", "not a JSON object"},
        {"{", "not a JSON object"},
        {"{}x", "not a JSON object"},
        {"{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"t\":{}}", "not a JSON object"},
        {"{\"t\":7}", "tensor t: it has no dtype"},
        {ONE("\"shape\":[4],\"data_offsets\":[0,16]"), "tensor t: it has no dtype"},
        {ONE("\"dtype\":7,\"shape\":[4],\"data_offsets\":[0,16]"), "tensor t: it has no dtype"},
        {ONE("\"dtype\":\"F32\",\"data_offsets\":[0,16]"), "tensor t: its shape"},
        {ONE("\"dtype\":\"F32\",\"shape\":[1,1,1,1,4],\"data_offsets\":[0,16]"), "tensor t: its shape"},
        {ONE("\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]"), "tensor t: a dimension"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4.0],\"data_offsets\":[0,16]"), "tensor t: a dimension"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]"), "tensor t: its element count"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,16]"), "tensor t: its shape needs"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4]"), "tensor t: data_offsets"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0]"), "tensor t: data_offsets"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16,32]"), "tensor t: data_offsets"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,1e1]"), "tensor t: data_offsets"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[-1,16]"), "tensor t: data_offsets"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]"), "tensor t: data_offsets 16 to 0"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,17]"), "leave the 16 bytes of data"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,9223372036854775807]"), "leave the 16 bytes of data"},
        {ONE("\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,16]"), "its shape needs 12 bytes of F32"},
        {ONE("\"dtype\":\"BF16\",\"shape\":[6],\"data_offsets\":[4,16]"), "tensor t: there is a gap before its data"},
        {ONE("\"dtype\":\"BF16\",\"shape\":[6],\"data_offsets\":[0,12]"), "tensors end at byte 12 of 16"},
        {"{\"t\":{\"dtype\":\"U8\",\"shape\":[10],\"data_offsets\":[0,10]},\"u\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[8,16]}}",
         "tensor u: its data overlap"},
        {"{}", "tensors end at byte 0 of 16"},
        {"{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]}}", "not a JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_model("model.safetensors", cases[i].header, 16);
        expect_refused(cases[i].says);
    }
}

static void an_unknown_dtype_is_kept_with_its_name(void **state)
{
    (void)state;
    struct weights w;
    struct error error;
    put_model("model.safetensors", ONE("\"dtype\":\"F4\",\"shape\":[32],\"data_offsets\":[0,16]"), 16);
    support_ok(weights_open(&w, dir, &error), &error);
    assert_false(weights_find(&w, "t")->readable);
    assert_string_equal(weights_find(&w, "t")->type_name, "F4");
    weights_close(&w);
}

/* ---- Shards ------------------------------------------------------------------------------------------------- */

#define SHARD(name) "{\"" name "\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[0,16]}}"

static void put_index(const char *text)
{
    put("model.safetensors.index.json", text, strlen(text));
}

static void shards_are_opened_by_the_index(void **state)
{
    (void)state;
    struct weights w;
    struct error error;
    put_model("model-1.safetensors", SHARD("a"), 16);
    put_model("weights.bin", SHARD("b"), 16); /* names are the index's, not a pattern's */
    put_index("{\"metadata\":{\"total_size\":99},\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"weights.bin\"}}");
    support_ok(weights_open(&w, dir, &error), &error);
    assert_int_equal(w.n_tensors, 2);
    assert_int_equal(w.n_files, 2);
    weights_close(&w);
}

static void expect_opens(const char *name, const char *tensor, uint32_t n_files)
{
    struct weights w;
    struct error error;
    char path[800];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    support_ok(weights_open(&w, path, &error), &error);
    assert_int_equal(w.n_files, n_files);
    assert_non_null(weights_find(&w, tensor));
    weights_close(&w);
}

static void a_file_by_name_is_what_it_belongs_to(void **state)
{
    (void)state;
    put_model("model-1.safetensors", SHARD("a"), 16);
    put_model("model-2.safetensors", SHARD("b"), 16);
    put_model("other.safetensors", SHARD("c"), 16);
    put_index("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
    expect_opens("model-2.safetensors", "a", 2);
    expect_opens("other.safetensors", "c", 1);
}

static void bad_indexes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *index, *says;
    } cases[] = {
        {"{", "expected a JSON object with weight_map"},
        {"{}", "expected a JSON object with weight_map"},
        {"{\"weight_map\":[]}", "expected a JSON object with weight_map"},
        {"{\"weight_map\":{\"a\":7}}", "a weight_map value is not a file name"},
        {"{\"weight_map\":{\"a\":\"../model-1.safetensors\"}}", "not a plain one"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "not a plain one"},
        {"{\"weight_map\":{\"a\":\"..\"}}", "not a plain one"},
        {"{\"weight_map\":{\"a\":\"\"}}", "not a plain one"},
        {"{\"weight_map\":{\"a\":\"x\\\\y\"}}", "not a plain one"},
        {"{\"weight_map\":{\"a\":\"x\\ny\"}}", "x\\x0ay is not a plain one"},
        {"{\"weight_map\":{\"a\":\"model-9.safetensors\"}}", "model-9.safetensors"},
        {"{\"weight_map\":{\"b\":\"model-1.safetensors\"}}", "tensor b: the index says it is here, and it is not"},
        {"{\"weight_map\":{\"a\":\"model-1.safetensors\",\"a\":\"model-1.safetensors\"}}", "expected a JSON object"},
    };
    put_model("model-1.safetensors", SHARD("a"), 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_index(cases[i].index);
        expect_refused(cases[i].says);
    }
    put_model("model-2.safetensors", SHARD("a"), 16);
    put_index("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"c\":\"model-2.safetensors\"}}");
    expect_refused("tensor a stands twice");
}

static void a_link_out_of_the_directory_is_refused(void **state)
{
    (void)state;
    char outside[800], link[800];
    snprintf(outside, sizeof outside, "%s/elsewhere", dir);
    assert_int_equal(mkdir(outside, 0700), 0);
    snprintf(outside, sizeof outside, "%s/inner", dir);
    assert_int_equal(mkdir(outside, 0700), 0);
    put_model("elsewhere/model.safetensors", SHARD("a"), 16);
    snprintf(link, sizeof link, "%s/inner/model.safetensors", dir);
    assert_int_equal(symlink("../elsewhere/model.safetensors", link), 0);
    struct weights w;
    struct error error;
    assert_int_not_equal(weights_open(&w, outside, &error), STATUS_OK);
    assert_non_null(strstr(error.message, "leaves the model's directory"));
    assert_int_equal(unlink(link), 0);
    put_model("inner/kept.bin", SHARD("a"), 16);
    assert_int_equal(symlink("kept.bin", link), 0); /* a link inside is fine */
    support_ok(weights_open(&w, outside, &error), &error);
    weights_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_file_gives_its_tensors_at_any_alignment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_cut_of_a_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_any_header_byte_never_crashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(header_lengths_that_lie_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_entries_are_refused_by_tensor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_dtype_is_kept_with_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shards_are_opened_by_the_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_by_name_is_what_it_belongs_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_indexes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_out_of_the_directory_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
