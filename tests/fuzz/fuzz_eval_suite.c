/* A line of a suite and an answer to it, apart by a line feed. What is accepted keeps its promises; checks run on whatever text comes. */
#include "base/utf8.h"
#include "server/eval_suite.h"
#include "tests/fuzz/fuzz.h"

static void expect_promises(const struct eval_item *item)
{
    fuzz_expect(item->id && item->kind && item->n_checks >= 1 && item->n_checks <= EVAL_CHECKS_MAX);
    fuzz_expect(!item->messages != !item->prompt && item->max_tokens >= 0);
}

static void check_answer(const struct eval_item *item, struct str content)
{
    char why[EVAL_WHY_BYTES] = "";
    json_t *calls = json_loadb(content.at, content.len, 0, NULL);
    struct eval_answer answer = {.content = content, .tool_calls = calls};
    for (unsigned i = 0; i < item->n_checks; i++)
        fuzz_expect(eval_check_holds(&item->checks[i], &answer, why) || *why);
    json_decref(calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    const char *newline = memchr(text.at, '\n', size);
    struct str line = newline ? str_from(text.at, (size_t)(newline - text.at)) : text;
    struct str content = newline ? str_skip(text, line.len + 1) : str_of("");
    struct eval_suite suite;
    struct error error;
    double numbers[2];
    error_clear(&error);
    eval_suite_init(&suite);
    enum status status = eval_suite_add_text(&suite, "suite", line, &error);
    if (status)
        fuzz_expect_refusal(status, &error);
    for (size_t i = 0; i < suite.n; i++) {
        expect_promises(&suite.items[i]);
        if (utf8_is_valid(content.at, content.len))
            check_answer(&suite.items[i], content);
    }
    fuzz_expect(eval_last_number(content, numbers) <= 2);
    eval_suite_release(&suite);
    return 0;
}
