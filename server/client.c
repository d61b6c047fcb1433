/* One connection per request: send, then read head and body as they come. Nothing is shared between
 * requests but the address. */
#include "server/client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_BYTES_MAX = 64 << 10, EVENT_BYTES_MAX = 16 << 20, HEADERS_MAX = 256, READ_BYTES = 64 << 10, SLICE_MS = 100 };

/* ---- Address ----------------------------------------------------------------------------------------------- */

static bool copy_part(char *out, size_t out_bytes, const char *at, size_t n)
{
    if (n >= out_bytes)
        return false;
    memcpy(out, at, n);
    out[n] = 0;
    return true;
}

static bool split_authority(struct client *client, const char *at, size_t n)
{
    const char *host_end = NULL;
    if (*at == '[') {
        host_end = memchr(at, ']', n);
        if (!host_end)
            return false;
        host_end++;
    } else {
        host_end = memchr(at, ':', n);
    }
    size_t host_len = host_end ? (size_t)(host_end - at) : n;
    snprintf(client->port, sizeof client->port, "80");
    if (host_len < n && (at[host_len] != ':' || !copy_part(client->port, sizeof client->port, at + host_len + 1, n - host_len - 1)))
        return false;
    return host_len > 0 && copy_part(client->host, sizeof client->host, at, host_len);
}

enum status client_set_url(struct client *client, const char *url, struct error *error)
{
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return error_set(error, STATUS_INVALID, "--url: expected http://HOST:PORT, found %s", url);
    const char *at = url + sizeof scheme - 1;
    size_t n = strcspn(at, "/");
    const char *prefix = at + n;
    size_t prefix_len = strlen(prefix);
    while (prefix_len && prefix[prefix_len - 1] == '/')
        prefix_len--;
    if (prefix_len >= 3 && memcmp(prefix + prefix_len - 3, "/v1", 3) == 0)
        prefix_len -= 3;
    if (!split_authority(client, at, n) || !copy_part(client->prefix, sizeof client->prefix, prefix, prefix_len))
        return error_set(error, STATUS_INVALID, "--url: expected http://HOST:PORT, found %s", url);
    return STATUS_OK;
}

/* ---- Connection -------------------------------------------------------------------------------------------- */

/* Waits for the socket in slices, so that the stop flag is seen. */
static enum status await(const struct client *client, int fd, short what, unsigned ms_max, struct error *error)
{
    uint64_t begin = clock_now_ns(clock_real());
    for (;;) {
        if (client->stop && *client->stop)
            return error_set(error, STATUS_CANCELLED, "stopped");
        struct pollfd p = {.fd = fd, .events = what};
        int n = poll(&p, 1, SLICE_MS);
        if (n > 0)
            return STATUS_OK;
        if (n < 0 && errno != EINTR)
            return error_set(error, STATUS_IO, "poll: %s", strerror(errno));
        if (clock_now_ns(clock_real()) - begin > (uint64_t)ms_max * 1000000)
            return error_set(error, STATUS_BUSY, "%s:%s did not answer for %u s", client->host, client->port, ms_max / 1000);
    }
}

static enum status try_address(const struct client *client, const struct addrinfo *a, unsigned ms_max, int *out, struct error *error)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return error_set(error, STATUS_IO, "socket: %s", strerror(errno));
    int cause = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    enum status status = STATUS_OK;
    if (cause == EINPROGRESS) {
        socklen_t n = sizeof cause;
        status = await(client, fd, POLLOUT, ms_max, error);
        if (!status && getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &n) != 0)
            cause = errno;
    }
    if (!status && cause)
        status = error_set(error, STATUS_BUSY, "%s:%s: %s", client->host, client->port, strerror(cause));
    if (status)
        close(fd);
    else
        *out = fd;
    return status;
}

static enum status open_connection(const struct client *client, unsigned ms_max, int *out, struct error *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    char host[CLIENT_HOST_BYTES];
    size_t n = strlen(client->host);
    bool bracketed = client->host[0] == '[';
    copy_part(host, sizeof host, client->host + bracketed, n - 2 * bracketed);
    int code = getaddrinfo(host, client->port, &hints, &found);
    if (code)
        return error_set(error, STATUS_INVALID, "%s:%s: %s", client->host, client->port, gai_strerror(code));
    enum status status = STATUS_BUSY;
    for (const struct addrinfo *a = found; a && status; a = a->ai_next) {
        status = try_address(client, a, ms_max, out, error);
        if (status == STATUS_CANCELLED)
            break;
    }
    freeaddrinfo(found);
    return status;
}

static enum status send_all(const struct client *client, int fd, struct str data, unsigned ms_max, struct error *error)
{
    while (data.len) {
        ssize_t n = send(fd, data.at, data.len, MSG_NOSIGNAL);
        if (n >= 0) {
            data = str_skip(data, (size_t)n);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return error_set(error, STATUS_IO, "%s:%s: %s", client->host, client->port, strerror(errno));
        enum status status = await(client, fd, POLLOUT, ms_max, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status send_request(const struct client *client, int fd, const struct client_exchange *x, struct error *error)
{
    struct buf head;
    buf_init(&head, LINE_BYTES_MAX);
    buf_printf(&head, "%s %s%s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\nAccept: */*\r\n", x->method, client->prefix, x->path,
               client->host, client->port);
    if (*client->key)
        buf_printf(&head, "Authorization: Bearer %s\r\n", client->key);
    if (x->body.len)
        buf_printf(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", x->body.len);
    buf_add_text(&head, "\r\n");
    enum status status = buf_status(&head);
    if (status)
        error_set(error, status, "the request's head is too long");
    else
        status = send_all(client, fd, buf_str(&head), x->idle_ms_max, error);
    if (!status)
        status = send_all(client, fd, x->body, x->idle_ms_max, error);
    buf_release(&head);
    return status;
}

/* ---- Reply ------------------------------------------------------------------------------------------------- */

enum part { PART_STATUS, PART_HEADERS, PART_SIZED, PART_TO_CLOSE, PART_CHUNK_SIZE, PART_CHUNK, PART_CHUNK_END, PART_TRAILERS, PART_DONE };

struct reply {
    enum part part;
    struct buf line; /* the line being read */
    unsigned n_headers;
    bool chunked, sized;
    uint64_t left; /* of the sized body or the chunk */
    struct client_exchange *exchange;
};

static enum status broken(const char *what, struct error *error)
{
    return error_set(error, STATUS_IO, "the reply is not HTTP: %s", what);
}

static enum part part_after_headers(const struct reply *r)
{
    if (r->exchange->http_status < 200)
        return PART_STATUS;
    if (r->chunked)
        return PART_CHUNK_SIZE;
    if (!r->sized)
        return PART_TO_CLOSE;
    return r->left ? PART_SIZED : PART_DONE;
}

static void take_header(struct reply *r, const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon)
        return;
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t n = (size_t)(colon - line);
    if (n == 17 && strncasecmp(line, "transfer-encoding", n) == 0)
        r->chunked = strcasecmp(value, "chunked") == 0;
    if (n == 14 && strncasecmp(line, "content-length", n) == 0) {
        r->sized = true;
        r->left = strtoull(value, NULL, 10);
    }
    if (n == 11 && strncasecmp(line, "retry-after", n) == 0)
        r->exchange->retry_after_s = (unsigned)strtoul(value, NULL, 10);
}

static enum status take_line(struct reply *r, const char *line, struct error *error)
{
    char *end;
    switch (r->part) {
    case PART_STATUS:
        if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12)
            return broken("no status line", error);
        r->exchange->http_status = (unsigned)strtoul(line + 9, NULL, 10);
        r->n_headers = 0;
        r->part = PART_HEADERS;
        return STATUS_OK;
    case PART_HEADERS:
        if (!*line)
            r->part = part_after_headers(r);
        else if (++r->n_headers > HEADERS_MAX)
            return broken("too many header fields", error);
        else
            take_header(r, line);
        return STATUS_OK;
    case PART_CHUNK_SIZE:
        r->left = strtoull(line, &end, 16);
        if (end == line)
            return broken("a chunk without a size", error);
        r->part = r->left ? PART_CHUNK : PART_TRAILERS;
        return STATUS_OK;
    case PART_CHUNK_END:
        r->part = PART_CHUNK_SIZE;
        return STATUS_OK;
    default:
        if (!*line)
            r->part = PART_DONE;
        return STATUS_OK;
    }
}

/* Adds bytes up to the line's end; a whole line is taken. Returns how many bytes were used. */
static enum status add_to_line(struct reply *r, struct str *in, struct error *error)
{
    const char *newline = memchr(in->at, '\n', in->len);
    size_t n = newline ? (size_t)(newline - in->at) : in->len;
    if (buf_add(&r->line, in->at, n) != STATUS_OK)
        return broken("a line is too long", error);
    *in = str_skip(*in, n + (newline != NULL));
    if (!newline)
        return STATUS_OK;
    if (r->line.len && r->line.at[r->line.len - 1] == '\r')
        r->line.at[--r->line.len] = 0;
    enum status status = take_line(r, r->line.len ? r->line.at : "", error);
    buf_clear(&r->line);
    return status;
}

static enum status add_to_reply(struct reply *r, struct str in, struct error *error)
{
    enum status status = STATUS_OK;
    while (in.len && r->part != PART_DONE && !status) {
        if (r->part != PART_SIZED && r->part != PART_CHUNK && r->part != PART_TO_CLOSE) {
            status = add_to_line(r, &in, error);
            continue;
        }
        size_t n = r->part != PART_TO_CLOSE && r->left < in.len ? (size_t)r->left : in.len;
        if (r->exchange->on_body)
            r->exchange->on_body(r->exchange->arg, str_from(in.at, n));
        in = str_skip(in, n);
        if (r->part == PART_TO_CLOSE)
            continue;
        r->left -= n;
        if (!r->left)
            r->part = r->part == PART_CHUNK ? PART_CHUNK_END : PART_DONE;
    }
    return status;
}

static enum status read_reply(const struct client *client, int fd, struct client_exchange *x, struct error *error)
{
    struct reply reply = {.exchange = x};
    char data[READ_BYTES];
    enum status status = STATUS_OK;
    buf_init(&reply.line, LINE_BYTES_MAX);
    while (reply.part != PART_DONE && !status) {
        status = await(client, fd, POLLIN, x->idle_ms_max, error);
        if (status)
            break;
        ssize_t n = recv(fd, data, sizeof data, 0);
        if (n > 0)
            status = add_to_reply(&reply, str_from(data, (size_t)n), error);
        else if (n == 0 && reply.part == PART_TO_CLOSE)
            reply.part = PART_DONE;
        else if (n == 0)
            status = error_set(error, STATUS_IO, "the server closed the connection in the middle of its reply");
        else if (errno != EAGAIN && errno != EINTR)
            status = error_set(error, STATUS_IO, "%s:%s: %s", client->host, client->port, strerror(errno));
    }
    buf_release(&reply.line);
    return status;
}

enum status client_run(const struct client *client, struct client_exchange *exchange, struct error *error)
{
    int fd = -1;
    exchange->http_status = exchange->retry_after_s = 0;
    enum status status = open_connection(client, exchange->idle_ms_max, &fd, error);
    if (status)
        return status;
    status = send_request(client, fd, exchange, error);
    if (!status)
        status = read_reply(client, fd, exchange, error);
    close(fd);
    return status;
}

/* ---- Events ------------------------------------------------------------------------------------------------ */

void client_events_init(struct client_events *events, void (*on_data)(void *arg, struct str data), void *arg)
{
    *events = (struct client_events){.on_data = on_data, .arg = arg};
    buf_init(&events->line, EVENT_BYTES_MAX);
}

void client_events_release(struct client_events *events)
{
    buf_release(&events->line);
}

static void take_event_line(struct client_events *events)
{
    static const char field[] = "data:";
    struct str line = buf_str(&events->line);
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    if (!str_starts(line, str_of(field)))
        return;
    line = str_skip(line, sizeof field - 1);
    if (line.len && line.at[0] == ' ')
        line = str_skip(line, 1);
    events->on_data(events->arg, line);
}

void client_events_add(struct client_events *events, struct str part)
{
    while (part.len) {
        const char *newline = memchr(part.at, '\n', part.len);
        size_t n = newline ? (size_t)(newline - part.at) : part.len;
        buf_add(&events->line, part.at, n);
        part = str_skip(part, n + (newline != NULL));
        if (!newline)
            return;
        take_event_line(events);
        buf_clear(&events->line);
    }
}
