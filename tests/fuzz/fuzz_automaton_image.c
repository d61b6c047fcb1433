/* The image of a language up to a mark, and bytes that choose the way through it. What is read writes an image that is read again. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/walk.h"
#include "text/automaton_image.h"

enum { EXPRESSIONS_MAX = 20000, FUEL = 2000000, IMAGE_BYTES_MAX = 1 << 20 };

static void read_again(const struct automaton *a, uint32_t state)
{
    struct automaton *b;
    struct buf image;
    struct error error;
    uint32_t again;
    buf_init(&image, IMAGE_BYTES_MAX);
    fuzz_expect(automaton_create(&b, 2 * EXPRESSIONS_MAX, &error) == STATUS_OK);
    fuzz_expect(automaton_image_write(a, state, &image, &error) == STATUS_OK);
    fuzz_expect(automaton_image_read(b, buf_str(&image), &again, &error) == STATUS_OK);
    fuzz_expect(automaton_may_end(a, state) == automaton_may_end(b, again));
    buf_release(&image);
    automaton_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\xFF\xFFway";
    struct str text = str_from((const char *)data, size);
    const char *end = memmem(text.at, text.len, mark, sizeof mark - 1);
    struct str image = end ? str_from(text.at, (size_t)(end - text.at)) : text;
    struct automaton *a;
    struct error error;
    uint32_t state;
    char walked[WALK_BYTES_MAX];
    error_clear(&error);
    fuzz_expect(automaton_create(&a, EXPRESSIONS_MAX, &error) == STATUS_OK);
    automaton_refuel(a, FUEL);
    enum status status = automaton_image_read(a, image, &state, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
    } else {
        read_again(a, state);
        walk(a, state, end ? str_skip(text, image.len + sizeof mark - 1) : str_of(""), walked);
    }
    automaton_free(a);
    return 0;
}
