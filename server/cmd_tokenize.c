/* seekd tokenize: text to ids, and ids to text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "server/commands.h"
#include "text/model_text.h"

static const char usage[] = "usage: seekd tokenize --model PATH [--pieces] [--special] [TEXT]   (no TEXT: standard input)\n"
                            "       seekd tokenize --model PATH --ids \"1 2 3\"\n";

enum { INPUT_BYTES_MAX = 256 << 20 };

struct settings {
    const char *model, *text, *ids;
    bool pieces, special;
};

static bool parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--pieces") == 0)
            s->pieces = true;
        else if (strcmp(argv[i], "--special") == 0)
            s->special = true;
        else if (strcmp(argv[i], "--model") == 0 && i + 1 < argc)
            s->model = argv[++i];
        else if (strcmp(argv[i], "--ids") == 0 && i + 1 < argc)
            s->ids = argv[++i];
        else if (strncmp(argv[i], "--", 2) != 0 && !s->text)
            s->text = argv[i];
        else
            return false;
    }
    return s->model != NULL;
}

static enum status read_input(struct buf *out)
{
    char chunk[65536];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, stdin)) > 0;)
        buf_add(out, chunk, n);
    return buf_status(out);
}

static int decode(const struct model_text *m, const char *ids)
{
    struct buf out;
    struct detokenizer d;
    buf_init(&out, INPUT_BYTES_MAX);
    detokenizer_init(&d, m->tokenizer, false);
    for (char *end; *ids; ids = end) {
        unsigned long id = strtoul(ids, &end, 10);
        if (end == ids || id >= tokenizer_size(m->tokenizer)) {
            fprintf(stderr, "seekd tokenize: expected ids below %u, found %s\n", tokenizer_size(m->tokenizer), ids);
            return COMMANDS_EXIT_USAGE;
        }
        detokenizer_push(&d, (uint32_t)id, &out);
        end += strspn(end, " ,\n");
    }
    detokenizer_end(&d, &out);
    if (out.len)
        fwrite(out.at, 1, out.len, stdout);
    putchar('\n');
    buf_release(&out);
    return 0;
}

static int encode(const struct model_text *m, const struct settings *s, struct str text, struct error *error)
{
    struct token_list list;
    token_list_init(&list, SIZE_MAX / 8);
    if (tokenizer_encode_text(m->tokenizer, text, s->special ? SPAN_SCAFFOLD : SPAN_CONTENT, &list, error) != STATUS_OK) {
        fprintf(stderr, "seekd tokenize: %s\n", error->message);
        return COMMANDS_EXIT_USAGE;
    }
    for (size_t i = 0; i < list.n; i++) {
        struct str piece = tokenizer_bytes(m->tokenizer, list.ids[i]);
        char quoted[ERROR_QUOTE_BYTES];
        if (s->pieces)
            printf("%8u  %s\n", list.ids[i], error_quote(quoted, piece.at, piece.len));
        else
            printf("%s%u", i ? " " : "", list.ids[i]);
    }
    if (!s->pieces)
        putchar('\n');
    token_list_release(&list);
    return 0;
}

int cmd_tokenize(int argc, char **argv)
{
    struct settings s = {0};
    struct model_text model;
    struct error error;
    struct buf input;
    if (!parse(argc, argv, &s)) {
        fputs(usage, stderr);
        return COMMANDS_EXIT_USAGE;
    }
    if (model_text_load(&model, s.model, &error) != STATUS_OK) {
        fprintf(stderr, "seekd tokenize: %s\n", error.message);
        return COMMANDS_EXIT_MODEL;
    }
    int code;
    buf_init(&input, INPUT_BYTES_MAX);
    if (s.ids)
        code = decode(&model, s.ids);
    else if (s.text)
        code = encode(&model, &s, str_of(s.text), &error);
    else if (read_input(&input) != STATUS_OK)
        code = COMMANDS_EXIT_USAGE;
    else
        code = encode(&model, &s, buf_str(&input), &error);
    buf_release(&input);
    model_text_release(&model);
    return code;
}
