/* The terminal chat's HTTP client against a scripted server, its addresses, and its event lines under every cutting. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/client.h"
#include "tests/support.h"

/* ---- Addresses ---------------------------------------------------------------------------------------------- */

static void urls_give_host_port_and_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *port, *prefix;
    } rows[] = {
        {"http://127.0.0.1:8000", "127.0.0.1", "8000", ""},      {"http://localhost", "localhost", "80", ""},
        {"http://localhost:9/", "localhost", "9", ""},           {"http://h:1/v1", "h", "1", ""},
        {"http://h:1/v1/", "h", "1", ""},                        {"http://h:1/a/v1", "h", "1", "/a"},
        {"http://[::1]:8000/x", "[::1]", "8000", "/x"},          {"http://[::1]", "[::1]", "80", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client = {.port = ""};
        struct error error;
        error_clear(&error);
        support_ok(client_set_url(&client, rows[i].url, &error), &error);
        assert_string_equal(client.host, rows[i].host);
        assert_string_equal(client.port, rows[i].port);
        assert_string_equal(client.prefix, rows[i].prefix);
    }
}

static void other_urls_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"", "localhost:8000", "https://h", "http://", "http://:80", "http://[::1", "http://[::1]8",
                                       "http://h:123456789"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct client client = {.port = ""};
        struct error error;
        error_clear(&error);
        assert_int_equal(client_set_url(&client, urls[i], &error), STATUS_INVALID);
        assert_non_null(strstr(error.message, "http://HOST:PORT"));
    }
}

/* ---- Replies ------------------------------------------------------------------------------------------------- */

struct script {
    int listener;
    const char *reply;
    size_t piece; /* bytes sent at once */
    bool holds;   /* keeps the connection open without sending more */
    char request[4096];
};

static void *serve_once(void *arg)
{
    struct script *s = arg;
    int fd = accept(s->listener, NULL, NULL);
    size_t n = 0;
    while (n + 1 < sizeof s->request && !strstr(s->request, "\r\n\r\n")) {
        ssize_t got = read(fd, s->request + n, sizeof s->request - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        s->request[n] = 0;
    }
    for (size_t at = 0, len = strlen(s->reply); at < len; at += s->piece) {
        size_t part = len - at < s->piece ? len - at : s->piece;
        if (send(fd, s->reply + at, part, MSG_NOSIGNAL) < 0)
            break;
    }
    char byte;
    if (s->holds)
        while (read(fd, &byte, 1) > 0)
            ;
    close(fd);
    return NULL;
}

static void collect(void *arg, struct str part)
{
    buf_add_str(arg, part);
}

static enum status ask(struct script *s, struct buf *body, unsigned *http_status, const volatile sig_atomic_t *stop, struct error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    pthread_t thread;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, n), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &n), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_once, s), 0);
    struct client client = {.host = "127.0.0.1", .key = "secret", .stop = stop};
    snprintf(client.port, sizeof client.port, "%u", ntohs(address.sin_port));
    struct client_exchange x = {.method = "GET", .path = "/x", .idle_ms_max = 400, .on_body = collect, .arg = body};
    error_clear(error);
    enum status status = client_run(&client, &x, error);
    *http_status = x.http_status;
    pthread_join(thread, NULL);
    close(s->listener);
    return status;
}

static void bodies_arrive_whole_under_every_framing_and_cutting(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world and what was not asked for",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello world",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:11\r\n\r\nhello world",
    };
    static const size_t pieces[] = {1, 2, 3, 7, 4096};
    for (size_t r = 0; r < sizeof replies / sizeof replies[0]; r++)
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            struct script script = {.reply = replies[r], .piece = pieces[p]};
            struct buf body;
            struct error error;
            unsigned http_status;
            buf_init(&body, 4096);
            support_ok(ask(&script, &body, &http_status, NULL, &error), &error);
            assert_int_equal(http_status, 200);
            assert_string_equal(buf_str(&body).at, "hello world");
            assert_non_null(strstr(script.request, "GET /x HTTP/1.1\r\n"));
            assert_non_null(strstr(script.request, "Authorization: Bearer secret\r\n"));
            buf_release(&body);
        }
}

static void broken_replies_are_errors(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "",
    };
    for (size_t r = 0; r < sizeof replies / sizeof replies[0]; r++) {
        struct script script = {.reply = replies[r], .piece = 4096};
        struct buf body;
        struct error error;
        unsigned http_status;
        buf_init(&body, 4096);
        assert_int_equal(ask(&script, &body, &http_status, NULL, &error), STATUS_IO);
        assert_true(strlen(error.message) > 0);
        buf_release(&body);
    }
}

static void silence_ends_the_exchange(void **state)
{
    (void)state;
    struct script script = {.reply = "HTTP/1.1 200 OK\r\n", .piece = 4096, .holds = true};
    struct buf body;
    struct error error;
    unsigned http_status;
    buf_init(&body, 4096);
    assert_int_equal(ask(&script, &body, &http_status, NULL, &error), STATUS_BUSY);
    buf_release(&body);
}

static void the_stop_flag_ends_the_exchange(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct script script = {.reply = "", .piece = 1};
    struct buf body;
    struct error error;
    unsigned http_status;
    buf_init(&body, 4096);
    enum status status = ask(&script, &body, &http_status, &stop, &error);
    assert_int_equal(status, STATUS_CANCELLED);
    buf_release(&body);
}

/* ---- Events -------------------------------------------------------------------------------------------------- */

static void add_line(void *arg, struct str data)
{
    buf_printf(arg, "[%.*s]", STR_ARG(data));
}

static void events_are_the_same_under_every_cutting(void **state)
{
    (void)state;
    static const char stream[] = ": comment\n\ndata: {\"a\":1}\n\nevent: x\r\ndata:no space\r\n\r\ndata: [DONE]\n\ndata: cut off";
    for (size_t cut = 0; cut + 1 < sizeof stream; cut++) {
        struct client_events events;
        struct buf out;
        buf_init(&out, 4096);
        client_events_init(&events, add_line, &out);
        client_events_add(&events, str_from(stream, cut));
        client_events_add(&events, str_from(stream + cut, sizeof stream - 1 - cut));
        assert_string_equal(buf_str(&out).at, "[{\"a\":1}][no space][[DONE]]");
        client_events_release(&events);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_give_host_port_and_prefix),
        cmocka_unit_test(other_urls_are_refused),
        cmocka_unit_test(bodies_arrive_whole_under_every_framing_and_cutting),
        cmocka_unit_test(broken_replies_are_errors),
        cmocka_unit_test(silence_ends_the_exchange),
        cmocka_unit_test(the_stop_flag_ends_the_exchange),
        cmocka_unit_test(events_are_the_same_under_every_cutting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
