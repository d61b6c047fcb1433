/* Tool calls: every cutting of the text gives the same calls and content; nothing is lost. In the tests' notation a mark is a letter
 * between < and >: <B> begins the block, <C> a call, <S> separates, <c> ends a call, <b> the block. */
#include "tests/support.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "text/tool_parse.h"

enum { TEXT_MAX = 1 << 20, MARK_BYTES = 3, RANDOM_ROUNDS = 3000 };

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

/* seed 0: text in one piece up to the next mark. */
static void parse(struct result *out, struct str text, bool one_call, bool cut, uint64_t seed)
{
    struct rng rng = rng_seeded(seed);
    buf_init(&out->content, TEXT_MAX);
    tool_parse_init(&out->parse, one_call);
    while (text.len && !tool_parse_is_over(&out->parse)) {
        int mark = mark_at(text);
        size_t n = mark >= 0 ? MARK_BYTES : 1;
        while (mark < 0 && n < text.len && mark_at(str_skip(text, n)) < 0)
            n++;
        if (mark < 0 && seed)
            n = 1 + rng_below(&rng, (uint32_t)(n < 5 ? n : 5));
        struct str piece = str_from(text.at, n);
        assert_int_equal(mark >= 0 ? tool_parse_mark(&out->parse, (enum tool_mark)mark, piece, &out->content)
                                   : tool_parse_text(&out->parse, piece, &out->content), STATUS_OK);
        text = str_skip(text, n);
    }
    assert_int_equal(tool_parse_end(&out->parse, cut, &out->content), STATUS_OK);
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

static void expect(const char *text, bool one_call, bool cut, const char *wanted)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct result r;
        char got[1024];
        parse(&r, str_of(text), one_call, cut, seed);
        describe(&r, got, sizeof got);
        assert_string_equal(got, wanted);
        release(&r);
    }
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

/* Marks of calls that were read are gone; every other byte that is not white space must be somewhere. */
static void test_any_sequence_gives_the_same_however_it_is_cut(void **state)
{
    static const char *const parts[] = {"<B>", "<C>", "<S>", "<c>", "<b>", "f", "{\"a\":1}", " ", "\n", "text", "<", "<x>"};
    (void)state;
    for (uint64_t round = 0; round < RANDOM_ROUNDS; round++) {
        struct rng rng = rng_seeded(round);
        struct buf text;
        char first[2048], other[2048];
        buf_init(&text, TEXT_MAX);
        for (uint32_t n = rng_below(&rng, 16); n > 0; n--)
            buf_add_text(&text, parts[rng_below(&rng, sizeof parts / sizeof *parts)]);
        bool one_call = rng_below(&rng, 4) == 0, cut = rng_below(&rng, 2);
        struct result r;
        parse(&r, buf_str(&text), one_call, cut, 0);
        describe(&r, first, sizeof first);
        size_t kept = count_solid(buf_str(&r.content));
        for (uint32_t i = 0; i < r.parse.n_calls; i++)
            kept += count_solid(tool_parse_call(&r.parse, i).name) + count_solid(tool_parse_call(&r.parse, i).arguments);
        if (r.parse.n_calls == 0)
            assert_int_equal(kept, count_solid(buf_str(&text)));
        release(&r);
        for (uint64_t seed = 1; seed < 5; seed++) {
            parse(&r, buf_str(&text), one_call, cut, seed);
            describe(&r, other, sizeof other);
            assert_string_equal(first, other);
            release(&r);
        }
        buf_release(&text);
    }
}

static void test_without_memory_it_says_so(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 8; n++) {
        struct tool_parse p;
        struct buf content;
        enum status status = STATUS_OK;
        tool_parse_init(&p, false);
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
        cmocka_unit_test(test_any_sequence_gives_the_same_however_it_is_cut),
        cmocka_unit_test(test_without_memory_it_says_so),
    };
    return cmocka_run_group_tests_name("tool_parse", tests, NULL, NULL);
}
