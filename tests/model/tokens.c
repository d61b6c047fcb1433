/* Encodes texts with a model's tokenizer: the program behind the tokenizer tests.
 *
 *   tokens MODEL [content] < NUL-terminated texts > one line of ids each
 *
 * Each line is also decoded, whole and token by token; a difference from the text is an error ("!" ends the line). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "text/model_text.h"

static bool decodes_back(const struct tokenizer *t, const struct token_list *list, struct str text)
{
    struct buf whole, streamed;
    struct detokenizer d;
    buf_init(&whole, SIZE_MAX / 2);
    buf_init(&streamed, SIZE_MAX / 2);
    detokenizer_init(&d, t, false);
    tokenizer_decode(t, list->ids, list->n, false, &whole);
    for (size_t i = 0; i < list->n; i++)
        detokenizer_push(&d, list->ids[i], &streamed);
    detokenizer_end(&d, &streamed);
    bool same = str_equal(buf_str(&whole), buf_str(&streamed)) && str_equal(buf_str(&whole), text);
    buf_release(&whole);
    buf_release(&streamed);
    return same;
}

int main(int argc, char **argv)
{
    struct error error;
    struct model_text model;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    if (argc < 2 || model_text_load(&model, argv[1], &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", argc < 2 ? "usage: tokens MODEL [content]" : error.message);
        return 1;
    }
    enum span_kind kind = argc > 2 && strcmp(argv[2], "content") == 0 ? SPAN_CONTENT : SPAN_SCAFFOLD;
    while ((len = getdelim(&line, &capacity, 0, stdin)) > 0) {
        struct token_list list;
        struct str text = str_from(line, (size_t)len - (line[len - 1] == 0));
        token_list_init(&list, SIZE_MAX / 8);
        if (tokenizer_encode_text(model.tokenizer, text, kind, &list, &error) != STATUS_OK) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        for (size_t i = 0; i < list.n; i++)
            printf("%s%u", i ? " " : "", list.ids[i]);
        printf("%s\n", decodes_back(model.tokenizer, &list, text) ? "" : " !");
        token_list_release(&list);
    }
    free(line);
    model_text_release(&model);
    return 0;
}
