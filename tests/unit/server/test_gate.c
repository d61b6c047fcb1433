/* The framing gate: each request whole, byte by byte, and cut in two at every place. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "server/gate.h"
#include "tests/support.h"

enum { HEAD_MAX = 4096, BODY_MAX = 1000 };

#define HOST "Host: a\r\n"

static const char *const good[] = {
    "GET /health HTTP/1.1\r\n" HOST "\r\n",
    "GET /health HTTP/1.0\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
    "GET / HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nX-Empty-Too: \t \r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a-b.example:8080\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1]:65535\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::ffff:127.0.0.1]\r\n\r\n",
    "GET / HTTP/1.1\r\nhOST: a\r\nX: caf\xc3\xa9 \xff\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
    "GET http://other/health?q=%00 HTTP/1.1\r\n" HOST "\r\n",
    "POST /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
    "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab\r\n\0" /* the literal's own zero is the fifth byte */,
    "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5 \r\n\r\n\r\n\r\n1",
    "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=\"b;c\"\r\nx\r\n000\r\n\r\n",
    "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding:\tCHUNKED \r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\nOther:\r\n\r\n",
    "POST /x HTTP/1.1\r\nContent-Length: 18\r\n" HOST "\r\nGET / HTTP/1.1\r\n\r\n",
};

/* One literal above ends in a zero byte that belongs to it. */
static size_t good_len(size_t i)
{
    size_t n = strlen(good[i]);
    return n > 4 && memcmp(good[i] + n - 4, "ab\r\n", 4) == 0 ? n + 1 : n;
}

static const struct refused {
    enum reply_code code;
    const char *bytes;
} refused[] = {
    /* request lines */
    {REPLY_BAD_REQUEST, "\n"},
    {REPLY_BAD_REQUEST, "\rG"},
    {REPLY_BAD_REQUEST, "\r\n\r\n"},
    {REPLY_BAD_REQUEST, " GET / HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET\r\n"},
    {REPLY_BAD_REQUEST, "GET /\r\n"},
    {REPLY_BAD_REQUEST, "GET  / HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1 \r\n"},
    {REPLY_BAD_REQUEST, "GET / x HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET /\tHTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET /a\x01 HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET /\xc3\xa9 HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "G@T / HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET / http/1.1\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.10\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/11\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTCPCP/1.0\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\rX"},
    {REPLY_HTTP_VERSION, "PRI * HTTP/2.0\r\n"},
    {REPLY_HTTP_VERSION, "GET / HTTP/1.2\r\n"},
    {REPLY_HTTP_VERSION, "GET / HTTP/0.9\r\n"},
    /* fields */
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X: a\nb\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X : a\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X\t: a\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST ": a\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "X: a\r\n folded\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "Content-Lengt\r\n\th: 3\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n Host: a\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "\xc3\xa9: a\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST "\r\r"},
    /* hosts */
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\n" HOST HOST},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.0\r\n" HOST "HOST: b\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost:\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a b\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a/b\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a@b\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a:b\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a:1:2\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a:123456\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: :80\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: [::1\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: [::1]a\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: a[::1]\r\n"},
    {REPLY_BAD_REQUEST, "GET / HTTP/1.1\r\nHost: [g]\r\n"},
    /* lengths and codings */
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x10\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5 5\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\ncontent-length: 5\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chun ked\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;q=1\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"},
    {REPLY_BAD_REQUEST, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {REPLY_NOT_IMPLEMENTED, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {REPLY_NOT_IMPLEMENTED, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip ,\tchunked\r\n\r\n"},
    /* chunks */
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
    {REPLY_BAD_REQUEST, CHUNKED "zz\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED ";a\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED " 5\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "5 \r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "-5\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "0x5\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "5\nhello"},
    {REPLY_BAD_REQUEST, CHUNKED "5\rhello"},
    {REPLY_BAD_REQUEST, CHUNKED "1111111111111111\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "5;\x01\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "5\r\nhelloX"},
    {REPLY_BAD_REQUEST, CHUNKED "5\r\nhello\n"},
    {REPLY_BAD_REQUEST, CHUNKED "5\r\nhello\rX"},
    {REPLY_BAD_REQUEST, CHUNKED "0\r\nTrailer\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "0\r\n: x\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "0\r\nA: x\r\n folded\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "0\r\nA: \x02\r\n"},
    {REPLY_BAD_REQUEST, CHUNKED "0\r\nA: x\n"},
    {REPLY_REQUEST_TOO_LARGE, CHUNKED "3e9\r\n"},
    {REPLY_REQUEST_TOO_LARGE, CHUNKED "5\r\nhello\r\nffffffffffffff\r\n"},
};

static void fresh(struct gate *gate)
{
    gate_init(gate, HEAD_MAX, BODY_MAX);
}

static void feed_bytewise(struct gate *gate, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && gate_feed(gate, bytes + i, 1); i++) {
    }
}

static void assert_same(const struct gate *a, const struct gate *b)
{
    assert_int_equal(a->state == GATE_REFUSED, b->state == GATE_REFUSED);
    assert_int_equal(a->n_heads, b->n_heads);
    assert_int_equal(a->n_ended, b->n_ended);
    if (a->state == GATE_REFUSED)
        assert_int_equal(a->code, b->code);
    else
        assert_int_equal(gate_is_idle(a), gate_is_idle(b));
}

static void good_requests_pass_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t n = good_len(i);
        for (size_t cut = 0; cut <= n; cut++) {
            struct gate gate;
            fresh(&gate);
            assert_true(gate_feed(&gate, good[i], cut));
            assert_int_equal(gate.n_ended, cut == n);
            assert_true(gate_feed(&gate, good[i] + cut, n - cut));
            assert_int_equal(gate.n_heads, 1);
            assert_int_equal(gate.n_ended, 1);
            assert_true(gate_is_idle(&gate));
        }
    }
}

static void refused_requests_are_refused_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        size_t n = strlen(refused[i].bytes);
        for (size_t cut = 0; cut <= n; cut++) {
            struct gate gate;
            fresh(&gate);
            bool ok = gate_feed(&gate, refused[i].bytes, cut) && gate_feed(&gate, refused[i].bytes + cut, n - cut);
            if (ok || gate.code != refused[i].code)
                print_message("row %zu: %s\n", i, refused[i].bytes);
            assert_false(ok);
            assert_int_equal(gate.code, refused[i].code);
            assert_true(gate.reason && *gate.reason);
            assert_int_equal(gate.n_ended, 0);
            assert_false(gate_feed(&gate, good[0], 1)); /* nothing passes any more */
        }
    }
}

static void a_zero_byte_in_a_head_is_refused(void **state)
{
    static const char in_value[] = "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", in_name[] = "GET / HTTP/1.1\r\n" HOST "X\0: a\r\n\r\n",
                      in_target[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n", in_host[] = "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
                      in_coding[] = "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\0\r\n\r\n";
    const struct str all[] = {str_from(in_value, sizeof in_value - 1), str_from(in_name, sizeof in_name - 1),
                              str_from(in_target, sizeof in_target - 1), str_from(in_host, sizeof in_host - 1),
                              str_from(in_coding, sizeof in_coding - 1)};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct gate gate;
        fresh(&gate);
        assert_false(gate_feed(&gate, all[i].at, all[i].len));
        assert_int_equal(gate.code, REPLY_BAD_REQUEST);
    }
}

static void pipelined_requests_are_counted_and_bodies_are_not_read_as_heads(void **state)
{
    struct buf all;
    struct gate whole, bytewise;
    (void)state;
    buf_init(&all, 1 << 16);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        support_ok(buf_add(&all, good[i], good_len(i)), NULL);
    fresh(&whole);
    fresh(&bytewise);
    assert_true(gate_feed(&whole, all.at, all.len));
    feed_bytewise(&bytewise, all.at, all.len);
    assert_int_equal(whole.n_ended, sizeof good / sizeof good[0]);
    assert_same(&whole, &bytewise);
    buf_release(&all);
}

/* A head of exactly n bytes: padded in its last value. */
static void padded_head(struct buf *out, size_t n)
{
    static const char start[] = "GET / HTTP/1.1\r\n" HOST "X: ";
    buf_clear(out);
    buf_add_text(out, start);
    while (out->len + 4 < n)
        buf_add_char(out, 'x');
    buf_add_text(out, "\r\n\r\n");
    assert_int_equal(out->len, n);
}

static void verdict(const struct buf *bytes, bool passes, enum reply_code code)
{
    struct gate whole, bytewise;
    fresh(&whole);
    fresh(&bytewise);
    assert_int_equal(gate_feed(&whole, bytes->at, bytes->len), passes);
    feed_bytewise(&bytewise, bytes->at, bytes->len);
    assert_same(&whole, &bytewise);
    if (!passes)
        assert_int_equal(whole.code, code);
}

static void limits_hold_to_the_byte(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1 << 23);
    padded_head(&b, HEAD_MAX);
    verdict(&b, true, REPLY_INTERNAL);
    padded_head(&b, HEAD_MAX + 1);
    verdict(&b, false, REPLY_HEAD_TOO_LARGE);

    for (unsigned extra = 0; extra < 2; extra++) {
        buf_clear(&b);
        buf_add_text(&b, "GET / HTTP/1.1\r\n" HOST);
        for (unsigned i = 1; i < GATE_FIELDS_MAX + extra; i++)
            buf_add_text(&b, "X: y\r\n");
        buf_add_text(&b, "\r\n");
        verdict(&b, extra == 0, REPLY_HEAD_TOO_LARGE);
    }

    for (unsigned extra = 0; extra < 2; extra++) {
        struct gate gate;
        buf_clear(&b);
        buf_add_text(&b, "GET /");
        for (unsigned i = 1; i < GATE_TARGET_MAX + extra; i++)
            buf_add_char(&b, 'x');
        buf_add_text(&b, " HTTP/1.1\r\n" HOST "\r\n");
        gate_init(&gate, 2 * GATE_TARGET_MAX, BODY_MAX);
        assert_int_equal(gate_feed(&gate, b.at, b.len), extra == 0);
        assert_int_equal(extra ? gate.code : REPLY_URI_TOO_LONG, REPLY_URI_TOO_LONG);
    }
    buf_release(&b);
}

static void limits_of_chunks_hold(void **state)
{
    struct buf b;
    struct gate gate;
    (void)state;
    buf_init(&b, 1 << 23);

    /* the body, counted over chunks */
    for (unsigned extra = 0; extra < 2; extra++) {
        buf_clear(&b);
        buf_add_text(&b, CHUNKED);
        for (unsigned i = 0; i < BODY_MAX + extra; i++)
            buf_add_text(&b, "1\r\nx\r\n");
        buf_add_text(&b, "0\r\n\r\n");
        verdict(&b, extra == 0, REPLY_REQUEST_TOO_LARGE);
    }

    /* their number; the last, empty one counts */
    for (unsigned extra = 0; extra < 2; extra++) {
        buf_clear(&b);
        buf_add_text(&b, CHUNKED);
        for (unsigned i = 1; i < GATE_CHUNKS_MAX + extra; i++)
            buf_add_text(&b, "1\r\nx\r\n");
        buf_add_text(&b, "0\r\n\r\n");
        gate_init(&gate, HEAD_MAX, 1 << 20);
        assert_int_equal(gate_feed(&gate, b.at, b.len), extra == 0);
        assert_int_equal(extra ? gate.code : REPLY_REQUEST_TOO_LARGE, REPLY_REQUEST_TOO_LARGE);
    }

    /* one long extension; many short ones */
    buf_clear(&b);
    buf_add_text(&b, CHUNKED "1;");
    for (unsigned i = 0; i < GATE_CHUNK_LINE_MAX; i++)
        buf_add_char(&b, 'e');
    verdict(&b, false, REPLY_BAD_REQUEST);
    buf_clear(&b);
    buf_add_text(&b, CHUNKED);
    for (unsigned i = 0; i <= GATE_EXTENSIONS_MAX / 100; i++) {
        buf_add_text(&b, "1;");
        for (unsigned k = 0; k < 100; k++)
            buf_add_char(&b, 'e');
        buf_add_text(&b, "\r\nx\r\n");
    }
    verdict(&b, false, REPLY_BAD_REQUEST);

    /* trailers count as part of the head */
    buf_clear(&b);
    buf_add_text(&b, CHUNKED "0\r\nX: ");
    for (unsigned i = 0; i < HEAD_MAX; i++)
        buf_add_char(&b, 't');
    verdict(&b, false, REPLY_HEAD_TOO_LARGE);
    buf_release(&b);
}

static void a_length_above_the_limit_is_left_to_the_router(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 60000000\r\n\r\n";
    struct gate gate;
    (void)state;
    fresh(&gate);
    assert_true(gate_feed(&gate, head, sizeof head - 1));
    assert_int_equal(gate.n_heads, 1);
    assert_int_equal(gate.n_ended, 0);
}

/* Random changes of good and bad requests: the verdict does not depend on how the bytes were cut. */
static void the_verdict_does_not_depend_on_cuts(void **state)
{
    struct rng rng = rng_seeded(7);
    char bytes[512];
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        size_t row = rng_below(&rng, sizeof good / sizeof good[0]), n = good_len(row);
        struct gate whole, bytewise, pieces;
        memcpy(bytes, good[row], n);
        for (unsigned k = rng_below(&rng, 3) + 1; k > 0; k--) {
            static const char spice[] = "\r\n :;,\t\0" "059aGxz\x7f\xff";
            bytes[rng_below(&rng, (uint32_t)n)] = spice[rng_below(&rng, sizeof spice - 1)];
        }
        fresh(&whole);
        fresh(&bytewise);
        fresh(&pieces);
        gate_feed(&whole, bytes, n);
        feed_bytewise(&bytewise, bytes, n);
        for (size_t at = 0; at < n;) {
            size_t take = rng_below(&rng, (uint32_t)(n - at)) + 1;
            gate_feed(&pieces, bytes + at, take);
            at += take;
        }
        assert_same(&whole, &bytewise);
        assert_same(&whole, &pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests_pass_however_they_are_cut),
        cmocka_unit_test(refused_requests_are_refused_however_they_are_cut),
        cmocka_unit_test(a_zero_byte_in_a_head_is_refused),
        cmocka_unit_test(pipelined_requests_are_counted_and_bodies_are_not_read_as_heads),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(limits_of_chunks_hold),
        cmocka_unit_test(a_length_above_the_limit_is_left_to_the_router),
        cmocka_unit_test(the_verdict_does_not_depend_on_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
