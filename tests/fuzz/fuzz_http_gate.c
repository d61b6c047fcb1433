/* The framing gate: the verdict does not depend on how the bytes were cut, and what passes as a head is clean. The first byte says
 * how to cut. */
#include "server/gate.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD_MAX = 2048, BODY_MAX = 4096 };

static void expect_same(const struct gate *a, const struct gate *b)
{
    fuzz_expect((a->state == GATE_REFUSED) == (b->state == GATE_REFUSED));
    fuzz_expect(a->n_heads == b->n_heads && a->n_ended == b->n_ended);
    fuzz_expect(a->state != GATE_REFUSED || (a->code == b->code && a->reason == b->reason));
    fuzz_expect(a->state == GATE_REFUSED || gate_is_idle(a) == gate_is_idle(b));
}

/* Lines end in CRLF, nothing else is below a space or is 127, and the head is within its limit. */
static void expect_clean_head(const char *bytes, size_t n)
{
    fuzz_expect(n <= HEAD_MAX && n >= 4 && memcmp(bytes + n - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        fuzz_expect(c != '\n' || (i > 0 && bytes[i - 1] == '\r'));
        fuzz_expect(c != '\r' || (i + 1 < n && bytes[i + 1] == '\n'));
        fuzz_expect((c >= ' ' && c != 127) || c == '\r' || c == '\n' || c == '\t');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gate whole, bytewise, pieces;
    if (size == 0)
        return 0;
    size_t step = data[0] % 61 + 1, n = size - 1, head_start = 0;
    const char *bytes = (const char *)data + 1;
    gate_init(&whole, HEAD_MAX, BODY_MAX);
    gate_init(&bytewise, HEAD_MAX, BODY_MAX);
    gate_init(&pieces, HEAD_MAX, BODY_MAX);
    gate_feed(&whole, bytes, n);
    for (size_t at = 0; at < n; at += step)
        gate_feed(&pieces, bytes + at, n - at < step ? n - at : step);
    for (size_t i = 0; i < n; i++) {
        uint64_t n_heads = bytewise.n_heads, n_ended = bytewise.n_ended;
        bool passed = gate_feed(&bytewise, bytes + i, 1);
        fuzz_expect(passed == (bytewise.state != GATE_REFUSED) && (passed || bytewise.reason));
        fuzz_expect(bytewise.n_heads - n_heads <= 1 && bytewise.n_ended - n_ended <= 1 && bytewise.n_ended <= bytewise.n_heads);
        fuzz_expect(bytewise.body_bytes <= BODY_MAX || !passed);
        if (bytewise.n_heads > n_heads)
            expect_clean_head(bytes + head_start, i + 1 - head_start);
        if (bytewise.n_ended > n_ended)
            head_start = i + 1;
    }
    expect_same(&whole, &bytewise);
    expect_same(&whole, &pieces);
    return 0;
}
