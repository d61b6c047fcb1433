/* The life of an exchange between the HTTP thread and the rest of the front. */
#include "server/exchange.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/auth.h"
#include "server/http_parts.h"
#include "server/metrics.h"

enum { ARENA_BYTES_MAX = 1 << 30, BLOCK_BYTES = 16384 };

static void make_request_id(char out[5 + HTTP_REQUEST_ID_CHARS])
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    memcpy(out, "req_", 4);
    for (unsigned i = 0; i < HTTP_REQUEST_ID_CHARS; i++)
        out[4 + i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
    out[4 + HTTP_REQUEST_ID_CHARS] = 0;
}

struct exchange *exchange_create(struct http *http, struct MHD_Connection *connection)
{
    const struct config *config = http->server->config;
    struct exchange *e = mem_zalloc(sizeof *e);
    if (!e)
        return NULL;
    e->http = http;
    e->connection = connection;
    e->fd = -1;
    e->refs = 2; /* the connection's side, and the server's */
    pthread_mutex_init(&e->lock, NULL);
    arena_init(&e->arena, ARENA_BYTES_MAX);
    buf_init(&e->body, config->max_body_bytes + 1);
    buf_init(&e->out, config->stream_buffer_bytes + 1);
    make_request_id(e->request_id);
    e->request.request_id = str_of(e->request_id);
    e->request.key_index = AUTH_NO_KEY;
    e->request.received_ns = clock_now_ns(clock_real());
    pthread_mutex_lock(&http->lock);
    e->next = http->exchanges;
    if (e->next)
        e->next->previous = e;
    http->exchanges = e;
    pthread_mutex_unlock(&http->lock);
    metrics_exchanges(http->server->metrics, 1);
    return e;
}

void exchange_ref(struct exchange *e)
{
    atomic_fetch_add(&e->refs, 1);
}

void exchange_unref(struct exchange *e)
{
    if (atomic_fetch_sub(&e->refs, 1) != 1)
        return;
    struct http *http = e->http;
    pthread_mutex_lock(&http->lock);
    if (e->previous)
        e->previous->next = e->next;
    else
        http->exchanges = e->next;
    if (e->next)
        e->next->previous = e->previous;
    pthread_mutex_unlock(&http->lock);
    atomic_fetch_sub(&http->intake_bytes, e->charged);
    for (unsigned i = 0; i < sizeof e->texts / sizeof e->texts[0]; i++)
        mem_free(e->texts[i]);
    mem_free(e->reply);
    mem_free(e->headers);
    buf_release(&e->body);
    buf_release(&e->out);
    arena_release(&e->arena);
    pthread_mutex_destroy(&e->lock);
    metrics_exchanges(http->server->metrics, -1);
    mem_free(e);
}

/* ---- Memory of requests in preparation --------------------------------------------------------------------- */

bool exchange_charge(struct exchange *e, size_t bytes)
{
    uint64_t before = atomic_fetch_add(&e->http->intake_bytes, bytes);
    e->charged += bytes;
    return before + bytes <= e->http->intake_bytes_max;
}

void exchange_give_back(struct exchange *e, size_t bytes)
{
    check(bytes <= e->charged);
    atomic_fetch_sub(&e->http->intake_bytes, bytes);
    e->charged -= bytes;
}

/* ---- What handlers ask ------------------------------------------------------------------------------------- */

struct server *exchange_server(const struct exchange *e)
{
    return e->http->server;
}

const struct http_request *exchange_request(const struct exchange *e)
{
    return &e->request;
}

const struct route *exchange_route(const struct exchange *e)
{
    return e->route;
}

struct arena *exchange_arena(struct exchange *e)
{
    return &e->arena;
}

void exchange_set_data(struct exchange *e, void *data, void (*release)(void *data))
{
    e->data = data;
    e->release = release;
}

void *exchange_data(const struct exchange *e)
{
    return e->data;
}

bool exchange_is_gone(const struct exchange *e)
{
    return e->cancelled;
}

const _Atomic bool *exchange_cancel_flag(const struct exchange *e)
{
    return &e->cancelled;
}

/* ---- The server's side ends -------------------------------------------------------------------------------- */

void exchange_wake(struct exchange *e)
{
    if (!e->connection || !e->suspended)
        return;
    e->suspended = false;
    if (!e->queued) {
        uint64_t none = 0;
        atomic_compare_exchange_strong(&e->http->asked_ns, &none, clock_now_ns(clock_real()));
    }
    MHD_resume_connection(e->connection);
}

/* Under the lock on entry; gives it back, and the server's reference. */
static void end_server_side(struct exchange *e)
{
    check(!e->server_ended);
    e->server_ended = true;
    void *data = e->data;
    void (*release)(void *data) = e->release;
    e->data = NULL;
    e->release = NULL;
    e->on_gone = NULL;
    exchange_wake(e);
    pthread_mutex_unlock(&e->lock);
    if (release)
        release(data);
    exchange_unref(e);
}

void exchange_add_headers(struct exchange *e, const char *lines)
{
    size_t n = e->headers ? strlen(e->headers) : 0, more = strlen(lines);
    char *joined = mem_realloc(e->headers, n + more + 1);
    if (!joined)
        return;
    memcpy(joined + n, lines, more + 1);
    e->headers = joined;
}

void exchange_reply(struct exchange *e, unsigned status, const char *content_type, struct buf *body, const char *extra_headers)
{
    size_t len = 0;
    char *reply = buf_take(body, &len);
    buf_release(body);
    if (extra_headers && *extra_headers)
        exchange_add_headers(e, extra_headers);
    pthread_mutex_lock(&e->lock);
    check(e->phase == EXCHANGE_READING || e->phase == EXCHANGE_WAITING);
    e->phase = EXCHANGE_REPLY;
    e->status = reply ? status : 500; /* what could not be written down is our fault */
    e->content_type = content_type ? content_type : "application/json";
    e->reply = reply;
    e->reply_len = len;
    end_server_side(e);
}

void exchange_abandon(struct exchange *e)
{
    pthread_mutex_lock(&e->lock);
    e->dropped = true;
    end_server_side(e);
}

/* ---- Streams ----------------------------------------------------------------------------------------------- */

void exchange_probe(struct exchange *e)
{
    static const char comment[] = ": keep-alive\n\n";
    if (!e->probed && buf_add(&e->out, comment, sizeof comment - 1) == STATUS_OK)
        exchange_wake(e);
    e->probed = true;
}

void exchange_stream_begin(struct exchange *e, const char *content_type)
{
    pthread_mutex_lock(&e->lock);
    check(e->phase == EXCHANGE_WAITING);
    e->phase = EXCHANGE_STREAM;
    e->status = 200;
    e->content_type = content_type;
    if (e->half_closed)
        exchange_probe(e);
    exchange_wake(e);
    pthread_mutex_unlock(&e->lock);
}

/* A client that does not read is cut off: its socket is shut, so that the library notices at once. */
static void drop_slow(struct exchange *e)
{
    e->dropped = true;
    if (e->connection)
        shutdown(e->fd, SHUT_RDWR);
    exchange_wake(e);
    metrics_add(e->http->server->metrics, METRICS_SLOW_READERS, 1);
    log_warn("slow reader dropped", "id=%s", e->request_id);
}

bool exchange_stream_write(struct exchange *e, struct str bytes)
{
    const struct config *config = e->http->server->config;
    pthread_mutex_lock(&e->lock);
    check(e->phase == EXCHANGE_STREAM && !e->stream_ended);
    bool open = !e->gone && !e->dropped && e->connection;
    bool slow = open && e->out.len - e->out_taken + bytes.len > config->stream_buffer_bytes;
    if (open && !slow) {
        if (e->out_taken && e->out.len + bytes.len > config->stream_buffer_bytes) {
            buf_drop_front(&e->out, e->out_taken);
            e->out_taken = 0;
        }
        slow = buf_add_str(&e->out, bytes) != STATUS_OK;
    }
    if (slow)
        drop_slow(e);
    else if (open)
        exchange_wake(e);
    pthread_mutex_unlock(&e->lock);
    if (slow)
        exchange_post_departed(e);
    return open && !slow;
}

void exchange_stream_end(struct exchange *e)
{
    pthread_mutex_lock(&e->lock);
    check(e->phase == EXCHANGE_STREAM);
    e->stream_ended = true;
    end_server_side(e);
}

/* The library asks for bytes. HTTP thread. */
static ssize_t read_stream(void *arg, uint64_t position, char *into, size_t max)
{
    struct exchange *e = arg;
    ssize_t n = 0;
    (void)position;
    pthread_mutex_lock(&e->lock);
    size_t left = e->out.len - e->out_taken;
    if (e->dropped) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (left) {
        n = (ssize_t)(left < max ? left : max);
        memcpy(into, e->out.at + e->out_taken, (size_t)n);
        e->out_taken += (size_t)n;
        if (e->out_taken == e->out.len) {
            buf_clear(&e->out);
            e->out_taken = 0;
        }
    } else if (e->stream_ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (e->server_ended || !e->connection) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else {
        MHD_suspend_connection(e->connection);
        e->suspended = true;
    }
    pthread_mutex_unlock(&e->lock);
    return n;
}

static void stream_freed(void *arg)
{
    exchange_unref(arg);
}

/* ---- Queueing the answer ----------------------------------------------------------------------------------- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

/* Each "Name: value\r\n" line. */
static void add_lines(struct MHD_Response *response, const char *lines)
{
    char name[64], value[512];
    while (lines && *lines) {
        size_t n = strcspn(lines, "\r\n");
        const char *colon = memchr(lines, ':', n);
        if (colon && (size_t)(colon - lines) < sizeof name) {
            const char *from = colon + 1 + (colon[1] == ' ');
            snprintf(name, sizeof name, "%.*s", (int)(colon - lines), lines);
            snprintf(value, sizeof value, "%.*s", (int)(lines + n - from), from);
            add_header(response, name, value);
        }
        lines += n;
        lines += strspn(lines, "\r\n");
    }
}

static void add_common(struct exchange *e, struct MHD_Response *response)
{
    add_header(response, "x-request-id", e->request_id);
    if (e->route && e->route->surface == ROUTE_SURFACE_ANTHROPIC)
        add_header(response, "request-id", e->request_id);
    if (e->origin[0]) {
        add_header(response, "Access-Control-Allow-Origin", e->origin);
        add_header(response, "Vary", "Origin");
        add_header(response, "Access-Control-Expose-Headers", "x-request-id, request-id, retry-after, x-seekd-warnings");
    }
}

static struct MHD_Response *make_stream(struct exchange *e)
{
    exchange_ref(e);
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, e, stream_freed);
    if (!response) {
        exchange_unref(e);
        return NULL;
    }
    add_header(response, "Cache-Control", "no-cache");
    add_header(response, "X-Accel-Buffering", "no");
    return response;
}

static struct MHD_Response *make_whole(struct exchange *e)
{
    static char nothing[] = "";
    struct MHD_Response *response =
        e->reply ? MHD_create_response_from_buffer_with_free_callback(e->reply_len, e->reply, mem_free)
                 : MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    if (response)
        e->reply = NULL; /* moved */
    return response;
}

enum MHD_Result exchange_queue(struct exchange *e, struct MHD_Connection *connection)
{
    struct MHD_Response *response = e->phase == EXCHANGE_STREAM ? make_stream(e) : make_whole(e);
    if (!response)
        return MHD_NO;
    if (e->content_type && *e->content_type)
        add_header(response, "Content-Type", e->content_type);
    add_common(e, response);
    add_lines(response, e->headers);
    enum MHD_Result result = MHD_queue_response(connection, e->status, response);
    MHD_destroy_response(response);
    pthread_mutex_lock(&e->lock);
    e->queued = result == MHD_YES;
    pthread_mutex_unlock(&e->lock);
    return result;
}

/* ---- Between threads --------------------------------------------------------------------------------------- */

static void run_step(struct loop_job *job)
{
    struct exchange *e = (struct exchange *)((char *)job - offsetof(struct exchange, main_job));
    e->main_step(e);
}

void exchange_to_main(struct exchange *e, void (*step)(struct exchange *exchange))
{
    e->main_step = step;
    e->main_job.run = run_step;
    loop_post(e->http->loop, &e->main_job);
}

void exchange_departed(struct exchange *e)
{
    pthread_mutex_lock(&e->lock);
    bool news = !e->gone && !e->server_ended;
    void (*on_gone)(struct exchange *exchange) = NULL;
    if (news) {
        e->gone = true;
        e->cancelled = true;
        on_gone = e->on_gone;
    }
    pthread_mutex_unlock(&e->lock);
    if (news)
        metrics_add(e->http->server->metrics, METRICS_ABORTED, 1);
    if (on_gone)
        on_gone(e);
}

static void run_departed(struct loop_job *job)
{
    struct exchange *e = (struct exchange *)((char *)job - offsetof(struct exchange, gone_job));
    exchange_departed(e);
    exchange_unref(e);
}

/* Posted at most once: both who drops a slow client and the library's last word come here. */
void exchange_post_departed(struct exchange *e)
{
    pthread_mutex_lock(&e->lock);
    bool first = !e->gone_job.run;
    if (first)
        e->gone_job.run = run_departed;
    pthread_mutex_unlock(&e->lock);
    if (!first)
        return;
    e->cancelled = true;
    exchange_ref(e);
    loop_post(e->http->loop, &e->gone_job);
}

static void run_late_gone(struct loop_job *job)
{
    struct exchange *e = (struct exchange *)((char *)job - offsetof(struct exchange, late_gone_job));
    pthread_mutex_lock(&e->lock);
    void (*on_gone)(struct exchange *exchange) = e->server_ended ? NULL : e->on_gone;
    pthread_mutex_unlock(&e->lock);
    if (on_gone)
        on_gone(e);
    exchange_unref(e);
}

void exchange_on_gone(struct exchange *e, void (*gone)(struct exchange *exchange))
{
    pthread_mutex_lock(&e->lock);
    bool late = e->gone && !e->on_gone;
    e->on_gone = gone;
    pthread_mutex_unlock(&e->lock);
    if (!late)
        return;
    e->late_gone_job.run = run_late_gone;
    exchange_ref(e);
    loop_post(e->http->loop, &e->late_gone_job);
}

void exchange_set_form(struct exchange *e, enum exchange_form form)
{
    pthread_mutex_lock(&e->lock);
    e->form = form;
    bool left = form == EXCHANGE_WHOLE && e->half_closed && !e->http->server->config->keepalive_nonstream;
    pthread_mutex_unlock(&e->lock);
    if (left)
        exchange_post_departed(e);
}
