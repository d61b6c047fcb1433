/* The HTTP side of the front: one libmicrohttpd thread that owns connections, the framing gate in front of it, the watcher
 * of clients that leave, and the exchanges between connections and handlers. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "server/exchange.h"

struct http;
struct server;

struct http_job {
    void (*run)(struct http_job *job);
    struct http_job *next; /* private to the loop */
};
struct http_pool_job {
    void (*work)(struct http_pool_job *job);
    void (*done)(struct http_pool_job *job);
    struct http_job job; /* private to the loop, as is this: */
    void *loop;
};

/* Main-loop services the HTTP layer needs; the front gives them (front.c implements these three with libuv). */
struct http_loop {
    void *self;
    /* Runs run(arg) on the main thread soon; any thread; never fails (memory is in the job). */
    void (*post)(void *self, struct http_job *job);
    /* Runs work(arg) on a pool thread, then done(arg) on the main thread. Any thread. */
    void (*pool)(void *self, struct http_pool_job *job);
    /* Watches an epoll descriptor of ours from the main loop: ready(arg) on the main thread when it is readable. */
    enum status (*watch)(void *self, int fd, void (*ready)(void *arg), void *arg);
};
/* Takes over the listening sockets (already bound and listening). TLS when the settings name a certificate. */
enum status http_start(struct http **out, struct server *server, const struct http_loop *loop, const int *listen_fds,
                       unsigned n_listen_fds, struct error *error) must_check;

/* Ends all connections: wakes what sleeps, stops the library. Main thread. Exchanges whose work goes on elsewhere live on until
 * that ends. */
void http_stop(struct http *http);

/* After the last exchange ended. */
void http_free(struct http *http);

/* False when the HTTP thread has owed a reply that was ready for more than a second. Any thread. */
bool http_is_live(const struct http *http);

#endif
