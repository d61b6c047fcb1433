/* Thoughts, answers and calls as one language, and what it takes by the bytes of tokens. */
#include <stdio.h>
#include <string.h>

#include "tests/support.h"
#include "text/output_language.h"
#include "text/regex.h"
#include "text/tool_parse.h"
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
    const struct output_language_form form = {TOOL_FORM_CHAINED, NULL, marks};
    uint32_t many = sealed(output_language_calls(a, &form, calls, 2, false)),
             one = sealed(output_language_calls(a, &form, calls, 2, true));
    assert_true(takes(one, "#0#1f#2{}#3#4") && takes(many, "#0#1f#2{}#3#4"));
    assert_true(takes(many, "#0#1get#212#3#1f#2{}#3#1get#20#3#4"));
    assert_false(takes(one, "#0#1get#212#3#1f#2{}#3#4"));
    static const char *const wrong[] = {"",    "#0#4",        "#0#1g#2{}#3#4", "#0#1get#2{}#3#4", "#0#1f#2{}#4",
                                        "f{}", "#0#1f#2{}#3", "x#0#1f#2{}#3#4"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (takes(many, wrong[i]) || takes(one, wrong[i]))
            fail_msg("takes %s", wrong[i]);
}

/* What each form's language takes, its parser reads. */
static void every_form_is_read_by_its_parser(void **state)
{
    static const struct {
        enum tool_form form;
        const char *text; /* marks as #0 .. #4 */
    } rows[] = {
        {TOOL_FORM_FENCED, "#0#1function#2f\n```json\n{}\n```#3\n#1function#2get\n```json\n12\n```#3#4"},
        {TOOL_FORM_HERMES,
         "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"get\", \"arguments\": 12}\n"
         "</tool_call>"},
        {TOOL_FORM_LLAMA, "{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"get\", \"parameters\": 12}"},
        {TOOL_FORM_MISTRAL, "#0 [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"get\", \"arguments\": 12}]"},
        {TOOL_FORM_DSML,
         "\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n</｜DSML｜invoke>\n<｜DSML｜invoke name=\"get\">\n"
         "<｜DSML｜parameter name=\"a\" string=\"false\">12</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct output_language_form form = {rows[i].form, NULL, marks};
        bool dsml = rows[i].form == TOOL_FORM_DSML;
        uint32_t number = expression("[0-9]+");
        const struct output_language_call calls[] = {
            {{"f", 1}, expression(dsml ? "" : "\\{\\}")},
            {{"get", 3}, dsml ? output_language_parameter(a, &form, str_of("a"), false, number) : number}};
        uint32_t many = output_language_calls(a, &form, calls, 2, false);
        uint32_t both = sealed(output_language_text_and_calls(a, &form, output_language_text(a), many));
        many = sealed(many);
        assert_true(takes(many, rows[i].text) && takes(both, rows[i].text) && takes(both, "text alone"));
        assert_false(takes(many, "text alone"));
        struct tool_parse parse;
        struct buf content;
        tool_parse_init(&parse, rows[i].form, false);
        buf_init(&content, 4096);
        for (const char *at = rows[i].text; *at; at++) {
            bool is_mark = at[0] == '#';
            enum status status = is_mark ? tool_parse_mark(&parse, (enum tool_mark)(*++at - '0'), str_of("#"), &content)
                                         : tool_parse_text(&parse, str_from(at, 1), &content);
            assert_int_equal(status, STATUS_OK);
        }
        assert_int_equal(tool_parse_end(&parse, false, &content), STATUS_OK);
        assert_int_equal(parse.n_calls, 2);
        assert_true(str_is(tool_parse_call(&parse, 0).arguments, "{}") && str_is(tool_parse_call(&parse, 1).name, "get"));
        assert_true(str_is(tool_parse_call(&parse, 1).arguments, dsml ? "{\"a\": 12}" : "12") && content.len == 0);
        buf_release(&content);
        tool_parse_release(&parse);
    }
}

/* A text cannot be mistaken for a call. */
static void texts_before_calls_begin_none(void **state)
{
    static const struct {
        enum tool_form form;
        const char *good, *bad;
    } rows[] = {{TOOL_FORM_HERMES, "a <tool> b", "a <tool_call> b"},
                {TOOL_FORM_LLAMA, " x {", " \n{x"},
                {TOOL_FORM_DSML, "a < b", "a <｜DSML｜x"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct output_language_form form = {rows[i].form, NULL, marks};
        const struct output_language_call call = {{"f", 1}, expression("\\{\\}")};
        uint32_t all =
            sealed(output_language_text_and_calls(a, &form, output_language_text(a), output_language_calls(a, &form, &call, 1, true)));
        assert_true(takes(all, rows[i].good) && takes(all, ""));
        assert_false(takes(all, rows[i].bad));
    }
}

/* Without a tokenizer that has them, the marks of thoughts are text: tests/conformance/test_api_structured.py has them as tokens. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_holds_no_marks, make, drop),
        cmocka_unit_test_setup_teardown(calls_have_names_arguments_and_marks, make, drop),
        cmocka_unit_test_setup_teardown(every_form_is_read_by_its_parser, make, drop),
        cmocka_unit_test_setup_teardown(texts_before_calls_begin_none, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
