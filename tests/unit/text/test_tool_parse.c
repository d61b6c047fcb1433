/* Tool calls: every cutting of the text gives the same calls and content; nothing is lost. In the tests' notation a mark is a letter
 * between < and >: <B> begins the block, <C> a call, <S> separates, <c> ends a call, <b> the block. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/tool_parse.h"

enum { TEXT_MAX = 1 << 20, MARK_BYTES = 3, RANDOM_ROUNDS = 4000 };

static const char letters[N_TOOL_MARKS + 1] = "BCScb";

static int mark_at(struct str text)
{
    const char *letter = text.len >= MARK_BYTES && text.at[0] == '<' && text.at[2] == '>' ? strchr(letters, text.at[1]) : NULL;
    return letter ? (int)(letter - letters) : -1;
}

struct result {
    struct buf content;
    struct tool_parse parse;
};

/* seed 0: text in one piece up to the next mark; 1: each byte by itself. */
static void parse_form(struct result *out, enum tool_form form, struct str text, bool one_call, bool cut, uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    buf_init(&out->content, TEXT_MAX);
    tool_parse_init(&out->parse, form, one_call);
    while (text.len && !tool_parse_is_over(&out->parse)) {
        int mark = mark_at(text);
        size_t n = mark >= 0 ? MARK_BYTES : 1;
        while (mark < 0 && n < text.len && mark_at(str_skip(text, n)) < 0)
            n++;
        if (mark < 0 && seed == 1)
            n = 1;
        else if (mark < 0 && seed)
            n = 1 + rng_below(&rng, (uint32_t)(n < 5 ? n : 5));
        struct str piece = str_from(text.at, n);
        assert_int_equal(mark >= 0 ? tool_parse_mark(&out->parse, (enum tool_mark)mark, piece, &out->content)
                                   : tool_parse_text(&out->parse, piece, &out->content),
                         STATUS_OK);
        text = str_skip(text, n);
    }
    assert_int_equal(tool_parse_end(&out->parse, cut, &out->content), STATUS_OK);
}

static void parse(struct result *out, struct str text, bool one_call, bool cut, uint64_t seed)
{
    parse_form(out, TOOL_FORM_CHAINED, text, one_call, cut, seed);
}

static void release(struct result *r)
{
    buf_release(&r->content);
    tool_parse_release(&r->parse);
}

/* "content|name=arguments;name=arguments" with a ~ after what is incomplete. */
static void describe(const struct result *r, char *out, size_t size)
{
    snprintf(out, size, "%.*s|", (int)r->content.len, buf_str(&r->content).at);
    for (uint32_t i = 0; i < r->parse.n_calls; i++) {
        struct tool_call call = tool_parse_call(&r->parse, i);
        size_t at = strlen(out);
        snprintf(out + at, size - at, "%s%.*s=%.*s%s", i ? ";" : "", (int)call.name.len, call.name.at, (int)call.arguments.len,
                 call.arguments.at, call.complete ? "" : "~");
    }
}

static void expect_form(enum tool_form form, const char *text, bool one_call, bool cut, const char *wanted)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct result r;
        char got[1024];
        parse_form(&r, form, str_of(text), one_call, cut, seed);
        describe(&r, got, sizeof got);
        assert_string_equal(got, wanted);
        release(&r);
    }
}

static void expect(const char *text, bool one_call, bool cut, const char *wanted)
{
    expect_form(TOOL_FORM_CHAINED, text, one_call, cut, wanted);
}

static void test_calls_are_read(void **state)
{
    (void)state;
    expect("just text, a <x> too", false, false, "just text, a <x> too|");
    expect("<B><C>f<S>{\"a\": 1}<c><b>", false, false, "|f={\"a\": 1}");
    expect("Let me see.<B><C>f<S>{}<c><C>g<S>{\"b\": \"\xC3\xA9\"}<c><b>", false, false, "Let me see.|f={};g={\"b\": \"\xC3\xA9\"}");
    expect("<B>\n<C> f \n<S>\n {\"a\":\n 1} \n<c>\n<C>g<S>1<c> <b>", false, false, "|f={\"a\":\n 1};g=1");
    expect("<B><C>f<S><c><b>", false, false, "|f={}");
    expect("<B><C>f<S> \n <c><b>", false, false, "|f={}");
}

static void test_what_follows_the_block_is_not_read(void **state)
{
    (void)state;
    expect("<B><C>f<S>{}<c><b>text<B><C>g<S>{}<c><b>", false, false, "|f={}");
}

static void test_one_call_ends_the_reply_where_only_one_may_be(void **state)
{
    (void)state;
    expect("<B><C>f<S>{}<c><C>g<S>{}<c><b>", true, false, "|f={}");
    expect("<B><C>f<S>{}<C>g<S>{}<c><b>", true, false, "|f={}");
}

static void test_missing_ends_are_forgiven(void **state)
{
    (void)state;
    expect("<B><C>f<S>{\"a\":1}<b>", false, false, "|f={\"a\":1}");
    expect("<B><C>f<S>{}<C>g<S>{}", false, false, "|f={};g={}");
    expect("<B><C>f<S>a<S>b<B>c<c>", false, false, "|f=a<S>b<B>c");
}

static void test_what_is_no_call_is_content(void **state)
{
    (void)state;
    expect("<C>f<S>{}<c>", false, false, "<C>f<S>{}<c>|");
    expect("a<B>b", false, false, "a<B>b|");
    expect("a<B><b>", false, false, "a<B><b>|");
    expect("<B><C><S>{}<c><b>", false, false, "<B><C><S>{}<c><b>|");
    expect("<B><C>f\x01<S>{}<c><b>", false, false, "<B><C>f\x01<S>{}<c><b>|");
    expect("<B><C>f<c><b>x", false, false, "<B><C>f<c><b>x|");
    expect("<B><B><B><C>f<S>{}<c><b>", false, false, "<B><B>|f={}");
    expect("<B> <C>f", false, false, "<B> <C>f|");
    expect("<B><C>f<S>{}<c>and<C>g<S>{}<c>", false, false, "and<C>g<S>{}<c>|f={}");
    expect("<B><C>f<S>{}<c><C>g", false, false, "<C>g|f={}");
}

static void test_a_call_that_a_limit_cuts_is_incomplete(void **state)
{
    struct result r;
    (void)state;
    expect("<B><C>f<S>{\"a\":  ", false, true, "|f={\"a\":~");
    expect("<B><C>f<S>", false, true, "|f=~");
    parse(&r, str_of("<B><C>f<S>{\"a"), false, true, 0);
    assert_true(r.parse.cut);
    release(&r);
    parse(&r, str_of("<B><C>f<S>{}<c>"), false, true, 0);
    assert_false(r.parse.cut);
    release(&r);
}

static void test_long_names_are_content(void **state)
{
    struct buf text;
    struct result r;
    (void)state;
    for (unsigned n = TOOL_NAME_BYTES_MAX; n < 4 * TOOL_NAME_BYTES_MAX; n += 77) {
        buf_init(&text, TEXT_MAX);
        buf_add_text(&text, "<B><C>");
        for (unsigned i = 0; i < n; i++)
            buf_add_char(&text, 'x');
        buf_add_text(&text, "<S>{}<c><b>");
        parse(&r, buf_str(&text), false, false, n);
        assert_int_equal(r.parse.n_calls, n == TOOL_NAME_BYTES_MAX);
        if (n > TOOL_NAME_BYTES_MAX)
            assert_true(str_equal(buf_str(&r.content), buf_str(&text)));
        release(&r);
        buf_release(&text);
    }
}

static size_t count_solid(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += !strchr(" \n", text.at[i]);
    return n;
}

/* ---- The other forms ------------------------------------------------------------------------------------------ */

static void test_fenced_calls(void **state)
{
    enum tool_form form = TOOL_FORM_FENCED;
    (void)state;
    expect_form(form, "<B><C>function<S>f\n```json\n{\"a\": 1}\n```<c><b>", false, false, "|f={\"a\": 1}");
    expect_form(form, "Hm.<B><C>function<S>f\n```json\n{}\n```<c>\n<C>function<S>g\n```json\n{\"b\":\"```\"}\n```<c><b>", false, false,
                "Hm.|f={};g={\"b\":\"```\"}");
    expect_form(form, "<B><C>function<S>f\n```json\n```<c><b>", false, false, "|f={}");
    expect_form(form, "<B><C>function<S>f\n```json\n{\"a\":1}", false, false, "|f={\"a\":1}");
    expect_form(form, "<B><C>function<S>f\n```json\n{\"a\"", false, true, "|f={\"a\"~");
    expect_form(form, "<B><C>function<S>f\n```python\n{}\n```<c><b>", false, false, "<B><C>function<S>f\n```python\n{}\n```<c><b>|");
    expect_form(form, "<B><C>function<S>f{}<c><b>", false, false, "<B><C>function<S>f{}<c><b>|");
    expect_form(form, "<B><C>function<S>f\n```json\n{}\n```<c><C>function<S>g\n```json\n{}\n```<c><b>", true, false, "|f={}");
}

static void test_hermes_calls(void **state)
{
    enum tool_form form = TOOL_FORM_HERMES;
    (void)state;
    expect_form(form, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}\"]}}\n</tool_call>", false, false,
                "|f={\"a\": [1, \"}\"]}");
    expect_form(
        form,
        "Wait.\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n<tool_call>\n{\"name\":\"g\",\"arguments\":{}}</tool_call>",
        false, false, "Wait.|f={};g={}");
    expect_form(form, "<tool_call>{\"arguments\": {\"a\": 1}, \"name\": \"f\"}</tool_call>", false, false, "|f={\"a\":1}");
    expect_form(form, "<tool_call>{\"id\": 1, \"name\": \"f\", \"arguments\": {}}</tool_call>", false, false, "|f={}");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": \"{\\\"a\\\": 1}\"}</tool_call>", false, false, "|f={\"a\": 1}");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": null}</tool_call>", false, false, "|f={}");
    expect_form(form, "<tool_call>{\"name\": \"f\"}</tool_call>", false, false, "|f={}");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": {}, \"id\": \"}\"}</tool_call> ok", false, false, " ok|f={}");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": {}}<tool_call>{\"name\": \"g\", \"arguments\": {}}", false, false,
                "|f={};g={}");
    expect_form(form, "a <tool_call>{\"name\": 5}</tool_call>", false, false, "a <tool_call>{\"name\": 5}</tool_call>|");
    expect_form(form, "a <tool_call>f</tool_call>", false, false, "a <tool_call>f</tool_call>|");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"argum", false, true, "<tool_call>{\"name\": \"f\", \"argum|");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\"", false, true, "|f={\"a\"~");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\"", false, false, "|f={\"a\"");
    expect_form(form, "1 < 2 <tool <tool_calls> x", false, false, "1 < 2 <tool <tool_calls> x|");
    expect_form(form, "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call><tool_call>{\"name\": \"g\", \"arguments\": {}}", true,
                false, "|f={}");
    expect_form(form, "<tool_call>{\"name\": \"\\u00e9\", \"arguments\": {}}</too", false, false, "|\xC3\xA9={}");
}

static void test_llama_calls(void **state)
{
    enum tool_form form = TOOL_FORM_LLAMA;
    (void)state;
    expect_form(form, "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", false, false, "|f={\"a\": 1}");
    expect_form(form, " \n{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": {}}", false, false, "|f={};g={}");
    expect_form(form, "{\"type\": \"function\", \"name\": \"f\", \"parameters\": {\"a\": 1}}", false, false, "|f={\"a\":1}");
    expect_form(form, "{\"answer\": 5} more", false, false, "{\"answer\": 5} more|");
    expect_form(form, "See {\"name\": \"f\", \"parameters\": {}}", false, false, "See {\"name\": \"f\", \"parameters\": {}}|");
    expect_form(form, "{\"name\": \"f\", \"parameters\": {}} and {\"name\": \"g\", \"parameters\": {}}", false, false,
                " and {\"name\": \"g\", \"parameters\": {}}|f={}");
    expect_form(form, "{\"name\": \"f\"", false, true, "{\"name\": \"f\"|");
}

static void test_mistral_calls(void **state)
{
    enum tool_form form = TOOL_FORM_MISTRAL;
    (void)state;
    expect_form(form, "Ok.<B> [{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}, \"id\": \"x\"}]", false,
                false, "Ok.|f={\"a\": 1};g={}");
    expect_form(form, "<B>[{\"name\": \"f\", \"arguments\": {}}] later", false, false, "|f={}");
    expect_form(form, "<B>f<S>{\"a\": 1}<B>g<S>{}", false, false, "|f={\"a\": 1};g={}");
    expect_form(form, "<B>f{\"a\": {\"b\": 1}}", false, false, "|f={\"a\": {\"b\": 1}}");
    expect_form(form, "<B>", false, false, "<B>|");
    expect_form(form, "<B>[1]", false, false, "<B>[1]|");
    expect_form(form, "[{\"name\": \"f\", \"arguments\": {}}]", false, false, "[{\"name\": \"f\", \"arguments\": {}}]|");
    expect_form(form, "<B>[{\"name\": \"f\", \"arguments\": {\"a", false, true, "|f={\"a~");
}

#define D                                                                                                                                \
    "\xEF\xBD\x9C"                                                                                                                       \
    "DSML\xEF\xBD\x9C"
#define OPEN "<" D "function_calls>\n"
#define CLOSE "</" D "function_calls>"
#define INVOKE(name) "<" D "invoke name=\"" name "\">\n"
#define INVOKED "</" D "invoke>\n"
#define TEXT(name, text) "<" D "parameter name=\"" name "\" string=\"true\">" text "</" D "parameter>\n"
#define JSON(name, text) "<" D "parameter name=\"" name "\" string=\"false\">" text "</" D "parameter>\n"

static void test_dsml_calls(void **state)
{
    enum tool_form form = TOOL_FORM_DSML;
    (void)state;
    expect_form(form, "So.\n\n" OPEN INVOKE("f") TEXT("a", "x \"y\"\n") JSON("b", " [1, {}] ") INVOKED INVOKE("g") INVOKED CLOSE, false,
                false, "So.|f={\"a\": \"x \\\"y\\\"\\n\", \"b\": [1, {}]};g={}");
    expect_form(form, OPEN INVOKE("f") TEXT("a", "1 < 2 </b>") JSON("c", "") INVOKED CLOSE " more", false, false,
                "|f={\"a\": \"1 < 2 </b>\", \"c\": null}");
    expect_form(form,
                "<" D " tool_calls><" D " invoke name=\"f\"><" D " parameter name=\"a\" string=\"false\">1</" D " parameter></" D
                " invoke></" D " tool_calls>",
                false, false, "|f={\"a\": 1}");
    expect_form(form, OPEN INVOKE("f") TEXT("a", "x") INVOKED INVOKE("g") INVOKED CLOSE, true, false, "|f={\"a\": \"x\"}");
    expect_form(form, OPEN INVOKE("f") "<" D "parameter name=\"a\" string=\"true\">xy", false, true, "|f={\"a\": \"xy~");
    expect_form(form, OPEN INVOKE("f") "<" D "parameter name=\"a\" string=\"true\">xy", false, false, "|f={\"a\": \"xy\"}");
    expect_form(form, "a " OPEN "text", false, false, "a " OPEN "text|");
    expect_form(form, OPEN INVOKE("") INVOKED CLOSE, false, false, OPEN INVOKE("") INVOKED CLOSE "|");
    expect_form(form, OPEN INVOKE("f") "text" INVOKED CLOSE, false, false, "\ntext" INVOKED CLOSE "|f={}");
    expect_form(form, "1 < 2, <" D "functions>", false, false, "1 < 2, <" D "functions>|");
}

/* ---- Any text ------------------------------------------------------------------------------------------------- */

/* Whole calls, pieces of them and other text; marks are those of the tests' notation. */
static const char *const parts[N_TOOL_FORMS][20] = {
    [TOOL_FORM_CHAINED] = {"<B>", "<C>", "<S>", "<c>", "<b>", "f", "{\"a\":1}", " ", "\n", "text", "<", "<x>", "<B><C>f<S>{}<c><b>"},
    [TOOL_FORM_FENCED] = {"<B>", "<C>", "<S>", "<c>", "<b>", "function", "f\n```json\n", "{\"a\":1}", "\n```", "`", " ", "\n", "text",
                          "<C>function<S>f\n```json\n{}\n```<c>", "<B><C>function<S>"},
    [TOOL_FORM_DSML] = {OPEN, CLOSE, INVOKE("f"), INVOKED, TEXT("a", "x"), JSON("b", "[1]"),
                        "<" D "parameter name=\"c\" string=\"true\">", "</" D "parameter>", "<", ">", "<" D, " ", "\n", "text", "\"",
                        OPEN INVOKE("g")},
    [TOOL_FORM_HERMES] = {"<tool_call>", "</tool_call>", "{\"name\": \"f\", \"arguments\": ", "{\"a\": 1}", "}", "{", "\"", "\\", ",",
                          ":", " ", "\n", "text", "<", "<tool_", "{\"arguments\": {}, \"name\": \"g\"}", "null", "[1"},
    [TOOL_FORM_LLAMA] = {"{\"name\": \"f\", \"parameters\": ", "{\"a\": 1}", "}", "{", "\"", ";", ",", " ", "\n", "text",
                         "{\"parameters\": {}, \"name\": \"g\"}", "null", "[1"},
    [TOOL_FORM_MISTRAL] = {"<B>", "<S>", "[{\"name\": \"f\", \"arguments\": ", "{\"a\": 1}", "}", "]", "{", "\"", ",", " ", "\n", "f",
                           "{\"name\": \"g\"}", "<B>[", "null"},
};

static void make_text(enum tool_form form, struct rng *rng, struct buf *out)
{
    uint32_t n_parts = 0;
    while (parts[form][n_parts])
        n_parts++;
    for (uint32_t n = rng_below(rng, 16); n > 0; n--)
        buf_add_text(out, parts[form][rng_below(rng, n_parts)]);
    /* A mutation: a byte is lost, or another stands for it. */
    if (out->len && rng_below(rng, 3) == 0)
        out->at[rng_below(rng, (uint32_t)out->len)] = "x\"{}<\\ \n"[rng_below(rng, 8)];
}

static size_t count_kept(const struct result *r)
{
    size_t kept = count_solid(buf_str(&r->content));
    for (uint32_t i = 0; i < r->parse.n_calls; i++)
        kept += count_solid(tool_parse_call(&r->parse, i).name) + count_solid(tool_parse_call(&r->parse, i).arguments);
    return kept;
}

/* Marks of calls that were read are gone; where there is no call every other byte that is not white space must be somewhere. */
static void check_round(enum tool_form form, uint64_t round)
{
    struct rng rng = rng_seeded(round * N_TOOL_FORMS + form);
    struct buf text;
    struct result r;
    char first[4096], other[4096];
    buf_init(&text, TEXT_MAX);
    make_text(form, &rng, &text);
    bool one_call = rng_below(&rng, 4) == 0, cut = rng_below(&rng, 2);
    parse_form(&r, form, buf_str(&text), one_call, cut, 0);
    describe(&r, first, sizeof first);
    if (r.parse.n_calls == 0)
        assert_int_equal(count_kept(&r), count_solid(buf_str(&text)));
    for (uint32_t i = 0; i < r.parse.n_calls; i++)
        assert_true(tool_parse_call(&r.parse, i).complete || i + 1 == r.parse.n_calls);
    release(&r);
    for (uint64_t seed = 1; seed < 6; seed++) {
        parse_form(&r, form, buf_str(&text), one_call, cut, seed);
        describe(&r, other, sizeof other);
        assert_string_equal(first, other);
        release(&r);
    }
    buf_release(&text);
}

static void test_any_text_gives_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (enum tool_form form = TOOL_FORM_CHAINED; form < N_TOOL_FORMS; form++)
        for (uint64_t round = 0; round < RANDOM_ROUNDS; round++)
            check_round(form, round);
    print_message("%d texts in each of %d forms, cut in 5 ways\n", RANDOM_ROUNDS, N_TOOL_FORMS - 1);
}

/* 600 kB of arguments in pieces of three bytes. */
static void test_arguments_take_linear_time(void **state)
{
    static const struct {
        enum tool_form form;
        const char *before;
    } rows[] = {{TOOL_FORM_CHAINED, "<B><C>f<S>"},
                {TOOL_FORM_FENCED, "<B><C>function<S>f\n```json\n"},
                {TOOL_FORM_DSML, OPEN INVOKE("f") "<" D "parameter name=\"a\" string=\"true\">"},
                {TOOL_FORM_HERMES, "<tool_call>{\"name\": \"f\", \"arguments\": "},
                {TOOL_FORM_LLAMA, "{\"name\": \"f\", \"parameters\": "},
                {TOOL_FORM_MISTRAL, "<B>[{\"name\": \"f\", \"arguments\": "}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct result r;
        uint64_t begin = clock_now_ns(clock_real());
        parse_form(&r, rows[i].form, str_of(rows[i].before), false, true, 0);
        tool_parse_text(&r.parse, str_of("{\""), &r.content);
        for (unsigned k = 0; k < 200000; k++)
            tool_parse_text(&r.parse, str_of("a` "), &r.content);
        assert_true(tool_parse_call(&r.parse, 0).arguments.len >= 599990);
        assert_true(clock_now_ns(clock_real()) - begin < 1000000000);
        release(&r);
    }
}

static void test_without_memory_it_says_so(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 8; n++) {
        struct tool_parse p;
        struct buf content;
        enum status status = STATUS_OK;
        tool_parse_init(&p, TOOL_FORM_CHAINED, false);
        buf_init(&content, TEXT_MAX);
        mem_fail_after(n, false);
        for (const char *at = "<B><C>f<S>{}<c>"; *at && !status;) {
            int mark = mark_at(str_of(at));
            struct str piece = str_from(at, mark >= 0 ? MARK_BYTES : 1);
            status = mark >= 0 ? tool_parse_mark(&p, (enum tool_mark)mark, piece, &content) : tool_parse_text(&p, piece, &content);
            at += piece.len;
        }
        bool failed = mem_fail_after(0, false) >= n;
        assert_int_equal(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        buf_release(&content);
        tool_parse_release(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_read),
        cmocka_unit_test(test_what_follows_the_block_is_not_read),
        cmocka_unit_test(test_one_call_ends_the_reply_where_only_one_may_be),
        cmocka_unit_test(test_missing_ends_are_forgiven),
        cmocka_unit_test(test_what_is_no_call_is_content),
        cmocka_unit_test(test_a_call_that_a_limit_cuts_is_incomplete),
        cmocka_unit_test(test_long_names_are_content),
        cmocka_unit_test(test_fenced_calls),
        cmocka_unit_test(test_hermes_calls),
        cmocka_unit_test(test_llama_calls),
        cmocka_unit_test(test_mistral_calls),
        cmocka_unit_test(test_dsml_calls),
        cmocka_unit_test(test_any_text_gives_the_same_however_it_is_cut),
        cmocka_unit_test(test_arguments_take_linear_time),
        cmocka_unit_test(test_without_memory_it_says_so),
    };
    return cmocka_run_group_tests_name("tool_parse", tests, NULL, NULL);
}
