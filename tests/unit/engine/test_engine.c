/* The engine process over its socket, with the mock device: what a front sees of answers, faults, hangs and bad frames. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/protocol.h"
#include "tests/support.h"

enum { EPOCH = 7, VOCABULARY = 64, TOKENS_MAX = 512, IDS = 64, WAIT_MS = 20000 };

struct peer {
    int fd;
    pid_t pid;
    struct buf in, out;
    struct protocol_head head; /* of the last frame read */
    void *body;                /* its body, aligned; owned */
    struct protocol_stats stats;
    struct protocol_fatal fatal;
    unsigned n_stats;
    struct answer {
        uint32_t tokens[TOKENS_MAX], n_tokens, n_scores, n_accepted, n_done;
        struct protocol_done done;
        struct protocol_refused refused;
    } answers[IDS]; /* what came for each request */
};

static void start(struct peer *p)
{
    int pair[2];
    *p = (struct peer){0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    p->pid = fork();
    if (p->pid == 0) {
        close(pair[0]);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        _exit(engine_run(pair[1]));
    }
    assert_true(p->pid > 0);
    close(pair[1]);
    p->fd = pair[0];
    buf_init(&p->in, PROTOCOL_FRAME_BYTES_MAX * 2);
    buf_init(&p->out, PROTOCOL_FRAME_BYTES_MAX * 2);
}

static void send_all(struct peer *p)
{
    for (size_t at = 0; at < p->out.len;) {
        ssize_t n = send(p->fd, p->out.at + at, p->out.len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    buf_clear(&p->out);
}

/* False at the end of the stream. */
static bool fill(struct peer *p, size_t len)
{
    char chunk[65536];
    while (p->in.len < len) {
        struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
        ssize_t n = read(p->fd, chunk, sizeof chunk);
        if (n <= 0)
            return false;
        buf_add(&p->in, chunk, (size_t)n);
    }
    return true;
}

static bool next_frame(struct peer *p)
{
    struct error error;
    if (!fill(p, PROTOCOL_HEAD_BYTES))
        return false;
    support_ok(protocol_read_head(&p->head, p->in.at, &error), &error);
    assert_int_equal(p->head.epoch, EPOCH);
    size_t whole = PROTOCOL_HEAD_BYTES + p->head.body_bytes;
    if (!fill(p, whole))
        return false;
    mem_free(p->body);
    p->body = mem_alloc_aligned(16, p->head.body_bytes);
    assert_non_null(p->body);
    memcpy(p->body, p->in.at + PROTOCOL_HEAD_BYTES, p->head.body_bytes);
    buf_drop_front(&p->in, whole);
    if (p->head.type == PROTOCOL_STATS) {
        support_ok(protocol_read_stats(&p->stats, str_from(p->body, p->head.body_bytes), &error), &error);
        p->n_stats++;
    }
    return true;
}

static int ends_with(struct peer *p)
{
    int status;
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    close(p->fd);
    mem_free(p->body);
    buf_release(&p->in);
    buf_release(&p->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void configure(struct peer *p, const char *script)
{
    static struct protocol_configure c;
    c = (struct protocol_configure){.device = "mock", .numerics = "fast", .isa = "auto", .kv_dtype = "auto", .max_running = 4,
                                    .max_queue = 16, .prefix_cache = true};
    snprintf(c.mock_script, sizeof c.mock_script, "%s", script);
    protocol_write_configure(&p->out, EPOCH, &c);
    send_all(p);
}

static void start_ready(struct peer *p, const char *script)
{
    struct error error;
    static struct protocol_ready ready;
    start(p);
    configure(p, script);
    assert_true(next_frame(p));
    assert_int_equal(p->head.type, PROTOCOL_READY);
    support_ok(protocol_read_ready(&ready, str_from(p->body, p->head.body_bytes), &error), &error);
    assert_string_equal(ready.family, "mock");
}

static const uint32_t prompt[] = {5, 6, 7, 8, 9};

static struct protocol_submit request(void)
{
    return (struct protocol_submit){.prompt = prompt, .n_prompt = 5, .n_choices = 1, .max_tokens = 8, .top_p = 1,
                                    .repetition_penalty = 1, .vocabulary = VOCABULARY, .logprobs = -1, .prompt_logprobs = -1,
                                    .use_cache = true};
}

static void submit(struct peer *p, uint64_t id, const struct protocol_submit *m)
{
    protocol_write_submit(&p->out, EPOCH, id, m);
    send_all(p);
}

static void take_tokens(struct answer *a, struct str body)
{
    struct protocol_tokens_reader reader;
    struct protocol_token token;
    struct error error;
    support_ok(protocol_read_tokens(&reader, body, &error), &error);
    while (protocol_next_token(&reader, &token, &error) == STATUS_OK) {
        if (reader.head.choice == PROTOCOL_PROMPT_CHOICE)
            assert_int_equal(reader.head.index, ++a->n_scores);
        else if (reader.head.choice == 0) {
            assert_int_equal(reader.head.index, a->n_tokens);
            a->tokens[a->n_tokens++] = token.token;
        }
    }
}

static void take_frame(struct peer *p)
{
    struct error error;
    struct str body = str_from(p->body, p->head.body_bytes);
    assert_true(p->head.id < IDS);
    struct answer *a = &p->answers[p->head.id];
    if (p->head.type == PROTOCOL_FATAL)
        support_ok(protocol_read_fatal(&p->fatal, body, &error), &error);
    if (p->head.type == PROTOCOL_TOKENS)
        take_tokens(a, body);
    a->n_accepted += p->head.type == PROTOCOL_ACCEPTED;
    a->n_done += p->head.type == PROTOCOL_DONE;
    if (p->head.type == PROTOCOL_DONE)
        support_ok(protocol_read_done(&a->done, body, &error), &error);
    if (p->head.type == PROTOCOL_REFUSED)
        support_ok(protocol_read_refused(&a->refused, body, &error), &error);
}

/* Reads until the request's end, or the stream's. */
static void listen_to(struct peer *p, uint64_t id, struct answer *a)
{
    while (!p->answers[id].done.last && !p->answers[id].refused.reason && next_frame(p))
        take_frame(p);
    *a = p->answers[id];
}

static void stop(struct peer *p)
{
    protocol_write_stop(&p->out, EPOCH);
    send_all(p);
    assert_int_equal(ends_with(p), 0);
}

/* Stats that show an idle engine. */
static void wait_idle(struct peer *p)
{
    do
        assert_true(next_frame(p));
    while (p->head.type != PROTOCOL_STATS || p->stats.n_running || p->stats.n_waiting || p->stats.n_parked);
}

static void a_list_is_forced_and_ends_at_its_stop_id(void **state)
{
    struct peer p;
    struct answer a;
    const uint32_t stop_id = 2;
    struct protocol_submit m = request();
    (void)state;
    m.stop_ids = &stop_id;
    m.n_stop_ids = m.n_eos_ids = 1;
    start_ready(&p, "vocabulary=64;tokens=30,31,32;stop=2");
    submit(&p, 1, &m);
    listen_to(&p, 1, &a);
    assert_int_equal(a.n_accepted, 1);
    assert_int_equal(a.n_tokens, 3);
    assert_true(a.tokens[0] == 30 && a.tokens[1] == 31 && a.tokens[2] == 32);
    assert_int_equal(a.done.finish, PROTOCOL_FINISH_STOP);
    assert_int_equal(a.done.stop_token, 2);
    assert_int_equal(a.done.n_generated, 4);
    m.ignore_stop = true;
    submit(&p, 2, &m);
    listen_to(&p, 2, &a);
    assert_int_equal(a.done.finish, PROTOCOL_FINISH_LENGTH);
    assert_int_equal(a.n_tokens, 8);
    assert_int_equal(a.tokens[3], 2);
    stop(&p);
}

static void an_echo_repeats_the_prompt(void **state)
{
    struct peer p;
    struct answer a;
    struct protocol_submit m = request();
    (void)state;
    m.temperature = 1;
    start_ready(&p, "vocabulary=64;mode=echo");
    submit(&p, 1, &m);
    listen_to(&p, 1, &a);
    assert_int_equal(a.n_tokens, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(a.tokens[i], prompt[i % 5]);
    stop(&p);
}

static void prompt_scores_come_in_order_and_alone_when_no_output_is_wanted(void **state)
{
    struct peer p;
    struct answer a;
    struct protocol_submit m = request();
    (void)state;
    m.prompt_logprobs = 3;
    m.max_tokens = 0;
    start_ready(&p, "vocabulary=64");
    submit(&p, 1, &m);
    listen_to(&p, 1, &a);
    assert_int_equal(a.n_scores, 4);
    assert_int_equal(a.n_tokens, 0);
    assert_int_equal(a.done.finish, PROTOCOL_FINISH_LENGTH);
    assert_int_equal(a.done.n_generated, 0);
    stop(&p);
}

static void a_request_that_cannot_fit_is_refused_with_numbers(void **state)
{
    struct peer p;
    struct answer a;
    struct protocol_submit m = request();
    (void)state;
    m.max_tokens = 60;
    start_ready(&p, "vocabulary=64;pages=1");
    submit(&p, 1, &m);
    listen_to(&p, 1, &a);
    assert_int_equal(a.refused.reason, PROTOCOL_REFUSED_TOO_LONG);
    assert_string_equal(a.refused.message, "5 prompt tokens and 60 to generate are more than the 64 that fit");
    stop(&p);
}

static void a_broken_invariant_names_the_requests_of_the_step(void **state)
{
    struct peer p;
    struct answer a;
    struct protocol_submit m = request();
    (void)state;
    start_ready(&p, "vocabulary=64;fault_after=3");
    submit(&p, 41, &m);
    listen_to(&p, 41, &a);
    assert_int_equal(a.n_tokens, 2);
    assert_int_equal(a.done.finish, 0);
    assert_non_null(strstr(p.fatal.cause, "check failed"));
    assert_int_equal(p.fatal.step, 2);
    assert_int_equal(p.fatal.n_requests, 1);
    assert_int_equal(p.fatal.requests[0], 41);
    assert_int_equal(ends_with(&p), 70);
}

static void a_poison_token_acts_only_on_its_request(void **state)
{
    struct peer p;
    struct answer a, b;
    struct protocol_submit m = request(), bad = request();
    const uint32_t poisoned[] = {5, 6, 33};
    (void)state;
    bad.prompt = poisoned;
    bad.n_prompt = 3;
    start_ready(&p, "vocabulary=64;tokens=12;nan_token=33;step_us=20000");
    submit(&p, 1, &m);
    submit(&p, 2, &bad);
    listen_to(&p, 2, &b);
    assert_int_equal(b.done.finish, PROTOCOL_FINISH_ERROR);
    assert_string_equal(b.done.message, "the model's output is not finite");
    listen_to(&p, 1, &a);
    assert_int_equal(a.done.finish, PROTOCOL_FINISH_LENGTH);
    stop(&p);
    start_ready(&p, "vocabulary=64;tokens=12;exit_token=33");
    submit(&p, 1, &m);
    listen_to(&p, 1, &a);
    assert_int_equal(a.done.finish, PROTOCOL_FINISH_LENGTH);
    submit(&p, 2, &bad);
    listen_to(&p, 2, &b);
    assert_int_equal(b.n_done, 0);
    assert_int_equal(ends_with(&p), 9);
}

static void a_long_step_that_moves_gives_signs_and_one_that_hangs_gives_none(void **state)
{
    struct peer p;
    struct answer a;
    struct protocol_submit m = request();
    (void)state;
    m.max_tokens = 1;
    start_ready(&p, "vocabulary=64;step_us=1200000");
    submit(&p, 1, &m);
    listen_to(&p, 1, &a);
    assert_int_equal(a.done.finish, PROTOCOL_FINISH_LENGTH);
    assert_true(p.n_stats >= 3);
    stop(&p);

    start_ready(&p, "vocabulary=64;hang_after=1");
    submit(&p, 1, &m);
    uint64_t until = clock_now_ns(clock_real()) + 1000000000;
    while (clock_now_ns(clock_real()) < until) {
        struct pollfd poll_fd = {.fd = p.fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 100) == 1) /* what was said before the hang may still come */
            assert_true(next_frame(&p));
        assert_true(p.n_stats <= 1);
    }
    kill(p.pid, SIGKILL);
    assert_int_equal(ends_with(&p), -SIGKILL);
}

static void a_cancelled_request_gives_back_what_it_held(void **state)
{
    struct peer p;
    struct protocol_submit m = request();
    (void)state;
    m.n_choices = 4;
    m.max_tokens = 400;
    start_ready(&p, "vocabulary=64;step_us=1000");
    submit(&p, 1, &m);
    submit(&p, 2, &m);
    do
        assert_true(next_frame(&p));
    while (p.head.type != PROTOCOL_TOKENS);
    protocol_write_cancel(&p.out, EPOCH, 1, PROTOCOL_EVERY_CHOICE);
    protocol_write_cancel(&p.out, EPOCH, 2, PROTOCOL_EVERY_CHOICE);
    protocol_write_cancel(&p.out, EPOCH, 99, PROTOCOL_EVERY_CHOICE);
    send_all(&p);
    wait_idle(&p);
    assert_int_equal(p.stats.pages_held, 0);
    assert_int_equal(p.stats.pages_free + p.stats.pages_cached, p.stats.pages_total);
    assert_true(p.stats.rss_bytes > 0);
    stop(&p);
}

static void expect_fatal(struct peer *p, const char *part, int code)
{
    struct answer a;
    listen_to(p, 0, &a);
    if (!strstr(p->fatal.cause, part))
        fail_msg("cause \"%s\" does not hold \"%s\"", p->fatal.cause, part);
    assert_int_equal(ends_with(p), code);
}

static void bad_frames_end_the_engine_with_a_reason(void **state)
{
    struct peer p;
    struct protocol_submit m = request();
    (void)state;
    start(&p);
    submit(&p, 1, &m);
    expect_fatal(&p, "before configure", 74);

    m.max_tokens = 200;
    start_ready(&p, "vocabulary=64;step_us=1000");
    submit(&p, 1, &m);
    submit(&p, 1, &m);
    expect_fatal(&p, "id 1 is taken", 70);

    start_ready(&p, "vocabulary=64");
    protocol_write_stop(&p.out, EPOCH);
    memset(p.out.at, 'x', 4);
    send_all(&p);
    expect_fatal(&p, "magic", 70);

    start_ready(&p, "vocabulary=64");
    configure(&p, "vocabulary=64");
    expect_fatal(&p, "configured already", 70);

    start_ready(&p, "vocabulary=64");
    m.temperature = -1;
    submit(&p, 1, &m);
    expect_fatal(&p, "sampling field", 70);

    start_ready(&p, "vocabulary=64");
    protocol_write_accepted(&p.out, EPOCH, 1, 0);
    send_all(&p);
    expect_fatal(&p, "not for an engine", 70);

    start(&p);
    configure(&p, "vocabulary=64;speed=9");
    expect_fatal(&p, "speed", 74);
}

static void the_engine_ends_when_its_front_is_gone(void **state)
{
    struct peer p;
    struct protocol_submit m = request();
    (void)state;
    m.max_tokens = 1000;
    start_ready(&p, "vocabulary=64;step_us=1000");
    submit(&p, 1, &m);
    shutdown(p.fd, SHUT_RDWR);
    assert_int_equal(ends_with(&p), 0);
}

static void a_front_that_does_not_read_blocks_nothing_but_its_own_frames(void **state)
{
    struct peer p;
    struct answer a;
    struct protocol_submit m = request();
    (void)state;
    m.max_tokens = TOKENS_MAX;
    m.logprobs = 20;
    start_ready(&p, "vocabulary=64");
    for (uint64_t id = 1; id <= 12; id++)
        submit(&p, id, &m); /* some 1.2 MB of frames: more than the socket holds */
    usleep(300000);
    listen_to(&p, 12, &a);
    assert_int_equal(a.n_tokens, TOKENS_MAX);
    stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_forced_and_ends_at_its_stop_id),
        cmocka_unit_test(an_echo_repeats_the_prompt),
        cmocka_unit_test(prompt_scores_come_in_order_and_alone_when_no_output_is_wanted),
        cmocka_unit_test(a_request_that_cannot_fit_is_refused_with_numbers),
        cmocka_unit_test(a_broken_invariant_names_the_requests_of_the_step),
        cmocka_unit_test(a_poison_token_acts_only_on_its_request),
        cmocka_unit_test(a_long_step_that_moves_gives_signs_and_one_that_hangs_gives_none),
        cmocka_unit_test(a_cancelled_request_gives_back_what_it_held),
        cmocka_unit_test(bad_frames_end_the_engine_with_a_reason),
        cmocka_unit_test(the_engine_ends_when_its_front_is_gone),
        cmocka_unit_test(a_front_that_does_not_read_blocks_nothing_but_its_own_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
