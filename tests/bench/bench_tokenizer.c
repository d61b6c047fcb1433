/* Tokenizer speed in MB/s on one thread, against the floors of docs/performance.md.
 *
 *   bench_tokenizer [MODEL...]     a GGUF file or a directory with tokenizer.json; by default every .gguf file in build/models
 *
 * English and code are this project's own pages and sources; the other texts are sentences in random order. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file_map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "text/model_text.h"

enum { TEXT_BYTES = 1 << 20, ROUNDS = 5, REQUEST_BYTES = 64 * 1024 };

static void add_files(struct buf *out, const char *pattern)
{
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && out->len < TEXT_BYTES; i++) {
            char *text;
            size_t len;
            if (file_map_read(found.gl_pathv[i], TEXT_BYTES, &text, &len, NULL) != STATUS_OK)
                continue;
            buf_add(out, text, len < TEXT_BYTES - out->len ? len : TEXT_BYTES - out->len);
            mem_free(text);
        }
    globfree(&found);
}

static void add_shuffled(struct buf *out, const char *const *sentences, uint32_t n)
{
    struct rng rng = rng_seeded(n);
    while (out->len < TEXT_BYTES)
        buf_add_text(out, sentences[rng_below(&rng, n)]);
}

static void english(struct buf *out)
{
    add_files(out, "docs/*.md");
    add_files(out, "*.md");
    add_files(out, "LICENSE");
    add_files(out, "/usr/share/common-licenses/*");
}

static void code(struct buf *out)
{
    add_files(out, "server/*.c");
    add_files(out, "engine/*.c");
    add_files(out, "text/*.c");
    add_files(out, "tests/*/*.py");
}

static void chinese(struct buf *out)
{
    static const char *const s[] = {
        "今天天气很好，我们去公园散步吧。", "人工智能正在改变世界。", "请把这段文字翻译成英文，并说明理由。\n", "北京是中国的首都。",
        "他每天早上七点起床，然后读一小时书。", "这个问题没有简单的答案。", "Python 3.12 发布了新版本。\n", "数据结构与算法是计算机科学的基础。",
    };
    add_shuffled(out, s, sizeof s / sizeof *s);
}

static void russian(struct buf *out)
{
    static const char *const s[] = {
        "Сегодня хорошая погода, пойдём гулять в парк. ", "Столица Франции — Париж.\n", "Он встаёт каждый день в семь часов утра. ",
        "Этот вопрос не имеет простого ответа. ", "Переведите, пожалуйста, этот текст на английский язык.\n",
        "Структуры данных и алгоритмы — основа информатики. ",
    };
    add_shuffled(out, s, sizeof s / sizeof *s);
}

static void one_letter(struct buf *out)
{
    while (out->len < TEXT_BYTES)
        buf_add_char(out, 'a');
}

static void spaces(struct buf *out)
{
    while (out->len < TEXT_BYTES)
        buf_add_char(out, ' ');
}

static const struct {
    const char *name;
    void (*fill)(struct buf *out);
    double floor; /* MB/s */
} texts[] = {
    {"English", english, 50}, {"code", code, 50},           {"Chinese", chinese, 25},
    {"Russian", russian, 25}, {"one letter", one_letter, 1}, {"spaces", spaces, 1},
};

/* Requests of 64 KiB, cut at character borders. */
static size_t encode_all(const struct tokenizer *t, struct str text)
{
    struct token_list list;
    token_list_init(&list, TEXT_BYTES);
    while (text.len) {
        size_t n = text.len < REQUEST_BYTES ? text.len : REQUEST_BYTES;
        while (n < text.len && (text.at[n] & 0xC0) == 0x80)
            n++;
        if (tokenizer_encode_text(t, str_from(text.at, n), SPAN_CONTENT, &list, NULL) != STATUS_OK)
            break;
        text = str_skip(text, n);
    }
    size_t n_tokens = text.len ? 0 : list.n;
    token_list_release(&list);
    return n_tokens;
}

static int bench_text(const struct tokenizer *t, size_t which)
{
    struct buf text;
    double best = 1e30;
    size_t n_tokens = 0;
    buf_init(&text, 2 * TEXT_BYTES);
    texts[which].fill(&text);
    text.len -= utf8_incomplete_tail(text.at, text.len);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = clock_now_ns(clock_real());
        n_tokens = encode_all(t, buf_str(&text));
        double seconds = (double)(clock_now_ns(clock_real()) - begin) * 1e-9;
        best = seconds < best ? seconds : best;
    }
    double speed = (double)text.len / 1e6 / best;
    printf("  %-10s %8.1f MB/s  (floor %2.0f)  %5.2f bytes a token%s\n", texts[which].name, speed, texts[which].floor,
           n_tokens ? (double)text.len / (double)n_tokens : 0, n_tokens ? "" : "  FAILED");
    buf_release(&text);
    return n_tokens ? 0 : 1;
}

static int bench_model(const char *path)
{
    struct model_text model;
    struct error error;
    int failed = 0;
    uint64_t begin = clock_now_ns(clock_real());
    if (model_text_load(&model, path, &error) != STATUS_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    printf("%s: loaded in %.0f ms\n", path, (double)(clock_now_ns(clock_real()) - begin) * 1e-6);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        failed += bench_text(model.tokenizer, i);
    model_text_release(&model);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    glob_t found = {0};
    for (int i = 1; i < argc; i++)
        failed += bench_model(argv[i]);
    if (argc == 1 && glob("build/models/*.gguf", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            failed += bench_model(found.gl_pathv[i]);
    if (argc == 1 && found.gl_pathc == 0)
        printf("no model in build/models: name one\n");
    globfree(&found);
    return failed != 0;
}
