/* GGUF files: container, tensors, configuration and vocabulary. What is accepted must be usable. */
#include "engine/weights/model_config.h"
#include "engine/weights/weights.h"
#include "base/gguf.h"
#include "tests/fuzz/fuzz.h"
#include "text/tokenizer.h"

/* Every byte of every tensor that is called readable lies in the file. */
static void touch_tensors(const struct weights *w)
{
    for (uint32_t i = 0; i < w->n_tensors; i++) {
        const struct tensor *t = &w->tensors[i];
        fuzz_expect(weights_find(w, t->name) == t && t->type_name);
        fuzz_touch(t->data, t->readable ? t->n_bytes : 0);
    }
}

static void use_tokenizer(const struct gguf *g)
{
    struct tokenizer *t;
    struct error error;
    struct token_list list;
    struct buf out;
    error_clear(&error);
    enum status status = tokenizer_from_gguf(&t, g, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
        return;
    }
    token_list_init(&list, 1000);
    buf_init(&out, 1 << 20);
    if (tokenizer_encode_text(t, str_of("ab <s>\xC3\xA9\n12"), SPAN_SCAFFOLD, &list, &error) == STATUS_OK)
        fuzz_expect(tokenizer_decode(t, list.ids, list.n, false, &out) == STATUS_OK);
    for (size_t i = 0; i < list.n; i++)
        fuzz_expect(list.ids[i] < tokenizer_size(t));
    buf_release(&out);
    token_list_release(&list);
    tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct weights w;
    struct model_config config;
    struct error error;
    int fd = fuzz_file(data, size, path);
    error_clear(&error);
    enum status status = weights_open(&w, path, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
    } else {
        touch_tensors(&w);
        status = model_config_read(&config, &w, &error);
        if (status)
            fuzz_expect_refusal(status, &error);
        use_tokenizer(w.gguf);
        weights_close(&w);
    }
    close(fd);
    return 0;
}
