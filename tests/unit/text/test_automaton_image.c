/* A language read from its image takes the same texts; whatever is not an image is refused. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/support.h"
#include "text/automaton_image.h"
#include "text/gbnf.h"
#include "text/json_schema.h"

enum { EXPRESSIONS = 1 << 18, IMAGE_BYTES_MAX = 8 << 20 };

static struct automaton *make(void)
{
    struct automaton *a;
    struct error error;
    error_clear(&error);
    support_ok(automaton_create(&a, EXPRESSIONS, &error), &error);
    return a;
}

static const char *const languages[] = {
    "root ::= \"a\"* \"b\"{2,40} [^x]* \"12\"",
    "root ::= item (\", \" item)*\nitem ::= [a-c]+ | \"[\" root \"]\" | pair\npair ::= \"(\" item \" \" item \")\"",
    "root ::= \"\"",
    "{}",
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"pattern\":\"^a+$\",\"maxLength\":9},\"n\":{\"type\":"
    "\"integer\","
    "\"multipleOf\":7},\"child\":{\"$ref\":\"#\"}},\"required\":[\"name\"]}",
    "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":{\"a\":[1,2]}},{\"type\":\"number\",\"minimum\":3}]},\"minItems\":2}",
};

static uint32_t language(struct automaton *a, const char *text)
{
    struct error error;
    struct buf unenforced;
    uint32_t root, rule;
    error_clear(&error);
    if (text[0] != '{') {
        support_ok(gbnf_language(a, str_of(text), &root, &error), &error);
        return root;
    }
    json_t *schema = json_loads(text, 0, NULL);
    buf_init(&unenforced, 100);
    support_ok(json_schema_language(a, schema, true, &unenforced, &root, &error), &error);
    support_ok(automaton_seal(a, &root, &rule, &error), &error);
    json_decref(schema);
    return root;
}

static void image_of(struct buf *out, const char *text)
{
    struct error error;
    struct automaton *a = make();
    error_clear(&error);
    buf_init(out, IMAGE_BYTES_MAX);
    uint32_t root = language(a, text);
    support_ok(automaton_image_write(a, root, out, &error), &error);
    automaton_free(a);
}

static void an_image_gives_the_same_language(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(3);
    unsigned n_steps = 0;
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        struct automaton *a = make(), *b = make();
        struct buf image;
        struct error error;
        uint32_t root = language(a, languages[i]), other;
        error_clear(&error);
        image_of(&image, languages[i]);
        support_ok(automaton_image_read(b, buf_str(&image), &other, &error), &error);
        for (int way = 0; way < 60; way++) {
            uint32_t x = root, y = other;
            for (int step = 0; step < 60; step++, n_steps++) {
                uint8_t fits[256];
                unsigned n_fits = 0;
                assert_int_equal(automaton_may_end(a, x), automaton_may_end(b, y));
                for (unsigned byte = 0; byte < 256; byte++) {
                    bool fit = automaton_next(a, x, (uint8_t)byte) != AUTOMATON_NOTHING;
                    if (fit != (automaton_next(b, y, (uint8_t)byte) != AUTOMATON_NOTHING))
                        fail_msg("%s: byte %u", languages[i], byte);
                    if (fit)
                        fits[n_fits++] = (uint8_t)byte;
                }
                if (!n_fits)
                    break;
                uint8_t byte = fits[rng_below(&rng, n_fits)];
                x = automaton_next(a, x, byte);
                y = automaton_next(b, y, byte);
            }
        }
        buf_release(&image);
        automaton_free(a);
        automaton_free(b);
    }
    assert_true(n_steps > 2000);
}

/* Reads it, then some of its texts: nothing may break. */
static enum status try_image(struct str image)
{
    struct automaton *a = make();
    struct error error;
    uint32_t root;
    error_clear(&error);
    automaton_refuel(a, 1 << 20);
    enum status status = automaton_image_read(a, image, &root, &error);
    if (!status)
        automaton_read(a, root, str_of("{\"name\":\"aaa\",\"n\":7}"));
    else
        assert_true(strlen(error.message) > 0);
    automaton_free(a);
    return status;
}

static void broken_images_are_refused(void **state)
{
    (void)state;
    struct rng rng = rng_seeded(5);
    struct buf image;
    unsigned n_refused = 0, n = 0;
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        image_of(&image, languages[i]);
        assert_int_equal(try_image(buf_str(&image)), STATUS_OK);
        for (size_t cut = 0; cut < image.len; cut += 1 + image.len / 200)
            assert_int_equal(try_image(str_from(image.at, cut)), STATUS_INVALID);
        buf_add(&image, "more", 4);
        assert_int_equal(try_image(buf_str(&image)), STATUS_INVALID);
        for (int change = 0; change < 300; change++, n++) {
            size_t at = rng_below(&rng, (uint32_t)image.len - 4);
            char before = image.at[at];
            image.at[at] = (char)rng_below(&rng, 256);
            n_refused += try_image(str_from(image.at, image.len - 4)) != STATUS_OK;
            image.at[at] = before;
        }
        buf_release(&image);
    }
    assert_true(n_refused > n / 10);
}

static void fuel_bounds_reading_and_more_fuel_goes_on(void **state)
{
    (void)state;
    struct error error;
    struct buf image;
    struct automaton *a = make();
    uint32_t root;
    error_clear(&error);
    image_of(&image, languages[4]);
    automaton_refuel(a, 50);
    assert_int_equal(automaton_image_read(a, buf_str(&image), &root, &error), STATUS_LIMIT);
    automaton_free(a);
    a = make();
    support_ok(automaton_image_read(a, buf_str(&image), &root, &error), &error);
    automaton_refuel(a, 3);
    assert_int_equal(automaton_read(a, root, str_of("{\"name\"")), AUTOMATON_FAILED);
    assert_int_equal(automaton_status(a), STATUS_LIMIT);
    automaton_refuel(a, 1 << 20);
    assert_int_equal(automaton_status(a), STATUS_OK);
    uint32_t x = automaton_read(a, root, str_of("{\"name\":\"aa\"}"));
    assert_true(x != AUTOMATON_NOTHING && automaton_may_end(a, x));
    automaton_free(a);
    buf_release(&image);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    struct buf image;
    enum status status = STATUS_NO_MEMORY;
    image_of(&image, languages[1]);
    for (uint64_t n = 1; status == STATUS_NO_MEMORY; n++) {
        struct automaton *a = make();
        struct error error;
        uint32_t root;
        error_clear(&error);
        mem_fail_after(n, true);
        status = automaton_image_read(a, buf_str(&image), &root, &error);
        mem_fail_after(0, false);
        automaton_free(a);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
    buf_release(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_gives_the_same_language),
        cmocka_unit_test(broken_images_are_refused),
        cmocka_unit_test(fuel_bounds_reading_and_more_fuel_goes_on),
        cmocka_unit_test(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
