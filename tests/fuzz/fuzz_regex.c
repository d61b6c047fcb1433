/* A byte of choices, an expression, a line feed, and bytes that choose the way through its language. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/walk.h"
#include "text/regex.h"

enum { EXPRESSIONS_MAX = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str text = str_from((const char *)data + 1, size - 1);
    const char *newline = memchr(text.at, '\n', text.len);
    struct str pattern = newline ? str_from(text.at, (size_t)(newline - text.at)) : text;
    struct automaton *a;
    struct error error;
    uint32_t state;
    char walked[WALK_BYTES_MAX];
    error_clear(&error);
    fuzz_expect(automaton_create(&a, EXPRESSIONS_MAX, &error) == STATUS_OK);
    enum status status = regex_language(a, pattern, data[0] & 1, data[0] & 2 ? WRITING_JSON : WRITING_UTF8, &state, &error);
    if (status)
        fuzz_expect_refusal(status, &error);
    else
        walk(a, state, str_skip(text, pattern.len + 1), walked);
    automaton_free(a);
    return 0;
}
