/* Masks against the plain definition: a token fits when its bytes do, one after the other. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/support.h"
#include "text/gbnf.h"
#include "text/json_schema.h"
#include "text/output_language.h"
#include "text/regex.h"
#include "text/token_mask.h"

enum { EXPRESSIONS = 1 << 18, TOKENS = 700, TOKEN_BYTES = 24 };

struct words {
    char bytes[TOKENS][TOKEN_BYTES];
    struct str tokens[TOKENS];
};

/* Every byte, some of them twice, pieces of JSON put together at random, cut characters, and a few without bytes. */
static void fill(struct words *v)
{
    static const char *const pieces[] = {"{",    "}",   "\"",      "\":", ", ",       "[",    "]",    "true",         "null",
                                         "name", "a",   "b",       "12",  ".",        "-",    "e",    "\\",           "\\u00",
                                         "e9",   " ",   "\n",      "  ",  "\xC3\xA9", "\xC3", "\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x98",
                                         "x",    "abc", "2024-02", "\\\"", "`", "```", "``"};
    struct rng rng = rng_seeded(7);
    memset(v, 0, sizeof *v);
    for (unsigned i = 0; i < TOKENS; i++) {
        char *at = v->bytes[i];
        size_t n = 0;
        if (i < 300) {
            at[n++] = (char)(i % 256);
        } else if (i < 690) {
            for (uint32_t parts = 1 + rng_below(&rng, 5); parts > 0; parts--) {
                const char *piece = pieces[rng_below(&rng, sizeof pieces / sizeof pieces[0])];
                if (n + strlen(piece) <= TOKEN_BYTES) {
                    memcpy(at + n, piece, strlen(piece));
                    n += strlen(piece);
                }
            }
        }
        v->tokens[i] = str_from(at, n);
    }
}

static uint32_t after(struct automaton *a, uint32_t state, struct str bytes)
{
    for (size_t i = 0; i < bytes.len && state != AUTOMATON_NOTHING; i++)
        state = automaton_next(a, state, (uint8_t)bytes.at[i]);
    return state;
}

/* Follows random tokens through a language and compares each mask; the number of states met. */
static unsigned follow(struct automaton *a, uint32_t root, const struct words *v, const struct token_trie *trie, const char *name)
{
    struct token_masks *masks;
    struct error error;
    struct rng rng = rng_seeded(11);
    unsigned n = 0;
    error_clear(&error);
    support_ok(token_masks_create(&masks, trie, a, &error), &error);
    for (int way = 0; way < 25; way++) {
        uint32_t state = root;
        for (int i = 0; i < 40; i++, n++) {
            const uint64_t *bits = token_masks_of(masks, state);
            uint32_t fits[TOKENS], n_fits = 0;
            assert_non_null(bits);
            for (uint32_t t = 0; t < TOKENS; t++) {
                bool expected = v->tokens[t].len && after(a, state, v->tokens[t]) != AUTOMATON_NOTHING;
                if (expected != (bits[t / 64] >> t % 64 & 1))
                    fail_msg("%s: token %u is %s", name, t, expected ? "left out" : "allowed");
                if (expected)
                    fits[n_fits++] = t;
            }
            if (!n_fits)
                break;
            state = after(a, state, v->tokens[fits[rng_below(&rng, n_fits)]]);
        }
    }
    assert_true(token_masks_computed(masks) > 0 && token_masks_computed(masks) <= n);
    token_masks_free(masks);
    return n;
}

static struct automaton *make(void)
{
    struct automaton *a;
    struct error error;
    error_clear(&error);
    support_ok(automaton_create(&a, EXPRESSIONS, &error), &error);
    return a;
}

static void masks_allow_what_the_bytes_of_a_token_allow(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "{}",
        "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"b\":{\"type\":\"integer\"}},\"required\":[\"name\"]}",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":9},\"abc\":{\"type\":\"string\",\"minLength\":30,"
        "\"maxLength\":100}},\"required\":[\"a\",\"abc\"],\"additionalProperties\":false}",
        "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^a+b\"},{\"type\":\"boolean\"},{\"type\":"
        "\"number\"}]}}",
        "{\"type\":\"string\",\"format\":\"date\"}",
        "{\"type\":\"string\",\"minLength\":3,\"maxLength\":100000}",
        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":4}",
        "{\"type\":\"object\",\"properties\":{\"a\":{},\"abc\":{\"const\":1},\"name\":{\"maxLength\":1}},\"propertyNames\":{"
        "\"maxLength\":6},"
        "\"additionalProperties\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":3}}",
        "{\"type\":\"string\",\"allOf\":[{\"not\":{\"enum\":[\"a\",\"abc12\"]}}],\"pattern\":\"^[a-c12]{0,9}$\"}",
    };
    static const char *const grammars[] = {
        "root ::= \"a\"* \"b\"{2,40} [^x]* \"12\"", "root ::= item (\", \" item)*\nitem ::= [a-c]+ | \"[\" root \"]\"",
        "root ::= .* \"name\" | ([a-b]{0,30} \" \")*", "root ::= [a-c]{2,5} [b-d]{3} \"12\"* | (\"a\" | \"ab\"){3,7} \"x\""};
    static struct words v;
    struct token_trie *trie;
    struct error error;
    struct buf unenforced;
    uint32_t root, rule;
    unsigned n = 0;
    fill(&v);
    error_clear(&error);
    buf_init(&unenforced, 1000);
    support_ok(token_trie_create(&trie, v.tokens, TOKENS, &error), &error);
    assert_int_equal(token_trie_words(trie), 11);
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct automaton *a = make();
        json_t *schema = json_loads(schemas[i], 0, NULL);
        support_ok(json_schema_language(a, schema, false, &unenforced, &root, &error), &error);
        support_ok(automaton_seal(a, &root, &rule, &error), &error);
        n += follow(a, root, &v, trie, schemas[i]);
        json_decref(schema);
        automaton_free(a);
    }
    for (size_t i = 0; i < sizeof grammars / sizeof grammars[0]; i++) {
        struct automaton *a = make();
        support_ok(gbnf_language(a, str_of(grammars[i]), &root, &error), &error);
        n += follow(a, root, &v, trie, grammars[i]);
        automaton_free(a);
    }
    assert_true(n > 2000);
    buf_release(&unenforced);
    token_trie_free(trie);
}

static void guarded_texts_have_masks_of_their_own(void **state)
{
    (void)state;
    static struct words v;
    struct token_trie *trie;
    struct error error;
    struct code_points set = {0};
    struct automaton *a = make();
    uint32_t root, rule;
    fill(&v);
    error_clear(&error);
    code_points_add(&set, ' ', '~');
    code_points_add(&set, 0xC0, 0x24F);
    code_points_add(&set, 0x4E00, 0x4E2D);
    code_points_add(&set, 0x1F600, 0x1F610);
    code_points_settle(&set);
    support_ok(token_trie_create(&trie, v.tokens, TOKENS, &error), &error);
    root = output_language_guarded(a, &set);
    support_ok(automaton_seal(a, &root, &rule, &error), &error);
    assert_true(follow(a, root, &v, trie, "guarded") > 900);
    code_points_release(&set);
    token_trie_free(trie);
    automaton_free(a);
}

static void more_masks_than_are_kept_are_computed_again(void **state)
{
    (void)state;
    static struct words v;
    struct token_trie *trie;
    struct token_masks *masks;
    struct error error;
    struct automaton *a = make();
    uint32_t root, x;
    fill(&v);
    error_clear(&error);
    support_ok(token_trie_create(&trie, v.tokens, TOKENS, &error), &error);
    support_ok(regex_language(a, str_of("a{5000}"), true, WRITING_UTF8, &root, &error), &error);
    support_ok(token_masks_create(&masks, trie, a, &error), &error);
    for (int turn = 0; turn < 2; turn++) {
        x = root;
        for (int i = 0; i < 1000; i++, x = automaton_next(a, x, 'a'))
            assert_true(token_masks_of(masks, x)['a' / 64] >> 'a' % 64 & 1);
    }
    assert_int_equal(token_masks_computed(masks), 2000);
    token_masks_of(masks, x);
    token_masks_of(masks, x);
    assert_int_equal(token_masks_computed(masks), 2001);
    token_masks_free(masks);
    token_trie_free(trie);
    automaton_free(a);
}

static void running_out_of_memory_or_states_gives_no_mask(void **state)
{
    (void)state;
    static struct words v;
    enum status status = STATUS_NO_MEMORY;
    fill(&v);
    for (uint64_t n = 1; status == STATUS_NO_MEMORY; n++) {
        struct automaton *a = make();
        struct token_trie *trie = NULL;
        struct token_masks *masks = NULL;
        struct error error;
        uint32_t root;
        error_clear(&error);
        support_ok(regex_language(a, str_of("[a-c]*12"), true, WRITING_UTF8, &root, &error), &error);
        mem_fail_after(n, true);
        status = token_trie_create(&trie, v.tokens, TOKENS, &error);
        if (!status)
            status = token_masks_create(&masks, trie, a, &error);
        if (!status && !token_masks_of(masks, root))
            status = STATUS_NO_MEMORY;
        mem_fail_after(0, false);
        token_masks_free(masks);
        token_trie_free(trie);
        automaton_free(a);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_allow_what_the_bytes_of_a_token_allow),
        cmocka_unit_test(guarded_texts_have_masks_of_their_own),
        cmocka_unit_test(more_masks_than_are_kept_are_computed_again),
        cmocka_unit_test(running_out_of_memory_or_states_gives_no_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
