/* Marks stand side by side in one piece of memory, one for each token whether it needs it or not. */
#include "text/vocabulary.h"

#include "base/mem.h"

void vocabulary_mark(uint32_t token, char out[VOCABULARY_MARK_BYTES])
{
    out[0] = (char)VOCABULARY_MARK;
    for (int i = 1; i < VOCABULARY_MARK_BYTES; i++)
        out[i] = (char)(token >> 8 * (i - 1) & 0xFF);
}

enum status vocabulary_init(struct vocabulary *v, const struct tokenizer *tokenizer, struct error *error)
{
    uint32_t n = tokenizer_size(tokenizer);
    *v = (struct vocabulary){.n = n};
    v->tokens = mem_zalloc_array((size_t)n + 1, sizeof *v->tokens);
    v->marks = mem_zalloc_array((size_t)n + 1, VOCABULARY_MARK_BYTES);
    if (!v->tokens || !v->marks) {
        vocabulary_release(v);
        return error_set(error, STATUS_NO_MEMORY, "out of memory for the vocabulary");
    }
    for (uint32_t token = 0; token < n; token++) {
        struct str text = tokenizer_bytes(tokenizer, token);
        char *mark = v->marks + (size_t)token * VOCABULARY_MARK_BYTES;
        if (tokenizer_is_control(tokenizer, token)) {
            vocabulary_mark(token, mark);
            v->tokens[token] = str_from(mark, VOCABULARY_MARK_BYTES);
        } else if (text.len && (unsigned char)text.at[0] != VOCABULARY_MARK) {
            v->tokens[token] = text;
        }
    }
    return STATUS_OK;
}

void vocabulary_release(struct vocabulary *v)
{
    mem_free(v->tokens);
    mem_free(v->marks);
    *v = (struct vocabulary){0};
}
