/* From tokens to what a client sees: the reasoning split, the stop strings and the tool calls. Input: two flag bytes, a list of stop
 * strings up to a zero byte, then the text, in which the bytes 1 to 5 are also the marks of tool calls. Every cutting gives what the whole
 * text gives. */
#include "base/rng.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "text/output_parse.h"
#include "text/tool_parse.h"

enum { OUT_BYTES_MAX = 1 << 24 };

struct visible {
    struct buf reasoning, answer, shown;
    int32_t matched;
};

static void parse(struct str text, const struct str *stops, uint32_t n_stops, uint8_t flags, uint64_t seed, struct visible *v)
{
    struct reasoning_split split;
    struct stop_match match;
    struct rng rng = rng_seeded(seed);
    buf_init(&v->reasoning, OUT_BYTES_MAX);
    buf_init(&v->answer, OUT_BYTES_MAX);
    buf_init(&v->shown, OUT_BYTES_MAX);
    reasoning_split_init(&split, "<think>", "</think>", flags & 1);
    fuzz_expect(stop_match_init(&match, stops, n_stops, flags & 2) == STATUS_OK);
    while (text.len) {
        size_t n = seed ? 1 + rng_below(&rng, 7) : text.len, before = v->answer.len;
        n = n < text.len ? n : text.len;
        fuzz_expect(reasoning_split_push(&split, str_from(text.at, n), &v->reasoning, &v->answer) == STATUS_OK);
        fuzz_expect(stop_match_push(&match, str_skip(buf_str(&v->answer), before), &v->shown) == STATUS_OK);
        text = str_skip(text, n);
    }
    size_t before = v->answer.len;
    fuzz_expect(reasoning_split_end(&split, &v->reasoning, &v->answer) == STATUS_OK);
    fuzz_expect(stop_match_push(&match, str_skip(buf_str(&v->answer), before), &v->shown) == STATUS_OK);
    fuzz_expect(stop_match_end(&match, &v->shown) == STATUS_OK);
    v->matched = match.matched;
    reasoning_split_release(&split);
    stop_match_release(&match);
}

static void release(struct visible *v)
{
    buf_release(&v->reasoning);
    buf_release(&v->answer);
    buf_release(&v->shown);
}

/* Calls as one text; marks that are no part of one stay in the content. */
static void read_calls(struct str text, uint8_t flags, uint64_t seed, struct buf *out)
{
    struct tool_parse calls;
    struct rng rng = rng_seeded(seed);
    buf_init(out, OUT_BYTES_MAX);
    tool_parse_init(&calls, (enum tool_form)(1 + (flags >> 4) % (N_TOOL_FORMS - 1)), flags & 4);
    while (text.len && !tool_parse_is_over(&calls)) {
        size_t n = 1, most = seed ? 1 + rng_below(&rng, 7) : text.len;
        bool is_mark = text.at[0] >= 1 && text.at[0] <= N_TOOL_MARKS;
        while (!is_mark && n < most && n < text.len && !(text.at[n] >= 1 && text.at[n] <= N_TOOL_MARKS))
            n++;
        struct str piece = str_from(text.at, n);
        fuzz_expect((is_mark ? tool_parse_mark(&calls, (enum tool_mark)(text.at[0] - 1), piece, out)
                             : tool_parse_text(&calls, piece, out)) == STATUS_OK);
        text = str_skip(text, n);
    }
    fuzz_expect(tool_parse_end(&calls, flags & 8, out) == STATUS_OK);
    for (uint32_t i = 0; i < calls.n_calls; i++) {
        struct tool_call call = tool_parse_call(&calls, i);
        fuzz_expect(call.name.len >= 1 && call.name.len <= TOOL_NAME_BYTES_MAX && (call.complete || i + 1 == calls.n_calls));
        buf_printf(out, "[%zu %zu]", call.name.len, call.arguments.len);
        buf_add_str(out, call.name);
        buf_add_str(out, call.arguments);
    }
    tool_parse_release(&calls);
}

static void expect_calls_however_cut(struct str text, uint8_t flags)
{
    struct buf whole, cut;
    read_calls(text, flags, 0, &whole);
    for (uint64_t seed = 1; seed < 4; seed++) {
        read_calls(text, flags, seed, &cut);
        fuzz_expect(str_equal(buf_str(&whole), buf_str(&cut)));
        buf_release(&cut);
    }
    buf_release(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str stops[STOP_STRINGS_MAX];
    uint32_t n_stops = 0;
    if (size < 2)
        return 0;
    struct str rest = str_from((const char *)data + 2, size - 2);
    const char *zero = memchr(rest.at, 0, rest.len);
    struct str list = str_from(rest.at, zero ? (size_t)(zero - rest.at) : 0), text = zero ? str_skip(rest, list.len + 1) : rest;
    size_t each = 1 + data[1] % 8;
    for (; list.len && n_stops < STOP_STRINGS_MAX; list = str_skip(list, each))
        stops[n_stops++] = str_from(list.at, each < list.len ? each : list.len);
    struct visible whole;
    parse(text, stops, n_stops, data[0], 0, &whole);
    if (whole.matched < 0)
        fuzz_expect(str_equal(buf_str(&whole.shown), buf_str(&whole.answer)));
    for (uint64_t seed = 1; seed < 4; seed++) {
        struct visible cut;
        parse(text, stops, n_stops, data[0], seed, &cut);
        fuzz_expect(str_equal(buf_str(&whole.reasoning), buf_str(&cut.reasoning)));
        fuzz_expect(str_equal(buf_str(&whole.answer), buf_str(&cut.answer)));
        fuzz_expect(str_equal(buf_str(&whole.shown), buf_str(&cut.shown)) && whole.matched == cut.matched);
        release(&cut);
    }
    release(&whole);
    expect_calls_however_cut(text, data[0]);
    return 0;
}
