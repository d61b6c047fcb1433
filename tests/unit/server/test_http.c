/* The HTTP layer over real sockets, with handlers of the test's own: life and end of exchanges, departures, slow readers, deadlines,
 * stopping. The body of a chat request says what its handler does. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/front.h"
#include "server/http.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/metrics.h"
#include "server/server.h"
#include "tests/support.h"

enum { REPLY_MAX = 64 << 20, LINE_BYTES = 64, FLAGS_MAX = 24 };

/* ---- Handlers ---------------------------------------------------------------------------------------------- */

/* What a chat request's work is while the exchange lives. */
struct work {
    struct exchange *exchange;
    uint64_t timer;
    unsigned at, n, burst; /* lines written, in all, and a millisecond */
};

static struct fixture {
    struct loop loop;
    struct server server;
    struct config *config;
    struct listen_set listen;
    struct auth *auth;
    pthread_t main_thread;
    uv_async_t stop;
    atomic_bool started;
    unsigned port;
    atomic_uint n_begun, n_gone, n_released, n_off_main, n_refused_writes;
} f;

static void note_thread(void)
{
    if (!pthread_equal(pthread_self(), f.main_thread))
        f.n_off_main++;
}

static void release_work(void *data)
{
    mem_free(data);
    f.n_released++;
}

static void on_gone(struct exchange *e)
{
    struct work *w = exchange_data(e);
    note_thread();
    f.n_gone++;
    if (w->timer)
        loop_timer_stop(&f.loop, w->timer);
    exchange_abandon(e);
}

static struct work *begin_work(struct exchange *e)
{
    struct work *w = mem_zalloc(sizeof *w);
    assert_non_null(w);
    w->exchange = e;
    f.n_begun++;
    note_thread();
    exchange_set_data(e, w, release_work);
    exchange_on_gone(e, on_gone);
    return w;
}

static unsigned number_in(const struct exchange *e)
{
    struct str body = exchange_request(e)->body;
    const char *space = memchr(body.at, ' ', body.len);
    return space ? (unsigned)strtoul(space, NULL, 10) : 0;
}

static void reply_text(struct exchange *e, struct str text)
{
    struct buf body;
    buf_init(&body, REPLY_MAX);
    buf_add_str(&body, text);
    exchange_reply(e, 200, "text/plain", &body, "x-test: yes\r\n");
}

static void fire_reply(void *arg)
{
    struct work *w = arg;
    reply_text(w->exchange, str_of("late"));
}

/* "late MS", "wait MS": a whole reply after so many milliseconds. */
static void step_late(struct exchange *e)
{
    struct work *w = begin_work(e);
    w->timer = loop_timer_start(&f.loop, number_in(e), fire_reply, w);
}

static void fire_line(void *arg)
{
    struct work *w = arg;
    char line[LINE_BYTES];
    w->timer = 0;
    for (unsigned i = 0; i < w->burst && w->at < w->n; i++) {
        snprintf(line, sizeof line, "data: line %u\n\n", w->at++);
        if (!exchange_stream_write(w->exchange, str_of(line))) {
            f.n_refused_writes++;
            return; /* the gone call follows */
        }
    }
    if (w->at == w->n)
        exchange_stream_end(w->exchange);
    else
        w->timer = loop_timer_start(&f.loop, 1, fire_line, w);
}

/* "stream N" lines at an even pace, "flood N" of them as fast as can be */
static void step_stream(struct exchange *e)
{
    struct work *w = begin_work(e);
    w->n = number_in(e);
    w->burst = str_starts(exchange_request(e)->body, str_of("flood")) ? 10000 : 16;
    exchange_stream_begin(e, "text/event-stream; charset=utf-8");
    fire_line(w);
}

void api_chat(struct exchange *e)
{
    struct str body = exchange_request(e)->body;
    if (str_starts(body, str_of("late "))) {
        exchange_set_form(e, EXCHANGE_WHOLE);
        exchange_to_main(e, step_late);
    } else if (str_starts(body, str_of("stream ")) || str_starts(body, str_of("flood "))) {
        exchange_set_form(e, EXCHANGE_STREAMED);
        exchange_to_main(e, step_stream);
    } else {
        reply_text(e, body);
    }
}

void api_models(struct exchange *e)
{
    reply_text(e, str_of("models"));
}

#define OTHER(name)                                                \
    void name(struct exchange *exchange)                           \
    {                                                              \
        reply_text(exchange, exchange_request(exchange)->path_tail); \
    }
OTHER(api_completions)
OTHER(api_responses)
OTHER(api_input_tokens)
OTHER(api_messages)
OTHER(api_count_tokens)
OTHER(api_ollama_chat)
OTHER(api_ollama_generate)
OTHER(api_balance)
OTHER(api_embeddings)
OTHER(api_ollama_embed)
OTHER(api_predict)
OTHER(api_completion)
OTHER(api_infill)
OTHER(api_props)
OTHER(api_slots)
OTHER(api_tokenize)
OTHER(api_detokenize)
OTHER(api_apply_template)
OTHER(api_model)
OTHER(api_health)
OTHER(api_live)
OTHER(api_ready)
OTHER(api_ping)
OTHER(api_metrics)
OTHER(api_openapi)
OTHER(api_version)
OTHER(api_banner)

/* ---- The server -------------------------------------------------------------------------------------------- */

static void on_stop(uv_async_t *async)
{
    uv_stop(async->loop);
}

static void *run_main(void *arg)
{
    struct error error;
    (void)arg;
    error_clear(&error);
    f.main_thread = pthread_self();
    loop_open(&f.loop);
    uv_async_init(&f.loop.uv, &f.stop, on_stop);
    support_ok(http_start(&f.server.http, &f.server, &f.loop, f.listen.fds, f.listen.n, &error), &error);
    f.started = true;
    uv_run(&f.loop.uv, UV_RUN_DEFAULT);
    http_stop(f.server.http);
    uv_close((uv_handle_t *)&f.stop, NULL);
    loop_close(&f.loop);
    http_free(f.server.http); /* checks that no exchange is left */
    return NULL;
}

static void sleep_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

static pthread_t thread;

/* Starts a server with these flags of serve. */
static void start(int n_flags, char **flags)
{
    static char *nothing[] = {NULL};
    struct error error;
    error_clear(&error);
    memset(&f, 0, sizeof f);
    support_ok(config_load(&f.config, NULL, nothing, n_flags, flags, &error), &error);
    support_ok(auth_create(&f.auth, f.config, &error), &error);
    support_ok(listen_open(&f.listen, "127.0.0.1", 0, false, &error), &error);
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(f.listen.fds[0], (struct sockaddr *)&address, &len), 0);
    f.port = ntohs(address.sin_port);
    f.server.config = f.config;
    f.server.auth = f.auth;
    f.server.metrics = metrics_create();
    f.server.loopback = true;
    assert_int_equal(pthread_create(&thread, NULL, run_main, NULL), 0);
    while (!f.started)
        sleep_ms(1);
}

static void stop(void)
{
    uv_async_send(&f.stop);
    pthread_join(thread, NULL);
    assert_int_equal(f.n_off_main, 0);
    assert_int_equal(metrics_exchanges_now(f.server.metrics), 0);
    listen_close(&f.listen);
    auth_free(f.auth);
    metrics_free(f.server.metrics);
    config_free(f.config);
}

static bool metric_is(const char *line)
{
    struct front_state state = {0};
    struct buf page;
    buf_init(&page, 1 << 20);
    metrics_write(f.server.metrics, &state, &page);
    bool found = str_find(buf_str(&page), str_of(line)) >= 0;
    buf_release(&page);
    return found;
}

static void wait_until(atomic_uint *count, unsigned want)
{
    for (unsigned i = 0; *count < want && i < 5000; i++)
        sleep_ms(2);
    assert_int_equal(*count, want);
}

static void wait_for_no_exchange(void)
{
    for (unsigned i = 0; metrics_exchanges_now(f.server.metrics) && i < 5000; i++)
        sleep_ms(2);
    assert_int_equal(metrics_exchanges_now(f.server.metrics), 0);
}

/* ---- Clients ----------------------------------------------------------------------------------------------- */

static int dial(int receive_buffer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f.port)};
    struct timeval limit = {20, 0};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void post(int fd, const char *body, const char *more)
{
    char head[512];
    snprintf(head, sizeof head, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s"
             "Content-Length: %zu\r\n\r\n", more, strlen(body));
    put(fd, head);
    put(fd, body);
}

/* Reads to the end, or until `until` was seen. The caller releases. */
static void take(int fd, struct buf *out, const char *until)
{
    char part[16384];
    while (!until || str_find(buf_str(out), str_of(until)) < 0) {
        ssize_t n = read(fd, part, sizeof part);
        if (n <= 0) {
            assert_true(n == 0 || errno == ECONNRESET);
            break;
        }
        support_ok(buf_add(out, part, (size_t)n), NULL);
    }
}

static bool has(const struct buf *text, const char *what)
{
    return str_find(buf_str(text), str_of(what)) >= 0;
}

static void leave_with_a_reset(int fd)
{
    struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* ---- Tests ------------------------------------------------------------------------------------------------- */

static void whole_replies_carry_their_headers_and_the_connection_lives_on(void **state)
{
    struct buf got;
    char seen[64] = "";
    (void)state;
    start(0, NULL);
    int fd = dial(0);
    for (unsigned i = 0; i < 3; i++) {
        buf_init(&got, REPLY_MAX);
        post(fd, "echo me", "");
        take(fd, &got, "echo me");
        assert_true(str_starts(buf_str(&got), str_of("HTTP/1.1 200 OK\r\n")));
        assert_true(has(&got, "\r\nContent-Length: 7\r\n") && has(&got, "\r\nDate: ") && has(&got, "\r\nx-test: yes\r\n"));
        assert_true(has(&got, "\r\nContent-Type: text/plain\r\n"));
        const char *id = strstr(got.at, "x-request-id: req_");
        assert_non_null(id);
        assert_int_not_equal(strncmp(id, seen, 40), 0);
        snprintf(seen, sizeof seen, "%.40s", id);
        buf_release(&got);
    }
    close(fd);
    stop();
}

/* The body of a reply that was read to its end. */
static void body_of(const struct buf *got, struct buf *out, bool chunked)
{
    const char *at = strstr(got->at, "\r\n\r\n") + 4, *end = got->at + got->len;
    buf_init(out, REPLY_MAX);
    if (!chunked) {
        support_ok(buf_add(out, at, (size_t)(end - at)), NULL);
        return;
    }
    for (char *next;; at = next) {
        size_t n = strtoul(at, &next, 16);
        assert_memory_equal(next, "\r\n", 2);
        next += 2;
        assert_true(n + 2 <= (size_t)(end - next));
        support_ok(buf_add(out, next, n), NULL);
        next += n;
        assert_memory_equal(next, "\r\n", 2);
        next += 2;
        if (n == 0) {
            assert_ptr_equal(next, end);
            return;
        }
    }
}

static void streams_arrive_whole_and_in_order(void **state)
{
    struct buf got, body, want;
    (void)state;
    buf_init(&want, REPLY_MAX);
    for (unsigned i = 0; i < 999; i++)
        support_ok(buf_printf(&want, "data: line %u\n\n", i), NULL);
    start(0, NULL);
    for (unsigned old = 0; old < 2; old++) {
        int fd = dial(0);
        buf_init(&got, REPLY_MAX);
        if (old)
            put(fd, "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\nstream 999");
        else
            post(fd, "stream 999", "Connection: close\r\n");
        take(fd, &got, NULL);
        assert_int_equal(has(&got, "Transfer-Encoding: chunked"), !old);
        assert_true(has(&got, "Content-Type: text/event-stream; charset=utf-8\r\n") && has(&got, "Cache-Control: no-cache\r\n"));
        body_of(&got, &body, !old);
        assert_int_equal(body.len, want.len);
        assert_memory_equal(body.at, want.at, want.len);
        buf_release(&body);
        buf_release(&got);
        close(fd);
    }
    wait_until(&f.n_released, 2);
    assert_int_equal(f.n_gone, 0);
    buf_release(&want);
    stop();
}

static void a_reset_is_told_once_on_the_main_thread(void **state)
{
    struct buf got;
    (void)state;
    start(0, NULL);
    int fd = dial(0);
    post(fd, "late 60000", "");
    sleep_ms(50);
    leave_with_a_reset(fd);
    wait_until(&f.n_gone, 1);
    fd = dial(0);
    buf_init(&got, REPLY_MAX);
    post(fd, "stream 1000000", "");
    take(fd, &got, "line 20");
    buf_release(&got);
    leave_with_a_reset(fd);
    wait_until(&f.n_gone, 2);
    wait_for_no_exchange();
    assert_int_equal(f.n_released, 2);
    assert_true(metric_is("seekd_requests_aborted_total 2"));
    stop();
}

static void a_shut_sending_side_ends_a_whole_reply_but_not_a_stream(void **state)
{
    struct buf got;
    (void)state;
    start(0, NULL);
    int fd = dial(0);
    post(fd, "late 60000", "");
    shutdown(fd, SHUT_WR);
    wait_until(&f.n_gone, 1);
    close(fd);

    fd = dial(0);
    buf_init(&got, REPLY_MAX);
    post(fd, "stream 5000", "");
    shutdown(fd, SHUT_WR);
    take(fd, &got, NULL);
    assert_true(has(&got, ": keep-alive\n\n") && has(&got, "line 4999\n") && str_ends(buf_str(&got), str_of("\r\n0\r\n\r\n")));
    assert_int_equal(f.n_gone, 1);
    buf_release(&got);
    close(fd);
    wait_for_no_exchange();
    stop();
}

static void keepalive_nonstream_keeps_half_closed_clients(void **state)
{
    char *flags[] = {"--keepalive-nonstream"};
    struct buf got;
    (void)state;
    start(1, flags);
    int fd = dial(0);
    buf_init(&got, REPLY_MAX);
    post(fd, "late 300", "");
    shutdown(fd, SHUT_WR);
    take(fd, &got, NULL);
    assert_true(has(&got, "\r\n\r\nlate"));
    buf_release(&got);
    close(fd);
    stop();
}

static void a_slow_reader_is_dropped_at_its_buffer(void **state)
{
    char *flags[] = {"--stream-buffer-bytes", "65536"};
    (void)state;
    start(2, flags);
    int fd = dial(4096);
    post(fd, "flood 100000000", "");
    wait_until(&f.n_gone, 1); /* it never reads */
    assert_int_equal(f.n_refused_writes, 1);
    wait_for_no_exchange();
    assert_true(metric_is("seekd_slow_readers_total 1"));
    close(fd);
    stop();
}

static void deadlines_end_unfinished_requests_only(void **state)
{
    char *flags[] = {"--header-timeout", "1", "--body-timeout", "1", "--idle-timeout", "2"};
    struct buf got;
    (void)state;
    start(6, flags);
    int silent = dial(0), head = dial(0), body = dial(0), late = dial(0), second = dial(0);
    put(head, "GET /v1/mod");
    post(late, "late 3000", "Connection: close\r\n");
    put(body, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\nhalf");
    post(second, "late 3000", "");
    put(second, "GET /v1/mod"); /* waits for the first answer, not for its own end */
    uint64_t from = clock_now_ns(clock_real());
    const struct {
        int fd;
        const char *wants;
    } rows[] = {{silent, ""}, {head, "HTTP/1.1 408 "}, {body, "HTTP/1.1 408 "}, {late, "\r\n\r\nlate"}, {second, "\r\n\r\nlate"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_init(&got, REPLY_MAX);
        take(rows[i].fd, &got, NULL);
        if (!has(&got, rows[i].wants))
            print_message("connection %zu got: %.*s\n", i, STR_ARG(buf_str(&got)));
        assert_true(has(&got, rows[i].wants));
        assert_int_equal(i == 0, got.len == 0);
        if (i < 3)
            assert_true(clock_now_ns(clock_real()) - from < 2900000000u);
        buf_release(&got);
        close(rows[i].fd);
    }
    assert_int_equal(f.n_gone, 0);
    stop();
}

static void a_key_has_only_so_many_requests_at_once(void **state)
{
    char *flags[] = {"--api-key", "k", "--key-concurrency", "1"};
    static const char auth[] = "Authorization: Bearer k\r\nConnection: close\r\n";
    struct buf got;
    (void)state;
    start(4, flags);
    int first = dial(0), second = dial(0);
    post(first, "late 1000", auth);
    sleep_ms(100);
    buf_init(&got, REPLY_MAX);
    post(second, "echo", auth);
    take(second, &got, NULL);
    assert_true(has(&got, "HTTP/1.1 429 ") && has(&got, "Retry-After: 1\r\n") && has(&got, "rate_limit_exceeded"));
    buf_clear(&got);
    take(first, &got, NULL);
    assert_true(has(&got, "\r\n\r\nlate"));
    close(second);
    second = dial(0);
    buf_clear(&got);
    post(second, "echo", auth);
    take(second, &got, NULL);
    assert_true(has(&got, "HTTP/1.1 200 "));
    buf_release(&got);
    close(first);
    close(second);
    stop();
}

static void bodies_held_at_once_are_limited(void **state)
{
    enum { BODY = 200000 };
    char *flags[] = {"--intake-bytes-max", "100000"}, *body = malloc(BODY + 1);
    struct buf got;
    (void)state;
    assert_non_null(body);
    memset(body, 'x', BODY);
    body[BODY] = 0;
    start(2, flags);
    for (unsigned i = 0; i < 3; i++) { /* what was charged is given back */
        int fd = dial(0);
        buf_init(&got, REPLY_MAX);
        post(fd, i == 1 ? "small" : body, "Connection: close\r\n");
        take(fd, &got, NULL);
        assert_true(has(&got, i == 1 ? "HTTP/1.1 200 " : "HTTP/1.1 503 "));
        buf_release(&got);
        close(fd);
    }
    wait_for_no_exchange();
    stop();
    free(body);
}

static void stopping_wakes_and_ends_everything(void **state)
{
    int fds[6];
    struct buf got;
    (void)state;
    start(0, NULL);
    for (unsigned i = 0; i < 6; i++) {
        fds[i] = dial(0);
        if (i < 2)
            post(fds[i], "late 60000", "");
        else if (i < 4)
            post(fds[i], "stream 100000000", "");
        else
            put(fds[i], i == 4 ? "POST /v1/chat/comp" : "");
    }
    sleep_ms(100);
    stop();
    assert_int_equal(f.n_gone, 4);
    assert_int_equal(f.n_released, 4);
    for (unsigned i = 0; i < 6; i++) {
        buf_init(&got, REPLY_MAX);
        take(fds[i], &got, NULL); /* ends */
        assert_false(str_ends(buf_str(&got), str_of("\r\n0\r\n\r\n"))); /* no stream looks complete that is not */
        buf_release(&got);
        close(fds[i]);
    }
}

/* Clients that leave about when their reply is due, by reset, end of input, or after all of it: each exchange ends once. */
static void departures_race_the_natural_end(void **state)
{
    enum { ROUNDS = 400 };
    struct rng rng = rng_seeded(11);
    char body[32], drop[4096];
    (void)state;
    start(0, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        int fd = dial(0);
        snprintf(body, sizeof body, rng_below(&rng, 2) ? "late %u" : "stream %u", rng_below(&rng, 6));
        post(fd, body, "");
        sleep_ms(rng_below(&rng, 7));
        switch (rng_below(&rng, 3)) {
        case 0:
            leave_with_a_reset(fd);
            break;
        case 1:
            shutdown(fd, SHUT_WR);
            while (read(fd, drop, sizeof drop) > 0) {
            }
            close(fd);
            break;
        default:
            close(fd);
        }
    }
    wait_for_no_exchange();
    stop();
    assert_true(f.n_begun > 0 && f.n_begun <= ROUNDS); /* a reset may take a request along before it is read */
    assert_int_equal(f.n_released, f.n_begun);
    assert_true(f.n_gone > 0 && f.n_gone <= f.n_begun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_replies_carry_their_headers_and_the_connection_lives_on),
        cmocka_unit_test(streams_arrive_whole_and_in_order),
        cmocka_unit_test(a_reset_is_told_once_on_the_main_thread),
        cmocka_unit_test(a_shut_sending_side_ends_a_whole_reply_but_not_a_stream),
        cmocka_unit_test(keepalive_nonstream_keeps_half_closed_clients),
        cmocka_unit_test(a_slow_reader_is_dropped_at_its_buffer),
        cmocka_unit_test(deadlines_end_unfinished_requests_only),
        cmocka_unit_test(a_key_has_only_so_many_requests_at_once),
        cmocka_unit_test(bodies_held_at_once_are_limited),
        cmocka_unit_test(stopping_wakes_and_ends_everything),
        cmocka_unit_test(departures_race_the_natural_end),
    };
    log_set(LOG_LEVEL_ERROR, false, "test");
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
