/* The library's daemon: requests come in through its access handler, on its own thread. */
#include "server/http.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file_map.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/auth.h"
#include "server/front.h"
#include "server/http_parts.h"
#include "server/metrics.h"

enum { POOL_EXTRA_BYTES = 8192, SWEEP_MS = 500, TURN_NS = 1000000000, PEM_BYTES_MAX = 1 << 20 };

static enum MHD_Result queue_now(struct exchange *e, struct MHD_Connection *connection, struct http_conn *conn)
{
    if (conn)
        conn->answering = true;
    return exchange_queue(e, connection);
}

/* ---- Bodies ------------------------------------------------------------------------------------------------ */

/* A refused body is read to its end and forgotten: the library takes no answer before. */
static void take_body(struct exchange *e, const char *data, size_t n)
{
    if (!e->body_refused)
        e->body_refused = !exchange_charge(e, n);
    if (!e->body_refused && buf_add(&e->body, data, n) != STATUS_OK)
        e->body_refused = true;
    if (e->body_refused)
        buf_release(&e->body);
}

/* ---- Handing over ------------------------------------------------------------------------------------------ */

static void pool_work(struct loop_pool_job *job)
{
    struct exchange *e = (struct exchange *)((char *)job - offsetof(struct exchange, pool_job));
    e->route->handler(e);
}

static void pool_done(struct loop_pool_job *job)
{
    exchange_unref((struct exchange *)((char *)job - offsetof(struct exchange, pool_job)));
}

static bool enter_key(struct exchange *e)
{
    const struct config *config = e->http->server->config;
    if (e->route->scope != ROUTE_SCOPE_USE)
        return true;
    e->entered = auth_enter(e->http->server->auth, e->request.key_index, config->key_concurrency);
    if (e->entered)
        return true;
    metrics_add(e->http->server->metrics, METRICS_REFUSED_KEY, 1);
    reply_error(e, REPLY_RATE_LIMIT, NULL, "this key has as many requests running as it may");
    return false;
}

static void dispatch(struct exchange *e)
{
    struct http *http = e->http;
    pthread_mutex_lock(&e->lock);
    e->phase = EXCHANGE_WAITING;
    pthread_mutex_unlock(&e->lock);
    e->request.body = buf_str(&e->body);
    if (e->body_refused) {
        reply_error(e, REPLY_OVERLOADED, NULL, "too many request bodies are held at once");
        return;
    }
    if (!enter_key(e))
        return;
    if (e->route->is_inline) {
        e->route->handler(e);
        return;
    }
    e->watch_id = watch_add(http->watch, e, e->fd);
    exchange_ref(e); /* of the job */
    e->pool_job = (struct loop_pool_job){.work = pool_work, .done = pool_done};
    loop_pool(http->loop, &e->pool_job);
}

/* Sleeps until somebody decides, or queues what was decided meanwhile. */
static enum MHD_Result answer(struct exchange *e, struct MHD_Connection *connection, struct http_conn *conn)
{
    pthread_mutex_lock(&e->lock);
    bool decided = e->phase == EXCHANGE_REPLY || e->phase == EXCHANGE_STREAM;
    bool over = !decided && (e->dropped || e->gone || e->http->stopping);
    if (!decided && !over) {
        MHD_suspend_connection(connection);
        e->suspended = true;
    }
    pthread_mutex_unlock(&e->lock);
    if (over)
        return MHD_NO;
    return decided ? queue_now(e, connection, conn) : MHD_YES;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection, const char *target, const char *method,
                             const char *version, void **context)
{
    struct http_conn *conn = http_conn_of(connection);
    if (conn && conn->gate.n_heads <= conn->n_answered) {
        log_error("framing gate passed by", "effect=\"the connection is closed\"");
        return MHD_NO;
    }
    struct exchange *e = conn ? exchange_create(http, connection) : NULL;
    if (!e)
        return MHD_NO;
    e->fd = conn->fd;
    *context = e;
    if (http_head_check(e, connection, target, method, version) || !http_head_has_body(connection))
        return MHD_YES;
    /* Refused at its head: the body stays unread, and the connection ends. */
    conn->linger = true;
    return queue_now(e, connection, conn);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *target, const char *method,
                                  const char *version, const char *data, size_t *data_len, void **context)
{
    struct http *http = arg;
    struct exchange *e = *context;
    http->asked_ns = 0;
    if (!e)
        return begin(http, connection, target, method, version, context);
    if (e->queued) {
        *data_len = 0; /* the rest of a body whose request was refused */
        return MHD_YES;
    }
    if (*data_len) {
        take_body(e, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    if (e->phase == EXCHANGE_READING)
        dispatch(e);
    return answer(e, connection, http_conn_of(connection));
}

/* ---- The end of a request ---------------------------------------------------------------------------------- */

static void log_request(const struct exchange *e)
{
    char key[AUTH_KEY_ID_MAX + 1];
    double ms = (double)(clock_now_ns(clock_real()) - e->request.received_ns) * 1e-6;
    auth_key_id(e->http->server->auth, e->request.key_index, key);
    enum log_level level = e->route && e->route->scope == ROUTE_SCOPE_USE ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    log_write(level, "request", "id=%s route=%s status=%u ms=%.1f key=%s client_id=\"%.*s\"", e->request_id,
              e->route ? e->route->path : "-", e->queued ? e->status : 499, ms, key, STR_ARG(e->request.client_request_id));
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode code)
{
    struct http *http = arg;
    struct exchange *e = *context;
    struct http_conn *conn = http_conn_of(connection);
    http->asked_ns = 0;
    if (!e)
        return;
    *context = NULL;
    pthread_mutex_lock(&e->lock);
    e->connection = NULL;
    e->suspended = false;
    bool unfinished = !e->server_ended, waiting = e->phase == EXCHANGE_READING;
    pthread_mutex_unlock(&e->lock);
    watch_remove(http->watch, e->watch_id, e->fd);
    metrics_request(http->server->metrics, e->route ? (int)(e->route - routes_table) : -1, e->queued ? e->status : 499);
    if (e->queued && code == MHD_REQUEST_TERMINATED_COMPLETED_OK && e->route && e->route->scope == ROUTE_SCOPE_USE)
        metrics_observe(http->server->metrics, METRICS_REQUEST_TIME,
                        (double)(clock_now_ns(clock_real()) - e->request.received_ns) * 1e-9);
    log_request(e);
    if (e->entered)
        auth_leave(http->server->auth, e->request.key_index);
    if (conn)
        http_conn_answered(conn);
    if (unfinished && waiting)
        exchange_abandon(e); /* no handler has it yet */
    else if (unfinished)
        exchange_post_departed(e);
    exchange_unref(e);
}

/* ---- Life -------------------------------------------------------------------------------------------------- */

/* Percent signs are decoded by the router, once and by length. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static void on_sweep(void *arg)
{
    struct http *http = arg;
    http_conns_sweep(http);
    loop_timer_start(http->loop, SWEEP_MS, on_sweep, http);
}

static enum status read_pem(const char *path, char **out, struct error *error)
{
    size_t len;
    return file_map_read(path, PEM_BYTES_MAX, out, &len, error);
}

static enum status start_daemon(struct http *http, int fd, const char *cert, const char *key, struct error *error)
{
    const struct config *config = http->server->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (http->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, http_conn_accept, http, on_request, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        http, MHD_OPTION_NOTIFY_CONNECTION, http_conn_notify, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)((config->idle_timeout_ms + 999) / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)config->max_header_bytes + POOL_EXTRA_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, http->tls ? tls : none,
        MHD_OPTION_END);
    if (!daemon)
        return error_set(error, STATUS_IO, "the HTTP library did not start%s", http->tls ? ": are tls_cert and tls_key a pair?" : "");
    http->daemons[http->n_daemons++] = daemon;
    return STATUS_OK;
}

static uint64_t intake_limit(const struct config *config)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4, most = 1u << 30;
    return config->intake_bytes_max ? config->intake_bytes_max : memory < most ? memory : most;
}

enum status http_start(struct http **out, struct server *server, struct loop *loop, const int *listen_fds,
                       unsigned n_listen_fds, struct error *error)
{
    const struct config *config = server->config;
    char *cert = NULL, *key = NULL;
    struct http *http = mem_zalloc(sizeof *http);
    if (!http)
        return error_set(error, STATUS_NO_MEMORY, "out of memory");
    http->server = server;
    http->loop = loop;
    http->tls = *config->tls_cert != 0;
    http->intake_bytes_max = intake_limit(config);
    pthread_mutex_init(&http->lock, NULL);
    signal(SIGPIPE, SIG_IGN);
    enum status status = http_conns_open(http, error);
    if (!status)
        status = watch_open(&http->watch, loop, error);
    if (!status && http->tls)
        status = read_pem(config->tls_cert, &cert, error);
    if (!status && http->tls)
        status = read_pem(config->tls_key, &key, error);
    for (unsigned i = 0; i < n_listen_fds && !status; i++)
        status = start_daemon(http, listen_fds[i], cert, key, error);
    mem_free(cert);
    mem_free(key);
    *out = http; /* also when it failed: stop and free take it half built */
    if (!status)
        on_sweep(http);
    return status;
}

bool http_is_live(const struct http *http)
{
    uint64_t asked = http->asked_ns;
    return asked == 0 || clock_now_ns(clock_real()) - asked < TURN_NS;
}

/* Sleeping connections must be woken before the library stops; awake, they find that it does. */
static void wake_all(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    for (struct exchange *e = http->exchanges; e; e = e->next) {
        pthread_mutex_lock(&e->lock);
        e->dropped |= !e->stream_ended && e->phase != EXCHANGE_REPLY;
        exchange_wake(e);
        pthread_mutex_unlock(&e->lock);
    }
    pthread_mutex_unlock(&http->lock);
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    http->stopping = true;
    wake_all(http);
    for (unsigned i = 0; i < http->n_daemons; i++)
        MHD_stop_daemon(http->daemons[i]);
    http->n_daemons = 0;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    check(http->exchanges == NULL);
    watch_close(http->watch);
    http_conns_close(http);
    pthread_mutex_destroy(&http->lock);
    mem_free(http);
}
