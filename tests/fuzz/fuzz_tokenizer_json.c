/* tokenizer.json. What loads must encode any text and decode it as it streams. */
#include "tests/fuzz/fuzz.h"
#include "text/tokenizer.h"

static void expect_same_decoding(const struct tokenizer *t, const struct token_list *list, bool skip_special)
{
    struct buf whole, streamed;
    struct detokenizer d;
    buf_init(&whole, 1 << 22);
    buf_init(&streamed, 1 << 22);
    detokenizer_init(&d, t, skip_special);
    for (size_t i = 0; i < list->n; i++)
        fuzz_expect(detokenizer_push(&d, list->ids[i], &streamed) == STATUS_OK);
    fuzz_expect(detokenizer_end(&d, &streamed) == STATUS_OK);
    fuzz_expect(tokenizer_decode(t, list->ids, list->n, skip_special, &whole) == STATUS_OK);
    fuzz_expect(str_equal(buf_str(&whole), buf_str(&streamed)));
    buf_release(&whole);
    buf_release(&streamed);
}

static void encode(const struct tokenizer *t, struct str text)
{
    struct span spans[] = {{text, SPAN_SCAFFOLD}, {text, SPAN_CONTENT}};
    struct token_list list;
    struct error error;
    for (size_t first = 0; first < 2; first++) {
        token_list_init(&list, 4096);
        if (tokenizer_encode(t, spans + first, 2 - first, &list, NULL, &error) == STATUS_OK) {
            for (size_t i = 0; i < list.n; i++)
                fuzz_expect(list.ids[i] < tokenizer_size(t));
            expect_same_decoding(t, &list, false);
            expect_same_decoding(t, &list, true);
        }
        token_list_release(&list);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
        "", "a", "ab ba", "<s>a</s>", "\xE4\xBD\xA0 \xF0\x9F\x9A\x80", "  \n\n\t1234'll", "e\xCC\x81",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct tokenizer *t;
    struct error error;
    /* A zero byte divides the file from its tokenizer_config. */
    const uint8_t *zero = memchr(data, 0, size);
    size_t n = zero ? (size_t)(zero - data) : size;
    struct str json = str_from((const char *)data, n), config = zero ? str_from((const char *)zero + 1, size - n - 1) : str_of("");
    error_clear(&error);
    enum status status = tokenizer_from_json(&t, json, config, "fuzz", &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
        return 0;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        encode(t, str_of(texts[i]));
    tokenizer_free(t);
    return 0;
}
