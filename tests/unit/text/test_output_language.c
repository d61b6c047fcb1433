/* Thoughts, answers and calls as one language, and what it takes by the bytes of tokens. */
#include <stdio.h>
#include <string.h>

#include "tests/support.h"
#include "text/output_language.h"
#include "text/regex.h"
#include "text/vocabulary.h"

enum { EXPRESSIONS = 1 << 16, MARK_BASE = 70000 };

static struct automaton *a;

static int make(void **state)
{
    struct error error;
    (void)state;
    error_clear(&error);
    support_ok(automaton_create(&a, EXPRESSIONS, &error), &error);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    automaton_free(a);
    return 0;
}

static uint32_t expression(const char *pattern)
{
    struct error error;
    uint32_t out;
    error_clear(&error);
    support_ok(regex_language(a, str_of(pattern), true, WRITING_UTF8, &out, &error), &error);
    return out;
}

static uint32_t sealed(uint32_t root)
{
    struct error error;
    uint32_t rule;
    error_clear(&error);
    support_ok(automaton_seal(a, &root, &rule, &error), &error);
    return root;
}

/* Reads text in which #0 .. #9 stand for marks. */
static bool takes(uint32_t state, const char *text)
{
    for (; *text; text++) {
        char mark[VOCABULARY_MARK_BYTES];
        bool is_mark = text[0] == '#';
        vocabulary_mark(MARK_BASE + (is_mark ? (uint32_t)(*++text - '0') : 0), mark);
        state = automaton_read(a, state, is_mark ? str_from(mark, sizeof mark) : str_from(text, 1));
    }
    return automaton_may_end(a, state);
}

static void a_text_holds_no_marks(void **state)
{
    (void)state;
    uint32_t text = sealed(output_language_text(a));
    assert_true(takes(text, "") && takes(text, "any \xC3\xA9 \x80 text"));
    assert_false(takes(text, "a#1"));
    assert_int_equal(automaton_read(a, text, str_of("\xFF")), AUTOMATON_NOTHING);
}

static const uint32_t marks[N_TOOL_MARKS] = {MARK_BASE, MARK_BASE + 1, MARK_BASE + 2, MARK_BASE + 3, MARK_BASE + 4};

static void calls_have_names_arguments_and_marks(void **state)
{
    (void)state;
    const struct output_language_call calls[] = {{{"f", 1}, expression("\\{\\}")}, {{"get", 3}, expression("[0-9]+")}};
    uint32_t many = sealed(output_language_calls(a, marks, calls, 2, false)),
             one = sealed(output_language_calls(a, marks, calls, 2, true));
    assert_true(takes(one, "#0#1f#2{}#3#4") && takes(many, "#0#1f#2{}#3#4"));
    assert_true(takes(many, "#0#1get#212#3#1f#2{}#3#1get#20#3#4"));
    assert_false(takes(one, "#0#1get#212#3#1f#2{}#3#4"));
    static const char *const wrong[] = {"",    "#0#4",        "#0#1g#2{}#3#4", "#0#1get#2{}#3#4", "#0#1f#2{}#4",
                                        "f{}", "#0#1f#2{}#3", "x#0#1f#2{}#3#4"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (takes(many, wrong[i]) || takes(one, wrong[i]))
            fail_msg("takes %s", wrong[i]);
}

/* Without a tokenizer that has them, the marks of thoughts are text: tests/conformance/test_api_structured.py has them as tokens. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_holds_no_marks, make, drop),
        cmocka_unit_test_setup_teardown(calls_have_names_arguments_and_marks, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
