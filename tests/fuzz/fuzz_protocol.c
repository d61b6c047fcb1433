/* Frames between front and engine, in both directions. What a reader accepts is what its writer writes. */
#include "engine/protocol.h"
#include "base/buf.h"
#include "tests/fuzz/fuzz.h"

enum { FRAME_MAX = PROTOCOL_FRAME_BYTES_MAX + PROTOCOL_HEAD_BYTES };

static bool read_tokens(struct str body, struct buf *again, struct error *error)
{
    static struct protocol_token tokens[4096];
    struct protocol_tokens_reader reader;
    struct protocol_tokens head;
    enum status status = protocol_read_tokens(&reader, body, error);
    uint32_t n = 0;
    while (!status) {
        struct protocol_token *t = &tokens[n < 4096 ? n : 4095];
        *t = (struct protocol_token){0};
        status = protocol_next_token(&reader, t, error);
        n += !status;
    }
    if (status != STATUS_NOT_FOUND) {
        fuzz_expect_refusal(status, error);
        return false;
    }
    fuzz_expect(n == reader.head.n_tokens);
    head = reader.head;
    if (n <= 4096)
        protocol_write_tokens(again, 1, 1, &head, tokens);
    return n <= 4096;
}

static bool read_vocabulary(struct str body, struct buf *again, struct error *error)
{
    uint32_t n;
    enum status status = protocol_read_vocabulary_size(&n, body, error);
    struct str *tokens = status ? NULL : calloc((size_t)n + 1, sizeof *tokens);
    if (tokens)
        status = protocol_read_vocabulary(tokens, body, error);
    if (status)
        fuzz_expect_refusal(status, error);
    else if (tokens)
        protocol_write_vocabulary(again, 1, tokens, n);
    free(tokens);
    return !status && tokens;
}

/* Reads the body by its type; true when it was accepted and written to `again`. */
static bool read_body(uint32_t type, struct str body, struct buf *again, struct error *error)
{
    static union {
        struct protocol_configure configure;
        struct protocol_submit submit;
        struct protocol_ready ready;
        struct protocol_done done;
        struct protocol_refused refused;
        struct protocol_embedding embedding;
        struct protocol_stats stats;
        struct protocol_progress progress;
        struct protocol_fatal fatal;
        uint32_t n_cached, choice, control;
    } m;
    enum status status = STATUS_OK;
#define CASE(NAME, name, write)                                                                                   \
    case PROTOCOL_##NAME:                                                                                         \
        status = protocol_read_##name(&m.name, body, error);                                                      \
        if (!status)                                                                                              \
            write;                                                                                                \
        break
    switch (type) {
        CASE(CONFIGURE, configure, protocol_write_configure(again, 1, &m.configure));
        CASE(SUBMIT, submit, protocol_write_submit(again, 1, 1, &m.submit));
        CASE(READY, ready, protocol_write_ready(again, 1, &m.ready));
        CASE(DONE, done, protocol_write_done(again, 1, 1, &m.done));
        CASE(EMBEDDING, embedding, protocol_write_embedding(again, 1, 1, &m.embedding));
        CASE(REFUSED, refused, protocol_write_refused(again, 1, 1, &m.refused));
        CASE(STATS, stats, protocol_write_stats(again, 1, &m.stats));
        CASE(PROGRESS, progress, protocol_write_progress(again, 1, &m.progress));
        CASE(FATAL, fatal, protocol_write_fatal(again, 1, &m.fatal));
    case PROTOCOL_ACCEPTED:
        status = protocol_read_accepted(&m.n_cached, body, error);
        if (!status)
            protocol_write_accepted(again, 1, 1, m.n_cached);
        break;
    case PROTOCOL_CONTROL:
        status = protocol_read_control(&m.control, body, error);
        if (!status)
            protocol_write_control(again, 1, 1, m.control);
        break;
    case PROTOCOL_CANCEL:
        status = protocol_read_cancel(&m.choice, body, error);
        if (!status)
            protocol_write_cancel(again, 1, 1, m.choice);
        break;
    case PROTOCOL_TOKENS:
        return read_tokens(body, again, error);
    case PROTOCOL_VOCABULARY:
        return read_vocabulary(body, again, error);
    default:
        return false; /* no body of their own */
    }
#undef CASE
    if (status)
        fuzz_expect_refusal(status, error);
    return !status;
}

/* A frame: the head, then a body of whatever length follows, which is the case a broken peer makes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct protocol_head head;
    struct error error;
    struct buf again;
    if (size < PROTOCOL_HEAD_BYTES)
        return 0;
    error_clear(&error);
    enum status status = protocol_read_head(&head, data, &error);
    if (status) {
        fuzz_expect_refusal(status, &error);
        return 0;
    }
    fuzz_expect(head.body_bytes <= PROTOCOL_FRAME_BYTES_MAX);
    size_t n = size - PROTOCOL_HEAD_BYTES;
    char *body = malloc(n ? n : 1); /* aligned, as the receiver does */
    fuzz_expect(body);
    memcpy(body, data + PROTOCOL_HEAD_BYTES, n);
    buf_init(&again, FRAME_MAX);
    if (read_body(head.type, str_from(body, n), &again, &error)) {
        fuzz_expect(buf_status(&again) == STATUS_OK && again.len == PROTOCOL_HEAD_BYTES + n);
        fuzz_expect(memcmp(again.at + PROTOCOL_HEAD_BYTES, body, n) == 0);
    }
    buf_release(&again);
    free(body);
    return 0;
}
