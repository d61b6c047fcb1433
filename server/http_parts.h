/* Inside the HTTP layer: connections, exchanges, and who may touch what.
 *
 * A connection belongs to the HTTP thread; its table entry is looked at by the main thread's sweep under `lock`. An exchange has
 * two sides: the connection's, until the library says that the request is over, and the server's, until the reply was given or
 * the work abandoned. Each side holds a reference; the exchange's lock guards what both use. */
#ifndef SERVER_HTTP_PARTS_H
#define SERVER_HTTP_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/gate.h"
#include "server/http.h"
#include "server/loop.h"
#include "server/listen.h"
#include "server/routes.h"
#include "server/server.h"

enum { HTTP_REQUEST_ID_CHARS = 24, HTTP_ORIGIN_MAX = 256, HTTP_LINGER_MAX = 256, HTTP_ADDRESS_BYTES = 16 };

/* ---- Connections ------------------------------------------------------------------------------------------- */

struct http_conn {
    struct http *http;
    int fd;
    bool tls;
    void *session; /* of gnutls, once something came through it */
    struct gate gate;
    uint64_t n_answered;       /* requests whose answer is out */
    _Atomic bool answering;    /* an answer was begun for the request being read */
    bool refused;              /* the gate said no; nothing more goes up to the library */
    bool input_ended;          /* the client shut its sending side after a whole request */
    bool linger;               /* input may be unread at the close: the socket is shut first and drained a moment */
    uint8_t address[HTTP_ADDRESS_BYTES]; /* for the limit per address; all zero where it is exempt */
    _Atomic uint64_t phase;    /* what is being waited for, and */
    _Atomic uint64_t since_ns; /* since when */
};
enum http_phase { HTTP_PHASE_FIRST, HTTP_PHASE_HEAD, HTTP_PHASE_BODY, HTTP_PHASE_IDLE /* or our turn to answer */ };

enum status http_conns_open(struct http *http, struct error *error) must_check;
void http_conns_close(struct http *http);
struct http_conn *http_conn_of(struct MHD_Connection *connection);

/* The library's callbacks: a connection begins and ends; may this address have one more? */
void http_conn_notify(void *http, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code);
enum MHD_Result http_conn_accept(void *http, const struct sockaddr *address, socklen_t len);

/* A request of the connection was answered. */
void http_conn_answered(struct http_conn *conn);

/* Main thread, every second: connections that are too slow, sockets that linger. */
void http_conns_sweep(struct http *http);

/* ---- Exchanges --------------------------------------------------------------------------------------------- */

enum exchange_phase { EXCHANGE_READING, EXCHANGE_WAITING, EXCHANGE_REPLY, EXCHANGE_STREAM };

struct exchange {
    struct http *http;
    struct http_request request;
    const struct route *route;  /* null: refused before one was found */
    struct arena arena;         /* of the handler */
    struct buf body;
    char request_id[5 + HTTP_REQUEST_ID_CHARS];
    char origin[HTTP_ORIGIN_MAX]; /* that may read the reply; empty: none */
    char *texts[4];             /* owned copies behind request's slices */
    bool entered;               /* holds a place of its key */
    bool body_refused;          /* out of memory or of the intake limit while the body came */
    bool is_head, queued;
    size_t charged;             /* bytes charged to the intake limit */
    uint64_t watch_id;
    struct exchange *next, *previous; /* in http's list, under http's lock */

    _Atomic unsigned refs;
    _Atomic bool cancelled;     /* the client is gone: long jobs look at it */

    pthread_mutex_t lock;       /* guards what follows */
    struct MHD_Connection *connection; /* null once the library is done with it */
    int fd;
    bool suspended;
    _Atomic enum exchange_phase phase; /* changes under the lock; the HTTP thread looks at it without */
    unsigned status;
    const char *content_type;
    char *reply, *headers;      /* owned until queued */
    size_t reply_len;
    struct buf out;             /* of a stream: bytes not sent yet, after */
    size_t out_taken;           /* those that were */
    bool stream_ended, dropped; /* dropped: too slow, or the server stops */
    bool server_ended, gone;
    enum exchange_form form;
    bool half_closed;           /* the client shut its sending side, or left: */
    bool probed;                /* a comment was sent to see */
    void (*on_gone)(struct exchange *exchange);
    void *data;
    void (*release)(void *data);

    struct loop_pool_job pool_job;
    struct loop_job main_job, gone_job, late_gone_job;
    void (*main_step)(struct exchange *exchange);
};

struct exchange *exchange_create(struct http *http, struct MHD_Connection *connection);

/* Under the exchange's lock: wakes a sleeping connection. */
void exchange_wake(struct exchange *exchange);

/* Under the exchange's lock: sends one comment line on a stream; a client that left answers it with a reset. */
void exchange_probe(struct exchange *exchange);

/* Main thread: the client left or was dropped. */
void exchange_departed(struct exchange *exchange);
/* Any thread: the same, soon. */
void exchange_post_departed(struct exchange *exchange);

/* Queues the reply or the stream that was decided. HTTP thread. */
enum MHD_Result exchange_queue(struct exchange *exchange, struct MHD_Connection *connection);

/* ---- Heads ------------------------------------------------------------------------------------------------- */

/* Checks a request's head in the order of docs/api.md. False: the exchange has its error reply. */
bool http_head_check(struct exchange *exchange, struct MHD_Connection *connection, const char *target, const char *method,
                     const char *version);

/* Does the head announce a body? */
bool http_head_has_body(struct MHD_Connection *connection);

/* ---- The watcher of clients that leave --------------------------------------------------------------------- */

struct watch;
enum status watch_open(struct watch **out, struct loop *loop, struct error *error) must_check;
void watch_close(struct watch *watch);
uint64_t watch_add(struct watch *watch, struct exchange *exchange, int fd); /* 0: not watched */
void watch_remove(struct watch *watch, uint64_t id, int fd);

struct http {
    struct server *server;
    struct loop *loop;
    struct MHD_Daemon *daemons[LISTEN_MAX];
    unsigned n_daemons;
    bool tls;
    struct watch *watch;
    _Atomic uint64_t asked_ns; /* since when the HTTP thread was asked to send a reply and did not turn; 0: it owes none */
    _Atomic uint64_t intake_bytes;
    uint64_t intake_bytes_max;
    _Atomic bool stopping;

    pthread_mutex_t lock; /* guards what follows */
    struct exchange *exchanges;
    struct http_linger {
        int fd;
        uint64_t until_ns;
    } linger[HTTP_LINGER_MAX];
    unsigned n_linger;
    struct table_of_addresses *addresses;
};

#endif
