/* Connections: the framing gate in front of the library, deadlines, the limit per address, sockets that linger.
 *
 * The library reads with recv(), or with gnutls_record_recv() under TLS. Both are defined here, in the program, and so take the
 * place of the libraries' own: bytes pass the gate before anyone parses them. Those two functions get no context of ours, hence the
 * one table of connections by descriptor in this process. An entry is set and cleared on its HTTP thread; the sweep on the main
 * thread looks at entries under `table_lock`, which also guards their end. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/http_parts.h"
#include "server/metrics.h"

enum {
    DESCRIPTORS_MAX = 1 << 20,
    ANSWER_BYTES = 2048,
    LINGER_NS = 2000000000,
    DRAIN_BYTES = 1 << 20, /* of a lingering socket, at one look */
    KEEPALIVE_IDLE_S = 10,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_COUNT = 3,
    ADDRESSES = 4096,
};

static _Atomic(struct http_conn *) *table; /* [table_size], by descriptor */
static size_t table_size;
static _Atomic size_t table_used; /* one past the highest descriptor so far: the sweep looks no further */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

struct address_count {
    uint8_t address[HTTP_ADDRESS_BYTES];
    unsigned n;
};
struct table_of_addresses {
    struct address_count rows[ADDRESSES]; /* open addressing; an address whose row is taken by another is not limited */
};

static struct http_conn *conn_at(int fd)
{
    return fd >= 0 && (size_t)fd < table_size ? table[fd] : NULL;
}

struct http_conn *http_conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? conn_at(info->connect_fd) : NULL;
}

/* ---- The gate's answer ------------------------------------------------------------------------------------- */

static const char *status_phrase(unsigned status)
{
    switch (status) {
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

static size_t write_answer(char out[ANSWER_BYTES], enum reply_code code, const char *reason)
{
    char date[64], id[17];
    struct tm tm;
    time_t now = (time_t)clock_unix_seconds();
    struct buf body;
    static _Atomic uint64_t count;
    buf_init(&body, 1024);
    reply_error_body(&body, code, NULL, reason);
    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(id, sizeof id, "%08llx%08llx", (unsigned long long)now & 0xFFFFFFFF, (unsigned long long)++count & 0xFFFFFFFF);
    int n = snprintf(out, ANSWER_BYTES,
                     "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n"
                     "x-request-id: req_%s\r\n\r\n%.*s",
                     reply_status(code), status_phrase(reply_status(code)), date, body.len, id, STR_ARG(buf_str(&body)));
    buf_release(&body);
    return n > 0 && n < ANSWER_BYTES ? (size_t)n : 0;
}

/* An answer of our own may go out only where the library has none under way. */
static bool may_answer(const struct http_conn *c)
{
    return !c->answering && c->gate.n_ended == c->n_answered;
}

/* The refused connection's last words. The library is told of a reset afterwards and closes; what the client still sends is
 * drained a moment, or the reset of a close with unread input would eat the answer. */
static void answer_refusal(struct http_conn *c)
{
    char answer[ANSWER_BYTES];
    size_t n = write_answer(answer, c->gate.code, c->gate.reason);
    metrics_add(c->http->server->metrics, METRICS_FRAMING_REFUSALS, 1);
    log_info("framing refused", "status=%u reason=\"%s\"", reply_status(c->gate.code), c->gate.reason);
    if (!may_answer(c))
        return;
    c->linger = true;
    if (c->session) {
        gnutls_record_send(c->session, answer, n);
    } else {
        ssize_t ignored = send(c->fd, answer, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)ignored;
    }
}

static void set_phase(struct http_conn *c)
{
    const struct gate *g = &c->gate;
    enum http_phase kind = g->n_ended > c->n_answered ? HTTP_PHASE_IDLE
                           : g->state != GATE_HEAD    ? HTTP_PHASE_BODY
                           : !gate_is_idle(g)         ? HTTP_PHASE_HEAD
                           : g->n_heads               ? HTTP_PHASE_IDLE
                                                      : HTTP_PHASE_FIRST;
    uint64_t phase = g->n_heads << 2 | kind;
    bool from_accept = kind == HTTP_PHASE_HEAD && g->n_heads == 0; /* the first head's time runs from the accept */
    if (c->phase == phase)
        return;
    c->phase = phase;
    if (!from_accept)
        c->since_ns = clock_now_ns(clock_real());
}

/* Passes n received bytes; returns how many may go up: all, those of whole requests before the refused one, or none (-1). */
static ssize_t pass(struct http_conn *c, const char *bytes, ssize_t n)
{
    struct gate before = c->gate;
    if (gate_feed(&c->gate, bytes, (size_t)n)) {
        set_phase(c);
        return n;
    }
    c->refused = true;
    if (c->gate.n_ended == before.n_ended) {
        answer_refusal(c);
        return -1;
    }
    /* Whole requests lie before it: find their end by feeding again, and let them be answered first. */
    struct gate again = before;
    ssize_t good = 0;
    for (ssize_t i = 0; i < n && gate_feed(&again, bytes + i, 1); i++)
        if (again.n_ended > before.n_ended) {
            before.n_ended = again.n_ended;
            good = i + 1;
        }
    return good;
}

/* The library takes an end of input for a departure. A client that only shut its sending side after a whole request still reads:
 * the end is kept from the library until the request is answered, and the watcher judges departures. */
static bool hides_end(struct http_conn *c)
{
    c->input_ended = c->input_ended || (gate_is_idle(&c->gate) && c->gate.n_ended > c->n_answered);
    return c->input_ended && c->gate.n_ended > c->n_answered;
}

/* A request that is cut short by the end of input never becomes whole. The library, woken once for bytes and end together, would
 * read the bytes and wait for an event that does not come. */
static bool is_cut_short(const struct http_conn *c)
{
    char byte;
    return !gate_is_idle(&c->gate) && syscall(SYS_recvfrom, c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) == 0;
}

/* ---- In place of the libraries' calls ---------------------------------------------------------------------- */

__attribute__((visibility("default"))) ssize_t recv(int fd, void *into, size_t len, int flags)
{
    ssize_t n = syscall(SYS_recvfrom, fd, into, len, flags, NULL, NULL);
    struct http_conn *c = n >= 0 && len && !(flags & MSG_PEEK) ? conn_at(fd) : NULL;
    if (!c || c->tls)
        return n;
    if (n == 0) {
        errno = EAGAIN;
        return hides_end(c) ? -1 : 0;
    }
    n = c->refused ? -1 : pass(c, into, n);
    if (n > 0 && is_cut_short(c))
        n = -1;
    if (n < 0)
        errno = ECONNRESET;
    return n;
}

typedef ssize_t record_recv(gnutls_session_t session, void *into, size_t len);

__attribute__((visibility("default"))) ssize_t gnutls_record_recv(gnutls_session_t session, void *into, size_t len)
{
    static _Atomic(record_recv *) real;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "gnutls_record_recv");
    check(real != NULL);
    ssize_t n = real(session, into, len);
    struct http_conn *c = n >= 0 && len ? conn_at(gnutls_transport_get_int(session)) : NULL;
    if (!c)
        return n;
    c->session = session;
    if (n == 0)
        return hides_end(c) ? GNUTLS_E_AGAIN : 0;
    n = c->refused ? -1 : pass(c, into, n);
    return n < 0 ? GNUTLS_E_PUSH_ERROR : n;
}

void http_conn_answered(struct http_conn *c)
{
    c->answering = false;
    c->n_answered++;
    set_phase(c);
    if (c->refused)
        answer_refusal(c);
    if (c->refused || (c->input_ended && c->n_answered == c->gate.n_ended))
        shutdown(c->fd, SHUT_RDWR);
}

/* ---- Beginning and end ------------------------------------------------------------------------------------- */

static unsigned *address_row(struct http *http, const uint8_t address[HTTP_ADDRESS_BYTES], bool make)
{
    static const uint8_t nobody[HTTP_ADDRESS_BYTES];
    uint64_t hash = 14695981039346656037u;
    if (memcmp(address, nobody, sizeof nobody) == 0)
        return NULL;
    for (unsigned i = 0; i < HTTP_ADDRESS_BYTES; i++)
        hash = (hash ^ address[i]) * 1099511628211u;
    struct address_count *row = &http->addresses->rows[hash % ADDRESSES];
    if (row->n == 0 && make)
        memcpy(row->address, address, sizeof row->address);
    return memcmp(row->address, address, sizeof row->address) == 0 ? &row->n : NULL;
}

/* All zero for addresses of this machine. */
static void read_address(const struct sockaddr *from, uint8_t out[HTTP_ADDRESS_BYTES])
{
    memset(out, 0, HTTP_ADDRESS_BYTES);
    if (from->sa_family == AF_INET) {
        const struct in_addr *a = &((const struct sockaddr_in *)from)->sin_addr;
        if ((ntohl(a->s_addr) >> 24) != 127)
            memcpy(out + 12, a, 4);
    } else if (from->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)from)->sin6_addr;
        if (!IN6_IS_ADDR_LOOPBACK(a))
            memcpy(out, a, HTTP_ADDRESS_BYTES);
    }
}

enum MHD_Result http_conn_accept(void *arg, const struct sockaddr *from, socklen_t len)
{
    struct http *http = arg;
    const struct config *config = http->server->config;
    uint64_t limit = config->max_connections_per_address ? config->max_connections_per_address : (config->max_connections + 3) / 4;
    uint8_t address[HTTP_ADDRESS_BYTES];
    (void)len;
    read_address(from, address);
    pthread_mutex_lock(&http->lock);
    unsigned *row = address_row(http, address, false);
    bool allowed = !row || *row < limit;
    pthread_mutex_unlock(&http->lock);
    return allowed ? MHD_YES : MHD_NO;
}

static void set_socket_options(int fd, const struct config *config)
{
    int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, count = KEEPALIVE_COUNT;
    unsigned timeout_ms = (unsigned)config->write_timeout_ms;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static void begin(struct http *http, struct MHD_Connection *connection)
{
    const struct config *config = http->server->config;
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_conn *c = mem_zalloc(sizeof *c);
    check(fd != NULL && fd->connect_fd >= 0);
    set_socket_options(fd->connect_fd, config);
    if (!c || (size_t)fd->connect_fd >= table_size) {
        mem_free(c);
        shutdown(fd->connect_fd, SHUT_RDWR); /* nothing passes without a gate */
        return;
    }
    c->http = http;
    c->fd = fd->connect_fd;
    c->tls = http->tls;
    c->since_ns = clock_now_ns(clock_real());
    gate_init(&c->gate, config->max_header_bytes, config->max_body_bytes);
    if (from && from->client_addr)
        read_address(from->client_addr, c->address);
    pthread_mutex_lock(&http->lock);
    unsigned *row = address_row(http, c->address, true);
    if (row)
        ++*row;
    pthread_mutex_unlock(&http->lock);
    table[c->fd] = c;
    if (table_used <= (size_t)c->fd)
        table_used = (size_t)c->fd + 1;
    metrics_connections(http->server->metrics, 1);
}

/* The library closes its descriptor now; a copy keeps the socket for the client to read the last answer. */
static void start_linger(struct http *http, struct http_conn *c)
{
    pthread_mutex_lock(&http->lock);
    int copy = http->n_linger < HTTP_LINGER_MAX ? fcntl(c->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy >= 0) {
        shutdown(copy, SHUT_WR);
        http->linger[http->n_linger++] = (struct http_linger){copy, clock_now_ns(clock_real()) + LINGER_NS};
    }
    pthread_mutex_unlock(&http->lock);
}

static void end(struct http *http, struct MHD_Connection *connection)
{
    struct http_conn *c = http_conn_of(connection);
    if (!c)
        return;
    if (c->linger)
        start_linger(http, c);
    pthread_mutex_lock(&http->lock);
    unsigned *row = address_row(http, c->address, false);
    if (row && *row)
        --*row;
    pthread_mutex_unlock(&http->lock);
    pthread_mutex_lock(&table_lock);
    table[c->fd] = NULL;
    pthread_mutex_unlock(&table_lock);
    metrics_connections(http->server->metrics, -1);
    mem_free(c);
}

void http_conn_notify(void *http, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
    (void)context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(http, connection);
    else
        end(http, connection);
}

enum status http_conns_open(struct http *http, struct error *error)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    size_t n = limit.rlim_cur < DESCRIPTORS_MAX ? (size_t)limit.rlim_cur : DESCRIPTORS_MAX;
    http->addresses = mem_zalloc(sizeof *http->addresses);
    if (!table) {
        table = mem_zalloc_array(n, sizeof *table);
        table_size = table ? n : 0;
    }
    return table && http->addresses ? STATUS_OK : error_set(error, STATUS_NO_MEMORY, "out of memory");
}

void http_conns_close(struct http *http)
{
    for (unsigned i = 0; i < http->n_linger; i++)
        close(http->linger[i].fd);
    http->n_linger = 0;
    mem_free(http->addresses);
    mem_free(table);
    table = NULL;
    table_size = 0;
    table_used = 0;
}

/* ---- The sweep --------------------------------------------------------------------------------------------- */

static void sweep_one(struct http *http, struct http_conn *c, uint64_t now)
{
    const struct config *config = http->server->config;
    enum http_phase kind = (enum http_phase)(c->phase & 3);
    uint64_t age_ms = now > c->since_ns ? (now - c->since_ns) / 1000000 : 0;
    uint64_t limit_ms = kind == HTTP_PHASE_BODY ? config->body_timeout_ms : config->header_timeout_ms;
    if (kind == HTTP_PHASE_IDLE || age_ms <= limit_ms)
        return;
    if (kind != HTTP_PHASE_FIRST && !c->tls && !c->answering) {
        char answer[ANSWER_BYTES];
        size_t n = write_answer(answer, REPLY_REQUEST_TIMEOUT, kind == HTTP_PHASE_BODY ? "the body did not arrive within body_timeout"
                                                                                       : "the head did not arrive within header_timeout");
        ssize_t ignored = send(c->fd, answer, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)ignored;
    }
    shutdown(c->fd, SHUT_RDWR); /* the HTTP thread sees an end of input and closes */
    c->since_ns = now;
}

/* True when the peer has closed, or its time is over. */
static bool drain(const struct http_linger *l, uint64_t now)
{
    char waste[16384];
    for (size_t total = 0; total < DRAIN_BYTES; total += sizeof waste) {
        ssize_t n = syscall(SYS_recvfrom, l->fd, waste, sizeof waste, MSG_DONTWAIT, NULL, NULL);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return true;
        if (n < 0)
            break;
    }
    return now >= l->until_ns;
}

void http_conns_sweep(struct http *http)
{
    uint64_t now = clock_now_ns(clock_real());
    pthread_mutex_lock(&table_lock);
    for (size_t fd = 0; fd < table_used; fd++)
        if (table[fd] && table[fd]->http == http)
            sweep_one(http, table[fd], now);
    pthread_mutex_unlock(&table_lock);
    pthread_mutex_lock(&http->lock);
    for (unsigned i = 0; i < http->n_linger;) {
        if (!drain(&http->linger[i], now)) {
            i++;
            continue;
        }
        close(http->linger[i].fd);
        http->linger[i] = http->linger[--http->n_linger];
    }
    pthread_mutex_unlock(&http->lock);
}
