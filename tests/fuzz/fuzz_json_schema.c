/* A schema on a line, and bytes that choose the way through its language: what comes out is JSON. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/walk.h"
#include "text/json_schema.h"

enum { EXPRESSIONS_MAX = 50000, UNENFORCED_BYTES_MAX = 10000 };

static void walk_language(struct automaton *a, uint32_t state, struct str choices)
{
    char text[WALK_BYTES_MAX];
    ssize_t n = walk(a, state, choices, text);
    if (n < 0)
        return;
    json_t *value = json_loadb(text, (size_t)n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    fuzz_expect(value);
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    const char *newline = memchr(text.at, '\n', text.len);
    struct str line = newline ? str_from(text.at, (size_t)(newline - text.at)) : text;
    json_t *schema = json_loadb(line.at, line.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!schema)
        return 0;
    struct automaton *a;
    struct error error;
    struct buf unenforced;
    uint32_t state, rule;
    error_clear(&error);
    buf_init(&unenforced, UNENFORCED_BYTES_MAX);
    fuzz_expect(automaton_create(&a, EXPRESSIONS_MAX, &error) == STATUS_OK);
    enum status status = json_schema_language(a, schema, size & 1, &unenforced, &state, &error);
    if (!status)
        status = automaton_seal(a, &state, &rule, &error);
    if (status)
        fuzz_expect_refusal(status, &error);
    else
        walk_language(a, state, str_skip(text, line.len + 1));
    buf_release(&unenforced);
    automaton_free(a);
    json_decref(schema);
    return 0;
}
