/* The facade of `seekd inspect`: tensors by type, the model's shape, what it needs, and models that cannot be served. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "engine/inspect.h"
#include "tests/gguf_writer.h"

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

static void put_number(struct buf *b, const char *architecture, const char *name, uint32_t value)
{
    char key[128];
    snprintf(key, sizeof key, "%s.%s", architecture, name);
    gguf_put_u32_value(b, key, value);
}

/* An embedding [100, 64] in F32, a matrix [64, 64] in Q4_0, and a matrix [64, 64] of a type this program does not read. */
static const char *write_model(const char *architecture)
{
    static char path[700];
    static const uint64_t embedding[] = {64, 100}, square[] = {64, 64};
    static const uint32_t sizes[] = {64 * 100 * 4, 64 * 64 / 32 * 18};
    enum { F32 = 0, Q4_0 = 2, IQ2_XXS = 16, IQ2_XXS_BYTES = 64 * 64 / 256 * 66 };
    struct buf b;
    buf_init(&b, 1 << 20);
    gguf_put_head(&b, 3, 3, 8);
    gguf_put_string_value(&b, "general.architecture", architecture);
    gguf_put_string_value(&b, "general.name", "small one");
    put_number(&b, architecture, "block_count", 2);
    put_number(&b, architecture, "embedding_length", 64);
    put_number(&b, architecture, "context_length", 512);
    put_number(&b, architecture, "feed_forward_length", 128);
    put_number(&b, architecture, "attention.head_count", 4);
    put_number(&b, architecture, "attention.head_count_kv", 2);
    gguf_put_tensor(&b, "token_embd.weight", 2, embedding, F32, 0);
    gguf_put_tensor(&b, "blk.0.attn_q.weight", 2, square, Q4_0, sizes[0]);
    gguf_put_tensor(&b, "blk.0.attn_k.weight", 2, square, IQ2_XXS, sizes[0] + sizes[1]);
    gguf_put_padding(&b, 32);
    for (uint32_t i = 0; i < sizes[0] + sizes[1] + IQ2_XXS_BYTES; i++)
        buf_add_char(&b, 0);
    support_ok(buf_status(&b), NULL);
    snprintf(path, sizeof path, "%s/m.gguf", dir);
    support_write_file(path, b.at, b.len);
    buf_release(&b);
    return path;
}

static void tensors_are_counted_by_type(void **state)
{
    (void)state;
    struct inspect *in;
    struct error error;
    error_clear(&error);
    support_ok(inspect_open(&in, write_model("qwen2"), &error), &error);
    const struct inspect_summary *s = inspect_summary_of(in);
    assert_string_equal(s->format, "GGUF");
    assert_int_equal(s->format_version, 3);
    assert_int_equal(s->n_tensors, 3);
    assert_int_equal(s->n_types, 3);
    assert_int_equal(s->n_parameters, 64 * 100 + 2 * 64 * 64);
    assert_string_equal(s->types[0].name, "F32"); /* most bytes first */
    assert_int_equal(s->types[0].n_bytes, 25600);
    assert_string_equal(s->types[1].name, "Q4_0");
    assert_int_equal(s->types[1].n_bytes, 2304);
    assert_true(s->types[1].readable);
    assert_string_equal(s->types[2].name, "IQ2_XXS");
    assert_false(s->types[2].readable);
    struct inspect_tensor t = inspect_tensor_at(in, 0);
    assert_string_equal(t.name, "token_embd.weight");
    assert_int_equal(t.n_dims, 2);
    assert_int_equal(t.shape[0], 100); /* slowest first */
    assert_int_equal(t.shape[1], 64);
    inspect_close(in);
}

static void a_known_model_is_described_and_planned(void **state)
{
    (void)state;
    struct inspect *in;
    struct error error;
    error_clear(&error);
    support_ok(inspect_open(&in, write_model("qwen2"), &error), &error);
    const struct inspect_summary *s = inspect_summary_of(in);
    const struct inspect_model *m = &s->model;
    assert_true(s->known);
    assert_string_equal(m->family, "qwen2");
    assert_string_equal(m->name, "small one");
    assert_int_equal(m->n_layers, 2);
    assert_int_equal(m->context, 512);
    /* keys and values of 2 layers, 2 heads of 16 */
    assert_int_equal(m->cache_bytes_per_token_f16, 2 * 2 * 2 * 16 * 2);
    assert_int_equal(m->cache_bytes_per_token_f32, 2 * 2 * 2 * 16 * 4);
    assert_true(m->available_bytes > 0);
    assert_true(m->fast.fits && m->exact.fits);
    assert_string_equal(m->fast.cache_type, "F16");
    assert_string_equal(m->exact.cache_type, "F32");
    assert_int_equal(m->fast.context, 512);
    /* no more than 64 sequences at full length need */
    assert_int_equal(m->fast.n_pages, 64 * 512 / 64);
    assert_int_equal(m->fast.cache_bytes, 64 * 512 * m->cache_bytes_per_token_f16);
    inspect_close(in);
}

static void an_unknown_architecture_still_shows_its_tensors(void **state)
{
    (void)state;
    struct inspect *in;
    struct error error;
    error_clear(&error);
    support_ok(inspect_open(&in, write_model("gpt9"), &error), &error);
    const struct inspect_summary *s = inspect_summary_of(in);
    assert_false(s->known);
    assert_int_equal(s->unknown.status, STATUS_UNSUPPORTED);
    assert_non_null(strstr(s->unknown.message, "gpt9"));
    assert_int_equal(s->n_tensors, 3);
    inspect_close(in);
}

static void what_is_no_model_is_refused_by_name(void **state)
{
    (void)state;
    char path[700];
    struct inspect *in;
    struct error error;
    error_clear(&error);
    snprintf(path, sizeof path, "%s/missing.gguf", dir);
    assert_int_not_equal(inspect_open(&in, path, &error), STATUS_OK);
    assert_non_null(strstr(error.message, "missing.gguf"));
    snprintf(path, sizeof path, "%s/text.gguf", dir);
    support_write_file(path, "no model", 8);
    assert_int_equal(inspect_open(&in, path, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "text.gguf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tensors_are_counted_by_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_known_model_is_described_and_planned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_architecture_still_shows_its_tensors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_model_is_refused_by_name, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
