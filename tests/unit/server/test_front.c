/* The front against a scripted engine. The engine child of a front is this same program started again: main() plays the engine
 * when it is called so. What it does with a submission depends on the first token of the prompt. */
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "server/front.h"
#include "server/metrics.h"
#include "server/server.h"
#include "tests/support.h"

extern char **environ;

enum { VOCABULARY = 32 };

enum behaviour {
    ANSWERS = 1,     /* accepted, two tokens, done */
    DIES_ONCE,       /* exits before a token while the marker file exists, and removes it */
    DIES_ALWAYS,
    DIES_AFTER_TOKEN,
    IS_FATAL,        /* a fatal frame that names the request, then exit 70 */
    HANGS,           /* not a sign any more */
    SENDS_GARBAGE,
    SENDS_STALE,     /* a token of another epoch first, then as ANSWERS */
    NEVER_ANSWERS,   /* keeps giving signs */
    IS_REFUSED,
};

/* ---- The engine -------------------------------------------------------------------------------------------- */

struct child {
    int fd;
    uint32_t epoch;
    char marker[256]; /* the mock script is the path of a file */
    bool chatty;
    struct buf in, out;
};

static void child_flush(struct child *c)
{
    for (size_t at = 0; at < c->out.len;) {
        ssize_t n = write(c->fd, c->out.at + at, c->out.len - at);
        if (n <= 0)
            _exit(3);
        at += (size_t)n;
    }
    buf_clear(&c->out);
}

static void child_tokens(struct child *c, uint32_t epoch, uint64_t id)
{
    struct protocol_token tokens[2] = {{.token = 7}, {.token = 8}};
    struct protocol_tokens head = {.n_tokens = 2};
    protocol_write_tokens(&c->out, epoch, id, &head, tokens);
}

static void child_answer(struct child *c, uint64_t id)
{
    struct protocol_done done = {.finish = PROTOCOL_FINISH_LENGTH, .last = true, .n_generated = 2, .n_prompt = 1};
    protocol_write_accepted(&c->out, c->epoch, id, 0);
    child_tokens(c, c->epoch, id);
    protocol_write_done(&c->out, c->epoch, id, &done);
    child_flush(c);
}

static void child_submit(struct child *c, uint64_t id, uint32_t behaviour)
{
    struct protocol_fatal fatal = {.cause = "planted", .n_requests = 1, .requests = {id}};
    struct protocol_refused refused = {.reason = PROTOCOL_REFUSED_TOO_LONG, .message = "too long"};
    switch (behaviour) {
    case DIES_ONCE:
        if (unlink(c->marker) == 0)
            _exit(1);
        break;
    case DIES_ALWAYS:
        _exit(1);
    case DIES_AFTER_TOKEN:
        child_tokens(c, c->epoch, id);
        child_flush(c);
        _exit(1);
    case IS_FATAL:
        protocol_write_fatal(&c->out, c->epoch, &fatal);
        child_flush(c);
        _exit(70);
    case HANGS:
        for (;;)
            pause();
    case SENDS_GARBAGE:
        buf_add(&c->out, "this is not a frame, it only looks as long as one would be", 58);
        child_flush(c);
        return;
    case SENDS_STALE:
        child_tokens(c, c->epoch + 9, id);
        break;
    case NEVER_ANSWERS:
        c->chatty = true;
        return;
    case IS_REFUSED:
        protocol_write_refused(&c->out, c->epoch, id, &refused);
        child_flush(c);
        return;
    }
    child_answer(c, id);
}

static void child_frame(struct child *c, const struct protocol_head *head, struct str body)
{
    struct error error;
    struct protocol_submit submit;
    static struct protocol_configure configure;
    static struct protocol_ready ready;
    c->epoch = head->epoch;
    if (head->type == PROTOCOL_STOP)
        _exit(0);
    if (head->type == PROTOCOL_CONFIGURE && protocol_read_configure(&configure, body, &error) == STATUS_OK) {
        snprintf(c->marker, sizeof c->marker, "%.*s", (int)sizeof c->marker - 1, configure.mock_script);
        ready = (struct protocol_ready){.vocabulary = VOCABULARY, .context_max = 64, .model_context = 64, .n_pages = 4,
                                        .page_tokens = 64, .max_running = 4, .numerics_version = "test"};
        protocol_write_ready(&c->out, c->epoch, &ready);
        child_flush(c);
    }
    if (head->type == PROTOCOL_SUBMIT && protocol_read_submit(&submit, body, &error) == STATUS_OK)
        child_submit(c, head->id, submit.prompt[0]);
}

static int child_main(int fd)
{
    static struct child c;
    c = (struct child){.fd = fd};
    fcntl(fd, F_SETFL, 0); /* it came non-blocking */
    buf_init(&c.in, 1 << 20);
    buf_init(&c.out, 1 << 20);
    for (char chunk[4096];;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n <= 0)
            return 0;
        buf_add(&c.in, chunk, (size_t)n);
        struct protocol_head head;
        struct error error;
        while (c.in.len >= PROTOCOL_HEAD_BYTES && protocol_read_head(&head, c.in.at, &error) == STATUS_OK &&
               c.in.len >= PROTOCOL_HEAD_BYTES + head.body_bytes) {
            _Alignas(16) static char body[1 << 16];
            check(head.body_bytes <= sizeof body);
            memcpy(body, c.in.at + PROTOCOL_HEAD_BYTES, head.body_bytes);
            child_frame(&c, &head, str_from(body, head.body_bytes));
            buf_drop_front(&c.in, PROTOCOL_HEAD_BYTES + head.body_bytes);
        }
        if (c.chatty) {
            protocol_write_stats(&c.out, c.epoch, &(struct protocol_stats){.n_running = 1});
            child_flush(&c);
        }
    }
}

/* ---- The front's side -------------------------------------------------------------------------------------- */

struct request {
    uint32_t behaviour;
    uint64_t id;
    unsigned n_tokens, n_done, n_failed, n_refused;
    char cause[128];
};

struct scenario {
    struct server server;
    struct config *config;
    struct request *requests;
    unsigned n_requests, n_ended;
    void (*when_ready)(struct scenario *s); /* instead of submitting everything */
    void (*after)(struct scenario *s);      /* when all ended; null: stop */
    struct error error;
    struct front_state state;
};

static struct scenario *current; /* the one scenario that runs: listeners have only their request */

static void stop(void *arg)
{
    (void)arg;
    kill(getpid(), SIGTERM);
}

static void ended(void)
{
    struct scenario *s = current;
    if (++s->n_ended < s->n_requests)
        return;
    if (s->after)
        s->after(s);
    else
        stop(NULL);
}

static void on_accepted(void *arg, uint32_t n_cached)
{
    (void)arg;
    (void)n_cached;
}

static void on_tokens(void *arg, struct protocol_tokens_reader *reader)
{
    struct request *r = arg;
    struct protocol_token token;
    struct error error;
    while (protocol_next_token(reader, &token, &error) == STATUS_OK)
        assert_int_equal(token.token, 7 + r->n_tokens++ % 2);
}

static void on_done(void *arg, const struct protocol_done *done)
{
    struct request *r = arg;
    r->n_done += done->last;
    ended();
}

static void on_refused(void *arg, const struct protocol_refused *refused)
{
    struct request *r = arg;
    r->n_refused++;
    snprintf(r->cause, sizeof r->cause, "%.100s", refused->message);
    ended();
}

static void on_failed(void *arg, const char *cause)
{
    struct request *r = arg;
    r->n_failed++;
    snprintf(r->cause, sizeof r->cause, "%s", cause);
    ended();
}

static const struct engine_listener listener = {on_accepted, on_tokens, on_done, on_refused, on_failed};

static uint64_t submit(struct scenario *s, struct request *r)
{
    struct protocol_submit m = {.prompt = &r->behaviour, .n_prompt = 1, .n_choices = 1, .max_tokens = 2, .top_p = 1,
                                .repetition_penalty = 1, .vocabulary = VOCABULARY, .logprobs = -1, .prompt_logprobs = -1};
    error_clear(&s->error);
    r->id = front_submit(s->server.front, &m, &listener, r, &s->error);
    return r->id;
}

static void poll_ready(void *arg)
{
    struct scenario *s = arg;
    front_read_state(s->server.front, &s->state);
    if (!s->state.ready) {
        loop_timer_start(front_loop(s->server.front), 10, poll_ready, s);
        return;
    }
    if (s->when_ready) {
        s->when_ready(s);
        return;
    }
    for (unsigned i = 0; i < s->n_requests; i++)
        assert_int_not_equal(submit(s, &s->requests[i]), 0);
}

static const char vocabulary_json[] =
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]},\"pre_tokenizer\":{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":false,\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\"},\"added_tokens\":[]}";

/* Runs the front until somebody stops it; returns its exit code. */
static int run(struct scenario *s, const char *marker)
{
    struct error error;
    char script[300], timeout[] = "--step-timeout=1", drain[] = "--drain-timeout=1", model[] = "--model=none";
    snprintf(script, sizeof script, "--mock-script=%s", marker);
    char *flags[] = {script, timeout, drain, model};
    char *environment[] = {NULL};
    support_ok(config_load(&s->config, NULL, environment, 4, flags, &error), &error);
    s->server.config = s->config;
    support_ok(tokenizer_from_json(&s->server.text.tokenizer, str_of(vocabulary_json), str_of(""), "test", &error), &error);
    s->server.metrics = metrics_create();
    assert_non_null(s->server.metrics);
    support_ok(front_create(&s->server.front, &s->server, environ, &error), &error);
    loop_timer_start(front_loop(s->server.front), 10, poll_ready, s);
    current = s;
    int code = front_run(s->server.front);
    front_read_state(s->server.front, &s->state);
    front_free(s->server.front);
    metrics_free(s->server.metrics);
    tokenizer_free(s->server.text.tokenizer);
    config_free(s->config);
    return code;
}

/* ---- Tests ------------------------------------------------------------------------------------------------- */

static void requests_are_answered_and_the_front_stops_cleanly(void **state)
{
    struct request r[3] = {{.behaviour = ANSWERS}, {.behaviour = SENDS_STALE}, {.behaviour = IS_REFUSED}};
    struct scenario s = {.requests = r, .n_requests = 3};
    (void)state;
    assert_int_equal(run(&s, ""), 0);
    assert_int_equal(r[0].n_tokens, 2);
    assert_int_equal(r[0].n_done, 1);
    assert_int_equal(r[1].n_tokens, 2); /* the token of another epoch was dropped */
    assert_int_equal(r[2].n_refused, 1);
    assert_string_equal(r[2].cause, "too long");
    assert_int_equal(s.state.engine_restarts, 0);
}

static void work_without_a_token_survives_the_engine(void **state)
{
    struct request r[2] = {{.behaviour = DIES_ONCE}, {.behaviour = ANSWERS}};
    struct scenario s = {.requests = r, .n_requests = 2};
    (void)state;
    const char *folder = support_temp_dir();
    char marker[256];
    snprintf(marker, sizeof marker, "%s/marker", folder);
    support_write_file(marker, "x", 1);
    assert_int_equal(run(&s, marker), 0);
    support_remove_dir(folder);
    assert_int_equal(s.state.engine_restarts, 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(r[i].n_done, 1);
        assert_int_equal(r[i].n_tokens, 2);
        assert_int_equal(r[i].n_failed, 0);
    }
}

static void work_with_a_token_fails_when_the_engine_dies(void **state)
{
    struct request r[1] = {{.behaviour = DIES_AFTER_TOKEN}};
    struct scenario s = {.requests = r, .n_requests = 1};
    (void)state;
    assert_int_equal(run(&s, ""), 0);
    assert_int_equal(r[0].n_tokens, 2);
    assert_int_equal(r[0].n_failed, 1);
    assert_non_null(strstr(r[0].cause, "restarted"));
}

static void work_that_always_kills_the_engine_is_given_up(void **state)
{
    struct request r[1] = {{.behaviour = DIES_ALWAYS}};
    struct scenario s = {.requests = r, .n_requests = 1};
    (void)state;
    assert_int_equal(run(&s, ""), 0);
    assert_int_equal(r[0].n_failed, 1);
    assert_int_equal(s.state.engine_restarts, 3);
}

static unsigned n_rounds;

static void submit_again_when_ready(void *arg)
{
    poll_ready(arg);
}

static void fatal_round(struct scenario *s)
{
    n_rounds++;
    s->n_ended = 0;
    if (submit(s, &s->requests[0]))
        return;
    assert_string_equal(s->error.code, "internal_error");
    stop(NULL);
}

static void wait_for_next_round(struct scenario *s)
{
    loop_timer_start(front_loop(s->server.front), 200, submit_again_when_ready, s);
}

static void a_request_in_two_fatal_plans_is_refused(void **state)
{
    struct request r[1] = {{.behaviour = IS_FATAL}};
    struct scenario s = {.requests = r, .n_requests = 1, .when_ready = fatal_round, .after = wait_for_next_round};
    (void)state;
    n_rounds = 0;
    assert_int_equal(run(&s, ""), 0);
    assert_int_equal(n_rounds, 3);
    assert_int_equal(r[0].n_failed, 2);
    assert_int_equal(s.state.engine_restarts, 2);
}

static void a_silent_or_broken_engine_is_killed_and_replaced(void **state)
{
    static const uint32_t behaviours[] = {HANGS, SENDS_GARBAGE};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct request r[1] = {{.behaviour = behaviours[i]}};
        struct scenario s = {.requests = r, .n_requests = 1};
        assert_int_equal(run(&s, ""), 0);
        assert_int_equal(r[0].n_failed, 1);
        assert_int_equal(s.state.engine_restarts, 3); /* resubmitted while nothing had come of it */
    }
}

static void cancel_and_stop(void *arg)
{
    struct scenario *s = arg;
    front_cancel(s->server.front, s->requests[0].id);
    front_cancel(s->server.front, s->requests[0].id); /* unknown by now: nothing happens */
    stop(NULL);
}

static void submit_and_cancel(struct scenario *s)
{
    assert_int_not_equal(submit(s, &s->requests[0]), 0);
    loop_timer_start(front_loop(s->server.front), 30, cancel_and_stop, s);
}

static void a_cancelled_request_hears_nothing_more(void **state)
{
    struct request r[1] = {{.behaviour = NEVER_ANSWERS}};
    struct scenario s = {.requests = r, .n_requests = 1, .when_ready = submit_and_cancel};
    (void)state;
    assert_int_equal(run(&s, ""), 0);
    assert_int_equal(r[0].n_done + r[0].n_failed + r[0].n_refused + r[0].n_tokens, 0);
}

static void submit_while_draining(void *arg)
{
    struct scenario *s = arg;
    struct request late = {.behaviour = ANSWERS};
    assert_int_equal(submit(s, &late), 0);
    assert_string_equal(s->error.code, "draining");
}

static void submit_and_drain(struct scenario *s)
{
    assert_int_not_equal(submit(s, &s->requests[0]), 0);
    stop(NULL);
    loop_timer_start(front_loop(s->server.front), 50, submit_while_draining, s);
}

static void a_drain_refuses_new_work_and_ends_old_work_in_time(void **state)
{
    struct request r[1] = {{.behaviour = NEVER_ANSWERS}};
    struct scenario s = {.requests = r, .n_requests = 1, .when_ready = submit_and_drain, .after = wait_for_next_round};
    (void)state;
    assert_int_equal(run(&s, ""), 0);
    assert_int_equal(r[0].n_failed, 1);
    assert_non_null(strstr(r[0].cause, "shutting down"));
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "engine") == 0)
        return child_main(3);
    if (sodium_init() < 0)
        return 1;
    log_set(LOG_LEVEL_ERROR + 1, false, "test");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_and_the_front_stops_cleanly),
        cmocka_unit_test(work_without_a_token_survives_the_engine),
        cmocka_unit_test(work_with_a_token_fails_when_the_engine_dies),
        cmocka_unit_test(work_that_always_kills_the_engine_is_given_up),
        cmocka_unit_test(a_request_in_two_fatal_plans_is_refused),
        cmocka_unit_test(a_silent_or_broken_engine_is_killed_and_replaced),
        cmocka_unit_test(a_cancelled_request_hears_nothing_more),
        cmocka_unit_test(a_drain_refuses_new_work_and_ends_old_work_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
