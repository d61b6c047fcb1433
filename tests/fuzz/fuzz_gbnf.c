/* A grammar up to a NUL, and bytes that choose the way through its language. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/walk.h"
#include "text/gbnf.h"

enum { EXPRESSIONS_MAX = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    const char *end = memchr(text.at, 0, text.len);
    struct str grammar = end ? str_from(text.at, (size_t)(end - text.at)) : text;
    struct automaton *a;
    struct error error;
    uint32_t state;
    char walked[WALK_BYTES_MAX];
    error_clear(&error);
    fuzz_expect(automaton_create(&a, EXPRESSIONS_MAX, &error) == STATUS_OK);
    enum status status = gbnf_language(a, grammar, &state, &error);
    if (status)
        fuzz_expect_refusal(status, &error);
    else
        walk(a, state, str_skip(text, grammar.len + 1), walked);
    automaton_free(a);
    return 0;
}
