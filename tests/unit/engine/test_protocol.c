/* Frames: what is written is read back, and nothing else is accepted. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/protocol.h"
#include "tests/support.h"

/* A reader of any message into static memory, so that all are put through the same. */
typedef enum status read_body(struct str body, struct error *error);

static struct protocol_configure configure;
static struct protocol_submit submit;
static struct protocol_ready ready;
static struct protocol_done done;
static struct protocol_refused refused;
static struct protocol_stats stats;
static struct protocol_progress progress;
static struct protocol_fatal fatal;
static struct protocol_token tokens[4];
static struct protocol_tokens tokens_head;
static uint32_t n_cached, n_vocabulary;
static struct str vocabulary[8];

static enum status read_configure(struct str body, struct error *error)
{
    return protocol_read_configure(&configure, body, error);
}
static enum status read_submit(struct str body, struct error *error)
{
    return protocol_read_submit(&submit, body, error);
}
static enum status read_vocabulary(struct str body, struct error *error)
{
    enum status status = protocol_read_vocabulary_size(&n_vocabulary, body, error);
    if (status || n_vocabulary > sizeof vocabulary / sizeof vocabulary[0])
        return status ? status : error_set(error, STATUS_INVALID, "more tokens than this test has room for");
    return protocol_read_vocabulary(vocabulary, body, error);
}
static uint32_t control;
static enum status read_control(struct str body, struct error *error)
{
    return protocol_read_control(&control, body, error);
}
static enum status read_ready(struct str body, struct error *error)
{
    return protocol_read_ready(&ready, body, error);
}
static enum status read_accepted(struct str body, struct error *error)
{
    return protocol_read_accepted(&n_cached, body, error);
}
static enum status read_done(struct str body, struct error *error)
{
    return protocol_read_done(&done, body, error);
}
static enum status read_refused(struct str body, struct error *error)
{
    return protocol_read_refused(&refused, body, error);
}
static enum status read_stats(struct str body, struct error *error)
{
    return protocol_read_stats(&stats, body, error);
}
static enum status read_progress(struct str body, struct error *error)
{
    return protocol_read_progress(&progress, body, error);
}
static struct protocol_embedding embedding;

static enum status read_embedding(struct str body, struct error *error)
{
    return protocol_read_embedding(&embedding, body, error);
}

static enum status read_fatal(struct str body, struct error *error)
{
    return protocol_read_fatal(&fatal, body, error);
}
static enum status read_tokens(struct str body, struct error *error)
{
    struct protocol_tokens_reader reader;
    enum status status = protocol_read_tokens(&reader, body, error);
    tokens_head = reader.head;
    for (uint32_t i = 0; !status; i++) {
        struct protocol_token token;
        status = protocol_next_token(&reader, &token, error);
        if (!status && i < 4)
            tokens[i] = token;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- One of each --------------------------------------------------------------------------------------------------------- */

static const uint32_t prompt[] = {3, 1, 4, 1, 5}, stop_ids[] = {2, 9};
static const struct protocol_bias bias[] = {{7, -1.5f}};

static struct protocol_submit good_submit(void)
{
    return (struct protocol_submit){.partition = {1, 2, 3}, .tenant = 77, .prompt = prompt, .n_prompt = 5, .n_choices = 2,
                                    .first_choice = 1, .max_tokens = 6, .min_tokens = 1, .temperature = 0.7f, .top_p = 0.9f, .min_p = 0.1f,
                                    .top_k = 40, .presence_penalty = -1, .frequency_penalty = 1, .repetition_penalty = 1.1f,
                                    .seed = UINT64_MAX - 1, .bias = bias, .n_bias = 1, .stop_ids = stop_ids, .n_stop_ids = 2,
                                    .vocabulary = 10, .ignore_stop = true, .n_eos_ids = 1, .logprobs = 20, .prompt_logprobs = -1,
                                    .use_cache = true, .queue_timeout_ns = 5,
                                    .thought = {true, true, true, 4, 5, 100, 2.5f, prompt, 2}, .language = {"\1\2\0\3", 4}};
}

static void write_submit(struct buf *out)
{
    struct protocol_submit m = good_submit();
    protocol_write_submit(out, 9, 42, &m);
}
static void write_configure(struct buf *out)
{
    static struct protocol_configure m;
    m = (struct protocol_configure){.model_path = "/m.gguf", .device = "mock", .numerics = "exact", .isa = "avx2", .kv_dtype = "f16",
                                    .threads = 1, .context = 2, .kv_memory_bytes = 3, .max_running = 4, .max_queue = 5, .step_tokens = 6,
                                    .max_queue_tokens = 7, .prefix_cache = true, .mock_script = "step_us=1"};
    protocol_write_configure(out, 9, &m);
}
static void write_vocabulary(struct buf *out)
{
    const struct str list[] = {{"a", 1}, {"", 0}, {"\0\xFF", 2}, {"bcd", 3}};
    protocol_write_vocabulary(out, 9, list, 4);
}
static void write_control(struct buf *out)
{
    protocol_write_control(out, 9, 42, PROTOCOL_CONTROL_ANSWER_NOW);
}
static void write_ready(struct buf *out)
{
    static struct protocol_ready m;
    m = (struct protocol_ready){.vocabulary = 1, .context_max = 2, .model_context = 3, .n_pages = 4, .page_tokens = 5, .max_running = 6,
                                .weights_bytes = 7, .pages_bytes = 8, .model_digest = {9}, .numerics_version = "n", .family = "f",
                                .architecture = "a", .summary = "s\nt"};
    protocol_write_ready(out, 9, &m);
}
static void write_accepted(struct buf *out)
{
    protocol_write_accepted(out, 9, 42, 64);
}
static void write_tokens(struct buf *out)
{
    const struct protocol_token list[2] = {{.token = 5, .logprob = -0.5f, .rank = 1, .n_top = 2, .top = {{5, -0.5f}, {6, -2}}},
                                           {.token = 8, .logprob = -3, .rank = 4}};
    protocol_write_tokens(out, 9, 42, &(struct protocol_tokens){1, 10, 2, true}, list);
}
static void write_done(struct buf *out)
{
    struct protocol_done m = {.choice = 1, .finish = PROTOCOL_FINISH_STOP, .stop_token = 2, .last = true, .n_generated = 3, .n_prompt = 5,
                              .n_cached = 4, .queue_ns = 6, .prefill_ns = 7, .decode_ns = 8,
                              .acted = PROTOCOL_ACTED_LOOP, .message = "why"};
    protocol_write_done(out, 9, 42, &m);
}
static void write_refused(struct buf *out)
{
    protocol_write_refused(out, 9, 42, &(struct protocol_refused){PROTOCOL_REFUSED_TIMEOUT, "late"});
}
static void write_stats(struct buf *out)
{
    struct protocol_stats m = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    protocol_write_stats(out, 9, &m);
}
static void write_progress(struct buf *out)
{
    protocol_write_progress(out, 9, &(struct protocol_progress){1, 1ull << 40});
}
static void write_fatal(struct buf *out)
{
    protocol_write_fatal(out, 9, &(struct protocol_fatal){.cause = "c", .step = 5, .n_requests = 2, .requests = {6, 7}});
}
static void write_embedding(struct buf *out)
{
    static const float values[] = {1.5f, -2, 0};
    protocol_write_embedding(out, 9, 42, &(struct protocol_embedding){values, 3});
}

static const struct message {
    enum protocol_type type;
    uint64_t id;
    void (*write)(struct buf *out);
    read_body *read;
} messages[] = {
    {PROTOCOL_CONFIGURE, 0, write_configure, read_configure}, {PROTOCOL_SUBMIT, 42, write_submit, read_submit},
    {PROTOCOL_READY, 0, write_ready, read_ready},             {PROTOCOL_ACCEPTED, 42, write_accepted, read_accepted},
    {PROTOCOL_TOKENS, 42, write_tokens, read_tokens},         {PROTOCOL_DONE, 42, write_done, read_done},
    {PROTOCOL_REFUSED, 42, write_refused, read_refused},      {PROTOCOL_STATS, 0, write_stats, read_stats},
    {PROTOCOL_PROGRESS, 0, write_progress, read_progress},    {PROTOCOL_FATAL, 0, write_fatal, read_fatal},
    {PROTOCOL_VOCABULARY, 0, write_vocabulary, read_vocabulary}, {PROTOCOL_CONTROL, 42, write_control, read_control},
    {PROTOCOL_EMBEDDING, 42, write_embedding, read_embedding},
};
enum { N_MESSAGES = sizeof messages / sizeof messages[0] };

/* The body of a frame, in aligned memory of exactly its size, so that a step beyond it is seen by sanitizers. */
static struct str body_of(const struct buf *frame, size_t len)
{
    char *body = mem_alloc_aligned(16, len);
    assert_non_null(body);
    memcpy(body, frame->at + PROTOCOL_HEAD_BYTES, len);
    return str_from(body, len);
}

static struct str written(const struct message *m, struct protocol_head *head)
{
    struct buf frame;
    struct error error;
    buf_init(&frame, 1 << 20);
    m->write(&frame);
    support_ok(buf_status(&frame), NULL);
    support_ok(protocol_read_head(head, frame.at, &error), &error);
    assert_int_equal(frame.len, PROTOCOL_HEAD_BYTES + head->body_bytes);
    struct str body = body_of(&frame, head->body_bytes);
    buf_release(&frame);
    return body;
}

static void drop(struct str body)
{
    mem_free((void *)body.at);
}

static void every_head_says_what_follows(void **state)
{
    struct protocol_head head;
    (void)state;
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        drop(written(&messages[i], &head));
        assert_int_equal(head.type, messages[i].type);
        assert_int_equal(head.id, messages[i].id);
        assert_int_equal(head.epoch, 9);
    }
}

static void what_is_written_is_read(void **state)
{
    struct protocol_head head;
    struct error error;
    struct str bodies[N_MESSAGES];
    (void)state;
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        bodies[i] = written(&messages[i], &head);
        support_ok(messages[i].read(bodies[i], &error), &error);
    }
    assert_string_equal(configure.model_path, "/m.gguf");
    assert_string_equal(configure.mock_script, "step_us=1");
    assert_true(configure.kv_memory_bytes == 3 && configure.step_tokens == 6 && configure.prefix_cache);
    struct protocol_submit m = good_submit();
    assert_memory_equal(submit.prompt, prompt, sizeof prompt);
    assert_memory_equal(submit.stop_ids, stop_ids, sizeof stop_ids);
    assert_memory_equal(submit.bias, bias, sizeof bias);
    assert_memory_equal(submit.partition, m.partition, sizeof m.partition);
    assert_true(submit.seed == m.seed && submit.tenant == 77 && submit.logprobs == 20 && submit.prompt_logprobs == -1);
    assert_true(submit.temperature == 0.7f && submit.min_p == 0.1f && submit.repetition_penalty == 1.1f && submit.presence_penalty == -1);
    assert_true(submit.n_choices == 2 && submit.first_choice == 1 && submit.ignore_stop && submit.n_eos_ids == 1 && submit.use_cache);
    assert_true(submit.thought.governed && submit.thought.begins_inside && submit.thought.detects_loops && submit.thought.budget == 100);
    assert_true(submit.thought.open_token == 4 && submit.thought.close_token == 5 && submit.thought.pull == 2.5f);
    assert_true(submit.thought.n_bridge == 2 && submit.thought.bridge[0] == 3 && submit.thought.bridge[1] == 1);
    assert_int_equal(submit.language.len, 4);
    assert_memory_equal(submit.language.at, m.language.at, 4);
    assert_true(n_vocabulary == 4 && vocabulary[1].len == 0 && str_equal(vocabulary[2], str_from("\0\xFF", 2)));
    assert_true(str_is(vocabulary[0], "a") && str_is(vocabulary[3], "bcd"));
    assert_true(ready.max_running == 6 && ready.pages_bytes == 8 && ready.model_digest[0] == 9);
    assert_string_equal(ready.summary, "s\nt");
    assert_int_equal(n_cached, 64);
    assert_true(tokens_head.choice == 1 && tokens_head.index == 10 && tokens_head.n_tokens == 2);
    assert_true(tokens[0].token == 5 && tokens[0].n_top == 2 && tokens[0].top[1].token == 6 && tokens[0].top[1].logprob == -2);
    assert_true(tokens[1].token == 8 && tokens[1].rank == 4 && tokens[1].n_top == 0);
    assert_true(done.last && done.stop_token == 2 && done.decode_ns == 8 && done.acted == PROTOCOL_ACTED_LOOP);
    assert_string_equal(done.message, "why");
    assert_int_equal(refused.reason, PROTOCOL_REFUSED_TIMEOUT);
    assert_true(stats.n_running == 1 && stats.pages_held == 7 && stats.n_steps == 8 && stats.rss_bytes == 16);
    assert_true(progress.total_bytes == 1ull << 40);
    assert_true(fatal.step == 5 && fatal.n_requests == 2 && fatal.requests[1] == 7);
    for (unsigned i = 0; i < N_MESSAGES; i++)
        drop(bodies[i]);
}

static void a_body_cut_anywhere_or_longer_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        struct buf frame;
        buf_init(&frame, 1 << 20);
        messages[i].write(&frame);
        size_t whole = frame.len - PROTOCOL_HEAD_BYTES;
        for (size_t len = 0; len < whole; len++) {
            struct error error;
            struct str body = body_of(&frame, len);
            error_clear(&error);
            assert_int_equal(messages[i].read(body, &error), STATUS_INVALID);
            assert_true(error.message[0]);
            drop(body);
        }
        buf_add(&frame, "\0\0\0\0", 4);
        struct error error;
        struct str body = body_of(&frame, whole + 4);
        assert_int_equal(messages[i].read(body, &error), STATUS_INVALID);
        drop(body);
        buf_release(&frame);
    }
}

static void no_flipped_bits_lead_astray(void **state)
{
    struct rng rng = rng_seeded(4);
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        const struct message *m = &messages[round % N_MESSAGES];
        struct protocol_head head;
        struct error error;
        struct str body = written(m, &head);
        for (unsigned n = 1 + rng_below(&rng, 3); n; n--)
            ((char *)body.at)[rng_below(&rng, (uint32_t)body.len)] ^= (char)(1 << rng_below(&rng, 8));
        if (m->read(body, &error) == STATUS_OK && m->type == PROTOCOL_SUBMIT) {
            assert_true(isfinite(submit.temperature) && submit.n_choices >= 1 && submit.n_eos_ids <= submit.n_stop_ids);
            for (uint32_t i = 0; i < submit.n_prompt; i++)
                assert_true(submit.prompt[i] < submit.vocabulary);
        }
        drop(body);
    }
}

static void a_wrong_head_is_refused(void **state)
{
    static const struct {
        unsigned at;
        uint32_t value;
        const char *part;
    } wrong[] = {{0, 1, "magic"}, {4, PROTOCOL_VERSION + 1, "version"}, {8, 0, "type"}, {8, 8, "type"}, {8, 99, "type"},
                 {12, PROTOCOL_FRAME_BYTES_MAX + 1, "16 MiB"}, {20, 1, "magic"}};
    struct protocol_head head;
    struct error error;
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buf frame;
        buf_init(&frame, 4096);
        protocol_write_stop(&frame, 1);
        memcpy(frame.at + wrong[i].at, &wrong[i].value, 4);
        assert_int_equal(protocol_read_head(&head, frame.at, &error), STATUS_INVALID);
        assert_non_null(strstr(error.message, wrong[i].part));
        buf_release(&frame);
    }
}

static void expect_refused(struct protocol_submit m, const char *part)
{
    struct buf frame;
    struct error error;
    buf_init(&frame, 1 << 20);
    protocol_write_submit(&frame, 1, 1, &m);
    struct str body = body_of(&frame, frame.len - PROTOCOL_HEAD_BYTES);
    error_clear(&error);
    assert_int_equal(protocol_read_submit(&submit, body, &error), STATUS_INVALID);
    if (!strstr(error.message, part))
        fail_msg("\"%s\" does not hold \"%s\"", error.message, part);
    drop(body);
    buf_release(&frame);
}

static void a_submit_with_a_value_out_of_range_is_refused(void **state)
{
    const struct protocol_bias far[] = {{10, 1}}, infinite[] = {{1, INFINITY}};
    const uint32_t outside[] = {3, 10};
    struct protocol_submit m = good_submit();
    (void)state;
#define with(field, value, part) (m = good_submit(), m.field = (value), expect_refused(m, part))
    with(thought.pull, -1, "pull");
    with(thought.n_bridge, 0, "without an end");
    with(thought.close_token, 10, "without an end");
    with(thought.bridge, outside, "bridge");
    with(temperature, -0.1f, "sampling");
    with(temperature, NAN, "finite");
    with(top_p, 1.01f, "sampling");
    with(min_p, -1, "sampling");
    with(repetition_penalty, 0, "sampling");
    with(presence_penalty, 1e30f, "sampling");
    with(frequency_penalty, -101, "sampling");
    with(n_choices, 0, "choices");
    with(n_choices, 100000, "choices");
    with(n_prompt, 0, "prompt");
    with(n_eos_ids, 3, "end ids");
    with(logprobs, 21, "log-probability");
    with(prompt_logprobs, -2, "log-probability");
    with(max_tokens, 0, "no output");
    with(bias, far, "bias");
    with(bias, infinite, "bias");
    with(vocabulary, 5, "bias");
    m = good_submit();
    m.prompt = outside;
    m.n_prompt = 2;
    expect_refused(m, "prompt token");
#undef with
}

static void the_epoch_of_a_written_frame_can_be_changed(void **state)
{
    struct buf frame;
    struct protocol_head head;
    struct error error;
    (void)state;
    buf_init(&frame, 4096);
    protocol_write_cancel(&frame, 1, 5, 3);
    protocol_set_epoch(frame.at, 12);
    support_ok(protocol_read_head(&head, frame.at, &error), &error);
    assert_true(head.epoch == 12 && head.id == 5 && head.type == PROTOCOL_CANCEL);
    buf_release(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_head_says_what_follows),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_body_cut_anywhere_or_longer_is_refused),
        cmocka_unit_test(no_flipped_bits_lead_astray),
        cmocka_unit_test(a_wrong_head_is_refused),
        cmocka_unit_test(a_submit_with_a_value_out_of_range_is_refused),
        cmocka_unit_test(the_epoch_of_a_written_frame_can_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
